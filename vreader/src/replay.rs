//! A card that is a recording: it answers as another card once did, and says what it was not asked then.

use crate::icc::{Icc, Loss};
use crate::trace::decode::Masks;
use crate::trace::{Record, What};
use cardlab_sim::atr::Protocol;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use zeroize::Zeroizing;

/// Answer to what was not recorded: no precise diagnosis (ISO/IEC 7816-4 table 5).
const NOT_RECORDED: [u8; 2] = [0x6F, 0x00];

/// Which answer a command gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The recorded commands, one after the other; another one is not answered, and the recording stays where it is. One
    /// that is over begins anew when the card is powered.
    #[default]
    Strict,
    /// That of the next time that this very command was recorded, from the beginning again after the end.
    Match,
}

impl FromStr for Order {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "strict" => Ok(Self::Strict),
            "match" => Ok(Self::Match),
            _ => Err(()),
        }
    }
}

/// Why a recording is no card.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// Nothing in it.
    #[error("there is nothing in it: no card was used while it was written, or it is not what --trace wrote")]
    Nothing,
    /// Nothing but events.
    #[error("the recording has no command of this card")]
    NoCommand,
    /// Of several cards.
    #[error("the recording has several cards; name one: {0}")]
    Several(String),
    /// Not of this card.
    #[error("the recording has no card '{wanted}'; it has: {known}")]
    NoCard {
        /// What was asked for.
        wanted: String,
        /// Those that are in it.
        known: String,
    },
    /// No answer to reset.
    #[error("the recording has no answer to reset of this card: it must begin with its power on")]
    NoAtr,
}

/// The card of a recording that `wanted` names, or the only one that is in it.
///
/// # Errors
/// [`ReplayError`] when it is not in it, or nothing says which.
pub fn card_of<'a>(records: &'a [Record], wanted: Option<&str>) -> Result<&'a str, ReplayError> {
    let mut cards: Vec<&str> = Vec::new();
    for record in records {
        if !cards.contains(&&*record.card) {
            cards.push(&record.card);
        }
    }
    match (wanted, &cards[..]) {
        (_, []) => Err(ReplayError::Nothing),
        (None, [one]) => Ok(one),
        (None, all) => Err(ReplayError::Several(all.join(", "))),
        (Some(wanted), all) => {
            let found = all.iter().find(|card| **card == wanted).copied();
            found.ok_or_else(|| ReplayError::NoCard { wanted: wanted.into(), known: all.join(", ") })
        }
    }
}

struct Exchange {
    command: Zeroizing<Vec<u8>>,
    /// `None` where the card was silent.
    response: Option<Zeroizing<Vec<u8>>>,
}

/// Hears what was not recorded.
type Hear = Box<dyn FnMut(&str) + Send>;

/// A recording in a slot.
pub struct Replay {
    atr: Vec<u8>,
    exchanges: Vec<Exchange>,
    order: Order,
    /// The exchange that comes next.
    next: usize,
    hear: Hear,
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("exchanges", &self.exchanges.len()).field("next", &self.next).finish_non_exhaustive()
    }
}

impl Replay {
    /// The card of `records` that `of` names. `hear` is told of commands that were not recorded, with PINs and keys
    /// masked.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn new(records: &[Record], of: Option<&str>, order: Order, hear: Hear) -> Result<Self, ReplayError> {
        let card = card_of(records, of)?;
        let (mut atr, mut exchanges) = (Vec::new(), Vec::new());
        for record in records.iter().filter(|record| &*record.card == card) {
            match &record.what {
                What::Event { atr: answered, .. } if atr.is_empty() => atr.clone_from(answered),
                What::Event { .. } => {}
                What::Exchange { command, response, .. } => {
                    exchanges.push(Exchange { command: command.clone(), response: response.clone() });
                }
            }
        }
        match (atr.is_empty(), exchanges.is_empty()) {
            (_, true) => Err(ReplayError::NoCommand),
            (true, _) => Err(ReplayError::NoAtr),
            _ => Ok(Self { atr, exchanges, order, next: 0, hear }),
        }
    }

    /// The exchange that answers `command`.
    fn find(&self, command: &[u8]) -> Option<usize> {
        let is = |index: &usize| *self.exchanges[*index].command == command;
        match self.order {
            Order::Strict => Some(self.next).filter(|next| *next < self.exchanges.len()).filter(is),
            Order::Match => (self.next..self.exchanges.len()).chain(0..self.next).find(is),
        }
    }

    fn miss(&mut self, command: &[u8]) {
        let shown = |command: &[u8]| {
            let masks = Masks::of(command, false);
            format!("{}   {}", masks.command(command), masks.describe(command))
        };
        let came = shown(command);
        let sentence = match (self.order, self.exchanges.get(self.next)) {
            (Order::Match, _) => format!("not recorded: {came}"),
            (Order::Strict, Some(next)) => {
                format!("not recorded here: {came}; command {} is {}", self.next + 1, shown(&next.command))
            }
            (Order::Strict, None) => format!("the recording is over; came: {came}"),
        };
        (self.hear)(&sentence);
    }
}

