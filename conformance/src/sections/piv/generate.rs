//! GENERATE ASYMMETRIC KEY PAIR, part 2 section 3.3.2.

use super::PART2;
use crate::bench::{Bench, Checked, Stop, holds, same};
use crate::book::Book;
use crate::keys::KeyKind;
use crate::oracle::PublicKey;
use crate::place::Place;
use crate::test::{Danger, Level, Need};
use cardlab_protocol::apdu::short;
use cardlab_protocol::tlv::{find, find_path};
use hex_literal::hex;

/// Makes a key and gives its public half.
fn made(b: &mut Bench<'_>, slot: u8, kind: KeyKind) -> Checked<PublicKey> {
    let data = b.generate(slot, kind.id())?.ok("GENERATE")?;
    let template = find(&data, 0x7F49).ok_or_else(|| Stop::Failed("the answer must be 7F49".into()))?;
    PublicKey::of_template(kind, template)
}

fn signs(b: &mut Bench<'_>, slot: u8, kind: KeyKind, key: &PublicKey) -> Checked {
    let data = b.sign(kind.id(), slot, &key.input())?.ok("GENERAL AUTHENTICATE")?;
    key.judge(find_path(&data, &[0x7C, 0x82]).unwrap_or_default())
}

pub(super) fn fill(book: &mut Book) {
    let mut s = book
        .section("piv/800-73-4-2/3.3.2", &format!("{PART2} section 3.3.2"), &[Need::Piv, Need::AdminKey, Need::Pin])
        .at_least(Danger::ChangesKeys)
        .writes([Place::Key(0x9A), Place::Key(0x9C), Place::Key(0x9D), Place::Key(0x9E), Place::Object(0x5FC105)]);
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Ed25519] {
        for slot in [0x9Au8, 0x9C, 0x9E] {
            let level = if kind == KeyKind::Ed25519 { Level::Profile } else { Level::Must };
            let test = s.must(
                &format!("{}-in-{slot:02x}", kind.name()),
                &format!("A {} key that is made in slot {slot:02X} signs as its public key says", kind.name()),
                move |b| {
                    b.start()?;
                    b.admin()?;
                    let key = made(b, slot, kind)?;
                    b.verify()?;
                    signs(b, slot, kind, &key)
                },
            );
            test.level(level).changes();
            if kind == KeyKind::Ed25519 {
                test.needs(&[Need::YubiKey([5, 7, 0])]);
            }
        }
    }
    s.must("rsa2048-in-9a", "An RSA-2048 key that is made signs as its public key says", |b| {
        b.start()?;
        b.admin()?;
        let key = made(b, 0x9A, KeyKind::Rsa2048)?;
        b.verify()?;
        signs(b, 0x9A, KeyKind::Rsa2048, &key)
    })
    .needs(&[Need::RsaKeyGeneration])
    .changes();
    s.must("rsa-exponent", "The public exponent of an RSA key that is made is 65537", |b| {
        b.start()?;
        b.admin()?;
        match made(b, 0x9A, KeyKind::Rsa2048)? {
            PublicKey::Rsa { exponent, .. } => same(&exponent, &[0x01, 0x00, 0x01], "the exponent"),
            PublicKey::Point(..) => holds(false, "an RSA key has an exponent"),
        }
    })
    .needs(&[Need::RsaKeyGeneration])
    .changes();
    s.must("agreement-key", "A P-256 key that is made in 9D agrees as its public key says", |b| {
        b.start()?;
        b.admin()?;
        // Over another one: a card of another make forgets the cofactor then, so that a second run failed where a first passed.
        made(b, 0x9D, KeyKind::P256)?;
        let key = made(b, 0x9D, KeyKind::P256)?;
        b.verify()?;
        let (point, expected) = crate::oracle::agreement_with(&key)?;
        let data = b.agree(0x11, 0x9D, &point)?.ok("GENERAL AUTHENTICATE")?;
        same(find_path(&data, &[0x7C, 0x82]).unwrap_or_default(), &expected, "the shared secret")
    })
    .changes();
    s.must("two-keys-differ", "Two keys that are made differ", |b| {
        b.start()?;
        b.admin()?;
        let (one, two) = (made(b, 0x9A, KeyKind::P256)?, made(b, 0x9A, KeyKind::P256)?);
        holds(one != two, "the same key twice")
    })
    .changes();
    s.must("new-key-replaces", "A new key replaces the old one", |b| {
        b.start()?;
        b.admin()?;
        let old = made(b, 0x9A, KeyKind::P256)?;
        made(b, 0x9A, KeyKind::P256)?;
        b.verify()?;
        let data = b.sign(0x11, 0x9A, &old.input())?.ok("GENERAL AUTHENTICATE")?;
        let signature = find_path(&data, &[0x7C, 0x82]).unwrap_or_default();
        holds(old.judge(signature).is_err(), "the old public key must not verify any more")
    })
    .changes();
    s.must("slots-are-apart", "Making one key changes no other", |b| {
        b.start()?;
        b.admin()?;
        let first = made(b, 0x9A, KeyKind::P256)?;
        made(b, 0x9E, KeyKind::P384)?;
        b.verify()?;
        signs(b, 0x9A, KeyKind::P256, &first)
    })
    .changes();
    s.must("certificates-stay", "Making a key leaves the slot's certificate as it is", |b| {
        b.start()?;
        b.admin()?;
        b.put(0x5FC105, &[0x70, 0x02, 0x30, 0x00])?.ok("PUT DATA")?;
        made(b, 0x9A, KeyKind::P256)?;
        same(&b.get(0x5FC105)?.ok("GET DATA")?, &[0x53, 0x04, 0x70, 0x02, 0x30, 0x00], "the certificate")
    })
    .changes();
    s.must("survives-power-off", "A key that is made is there after power off and on", |b| {
        b.start()?;
        b.admin()?;
        let key = made(b, 0x9A, KeyKind::P256)?;
        b.power_cycle()?;
        b.select()?.ok("SELECT")?;
        b.verify()?;
        signs(b, 0x9A, KeyKind::P256, &key)
    })
    .changes();
    s.must("needs-the-administration-key", "GENERATE without the administrator key: 6982", |b| {
        b.start()?;
        b.generate(0x9A, 0x11)?.is(0x6982, "GENERATE").map(drop)
    });
    s.must("the-pin-is-not-enough", "GENERATE with the PIN only: 6982", |b| {
        b.start()?;
        b.verify()?;
        b.generate(0x9A, 0x11)?.is(0x6982, "GENERATE").map(drop)
    });
    for algorithm in [0x03u8, 0x08, 0x99, 0xFF] {
        s.must(&format!("mechanism-{algorithm:02x}"), &format!("Mechanism {algorithm:02X} makes no key pair"), move |b| {
            b.start()?;
            b.admin()?;
            b.generate(0x9A, algorithm)?.any_of(&[0x6A80, 0x6A86, 0x6A81], "GENERATE").map(drop)
        });
    }
    for slot in [0x80u8, 0x81, 0x96, 0x99, 0x9B, 0x9F] {
        let test = s.must(&format!("no-key-in-{slot:02x}"), &format!("No key pair is made in {slot:02X}"), move |b| {
            b.start()?;
            b.admin()?;
            b.generate(slot, 0x11)?.any_of(&[0x6A86, 0x6A80, 0x6A88, 0x6A81], "GENERATE").map(drop)
        });
        // A card that makes one there has lost its administrator key, or what it tells of it.
        if slot == 0x9B {
            test.resets();
        }
    }
    for (slug, data) in [
        ("no-template", &hex!("800111")[..]),
        ("no-mechanism", &hex!("AC00")[..]),
        ("empty-mechanism", &hex!("AC028000")[..]),
        ("cut", &hex!("AC0380")[..]),
        ("nothing", &hex!("")[..]),
    ] {
        s.must(slug, "A malformed GENERATE makes no key", move |b| {
            b.start()?;
            b.admin()?;
            b.send(&short([0x00, 0x47, 0x00, 0x9A], data, Some(0)))?.refused("GENERATE")
        });
    }
    s.must("p1", "GENERATE with P1 is refused", |b| {
        b.start()?;
        b.admin()?;
        b.send(&hex!("0047019A 05AC03800111 00"))?.any_of(&[0x6A86, 0x6A80, 0x6A81], "GENERATE").map(drop)
    });
    s.must("template-in-blocks", "A chained GENERATE is one command", |b| {
        b.start()?;
        b.admin()?;
        b.send(&hex!("1047009A 02AC03"))?.ok("the first block")?;
        let reply = b.send(&hex!("0047009A 03800111 00"))?;
        let data = b.rest(reply)?.ok("the last block")?;
        holds(find(&data, 0x7F49).is_some(), "a public key")
    })
    .needs(&[Need::PlainPiv])
    .changes();
}
