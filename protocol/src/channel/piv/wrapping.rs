//! The data objects of wrapped commands and responses, SP 800-73-4 part 2 sections 4.2.2 to 4.2.5. No key, no command.
//!
//! ```text
//! command    [87 L 01 cryptogram] [97 01 00] 8E 08 MAC       MAC over 0C INS P1 P2 80 00*11, then what stands before 8E
//! response   [87 L 01 cryptogram] 99 02 SW1 SW2 8E 08 MAC    MAC over what stands before 8E
//! ```
//!
//! The objects come in this order, each at most once; nothing else does.

use crate::status::StatusWord;
use crate::tlv::{Reader, Tlv, Writer};
use thiserror::Error;

const CRYPTOGRAM: u32 = 0x87;
const EXPECTED_LENGTH: u32 = 0x97;
const STATUS: u32 = 0x99;
const MAC: u32 = 0x8E;
/// Length of a MAC on the wire in bytes.
pub const MAC_LENGTH: usize = 8;
/// What stands before a cryptogram: it has padding `80 00*`.
const PADDED: u8 = 0x01;

/// Why a field is no wrapped command or response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// An object that has to be there is not.
    #[error("a data object of secure messaging is missing")]
    Missing,
    /// An object of another tag, length or place, or one that came twice.
    #[error("a data object of secure messaging is wrong")]
    Incorrect,
}

/// A wrapped command, as a view over its data field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrappedCommand<'a> {
    /// The cryptogram without its padding indicator; `None` for a command without data.
    pub cryptogram: Option<&'a [u8]>,
    /// Whether the plain command has an Le.
    pub expects_data: bool,
    /// What the MAC covers behind the header.
    pub covered: &'a [u8],
    /// The MAC.
    pub mac: &'a [u8; MAC_LENGTH],
}

/// A wrapped response, as a view over its data field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrappedResponse<'a> {
    /// The cryptogram without its padding indicator; `None` for a response without data.
    pub cryptogram: Option<&'a [u8]>,
    /// The status word of the command that was inside.
    pub status: StatusWord,
    /// What the MAC covers.
    pub covered: &'a [u8],
    /// The MAC.
    pub mac: &'a [u8; MAC_LENGTH],
}

impl<'a> WrappedCommand<'a> {
    /// Reads the data field of a wrapped command, blocks of a chain joined.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(field: &'a [u8]) -> Result<Self, Malformed> {
        let mut objects = Objects::new(field);
        let cryptogram = objects.cryptogram()?;
        let expects_data = match objects.take(EXPECTED_LENGTH)? {
            None => false,
            Some([_]) => true,
            Some(_) => return Err(Malformed::Incorrect),
        };
        let (covered, mac) = objects.mac()?;
        Ok(Self { cryptogram, expects_data, covered, mac })
    }
}

impl<'a> WrappedResponse<'a> {
    /// Reads the data of a wrapped response.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(field: &'a [u8]) -> Result<Self, Malformed> {
        let mut objects = Objects::new(field);
        let cryptogram = objects.cryptogram()?;
        let status = match objects.take(STATUS)?.ok_or(Malformed::Missing)? {
            [sw1, sw2] => StatusWord(u16::from_be_bytes([*sw1, *sw2])),
            _ => return Err(Malformed::Incorrect),
        };
        let (covered, mac) = objects.mac()?;
        Ok(Self { cryptogram, status, covered, mac })
    }
}

