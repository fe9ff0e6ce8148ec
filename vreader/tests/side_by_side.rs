//! Cards compute side by side: what one takes long for holds up nobody but those who want the same card, and what
//! happens meanwhile - the card pulled out, the reader unplugged, the program gone - is as with any command.

use crate::common::Raw;
use cardlab_pcsclite::client::{Connection, Context, ShareMode};
use cardlab_pcsclite::code::{ReturnCode, protocol, share};
use cardlab_protocol::admin_key::AdminKey;
use cardlab_protocol::tlv::encode;
use cardlab_sim::card::World;
use cardlab_sim::crypto::CryptoError;
use cardlab_sim::crypto::backend::{Backend, EcPrivate, RsaPrivate, RustCrypto};
use cardlab_sim::crypto::ec::Curve;
use cardlab_sim::crypto::rsa::RsaKey;
use cardlab_sim::profile::Profile;
use cardlab_sim::random::Random;
use cardlab_vreader::icc::VirtualCard;
use cardlab_vreader::rack::Whereabouts;
use cardlab_vreader::setup::CardRequest;
use cardlab_vreader::threaded::ThreadedRack;
use cardlab_vreader::vpcd;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zeroize::Zeroizing;

const SELECT: &[u8] = &[0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8];
const VERIFY: &[u8] = b"\x00\x20\x00\x80\x08123456\xFF\xFF";
const STATUS: &[u8] = &[0, 0x20, 0, 0x80];
/// So long that nothing but a mistake takes it.
const FOREVER: Duration = Duration::from_secs(20);

/// RustCrypto whose RSA operations say when they begin, and end when they are let go.
struct Gated {
    begun: Sender<()>,
    go: Arc<Mutex<Receiver<()>>>,
}

struct GatedKey {
    key: RsaKey,
    begun: Sender<()>,
    go: Arc<Mutex<Receiver<()>>>,
}

impl Backend for Gated {
    fn rsa(&self, key: &RsaKey) -> Result<Box<dyn RsaPrivate>, CryptoError> {
        Ok(Box::new(GatedKey { key: key.clone(), begun: self.begun.clone(), go: Arc::clone(&self.go) }))
    }

    fn ec(&self, curve: Curve, scalar: &[u8]) -> Result<Box<dyn EcPrivate>, CryptoError> {
        RustCrypto.ec(curve, scalar)
    }

    fn rsa_time(&self, bits: u16) -> Duration {
        RustCrypto.rsa_time(bits)
    }

    fn ec_time(&self, curve: Curve) -> Duration {
        RustCrypto.ec_time(curve)
    }
}

impl RsaPrivate for GatedKey {
    fn private(&self, block: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.begun.send(()).unwrap();
        self.go.lock().unwrap().recv_timeout(FOREVER).expect("nobody lets it go: the others are held up");
        self.key.private(block)
    }
}

/// The other side of [`Gated`].
struct Gate {
    begun: Receiver<()>,
    go: Sender<()>,
}

impl Gate {
    fn wait_for_begin(&self) {
        self.begun.recv_timeout(FOREVER).expect("the operation has begun");
    }

    fn let_go(&self) {
        self.go.send(()).unwrap();
    }
}

/// A card with an RSA key whose operations wait.
fn gated() -> (VirtualCard, Gate) {
    let ((begin, begun), (go, gone)) = (channel(), channel());
    let backend = Arc::new(Gated { begun: begin, go: Arc::new(Mutex::new(gone)) });
    let request: CardRequest = "nist-piv,9a=new:rsa1024".parse().unwrap();
    let card = request.make(World { backend, ..World::seeded(1) }).unwrap();
    (VirtualCard::new(card, None), Gate { begun, go })
}

/// A card that does not wait.
fn plain() -> VirtualCard {
    let profile = Profile::builtin("nist-piv").unwrap();
    VirtualCard::new(cardlab_sim::card::Card::new(profile, World::seeded(2)).unwrap(), None)
}

fn rack() -> ThreadedRack {
    ThreadedRack::start(1, Duration::ZERO).unwrap()
}

/// GENERAL AUTHENTICATE with the RSA-1024 key of 9A.
fn sign() -> Vec<u8> {
    let template = encode(0x7C, &[encode(0x82, &[]), encode(0x81, &[&[0][..], &[0x5A; 127]].concat())].concat());
    [&[0, 0x87, 0x06, 0x9A, template.len() as u8], &template[..], &[0]].concat()
}

/// A connection that does not wait for ever when something is held up.
fn connected(rack: &ThreadedRack) -> Context {
    let context = Context::establish_at(rack.socket()).unwrap();
    context.set_limit(FOREVER).unwrap();
    context
}

fn send(card: &mut Connection<'_>, command: &[u8]) -> Result<Vec<u8>, ReturnCode> {
    card.transmit(command).map_err(|e| e.code().unwrap_or_else(|| panic!("{e}")))
}

