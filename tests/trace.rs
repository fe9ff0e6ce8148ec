//! Recordings: read by Wireshark's terminal program, shown, and sent to a card again.

use crate::common::{self, CARDLAB, Lab, has};

const WORK: &str = "pkcs11-tool --module /usr/lib/x86_64-linux-gnu/opensc-pkcs11.so -l --pin 123456 -O >&2; \
                    yubico-piv-tool -a verify-pin -P 999999 >&2 || true";

#[test]
fn wireshark_reads_the_capture() {
    let lab = Lab::new("yubikey-5.4,9a=new:p256").with(&["--seed", "3", "--trace", "t.pcapng"]);
    lab.sh(WORK).ok();
    let text = lab.host("tshark -r t.pcapng 2>/dev/null").ok();
    has(&text, &["Card → Interface    ISO 7816", "ATR, TA(1)", "Select file", "Response APDU (to Select file)", "Verify"]);
    assert!(!text.to_lowercase().contains("malformed"), "{text}");
    // The PIN is not in it.
    lab.host("! grep -c 123456 t.pcapng").ok();
}

/// Masked, it is shown as it was written for people; sent to a card again it cannot be.
#[test]
fn what_is_masked_is_shown_masked() {
    let lab = Lab::new("yubikey-5.4,9a=new:p256");
    for file in ["t.txt", "t.jsonl", "t.pcapng"] {
        let seeded = Lab::new("yubikey-5.4,9a=new:p256").with(&["--seed", "3", "--trace", file]);
        seeded.sh(WORK).ok();
        std::fs::copy(seeded.file(file), lab.file(file)).unwrap();
    }
    let text = lab.read("t.txt");
    has(&text, &["00 20 00 80 08 [8 bytes masked]   VERIFY, PIN"]);
    for file in ["t.jsonl", "t.pcapng"] {
        assert_eq!(lab.host(&format!("{CARDLAB} trace show {file}")).ok(), text, "{file}");
        let replayed = lab.sh(&format!("{CARDLAB} trace replay {file}")).code(2);
        has(&replayed, &["masked: record with --trace-secrets to read it back"]);
    }
    lab.write("cut.jsonl", "{\"n\":1,\"at\":0.1,\"card\":\"x\",\"response_masked\":\"[1 bytes masked] 90 00\"}\n");
    has(&lab.host(&format!("{CARDLAB} trace show cut.jsonl")).code(2), &["line 1: no record of a trace: 'command' is missing"]);
    lab.write("escape.jsonl", "{\"n\":1,\"at\":0.1,\"card\":\"x\\u001b[2J\",\"command_masked\":\"00\",\"response\":\"9000\"}\n");
    assert_eq!(lab.host(&format!("{CARDLAB} trace show escape.jsonl")).ok(), "0001 x[2J > 00   \n0001 x[2J < 90 00   \n");
}

#[test]
fn every_form_says_the_same() {
    let lab = Lab::new("yubikey-5.4,9a=new:p256");
    let record = |file: &str| {
        let lab = Lab::new("yubikey-5.4,9a=new:p256").with(&["--seed", "3", "--trace-secrets", "--trace", file]);
        lab.sh(WORK).ok();
        std::fs::read(lab.file(file)).unwrap()
    };
    let [text, json, pcapng] = ["t.txt", "t.jsonl", "t.pcapng"].map(|file| {
        let bytes = record(file);
        std::fs::write(lab.file(file), &bytes).unwrap();
        bytes
    });
    let shown = |file: &str| lab.host(&format!("{CARDLAB} trace show {file}")).ok();
    assert_eq!(shown("t.jsonl"), String::from_utf8(text).unwrap());
    assert_eq!(shown("t.pcapng"), shown("t.jsonl"));
    assert_eq!((record("t.jsonl"), record("t.pcapng")), (json, pcapng), "the same seed gives the same bytes");
    has(&lab.host(&format!("{CARDLAB} trace show t.txt")).code(2), &["traces for people (text) cannot be read back"]);
    lab.write("cut.jsonl", "{\"n\":1,\"at\":0.1,\"card\":\"x\",\"command\":\"0\"}\n");
    has(&lab.host(&format!("{CARDLAB} trace show cut.jsonl")).code(2), &["line 1: 'command' is not hexadecimal"]);
}

/// What a pipe's reader has is what would be in a file, to the last record.
#[test]
fn a_pipe_that_is_read_has_all_of_it() {
    let record = |lab: &Lab| lab.exec().args(["bash", "-c", WORK]).output().unwrap().stdout;
    let recorded = |to: &str| Lab::new("yubikey-5.4,9a=new:p256").with(&["--seed", "3", "--trace", to]);
    let (file, pipe) = (recorded("t"), recorded("/dev/stdout"));
    record(&file);
    assert_eq!(String::from_utf8(record(&pipe)).unwrap(), file.read("t"));
}