/// What the MAC of a command covers before its data objects: the header, filled up to a block.
#[must_use]
pub const fn header(ins: u8, p1: u8, p2: u8) -> [u8; 16] {
    [0x0C, ins, p1, p2, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// The objects of a command that stand before its MAC.
#[must_use]
pub fn command(cryptogram: Option<&[u8]>, expects_data: bool) -> Vec<u8> {
    let mut field = with_cryptogram(cryptogram);
    if expects_data {
        Writer::new(&mut field).value(EXPECTED_LENGTH, &[0x00]);
    }
    field
}

/// The objects of a response that stand before its MAC.
#[must_use]
pub fn response(cryptogram: Option<&[u8]>, status: StatusWord) -> Vec<u8> {
    let mut field = with_cryptogram(cryptogram);
    Writer::new(&mut field).value(STATUS, &status.to_bytes());
    field
}

/// Puts the MAC behind them.
pub fn add_mac(field: &mut Vec<u8>, mac: &[u8]) {
    Writer::new(field).value(MAC, &mac[..MAC_LENGTH]);
}

fn with_cryptogram(cryptogram: Option<&[u8]>) -> Vec<u8> {
    let mut field = Vec::new();
    if let Some(cryptogram) = cryptogram {
        Writer::new(&mut field).value(CRYPTOGRAM, &[&[PADDED], cryptogram].concat());
    }
    field
}

/// The objects of a field, taken in the order in which they have to come.
struct Objects<'a> {
    field: &'a [u8],
    reader: Reader<'a>,
    /// What comes next, and where it begins.
    next: Option<(usize, Tlv<'a>)>,
}

impl<'a> Objects<'a> {
    fn new(field: &'a [u8]) -> Self {
        Self { field, reader: Reader::new(field), next: None }
    }

    fn peek(&mut self) -> Result<Option<(usize, Tlv<'a>)>, Malformed> {
        if self.next.is_none() {
            let at = self.field.len() - self.reader.rest().len();
            self.next = self.reader.next().transpose().map_err(|_| Malformed::Incorrect)?.map(|object| (at, object));
        }
        Ok(self.next)
    }

    /// The value of the next object when it has this tag.
    fn take(&mut self, tag: u32) -> Result<Option<&'a [u8]>, Malformed> {
        let taken = self.peek()?.filter(|(_, object)| object.tag == tag).map(|(_, object)| object.value);
        if taken.is_some() {
            self.next = None;
        }
        Ok(taken)
    }

    fn cryptogram(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        match self.take(CRYPTOGRAM)? {
            None => Ok(None),
            Some([PADDED, cryptogram @ ..]) => Ok(Some(cryptogram)),
            Some(_) => Err(Malformed::Incorrect),
        }
    }

    /// The MAC, and what stands before it. It has to be the last one.
    fn mac(&mut self) -> Result<(&'a [u8], &'a [u8; MAC_LENGTH]), Malformed> {
        let (at, object) = self.peek()?.ok_or(Malformed::Missing)?;
        let mac = object.value.try_into().ok().filter(|_| object.tag == MAC).ok_or(Malformed::Incorrect)?;
        if !self.reader.rest().is_empty() {
            return Err(Malformed::Incorrect);
        }
        Ok((&self.field[..at], mac))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;
    use proptest::prelude::*;

    #[test]
    fn what_is_missing_and_what_is_wrong_are_told_apart() {
        let parse = |field: &[u8]| WrappedCommand::parse(field).map(|_| ()).unwrap_err();
        for field in [&hex!("")[..], &hex!("970100"), &hex!("870101")] {
            assert_eq!(parse(field), Malformed::Missing, "{field:02X?}");
        }
        let wrong: [&[u8]; 10] = [
            &hex!("8701018701018E080000000000000000"),   // twice
            &hex!("8501018E080000000000000000"),         // 85 for 87
            &hex!("8702 0201 8E080000000000000000"),     // padding indicator 02
            &hex!("8700 8E080000000000000000"),          // no padding indicator
            &hex!("970100 870101 8E080000000000000000"), // another order
            &hex!("8E080000000000000000 970100"),        // behind the MAC
            &hex!("8E0700000000000000"),                 // a short MAC
            &hex!("9700 8E080000000000000000"),          // an empty 97
            &hex!("99029000 8E080000000000000000"),      // of a response
            &hex!("8E080000"),                           // cut
        ];
        for field in wrong {
            assert_eq!(parse(field), Malformed::Incorrect, "{field:02X?}");
        }
        assert_eq!(WrappedResponse::parse(&hex!("8701018E080000000000000000")), Err(Malformed::Missing));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(field in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = (WrappedCommand::parse(&field), WrappedResponse::parse(&field));
        }

        #[test]
        fn what_is_written_is_read(cryptogram in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300)), expects_data: bool, mac: [u8; 8], sw: u16) {
            let mut field = command(cryptogram.as_deref(), expects_data);
            let covered = field.clone();
            add_mac(&mut field, &mac);
            let expected = WrappedCommand { cryptogram: cryptogram.as_deref(), expects_data, covered: &covered, mac: &mac };
            prop_assert_eq!(WrappedCommand::parse(&field), Ok(expected));
            let mut field = response(cryptogram.as_deref(), StatusWord(sw));
            let covered = field.clone();
            add_mac(&mut field, &mac);
            let expected = WrappedResponse { cryptogram: cryptogram.as_deref(), status: StatusWord(sw), covered: &covered, mac: &mac };
            prop_assert_eq!(WrappedResponse::parse(&field), Ok(expected));
        }
    }
}