/// A program of its own: connects, verifies the PIN and signs.
fn sign_at(rack: &ThreadedRack, reader: &str) -> Result<Vec<u8>, ReturnCode> {
    let context = connected(rack);
    let mut card = context.connect(reader, ShareMode::Shared).unwrap();
    assert_eq!(send(&mut card, VERIFY), Ok(vec![0x90, 0]));
    send(&mut card, &sign())
}

fn is_signature(answer: &[u8]) -> bool {
    answer.len() > 128 && answer.ends_with(&[0x90, 0])
}

#[test]
fn four_cards_sign_at_once() {
    let rack = rack();
    let names = ["A 00 00", "B 01 00", "C 02 00", "D 03 00"];
    let gates = names.map(|name| {
        let (card, gate) = gated();
        rack.add(&name[..1], card);
        gate
    });
    std::thread::scope(|scope| {
        let signing = names.map(|name| scope.spawn(|| sign_at(&rack, name)));
        // None of them ends before all have begun.
        gates.iter().for_each(Gate::wait_for_begin);
        gates.iter().for_each(Gate::let_go);
        assert!(signing.into_iter().all(|one| is_signature(&one.join().unwrap().unwrap())));
    });
}

#[test]
fn a_signature_holds_up_its_own_card_only() {
    let rack = rack();
    let (card, gate) = gated();
    rack.add("Busy", card);
    rack.add("Other", plain());
    std::thread::scope(|scope| {
        let signing = scope.spawn(|| sign_at(&rack, "Busy 00 00"));
        gate.wait_for_begin();
        let context = connected(&rack);
        let mut other = context.connect("Other 01 00", ShareMode::Shared).unwrap();
        for _ in 0..20 {
            send(&mut other, SELECT).unwrap();
        }
        // Who wants the same card waits for it.
        let waiting = scope.spawn(|| {
            let context = connected(&rack);
            let mut card = context.connect("Busy 00 00", ShareMode::Shared).unwrap();
            send(&mut card, STATUS)
        });
        for _ in 0..20 {
            send(&mut other, STATUS).unwrap();
        }
        assert!(!signing.is_finished() && !waiting.is_finished());
        gate.let_go();
        assert!(is_signature(&signing.join().unwrap().unwrap()));
        assert_eq!(waiting.join().unwrap(), Ok(vec![0x90, 0]), "the PIN is verified still");
    });
}

#[test]
fn pulled_out_in_the_middle_of_a_signature() {
    let rack = rack();
    let (card, gate) = gated();
    let place = rack.add("Busy", card);
    let context = connected(&rack);
    std::thread::scope(|scope| {
        let signing = scope.spawn(|| sign_at(&rack, "Busy 00 00"));
        gate.wait_for_begin();
        let mut known = context.readers().unwrap();
        let pulling = scope.spawn(|| rack.remove(place));
        while rack.rack().whereabouts(place) == Whereabouts::In {
            known = context.wait_for_change(&known, FOREVER).unwrap();
        }
        assert!(!pulling.is_finished(), "seen at once, though the card works still");
        gate.let_go();
        pulling.join().unwrap().unwrap();
        assert_eq!(signing.join().unwrap(), Err(ReturnCode::NO_SMARTCARD));
    });
    rack.insert(place).unwrap();
    let mut card = context.connect("Busy 00 00", ShareMode::Shared).unwrap();
    assert_eq!(send(&mut card, STATUS), Ok(vec![0x63, 0xC3]), "it had no power meanwhile");
    gate.let_go();
    assert!(is_signature(&sign_at(&rack, "Busy 00 00").unwrap()));
}

#[test]
fn unplugged_in_the_middle_of_a_signature() {
    let rack = rack();
    let (card, gate) = gated();
    let place = rack.add("Busy", card);
    std::thread::scope(|scope| {
        let signing = scope.spawn(|| sign_at(&rack, "Busy 00 00"));
        gate.wait_for_begin();
        rack.unplug(place).unwrap();
        rack.plug(place).unwrap();
        let inserting = scope.spawn(|| rack.insert(place));
        // The readers' thread does not wait with it.
        let context = connected(&rack);
        assert_eq!(context.readers().unwrap().len(), 1);
        assert!(!inserting.is_finished() && !signing.is_finished());
        gate.let_go();
        inserting.join().unwrap().unwrap();
        assert!(signing.join().unwrap().is_err());
    });
    let context = connected(&rack);
    let mut card = context.connect("Busy 00 00", ShareMode::Shared).unwrap();
    assert_eq!(send(&mut card, STATUS), Ok(vec![0x63, 0xC3]));
}

