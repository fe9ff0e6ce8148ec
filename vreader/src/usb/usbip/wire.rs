//! Messages of USB/IP 1.1.1 (Linux, `Documentation/usb/usbip_protocol.rst`), bytes only, both directions. All numbers are
//! big-endian but those of a SETUP packet.
//!
//! A connection begins with a request for the list of devices, after which it is over, or for one device; then it carries
//! that device's transfers.

use crate::usb::Identity;
use crate::usb::ccid::Setup;
use crate::usb::descriptor::{CLASS, RELEASE, Speed};
use crate::usb::session::{Fault, MOST_DATA};

/// 1.1.1.
const VERSION: u16 = 0x0111;
const LIST: u16 = 0x8005;
const IMPORT: u16 = 0x8003;
/// Version, code, status.
const OPERATION: usize = 8;
const BUS_ID: usize = 32;
/// A device as it is described.
pub const DEVICE: usize = 312;
/// The head of a transfer, and of its answer.
pub const HEAD: usize = 48;

/// Values of a transfer's status: numbers of Linux, negative.
pub mod status {
    /// Done.
    pub const DONE: i32 = 0;
    /// A STALL: EPIPE.
    pub const STALL: i32 = -32;
    /// No such endpoint: ENOENT.
    pub const NO_ENDPOINT: i32 = -2;
    /// Fewer bytes than the host takes for good: EREMOTEIO.
    pub const SHORT: i32 = -121;
    /// Taken back before it was done: ECONNRESET.
    pub const UNLINKED: i32 = -104;
}

/// The flag of a transfer that fewer bytes than asked for are an error: URB_SHORT_NOT_OK.
pub const SHORT_NOT_OK: u32 = 1;

/// What a connection begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Which devices there are.
    List,
    /// The device of this name.
    Import(String),
}

impl Request {
    /// The request in `bytes` and its length; `None` when it is not whole yet.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, Fault> {
        let Some((&[a, b, c, d, ..], rest)) = bytes.split_first_chunk::<OPERATION>() else { return Ok(None) };
        let (version, code) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        match (version, code) {
            (VERSION, LIST) => Ok(Some((Self::List, OPERATION))),
            (VERSION, IMPORT) => Ok(rest.get(..BUS_ID).map(|name| {
                let end = name.iter().position(|byte| *byte == 0).unwrap_or(BUS_ID);
                (Self::Import(String::from_utf8_lossy(&name[..end]).into_owned()), OPERATION + BUS_ID)
            })),
            _ => Err(Fault::Kind(u32::from(version) << 16 | u32::from(code))),
        }
    }

    /// The request as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::List => operation(LIST, 0),
            Self::Import(name) => {
                let mut bytes = operation(IMPORT, 0);
                bytes.extend(name.bytes().chain(std::iter::repeat(0)).take(BUS_ID));
                bytes
            }
        }
    }
}

fn operation(code: u16, status: u32) -> Vec<u8> {
    let mut bytes = VERSION.to_be_bytes().to_vec();
    bytes.extend(code.to_be_bytes());
    bytes.extend(status.to_be_bytes());
    bytes
}

/// The answer to a request for the list: devices by the number behind `1-`.
#[must_use]
pub fn listed<'a>(devices: impl ExactSizeIterator<Item = (usize, &'a Identity)>) -> Vec<u8> {
    let mut bytes = operation(LIST & 0x7FFF, 0);
    bytes.extend((devices.len() as u32).to_be_bytes());
    for (number, identity) in devices {
        device(number, identity, &mut bytes);
        bytes.extend([CLASS, 0, 0, 0]);
    }
    bytes
}

/// The answer to a request for a device; `None`: there is none, or somebody has it.
#[must_use]
pub fn imported(found: Option<(usize, &Identity)>) -> Vec<u8> {
    let mut bytes = operation(IMPORT & 0x7FFF, u32::from(found.is_none()));
    if let Some((number, identity)) = found {
        device(number, identity, &mut bytes);
    }
    bytes
}

/// The name of a device.
#[must_use]
pub fn bus_id(number: usize) -> String {
    format!("1-{number}")
}

fn device(number: usize, identity: &Identity, bytes: &mut Vec<u8>) {
    let text = |text: &str, length: usize| text.bytes().chain(std::iter::repeat(0)).take(length).collect::<Vec<_>>();
    let name = bus_id(number);
    bytes.extend(text(&format!("/cardlab/{name}"), 256));
    bytes.extend(text(&name, BUS_ID));
    let speed = match identity.speed {
        Speed::Full => 2,
        Speed::High => 3,
    };
    for field in [1, number as u32, speed] {
        bytes.extend(field.to_be_bytes());
    }
    for field in [identity.ids.vendor, identity.ids.product, RELEASE] {
        bytes.extend(field.to_be_bytes());
    }
    // Class, subclass, protocol; configuration in use, configurations, interfaces.
    bytes.extend([0, 0, 0, 1, 1, 1]);
}

