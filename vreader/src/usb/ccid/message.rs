//! Messages of the bulk endpoints (CCID 1.1 sections 6.1 and 6.2), bytes only.
//!
//! ```text
//! to the reader:   type  length (4, little-endian)  slot  seq  parameters (3)             data
//! from the reader: type  length (4, little-endian)  slot  seq  status  error  parameter   data
//! ```

use zeroize::Zeroizing;

/// Bytes before the data.
pub const HEAD: usize = 10;
/// Longest data: a command APDU with extended lengths, 65,535 bytes of data and its Le.
pub const MAX_DATA: usize = 65_544;

/// Types of messages to the reader.
#[allow(missing_docs)] // the standard's names
pub mod to_reader {
    pub const SET_PARAMETERS: u8 = 0x61;
    pub const ICC_POWER_ON: u8 = 0x62;
    pub const ICC_POWER_OFF: u8 = 0x63;
    pub const GET_SLOT_STATUS: u8 = 0x65;
    pub const SECURE: u8 = 0x69;
    pub const T0_APDU: u8 = 0x6A;
    pub const ESCAPE: u8 = 0x6B;
    pub const GET_PARAMETERS: u8 = 0x6C;
    pub const RESET_PARAMETERS: u8 = 0x6D;
    pub const ICC_CLOCK: u8 = 0x6E;
    pub const XFR_BLOCK: u8 = 0x6F;
    pub const MECHANICAL: u8 = 0x71;
    pub const ABORT: u8 = 0x72;
    pub const SET_DATA_RATE_AND_CLOCK_FREQUENCY: u8 = 0x73;
}

/// Types of messages from the reader.
#[allow(missing_docs)] // the standard's names
pub mod from_reader {
    pub const DATA_BLOCK: u8 = 0x80;
    pub const SLOT_STATUS: u8 = 0x81;
    pub const PARAMETERS: u8 = 0x82;
    pub const ESCAPE: u8 = 0x83;
    pub const DATA_RATE_AND_CLOCK_FREQUENCY: u8 = 0x84;
}

/// Values of `bError` (CCID 1.1 table 6.2-2). A smaller one is the offset of the field that is wrong.
pub mod error {
    /// The command is not supported.
    pub const NOT_SUPPORTED: u8 = 0;
    /// The length is wrong.
    pub const BAD_LENGTH: u8 = 1;
    /// There is no such slot.
    pub const BAD_SLOT: u8 = 5;
    /// The protocol is none of the card's.
    pub const BAD_PROTOCOL: u8 = 7;
    /// The level parameter does not fit.
    pub const BAD_LEVEL: u8 = 8;
    /// The PIN block makes no sense.
    pub const BAD_PIN_BLOCK: u8 = 10;
    /// A command is at work in the slot.
    pub const SLOT_BUSY: u8 = 0xE0;
    /// The person pressed Cancel.
    pub const PIN_CANCELLED: u8 = 0xEF;
    /// Nobody typed.
    pub const PIN_TIMEOUT: u8 = 0xF0;
    /// The card does not answer.
    pub const ICC_MUTE: u8 = 0xFE;
    /// The host aborted it.
    pub const ABORTED: u8 = 0xFF;
}

/// What the upper bits of `bStatus` say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Failed, with a value of [`error`].
    Failed(u8),
    /// The card needs more time; the answer is still to come.
    MoreTime,
}

/// A message to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// One of [`to_reader`], or anything.
    pub kind: u8,
    /// The slot, from 0.
    pub slot: u8,
    /// Its number, which the answer repeats.
    pub seq: u8,
    /// What they are depends on the type.
    pub parameters: [u8; 3],
    /// The rest.
    pub data: &'a [u8],
}

/// What the beginning of some bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// The beginning of a message.
    Incomplete,
    /// A message, and how many bytes it has.
    Complete(Message<'a>, usize),
    /// A message that no reader takes; what follows makes no sense.
    TooLong,
}

/// The first message in `bytes`.
#[must_use]
pub fn parse(bytes: &[u8]) -> Parsed<'_> {
    let Some((&[kind, a, b, c, d, slot, seq, x, y, z], rest)) = bytes.split_first_chunk::<HEAD>() else {
        return Parsed::Incomplete;
    };
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length > MAX_DATA {
        return Parsed::TooLong;
    }
    match rest.get(..length) {
        None => Parsed::Incomplete,
        Some(data) => Parsed::Complete(Message { kind, slot, seq, parameters: [x, y, z], data }, HEAD + length),
    }
}

