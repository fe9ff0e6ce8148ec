//! `kill -9` while a card counts tries, and then a disk that flips a bit: no counter is ever higher than what the card
//! has told.
//!
//! The tries that a card gave back once: redb's usual commit falls back to the commit before when the last one does
//! not check, so that one flipped bit undid a guess that had been acknowledged (113 of 400 flips on a GIDS card).
//!
//! The process that is killed is this test itself, started again; it has a card and tells each try after the card has
//! answered. `cardlab up` is killed in `tests/kill.rs`.

use cardlab_sim::{Card, Profile, Random, World};
use cardlab_vreader::{StateDirectory, StateDirectoryError};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// More than a thousand together.
const KILLS_OF_EACH: u64 = 350;
/// How many of the files that a kill left are damaged afterwards, and how often each: 400 positions, and each bit of
/// the byte that says which commit counts.
const FILES: u64 = 20;
const FLIPS_OF_EACH: usize = 20;
const FLAGS: usize = 9;
const MOST: u8 = 10;
/// Longest life after the last try that was waited for, in microseconds: some tries.
const LONGEST_LIFE: u64 = 1_500;
const STATE: &str = "CARDLAB_TEST_STATE";

const PIV: &[u8] = &[0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08];
const GIDS: &[u8] = &[0x00, 0xA4, 0x04, 0x00, 0x0B, 0xA0, 0x00, 0x00, 0x03, 0x97, 0x42, 0x54, 0x46, 0x59, 0x02, 0x01];
const STATUS: &[u8] = &[0x00, 0x20, 0x00, 0x80];

/// A kind of card.
struct Kind {
    profile: &'static str,
    select: &'static [u8],
    pin: &'static [u8],
    test: &'static str,
}

/// How far a counter may be.
#[derive(Clone, Copy)]
struct Bounds {
    least: u8,
    most: u8,
}

impl Kind {
    fn card(&self, state: &StateDirectory) -> Card {
        let mut profile = Profile::builtin(self.profile).unwrap();
        profile.set("pin-tries", &MOST.to_string()).unwrap();
        let mut card = Card::new(profile, World { store: state.card(0), ..World::seeded(1) }).unwrap();
        card.power_on();
        assert!(card.transmit(self.select).unwrap().ends_with(&[0x90, 0x00]));
        card
    }

    fn verify(pin: &[u8]) -> Vec<u8> {
        [&[0x00, 0x20, 0x00, 0x80, pin.len() as u8], pin].concat()
    }

    /// Counts tries until it is killed, and tells each: `left N` when the card has said it, `right` before a PIN that
    /// gives all tries back.
    fn count(&self, directory: &Path) -> ! {
        let mut card = self.card(&StateDirectory::open(directory).unwrap());
        let mut stdout = std::io::stdout();
        let mut tell = |line: &str| stdout.write_all(format!("\n@{line}\n").as_bytes()).and_then(|()| stdout.flush()).unwrap();
        let mut left = tries(&mut card);
        loop {
            tell(&format!("left {left}"));
            if left > 2 {
                let answer = card.transmit(&Self::verify(b"99999999")).unwrap();
                assert_eq!(answer, [0x63, 0xC0 | (left - 1)]);
                left -= 1;
            } else if left > 0 {
                tell("right");
                assert_eq!(card.transmit(&Self::verify(self.pin)).unwrap(), [0x90, 0x00]);
                left = MOST;
            } else {
                std::thread::park();
            }
        }
    }

