//! The bench that a test's body works at: one card, words for what is asked of it, a transcript of what
//! was said, and what was expected.
//!
//! | module | what it knows |
//! |---|---|
//! | [`checked`] | how a body ends |
//! | [`facts`] | what is known of the card |
//! | [`reply`], [`transcript`] | its answers, and what a report shows of them |
//! | `guard` | what a command may do at worst |
//! | `restore`, `places` | putting back what was changed: PIN and PUK; objects, files |
//! | `pins`, `administration`, `content`, `messaging` | commands, by what they are about |

mod administration;
pub mod checked;
mod content;
pub mod facts;
mod guard;
pub(crate) mod messaging;
mod pins;
mod places;
pub mod reply;
mod restore;
pub mod transcript;

pub use checked::{Checked, Stop};
pub(crate) use checked::{holds, same};
pub use facts::{Facts, Objects};
pub use reply::Reply;
pub use transcript::Line;

use crate::changes::Changes;
use crate::ledger::{Credential, Ledger, Tries};
use crate::place::Place;
use crate::target::{Custody, Slot};
use crate::test::Danger;
use cardlab_client::minidriver::Minidriver;
use cardlab_client::recognise::Edge;
use cardlab_client::transport::{Transport, TransportError};
use cardlab_protocol::apdu::{self, short};
use cardlab_sim::conditions::Interface;
use hex_literal::hex;
use std::collections::BTreeSet;
use transcript::masked;
use zeroize::Zeroizing;

/// Longest data of one short command.
const BLOCK: usize = 255;
/// Length of a PIV PIN with its padding.
const PIV_PIN: usize = 8;

/// One card on the bench.
pub struct Bench<'a> {
    slot: Box<dyn Slot + 'a>,
    /// What is known of it.
    pub facts: Facts,
    /// What was said.
    pub transcript: Vec<Line>,
    /// The PIN that the card has now, when a test has changed it.
    pin_now: Option<Zeroizing<Vec<u8>>>,
    puk_now: Option<Zeroizing<Vec<u8>>>,
    /// A try of the PUK may have been spent: it was sent, and not taken.
    puk_spent: bool,
    /// What the test has written.
    written: BTreeSet<Place>,
    /// What it has begun to write: a card may have stored what it refuses in the end.
    touched: BTreeSet<Place>,
    /// What the test may do to the card.
    allowed: Danger,
    /// Header and data of a chain that is under way.
    chain: ([u8; 4], Zeroizing<Vec<u8>>),
    /// The last challenge of the administrator key.
    challenge: Option<Vec<u8>>,
    /// What is sent now is sent to put back.
    restoring: bool,
    /// What the run may cost the card, where it is somebody's.
    ledger: Option<&'a mut Ledger>,
    /// What it has changed, likewise.
    changes: Option<&'a mut Changes>,
}

impl<'a> Bench<'a> {
    /// A powered card, for a test that may do this to it. A command that could do more is not sent.
    #[must_use]
    pub fn new(slot: Box<dyn Slot + 'a>, facts: Facts, allowed: Danger) -> Self {
        Self {
            slot,
            facts,
            transcript: Vec::new(),
            pin_now: None,
            puk_now: None,
            puk_spent: false,
            written: BTreeSet::new(),
            touched: BTreeSet::new(),
            allowed,
            chain: Default::default(),
            challenge: None,
            restoring: false,
            ledger: None,
            changes: None,
        }
    }

    /// A card that is somebody's: no secret is sent against the ledger's word, and what stays changed is written down.
    #[must_use]
    pub fn under(mut self, Custody { ledger, changes }: Custody<'a>) -> Self {
        (self.ledger, self.changes) = (Some(ledger), Some(changes));
        self
    }

    /// What was written that is not among these.
    #[must_use]
    pub fn written_beside(&self, places: &[Place]) -> Option<&Place> {
        self.written.iter().find(|place| !places.contains(place))
    }

    /// As [`Ledger::open`], of this card's ledger.
    pub(crate) fn account(&mut self, credential: Credential, tries: Tries) {
        if let Some(ledger) = self.ledger.as_deref_mut() {
            ledger.open(credential, tries);
        }
    }

    /// As [`Ledger::owes`], of this card's ledger.
    fn owes(&self, credential: Credential) -> bool {
        self.ledger.as_deref().is_some_and(|ledger| ledger.owes(credential))
    }

    pub(crate) fn gids(&self) -> bool {
        matches!(self.facts.edge, Edge::Gids { .. })
    }

    /// Firmware of a YubiKey.
    pub(crate) const fn yubikey(&self) -> Option<[u8; 3]> {
        match self.facts.edge {
            Edge::Piv { yubikey, .. } => yubikey,
            Edge::Gids { .. } => None,
        }
    }

