//! Which commands leave the readers' thread: those that compute with keys for longer than that takes, and of a
//! chain its last block alone.

use cardlab_protocol::admin_key::AdminKey;
use cardlab_protocol::tlv::encode;
use cardlab_sim::card::{Card, World};
use cardlab_sim::crypto::CryptoError;
use cardlab_sim::crypto::backend::{Backend, EcPrivate, RsaPrivate, RustCrypto};
use cardlab_sim::crypto::ec::Curve;
use cardlab_sim::crypto::rsa::RsaKey;
use cardlab_sim::profile::Profile;
use cardlab_sim::random::Random;
use cardlab_vreader::icc::{Icc, SharedCard, VirtualCard};
use cardlab_vreader::setup::CardRequest;
use std::sync::Arc;
use std::time::Duration;

const SELECT_PIV: &str = "00A4040005A000000308";
const SELECT_GIDS: &str = "00A404000BA000000397425446590201";
const VERIFY: &str = "0020008008313233343536FFFF";

/// As quick with P-256 as the fast backend, which this crate does not have.
struct Quick;

impl Backend for Quick {
    fn rsa(&self, key: &RsaKey) -> Result<Box<dyn RsaPrivate>, CryptoError> {
        RustCrypto.rsa(key)
    }

    fn ec(&self, curve: Curve, scalar: &[u8]) -> Result<Box<dyn EcPrivate>, CryptoError> {
        RustCrypto.ec(curve, scalar)
    }

    fn rsa_time(&self, bits: u16) -> Duration {
        RustCrypto.rsa_time(bits)
    }

    fn ec_time(&self, curve: Curve) -> Duration {
        if curve == Curve::P256 { Duration::from_micros(12) } else { RustCrypto.ec_time(curve) }
    }
}

/// A powered card and the words to ask it.
struct Asked(VirtualCard);

fn card(request: &str, backend: impl Backend + 'static) -> Asked {
    let request: CardRequest = request.parse().unwrap();
    let world = World { backend: Arc::new(backend), ..World::seeded(1) };
    let mut card = VirtualCard::new(request.make(world).unwrap(), None);
    card.power_on();
    Asked(card)
}

impl Asked {
    /// Sends a command that must succeed; whether it leaves.
    fn bytes(&mut self, command: &[u8]) -> bool {
        let slow = self.0.is_slow(command);
        let response = self.0.transmit(command).unwrap();
        assert!(matches!(response[response.len() - 2], 0x90 | 0x61), "{}: {}", hex::encode(command), hex::encode(response));
        slow
    }

    fn leaves(&mut self, command: &str) -> bool {
        self.bytes(&hex::decode(command.replace(' ', "")).unwrap())
    }

    /// The same for a command that the card refuses.
    fn refused_leaves(&mut self, command: &str) -> bool {
        let command = hex::decode(command.replace(' ', "")).unwrap();
        let slow = self.0.is_slow(&command);
        let response = self.0.transmit(&command).unwrap();
        assert!((0x63..0x70).contains(&response[response.len() - 2]), "{}", hex::encode(response));
        slow
    }

    /// A chain of blocks; whether each leaves.
    fn chain(&mut self, header: [u8; 4], data: &[u8]) -> Vec<bool> {
        let blocks: Vec<&[u8]> = data.chunks(200).collect();
        let (last, first) = blocks.split_last().unwrap();
        let [_, ins, p1, p2] = header;
        let mut block = |cla: u8, data: &[u8], le: &[u8]| self.bytes(&[&[cla, ins, p1, p2, data.len() as u8], data, le].concat());
        let mut slow: Vec<bool> = first.iter().map(|data| block(0x10, data, &[])).collect();
        slow.push(block(0x00, last, &[0]));
        slow
    }

    /// Proves that the administrator key of a PIV card is known: challenge and response.
    fn authenticate(&mut self) {
        let rules = self.0.card().unwrap().profile().management_key.clone();
        let key = AdminKey::new(rules.algorithm, &rules.value).unwrap();
        let ask = [0x00, 0x87, rules.algorithm.id(), 0x9B, 4, 0x7C, 2, 0x81, 0, 0];
        assert!(!self.0.is_slow(&ask));
        let challenge = self.0.transmit(&ask).unwrap();
        let response = encode(0x7C, &encode(0x82, &key.respond(&challenge[4..challenge.len() - 2]).unwrap()));
        let answer = [&[0x00, 0x87, rules.algorithm.id(), 0x9B, response.len() as u8], &response[..]].concat();
        assert!(!self.bytes(&answer));
    }
}

