//! The unlock session as a table: what is shown, and what is asked of card and server, in every state.

use cardlab_client::minidriver::{CardError, Counter, PinCharacters, PinFault, PinPolicy, PinStatus, Secret};
use cardlab_client::recognise::Edge;
use cardlab_client::service::{Said, ServiceError};
use cardlab_client::transport::TransportError;
use cardlab_client::unlock::session::{
    Act, Begin, CardAnswer, CardAsk, Disturbance, Effect, Facts, First, Input, Look, Loss, NewPin, Notice, Online, Place,
    Responses, Rules, Screen, Seen, ServerAnswer, ServerAsk, Session, Ticket, Work,
};
use cardlab_protocol::workstation::{CardOutcome, Judged, Mode, Opened, Question, Report, ReportKind, TaskOffer, Ways};
use proptest::prelude::*;
use zeroize::Zeroizing;

pub(crate) const CHALLENGE: [u8; 8] = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88];
pub(crate) const RESPONSE: &str = "88BE 354D 2E0B 2869";

pub(crate) fn rules() -> Rules {
    Rules {
        place: Place::LockScreen,
        begin: Begin::Code,
        server: true,
        workstation: "PC-12".into(),
        text: "Call 4711".into(),
        keep: false,
        first: First::Any,
    }
}

fn counter(left: u8) -> Option<Counter> {
    Some(Counter { left, maximum: Some(5) })
}

pub(crate) fn gids(id: u8, pin: u8, admin: u8) -> Facts {
    Facts {
        id: Some(vec![id; 16]),
        atr: vec![0x3B, 0x80],
        edge: Edge::Gids { initialised: true },
        status: PinStatus { pin: counter(pin), admin: counter(admin), ..PinStatus::default() },
        policy: PinPolicy { minimum: 4, maximum: 16, characters: PinCharacters::Ascii },
        owner: (id == 0xAA).then(|| "Anna Berg".into()),
    }
}

pub(crate) fn piv(pin: u8, puk: u8, admin: Option<u8>) -> Facts {
    Facts {
        edge: Edge::Piv { admin_unblock: admin.is_some(), yubikey: None },
        status: PinStatus { pin: counter(pin), puk: counter(puk), admin: admin.and_then(counter), pin_verified: false },
        ..gids(0xCC, pin, 5)
    }
}

pub(crate) fn seen(reader: &str, facts: &Facts) -> Seen {
    Seen { reader: reader.into(), card: Look::Card(facts.clone()) }
}

pub(crate) fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.into())
}

pub(crate) fn new_pin(pin: &str) -> NewPin {
    NewPin::once(secret(pin))
}

/// A session, and what it has asked for and nobody has answered.
pub(crate) struct Table {
    pub(crate) session: Session,
    pub(crate) open: Vec<Effect>,
}

impl Table {
    fn new(rules: Rules) -> Self {
        Self { session: Session::new(rules), open: Vec::new() }
    }

    /// With one card in a reader.
    pub(crate) fn with(rules: Rules, facts: &Facts) -> Self {
        let mut table = Self::new(rules);
        table.input(Input::Cards(vec![seen("R1", facts)]));
        table
    }

    /// A locked card whose code waits, with what the server says.
    pub(crate) fn locked(facts: &Facts) -> Self {
        let mut table = Self::with(rules(), facts);
        table.draws(Ok(CHALLENGE.to_vec()));
        table.answer_server(ServerAnswer::Ways(Ok(Ways { online: true, offline: true })));
        assert!(matches!(table.view().responses, Responses::Taken(_)));
        table
    }

    pub(crate) fn asking(facts: &Facts) -> Self {
        let mut table = Self::locked(facts);
        table.act(Act::Questions);
        let questions = vec![Question { id: "q".into(), text: "Pet?".into() }];
        table.answer_server(ServerAnswer::Opened(Ok(Opened::Online { session: "S".into(), questions, expires_in: 300 })));
        assert!(matches!(table.screen(), Screen::Questions { .. }));
        table
    }

    pub(crate) fn answered(facts: &Facts) -> Self {
        let mut table = Self::asking(facts);
        table.act(Act::Answers(vec![secret("Rex")]));
        table.answer_server(ServerAnswer::Judged(Ok(Judged::Answered { ok: true })));
        assert!(matches!(table.screen(), Screen::NewPin { .. }));
        table
    }

    pub(crate) fn input(&mut self, input: Input) {
        let effects = self.session.input(input);
        for effect in effects {
            if let Effect::Forget(ticket) = &effect {
                self.open.retain(|open| ticket_of(open) != Some(*ticket));
            }
            self.open.push(effect);
        }
    }

    pub(crate) fn act(&mut self, act: Act) {
        self.input(Input::Person(act));
    }

    pub(crate) fn screen(&self) -> Screen {
        self.session.shown().screen
    }

    pub(crate) fn notice(&self) -> Option<Notice> {
        self.session.shown().notice
    }

    pub(crate) fn view(&self) -> cardlab_client::unlock::session::LockedView {
        match self.screen() {
            Screen::Locked(view) => *view,
            other => panic!("not locked: {other:?}"),
        }
    }

    /// Takes the latest question to the card.
    pub(crate) fn card_ask(&mut self) -> (Ticket, CardAsk) {
        let at = self.open.iter().rposition(|effect| matches!(effect, Effect::Card { .. })).expect("nothing asked of the card");
        match self.open.remove(at) {
            Effect::Card { ticket, ask, .. } => (ticket, ask),
            _ => unreachable!(),
        }
    }

    pub(crate) fn answer_card(&mut self, answer: CardAnswer) {
        let (ticket, _) = self.card_ask();
        self.input(Input::Card(ticket, answer));
    }

    pub(crate) fn draws(&mut self, result: Result<Vec<u8>, CardError>) {
        let (ticket, ask) = self.card_ask();
        assert!(matches!(ask, CardAsk::Draw { .. }), "{ask:?}");
        self.input(Input::Card(ticket, CardAnswer::Challenge(result)));
    }

    /// Answers the latest question to the server.
    pub(crate) fn answer_server(&mut self, answer: ServerAnswer) {
        let at =
            self.open.iter().rposition(|effect| matches!(effect, Effect::Server { .. })).expect("nothing asked of the server");
        if let Effect::Server { ticket, .. } = self.open.remove(at) {
            self.input(Input::Server(ticket, answer));
        }
    }

    /// What the server was told, in order.
    fn told(&self) -> Vec<(ReportKind, Option<u8>)> {
        let told = |effect: &Effect| match effect {
            Effect::Tell(told) => Some((told.kind, told.tries_left)),
            _ => None,
        };
        self.open.iter().filter_map(told).collect()
    }

