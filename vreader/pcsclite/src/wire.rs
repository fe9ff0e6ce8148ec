//! Commands and structures as bytes.
//!
//! ```text
//! request   u32 body size | u32 command | body [| data that the body announces]
//! reply     body with results filled in [| data when rv is OK]
//! ```
//! Native byte order, 32-bit numbers only. A request whose size field is not the structure's size is
//! refused; of commands without a body the size field is not looked at. Source: pcsc-lite's
//! `winscard_msg.h`, versions 1.8.24 to 2.5.1.

use crate::code::{ReturnCode, state};
use thiserror::Error;

/// Longest data of a TRANSMIT or CONTROL, each way.
pub const MAX_DATA: usize = 65_548;
/// Longest attribute.
pub const MAX_ATTRIBUTE: usize = 264;
/// Longest reader name with its final zero.
pub const MAX_NAME: usize = 128;
/// Longest ATR.
pub const MAX_ATR: usize = 33;
/// Reader states that a 4:4 or 4:5 client reads.
pub const STATES: usize = 16;
/// Bytes of a request's head.
pub const HEAD: usize = 8;
/// Where pcscd listens.
pub const SYSTEM_SOCKET: &str = "/run/pcscd/pcscd.comm";
/// The environment variable that names another socket.
pub const SOCKET_VARIABLE: &str = "PCSCLITE_CSOCK_NAME";

/// A field of a structure.
trait Field: Sized {
    const SIZE: usize;
    fn read(bytes: &[u8]) -> Self;
    fn write(&self, out: &mut Vec<u8>);
}

impl Field for u32 {
    const SIZE: usize = 4;
    fn read(bytes: &[u8]) -> Self {
        let mut number = [0; 4];
        number.copy_from_slice(&bytes[..4]);
        Self::from_ne_bytes(number)
    }
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_ne_bytes());
    }
}

impl Field for ReturnCode {
    const SIZE: usize = 4;
    fn read(bytes: &[u8]) -> Self {
        Self(u32::read(bytes))
    }
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
}

impl<const N: usize> Field for [u8; N] {
    const SIZE: usize = N;
    fn read(bytes: &[u8]) -> Self {
        let mut array = [0; N];
        array.copy_from_slice(&bytes[..N]);
        array
    }
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

/// Defines structures by their fields in order; offsets follow from the sizes.
macro_rules! structures {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl $name {
            /// Bytes on the wire.
            pub const SIZE: usize = 0 $(+ <$type as Field>::SIZE)*;

            /// Reads the structure from at least [`Self::SIZE`] bytes.
            ///
            /// # Panics
            /// When there are fewer; [`decode`] has counted them before.
            #[must_use]
            #[allow(unused_assignments)]
            pub fn read(bytes: &[u8]) -> Self {
                let mut at = 0;
                $(let $field = <$type as Field>::read(&bytes[at..]); at += <$type as Field>::SIZE;)*
                Self { $($field,)* }
            }

            /// Appends the structure.
            pub fn write(&self, out: &mut Vec<u8>) {
                $(Field::write(&self.$field, out);)*
            }

            /// The structure by itself.
            #[must_use]
            pub fn to_bytes(&self) -> Vec<u8> {
                let mut bytes = Vec::with_capacity(Self::SIZE);
                self.write(&mut bytes);
                bytes
            }
        }
    )*};
}

