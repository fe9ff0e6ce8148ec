//! State files as one meets them: of each format that was ever released, empty, or something else.

use cardlab_sim::{Card, World};
use cardlab_vreader::{StateDirectory, StateDirectoryError};
use std::path::Path;

/// Of format 1: a GIDS card with 2 of 3 tries left, a YubiKey with 3 of 5; closed in order, and killed.
const RELEASED: [(&str, &[u8]); 2] =
    [("1", include_bytes!("formats/cards-1.redb")), ("1, killed", include_bytes!("formats/cards-1-killed.redb"))];

const GIDS: &[u8] = &[0x00, 0xA4, 0x04, 0x00, 0x0B, 0xA0, 0x00, 0x00, 0x03, 0x97, 0x42, 0x54, 0x46, 0x59, 0x02, 0x01];
const PIV: &[u8] = &[0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08];

fn card(directory: &Path, number: u16, select: &[u8]) -> Card {
    let state = StateDirectory::open(directory).unwrap();
    let store = state.card(number);
    let profile = Card::stored_profile(&*store).unwrap();
    let mut card = Card::new(profile, World { store, ..World::seeded(1) }).unwrap();
    card.power_on();
    assert!(card.transmit(select).unwrap().ends_with(&[0x90, 0x00]));
    card
}

fn verify(pin: &[u8]) -> Vec<u8> {
    [&[0x00, 0x20, 0x00, 0x80, pin.len() as u8], pin].concat()
}

#[test]
fn a_file_of_each_released_format_is_read_and_written() {
    for (format, bytes) in RELEASED {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("cards.redb"), bytes).unwrap();
        let mut gids = card(directory.path(), 0, GIDS);
        assert_eq!(gids.transmit(&verify(b"999999")).unwrap(), [0x63, 0xC1], "format {format}");
        drop(gids);
        let mut gids = card(directory.path(), 0, GIDS);
        assert_eq!(gids.transmit(&verify(b"999999")).unwrap(), [0x63, 0xC0], "format {format}: what was spent stays spent");
        drop(gids);
        let mut yubikey = card(directory.path(), 1, PIV);
        assert_eq!(yubikey.transmit(&verify(b"99999999")).unwrap(), [0x63, 0xC2], "format {format}");
        assert_eq!(yubikey.transmit(&verify(b"123456\xFF\xFF")).unwrap(), [0x90, 0x00], "format {format}");
    }
}

#[test]
fn what_is_no_state_file_is_named_and_left_alone() {
    let refused = |make: &dyn Fn(&Path)| {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("cards.redb");
        make(&file);
        let before = file.symlink_metadata().unwrap().len();
        let error = StateDirectory::open(directory.path()).err().expect("refused");
        assert_eq!(file.symlink_metadata().unwrap().len(), before, "left as it was: {error}");
        error
    };
    let damaged = |make: &dyn Fn(&Path)| match refused(make) {
        StateDirectoryError::Damaged { reason, .. } => reason,
        other => panic!("{other}"),
    };
    assert_eq!(damaged(&|file| std::fs::write(file, b"").unwrap()), "it is empty");
    damaged(&|file| std::fs::write(file, b"redb").unwrap());
    damaged(&|file| std::fs::write(file, [0; 100_000]).unwrap());
    for (_, bytes) in RELEASED {
        damaged(&|file| std::fs::write(file, &bytes[..bytes.len() / 2]).unwrap());
    }
    assert!(matches!(refused(&|file| std::fs::create_dir(file).unwrap()), StateDirectoryError::Open { .. }));
    let error = refused(&|file| std::os::unix::fs::symlink("/dev/zero", file).unwrap()).to_string();
    assert!(error.ends_with("cards.redb is not a file"), "{error}");
}

#[test]
fn what_a_start_left_that_was_cut_off_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("cards.redb.new"), b"half of a file").unwrap();
    let state = StateDirectory::open(directory.path()).unwrap();
    assert!(state.cards().unwrap().is_empty());
    assert!(!directory.path().join("cards.redb.new").exists());
}
