//! The card in process: commands a second, private operations beside OpenSSL, memory of idle cards.
#![allow(missing_docs, clippy::unwrap_used)]

use cardlab_client::channel::Channel;
use cardlab_client::messaging::Secured;
use cardlab_client::transport::InProcess;
use cardlab_protocol::apdu::short;
use cardlab_protocol::channel::scp::derivation::StaticKeys;
use cardlab_sim::card::CardError;
use cardlab_sim::crypto::asymmetric::{Algorithm, KeyPair, PublicKey};
use cardlab_sim::crypto::backend::{Backend, RustCrypto};
use cardlab_sim::crypto::ec::Curve;
use cardlab_sim::nvm::Volatile;
use cardlab_sim::{Card, Issue, Issued, Profile, Random, Stopped, World};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use openssl::bn::BigNum;
use std::hint::black_box;
use std::sync::Arc;

const SELECT: [u8; 10] = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08];

fn card(profile: &str, settings: &[(&str, &str)], seed: u64) -> Card {
    let mut profile = Profile::builtin(profile).unwrap();
    settings.iter().for_each(|(k, v)| profile.set(k, v).unwrap());
    let random = Random::from_number(seed, 0);
    let world =
        World { store: Box::new(Volatile), random, clock: Box::new(Stopped), backend: Arc::new(cardlab_crypto_fast::AwsLc) };
    let mut card = Card::new(profile, world).unwrap();
    card.power_on();
    card.transmit(&SELECT).unwrap();
    card
}

fn commands(c: &mut Criterion) {
    let mut group = c.benchmark_group("in process");
    group.throughput(Throughput::Elements(1));
    let mut nist = card("nist-piv", &[], 1);
    group.bench_function("VERIFY status", |b| b.iter(|| black_box(nist.transmit(&[0x00, 0x20, 0x00, 0x80]).unwrap())));
    let chuid = "AB".repeat(2000);
    let mut large = card("nist-piv", &[("chuid", &chuid)], 2);
    let get = [0x00, 0xCB, 0x3F, 0xFF, 0x00, 0x00, 0x05, 0x5C, 0x03, 0x5F, 0xC1, 0x02, 0x00, 0x00];
    assert_eq!(large.transmit(&get).unwrap().len(), 2006);
    group.bench_function("GET DATA 2 KB", |b| b.iter(|| black_box(large.transmit(&get).unwrap())));
    let pin = [0x00, 0x20, 0x00, 0x80, 0x08, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0xFF, 0xFF];
    group.bench_function("VERIFY right PIN", |b| b.iter(|| black_box(nist.transmit(&pin).unwrap())));
    group.finish();
}

fn private_operations(c: &mut Criterion) {
    let mut random = Random::from_number(3, 0);
    let mut group = c.benchmark_group("private operations");
    for bits in [2048, 4096] {
        let KeyPair::Rsa(key) = KeyPair::generate(Algorithm::Rsa(bits), &mut random).unwrap() else { return };
        let mut block = vec![0x5A; usize::from(bits / 8)];
        block[0] = 0;
        let number = |bytes: &[u8]| BigNum::from_slice(bytes).unwrap();
        let ([p, q], [dp, dq, qinv]) = (key.primes(), key.crt().unwrap());
        let peer = openssl::rsa::Rsa::from_private_components(
            number(&key.modulus()),
            number(&[1, 0, 1]),
            number(&key.private_exponent()),
            number(&p),
            number(&q),
            number(&dp),
            number(&dq),
            number(&qinv),
        )
        .unwrap();
        let mut out = vec![0; block.len()];
        group.bench_function(format!("RSA-{bits} OpenSSL"), |b| {
            b.iter(|| peer.private_encrypt(&block, &mut out, openssl::rsa::Padding::NONE).unwrap());
        });
        for (name, backend) in [("ours", &cardlab_crypto_fast::AwsLc as &dyn Backend), ("RustCrypto", &RustCrypto)] {
            let prepared = backend.rsa(&key).unwrap();
            group.bench_function(format!("RSA-{bits} {name}"), |b| b.iter(|| prepared.private(&block).unwrap()));
        }
    }
    for (algorithm, _, name) in Algorithm::ALL {
        let key = KeyPair::generate(algorithm, &mut random).unwrap();
        let parts = key.parts();
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_slice()).collect();
        group.bench_function(format!("{name} from its parts, public key"), |b| {
            b.iter(|| KeyPair::from_parts(algorithm, &parts).unwrap().public().unwrap())
        });
        let prepared = key.prepare(&RustCrypto).unwrap();
        match key.public().unwrap() {
            PublicKey::Ed25519(_) => drop(group.bench_function(name, |b| b.iter(|| prepared.sign(&[0x77; 64]).unwrap()))),
            PublicKey::X25519(peer) => drop(group.bench_function(name, |b| b.iter(|| prepared.agree(&peer).unwrap()))),
            PublicKey::Rsa(_) | PublicKey::Ec(..) => {}
        }
    }
    for (curve, name, nid) in [
        (Curve::P256, "P-256", openssl::nid::Nid::X9_62_PRIME256V1),
        (Curve::P384, "P-384", openssl::nid::Nid::SECP384R1),
        (Curve::P521, "P-521", openssl::nid::Nid::SECP521R1),
    ] {
        let digest = vec![0x77; curve.size()];
        let key = openssl::ec::EcKey::generate(&openssl::ec::EcGroup::from_curve_name(nid).unwrap()).unwrap();
        group.bench_function(format!("{name} OpenSSL"), |b| b.iter(|| openssl::ecdsa::EcdsaSig::sign(&digest, &key).unwrap()));
        let scalar = curve.generate(&mut random);
        for (who, backend) in [("ours", &cardlab_crypto_fast::AwsLc as &dyn Backend), ("RustCrypto", &RustCrypto)] {
            let prepared = backend.ec(curve, &scalar).unwrap();
            group.bench_function(format!("{name} {who}"), |b| b.iter(|| prepared.sign(&digest).unwrap()));
        }
    }
    group.finish();
}

