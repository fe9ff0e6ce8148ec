//! Whose card it is, by certificates on real card edges and by bytes that are none.

use cardlab_client::minidriver::{Authenticator, Minidriver};
use cardlab_client::owner::{name_in, owner};
use cardlab_client::transport::{InProcess, Transport};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_protocol::tlv::encode;
use cardlab_sim::crypto::asymmetric::{Algorithm, KeyPair};
use cardlab_sim::crypto::backend::RustCrypto;
use cardlab_sim::crypto::certificate::{Request, sign, subject};
use cardlab_sim::crypto::ec::Curve;
use cardlab_sim::{Card, Random, World};
use cardlab_vreader::setup::CardRequest;
use flate2::Compression;
use flate2::read::{GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use std::io::Read;

fn card(request: &str) -> Card {
    let mut card = request.parse::<CardRequest>().unwrap().make(World::seeded(3)).unwrap();
    card.power_on();
    card
}

fn reach(card: &mut Card) -> impl Transport + '_ {
    InProcess(move |command: &[u8]| card.transmit(command).ok())
}

fn owner_of(request: &str) -> Option<String> {
    let mut card = card(request);
    let mut transport = reach(&mut card);
    let mut opened = Minidriver::open(&mut transport).unwrap();
    let edge = opened.edge();
    owner(opened.transport(), edge).unwrap()
}

#[test]
fn a_card_names_its_owner() {
    for kind in ["gids", "nist-piv", "piv-admin", "yubikey-5.7", "yubikey-4.3"] {
        assert_eq!(owner_of(&format!("{kind},owner=Anna Berg")).as_deref(), Some("Anna Berg"), "{kind}");
        let without = owner_of(kind);
        assert_eq!(without, None, "{kind}");
    }
    let odd = r#"Åsa "Ö" <Lund>; a+b=c\d #1"#;
    assert_eq!(owner_of(&format!("nist-piv,owner={odd}")).as_deref(), Some(odd));
    assert_eq!(owner_of("nist-piv,9d=new:p256,serial=7").as_deref(), Some("cardlab 7 9d"), "the first that there is");
    let both = owner_of("nist-piv,9e=new:p256,owner=Boris Lund,9c=new:p256");
    assert_eq!(both.as_deref(), Some("Boris Lund"));
}

#[test]
fn a_challenge_that_waits_lives_on() {
    let key = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap();
    let mut card = card("gids,owner=Anna Berg");
    let mut transport = reach(&mut card);
    let mut opened = Minidriver::open(&mut transport).unwrap();
    let (edge, challenge) = (opened.edge(), opened.unblock_challenge().unwrap());
    assert!(owner(opened.transport(), edge).unwrap().is_some());
    opened.card_unblock_pin(Authenticator::Response(&key.respond(&challenge).unwrap()), b"246810").unwrap();
}

#[test]
fn what_is_no_certificate_has_no_name() {
    let mut nonsense = InProcess(|command: &[u8]| {
        let object = [&command[command.len() - 3..command.len() - 1], &[0x04, 1, 0, 9, 9]].concat();
        Some([object, encode(0x53, &encode(0x70, &[0x30; 40])), vec![0x90, 0x00]].concat())
    });
    for edge in [
        cardlab_client::recognise::Edge::Gids { initialised: true },
        cardlab_client::recognise::Edge::Piv { admin_unblock: false, yubikey: None },
    ] {
        assert_eq!(owner(&mut nonsense, edge), Ok(None));
    }
    let mut short = InProcess(|_: &[u8]| Some(vec![0x90]));
    assert_eq!(owner(&mut short, cardlab_client::recognise::Edge::Gids { initialised: true }), Ok(None));
}