    pub(crate) fn asks_card(&self) -> usize {
        self.open.iter().filter(|effect| matches!(effect, Effect::Card { .. })).count()
    }

    fn asks_server(&self) -> usize {
        self.open.iter().filter(|effect| matches!(effect, Effect::Server { .. })).count()
    }
}

fn ticket_of(effect: &Effect) -> Option<Ticket> {
    match effect {
        Effect::Card { ticket, .. } | Effect::Server { ticket, .. } => Some(*ticket),
        _ => None,
    }
}

#[test]
fn a_card_leads_to_the_screen_of_its_state() {
    let blank = Facts { edge: Edge::Gids { initialised: false }, ..gids(1, 3, 5) };
    type Leads = fn(&Screen) -> bool;
    let cases: [(&str, Facts, Leads); 9] = [
        ("good", gids(1, 3, 5), |s| matches!(s, Screen::Pin(_, Some(3)))),
        ("blocked", gids(1, 0, 5), |s| matches!(s, Screen::Locked(v) if v.responses == Responses::Taken(Some(5)) && !v.puk)),
        ("lost", gids(1, 0, 0), |s| matches!(s, Screen::Lost(_, Loss::Key))),
        ("blank", blank, |s| matches!(s, Screen::Lost(_, Loss::NotInitialised))),
        ("PUK only", piv(0, 3, None), |s| matches!(s, Screen::Locked(v) if v.responses == Responses::PukOnly && v.puk)),
        ("PUK blocked", piv(0, 0, None), |s| matches!(s, Screen::Lost(_, Loss::Puk))),
        ("managed", piv(0, 3, Some(5)), |s| matches!(s, Screen::Locked(v) if v.responses == Responses::Taken(Some(5)) && v.puk)),
        (
            "key blocked, PUK left",
            piv(0, 3, Some(0)),
            |s| matches!(s, Screen::Locked(v) if v.responses == Responses::KeyBlocked && v.puk),
        ),
        ("both blocked", piv(0, 0, Some(0)), |s| matches!(s, Screen::Lost(_, Loss::Both))),
    ];
    for (name, facts, wanted) in cases {
        let table = Table::with(rules(), &facts);
        assert!(wanted(&table.screen()), "{name}: {:?}", table.screen());
    }
}

#[test]
fn what_is_asked_at_first_depends_on_what_can_be_done() {
    // A card and a server: a code, and which ways are open. Nothing else.
    let table = Table::with(rules(), &gids(1, 0, 5));
    assert_eq!((table.asks_card(), table.asks_server()), (1, 1));
    assert_eq!(table.told(), [(ReportKind::PinBlocked, Some(0))]);
    // No server: no network at all.
    let table = Table::with(Rules { server: false, ..rules() }, &gids(1, 0, 5));
    assert_eq!((table.asks_card(), table.asks_server()), (1, 0));
    assert!(table.told().is_empty());
    assert_eq!(table.view().online, Online::NoServer);
    // A good card, a card of PUKs, one that is lost, and Remote Desktop: nothing of the kind.
    for (place, facts) in [
        (Place::LockScreen, gids(1, 3, 5)),
        (Place::InSession, gids(1, 3, 5)),
        (Place::LockScreen, piv(0, 3, None)),
        (Place::LockScreen, gids(1, 0, 0)),
        (Place::RemoteDesktop, gids(1, 0, 5)),
    ] {
        let table = Table::with(Rules { place, ..rules() }, &facts);
        assert_eq!((table.asks_card(), table.asks_server()), (0, 0), "{place:?} {:?}", facts.status);
    }
}

#[test]
fn remote_desktop_says_what_to_do_and_a_session_has_no_sign_in() {
    let table = Table::with(Rules { place: Place::RemoteDesktop, ..rules() }, &gids(1, 0, 5));
    assert!(matches!(table.screen(), Screen::RemoteDesktop(_)));
    assert!(table.session.shown().words().join(" ").contains("unlock it in the session"));
    let mut table = Table::with(Rules { place: Place::InSession, ..rules() }, &gids(1, 3, 5));
    assert!(matches!(table.screen(), Screen::NotBlocked(_, Some(3))));
    assert!(!table.session.shown().words().iter().any(|word| word == "Sign in"));
    table.act(Act::AllTheSame);
    assert!(matches!(table.screen(), Screen::Locked(_)));
    // A card that is not blocked was not reported as blocked, and Cancel leads back.
    assert!(table.told().is_empty());
    table.act(Act::Back);
    assert!(matches!(table.screen(), Screen::NotBlocked(..)));
}