impl Message<'_> {
    /// The message as bytes, as a host writes it.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let [x, y, z] = self.parameters;
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEAD + self.data.len()));
        bytes.push(self.kind);
        bytes.extend((self.data.len() as u32).to_le_bytes());
        bytes.extend([self.slot, self.seq, x, y, z]);
        bytes.extend_from_slice(self.data);
        bytes
    }
}

/// Where the card is, the lower bits of `bStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IccStatus {
    /// It has power.
    Active,
    /// It is in the slot, without power.
    Inactive,
    /// There is none.
    Absent,
}

/// A message from the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// One of [`from_reader`].
    pub kind: u8,
    /// As in the command.
    pub slot: u8,
    /// As in the command.
    pub seq: u8,
    /// Where the card is.
    pub icc: IccStatus,
    /// How it went.
    pub outcome: Outcome,
    /// Clock status, chain parameter or protocol, by type.
    pub parameter: u8,
    /// The rest.
    pub data: Vec<u8>,
}

impl Reply {
    /// The message as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let icc = match self.icc {
            IccStatus::Active => 0,
            IccStatus::Inactive => 1,
            IccStatus::Absent => 2,
        };
        let (status, error) = match self.outcome {
            Outcome::Done => (0, 0),
            Outcome::Failed(error) => (0x40, error),
            // The multiplier of the waiting time: once more what it was.
            Outcome::MoreTime => (0x80, 1),
        };
        let mut bytes = Vec::with_capacity(HEAD + self.data.len());
        bytes.push(self.kind);
        bytes.extend((self.data.len() as u32).to_le_bytes());
        bytes.extend([self.slot, self.seq, status | icc, error, self.parameter]);
        bytes.extend_from_slice(&self.data);
        bytes
    }

    /// The message that these bytes are, as a host reads it; `None` when they are none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (&[kind, a, b, c, d, slot, seq, status, error, parameter], data) = bytes.split_first_chunk::<HEAD>()?;
        let icc = match status & 3 {
            0 => IccStatus::Active,
            1 => IccStatus::Inactive,
            2 => IccStatus::Absent,
            _ => return None,
        };
        let outcome = match (status & !3, error) {
            (0, 0) => Outcome::Done,
            (0x40, error) => Outcome::Failed(error),
            (0x80, 1) => Outcome::MoreTime,
            _ => return None,
        };
        (u32::from_le_bytes([a, b, c, d]) as usize == data.len()).then(|| Self {
            kind,
            slot,
            seq,
            icc,
            outcome,
            parameter,
            data: data.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;
    use proptest::prelude::*;

    /// As libccid 1.5.2 sent them.
    #[test]
    fn messages_of_a_real_host() {
        let power_on = hex!("62 00000000 00 03 01 0000");
        let message = Message { kind: to_reader::ICC_POWER_ON, slot: 0, seq: 3, parameters: [1, 0, 0], data: &[] };
        assert_eq!(parse(&power_on), Parsed::Complete(message, 10));
        assert_eq!(*message.to_bytes(), power_on);
        let select = hex!("6F 0A000000 01 09 00 0000 00A40400 05 A000000308");
        let Parsed::Complete(message, 20) = parse(&select) else { panic!() };
        assert_eq!((message.kind, message.slot, message.data[1]), (to_reader::XFR_BLOCK, 1, 0xA4));
        assert_eq!(parse(&hex!("6F FFFFFFFF 00 00 00 0000")), Parsed::TooLong);
    }

    proptest! {
        #[test]
        fn a_message_is_read_as_it_is_written(kind: u8, slot: u8, seq: u8, parameters: [u8; 3], data in proptest::collection::vec(any::<u8>(), 0..300)) {
            let message = Message { kind, slot, seq, parameters, data: &data };
            let bytes = message.to_bytes();
            prop_assert_eq!(parse(&bytes), Parsed::Complete(message, bytes.len()));
            for cut in 0..bytes.len() {
                prop_assert_eq!(parse(&bytes[..cut]), Parsed::Incomplete);
            }
        }

        #[test]
        fn a_reply_is_read_as_it_is_written(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(reply) = Reply::read(&bytes) {
                prop_assert_eq!(reply.to_bytes(), bytes);
            }
        }
    }
}