structures! {
    /// 01 ESTABLISH_CONTEXT.
    Establish {
        /// Scope, 0 to 3.
        scope: u32,
        /// The new context (out).
        context: u32,
        /// Result (out).
        rv: ReturnCode,
    }
    /// 02 RELEASE_CONTEXT and 0D CANCEL.
    ContextOnly {
        /// The context.
        context: u32,
        /// Result (out).
        rv: ReturnCode,
    }
    /// 04 CONNECT.
    Connect {
        /// The context.
        context: u32,
        /// Reader name, zero padded.
        reader: [u8; MAX_NAME],
        /// Share mode.
        share: u32,
        /// Protocols asked for, as bits.
        protocols: u32,
        /// The new card handle (out).
        handle: u32,
        /// The protocol in use (out).
        active: u32,
        /// Result (out).
        rv: ReturnCode,
    }
    /// 05 RECONNECT.
    Reconnect {
        /// Card handle.
        handle: u32,
        /// Share mode.
        share: u32,
        /// Protocols asked for, as bits.
        protocols: u32,
        /// What to do with the card first: a disposition.
        initialization: u32,
        /// The protocol in use (out).
        active: u32,
        /// Result (out).
        rv: ReturnCode,
    }
    /// 06 DISCONNECT and 08 END_TRANSACTION.
    Disposed {
        /// Card handle.
        handle: u32,
        /// Disposition.
        disposition: u32,
        /// Result (out).
        rv: ReturnCode,
    }
    /// 07 BEGIN_TRANSACTION and 0B STATUS.
    HandleOnly {
        /// Card handle.
        handle: u32,
        /// Result (out).
        rv: ReturnCode,
    }
    /// 09 TRANSMIT; `send_length` bytes follow.
    Transmit {
        /// Card handle.
        handle: u32,
        /// Protocol of the send PCI.
        send_protocol: u32,
        /// Length of the send PCI.
        send_pci_length: u32,
        /// Bytes of the command APDU.
        send_length: u32,
        /// Protocol of the receive PCI.
        receive_protocol: u32,
        /// Length of the receive PCI.
        receive_pci_length: u32,
        /// Room for the response (in), its length (out).
        receive_length: u32,
        /// Result (out).
        rv: ReturnCode,
    }
    /// 0A CONTROL; `send_length` bytes follow.
    Control {
        /// Card handle.
        handle: u32,
        /// Control code.
        code: u32,
        /// Bytes of input.
        send_length: u32,
        /// Room for the answer.
        receive_length: u32,
        /// Length of the answer (out).
        returned: u32,
        /// Result (out).
        rv: ReturnCode,
    }
    /// 0F GET_ATTRIB and 10 SET_ATTRIB.
    Attribute {
        /// Card handle.
        handle: u32,
        /// Attribute.
        id: u32,
        /// Its value.
        value: [u8; MAX_ATTRIBUTE],
        /// Length of the value.
        length: u32,
        /// Result (out).
        rv: ReturnCode,
    }
    /// 11 VERSION.
    Version {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
        /// Result (out).
        rv: ReturnCode,
    }
    /// The message of an event, and the answer to STOP_WAITING.
    Event {
        /// Unused by clients; carries the count of reader events, so that a client that reads an
        /// event where it awaits GET_READER_EVENTS reads the right number.
        time_out: u32,
        /// OK or CANCELLED.
        rv: ReturnCode,
    }
}

/// One reader's state, 184 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderState {
    /// Name; empty for a free slot. At most 127 bytes.
    pub name: String,
    /// +1 at each insertion and removal.
    pub event_counter: u32,
    /// Bits of [`crate::code::state`].
    pub state: u32,
    /// 0 nobody, n handles, -1 exclusive.
    pub sharing: i32,
    /// Answer to reset, at most 33 bytes; empty without a card.
    pub atr: Vec<u8>,
    /// Protocol in use, as a bit.
    pub protocol: u32,
}

impl ReaderState {
    /// Bytes on the wire.
    pub const SIZE: usize = 184;

    /// A free slot.
    pub const FREE: Self = Self { name: String::new(), event_counter: 0, state: 0, sharing: 0, atr: Vec::new(), protocol: 0 };

    /// Whether a card that answers is in the reader.
    #[must_use]
    pub const fn has_card(&self) -> bool {
        self.state & state::PRESENT != 0 && self.state & state::SWALLOWED == 0
    }

    /// Appends the state. Name and ATR are cut to what fits.
    pub fn write(&self, out: &mut Vec<u8>) {
        pad(out, self.name.as_bytes(), MAX_NAME - 1, MAX_NAME);
        self.event_counter.write(out);
        self.state.write(out);
        out.extend_from_slice(&self.sharing.to_ne_bytes());
        pad(out, &self.atr, MAX_ATR, MAX_ATR + 3);
        (self.atr.len().min(MAX_ATR) as u32).write(out);
        self.protocol.write(out);
    }

