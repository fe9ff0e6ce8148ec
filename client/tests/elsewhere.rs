//! What other programs do to a card while a session shows it. A newcomer unlocked a card in a terminal, and its lock screen went
//! on saying that it was locked, with a code that was dead; the other cards below stood there as they had been put in.

use crate::session::{CHALLENGE, RESPONSE, Table, gids, new_pin, piv, rules, secret, seen};
use cardlab_client::minidriver::{Authenticator, CardError, Minidriver, Secret};
use cardlab_client::transport::TransportError;
use cardlab_client::unlock::desk::{Desk, Setup};
use cardlab_client::unlock::pending::Pending;
use cardlab_client::unlock::session::{
    Act, Begin, CardAnswer, CardAsk, Disturbance, Effect, Facts, First, Input, Loss, Notice, Place, Responses, Rules, Screen,
    ServerAnswer, Shown,
};
use cardlab_client::{lock, recognise};
use cardlab_pcsclite::client::{Connection, Context, Disposition, ShareMode};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_protocol::workstation::{Opened, Question, TaskOffer};
use cardlab_sim::{Card, Profile, World};
use cardlab_vreader::{ThreadedRack, VirtualCard};
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

const PATIENCE: Duration = Duration::from_secs(20);
/// Of a wait that may end without what is waited for.
const MOMENT: Duration = Duration::from_millis(200);

#[test]
fn a_card_that_is_unlocked_elsewhere_ends_every_step_for_a_locked_one() {
    let locked = gids(1, 0, 1);
    let responds = |mut table: Table| {
        table.act(Act::Respond(secret(RESPONSE), new_pin("471147")));
        table
    };
    let mut asking = Table::locked(&locked);
    asking.act(Act::Questions);
    let mut judging = Table::asking(&locked);
    judging.act(Act::Answers(vec![secret("Rex")]));
    let puk = |facts: &Facts| {
        let mut table = Table::with(rules(), facts);
        table.act(Act::UsePuk);
        table
    };
    let last_puk = || {
        let mut table = puk(&piv(0, 1, None));
        table.act(Act::Puk(secret("12345678"), new_pin("471147")));
        assert!(matches!(table.screen(), Screen::LastPuk(_)));
        table
    };
    let mut last = responds(Table::locked(&locked));
    assert!(matches!(last.screen(), Screen::LastResponse(_)));
    // Whoever presses it afterwards is too late.
    last.input(Input::Cards(vec![seen("R1", &gids(1, 3, 1))]));
    last.act(Act::Sure);
    assert_eq!((last.notice(), last.asks_card()), (Some(Notice::TooLate), 0));
    for (step, mut table, now) in [
        ("code", Table::locked(&locked), gids(1, 3, 1)),
        ("last response", responds(Table::locked(&locked)), gids(1, 3, 1)),
        ("being asked", asking, gids(1, 3, 1)),
        ("questions", Table::asking(&locked), gids(1, 3, 1)),
        ("being judged", judging, gids(1, 3, 1)),
        ("new PIN", Table::answered(&locked), gids(1, 3, 1)),
        ("PUK", puk(&piv(0, 3, None)), piv(3, 3, None)),
        ("last PUK", last_puk(), piv(3, 1, None)),
        ("lost", Table::with(rules(), &gids(1, 0, 0)), gids(1, 3, 0)),
        ("Remote Desktop", Table::with(Rules { place: Place::RemoteDesktop, ..rules() }, &locked), gids(1, 3, 1)),
    ] {
        table.input(Input::Cards(vec![seen("R1", &now)]));
        assert!(matches!(table.screen(), Screen::Pin(_, Some(3))), "{step}: {:?}", table.screen());
        assert_eq!(table.notice(), Some(Notice::UnlockedElsewhere), "{step}");
        assert_eq!(table.asks_card(), 0, "{step}: no code is drawn for it");
        // Locked once more, it is as any card that is found locked.
        if step == "code" {
            table.input(Input::Cards(vec![seen("R1", &locked)]));
            table.draws(Ok(vec![9; 8]));
            assert_eq!((table.view().code.unwrap().0, table.notice()), (vec![9; 8], None));
        }
    }
    // In a session there is nothing to sign in to, and the new PIN that was wanted all the same is for another time.
    let mut table = Table::with(Rules { place: Place::InSession, ..rules() }, &gids(1, 3, 5));
    table.act(Act::AllTheSame);
    let (_, ask) = table.card_ask();
    assert!(matches!(ask, CardAsk::Draw { blocked: false, .. }), "{ask:?}");
    table.input(Input::Cards(vec![seen("R1", &gids(1, 0, 5))]));
    table.input(Input::Cards(vec![seen("R1", &gids(1, 3, 5))]));
    assert!(matches!(table.screen(), Screen::NotBlocked(_, Some(3))), "{:?}", table.screen());
}