/// GENERAL AUTHENTICATE's template around a block or a digest.
fn sign(input: &[u8]) -> Vec<u8> {
    encode(0x7C, &[encode(0x82, &[]), encode(0x81, input)].concat())
}

fn rsa_block(bits: usize) -> Vec<u8> {
    let mut block = vec![0x5A; bits / 8];
    block[0] = 0;
    block
}

#[test]
fn piv() {
    let mut card = card("nist-piv,9a=new:rsa2048,9d=new:p256,9e=new:p384", RustCrypto);
    for short in [SELECT_PIV, VERIFY, "00200080", "00CB3FFF055C035FC10200"] {
        assert!(!card.leaves(short), "{short}");
    }
    assert_eq!(card.chain([0, 0x87, 0x07, 0x9A], &sign(&rsa_block(2048))), [false, true]);
    assert_eq!(card.chain([0, 0x87, 0x11, 0x9D], &sign(&[7; 32])), [true], "RustCrypto takes its time for every curve");
    assert_eq!(card.chain([0, 0x87, 0x14, 0x9E], &sign(&[7; 48])), [true]);
    card.authenticate();
    assert_eq!(
        card.chain([0, 0xDB, 0x3F, 0xFF], &[&[0x5C, 3, 0x5F, 0xC1, 2][..], &encode(0x53, &[1; 500])].concat()),
        [false; 3]
    );
    assert!(card.leaves("0047009C05AC0380011100"));
    // A key that is not there, or of another algorithm; a block of a chain that has nothing to do with it.
    for refused in [
        "0087079C0A7C08820081040000000000",
        "0087119A047C02820000",
        "8087079A047C02820000",
        "0C87079A047C02820000",
        "00F79A00",
        "00",
    ] {
        assert!(!card.refused_leaves(refused), "{refused}");
    }
}

#[test]
fn a_backend_that_is_quick_with_a_curve_stays() {
    let mut card = card("yubikey-5.7,9d=new:p256,9e=new:p384,82=new:ed25519", Quick);
    card.leaves(SELECT_PIV);
    card.leaves(VERIFY);
    assert_eq!(card.chain([0, 0x87, 0x11, 0x9D], &sign(&[7; 32])), [false]);
    assert_eq!(card.chain([0, 0x87, 0x14, 0x9E], &sign(&[7; 48])), [true]);
    assert_eq!(card.chain([0, 0x87, 0xE0, 0x82], &sign(&[7; 32])), [false]);
}

#[test]
fn yubikey() {
    let mut card = card("yubikey-5.4,9a=new:rsa1024", RustCrypto);
    for short in [SELECT_PIV, VERIFY, "00F8000000", "00FD000000", "00F7008000", "00F7009B00"] {
        assert!(!card.leaves(short), "{short}");
    }
    assert_eq!(card.chain([0, 0x87, 0x06, 0x9A], &sign(&rsa_block(1024))), [true]);
    assert!(card.leaves("00F7009A00"), "GET METADATA derives the public key");
    card.authenticate();
    assert!(card.leaves("0047009E05AC0380011100"));
    assert!(card.leaves("00F99E0000"), "ATTEST signs");
    assert!(!card.refused_leaves("00F9820000"), "nothing to attest");
    let RustKey { p, q } = RustKey::new();
    let half = vec![1; p.len()];
    let key = [encode(1, &p), encode(2, &q), encode(3, &half), encode(4, &half), encode(5, &half)].concat();
    assert_eq!(card.chain([0, 0xFE, 0x06, 0x82], &key), [false, true]);
    // As one APDU of extended length.
    let template = sign(&rsa_block(1024));
    let extended = [&[0, 0x87, 0x06, 0x82, 0, 0, template.len() as u8], &template[..], &[0, 0]].concat();
    assert!(card.bytes(&extended));
}

/// The primes of an RSA-1024 key.
struct RustKey {
    p: Vec<u8>,
    q: Vec<u8>,
}

impl RustKey {
    fn new() -> Self {
        let [p, q] = RsaKey::generate(1024, &mut Random::from_number(9, 0)).unwrap().primes();
        Self { p: p.to_vec(), q: q.to_vec() }
    }
}

