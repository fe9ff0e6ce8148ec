//! What a command may do to a card at worst. A test sends nothing beyond what it is declared to do.

use super::{Bench, PIV_PIN};
use crate::ledger::{Credential, Guess};
use crate::test::Danger;
use cardlab_protocol::apdu;
use cardlab_protocol::tlv::{find_path, only};

impl Bench<'_> {
    /// What a command may do to a card at worst, also to one that does not keep the standard: a guess may
    /// cost a try wherever it is sent, and a write may be carried out though it should be refused.
    /// A response to a challenge is not judged: right and wrong ones look alike here.
    pub(super) fn risk(&self, command: &[u8]) -> Danger {
        let [_, ins, p1, p2, rest @ ..] = command else { return Danger::Safe };
        let data = rest.get(1..).unwrap_or_default();
        match ins {
            0x20 | 0x24 | 0x2C if data.is_empty() => Danger::Safe,
            0x20 if *p1 == 0x00 && matches!(p2, 0x00 | 0x80) && self.pin().is_ok_and(|pin| data == &self.framed(&pin)[..]) => {
                Danger::Safe
            }
            0x20 | 0x24 | 0x2C => Danger::SpendsTries,
            0xE6 | 0xFB => Danger::Resets,
            0x1C | 0xDB | 0x47 | 0xE0 | 0xE4 | 0x44 | 0xF6 | 0xFA | 0xFE | 0xFF => Danger::ChangesKeys,
            _ => Danger::Safe,
        }
    }

    /// The secret that a whole command presents, and whether it is the right value. What cannot be told is taken for
    /// wrong, a reference that is not known for the PIN: a card may see it so.
    pub(super) fn guess(&self, [_, ins, p1, p2]: [u8; 4], data: &[u8]) -> Option<Guess> {
        if data.is_empty() {
            return None;
        }
        let of = |puk: bool| if puk { Credential::Puk } else { Credential::Pin };
        let (credential, right) = match ins {
            0x20 => (of(p2 == 0x81), p1 == 0x00 && p2 == 0x80 && self.begins_right(Credential::Pin, data) && self.is_whole(data)),
            0x24 => (of(p2 == 0x81), p1 == 0x00 && matches!(p2, 0x80 | 0x81) && self.begins_right(of(p2 == 0x81), data)),
            0x2C if p1 == 0x02 => return None,
            0x2C => (Credential::Puk, p1 == 0x00 && self.begins_right(Credential::Puk, data)),
            0x87 => {
                let response = only(data, 0x7C).and_then(|template| find_path(template, &[0x82]))?;
                if response.is_empty() || !(self.gids() || p2 == 0x9B) {
                    return None;
                }
                let expected = self.admin_key().ok().zip(self.challenge.as_ref()).and_then(|(key, c)| key.respond(c).ok());
                (Credential::AdminKey, expected.is_some_and(|expected| expected == response))
            }
            _ => return None,
        };
        Some(Guess { credential, right, restores: self.restoring })
    }

    /// Whether data begins with what the card has, framed as this card wants it.
    fn begins_right(&self, credential: Credential, data: &[u8]) -> bool {
        let known = if credential == Credential::Puk { self.puk() } else { self.pin() };
        known.is_ok_and(|value| data.starts_with(&self.framed(&value)))
    }

    /// Whether there is nothing behind the PIN.
    fn is_whole(&self, data: &[u8]) -> bool {
        self.pin().is_ok_and(|pin| data.len() == if self.gids() { pin.len() } else { PIV_PIN.max(pin.len()) })
    }

    /// Keeps the challenge that the card has given out.
    pub(super) fn note_challenge(&mut self, [_, ins, ..]: [u8; 4], answer: &[u8]) {
        if ins == 0x87 {
            let data = apdu::response(answer).map_or(&[][..], |(data, _)| data);
            self.challenge = find_path(data, &[0x7C, 0x81]).map(<[u8]>::to_vec);
        }
    }
}
