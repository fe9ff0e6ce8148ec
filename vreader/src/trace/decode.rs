//! What commands and answers mean, and what of them must not be shown.

use super::spaced;
use cardlab_protocol::apdu::Command;
use cardlab_protocol::status::StatusWord;
use cardlab_sim::memory::{self, reference_name};

/// What of an exchange must not be shown.
pub(crate) struct Masks {
    /// The command data from this offset on.
    command_from: Option<usize>,
    /// The response data.
    response: bool,
}

const INS_GET_RESPONSE: u8 = 0xC0;
/// Bit of the class byte: more blocks follow.
const CHAINED: u8 = 0x10;
/// Bits of the class byte: secure messaging.
const SECURED: u8 = 0x0C;
/// Bit of the class byte: not ISO's.
const PROPRIETARY: u8 = 0x80;

impl Masks {
    pub(crate) const NONE: Self = Self { command_from: None, response: false };

    /// Of an exchange; `continues` as [`Thread::continues`] tells.
    pub(crate) fn of(bytes: &[u8], continues: bool) -> Self {
        let Ok(command) = Command::parse(bytes) else {
            // Not a command, but it may hold one that was cut: show the header only.
            return Self { command_from: Some(0), response: false };
        };
        let addressed = Addressed::of(&command, continues);
        let public = addressed.is_public();
        match command.ins {
            // WRITE CONFIG, VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER, IMPORT KEY.
            0x1C | 0x20 | 0x24 | 0x2C | 0xFE => Self { command_from: Some(0), response: false },
            // SET MANAGEMENT KEY: algorithm, reference and length may be seen.
            0xFF if continues => Self { command_from: Some(0), response: false },
            0xFF => Self { command_from: Some(3), response: false },
            INS_GET_RESPONSE if continues => Self { command_from: None, response: true },
            // What is not known to be public is secret: printed information may hold the management key.
            0xCB if !public => Self { command_from: None, response: true },
            0xDB if !public => Self { command_from: Some(addressed.shown(command.data)), response: false },
            _ => Self::NONE,
        }
    }

    /// Which bytes of a command are hidden.
    pub(crate) fn hidden(&self, bytes: &[u8]) -> std::ops::Range<usize> {
        let Some(from) = self.command_from else { return 0..0 };
        let (start, length) = match Command::parse(bytes) {
            Ok(command) => (if command.extended { 7 } else { 5 }, command.data.len()),
            Err(_) => (4, bytes.len().saturating_sub(4)),
        };
        let shown = (start + from).min(bytes.len());
        shown..shown + length.saturating_sub(from)
    }

    pub(crate) fn hides_command(&self, bytes: &[u8]) -> bool {
        !self.hidden(bytes).is_empty()
    }

    pub(crate) fn hides_response(&self, bytes: &[u8]) -> bool {
        self.response && bytes.len() > 2
    }

    /// A command in hexadecimal, what is hidden by its length.
    pub(crate) fn command(&self, bytes: &[u8]) -> String {
        let hidden = self.hidden(bytes);
        if hidden.is_empty() {
            return spaced(bytes);
        }
        let tail = bytes.get(hidden.end..).unwrap_or_default();
        let tail = if tail.is_empty() { String::new() } else { format!(" {}", spaced(tail)) };
        format!("{} [{} bytes masked]{tail}", spaced(&bytes[..hidden.start]), hidden.len())
    }

    /// A command with zeros for what is hidden.
    pub(crate) fn zeroed_command(&self, bytes: &[u8]) -> Vec<u8> {
        let hidden = self.hidden(bytes);
        let mut bytes = bytes.to_vec();
        if let Some(hidden) = bytes.get_mut(hidden) {
            hidden.fill(0);
        }
        bytes
    }

    /// The command's name and what its parameters name, of what may be seen.
    pub(crate) fn describe(&self, bytes: &[u8]) -> String {
        name(&self.zeroed_command(bytes))
    }

    /// A response in hexadecimal, hidden data by their length.
    pub(crate) fn response(&self, bytes: &[u8]) -> String {
        match bytes.split_last_chunk::<2>() {
            Some((data, sw)) if self.hides_response(bytes) => format!("[{} bytes masked] {}", data.len(), spaced(sw)),
            _ => spaced(bytes),
        }
    }

    /// A response with zeros for what is hidden.
    pub(crate) fn zeroed_response(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        if self.hides_response(&bytes) {
            let data = bytes.len() - 2;
            bytes[..data].fill(0);
        }
        bytes
    }
}

