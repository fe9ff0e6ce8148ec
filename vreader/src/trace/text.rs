//! Exchanges as readable text: bytes, the command's name, what the status word means.
//!
//! ```text
//! 0001 nist-piv > 00 20 00 80 08 [8 bytes masked]   VERIFY, PIN
//! 0001 nist-piv < 63 C2   wrong, tries left: 2
//! ```
//!
//! What was inside messages of a secure channel follows with `>>` and `<<`, where PINs and keys are shown.

use super::{Record, json};
use serde_json::Value;

/// The lines of a record. PINs and keys are masked unless `secrets`.
#[must_use]
pub fn write(record: &Record, secrets: bool) -> String {
    format!("{}\n", lines(&json::value(record, secrets)))
}

/// The lines of a record as [`json::value`] gives one, without the last one's end.
#[must_use]
pub fn lines(record: &Value) -> String {
    let text = |name: &str| record[name].as_str().unwrap_or_default();
    let card = text("card");
    if let Some(event) = record["event"].as_str() {
        let atr = spaced(text("atr"));
        return format!("---- {card} = {event}{}", if atr.is_empty() { atr } else { format!(", ATR {atr}") });
    }
    let number = record["n"].as_u64().unwrap_or_default();
    let bytes = |name: &str| match record[format!("{name}_masked").as_str()].as_str() {
        Some(masked) => masked.to_owned(),
        None => spaced(text(name)),
    };
    let asked = format!("{number:04} {card} > {}   {}", bytes("command"), text("name"));
    if record["response"].is_null() && record["response_masked"].is_null() {
        return format!("{asked}\n{number:04} {card} < no answer");
    }
    let mut lines = format!("{asked}\n{number:04} {card} < {}   {}", bytes("response"), text("meaning"));
    let inside = |name: &str| record["inside"][name].as_str().unwrap_or_default();
    if record["inside"].is_object() {
        let (command, response) = (spaced(inside("command")), spaced(inside("response")));
        lines += &format!("\n{number:04} {card} >> {command}   {}", inside("name"));
        lines += &format!("\n{number:04} {card} << {response}   {}", inside("meaning"));
    }
    lines
}

/// Hexadecimal digits with blanks between the bytes.
fn spaced(digits: &str) -> String {
    digits.as_bytes().chunks(2).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Inside, What};
    use std::time::Duration;

    fn shown(secrets: bool, command: &str, response: &str) -> String {
        let bytes = |text: &str| zeroize::Zeroizing::new(hex::decode(text).unwrap());
        let what = What::Exchange { command: bytes(command), response: Some(bytes(response)), inside: None, continues: false };
        write(&Record { number: 1, at: Duration::ZERO, card: "c".into(), took: None, program: None, what }, secrets)
    }

    /// A PIN that went through a secure channel is in its trace only where PINs are shown.
    #[test]
    fn what_was_inside_is_shown_with_secrets_alone() {
        let bytes = |text: &str| zeroize::Zeroizing::new(hex::decode(text).unwrap());
        let inside = Inside { command: bytes("0020008008313233343536FFFF"), response: bytes("9000") };
        let (command, response) = (bytes("0C2000800A8E080000000000000000"), Some(bytes("990290008E0800000000000000009000")));
        let what = What::Exchange { command, response, inside: Some(inside), continues: false };
        let record = Record { number: 1, at: Duration::ZERO, card: "c".into(), took: None, program: None, what };
        let shown = write(&record, true);
        assert!(
            shown.ends_with("0001 c >> 00 20 00 80 08 31 32 33 34 35 36 FF FF   VERIFY, PIN\n0001 c << 90 00   ok\n"),
            "{shown}"
        );
        let masked = write(&record, false);
        assert!(!masked.contains(">>") && !masked.contains("31 32"), "{masked}");
        assert!(masked.contains("VERIFY, PIN, wrapped"), "{masked}");
        let line = json::write(&record, true);
        assert_eq!(json::read(&line), Ok(vec![record]));
    }

    /// What stands in several exchanges is secret in all of them.
    #[test]
    fn the_rest_of_a_hidden_answer_and_of_a_chain_is_hidden() {
        let mut recorder = crate::trace::Trace::new(crate::trace::Ticks::Count).of("c");
        let mut exchange = |command: &str, response: &str| {
            let [command, response] = [command, response].map(|digits| hex::decode(digits).unwrap());
            write(&recorder.exchange(&command, Some(&response), None), false)
        };
        assert!(exchange("00CB3FFF055C035FC10900", "AA6102").contains("[1 bytes masked] 61 02"));
        assert!(exchange("00C0000001", "BB6101").contains("[1 bytes masked] 61 01"));
        assert!(exchange("00C0000001", "CC9000").contains("[1 bytes masked] 90 00"));
        assert!(exchange("00CB3FFF055C035FC10500", "AA6101").contains("AA 61 01"));
        assert!(exchange("00C0000001", "BB9000").contains("BB 90 00"), "a certificate is no secret");
        assert!(exchange("10DB3FFF095C035FC10953025C03", "9000").contains("5C 03 5F C1 09 [4 bytes masked]"));
        assert!(exchange("00DB3FFF055C035FC105", "9000").contains("[5 bytes masked]"), "a key that looks like a tag");
        assert!(exchange("00DB3FFF055C035FC105", "9000").contains("5C 03 5F C1 05"));
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
        // A vendor's object, the card holder's pairing code, a file of the administrator, and one that is not known.
        for command in ["00CB3FFF055C035FFF0000", "00CB3FFF055C035FC12300", "00CBA014045C02DF3000", "00CBA099045C02DF3000"] {
            assert!(shown(false, command, "530288009000").contains("[4 bytes masked] 90 00"), "{command}");
        }
        for command in ["00CB3FFF055C035FC10200", "00CB3FFF035C017E00", "00CB3FFF045C027F7100", "00CBA010045C02DF2200"] {
            assert!(shown(false, command, "530288009000").contains("53 02 88 00 90 00"), "{command}");
        }
        assert!(!shown(false, "00240080FF313233", "6700").contains("31 32"), "a cut command hides its data too");
    }
}
