//! TRANSMIT, CONTROL, attributes, STATUS: may this handle speak to its reader now?

use super::reader::Presence;
use super::{ConnectionId, Decision, Flag, LockSeen, ReaderId, Resource};
use cardlab_pcsclite::code::{ReturnCode, attribute, part10, protocol};
use cardlab_pcsclite::wire::MAX_DATA;

/// What our readers say of themselves.
const VENDOR: &[u8] = b"cardlab\0";
/// Version 0.1.0 as 0xMMmmbbbb.
const VENDOR_VERSION: u32 = 0x0001_0000;
/// Longest command APDU that a reader takes: header, extended lengths, 65,535 bytes of data.
const MAX_INPUT: u32 = 65_544;
/// Bus type 0020 (USB) in the upper half, as every CCID reader says.
const CHANNEL_TYPE: u32 = 0x0020 << 16;

impl Resource {
    /// The checks of TRANSMIT before the card is asked. OK with the protocol number (0 for T=0, 1
    /// for T=1) that the answer's PCI carries.
    pub fn may_transmit(&self, id: ConnectionId, handle: u32, send_protocol: u32) -> Decision<Result<u32, ReturnCode>> {
        let Some((reader_id, flag)) = self.own(id, handle).map(|h| (h.reader, h.flag)) else { return Decision::Close };
        let refuse = |code| Decision::Answer(Err(code));
        let Some((reader_id, reader)) = reader_id.and_then(|r| Some((r, self.reader(r)?))) else {
            return refuse(ReturnCode::INVALID_VALUE);
        };
        match self.lock_seen_by(reader_id, id, Some(handle)) {
            LockSeen::Other => return Decision::Wait,
            LockSeen::SameConnection => return refuse(ReturnCode::SHARING_VIOLATION),
            LockSeen::Free | LockSeen::Own => {}
        }
        if reader.failing {
            return refuse(ReturnCode::READER_UNAVAILABLE);
        }
        if flag != Flag::None {
            return refuse(flag.code());
        }
        if reader.is_absent() {
            return refuse(ReturnCode::NO_SMARTCARD);
        }
        let fits = matches!(send_protocol, protocol::RAW | protocol::ANY_OLD)
            || (send_protocol == reader.protocol && send_protocol != protocol::UNDEFINED);
        if !fits {
            return refuse(ReturnCode::PROTO_MISMATCH);
        }
        Decision::Answer(Ok(u32::from(reader.protocol != protocol::T0)))
    }

    /// Whether the card that a handle spoke to is still there after the exchange. One that was pulled out
    /// meanwhile is not, though it may be in again; nor is one of a reader that was unplugged, though it may be back.
    #[must_use]
    pub fn is_present(&self, id: ConnectionId, handle: u32, reader: ReaderId) -> bool {
        self.own(id, handle).is_some_and(|h| h.reader == Some(reader) && h.flag != Flag::Removed)
            && self.reader(reader).is_some_and(|r| matches!(r.presence, Presence::Present { .. }))
    }

    /// The card lost its power by itself: the next connect powers it up.
    pub fn card_lost_power(&mut self, id: ReaderId) {
        if let Some(reader) = self.reader_mut(id) {
            if let Presence::Present { powered, .. } = &mut reader.presence {
                *powered = false;
            }
            reader.protocol = protocol::UNDEFINED;
            reader.guest = false;
            self.flag_handles(id, None, Flag::Reset);
        }
    }

    /// STATUS.
    pub fn status(&self, id: ConnectionId, handle: u32) -> Decision<ReturnCode> {
        let Some((reader_id, flag)) = self.own(id, handle).map(|h| (h.reader, h.flag)) else { return Decision::Close };
        let Some((reader_id, reader)) = reader_id.and_then(|r| Some((r, self.reader(r)?))) else {
            return Decision::Answer(ReturnCode::READER_UNAVAILABLE);
        };
        match self.lock_seen_by(reader_id, id, Some(handle)) {
            LockSeen::Other => Decision::Wait,
            LockSeen::SameConnection => Decision::Answer(ReturnCode::SHARING_VIOLATION),
            LockSeen::Free | LockSeen::Own => Decision::Answer(match flag {
                Flag::None if reader.failing => ReturnCode::READER_UNAVAILABLE,
                flag => flag.code(),
            }),
        }
    }

    /// What GET_ATTRIB, SET_ATTRIB and CONTROL check alike: the lock and the reader.
    fn may_ask(&self, id: ConnectionId, handle: u32) -> Decision<Result<(ReaderId, Flag), ReturnCode>> {
        let Some((reader_id, flag)) = self.own(id, handle).map(|h| (h.reader, h.flag)) else { return Decision::Close };
        let Some((reader_id, reader)) = reader_id.and_then(|r| Some((r, self.reader(r)?))) else {
            return Decision::Answer(Err(ReturnCode::INVALID_VALUE));
        };
        let seen = self.lock_seen_by(reader_id, id, Some(handle));
        Decision::Answer(match seen {
            LockSeen::Other | LockSeen::SameConnection => Err(ReturnCode::SHARING_VIOLATION),
            _ if reader.failing => Err(ReturnCode::READER_UNAVAILABLE),
            _ => Ok((reader_id, flag)),
        })
    }

