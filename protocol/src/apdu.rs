//! Command and response APDUs, ISO/IEC 7816-3:2006 section 12.1.
//!
//! ```text
//! case 1   CLA INS P1 P2
//! case 2S  CLA INS P1 P2 Le            case 2E  CLA INS P1 P2 00 Le Le
//! case 3S  CLA INS P1 P2 Lc data       case 3E  CLA INS P1 P2 00 Lc Lc data
//! case 4S  CLA INS P1 P2 Lc data Le    case 4E  CLA INS P1 P2 00 Lc Lc data Le Le
//!
//! response  [data] SW1 SW2
//! ```
//!
//! A view over borrowed bytes: lengths are proved once in [`Command::parse`] and trusted after it.

use crate::status::StatusWord;
use thiserror::Error;

/// Largest command APDU: header, extended Lc, 65,535 bytes of data, extended Le.
pub const MAX_COMMAND: usize = 4 + 3 + 65_535 + 2;

/// A parsed command APDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// Class byte as sent.
    pub cla: u8,
    /// Instruction byte.
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
    /// Command data field; empty in cases 1 and 2.
    pub data: &'a [u8],
    /// Expected response length in bytes, 1 to 65,536; `None` in cases 1 and 3.
    pub le: Option<u32>,
    /// Whether the lengths were in extended form.
    pub extended: bool,
}

/// What is wrong with the bytes of a command APDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// Fewer than the four header bytes.
    #[error("{0} bytes are too short for a command header of 4")]
    Header(usize),
    /// The length fields do not add up to the bytes that came.
    #[error("length fields do not fit a command of {0} bytes")]
    Length(usize),
}

impl<'a> Command<'a> {
    /// Reads a command APDU.
    ///
    /// # Errors
    /// [`ParseError`] when the bytes are none of the seven cases. A card answers it with 6700.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let wrong = ParseError::Length(bytes.len());
        let Some((&[cla, ins, p1, p2], body)) = bytes.split_first_chunk::<4>() else {
            return Err(ParseError::Header(bytes.len()));
        };
        let short = |n: u8| if n == 0 { 256 } else { u32::from(n) };
        let long = |a: u8, b: u8| match u16::from_be_bytes([a, b]) {
            0 => 65_536,
            n => u32::from(n),
        };
        let (data, le, extended): (&[u8], Option<u32>, bool) = match body {
            [] => (&[], None, false),
            [le] => (&[], Some(short(*le)), false),
            [0, a, b] => (&[], Some(long(*a, *b)), true),
            [0, a, b, rest @ ..] => {
                let lc = usize::from(u16::from_be_bytes([*a, *b]));
                if lc == 0 {
                    return Err(wrong);
                }
                match rest.len().checked_sub(lc) {
                    Some(0) => (rest, None, true),
                    Some(2) => (&rest[..lc], Some(long(rest[lc], rest[lc + 1])), true),
                    _ => return Err(wrong),
                }
            }
            [lc, rest @ ..] => {
                let lc = usize::from(*lc);
                if lc == 0 {
                    return Err(wrong);
                }
                match rest.len().checked_sub(lc) {
                    Some(0) => (rest, None, false),
                    Some(1) => (&rest[..lc], Some(short(rest[lc])), false),
                    _ => return Err(wrong),
                }
            }
        };
        Ok(Self { cla, ins, p1, p2, data, le, extended })
    }

    /// P1 and P2 as one number.
    #[must_use]
    pub const fn p1p2(&self) -> u16 {
        u16::from_be_bytes([self.p1, self.p2])
    }

    /// The bytes of this command, in extended form when `extended` is set.
    ///
    /// Lengths beyond the chosen form are cut to what it can say.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Never grown: no copy of a secret stays behind.
        let mut out = Vec::with_capacity(4 + 3 + self.data.len() + 2);
        out.extend_from_slice(&[self.cla, self.ins, self.p1, self.p2]);
        if self.extended {
            let lc = self.data.len().min(65_535);
            if lc > 0 || self.le.is_some() {
                out.push(0);
            }
            if lc > 0 {
                out.extend_from_slice(&(lc as u16).to_be_bytes());
                out.extend_from_slice(&self.data[..lc]);
            }
            if let Some(le) = self.le {
                out.extend_from_slice(&(le as u16).to_be_bytes());
            }
        } else {
            let lc = self.data.len().min(255);
            if lc > 0 {
                out.push(lc as u8);
                out.extend_from_slice(&self.data[..lc]);
            }
            if let Some(le) = self.le {
                out.push(le as u8);
            }
        }
        out
    }
}

