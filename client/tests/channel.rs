//! Secure channels with simulated YubiKeys: SCP03, SCP11, the security domain.

use cardlab_client::channel::{
    Channel, ChannelError, HostIdentity, MANAGEMENT, SCP03, SCP11A, SCP11B, SCP11C, SECURITY_DOMAIN, select,
};
use cardlab_client::transport::{InProcess, Transport, TransportError, send};
use cardlab_protocol::channel::scp::derivation::StaticKeys;
use cardlab_protocol::status::StatusWord;
use cardlab_protocol::tlv::{encode, find, objects};
use cardlab_sim::crypto::asymmetric::{Algorithm, KeyPair, PublicKey};
use cardlab_sim::crypto::backend::RustCrypto;
use cardlab_sim::crypto::certificate::{Request, sign};
use cardlab_sim::crypto::ec::Curve;
use cardlab_sim::memory::CHANNEL_KEYS;
use cardlab_sim::nvm::RecordId;
use cardlab_sim::{Card, Profile, Random, World};
use proptest::prelude::*;

const PIV: [u8; 5] = [0xA0, 0x00, 0x00, 0x03, 0x08];
const FACTORY: [u8; 16] = *b"@ABCDEFGHIJKLMNO";
const OK: StatusWord = StatusWord::OK;
const ECHO: [u8; 4] = [0x00, 0x01, 0x00, 0x00];

fn card() -> Card {
    let mut profile = Profile::builtin("yubikey-5.7").unwrap();
    profile.set("version", "5.7.4").unwrap();
    let mut card = Card::new(profile, World::seeded(1)).unwrap();
    card.power_on();
    card
}

fn set(fill: u8) -> StaticKeys {
    StaticKeys::new(&[fill; 16], &[fill + 1; 16], &[fill + 2; 16]).unwrap()
}

fn factory() -> StaticKeys {
    StaticKeys::new(&FACTORY, &FACTORY, &FACTORY).unwrap()
}

fn reached(card: &mut Card) -> InProcess<impl FnMut(&[u8]) -> Option<Vec<u8>> + '_> {
    InProcess(|command: &[u8]| card.transmit(command).ok())
}

