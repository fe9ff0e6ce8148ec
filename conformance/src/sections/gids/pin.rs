//! VERIFY, CHANGE REFERENCE DATA and the PIN's status.

use super::GIDS;
use crate::bench::{Bench, Checked, holds};
use crate::book::Book;
use crate::place::Place;
use crate::sections::common;
use crate::test::{Danger, Need};
use cardlab_protocol::apdu::short;
use cardlab_protocol::tlv::find;
use hex_literal::hex;

fn status(b: &mut Bench<'_>, tag: u8) -> Checked<(u8, u8)> {
    let data = b.send(&short([0x00, 0xCB, 0x3F, 0xFF], &[0x5C, 0x02, 0x7F, tag], Some(0)))?.ok("GET DATA of the PIN's status")?;
    let inside = find(&data, 0x7F00 | u32::from(tag)).unwrap_or_default();
    let byte = |tag| find(inside, tag).and_then(|v| v.first().copied());
    match (byte(0x97), byte(0x93)) {
        (Some(left), Some(limit)) => Ok((left, limit)),
        _ => Err(crate::bench::Stop::Failed("the status needs 97 and 93".into())),
    }
}

pub(super) fn fill(book: &mut Book) {
    let mut s =
        book.section("gids/2.0/verify", &format!("{GIDS}, VERIFY; ISO/IEC 7816-4:2020 section 11.5.6"), &[Need::Gids, Need::Pin]);
    common::counted_pin(&mut s);
    s.must("reference-00-is-the-same", "Reference 00 is the same PIN", |b| {
        b.start()?;
        let pin = b.pin()?;
        b.verify_raw(0x00, &pin)?.ok("VERIFY 00")?;
        b.is_verified("after VERIFY 00")
    });
    s.must("query-tells-tries", "VERIFY without data tells the tries", |b| {
        b.start()?;
        let left = b.tries()?;
        let (told, _) = status(b, 0x71)?;
        holds(left == told, format!("VERIFY says {left}, 7F71 says {told}"))
    });
    s.must("status-counts-too", "7F71 counts with the wrong PINs, and its limit stays", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.verify_wrong()?;
        let (left, limit) = status(b, 0x71)?;
        holds((left, limit) == (all - 1, all), format!("{left} of {limit}, expected {} of {all}", all - 1))
    })
    .spends();
    s.must("padding-is-part-of-the-value", "A PIN is not padded: the same with FF behind it is another", |b| {
        b.start()?;
        let all = b.all_tries()?;
        let mut padded = b.pin()?.to_vec();
        padded.extend([0xFF, 0xFF]);
        let reply = b.verify_raw(0x80, &padded)?;
        holds(reply.sw != 0x9000, "the padded PIN must not verify")?;
        let left = b.tries()?;
        holds(left == all - 1 || left == all, "at most one try is spent")
    })
    .spends();
    s.must("prefix-is-another", "The beginning of the PIN is another PIN", |b| {
        b.start()?;
        let pin = b.pin()?;
        let reply = b.verify_raw(0x80, &pin[..pin.len() - 1])?;
        holds(reply.sw != 0x9000, "the beginning of the PIN must not verify")
    })
    .spends();
    s.must("blocked-status", "7F71 of a blocked PIN says 0", |b| {
        b.start()?;
        b.block_pin()?;
        let (left, _) = status(b, 0x71)?;
        holds(left == 0, format!("{left} tries left"))
    })
    .locks();
    s.must("reference-82-forgets", "VERIFY 82 forgets the PIN", |b| {
        b.start()?;
        b.verify()?;
        b.send(&hex!("00200082"))?.ok("VERIFY 82")?;
        b.is_not_verified("after VERIFY 82")
    });
    s.must("reference-82-forgets-the-administration-key", "VERIFY 82 forgets the administrator key", |b| {
        b.start()?;
        b.admin()?;
        b.send(&hex!("00200082"))?.ok("VERIFY 82")?;
        b.admin_unblock(b"84629517")?.is(0x6982, "RESET RETRY COUNTER").map(drop)
    })
    .needs(&[Need::AdminKey])
    .changes();
    for reference in [0x81u8, 0x83, 0x01, 0xFF] {
        s.must(&format!("reference-{reference:02x}"), &format!("Reference {reference:02X} is no PIN"), move |b| {
            b.start()?;
            b.verify_raw(reference, b"123456")?.any_of(&[0x6A88, 0x6A86, 0x6984], "VERIFY").map(drop)
        })
        .spends();
    }
    s.must("selecting-another-application", "SELECT of an application that is not there leaves this one", |b| {
        b.start()?;
        b.send(&hex!("00A4040007A0000000000000"))?.is(0x6A82, "SELECT")?;
        b.tries().map(drop)
    });

    let mut s =
        book.section("gids/2.0/change-reference-data", &format!("{GIDS}, CHANGE REFERENCE DATA"), &[Need::Gids, Need::Pin]);
    s.must("new-pin-verifies", "After a change the new PIN verifies and the old one does not", |b| {
        b.start()?;
        let old = b.pin()?;
        b.change(&old, b"84629517")?.ok("CHANGE")?;
        b.start()?;
        b.verify()?;
        holds(b.verify_with(&old)?.sw != 0x9000, "the old PIN must not verify")
    })
    .changes();
    s.must("another-length", "The new PIN may have another length", |b| {
        b.start()?;
        for new in [&b"4711"[..], b"0123456789012345", b"55555"] {
            let old = b.pin()?;
            b.change(&old, new)?.ok("CHANGE")?;
            b.start()?;
            b.verify()?;
        }
        Ok(())
    })
    .changes();
    s.must("wrong-old-costs-a-try", "A wrong old PIN costs a try and changes nothing", |b| {
        b.start()?;
        let all = b.all_tries()?;
        let wrong = b.wrong_pin()?;
        b.change(&wrong, b"84629517")?.left(all - 1, "CHANGE")?;
        b.verify()
    })
    .spends();
    s.must("blocked-pin-is-not-changed", "A blocked PIN is not changed", |b| {
        b.start()?;
        b.block_pin()?;
        let old = b.pin()?;
        b.change(&old, b"84629517")?.is(0x6983, "CHANGE").map(drop)
    })
    .locks();
    s.must("short-new-pin", "A new PIN that is too short is refused, and the old one holds", |b| {
        b.start()?;
        let data = [&b.pin()?[..], b"12"].concat();
        let reply = b.change_raw(0x80, &data)?;
        holds(reply.sw != 0x9000, "a PIN of two characters")?;
        b.verify()
    })
    .needs(&[Need::New])
    .changes();
    s.must("new-value-only-needs-the-old", "P1=01 without the old PIN verified is refused", |b| {
        b.start()?;
        b.send(&short([0x00, 0x24, 0x01, 0x80], b"84629517", None))?.is(0x6982, "CHANGE P1=01")?;
        b.verify()
    })
    .changes();
    let mut s = book
        .section("gids/2.0/creation-state", &format!("{GIDS}, life cycle"), &[Need::GidsBlank])
        .at_least(Danger::Resets)
        .writes([Place::File(0xA012), Place::InFile(0xA012, 0xDF20)]);
    s.must("pin-is-set-without-an-old-one", "A card in its creation state takes a PIN without an old one", |b| {
        b.start()?;
        b.send(&short([0x00, 0x24, 0x01, 0x80], b"4711", None))?.ok("CHANGE P1=01")?;
        b.verify_raw(0x80, b"4711")?.ok("VERIFY").map(drop)
    })
    .resets();
    s.must("files-are-created", "A card in its creation state takes files", |b| {
        b.start()?;
        b.send(&hex!("00E000000E620C8201398302A0128C03032000"))?.ok("CREATE FILE")?;
        b.send(&hex!("00440000"))?.ok("ACTIVATE FILE")?;
        b.send(&hex!("00DBA01205DF2002ABCD"))?.ok("PUT DATA").map(drop)
    })
    .resets();
    s.must("activation-closes-it", "After ACTIVATE FILE of the application its rules hold", |b| {
        b.start()?;
        b.send(&short([0x00, 0x24, 0x01, 0x80], b"4711", None))?.ok("CHANGE P1=01")?;
        b.send(&hex!("00A4000C023FFF"))?.ok("SELECT 3FFF")?;
        b.send(&hex!("00440000"))?.ok("ACTIVATE FILE")?;
        b.is_not_verified("after activation")?;
        b.send(&hex!("00E000000E620C8201398302A0128C03032000"))?.is(0x6982, "CREATE FILE").map(drop)
    })
    .resets();
    s.must("no-unblocking", "A card in its creation state has nothing to unblock", |b| {
        b.start()?;
        b.send(&hex!("002C02800431323334"))?.refused("RESET RETRY COUNTER")
    });
}
