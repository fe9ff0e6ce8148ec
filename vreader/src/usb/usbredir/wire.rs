//! Packets of usbredir (`usbredirproto.h`, version 0.7), bytes only, both directions. All numbers are little-endian.
//!
//! ```text
//! type (4)  length of what follows the head (4)  id (4, or 8 when both sides can)   body
//! ```

use crate::usb::ccid::Setup;
use crate::usb::session::{Fault, MOST_DATA};

/// Capabilities, by bit, that change what is sent.
#[allow(missing_docs)] // the protocol's names
pub mod capability {
    pub const CONNECT_DEVICE_VERSION: u32 = 1 << 1;
    pub const DEVICE_DISCONNECT_ACK: u32 = 1 << 3;
    pub const EP_INFO_MAX_PACKET_SIZE: u32 = 1 << 4;
    pub const IDS_64BITS: u32 = 1 << 5;
    pub const BULK_LENGTH_32BITS: u32 = 1 << 6;
}
use capability::{BULK_LENGTH_32BITS, CONNECT_DEVICE_VERSION, EP_INFO_MAX_PACKET_SIZE, IDS_64BITS};

/// How a transfer went.
#[allow(missing_docs)] // the protocol's names
pub mod status {
    pub const SUCCESS: u8 = 0;
    pub const CANCELLED: u8 = 1;
    pub const INVALID: u8 = 2;
    pub const STALL: u8 = 4;
}

/// Endpoints have 32 places: 0 to 15 for OUT, 16 to 31 for IN.
pub const ENDPOINTS: usize = 32;
/// Interfaces have 32 places.
const INTERFACES: usize = 32;
const VERSION: usize = 64;

/// What both sides said they can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Both(pub u32);

impl Both {
    /// Whether both can this.
    #[must_use]
    pub const fn can(self, capability: u32) -> bool {
        self.0 & capability != 0
    }
}

/// A packet with its id, which an answer repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed<'a> {
    /// The id.
    pub id: u64,
    /// What it is.
    pub packet: Packet<'a>,
}

/// What a packet is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the protocol's names
pub enum Packet<'a> {
    Hello {
        capabilities: u32,
    },
    DeviceConnect {
        speed: u8,
        class: [u8; 3],
        vendor: u16,
        product: u16,
        release: u16,
    },
    DeviceDisconnect,
    Reset,
    /// Number, class, subclass and protocol of each interface.
    InterfaceInfo(Vec<[u8; 4]>),
    EpInfo(Box<[Endpoint; ENDPOINTS]>),
    SetConfiguration(u8),
    GetConfiguration,
    ConfigurationStatus {
        status: u8,
        configuration: u8,
    },
    SetAltSetting {
        interface: u8,
        alternate: u8,
    },
    GetAltSetting(u8),
    AltSettingStatus {
        status: u8,
        interface: u8,
        alternate: u8,
    },
    StartInterruptReceiving(u8),
    StopInterruptReceiving(u8),
    InterruptReceivingStatus {
        status: u8,
        endpoint: u8,
    },
    CancelDataPacket,
    DeviceDisconnectAck,
    Control {
        endpoint: u8,
        status: u8,
        setup: Setup,
        data: &'a [u8],
    },
    /// `length` is what an IN transfer asks for; of all others it is the data's.
    Bulk {
        endpoint: u8,
        status: u8,
        length: u32,
        data: &'a [u8],
    },
    Interrupt {
        endpoint: u8,
        status: u8,
        data: &'a [u8],
    },
    /// Of a type that is not used here.
    Other(u32),
}

/// What an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// 0 control, 2 bulk, 3 interrupt, FF none.
    pub kind: u8,
    /// bInterval.
    pub interval: u8,
    /// wMaxPacketSize.
    pub packet_size: u16,
}

impl Endpoint {
    /// There is none.
    pub const NONE: Self = Self { kind: 0xFF, interval: 0, packet_size: 0 };
}

/// The place of an endpoint's address among [`ENDPOINTS`].
#[must_use]
pub const fn place(address: u8) -> usize {
    ((address & 0x0F) | (address & 0x80) >> 3) as usize
}

/// The first packet of `bytes` and its length; `None` when it is not whole yet. Before both have said HELLO, `both` is the
/// default.
///
/// # Errors
/// [`Fault`]: what follows makes no sense.
pub fn read(bytes: &[u8], both: Both) -> Result<Option<(Framed<'_>, usize)>, Fault> {
    let mut fields = Fields(bytes);
    let (Some(kind), Some(length)) = (fields.u32(), fields.u32()) else { return Ok(None) };
    if length as usize > MOST_DATA + 16 {
        return Err(Fault::TooLong(length.into()));
    }
    // HELLO has the short head always.
    let id = if both.can(IDS_64BITS) && kind != 0 { fields.u64() } else { fields.u32().map(u64::from) };
    let Some((id, body)) = id.and_then(|id| Some((id, fields.0.get(..length as usize)?))) else { return Ok(None) };
    let used = bytes.len() - fields.0.len() + body.len();
    let packet = body_of(kind, body, both).ok_or(Fault::Length { kind, length: body.len() })?;
    Ok(Some((Framed { id, packet }, used)))
}

