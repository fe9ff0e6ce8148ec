//! The client over the system's own PC/SC library, as on Windows: here the real libpcsclite, which our readers serve.
#![allow(clippy::unwrap_used)]

use cardlab_client::lock;
use cardlab_client::minidriver::{Authenticator, CardError, Minidriver, Secret};
use cardlab_client::transport::{Transport, TransportError};
use cardlab_client::unlock::desk::{Desk, Setup};
use cardlab_client::unlock::session::{Act, Begin, First, NewPin, Place, Rules, Screen};
use cardlab_pcsclite::client::{Connection, Context, Disposition, Error, ShareMode, default_socket};
use cardlab_pcsclite::code::{ReturnCode, attribute, part10, state};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_sim::card::{Card, World};
use cardlab_sim::profile::Profile;
use cardlab_vreader::icc::VirtualCard;
use cardlab_vreader::threaded::ThreadedRack;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;
use zeroize::Zeroizing;

const READER: &str = "Test 00 00";
const PATIENCE: Duration = Duration::from_secs(60);

/// libpcsclite takes its socket from the environment, so what uses it is a process of its own: this very test. It is given the
/// readers; what it says on stdout is handed to `meanwhile`, line by line, whose answers it reads.
fn in_a_process_of_its_own(test: &str, run: fn(), mut meanwhile: impl FnMut(&ThreadedRack, &str)) {
    use std::io::BufRead as _;
    if std::env::var_os("CARDLAB_TEST_CHILD").is_some() {
        return run();
    }
    let readers = ThreadedRack::start(1, PATIENCE).unwrap();
    for (name, profile) in [("Test", "gids"), ("Other", "nist-piv")] {
        let card = Card::new(Profile::builtin(profile).unwrap(), World::seeded(1)).unwrap();
        readers.add(name, VirtualCard::new(card, None));
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env("CARDLAB_TEST_CHILD", "1").stdout(Stdio::piped());
    let mut child = child.env("PCSCLITE_CSOCK_NAME", readers.socket()).spawn().unwrap();
    let mut text = String::new();
    for line in std::io::BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        meanwhile(&readers, &line);
        text += &(line + "\n");
    }
    assert!(child.wait().unwrap().success() && text.contains("1 passed"), "{text}");
}

/// The system's library.
fn system() -> Context {
    Context::establish_at(Path::new("")).unwrap()
}

/// Another program, by the socket.
fn other() -> Context {
    Context::establish_at(&default_socket()).unwrap()
}

fn code<T>(result: Result<T, Error>) -> Option<ReturnCode> {
    result.err().and_then(|error| error.code())
}

#[test]
fn unlock_through_libpcsclite() {
    in_a_process_of_its_own("unlock_through_libpcsclite", unlock, |_, _| {});
}

fn unlock() {
    let key = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap();
    let context = system();
    let mut card = context.connect(READER, ShareMode::Shared).unwrap();
    lock::bring_to(&mut Minidriver::open(&mut card).unwrap(), Secret::Pin, 0).unwrap();
    Transport::begin(&mut card).unwrap();
    let challenge = Minidriver::open(&mut card).unwrap().unblock_challenge().unwrap();
    card.check().unwrap();
    let response = key.respond(&challenge).unwrap();
    let unblock = |card: &mut dyn Transport, pin: &[u8]| {
        Minidriver::resume(card)?.card_unblock_pin(Authenticator::Response(&response), pin)
    };
    unblock(&mut card, b"246810").unwrap();
    Transport::end(&mut card).unwrap();
    Minidriver::open(&mut card).unwrap().card_authenticate_pin(b"246810").unwrap();

    // The transaction has ended: another handle gets in.
    let mut beside = context.connect(READER, ShareMode::Shared).unwrap();
    Transport::begin(&mut beside).unwrap();
    Minidriver::open(&mut beside).unwrap().card_authenticate_pin(b"246810").unwrap();
    Transport::end(&mut beside).unwrap();

    // Without a transaction: the challenge survives a handle that is dropped, not another's selection.
    let challenge = Minidriver::open(&mut card).unwrap().unblock_challenge().unwrap();
    let response = key.respond(&challenge).unwrap();
    Minidriver::open(&mut beside).unwrap();
    let answered =
        Minidriver::resume(&mut card).and_then(|mut card| card.card_unblock_pin(Authenticator::Response(&response), b"135791"));
    assert!(matches!(answered, Err(CardError::ChallengeGone)), "{answered:?}");
    let mut mine = Minidriver::open(&mut card).unwrap();
    assert_eq!(mine.card_pin_status().unwrap().admin.map(|c| c.left), Some(5), "no try was spent");
    assert_eq!(code(context.connect("no such", ShareMode::Shared)), Some(ReturnCode::UNKNOWN_READER));
}

