//! RESET RETRY COUNTER, part 2 section 3.2.3.

use super::PART2;
use crate::bench::{Bench, Checked, holds};
use crate::book::Book;
use crate::test::{Danger, Need};
use cardlab_protocol::apdu::short;

/// Tries of the PUK, by a wrong one.
fn spend_puk(b: &mut Bench<'_>) -> Checked<u16> {
    let (wrong, pin) = (b.wrong_puk()?, b.pin()?);
    Ok(b.unblock(&wrong, &pin)?.sw)
}

pub(super) fn fill(book: &mut Book) {
    let mut s = book
        .section("piv/800-73-4-2/3.2.3", &format!("{PART2} section 3.2.3"), &[Need::Piv, Need::Pin, Need::Puk])
        .at_least(Danger::SpendsTries);
    s.must("puk-unblocks", "The right PUK unblocks a blocked PIN and sets a new one", |b| {
        b.start()?;
        b.block_pin()?;
        let puk = b.puk()?;
        b.unblock(&puk, b"84629517")?.ok("RESET RETRY COUNTER")?;
        b.verify()
    })
    .locks();
    s.must("all-tries-are-back", "After unblocking the PIN has all its tries", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.block_pin()?;
        let puk = b.puk()?;
        b.unblock(&puk, b"84629517")?.ok("RESET RETRY COUNTER")?;
        b.query()?.left(all, "VERIFY without data")
    })
    .locks();
    s.must("unblocking-verifies-nothing", "Unblocking does not verify the PIN", |b| {
        b.start()?;
        let puk = b.puk()?;
        b.unblock(&puk, b"84629517")?.ok("RESET RETRY COUNTER")?;
        b.is_not_verified("after unblocking")
    })
    .changes();
    s.must("verified-stays-verified", "Unblocking leaves the status of a verified PIN as it was", |b| {
        b.start()?;
        b.verify()?;
        let puk = b.puk()?;
        b.unblock(&puk, b"84629517")?.ok("RESET RETRY COUNTER")?;
        b.is_verified("after unblocking")
    })
    .needs(&[Need::PlainPiv])
    .changes();
    s.must("old-pin-is-gone", "After unblocking the old PIN does not verify", |b| {
        b.start()?;
        let (old, puk) = (b.pin()?, b.puk()?);
        b.unblock(&puk, b"84629517")?.ok("RESET RETRY COUNTER")?;
        let reply = b.verify_with(&old)?;
        holds(reply.sw >> 4 == 0x63C, format!("the old PIN: expected 63Cx, got {:04X}", reply.sw))
    })
    .changes();
    s.must("wrong-puk-costs-a-try", "A wrong PUK costs a try of the PUK", |b| {
        b.start()?;
        let (first, second) = (spend_puk(b)?, spend_puk(b)?);
        holds(first >> 4 == 0x63C && (second == first - 1 || second == 0x6983), format!("{first:04X}, then {second:04X}"))
    })
    .spends();
    s.must("wrong-puk-unblocks-nothing", "A wrong PUK leaves a blocked PIN blocked", |b| {
        b.start()?;
        b.block_pin()?;
        spend_puk(b)?;
        let pin = b.pin()?;
        b.verify_with(&pin)?.is(0x6983, "the right PIN").map(drop)
    })
    .locks();
    s.must("wrong-puk-leaves-the-pins-tries", "A wrong PUK costs no try of the PIN", |b| {
        b.start()?;
        let all = b.all_tries()?;
        spend_puk(b)?;
        b.start()?;
        b.query()?.left(all, "VERIFY without data")
    })
    .spends();
    s.must("wrong-puk-ends-the-pins-status", "A wrong PUK ends the status of a verified PIN", |b| {
        b.start()?;
        b.verify()?;
        spend_puk(b)?;
        b.is_not_verified("after a wrong PUK")
    })
    .needs(&[Need::PlainPiv])
    .spends();
    s.must("malformed-new-pin", "A new PIN of five digits is refused, and no try of the PUK is gone", |b| {
        b.start()?;
        let before = spend_puk(b)?;
        let data = [&b.framed(&b.puk()?)[..], b"12345\xFF\xFF\xFF"].concat();
        b.send(&short([0x00, 0x2C, 0x00, 0x80], &data, None))?.any_of(&[0x6A80, 0x6985, 0x6700], "RESET RETRY COUNTER")?;
        let after = spend_puk(b)?;
        // The right PUK may have given its tries back, or left them.
        holds(after == before - 1 || after == before, format!("a wrong PUK said {before:04X} before and {after:04X} after"))?;
        b.start()?;
        b.verify()
    })
    .spends();
    s.must("puk-counts-down-to-the-end", "Wrong PUKs count down to 63C0 or 6983, then 6983", |b| {
        b.start()?;
        let mut last = spend_puk(b)?;
        for _ in 0..255 {
            if last == 0x63C0 || last == 0x6983 {
                break;
            }
            let next = spend_puk(b)?;
            holds(next == last - 1 || next == 0x6983, format!("{last:04X}, then {next:04X}"))?;
            last = next;
        }
        let sw = spend_puk(b)?;
        holds(sw == 0x6983, format!("a blocked PUK: {sw:04X}"))
    })
    .resets();
    s.must("blocked-puk", "A blocked PUK does not unblock, even if it is right", |b| {
        b.start()?;
        b.block_puk()?;
        let (puk, pin) = (b.puk()?, b.pin()?);
        b.unblock(&puk, &pin)?.is(0x6983, "RESET RETRY COUNTER").map(drop)
    })
    .resets();
    s.must("blocked-puk-leaves-the-pin", "A blocked PUK leaves the PIN usable", |b| {
        b.start()?;
        b.block_puk()?;
        b.verify()
    })
    .resets();
    s.must("puks-of-both-commands-count-together", "Wrong PUKs count together in both commands", |b| {
        b.start()?;
        let first = spend_puk(b)?;
        let wrong = b.wrong_puk()?;
        let second = b.change_puk(&wrong, b"87651234")?.sw;
        holds(second == first - 1 || second == 0x6983, format!("{first:04X} in RESET RETRY COUNTER, then {second:04X} in CHANGE"))
    })
    .spends();
    for (slug, reference) in [("puk", 0x81u8), ("global-pin", 0x00), ("administration-key", 0x9B), ("key-9a", 0x9A)] {
        s.must(&format!("not-for-{slug}"), &format!("RESET RETRY COUNTER of reference {reference:02X}: 6A88"), move |b| {
            b.start()?;
            b.send(&short([0x00, 0x2C, 0x00, reference], b"12345678123456\xFF\xFF", None))?
                .any_of(&[0x6A88, 0x6A86, 0x6A81, 0x6A80], "RESET RETRY COUNTER")
                .map(drop)
        });
    }
    for p1 in [0x01u8, 0x03] {
        s.must(
            &format!("p1-{p1:02x}"),
            &format!("RESET RETRY COUNTER with P1={p1:02X} is refused, and the PIN holds"),
            move |b| {
                b.start()?;
                let data = [&b.framed(&b.puk()?)[..], b"84629517"].concat();
                b.send(&short([0x00, 0x2C, p1, 0x80], &data, None))?.any_of(&[0x6A86, 0x6A81, 0x6A80], "RESET RETRY COUNTER")?;
                b.verify()
            },
        )
        .changes();
    }
    s.must("p1-02-is-not-piv", "RESET RETRY COUNTER without a PUK is no way around it", |b| {
        b.start()?;
        b.send(&short([0x00, 0x2C, 0x02, 0x80], b"84629517", None))?.refused("RESET RETRY COUNTER P1=02")?;
        b.verify()
    })
    .changes();
    for (slug, length) in [("no-data", 0usize), ("eight-bytes", 8), ("fifteen-bytes", 15), ("seventeen-bytes", 17)] {
        s.must(&format!("length-{slug}"), "RESET RETRY COUNTER with another length than two values is refused", move |b| {
            b.start()?;
            let reply = b.send(&short([0x00, 0x2C, 0x00, 0x80], &[0x31; 32][..length], None))?;
            holds(matches!(reply.sw, 0x6A80 | 0x6700 | 0x63C0..=0x63CF), format!("RESET RETRY COUNTER: {:04X}", reply.sw))?;
            b.verify()
        })
        .spends();
    }
    s.must("chained", "RESET RETRY COUNTER in two chained blocks does not unblock where chaining is not offered", |b| {
        b.start()?;
        let puk = b.framed(&b.puk()?);
        let first = b.send(&short([0x10, 0x2C, 0x00, 0x80], &puk, None))?;
        let second = b.send(&short([0x00, 0x2C, 0x00, 0x80], b"84629517", None))?;
        holds(first.sw == 0x9000 || second.sw != 0x9000, "a refused chain must not unblock")
    })
    .needs(&[Need::PlainPiv])
    .changes();
    s.must("blocked-pin-needs-the-puk", "Power off and on does not unblock", |b| {
        b.start()?;
        b.block_pin()?;
        b.power_cycle()?;
        b.select()?.ok("SELECT")?;
        let pin = b.pin()?;
        b.verify_with(&pin)?.is(0x6983, "the right PIN").map(drop)
    })
    .locks();
}
