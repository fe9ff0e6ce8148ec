//! Cards that are somebody's: no run costs more than was announced, whatever the credentials say and whatever the card does.

use crate::theirs::{HONEST, LEVELS, Malice, Reader, presents_pin, presents_puk, quick};
use cardlab_client::transport::TransportError;
use cardlab_conformance::catalogue::all;
use cardlab_conformance::credentials::Credentials;
use cardlab_conformance::report::{Outcome, Record};
use cardlab_conformance::run::{Settings, run};
use cardlab_conformance::target::{Slot, Target};
use cardlab_conformance::test::{Danger, Test};
use cardlab_protocol::admin_key::AdminKey;
use cardlab_sim::reference::{ADMINISTRATION, PIN, PUK};
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// Not one test that would need the secret has run, and each says why.
fn not_run(records: &[Record], why: &str) {
    assert!(records.iter().any(|r| r.outcome == Outcome::NotRun && r.reason.contains(why)), "no test is not run for '{why}'");
}

#[test]
fn a_wrong_pin_is_sent_once() {
    for profile in ["nist-piv", "yubikey-5.7", "piv-admin", "gids"] {
        for danger in LEVELS {
            let mut reader = Reader::new(profile, danger, |known| known.pin = Some(Zeroizing::new("739164".into())), HONEST);
            let before = reader.theirs.left(PIN);
            let records = reader.judged();
            assert_eq!(reader.sent(presents_pin, b"739164"), 1, "{profile} at {danger}");
            assert_eq!(reader.theirs.left(PIN), before - 1, "{profile} at {danger}");
            not_run(&records, "the PIN that was given is not the card's (63C");
        }
    }
}

#[test]
fn a_wrong_puk_is_sent_once_and_blocks_nothing() {
    for danger in LEVELS {
        let mut reader = Reader::new("yubikey-5.7", danger, |known| known.puk = Some(Zeroizing::new("73916452".into())), HONEST);
        let (pin, puk) = (reader.theirs.left(PIN), reader.theirs.left(PUK));
        reader.judged();
        let sent = usize::from(danger > Danger::Safe);
        assert_eq!(reader.sent(presents_puk, b"73916452"), sent, "{danger}");
        assert_eq!((reader.theirs.left(PIN), reader.theirs.left(PUK)), (pin, puk - sent as u8), "{danger}");
    }
}

/// A wrong value in the file, as the owner may have mistyped it.
type Mistype = fn(&mut Credentials);

const WRONG: [(&str, Mistype); 3] = [
    ("PIN", |known| known.pin = Some(Zeroizing::new("739164".into()))),
    ("PUK", |known| known.puk = known.puk.as_ref().map(|_| Zeroizing::new("73916452".into()))),
    ("administrator key", |known| {
        known.admin = known.admin.as_ref().map(|key| AdminKey::filled(key.cipher(), |bytes| bytes.fill(0x17)));
    }),
];

/// Whatever is selected, also where what needs the secret is not the part of the suite that one thinks of: each family by
/// itself (iso, piv, gids, unblock, minidriver, yubikey; pcsc is in `tests/conform.rs`, since it needs a reader).
#[test]
fn a_wrong_value_costs_one_try_at_most_in_every_family() {
    let tests = all();
    let family = |test: &Test| test.id.split('/').next().unwrap().to_owned();
    let families: BTreeSet<String> = tests.iter().map(family).collect();
    assert!(families.len() >= 6, "{families:?}");
    for profile in ["nist-piv", "yubikey-5.7", "piv-admin", "gids"] {
        for family_name in &families {
            let own: Vec<&Test> = quick(&tests).into_iter().filter(|test| family(test) == *family_name).collect();
            for (secret, mistype) in WRONG {
                for danger in LEVELS {
                    let mistyped = |known: &mut Credentials| {
                        (known.puk_tries, known.admin_tries) = (Some(3), None);
                        mistype(known);
                    };
                    let mut reader = Reader::new(profile, danger, mistyped, HONEST);
                    let left = |reader: &Reader| [PIN, PUK, ADMINISTRATION].map(|reference| reader.theirs.left(reference));
                    let before = left(&reader);
                    reader.judged_by(&own);
                    let cost: u8 = before.iter().zip(left(&reader)).map(|(before, left)| before - left).sum();
                    assert!(cost <= 1, "{profile}, {family_name}, {danger}, wrong {secret}: {cost} tries");
                    let (pin, puk) = (reader.sent(presents_pin, b"739164"), reader.sent(presents_puk, b"73916452"));
                    assert!(pin <= 1 && puk <= 1, "{profile}, {family_name}, {danger}, wrong {secret}: sent {pin}, {puk}");
                    let told = reader.owned.afterwards().stays.iter().filter(|left| left.why.contains("1 try fewer")).count();
                    assert_eq!(told, usize::from(cost), "{profile}, {family_name}, {danger}: what it cost is said");
                }
            }
        }
    }
}