fn body_of(kind: u32, body: &[u8], both: Both) -> Option<Packet<'_>> {
    let mut fields = Fields(body);
    let f = &mut fields;
    let packet = match kind {
        0 => {
            f.take(VERSION)?;
            let capabilities = if f.0.is_empty() { 0 } else { f.u32()? };
            // More words of capabilities may follow; none is known.
            f.0 = &[];
            Packet::Hello { capabilities }
        }
        1 => {
            let (speed, class) = (f.u8()?, [f.u8()?, f.u8()?, f.u8()?]);
            let (vendor, product) = (f.u16()?, f.u16()?);
            let release = if both.can(CONNECT_DEVICE_VERSION) { f.u16()? } else { 0 };
            Packet::DeviceConnect { speed, class, vendor, product, release }
        }
        2 => Packet::DeviceDisconnect,
        3 => Packet::Reset,
        4 => {
            let count = f.u32()? as usize;
            let columns: Vec<&[u8]> = (0..4).map(|_| f.take(INTERFACES)).collect::<Option<_>>()?;
            let row = |n: usize| [0, 1, 2, 3].map(|column: usize| columns[column][n]);
            Packet::InterfaceInfo((count <= INTERFACES).then(|| (0..count).map(row).collect())?)
        }
        5 => {
            let (kinds, intervals) = (f.take(ENDPOINTS)?, f.take(ENDPOINTS)?);
            f.take(ENDPOINTS)?;
            let mut endpoints = Box::new([Endpoint::NONE; ENDPOINTS]);
            for (n, endpoint) in endpoints.iter_mut().enumerate() {
                (endpoint.kind, endpoint.interval) = (kinds[n], intervals[n]);
                endpoint.packet_size = if both.can(EP_INFO_MAX_PACKET_SIZE) { f.u16()? } else { 0 };
            }
            Packet::EpInfo(endpoints)
        }
        6 => Packet::SetConfiguration(f.u8()?),
        7 => Packet::GetConfiguration,
        8 => Packet::ConfigurationStatus { status: f.u8()?, configuration: f.u8()? },
        9 => Packet::SetAltSetting { interface: f.u8()?, alternate: f.u8()? },
        10 => Packet::GetAltSetting(f.u8()?),
        11 => Packet::AltSettingStatus { status: f.u8()?, interface: f.u8()?, alternate: f.u8()? },
        15 => Packet::StartInterruptReceiving(f.u8()?),
        16 => Packet::StopInterruptReceiving(f.u8()?),
        17 => Packet::InterruptReceivingStatus { status: f.u8()?, endpoint: f.u8()? },
        21 => Packet::CancelDataPacket,
        24 => Packet::DeviceDisconnectAck,
        100 => {
            let (endpoint, request, request_type, status) = (f.u8()?, f.u8()?, f.u8()?, f.u8()?);
            let setup = Setup { request_type, request, value: f.u16()?, index: f.u16()?, length: f.u16()? };
            Packet::Control { endpoint, status, setup, data: f.rest() }
        }
        101 => {
            let (endpoint, status, low) = (f.u8()?, f.u8()?, f.u16()?);
            f.u32()?; // the stream
            let high = if both.can(BULK_LENGTH_32BITS) { f.u16()? } else { 0 };
            Packet::Bulk { endpoint, status, length: u32::from(high) << 16 | u32::from(low), data: f.rest() }
        }
        103 => {
            let (endpoint, status, length) = (f.u8()?, f.u8()?, f.u16()?);
            let data = f.rest();
            // An OUT transfer's answer says a length and has no data.
            (data.is_empty() || usize::from(length) == data.len()).then_some(Packet::Interrupt { endpoint, status, data })?
        }
        other => {
            f.0 = &[];
            Packet::Other(other)
        }
    };
    f.0.is_empty().then_some(packet)
}

impl Framed<'_> {
    /// The packet as bytes, behind what `out` has.
    pub fn write(&self, both: Both, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend(self.packet.kind().to_le_bytes());
        out.extend([0; 4]);
        if both.can(IDS_64BITS) && !matches!(self.packet, Packet::Hello { .. }) {
            out.extend(self.id.to_le_bytes());
        } else {
            out.extend((self.id as u32).to_le_bytes());
        }
        let body = out.len();
        self.packet.write_body(both, out);
        let length = (out.len() - body) as u32;
        out[start + 4..start + 8].copy_from_slice(&length.to_le_bytes());
    }
}