impl Icc for Replay {
    fn power_on(&mut self) -> Option<Vec<u8>> {
        if self.next == self.exchanges.len() {
            self.next = 0;
        }
        Some(self.atr.clone())
    }

    fn reset(&mut self) -> Option<Vec<u8>> {
        Some(self.atr.clone())
    }

    fn power_off(&mut self) {}

    /// A recording is of one protocol, whichever it was.
    fn set_protocol(&mut self, _: Protocol) {}

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Loss> {
        let Some(index) = self.find(command) else {
            self.miss(command);
            return Ok(NOT_RECORDED.to_vec());
        };
        self.next = index + 1;
        self.exchanges[index].response.as_ref().map(|response| response.to_vec()).ok_or(Loss::Mute)
    }

    fn is_slow(&self, _: &[u8]) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Ticks, Trace};
    use std::sync::{Arc, Mutex};

    const SELECT: &[u8] = &[0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8];
    const VERIFY: &[u8] = b"\x00\x20\x00\x80\x08123456\xFF\xFF";

    /// SELECT, a status, a PIN, the status once more, and a command without an answer.
    fn records() -> Vec<Record> {
        let trace = Trace::new(Ticks::Count);
        let (mut card, mut other) = (trace.of("c"), trace.of("other"));
        let mut all = vec![card.event("power on", &[0x3B, 0x00])];
        for (command, response) in [
            (SELECT, Some(&[0x90, 0x00][..])),
            (&[0, 0x20, 0, 0x80][..], Some(&[0x63, 0xC3])),
            (VERIFY, Some(&[0x90, 0x00])),
            (&[0, 0x20, 0, 0x80], Some(&[0x90, 0x00])),
            (&[0, 0x87, 0, 0], None),
        ] {
            all.push(card.exchange(command, response, None));
        }
        all.push(other.exchange(&[0, 1, 2, 3], Some(&[0x6D, 0x00]), None));
        all.into_iter().map(|record| (*record).clone()).collect()
    }

    fn replay(order: Order) -> (Replay, Arc<Mutex<Vec<String>>>) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hear = Arc::clone(&heard);
        let replay = Replay::new(&records(), Some("c"), order, Box::new(move |text| hear.lock().unwrap().push(text.into())));
        (replay.unwrap(), heard)
    }

    #[test]
    fn in_order() {
        let (mut card, heard) = replay(Order::Strict);
        assert_eq!(card.power_on(), Some(vec![0x3B, 0x00]));
        assert_eq!(card.transmit(SELECT), Ok(vec![0x90, 0x00]));
        assert_eq!(card.transmit(VERIFY), Ok(vec![0x6F, 0x00]), "it comes later");
        assert_eq!(card.transmit(&[0, 0x20, 0, 0x80]), Ok(vec![0x63, 0xC3]), "a command too many does not end it");
        card.reset();
        assert_eq!(card.transmit(VERIFY), Ok(vec![0x90, 0x00]));
        assert_eq!(card.transmit(&[0, 0x20, 0, 0x80]), Ok(vec![0x90, 0x00]));
        assert_eq!(card.transmit(&[0, 0x87, 0, 0]), Err(Loss::Mute), "it had no answer then either");
        assert_eq!(card.transmit(SELECT), Ok(vec![0x6F, 0x00]));
        card.power_on();
        assert_eq!(card.transmit(SELECT), Ok(vec![0x90, 0x00]), "anew");
        let heard = heard.lock().unwrap();
        assert_eq!(
            heard[..],
            [
                "not recorded here: 00 20 00 80 08 [8 bytes masked]   VERIFY, PIN; command 2 is 00 20 00 80   VERIFY, status of PIN",
                "the recording is over; came: 00 A4 04 00 05 A0 00 00 03 08   SELECT PIV",
            ]
        );
    }

    #[test]
    fn by_match() {
        let (mut card, heard) = replay(Order::Match);
        card.power_on();
        let status = &[0, 0x20, 0, 0x80];
        assert_eq!(card.transmit(status), Ok(vec![0x63, 0xC3]));
        assert_eq!(card.transmit(status), Ok(vec![0x90, 0x00]), "the next time that it was recorded");
        assert_eq!(card.transmit(status), Ok(vec![0x63, 0xC3]), "and again from the beginning");
        assert_eq!(card.transmit(&[0, 1, 2, 3]), Ok(vec![0x6F, 0x00]), "another card's");
        assert_eq!(heard.lock().unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_card() {
        let none = |records: &[Record], of: Option<&str>| {
            Replay::new(records, of, Order::Strict, Box::new(|_| {})).err().unwrap().to_string()
        };
        let all = records();
        assert_eq!(
            none(&[], None),
            "there is nothing in it: no card was used while it was written, or it is not what --trace wrote"
        );
        assert_eq!(none(&all, None), "the recording has several cards; name one: c, other");
        assert_eq!(none(&all, Some("d")), "the recording has no card 'd'; it has: c, other");
        assert_eq!(
            none(&all, Some("other")),
            "the recording has no answer to reset of this card: it must begin with its power on"
        );
        assert_eq!(none(&all[..1], None), "the recording has no command of this card");
    }
}
