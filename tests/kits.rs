//! What helps other people's tests: `doctor`, man pages and completions. [`crate::kit_languages`] has the kits.

use crate::common::{CARDLAB, Lab, cardlab, has, said};
use std::process::Command;

#[test]
fn the_doctor() {
    let lab = Lab::new("gids,name=Ward");
    let inside = |program: &str| lab.run(&[CARDLAB, "doctor", program]);
    has(
        &inside("opensc-tool").ok(),
        &["opens /lib", "libpcsclite.so.1 when it runs", "cardlab answers there, with one reader: Ward 00 00"],
    );
    has(&inside("yubico-piv-tool").ok(), &["it loads /", "libpcsclite.so.1 (named by "]);
    has(&inside("ykman").ok(), &["it is a script for /usr/bin/python3"]);
    lab.host("cp \"$(command -v opensc-tool)\" raised && chmod u+s raised && echo words > words && chmod +x words").ok();
    has(
        &inside("./raised").code(1),
        &["no   it is setuid: libpcsclite ignores PCSCLITE_CSOCK_NAME", "fix: run `cardlab up --system` as root"],
    );
    has(&inside("./words").code(1), &["is no program of this machine's kind"]);
    has(&inside("no-such-program").code(3), &["no-such-program: there is no such program"]);
    let text = lab.run(&[CARDLAB, "doctor"]).ok();
    assert!(text.starts_with("ok   programs load /") && text.contains("/libpcsclite.so.1\n"), "{text}");
    let mut outside = Command::new(CARDLAB);
    outside.args(["doctor"]).env("PCSCLITE_CSOCK_NAME", lab.file("nothing"));
    has(&said(outside.output().unwrap()).code(1), &["nothing: No such file", "fix: start `cardlab up`"]);
    outside.env("PCSCLITE_CSOCK_NAME", lab.file("words"));
    has(&said(outside.output().unwrap()).code(1), &["words is no socket"]);
}

#[test]
fn manual_pages_and_completions() {
    let lab = Lab::new("gids");
    let man = lab.file("man");
    cardlab(&["manual", "--man", man.to_str().unwrap()]).ok();
    let page = lab.read("man/cardlab-card-fault.1");
    has(&page, &["Arm a fault", "remove\\-after"]);
    for (shell, check) in [("bash", "bash -n"), ("zsh", "grep -q '#compdef cardlab'"), ("fish", "grep -q 'complete -c cardlab'")]
    {
        lab.host(&format!("{CARDLAB} manual --completions {shell} > c && {check} < c")).ok();
    }
    has(&cardlab(&["manual"]).code(2), &["--man", "--completions"]);
}

#[test]
fn output_that_nobody_reads() {
    let lab = Lab::new("gids");
    let text = lab.host(&format!("{CARDLAB} conform --list | head -1")).ok();
    assert!(text.starts_with("iso/") && !text.contains("panicked"), "{text}");
    lab.host(&format!("{CARDLAB} exec --card gids --trace t.jsonl -- opensc-tool -a")).ok();
    for what in ["profile list", "trace show t.jsonl", "trace history t.jsonl"] {
        has(&lab.host(&format!("{CARDLAB} {what} > /dev/full")).code(2), &["cardlab: stdout: No space left"]);
    }
    // What follows for ever: at the first line that nobody can take, and at the first after nobody listens.
    for what in ["trace tail", "card events"] {
        let until = format!("while kill -0 $! 2>/dev/null; do {CARDLAB} card touch auto || exit 9; done; wait $!");
        let full = lab.sh(&format!("{CARDLAB} {what} > /dev/full & {until}")).code(2);
        has(&full, &["cardlab: stdout: No space left"]);
        let quiet = lab.sh(&format!("{{ {CARDLAB} {what} & {until}; }} | true")).ok();
        assert!(!quiet.contains("cardlab:") && !quiet.contains("panicked"), "{quiet}");
    }
}