#[test]
fn wrong_pins_are_told_and_the_last_one_brings_the_code_at_once() {
    let mut table = Table::with(rules(), &gids(0xAA, 2, 5));
    table.act(Act::Pin(secret("12")));
    assert_eq!(table.notice(), Some(Notice::Pin(PinFault::Length { minimum: 4, maximum: 16, found: 2 })));
    assert_eq!(table.asks_card(), 0, "the card was not asked");
    let wrong = |left| CardAnswer::Verified(Err(CardError::Wrong { secret: Secret::Pin, left: Some(left) }));
    table.act(Act::Pin(secret("9999")));
    assert!(matches!(table.screen(), Screen::Working(_, Work::Verifying)));
    table.answer_card(wrong(1));
    assert!(matches!(table.screen(), Screen::Pin(_, Some(1))));
    table.act(Act::Pin(secret("9999")));
    table.answer_card(wrong(0));
    assert_eq!(
        table.told(),
        [(ReportKind::PinWrong, Some(1)), (ReportKind::PinWrong, Some(0)), (ReportKind::PinBlocked, Some(0))]
    );
    assert!(table.view().wrongly);
    table.draws(Ok(CHALLENGE.to_vec()));
    let words = table.session.shown().words().join("\n");
    for part in [
        "Anna, your card is locked",
        "The PIN was entered wrongly five times.",
        "Card ···AAAA",
        "1122 3344 5566 7788",
        "D7",
        "Call 4711",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    // One that was found blocked is not told that somebody typed wrong PINs.
    let words = Table::locked(&gids(0xAA, 0, 5)).session.shown().words().join("\n");
    assert!(words.contains("Its PIN is blocked.") && !words.contains("wrongly"), "{words}");
}

#[test]
fn a_right_response_ends_it_and_the_server_hears() {
    let mut table = Table::locked(&gids(1, 0, 5));
    table.act(Act::Respond(secret("88be-354d 2e0b2869"), new_pin("471147")));
    let (ticket, ask) = table.card_ask();
    let CardAsk::Respond { challenge, response, pin, .. } = ask else { panic!("{ask:?}") };
    assert_eq!((challenge, response), (CHALLENGE.to_vec(), hex::decode("88BE354D2E0B2869").unwrap()));
    assert_eq!(*pin, "471147");
    table.input(Input::Card(ticket, CardAnswer::Unlocked(Ok(()))));
    assert!(matches!(table.screen(), Screen::Done(_)));
    assert_eq!(table.told(), [(ReportKind::PinBlocked, Some(0)), (ReportKind::Unlocked, None)]);
    let told = table.open.iter().find_map(|effect| match effect {
        Effect::Tell(told) if told.kind == ReportKind::Unlocked => Some(told.clone()),
        _ => None,
    });
    let told = told.unwrap();
    assert_eq!(told.challenge, Some(Report::fingerprint(&CHALLENGE)));
    assert_eq!((told.serial.as_str(), told.status_word), ("01010101010101010101010101010101", Some(0x9000)));
    table.act(Act::Back);
    assert!(matches!(table.screen(), Screen::Pin(..)), "OK leads to PIN entry: {:?}", table.screen());
}

#[test]
fn slips_cost_nothing_and_nothing_typed_is_lost() {
    let mut table = Table::locked(&gids(1, 0, 5));
    let differ = NewPin { pin: secret("471147"), confirmation: secret("471148") };
    for (response, new, faults) in [
        (RESPONSE, differ, [false, false, true]),
        (RESPONSE, new_pin("1"), [false, true, false]),
        ("88BE 354D", new_pin("471147"), [true, false, false]),
        ("88BE 354D 2E0B 286O", new_pin(""), [true, true, false]),
    ] {
        table.act(Act::Respond(secret(response), new));
        let view = table.view();
        let found = [view.faults.response.is_some(), view.faults.pin.is_some(), view.faults.confirmation.is_some()];
        assert_eq!(found, faults, "{response}");
        assert_eq!(view.typed, response);
        assert_eq!(view.code.unwrap().0, CHALLENGE);
        assert_eq!(table.asks_card(), 0, "the card was not asked");
    }
}

#[test]
fn a_wrong_response_says_what_it_means_and_the_last_one_asks_again() {
    let mut table = Table::locked(&gids(1, 0, 2));
    table.act(Act::Respond(secret(RESPONSE), new_pin("471147")));
    table.answer_card(CardAnswer::Unlocked(Err(CardError::Wrong { secret: Secret::AdminKey, left: Some(1) })));
    assert_eq!(table.notice(), Some(Notice::ResponseWrong(Some(1))));
    table.draws(Ok(vec![9; 8]));
    assert_eq!(table.view().code.unwrap().0, [9; 8]);
    assert_eq!(table.view().typed, "", "the response is worthless now");
    assert!(table.session.shown().words().iter().any(|word| word == "1 response left before the card is lost for good."));
    table.act(Act::Respond(secret(RESPONSE), new_pin("471147")));
    assert!(matches!(table.screen(), Screen::LastResponse(_)));
    assert_eq!(table.asks_card(), 0);
    table.act(Act::Back);
    assert_eq!(table.view().typed, RESPONSE);
    table.act(Act::Respond(secret(RESPONSE), new_pin("471147")));
    table.act(Act::Sure);
    table.answer_card(CardAnswer::Unlocked(Err(CardError::Wrong { secret: Secret::AdminKey, left: Some(0) })));
    assert!(matches!(table.screen(), Screen::Lost(_, Loss::Key)));
    let refused = [(ReportKind::Refused, Some(1)), (ReportKind::Refused, Some(0))];
    assert_eq!(table.told()[1..], refused);
    // A card with a PUK is not lost.
    let mut table = Table::locked(&piv(0, 3, Some(1)));
    assert!(table.session.shown().words().iter().any(|word| word.contains("before the administrator key is blocked")));
    table.act(Act::Respond(secret(RESPONSE), new_pin("471147")));
    table.act(Act::Sure);
    table.answer_card(CardAnswer::Unlocked(Err(CardError::Blocked(Secret::AdminKey))));
    assert_eq!(table.view().responses, Responses::KeyBlocked);
    table.act(Act::UsePuk);
    assert!(matches!(table.screen(), Screen::Puk(_)));
}

#[test]
fn what_the_card_says_of_a_response_leads_on() {
    let gone = |error: CardError| CardAnswer::Unlocked(Err(error));
    // A PIV card says 6982 where nothing waits for a response, and its tries are as before.
    let free = CardError::Wrong { secret: Secret::AdminKey, left: Some(5) };
    for (error, notice) in [
        (CardError::ChallengeGone, Notice::CodeDead(Disturbance::OtherProgram)),
        (free, Notice::CodeDead(Disturbance::OtherProgram)),
        (CardError::Transport(TransportError::Reset), Notice::CodeDead(Disturbance::Reset)),
        (CardError::Pin(PinFault::RefusedByCard), Notice::Card(CardError::Pin(PinFault::RefusedByCard))),
    ] {
        let mut table = Table::locked(&gids(1, 0, 5));
        table.act(Act::Respond(secret(RESPONSE), new_pin("471147")));
        table.answer_card(gone(error));
        assert_eq!(table.notice(), Some(notice));
        // A new code is drawn by itself.
        table.draws(Ok(vec![9; 8]));
        assert_eq!(table.view().code.unwrap().0, [9; 8]);
    }
    // A card that answers nonsense is not asked for a code again and again.
    let mut table = Table::locked(&gids(1, 0, 5));
    table.act(Act::Respond(secret(RESPONSE), new_pin("471147")));
    table.answer_card(gone(CardError::Transport(TransportError::Short(1))));
    assert_eq!((table.asks_card(), table.view().code), (0, None));
    assert!(matches!(table.notice(), Some(Notice::Card(CardError::Transport(TransportError::Short(1))))));
    table.act(Act::Again);
    table.draws(Ok(vec![9; 8]));
}

#[test]
fn the_card_that_was_pulled_out_is_waited_for_and_another_is_offered() {
    let (anna, boris) = (gids(0xAA, 0, 5), gids(0xBB, 0, 5));
    let mut table = Table::new(Rules { first: First::Preferred("AA".repeat(16)), ..rules() });
    table.input(Input::Cards(vec![seen("R1", &boris), seen("R2", &anna)]));
    assert_eq!(table.view().card.owner.as_deref(), Some("Anna Berg"), "the first card is the one that is wanted");
    table.draws(Ok(CHALLENGE.to_vec()));
    assert_eq!(table.session.shown().others.len(), 1);
    // Out: the server hears that the code is dead; Boris' card in the other reader is not taken.
    table.input(Input::Cards(vec![seen("R1", &boris)]));
    assert!(matches!(table.screen(), Screen::PutBack(card) if card.last_digits() == "AAAA"));
    assert_eq!(table.told().last(), Some(&(ReportKind::Gone, None)));
    assert_eq!(table.session.shown().others[0].key, "BB".repeat(16));
    let asked = table.asks_card();
    // Not even when it is put where Anna's was.
    table.input(Input::Cards(vec![seen("R2", &boris)]));
    assert!(matches!(table.screen(), Screen::PutBack(_)));
    assert_eq!(table.asks_card(), asked, "nothing was sent to another's card");
    // Back, in another reader: a new code, and what is known of the old one.
    table.input(Input::Cards(vec![seen("R2", &boris), seen("R3", &anna)]));
    assert_eq!(table.notice(), Some(Notice::CodeDead(Disturbance::Removed)));
    assert_eq!(table.view().card.reader, "R3");
    table.draws(Ok(vec![9; 8]));
    // Chosen, the other one is taken.
    table.act(Act::Choose("BB".repeat(16)));
    assert_eq!(table.view().card.last_digits(), "BBBB");
}

#[test]
fn a_card_that_went_to_another_reader_between_two_looks_was_out() {
    let mut table = Table::locked(&gids(0xAA, 0, 5));
    table.input(Input::Cards(vec![seen("R2", &gids(0xAA, 0, 5))]));
    assert_eq!(table.told().last(), Some(&(ReportKind::Gone, None)), "the challenge was in a card without power");
    assert_eq!(table.notice(), Some(Notice::CodeDead(Disturbance::Removed)));
    assert_eq!(table.view().code, None);
    table.draws(Ok(vec![9; 8]));
    // One of the same serial beside it, which comes first: the card of the session is the one that stayed.
    table.input(Input::Cards(vec![seen("R1", &gids(0xAA, 0, 5)), seen("R2", &gids(0xAA, 0, 5))]));
    assert_eq!((table.view().card.reader.as_str(), table.view().code.unwrap().0), ("R2", vec![9; 8]));
}

#[test]
fn of_several_cards_none_is_taken_unasked() {
    let mut table = Table::new(rules());
    assert!(matches!(table.screen(), Screen::Looking));
    table.input(Input::Cards(vec![]));
    assert!(matches!(table.screen(), Screen::Insert));
    let looking = |reader: &str| Seen { reader: reader.into(), card: Look::Looking };
    table.input(Input::Cards(vec![seen("R1", &gids(1, 0, 5)), looking("R2")]));
    assert!(matches!(table.screen(), Screen::Choose(cards) if cards.len() == 2));
    table.input(Input::Cards(vec![seen("R1", &gids(1, 0, 5)), seen("R2", &gids(2, 3, 5))]));
    let Screen::Choose(cards) = table.screen() else { panic!("{:?}", table.screen()) };
    assert_eq!(cards.iter().map(|card| (card.blocked, card.left)).collect::<Vec<_>>(), [(true, Some(0)), (false, Some(3))]);
    assert_eq!(table.asks_card(), 0);
    table.act(Act::Choose("nobody".into()));
    assert_eq!(table.notice(), Some(Notice::TooLate));
    table.act(Act::Choose("02".repeat(16)));
    assert!(matches!(table.screen(), Screen::Pin(_, Some(3))));
    // A card that is held, or of another kind, is shown with its reason.
    let mut table = Table::new(rules());
    table.input(Input::Cards(vec![Seen { reader: "R1".into(), card: Look::Held }]));
    assert_eq!(table.session.shown().screen.title(), "The card is in use");
    table.input(Input::Cards(vec![Seen { reader: "R1".into(), card: Look::Strange(CardError::Unknown) }]));
    assert_eq!(table.session.shown().screen.title(), "This card cannot be used");
    table.input(Input::NoService("no PC/SC service".into()));
    assert!(matches!(table.screen(), Screen::NoService(_)));
}

#[test]
fn a_card_without_a_serial_is_known_by_its_reader_while_it_is_there() {
    let nameless = Facts { id: None, ..gids(1, 0, 5) };
    let mut table = Table::with(rules(), &nameless);
    table.draws(Ok(CHALLENGE.to_vec()));
    assert_eq!(table.view().online, Online::No, "no server could know it");
    table.input(Input::Cards(vec![]));
    assert!(matches!(table.screen(), Screen::Insert), "{:?}", table.screen());
    assert!(table.told().is_empty(), "nothing is told of a card that nobody could know");
}

#[test]
fn what_disturbs_a_waiting_code_is_said_and_a_new_one_is_drawn() {
    for (why, part) in [(Disturbance::Reset, "Another program reset the card"), (Disturbance::TimeOver, "Ten minutes are over")] {
        let mut table = Table::locked(&gids(1, 0, 5));
        table.input(Input::Disturbed("R2".into(), why));
        assert_eq!(table.view().code.unwrap().0, CHALLENGE, "another reader is none of ours");
        table.input(Input::Disturbed("R1".into(), why));
        assert!(table.notice().unwrap().text().contains(part));
        table.draws(Ok(vec![9; 8]));
        // While the user answers questions nothing waits in the card.
        let mut table = Table::answered(&gids(1, 0, 5));
        table.input(Input::Disturbed("R1".into(), why));
        assert!(matches!(table.screen(), Screen::NewPin { .. }));
    }
    // Nor is a code that died while the server was asked shown again when it has no questions.
    let mut table = Table::locked(&gids(1, 0, 5));
    table.act(Act::Questions);
    table.input(Input::Disturbed("R1".into(), Disturbance::Reset));
    table.answer_server(ServerAnswer::Opened(Ok(Opened::Offline)));
    assert_eq!(table.view().code, None);
    table.draws(Ok(vec![9; 8]));
    // Another program unlocks it.
    let mut table = Table::locked(&gids(1, 0, 5));
    table.input(Input::Cards(vec![seen("R1", &gids(1, 3, 5))]));
    assert_eq!(table.notice(), Some(Notice::UnlockedElsewhere));
    assert!(matches!(table.screen(), Screen::Pin(_, Some(3))));
}

#[test]
fn a_held_card_is_named_and_can_be_given_up() {
    let mut table = Table::with(rules(), &gids(1, 3, 5));
    table.act(Act::Pin(secret("4711")));
    let (ticket, _) = table.card_ask();
    table.input(Input::Card(ticket, CardAnswer::Waiting));
    assert_eq!(table.session.shown().held(), Some("Another program is using the card in R1. Waiting for it.".into()));
    table.act(Act::Back);
    assert!(table.open.iter().any(|effect| matches!(effect, Effect::Forget(t) if *t == ticket)));
    table.input(Input::Card(ticket, CardAnswer::GivenUp));
    assert!(matches!(table.screen(), Screen::Pin(..)));
    assert_eq!((table.notice(), table.session.shown().held), (Some(Notice::GivenUp), None));
    // Too late to give up: what the card says counts.
    table.act(Act::Pin(secret("4711")));
    let (ticket, _) = table.card_ask();
    table.act(Act::Back);
    assert!(matches!(table.screen(), Screen::Working(..)));
    table.input(Input::Card(ticket, CardAnswer::Verified(Ok(()))));
    assert!(matches!(table.screen(), Screen::Welcome(_)));
}

#[test]
fn which_ways_are_open_is_the_servers_word() {
    let ways = |online, offline| ServerAnswer::Ways(Ok(Ways { online, offline }));
    let mut table = Table::with(rules(), &gids(1, 0, 5));
    assert_eq!(table.view().online, Online::Asking);
    table.act(Act::Questions);
    assert_eq!(table.notice(), Some(Notice::TooLate), "not offered yet");
    table.answer_server(ways(false, true));
    assert_eq!(table.view().online, Online::No);
    // Switched off: no code is shown, nor drawn.
    let mut table = Table::locked(&gids(1, 0, 5));
    table.act(Act::Again);
    table.answer_server(ways(true, false));
    let view = table.view();
    assert_eq!((view.responses, view.code, view.online), (Responses::Off, None, Online::Yes));
    assert_eq!(table.asks_card(), 0);
    assert!(table.session.shown().words().iter().any(|word| word.contains("Unblock card offline")));
    table.act(Act::Respond(secret(RESPONSE), new_pin("471147")));
    assert_eq!(table.asks_card(), 0);
    // A server that cannot be reached: the code all the same.
    let mut table = Table::with(rules(), &gids(1, 0, 5));
    table.answer_server(ServerAnswer::Ways(Err(down())));
    table.draws(Ok(CHALLENGE.to_vec()));
    assert!(matches!(table.view().online, Online::Failed(_)));
    assert!(table.view().code.is_some());
}

/// What a server says of a request that it refuses.
fn said(status: u16, error: &str) -> Said {
    Said { status, error: error.into(), message: "no".into(), again: None }
}

fn down() -> ServiceError {
    cardlab_client::service::Service::at("http://127.0.0.1:1", &cardlab_client::service::Trust::default())
        .unwrap()
        .ways(&cardlab_protocol::workstation::Open {
            serial: "00".into(),
            atr: String::new(),
            workstation: String::new(),
            remote_desktop: false,
        })
        .unwrap_err()
}

#[test]
fn questions_lead_to_a_new_pin_in_one_kept_transaction() {
    let mut table = Table::asking(&gids(1, 0, 5));
    table.act(Act::Answers(vec![]));
    assert_eq!(table.notice(), Some(Notice::TooLate), "one answer each");
    table.act(Act::Answers(vec![secret("Tom")]));
    table.answer_server(ServerAnswer::Judged(Ok(Judged::Answered { ok: false })));
    assert_eq!(table.notice(), Some(Notice::AnswersWrong));
    table.act(Act::Answers(vec![secret("Rex")]));
    table.answer_server(ServerAnswer::Judged(Ok(Judged::Answered { ok: true })));
    table.act(Act::NewPin(new_pin("1")));
    assert!(matches!(table.screen(), Screen::NewPin { faults, .. } if faults.pin.is_some()));
    assert_eq!(table.asks_card(), 0);
    table.act(Act::NewPin(new_pin("471147")));
    let (ticket, ask) = table.card_ask();
    assert!(matches!(&ask, CardAsk::Draw { keep: true, blocked: false }), "{ask:?}");
    table.input(Input::Card(ticket, CardAnswer::Challenge(Ok(vec![7; 8]))));
    table.answer_server(ServerAnswer::Response(Ok(vec![8; 8])));
    let (ticket, ask) = table.card_ask();
    assert!(matches!(&ask, CardAsk::Respond { challenge, response, .. } if *challenge == [7; 8] && *response == [8; 8]));
    table.input(Input::Card(ticket, CardAnswer::Unlocked(Ok(()))));
    assert!(matches!(table.screen(), Screen::Done(_)));
    let result = table.open.iter().find_map(|effect| match effect {
        Effect::Result { session, outcome, .. } => Some((session.clone(), outcome.outcome)),
        _ => None,
    });
    assert_eq!(result, Some(("S".into(), CardOutcome::Unlocked)));
}

#[test]
fn an_online_session_that_ends_leaves_the_other_way() {
    // What ends it while questions are asked, and what is said.
    let over = ServiceError::Over(said(410, "SESSION_OVER"));
    for (answer, notice, online) in [
        (Ok(Judged::Over { mode: Mode::Offline }), Notice::OnlineOver, Online::No),
        (Err(over.clone()), Notice::SessionOver, Online::Yes),
        (Err(down()), Notice::Server(down()), Online::Yes),
    ] {
        let mut table = Table::asking(&gids(1, 0, 5));
        table.act(Act::Answers(vec![secret("Rex")]));
        table.answer_server(ServerAnswer::Judged(answer));
        assert_eq!(table.notice(), Some(notice));
        let view = table.view();
        assert_eq!(view.online, online);
        assert_eq!(view.code.unwrap().0, CHALLENGE, "the code that was read to an operator lives on");
    }
    // The same for the response; the card is let go, and gives a new code.
    for error in [over, ServiceError::Refused(said(400, "MALFORMED"))] {
        let mut table = Table::answered(&gids(1, 0, 5));
        table.act(Act::NewPin(new_pin("471147")));
        table.draws(Ok(vec![7; 8]));
        table.answer_server(ServerAnswer::Response(Err(error)));
        assert!(table.open.iter().any(|effect| matches!(effect, Effect::LetGo(reader) if reader == "R1")));
        table.draws(Ok(vec![9; 8]));
        assert_eq!(table.view().code.unwrap().0, [9; 8]);
    }
    // A server that offers nothing.
    for opened in [Opened::Offline, Opened::None, Opened::Online { session: "S".into(), questions: vec![], expires_in: 1 }] {
        let mut table = Table::locked(&gids(1, 0, 5));
        table.act(Act::Questions);
        table.answer_server(ServerAnswer::Opened(Ok(opened)));
        assert_eq!((table.notice(), table.view().online), (Some(Notice::OnlineNot), Online::No));
    }
}

#[test]
fn cancel_leads_back_from_everywhere_and_late_answers_change_nothing() {
    let facts = gids(1, 0, 5);
    let mut asking = Table::locked(&facts);
    asking.act(Act::Questions);
    let mut judging = Table::asking(&facts);
    judging.act(Act::Answers(vec![secret("Rex")]));
    let mut drawing = Table::answered(&facts);
    drawing.act(Act::NewPin(new_pin("471147")));
    let mut waits = Table::answered(&facts);
    waits.act(Act::NewPin(new_pin("471147")));
    waits.draws(Ok(vec![7; 8]));
    for (name, mut table) in [
        ("asking", asking),
        ("questions", Table::asking(&facts)),
        ("judging", judging),
        ("new PIN", Table::answered(&facts)),
        ("drawing", drawing),
        ("waiting for the response", waits),
    ] {
        let late: Vec<Ticket> = table.open.iter().filter_map(ticket_of).collect();
        table.act(Act::Back);
        assert!(matches!(table.screen(), Screen::Locked(_)), "{name}: {:?}", table.screen());
        let before = table.session.shown();
        for ticket in late {
            table.input(Input::Server(ticket, ServerAnswer::Response(Ok(vec![8; 8]))));
            table.input(Input::Server(ticket, ServerAnswer::Judged(Ok(Judged::Answered { ok: true }))));
            table.input(Input::Card(ticket, CardAnswer::Unlocked(Ok(()))));
        }
        assert_eq!(table.session.shown().screen, before.screen, "{name}");
    }
}

#[test]
fn the_puk_way_costs_a_try_only_when_the_card_was_asked() {
    let mut table = Table::with(rules(), &piv(0, 3, None));
    table.act(Act::UsePuk);
    table.act(Act::Puk(secret("1"), new_pin("1")));
    assert!(matches!(table.screen(), Screen::Puk(view) if view.faults.puk.is_some() && view.faults.pin.is_some()));
    assert_eq!(table.asks_card(), 0);
    let wrong = |left| CardAnswer::Unlocked(Err(CardError::Wrong { secret: Secret::Puk, left: Some(left) }));
    table.act(Act::Puk(secret("12345678"), new_pin("471147")));
    table.answer_card(wrong(2));
    assert!(matches!(table.screen(), Screen::Puk(view) if view.left == Some(2)));
    table.act(Act::Puk(secret("12345678"), new_pin("471147")));
    table.answer_card(CardAnswer::Unlocked(Err(CardError::Pin(PinFault::RefusedByCard))));
    assert!(matches!(table.screen(), Screen::Puk(view) if view.faults.pin == Some(PinFault::RefusedByCard)));
    table.act(Act::Puk(secret("12345678"), new_pin("471147")));
    table.answer_card(wrong(0));
    assert!(matches!(table.screen(), Screen::Lost(_, Loss::Puk)), "{:?}", table.screen());
    let mut table = Table::with(Rules { begin: Begin::Puk, ..rules() }, &piv(0, 3, None));
    table.act(Act::Puk(secret("12345678"), new_pin("471147")));
    table.answer_card(CardAnswer::Unlocked(Ok(())));
    assert!(matches!(table.screen(), Screen::Done(_)));
}

/// Cards that count their PUK may still not tell its tries: what they said once is remembered.
#[test]
fn a_puk_that_was_said_to_be_blocked_is_not_offered_again_and_its_use_ends_the_code() {
    let told = piv(0, 3, Some(5));
    let silent = Facts { status: PinStatus { puk: None, ..told.status }, ..told };
    let mut table = Table::locked(&silent);
    table.act(Act::UsePuk);
    table.act(Act::Puk(secret("12345678"), new_pin("471147")));
    table.answer_card(CardAnswer::Unlocked(Err(CardError::Blocked(Secret::Puk))));
    table.input(Input::Cards(vec![seen("R1", &silent)]));
    assert!(!table.view().puk);
    assert_eq!(table.view().code, None, "the code of before is dead");
    table.draws(Ok(vec![9; 8]));
    assert!(table.view().code.is_some());
    // One that nothing else unlocks asks before the last.
    let mut table = Table::with(rules(), &piv(0, 1, None));
    table.act(Act::UsePuk);
    table.act(Act::Puk(secret("12345678"), new_pin("471147")));
    assert!(matches!(table.screen(), Screen::LastPuk(_)));
    assert_eq!(table.asks_card(), 0);
    table.act(Act::Sure);
    assert_eq!(table.asks_card(), 1);
}

#[test]
fn a_card_that_may_be_judging_a_secret_is_not_left() {
    let (anna, boris) = (gids(0xAA, 0, 5), gids(0xBB, 0, 5));
    let mut table = Table::new(Rules { first: First::Preferred("AA".repeat(16)), ..rules() });
    table.input(Input::Cards(vec![seen("R1", &anna), seen("R2", &boris)]));
    table.draws(Ok(CHALLENGE.to_vec()));
    table.act(Act::Respond(secret(RESPONSE), new_pin("471147")));
    table.act(Act::Choose("BB".repeat(16)));
    assert_eq!(table.notice(), Some(Notice::TooLate));
    table.answer_card(CardAnswer::Unlocked(Ok(())));
    assert!(matches!(table.screen(), Screen::Done(card) if card.last_digits() == "AAAA"));
    assert_eq!(table.told().last(), Some(&(ReportKind::Unlocked, None)));
}

/// A card that is named is waited for; one that is only preferred is not.
#[test]
fn a_card_that_was_demanded_is_the_only_one_that_is_taken() {
    let (anna, boris) = (gids(0xAA, 0, 5), gids(0xBB, 0, 5));
    for named in ["AA".repeat(16), "AAAA".into()] {
        let mut table = Table::with(Rules { first: First::Only(named), ..rules() }, &boris);
        assert!(matches!(table.screen(), Screen::Choose(_)), "{:?}", table.screen());
        assert_eq!(table.asks_card(), 0);
        table.input(Input::Cards(vec![seen("R1", &boris), seen("R2", &anna)]));
        assert_eq!(table.view().card.last_digits(), "AAAA");
    }
    let table = Table::with(Rules { first: First::Preferred("AA".repeat(16)), ..rules() }, &boris);
    assert_eq!(table.view().card.last_digits(), "BBBB");
}

/// What was asked of the card before its code was dropped comes too late, whatever it is.
#[test]
fn a_code_that_comes_late_is_not_shown_and_throws_nobody_out() {
    for late in [Ok(vec![9; 8]), Err(CardError::Transport(TransportError::Short(1)))] {
        let mut table = Table::with(rules(), &piv(0, 3, Some(5)));
        let (draw, ask) = table.card_ask();
        assert!(matches!(ask, CardAsk::Draw { .. }));
        table.act(Act::UsePuk);
        table.act(Act::Puk(secret("12345678"), new_pin("471147")));
        assert!(table.open.iter().any(|effect| matches!(effect, Effect::Forget(ticket) if *ticket == draw)));
        table.input(Input::Card(draw, CardAnswer::Challenge(late)));
        assert!(matches!(table.screen(), Screen::Working(_, Work::Unlocking)), "{:?}", table.screen());
        table.answer_card(CardAnswer::Unlocked(Err(CardError::Wrong { secret: Secret::Puk, left: Some(2) })));
        table.act(Act::Back);
        assert_eq!(table.view().code, None, "a code that the PUK has ended");
    }
}

/// Two cards without a serial: what was typed for one is not for the other.
#[test]
fn a_form_for_a_card_without_a_serial_is_for_its_reader() {
    let nameless = Facts { id: None, ..gids(1, 3, 5) };
    let mut table = Table::new(rules());
    table.input(Input::Cards(vec![seen("R1", &nameless)]));
    let first = table.session.step();
    table.input(Input::Cards(vec![seen("R2", &nameless)]));
    assert!(matches!(table.screen(), Screen::Pin(..)));
    assert_ne!(table.session.step(), first);
}

/// An order that is not carried out waits for another time, wherever it is given up.
#[test]
fn a_task_that_is_given_up_is_put_off() {
    for given_up in [true, false] {
        let mut table = Table::with(Rules { begin: Begin::Task, ..rules() }, &gids(1, 0, 5));
        table.act(Act::AskTask);
        let questions = vec![Question { id: "q".into(), text: "Pet?".into() }];
        table.answer_server(ServerAnswer::Task(Ok(TaskOffer::ResetUserPin { session: "T".into(), questions, expires_in: 300 })));
        table.act(Act::Answers(vec![secret("Rex")]));
        table.answer_server(ServerAnswer::Judged(Ok(Judged::Answered { ok: true })));
        table.act(Act::NewPin(new_pin("471147")));
        let answer = if given_up { CardAnswer::GivenUp } else { CardAnswer::Challenge(Err(CardError::AnotherCard)) };
        table.answer_card(answer);
        assert!(table.open.iter().any(|effect| matches!(effect, Effect::Later(session) if session == "T")), "{given_up}");
    }
}

/// Who wants another card says which.
#[test]
fn no_card_is_taken_after_another_was_asked_for() {
    let (anna, boris) = (gids(0xAA, 0, 5), gids(0xBB, 0, 5));
    let mut table = Table::with(rules(), &anna);
    table.input(Input::Cards(vec![]));
    table.act(Act::Back);
    table.input(Input::Cards(vec![seen("R2", &boris)]));
    assert!(matches!(table.screen(), Screen::Choose(_)), "{:?}", table.screen());
    table.input(Input::Cards(vec![]));
    table.input(Input::Cards(vec![seen("R1", &anna)]));
    assert!(matches!(table.screen(), Screen::Locked(_)), "with no card left it begins anew");
}

#[test]
fn an_agent_asks_for_tasks_and_puts_them_off() {
    let mut table = Table::with(Rules { begin: Begin::Task, ..rules() }, &gids(1, 0, 5));
    assert!(matches!(table.screen(), Screen::NoTask(_)));
    assert_eq!((table.asks_card(), table.asks_server()), (0, 0));
    table.act(Act::AskTask);
    table.answer_server(ServerAnswer::Task(Ok(TaskOffer::None)));
    assert!(matches!(table.screen(), Screen::NoTask(_)));
    table.act(Act::AskTask);
    let questions = vec![Question { id: "q".into(), text: "Pet?".into() }];
    table.answer_server(ServerAnswer::Task(Ok(TaskOffer::ResetUserPin { session: "T".into(), questions, expires_in: 300 })));
    assert!(matches!(table.screen(), Screen::Questions { task: true, .. }));
    table.act(Act::Back);
    assert!(table.open.iter().any(|effect| matches!(effect, Effect::Later(session) if session == "T")));
    assert!(matches!(table.screen(), Screen::NoTask(_)));
}

#[test]
fn what_a_server_says_is_made_visible_and_cut() {
    use cardlab_client::unlock::session::words::visible;
    assert_eq!(visible("a\x1b[31mb\x07\u{202e}c\nd"), "a␛[31mb␇\u{FFFD}c d");
    assert!(visible(&"x".repeat(20_000)).chars().count() <= 501);
    let mut table = Table::locked(&gids(1, 0, 5));
    table.act(Act::Questions);
    let questions = vec![Question { id: "q".into(), text: format!("\x1b]0;owned\x07{}", "y".repeat(20_000)) }];
    table.answer_server(ServerAnswer::Opened(Ok(Opened::Online { session: "S".into(), questions, expires_in: 1 })));
    let words = table.session.shown().words();
    assert!(words.iter().all(|word| !word.contains('\x1b') && word.chars().count() < 600));
}

/// Something that may happen at any time. Numbers pick among what is open.
#[derive(Clone, Debug)]
enum Any {
    Cards(Vec<(u8, u8, u8, u8)>),
    Disturbed(bool),
    Act(u8),
    Card(u8, u8),
    Server(u8, u8),
}

fn any_input() -> impl Strategy<Value = Any> {
    prop_oneof![
        proptest::collection::vec((0..4u8, 0..4u8, 0..3u8, 0..3u8), 0..4).prop_map(Any::Cards),
        any::<bool>().prop_map(Any::Disturbed),
        (0..16u8).prop_map(Any::Act),
        (any::<u8>(), 0..10u8).prop_map(|(pick, answer)| Any::Card(pick, answer)),
        (any::<u8>(), 0..12u8).prop_map(|(pick, answer)| Any::Server(pick, answer)),
    ]
}

fn act_of(n: u8) -> Act {
    match n {
        0 => Act::Choose("01".repeat(16)),
        1 => Act::Choose("02".repeat(16)),
        2 => Act::Pin(secret("4711")),
        3 => Act::AllTheSame,
        4 => Act::Questions,
        5 => Act::Answers(vec![secret("Rex")]),
        6 => Act::NewPin(new_pin("471147")),
        7 | 8 => Act::Respond(secret(RESPONSE), new_pin("471147")),
        9 => Act::Sure,
        10 => Act::UsePuk,
        11 => Act::Puk(secret("12345678"), new_pin("471147")),
        12 => Act::Again,
        13 => Act::Back,
        14 => Act::AskTask,
        _ => Act::Respond(secret("nonsense"), new_pin("1")),
    }
}

fn card_answer(ask: &CardAsk, n: u8, drawn: u8) -> CardAnswer {
    let error = |secret| match n {
        2 => CardError::Wrong { secret, left: Some(1) },
        3 => CardError::Wrong { secret, left: Some(0) },
        4 => CardError::Blocked(secret),
        5 => CardError::ChallengeGone,
        6 => CardError::Transport(TransportError::Removed),
        7 => CardError::Transport(TransportError::Reset),
        8 => CardError::Pin(PinFault::RefusedByCard),
        _ => CardError::Transport(TransportError::Short(1)),
    };
    match (ask, n) {
        (_, 1) => CardAnswer::GivenUp,
        (CardAsk::Verify(_), 0) => CardAnswer::Verified(Ok(())),
        (CardAsk::Verify(_), _) => CardAnswer::Verified(Err(error(Secret::Pin))),
        (CardAsk::Draw { .. }, 0 | 2 | 3) => CardAnswer::Challenge(Ok(vec![drawn; 8])),
        (CardAsk::Draw { .. }, _) => CardAnswer::Challenge(Err(error(Secret::AdminKey))),
        (CardAsk::Respond { .. } | CardAsk::Puk { .. }, 0) => CardAnswer::Unlocked(Ok(())),
        (CardAsk::Respond { .. }, _) => CardAnswer::Unlocked(Err(error(Secret::AdminKey))),
        (CardAsk::Puk { .. }, _) => CardAnswer::Unlocked(Err(error(Secret::Puk))),
    }
}

fn server_answer(ask: &ServerAsk, n: u8) -> ServerAnswer {
    let error = match n % 3 {
        0 => ServiceError::Over(said(410, "SESSION_OVER")),
        1 => ServiceError::Refused(said(400, "MALFORMED")),
        _ => ServiceError::Address("nowhere".into()),
    };
    let questions = vec![Question { id: "q".into(), text: "Pet?".into() }];
    match (ask, n) {
        (ServerAsk::Ways(_), 0..=7) => ServerAnswer::Ways(Ok(Ways { online: n.is_multiple_of(2), offline: n != 3 })),
        (ServerAsk::Ways(_), _) => ServerAnswer::Ways(Err(error)),
        (ServerAsk::Open(_), 0..=7) => {
            ServerAnswer::Opened(Ok(Opened::Online { session: format!("S{n}"), questions, expires_in: 1 }))
        }
        (ServerAsk::Open(_), 8) => ServerAnswer::Opened(Ok(Opened::Offline)),
        (ServerAsk::Open(_), _) => ServerAnswer::Opened(Err(error)),
        (ServerAsk::Task(_), 0..=7) => {
            ServerAnswer::Task(Ok(TaskOffer::ResetUserPin { session: format!("T{n}"), questions, expires_in: 1 }))
        }
        (ServerAsk::Task(_), _) => ServerAnswer::Task(Err(error)),
        (ServerAsk::Answers { .. }, 0..=7) => ServerAnswer::Judged(Ok(Judged::Answered { ok: n % 4 != 3 })),
        (ServerAsk::Answers { .. }, 8) => ServerAnswer::Judged(Ok(Judged::Over { mode: Mode::Offline })),
        (ServerAsk::Answers { .. }, _) => ServerAnswer::Judged(Err(error)),
        (ServerAsk::Response { .. }, 0..=8) => ServerAnswer::Response(Ok(vec![8; 8])),
        (ServerAsk::Response { .. }, _) => ServerAnswer::Response(Err(error)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order: no response without a person or a server who gave it, none to a challenge that is
    /// not the card's last one, nothing to a card that is not the session's; and there are always words.
    #[test]
    fn no_order_of_events_spends_a_try_for_nothing(
        events in proptest::collection::vec(any_input(), 1..60),
        place in 0..3u8,
        begin in 0..4u8,
        keep in any::<bool>(),
    ) {
        let place = [Place::LockScreen, Place::InSession, Place::RemoteDesktop][usize::from(place)];
        let begin = [Begin::Code, Begin::Questions, Begin::Puk, Begin::Task][usize::from(begin)];
        let mut session = Session::new(Rules { place, begin, keep, ..rules() });
        let mut open: Vec<Effect> = Vec::new();
        // The challenge that lives in each reader's card, as the card has it.
        let mut pending: std::collections::BTreeMap<String, Vec<u8>> = std::collections::BTreeMap::new();
        let mut allowed = 0u32;
        let mut drawn = 0u8;
        for event in events {
            let input = match event {
                Any::Cards(cards) => {
                    let mut readers: Vec<Seen> = Vec::new();
                    for (reader, id, pin, admin) in cards {
                        let reader = format!("R{reader}");
                        let facts = if id == 3 { piv(pin, admin, Some(admin)) } else { gids(id, pin, admin) };
                        if readers.iter().all(|seen| seen.reader != reader) {
                            readers.push(seen(&reader, &facts));
                        }
                    }
                    pending.retain(|reader, _| readers.iter().any(|seen| seen.reader == *reader));
                    Input::Cards(readers)
                }
                Any::Disturbed(over) => {
                    let Some(reader) = session.watched().map(str::to_owned) else { continue };
                    pending.remove(&reader);
                    Input::Disturbed(reader, if over { Disturbance::TimeOver } else { Disturbance::Reset })
                }
                Any::Act(n) => {
                    if matches!(n, 7..=9) {
                        allowed = 1;
                    }
                    Input::Person(act_of(n))
                }
                Any::Card(pick, n) => {
                    let asks: Vec<usize> = (0..open.len()).filter(|i| matches!(open[*i], Effect::Card { .. })).collect();
                    if asks.is_empty() { continue; }
                    let Effect::Card { ticket, reader, ask, .. } = open.remove(asks[usize::from(pick) % asks.len()]) else { continue };
                    drawn = drawn.wrapping_add(1);
                    let answer = card_answer(&ask, n, drawn);
                    if let CardAnswer::Challenge(Ok(challenge)) = &answer {
                        pending.insert(reader, challenge.clone());
                    } else {
                        pending.remove(&reader);
                    }
                    Input::Card(ticket, answer)
                }
                Any::Server(pick, n) => {
                    let asks: Vec<usize> = (0..open.len()).filter(|i| matches!(open[*i], Effect::Server { .. })).collect();
                    if asks.is_empty() { continue; }
                    let Effect::Server { ticket, ask } = open.remove(asks[usize::from(pick) % asks.len()]) else { continue };
                    let answer = server_answer(&ask, n);
                    if matches!(answer, ServerAnswer::Response(Ok(_))) {
                        allowed = 1;
                    }
                    Input::Server(ticket, answer)
                }
            };
            let last = matches!(session.shown().screen, Screen::LastResponse(_));
            let sure = matches!(&input, Input::Person(Act::Sure));
            for effect in session.input(input) {
                if let Effect::Card { reader, ask, .. } = &effect {
                    prop_assert_eq!(session.watched(), Some(reader.as_str()), "a card that is not the session's was asked");
                    if let CardAsk::Respond { challenge, .. } = ask {
                        prop_assert_eq!(allowed, 1, "a response that nobody gave");
                        allowed = 0;
                        prop_assert_eq!(pending.get(reader), Some(challenge), "a response to a dead challenge");
                        if last {
                            prop_assert!(sure, "the last response went without being confirmed");
                        }
                    }
                }
                if let Effect::Forget(ticket) = &effect {
                    open.retain(|open| ticket_of(open) != Some(*ticket));
                }
                open.push(effect);
            }
            let words = session.shown().words();
            prop_assert!(!words.is_empty() && words.iter().all(|word| !word.is_empty()), "{words:?}");
        }
    }
}