/// The card is not free before it has ended what a program asked that is there no longer; then the transaction of
/// that program ends with a reset, as ever.
#[test]
fn a_program_that_dies_in_the_middle_of_a_signature() {
    let rack = rack();
    let (card, gate) = gated();
    rack.add("Busy", card);
    let mut dying = Raw::open(&rack.socket().to_owned());
    dying.version(4, 4);
    dying.establish();
    dying.handle = dying.connect_to("Busy 00 00", share::SHARED, protocol::T1).unwrap().0;
    assert_eq!(dying.transmit(VERIFY), Ok(vec![0x90, 0]));
    assert_eq!(dying.begin(), ReturnCode::OK);
    dying.send_transmit(protocol::T1, &sign(), 300);
    gate.wait_for_begin();
    drop(dying);
    std::thread::scope(|scope| {
        let next = scope.spawn(|| {
            let context = connected(&rack);
            let mut card = context.connect("Busy 00 00", ShareMode::Shared).unwrap();
            send(&mut card, STATUS)
        });
        let context = connected(&rack);
        for _ in 0..20 {
            assert_eq!(context.readers().unwrap().len(), 1);
        }
        assert!(!next.is_finished());
        gate.let_go();
        assert_eq!(next.join().unwrap(), Ok(vec![0x63, 0xC3]));
    });
}

/// Everything that draws from a card's random source or computes with its keys, and what the card answers.
fn session(rack: &ThreadedRack, reader: &str) -> Vec<Vec<u8>> {
    let context = connected(rack);
    let mut card = context.connect(reader, ShareMode::Shared).unwrap();
    let mut answers = Vec::new();
    let mut ask = |command: &[u8]| {
        let answer = send(&mut card, command).unwrap();
        assert!(answer.ends_with(&[0x90, 0]), "{}: {}", hex::encode(command), hex::encode(&answer));
        answers.push(answer.clone());
        answer
    };
    ask(SELECT);
    ask(VERIFY);
    let rules = Profile::builtin("yubikey-5.7").unwrap().management_key;
    let (key, algorithm) = (AdminKey::new(rules.algorithm, &rules.value).unwrap(), rules.algorithm.id());
    let challenge = ask(&[0, 0x87, algorithm, 0x9B, 4, 0x7C, 2, 0x81, 0, 0]);
    let response = encode(0x7C, &encode(0x82, &key.respond(&challenge[4..challenge.len() - 2]).unwrap()));
    ask(&[&[0, 0x87, algorithm, 0x9B, response.len() as u8], &response[..]].concat());
    for _ in 0..2 {
        ask(&[0, 0x47, 0, 0x9A, 5, 0xAC, 3, 0x80, 1, 0x06, 0]);
        ask(&sign());
        ask(&[0, 0x47, 0, 0x9E, 5, 0xAC, 3, 0x80, 1, 0x14, 0]);
        ask(&[0, 0xF9, 0x9A, 0, 0, 0, 0]);
        ask(&[0, 0x87, algorithm, 0x9B, 4, 0x7C, 2, 0x81, 0, 0]);
    }
    answers
}

#[test]
fn the_bytes_under_a_seed_are_the_same_alone_and_beside_others() {
    let card = |stream: u64| {
        let world = World { random: Random::from_number(7, stream), ..World::seeded(7) };
        VirtualCard::new(cardlab_sim::card::Card::new(Profile::builtin("yubikey-5.7").unwrap(), world).unwrap(), None)
    };
    let alone = [0, 1, 2, 3].map(|stream| {
        let rack = rack();
        rack.add("One", card(stream));
        session(&rack, "One 00 00")
    });
    let rack = rack();
    for stream in 0..4 {
        rack.add("One", card(stream));
    }
    let together = std::thread::scope(|scope| {
        let sessions = [0, 1, 2, 3].map(|n| {
            scope.spawn({
                let rack = &rack;
                move || session(rack, &format!("One {n:02} 00"))
            })
        });
        sessions.map(|session| session.join().unwrap())
    });
    assert!(alone == together, "one order of draws a card");
    assert!(alone[0] != alone[1], "each its own");
}

/// The same for cards in the readers of a system-wide pcscd.
#[test]
fn cards_in_vpcd_readers() {
    let listeners = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
    let addresses = [0, 1].map(|n| listeners[n].local_addr().unwrap().to_string());
    let (card, gate) = gated();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let [busy, other] = addresses;
            tokio::spawn(async move { vpcd::serve(&busy, Box::new(card), || {}).await });
            vpcd::serve(&other, Box::new(plain()), || {}).await
        })
    });
    let [mut busy, mut other] = listeners.map(|listener| listener.accept().unwrap().0);
    for driver in [&mut busy, &mut other] {
        driver.set_read_timeout(Some(FOREVER)).unwrap();
        tell(driver, &[1]);
    }
    tell(&mut busy, VERIFY);
    assert_eq!(heard(&mut busy), [0x90, 0]);
    tell(&mut busy, &sign());
    gate.wait_for_begin();
    for _ in 0..20 {
        tell(&mut other, STATUS);
        assert_eq!(heard(&mut other), [0x63, 0xC3]);
    }
    gate.let_go();
    assert!(is_signature(&heard(&mut busy)));
}

fn tell(driver: &mut TcpStream, message: &[u8]) {
    driver.write_all(&[&(message.len() as u16).to_be_bytes(), message].concat()).unwrap();
}

fn heard(driver: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    driver.read_exact(&mut length).unwrap();
    let mut message = vec![0; u16::from_be_bytes(length).into()];
    driver.read_exact(&mut message).unwrap();
    message
}