#[test]
fn a_puk_whose_tries_nobody_knows_is_not_sent() {
    let mut reader = Reader::new("nist-piv", Danger::Locks, |_| {}, HONEST);
    let records = reader.judged();
    assert_eq!(reader.sent(presents_puk, b"12345678"), 0);
    not_run(&records, "the card does not tell how many tries the PUK has");
    not_run(&records, "nothing that is proved brings it back");
    // The owner knows: it is sent.
    let mut reader = Reader::new("nist-piv", Danger::Locks, |known| known.puk_tries = Some(3), HONEST);
    reader.judged();
    assert!(reader.sent(presents_puk, b"12345678") > 0);
    assert_eq!((reader.theirs.left(PIN), reader.theirs.left(PUK)), (3, 3));
}

#[test]
fn a_wrong_administration_key_costs_one_try_a_run() {
    for danger in LEVELS {
        let wrong = |known: &mut Credentials| {
            let cipher = known.admin.as_ref().unwrap().cipher();
            known.admin = Some(AdminKey::filled(cipher, |bytes| bytes.fill(0x17)));
        };
        let mut reader = Reader::new("gids", danger, wrong, HONEST);
        let (pin, key) = (reader.theirs.left(PIN), reader.theirs.left(ADMINISTRATION));
        let records = reader.judged();
        assert!(reader.theirs.left(ADMINISTRATION) >= key - 1, "{danger}: {key} -> {}", reader.theirs.left(ADMINISTRATION));
        assert_eq!(reader.theirs.left(PIN), pin, "{danger}");
        if danger > Danger::Safe {
            not_run(&records, "the administrator key that was given is not the card's");
        }
    }
}

#[test]
fn right_credentials_leave_the_tries_as_they_were() {
    for profile in ["nist-piv", "yubikey-5.7", "piv-admin", "gids"] {
        for danger in LEVELS {
            let mut reader = Reader::new(profile, danger, |known| known.puk_tries = Some(3), HONEST);
            let tries = |reader: &Reader| [PIN, PUK, ADMINISTRATION].map(|reference| reader.theirs.left(reference));
            let before = tries(&reader);
            let records = reader.judged();
            assert_eq!(tries(&reader), before, "{profile} at {danger}");
            let over = records.iter().find(|r| r.reason.contains("could not be brought back"));
            assert!(over.is_none(), "{profile} at {danger}: {:?}", over.map(|r| (&r.id, &r.reason)));
            let failed: Vec<_> = records.iter().filter(|r| r.outcome == Outcome::Failed).map(|r| (&r.id, &r.reason)).collect();
            assert!(failed.is_empty(), "{profile} at {danger}: {failed:#?}");
        }
    }
}

#[test]
fn a_blocked_pin_stays_as_it_was_found() {
    for danger in LEVELS {
        let mut reader = Reader::new("yubikey-5.7", danger, |_| {}, HONEST);
        let mut transaction = reader.theirs.card.0.nvm_mut().begin();
        PIN.set_left(&mut transaction, 0).unwrap();
        transaction.commit().unwrap();
        let records = reader.judged();
        assert_eq!(reader.theirs.left(PIN), 0, "{danger}");
        assert_eq!(reader.sent(presents_pin, b"123456"), 0, "{danger}");
        not_run(&records, "the PIN is blocked, and was left as it was found");
    }
}

