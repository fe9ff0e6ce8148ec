//! Command chaining, part 2 section 2.4 and appendix A.3, ISO/IEC 7816-4 section 5.3.3.

use super::PART2;
use crate::bench::{Bench, Checked, holds, same};
use crate::book::Book;
use crate::keys::KeyKind;
use crate::place::Place;
use crate::test::Need;
use cardlab_protocol::apdu::short;
use cardlab_protocol::tlv::{encode, find_path};

fn halves(b: &Bench<'_>) -> Checked<(Vec<u8>, Vec<u8>)> {
    let input = b.public(0x9A)?.input();
    let template = encode(0x7C, &[&[0x82, 0x00], &encode(0x81, &input)[..]].concat());
    let (first, last) = template.split_at(200);
    Ok((short([0x10, 0x87, 0x07, 0x9A], first, None), short([0x00, 0x87, 0x07, 0x9A], last, Some(0))))
}

fn last_block_signs(b: &mut Bench<'_>, last: &[u8]) -> Checked {
    let data = b.full(last)?.ok("the last block")?;
    let made = find_path(&data, &[0x7C, 0x82]).unwrap_or_default();
    b.public(0x9A)?.judge(made)
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 253) as u8).collect()
}

pub(super) fn fill(book: &mut Book) {
    let rsa = |test: &mut crate::test::Test| {
        test.key(0x9A, KeyKind::Rsa2048);
    };
    let mut s = book.section(
        "piv/800-73-4-2/a.3",
        &format!("{PART2} appendix A.3, ISO/IEC 7816-4:2020 section 5.3.3"),
        &[Need::Piv, Need::Pin],
    );
    rsa(s.must("first-block", "The first block of a chain is accepted with 9000 and no data", |b| {
        b.start()?;
        b.verify()?;
        let (first, _) = halves(b)?;
        let data = b.send(&first)?.ok("the first block")?;
        holds(data.is_empty(), "no data")
    }));
    rsa(s.must("whole-chain", "A chain is one command", |b| {
        b.start()?;
        b.verify()?;
        let (first, last) = halves(b)?;
        b.send(&first)?.ok("the first block")?;
        last_block_signs(b, &last)
    }));
    rsa(s.must("le-on-every-block", "Blocks may carry Le, as Yubico's tools send it", |b| {
        b.start()?;
        b.verify()?;
        let (mut first, last) = halves(b)?;
        first.push(0x00);
        b.send(&first)?.ok("the first block with Le")?;
        last_block_signs(b, &last)
    }));
    rsa(s.must("another-command-works", "A command in the middle of a chain works", |b| {
        b.start()?;
        b.verify()?;
        let (first, _) = halves(b)?;
        b.send(&first)?.ok("the first block")?;
        b.is_verified("in the middle of a chain")
    }));
    rsa(s.must("another-command-ends-the-chain", "After another command the last block stands alone, and is refused", |b| {
        b.start()?;
        b.verify()?;
        let (first, last) = halves(b)?;
        b.send(&first)?.ok("the first block")?;
        b.query()?;
        b.send(&last)?.refused("the last block alone")
    }));
    rsa(s.must("a-fresh-chain-works", "After a chain that was cut off a new one works", |b| {
        b.start()?;
        b.verify()?;
        let (first, last) = halves(b)?;
        b.send(&first)?.ok("the first block")?;
        b.query()?;
        b.send(&first)?.ok("the first block again")?;
        last_block_signs(b, &last)
    }));
    s.must("another-key-does-not-join", "A last block for another key does not join", |b| {
        b.start()?;
        b.verify()?;
        let (first, mut last) = halves(b)?;
        b.send(&first)?.ok("the first block")?;
        last[3] = 0x9D;
        b.send(&last)?.refused("the last block for 9D")
    })
    .key(0x9A, KeyKind::Rsa2048)
    .key(0x9D, KeyKind::Rsa2048);
    rsa(s.must("another-algorithm-does-not-join", "A last block under another algorithm does not join", |b| {
        b.start()?;
        b.verify()?;
        let (first, mut last) = halves(b)?;
        b.send(&first)?.ok("the first block")?;
        last[2] = 0x05;
        b.send(&last)?.refused("the last block under another algorithm")
    }));
    rsa(s.must("selection-ends-the-chain", "SELECT ends a chain", |b| {
        b.start()?;
        b.verify()?;
        let (first, last) = halves(b)?;
        b.send(&first)?.ok("the first block")?;
        b.select()?.ok("SELECT")?;
        b.send(&last)?.refused("the last block after SELECT")
    }));
    rsa(s.must("reset-ends-the-chain", "A reset ends a chain", |b| {
        b.start()?;
        let (first, last) = halves(b)?;
        b.send(&first)?.ok("the first block")?;
        b.start()?;
        b.verify()?;
        b.send(&last)?.refused("the last block after a reset")
    }));
    s.must("chained-signature-of-9c", "A chained signature with 9C is one command after the PIN", |b| {
        b.start()?;
        b.verify()?;
        let input = b.public(0x9C)?.input();
        let data = b.sign(0x07, 0x9C, &input)?.ok("a chained GENERAL AUTHENTICATE")?;
        let made = find_path(&data, &[0x7C, 0x82]).unwrap_or_default();
        b.public(0x9C)?.judge(made)
    })
    .key(0x9C, KeyKind::Rsa2048);
    s.must("too-much", "More than the card buffers is refused, and a new command works", |b| {
        b.start()?;
        b.verify()?;
        let mut sw = 0x9000;
        for _ in 0..400 {
            sw = b.send(&short([0x10, 0x87, 0x07, 0x9A], &[0x55; 255], None))?.sw;
            if sw != 0x9000 {
                break;
            }
        }
        holds(sw != 0x9000, "100,000 bytes in one chain are too many")?;
        b.is_verified("afterwards")
    });

    let mut s = book
        .section("piv/800-73-4-2/3.3.1-chained", &format!("{PART2} section 3.3.1, chained"), &[Need::Piv, Need::AdminKey])
        .writes([Place::Object(0x5FC105)]);
    for length in [256usize, 500, 1000, 1800] {
        s.must(
            &format!("object-of-{length}-bytes"),
            &format!("An object of {length} bytes is written in blocks and read in parts"),
            move |b| {
                b.start()?;
                b.admin()?;
                b.put(0x5FC105, &pattern(length))?.ok("PUT DATA")?;
                same(&b.get(0x5FC105)?.ok("GET DATA")?, &encode(0x53, &pattern(length)), "the object")
            },
        )
        .changes();
    }
    s.must("cut-off-writing-keeps-the-old-value", "A chain that is cut off leaves the old value", |b| {
        b.start()?;
        b.admin()?;
        b.put(0x5FC105, &pattern(300))?.ok("PUT DATA")?;
        let data = [&[0x5C, 0x03, 0x5F, 0xC1, 0x05], &encode(0x53, &[0xEE; 400])[..]].concat();
        b.send(&short([0x10, 0xDB, 0x3F, 0xFF], &data[..255], None))?.ok("the first block")?;
        let mut reply = b.get(0x5FC105)?;
        // A card may say once that it waits for the last command of the chain (ISO/IEC 7816-4 section 5.6, 6883).
        if reply.sw == 0x6883 {
            reply = b.get(0x5FC105)?;
        }
        same(&reply.ok("GET DATA")?, &encode(0x53, &pattern(300)), "the object")
    })
    .changes();
    s.must("needs-the-administration-key", "A chained PUT DATA without the administrator key writes nothing", |b| {
        b.start()?;
        b.admin()?;
        b.put(0x5FC105, &pattern(300))?.ok("PUT DATA")?;
        b.start()?;
        b.put(0x5FC105, &[0xEE; 300])?.is(0x6982, "PUT DATA")?;
        same(&b.get(0x5FC105)?.ok("GET DATA")?, &encode(0x53, &pattern(300)), "the object")
    })
    .changes();
}
