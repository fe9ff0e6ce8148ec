//! An exchange taken apart for people: header, data objects as a tree, status word; what is masked stays masked.
//!
//! ```text
//! > 00 87 03 9B          GENERAL AUTHENTICATE, algorithm 03, key 9B
//!   7C 02                dynamic authentication template
//!     81 00              challenge
//! < 7C 0A                dynamic authentication template
//!     81 08 69 EC ..     challenge
//!   90 00                ok
//! ```

use super::decode::{Masks, outcome};
use super::{Record, What, spaced};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{Reader, Tlv, tag_bytes};

/// Deeper than any template of a standard; what lies deeper is shown as bytes.
const DEEPEST: usize = 12;
/// Bytes of a value in a line; of more the beginning.
const SHOWN: usize = 64;
/// Bit of a tag's first byte: constructed (ISO/IEC 7816-4:2020, section 6.3).
const CONSTRUCTED: u8 = 0x20;

/// A line of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How far in it stands.
    pub depth: usize,
    /// Bytes in hexadecimal, or how many are masked.
    pub bytes: String,
    /// What they are; may be empty.
    pub words: String,
}

/// An exchange taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// What was asked.
    pub command: Vec<Line>,
    /// What was answered; nothing when the card was silent.
    pub response: Vec<Line>,
}

/// Takes a record apart; `None` for an event. PINs and keys are masked unless `secrets`.
#[must_use]
pub fn of(record: &Record, secrets: bool) -> Option<Tree> {
    let What::Exchange { command, response, continues, .. } = &record.what else { return None };
    let masks = if secrets { Masks::NONE } else { Masks::of(command, *continues) };
    let hides = response.as_ref().is_some_and(|response| masks.hides_response(response));
    let response = response.as_ref().map(|bytes| answer(bytes, hides)).unwrap_or_default();
    Some(Tree { command: question(command, &masks), response })
}

fn line(depth: usize, bytes: impl Into<String>, words: impl Into<String>) -> Line {
    Line { depth, bytes: bytes.into(), words: words.into() }
}

fn question(bytes: &[u8], masks: &Masks) -> Vec<Line> {
    if masks.hides_command(bytes) {
        return vec![line(0, masks.command(bytes), masks.describe(bytes))];
    }
    let Ok(command) = Command::parse(bytes) else { return vec![line(0, shown(bytes), masks.describe(bytes))] };
    let mut lines = vec![line(0, spaced(&bytes[..4]), masks.describe(bytes))];
    data(command.data, 1, &mut lines);
    lines
}

fn answer(bytes: &[u8], hidden: bool) -> Vec<Line> {
    let Some((data_of, sw)) = bytes.split_last_chunk::<2>() else { return vec![line(0, spaced(bytes), outcome(bytes))] };
    let mut lines = Vec::new();
    if hidden {
        lines.push(line(1, format!("[{} bytes masked]", data_of.len()), ""));
    } else {
        data(data_of, 1, &mut lines);
    }
    lines.push(line(0, spaced(sw), outcome(bytes)));
    lines
}

/// Data objects where the bytes are some that one knows, else the bytes.
fn data(bytes: &[u8], depth: usize, lines: &mut Vec<Line>) {
    if bytes.is_empty() {
        return;
    }
    let objects: Result<Vec<Tlv<'_>>, _> = Reader::new(bytes).collect();
    match objects {
        Ok(objects) if depth <= DEEPEST && objects.iter().all(|object| depth > 1 || name(object.tag).is_some()) => {
            objects.iter().for_each(|object| put(object, depth, lines));
        }
        _ => lines.push(line(depth, shown(bytes), "")),
    }
}

fn put(object: &Tlv<'_>, depth: usize, lines: &mut Vec<Line>) {
    let tag: Vec<u8> = tag_bytes(object.tag).collect();
    let words = name(object.tag).unwrap_or_default();
    let head = format!("{} {}", spaced(&tag), length(object.value.len()));
    // 53 is primitive by its tag, and holds objects all the same (SP 800-73-4, part 1, section 4).
    let holds = tag[0] & CONSTRUCTED != 0 || object.tag == 0x53;
    let inside: Result<Vec<Tlv<'_>>, _> = Reader::new(object.value).collect();
    if holds && depth < DEEPEST && !object.value.is_empty() && inside.is_ok() {
        lines.push(line(depth, head, words));
        inside.iter().flatten().for_each(|object| put(object, depth + 1, lines));
    } else {
        lines.push(line(depth, format!("{head} {}", shown(object.value)).trim_end(), words));
    }
}

fn length(length: usize) -> String {
    match length {
        0..=0x7F => format!("{length:02X}"),
        0x80..=0xFF => format!("81 {length:02X}"),
        0x100..=0xFFFF => format!("82 {:02X} {:02X}", length >> 8, length & 0xFF),
        _ => format!("83 {:02X} {:02X} {:02X}", length >> 16, length >> 8 & 0xFF, length & 0xFF),
    }
}