/// Tries that the PIN of a malicious card has left by the card's own count, which starts at 3 and forgives nothing: each
/// VERIFY, CHANGE or RESET RETRY COUNTER with data that is not answered 9000 takes one.
fn counted(profile: &str, danger: Danger, malice: Malice) -> u8 {
    let mut reader = Reader::new(profile, danger, |known| known.puk_tries = Some(3), malice);
    reader.judged();
    reader.theirs.count
}

#[test]
fn a_card_whose_tries_fall_by_two_is_left_alone() {
    // Says 63C1 to the first wrong PIN where 63C2 is due.
    let malice: Malice = |theirs, command| {
        let answer = theirs.card.transmit(command);
        if presents_pin(command) && answer.as_ref().is_ok_and(|a| a[a.len() - 2] == 0x63) {
            theirs.count += 1;
            let left = 3u8.saturating_sub(2 * theirs.count);
            return Some(Ok(vec![0x63, 0xC0 | left]));
        }
        Some(answer)
    };
    for danger in [Danger::SpendsTries, Danger::ChangesKeys] {
        assert_eq!(counted("nist-piv", danger, malice), 1, "{danger}");
    }
}

#[test]
fn a_card_that_refuses_the_right_pin_is_asked_no_more() {
    // Takes the PIN once, and never again.
    let malice: Malice = |theirs, command| {
        if !presents_pin(command) {
            return None;
        }
        theirs.count += 1;
        (theirs.count > 1).then(|| Ok(vec![0x63, 0xC0 | 4u8.saturating_sub(theirs.count)]))
    };
    for danger in LEVELS {
        assert!(counted("nist-piv", danger, malice) <= 3, "{danger}: one proved it, and one of three is left");
    }
}

#[test]
fn a_card_that_tells_no_status_words_loses_no_try() {
    // Counts in secret, and answers nonsense to every secret but the first.
    let malice: Malice = |theirs, command| {
        if !presents_pin(command) {
            return None;
        }
        theirs.count += 1;
        (theirs.count > 1).then(|| Ok(vec![0x6F, 0x00]))
    };
    // One proves it, two more: the last of three is never tried.
    for danger in [Danger::Safe, Danger::SpendsTries, Danger::ChangesKeys] {
        assert!(counted("nist-piv", danger, malice) <= 3, "{danger}: {}", counted("nist-piv", danger, malice));
    }
}

#[test]
fn a_card_whose_answers_are_too_short_loses_nothing() {
    for danger in LEVELS {
        for length in 0..=2 {
            let mut reader = Reader::new(
                "nist-piv",
                danger,
                |_| {},
                |theirs, command| {
                    let answer = [0x90, 0x00][..usize::from(theirs.count)].to_vec();
                    matches!(command, [_, 0xCB, ..]).then_some(Ok(answer))
                },
            );
            reader.theirs.count = length;
            let tests = all();
            let quick = quick(&tests);
            // Whether it comes to a run or not.
            let _ = reader.prepare(&quick);
            run(&mut reader, &quick, Settings::default(), &mut |_| {});
            assert_eq!(reader.theirs.left(PIN), 3, "{danger}, {length} bytes");
        }
    }
}

#[test]
fn a_card_that_resets_itself_loses_no_try() {
    // Every seventh command finds it reset.
    let malice: Malice = |theirs, _| {
        theirs.count = (theirs.count + 1) % 7;
        if theirs.count != 0 {
            return None;
        }
        theirs.card.reset(true).unwrap();
        Some(Err(TransportError::Reset))
    };
    for danger in [Danger::Safe, Danger::SpendsTries, Danger::ChangesKeys] {
        let mut reader = Reader::new("nist-piv", danger, |_| {}, malice);
        let tests = all();
        let quick = quick(&tests);
        // It may not even come to an announcement.
        let _ = reader.prepare(&quick);
        run(&mut reader, &quick, Settings::default(), &mut |_| {});
        assert!(reader.theirs.left(PIN) >= 1, "{danger}: {}", reader.theirs.left(PIN));
    }
}

