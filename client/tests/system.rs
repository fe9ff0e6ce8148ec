//! The client over the system's own PC/SC library, as on Windows and macOS: the real libpcsclite.
#![allow(clippy::unwrap_used)]

use cardlab_client::minidriver::{Authenticator, Minidriver, Secret};
use cardlab_client::system::SystemReaders;
use cardlab_client::transport::{Transport, TransportError};
use cardlab_client::{lock, minidriver::CardError};
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
    if std::env::var_os("CARDLAB_TEST_CHILD").is_some() {
        return unlock();
    }
    let readers = ThreadedRack::start(1, Duration::from_secs(60)).unwrap();
    for (name, profile) in [("Test", "gids"), ("Other", "nist-piv")] {
        let card = Card::new(Profile::builtin(profile).unwrap(), World::seeded(1)).unwrap();
        readers.add(name, VirtualCard::new(card, None));
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "unlock_through_libpcsclite", "--nocapture"]).env("CARDLAB_TEST_CHILD", "1");
    let output = child.env("PCSCLITE_CSOCK_NAME", readers.socket()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
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
