//! SELECT, part 2 section 3.1.1.

use super::PART2;
use crate::bench::{holds, same};
use crate::book::Book;
use crate::place::Place;
use crate::test::Need;
use cardlab_protocol::apdu::short;
use cardlab_protocol::tlv::{find, find_path, objects};
use hex_literal::hex;

/// SELECT with the whole AID of 11 bytes.
const FULL: &[u8] = &hex!("00A404000BA00000030800001000010000");
/// SELECT with its first 9 bytes.
const SHORT: &[u8] = &hex!("00A4040009A0000003080000100000");

pub(super) fn fill(book: &mut Book) {
    let mut s =
        book.section("piv/800-73-4-2/3.1.1", &format!("{PART2} section 3.1.1"), &[Need::Piv]).writes([Place::Object(0x5FC10B)]);
    for (slug, command, what) in [("full-aid", FULL, "11 bytes"), ("aid-without-version", SHORT, "9 bytes, as OpenSC sends it")] {
        s.must(slug, &format!("SELECT with {what} of the AID answers the application property template"), move |b| {
            b.reset()?;
            let data = b.send(command)?.ok("SELECT")?;
            holds(find(&data, 0x61).is_some(), "the answer is a template 61")
        });
    }
    s.should("aid-of-five-bytes", "SELECT with the five bytes of the RID and PIX that Yubico's tools send", |b| {
        b.reset()?;
        b.send(&hex!("00A4040005A00000030800"))?.ok("SELECT")?;
        b.query().map(drop)
    });
    s.must("same-template-for-every-form", "Every form of the AID gets the same template", |b| {
        b.reset()?;
        let one = b.send(FULL)?.ok("SELECT with 11 bytes")?;
        let two = b.send(SHORT)?.ok("SELECT with 9 bytes")?;
        same(&two, &one, "the templates")
    });
    s.must("template-begins-with-the-identifier", "The template holds 4F, then 79 with the allocating authority", |b| {
        b.reset()?;
        let data = b.send(FULL)?.ok("SELECT")?;
        let first = find(&data, 0x61).and_then(|inside| objects(inside).next());
        holds(first.is_some_and(|o| o.tag == 0x4F), "4F comes first")?;
        same(find_path(&data, &[0x61, 0x79, 0x4F]).unwrap_or_default(), &[0xA0, 0x00, 0x00, 0x03, 0x08], "79 {4F}")
    });
    s.must("identifier-is-piv", "4F holds the AID, or its part after the RID", |b| {
        b.reset()?;
        let data = b.send(FULL)?.ok("SELECT")?;
        let identifier = find_path(&data, &[0x61, 0x4F]).unwrap_or_default();
        let right = identifier == [0xA0, 0, 0, 3, 8, 0, 0, 0x10, 0, 1, 0] || identifier.starts_with(&[0, 0, 0x10, 0, 1, 0]);
        holds(right, format!("4F is {}", hex::encode_upper(identifier)))
    });
    s.must(
        "secure-messaging-is-offered-or-not",
        "Where AC is given, each algorithm comes once and its 06 says where they are from",
        |b| {
            b.reset()?;
            let data = b.send(FULL)?.ok("SELECT")?;
            let template = find(&data, 0x61).unwrap_or_default();
            for list in objects(template).filter(|o| o.tag == 0xAC) {
                let mut algorithms: Vec<&[u8]> = objects(list.value).filter(|o| o.tag == 0x80).map(|o| o.value).collect();
                let count = algorithms.len();
                algorithms.sort();
                algorithms.dedup();
                holds(count == algorithms.len(), "no algorithm twice")?;
            }
            Ok(())
        },
    );
    s.must("reselecting-keeps-the-pin", "Selecting PIV again keeps a verified PIN", |b| {
        b.start()?;
        b.verify()?;
        b.send(FULL)?.ok("SELECT")?;
        b.is_verified("after SELECT of PIV again")
    })
    .needs(&[Need::PlainPiv, Need::Pin]);
    s.must("reselecting-keeps-the-administration-key", "Selecting PIV again keeps the administrator key's authentication", |b| {
        b.start()?;
        b.admin()?;
        b.send(FULL)?.ok("SELECT")?;
        b.put(0x5FC10B, &[0x70, 0x00])?.ok("PUT DATA").map(drop)
    })
    .needs(&[Need::PlainPiv, Need::AdminKey])
    .changes();
    s.must("unknown-application", "SELECT of an application that is not there: 6A82", |b| {
        b.start()?;
        b.send(&hex!("00A4040007A0000000000000"))?.is(0x6A82, "SELECT of an unknown AID").map(drop)
    });
    s.must("unknown-application-keeps-piv", "After SELECT of an unknown application PIV is still selected", |b| {
        b.start()?;
        b.send(&hex!("00A4040007A0000000000000"))?.refused("SELECT of an unknown AID")?;
        let sw = b.query()?.sw;
        holds(sw >> 4 == 0x63C || sw == 0x6983 || sw == 0x9000, format!("VERIFY without data says {sw:04X}"))
    });
    s.must("unknown-application-keeps-the-pin", "After SELECT of an unknown application the PIN is still verified", |b| {
        b.start()?;
        b.verify()?;
        b.send(&hex!("00A4040007A0000000000000"))?.refused("SELECT of an unknown AID")?;
        b.is_verified("after SELECT of an unknown application")
    })
    .needs(&[Need::PlainPiv, Need::Pin]);
    s.must(
        "unknown-application-keeps-the-administration-key",
        "After SELECT of an unknown application the administrator key is still authenticated",
        |b| {
            b.start()?;
            b.admin()?;
            b.send(&hex!("00A4040007A0000000000000"))?.refused("SELECT of an unknown AID")?;
            b.put(0x5FC10B, &[0x70, 0x00])?.ok("PUT DATA").map(drop)
        },
    )
    .needs(&[Need::PlainPiv, Need::AdminKey])
    .changes();
    s.must(
        "wrong-version-byte",
        "An AID of 11 bytes that differs in the last is another application, or its version is not looked at",
        |b| {
            b.start()?;
            let reply = b.send(&hex!("00A404000BA00000030800001000019900"))?;
            if reply.sw == 0x9000 { Ok(()) } else { reply.refused("SELECT with another version") }
        },
    );
    s.must("other-application-number", "An AID that differs after the RID is another application", |b| {
        b.start()?;
        b.send(&hex!("00A4040009A0000003080000200000"))?.refused("SELECT with another PIX")
    });
    for (slug, [p1, p2]) in [("p1-by-file", [0x00, 0x00]), ("p2-next", [0x04, 0x02]), ("p1-by-parent", [0x03, 0x00])] {
        s.must(slug, "SELECT in a form that PIV does not have is refused", move |b| {
            b.start()?;
            b.send(&short([0x00, 0xA4, p1, p2], &hex!("A00000030800001000"), Some(0)))?.refused("SELECT in another form")
        });
    }
    s.must("selection-of-another-applet-ends-the-pin", "Another application in between ends the PIN's security status", |b| {
        b.start()?;
        b.verify()?;
        b.send(&hex!("00A4040008A00000052747111700"))?.ok("SELECT of the management application")?;
        b.select()?.ok("SELECT of PIV")?;
        b.is_not_verified("after another application")
    })
    .needs(&[Need::YubiKey([0, 0, 0]), Need::Pin]);
    s.must(
        "selection-of-another-applet-ends-the-administration-key",
        "Another application in between ends the administrator key's authentication",
        |b| {
            b.start()?;
            b.admin()?;
            b.send(&hex!("00A4040008A00000052747111700"))?.ok("SELECT of the management application")?;
            b.select()?.ok("SELECT of PIV")?;
            b.put(0x5FC10B, &[0x70, 0x00])?.is(0x6982, "PUT DATA").map(drop)
        },
    )
    .needs(&[Need::YubiKey([0, 0, 0]), Need::AdminKey])
    .changes();
    s.must("a-challenge-dies-with-selection", "SELECT ends a pending challenge", |b| {
        b.start()?;
        let challenge = b.challenge()?;
        let response = b.response(&challenge)?;
        b.select()?.ok("SELECT")?;
        b.respond(&response)?.refused("the response after SELECT")
    })
    .needs(&[Need::AdminKey])
    .spends();
}
