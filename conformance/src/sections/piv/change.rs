//! CHANGE REFERENCE DATA, part 2 section 3.2.2.

use super::PART2;
use crate::bench::{Stop, holds};
use crate::book::Book;
use crate::test::{Danger, Need};
use cardlab_protocol::apdu::short;

pub(super) fn fill(book: &mut Book) {
    pin(book);
    puk(book);
}

fn pin(book: &mut Book) {
    let mut s = book
        .section("piv/800-73-4-2/3.2.2", &format!("{PART2} section 3.2.2"), &[Need::Piv, Need::Pin])
        .at_least(Danger::SpendsTries);
    s.must("new-pin-verifies", "After a change the new PIN verifies", |b| {
        b.start()?;
        let (old, new) = (b.pin()?, b.other_pin());
        b.change(&old, new)?.ok("CHANGE REFERENCE DATA")?;
        b.start()?;
        b.verify()
    })
    .changes();
    s.must("old-pin-does-not", "After a change the old PIN does not verify", |b| {
        b.start()?;
        let (old, new) = (b.pin()?, b.other_pin());
        b.change(&old, new)?.ok("CHANGE REFERENCE DATA")?;
        b.start()?;
        let reply = b.verify_with(&old)?;
        holds(reply.sw >> 4 == 0x63C, format!("the old PIN: expected 63Cx, got {:04X}", reply.sw))
    })
    .changes();
    s.must("change-survives-power-off", "The new PIN is there after power off and on", |b| {
        b.start()?;
        let (old, new) = (b.pin()?, b.other_pin());
        b.change(&old, new)?.ok("CHANGE REFERENCE DATA")?;
        b.power_cycle()?;
        b.select()?.ok("SELECT")?;
        b.verify()
    })
    .changes();
    s.must("change-verifies", "A successful change verifies the PIN", |b| {
        b.start()?;
        let (old, new) = (b.pin()?, b.other_pin());
        b.change(&old, new)?.ok("CHANGE REFERENCE DATA")?;
        b.is_verified("after the change")
    })
    .changes();
    s.must("change-restores-tries", "A successful change gives all tries back", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.verify_wrong()?;
        let (old, new) = (b.pin()?, b.other_pin());
        b.change(&old, new)?.ok("CHANGE REFERENCE DATA")?;
        b.start()?;
        b.query()?.left(all, "VERIFY without data")
    })
    .changes();
    s.must("wrong-old-costs-a-try", "A wrong old PIN costs a try and changes nothing", |b| {
        b.start()?;
        let all = b.all_tries()?;
        let (wrong, new) = (b.wrong_pin()?, b.other_pin());
        b.change(&wrong, new)?.left(all - 1, "CHANGE with a wrong old PIN")?;
        b.query()?.left(all - 1, "VERIFY without data")?;
        b.verify()
    })
    .spends();
    s.must("wrong-old-ends-the-status", "A wrong old PIN ends the status of a verified one", |b| {
        b.start()?;
        b.verify()?;
        let (wrong, new) = (b.wrong_pin()?, b.other_pin());
        b.change(&wrong, new)?;
        b.is_not_verified("after a wrong old PIN")
    })
    .spends();
    s.must("one-counter", "Wrong old PINs and wrong PINs count together", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.verify_wrong()?.left(all - 1, "VERIFY with a wrong PIN")?;
        let wrong = b.wrong_pin()?;
        let reply = b.change(&wrong, b"84629517")?;
        if all == 2 {
            reply.any_of(&[0x63C0, 0x6983], "CHANGE with a wrong old PIN").map(drop)
        } else {
            reply.left(all - 2, "CHANGE with a wrong old PIN")
        }
    })
    .spends();
    s.must("blocked-by-changes", "Wrong old PINs block the PIN", |b| {
        b.start()?;
        let all = b.all_tries()?;
        let wrong = b.wrong_pin()?;
        for _ in 0..all {
            b.change(&wrong, b"84629517")?;
        }
        let pin = b.pin()?;
        b.verify_with(&pin)?.is(0x6983, "the right PIN").map(drop)
    })
    .locks();
    s.must("blocked-pin-is-not-changed", "A blocked PIN is not changed by the right old one", |b| {
        b.start()?;
        b.block_pin()?;
        let old = b.pin()?;
        b.change(&old, b"84629517")?.is(0x6983, "CHANGE with the right old PIN").map(drop)
    })
    .locks();
    for (slug, new, what) in [
        ("five-digits", &b"12345\xFF\xFF\xFF"[..], "five digits"),
        ("only-padding", &[0xFF; 8], "padding only"),
        ("padding-first", b"\xFF\xFF123456", "padding before the digits"),
        ("gap", b"123\xFF456\xFF", "padding among the digits"),
    ] {
        s.must(&format!("new-pin-{slug}"), &format!("A new PIN of {what} is refused, and the old one holds"), move |b| {
            b.start()?;
            let all = b.all_tries()?;
            let data = [&b.framed(&b.pin()?)[..], new].concat();
            b.change_raw(0x80, &data)?.any_of(&[0x6A80, 0x6985, 0x6700], "CHANGE")?;
            b.start()?;
            b.query()?.left(all, "no try is spent by the right old PIN")?;
            b.verify()
        })
        .changes();
    }
    s.must("refused-new-pin-keeps-the-status", "A refused new PIN leaves a verified PIN verified", |b| {
        b.start()?;
        b.verify()?;
        let data = [&b.framed(&b.pin()?)[..], b"12345\xFF\xFF\xFF"].concat();
        b.change_raw(0x80, &data)?.refused("CHANGE to five digits")?;
        b.is_verified("after a refused new PIN")
    })
    .needs(&[Need::PlainPiv])
    .changes();
    s.must("refused-new-pin-keeps-the-counter", "A refused new PIN gives no tries back", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.verify_wrong()?;
        let data = [&b.framed(&b.pin()?)[..], b"12345\xFF\xFF\xFF"].concat();
        b.change_raw(0x80, &data)?.refused("CHANGE to five digits")?;
        b.query()?.left(all - 1, "VERIFY without data")
    })
    .needs(&[Need::PlainPiv])
    .changes();
    s.must("same-pin-again", "The same PIN as before is a new PIN too, unless a rule forbids it", |b| {
        b.start()?;
        let old = b.pin()?;
        b.change(&old, &old.clone())?.any_of(&[0x9000, 0x6985, 0x6A80], "CHANGE to the same PIN")?;
        b.start()?;
        b.verify()
    })
    .changes();
    for (slug, data) in [("no-data", 0usize), ("eight-bytes", 8), ("fifteen-bytes", 15), ("seventeen-bytes", 17)] {
        s.must(&format!("length-{slug}"), "CHANGE with another length than two values is refused and costs nothing", move |b| {
            b.start()?;
            let all = b.all_tries()?;
            let reply = b.change_raw(0x80, &[0x31; 32][..data])?;
            holds(matches!(reply.sw, 0x6A80 | 0x6700 | 0x63C0..=0x63CF), format!("CHANGE: {:04X}", reply.sw))?;
            if reply.sw == 0x6A80 || reply.sw == 0x6700 {
                b.query()?.left(all, "VERIFY without data")?;
            }
            Ok(())
        })
        .spends();
    }
    for p1 in [0x01u8, 0x02, 0xFF] {
        s.must(&format!("p1-{p1:02x}"), &format!("CHANGE with P1={p1:02X} is refused, and nothing changes"), move |b| {
            // The command's own table has 6A88 and not 6A86, which part 2 gives to others.
            b.start()?;
            let data = [&b.framed(&b.pin()?)[..], b"84629517"].concat();
            b.send(&short([0x00, 0x24, p1, 0x80], &data, None))?.any_of(&[0x6A88, 0x6A86, 0x6A81, 0x6A80], "CHANGE")?;
            b.verify()
        })
        .changes();
    }
    for (slug, reference) in [("administration-key", 0x9Bu8), ("key-82", 0x82), ("pairing-code", 0x98), ("reference-7f", 0x7F)] {
        s.must(&format!("not-for-{slug}"), &format!("CHANGE of reference {reference:02X}: 6A88"), move |b| {
            b.start()?;
            b.change_raw(reference, b"1234567887654321")?.any_of(&[0x6A88, 0x6A86, 0x6A81, 0x6A80], "CHANGE").map(drop)
        });
    }
    s.must("no-global-pin", "CHANGE of the Global PIN on a card without one: 6A88", |b| {
        b.start()?;
        b.change_raw(0x00, b"1234567887654321")?.any_of(&[0x6A88, 0x6A86, 0x6A81], "CHANGE 00").map(drop)
    })
    .needs(&[Need::New]);
    s.must("global-pin-changes", "The Global PIN is changed, and the PIV PIN is not", |b| {
        b.start()?;
        let reply = b.change_raw(0x00, b"2468135787654321")?;
        if reply.sw == 0x6A88 || reply.sw == 0x6A81 {
            return Err(Stop::NotApplicable("the Global PIN is not changed here".into()));
        }
        reply.ok("CHANGE of the Global PIN")?;
        b.verify()?;
        b.verify_raw(0x00, b"87654321")?.ok("the new Global PIN").map(drop)
    })
    .with("global-pin", "24681357")
    .changes();
}

