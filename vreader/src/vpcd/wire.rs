//! Messages of the vpcd protocol.
//!
//! ```text
//! 00 01 | 04                      length, control: give the ATR
//! 00 05 | 00 A4 04 00 00          length, command APDU
//! 00 02 | 90 00                   length, response APDU
//! ```

/// Longest message: what two bytes can count.
pub const LONGEST: usize = 0xFFFF;

/// One byte from the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// The power goes.
    PowerOff = 0,
    /// Power and cold reset.
    PowerOn = 1,
    /// Warm reset.
    Reset = 2,
    /// The ATR, please: also how drivers look whether the card is still there.
    GiveAtr = 4,
}

/// What the reader's side says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// A control byte.
    Control(Control),
    /// A control byte that there is not, or nothing: the protocol has no error to answer.
    Unknown,
    /// A command APDU.
    Command(&'a [u8]),
}

impl<'a> Asked<'a> {
    /// Of a message's bytes.
    #[must_use]
    pub const fn of(message: &'a [u8]) -> Self {
        match message {
            [0] => Self::Control(Control::PowerOff),
            [1] => Self::Control(Control::PowerOn),
            [2] => Self::Control(Control::Reset),
            [4] => Self::Control(Control::GiveAtr),
            [] | [_] => Self::Unknown,
            command => Self::Command(command),
        }
    }
}

/// Appends a message with its length; `false`, and nothing, when it is longer than [`LONGEST`].
#[must_use]
pub fn write(message: &[u8], out: &mut Vec<u8>) -> bool {
    let Ok(length) = u16::try_from(message.len()) else { return false };
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(message);
    true
}

/// The first message of `bytes` and how many bytes it takes with its length; `None` while some of it is missing.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    Some((rest.get(..length)?, 2 + length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What vsmartcard's driver sends at an insertion and for SELECT, and what its card answered.
    #[test]
    fn samples() {
        let atr = &b"\x00\x0B\x3B\x80\x80\x01\x01\x00\x00\x00\x00\x00\x00"[..];
        assert_eq!(read(atr), Some((&atr[2..], 13)));
        for (bytes, asked) in [
            (&b"\x00\x01\x04"[..], Asked::Control(Control::GiveAtr)),
            (b"\x00\x01\x01", Asked::Control(Control::PowerOn)),
            (b"\x00\x01\x00", Asked::Control(Control::PowerOff)),
            (b"\x00\x01\x03", Asked::Unknown),
            (b"\x00\x00", Asked::Unknown),
            (b"\x00\x05\x00\xA4\x04\x00\x00", Asked::Command(b"\x00\xA4\x04\x00\x00")),
        ] {
            let (message, used) = read(bytes).unwrap();
            assert_eq!((Asked::of(message), used), (asked, bytes.len()));
        }
        assert!(!write(&[0; LONGEST + 1], &mut Vec::new()));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(message in proptest::collection::vec(any::<u8>(), 0..700), after in any::<u8>()) {
            let mut bytes = Vec::new();
            prop_assert!(write(&message, &mut bytes));
            for cut in 0..bytes.len() {
                prop_assert_eq!(read(&bytes[..cut]), None);
            }
            bytes.push(after);
            prop_assert_eq!(read(&bytes), Some((&message[..], bytes.len() - 1)));
        }
    }
}
