//! Answer to reset, ISO/IEC 7816-3:2006 section 8.
//!
//! `TS T0 [TA1 TB1 TC1 TD1 [TA2 ..]] historical-bytes [TCK]`; at most 33 bytes.

use thiserror::Error;

/// The longest ATR, TS included. PC/SC clients copy at most this many bytes.
pub const MAX_ATR: usize = 33;

/// A transmission protocol of a card with contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// T=0, byte-oriented, half duplex.
    T0,
    /// T=1, block-oriented, half duplex.
    T1,
}

/// A checked ATR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Atr {
    bytes: Vec<u8>,
    protocols: Vec<Protocol>,
    default: Protocol,
    historical: std::ops::Range<usize>,
}

/// What is wrong with the bytes of an ATR.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AtrError {
    /// TS is neither 3B nor 3F.
    #[error("an ATR starts with 3B or 3F, not {0:02X}")]
    InitialCharacter(u8),
    /// Interface bytes or historical bytes are missing, or bytes follow the end.
    #[error("an ATR of this T0 and TDi has {expected} bytes, not {got}")]
    Length {
        /// Bytes that T0 and the TDi announce.
        expected: usize,
        /// Bytes that came.
        got: usize,
    },
    /// The exclusive-or of T0 to TCK is not zero.
    #[error("wrong check byte TCK {got:02X}, should be {expected:02X}")]
    Check {
        /// The check byte that fits.
        expected: u8,
        /// The check byte that came.
        got: u8,
    },
    /// Neither T=0 nor T=1 is offered.
    #[error("the ATR offers neither T=0 nor T=1")]
    NoProtocol,
}

impl Atr {
    /// Checks the structure, lengths and check byte of an ATR.
    ///
    /// # Errors
    /// [`AtrError`], naming what does not fit.
    pub fn parse(bytes: &[u8]) -> Result<Self, AtrError> {
        let got = bytes.len();
        let need = |expected: usize| if got < expected { Err(AtrError::Length { expected, got }) } else { Ok(()) };
        need(2)?;
        if !matches!(bytes[0], 0x3B | 0x3F) {
            return Err(AtrError::InitialCharacter(bytes[0]));
        }
        let history = usize::from(bytes[1] & 0x0F);
        let (mut follows, mut at) = (bytes[1] >> 4, 2);
        let mut offered: Vec<u8> = Vec::new();
        let mut specific = None;
        for level in 1.. {
            if level == 2 && follows & 1 != 0 {
                need(at + 1)?;
                specific = Some(bytes[at] & 0x0F);
            }
            at += (follows & 0x07).count_ones() as usize;
            if follows & 0x08 == 0 {
                break;
            }
            need(at + 1)?;
            offered.push(bytes[at] & 0x0F);
            follows = bytes[at] >> 4;
            at += 1;
        }
        let check = offered.iter().any(|t| *t != 0);
        let expected = at + history + usize::from(check);
        if got != expected || got > MAX_ATR {
            return Err(AtrError::Length { expected, got });
        }
        if check {
            let sum = bytes[1..got - 1].iter().fold(0, |a, b| a ^ b);
            if sum != bytes[got - 1] {
                return Err(AtrError::Check { expected: sum, got: bytes[got - 1] });
            }
        }
        if offered.is_empty() {
            offered.push(0);
        }
        if let Some(t) = specific {
            offered = vec![t];
        }
        let mut protocols: Vec<Protocol> = Vec::new();
        for t in offered {
            let protocol = match t {
                0 => Protocol::T0,
                1 => Protocol::T1,
                _ => continue,
            };
            if !protocols.contains(&protocol) {
                protocols.push(protocol);
            }
        }
        let default = *protocols.first().ok_or(AtrError::NoProtocol)?;
        Ok(Self { bytes: bytes.to_vec(), protocols, default, historical: at..at + history })
    }

    /// The bytes as sent after a reset.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The protocols offered, the default one first.
    #[must_use]
    pub fn protocols(&self) -> &[Protocol] {
        &self.protocols
    }

    /// The protocol that is used when nothing is negotiated.
    #[must_use]
    pub const fn default_protocol(&self) -> Protocol {
        self.default
    }

    /// The historical bytes.
    #[must_use]
    pub fn historical(&self) -> &[u8] {
        &self.bytes[self.historical.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn yubikey_5_offers_t1_only() {
        let bytes = hex::decode("3BFD1300008131FE158073C021C057597562694B657940").unwrap();
        let atr = Atr::parse(&bytes).unwrap();
        assert_eq!(atr.protocols(), [Protocol::T1]);
        assert_eq!(&atr.historical()[6..], b"YubiKey");
        assert_eq!(atr.as_bytes(), bytes);
    }

    #[test]
    fn no_td1_means_t0_and_no_check_byte() {
        assert_eq!(Atr::parse(&[0x3B, 0x02, 1, 2]).unwrap().protocols(), [Protocol::T0]);
    }

    #[test]
    fn both_protocols_and_specific_mode() {
        // TD1 = 80 (T=0, TD2 follows), TD2 = 01 (T=1).
        assert_eq!(Atr::parse(&[0x3B, 0x80, 0x80, 0x01, 0x01]).unwrap().protocols(), [Protocol::T0, Protocol::T1]);
        // TD1 = 91: TA2 follows and fixes T=1.
        let mut bytes = vec![0x3B, 0x80, 0x91, 0x81, 0x31];
        bytes.extend([0xFE, 0x45]);
        let check = bytes[1..].iter().fold(0, |a, b| a ^ b);
        bytes.push(check);
        assert_eq!(Atr::parse(&bytes).unwrap().protocols(), [Protocol::T1]);
        for length in 0..bytes.len() {
            assert!(matches!(Atr::parse(&bytes[..length]), Err(AtrError::Length { .. })), "{length} of its bytes");
        }
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(Atr::parse(&[0x00, 0x00]), Err(AtrError::InitialCharacter(0)));
        assert_eq!(Atr::parse(&[0x3B]), Err(AtrError::Length { expected: 2, got: 1 }));
        assert!(matches!(Atr::parse(&[0x3B, 0x80, 0x01, 0x00]), Err(AtrError::Check { expected: 0x81, got: 0 })));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..50)) {
            if let Ok(atr) = Atr::parse(&bytes) {
                prop_assert_eq!(atr.as_bytes(), &bytes[..]);
            }
        }
    }
}