/// What a card's exchanges have begun: blocks of a chain, and what is left of an answer, do not tell again what
/// they belong to.
#[derive(Clone, Default)]
pub(crate) struct Thread {
    /// Instruction of a chain that is not finished.
    chain: Option<u8>,
    /// The rest of the last answer is not to be shown.
    rest_is_hidden: bool,
}

impl Thread {
    /// Whether a command goes on with a chain, or fetches the rest of an answer that is not to be shown.
    pub(crate) fn continues(&mut self, command: &[u8], response: Option<&[u8]>) -> bool {
        let &[cla, ins, ..] = command else { return false };
        let continues = self.chain == Some(ins) || (ins == INS_GET_RESPONSE && self.rest_is_hidden);
        let more = matches!(response, Some([.., 0x61, _]));
        self.rest_is_hidden = more && Masks::of(command, continues).response;
        self.chain = (cla & CHAINED != 0).then_some(ins);
        continues
    }
}

/// What GET DATA and PUT DATA are about.
enum Addressed {
    /// A PIV data object, or status and keys of a GIDS application.
    Object(u32),
    /// A public key of a GIDS card.
    PublicKey,
    /// Data objects of a GIDS file.
    File(u16),
    /// Something that the command does not tell.
    Untold,
}

/// The application itself, in P1 and P2.
const APPLICATION: u16 = 0x3FFF;

impl Addressed {
    fn of(command: &Command<'_>, continues: bool) -> Self {
        let tag = if command.ins == 0xDB { object_tag(command.data) } else { tag_list(command.data) };
        match (command.p1p2(), tag) {
            (APPLICATION, _) if continues => Self::Untold,
            (APPLICATION, Some(tag)) if tag.len() <= 4 => {
                Self::Object(tag.iter().fold(0, |tag, byte| tag << 8 | u32::from(*byte)))
            }
            // An extended header list: template 70 with the key's reference and an empty 7F49.
            (APPLICATION, None) if command.ins == 0xCB && command.data.first() == Some(&0x70) => Self::PublicKey,
            (APPLICATION, _) => Self::Untold,
            (file, _) => Self::File(file),
        }
    }

    /// How much of a PUT DATA's data may be seen, even of a secret object: the tag list.
    fn shown(&self, data: &[u8]) -> usize {
        match self {
            Self::Object(_) => tag_list(data).map_or(0, |tags| 2 + tags.len()),
            _ => 0,
        }
    }

    fn is_public(&self) -> bool {
        match self {
            Self::Object(tag) => memory::shows_object(*tag),
            Self::PublicKey => true,
            Self::File(file) => memory::shows_file(*file),
            Self::Untold => false,
        }
    }
}

/// The tag of the data object that data are about: of a tag list, or the object itself, where it is put without one (discovery
/// object, biometric information templates: SP 800-73-4, part 2, section 3.3.2).
fn object_tag(data: &[u8]) -> Option<&[u8]> {
    match data {
        [0x7E, ..] => Some(&data[..1]),
        [0x7F, 0x61, ..] => Some(&data[..2]),
        _ => tag_list(data),
    }
}

/// The tag of a tag list (`5C`), when the data begin with one.
fn tag_list(data: &[u8]) -> Option<&[u8]> {
    match data {
        [0x5C, length, rest @ ..] => rest.get(..usize::from(*length)),
        _ => None,
    }
}

/// As [`describe`], and whether something of the command is not to be shown.
#[must_use]
pub fn told(command: &[u8], continues: bool) -> (String, bool) {
    let masks = Masks::of(command, continues);
    (masks.describe(command), masks.hides_command(command))
}

/// The command's name and what its parameters name; nothing that is hidden is named. `continues` as the record has it.
#[must_use]
pub fn describe(command: &[u8], continues: bool) -> String {
    Masks::of(command, continues).describe(command)
}

