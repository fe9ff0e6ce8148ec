//! Exchanges as readable text: bytes, the command's name, what the status word means.
//!
//! ```text
//! 0001 nist-piv > 00 20 00 80 08 [8 bytes masked]   VERIFY, PIN
//! 0001 nist-piv < 63 C2   wrong, tries left: 2
//! ```
//! PINs and keys are masked unless the trace is opened with secrets.

use cardlab_sim::apdu::Command;
use cardlab_sim::status::StatusWord;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// Where traces go; several cards share one.
pub type Sink = Arc<Mutex<Box<dyn Write + Send>>>;

/// The trace of one card.
#[derive(Clone)]
pub struct Trace {
    sink: Sink,
    label: String,
    secrets: bool,
    number: u64,
}

impl Trace {
    /// A trace whose lines carry `label`. With `secrets`, PINs and keys are not masked.
    #[must_use]
    pub const fn new(sink: Sink, label: String, secrets: bool) -> Self {
        Self { sink, label, secrets, number: 0 }
    }

    /// An event of the slot, such as a reset, with the ATR where there is one.
    pub fn event(&mut self, text: &str, atr: &[u8]) {
        let atr = if atr.is_empty() { String::new() } else { format!(", ATR {}", spaced(atr)) };
        self.line(&format!("---- {} = {text}{atr}\n", self.label));
    }

    /// A command and its answer; `None` when the card was silent.
    pub fn exchange(&mut self, command: &[u8], response: Option<&[u8]>) {
        self.number += 1;
        let (number, label) = (self.number, &self.label);
        let masks = if self.secrets { Masks::NONE } else { Masks::of(command) };
        let mut text = format!("{number:04} {label} > {}   {}\n", masks.command(command), describe(command));
        match response {
            Some(response) => {
                let _ = writeln!(text, "{number:04} {label} < {}   {}", masks.response(response), outcome(response));
            }
            None => {
                let _ = writeln!(text, "{number:04} {label} < no answer");
            }
        }
        self.line(&text);
    }

    fn line(&self, text: &str) {
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        // A trace that cannot be written must not stop the card.
        let _ = sink.write_all(text.as_bytes()).and_then(|()| sink.flush());
    }
}

fn spaced(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02X}")).collect::<Vec<_>>().join(" ")
}

/// What of an exchange must not be shown.
struct Masks {
    /// The command data from this offset on.
    command_from: Option<usize>,
    response: bool,
}

impl Masks {
    const NONE: Self = Self { command_from: None, response: false };

    fn of(bytes: &[u8]) -> Self {
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

    fn command(&self, bytes: &[u8]) -> String {
        let Some(from) = self.command_from else { return spaced(bytes) };
        let (start, length) = match Command::parse(bytes) {
            Ok(command) => (if command.extended { 7 } else { 5 }, command.data.len()),
            Err(_) => (4, bytes.len().saturating_sub(4)),
        };
        let shown = (start + from).min(bytes.len());
        let hidden = length.saturating_sub(from);
        if hidden == 0 {
            return spaced(bytes);
        }
        let tail = bytes.get(shown + hidden..).unwrap_or_default();
        let tail = if tail.is_empty() { String::new() } else { format!(" {}", spaced(tail)) };
        format!("{} [{hidden} bytes masked]{tail}", spaced(&bytes[..shown]))
    }

    fn response(&self, bytes: &[u8]) -> String {
        match bytes.split_last_chunk::<2>() {
            Some((data, sw)) if self.response && !data.is_empty() => format!("[{} bytes masked] {}", data.len(), spaced(sw)),
            _ => spaced(bytes),
        }
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

fn outcome(response: &[u8]) -> String {
    let Some((_, sw)) = response.split_last_chunk::<2>() else { return "no status word".into() };
    let sw = StatusWord(u16::from_be_bytes(*sw));
    match sw.retries() {
        Some(left) => format!("wrong or not verified, tries left: {left}"),
        None => sw.meaning().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(secrets: bool, command: &str, response: &str) -> String {
        #[derive(Clone, Default)]
        struct Buffer(Arc<Mutex<Vec<u8>>>);
        impl Write for Buffer {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let buffer = Buffer::default();
        let sink: Sink = Arc::new(Mutex::new(Box::new(buffer.clone())));
        let mut trace = Trace::new(sink, "c".into(), secrets);
        trace.exchange(&hex::decode(command).unwrap(), Some(&hex::decode(response).unwrap()));
        String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn pins_and_keys_are_masked() {
        let text = shown(false, "0020008008313233343536FFFF", "63C2");
        assert_eq!(
            text,
            "0001 c > 00 20 00 80 08 [8 bytes masked]   VERIFY, PIN\n0001 c < 63 C2   wrong or not verified, tries left: 2\n"
        );
        assert!(shown(true, "0020008008313233343536FFFF", "9000").contains("31 32 33 34 35 36 FF FF"));
        let text = shown(false, "00FFFFFF0B039B08AABBCCDDAABBCCDD", "9000");
        assert!(text.contains("0B 03 9B 08 [8 bytes masked]") && !text.contains("AA BB"), "{text}");
        let text = shown(false, "00CB3FFF055C035FC10900", "530288009000");
        assert!(text.contains("[4 bytes masked] 90 00"), "{text}");
        let text = shown(false, "00DB3FFF085C035FC109530188", "9000");
        assert!(text.contains("5C 03 5F C1 09 [3 bytes masked]"), "{text}");
        assert!(!shown(false, "00240080FF313233", "6700").contains("31 32"), "a cut command hides its data too");
    }
}
