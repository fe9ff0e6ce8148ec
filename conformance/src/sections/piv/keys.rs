//! GENERAL AUTHENTICATE with private keys, part 2 section 3.2.4, part 1 table 5, SP 800-78-5.

use super::{PART1, PART2};
use crate::bench::{Bench, Checked, Stop, holds, same};
use crate::book::Book;
use crate::keys::KeyKind;
use crate::oracle;
use crate::test::{Level, Need};
use cardlab_protocol::apdu::short;
use cardlab_protocol::tlv::{encode, find_path};
use hex_literal::hex;

const SIGNERS: [KeyKind; 5] = [KeyKind::Rsa2048, KeyKind::Rsa3072, KeyKind::P256, KeyKind::P384, KeyKind::Ed25519];

/// The signature of a slot's key over the suite's message.
fn signature(b: &mut Bench<'_>, kind: KeyKind, slot: u8) -> Checked<Vec<u8>> {
    let input = b.public(slot)?.input();
    let data = b.sign(kind.id(), slot, &input)?.ok("GENERAL AUTHENTICATE")?;
    find_path(&data, &[0x7C, 0x82]).map(<[u8]>::to_vec).ok_or_else(|| Stop::Failed("the answer must be 7C {82 signature}".into()))
}

pub(super) fn fill(book: &mut Book) {
    signing(book);
    rules(book);
    agreement(book);
    refusals(book);
}

fn signing(book: &mut Book) {
    let mut s = book.section("piv/800-73-4-2/a.4", &format!("{PART2} appendix A.3 and A.4"), &[Need::Piv, Need::Pin]);
    for kind in SIGNERS {
        for slot in [0x9Au8, 0x9C, 0x9E] {
            let level = if kind == KeyKind::Ed25519 { Level::Profile } else { Level::Must };
            s.must(
                &format!("{}-signs-in-{slot:02x}", kind.name()),
                &format!("A {} key in slot {slot:02X} makes signatures that verify", kind.name()),
                move |b| {
                    b.start()?;
                    b.verify()?;
                    let made = signature(b, kind, slot)?;
                    b.public(slot)?.judge(&made)
                },
            )
            .level(level)
            .key(slot, kind);
        }
    }
    for n in 0x82u8..=0x95 {
        let kind = if n % 2 == 0 { KeyKind::P256 } else { KeyKind::Rsa2048 };
        s.must(&format!("retired-key-{n:02x}"), &format!("The retired key {n:02X} works"), move |b| {
            b.start()?;
            b.verify()?;
            let made = signature(b, kind, n)?;
            b.public(n)?.judge(&made)
        })
        .key(n, kind);
    }
    s.must("challenge-before-the-empty-response", "81 may come before the empty 82", |b| {
        b.start()?;
        b.verify()?;
        let input = b.public(0x9A)?.input();
        let template = encode(0x7C, &[encode(0x81, &input), vec![0x82, 0x00]].concat());
        let data = b.long([0x00, 0x87, 0x11, 0x9A], &template)?.ok("GENERAL AUTHENTICATE")?;
        let made = find_path(&data, &[0x7C, 0x82]).unwrap_or_default();
        b.public(0x9A)?.judge(made)
    })
    .key(0x9A, KeyKind::P256);
    s.must("rsa-answer-in-parts", "An RSA answer comes in parts: 256 bytes, then the rest", |b| {
        b.start()?;
        b.verify()?;
        let input = b.public(0x9A)?.input();
        let data = b.sign(0x07, 0x9A, &input)?.ok("GENERAL AUTHENTICATE")?;
        holds(data.len() == 264, format!("7C, 82 and 256 bytes make 264, not {}", data.len()))
    })
    .key(0x9A, KeyKind::Rsa2048);
    s.must("rsa-is-deterministic", "Two signatures of one block by one RSA key are the same", |b| {
        b.start()?;
        b.verify()?;
        let (one, two) = (signature(b, KeyKind::Rsa2048, 0x9A)?, signature(b, KeyKind::Rsa2048, 0x9A)?);
        same(&one, &two, "raw RSA has no random part")
    })
    .key(0x9A, KeyKind::Rsa2048);
    for last in [0u8, 1] {
        s.should(
            &format!("rsa-of-{last}"),
            "Every number below the modulus is answered, also 0 and 1 (RFC 8017 section 5.1.2)",
            move |b| {
                b.start()?;
                b.verify()?;
                let block = [&[0; 255][..], &[last]].concat();
                let data = b.sign(0x07, 0x9A, &block)?.ok("GENERAL AUTHENTICATE")?;
                same(find_path(&data, &[0x7C, 0x82]).unwrap_or_default(), &block, "its own power")
            },
        )
        .key(0x9A, KeyKind::Rsa2048);
    }
    s.must("extended-length-signature", "A whole RSA block in one extended-length command", |b| {
        b.start()?;
        b.verify()?;
        let input = b.public(0x9A)?.input();
        let template = encode(0x7C, &[&[0x82, 0x00], &encode(0x81, &input)[..]].concat());
        let length = template.len();
        let mut command = vec![0x00, 0x87, 0x07, 0x9A, 0x00, (length >> 8) as u8, length as u8];
        command.extend(template);
        command.extend([0x00, 0x00]);
        let data = b.full(&command)?.ok("GENERAL AUTHENTICATE")?;
        let made = find_path(&data, &[0x7C, 0x82]).unwrap_or_default();
        b.public(0x9A)?.judge(made)
    })
    .needs(&[Need::ExtendedLength])
    .key(0x9A, KeyKind::Rsa2048);
}