fn puk(book: &mut Book) {
    let mut s =
        book.section("piv/800-73-4-2/3.2.2-puk", &format!("{PART2} section 3.2.2, the PUK"), &[Need::Piv, Need::Pin, Need::Puk]);
    s.must("new-puk-unblocks", "After a change the new PUK unblocks", |b| {
        b.start()?;
        let old = b.puk()?;
        b.change_puk(&old, b"87651234")?.ok("CHANGE of the PUK")?;
        let (puk, pin) = (b.puk()?, b.pin()?);
        b.unblock(&puk, &pin)?.ok("RESET RETRY COUNTER with the new PUK").map(drop)
    })
    .changes();
    s.must("old-puk-does-not", "After a change the old PUK does not unblock", |b| {
        b.start()?;
        let old = b.puk()?;
        b.change_puk(&old, b"87651234")?.ok("CHANGE of the PUK")?;
        let pin = b.pin()?;
        let reply = b.unblock(&old, &pin)?;
        holds(reply.sw >> 4 == 0x63C, format!("the old PUK: expected 63Cx, got {:04X}", reply.sw))
    })
    .changes();
    s.must("binary-puk", "A PUK is any eight bytes", |b| {
        b.start()?;
        let old = b.puk()?;
        b.change_puk(&old, &[0, 1, 2, 3, 4, 5, 6, 7])?.ok("CHANGE of the PUK")?;
        let (puk, pin) = (b.puk()?, b.pin()?);
        b.unblock(&puk, &pin)?.ok("RESET RETRY COUNTER").map(drop)
    })
    .needs(&[Need::PlainPiv])
    .changes();
    s.must("wrong-puk-leaves-the-pin", "A wrong PUK costs no try of the PIN", |b| {
        b.start()?;
        let all = b.all_tries()?;
        let wrong = b.wrong_puk()?;
        let reply = b.change_puk(&wrong, b"87651234")?;
        holds(reply.sw >> 4 == 0x63C, format!("a wrong PUK: expected 63Cx, got {:04X}", reply.sw))?;
        b.query()?.left(all, "the PIN's tries")
    })
    .spends();
    s.must("wrong-puks-count-down", "Wrong PUKs count down one by one", |b| {
        b.start()?;
        let wrong = b.wrong_puk()?;
        let first = b.change_puk(&wrong, b"87651234")?.sw;
        let second = b.change_puk(&wrong, b"87651234")?.sw;
        holds(first >> 4 == 0x63C && (second == first - 1 || second == 0x6983), format!("{first:04X}, then {second:04X}"))
    })
    .spends();
    s.must("blocked-puk", "A blocked PUK is not changed by the right old one", |b| {
        b.start()?;
        b.block_puk()?;
        let old = b.puk()?;
        b.change_puk(&old, b"87651234")?.is(0x6983, "CHANGE of the PUK").map(drop)
    })
    .resets();
    s.must("puk-change-verifies-no-pin", "Changing the PUK does not verify the PIN", |b| {
        b.start()?;
        let old = b.puk()?;
        b.change_puk(&old, b"87651234")?.ok("CHANGE of the PUK")?;
        b.is_not_verified("after a change of the PUK")
    })
    .changes();
}