impl Packet<'_> {
    /// Its type's number.
    #[must_use]
    pub const fn kind(&self) -> u32 {
        match self {
            Self::Hello { .. } => 0,
            Self::DeviceConnect { .. } => 1,
            Self::DeviceDisconnect => 2,
            Self::Reset => 3,
            Self::InterfaceInfo(_) => 4,
            Self::EpInfo(_) => 5,
            Self::SetConfiguration(_) => 6,
            Self::GetConfiguration => 7,
            Self::ConfigurationStatus { .. } => 8,
            Self::SetAltSetting { .. } => 9,
            Self::GetAltSetting(_) => 10,
            Self::AltSettingStatus { .. } => 11,
            Self::StartInterruptReceiving(_) => 15,
            Self::StopInterruptReceiving(_) => 16,
            Self::InterruptReceivingStatus { .. } => 17,
            Self::CancelDataPacket => 21,
            Self::DeviceDisconnectAck => 24,
            Self::Control { .. } => 100,
            Self::Bulk { .. } => 101,
            Self::Interrupt { .. } => 103,
            Self::Other(kind) => *kind,
        }
    }

    fn write_body(&self, both: Both, out: &mut Vec<u8>) {
        match self {
            Self::Hello { capabilities } => {
                let version = concat!("cardlab ", env!("CARGO_PKG_VERSION"));
                out.extend(version.bytes().chain(std::iter::repeat(0)).take(VERSION));
                out.extend(capabilities.to_le_bytes());
            }
            Self::DeviceConnect { speed, class, vendor, product, release } => {
                out.push(*speed);
                out.extend(class);
                out.extend(vendor.to_le_bytes());
                out.extend(product.to_le_bytes());
                if both.can(CONNECT_DEVICE_VERSION) {
                    out.extend(release.to_le_bytes());
                }
            }
            Self::DeviceDisconnect | Self::Reset | Self::GetConfiguration | Self::CancelDataPacket => {}
            Self::DeviceDisconnectAck | Self::Other(_) => {}
            Self::InterfaceInfo(rows) => {
                out.extend((rows.len() as u32).to_le_bytes());
                for column in 0..4 {
                    out.extend((0..INTERFACES).map(|n| rows.get(n).map_or(0, |row| row[column])));
                }
            }
            Self::EpInfo(endpoints) => {
                out.extend(endpoints.iter().map(|endpoint| endpoint.kind));
                out.extend(endpoints.iter().map(|endpoint| endpoint.interval));
                // All of interface 0.
                out.extend([0; ENDPOINTS]);
                if both.can(EP_INFO_MAX_PACKET_SIZE) {
                    out.extend(endpoints.iter().flat_map(|endpoint| endpoint.packet_size.to_le_bytes()));
                }
            }
            Self::SetConfiguration(one)
            | Self::GetAltSetting(one)
            | Self::StartInterruptReceiving(one)
            | Self::StopInterruptReceiving(one) => out.push(*one),
            Self::ConfigurationStatus { status: one, configuration: two }
            | Self::SetAltSetting { interface: one, alternate: two }
            | Self::InterruptReceivingStatus { status: one, endpoint: two } => out.extend([*one, *two]),
            Self::AltSettingStatus { status, interface, alternate } => out.extend([*status, *interface, *alternate]),
            Self::Control { endpoint, status, setup, data } => {
                out.extend([*endpoint, setup.request, setup.request_type, *status]);
                for number in [setup.value, setup.index, setup.length] {
                    out.extend(number.to_le_bytes());
                }
                out.extend_from_slice(data);
            }
            Self::Bulk { endpoint, status, length, data } => {
                out.extend([*endpoint, *status]);
                out.extend((*length as u16).to_le_bytes());
                out.extend([0; 4]);
                if both.can(BULK_LENGTH_32BITS) {
                    out.extend(((length >> 16) as u16).to_le_bytes());
                }
                out.extend_from_slice(data);
            }
            Self::Interrupt { endpoint, status, data } => {
                out.extend([*endpoint, *status]);
                out.extend((data.len() as u16).to_le_bytes());
                out.extend_from_slice(data);
            }
        }
    }
}

