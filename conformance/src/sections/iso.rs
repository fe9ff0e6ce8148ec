//! ISO/IEC 7816-4: command classes, instructions, lengths, GET RESPONSE. For every card edge.

use crate::bench::{Bench, Checked, Stop, holds, same};
use crate::book::Book;
use crate::place::Place;
use crate::test::{Danger, Level, Need};
use cardlab_protocol::apdu::short;
use hex_literal::hex;

pub(super) fn fill(book: &mut Book) {
    commands(book);
    responses(book);
    atr(book);
}

fn still_selected(b: &mut Bench<'_>, what: &str) -> Checked {
    let sw = b.query()?.sw;
    holds(
        sw == 0x9000 || sw == 0x6983 || sw >> 4 == 0x63C,
        format!("{what}: the application must go on working, but VERIFY without data says {sw:04X}"),
    )
}

fn commands(book: &mut Book) {
    let mut s = book.section("iso/7816-4/5.4", "ISO/IEC 7816-4:2020 section 5.4", &[]);
    for ins in [0x02u8, 0x10, 0x1E, 0x30, 0x56, 0x74, 0x99, 0xAE, 0xB8, 0xEE, 0xFC] {
        s.must(
            &format!("unknown-instruction-{ins:02x}"),
            &format!("Instruction {ins:02X}, which no card edge has, is refused with 6D00"),
            move |b| {
                b.start()?;
                let reply = b.send(&[0x00, ins, 0x00, 0x00])?;
                if let 0x6700 | 0x6982 | 0x6985 | 0x6A80 | 0x6A86 | 0x6A88 = reply.sw {
                    return Err(Stop::NotApplicable(format!(
                        "the card has an instruction {ins:02X} of its own: {:04X}",
                        reply.sw
                    )));
                }
                reply.any_of(&[0x6D00, 0x6A81, 0x6E00], "an unknown instruction")?;
                still_selected(b, "after an unknown instruction")
            },
        );
    }
    for ins in [0x6Fu8, 0x9F] {
        s.must(
            &format!("invalid-instruction-{ins:02x}"),
            &format!("Instruction {ins:02X}, whose values ISO forbids, is refused"),
            move |b| {
                b.start()?;
                b.send(&[0x00, ins, 0x00, 0x00])?.refused("an invalid instruction")
            },
        );
    }
    for (cla, what) in
        [(0x80u8, "proprietary"), (0xA0, "SIM"), (0xFF, "invalid"), (0x20, "reserved"), (0xE0, "proprietary with bits")]
    {
        s.must(
            &format!("class-{cla:02x}-is-not-ours"),
            &format!("A command of the {what} class {cla:02X} does not count as one of class 00"),
            move |b| {
                b.start()?;
                let before = b.query()?.sw;
                b.send(&[cla, 0x20, 0x00, 0x80])?.any_of(&[0x6E00, 0x6D00, 0x6881, 0x6882, 0x6A81], "VERIFY in another class")?;
                let after = b.query()?.sw;
                holds(before == after, "a refused class changes nothing")
            },
        );
    }
    for channel in [1u8, 2, 3] {
        s.must(
            &format!("channel-{channel}-is-not-open"),
            &format!("Logical channel {channel}, which nobody opened, is refused"),
            move |b| {
                b.start()?;
                b.send(&[channel, 0x20, 0x00, 0x80])?.any_of(&[0x6881, 0x6E00], "a command on a closed channel").map(drop)
            },
        );
    }
    for (cla, what) in [(0x04u8, "proprietary"), (0x08, "without header"), (0x0C, "with header")] {
        s.must(
            &format!("secure-messaging-{cla:02x}-without-keys"),
            &format!("Secure messaging ({what}) without session keys is refused"),
            move |b| {
                b.start()?;
                b.send(&short([cla, 0x20, 0x00, 0x80], &[0x99, 0x02, 0x90, 0x00], Some(0)))?
                    .any_of(&[0x6882, 0x6987, 0x6988, 0x6E00, 0x6985], "secure messaging without keys")
                    .map(drop)
            },
        )
        .spends();
    }

    let mut s = book
        .section("iso/7816-4/5.2", "ISO/IEC 7816-4:2020 section 5.2, ISO/IEC 7816-3:2006 section 12.1", &[])
        .at_least(Danger::SpendsTries);
    for (slug, command, what) in [
        ("lc-too-large", &hex!("002000800831323334")[..], "Lc says 8, four bytes follow"),
        ("lc-too-small", &hex!("0020008002313233343536")[..], "Lc says 2, six bytes follow"),
        ("lc-without-data", &hex!("0022000005")[..], "Lc says 5, nothing follows a case 3 command of five bytes in all"),
        ("extended-lc-cut", &hex!("0020008000")[..], "one byte where an extended length may begin"),
        ("extended-lc-of-nothing", &hex!("00200080000000")[..], "extended length 0"),
        ("extended-lc-too-large", &hex!("002000800001003132")[..], "an extended Lc of 256 with two bytes"),
    ] {
        s.must(slug, &format!("A malformed length is answered, and harms nothing: {what}"), move |b| {
            b.start()?;
            let before = b.query()?.sw;
            b.send(command)?;
            b.start()?;
            let after = b.query()?.sw;
            holds(
                before == after || before == 0x9000,
                format!("the tries were {before:04X} before and are {after:04X} after a malformed command"),
            )
        });
    }
    for length in [0usize, 1, 2, 3] {
        s.must(
            &format!("command-of-{}-bytes", ["no", "one", "two", "three"][length]),
            "A command that is shorter than its header does not stop the card",
            move |b| {
                b.start()?;
                // A reader may refuse to send it at all.
                if let Err(Stop::Card(_)) = b.send(&[0x00, 0x20, 0x00][..length]) {
                    b.transcript.pop();
                }
                b.start()?;
                still_selected(b, "after a cut command")
            },
        )
        .needs(&[Need::New]);
    }
    s.must("case-1-and-case-2-are-alike", "A status query with and without Le gets the same answer", |b| {
        b.start()?;
        let (one, two) = (b.send(&hex!("00200080"))?.sw, b.send(&hex!("0020008000"))?.sw);
        holds(one == two, format!("VERIFY without data: {one:04X} as case 1, {two:04X} as case 2"))
    });
}

