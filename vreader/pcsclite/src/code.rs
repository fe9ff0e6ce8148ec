//! Numbers of the PC/SC API as pcsc-lite defines them (PC/SC part 5; pcsc-lite's `pcsclite.h`).

use std::fmt;

/// Result of a PC/SC function.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReturnCode(pub u32);

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        impl ReturnCode {
            $($(#[$doc])* #[doc = concat!($text, ".")] pub const $name: Self = Self($value);)*

            /// The name in PC/SC's own spelling, without `SCARD_`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self.0 { $($value => stringify!($name),)* _ => "UNKNOWN" }
            }

            /// What it means, in a sentence for people.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self.0 { $($value => $text,)* _ => "unknown return code" }
            }
        }
    };
}

codes! {
    OK = 0x0000_0000, "success";
    INTERNAL_ERROR = 0x8010_0001, "internal error";
    CANCELLED = 0x8010_0002, "cancelled by SCardCancel";
    INVALID_HANDLE = 0x8010_0003, "the handle is not valid";
    INVALID_PARAMETER = 0x8010_0004, "a parameter is not valid";
    NO_MEMORY = 0x8010_0006, "no memory, or too many handles";
    INSUFFICIENT_BUFFER = 0x8010_0008, "the buffer is too small for the answer";
    UNKNOWN_READER = 0x8010_0009, "no reader of that name";
    TIMEOUT = 0x8010_000A, "time is over";
    SHARING_VIOLATION = 0x8010_000B, "another program holds the card";
    NO_SMARTCARD = 0x8010_000C, "no card in the reader";
    PROTO_MISMATCH = 0x8010_000F, "the card does not use that protocol";
    INVALID_VALUE = 0x8010_0011, "a value is not valid";
    COMM_ERROR = 0x8010_0013, "communication error";
    NOT_TRANSACTED = 0x8010_0016, "the exchange did not take place";
    READER_UNAVAILABLE = 0x8010_0017, "the reader is not there";
    NO_SERVICE = 0x8010_001D, "no PC/SC service is running";
    SERVICE_STOPPED = 0x8010_001E, "the PC/SC service has stopped, or speaks another version";
    UNSUPPORTED_FEATURE = 0x8010_001F, "not supported";
    NO_READERS_AVAILABLE = 0x8010_002E, "there is no reader";
    UNRESPONSIVE_CARD = 0x8010_0066, "the card does not answer";
    UNPOWERED_CARD = 0x8010_0067, "the card has no power";
    RESET_CARD = 0x8010_0068, "the card was reset";
    REMOVED_CARD = 0x8010_0069, "the card was removed";
    SECURITY_VIOLATION = 0x8010_006A, "access denied";
}

impl fmt::Display for ReturnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:08X})", self.meaning(), self.0)
    }
}

impl fmt::Debug for ReturnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())
    }
}

/// Share modes of SCardConnect.
pub mod share {
    /// Nobody else may use the reader.
    pub const EXCLUSIVE: u32 = 1;
    /// Others may use the card too.
    pub const SHARED: u32 = 2;
    /// The reader, with or without a card.
    pub const DIRECT: u32 = 3;
}

/// What becomes of the card at the end of a connection or transaction.
pub mod disposition {
    /// Nothing.
    pub const LEAVE: u32 = 0;
    /// Warm reset.
    pub const RESET: u32 = 1;
    /// Power off.
    pub const UNPOWER: u32 = 2;
    /// Eject.
    pub const EJECT: u32 = 3;
}

/// Protocols, as bits.
pub mod protocol {
    /// None yet.
    pub const UNDEFINED: u32 = 0;
    /// T=0.
    pub const T0: u32 = 1;
    /// T=1.
    pub const T1: u32 = 2;
    /// Raw bytes.
    pub const RAW: u32 = 4;
    /// Any, in the way of old programs.
    pub const ANY_OLD: u32 = 0x1000;
}

/// States of a reader, as the server publishes them.
pub mod state {
    /// Unknown: the reader does not work.
    pub const UNKNOWN: u32 = 0x0001;
    /// No card.
    pub const ABSENT: u32 = 0x0002;
    /// A card.
    pub const PRESENT: u32 = 0x0004;
    /// A card that does not answer.
    pub const SWALLOWED: u32 = 0x0008;
    /// The card has power.
    pub const POWERED: u32 = 0x0010;
    /// The card has answered the reset; a protocol may be chosen.
    pub const NEGOTIABLE: u32 = 0x0020;
}

/// Attributes of SCardGetAttrib (PC/SC part 3 section 3.1).
pub mod attribute {
    /// Vendor's name.
    pub const VENDOR_NAME: u32 = 0x0001_0100;
    /// Vendor's version, 0xMMmmbbbb.
    pub const VENDOR_IFD_VERSION: u32 = 0x0001_0102;
    /// Vendor's serial number of the reader.
    pub const VENDOR_IFD_SERIAL_NO: u32 = 0x0001_0103;
    /// Channel.
    pub const CHANNEL_ID: u32 = 0x0002_0110;
    /// Longest APDU.
    pub const MAXINPUT: u32 = 0x0007_A007;
    /// Whether a card is there.
    pub const ICC_PRESENCE: u32 = 0x0009_0300;
    /// Whether the contacts are active.
    pub const ICC_INTERFACE_STATUS: u32 = 0x0009_0301;
    /// Answer to reset.
    pub const ATR_STRING: u32 = 0x0009_0303;
    /// Reader name.
    pub const DEVICE_FRIENDLY_NAME: u32 = 0x7FFF_0003;
    /// Reader name in the system.
    pub const DEVICE_SYSTEM_NAME: u32 = 0x7FFF_0004;
}

/// Control codes and features of PC/SC part 10.
pub mod part10 {
    /// CM_IOCTL_GET_FEATURE_REQUEST as pcsc-lite numbers it.
    pub const GET_FEATURE_REQUEST: u32 = 0x4200_0D48;
    /// The same as Windows numbers it.
    pub const GET_FEATURE_REQUEST_WINDOWS: u32 = 0x0031_3520;
    /// FEATURE_VERIFY_PIN_DIRECT.
    pub const FEATURE_VERIFY_PIN_DIRECT: u8 = 0x06;
    /// FEATURE_MODIFY_PIN_DIRECT.
    pub const FEATURE_MODIFY_PIN_DIRECT: u8 = 0x07;
    /// FEATURE_IFD_PIN_PROPERTIES.
    pub const FEATURE_IFD_PIN_PROPERTIES: u8 = 0x0A;
    /// FEATURE_GET_TLV_PROPERTIES.
    pub const FEATURE_GET_TLV_PROPERTIES: u8 = 0x12;
    /// The control code that we give to a feature.
    #[must_use]
    pub const fn control_code(feature: u8) -> u32 {
        0x4233_0000 + feature as u32
    }
}