#[test]
fn what_an_operator_has_ordered_goes_on_when_the_card_is_unlocked_elsewhere() {
    let mut table = Table::with(Rules { begin: Begin::Task, ..rules() }, &gids(1, 0, 5));
    table.act(Act::AskTask);
    let questions = vec![Question { id: "q".into(), text: "Pet?".into() }];
    table.answer_server(ServerAnswer::Task(Ok(TaskOffer::ResetUserPin { session: "S".into(), questions, expires_in: 300 })));
    table.input(Input::Cards(vec![seen("R1", &gids(1, 3, 5))]));
    assert!(matches!(table.screen(), Screen::Questions { task: true, .. }), "{:?}", table.screen());
}

#[test]
fn a_response_that_is_under_way_meanwhile_is_told_what_became_of_the_card() {
    let gone = |error: CardError| CardAnswer::Unlocked(Err(error));
    let wrong = CardError::Wrong { secret: Secret::AdminKey, left: Some(4) };
    for (error, notice) in [
        (CardError::ChallengeGone, Notice::UnlockedElsewhere),
        (CardError::Transport(TransportError::Reset), Notice::UnlockedElsewhere),
        // No new code is promised.
        (wrong.clone(), Notice::Card(wrong)),
    ] {
        let mut table = Table::locked(&gids(1, 0, 5));
        table.act(Act::Respond(secret(RESPONSE), new_pin("471147")));
        // The card is looked at before the answer comes.
        table.input(Input::Cards(vec![seen("R1", &gids(1, 3, 5))]));
        assert!(matches!(table.screen(), Screen::Working(..)), "nobody leaves a secret that the card has");
        table.answer_card(gone(error));
        assert_eq!(table.notice(), Some(notice));
        assert!(matches!(table.screen(), Screen::Pin(..)) && table.asks_card() == 0, "{:?}", table.screen());
    }
    let mut table = Table::with(rules(), &piv(0, 3, None));
    table.act(Act::UsePuk);
    table.act(Act::Puk(secret("87654321"), new_pin("471147")));
    table.input(Input::Cards(vec![seen("R1", &piv(3, 2, None))]));
    table.answer_card(gone(CardError::Wrong { secret: Secret::Puk, left: Some(2) }));
    assert!(matches!(table.screen(), Screen::Pin(..)), "{:?}", table.screen());
}