/// What is done with a channel that is opened in the security domain with the factory's set.
fn with_set<T>(card: &mut Card, set: &StaticKeys, speak: impl FnOnce(&mut Channel<'_>) -> T) -> T {
    let mut way = reached(card);
    select(&mut way, &SECURITY_DOMAIN).unwrap();
    speak(&mut Channel::scp03(&mut way, 0x00, set).unwrap())
}

/// The public key of a certificate that the security domain has for this key: the last one.
fn point_of(card: &mut Card, key: [u8; 2]) -> Vec<u8> {
    let mut way = reached(card);
    select(&mut way, &SECURITY_DOMAIN).unwrap();
    let asked = encode(0xA6, &encode(0x83, &key));
    let command = [&[0x00, 0xCA, 0xBF, 0x21, asked.len() as u8], &asked[..], &[0x00]].concat();
    let (bundle, sw) = send(&mut way, &command).unwrap();
    assert_eq!(sw, 0x9000);
    let leaf = objects(&bundle).last().unwrap().value;
    let mut fields = objects(find(leaf, 0x30).unwrap()).filter(|field| field.tag != 0xA0);
    find(fields.nth(5).unwrap().value, 0x03).unwrap()[1..].to_vec()
}

fn keys(card: &mut Card) -> Vec<[u8; 2]> {
    let mut way = reached(card);
    select(&mut way, &SECURITY_DOMAIN).unwrap();
    let (information, sw) = send(&mut way, &[0x00, 0xCA, 0x00, 0xE0, 0x00]).unwrap();
    assert_eq!(sw, 0x9000);
    objects(&information).map(|key| [key.value[0], key.value[1]]).collect()
}

const NEW: [[u8; 2]; 4] = [[1, 0xFF], [2, 0xFF], [3, 0xFF], [SCP11B, 1]];

/// A host with the certificate of an authority, over one between.
struct Authority {
    root: Vec<u8>,
    host: KeyPair,
    certificates: Vec<Vec<u8>>,
    serial: Vec<u8>,
}

fn scalar(key: &KeyPair) -> Vec<u8> {
    key.parts()[0].to_vec()
}

fn point(key: &KeyPair) -> Vec<u8> {
    match key.public().unwrap() {
        PublicKey::Ec(_, point) => point,
        _ => panic!("a point"),
    }
}

fn authority(seed: u64) -> Authority {
    let mut random = Random::from_number(seed, 0);
    let mut pair = || KeyPair::generate(Algorithm::Ec(Curve::P256), &mut random).unwrap();
    let (root, middle, host) = (pair(), pair(), pair());
    let issue = |of: &KeyPair, by: &KeyPair, serial: u8| {
        let public = of.public().unwrap();
        let request = Request { subject: "CN=a", issuer: "CN=b", serial: [serial; 16], public: &public, extensions: &[] };
        sign(&request, by, &RustCrypto).unwrap()
    };
    let certificates = vec![issue(&middle, &root, 0x11), issue(&host, &middle, 0x12)];
    Authority { root: point(&root), certificates, serial: vec![0x12; 16], host }
}

#[test]
fn firmware_before_it_has_none_and_says_so() {
    let mut card = Card::new(Profile::builtin("yubikey-5.7").unwrap(), World::seeded(1)).unwrap();
    card.power_on();
    let mut way = reached(&mut card);
    assert_eq!(select(&mut way, &SECURITY_DOMAIN), Err(ChannelError::Card(StatusWord::NOT_FOUND)));
    select(&mut way, &PIV).unwrap();
    let refused = Channel::scp03(&mut way, 0x00, &factory()).err().unwrap();
    assert_eq!(refused.to_string(), "the card answered 6E00 to what opens a secure channel");
}

#[test]
fn what_goes_in_comes_out_in_every_length_and_form() {
    let mut card = card();
    let key = point_of(&mut card, [SCP11B, 1]);
    for extended in [false, true] {
        let mut way = reached(&mut card);
        select(&mut way, &MANAGEMENT).unwrap();
        let mut channel = Channel::scp11(&mut way, [SCP11B, 1], &key, None).unwrap();
        channel.extended = extended;
        for length in [0, 1, 15, 16, 238, 239, 247, 248, 255, 256, 512, 2048] {
            let data: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let (echo, sw) = channel.command(ECHO, &data).unwrap();
            assert_eq!((&echo[..], sw), (&data[..], OK), "{length}");
        }
    }
}

#[test]
fn piv_is_used_through_a_channel() {
    let mut card = card();
    let mut way = reached(&mut card);
    select(&mut way, &PIV).unwrap();
    let mut channel = Channel::scp03(&mut way, 0xFF, &factory()).unwrap();
    let wrong = channel.command([0x00, 0x20, 0x00, 0x80], b"000000\xFF\xFF").unwrap();
    assert_eq!((wrong.0.len(), wrong.1), (0, StatusWord::tries_left(2)));
    assert_eq!(channel.command([0x00, 0x20, 0x00, 0x80], b"123456\xFF\xFF").unwrap().1, OK);
    assert_eq!(channel.command([0x00, 0x20, 0x00, 0x80], &[]).unwrap().1, OK);
    assert_eq!(channel.command([0x80, 0xE4, 0x00, 0x00], &[0xD2, 0x01, 0xFF]).unwrap().1, StatusWord::UNKNOWN_CLA);
    drop(channel);
    // In the clear, in the middle of a channel: refused, and the channel is gone; what was verified is the application's.
    let plain = |way: &mut dyn Transport| send(way, &[0x00, 0x20, 0x00, 0x80]).unwrap().1;
    assert_eq!((plain(&mut way), plain(&mut way)), (0x6982, 0x9000));
}

#[test]
fn a_new_set_takes_the_place_of_the_factorys() {
    let mut card = card();
    assert_eq!(keys(&mut card), NEW);
    with_set(&mut card, &factory(), |channel| assert_eq!(channel.put_set(0x02, &set(1), 0x00), Ok(OK)));
    assert_eq!(keys(&mut card), [[1, 2], [2, 2], [3, 2], [SCP11B, 1]]);
    let mut way = reached(&mut card);
    select(&mut way, &SECURITY_DOMAIN).unwrap();
    assert_eq!(Channel::scp03(&mut way, 0x00, &factory()).err(), Some(ChannelError::Proof));
    assert_eq!(Channel::scp03(&mut way, 0xFF, &factory()).err(), Some(ChannelError::Card(StatusWord::REFERENCE_NOT_FOUND)));
    drop(way);
    with_set(&mut card, &set(1), |channel| {
        assert_eq!(channel.put_set(0x03, &set(5), 0x00), Ok(OK));
        assert_eq!(channel.put_set(0x03, &set(7), 0x00), Ok(StatusWord::WRONG_DATA), "it is taken");
        assert_eq!(channel.put_set(0x04, &set(7), 0x00), Ok(OK));
        assert_eq!(channel.put_set(0x05, &set(9), 0x00), Ok(StatusWord::NO_MEMORY));
        assert_eq!(channel.put_set(0x05, &set(9), 0x04), Ok(OK));
        assert_eq!(channel.put_set(0xFF, &set(9), 0x04), Ok(StatusWord::REFERENCE_NOT_FOUND));
        assert_eq!(channel.put_set(0xFF, &set(9), 0x05), Ok(StatusWord::WRONG_DATA));
        assert_eq!(channel.delete([0, 3], false), Ok(OK));
        assert_eq!(channel.delete([1, 2], false), Ok(StatusWord::WRONG_DATA), "a set goes as a whole");
        assert_eq!(channel.delete([0, 3], false), Ok(StatusWord::REFERENCE_NOT_FOUND));
        assert_eq!(channel.delete([SCP11B, 0], false), Ok(OK));
        assert_eq!(channel.delete([0, 2], false), Ok(OK));
        assert_eq!(channel.delete([0, 5], false), Ok(StatusWord::CONDITIONS_OF_USE), "the last one");
        assert_eq!(channel.delete([0, 5], true), Ok(OK));
    });
    assert_eq!(keys(&mut card), NEW);
}

#[test]
fn keys_that_are_none_are_not_taken() {
    let mut card = card();
    with_set(&mut card, &factory(), |channel| {
        // A check value of another key.
        let mut data = vec![0x02];
        for _ in 0..3 {
            data.extend(encode(0x88, &[0; 16]));
            data.extend([0x03, 0, 0, 0]);
        }
        let put = |channel: &mut Channel<'_>, p2: u8, data: &[u8]| channel.command([0x80, 0xD8, 0x00, p2], data).unwrap().1;
        assert_eq!(put(channel, 0x81, &data), StatusWord::WRONG_DATA);
        assert_eq!(put(channel, 0x81, &data[..20]), StatusWord::WRONG_DATA);
        assert_eq!(put(channel, 0x93, &data), StatusWord::WRONG_P1P2);
        assert_eq!(put(channel, 0x01, &data), StatusWord::WRONG_DATA);
        assert_eq!(channel.put_private([SCP11B, 2], &[0; 32], 0), Ok(StatusWord::WRONG_DATA));
        assert_eq!(channel.put_private([SCP11B, 2], &[0xFF; 32], 0), Ok(StatusWord::WRONG_DATA));
        assert_eq!(channel.put_authority([0x10, 2], &[4; 65], 0), Ok(StatusWord::WRONG_DATA), "a point off the curve");
        assert_eq!(channel.put_authority([0x30, 2], &authority(1).root, 0), Ok(StatusWord::WRONG_DATA), "no such KID");
        assert_eq!(channel.generate([0x10, 2], 0), Err(ChannelError::Card(StatusWord::WRONG_DATA)));
        let other_curve = channel.command([0x80, 0xF1, 0x00, SCP11B], &[2, 0xF0, 0x01, 0x01]).unwrap().1;
        assert_eq!(other_curve, StatusWord::WRONG_DATA);
        assert_eq!(channel.put_private([SCP11B, 2], &[1; 32], 0), Ok(OK));
    });
    let imported = KeyPair::from_parts(Algorithm::Ec(Curve::P256), &[&[1; 32]]).unwrap();
    let mut way = reached(&mut card);
    select(&mut way, &PIV).unwrap();
    Channel::scp11(&mut way, [SCP11B, 2], &point(&imported), None).unwrap();
}

#[test]
fn who_may_change_keys_and_who_may_not() {
    let mut card = card();
    let known = authority(1);
    let (a, c) = with_set(&mut card, &factory(), |channel| {
        assert_eq!(channel.put_authority([0x10, 3], &known.root, 0), Ok(OK));
        (channel.generate([SCP11A, 3], 0).unwrap(), channel.generate([SCP11C, 3], 0).unwrap())
    });
    assert_eq!((point_of(&mut card, [SCP11A, 3]), point_of(&mut card, [SCP11C, 3])), (a.clone(), c.clone()), "certificates");
    let b = point_of(&mut card, [SCP11B, 1]);
    let key = scalar(&known.host);
    let host = |of| HostIdentity { authority: of, scalar: &key, certificates: &known.certificates };
    let open = [(SCP11B, 1, &b, None), (SCP11C, 3, &c, Some(host([0x10, 3]))), (SCP11A, 3, &a, Some(host([0, 0])))];
    for (kid, kvn, point, host) in open {
        let mut way = reached(&mut card);
        select(&mut way, &SECURITY_DOMAIN).unwrap();
        let mut channel = Channel::scp11(&mut way, [kid, kvn], point, host.as_ref()).unwrap();
        let expected = if kid == SCP11A { Ok(OK) } else { Ok(StatusWord::SECURITY_STATUS) };
        assert_eq!(channel.put_set(0x02, &set(1), 0), expected, "{kid:02X}");
        let made = channel.generate([SCP11B, 0x7F], 0);
        assert_eq!(made.is_ok(), kid == SCP11A, "{kid:02X}");
        assert_eq!(channel.delete([SCP11B, 0x7F], false), expected);
        let names = encode(0xA6, &[encode(0x80, &[0]), encode(0x42, b"name"), encode(0x83, &[0x10, 3])].concat());
        assert_eq!(channel.command([0x00, 0xE2, 0x90, 0x00], &names).map(|answer| answer.1), expected);
    }
    let mut way = reached(&mut card);
    select(&mut way, &SECURITY_DOMAIN).unwrap();
    for command in [&[0x80, 0xE4, 0x00, 0x00, 0x03, 0xD2, 0x01, 0x01][..], &[0x80, 0xF1, 0x00, 0x13, 0x04, 2, 0xF0, 1, 0]] {
        assert_eq!(send(&mut way, command).unwrap().1, 0x6982, "in the clear");
    }
    let names = send(&mut way, &[0x00, 0xCA, 0xFF, 0x33, 0x00]).unwrap();
    assert_eq!(names, ([encode(0x42, b"name"), encode(0x83, &[0x10, 3])].concat(), 0x9000));
    assert_eq!(send(&mut way, &[0x00, 0xCA, 0xFF, 0x34, 0x00]).unwrap().1, 0x6A88);
}

#[test]
fn hosts_without_a_certificate_that_the_card_knows_are_refused() {
    let mut card = card();
    let (known, stranger) = (authority(1), authority(2));
    let a = with_set(&mut card, &factory(), |channel| {
        channel.put_authority([0x10, 3], &known.root, 0).unwrap();
        channel.generate([SCP11A, 3], 0).unwrap()
    });
    let open = |card: &mut Card, authority: [u8; 2], scalar: &[u8], certificates: &[Vec<u8>]| {
        let mut way = reached(card);
        select(&mut way, &SECURITY_DOMAIN).unwrap();
        Channel::scp11(&mut way, [SCP11A, 3], &a, Some(&HostIdentity { authority, scalar, certificates })).err()
    };
    let refused = |sw| Some(ChannelError::Card(StatusWord(sw)));
    let (ours, theirs) = (scalar(&known.host), scalar(&stranger.host));
    assert_eq!(open(&mut card, [0x10, 3], &theirs, &stranger.certificates), refused(0x6A80));
    assert_eq!(open(&mut card, [0, 0], &theirs, &stranger.certificates), refused(0x6A88));
    assert_eq!(open(&mut card, [0x10, 4], &ours, &known.certificates), refused(0x6A88));
    assert_eq!(open(&mut card, [0x10, 3], &ours, &known.certificates[1..]), refused(0x6A80), "not over the one between");
    assert_eq!(open(&mut card, [0x10, 3], &ours, &[]), refused(0x6982), "none");
    assert_eq!(
        open(&mut card, [0x10, 3], &theirs, &known.certificates),
        Some(ChannelError::Proof),
        "another key than the certificate's"
    );
    let allow = |card: &mut Card, serials: &[&[u8]]| {
        let list: Vec<u8> = serials.iter().flat_map(|serial| encode(0x93, serial)).collect();
        let data = [encode(0xA6, &encode(0x83, &[0x10, 3])), encode(0x70, &list)].concat();
        with_set(card, &factory(), |channel| assert_eq!(channel.command([0x00, 0xE2, 0x90, 0x00], &data).unwrap().1, OK));
    };
    allow(&mut card, &[&[1], &[2]]);
    assert_eq!(open(&mut card, [0x10, 3], &ours, &known.certificates), refused(0x6982), "not on the list");
    allow(&mut card, &[&[1], &known.serial]);
    assert_eq!(open(&mut card, [0x10, 3], &ours, &known.certificates), None);
    allow(&mut card, &[]);
    assert_eq!(open(&mut card, [0x10, 3], &ours, &known.certificates), None);
}

#[test]
fn requests_that_ask_for_something_else_are_refused_and_open_nothing() {
    let mut card = card();
    let own = Curve::P256.public(&Curve::P256.generate(&mut Random::from_number(3, 0))).unwrap();
    let template = |parts: &[(u32, &[u8])]| -> Vec<u8> {
        encode(0xA6, &parts.iter().flat_map(|(tag, value)| encode(*tag, value)).collect::<Vec<u8>>())
    };
    let good: [(u32, &[u8]); 4] = [(0x90, &[0x11, 0x00]), (0x95, &[0x3C]), (0x80, &[0x88]), (0x81, &[0x10])];
    let mut wrong: Vec<Vec<u8>> = vec![vec![0; 8], template(&good), encode(0x5F49, &own)];
    for (place, value) in [(0, &[0x11, 0x01][..]), (1, &[0x34]), (2, &[0x80]), (3, &[0x20])] {
        let mut parts = good;
        parts[place].1 = value;
        wrong.push([template(&parts), encode(0x5F49, &own)].concat());
    }
    let mut off = own.clone();
    off[9] ^= 1;
    for point in [&off[..], &own[..64], &[0x00], &[0x02; 33]] {
        wrong.push([template(&good), encode(0x5F49, point)].concat());
    }
    let mut way = reached(&mut card);
    select(&mut way, &MANAGEMENT).unwrap();
    for data in &wrong {
        let command = [&[0x80, 0x88, 0x01, 0x13, data.len() as u8], &data[..], &[0x00]].concat();
        assert_eq!(send(&mut way, &command).unwrap(), (vec![], 0x6A80), "{data:02X?}");
        assert_eq!(send(&mut way, &[0x04, 0x01, 0x00, 0x00, 0x08, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap().1, 0x6982);
    }
    for (ins, kid) in [(0x82, 0x13), (0x88, 0x11), (0x88, 0x01), (0x82, 0x15)] {
        assert_eq!(send(&mut way, &[0x80, ins, 0x01, kid, 0x01, 0x00]).unwrap().1, 0x6A88, "{ins:02X} {kid:02X}");
    }
}

/// What stands between host and card: it keeps commands of a channel back, or changes them.
struct Between<'c> {
    card: &'c mut Card,
    change: fn(&mut Vec<u8>),
    keeps: bool,
    last: Vec<u8>,
}

impl Transport for Between<'_> {
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        if command[0] & 0x04 == 0 {
            return self.card.transmit(command).map_err(|_| TransportError::Removed);
        }
        self.last = command.to_vec();
        if self.keeps && command[0] != 0x84 {
            return Ok(vec![0x6F, 0x00]);
        }
        (self.change)(&mut self.last);
        self.card.transmit(&self.last).map_err(|_| TransportError::Removed)
    }
}

