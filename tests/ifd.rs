//! The IFD handler in Debian's pcscd: cardlab's readers for every program of the machine.

use crate::common::{CARDLAB, Lab, Up, has, said};
use cardlab_client::minidriver::Minidriver;
use cardlab_pcsclite::client::{Context, ShareMode};
use cardlab_pcsclite::code::state;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// A pcscd of the test's own, in namespaces where /run/pcscd is a directory of the lab.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn library() -> std::path::PathBuf {
    let path = Path::new(CARDLAB).with_file_name("libcardlab_ifd.so");
    assert!(path.is_file(), "{}: build it with `cargo build --package cardlab-ifd`, as tests/run does", path.display());
    path
}

#[test]
fn pcscd_shows_the_readers_of_cardlab() {
    let lab = Lab::new("gids");
    std::fs::create_dir_all(lab.file("run")).unwrap();
    std::fs::create_dir_all(lab.file("conf")).unwrap();
    let cards = lab.file("cards");
    let entry = |number: usize| {
        format!("FRIENDLYNAME \"bridge{number}\"\nDEVICENAME {}:{number}\nLIBPATH {}\n\n", cards.display(), library().display())
    };
    lab.write("conf/cardlab", &(entry(0) + &entry(1)));
    let up = Up::start(&lab, &["--card", "gids,pin-pad=on", "--card", "nist-piv", "--socket", cards.to_str().unwrap()]);
    let inside = "mkdir -p /run/pcscd; mount --bind run /run/pcscd; exec pcscd --foreground --config \"$PWD/conf\"";
    let mut daemon = Command::new("unshare");
    daemon.current_dir(lab.path()).args(["-mn", "--kill-child", "bash", "-euo", "pipefail", "-c", inside]);
    let log = std::fs::File::create(lab.file("log")).unwrap();
    let daemon = Daemon(daemon.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    // pcscd says nowhere that it is ready.
    let (socket, end) = (lab.file("run/pcscd.comm"), Instant::now() + Duration::from_secs(30));
    let context = loop {
        match Context::establish_at(&socket) {
            Ok(context) if context.readers().is_ok_and(|readers| readers.len() == 2) => break context,
            _ => assert!(Instant::now() < end, "{}", lab.read("log")),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let names: Vec<String> = context.readers().unwrap().into_iter().map(|reader| reader.name).collect();
    assert!(names[0].starts_with("bridge0 ") && names[1].starts_with("bridge1 "), "{names:?}");
    let drive = |arguments: &[&str]| {
        let mut command = Command::new(CARDLAB);
        said(command.arg("card").args(arguments).env("PCSCLITE_CSOCK_NAME", &cards).output().unwrap())
    };
    // A program of the machine spends a try of the card.
    {
        let mut card = context.connect(&names[0], ShareMode::Shared).unwrap();
        let mut opened = Minidriver::open(&mut card).unwrap();
        assert!(opened.card_authenticate_pin(b"999999").is_err());
        has(&drive(&["show", "--reader", "0"]).ok(), &["PIN: 2 of 3"]);
        opened.card_authenticate_pin(b"123456").unwrap();
        // A cold and a warm reset come through: the login is gone.
        drive(&["reset", "--reader", "0"]).ok();
        let features = card.control(0x4200_0D48, &[]);
        assert!(features.is_ok_and(|features| features.chunks(6).any(|record| record[0] == 0x06)), "the keypad is offered");
    }
    // Out and in again: waiting programs are told by an event.
    let present = |readers: &[cardlab_pcsclite::wire::ReaderState]| readers[1].state & state::PRESENT != 0;
    for wanted in [false, true] {
        drive(&[if wanted { "insert" } else { "remove" }, "--reader", "1"]).ok();
        let mut known = context.readers().unwrap();
        let end = Instant::now() + Duration::from_secs(30);
        while present(&known) != wanted {
            assert!(Instant::now() < end, "pcscd has not noticed: {}", lab.read("log"));
            known = context.wait_for_change(&known, Duration::from_secs(10)).unwrap();
        }
    }
    // cardlab goes: the readers are empty, and pcscd lives on.
    drop(up);
    let mut known = context.readers().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while known.iter().any(|reader| reader.state & state::PRESENT != 0) {
        assert!(Instant::now() < end, "the cards are still there: {}", lab.read("log"));
        known = context.wait_for_change(&known, Duration::from_secs(5)).unwrap();
    }
    drop(daemon);
}