#[test]
fn gids() {
    let mut card = card("gids", RustCrypto);
    for short in [SELECT_GIDS, "0020008006313233343536", "00200080", "00CB3FFF045C027F7100", "00CBA010045C02DF2100"] {
        assert!(!card.leaves(short), "{short}");
    }
    let usages = [
        encode(0xB6, &[0x80, 1, 0x56, 0x83, 1, 0x81, 0x95, 1, 0x40]),
        encode(0xB8, &[0x80, 1, 0x46, 0x83, 1, 0x81, 0x95, 1, 0x40]),
    ];
    let file = [&hex::decode("8201188302B0818C058F10101000").unwrap()[..], &encode(0xA5, &usages.concat())].concat();
    assert_eq!(card.chain([0, 0xE0, 0, 0], &encode(0x62, &file)), [false]);
    assert!(!card.leaves("00440000"));
    assert!(!card.refused_leaves("002A9E9A03010203"), "no environment: nothing is signed");
    assert!(card.leaves("0047000008AC0680010683018100"));
    assert!(card.leaves("00CB3FFF0B7009840181A5047F49800000"), "the public key is derived");
    assert!(!card.leaves("002241B606800156840181"));
    assert_eq!(card.chain([0, 0x2A, 0x9E, 0x9A], b"digest info"), [true]);
    assert!(!card.leaves("002241B806800146840181"));
    assert_eq!(card.chain([0, 0xDB, 0xA0, 0x10], &encode(0xDF25, &[1; 700])), [false; 4]);
    let RustKey { p, q } = RustKey::new();
    let modulus = RsaKey::from_primes(&p, &q, 128).unwrap().modulus();
    let integer = |bytes: &[u8]| encode(0x02, bytes);
    let der = encode(0x30, &[&[0][..], &modulus, &[1, 0, 1], &[1], &p, &q].map(integer).concat());
    let body = [encode(0x83, &[2]), encode(0x87, &der)].concat();
    let put = encode(0x70, &[encode(0x84, &[0x81]), encode(0xA5, &body)].concat());
    assert_eq!(card.chain([0, 0xDB, 0x3F, 0xFF], &put), [false, true]);
    let administration = format!("00DB3FFF21701F840180A51A8718{}", "A0".repeat(24));
    assert!(!card.refused_leaves(&administration), "a symmetric key");
}

/// A card that somebody looks at is waited for, which the readers' thread must not do.
#[test]
fn a_card_that_somebody_holds() {
    let Asked(card) = card("nist-piv", RustCrypto);
    let shared = SharedCard::new(card);
    assert!(!shared.is_slow(&[0, 0x20, 0, 0x80]));
    let held = shared.lock();
    assert!(shared.is_slow(&[0, 0x20, 0, 0x80]));
    drop(held);
}

/// Asking where a command belongs changes nothing: its answer, and every later one, is the same.
#[test]
fn asking_leaves_no_trace() {
    const KNOWN: [u8; 20] =
        [0x20, 0x22, 0x24, 0x2A, 0x2C, 0x44, 0x87, 0x87, 0xA4, 0xC0, 0xCB, 0xDB, 0xE0, 0xF6, 0xF7, 0xF9, 0xFB, 0xFD, 0xFE, 0xFF];
    for (number, profile) in ["nist-piv", "yubikey-5.7", "gids"].into_iter().enumerate() {
        let make = || {
            let card = Card::new(Profile::builtin(profile).unwrap(), World::seeded(3)).unwrap();
            let mut card = VirtualCard::new(card, None);
            card.power_on();
            let select = if profile == "gids" { SELECT_GIDS } else { SELECT_PIV };
            card.transmit(&hex::decode(select).unwrap()).unwrap();
            card
        };
        let (mut asked, mut other) = (make(), make());
        let mut random = Random::from_number(2027, number as u64);
        for turn in 0..5_000 {
            let [shape, length, ins] = random.bytes();
            let mut command = vec![0; usize::from(length % 40)];
            random.fill(&mut command);
            if let [cla, place, _, _, rest @ ..] = &mut command[..] {
                (*cla, *place) = ([0x00, 0x00, 0x10, 0x0C][usize::from(shape % 4)], KNOWN[usize::from(ins) % KNOWN.len()]);
                if let [lc, data @ ..] = rest {
                    *lc = data.len() as u8;
                }
            }
            let slow = asked.is_slow(&command);
            assert!(!(slow && shape % 4 > 1), "{turn}: a block of a chain that goes on, or what is refused, computes nothing");
            assert_eq!(asked.transmit(&command), other.transmit(&command), "{profile} {turn}");
        }
    }
}
