//! GENERAL AUTHENTICATE with the administrator key 9B, part 2 section 3.2.4 and appendix A.

use super::PART2;
use crate::bench::{Bench, Checked, Stop, holds};
use crate::book::Book;
use crate::place::Place;
use crate::sections::common;
use crate::test::{Danger, Need};
use cardlab_protocol::apdu::short;
use cardlab_protocol::tlv::{encode, find_path};
use hex_literal::hex;

/// PUT DATA shows whether the key is authenticated.
fn may_write(b: &mut Bench<'_>) -> Checked<bool> {
    Ok(b.put(0x5FC10B, &[0x70, 0x00])?.sw == 0x9000)
}

fn witness(b: &mut Bench<'_>) -> Checked<Vec<u8>> {
    let data = b.admin_command(&[0x7C, 0x02, 0x80, 0x00])?.ok("request for a witness")?;
    let witness = find_path(&data, &[0x7C, 0x80]).unwrap_or_default();
    holds(!witness.is_empty(), "the answer to a request for a witness must be 7C {80 witness}")?;
    Ok(witness.to_vec())
}

const KEYS: [(&str, &str, &str, usize); 4] = [
    ("3des", "3des", "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123", 8),
    ("aes128", "aes128", "000102030405060708090A0B0C0D0E0F", 16),
    ("aes192", "aes192", "000102030405060708090A0B0C0D0E0F1011121314151617", 16),
    ("aes256", "aes256", "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F", 16),
];

pub(super) fn fill(book: &mut Book) {
    external(book);
    mutual(book);
    algorithms(book);
    templates(book);
}

fn external(book: &mut Book) {
    let mut s = book
        .section("piv/800-73-4-2/a.1", &format!("{PART2} appendix A.1"), &[Need::Piv, Need::AdminKey])
        .at_least(Danger::ChangesKeys)
        .writes([Place::Object(0x5FC10B)]);
    common::administration(&mut s, may_write);
    s.must("no-challenge-no-response", "A response without a challenge is refused", |b| {
        b.start()?;
        let length = b.admin_key()?.cipher().block_len();
        let response = b.response(&vec![0; length])?;
        b.respond(&response)?.refused("a response to nothing")?;
        holds(!may_write(b)?, "PUT DATA is refused")
    })
    .spends();
    s.must("single-use", "A response is right once", |b| {
        b.start()?;
        let challenge = b.challenge()?;
        let response = b.response(&challenge)?;
        b.respond(&response)?.ok("the right response")?;
        b.respond(&response)?.refused("the same response again")
    })
    .spends();
    s.must("the-last-challenge-counts", "The response to the challenge before the last is wrong", |b| {
        b.start()?;
        let first = b.challenge()?;
        common::is_another(&first, &b.challenge()?)?;
        let response = b.response(&first)?;
        b.respond(&response)?.refused("the response to the first challenge")?;
        holds(!may_write(b)?, "PUT DATA is refused")
    })
    .spends();
    s.must("a-wrong-response-ends-the-challenge", "After a wrong response the right one comes too late", |b| {
        b.start()?;
        let challenge = b.challenge()?;
        let (wrong, right) = (b.wrong_response(&challenge)?, b.response(&challenge)?);
        b.respond(&wrong)?.refused("a wrong response")?;
        b.respond(&right)?.refused("the right response afterwards")
    })
    .spends();
    s.must("reset-ends-the-challenge", "A reset ends a pending challenge", |b| {
        b.start()?;
        let challenge = b.challenge()?;
        let response = b.response(&challenge)?;
        b.start()?;
        b.respond(&response)?.refused("the response after a reset")
    })
    .spends();
    s.must("empty-response", "An empty response is refused", |b| {
        b.start()?;
        b.challenge()?;
        b.admin_command(&[0x7C, 0x02, 0x82, 0x00])?.refused("an empty response")?;
        holds(!may_write(b)?, "PUT DATA is refused")
    })
    .spends();
}