    /// GET_ATTRIB: the value.
    pub fn attribute(&self, id: ConnectionId, handle: u32, wanted: u32) -> Decision<Result<Vec<u8>, ReturnCode>> {
        self.may_ask(id, handle).map(|allowed| {
            let (reader, flag) = allowed?;
            if flag != Flag::None {
                return Err(flag.code());
            }
            self.attribute_value(reader, wanted).ok_or(ReturnCode::UNSUPPORTED_FEATURE)
        })
    }

    fn attribute_value(&self, id: ReaderId, wanted: u32) -> Option<Vec<u8>> {
        let reader = self.reader(id)?;
        let number = |n: u32| n.to_ne_bytes().to_vec();
        Some(match wanted {
            attribute::ATR_STRING => reader.state().atr,
            attribute::VENDOR_NAME => VENDOR.to_vec(),
            attribute::VENDOR_IFD_VERSION => number(VENDOR_VERSION),
            attribute::VENDOR_IFD_SERIAL_NO => format!("{:04X}\0", id.slot()).into_bytes(),
            attribute::CHANNEL_ID => number(CHANNEL_TYPE | id.slot() as u32),
            attribute::ICC_PRESENCE => vec![if reader.is_absent() { 0 } else { 2 }],
            attribute::ICC_INTERFACE_STATUS => vec![u8::from(reader.is_powered())],
            attribute::MAXINPUT => number(MAX_INPUT),
            attribute::DEVICE_FRIENDLY_NAME | attribute::DEVICE_SYSTEM_NAME => [reader.name.as_bytes(), b"\0"].concat(),
            _ => return None,
        })
    }

    /// SET_ATTRIB: our readers have none that can be set.
    pub fn set_attribute(&self, id: ConnectionId, handle: u32) -> Decision<ReturnCode> {
        self.may_ask(id, handle).map(|allowed| match allowed {
            Ok((_, Flag::None)) => ReturnCode::UNSUPPORTED_FEATURE,
            Ok((_, flag)) => flag.code(),
            Err(code) => code,
        })
    }

    /// CONTROL: features and properties of PC/SC part 10. A handle's flag does not matter.
    pub fn control(&self, id: ConnectionId, handle: u32, code: u32) -> Decision<Result<Vec<u8>, ReturnCode>> {
        const TLV_PROPERTIES: u32 = part10::control_code(part10::FEATURE_GET_TLV_PROPERTIES);
        const PIN_PROPERTIES: u32 = part10::control_code(part10::FEATURE_IFD_PIN_PROPERTIES);
        self.may_ask(id, handle).map(|allowed| {
            let (reader, _) = allowed?;
            let pin_pad = self.reader(reader).is_some_and(|r| r.pin_pad);
            match code {
                part10::GET_FEATURE_REQUEST | part10::GET_FEATURE_REQUEST_WINDOWS => Ok(features(pin_pad)),
                TLV_PROPERTIES => Ok(properties()),
                // No display; an entry ends with a key or after its time (section 2.6.8).
                PIN_PROPERTIES if pin_pad => Ok(vec![0, 0, 0x07, 0]),
                _ => Err(ReturnCode::UNSUPPORTED_FEATURE),
            }
        })
    }
}

/// Records of feature, length, control code (big-endian).
fn features(pin_pad: bool) -> Vec<u8> {
    const PAD: [u8; 3] =
        [part10::FEATURE_VERIFY_PIN_DIRECT, part10::FEATURE_MODIFY_PIN_DIRECT, part10::FEATURE_IFD_PIN_PROPERTIES];
    let pad = if pin_pad { &PAD[..] } else { &[] };
    let record = |feature: &u8| {
        let [a, b, c, d] = part10::control_code(*feature).to_be_bytes();
        [*feature, 4, a, b, c, d]
    };
    pad.iter().chain([&part10::FEATURE_GET_TLV_PROPERTIES]).flat_map(record).collect()
}

/// Records of property, length, value (little-endian), PC/SC part 10 section 2.6.14.
fn properties() -> Vec<u8> {
    const LCD_LAYOUT: u8 = 0x01;
    const TIME_OUT_2: u8 = 0x03;
    const PPDU_SUPPORT: u8 = 0x09;
    const MAX_APDU_DATA_SIZE: u8 = 0x0A;
    const ID_VENDOR: u8 = 0x0B;
    const ID_PRODUCT: u8 = 0x0C;
    let mut out = vec![LCD_LAYOUT, 2, 0, 0, TIME_OUT_2, 1, 0, PPDU_SUPPORT, 1, 0, ID_VENDOR, 2, 0, 0, ID_PRODUCT, 2, 0, 0];
    out.extend([MAX_APDU_DATA_SIZE, 4]);
    out.extend(0x1_0000u32.to_le_bytes());
    debug_assert!(out.len() < MAX_DATA);
    out
}