fn shown(bytes: &[u8]) -> String {
    match bytes.get(..SHOWN) {
        Some(beginning) if bytes.len() > SHOWN => format!("{} … {} bytes", spaced(beginning), bytes.len()),
        _ => spaced(bytes),
    }
}

/// What a tag is called: SP 800-73-4 part 1 section 4 and part 2 sections 3.1 and 3.2.4, SP 800-73-4 part 1 appendix A, ISO/IEC
/// 7816-6.
fn name(tag: u32) -> Option<&'static str> {
    Some(match tag {
        0x4F => "application identifier",
        0x50 => "application label",
        0x53 => "data object",
        0x5C => "tag list",
        0x5F2F => "PIN usage policy",
        0x5F50 => "address of a description",
        0x61 => "application property template",
        0x6F => "file control information",
        0x70 => "certificate",
        0x71 => "certificate information",
        0x73 => "discretionary data",
        0x79 => "coexistent tag allocation authority",
        0x7C => "dynamic authentication template",
        0x7E => "discovery object",
        0x7F49 => "public key",
        0x80 => "witness, or a number",
        0x81 => "challenge, or a modulus",
        0x82 => "response, or an exponent",
        0x85 => "exponentiation",
        0x86 => "point",
        0xA5 => "proprietary information",
        0xAC => "cryptographic mechanisms",
        0xFE => "error detection code",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;
    use zeroize::Zeroizing;

    fn record(command: Vec<u8>, response: Option<Vec<u8>>) -> Record {
        let what = What::Exchange {
            command: Zeroizing::new(command),
            response: response.map(Zeroizing::new),
            inside: None,
            continues: false,
        };
        Record { number: 1, at: Duration::ZERO, card: "c".into(), took: None, program: None, what }
    }

    fn tree(command: &str, response: &str) -> Tree {
        let bytes = |digits: &str| hex::decode(digits).unwrap();
        of(&record(bytes(command), Some(bytes(response))), false).unwrap()
    }

    fn told(lines: &[Line]) -> Vec<String> {
        lines
            .iter()
            .map(|line| format!("{}{} {}", "  ".repeat(line.depth), line.bytes, line.words).trim_end().to_owned())
            .collect()
    }

    #[test]
    fn a_challenge() {
        let tree = tree("0087039B047C02810000", "7C0A810869EC798D078DBAE69000");
        assert_eq!(
            told(&tree.command),
            [
                "00 87 03 9B GENERAL AUTHENTICATE, algorithm 03, key 9B",
                "  7C 02 dynamic authentication template",
                "    81 00 challenge, or a modulus"
            ]
        );
        assert_eq!(
            told(&tree.response),
            ["  7C 0A dynamic authentication template", "    81 08 69 EC 79 8D 07 8D BA E6 challenge, or a modulus", "90 00 ok"]
        );
    }

    #[test]
    fn what_is_masked_stays_masked() {
        let pin = tree("0020008008313233343536FFFF", "63C2");
        assert_eq!(told(&pin.command), ["00 20 00 80 08 [8 bytes masked] VERIFY, PIN"]);
        let printed = tree("00CB3FFF055C035FC10900", "530288009000");
        assert_eq!(told(&printed.response), ["  [4 bytes masked]", "90 00 ok"]);
        assert_eq!(told(&printed.command)[1], "  5C 03 5F C1 09 tag list");
    }

    #[test]
    fn bytes_that_are_no_objects_are_bytes() {
        assert_eq!(told(&tree("0088009A02AABB", "CCDD9000").command)[1], "  AA BB");
        assert_eq!(told(&tree("0088009A02AABB", "90").response), ["90 no status word"]);
    }

    proptest! {
        /// Whatever comes in has its lines, and nothing of a PIN is in them.
        #[test]
        fn any_bytes_have_their_tree(command in prop::collection::vec(any::<u8>(), 0..80), response in prop::collection::vec(any::<u8>(), 0..80)) {
            let tree = of(&record(command, Some(response)), false).unwrap();
            prop_assert!(!tree.command.is_empty() && !tree.response.is_empty());
        }

        #[test]
        fn objects_in_objects_end(depth in 0..200_usize) {
            let value = (0..depth).fold(vec![], |inside, _| cardlab_protocol::tlv::encode(0x7C, &inside));
            let mut lines = Vec::new();
            data(&value, 1, &mut lines);
            prop_assert!(lines.len() <= DEEPEST + 1);
        }

        #[test]
        fn a_pin_is_in_no_line(pin in "[0-9]{8}") {
            let command = [&[0, 0x20, 0, 0x80, 8][..], pin.as_bytes()].concat();
            let lines = told(&of(&record(command, Some(vec![0x63, 0xC2])), false).unwrap().command).concat();
            prop_assert!(!lines.contains(&spaced(pin.as_bytes())), "{}", lines);
        }
    }
}