#[test]
fn ways_that_another_program_has_closed_or_opened_are_shown_as_they_are() {
    let puk = |facts: &Facts| {
        let mut table = Table::with(rules(), facts);
        table.act(Act::UsePuk);
        assert!(matches!(table.screen(), Screen::Puk(_)));
        table
    };
    let now = |table: &mut Table, facts: &Facts| table.input(Input::Cards(vec![seen("R1", facts)]));
    // The PUK is used up: nothing is left, or the code is.
    let mut table = puk(&piv(0, 3, None));
    now(&mut table, &piv(0, 0, None));
    assert!(matches!(table.screen(), Screen::Lost(_, Loss::Puk)));
    let mut table = puk(&piv(0, 3, Some(5)));
    now(&mut table, &piv(0, 0, Some(5)));
    assert_eq!(table.notice(), Some(Notice::Card(CardError::Blocked(Secret::Puk))));
    assert!(!table.view().puk);
    // The same of the administrator key, and of both.
    let mut table = Table::locked(&gids(1, 0, 5));
    now(&mut table, &gids(1, 0, 0));
    assert!(matches!(table.screen(), Screen::Lost(_, Loss::Key)));
    let mut table = Table::locked(&piv(0, 3, Some(5)));
    now(&mut table, &piv(0, 3, Some(0)));
    assert_eq!((table.view().responses, table.view().code, table.asks_card()), (Responses::KeyBlocked, None, 0));
    assert!(table.open.iter().any(|effect| matches!(effect, Effect::LetGo(reader) if reader == "R1")));
    // It has tries again: a code.
    now(&mut table, &piv(0, 3, Some(5)));
    table.draws(Ok(vec![9; 8]));
    assert_eq!(table.view().code.unwrap().0, [9; 8]);
    // What was the last response is not.
    let mut table = Table::locked(&gids(1, 0, 1));
    table.act(Act::Respond(secret(RESPONSE), new_pin("471147")));
    now(&mut table, &gids(1, 0, 5));
    assert_eq!(table.view().code.unwrap().0, CHALLENGE);
    // Questions that were asked for a way that is closed by now are the server's.
    let mut table = Table::locked(&gids(1, 0, 5));
    table.act(Act::Questions);
    now(&mut table, &gids(1, 0, 4));
    table.answer_server(ServerAnswer::Opened(Ok(Opened::Offline)));
    assert_eq!(table.notice(), Some(Notice::OnlineNot));
}

/// Readers with cards of these kinds, of which the first is locked, and sessions at them.
struct Room {
    readers: ThreadedRack,
    state: tempfile::TempDir,
}

impl Room {
    fn with(profiles: &[&str]) -> Self {
        let readers = ThreadedRack::start(1, Duration::from_secs(60)).unwrap();
        let room = Self { readers, state: tempfile::tempdir().unwrap() };
        profiles.iter().zip(1..).for_each(|(profile, seed)| room.add(profile, seed));
        room.lock(0);
        room
    }

    fn add(&self, profile: &str, seed: u64) {
        let card = Card::new(Profile::builtin(profile).unwrap(), World::seeded(seed)).unwrap();
        self.readers.add("Test", VirtualCard::new(card, None));
    }

    /// A session of the same user, at all readers or at one.
    fn desk(&self, reader: Option<usize>, keep: bool) -> Desk {
        Desk::start(Setup {
            socket: self.readers.socket().to_owned(),
            reader: reader.map(name),
            service: None,
            state: Some(self.state.path().to_owned()),
            rules: Rules {
                place: Place::LockScreen,
                begin: Begin::Code,
                server: false,
                workstation: "PC-12".into(),
                text: String::new(),
                keep,
                first: First::Any,
            },
            look_every: Some(Duration::from_millis(20)),
        })
    }

