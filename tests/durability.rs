//! Disks that are full, files that are empty or endless: said in a sentence, and healed where that can be.

use crate::common::{CARDLAB, Lab, Up, has, said};
use std::fs::File;
use std::process::Command;

/// As `ulimit -f` counts for bash, in KiB: too little for a new state file.
const NOTHING: &str = "8";

#[test]
fn an_empty_or_cut_state_file_is_damaged_and_no_new_card() {
    let lab = Lab::new("gids").kept();
    lab.run(&["true"]).ok();
    let file = lab.file("state/cards.redb");
    let whole = std::fs::read(&file).unwrap();
    for (bytes, why) in [(&[][..], "it is empty"), (&whole[..whole.len() / 2], "truncated")] {
        std::fs::write(&file, bytes).unwrap();
        has(&lab.run(&["true"]).code(2), &["cards.redb is damaged", why, "move it away to start with new cards"]);
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "left as it was");
    }
    std::fs::rename(&file, lab.file("away")).unwrap();
    lab.run(&["true"]).ok();
}

#[test]
fn a_first_start_without_space_leaves_nothing_behind() {
    let lab = Lab::new("gids").kept();
    let start = format!("trap '' XFSZ; ulimit -S -f {NOTHING}; exec {CARDLAB} exec --card gids --state state -- true");
    let text = lab.host(&start).code(2);
    has(&text, &["state directory state: ", "File too large"]);
    assert_eq!(std::fs::read_dir(lab.file("state")).unwrap().count(), 0, "nothing that could be taken for a card");
    lab.run(&["true"]).ok();
}

#[test]
fn a_disk_that_has_space_again_serves_again() {
    let lab = Lab::new("gids");
    let mut command = Command::new("bash");
    let script = format!("trap '' XFSZ; exec {CARDLAB} up --socket s --card gids --state state");
    let up = Up::from(command.current_dir(lab.path()).args(["-c", &script]));
    let limit = |bytes: &str| {
        let pid = up.child.id().to_string();
        said(Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:")]).output().unwrap()).ok();
    };
    let verify =
        |pin: &str| up.sh(&lab, &format!("opensc-tool -c default -s 00A4040409A0000003974254465900 -s 0020008006{pin}")).ok();
    limit("0");
    for _ in 0..3 {
        has(&verify("393939393939"), &["SW1=0x65, SW2=0x81"]);
    }
    limit("unlimited");
    has(&verify("393939393939"), &["SW1=0x63, SW2=0xC2"]);
    assert_eq!(up.stop("-KILL"), None);
    let lab = lab.kept();
    has(&lab.run(&[CARDLAB, "card", "status"]).ok(), &["2 of 3"]);
}

#[test]
fn what_is_too_large_or_never_ends_is_not_read_to_its_end() {
    let lab = Lab::new("nist-piv");
    File::create(lab.file("huge")).unwrap().set_len(3 << 30).unwrap();
    for file in ["huge", "/dev/zero"] {
        let snapshot = format!("@{file}");
        let run = |arguments: &[&str]| said(Command::new(CARDLAB).current_dir(lab.path()).args(arguments).output().unwrap());
        for arguments in [
            &["scenario", "run", file][..],
            &["scenario", "check", file],
            &["unlock", "--settings", file],
            &["exec", "--card", &snapshot, "--", "true"],
            &["conform", "--expect", file],
            &["conform", "--target", "pcsc", "--credentials", file],
            &["response", "--key-file", file, "0011223344556677"],
            &["trace", "show", file],
        ] {
            let text = run(arguments).code(2);
            has(&text, &[file, "larger than ", " MiB; give another file"]);
        }
    }
}

#[test]
fn sixty_sealed_snapshots_at_once_take_the_memory_of_one() {
    let lab = Lab::new("gids");
    let up = Up::start(&lab, &["--socket", "s", "--card", "gids"]);
    let script =
        "export CARDLAB_PASSPHRASE=pw; for i in $(seq 60); do $CARDLAB card snapshot --secrets sealed > snapshot.$i & done; wait";
    up.sh(&lab, script).ok();
    for n in 1..=60 {
        has(&lab.read(&format!("snapshot.{n}")), &["secrets = \"sealed\""]);
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", up.child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak > 64 * 1024, "a seal takes 64 MiB: {peak} KiB");
    assert!(peak < 400 * 1024, "sixty of them at once take 3,840 MiB: {peak} KiB");
}
