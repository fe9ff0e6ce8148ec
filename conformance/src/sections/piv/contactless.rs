//! The contactless interface without a virtual contact interface, part 1 tables 2 and 5.

use super::PART1;
use super::objects::{OBJECTS, Read, every_object};
use crate::bench::holds;
use crate::book::Book;
use crate::keys::KeyKind;
use crate::test::{Danger, Need};
use cardlab_protocol::tlv::find_path;
use hex_literal::hex;

/// What may be read there.
const FREE: [u32; 3] = [0x5FC102, 0x5FC101, 0x5FC122];
const CLOSED: [u16; 4] = [0x6982, 0x6A81, 0x6A82, 0x6985];

pub(super) fn fill(book: &mut Book) {
    let source = format!("{PART1} tables 2 and 5, contactless without VCI");
    let mut s = book
        .section("piv/800-73-4-1/contactless", &source, &[Need::PlainPiv, Need::New])
        .at_least(Danger::ChangesKeys)
        .writes(every_object());
    for (slug, tag, read, _) in OBJECTS {
        let free = FREE.contains(&tag);
        let title = if free {
            format!("Object {tag:X} is read over the contactless interface")
        } else {
            format!("Object {tag:X} is not read over the contactless interface")
        };
        s.must(slug, &title, move |b| {
            b.start()?;
            let reply = b.get(tag)?;
            if free {
                return reply.any_of(&[0x9000, 0x6A82], "GET DATA").map(drop);
            }
            // Whether it is there must not show either, where the PIN protects it.
            let allowed: &[u16] = if read == Read::Pin { &[0x6982, 0x6A81, 0x6A82] } else { &CLOSED };
            reply.any_of(allowed, "GET DATA").map(drop)
        })
        .with("interface", "contactless");
    }
    s.must("discovery", "The discovery object is read over the contactless interface", |b| {
        b.start()?;
        b.get(0x7E)?.any_of(&[0x9000, 0x6A82], "GET DATA").map(drop)
    })
    .with("interface", "contactless");
    s.must("right-pin", "The right PIN is not taken", |b| {
        b.start()?;
        let pin = b.pin()?;
        b.verify_with(&pin)?.any_of(&CLOSED, "VERIFY")?;
        b.get(0x5FC109)?.refused("GET DATA of the printed information")
    })
    .with("interface", "contactless");
    s.must("wrong-pins-cost-nothing", "Wrong PINs cost no try: nobody locks a card through a pocket", |b| {
        b.start()?;
        for _ in 0..5 {
            b.verify_wrong()?.any_of(&CLOSED, "VERIFY")?;
        }
        let pin = b.pin()?;
        let sw = b.verify_with(&pin)?.sw;
        holds(sw != 0x6983, "the PIN is not blocked")
    })
    .with("interface", "contactless")
    .spends();
    s.must("change", "The PIN is not changed", |b| {
        b.start()?;
        let old = b.pin()?;
        b.change(&old, b"84629517")?.any_of(&CLOSED, "CHANGE").map(drop)
    })
    .with("interface", "contactless");
    s.must("change-puk", "The PUK is not changed", |b| {
        b.start()?;
        let old = b.puk()?;
        b.change_puk(&old, b"87651234")?.any_of(&CLOSED, "CHANGE").map(drop)
    })
    .with("interface", "contactless");
    s.must("unblock", "The PIN is not unblocked", |b| {
        b.start()?;
        let puk = b.puk()?;
        b.unblock(&puk, b"84629517")?.any_of(&CLOSED, "RESET RETRY COUNTER").map(drop)
    })
    .with("interface", "contactless");
    s.must("administration-key", "The administrator key is not used", |b| {
        b.start()?;
        b.admin_command(&[0x7C, 0x02, 0x81, 0x00])?.any_of(&[0x6982, 0x6A81, 0x6A86, 0x6985], "GENERAL AUTHENTICATE 9B").map(drop)
    })
    .with("interface", "contactless");
    for slot in [0x9Au8, 0x9C, 0x9D, 0x82] {
        s.must(&format!("key-{slot:02x}"), &format!("The key {slot:02X} is not used"), move |b| {
            b.start()?;
            let input = b.public(slot)?.input();
            b.sign(0x11, slot, &input)?.any_of(&[0x6982, 0x6A81, 0x6985], "GENERAL AUTHENTICATE").map(drop)
        })
        .with("interface", "contactless")
        .key(slot, KeyKind::P256);
    }
    s.must("key-9e", "The card authentication key 9E is used", |b| {
        b.start()?;
        let key = b.public(0x9E)?;
        let data = b.sign(0x11, 0x9E, &key.input())?.ok("GENERAL AUTHENTICATE")?;
        let made = find_path(&data, &[0x7C, 0x82]).unwrap_or_default();
        key.judge(made)
    })
    .with("interface", "contactless")
    .key(0x9E, KeyKind::P256);
    for (slug, command) in
        [("put-data", &hex!("00DB3FFF095C035FC10553027000")[..]), ("generate", &hex!("0047009A05AC0380011100")[..])]
    {
        s.must(slug, "The card is not written to", move |b| {
            b.start()?;
            b.send(command)?.any_of(&CLOSED, "a writing command").map(drop)
        })
        .with("interface", "contactless");
    }
}
