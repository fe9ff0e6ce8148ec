//! Power that goes away inside a command: old or new, never a free try, never a lost secret.

use crate::bench::{Bench, Checked, Stop, holds};
use crate::book::Book;
use crate::place::Place;
use crate::test::Need;

/// Runs `act` with the power cut at each tear point in turn, on a card that `prepare` has brought there;
/// `judge` looks at the card after each cut. Ends when the command needs no more.
fn everywhere(
    b: &mut Bench<'_>,
    act: impl Fn(&mut Bench<'_>) -> Checked<crate::bench::Reply>,
    judge: impl Fn(&mut Bench<'_>) -> Checked,
) -> Checked {
    for point in 0..64 {
        b.start()?;
        b.verify()?;
        b.start()?;
        b.cut_power_at(point)?;
        let cut = match act(b) {
            Err(Stop::Card(_)) => true,
            Ok(_) => false,
            Err(other) => return Err(other),
        };
        b.power_cycle()?;
        b.select()?.ok("SELECT after the cut")?;
        judge(b)?;
        if !cut {
            return holds(point > 0, "no tear point was met");
        }
    }
    Err(Stop::Failed("64 tear points in one command".into()))
}

pub(super) fn fill(book: &mut Book) {
    let needs = [Need::Pin, Need::TearPoints, Need::New];
    let mut s =
        book.section("iso/7816-4/tearing", "ISO/IEC 7816-4:2020 section 11.5.1; every maker's protection profile", &needs);
    s.must("wrong-pin", "A power cut during a wrong PIN gives no free guess", |b| {
        let all = b.facts.pin_tries.unwrap_or_default();
        for point in 0..8 {
            b.start()?;
            b.verify()?;
            b.start()?;
            b.cut_power_at(point)?;
            let cut = match b.verify_wrong() {
                Err(Stop::Card(_)) => true,
                Ok(reply) => {
                    holds(reply.sw != 0x9000, "a wrong PIN is wrong")?;
                    false
                }
                Err(other) => return Err(other),
            };
            b.power_cycle()?;
            b.select()?.ok("SELECT")?;
            let left = b.tries()?;
            // Cut before the decrement is durable, nothing was compared; after it the try is gone.
            holds(left == all - 1 || (cut && left == all), format!("cut at point {point}: {left} of {all} tries"))?;
            if !cut {
                return Ok(());
            }
        }
        Err(Stop::Failed("VERIFY passes more than 8 tear points".into()))
    })
    .spends();
    s.must(
        "decrement-before-comparison",
        "The try is gone before the PIN is compared: a cut at the end of a right VERIFY shows it",
        |b| {
            let all = b.facts.pin_tries.unwrap_or_default();
            let mut seen = false;
            for point in 0..8 {
                b.start()?;
                b.verify()?;
                b.start()?;
                b.cut_power_at(point)?;
                let pin = b.pin()?;
                let cut = matches!(b.verify_with(&pin), Err(Stop::Card(_)));
                b.power_cycle()?;
                b.select()?.ok("SELECT")?;
                seen |= b.tries()? == all - 1;
                if !cut {
                    return holds(
                        seen,
                        "at no tear point of a right VERIFY was a try missing: the counter is written after the comparison",
                    );
                }
            }
            Err(Stop::Failed("VERIFY passes more than 8 tear points".into()))
        },
    )
    .spends();
    s.must("change", "A power cut during a change leaves the old PIN or the new one", |b| {
        everywhere(
            b,
            |b| {
                let old = b.pin()?;
                b.change(&old, b"84629517")
            },
            |b| {
                let known = b.pin()?;
                let old = b.facts.credentials.pin.clone().unwrap_or_default();
                let one = b.verify_with(old.as_bytes())?.sw == 0x9000;
                let other = b.verify_with(b"84629517")?.sw == 0x9000;
                holds(one != other, "exactly one of the old and the new PIN verifies")?;
                if other && known[..] != *b"84629517" {
                    b.change(b"84629517", old.as_bytes())?.ok("changing back")?;
                }
                if other && known[..] == *b"84629517" {
                    b.change(b"84629517", old.as_bytes())?.ok("changing back")?;
                }
                Ok(())
            },
        )
    })
    .changes();
    let mut s = book
        .section(
            "iso/7816-4/tearing-piv",
            "ISO/IEC 7816-4:2020 section 11.5.1, on PIV cards",
            &[Need::Piv, Need::Pin, Need::Puk, Need::AdminKey, Need::TearPoints, Need::New],
        )
        .writes([Place::Object(0x5FC105), Place::Key(0x9A)]);
    s.must("unblock", "A power cut during unblocking leaves the old PIN or the new one", |b| {
        everywhere(
            b,
            |b| {
                let puk = b.puk()?;
                b.unblock(&puk, b"84629517")
            },
            |b| {
                let old = b.facts.credentials.pin.clone().unwrap_or_default();
                let one = b.verify_with(old.as_bytes())?.sw == 0x9000;
                let other = b.verify_with(b"84629517")?.sw == 0x9000;
                holds(one != other, "exactly one of the old and the new PIN verifies")?;
                let puk = b.puk()?;
                b.unblock(&puk, old.as_bytes())?.ok("the PUK still works").map(drop)
            },
        )
    })
    .changes();
    s.must("wrong-puk", "A power cut during a wrong PUK gives no free guess", |b| {
        let mut before = None;
        for point in 0..8 {
            let (puk, wrong, pin) = (b.puk()?, b.wrong_puk()?, b.pin()?);
            b.start()?;
            b.change_puk(&puk, &puk.clone())?.ok("giving the PUK its tries back")?;
            b.cut_power_at(point)?;
            let cut = matches!(b.unblock(&wrong, &pin), Err(Stop::Card(_)));
            b.power_cycle()?;
            b.select()?.ok("SELECT")?;
            let after = b.unblock(&wrong, &pin)?.sw;
            holds(after >> 4 == 0x63C, format!("a wrong PUK: {after:04X}"))?;
            if !cut {
                return holds(
                    before.is_some_and(|b: u16| b == after),
                    "a cut wrong PUK must cost its try once it may have been compared",
                );
            }
            before = Some(after);
        }
        Err(Stop::Failed("RESET RETRY COUNTER passes more than 8 tear points".into()))
    })
    .spends();
    s.must("object", "A power cut during PUT DATA leaves the old object or the new one", |b| {
        let (old, new) = (vec![0x11; 300], vec![0x22; 500]);
        b.start()?;
        b.admin()?;
        b.put(0x5FC105, &old)?.ok("PUT DATA")?;
        for point in 0..16 {
            b.start()?;
            b.admin()?;
            b.cut_power_at(point)?;
            let cut = matches!(b.put(0x5FC105, &new), Err(Stop::Card(_)));
            b.power_cycle()?;
            b.select()?.ok("SELECT")?;
            let data = b.get(0x5FC105)?.ok("GET DATA")?;
            let whole = [cardlab_protocol::tlv::encode(0x53, &old), cardlab_protocol::tlv::encode(0x53, &new)];
            holds(whole.contains(&data), "the object is neither the old nor the new one")?;
            if !cut {
                return holds(point > 0, "no tear point was met");
            }
        }
        Err(Stop::Failed("PUT DATA passes more than 16 tear points".into()))
    })
    .changes();
}
