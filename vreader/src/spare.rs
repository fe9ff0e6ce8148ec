//! Tries that are not to be spent: a layer round somebody else's card that stops a command which presents a secret while
//! no more tries are left than are to be spared, or while it is not known how many are left.
//!
//! It knows what it is told: VERIFY without data before each such command, and the 63Cx of answers. What it stops is
//! answered 6983, and the card does not hear of it.
//!
//! | command | secret |
//! |---|---|
//! | VERIFY with data (ISO/IEC 7816-4 section 11.6.6) | P2 |
//! | CHANGE REFERENCE DATA, P1 = 00 (11.6.7) | P2 |
//! | RESET RETRY COUNTER, P1 = 00 or 01 (11.6.10) | the PUK, 81 |
//! | GENERAL AUTHENTICATE with a response or a witness, for the administrator key (SP 800-73-4 part 2, appendix A.1) | 9B |
//!
//! A block of a chain counts as the whole command.

use crate::icc::{Icc, Loss};
use crate::trace::decode;
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::find;
use cardlab_sim::atr::Protocol;
use cardlab_sim::memory::reference_name;
use std::collections::HashMap;

const SELECT: u8 = 0xA4;
const VERIFY: u8 = 0x20;
const CHANGE: u8 = 0x24;
const RESET_RETRY: u8 = 0x2C;
const AUTHENTICATE: u8 = 0x87;
const PUK: u8 = 0x81;
const ADMINISTRATION: u8 = 0x9B;
const CLA_CHAIN: u8 = 0x10;
const BLOCKED: [u8; 2] = [0x69, 0x83];

/// Hears what was stopped.
type Hear = Box<dyn FnMut(&str) + Send>;

/// A card whose last tries are spared.
pub struct Spare {
    icc: Box<dyn Icc>,
    /// So many are left in any case.
    least: u8,
    /// The AID of the selected application.
    selected: Vec<u8>,
    /// Tries of an application's secrets, as the card told last.
    known: HashMap<(Vec<u8>, u8), u8>,
    hear: Hear,
}

impl Spare {
    /// Spares `least` tries of each secret of the card. `hear` is told of what is stopped.
    #[must_use]
    pub fn new(icc: Box<dyn Icc>, least: u8, hear: Hear) -> Self {
        Self { icc, least, selected: Vec::new(), known: HashMap::new(), hear }
    }

    /// The tries that are left of a secret, as far as the card tells. What it says when it is verified already is no
    /// number: then the last one holds.
    fn left(&mut self, reference: u8) -> Result<Option<u8>, Loss> {
        let answer = self.icc.transmit(&[0x00, VERIFY, 0x00, reference])?;
        self.learn(reference, &answer);
        Ok(self.known.get(&(self.selected.clone(), reference)).copied())
    }

    fn learn(&mut self, reference: u8, answer: &[u8]) {
        let left = match answer {
            [0x63, x] if x & 0xF0 == 0xC0 => x & 0x0F,
            [0x69, 0x83] => 0,
            _ => return,
        };
        self.known.insert((self.selected.clone(), reference), left);
    }

    /// Whether the command must not reach the card, and what is said then.
    fn stops(&mut self, reference: u8, command: &[u8]) -> Result<Option<String>, Loss> {
        let left = self.left(reference)?;
        let why = match left {
            Some(left) if left > self.least => return Ok(None),
            Some(left) => format!("{left} of its tries are left, and {} are spared", self.least),
            None => "the card does not tell how many tries are left".to_owned(),
        };
        Ok(Some(format!("{} is stopped: {}: {why}", decode::describe(command, false), reference_name(reference))))
    }
}

/// The reference of the secret that a command presents.
fn presented(command: &Command<'_>) -> Option<u8> {
    let chained = command.cla & CLA_CHAIN != 0;
    // Secure messaging hides the data, not that there are some.
    let data = !command.data.is_empty();
    match (command.ins, command.p1) {
        (VERIFY | CHANGE, 0x00) if data => Some(command.p2),
        (RESET_RETRY, 0x00 | 0x01) if data => Some(PUK),
        (AUTHENTICATE, _) if matches!(command.p2, 0x00 | 0x80 | ADMINISTRATION) => {
            let template = find(command.data, 0x7C).unwrap_or_default();
            let proves = |tag: u32| find(template, tag).is_some_and(|value| !value.is_empty());
            (chained || command.cla & 0x0C != 0 || proves(0x82) || proves(0x80)).then_some(ADMINISTRATION)
        }
        _ => None,
    }
}

impl Icc for Spare {
    fn power_on(&mut self) -> Option<Vec<u8>> {
        self.selected.clear();
        self.icc.power_on()
    }

    fn reset(&mut self) -> Option<Vec<u8>> {
        self.selected.clear();
        self.icc.reset()
    }

    fn power_off(&mut self) {
        self.icc.power_off();
    }