    /// Reads a state from at least [`Self::SIZE`] bytes; `None` when there are fewer.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..Self::SIZE)?;
        let atr_length = (u32::read(&bytes[176..]) as usize).min(MAX_ATR);
        let mut sharing = [0; 4];
        sharing.copy_from_slice(&bytes[136..140]);
        Some(Self {
            name: text(&bytes[..MAX_NAME]),
            event_counter: u32::read(&bytes[128..]),
            state: u32::read(&bytes[132..]),
            sharing: i32::from_ne_bytes(sharing),
            atr: if bytes[0] == 0 { Vec::new() } else { bytes[140..140 + atr_length].to_vec() },
            protocol: u32::read(&bytes[180..]),
        })
    }
}

fn pad(out: &mut Vec<u8>, bytes: &[u8], most: usize, width: usize) {
    let take = bytes.len().min(most);
    out.extend_from_slice(&bytes[..take]);
    out.resize(out.len() + width - take, 0);
}

/// The text before the first zero.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// A reader name as CONNECT carries it; `None` when it does not fit.
#[must_use]
pub fn name(text: &str) -> Option<[u8; MAX_NAME]> {
    let mut out = [0; MAX_NAME];
    out[..MAX_NAME - 1].get_mut(..text.len())?.copy_from_slice(text.as_bytes());
    Some(out)
}

/// A request as it stands in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// 01.
    Establish(Establish),
    /// 02.
    Release(ContextOnly),
    /// 04.
    Connect(Connect),
    /// 05.
    Reconnect(Reconnect),
    /// 06.
    Disconnect(Disposed),
    /// 07.
    Begin(HandleOnly),
    /// 08.
    End(Disposed),
    /// 09, with the command APDU.
    Transmit(Transmit, &'a [u8]),
    /// 0A, with the input.
    Control(Control, &'a [u8]),
    /// 0B.
    Status(HandleOnly),
    /// 0D.
    Cancel(ContextOnly),
    /// 0F.
    GetAttribute(Attribute),
    /// 10.
    SetAttribute(Attribute),
    /// 11.
    Version(Version),
    /// 12.
    GetReadersState,
    /// 13.
    WaitReaderStateChange,
    /// 14.
    StopWaiting,
    /// 15, from 4:5.
    GetReaderEvents,
    /// 16, from 4:6.
    GetReadersStateSize,
    /// 17, from 4:6.
    GetReadersStateArray,
}

/// Why a connection must be closed: the bytes are no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// No such command.
    #[error("unknown command {0:#x}")]
    Command(u32),
    /// The size field is not the structure's size.
    #[error("command {command:#x} has a body of {expected} bytes, not {got}")]
    Size {
        /// The command.
        command: u32,
        /// Size of its structure.
        expected: usize,
        /// Size field that came.
        got: u32,
    },
    /// More data announced than any client may send.
    #[error("{0} bytes of data announced; at most {MAX_DATA} are allowed")]
    Data(u32),
    /// A longer attribute than any client may send.
    #[error("attribute of {0} bytes announced; at most {MAX_ATTRIBUTE} are allowed")]
    AttributeLength(u32),
}

/// What [`decode`] found at the start of a buffer. The request stands in it by value: it lives for
/// one call, and a box would cost an allocation a request.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// The buffer ends before the request does.
    Incomplete,
    /// A request, and how many bytes it took.
    Complete(Request<'a>, usize),
}