    /// Starts the counting, kills it after a while, and gives how far the counter may be.
    fn killed(&self, directory: &Path, before: Bounds, random: &mut Random) -> Bounds {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", self.test, "--nocapture"]).env(STATE, directory).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told = || lines.find_map(|line| line.unwrap().strip_prefix('@').map(str::to_owned));
        let first = told().expect("the card comes back");
        let left: u8 = first.strip_prefix("left ").unwrap().parse().unwrap();
        assert!(before.least <= left && left <= before.most, "{left} tries left, {} to {} can be", before.least, before.most);
        if left == 0 {
            // Kills in the middle of the right PIN have taken its last try, and rightly so: the next card.
            child.kill().unwrap();
            child.wait().unwrap();
            std::fs::remove_file(directory.join("cards.redb")).unwrap();
            return Bounds { least: MOST, most: MOST };
        }
        let mut bounds = Bounds { least: left - 1, most: left };
        let mut take = |line: &str| match line.strip_prefix("left ") {
            Some(left) => {
                let left: u8 = left.parse().unwrap();
                bounds = Bounds { least: left - 1, most: left };
            }
            None => bounds = Bounds { least: bounds.least, most: MOST },
        };
        for _ in 0..random.bytes::<1>()[0] % 12 {
            take(&told().expect("it counts on"));
        }
        std::thread::sleep(Duration::from_micros(u64::from(u16::from_le_bytes(random.bytes())) % LONGEST_LIFE));
        child.kill().unwrap();
        child.wait().unwrap();
        // A line is whole or is not there: what was told may have been acted on.
        while let Some(line) = told() {
            if line == "right" || line.starts_with("left ") && line.len() > 5 {
                take(&line);
            }
        }
        bounds
    }

    /// Flips bits of a file that a kill has left: how many are found, and how many change nothing.
    fn flipped(&self, image: &[u8], bounds: Bounds, random: &mut Random) -> (u32, u32) {
        let drawn = (0..FLIPS_OF_EACH).map(|n| {
            // Half of them in redb's header, where two commits stand side by side.
            let bytes = if n % 2 == 0 { 320 } else { image.len() };
            u32::from_le_bytes(random.bytes()) as usize % (bytes * 8)
        });
        let bits: Vec<usize> = (0..8).map(|bit| FLAGS * 8 + bit).chain(drawn).collect();
        let (mut found, mut harmless) = (0, 0);
        for bit in bits {
            let directory = tempfile::tempdir().unwrap();
            let mut image = image.to_vec();
            image[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(directory.path().join("cards.redb"), image).unwrap();
            match StateDirectory::open(directory.path()) {
                Ok(state) => {
                    let left = tries(&mut self.card(&state));
                    assert!(left <= bounds.most, "bit {bit}: {left} tries left, {} at most can be", bounds.most);
                    assert!(left >= bounds.least, "bit {bit}: {left} tries left, {} at least", bounds.least);
                    harmless += 1;
                }
                Err(StateDirectoryError::Damaged { .. }) => found += 1,
                Err(other) => panic!("bit {bit}: {other}"),
            }
        }
        (found, harmless)
    }

    fn survives(&self) {
        if let Some(directory) = std::env::var_os(STATE) {
            self.count(directory.as_ref());
        }
        let directory = tempfile::tempdir().unwrap();
        let mut random = Random::from_number(16, 2);
        let mut bounds = Bounds { least: MOST, most: MOST };
        let (mut found, mut harmless) = (0, 0);
        for round in 1..=KILLS_OF_EACH {
            bounds = self.killed(directory.path(), bounds, &mut random);
            let file = directory.path().join("cards.redb");
            if round % (KILLS_OF_EACH / FILES) == 0 && file.exists() {
                let image = std::fs::read(file).unwrap();
                let flips = self.flipped(&image, bounds, &mut random);
                (found, harmless) = (found + flips.0, harmless + flips.1);
            }
        }
        println!("{}: {KILLS_OF_EACH} kills; {found} flips were found, {harmless} changed nothing", self.profile);
        // How many of either is chance; that there were both is not.
        assert!(found > 10 && harmless > 10, "{found} found, {harmless} harmless: both must have been met");
    }
}

/// What the card says is left.
fn tries(card: &mut Card) -> u8 {
    match card.transmit(STATUS).unwrap()[..] {
        [0x63, left] => left & 0x0F,
        [0x69, 0x83] => 0,
        ref other => panic!("VERIFY without data: {other:02X?}"),
    }
}

#[test]
fn a_gids_card_gives_no_try_back() {
    Kind { profile: "gids", select: GIDS, pin: b"123456", test: "kills::a_gids_card_gives_no_try_back" }.survives();
}

#[test]
fn a_nist_piv_card_gives_no_try_back() {
    Kind { profile: "nist-piv", select: PIV, pin: b"123456\xFF\xFF", test: "kills::a_nist_piv_card_gives_no_try_back" }
        .survives();
}

#[test]
fn a_yubikey_gives_no_try_back() {
    Kind { profile: "yubikey-5.7", select: PIV, pin: b"123456\xFF\xFF", test: "kills::a_yubikey_gives_no_try_back" }.survives();
}