/// A recording of a secure channel: what was on the wire, and with secrets what was inside; Wireshark reads it all the same.
#[test]
fn what_goes_through_a_secure_channel_is_recorded_outside_and_inside() {
    let ykman = concat!(env!("CARGO_MANIFEST_DIR"), "/target/ykman/bin/ykman");
    let work = format!("HOME=$PWD {ykman} --scp-sd 1 0 piv info >&2");
    let record = |file: &str, options: &[&str]| {
        let lab = Lab::new("yubikey-5.7,version=5.7.4").with(&["--trace", file]).with(options);
        lab.sh(&work).ok();
        lab
    };
    for file in ["t.jsonl", "t.pcapng"] {
        let lab = record(file, &["--trace-secrets"]);
        let text = lab.host(&format!("{CARDLAB} trace show {file}")).ok();
        has(&text, &["INITIALIZE UPDATE, key set 00", " > 84 82 33 00 ", ", wrapped", " >> 00 F7 00 9B", " << 01 01 0A"]);
    }
    let lab = record("t.pcapng", &["--trace-secrets"]);
    let text = lab.host("tshark -r t.pcapng 2>/dev/null").ok();
    has(&text, &["ISO 7816", "Response APDU"]);
    assert!(!text.to_lowercase().contains("malformed"), "{text}");
    let lab = record("t.txt", &[]);
    assert!(!lab.read("t.txt").contains(">>"), "without secrets nothing of what was inside is told");
}

#[test]
fn a_recording_is_sent_again() {
    let lab = Lab::new("yubikey-5.4,9a=new:p256");
    let seeded = |lab: &Lab, seed: &str, card: &str, script: &str| {
        let mut command = std::process::Command::new(CARDLAB);
        command
            .current_dir(lab.path())
            .args(["exec", "--seed", seed, "--card", card, "--", "bash", "-euo", "pipefail", "-c", script]);
        common::said(command.output().unwrap())
    };
    let mut record = std::process::Command::new(CARDLAB);
    record.current_dir(lab.path()).args(["exec", "--seed", "7", "--card", "yubikey-5.4,9a=new:p256", "--trace", "t.jsonl"]);
    record.args(["--trace-secrets", "--", "bash", "-c", WORK]);
    common::said(record.output().unwrap()).ok();
    let replay = format!("{CARDLAB} trace replay t.jsonl");
    let same = seeded(&lab, "7", "yubikey-5.4,9a=new:p256", &replay).ok();
    has(&same, &[" commands, 0 answered otherwise"]);
    let other = seeded(&lab, "7", "yubikey-4.3,9a=new:p256", &replay).code(1);
    has(&other, &["< recorded: ", "< now:      ", " answered otherwise"]);
    lab.write("empty.jsonl", "");
    has(&seeded(&lab, "7", "gids", &format!("{CARDLAB} trace replay empty.jsonl")).code(2), &["there is nothing in it"]);
}

/// Whatever reads a file of ours refuses what is none, in words and with the file's name, and makes nothing of it.
#[test]
fn what_is_no_recording_no_snapshot_and_no_scenario_is_refused_in_words() {
    let lab = Lab::new("gids").with(&["--trace-secrets", "--trace", "whole.jsonl"]);
    lab.sh(&format!("{CARDLAB} card lock pin >&2; {CARDLAB} card snapshot --secrets clear -o whole.toml")).ok();
    let capture = Lab::new("gids").with(&["--trace-secrets", "--trace", "whole.pcapng"]);
    capture.sh(&format!("{CARDLAB} card lock pin >&2")).ok();
    let capture = std::fs::read(capture.file("whole.pcapng")).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(lab.file(name), bytes).unwrap();
    write("cut.jsonl", lab.read("whole.jsonl").trim_end().split_at(300).0.as_bytes());
    write("cut.pcapng", &capture[..capture.len() - 30]);
    write("head.pcapng", &capture[..20]);
    write("cut.toml", &lab.read("whole.toml").as_bytes()[..700]);
    write("empty", b"");
    write("blank", b"\n \n");
    write("garbage", &[0xC3, 0x28, 0x00, 0xFF].repeat(500));
    std::fs::create_dir(lab.file("directory")).unwrap();
    let nothing = "there is nothing in it";
    let (directory, binary) = ("it is a directory; name a file", "neither JSON lines nor pcapng");
    for (file, says) in [
        ("empty", nothing),
        ("blank", nothing),
        ("directory", directory),
        ("garbage", binary),
        ("cut.jsonl", "it ends in the middle: the recording is cut off here"),
        ("cut.pcapng", "it ends in the middle: the recording is cut off here"),
        ("head.pcapng", "it ends in its first block: the recording is cut off"),
    ] {
        for command in ["trace show", "trace history -o made.html", "trace replay", "exec --card replay:"] {
            let script = match command.ends_with(':') {
                true => format!("{CARDLAB} {command}{file} -- true"),
                false => format!("{CARDLAB} {command} {file}"),
            };
            has(&lab.sh(&script).code(2), &[&format!("{file}: "), says]);
        }
    }
    assert!(!lab.file("made.html").exists(), "nothing was written");
    let text = "not text in UTF-8";
    for (file, says) in
        [("empty", nothing), ("blank", nothing), ("directory", directory), ("garbage", text), ("cut.toml", "line ")]
    {
        for script in [
            format!("{CARDLAB} exec --card @{file} -- true"),
            format!("{CARDLAB} card restore {file}"),
            format!("{CARDLAB} scenario run {file}"),
            format!("{CARDLAB} scenario check {file}"),
        ] {
            has(&lab.sh(&script).code(2), &[&format!("{file}: "), says]);
        }
    }
    lab.write("own.toml", "title = \"Own\"\n[[step]]\ndo = \"look\"\n");
    has(&lab.host(&format!("cat own.toml | {CARDLAB} scenario run /dev/stdin")).ok(), &["holds"]);
}