/// Reads the request at the start of `buffer`.
///
/// # Errors
/// [`Malformed`] as soon as the bytes cannot become a request.
pub fn decode(buffer: &[u8]) -> Result<Decoded<'_>, Malformed> {
    if buffer.len() < HEAD {
        return Ok(Decoded::Incomplete);
    }
    let (size, command) = (u32::read(buffer), u32::read(&buffer[4..]));
    let expected = match command {
        0x01 => Establish::SIZE,
        0x02 | 0x0D => ContextOnly::SIZE,
        0x04 => Connect::SIZE,
        0x05 => Reconnect::SIZE,
        0x06 | 0x08 => Disposed::SIZE,
        0x07 | 0x0B => HandleOnly::SIZE,
        0x09 => Transmit::SIZE,
        0x0A => Control::SIZE,
        0x0F | 0x10 => Attribute::SIZE,
        0x11 => Version::SIZE,
        0x12..=0x17 => 0,
        _ => return Err(Malformed::Command(command)),
    };
    if expected != 0 && size as usize != expected {
        return Err(Malformed::Size { command, expected, got: size });
    }
    let Some(body) = buffer.get(HEAD..HEAD + expected) else {
        return Ok(Decoded::Incomplete);
    };
    let end = HEAD + expected;
    let data = |length: u32| {
        if length as usize > MAX_DATA {
            return Err(Malformed::Data(length));
        }
        Ok(buffer.get(end..end + length as usize))
    };
    let request = match command {
        0x01 => Request::Establish(Establish::read(body)),
        0x02 => Request::Release(ContextOnly::read(body)),
        0x04 => Request::Connect(Connect::read(body)),
        0x05 => Request::Reconnect(Reconnect::read(body)),
        0x06 => Request::Disconnect(Disposed::read(body)),
        0x07 => Request::Begin(HandleOnly::read(body)),
        0x08 => Request::End(Disposed::read(body)),
        0x09 => {
            let body = Transmit::read(body);
            let Some(apdu) = data(body.send_length)? else { return Ok(Decoded::Incomplete) };
            return Ok(Decoded::Complete(Request::Transmit(body, apdu), end + apdu.len()));
        }
        0x0A => {
            let body = Control::read(body);
            let Some(input) = data(body.send_length)? else { return Ok(Decoded::Incomplete) };
            return Ok(Decoded::Complete(Request::Control(body, input), end + input.len()));
        }
        0x0B => Request::Status(HandleOnly::read(body)),
        0x0D => Request::Cancel(ContextOnly::read(body)),
        0x0F | 0x10 => {
            let body = Attribute::read(body);
            if body.length as usize > MAX_ATTRIBUTE {
                return Err(Malformed::AttributeLength(body.length));
            }
            if command == 0x0F { Request::GetAttribute(body) } else { Request::SetAttribute(body) }
        }
        0x11 => Request::Version(Version::read(body)),
        0x12 => Request::GetReadersState,
        0x13 => Request::WaitReaderStateChange,
        0x14 => Request::StopWaiting,
        0x15 => Request::GetReaderEvents,
        0x16 => Request::GetReadersStateSize,
        _ => Request::GetReadersStateArray,
    };
    Ok(Decoded::Complete(request, end))
}