    /// Sends one command and nothing else.
    pub(crate) fn send(&mut self, command: &[u8]) -> Checked<Reply> {
        let risk = self.risk(command);
        if risk > self.allowed {
            return Err(Stop::Failed(format!(
                "a fault of the suite: the test is declared '{}', but sends {}, which may do '{risk}' to a card; it was not sent",
                self.allowed,
                masked(command, self.facts.new)
            )));
        }
        let whole = self.whole(command);
        let begun = self.begun(whole.as_ref());
        if let Some(place) = begun.iter().find(|place| self.is_unread(place)) {
            return Err(Stop::NotRun(format!(
                "{place} could not be read before, so that nothing could put it back: it is not written"
            )));
        }
        let guess = whole.as_ref().and_then(|(header, data)| self.guess(*header, data));
        if let (Some(guess), Some(ledger)) = (guess, self.ledger.as_deref_mut()) {
            ledger.before(guess).map_err(Stop::NotRun)?;
        }
        self.touched.extend(begun);
        let answer = self.slot.transmit(command);
        if let (Some(guess), Some(ledger)) = (guess, self.ledger.as_deref_mut()) {
            let sw = answer.as_ref().ok().and_then(|answer| apdu::response(answer));
            ledger.after(guess, sw.map(|(_, sw)| sw.0));
        }
        let done = answer.as_ref().is_ok_and(|response| response.ends_with(&[0x90, 0x00]));
        if let Some((header, data)) = whole {
            self.note_challenge(header, answer.as_deref().unwrap_or_default());
            let announced = answer.as_ref().is_ok_and(|response| matches!(response[..], [.., 0x61, _]));
            if done || announced {
                self.written.extend(Place::written(header, &data, self.gids()));
            }
            self.note_secrets(header, &data, done);
        }
        let said = match &answer {
            Ok(response) => hex::encode_upper(response),
            Err(error) => error.to_string(),
        };
        let command = masked(command, self.facts.new);
        self.transcript.push(Line { command, response: said });
        let answer = answer?;
        if answer.is_empty() {
            // What pcscd says of a card that was pulled out under its virtual reader, and of one that is mute.
            let there = self.slot.is_there();
            let mute = || TransportError::Silent("the card is mute: it answered nothing".into());
            return Err(Stop::Card(if there { mute() } else { TransportError::Removed }));
        }
        let Some((data, sw)) = apdu::response(&answer) else {
            return Err(Stop::Failed(format!("a response of {} bytes has no status word", answer.len())));
        };
        Ok(Reply { data: data.to_vec(), sw: sw.0 })
    }

    /// Fetches what 61xx announces.
    pub(crate) fn full(&mut self, command: &[u8]) -> Checked<Reply> {
        let first = self.send(command)?;
        self.rest(first)
    }

    pub(crate) fn rest(&mut self, first: Reply) -> Checked<Reply> {
        let (mut data, mut sw) = (first.data, first.sw);
        for _ in 0..256 {
            if sw >> 8 != 0x61 {
                return Ok(Reply { data, sw });
            }
            let next = self.send(&[0x00, 0xC0, 0x00, 0x00, sw as u8])?;
            data.extend(next.data);
            sw = next.sw;
        }
        Err(Stop::failed("GET RESPONSE: the answer has no end"))
    }

    /// A command with as much data as it may have: chained, and its answer fetched.
    pub(crate) fn long(&mut self, header: [u8; 4], data: &[u8]) -> Checked<Reply> {
        let mut blocks: Vec<&[u8]> = data.chunks(BLOCK).collect();
        let last = blocks.pop().unwrap_or_default();
        for block in blocks {
            let reply = self.send(&short([header[0] | 0x10, header[1], header[2], header[3]], block, None))?;
            if reply.sw != 0x9000 {
                return Ok(reply);
            }
        }
        self.full(&short(header, last, Some(0)))
    }

    /// A warm reset; the application is no longer selected.
    pub(crate) fn reset(&mut self) -> Checked {
        self.transcript.push(Line { command: "reset".into(), response: String::new() });
        Ok(self.slot.reset(false)?)
    }

    /// Power off and on.
    pub(crate) fn power_cycle(&mut self) -> Checked {
        self.transcript.push(Line { command: "power off, power on".into(), response: String::new() });
        Ok(self.slot.reset(true)?)
    }

    /// Cuts the power at the `n`-th tear point of the next commands.
    pub(crate) fn cut_power_at(&mut self, n: u32) -> Checked {
        if self.slot.cut_power_at(n) {
            Ok(())
        } else {
            Err(Stop::NotApplicable("power cannot be cut inside a command here".into()))
        }
    }