fn rules(book: &mut Book) {
    let mut s = book.section("piv/800-73-4-1/table-5", &format!("{PART1} section 5.1, table 5"), &[Need::Piv, Need::Pin]);
    for kind in [KeyKind::Rsa2048, KeyKind::P256] {
        let name = kind.name();
        for (slot, slug) in [(0x9Au8, "9a"), (0x9C, "9c"), (0x9D, "9d"), (0x82, "82"), (0x95, "95")] {
            s.must(
                &format!("{name}-{slug}-needs-the-pin"),
                &format!("The key {slot:02X} does nothing without the PIN"),
                move |b| {
                    b.start()?;
                    let input = b.public(slot)?.input();
                    b.sign(kind.id(), slot, &input)?.is(0x6982, "GENERAL AUTHENTICATE without the PIN").map(drop)
                },
            )
            .key(slot, kind);
        }
        s.must(&format!("{name}-9a-stays-open"), "The key 9A works again and again after one PIN", move |b| {
            b.start()?;
            b.verify()?;
            for _ in 0..3 {
                signature(b, kind, 0x9A)?;
            }
            Ok(())
        })
        .key(0x9A, kind);
        s.must(&format!("{name}-9c-once"), "The key 9C wants the PIN before every signature", move |b| {
            b.start()?;
            b.verify()?;
            signature(b, kind, 0x9C)?;
            let input = b.public(0x9C)?.input();
            b.sign(kind.id(), 0x9C, &input)?.is(0x6982, "the second signature").map(drop)
        })
        .key(0x9C, kind);
        s.must(&format!("{name}-9c-after-the-pin-again"), "After the PIN again the key 9C signs again", move |b| {
            b.start()?;
            for _ in 0..2 {
                b.verify()?;
                signature(b, kind, 0x9C)?;
            }
            Ok(())
        })
        .key(0x9C, kind);
        s.must(&format!("{name}-9e-is-free"), "The key 9E works without the PIN", move |b| {
            b.start()?;
            let made = signature(b, kind, 0x9E)?;
            b.public(0x9E)?.judge(&made)
        })
        .key(0x9E, kind);
        s.must(&format!("{name}-wrong-pin-closes-9a"), "A wrong PIN closes the key 9A", move |b| {
            b.start()?;
            b.verify()?;
            b.verify_wrong()?;
            let input = b.public(0x9A)?.input();
            b.sign(kind.id(), 0x9A, &input)?.is(0x6982, "GENERAL AUTHENTICATE").map(drop)
        })
        .spends()
        .key(0x9A, kind);
        s.must(&format!("{name}-reset-closes-9a"), "A reset closes the key 9A", move |b| {
            b.start()?;
            b.verify()?;
            b.start()?;
            let input = b.public(0x9A)?.input();
            b.sign(kind.id(), 0x9A, &input)?.is(0x6982, "GENERAL AUTHENTICATE").map(drop)
        })
        .key(0x9A, kind);
        s.must(&format!("{name}-administration-key-opens-no-9a"), "The administrator key does not open the key 9A", move |b| {
            b.start()?;
            b.admin()?;
            let input = b.public(0x9A)?.input();
            b.sign(kind.id(), 0x9A, &input)?.is(0x6982, "GENERAL AUTHENTICATE").map(drop)
        })
        .needs(&[Need::AdminKey])
        .key(0x9A, kind);
    }
    s.must("a-failed-signature-of-9c-opens-nothing", "A malformed command for 9C leaves at most one signature", |b| {
        b.start()?;
        b.verify()?;
        b.sign(0x11, 0x9C, &[])?;
        let input = b.public(0x9C)?.input();
        b.sign(0x11, 0x9C, &input)?.any_of(&[0x9000, 0x6982], "a signature")?;
        b.sign(0x11, 0x9C, &input)?.is(0x6982, "one signature more").map(drop)
    })
    .key(0x9C, KeyKind::P256);
}