impl Request<'_> {
    /// Appends the request with its head.
    pub fn write(&self, out: &mut Vec<u8>) {
        let head = |out: &mut Vec<u8>, command: u32, size: usize| {
            (size as u32).write(out);
            command.write(out);
        };
        macro_rules! body {
            ($command:literal, $type:ident, $body:expr) => {{
                head(out, $command, $type::SIZE);
                $body.write(out);
            }};
        }
        match self {
            Self::Establish(b) => body!(0x01, Establish, b),
            Self::Release(b) => body!(0x02, ContextOnly, b),
            Self::Connect(b) => body!(0x04, Connect, b),
            Self::Reconnect(b) => body!(0x05, Reconnect, b),
            Self::Disconnect(b) => body!(0x06, Disposed, b),
            Self::Begin(b) => body!(0x07, HandleOnly, b),
            Self::End(b) => body!(0x08, Disposed, b),
            Self::Transmit(b, apdu) => {
                body!(0x09, Transmit, b);
                out.extend_from_slice(apdu);
            }
            Self::Control(b, input) => {
                body!(0x0A, Control, b);
                out.extend_from_slice(input);
            }
            Self::Status(b) => body!(0x0B, HandleOnly, b),
            Self::Cancel(b) => body!(0x0D, ContextOnly, b),
            Self::GetAttribute(b) => body!(0x0F, Attribute, b),
            Self::SetAttribute(b) => body!(0x10, Attribute, b),
            Self::Version(b) => body!(0x11, Version, b),
            Self::GetReadersState => head(out, 0x12, 0),
            Self::WaitReaderStateChange => head(out, 0x13, 0),
            Self::StopWaiting => head(out, 0x14, 0),
            Self::GetReaderEvents => head(out, 0x15, 0),
            Self::GetReadersStateSize => head(out, 0x16, 0),
            Self::GetReadersStateArray => head(out, 0x17, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_those_of_winscard_msg_h() {
        let sizes = [
            (Establish::SIZE, 12),
            (ContextOnly::SIZE, 8),
            (Connect::SIZE, 152),
            (Reconnect::SIZE, 24),
            (Disposed::SIZE, 12),
            (HandleOnly::SIZE, 8),
            (Transmit::SIZE, 32),
            (Control::SIZE, 24),
            (Attribute::SIZE, 280),
            (Version::SIZE, 12),
            (Event::SIZE, 8),
        ];
        for (got, expected) in sizes {
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn a_reader_state_is_184_bytes_both_ways() {
        let state = ReaderState {
            name: "cardlab NIST PIV 00 00".into(),
            event_counter: 3,
            state: 0x34,
            sharing: -1,
            atr: vec![0x3B, 0x02, 1, 2],
            protocol: 2,
        };
        let mut bytes = Vec::new();
        state.write(&mut bytes);
        assert_eq!(bytes.len(), ReaderState::SIZE);
        assert_eq!(ReaderState::read(&bytes).unwrap(), state);
        let long = ReaderState { name: "x".repeat(300), atr: vec![0x3B; 60], ..state };
        let mut bytes = Vec::new();
        long.write(&mut bytes);
        assert_eq!(bytes.len(), ReaderState::SIZE);
        assert_eq!(ReaderState::read(&bytes).unwrap().name.len(), 127);
    }

    #[test]
    fn refused_as_soon_as_it_cannot_become_right() {
        let head = |size: u32, command: u32| [size.to_ne_bytes(), command.to_ne_bytes()].concat();
        assert_eq!(decode(&head(0, 0x03)), Err(Malformed::Command(3)));
        assert_eq!(decode(&head(11, 0x01)), Err(Malformed::Size { command: 1, expected: 12, got: 11 }));
        assert_eq!(decode(&head(12, 0x01)), Ok(Decoded::Incomplete));
        let huge = Transmit {
            handle: 1,
            send_protocol: 2,
            send_pci_length: 16,
            send_length: u32::MAX,
            receive_protocol: 3,
            receive_pci_length: 16,
            receive_length: 258,
            rv: ReturnCode::OK,
        };
        let mut bytes = Vec::new();
        Request::Transmit(huge, &[]).write(&mut bytes);
        assert_eq!(decode(&bytes), Err(Malformed::Data(u32::MAX)));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400), command in 0u32..0x20) {
            let _ = decode(&bytes);
            let mut framed = (bytes.len() as u32).to_ne_bytes().to_vec();
            framed.extend(command.to_ne_bytes());
            framed.extend(&bytes);
            if let Ok(Decoded::Complete(request, used)) = decode(&framed) {
                let mut again = Vec::new();
                request.write(&mut again);
                prop_assert_eq!(&again[4..], &framed[4..used]);
            }
        }

        #[test]
        fn write_decode(handle: u32, code: u32, input in proptest::collection::vec(any::<u8>(), 0..500), cut in 0usize..400) {
            let body = Control { handle, code, send_length: input.len() as u32, receive_length: 5, returned: 0, rv: ReturnCode::OK };
            let request = Request::Control(body, &input);
            let mut bytes = Vec::new();
            request.write(&mut bytes);
            prop_assert_eq!(decode(&bytes), Ok(Decoded::Complete(request, bytes.len())));
            if cut < bytes.len() {
                prop_assert_eq!(decode(&bytes[..cut]), Ok(Decoded::Incomplete));
            }
        }
    }
}
