//! Places on a card that a command may change for good, PIN, PUK and their tries aside: what a section says that it
//! writes, what is read off commands, and what a report tells of afterwards.

use cardlab_protocol::tlv::{self, find};
use std::fmt;

/// A thing on a card that is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A key, by its reference.
    Key(u8),
    /// A data object of a PIV card, by its tag.
    Object(u32),
    /// A file of a GIDS card.
    File(u16),
    /// A data object in a file of a GIDS card: the file, and the tag.
    InFile(u16, u32),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(reference) => write!(f, "the key in {reference:02X}"),
            Self::Object(tag) => write!(f, "object {tag:X}"),
            Self::File(file) => write!(f, "file {file:04X}"),
            Self::InFile(file, tag) => write!(f, "object {tag:X} of file {file:04X}"),
        }
    }
}

impl Place {
    /// What a whole command writes, as header and data, if the card carries it out.
    ///
    /// | command | PIV | GIDS |
    /// |---|---|---|
    /// | 47 GENERATE | key P2 | key `AC {83}` |
    /// | FE IMPORT, F6 MOVE KEY, FF SET MANAGEMENT KEY | key P2; P1 and P2; 9B | - |
    /// | DB PUT DATA | object `5C`, or 7E and 7F61 themselves | object in file P1 P2; key `70 {84}` in 3FFF |
    /// | E0 CREATE FILE | - | file `62 {83}` |
    #[must_use]
    pub fn written([_, ins, p1, p2]: [u8; 4], data: &[u8], gids: bool) -> Vec<Self> {
        let byte = |value: Option<&[u8]>| value.and_then(|value| value.first().copied());
        let file = u16::from_be_bytes([p1, p2]);
        let place = match (ins, gids) {
            (0x47, false) | (0xFE, false) => Some(Self::Key(p2)),
            (0x47, true) => byte(tlv::find_path(data, &[0xAC, 0x83])).map(Self::Key),
            // To FF a key is moved for being deleted.
            (0xF6, false) if p1 == 0xFF => Some(Self::Key(p2)),
            (0xF6, false) => return vec![Self::Key(p1), Self::Key(p2)],
            (0xFF, false) => Some(Self::Key(0x9B)),
            (0xDB, false) => Self::object(data),
            (0xDB, true) if file == 0x3FFF => byte(tlv::find_path(data, &[0x70, 0x84])).map(Self::Key),
            (0xDB, true) => {
                let whole = tlv::objects(data).map(|object| object.tag);
                return first_tag(data).into_iter().chain(whole.skip(1)).map(|tag| Self::InFile(file, tag)).collect();
            }
            (0xE0, true) => find(data, 0x62)
                .and_then(|parameters| find(parameters, 0x83)?.try_into().ok())
                .map(|id| Self::File(u16::from_be_bytes(id))),
            _ => None,
        };
        place.into_iter().collect()
    }

    /// Whether a card of this kind has such a place.
    #[must_use]
    pub const fn suits(&self, gids: bool) -> bool {
        match self {
            Self::Key(_) => true,
            Self::Object(_) => !gids,
            Self::File(_) | Self::InFile(..) => gids,
        }
    }

    /// Without the word for what it is, for lists of one kind.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Self::Key(reference) => format!("{reference:02X}"),
            Self::Object(tag) => format!("{tag:X}"),
            Self::File(file) => format!("{file:04X}"),
            Self::InFile(file, tag) => format!("{tag:X} of {file:04X}"),
        }
    }

    /// What PUT DATA is about to write as far as its blocks have come, whatever becomes of it.
    #[must_use]
    pub fn begun(header: [u8; 4], data: &[u8], gids: bool) -> Vec<Self> {
        if header[1] == 0xDB { Self::written(header, data, gids) } else { Vec::new() }
    }

    /// The object of a PIV card that PUT DATA names.
    fn object(data: &[u8]) -> Option<Self> {
        match data {
            [0x5C, length, rest @ ..] => {
                let tag = rest.get(..usize::from(*length)).filter(|tag| (1..=4).contains(&tag.len()))?;
                Some(Self::Object(tag.iter().fold(0, |tag, byte| tag << 8 | u32::from(*byte))))
            }
            [0x7E, ..] => Some(Self::Object(0x7E)),
            [0x7F, 0x61, ..] => Some(Self::Object(0x7F61)),
            _ => None,
        }
    }
}

/// The tag that an object begins with, also where the rest of it comes in later blocks (ISO/IEC 8825-1 section 8.1.2).
fn first_tag(data: &[u8]) -> Option<u32> {
    let (&first, rest) = data.split_first()?;
    if first & 0x1F != 0x1F {
        return Some(first.into());
    }
    let more = rest.iter().take(2).position(|byte| byte & 0x80 == 0)?;
    Some(rest[..=more].iter().fold(first.into(), |tag, byte| tag << 8 | u32::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;
    use proptest::prelude::*;

    #[test]
    fn commands_say_what_they_write() {
        let piv = |header: [u8; 4], data: &[u8]| Place::written(header, data, false);
        assert_eq!(piv(hex!("0047009A"), &hex!("AC03800111")), [Place::Key(0x9A)]);
        assert_eq!(piv(hex!("00FE119C"), &[]), [Place::Key(0x9C)]);
        assert_eq!(piv(hex!("00F6829A"), &[]), [Place::Key(0x82), Place::Key(0x9A)]);
        assert_eq!(piv(hex!("00F6FF9A"), &[]), [Place::Key(0x9A)]);
        assert_eq!(piv(hex!("00DB3FFF"), &hex!("5C035FC1055300")), [Place::Object(0x5FC105)]);
        assert_eq!(piv(hex!("00DB3FFF"), &hex!("7E00")), [Place::Object(0x7E)]);
        assert_eq!(piv(hex!("00DB3FFF"), &hex!("7F6103020100")), [Place::Object(0x7F61)]);
        assert_eq!(piv(hex!("00200080"), &hex!("5C035FC105")), []);
        let gids = |header: [u8; 4], data: &[u8]| Place::written(header, data, true);
        assert_eq!(gids(hex!("00DBA010"), &hex!("DF300100")), [Place::InFile(0xA010, 0xDF30)]);
        assert_eq!(gids(hex!("00DB3FFF"), &hex!("70038401 81")), [Place::Key(0x81)]);
        assert_eq!(gids(hex!("00E00000"), &hex!("620C8201398302A0208C03033030")), [Place::File(0xA020)]);
        assert_eq!(gids(hex!("00470000"), &hex!("AC06800107830181")), [Place::Key(0x81)]);
        // A chain's first block has the tag, and not the whole value.
        assert_eq!(Place::begun(hex!("10DBA010"), &hex!("DF308203E800"), true), [Place::InFile(0xA010, 0xDF30)]);
        assert_eq!(Place::begun(hex!("1047009A"), &hex!("AC03"), false), []);
        // A card may take both.
        let both = [Place::InFile(0xA010, 0xDF30), Place::InFile(0xA010, 0xDF31)];
        assert_eq!(Place::begun(hex!("00DBA010"), &hex!("DF3001AADF3101BB"), true), both);
    }

    proptest! {
        #[test]
        fn any_command_is_read(header: [u8; 4], data in proptest::collection::vec(any::<u8>(), 0..40), gids: bool) {
            let _ = (Place::written(header, &data, gids), Place::begun(header, &data, gids));
        }
    }
}
