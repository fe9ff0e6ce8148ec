//! Keys: making, loading, signing, deciphering.

use super::GIDS;
use crate::bench::{Bench, Checked, Stop, holds, same};
use crate::book::Book;
use crate::keys::KeyKind;
use crate::oracle::{self, PublicKey};
use crate::place::Place;
use crate::test::Need;
use cardlab_protocol::apdu::short;
use cardlab_protocol::tlv::{encode, find};
use hex_literal::hex;

/// GIDS algorithm of a kind.
const fn algorithm(kind: KeyKind) -> u8 {
    match kind {
        KeyKind::P256 => 0x0C,
        KeyKind::P384 => 0x0D,
        KeyKind::Rsa3072 => 0x08,
        _ => 0x07,
    }
}

/// A key file B081 for signatures and decipherment, activated.
fn key_file(b: &mut Bench<'_>, kind: KeyKind) -> Checked {
    let of = algorithm(kind);
    // One template a use: whole blocks and padding for signatures, plain and padded for decipherment.
    let rules: Vec<u8> = [(0xB6u8, 0x10u8), (0xB6, 0x50), (0xB8, 0x00), (0xB8, 0x40)]
        .into_iter()
        .flat_map(|(tag, high)| {
            encode(u32::from(tag), &[&[0x80, 0x01, high | of][..], &[0x83, 0x01, 0x81], &[0x95, 0x01, 0x40]].concat())
        })
        .collect();
    let template =
        [&[0x82, 0x01, 0x18, 0x83, 0x02, 0xB0, 0x81, 0x8C, 0x05, 0x8F, 0x10, 0x10, 0x10, 0x00][..], &encode(0xA5, &rules)]
            .concat();
    b.start()?;
    b.verify()?;
    b.long([0x00, 0xE0, 0x00, 0x00], &encode(0x62, &template))?.ok("CREATE FILE B081")?;
    b.send(&hex!("00440000"))?.ok("ACTIVATE FILE").map(drop)
}

fn generated(b: &mut Bench<'_>, kind: KeyKind) -> Checked<PublicKey> {
    key_file(b, kind)?;
    let data = b
        .full(&[0x00, 0x47, 0x00, 0x00, 0x08, 0xAC, 0x06, 0x80, 0x01, algorithm(kind), 0x83, 0x01, 0x81, 0x00])?
        .ok("GENERATE")?;
    PublicKey::of_template(kind, find(&data, 0x7F49).unwrap_or_default())
}

fn loaded(b: &mut Bench<'_>, kind: KeyKind) -> Checked<PublicKey> {
    key_file(b, kind)?;
    let import = if matches!(kind, KeyKind::P256 | KeyKind::P384) { 0x03 } else { 0x02 };
    let body = [encode(0x83, &[import]), encode(0x84, &[0]), encode(0x87, oracle::octets(kind.pkcs8()))].concat();
    let template = encode(0x70, &[encode(0x84, &[0x81]), encode(0xA5, &body)].concat());
    b.long([0x00, 0xDB, 0x3F, 0xFF], &template)?.ok("PUT DATA of a key")?;
    oracle::public_of(kind)
}

fn environment(b: &mut Bench<'_>, template: u8, algorithm: u8) -> Checked<crate::bench::Reply> {
    b.send(&short([0x00, 0x22, 0x41, template], &[0x80, 0x01, algorithm, 0x84, 0x01, 0x81], None))
}

fn signature(b: &mut Bench<'_>, kind: KeyKind, key: &PublicKey) -> Checked<Vec<u8>> {
    environment(b, 0xB6, 0x10 | algorithm(kind))?.ok("MSE for a signature")?;
    b.long([0x00, 0x2A, 0x9E, 0x9A], &key.input())?.ok("PSO, compute signature")
}