/// Something that every card edge has more than 100 bytes of, or can be made to.
fn long_answer(b: &mut Bench<'_>) -> Checked<(Vec<u8>, Vec<u8>)> {
    b.start()?;
    if b.gids() {
        let command = short([0x00, 0xCB, 0xA0, 0x00], &[0x5C, 0x02, 0xDF, 0x1F], Some(0));
        let whole = b.full(&command)?.ok("GET DATA of the master file")?;
        return Ok((command, whole));
    }
    b.admin()?;
    let value: Vec<u8> = (0..600u32).map(|n| (n * 7) as u8).collect();
    b.put(0x5FC105, &value)?.ok("PUT DATA")?;
    let command = short([0x00, 0xCB, 0x3F, 0xFF], &[0x5C, 0x03, 0x5F, 0xC1, 0x05], Some(0));
    let whole = b.full(&command)?.ok("GET DATA")?;
    Ok((command, whole))
}

fn responses(book: &mut Book) {
    let mut s = book.section("iso/7816-4/11.8.1", "ISO/IEC 7816-4:2020 section 11.8.1", &[]).writes([Place::Object(0x5FC105)]);
    let known = [Need::AdminKey];
    s.must("nothing-waits", "GET RESPONSE with nothing waiting gives no data", |b| {
        b.start()?;
        b.query()?;
        b.send(&hex!("00C0000000"))?.no_data("GET RESPONSE with nothing waiting")
    });
    s.must("all-bytes-once", "GET RESPONSE gives every byte exactly once", |b| {
        let (command, whole) = long_answer(b)?;
        let again = b.full(&command)?.ok("the same again")?;
        same(&again, &whole, "two readings of one object")
    })
    .needs(&known)
    .changes();
    s.must("parts-of-any-size", "GET RESPONSE takes what Le asks for, and says that more waits", |b| {
        let (command, whole) = long_answer(b)?;
        let first = b.send(&command)?;
        let (mut data, mut sw) = (first.data, first.sw);
        for _ in 0..whole.len() {
            if sw >> 8 != 0x61 {
                break;
            }
            let wanted = if sw == 0x6100 { 50 } else { (sw as u8).min(50) };
            let part = b.send(&[0x00, 0xC0, 0x00, 0x00, wanted])?;
            holds(part.data.len() == usize::from(wanted), format!("{wanted} bytes were asked for, {} came", part.data.len()))?;
            data.extend(part.data);
            sw = part.sw;
        }
        holds(sw == 0x9000, format!("the last part ends with 9000, not {sw:04X}"))?;
        same(&data, &whole, "an object in parts of 50 bytes")
    })
    .needs(&known)
    .changes();
    s.must("announced-length-is-true", "61xx names the bytes that wait, 00 for 256 or more", |b| {
        let (command, whole) = long_answer(b)?;
        let first = b.send(&command)?;
        if first.sw == 0x9000 {
            return Ok(());
        }
        let left = whole.len() - first.data.len();
        let said = usize::from(first.sw as u8);
        let right = if left >= 256 { said == 0 || said == 0xFF } else { said == left };
        holds(right, format!("{left} bytes wait, the card says {:04X}", first.sw))
    })
    .needs(&known)
    .changes();
    s.must("another-command-ends-it", "Another command ends a response that waits: no stale bytes afterwards", |b| {
        let (command, whole) = long_answer(b)?;
        if b.send(&command)?.data.len() == whole.len() {
            return Err(Stop::NotApplicable("the card answers everything at once".into()));
        }
        b.query()?;
        b.send(&hex!("00C0000000"))?.no_data("GET RESPONSE after another command")
    })
    .level(Level::Should)
    .needs(&known)
    .changes();
    s.must("a-reset-ends-it", "A reset ends a response that waits", |b| {
        let (command, _) = long_answer(b)?;
        b.send(&command)?;
        b.start()?;
        b.send(&hex!("00C0000000"))?.no_data("GET RESPONSE after a reset")
    })
    .needs(&known)
    .changes();
    s.must("without-le", "GET RESPONSE without Le does not lose the bytes that wait", |b| {
        let (command, whole) = long_answer(b)?;
        let first = b.send(&command)?;
        if first.sw == 0x9000 {
            return Ok(());
        }
        let without = b.send(&hex!("00C00000"))?;
        let reply = if without.data.is_empty() { first.clone() } else { without.clone() };
        let mut data = first.data;
        data.extend(&without.data);
        let rest = b.rest(crate::bench::Reply { data: Vec::new(), sw: reply.sw })?.ok("the rest")?;
        data.extend(rest);
        same(&data, &whole, "the object")
    })
    .needs(&known)
    .changes();
    s.must("extended-le-gets-all", "An extended Le of 0 gets the whole answer at once", |b| {
        let (command, whole) = long_answer(b)?;
        let mut extended = command[..4].to_vec();
        let data = &command[5..command.len() - 1];
        extended.extend([0x00, 0x00, data.len() as u8]);
        extended.extend_from_slice(data);
        extended.extend([0x00, 0x00]);
        let reply = b.send(&extended)?.ok("extended-length GET DATA")?;
        same(&reply, &whole, "the object in one answer")
    })
    .needs(&[Need::AdminKey, Need::ExtendedLength])
    .changes();
    s.must("p1-p2-are-zero", "GET RESPONSE with P1 or P2 is refused or taken, and invents nothing", |b| {
        b.start()?;
        b.send(&hex!("00C0010000"))?.no_data("GET RESPONSE with P1=01 and nothing waiting")
    });
}

