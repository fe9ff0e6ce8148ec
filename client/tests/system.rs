//! The client over the system's own PC/SC library, as on Windows and macOS: the real libpcsclite.
#![allow(clippy::unwrap_used)]

use cardlab_client::minidriver::{Authenticator, Minidriver, Secret};
use cardlab_client::system::SystemReaders;
use cardlab_client::transport::{Transport, TransportError};
use cardlab_client::{lock, minidriver::CardError};
use cardlab_pcsclite::client::{Connection, Context, Disposition, ShareMode, default_socket};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_sim::card::{Card, World};
use cardlab_sim::profile::Profile;
use cardlab_vreader::icc::VirtualCard;
use cardlab_vreader::threaded::ThreadedRack;
use std::process::Command;
use std::time::Duration;

/// libpcsclite takes its socket from the environment, so what uses it is a process of its own: this very test.
#[test]
fn unlock_through_libpcsclite() {
    in_a_process_of_its_own("unlock_through_libpcsclite", unlock);
}

#[test]
fn a_transaction_ends_and_leaves_the_card_as_it_is() {
    in_a_process_of_its_own("a_transaction_ends_and_leaves_the_card_as_it_is", transactions);
}

fn in_a_process_of_its_own(test: &str, run: fn()) {
    if std::env::var_os("CARDLAB_TEST_CHILD").is_some() {
        return run();
    }
    let readers = ThreadedRack::start(1, Duration::from_secs(60)).unwrap();
    for (name, profile) in [("Test", "gids"), ("Other", "nist-piv")] {
        let card = Card::new(Profile::builtin(profile).unwrap(), World::seeded(1)).unwrap();
        readers.add(name, VirtualCard::new(card, None));
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env("CARDLAB_TEST_CHILD", "1");
    let output = child.env("PCSCLITE_CSOCK_NAME", readers.socket()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

fn transactions() {
    let key = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap();
    let readers = SystemReaders::establish().unwrap();
    let mut card = readers.connect("Test 00 00").unwrap();
    // Another program, by the socket: it is told at once that the card is held.
    let context = Context::establish_at(&default_socket()).unwrap();
    let mut other = context.connect("Test 00 00", ShareMode::Shared).unwrap();
    let held = |other: &mut Connection<'_>| TransportError::from(other.try_begin().unwrap_err()) == TransportError::Busy;

    card.end().unwrap_err();
    card.begin().unwrap();
    card.begin().unwrap_err();
    let challenge = Minidriver::open(&mut card).unwrap().unblock_challenge().unwrap();
    assert!(held(&mut other));
    card.end().unwrap();
    card.end().unwrap_err();
    other.try_begin().unwrap();
    Transport::end(&mut other).unwrap();
    // Neither the end nor the other's transaction has touched the challenge, and the handle is the one that it was.
    let response = key.respond(&challenge).unwrap();
    Minidriver::resume(&mut card).unwrap().card_unblock_pin(Authenticator::Response(&response), b"246810").unwrap();

    // A handle that goes in the middle of one ends it, and leaves the challenge too.
    card.begin().unwrap();
    let challenge = Minidriver::open(&mut card).unwrap().unblock_challenge().unwrap();
    assert!(held(&mut other));
    drop(card);
    other.try_begin().unwrap();
    let response = key.respond(&challenge).unwrap();
    Minidriver::resume(&mut other).unwrap().card_unblock_pin(Authenticator::Response(&response), b"135791").unwrap();
    Transport::end(&mut other).unwrap();

    // After another's reset a transaction begins once the handle knows of it; connecting anew ends the one that was.
    let mut card = readers.connect("Test 00 00").unwrap();
    card.begin().unwrap();
    card.reconnect().unwrap();
    other.try_begin().unwrap();
    other.disconnect(Disposition::Reset).unwrap();
    assert_eq!(card.begin(), Err(TransportError::Reset));
    card.reconnect().unwrap();
    card.begin().unwrap();
    card.end().unwrap();
}

fn unlock() {
    let key = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap();
    let readers = SystemReaders::establish().unwrap();
    assert_eq!(readers.names().unwrap()[0], "Test 00 00");
    let mut card = readers.connect("Test 00 00").unwrap();
    lock::bring_to(&mut Minidriver::open(&mut card).unwrap(), Secret::Pin, 0).unwrap();
    card.begin().unwrap();
    let challenge = Minidriver::open(&mut card).unwrap().unblock_challenge().unwrap();
    card.check().unwrap();
    let response = key.respond(&challenge).unwrap();
    let unblock = |card: &mut dyn Transport, pin: &[u8]| {
        Minidriver::resume(card)?.card_unblock_pin(Authenticator::Response(&response), pin)
    };
    unblock(&mut card, b"246810").unwrap();
    card.end().unwrap();
    Minidriver::open(&mut card).unwrap().card_authenticate_pin(b"246810").unwrap();

    // The transaction has ended: another handle gets in, and resets the card.
    let mut other = readers.connect("Test 00 00").unwrap();
    other.begin().unwrap();
    Minidriver::open(&mut other).unwrap().card_authenticate_pin(b"246810").unwrap();
    other.end().unwrap();

    // Without a transaction: the challenge survives a handle that is dropped, not another's selection.
    let challenge = Minidriver::open(&mut card).unwrap().unblock_challenge().unwrap();
    let response = key.respond(&challenge).unwrap();
    Minidriver::open(&mut other).unwrap();
    let answered =
        Minidriver::resume(&mut card).and_then(|mut card| card.card_unblock_pin(Authenticator::Response(&response), b"135791"));
    assert!(matches!(answered, Err(CardError::ChallengeGone)), "{answered:?}");
    let mut mine = Minidriver::open(&mut card).unwrap();
    assert_eq!(mine.card_pin_status().unwrap().admin.map(|c| c.left), Some(5), "no try was spent");
    mine.card_get_challenge().unwrap();
    mine.card_unblock_pin(Authenticator::Response(&response), b"135791").unwrap_err();
    assert!(matches!(readers.connect("no such"), Err(TransportError::NoReader)));
}