fn name(bytes: &[u8]) -> String {
    let Ok(command) = Command::parse(bytes) else { return "not a command APDU".into() };
    let (p1, p2) = (command.p1, command.p2);
    let name = match command.ins {
        0x01 if p1 == 0x00 => "ECHO".into(),
        0x01 => "OTP: GET SERIAL".into(),
        0x1C => "WRITE CONFIG".into(),
        0x1D => "READ CONFIG".into(),
        0x20 if p2 == 0x82 && command.data.is_empty() => "VERIFY, forget all (GIDS)".into(),
        0x20 if command.data.is_empty() && p1 == 0 => format!("VERIFY, status of {}", reference_name(p2)),
        0x20 if p1 == 0xFF => format!("VERIFY, forget {}", reference_name(p2)),
        0x20 => format!("VERIFY, {}", reference_name(p2)),
        0x22 => format!("MANAGE SECURITY ENVIRONMENT, {p1:02X} {p2:02X}"),
        0x24 => format!("CHANGE REFERENCE DATA, {}", reference_name(p2)),
        0x2A => format!("PERFORM SECURITY OPERATION, {p1:02X} {p2:02X}"),
        0x2C if p1 == 2 => format!("RESET RETRY COUNTER by administrator key, {}", reference_name(p2)),
        0x2C => format!("RESET RETRY COUNTER, {}", reference_name(p2)),
        0x44 => "ACTIVATE FILE".into(),
        0x50 => format!("INITIALIZE UPDATE, key set {p1:02X}"),
        0x82 => format!("EXTERNAL AUTHENTICATE, {p1:02X} {p2:02X}"),
        0x88 => format!("INTERNAL AUTHENTICATE, key {p2:02X} {p1:02X}"),
        0x47 => format!("GENERATE ASYMMETRIC KEY PAIR, key {p2:02X}"),
        0x87 => format!("GENERAL AUTHENTICATE, algorithm {p1:02X}, key {p2:02X}"),
        0xA4 if p1 == 4 => format!("SELECT {}", application(command.data)),
        0xA4 => "SELECT file".into(),
        0xC0 => "GET RESPONSE".into(),
        0xCA => "GET DATA (even)".into(),
        0xCB => format!("GET DATA {}", object(command.data)),
        0xDB => format!("PUT DATA {}", object(command.data)),
        0xE0 => "CREATE FILE".into(),
        0xD8 => format!("PUT KEY, {:02X}", p2 & 0x7F),
        0xE2 => "STORE DATA".into(),
        0xE4 if command.cla & PROPRIETARY != 0 => "DELETE KEY".into(),
        0xE4 => "DELETE FILE".into(),
        0xE6 => "TERMINATE DF".into(),
        0xF1 => format!("GENERATE KEY, {p2:02X}"),
        0xF6 => format!("MOVE KEY, {p2:02X} to {p1:02X}"),
        0xF7 => format!("GET METADATA, {p2:02X}"),
        0xF8 => "GET SERIAL".into(),
        0xF9 => format!("ATTEST, key {p1:02X}"),
        0xFA => format!("SET PIN RETRIES, {p1} and {p2}"),
        0xFB => "RESET".into(),
        0xFD => "GET VERSION".into(),
        0xFE => format!("IMPORT ASYMMETRIC KEY, algorithm {p1:02X}, key {p2:02X}"),
        0xFF => "SET MANAGEMENT KEY".into(),
        ins => format!("INS {ins:02X}"),
    };
    let name = if command.cla & SECURED == 0 { name } else { format!("{name}, wrapped") };
    let name = name.trim_end();
    if command.cla & CHAINED == 0 { name.into() } else { format!("{name} (chained)") }
}

fn application(aid: &[u8]) -> String {
    let known: [(&[u8], &str); 5] = [
        (&[0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00], "security domain"),
        (&[0xA0, 0x00, 0x00, 0x03, 0x08], "PIV"),
        (&[0xA0, 0x00, 0x00, 0x05, 0x27, 0x47], "YubiKey management"),
        (&[0xA0, 0x00, 0x00, 0x05, 0x27, 0x20], "YubiKey OTP"),
        (&[0xA0, 0x00, 0x00, 0x03, 0x97], "Microsoft (GIDS, plug and play)"),
    ];
    known.iter().find(|(prefix, _)| aid.starts_with(prefix)).map_or_else(|| spaced(aid), |(_, name)| (*name).into())
}

fn object(data: &[u8]) -> String {
    let Some(tag) = object_tag(data) else { return String::new() };
    let name = match tag {
        [0x7E] => "discovery object",
        [0x7F, 0x61] => "biometric templates group",
        [0x5F, 0xC1, 0x01] => "certificate 9E",
        [0x5F, 0xC1, 0x02] => "CHUID",
        [0x5F, 0xC1, 0x05] => "certificate 9A",
        [0x5F, 0xC1, 0x07] => "CCC",
        [0x5F, 0xC1, 0x09] => "printed information",
        [0x5F, 0xC1, 0x0A] => "certificate 9C",
        [0x5F, 0xC1, 0x0B] => "certificate 9D",
        [0x5F, 0xC1, 0x0C] => "key history",
        _ => return spaced(tag),
    };
    name.into()
}

/// What the status word says.
#[must_use]
pub fn outcome(response: &[u8]) -> String {
    let Some((_, sw)) = response.split_last_chunk::<2>() else { return "no status word".into() };
    let sw = StatusWord(u16::from_be_bytes(*sw));
    match sw.retries() {
        Some(left) => format!("wrong or not verified, tries left: {left}"),
        None => sw.meaning().into(),
    }
}