    /// Moves the card to contacts or into a field.
    pub(crate) fn reach(&mut self, interface: Interface) -> Checked {
        if self.slot.reach(interface) {
            Ok(())
        } else {
            Err(Stop::NotApplicable("a card cannot be moved between contacts and field here (pcsc)".into()))
        }
    }

    /// SELECT of the card's application.
    pub(crate) fn select(&mut self) -> Checked<Reply> {
        if self.gids() {
            self.send(&hex!("00A404000BA00000039742544659020100"))
        } else {
            self.send(&hex!("00A4040005A00000030800"))
        }
    }

    /// A new session with the application selected.
    pub(crate) fn start(&mut self) -> Checked {
        self.reset()?;
        self.select()?.ok("SELECT").map(drop)
    }

    /// The minidriver's functions over this card.
    pub(crate) fn minidriver<T>(&mut self, speak: impl FnOnce(&mut Minidriver<'_>) -> Checked<T>) -> Checked<T> {
        let mut through = Through { bench: self, held_back: None };
        let said = match Minidriver::open(&mut through) {
            Ok(mut card) => speak(&mut card),
            Err(error) => Err(Stop::failed(format!("the card is not recognised: {error}"))),
        };
        through.held_back.map_or(said, Err)
    }

    /// The slot itself, for what is about the reader.
    pub(crate) fn slot(&mut self) -> &mut (dyn Slot + 'a) {
        &mut *self.slot
    }
}

/// A bench as a way to the card: what passes is in the transcript too.
struct Through<'b, 'a> {
    bench: &'b mut Bench<'a>,
    /// Why a command was not sent: the reason that counts, whatever the minidriver makes of it.
    held_back: Option<Stop>,
}

impl Transport for Through<'_, '_> {
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        match self.bench.send(command) {
            Ok(mut reply) => {
                reply.data.extend(reply.sw.to_be_bytes());
                Ok(reply.data)
            }
            Err(Stop::Card(error)) => Err(error),
            Err(stop) => {
                self.held_back.get_or_insert(stop);
                Err(TransportError::Short(0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Credentials;

    /// A card that says 9000 and counts what it is sent.
    struct Counting<'c>(&'c std::cell::Cell<u32>);

    impl Slot for Counting<'_> {
        fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, TransportError> {
            self.0.set(self.0.get() + 1);
            Ok(vec![0x90, 0x00])
        }

        fn reset(&mut self, _: bool) -> Result<(), TransportError> {
            Ok(())
        }
    }

    pub(super) fn facts() -> Facts {
        let secret = |text: &str| Some(Zeroizing::new(text.to_owned()));
        Facts {
            name: String::new(),
            edge: Edge::Piv { admin_unblock: false, yubikey: None },
            serial: String::new(),
            credentials: Credentials { pin: secret("123456"), puk: secret("12345678"), ..Credentials::default() },
            keys: Vec::new(),
            new: false,
            extended_length: false,
            tells_verified: true,
            pin_tries: None,
            objects: Objects::new(),
            files: Vec::new(),
        }
    }

    /// A card that answers nothing, and may be there or not.
    struct Nothing(bool);

    impl Slot for Nothing {
        fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, TransportError> {
            Ok(Vec::new())
        }

        fn reset(&mut self, _: bool) -> Result<(), TransportError> {
            Ok(())
        }

        fn is_there(&mut self) -> bool {
            self.0
        }
    }

    #[test]
    fn a_mute_card_is_mute_and_one_that_was_pulled_out_is_gone() {
        let asked = |there| Bench::new(Box::new(Nothing(there)), facts(), Danger::Safe).query();
        assert!(matches!(asked(true), Err(Stop::Card(TransportError::Silent(why))) if why.contains("mute")));
        assert!(matches!(asked(false), Err(Stop::Card(TransportError::Removed))));
    }

    #[test]
    fn what_a_test_may_not_do_is_not_sent() {
        let facts = facts();
        let sent = std::cell::Cell::new(0);
        let mut b = Bench::new(Box::new(Counting(&sent)), facts.clone(), Danger::Safe);
        b.verify().unwrap();
        b.query().unwrap();
        assert_eq!(sent.get(), 2, "the right PIN and a question are safe");
        for refused in [
            b.verify_wrong(),
            b.verify_raw(0x81, b"123456\xFF\xFF"),
            b.put(0x5FC105, &[]),
            b.send(&hex!("00FB0000")),
            b.send(&hex!("80200080 0431323334")),
        ] {
            assert!(matches!(refused, Err(Stop::Failed(why)) if why.contains("it was not sent") && !why.contains("3132")));
        }
        assert_eq!(sent.get(), 2);
        let mut b = Bench::new(Box::new(Counting(&sent)), facts, Danger::SpendsTries);
        b.verify_wrong().unwrap();
        assert!(b.put(0x5FC105, &[]).is_err());
        assert_eq!(sent.get(), 3);
    }
}
