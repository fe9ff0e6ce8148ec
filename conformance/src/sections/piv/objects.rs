//! Data objects: GET DATA and PUT DATA, part 1 tables 2 and 3, part 2 sections 3.1.2 and 3.3.1.

use super::{PART1, PART2};
use crate::bench::{Bench, Checked, Reply, Stop, holds, same};
use crate::book::Book;
use crate::place::Place;
use crate::test::{Danger, Need};
use cardlab_protocol::apdu::short;
use cardlab_protocol::tlv::{encode, find};
use hex_literal::hex;

/// Read rule over the contact interface.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Read {
    Always,
    Pin,
}

/// Slug, tag, read rule, the size that every card must hold (part 1 appendix A).
pub(super) const OBJECTS: [(&str, u32, Read, usize); 15] = [
    ("ccc", 0x5FC107, Read::Always, 287),
    ("chuid", 0x5FC102, Read::Always, 2916),
    ("certificate-9a", 0x5FC105, Read::Always, 1905),
    ("fingerprints", 0x5FC103, Read::Pin, 4006),
    ("security-object", 0x5FC106, Read::Always, 1336),
    ("facial-image", 0x5FC108, Read::Pin, 12710),
    ("printed-information", 0x5FC109, Read::Pin, 245),
    ("certificate-9c", 0x5FC10A, Read::Always, 1905),
    ("certificate-9d", 0x5FC10B, Read::Always, 1905),
    ("certificate-9e", 0x5FC101, Read::Always, 1905),
    ("key-history", 0x5FC10C, Read::Always, 256),
    ("iris", 0x5FC121, Read::Pin, 7106),
    ("signer-certificate", 0x5FC122, Read::Always, 2471),
    ("pairing-code", 0x5FC123, Read::Pin, 12),
    ("retired-certificate-1", 0x5FC10D, Read::Always, 1905),
];

/// Tags of the certificates of the retired keys.
fn retired() -> impl Iterator<Item = (u8, u32)> {
    (0x0Eu8..=0x20).map(|last| (last - 0x0C, 0x5F_C100 | u32::from(last)))
}

/// All of them, the certificates of the retired keys included.
pub(super) fn every_object() -> impl Iterator<Item = Place> {
    OBJECTS.into_iter().map(|(_, tag, ..)| tag).chain(retired().map(|(_, tag)| tag)).map(Place::Object)
}

/// Containers that a card need not have (part 1 table 1).
const fn optional(tag: u32) -> bool {
    matches!(tag, 0x7E | 0x7F61 | 0x5FC109 | 0x5FC10C..=0x5FC123)
}

/// PUT DATA of an optional container may be refused for its absence, and of the two without a tag list because the card
/// makes them up itself: the test is for other cards then.
fn taken(reply: Reply, tag: u32) -> Checked {
    let refused = matches!(reply.sw, 0x6A81 | 0x6A82) || matches!((tag, reply.sw), (0x7E | 0x7F61, 0x6A80 | 0x6984));
    if optional(tag) && refused {
        return Err(Stop::NotApplicable(format!(
            "the card has no container to write for the optional object {tag:X}: {:04X}",
            reply.sw
        )));
    }
    reply.ok("PUT DATA").map(drop)
}