fn mutual(book: &mut Book) {
    let mut s = book
        .section("piv/800-73-4-2/a.2", &format!("{PART2} appendix A.2"), &[Need::Piv, Need::AdminKey])
        .at_least(Danger::ChangesKeys)
        .writes([Place::Object(0x5FC10B)]);
    let answer = |b: &mut Bench<'_>, with_82: bool| -> Checked<(Vec<u8>, crate::bench::Reply)> {
        let encrypted = witness(b)?;
        let key = b.admin_key()?;
        let plain = key.decrypt(&encrypted).map_err(|e| Stop::failed(e.to_string()))?;
        let mine = vec![0x5A; plain.len()];
        let mut inside = [encode(0x80, &plain), encode(0x81, &mine)].concat();
        if with_82 {
            inside.extend([0x82, 0x00]);
        }
        let reply = b.admin_command(&encode(0x7C, &inside))?;
        let expected = key.respond(&mine).map_err(|e| Stop::Failed(e.to_string()))?;
        Ok((expected, reply))
    };
    s.must("witness-and-challenge", "Mutual authentication: the card proves that it has the key too", move |b| {
        b.start()?;
        let (expected, reply) = answer(b, true)?;
        let data = reply.ok("witness and challenge")?;
        let got = find_path(&data, &[0x7C, 0x82]).unwrap_or_default();
        crate::bench::same(got, &expected, "the card's response")?;
        holds(may_write(b)?, "PUT DATA is allowed")
    })
    .changes();
    s.should("without-an-empty-82", "Clients leave the empty 82 out", move |b| {
        b.start()?;
        let (expected, reply) = answer(b, false)?;
        let data = reply.ok("witness and challenge")?;
        let got = find_path(&data, &[0x7C, 0x82]).unwrap_or_default();
        crate::bench::same(got, &expected, "the card's response")
    });
    s.must("wrong-witness", "A wrong witness is refused, and the challenge is not encrypted", |b| {
        b.start()?;
        let length = witness(b)?.len();
        let inside = [encode(0x80, &vec![0; length]), encode(0x81, &vec![0x5A; length]), vec![0x82, 0x00]].concat();
        b.admin_command(&encode(0x7C, &inside))?.refused("a wrong witness")?;
        holds(!may_write(b)?, "PUT DATA is refused")
    })
    .spends();
    s.must("witness-is-no-challenge", "The encrypted witness sent back as a response does not authenticate", |b| {
        b.start()?;
        let encrypted = witness(b)?;
        b.respond(&encrypted)?.refused("the witness as a response")?;
        holds(!may_write(b)?, "PUT DATA is refused")
    })
    .spends();
    s.must("challenge-is-no-witness", "A challenge that was given out in the clear does not pass as a witness", |b| {
        b.start()?;
        let challenge = b.challenge()?;
        let inside = [encode(0x80, &challenge), encode(0x81, &vec![0x5A; challenge.len()]), vec![0x82, 0x00]].concat();
        b.admin_command(&encode(0x7C, &inside))?.refused("a challenge as a witness")?;
        holds(!may_write(b)?, "PUT DATA is refused")
    })
    .spends();
    s.must("witnesses-differ", "Witnesses differ from each other", |b| {
        b.start()?;
        let (one, two) = (witness(b)?, witness(b)?);
        holds(one != two, "a witness came twice")
    });
    s.must("witness-single-use", "A witness is right once", |b| {
        b.start()?;
        let encrypted = witness(b)?;
        let plain = b.admin_key()?.decrypt(&encrypted).map_err(|e| Stop::failed(e.to_string()))?;
        let inside = [encode(0x80, &plain), encode(0x81, &vec![0x5A; plain.len()]), vec![0x82, 0x00]].concat();
        b.admin_command(&encode(0x7C, &inside))?.ok("the right witness")?;
        b.admin_command(&encode(0x7C, &inside))?.refused("the same witness again")
    })
    .spends();
}