/// A certificate, as far as a subject needs one.
fn with_subject(attributes: &[Vec<u8>]) -> Vec<u8> {
    let sets: Vec<u8> = attributes.iter().flat_map(|attribute| encode(0x31, &encode(0x30, attribute))).collect();
    let fields = [encode(0xA0, &[2, 1, 2]), encode(0x02, &[1]), encode(0x30, &[]), encode(0x30, &[]), encode(0x30, &[])];
    encode(0x30, &encode(0x30, &[fields.concat(), encode(0x30, &sets)].concat()))
}

fn common_name(tag: u32, value: &[u8]) -> Vec<u8> {
    [vec![0x06, 0x03, 0x55, 0x04, 0x03], encode(tag, value)].concat()
}

#[test]
fn every_kind_of_string_is_read() {
    let utf16: Vec<u8> = "Åsa 𝒜".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let utf32: Vec<u8> = "Åsa 𝒜".chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
    for (tag, value, name) in [
        (0x0C, "Åsa 𝒜".as_bytes(), Some("Åsa 𝒜")),
        (0x13, b" Asa ", Some("Asa")),
        (0x16, b"Asa", Some("Asa")),
        (0x14, b"\xC5sa", Some("Åsa")),
        (0x1E, &utf16, Some("Åsa 𝒜")),
        (0x1C, &utf32, Some("Åsa 𝒜")),
        (0x0C, b"\xC5sa", None),
        (0x1E, &[0xD8, 0x00, 0x00, 0x41], None),
        (0x1C, &[0xFF; 4], None),
        (0x0C, b"   ", None),
        (0x02, b"Asa", None),
    ] {
        assert_eq!(name_in(&with_subject(&[common_name(tag, value)])).as_deref(), name, "{tag:02X}");
    }
    let long = "x".repeat(500);
    assert_eq!(name_in(&with_subject(&[common_name(0x0C, long.as_bytes())])).unwrap().len(), 64);
    let organisation = [vec![0x06, 0x03, 0x55, 0x04, 0x0A], encode(0x0C, b"Lab")].concat();
    let several = [common_name(0x0C, b"Users"), common_name(0x0C, b"Anna Berg"), organisation];
    assert_eq!(name_in(&with_subject(&several)).as_deref(), Some("Anna Berg"), "the last common name");
}

fn read(mut encoder: impl Read) -> Vec<u8> {
    let mut out = Vec::new();
    encoder.read_to_end(&mut out).unwrap();
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Packed or not, a name comes out as it went in, and as another decoder reads it.
    #[test]
    fn packed_and_read(name in "[A-Za-zÀ-ÿĀ-ž0-9.'-]{1,20}( [A-Za-zÀ-ÿ]{1,20}){0,2}", garbage in prop::collection::vec(any::<u8>(), 0..40)) {
        let key = KeyPair::generate(Algorithm::Ec(Curve::P256), &mut Random::from_number(1, 0)).unwrap();
        let (subject_name, public) = (format!("CN={name}"), key.public().unwrap());
        let request = Request { subject: &subject_name, issuer: "CN=CA,O=Lab", serial: [1; 16], public: &public, extensions: &[] };
        let der = sign(&request, &key, &RustCrypto).unwrap();
        prop_assert_eq!(subject(&der), Some(format!("CN={name}")));
        let (gzip, zlib) = (read(GzEncoder::new(&der[..], Compression::best())), read(ZlibEncoder::new(&der[..], Compression::fast())));
        let length = (der.len() as u16).to_le_bytes();
        let minidriver = [&[0x01, 0x00, length[0], length[1]][..], &zlib].concat();
        for form in [&der, &gzip, &zlib, &minidriver] {
            prop_assert_eq!(name_in(form), Some(name.clone()));
            let _ = name_in(&form[..form.len() / 2]);
            let _ = name_in(&[&form[..form.len() / 2], &garbage].concat());
        }
    }

    #[test]
    fn any_bytes(begin in prop::sample::select(vec![vec![], vec![0x30, 0x82], vec![0x1F, 0x8B, 8], vec![1, 0, 9, 9, 0x78, 0x9C], vec![0x78, 0xDA]]),
                 bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = name_in(&[begin, bytes].concat());
    }
}
