//! What commands and answers mean, and what of them must not be shown.

use super::spaced;
use cardlab_protocol::apdu::Command;
use cardlab_protocol::status::StatusWord;

/// What of an exchange must not be shown.
pub(crate) struct Masks {
    /// The command data from this offset on.
    command_from: Option<usize>,
    response: bool,
}

impl Masks {
    pub(crate) const NONE: Self = Self { command_from: None, response: false };

    pub(crate) fn of(bytes: &[u8]) -> Self {
        let Ok(command) = Command::parse(bytes) else {
            // Not a command, but it may hold one that was cut: show the header only.
            return Self { command_from: Some(0), response: false };
        };
        let printed = matches!(command.data, [0x5C, 0x03, 0x5F, 0xC1, 0x09, ..]);
        match command.ins {
            // VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER, IMPORT KEY.
            0x20 | 0x24 | 0x2C | 0xFE => Self { command_from: Some(0), response: false },
            // SET MANAGEMENT KEY: algorithm, reference and length may be seen.
            0xFF => Self { command_from: Some(3), response: false },
            // Printed information may hold the management key.
            0xCB if printed => Self { command_from: None, response: true },
            0xDB if printed => Self { command_from: Some(5), response: false },
            // A chained PUT DATA does not tell its tag again.
            0xDB if command.data.first() != Some(&0x5C) => Self { command_from: Some(0), response: false },
            _ => Self::NONE,
        }
    }

    /// Which bytes of a command are hidden.
    fn hidden(&self, bytes: &[u8]) -> std::ops::Range<usize> {
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

/// The command's name and what its parameters name.
#[must_use]
pub fn describe(bytes: &[u8]) -> String {
    let Ok(command) = Command::parse(bytes) else { return "not a command APDU".into() };
    let (p1, p2) = (command.p1, command.p2);
    let name = match command.ins {
        0x01 => "OTP: GET SERIAL".into(),
        0x1D => "READ CONFIG".into(),
        0x20 if p2 == 0x82 && command.data.is_empty() => "VERIFY, forget all (GIDS)".into(),
        0x20 if command.data.is_empty() && p1 == 0 => format!("VERIFY, status of {}", reference(p2)),
        0x20 if p1 == 0xFF => format!("VERIFY, forget {}", reference(p2)),
        0x20 => format!("VERIFY, {}", reference(p2)),
        0x22 => format!("MANAGE SECURITY ENVIRONMENT, {p1:02X} {p2:02X}"),
        0x24 => format!("CHANGE REFERENCE DATA, {}", reference(p2)),
        0x2A => format!("PERFORM SECURITY OPERATION, {p1:02X} {p2:02X}"),
        0x2C if p1 == 2 => format!("RESET RETRY COUNTER by administration key, {}", reference(p2)),
        0x2C => format!("RESET RETRY COUNTER, {}", reference(p2)),
        0x44 => "ACTIVATE FILE".into(),
        0x47 => format!("GENERATE ASYMMETRIC KEY PAIR, key {p2:02X}"),
        0x87 => format!("GENERAL AUTHENTICATE, algorithm {p1:02X}, key {p2:02X}"),
        0xA4 if p1 == 4 => format!("SELECT {}", application(command.data)),
        0xA4 => "SELECT file".into(),
        0xC0 => "GET RESPONSE".into(),
        0xCA => "GET DATA (even)".into(),
        0xCB => format!("GET DATA {}", object(command.data)),
        0xDB => format!("PUT DATA {}", object(command.data)),
        0xE0 => "CREATE FILE".into(),
        0xE4 => "DELETE FILE".into(),
        0xE6 => "TERMINATE DF".into(),
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
    if command.cla & 0x10 == 0 { name } else { format!("{name} (chained)") }
}

fn reference(p2: u8) -> String {
    match p2 {
        0x00 => "Global PIN".into(),
        0x80 => "PIN".into(),
        0x81 => "PUK".into(),
        other => format!("reference {other:02X}"),
    }
}

fn application(aid: &[u8]) -> String {
    let known: [(&[u8], &str); 4] = [
        (&[0xA0, 0x00, 0x00, 0x03, 0x08], "PIV"),
        (&[0xA0, 0x00, 0x00, 0x05, 0x27, 0x47], "YubiKey management"),
        (&[0xA0, 0x00, 0x00, 0x05, 0x27, 0x20], "YubiKey OTP"),
        (&[0xA0, 0x00, 0x00, 0x03, 0x97], "Microsoft (GIDS, plug and play)"),
    ];
    known.iter().find(|(prefix, _)| aid.starts_with(prefix)).map_or_else(|| spaced(aid), |(_, name)| (*name).into())
}

fn object(data: &[u8]) -> String {
    let tag = match data {
        [0x5C, length, rest @ ..] => rest.get(..usize::from(*length)).unwrap_or(rest),
        [0x7E, ..] => &[0x7E],
        _ => return String::new(),
    };
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