/// A command in short form: `data` of at most 255 bytes (what is beyond is cut), `le` as it is sent (00 asks
/// for up to 256 bytes).
#[must_use]
pub fn short([cla, ins, p1, p2]: [u8; 4], data: &[u8], le: Option<u8>) -> Vec<u8> {
    let le = le.map(|le| if le == 0 { 256 } else { u32::from(le) });
    Command { cla, ins, p1, p2, data, le, extended: false }.to_bytes()
}

/// A response APDU as data and status word; `None` when it is too short for one.
#[must_use]
pub fn response(bytes: &[u8]) -> Option<(&[u8], StatusWord)> {
    let (data, sw) = bytes.split_last_chunk()?;
    Some((data, StatusWord(u16::from_be_bytes(*sw))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn all_seven_cases() {
        let p = |h: &str| hex::decode(h).unwrap();
        let bytes = p("00A40400");
        assert_eq!(Command::parse(&bytes).unwrap().le, None);
        let bytes = p("00A4040000");
        assert_eq!(Command::parse(&bytes).unwrap().le, Some(256));
        let bytes = p("00A4040003AABBCC");
        assert_eq!(Command::parse(&bytes).unwrap().data, [0xAA, 0xBB, 0xCC]);
        let bytes = p("00A4040003AABBCC05");
        assert_eq!(Command::parse(&bytes).unwrap().le, Some(5));
        let bytes = p("00CB3FFF000000");
        let c = Command::parse(&bytes).unwrap();
        assert_eq!((c.le, c.extended), (Some(65_536), true));
        let bytes = p("00CB3FFF000002AABB");
        assert_eq!(Command::parse(&bytes).unwrap().data, [0xAA, 0xBB]);
        let bytes = p("00CB3FFF000002AABB0100");
        assert_eq!(Command::parse(&bytes).unwrap().le, Some(256));
    }

    #[test]
    fn short_commands_and_responses() {
        assert_eq!(short([0x00, 0x20, 0x00, 0x80], &[], None), [0x00, 0x20, 0x00, 0x80]);
        assert_eq!(short([0x00, 0xCB, 0x3F, 0xFF], &[0x5C, 0x00], Some(0)), [0x00, 0xCB, 0x3F, 0xFF, 0x02, 0x5C, 0x00, 0x00]);
        assert_eq!(short([0x00, 0xCA, 0x00, 0x00], &[], Some(7)), [0x00, 0xCA, 0x00, 0x00, 0x07]);
        assert_eq!(response(&[1, 2, 0x61, 0x10]), Some((&[1, 2][..], StatusWord(0x6110))));
        assert_eq!((response(&[0x90, 0x00]), response(&[0x90])), (Some((&[][..], StatusWord::OK)), None));
    }

    #[test]
    fn lengths_that_do_not_add_up() {
        for h in
            ["", "00", "00A404", "00A40400020A", "00A4040002AABBCCDD", "00A404000000", "00A404000000AA0000", "00A4040000000300AA"]
        {
            assert!(Command::parse(&hex::decode(h).unwrap()).is_err(), "{h}");
        }
    }

    proptest! {
        #[test]
        fn emit_parse_round_trip(cla: u8, ins: u8, p1: u8, p2: u8, data in proptest::collection::vec(any::<u8>(), 0..700),
                                 le in proptest::option::of(1u32..=65_536)) {
            let extended = data.len() > 255 || le.is_some_and(|n| n > 256);
            let command = Command { cla, ins, p1, p2, data: &data, le, extended };
            let bytes = command.to_bytes();
            prop_assert_eq!(Command::parse(&bytes).unwrap(), command);
        }

        #[test]
        fn parse_emit_is_identity(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(command) = Command::parse(&bytes) {
                prop_assert_eq!(command.to_bytes(), bytes);
            }
        }
    }
}