/// A device as its description names it: its bus id, vendor and product. For clients.
#[must_use]
pub fn described(bytes: &[u8; DEVICE]) -> (String, u16, u16) {
    let name = bytes[256..256 + BUS_ID].iter().take_while(|byte| **byte != 0).copied().collect();
    let number = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    (String::from_utf8(name).unwrap_or_default(), number(300), number(302))
}

/// What a host sends once it has a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// A transfer.
    Submit {
        /// Its number.
        seq: u32,
        /// Its endpoint's number.
        endpoint: u8,
        /// Whether it is to the host.
        to_host: bool,
        /// See [`SHORT_NOT_OK`].
        flags: u32,
        /// Bytes that it has, or that are asked for.
        length: u32,
        /// Of a transfer of endpoint 0.
        setup: Setup,
        /// Of a transfer to the device.
        data: &'a [u8],
    },
    /// The transfer of this number is not wanted any more.
    Unlink {
        /// Its own number.
        seq: u32,
        /// The other's.
        of: u32,
    },
}

impl<'a> Command<'a> {
    /// The command in `bytes` and its length; `None` when it is not whole yet.
    ///
    /// # Errors
    /// [`Fault`]: what follows makes no sense.
    pub fn read(bytes: &'a [u8]) -> Result<Option<(Self, usize)>, Fault> {
        let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() else { return Ok(None) };
        let field = |n: usize| u32::from_be_bytes([head[4 * n], head[4 * n + 1], head[4 * n + 2], head[4 * n + 3]]);
        let seq = field(1);
        match field(0) {
            2 => Ok(Some((Self::Unlink { seq, of: field(5) }, HEAD))),
            1 => {
                let (to_host, endpoint, flags, length) = (field(3) != 0, field(4), field(5), field(6));
                let [.., a, b, c, d, e, f, g, h] = *head;
                // Isochronous transfers have descriptors of their packets behind them.
                let ordinary = matches!(field(8), 0 | u32::MAX) && endpoint < 16 && field(3) <= 1;
                if !ordinary {
                    return Err(Fault::Kind(1));
                }
                let has = if to_host { 0 } else { length as usize };
                if has > MOST_DATA {
                    return Err(Fault::TooLong(length.into()));
                }
                let Some(data) = rest.get(..has) else { return Ok(None) };
                let setup = Setup::read([a, b, c, d, e, f, g, h]);
                Ok(Some((Self::Submit { seq, endpoint: endpoint as u8, to_host, flags, length, setup, data }, HEAD + has)))
            }
            other => Err(Fault::Kind(other)),
        }
    }

    /// The command as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // The device's number: bus 1, device 1. Nobody looks at it.
        const DEVICE_ID: u32 = 0x0001_0001;
        match *self {
            Self::Submit { seq, endpoint, to_host, flags, length, setup, data } => {
                let fields = [1, seq, DEVICE_ID, u32::from(to_host), endpoint.into(), flags, length, 0, 0, 0];
                let mut bytes: Vec<u8> = fields.into_iter().flat_map(u32::to_be_bytes).collect();
                bytes.extend(setup.to_bytes());
                bytes.extend_from_slice(data);
                bytes
            }
            Self::Unlink { seq, of } => {
                let fields = [2, seq, DEVICE_ID, 0, 0, of];
                fields.into_iter().flat_map(u32::to_be_bytes).chain([0; 24]).collect()
            }
        }
    }
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A transfer.
    Submitted {
        /// Its number.
        seq: u32,
        /// See [`status`].
        status: i32,
        /// Bytes that were moved.
        length: u32,
        /// To the host.
        data: Vec<u8>,
    },
    /// A transfer that is not wanted any more.
    Unlinked {
        /// The number of the command.
        seq: u32,
        /// [`status::UNLINKED`] when it is not answered otherwise any more.
        status: i32,
    },
}

