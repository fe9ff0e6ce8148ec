//! VERIFY, part 2 section 3.2.1.

use super::PART2;
use crate::bench::{Bench, Checked, holds};
use crate::book::Book;
use crate::place::Place;
use crate::sections::common;
use crate::test::{Danger, Need};
use hex_literal::hex;

/// A PIN that breaks a rule of section 2.4.3: refused without a try, or counted as wrong. Either way the
/// status says which, and the counter agrees.
fn malformed(b: &mut Bench<'_>, bytes: &[u8]) -> Checked {
    b.start()?;
    let before = b.all_tries()?;
    let reply = b.verify_raw(0x80, bytes)?;
    let after = b.tries()?;
    match reply.sw {
        0x6A80 | 0x6700 => holds(after == before, format!("refused with {:04X}, but {before} tries became {after}", reply.sw)),
        0x63C0..=0x63CF => holds(
            after + 1 == before && u16::from(after) == reply.sw & 0x0F,
            format!("answered {:04X}, but {before} tries became {after}", reply.sw),
        ),
        sw => holds(false, format!("expected 6A80, 6700 or 63Cx, got {sw:04X}")),
    }
}

pub(super) fn fill(book: &mut Book) {
    let mut s = book.section("piv/800-73-4-2/3.2.1", &format!("{PART2} section 3.2.1"), &[Need::Piv, Need::Pin]);
    common::counted_pin(&mut s);
    s.must("query-before", "VERIFY without data tells the tries that are left", |b| {
        b.start()?;
        let reply = b.query()?;
        holds(matches!(reply.sw, 0x63C1..=0x63CF), format!("expected 63Cx, got {:04X}", reply.sw))
    });
    s.must("query-tells-all-tries", "VERIFY without data tells as many tries as the card was made with", |b| {
        b.start()?;
        let tries = b.facts.pin_tries.unwrap_or_default();
        b.query()?.left(tries, "VERIFY without data")
    })
    .needs(&[Need::New]);
    s.must("blocked-protects-objects", "A blocked PIN opens no object", |b| {
        b.start()?;
        b.verify()?;
        b.block_pin()?;
        b.get(0x5FC109)?.refused("GET DATA of the printed information")
    })
    .locks();
    s.must("blocked-can-be-forgotten", "Forgetting a blocked PIN: 9000, or 6983 on cards that say so", |b| {
        b.start()?;
        b.block_pin()?;
        b.send(&hex!("0020FF80"))?.any_of(&[0x9000, 0x6983, 0x6A86], "VERIFY P1=FF").map(drop)
    })
    .locks();
    let mut s = book.section("piv/800-73-4-2/2.4.3", &format!("{PART2} section 2.4.3"), &[Need::Piv, Need::Pin]);
    let forms: [(&str, &str, Vec<u8>); 9] = [
        ("five-digits", "five digits", b"12345\xFF\xFF\xFF".to_vec()),
        ("letters", "a letter among the digits", b"12345A\xFF\xFF".to_vec()),
        ("padding-first", "padding before the digits", b"\xFF\xFF123456".to_vec()),
        ("digit-after-padding", "a digit after the padding", b"123456\xFF7".to_vec()),
        ("zero-padding", "padded with 00", b"123456\0\0".to_vec()),
        ("only-padding", "padding only", vec![0xFF; 8]),
        ("seven-bytes", "seven bytes", b"1234567".to_vec()),
        ("nine-bytes", "nine bytes", b"123456\xFF\xFF\xFF".to_vec()),
        ("one-byte", "one byte", b"1".to_vec()),
    ];
    for (slug, what, bytes) in forms {
        s.must(&format!("verify-{slug}"), &format!("A PIN of {what} is refused without a try, or counted as wrong"), move |b| {
            malformed(b, &bytes)
        })
        .spends();
    }
    s.must("refusal-keeps-the-status", "A PIN that is refused without a try leaves the status as it was", |b| {
        b.start()?;
        b.verify()?;
        let reply = b.verify_raw(0x80, b"12345\xFF\xFF\xFF")?;
        if reply.sw == 0x6A80 { b.is_verified("after 6A80") } else { b.is_not_verified("after a counted wrong PIN") }
    })
    .spends();
    s.must("a-prefix-is-not-enough", "A PIN with one more digit is another PIN", |b| {
        b.start()?;
        let all = b.all_tries()?;
        let mut longer = b.pin()?.to_vec();
        if longer.len() >= 8 {
            return Err(crate::bench::Stop::NotApplicable("the PIN has eight characters".into()));
        }
        longer.push(b'7');
        b.verify_with(&longer)?.left(all - 1, "a longer PIN")
    })
    .spends();
    s.must("the-last-digit-counts", "A PIN that differs in its last digit is another PIN", |b| {
        b.start()?;
        let all = b.all_tries()?;
        let mut other = b.pin()?.to_vec();
        let last = other.len() - 1;
        other[last] ^= 1;
        b.verify_with(&other)?.left(all - 1, "the other PIN")
    })
    .spends();
    s.must("eight-characters", "A PIN of eight characters needs no padding", |b| {
        b.start()?;
        let (old, new) = (b.pin()?, b.other_pin());
        b.change(&old, new)?.ok("CHANGE to eight digits")?;
        b.start()?;
        b.verify()
    })
    .changes();

    let mut s = book
        .section("piv/800-73-4-2/3.2.1-p1-p2", &format!("{PART2} section 3.2.1, P1 and P2"), &[Need::Piv, Need::Pin])
        .at_least(Danger::SpendsTries);
    for p1 in [0x01u8, 0x7F, 0x80] {
        s.must(&format!("p1-{p1:02x}"), &format!("VERIFY with P1={p1:02X}: 6A86, and no try is spent"), move |b| {
            b.start()?;
            let before = b.all_tries()?;
            let pin = b.framed(&b.pin()?);
            b.send(&cardlab_protocol::apdu::short([0x00, 0x20, p1, 0x80], &pin, None))?.any_of(&[0x6A86, 0x6A80], "VERIFY")?;
            let after = b.tries()?;
            holds(before == after, "no try is spent")
        });
    }
    s.must("forget", "P1=FF ends the PIN's status", |b| {
        b.start()?;
        b.verify()?;
        if b.send(&hex!("0020FF80"))?.sw == 0x6A86 {
            return Err(crate::bench::Stop::NotApplicable("the card does not know P1=FF".into()));
        }
        b.is_not_verified("after P1=FF")
    });
    s.must("forget-nothing", "P1=FF without a verified PIN is no error", |b| {
        b.start()?;
        b.send(&hex!("0020FF80"))?.any_of(&[0x9000, 0x6A86], "VERIFY P1=FF").map(drop)
    });
    s.must("forget-gives-no-tries", "P1=FF gives no try back", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.verify_wrong()?;
        b.send(&hex!("0020FF80"))?;
        b.query()?.left(all - 1, "VERIFY without data")
    })
    .spends();
    s.must("forget-with-a-pin", "P1=FF with a PIN does not verify it", |b| {
        b.start()?;
        let pin = b.framed(&b.pin()?);
        b.send(&cardlab_protocol::apdu::short([0x00, 0x20, 0xFF, 0x80], &pin, None))?;
        b.is_not_verified("after P1=FF with a PIN")
    })
    .needs(&[Need::PlainPiv]);
    for (slug, reference, what) in [
        ("puk", 0x81u8, "the PUK"),
        ("administration-key", 0x9B, "the administrator key"),
        ("key-9a", 0x9A, "the key 9A"),
        ("reference-01", 0x01, "reference 01"),
        ("reference-ff", 0xFF, "reference FF"),
        ("finger-1", 0x96, "the first finger, which this card does not match"),
        ("finger-2", 0x97, "the second finger, which this card does not match"),
        ("pairing-code", 0x98, "the pairing code, which this card does not have"),
    ] {
        s.must(&format!("not-for-{slug}"), &format!("VERIFY of {what}: 6A88"), move |b| {
            b.start()?;
            b.verify_raw(reference, b"12345678")?.any_of(&[0x6A88, 0x6A86, 0x6A80, 0x6A81], "VERIFY")?;
            b.is_not_verified("after it")
        });
    }
    s.must("chained", "VERIFY is not chained: no joined PIN, no try spent unseen", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.send(&hex!("10200080 04 31323334"))?;
        b.send(&hex!("00200080 04 3536FFFF"))?;
        b.start()?;
        let left = b.tries()?;
        holds(left + 2 >= all, "a chained VERIFY must not cost more tries than commands")
    })
    .needs(&[Need::PlainPiv])
    .spends();
    s.must("chained-does-not-verify", "The right PIN in two chained blocks does not verify, unless the card offers it", |b| {
        b.start()?;
        let pin = b.framed(&b.pin()?);
        let first = b.send(&cardlab_protocol::apdu::short([0x10, 0x20, 0x00, 0x80], &pin[..4], None))?;
        let second = b.send(&cardlab_protocol::apdu::short([0x00, 0x20, 0x00, 0x80], &pin[4..], None))?;
        holds(second.sw != 0x9000 || first.sw == 0x9000, "a refused chain must not verify")
    })
    .spends();

    let mut s = book
        .section("piv/800-73-4-1/3.3.2", "SP 800-73-4 part 1 section 3.3.2, part 2 section 3.2.1", &[Need::Piv, Need::New])
        .at_least(Danger::SpendsTries)
        .writes([Place::Object(0x5FC109)]);
    s.must("no-global-pin", "VERIFY of the Global PIN on a card without one: 6A88", |b| {
        b.start()?;
        b.verify_raw(0x00, b"12345678")?.any_of(&[0x6A88, 0x6A86], "VERIFY 00").map(drop)
    });
    let global = "24681357";
    s.must("global-pin-verifies", "The right Global PIN verifies", |b| {
        b.start()?;
        b.verify_raw(0x00, b"24681357")?.ok("VERIFY of the Global PIN")?;
        b.send(&hex!("00200000"))?.ok("VERIFY 00 without data").map(drop)
    })
    .with("global-pin", global);
    s.must("global-pin-has-its-own-counter", "Wrong Global PINs cost no try of the PIV PIN, nor the other way", |b| {
        b.start()?;
        let all = b.tries()?;
        let before = b.send(&hex!("00200000"))?.sw;
        b.verify_raw(0x00, b"11111111")?;
        holds(b.tries()? == all, "the PIV PIN's tries are as before")?;
        b.verify_wrong()?;
        holds(b.send(&hex!("00200000"))?.sw + 1 == before, "one try of the Global PIN is gone")
    })
    .with("global-pin", global)
    .spends();
    s.must("global-pin-opens-objects", "The Global PIN opens objects where the policy says so", |b| {
        b.start()?;
        b.admin()?;
        b.put(0x5FC109, &[0x01, 0x00])?.ok("PUT DATA")?;
        b.start()?;
        b.verify_raw(0x00, b"24681357")?.ok("VERIFY of the Global PIN")?;
        b.get(0x5FC109)?.ok("GET DATA").map(drop)
    })
    .with("global-pin", global)
    .changes();
    s.must("global-pin-is-not-the-piv-pin", "The Global PIN verified does not verify the PIV PIN", |b| {
        b.start()?;
        b.verify_raw(0x00, b"24681357")?.ok("VERIFY of the Global PIN")?;
        b.is_not_verified("after the Global PIN")
    })
    .with("global-pin", global);
    s.must("global-pin-blocks", "A Global PIN without tries is blocked: 6983", |b| {
        b.start()?;
        for _ in 0..16 {
            b.verify_raw(0x00, b"11111111")?;
        }
        b.verify_raw(0x00, b"24681357")?.is(0x6983, "the right Global PIN").map(drop)
    })
    .with("global-pin", global)
    .locks();
}