#[test]
fn what_the_channel_does_not_accept_ends_it_and_changes_nothing() {
    type Fault = (&'static str, fn(&mut Vec<u8>), u16);
    const FAULTS: [Fault; 5] = [
        ("MAC", |command| *command.iter_mut().nth_back(1).unwrap() ^= 1, 0x6988),
        ("cryptogram", |command| command[5] ^= 1, 0x6988),
        ("parameter", |command| command[3] ^= 1, 0x6988),
        ("cut", |command| *command = [&command[..4], &[4, 1, 2, 3, 4]].concat(), 0x6987),
        ("class of another channel", |command| command[0] |= 0x08, 0x6882),
    ];
    let nothing: Fault = ("nothing", |_| {}, 0x9000);
    for (name, change, expected) in FAULTS.into_iter().chain([nothing]) {
        let mut card = card();
        let before = card.nvm().records().clone();
        let mut way = Between { card: &mut card, change: |_| {}, keeps: true, last: Vec::new() };
        select(&mut way, &SECURITY_DOMAIN).unwrap();
        let mut channel = Channel::scp03(&mut way, 0x00, &factory()).unwrap();
        // Two commands that the card has not seen.
        let _ = channel.command([0x00, 0xCA, 0x00, 0xE0], &[]).unwrap();
        drop(channel);
        let kept = way.last.clone();
        let mut changed = kept.clone();
        change(&mut changed);
        let answer = way.card.transmit(&changed).unwrap();
        assert!(answer.ends_with(&expected.to_be_bytes()), "{name}: {answer:02X?}");
        if expected != 0x9000 {
            assert_eq!(answer.len(), 2, "{name}");
            assert_eq!(way.card.transmit(&kept).unwrap(), [0x69, 0x82], "{name}: the channel is gone");
        } else {
            assert_eq!(way.card.transmit(&kept).unwrap(), [0x69, 0x88], "replayed");
            assert_eq!(way.card.transmit(&kept).unwrap(), [0x69, 0x82], "the channel is gone");
        }
        assert!(*card.nvm().records() == before, "{name}");
    }
}

#[test]
fn selection_reset_and_a_new_channel_end_a_channel() {
    let ends: [fn(&mut Card); 3] = [
        |card| {
            select(&mut reached(card), &SECURITY_DOMAIN).unwrap();
        },
        |card| {
            card.reset();
            select(&mut reached(card), &SECURITY_DOMAIN).unwrap();
        },
        |card| {
            let _ = card.transmit(&[0x80, 0x50, 0x00, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0x00]).unwrap();
        },
    ];
    for end in ends {
        let mut card = card();
        let mut way = Between { card: &mut card, change: |_| {}, keeps: true, last: Vec::new() };
        select(&mut way, &SECURITY_DOMAIN).unwrap();
        let mut channel = Channel::scp03(&mut way, 0x00, &factory()).unwrap();
        let _ = channel.command([0x00, 0xCA, 0x00, 0xE0], &[]).unwrap();
        drop(channel);
        let kept = way.last.clone();
        end(&mut card);
        assert_eq!(card.transmit(&kept).unwrap(), [0x69, 0x82]);
    }
}

#[test]
fn a_host_that_does_not_prove_itself_opens_nothing() {
    let mut card = card();
    let mut way = Between { card: &mut card, change: |command| command[6] ^= 1, keeps: false, last: Vec::new() };
    select(&mut way, &SECURITY_DOMAIN).unwrap();
    let refused = Channel::scp03(&mut way, 0x00, &factory()).err();
    assert_eq!(refused, Some(ChannelError::Card(StatusWord(0x6988))));
    // The right proof, after something else.
    way.change = |_| {};
    assert_eq!(send(&mut way, &[0x80, 0x50, 0x00, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0x00]).unwrap().1, 0x9000);
    send(&mut way, &[0x00, 0xCA, 0x00, 0xE0, 0x00]).unwrap();
    let proof = [&[0x84, 0x82, 0x33, 0x00, 0x10][..], &[0; 16]].concat();
    assert_eq!(send(&mut way, &proof).unwrap().1, 0x6982);
    assert_eq!(send(&mut way, &[0x80, 0x50, 0x00, 0x00, 0x07, 1, 2, 3, 4, 5, 6, 7, 0x00]).unwrap().1, 0x6A80);
    assert_eq!(send(&mut way, &[0x80, 0x50, 0x05, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0x00]).unwrap().1, 0x6A88);
}

#[test]
fn sixty_five_tries_and_the_sixty_sixth_is_not_looked_at() {
    let mut card = card();
    let update = |way: &mut dyn Transport| send(way, &[0x80, 0x50, 0x00, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0x00]).unwrap().1;
    let mut way = reached(&mut card);
    select(&mut way, &SECURITY_DOMAIN).unwrap();
    for n in 0..64 {
        assert_eq!(update(&mut way), 0x9000, "{n}");
    }
    // The last try, and it is right: all are there again.
    Channel::scp03(&mut way, 0x00, &factory()).unwrap();
    for n in 0..65 {
        assert_eq!(update(&mut way), 0x9000, "{n}");
    }
    assert_eq!(update(&mut way), 0x6983);
    assert_eq!(Channel::scp03(&mut way, 0x00, &factory()).err(), Some(ChannelError::Card(StatusWord::BLOCKED)));
    drop(way);
    let b = point_of(&mut card, [SCP11B, 1]);
    let mut way = reached(&mut card);
    let agree = |way: &mut dyn Transport| send(way, &[0x80, 0x88, 0x01, 0x13, 0x08, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap().1;
    for n in 0..64 {
        assert_eq!(agree(&mut way), 0x6A80, "{n}");
    }
    Channel::scp11(&mut way, [SCP11B, 1], &b, None).unwrap();
    for n in 0..65 {
        assert_eq!(agree(&mut way), 0x6A80, "{n}");
    }
    // That was the last try of the last key: the card is as new, with another key of its own.
    drop(way);
    assert_eq!(keys(&mut card), NEW);
    assert_ne!(point_of(&mut card, [SCP11B, 1]), b);
    with_set(&mut card, &factory(), |channel| assert_eq!(channel.command([0x00, 0xCA, 0x00, 0x66], &[]).unwrap().1, OK));
}

type Work = fn(&mut Channel<'_>) -> bool;

/// Cuts the power at every tear point of a command that changes keys: there are the old keys or the new ones, and one
/// of the sets opens.
#[test]
fn a_power_cut_leaves_old_keys_or_new_ones() {
    const NOTHING: Work = |_| true;
    const COMMANDS: [(&str, Work, Work); 5] = [
        ("PUT KEY of a set", NOTHING, |channel| channel.put_set(0x02, &set(1), 0) == Ok(OK)),
        ("PUT KEY of a private key", NOTHING, |channel| channel.put_private([SCP11B, 1], &[1; 32], 1) == Ok(OK)),
        ("GENERATE", NOTHING, |channel| channel.generate([SCP11B, 1], 1).is_ok()),
        ("DELETE", NOTHING, |channel| channel.delete([SCP11B, 0], false) == Ok(OK)),
        (
            "DELETE of the last",
            |channel| channel.delete([SCP11B, 0], false) == Ok(OK),
            |channel| channel.delete([0, 0xFF], true) == Ok(OK),
        ),
    ];
    for (name, prepare, work) in COMMANDS {
        let new = ids(&after(prepare, work, None).1);
        let mut cuts = 0;
        loop {
            let (done, left, mut card, before) = after(prepare, work, Some(cuts));
            if done {
                assert!(cuts > 3, "{name}: {cuts} tear points");
                break;
            }
            assert!(left == before || ids(&left) == new, "{name}, tear point {cuts}");
            let opens = [factory(), set(1)].iter().any(|set| {
                let mut way = reached(&mut card);
                select(&mut way, &SECURITY_DOMAIN).unwrap();
                Channel::scp03(&mut way, 0x00, set).is_ok()
            });
            assert!(opens, "{name}, tear point {cuts}: no key opens");
            cuts += 1;
        }
    }
}

type Kept = Vec<(RecordId, Vec<u8>)>;

fn ids(records: &Kept) -> Vec<RecordId> {
    records.iter().map(|(id, _)| *id).collect()
}

fn kept(card: &Card) -> Kept {
    card.nvm().area(CHANNEL_KEYS).map(|(id, value)| (id, value.to_vec())).collect()
}

/// Whether the work was done, and what is kept of keys after it; the power is cut at a tear point.
fn after(prepare: Work, work: Work, cut: Option<u32>) -> (bool, Kept, Card, Kept) {
    let mut card = card();
    let (armed, before) = (std::cell::Cell::new(None), std::cell::RefCell::new(Vec::new()));
    let done = {
        let mut way = InProcess(|command: &[u8]| {
            if let Some(cut) = armed.take() {
                before.replace(kept(&card));
                card.nvm_mut().cut_power_at(cut);
            }
            card.transmit(command).ok()
        });
        select(&mut way, &SECURITY_DOMAIN).unwrap();
        let mut channel = Channel::scp03(&mut way, 0x00, &factory()).unwrap();
        assert!(prepare(&mut channel));
        armed.set(cut);
        work(&mut channel)
    };
    card.nvm_mut().disarm();
    card.power_on();
    (done, kept(&card), card, before.into_inner())
}

/// What the security domain reads: its own commands, and data that begin as theirs do.
fn any_command() -> impl Strategy<Value = ([u8; 4], Vec<u8>)> {
    let begin = prop::sample::select(vec![
        "",
        "02",
        "0288",
        "02B1",
        "02B041",
        "02F00100",
        "A60483021003",
        "A6048302130170",
        "A60483021301BF21",
        "D201",
        "D00113",
    ]);
    let ins = prop::sample::select(vec![0xCA, 0xD8, 0xE2, 0xE4, 0xF1, 0x50, 0x82, 0x88, 0x2A]);
    let p1p2 = prop_oneof![Just([0, 0]), Just([0x90, 0]), Just([0xBF, 0x21]), Just([0, 0x81]), Just([0, 0x13]), any::<[u8; 2]>()];
    (any::<bool>(), ins, p1p2, begin, prop::collection::vec(any::<u8>(), 0..60)).prop_map(|(own, ins, [p1, p2], begin, rest)| {
        ([if own { 0x80 } else { 0x00 }, ins, p1, p2], [hex::decode(begin).unwrap(), rest].concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever comes through a channel is answered through it, and afterwards there is a key.
    #[test]
    fn any_data_are_read_or_refused(commands in prop::collection::vec(any_command(), 1..12)) {
        let mut card = card();
        for (header, data) in commands {
            let mut way = reached(&mut card);
            select(&mut way, &SECURITY_DOMAIN).unwrap();
            match Channel::scp03(&mut way, 0xFF, &factory()) {
                Ok(mut channel) => drop(channel.command(header, &data).unwrap()),
                // Its set is another one now.
                Err(refused) => prop_assert_eq!(refused, ChannelError::Card(StatusWord::REFERENCE_NOT_FOUND)),
            }
            drop(way);
            let mut way = reached(&mut card);
            let plain = [&header[..], &[data.len() as u8], &data, &[0x00]].concat();
            prop_assert!(way.exchange(&plain).unwrap().len() >= 2);
        }
        prop_assert!(!keys(&mut card).is_empty());
    }
}

#[test]
fn the_sets_kid_is_that_of_scp03() {
    assert_eq!(NEW[0][0], SCP03);
}