/// Numbers one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;
    use proptest::prelude::*;

    const ALL: Both = Both(u32::MAX);

    /// As QEMU 7.2 sent them.
    #[test]
    fn packets_of_a_real_guest() {
        let mut hello = hex!("00000000 44000000 00000000").to_vec();
        hello.extend(b"QEMU usb-redir guest 7.2.22".iter().copied().chain(std::iter::repeat(0)).take(VERSION));
        hello.extend(hex!("FF000000"));
        let (framed, used) = read(&hello, Both::default()).unwrap().unwrap();
        assert_eq!((framed.packet, used), (Packet::Hello { capabilities: 0xFF }, hello.len()));
        // What is not used in a question has any value.
        let descriptor = hex!("64000000 0A000000 00F8FD3F00000000 80 06 80 C1 0001 0000 0800");
        let (framed, _) = read(&descriptor, ALL).unwrap().unwrap();
        let setup = Setup { request_type: 0x80, request: 6, value: 0x0100, index: 0, length: 8 };
        assert_eq!(
            framed,
            Framed { id: 0x3FFD_F800, packet: Packet::Control { endpoint: 0x80, status: 0xC1, setup, data: &[] } }
        );
        let asks = hex!("65000000 0A000000 0080CF3F00000000 82 00 0A00 00000000 0000");
        let (framed, _) = read(&asks, ALL).unwrap().unwrap();
        assert_eq!(framed.packet, Packet::Bulk { endpoint: 0x82, status: 0, length: 10, data: &[] });
        let says = hex!("65000000 14000000 10B0CF3F00000000 01 00 0A00 00000000 0000 65000000000001000000");
        let (framed, _) = read(&says, ALL).unwrap().unwrap();
        let data = &hex!("65000000000001000000");
        assert_eq!(framed.packet, Packet::Bulk { endpoint: 1, status: 0, length: 10, data });
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert_eq!(read(&hex!("65000000 FFFFFFFF"), ALL), Err(Fault::TooLong(u64::from(u32::MAX))));
        assert_eq!(read(&hex!("06000000 00000000 0000000000000000"), ALL), Err(Fault::Length { kind: 6, length: 0 }));
        assert_eq!(read(&hex!("03000000 01000000 0000000000000000 00"), ALL), Err(Fault::Length { kind: 3, length: 1 }));
    }

    fn packets() -> Vec<Packet<'static>> {
        let setup = Setup { request_type: 0x80, request: 6, value: 0x0302, index: 0x0409, length: 255 };
        let mut endpoints = Box::new([Endpoint::NONE; ENDPOINTS]);
        endpoints[place(0x82)] = Endpoint { kind: 2, interval: 3, packet_size: 512 };
        vec![
            Packet::Hello { capabilities: 0x7A },
            Packet::DeviceConnect { speed: 2, class: [0, 1, 2], vendor: 0x1050, product: 0x0407, release: 0x0100 },
            Packet::DeviceDisconnect,
            Packet::Reset,
            Packet::InterfaceInfo(vec![[0, 11, 0, 0], [1, 3, 1, 2]]),
            Packet::EpInfo(endpoints),
            Packet::SetConfiguration(1),
            Packet::GetConfiguration,
            Packet::ConfigurationStatus { status: 0, configuration: 1 },
            Packet::SetAltSetting { interface: 0, alternate: 0 },
            Packet::GetAltSetting(0),
            Packet::AltSettingStatus { status: 0, interface: 0, alternate: 0 },
            Packet::StartInterruptReceiving(0x83),
            Packet::StopInterruptReceiving(0x83),
            Packet::InterruptReceivingStatus { status: 0, endpoint: 0x83 },
            Packet::CancelDataPacket,
            Packet::DeviceDisconnectAck,
            Packet::Control { endpoint: 0, status: 4, setup, data: &[1, 2, 3] },
            Packet::Bulk { endpoint: 1, status: 0, length: 0x1_0012, data: &[9; 20] },
            Packet::Interrupt { endpoint: 0x83, status: 0, data: &[0x50, 3] },
        ]
    }

    #[test]
    fn packets_are_read_as_they_are_written_and_cut_anywhere_they_are_incomplete() {
        for packet in packets() {
            // HELLO comes before anybody knows what both can.
            let both = if packet.kind() == 0 { Both::default() } else { ALL };
            let framed = Framed { id: 0x1234_5678, packet };
            let mut bytes = Vec::new();
            framed.write(both, &mut bytes);
            assert_eq!(read(&bytes, both), Ok(Some((framed, bytes.len()))));
            for cut in 0..bytes.len() {
                assert_eq!(read(&bytes[..cut], both), Ok(None));
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_packet_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100), kind in 0_u8..110, length in 0_u8..40) {
            let head = [&[kind, 0, 0, 0, length, 0, 0, 0][..], &bytes].concat();
            for both in [Both::default(), ALL] {
                if let Ok(Some((framed, used))) = read(&head, both) {
                    prop_assert!(used <= head.len());
                    let mut again = Vec::new();
                    framed.write(both, &mut again);
                    let (same, _) = read(&again, both).unwrap().unwrap();
                    prop_assert_eq!(same, framed);
                }
            }
        }
    }
}
