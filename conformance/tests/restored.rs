//! What becomes of a card that is somebody's: it is as it was, or the report says what is not, and why.

use crate::theirs::{HONEST, Malice, Reader, quick};
use cardlab_client::transport::TransportError;
use cardlab_conformance::catalogue::all;
use cardlab_conformance::credentials::Credentials;
use cardlab_conformance::report::Outcome;
use cardlab_conformance::run::{Settings, run};
use cardlab_conformance::target::{Slot, Target};
use cardlab_conformance::test::{Danger, Test};
use cardlab_sim::nvm::RecordId;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Areas of a card's memory: all but counters and secrets, which `harm` compares, and keys.
const CONTENT: [u8; 3] = [3, 4, 5];
const KEYS: u8 = 2;

fn memory(reader: &Reader, areas: &[u8]) -> BTreeMap<RecordId, Vec<u8>> {
    let nvm = reader.theirs.card.0.nvm();
    areas.iter().flat_map(|area| nvm.area(*area)).map(|(id, bytes)| (id, bytes.to_vec())).collect()
}

fn theirs(profile: &str, danger: Danger, malice: Malice) -> Reader {
    Reader::new(profile, danger, |known| known.puk_tries = Some(3), malice)
}

/// Keys and others that stay, as the report tells them.
fn stays(reader: &Reader) -> (Vec<String>, Vec<String>) {
    let told = reader.owned.afterwards().stays;
    let keys = told.iter().filter_map(|left| left.what.strip_prefix("the key in ")).map(str::to_owned).collect();
    let others = told.iter().filter(|left| !left.what.starts_with("the key in "));
    (keys, others.map(|left| format!("{}: {}", left.what, left.why)).collect())
}

const EMPTY: &str = ": absent before, empty now: the card does not delete it";

#[test]
fn a_card_is_as_it_was_but_for_the_keys_that_were_announced() {
    for (profile, announced) in
        [("nist-piv", "9A, 9C, 9D, 9E"), ("piv-admin", "9A, 9C, 9D, 9E"), ("yubikey-5.7", "82, 9A, 9C, 9D, 9E"), ("gids", "")]
    {
        for danger in [Danger::ChangesKeys, Danger::Locks] {
            let mut reader = theirs(profile, danger, HONEST);
            let before = memory(&reader, &CONTENT);
            let tests = all();
            let quick = quick(&tests);
            let lines = reader.prepare(&quick).unwrap();
            let said = lines.iter().find_map(|line| line.strip_prefix("keys that are lost, and stay as the tests leave them: "));
            assert_eq!(said.unwrap_or_default(), announced, "{profile} at {danger}");
            let records = run(&mut reader, &quick, Settings::default(), &mut |_| {});
            let unread: Vec<&str> =
                records.iter().filter(|r| r.reason.contains("could not be read before")).map(|r| r.reason.as_str()).collect();
            assert!(unread.iter().all(|why| profile == "gids" && why.starts_with("object DF30 of file A011 ")), "{unread:#?}");
            let mut after = memory(&reader, &CONTENT);
            let (keys, others) = stays(&reader);
            assert_eq!(keys.join(", "), announced, "{profile} at {danger}");
            // Some of these cards know no absent object once there was one.
            let emptied: Vec<RecordId> = after.keys().filter(|id| !before.contains_key(id)).copied().collect();
            assert!(emptied.iter().all(|id| after[id].is_empty()), "{profile} at {danger}");
            assert_eq!(others.len(), emptied.len(), "{profile} at {danger}: {others:#?}");
            assert!(others.iter().all(|thing| thing.ends_with(EMPTY)), "{profile} at {danger}: {others:#?}");
            assert!(profile != "gids" || emptied.is_empty(), "a GIDS card deletes");
            after.retain(|id, _| before.contains_key(id));
            assert_eq!(after, before, "{profile} at {danger}");
            let back = reader.owned.afterwards().put_back;
            assert!(back.iter().any(|thing| thing == "the PIN and its tries"), "{profile} at {danger}: {back:?}");
        }
    }
}

#[test]
fn below_changes_keys_nothing_is_changed() {
    for profile in ["nist-piv", "gids"] {
        for danger in [Danger::Safe, Danger::SpendsTries] {
            let mut reader = theirs(profile, danger, HONEST);
            let before = memory(&reader, &[KEYS, 3, 4, 5]);
            reader.judged();
            assert_eq!(memory(&reader, &[KEYS, 3, 4, 5]), before, "{profile} at {danger}");
            assert!(reader.owned.afterwards().stays.is_empty(), "{profile} at {danger}");
        }
    }
}