/// Resident memory in bytes.
fn resident() -> usize {
    let pages: usize = std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

fn idle_cards(c: &mut Criterion) {
    let mut kept = Vec::new();
    for profile in ["nist-piv", "yubikey-5.7"] {
        let before = resident();
        let cards: Vec<Card> = (0..1000).map(|n| card(profile, &[], n)).collect();
        let each = (resident() - before) / cards.len();
        println!("memory of an idle {profile} at 1,000 cards: {each} bytes");
        // Freed memory would hide what the next kind needs.
        kept.push(cards);
    }
    c.bench_function("a new yubikey-5.7", |b| b.iter(|| card("yubikey-5.7", &[], 1)));
}

/// A status query and a signature: in the clear, under secure messaging of PIV, through SCP03.
fn secured(c: &mut Criterion) {
    const QUERY: ([u8; 4], &[u8]) = ([0x00, 0x20, 0x00, 0x80], &[]);
    let template = [&[0x7C, 0x24, 0x82, 0x00, 0x81, 0x20][..], &[0x77; 32]].concat();
    let sign: ([u8; 4], &[u8]) = ([0x00, 0x87, 0x11, 0x9E], &template);
    let ready = |profile: &str, settings: &[(&str, &str)]| {
        let mut profile = Profile::builtin(profile).unwrap();
        settings.iter().for_each(|(k, v)| profile.set(k, v).unwrap());
        let random = Random::from_number(1, 0);
        let backend = Arc::new(cardlab_crypto_fast::AwsLc);
        let world = World { store: Box::new(Volatile), random, clock: Box::new(Stopped), backend };
        let key = KeyPair::generate(Algorithm::Ec(Curve::P256), &mut Random::from_number(2, 0)).unwrap();
        let key = Issued { slot: 0x9E, key, certificate: None, compressed: false };
        let mut card = Card::issue(profile, world, |_, _| Ok::<_, CardError>(Issue::of(vec![key]))).unwrap();
        card.power_on();
        card.transmit(&SELECT).unwrap();
        card
    };
    let mut group = c.benchmark_group("secured");
    group.throughput(Throughput::Elements(1));
    for (name, (header, data)) in [("VERIFY status", QUERY), ("signature P-256", sign)] {
        let mut card = ready("nist-piv", &[]);
        let command = short(header, data, Some(0));
        group.bench_function(format!("{name}, plain"), |b| b.iter(|| black_box(card.transmit(&command).unwrap())));
        for suite in ["cs2", "cs7"] {
            let mut card = ready("nist-piv", &[("sm", suite)]);
            let mut way = InProcess(|command: &[u8]| card.transmit(command).ok());
            let mut secured = Secured::open(&mut way).unwrap();
            let [_, ins, p1, p2] = header;
            group.bench_function(format!("{name}, secure messaging {suite}"), |b| {
                b.iter(|| black_box(secured.command([ins, p1, p2], data, !data.is_empty()).unwrap()));
            });
        }
        let mut card = ready("yubikey-5.7", &[("version", "5.7.4")]);
        let mut way = InProcess(|command: &[u8]| card.transmit(command).ok());
        let known = *b"@ABCDEFGHIJKLMNO";
        let mut channel = Channel::scp03(&mut way, 0x00, &StaticKeys::new(&known, &known, &known).unwrap()).unwrap();
        group.bench_function(format!("{name}, SCP03"), |b| b.iter(|| black_box(channel.command(header, data).unwrap())));
    }
    group.finish();
}

criterion_group!(benches, idle_cards, commands, secured, private_operations);
criterion_main!(benches);