fn written(b: &mut Bench<'_>, tag: u32, value: &[u8]) -> Checked {
    b.start()?;
    b.admin()?;
    taken(b.put(tag, value)?, tag)
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

pub(super) fn fill(book: &mut Book) {
    rules(book);
    get(book);
    put(book);
}

fn rules(book: &mut Book) {
    let known = [Need::Piv, Need::AdminKey];
    let mut s =
        book.section("piv/800-73-4-1/table-2", &format!("{PART1} section 3.5, tables 2 and 3"), &known).writes(every_object());
    for (slug, tag, read, _) in OBJECTS {
        // YubiKeys keep what they like under it, for everybody to read: `firmware`.
        let kind = if tag == 0x5FC123 { Need::PlainPiv } else { Need::Piv };
        match read {
            Read::Always => s
                .must(&format!("{slug}-is-free"), &format!("Object {tag:X} is read without a PIN"), move |b| {
                    written(b, tag, &[0x71, 0x01, 0x00])?;
                    b.start()?;
                    let data = b.get(tag)?.ok("GET DATA without a PIN")?;
                    same(&data, &[0x53, 0x03, 0x71, 0x01, 0x00], "the object")
                })
                .changes(),
            Read::Pin => s
                .must(&format!("{slug}-needs-the-pin"), &format!("Object {tag:X} is read with the PIN only"), move |b| {
                    // Yubico documents 5FC109 as PIN-protected and the biometric objects too.
                    written(b, tag, &[0x71, 0x01, 0x00])?;
                    b.start()?;
                    b.get(tag)?.is(0x6982, "GET DATA without a PIN")?;
                    b.verify()?;
                    let data = b.get(tag)?.ok("GET DATA with the PIN")?;
                    same(&data, &[0x53, 0x03, 0x71, 0x01, 0x00], "the object")
                })
                .needs(&[kind, Need::Pin])
                .changes(),
        };
        if read == Read::Pin {
            s.must(
                &format!("{slug}-not-for-the-administration-key"),
                &format!("The administrator key does not stand for the PIN at object {tag:X}"),
                move |b| {
                    written(b, tag, &[0x71, 0x01, 0x00])?;
                    b.get(tag)?.is(0x6982, "GET DATA with the administrator key only").map(drop)
                },
            )
            .needs(&[kind])
            .changes();
        }
    }
    for (n, tag) in retired() {
        s.must(&format!("retired-certificate-{n}-is-free"), &format!("Object {tag:X} is read without a PIN"), move |b| {
            written(b, tag, &[0x71, 0x01, 0x00])?;
            b.start()?;
            same(&b.get(tag)?.ok("GET DATA without a PIN")?, &[0x53, 0x03, 0x71, 0x01, 0x00], "the object")
        })
        .changes();
    }
    let mut s = book
        .section("piv/800-73-4-1/appendix-a", &format!("{PART1} appendix A"), &[Need::PlainPiv, Need::AdminKey])
        .writes(OBJECTS.map(|(_, tag, ..)| Place::Object(tag)));
    for (slug, tag, _, size) in OBJECTS {
        // The size is that of the container: the 53 and its length are not in it.
        s.must(
            &format!("{slug}-holds-its-size"),
            &format!("Object {tag:X} holds the {size} bytes that are required"),
            move |b| {
                let value = pattern(size);
                if optional(tag) {
                    // Whether it is there at all: too much of it is refused in other words.
                    written(b, tag, &[])?;
                }
                written(b, tag, &value)?;
                b.verify()?;
                same(&b.get(tag)?.ok("GET DATA")?, &encode(0x53, &value), "the object")
            },
        )
        .needs(&[Need::Pin])
        .changes();
    }
}

fn get(book: &mut Book) {
    let mut s =
        book.section("piv/800-73-4-2/3.1.2", &format!("{PART2} section 3.1.2"), &[Need::Piv]).writes([Place::Object(0x5FC105)]);
    s.must("discovery-has-no-53", "The discovery object comes as 7E itself", |b| {
        b.start()?;
        let reply = b.get(0x7E)?;
        if reply.is_absent() {
            return Err(Stop::NotApplicable("the card has no discovery object".into()));
        }
        let data = reply.ok("GET DATA 7E")?;
        holds(find(&data, 0x7E).is_some(), "the answer is 7E, not 53")
    });
    s.must("absent-object", "An object that is not there: 6A82, or an empty 53", |b| {
        b.start()?;
        let reply = b.get(0x5FC120)?;
        holds(
            reply.is_absent() || (reply.sw == 0x9000 && matches!(reply.data[..], [0x53, _, 0x70, ..] | [0x53, 0x82, ..])),
            format!("GET DATA of an absent certificate: {:04X}", reply.sw),
        )
    });
    for (slug, data) in [
        ("undefined-tag", &hex!("5C035FC1FF")[..]),
        ("tag-of-another-standard", &hex!("5C035F2E01")[..]),
        ("one-byte-tag", &hex!("5C0153")[..]),
    ] {
        s.must(slug, "A tag that PIV does not define: 6A82", move |b| {
            b.start()?;
            b.send(&short([0x00, 0xCB, 0x3F, 0xFF], data, Some(0)))?.any_of(&[0x6A82, 0x6A80, 0x6A88], "GET DATA").map(drop)
        });
    }
    for (slug, data) in [
        ("no-tag-list", &hex!("53035FC102")[..]),
        ("empty-tag-list", &hex!("5C00")[..]),
        ("tag-list-too-long", &hex!("5C045FC10200")[..]),
        ("tag-list-cut", &hex!("5C035FC1")[..]),
        ("two-tag-lists", &hex!("5C035FC1025C035FC107")[..]),
        ("no-data", &hex!("")[..]),
    ] {
        s.must(slug, "A malformed request for an object is refused and gives no data", move |b| {
            b.start()?;
            b.send(&short([0x00, 0xCB, 0x3F, 0xFF], data, Some(0)))?.refused("GET DATA")
        });
    }
    for (slug, [p1, p2]) in [("p1-p2-of-a-file", [0x3F, 0x00]), ("p1-p2-zero", [0x00, 0x00]), ("p1-p2-of-2fe2", [0x2F, 0xE2])] {
        s.must(slug, "GET DATA outside 3FFF is refused", move |b| {
            b.start()?;
            b.send(&short([0x00, 0xCB, p1, p2], &hex!("5C035FC102"), Some(0)))?
                .any_of(&[0x6A86, 0x6A82, 0x6A81, 0x6A88], "GET DATA")
                .map(drop)
        });
    }
    s.must("chained-request", "GET DATA is not chained", |b| {
        b.start()?;
        b.send(&hex!("10CB3FFF055C035FC102"))?;
        let reply = b.send(&hex!("00CB3FFF055C035FC10700"))?;
        holds(reply.data.first() != Some(&0x7E), "a chained GET DATA does not mix two requests")
    });
    s.must("same-bytes-every-time", "An object that is read twice is the same", |b| {
        b.start()?;
        let (one, two) = (b.get(0x5FC102)?, b.get(0x5FC102)?);
        holds(one.sw == two.sw && one.data == two.data, "two readings differ")
    });
    s.must("short-le", "A short Le cuts nothing off: the rest is announced", |b| {
        written(b, 0x5FC105, &pattern(100))?;
        let reply = b.send(&hex!("00CB3FFF055C035FC10510"))?;
        let whole = b.rest(reply)?;
        holds(whole.sw == 0x9000 || whole.sw >> 8 == 0x6C, format!("GET DATA with Le 10: {:04X}", whole.sw))?;
        if whole.sw == 0x9000 {
            same(&whole.data, &encode(0x53, &pattern(100)), "the object")?;
        }
        Ok(())
    })
    .needs(&[Need::AdminKey])
    .changes();
}

fn put(book: &mut Book) {
    let known = [Need::Piv, Need::AdminKey];
    let mut s =
        book.section("piv/800-73-4-2/3.3.1", &format!("{PART2} section 3.3.1"), &known).at_least(Danger::ChangesKeys).writes([
            Place::Object(0x5FC105),
            Place::Object(0x5FC10A),
            Place::Object(0x5FC10B),
            Place::Object(0x7E),
            Place::Object(0x7F61),
        ]);
    s.must("needs-the-administration-key", "PUT DATA without the administrator key: 6982, and nothing is written", |b| {
        written(b, 0x5FC105, &[0x70, 0x01, 0xAA])?;
        b.start()?;
        b.put(0x5FC105, &[0x70, 0x01, 0xBB])?.is(0x6982, "PUT DATA")?;
        same(&b.get(0x5FC105)?.ok("GET DATA")?, &[0x53, 0x03, 0x70, 0x01, 0xAA], "the object")
    })
    .changes();
    s.must("the-pin-is-not-enough", "PUT DATA with the PIN only: 6982", |b| {
        b.start()?;
        b.verify()?;
        b.put(0x5FC105, &[0x70, 0x00])?.is(0x6982, "PUT DATA").map(drop)
    })
    .needs(&[Need::Pin]);
    s.must("shorter-value", "A shorter value leaves no tail of the longer one", |b| {
        written(b, 0x5FC105, &pattern(300))?;
        b.put(0x5FC105, &[0x70, 0x01, 0x05])?.ok("PUT DATA of a shorter value")?;
        same(&b.get(0x5FC105)?.ok("GET DATA")?, &[0x53, 0x03, 0x70, 0x01, 0x05], "the object")
    })
    .changes();
    s.must("empty-value", "An empty value empties the object", |b| {
        written(b, 0x5FC105, &[0x70, 0x01, 0x05])?;
        b.put(0x5FC105, &[])?.ok("PUT DATA of nothing")?;
        let reply = b.get(0x5FC105)?;
        holds(
            reply.sw == 0x6A82 || (reply.sw == 0x9000 && reply.data == [0x53, 0x00]),
            format!("the emptied object: {:04X}", reply.sw),
        )
    })
    .changes();
    s.must("wrong-response-ends-the-right-to-write", "After a wrong response PUT DATA is refused", |b| {
        b.start()?;
        b.admin()?;
        let challenge = b.challenge()?;
        let wrong = b.wrong_response(&challenge)?;
        b.respond(&wrong)?.refused("a wrong response")?;
        b.put(0x5FC105, &[0x70, 0x00])?.is(0x6982, "PUT DATA").map(drop)
    })
    .spends();
    for (slug, data) in [
        ("no-tag-list", &hex!("53037001AA")[..]),
        ("no-value", &hex!("5C035FC105")[..]),
        ("value-cut", &hex!("5C035FC10553107001AA")[..]),
        ("value-twice", &hex!("5C035FC10553007000")[..]),
        ("nothing", &hex!("")[..]),
    ] {
        s.must(slug, "A malformed PUT DATA is refused and writes nothing", move |b| {
            written(b, 0x5FC105, &[0x70, 0x01, 0xAA])?;
            b.send(&short([0x00, 0xDB, 0x3F, 0xFF], data, None))?.refused("PUT DATA")?;
            same(&b.get(0x5FC105)?.ok("GET DATA")?, &[0x53, 0x03, 0x70, 0x01, 0xAA], "the object")
        })
        .changes();
    }
    s.must("undefined-tag", "A tag that PIV does not define is not written", |b| {
        b.start()?;
        b.admin()?;
        b.put(0x5FC1FF, &[0x01])?.any_of(&[0x6A81, 0x6A82, 0x6A80], "PUT DATA").map(drop)
    })
    .writes(&[Place::Object(0x5FC1FF)])
    .needs(&[Need::PlainPiv]);
    s.must("p1-p2", "PUT DATA outside 3FFF is refused", |b| {
        b.start()?;
        b.admin()?;
        b.send(&hex!("00DB0000095C035FC1055302 7000"))?.any_of(&[0x6A86, 0x6A81, 0x6A82], "PUT DATA").map(drop)
    });
    s.must("too-large", "A value that the card cannot hold: 6A84 or 6700, and the old one stays", |b| {
        written(b, 0x5FC105, &[0x70, 0x01, 0xAA])?;
        b.put(0x5FC105, &pattern(60_000))?.any_of(&[0x6A84, 0x6700, 0x6A80], "PUT DATA of 60,000 bytes")?;
        same(&b.get(0x5FC105)?.ok("GET DATA")?, &[0x53, 0x03, 0x70, 0x01, 0xAA], "the object")
    })
    .changes();
    s.must("survives-a-reset", "What was written is there after a reset", |b| {
        written(b, 0x5FC10A, &[0x70, 0x01, 0x77])?;
        b.power_cycle()?;
        b.select()?.ok("SELECT")?;
        same(&b.get(0x5FC10A)?.ok("GET DATA")?, &[0x53, 0x03, 0x70, 0x01, 0x77], "the object")
    })
    .changes();
    s.must("objects-are-apart", "Writing one object changes no other", |b| {
        written(b, 0x5FC105, &[0x70, 0x01, 0x01])?;
        b.put(0x5FC10A, &[0x70, 0x01, 0x02])?.ok("PUT DATA")?;
        b.put(0x5FC10B, &[0x70, 0x01, 0x03])?.ok("PUT DATA")?;
        for (tag, value) in [(0x5FC105, 1), (0x5FC10A, 2), (0x5FC10B, 3)] {
            same(&b.get(tag)?.ok("GET DATA")?, &[0x53, 0x03, 0x70, 0x01, value], &format!("object {tag:X}"))?;
        }
        Ok(())
    })
    .changes();
    s.must("discovery-without-53", "The discovery object is written as 7E itself", |b| {
        b.start()?;
        b.admin()?;
        let discovery = hex!("7E124F0BA0000003080000100001005F2F024000");
        taken(b.send(&short([0x00, 0xDB, 0x3F, 0xFF], &discovery, None))?, 0x7E)?;
        same(&b.get(0x7E)?.ok("GET DATA 7E")?, &discovery, "the object")
    })
    .needs(&[Need::PlainPiv])
    .changes();
    s.must("biometric-group-without-53", "The biometric information templates group is written as 7F61 itself", |b| {
        b.start()?;
        b.admin()?;
        taken(b.send(&hex!("00DB3FFF067F6103020100"))?, 0x7F61)?;
        same(&b.get(0x7F61)?.ok("GET DATA 7F61")?, &[0x7F, 0x61, 0x03, 0x02, 0x01, 0x00], "the object")
    })
    .needs(&[Need::PlainPiv])
    .changes();
}
