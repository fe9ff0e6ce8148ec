//! A fixed session on every profile, byte for byte: what changes here changes what clients see.

use crate::common::{Bench, PROFILES, bench, padded};
use std::fmt::Write;

/// Commands that OpenSC, yubico-piv-tool, ykman, pivy and Windows send on connect, then some work.
const SCRIPT: [(&str, &str); 30] = [
    ("Windows plug and play", "00A404000BA0000003974349445F010000"),
    ("Windows plug and play data", "00CA7F6800"),
    ("master file", "00A40000023F00"),
    ("PIV by 9 bytes", "00A4040009A0000003080000100000"),
    ("PIV by extended SELECT", "00A404000000 0BA0000003080000100001000000"),
    ("version", "00FD000000"),
    ("serial", "00F8000000"),
    ("discovery", "00CB3FFF035C017E00"),
    ("CCC", "00CB3FFF055C035FC10700"),
    ("CHUID", "00CB3FFF055C035FC10200"),
    ("CHUID, 16 bytes", "00CB3FFF055C035FC10210"),
    ("rest of the CHUID", "00C0000000"),
    ("key history", "00CB3FFF055C035FC10C00"),
    ("certificate 9A", "00CB3FFF055C035FC10500"),
    ("printed information", "00CB3FFF055C035FC10900"),
    ("PIN status, case 1", "00200080"),
    ("PIN status, case 2", "0020008000"),
    ("PUK status", "00200081"),
    ("random numbers of OpenSC", "0087009B047C02810000"),
    ("metadata of 9B", "00F7009B00"),
    ("metadata of the PIN", "00F7008000"),
    ("metadata of 9A", "00F7009A00"),
    ("wrong PIN", "@000000"),
    ("right PIN", "@123456"),
    ("PIN status", "00200080"),
    ("printed information", "00CB3FFF055C035FC10900"),
    ("forget", "0020FF80"),
    ("signature without a key", "0087119A0A7C0882008104AABBCCDD00"),
    ("PUT DATA without 9B", "00DB3FFF085C035FC105530100"),
    ("RESET", "00FB0000"),
];

fn transcript(b: &mut Bench) -> String {
    let mut out = String::new();
    for (what, command) in SCRIPT {
        let command = match command.strip_prefix('@') {
            Some(pin) => format!("0020008008{}", padded(pin)),
            None => command.replace(' ', ""),
        };
        let response = b.send(&command);
        writeln!(out, "{what}\n> {command}\n< {response}").unwrap();
    }
    out
}

#[test]
fn sessions_by_profile() {
    for profile in PROFILES {
        let mut b = bench(profile, &[("serial", "12345678")]);
        insta::assert_snapshot!(profile, transcript(&mut b));
    }
}
