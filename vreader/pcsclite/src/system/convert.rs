//! Numbers of the wire as the `pcsc` crate's types, and back.

use crate::code::{ReturnCode, attribute, disposition, part10, protocol, share, state};
use crate::wire::ReaderState;
use pcsc::{Attribute, Disposition, Error, Protocol, Protocols, ShareMode, State};

/// A result as pcsc-lite numbers it.
pub(super) const fn code(error: Error) -> ReturnCode {
    match error {
        // Windows has another number for it, and pcsc-lite's stands for another thing there.
        Error::UnsupportedFeature => ReturnCode::UNSUPPORTED_FEATURE,
        #[cfg(windows)]
        Error::Unexpected => ReturnCode::INTERNAL_ERROR,
        error => ReturnCode(error as u32),
    }
}

pub(super) const fn share_mode(number: u32) -> Result<ShareMode, ReturnCode> {
    match number {
        share::SHARED => Ok(ShareMode::Shared),
        share::EXCLUSIVE => Ok(ShareMode::Exclusive),
        share::DIRECT => Ok(ShareMode::Direct),
        _ => Err(ReturnCode::INVALID_VALUE),
    }
}

pub(super) const fn becomes(number: u32) -> Result<Disposition, ReturnCode> {
    match number {
        disposition::LEAVE => Ok(Disposition::LeaveCard),
        disposition::RESET => Ok(Disposition::ResetCard),
        disposition::UNPOWER => Ok(Disposition::UnpowerCard),
        disposition::EJECT => Ok(Disposition::EjectCard),
        _ => Err(ReturnCode::INVALID_VALUE),
    }
}

pub(super) fn protocols(bits: u32) -> Protocols {
    let named = [(protocol::T0, Protocols::T0), (protocol::T1, Protocols::T1), (protocol::RAW, Protocols::RAW)];
    named.into_iter().filter(|(bit, _)| bits & bit != 0).fold(Protocols::UNDEFINED, |all, (_, one)| all | one)
}

pub(super) const fn active(in_use: Option<Protocol>) -> u32 {
    match in_use {
        Some(Protocol::T0) => protocol::T0,
        Some(Protocol::T1) => protocol::T1,
        Some(Protocol::RAW) => protocol::RAW,
        None => protocol::UNDEFINED,
    }
}

pub(super) const fn attribute(id: u32) -> Option<Attribute> {
    Some(match id {
        attribute::VENDOR_NAME => Attribute::VendorName,
        attribute::VENDOR_IFD_VERSION => Attribute::VendorIfdVersion,
        attribute::VENDOR_IFD_SERIAL_NO => Attribute::VendorIfdSerialNo,
        attribute::CHANNEL_ID => Attribute::ChannelId,
        attribute::MAXINPUT => Attribute::Maxinput,
        attribute::ICC_PRESENCE => Attribute::IccPresence,
        attribute::ICC_INTERFACE_STATUS => Attribute::IccInterfaceStatus,
        attribute::ATR_STRING => Attribute::AtrString,
        _ => return None,
    })
}

/// A control code: that of GET_FEATURE_REQUEST is another on Windows, all others come from the reader.
pub(super) const fn control(code: u32) -> u32 {
    if cfg!(windows) && code == part10::GET_FEATURE_REQUEST { part10::GET_FEATURE_REQUEST_WINDOWS } else { code }
}

/// A reader's state as a server publishes it. Which protocol is in use, and how many share the card, no other program is told.
pub(super) fn reader(seen: &pcsc::ReaderState) -> ReaderState {
    let is = |flag| seen.event_state().contains(flag);
    let state = match () {
        () if is(State::PRESENT) && is(State::MUTE) => state::PRESENT | state::SWALLOWED,
        () if is(State::PRESENT) && is(State::UNPOWERED) => state::PRESENT,
        () if is(State::PRESENT) => state::PRESENT | state::POWERED | state::NEGOTIABLE,
        () if is(State::EMPTY) => state::ABSENT,
        () => state::UNKNOWN,
    };
    ReaderState {
        name: seen.name().to_string_lossy().into_owned(),
        event_counter: seen.event_count(),
        state,
        sharing: if is(State::EXCLUSIVE) { -1 } else { i32::from(is(State::INUSE)) },
        atr: if is(State::PRESENT) { seen.atr().to_vec() } else { Vec::new() },
        protocol: protocol::UNDEFINED,
    }
}