#[test]
fn a_puk_that_blocks_at_once_leaves_the_pin_alone() {
    let malice: Malice =
        |_, command| matches!(command, [_, 0x24, _, 0x81, _, ..] | [_, 0x2C, 0x00, ..]).then(|| Ok(vec![0x69, 0x83]));
    for danger in LEVELS {
        let mut reader = Reader::new("yubikey-5.7", danger, |_| {}, malice);
        let records = reader.judged();
        assert_eq!(reader.theirs.left(PIN), 3, "{danger}");
        if danger == Danger::Locks {
            not_run(&records, "nothing that is proved brings it back");
        }
    }
}

/// The reader is pulled out at the n-th command of the tests, before the first one too.
#[test]
fn a_reader_that_vanishes_ends_the_run() {
    for danger in LEVELS {
        for at in [0u8, 1, 20, 90, 200] {
            let mut reader = Reader::new("nist-piv", danger, |known| known.puk_tries = Some(3), HONEST);
            let tests = all();
            let quick = quick(&tests);
            reader.prepare(&quick).unwrap();
            reader.theirs.count = at;
            reader.theirs.malice = |theirs, _| {
                let gone = theirs.count == 0;
                theirs.count = theirs.count.saturating_sub(1);
                gone.then_some(Err(TransportError::NoReader))
            };
            let records = run(&mut reader, &quick, Settings::default(), &mut |_| {});
            not_run(&records, "the card is no longer there");
            assert_eq!(records.iter().filter(|record| record.outcome == Outcome::Failed).count(), 1, "{danger} at {at}");
            assert!(reader.theirs.left(PIN) >= 1, "{danger} at {at}");
        }
    }
}

/// The right PIN is taken, and gives nothing back: the card counts on from where it was.
#[test]
fn a_card_whose_tries_never_go_back_keeps_its_last() {
    let malice: Malice = |theirs, command| {
        if !presents_pin(command) {
            return None;
        }
        let answer = theirs.card.transmit(command);
        let wrong = answer.as_ref().is_ok_and(|answer| !answer.ends_with(&[0x90, 0x00]));
        theirs.count += u8::from(wrong);
        Some(if wrong { Ok(vec![0x63, 0xC0 | 3u8.saturating_sub(theirs.count)]) } else { answer })
    };
    for danger in [Danger::Safe, Danger::SpendsTries, Danger::ChangesKeys] {
        assert!(counted("nist-piv", danger, malice) <= 2, "{danger}: {}", counted("nist-piv", danger, malice));
    }
}

/// No answer in time to what presents a secret: the run ends, and the try that may be gone is not the last.
#[test]
fn a_card_that_answers_too_late_ends_the_run() {
    for at in [1u8, 2, 5] {
        for danger in LEVELS {
            let mut reader = Reader::new("nist-piv", danger, |known| known.puk_tries = Some(3), HONEST);
            let tests = all();
            let quick = quick(&tests);
            reader.prepare(&quick).unwrap();
            reader.theirs.count = at;
            reader.theirs.malice = |theirs, command| {
                if !presents_pin(command) || theirs.count == 0 {
                    return None;
                }
                theirs.count -= 1;
                let answer = theirs.card.transmit(command);
                Some(if theirs.count == 0 { Err(TransportError::Silent("no answer in 60 seconds".into())) } else { answer })
            };
            let records = run(&mut reader, &quick, Settings::default(), &mut |_| {});
            not_run(&records, "no answer in 60 seconds");
            let last = records.iter().rposition(|record| record.outcome == Outcome::Failed).unwrap();
            assert!(
                records[last + 1..].iter().all(|record| record.outcome == Outcome::NotRun),
                "{danger}: nothing runs after it"
            );
            assert!(reader.theirs.left(PIN) >= 1, "{danger} at {at}: {}", reader.theirs.left(PIN));
        }
    }
}