#[test]
fn what_may_be_written_is_said_place_by_place() {
    let tests = all();
    let lines = |profile: &str, begin: &str| {
        let chosen: Vec<&Test> = quick(&tests).into_iter().filter(|test| test.id.starts_with(begin)).collect();
        let all = theirs(profile, Danger::ChangesKeys, HONEST).prepare(&chosen).unwrap();
        all.into_iter().filter(|line| !line.starts_with("PIN: ") && !line.starts_with("administrator key: ")).collect::<Vec<_>>()
    };
    assert_eq!(
        lines("gids", "gids/2.0/"),
        [
            "objects that are absent, written, and deleted again where the card can, else left empty: DF30 of A000, DF30 of \
             A010, DF31 of A010, DF31 of A012, DF30 of A013, DF31 of A014, DF30 of A020, DF30 of B080",
            "objects that cannot be read, and are not written: DF30 of A011",
            "files that are made and deleted again: A020",
        ]
    );
    assert_eq!(
        lines("nist-piv", "piv/800-73-4-2/3.3.2/"),
        [
            "keys that are lost, and stay as the tests leave them: 9A, 9C, 9D, 9E",
            "objects that are absent, written, and deleted again where the card can, else left empty: 5FC105",
        ]
    );
    assert_eq!(lines("nist-piv", "piv/800-73-4-2/3.2.1/"), [""; 0], "nothing is written");
}

/// With a wrong PIN in the file the objects that it protects cannot be read: they were written all the same, and were lost.
#[test]
fn what_cannot_be_read_is_not_written() {
    const FINGERPRINTS: RecordId = RecordId::new(3, 0x5F_C103);
    let mistyped = |known: &mut Credentials| known.pin = Some(Zeroizing::new("739164".into()));
    let mut reader = Reader::new("nist-piv", Danger::ChangesKeys, mistyped, HONEST);
    let mut transaction = reader.theirs.card.0.nvm_mut().begin();
    transaction.write(FINGERPRINTS, b"\x01\x02\x03").unwrap();
    transaction.commit().unwrap();
    let records = reader.judged();
    assert_eq!(reader.theirs.card.0.nvm().read(FINGERPRINTS), Some(&b"\x01\x02\x03"[..]));
    let why = "object 5FC103 could not be read before, so that nothing could put it back: it is not written";
    assert!(records.iter().any(|record| record.outcome == Outcome::NotRun && record.reason == why));
    assert!(!records.iter().any(|record| record.reason.contains("could not be brought back")));
}

/// A GIDS card that keeps an empty object: it cannot delete, and every object that was absent is told of.
#[test]
fn an_object_that_cannot_be_deleted_is_told_of() {
    let malice: Malice = |theirs, command| {
        if let [0x00, 0xDB, 0xA0, 0x10, 0x03, 0xDF, 0x30, 0x00, ..] = command {
            theirs.count += 1;
        }
        let answer = theirs.card.transmit(command);
        let asked = matches!(command, [_, 0xCB, 0xA0, 0x10, _, 0x5C, 0x02, 0xDF, 0x30, ..]);
        let absent = answer.as_ref().is_ok_and(|answer| answer[..] == [0x6A, 0x88]);
        Some(if asked && absent && theirs.count > 0 { Ok(vec![0xDF, 0x30, 0x00, 0x90, 0x00]) } else { answer })
    };
    let mut reader = theirs("gids", Danger::ChangesKeys, malice);
    reader.judged();
    assert_eq!(stays(&reader).1, [format!("object DF30 of file A010{EMPTY}")]);
}

/// A card of another make makes an object up from what else it has, whatever is written to it.
#[test]
fn an_object_that_the_card_makes_up_is_told_of() {
    let malice: Malice = |theirs, command| {
        let written = matches!(command, [0x00, 0xDB, 0x3F, 0xFF, _, 0x5C, 0x03, 0x5F, 0xC1, 0x02, ..]);
        theirs.count |= u8::from(written);
        let asked = matches!(command, [_, 0xCB, _, _, _, 0x5C, 0x03, 0x5F, 0xC1, 0x02, ..]);
        (asked && theirs.count > 0).then(|| Ok(vec![0x53, 0x01, 0x77, 0x90, 0x00]))
    };
    let mut reader = theirs("nist-piv", Danger::ChangesKeys, malice);
    let records = reader.judged();
    assert!(!records.iter().any(|record| record.reason.contains("could not be brought back")));
    assert!(stays(&reader).1.contains(&"object 5FC102: written as it was, but the card gives it otherwise".to_owned()));
}

/// A card that makes a key where the standard has none: it was not announced, and is told of.
#[test]
fn what_a_card_should_have_refused_is_told_of() {
    let malice: Malice = |_, command| matches!(command, [0x00, 0x47, 0x00, 0x96, ..]).then(|| Ok(vec![0x90, 0x00]));
    let mut reader = theirs("nist-piv", Danger::ChangesKeys, malice);
    reader.judged();
    assert!(stays(&reader).0.contains(&"96".to_owned()));
}

/// A card that was pulled out in the middle of a test that had written.
#[test]
fn what_could_not_be_put_back_is_told_of() {
    let malice: Malice = |theirs, command| {
        if matches!(command, [0x00, 0xDB, 0x3F, 0xFF, ..]) && theirs.count == 0 {
            theirs.count = 1;
            return None;
        }
        (theirs.count > 0).then_some(Err(TransportError::Removed))
    };
    let mut reader = theirs("nist-piv", Danger::ChangesKeys, malice);
    reader.judged();
    let others = stays(&reader).1;
    assert!(others.iter().any(|thing| thing.ends_with(": the card could not be asked any more")), "{others:#?}");
}