pub(super) fn fill(book: &mut Book) {
    let mut s = book
        .section("gids/2.0/keys", &format!("{GIDS}, keys; ISO/IEC 7816-8"), &[Need::Gids, Need::Pin, Need::New])
        .writes([Place::File(0xB081), Place::Key(0x81)]);
    for kind in [KeyKind::P256, KeyKind::P384] {
        s.must(&format!("{}-made-signs", kind.name()), "A key that is made signs as its public key says", move |b| {
            let key = generated(b, kind)?;
            let made = signature(b, kind, &key)?;
            key.judge_fixed(&made)
        })
        .changes();
        s.must(&format!("{}-loaded-signs", kind.name()), "A key that is loaded signs as its public key says", move |b| {
            let key = loaded(b, kind)?;
            let made = signature(b, kind, &key)?;
            key.judge_fixed(&made)
        })
        .changes();
        s.must(&format!("{}-agrees", kind.name()), "Decipherment with an elliptic-curve key gives the shared secret", move |b| {
            let key = loaded(b, kind)?;
            let (point, expected) = oracle::agreement_with(&key)?;
            environment(b, 0xB8, algorithm(kind))?.ok("MSE for decipherment")?;
            let got = b.long([0x00, 0x2A, 0x80, 0x86], &point)?.ok("PSO, decipher")?;
            same(&got, &expected, "the shared secret")
        })
        .changes();
    }
    for kind in [KeyKind::Rsa2048, KeyKind::Rsa3072] {
        s.must(&format!("{}-loaded-signs-a-block", kind.name()), "A loaded RSA key signs a whole block", move |b| {
            let key = loaded(b, kind)?;
            let made = signature(b, kind, &key)?;
            key.judge(&made)
        })
        .changes();
        s.must(&format!("{}-loaded-pads", kind.name()), "A loaded RSA key pads a DigestInfo and signs it", move |b| {
            let key = loaded(b, kind)?;
            environment(b, 0xB6, 0x50 | algorithm(kind))?.ok("MSE for a signature")?;
            let made = b.long([0x00, 0x2A, 0x9E, 0x9A], &oracle::digest_info())?.ok("PSO, compute signature")?;
            key.judge(&made)
        })
        .changes();
        s.must(&format!("{}-public-key-is-read", kind.name()), "The public key of a loaded key is read back", move |b| {
            let key = loaded(b, kind)?;
            let data = b
                .long([0x00, 0xCB, 0x3F, 0xFF], &[0x70, 0x08, 0x84, 0x01, 0x81, 0xA5, 0x03, 0x7F, 0x49, 0x80])?
                .ok("GET DATA")?;
            let read = PublicKey::of_template(kind, find(&data, 0x7F49).unwrap_or_default())?;
            holds(read == key, "the public key differs")
        })
        .changes();
    }
    s.must("rsa2048-made-signs", "An RSA key that is made signs as its public key says", |b| {
        let key = generated(b, KeyKind::Rsa2048)?;
        let made = signature(b, KeyKind::Rsa2048, &key)?;
        key.judge(&made)
    })
    .needs(&[Need::RsaKeyGeneration])
    .changes();
    s.must("needs-the-pin", "A key does nothing without the PIN", |b| {
        let key = loaded(b, KeyKind::P256)?;
        b.start()?;
        let prepared = environment(b, 0xB6, 0x1C)?;
        if prepared.sw == 0x9000 {
            b.long([0x00, 0x2A, 0x9E, 0x9A], &key.input())?.refused("PSO without the PIN")
        } else {
            prepared.is(0x6982, "MSE without the PIN").map(drop)
        }
    })
    .changes();
    s.must("pin-forgotten", "A key that was prepared does nothing after the PIN is forgotten", |b| {
        let key = loaded(b, KeyKind::P256)?;
        environment(b, 0xB6, 0x1C)?.ok("MSE")?;
        b.send(&hex!("00200082"))?.ok("VERIFY 82")?;
        b.long([0x00, 0x2A, 0x9E, 0x9A], &key.input())?.refused("PSO after the PIN is forgotten")
    })
    .changes();
    s.must("no-environment", "PSO without MSE is refused", |b| {
        let key = loaded(b, KeyKind::P256)?;
        b.start()?;
        b.verify()?;
        b.long([0x00, 0x2A, 0x9E, 0x9A], &key.input())?.refused("PSO without MSE")
    })
    .changes();
    s.must("environment-for-another-use", "An environment for decipherment does not sign", |b| {
        let key = loaded(b, KeyKind::P256)?;
        environment(b, 0xB8, 0x0C)?.ok("MSE for decipherment")?;
        b.long([0x00, 0x2A, 0x9E, 0x9A], &key.input())?.refused("PSO, compute signature")
    })
    .changes();
    s.must("unknown-key", "An environment with a key that is not there is refused", |b| {
        b.start()?;
        b.verify()?;
        b.send(&short([0x00, 0x22, 0x41, 0xB6], &[0x80, 0x01, 0x1C, 0x84, 0x01, 0x8F], None))?.refused("MSE")
    });
    s.must("deleted-key", "A key that is deleted signs no more", |b| {
        let key = loaded(b, KeyKind::P256)?;
        environment(b, 0xB6, 0x1C)?.ok("MSE")?;
        b.send(&hex!("00A4000C02B081"))?.ok("SELECT B081")?;
        b.send(&hex!("00E40000"))?.ok("DELETE FILE")?;
        b.long([0x00, 0x2A, 0x9E, 0x9A], &key.input())?.refused("PSO")
    })
    .changes();
    s.profile("symmetric-key", "A symmetric key goes into a key file that is made for one", |b| {
        b.start()?;
        b.verify()?;
        b.send(&hex!("00E000001C621A8201188302B0828C04871010FFA50BA4098001028301829501C0"))?.ok("CREATE FILE B082")?;
        b.send(&hex!("00440000"))?.ok("ACTIVATE FILE")?;
        let body = [encode(0x87, &[0x5A; 24]), encode(0x88, &[0, 0, 0])].concat();
        let template = encode(0x70, &[encode(0x84, &[0x82]), encode(0xA5, &body)].concat());
        b.long([0x00, 0xDB, 0x3F, 0xFF], &template)?.ok("PUT DATA of a symmetric key").map(drop)
    })
    .source("GidsApplet, CRTKeyFile")
    .writes(&[Place::File(0xB082), Place::Key(0x82)])
    .changes();
    s.must("strangers-load-no-keys", "Nobody loads a key without the PIN", |b| {
        loaded(b, KeyKind::P256)?;
        b.start()?;
        let body = [encode(0x83, &[0x03]), encode(0x84, &[0]), encode(0x87, oracle::octets(KeyKind::P256.pkcs8()))].concat();
        let template = encode(0x70, &[encode(0x84, &[0x81]), encode(0xA5, &body)].concat());
        b.long([0x00, 0xDB, 0x3F, 0xFF], &template)?.is(0x6982, "PUT DATA of a key").map(drop)
    })
    .changes();
    s.must("private-key-is-never-read", "The private key is read by nobody", |b| {
        loaded(b, KeyKind::P256)?;
        b.admin()?;
        let scalar = oracle::import_parts(KeyKind::P256);
        for command in [&hex!("00CBB081045C02008700")[..], &hex!("00CB3FFF0A7008840181A503870200 00"), &hex!("00CBB081025C0000")]
        {
            let data = match b.send(command) {
                Ok(reply) => reply.data,
                Err(Stop::Failed(_)) => Vec::new(),
                Err(other) => return Err(other),
            };
            holds(!data.windows(32).any(|w| w == &scalar[2..]), "the private key was answered")?;
        }
        Ok(())
    })
    .needs(&[Need::AdminKey])
    .changes();
}