fn agreement(book: &mut Book) {
    let mut s = book.section("piv/800-73-4-2/a.5", &format!("{PART2} appendix A.5"), &[Need::Piv, Need::Pin]);
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::X25519] {
        let name = kind.name();
        let level = if kind == KeyKind::X25519 { Level::Profile } else { Level::Must };
        for slot in [0x9Du8, 0x82] {
            s.must(
                &format!("{name}-agrees-in-{slot:02x}"),
                &format!("A {name} key in slot {slot:02X} agrees on the secret that we compute"),
                move |b| {
                    b.start()?;
                    b.verify()?;
                    let (point, expected) = oracle::agreement_with(&b.public(slot)?)?;
                    let data = b.agree(kind.id(), slot, &point)?.ok("GENERAL AUTHENTICATE")?;
                    let got = find_path(&data, &[0x7C, 0x82]).unwrap_or_default();
                    same(got, &expected, "the shared secret")
                },
            )
            .level(level)
            .key(slot, kind);
        }
        s.must(&format!("{name}-secret-keeps-its-length"), "A shared secret that begins with 00 keeps its length", move |b| {
            b.start()?;
            b.verify()?;
            // One of 256 begins with 00.
            for _ in 0..40 {
                let (point, expected) = oracle::agreement_with(&b.public(0x9D)?)?;
                let data = b.agree(kind.id(), 0x9D, &point)?.ok("GENERAL AUTHENTICATE")?;
                let got = find_path(&data, &[0x7C, 0x82]).unwrap_or_default();
                same(got, &expected, "the shared secret")?;
                holds(got.len() == kind.size(), "the secret's length")?;
            }
            Ok(())
        })
        .level(level)
        .key(0x9D, kind);
    }
    for kind in [KeyKind::P256, KeyKind::P384] {
        let name = kind.name();
        let size = kind.size();
        let bad = |slug: &'static str| -> Vec<u8> {
            match slug {
                "point-off-the-curve" => [vec![0x04], vec![0x11; 2 * size]].concat(),
                "compressed-point" => [vec![0x02], vec![0x11; size]].concat(),
                "point-without-its-form" => vec![0x11; 2 * size],
                "point-at-infinity" => vec![0x00],
                "coordinates-of-zero" => [vec![0x04], vec![0x00; 2 * size]].concat(),
                _ => Vec::new(),
            }
        };
        for slug in [
            "point-off-the-curve",
            "compressed-point",
            "point-without-its-form",
            "point-at-infinity",
            "coordinates-of-zero",
            "empty-point",
        ] {
            let point = bad(slug);
            s.must(&format!("{name}-{slug}"), "What is no point of the curve is refused, and no secret comes", move |b| {
                b.start()?;
                b.verify()?;
                b.agree(kind.id(), 0x9D, &point)?.refused("GENERAL AUTHENTICATE")
            })
            .source("SP 800-56A Rev. 3 section 5.6.2.3.3")
            .key(0x9D, kind);
        }
    }
    s.must("rsa-deciphers", "An RSA key in 9D undoes what was done with its public key", |b| {
        b.start()?;
        b.verify()?;
        // A signature is a decipherment: raising it to the public exponent gives the block back.
        let made = signature(b, KeyKind::Rsa2048, 0x9D)?;
        b.public(0x9D)?.judge(&made)
    })
    .key(0x9D, KeyKind::Rsa2048);
    s.must("agreement-needs-the-pin", "Key agreement without the PIN: 6982", |b| {
        b.start()?;
        let (point, _) = oracle::agreement_with(&b.public(0x9D)?)?;
        b.agree(0x11, 0x9D, &point)?.is(0x6982, "GENERAL AUTHENTICATE").map(drop)
    })
    .key(0x9D, KeyKind::P256);
    for slot in [0x9Au8, 0x9C, 0x9E] {
        s.must(&format!("no-agreement-in-{slot:02x}"), &format!("Slot {slot:02X} does not agree on keys"), move |b| {
            b.start()?;
            b.verify()?;
            let (point, _) = oracle::agreement_with(&b.public(slot)?)?;
            b.agree(0x11, slot, &point)?.refused("GENERAL AUTHENTICATE with 85")
        })
        .needs(&[Need::PlainPiv])
        .key(slot, KeyKind::P256);
    }
}