#[test]
fn a_transaction_ends_and_leaves_the_card_as_it_is() {
    in_a_process_of_its_own("a_transaction_ends_and_leaves_the_card_as_it_is", transactions, |_, _| {});
}

fn transactions() {
    let key = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap();
    let (context, theirs) = (system(), other());
    let mut card = context.connect(READER, ShareMode::Shared).unwrap();
    let mut other = theirs.connect(READER, ShareMode::Shared).unwrap();
    let held = |card: &mut Connection<'_>| code(card.try_begin()) == Some(ReturnCode::SHARING_VIOLATION);

    assert_eq!(code(card.end(Disposition::Leave)), Some(ReturnCode::NOT_TRANSACTED));
    card.begin().unwrap();
    card.begin().unwrap();
    let challenge = Minidriver::open(&mut card).unwrap().unblock_challenge().unwrap();
    card.end(Disposition::Leave).unwrap();
    assert!(held(&mut other), "as many ends as beginnings");
    card.end(Disposition::Leave).unwrap();
    other.try_begin().unwrap();

    // A card that another holds: who asks is told after a moment, and asking again takes the card once it is free.
    assert!(held(&mut card) && held(&mut card));
    assert_eq!(code(card.status()), Some(ReturnCode::SHARING_VIOLATION));
    Transport::end(&mut other).unwrap();
    card.begin().unwrap();
    Transport::end(&mut card).unwrap();
    // Neither the ends nor the other's transaction have touched the challenge, and the handle is the one that it was.
    let response = key.respond(&challenge).unwrap();
    Minidriver::resume(&mut card).unwrap().card_unblock_pin(Authenticator::Response(&response), b"246810").unwrap();

    // Whoever gives up waiting does not get the card later on.
    other.try_begin().unwrap();
    assert!(held(&mut card));
    drop(card);
    Transport::end(&mut other).unwrap();
    let mut card = context.connect(READER, ShareMode::Shared).unwrap();
    other.begin().unwrap();
    Transport::end(&mut other).unwrap();

    // A handle that goes in the middle of one ends it, and leaves the challenge too.
    card.begin().unwrap();
    let challenge = Minidriver::open(&mut card).unwrap().unblock_challenge().unwrap();
    assert!(held(&mut other));
    drop(card);
    other.begin().unwrap();
    let response = key.respond(&challenge).unwrap();
    Minidriver::resume(&mut other).unwrap().card_unblock_pin(Authenticator::Response(&response), b"135791").unwrap();
    Transport::end(&mut other).unwrap();

    // After another's reset a transaction begins once the handle knows of it; connecting anew ends the one that was.
    let mut card = context.connect(READER, ShareMode::Shared).unwrap();
    card.begin().unwrap();
    Transport::reconnect(&mut card).unwrap();
    other.begin().unwrap();
    other.disconnect(Disposition::Reset).unwrap();
    assert_eq!(Transport::begin(&mut card), Err(TransportError::Reset));
    Transport::reconnect(&mut card).unwrap();
    card.begin().unwrap();
    card.end(Disposition::Leave).unwrap();
}

#[test]
fn readers_and_what_they_tell() {
    in_a_process_of_its_own("readers_and_what_they_tell", readers, |rack, line| match line {
        "take it out" => rack.remove(rack.rack().places()[0]).unwrap(),
        "put it in" => rack.insert(rack.rack().places()[0]).unwrap(),
        _ => {}
    });
}