impl Answer {
    /// The answer as bytes, behind what `out` has.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (kind, seq, status, length) = match self {
            Self::Submitted { seq, status, length, .. } => (3, *seq, *status, *length),
            Self::Unlinked { seq, status } => (4, *seq, *status, 0),
        };
        // Sequence, then nothing of device, direction and endpoint.
        for field in [kind, seq, 0, 0, 0] {
            out.extend(u32::to_be_bytes(field));
        }
        out.extend(status.to_be_bytes());
        out.extend(length.to_be_bytes());
        // No start frame; no packets, as a transfer that is not isochronous has them; no errors; padding.
        let packets = if kind == 3 { u32::MAX } else { 0 };
        for field in [0, packets, 0, 0, 0] {
            out.extend(u32::to_be_bytes(field));
        }
        if let Self::Submitted { data, .. } = self {
            out.extend_from_slice(data);
        }
    }

    /// The answer in `bytes` and its length, where `to_host` says whether a transfer was to the host; `None` when it is not
    /// whole yet, or none.
    #[must_use]
    pub fn read(bytes: &[u8], to_host: impl Fn(u32) -> bool) -> Option<(Self, usize)> {
        let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
        let field = |n: usize| u32::from_be_bytes([head[4 * n], head[4 * n + 1], head[4 * n + 2], head[4 * n + 3]]);
        let (seq, status, length) = (field(1), field(5) as i32, field(6));
        match field(0) {
            3 => {
                let data = rest.get(..if to_host(seq) { length as usize } else { 0 })?.to_vec();
                let used = HEAD + data.len();
                Some((Self::Submitted { seq, status, length, data }, used))
            }
            4 => Some((Self::Unlinked { seq, status }, HEAD)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;
    use proptest::prelude::*;

    /// As Linux 6.1 sent them.
    #[test]
    fn messages_of_a_real_host() {
        assert_eq!(Request::read(&hex!("0111 8005 00000000")), Ok(Some((Request::List, 8))));
        let import = [&hex!("0111 8003 00000000")[..], b"1-2", &[0; 29]].concat();
        assert_eq!(Request::read(&import), Ok(Some((Request::Import("1-2".into()), 40))));
        let submit =
            hex!("00000001 00000001 00010002 00000001 00000000 00000200 00000040 00000000 00000000 00000000 8006000100004000");
        let setup = Setup { request_type: 0x80, request: 6, value: 0x0100, index: 0, length: 64 };
        let wanted = Command::Submit { seq: 1, endpoint: 0, to_host: true, flags: 0x200, length: 64, setup, data: &[] };
        assert_eq!(Command::read(&submit), Ok(Some((wanted, 48))));
        let unlink = [&hex!("00000002 00000021 00010002 00000000 00000000 0000001E")[..], &[0; 24]].concat();
        assert_eq!(Command::read(&unlink), Ok(Some((Command::Unlink { seq: 0x21, of: 0x1E }, 48))));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert_eq!(Request::read(&hex!("0110 8005 00000000")), Err(Fault::Kind(0x0110_8005)));
        assert_eq!(Request::read(b"GET / HTTP"), Err(Fault::Kind(0x4745_5420)));
        let head = |kind: u32, direction: u32, endpoint: u32, length: u32, packets: u32| {
            let fields = [kind, 1, 1, direction, endpoint, 0, length, 0, packets, 0, 0, 0];
            fields.into_iter().flat_map(u32::to_be_bytes).collect::<Vec<u8>>()
        };
        assert_eq!(Command::read(&head(1, 0, 1, u32::MAX, 0)), Err(Fault::TooLong(u32::MAX.into())));
        for wrong in [head(5, 0, 0, 0, 0), head(1, 0, 16, 0, 0), head(1, 0, 1, 0, 3), head(1, 2, 1, 0, 0)] {
            assert!(matches!(Command::read(&wrong), Err(Fault::Kind(_))));
        }
        assert!(matches!(Command::read(&head(1, 1, 2, u32::MAX, 0)), Ok(Some(_))), "a host may ask for anything");
    }

    proptest! {
        #[test]
        fn commands_are_read_as_they_are_written(seq: u32, endpoint in 0_u8..16, to_host: bool, flags: u32, setup: [u8; 8], data in proptest::collection::vec(any::<u8>(), 0..40)) {
            let (data, length) = if to_host { (&[][..], 77) } else { (&data[..], data.len() as u32) };
            let setup = Setup::read(setup);
            for command in [Command::Submit { seq, endpoint, to_host, flags, length, setup, data }, Command::Unlink { seq, of: flags }] {
                let bytes = command.to_bytes();
                prop_assert_eq!(Command::read(&bytes), Ok(Some((command, bytes.len()))));
                for cut in 0..bytes.len() {
                    prop_assert_eq!(Command::read(&bytes[..cut]), Ok(None));
                }
            }
        }

        #[test]
        fn answers_are_read_as_they_are_written(seq: u32, status: i32, data in proptest::collection::vec(any::<u8>(), 0..40), to_host: bool) {
            let length = data.len() as u32;
            let data = if to_host { data } else { Vec::new() };
            for answer in [Answer::Submitted { seq, status, length, data: data.clone() }, Answer::Unlinked { seq, status }] {
                let mut bytes = Vec::new();
                answer.write(&mut bytes);
                prop_assert_eq!(Answer::read(&bytes, |_| to_host), Some((answer, bytes.len())));
            }
        }

        #[test]
        fn any_bytes_are_something_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80), kind in 0_u8..5) {
            let _ = Request::read(&bytes);
            let mut bytes = bytes;
            if let Some(head) = bytes.get_mut(..4) {
                head.copy_from_slice(&[0, 0, 0, kind]);
            }
            let _ = Command::read(&bytes);
            let _ = Answer::read(&bytes, |_| true);
        }
    }
}