    fn set_protocol(&mut self, protocol: Protocol) {
        self.icc.set_protocol(protocol);
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Loss> {
        let Ok(parsed) = Command::parse(command) else { return self.icc.transmit(command) };
        let reference = presented(&parsed);
        if let Some(reference) = reference
            && let Some(sentence) = self.stops(reference, command)?
        {
            (self.hear)(&sentence);
            return Ok(BLOCKED.to_vec());
        }
        let answer = self.icc.transmit(command)?;
        if let Some(reference) = reference {
            self.learn(reference, &answer);
        }
        if parsed.ins == SELECT && parsed.p1 == 0x04 && matches!(answer.last_chunk::<2>(), Some([0x90 | 0x61, _])) {
            self.selected = parsed.data.to_vec();
        }
        Ok(answer)
    }

    fn is_slow(&self, command: &[u8]) -> bool {
        self.icc.is_slow(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::icc::VirtualCard;
    use cardlab_sim::{Card, Profile, World};
    use proptest::prelude::*;
    use std::sync::{Arc, Mutex};

    const PIV: &str = "00A4040005A000000308";
    const RIGHT: &str = "0020008008313233343536FFFF";
    const WRONG: &str = "0020008008393939393939FFFF";

    fn spared(profile: &str, least: u8) -> (Spare, Arc<Mutex<Vec<String>>>) {
        let card = VirtualCard::new(Card::new(Profile::builtin(profile).unwrap(), World::seeded(1)).unwrap(), None);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hear = Arc::clone(&heard);
        let mut spare = Spare::new(Box::new(card), least, Box::new(move |text| hear.lock().unwrap().push(text.to_owned())));
        spare.power_on();
        (spare, heard)
    }

    fn sw(card: &mut Spare, command: &str) -> String {
        let answer = card.transmit(&hex::decode(command).unwrap()).unwrap();
        hex::encode_upper(&answer[answer.len() - 2..])
    }

    #[test]
    fn the_last_tries_are_not_spent() {
        let (mut card, heard) = spared("nist-piv", 1);
        sw(&mut card, PIV);
        assert_eq!(["63C2", "63C1", "6983"], [(); 3].map(|()| sw(&mut card, WRONG)));
        assert_eq!(sw(&mut card, RIGHT), "6983", "nobody knows that it is the right one");
        assert_eq!(sw(&mut card, "00200080"), "63C1", "the card was not asked");
        assert_eq!(sw(&mut card, "0024008010393939393939FFFF313233343536FFFF"), "6983");
        assert_eq!(sw(&mut card, "00CB3FFF055C035FC10200"), "9000", "everything else goes on");
        let text = heard.lock().unwrap().join("\n");
        assert!(text.contains("VERIFY, PIN is stopped: PIN: 1 of its tries are left, and 1 are spared"), "{text}");
    }

    #[test]
    fn a_right_one_gives_back_and_is_let_through() {
        let (mut card, _) = spared("gids", 2);
        sw(&mut card, "00A4040009A00000039742544659");
        let right = "0020008006313233343536";
        assert_eq!(["9000", "9000"], [(); 2].map(|()| sw(&mut card, right)), "also while it is verified");
        assert_eq!([sw(&mut card, "0020008006393939393939"), sw(&mut card, right)], ["63C2", "6983"]);
    }

    #[test]
    fn what_the_card_does_not_tell_is_not_tried() {
        let (mut card, heard) = spared("nist-piv", 1);
        sw(&mut card, PIV);
        assert_eq!(sw(&mut card, "002C008010313131313131313131323334353637FF"), "6983");
        assert!(heard.lock().unwrap()[0].ends_with("PUK: the card does not tell how many tries are left"), "{heard:?}");
        // A challenge is asked for freely; its response is a try.
        assert_eq!(sw(&mut card, "00870A9B047C02810000"), "9000");
        assert_eq!(sw(&mut card, "00870A9B0C7C0A82080000000000000000"), "6983");
        assert_eq!(sw(&mut card, "10870A9B0C7C0A82080000000000000000"), "6983");
    }

    proptest! {
        /// Whatever comes, in whichever order: no secret has fewer tries than are spared.
        #[test]
        fn never_fewer(commands in proptest::collection::vec(prop_oneof![
            Just(PIV.to_owned()), Just(RIGHT.to_owned()), Just(WRONG.to_owned()), Just("00200080".to_owned()), Just("0020FF80".to_owned()),
            Just("1020008008393939393939FFFF".to_owned()), Just("0024008010393939393939FFFF313233343536FFFF".to_owned()),
            Just("002C008010313131313131313131323334353637FF".to_owned()), Just("002000810839393939393939FF".to_owned()),
            "[0-9A-F]{8,40}".prop_filter("whole bytes", |text| text.len() % 2 == 0),
        ], 0..20), least in 1u8..3) {
            let (mut card, _) = spared("nist-piv", least);
            for command in commands {
                let _ = card.transmit(&hex::decode(command).unwrap());
            }
            card.power_on();
            let left = card.left(0x80).unwrap();
            prop_assert!(left.is_some_and(|left| left >= least), "{left:?}");
        }
    }
}