fn readers() {
    let context = system();
    let (seen, plain) = (context.readers().unwrap(), other().readers().unwrap());
    assert_eq!(
        seen.iter().map(|r| (&r.name, &r.atr)).collect::<Vec<_>>(),
        plain.iter().map(|r| (&r.name, &r.atr)).collect::<Vec<_>>()
    );
    assert!(seen.iter().all(|reader| reader.has_card()));
    let mut card = context.connect(READER, ShareMode::Shared).unwrap();
    assert_eq!((card.protocol(), card.atr().unwrap()), (2, seen[0].atr.clone()));
    assert_eq!(card.attribute(attribute::ATR_STRING).unwrap(), seen[0].atr);
    assert_eq!(code(card.attribute(0xFFFF)), Some(ReturnCode::UNSUPPORTED_FEATURE));
    assert!(card.control(part10::GET_FEATURE_REQUEST, &[]).unwrap().starts_with(&[part10::FEATURE_GET_TLV_PROPERTIES]));
    assert_eq!(code(card.control(0x4200_0001, &[])), Some(ReturnCode::UNSUPPORTED_FEATURE));
    let long = [&[0x00, 0xDB, 0x3F, 0xFF, 0x00, 0x0B, 0xB8][..], &[0x5A; 3000]].concat();
    assert_eq!(card.transmit(&long).unwrap().len(), 2, "a long command has an answer");
    drop(card);

    // Nothing happens: the wait has its end.
    let known = context.readers().unwrap();
    assert_eq!(context.wait_for_change(&known, Duration::ZERO).unwrap(), known);
    println!("take it out");
    let known = context.wait_for_change(&known, PATIENCE).unwrap();
    assert_eq!((known[0].state & state::ABSENT, known[0].atr.len(), known[1].has_card()), (state::ABSENT, 0, true));
    assert_eq!(code(context.connect(READER, ShareMode::Shared)), Some(ReturnCode::NO_SMARTCARD));
    println!("put it in");
    assert!(context.wait_for_change(&known, PATIENCE).unwrap()[0].has_card());

    // A wait is cancelled from another thread, and one that is not there is none.
    let known = context.readers().unwrap();
    std::thread::scope(|threads| {
        let (tell, ended) = channel();
        let context = &context;
        threads.spawn(move || tell.send(code(context.wait_for_change(&known, PATIENCE))));
        let ended = std::iter::repeat_with(|| {
            context.cancel().unwrap();
            ended.recv_timeout(Duration::from_millis(100))
        });
        assert_eq!(ended.flatten().next(), Some(Some(ReturnCode::CANCELLED)));
    });
}

#[test]
fn a_session_unlocks_a_card() {
    in_a_process_of_its_own("a_session_unlocks_a_card", session, |_, _| {});
}

/// The driver of the lock screen and of `cardlab unlock`.
fn session() {
    {
        let context = other();
        let mut card = context.connect(READER, ShareMode::Shared).unwrap();
        lock::bring_to(&mut Minidriver::open(&mut card).unwrap(), Secret::Pin, 0).unwrap();
    }
    let desk = Desk::start(Setup {
        socket: PathBuf::new(),
        reader: Some(READER.into()),
        service: None,
        state: None,
        rules: Rules {
            place: Place::InSession,
            begin: Begin::Code,
            server: false,
            workstation: "here".into(),
            text: String::new(),
            keep: false,
            first: First::Any,
        },
        look_every: None,
    });
    let shown = desk.wait_until(PATIENCE, |shown| matches!(&shown.screen, Screen::Locked(view) if view.code.is_some()));
    let Screen::Locked(view) = &shown.screen else { panic!("{:?}", shown.screen) };
    let challenge = view.code.clone().unwrap().0;
    let response = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap().respond(&challenge).unwrap();
    let new = NewPin::once(Zeroizing::new("246810".to_owned()));
    assert!(desk.act(Some(shown.step), Act::Respond(hex::encode(response).into(), new)));
    let shown = desk.wait_until(PATIENCE, |shown| matches!(shown.screen, Screen::Done(_)));
    assert!(matches!(shown.screen, Screen::Done(_)), "{:?}", shown.screen);
}