fn atr(book: &mut Book) {
    let mut s = book.section("iso/7816-3/6.2", "ISO/IEC 7816-3:2006 sections 6.2.1 and 8", &[]);
    s.must("warm-reset-keeps-counters", "A warm reset gives no try back", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.verify_wrong()?;
        b.start()?;
        let left = b.tries()?;
        holds(left + 1 == all, format!("{all} tries, one wrong PIN, a reset: {left} tries"))
    })
    .needs(&[Need::Pin])
    .spends();
    s.must("power-off-keeps-counters", "Taking the power away gives no try back", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.verify_wrong()?;
        b.power_cycle()?;
        b.select()?.ok("SELECT")?;
        let left = b.tries()?;
        holds(left + 1 == all, format!("{all} tries, one wrong PIN, power off and on: {left} tries"))
    })
    .needs(&[Need::Pin])
    .spends();
    s.must("warm-reset-forgets-the-pin", "A warm reset ends the PIN's security status", |b| {
        b.start()?;
        b.verify()?;
        b.start()?;
        b.is_not_verified("after a warm reset")
    })
    .needs(&[Need::Pin]);
    s.must("power-off-forgets-the-pin", "Taking the power away ends the PIN's security status", |b| {
        b.start()?;
        b.verify()?;
        b.power_cycle()?;
        b.select()?.ok("SELECT")?;
        b.is_not_verified("after power off and on")
    })
    .needs(&[Need::Pin]);
}
