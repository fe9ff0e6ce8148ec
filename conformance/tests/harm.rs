//! Cards that are somebody's: no run costs more than was announced, whatever the credentials say and whatever the card does.

use cardlab_client::transport::TransportError;
use cardlab_conformance::catalogue::all;
use cardlab_conformance::credentials::Credentials;
use cardlab_conformance::report::{Outcome, Record};
use cardlab_conformance::run::{Settings, run};
use cardlab_conformance::target::owned::Owned;
use cardlab_conformance::target::sim::{InProcess, Sim};
use cardlab_conformance::target::{NoCard, Placed, Slot, Target};
use cardlab_conformance::test::{Danger, Need, Test, Wish};
use cardlab_protocol::admin_key::AdminKey;
use cardlab_protocol::apdu::Command;
use cardlab_sim::reference::{ADMINISTRATION, PIN, PUK, Reference};
use zeroize::Zeroizing;

/// What the card does to a command before it is answered: `None` lets it be.
type Malice = fn(&mut Theirs, &[u8]) -> Option<Result<Vec<u8>, TransportError>>;

/// A card that lives on from test to test, with a shell around it that writes down what came.
struct Theirs {
    card: InProcess,
    malice: Malice,
    /// Commands that presented a secret.
    guesses: Vec<Vec<u8>>,
    /// Numbers for the shell.
    count: u8,
}

impl Theirs {
    fn left(&self, reference: Reference) -> u8 {
        reference.counter(self.card.0.nvm()).left
    }
}

impl Slot for &mut Theirs {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        if presents_pin(command) || presents_puk(command) {
            self.guesses.push(command.to_vec());
        }
        match (self.malice)(self, command) {
            Some(answer) => answer,
            None => self.card.transmit(command),
        }
    }

    fn reset(&mut self, cold: bool) -> Result<(), TransportError> {
        self.card.reset(cold)
    }
}

/// The target: one card, its owner's credentials.
struct Reader {
    theirs: Theirs,
    owned: Owned,
}

impl Reader {
    fn new(profile: &str, danger: Danger, change: impl FnOnce(&mut Credentials), malice: Malice) -> Self {
        let (card, mut facts) = Sim::new(profile, 1).unwrap().card(&Wish::default()).unwrap();
        (facts.new, facts.serial) = (false, "01".into());
        change(&mut facts.credentials);
        let theirs = Theirs { card: InProcess(card), malice, guesses: Vec::new(), count: 0 };
        Self { theirs, owned: Owned::new(facts, danger) }
    }

    /// The whole suite, without what takes its time.
    fn judged(&mut self) -> Vec<Record> {
        let tests = all();
        let quick = quick(&tests);
        self.prepare(&quick).unwrap();
        run(self, &quick, Settings::default(), &mut |_| {})
    }

    /// How often a command presented a secret that begins so.
    fn sent(&self, what: impl Fn(&[u8]) -> bool, begin: &[u8]) -> usize {
        self.theirs.guesses.iter().filter(|command| what(command) && command[5..].starts_with(begin)).count()
    }
}

fn quick(tests: &[Test]) -> Vec<&Test> {
    tests.iter().filter(|test| !test.needs.contains(&Need::RsaKeyGeneration)).collect()
}

impl Target for Reader {
    fn name(&self) -> String {
        "theirs".into()
    }

    fn prepare(&mut self, tests: &[&Test]) -> Result<Vec<String>, String> {
        self.owned.prepare(Box::new(&mut self.theirs), tests).map_err(|stop| format!("{stop:?}"))
    }

    fn place(&mut self, needs: &[Need], wish: &Wish, danger: Danger) -> Result<Placed<'_>, NoCard> {
        self.owned.admit(needs, wish, danger)?;
        Ok(self.owned.place(Box::new(&mut self.theirs)))
    }
}

const HONEST: Malice = |_, _| None;
const LEVELS: [Danger; 4] = [Danger::Safe, Danger::SpendsTries, Danger::ChangesKeys, Danger::Locks];

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
            not_run(&records, "the administration key that was given is not the card's");
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

/// Instruction, P1 and P2 of a command that carries data.
fn head(command: &[u8]) -> Option<[u8; 3]> {
    Command::parse(command).ok().filter(|command| !command.data.is_empty()).map(|c| [c.ins, c.p1, c.p2])
}

fn presents_puk(command: &[u8]) -> bool {
    matches!(head(command), Some([0x24, _, 0x81] | [0x2C, 0x00, _]))
}

fn presents_pin(command: &[u8]) -> bool {
    matches!(head(command), Some([0x20 | 0x24, _, 0x80]))
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