fn algorithms(book: &mut Book) {
    let mut s = book
        .section("piv/800-78-5/3.3", "SP 800-78-5 section 3.3, tables 6 and 9", &[Need::Piv, Need::AdminKey])
        .writes([Place::Object(0x5FC10B)]);
    for (slug, algorithm, key, block) in KEYS {
        s.must(&format!("{slug}-authenticates"), &format!("A {algorithm} key authenticates"), |b| {
            b.start()?;
            b.admin()?;
            holds(may_write(b)?, "PUT DATA is allowed")
        })
        .with("management-algorithm", algorithm)
        .with("management-key", key)
        .changes();
        s.must(&format!("{slug}-block"), &format!("The challenge of a {algorithm} key has {block} bytes"), move |b| {
            b.start()?;
            holds(b.challenge()?.len() == block, "the challenge's length")
        })
        .with("management-algorithm", algorithm)
        .with("management-key", key);
        s.must(
            &format!("{slug}-refuses-a-wrong-response"),
            &format!("A {algorithm} key refuses a response with one bit changed"),
            |b| {
                b.start()?;
                let challenge = b.challenge()?;
                let wrong = b.wrong_response(&challenge)?;
                b.respond(&wrong)?.refused("a wrong response")
            },
        )
        .with("management-algorithm", algorithm)
        .with("management-key", key)
        .spends();
    }
    for wrong in [0x03u8, 0x08, 0x0A, 0x0C, 0x07, 0x11, 0xFF] {
        s.must(
            &format!("algorithm-{wrong:02x}-is-not-the-keys"),
            &format!("Algorithm {wrong:02X} with a key of another algorithm is refused"),
            move |b| {
                b.start()?;
                if b.admin_algorithm()? == wrong {
                    return Ok(());
                }
                b.send(&short([0x00, 0x87, wrong, 0x9B], &[0x7C, 0x02, 0x81, 0x00], Some(0)))?
                    .any_of(&[0x6A86, 0x6A80, 0x6A81, 0x6A88], "another algorithm")
                    .map(drop)
            },
        );
    }
    s.must("algorithm-00-is-3des", "Algorithm 00 stands for 3DES too, or is refused", |b| {
        b.start()?;
        b.send(&short([0x00, 0x87, 0x00, 0x9B], &[0x7C, 0x02, 0x81, 0x00], Some(0)))?
            .any_of(&[0x9000, 0x6A86, 0x6A80], "algorithm 00")
            .map(drop)
    })
    .with("management-algorithm", "3des")
    .with("management-key", KEYS[0].2);
}

fn templates(book: &mut Book) {
    let mut s = book
        .section("piv/800-73-4-2/3.2.4-template", &format!("{PART2} section 3.2.4, table 7"), &[Need::Piv, Need::AdminKey])
        .at_least(Danger::ChangesKeys)
        .writes([Place::Object(0x5FC10B)]);
    for (slug, template) in [
        ("empty", &hex!("7C00")[..]),
        ("no-template", &hex!("8100")[..]),
        ("length-too-long", &hex!("7C088100")[..]),
        ("length-too-short", &hex!("7C018100")[..]),
        ("unknown-tag", &hex!("7C028900")[..]),
        ("trailing-bytes", &hex!("7C02810000")[..]),
        ("other-template", &hex!("7D028100")[..]),
        ("indefinite-length", &hex!("7C8081000000")[..]),
        ("length-of-four-bytes", &hex!("7C84000000028100")[..]),
    ] {
        s.must(slug, "A malformed template is refused, and opens nothing", move |b| {
            b.start()?;
            b.admin_command(template)?.refused("GENERAL AUTHENTICATE")?;
            holds(!may_write(b)?, "PUT DATA is refused")
        });
    }
    s.must("no-data", "GENERAL AUTHENTICATE without data is refused", |b| {
        b.start()?;
        let algorithm = b.admin_algorithm()?;
        b.send(&[0x00, 0x87, algorithm, 0x9B])?.refused("GENERAL AUTHENTICATE without data")
    });
    s.must("unknown-reference", "A key reference that PIV does not have: 6A86 or 6A88", |b| {
        b.start()?;
        b.send(&hex!("00870399047C02810000"))?.any_of(&[0x6A86, 0x6A88, 0x6A80, 0x6A81], "reference 99").map(drop)
    });
}