fn refusals(book: &mut Book) {
    let mut s = book.section("piv/800-73-4-2/3.2.4", &format!("{PART2} section 3.2.4"), &[Need::Piv, Need::Pin]);
    for slot in [0x9Au8, 0x9C, 0x9D, 0x9E, 0x82, 0x95] {
        s.must(&format!("empty-slot-{slot:02x}"), &format!("An empty slot {slot:02X} signs nothing"), move |b| {
            b.start()?;
            b.verify()?;
            b.sign(0x11, slot, &[0x42; 32])?.any_of(&[0x6A86, 0x6A80, 0x6A88, 0x6985, 0x6982], "GENERAL AUTHENTICATE").map(drop)
        })
        .needs(&[Need::New]);
    }
    for reference in [0x80u8, 0x81, 0x96, 0x98, 0x99, 0x9F, 0xFF] {
        s.must(&format!("reference-{reference:02x}"), &format!("Reference {reference:02X} is no private key"), move |b| {
            b.start()?;
            b.verify()?;
            b.sign(0x07, reference, &[0x42; 32])?
                .any_of(&[0x6A86, 0x6A80, 0x6A88, 0x6982, 0x6A81], "GENERAL AUTHENTICATE")
                .map(drop)
        });
    }
    s.must("secure-messaging-key-signs-nothing", "The key 04 makes no signatures", |b| {
        b.start()?;
        b.verify()?;
        b.sign(0x11, 0x04, &[0x42; 32])?.any_of(&[0x6A86, 0x6A80, 0x6A88, 0x6982, 0x6A81], "GENERAL AUTHENTICATE").map(drop)
    });
    for (slug, algorithm) in [("p256-as-rsa", 0x07u8), ("p256-as-p384", 0x14), ("p256-as-aes", 0x08), ("p256-as-nothing", 0xFF)] {
        s.must(slug, "A key does not work under another algorithm", move |b| {
            b.start()?;
            b.verify()?;
            b.sign(algorithm, 0x9A, &[0x42; 32])?.any_of(&[0x6A86, 0x6A80, 0x6A81], "GENERAL AUTHENTICATE").map(drop)
        })
        .key(0x9A, KeyKind::P256);
    }
    for (slug, length) in [("one-byte-less", 255usize), ("one-byte-more", 257), ("one-byte", 1), ("nothing", 0)] {
        s.must(&format!("rsa-block-{slug}"), "An RSA block of another length is refused", move |b| {
            b.start()?;
            b.verify()?;
            b.sign(0x07, 0x9A, &vec![0x01; length])?.refused("GENERAL AUTHENTICATE")
        })
        .key(0x9A, KeyKind::Rsa2048);
    }
    s.must(
        "rsa-block-above-the-modulus",
        "An RSA block that is no smaller than the modulus is refused, or gives no more than its answer",
        |b| {
            b.start()?;
            b.verify()?;
            b.sign(0x07, 0x9A, &[0xFF; 256])?.any_of(&[0x6A80, 0x9000, 0x6F00], "GENERAL AUTHENTICATE").map(drop)
        },
    )
    .key(0x9A, KeyKind::Rsa2048);
    s.must("digest-of-zeros", "A digest of zeros is signed or refused, and the card lives", |b| {
        b.start()?;
        b.verify()?;
        b.sign(0x11, 0x9A, &[0x00; 32])?.any_of(&[0x9000, 0x6A80], "GENERAL AUTHENTICATE")?;
        b.is_verified("afterwards")
    })
    .key(0x9A, KeyKind::P256);
    s.must("digest-that-is-too-long", "A digest that is longer than the curve's order is refused", |b| {
        b.start()?;
        b.verify()?;
        b.sign(0x11, 0x9A, &[0x42; 33])?.refused("GENERAL AUTHENTICATE with 33 bytes for P-256")
    })
    .needs(&[Need::PlainPiv])
    .key(0x9A, KeyKind::P256);
    s.must("unknown-tag-beside-the-challenge", "An unknown tag spoils a template that is right without it", |b| {
        b.start()?;
        b.verify()?;
        let input = b.public(0x9A)?.input();
        let template = encode(0x7C, &[vec![0x82, 0x00], encode(0x81, &input), vec![0x89, 0x00]].concat());
        b.long([0x00, 0x87, 0x11, 0x9A], &template)?.refused("GENERAL AUTHENTICATE")
    })
    .key(0x9A, KeyKind::P256);
    for (slug, template) in [
        ("no-template", &hex!("820081020102")[..]),
        ("inner-length-too-long", &hex!("7C068200812F0102")[..]),
        ("outer-length-too-long", &hex!("7C1082008102AABB")[..]),
        ("unknown-tag", &hex!("7C06820089020102")[..]),
        ("only-82", &hex!("7C028200")[..]),
        ("only-81-empty", &hex!("7C028100")[..]),
    ] {
        s.must(slug, "A malformed template makes no signature", move |b| {
            b.start()?;
            b.verify()?;
            b.send(&short([0x00, 0x87, 0x11, 0x9A], template, Some(0)))?.refused("GENERAL AUTHENTICATE")
        })
        .key(0x9A, KeyKind::P256);
    }
}