    /// Another program, which knows no more of PC/SC than most do.
    fn other(&self, reader: usize, does: impl FnOnce(&mut Connection<'_>)) {
        other(self.readers.socket(), reader, Disposition::Leave, does);
    }

    fn lock(&self, reader: usize) {
        self.other(reader, |card| lock::bring_to(&mut Minidriver::open(card).unwrap(), Secret::Pin, 0).unwrap());
    }

    fn unlock(&self, reader: usize) {
        self.other(reader, unlock);
    }

    /// Tries of PIN, PUK and administrator key, as another program sees them.
    fn tries(&self, reader: usize) -> [Option<u8>; 3] {
        let mut tries = [None; 3];
        self.other(reader, |card| {
            let status = Minidriver::resume_or_open(card).unwrap().card_pin_status().unwrap();
            tries = [status.pin, status.puk, status.admin].map(|counter| counter.map(|counter| counter.left));
        });
        tries
    }
}

fn name(reader: usize) -> String {
    format!("Test {reader:02X} 00")
}

fn other(socket: &Path, reader: usize, at_the_end: Disposition, does: impl FnOnce(&mut Connection<'_>)) {
    let context = Context::establish_at(socket).unwrap();
    let mut card = context.connect(&name(reader), ShareMode::Shared).unwrap();
    card.begin().unwrap();
    does(&mut card);
    card.end(Disposition::Leave).unwrap();
    card.disconnect(at_the_end).unwrap();
}

/// With the operator's key or the PUK, whichever the card has.
fn unlock(card: &mut Connection<'_>) {
    let mut card = Minidriver::open(card).unwrap();
    if let recognise::Edge::Gids { .. } = card.edge() {
        let key = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap();
        let response = key.respond(&card.unblock_challenge().unwrap()).unwrap();
        card.card_unblock_pin(Authenticator::Response(&response), b"246810").unwrap();
    } else {
        card.card_unblock_pin(Authenticator::Puk(b"12345678"), b"246810").unwrap();
    }
}

fn until(desk: &Desk, wanted: impl Fn(&Shown) -> bool) -> Shown {
    let shown = desk.wait_until(PATIENCE, &wanted);
    assert!(wanted(&shown), "{shown:?}");
    shown
}

fn code(shown: &Shown) -> Option<Vec<u8>> {
    match &shown.screen {
        Screen::Locked(view) => view.code.as_ref().map(|code| code.0.clone()),
        _ => None,
    }
}

/// Waits for a code, which is given.
fn first_code(desk: &Desk) -> Vec<u8> {
    code(&until(desk, |shown| code(shown).is_some())).unwrap()
}

/// What the operator says to this code, with a new PIN.
fn respond(desk: &Desk, code: &[u8]) {
    let response = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap().respond(code).unwrap();
    desk.act(None, Act::Respond(Zeroizing::new(hex::encode(response)), new_pin("246810")));
}

fn is_unlocked_elsewhere(shown: &Shown) -> bool {
    matches!(shown.screen, Screen::Pin(..)) && shown.notice == Some(Notice::UnlockedElsewhere)
}

#[test]
fn whoever_opens_the_page_sees_that_the_card_was_unlocked() {
    for profile in ["gids", "piv-admin", "nist-piv", "yubikey-5.7"] {
        let room = Room::with(&[profile]);
        let desk = room.desk(None, false);
        until(
            &desk,
            |shown| matches!(&shown.screen, Screen::Locked(view) if view.code.is_some() || view.responses == Responses::PukOnly),
        );
        room.unlock(0);
        desk.look(PATIENCE);
        let shown = desk.shown();
        assert!(is_unlocked_elsewhere(&shown), "{profile}: {shown:?}");
        assert_eq!(room.tries(0)[0], Some(3), "{profile}");
    }
}

/// Nobody opens anything, and PC/SC says nothing of it.
#[test]
fn a_page_that_stands_there_sees_it_too() {
    let room = Room::with(&["gids"]);
    let desk = room.desk(None, false);
    first_code(&desk);
    room.unlock(0);
    until(&desk, is_unlocked_elsewhere);
}

/// A reset is seen at once, but not what was done before it: a YubiKey has no application selected afterwards, and a code was
/// drawn for a card that was not locked any more.
#[test]
fn a_reset_leads_to_what_the_card_is_and_no_code_is_drawn_for_one_that_is_unlocked() {
    for profile in ["gids", "piv-admin", "nist-piv", "yubikey-4.3", "yubikey-5.7"] {
        let room = Room::with(&[profile]);
        let desk = room.desk(None, false);
        until(&desk, |shown| matches!(&shown.screen, Screen::Locked(view) if !view.drawing));
        let notes = || {
            std::fs::read_dir(room.state.path().join("codes"))
                .map_or(Vec::new(), |files| files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect())
        };
        let drawn = notes();
        other(room.readers.socket(), 0, Disposition::Reset, unlock);
        until(&desk, is_unlocked_elsewhere);
        assert_eq!(notes(), drawn, "{profile}: no code was drawn");
        // One that is locked gets a new one.
        other(room.readers.socket(), 0, Disposition::Reset, |card| {
            lock::bring_to(&mut Minidriver::open(card).unwrap(), Secret::Pin, 0).unwrap();
        });
        let shown = until(&desk, |shown| matches!(&shown.screen, Screen::Locked(view) if !view.drawing));
        if let Some(first) = code(&shown) {
            other(room.readers.socket(), 0, Disposition::Reset, |_| ());
            let dead = Some(Notice::CodeDead(Disturbance::Reset));
            until(&desk, |shown| shown.notice == dead && code(shown).is_some_and(|code| code != first));
        }
    }
}

/// A response is typed while another program unlocks the card: it is not sent, or for nothing, and no try is lost.
#[test]
fn a_response_that_comes_too_late_costs_nothing() {
    for at_the_end in [Disposition::Leave, Disposition::Reset] {
        let room = Room::with(&["gids"]);
        let desk = room.desk(None, false);
        first_code(&desk);
        let typed = Act::Respond(Zeroizing::new(RESPONSE.into()), new_pin("471147"));
        let context = Context::establish_at(room.readers.socket()).unwrap();
        let mut card = context.connect(&name(0), ShareMode::Shared).unwrap();
        card.begin().unwrap();
        unlock(&mut card);
        assert!(desk.act(None, typed));
        until(&desk, |shown| shown.held.is_some());
        card.end(Disposition::Leave).unwrap();
        card.disconnect(at_the_end).unwrap();
        until(&desk, is_unlocked_elsewhere);
        assert_eq!(room.tries(0), [Some(3), None, Some(5)]);
    }
}

#[test]
fn a_program_of_ours_that_has_drawn_a_code_is_noticed_but_not_interrupted() {
    let room = Room::with(&["gids"]);
    let screen = room.desk(None, false);
    first_code(&screen);
    let tool = room.desk(None, false);
    let its = first_code(&tool);
    // What is on the screen is dead, which is seen without anybody's response. It does not take the other's code away in turn.
    let dead = Some(Notice::CodeDead(Disturbance::Overtaken));
    let shown = until(&screen, |shown| shown.notice == dead);
    assert!(matches!(&shown.screen, Screen::Locked(view) if !view.drawing && view.code.is_none() && view.may_try_again()));
    for desk in [&screen, &tool, &screen, &tool] {
        desk.look(PATIENCE);
    }
    assert_eq!((code(&screen.shown()), code(&tool.shown())), (None, Some(its.clone())));
    respond(&tool, &its);
    until(&tool, |shown| matches!(shown.screen, Screen::Done(_)));
    drop(tool);
    until(&screen, is_unlocked_elsewhere);
    // The two steps of the Unlock tool: the challenge waits in the card, and nobody is there.
    room.lock(0);
    first_code(&screen);
    let mut waits = Vec::new();
    room.other(0, |card| {
        let mut card = Minidriver::open(card).unwrap();
        waits = card.unblock_challenge().unwrap();
        Pending::below(room.state.path()).note(&card.card_id().unwrap().unwrap(), &waits);
    });
    until(&screen, |shown| shown.notice == dead);
    screen.look(PATIENCE);
    room.other(0, |card| {
        let response = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap().respond(&waits).unwrap();
        let unlocked = Minidriver::resume(card).unwrap().card_unblock_pin(Authenticator::Response(&response), b"246810");
        unlocked.unwrap();
    });
    until(&screen, is_unlocked_elsewhere);
    // Whoever wants a code all the same gets one; so does who waits for one when the card is reset, which ends both.
    room.lock(0);
    for again in [true, false] {
        until(&screen, |shown| code(shown).is_some());
        drop(room.desk(None, false).wait_until(PATIENCE, |shown| code(shown).is_some()));
        until(&screen, |shown| shown.notice == dead);
        if again {
            screen.act(None, Act::Again);
        } else {
            other(room.readers.socket(), 0, Disposition::Reset, |_| ());
        }
    }
    respond(&screen, &first_code(&screen));
    until(&screen, |shown| matches!(shown.screen, Screen::Done(_)));
    assert_eq!(room.tries(0), [Some(3), None, Some(5)]);
    // That it is unlocked is said as long as it is.
    room.lock(0);
    until(&screen, |shown| code(shown).is_some());
}

#[test]
fn looking_ends_no_challenge_and_costs_no_try() {
    let one_to_eight = std::array::from_fn(|n| n as u8 % 8 + 1);
    for (profile, key) in [("gids", [0; 24]), ("piv-admin", one_to_eight)] {
        for keep in [false, true] {
            let room = Room::with(&[profile]);
            let desk = room.desk(None, keep);
            let code = first_code(&desk);
            for _ in 0..5 {
                desk.look(PATIENCE);
            }
            if !keep {
                assert_eq!(room.tries(0)[2], Some(5), "{profile}");
            }
            let response = hex::encode(AdminKey::new(Cipher::Tdes, &key).unwrap().respond(&code).unwrap());
            desk.act(None, Act::Respond(Zeroizing::new(response), new_pin("246810")));
            until(&desk, |shown| matches!(shown.screen, Screen::Done(_)));
        }
    }
}

/// The cards that stand below, and those of which one is chosen.
#[test]
fn other_cards_are_shown_as_they_are() {
    let room = Room::with(&["gids", "yubikey-5.7", "nist-piv"]);
    let first = room.desk(Some(0), false);
    let code = first_code(&first);
    let desk = room.desk(None, false);
    let chips = |shown: &Shown| match &shown.screen {
        Screen::Choose(cards) => cards.iter().map(|card| card.trouble.is_none().then_some((card.blocked, card.left))).collect(),
        _ => Vec::new(),
    };
    let locked = Some((true, Some(0)));
    until(&desk, |shown| chips(shown) == [locked, Some((false, Some(3))), Some((false, Some(3)))]);
    room.lock(1);
    room.lock(2);
    desk.look(PATIENCE);
    assert_eq!(chips(&desk.shown()), [locked; 3]);
    room.unlock(1);
    desk.look(PATIENCE);
    assert_eq!(chips(&desk.shown()), [locked, Some((false, Some(3))), locked]);
    // One that was chosen for what it was a moment ago is what it is.
    room.unlock(2);
    let key = |shown: &Shown| match &shown.screen {
        Screen::Choose(cards) => cards[2].key.clone(),
        _ => unreachable!(),
    };
    desk.act(None, Act::Choose(key(&desk.shown())));
    let shown = until(&desk, |shown| matches!(shown.screen, Screen::Pin(..)));
    assert_eq!((shown.others[0].blocked, shown.others[1].blocked), (true, false));
    room.lock(1);
    desk.look(PATIENCE);
    assert!(desk.shown().others[1].blocked);
    // The code of the first session waits in its card still: not even who had not seen that card before selected it anew.
    respond(&first, &code);
    until(&first, |shown| matches!(shown.screen, Screen::Done(_)));
}

/// Two cards that have been looked at.
fn two_to_choose_from() -> (Room, Desk) {
    let room = Room::with(&["gids", "gids"]);
    let desk = room.desk(None, false);
    until(&desk, |shown| matches!(&shown.screen, Screen::Choose(cards) if cards.iter().all(|card| card.trouble.is_none())));
    (room, desk)
}

/// Nobody opens anything: another program that takes longer than a moment is seen to leave.
#[test]
fn another_card_is_looked_at_when_a_program_has_left_it() {
    let (room, desk) = two_to_choose_from();
    room.other(1, |card| {
        lock::bring_to(&mut Minidriver::open(card).unwrap(), Secret::Pin, 0).unwrap();
        // Once a third card is seen, it has been seen too that this one is in use.
        room.add("gids", 9);
        until(&desk, |shown| matches!(&shown.screen, Screen::Choose(cards) if cards.len() == 3));
    });
    until(&desk, |shown| matches!(&shown.screen, Screen::Choose(cards) if cards[1].blocked));
}

/// A card that a program has in a transaction is left alone, holds nobody up, and is looked at afterwards.
#[test]
fn a_transaction_of_another_program_is_waited_for_by_nobody() {
    let (room, desk) = two_to_choose_from();
    room.other(1, |card| {
        let mut card = Minidriver::open(card).unwrap();
        let challenge = card.unblock_challenge().unwrap();
        desk.look(MOMENT);
        assert!(matches!(desk.shown().screen, Screen::Choose(_)));
        let response = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap().respond(&challenge).unwrap();
        card.card_unblock_pin(Authenticator::Response(&response), b"246810").unwrap();
        lock::bring_to(&mut card, Secret::Pin, 0).unwrap();
    });
    until(&desk, |shown| matches!(&shown.screen, Screen::Choose(cards) if cards[1].blocked));
    assert_eq!(room.tries(1), [Some(0), None, Some(5)]);
}
