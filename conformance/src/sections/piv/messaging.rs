//! Key establishment and secure messaging, part 2 sections 4.1 to 4.3: with both cipher suites, with contacts and without.

use super::PART2;
use crate::bench::messaging::{PAIRING_CODE, read, reading, wrap};
use crate::bench::{Bench, Checked, Stop, holds, same};
use crate::book::{Book, Section};
use crate::keys::KeyKind;
use crate::place::Place;
use crate::test::{Danger, Need};
use cardlab_client::messaging::{signer, verify};
use cardlab_protocol::apdu::short;
use cardlab_protocol::channel::piv::Suite;
use cardlab_protocol::channel::piv::certificate::Signed;
use cardlab_protocol::tlv::{encode, find, find_path, objects, tag_list};

const CHUID: u32 = 0x5F_C102;
const SIGNER: u32 = 0x5F_C122;
const VERIFY_PIN: [u8; 3] = [0x20, 0x00, 0x80];
/// Where a wrapped GET DATA has what: header, Lc, `87 11 01` cryptogram, `97 01 00`, `8E 08` MAC, Le.
const TAG: usize = 5;
const INDICATOR: usize = 7;
const CRYPTOGRAM: usize = 8;
const MAC: usize = 29;

type Body = fn(&mut Bench<'_>) -> Checked;
/// Slug, title, body.
type Row = (&'static str, &'static str, Body);

pub(super) fn fill(book: &mut Book) {
    let places = [Place::Key(0x9C)];
    let mut s = section(book, "4.1", "key establishment", &places);
    everywhere(&mut s, &ESTABLISHMENT, None);
    s.must("p384-wants-cs7", "With a virtual contact interface a P-384 key in 9C stands beside CS7 alone", |b| {
        b.start()?;
        b.admin()?;
        let made = b.generate(0x9C, 0x14)?.sw == 0x9000;
        let suite = b.suite()?;
        holds(!made || suite == Suite::Cs7, "CS2 is named, and a P-384 key was made in 9C")
    })
    .with("sm", "cs2");
    let mut s = section(book, "4.2", "secure messaging", &[]);
    everywhere(&mut s, &MESSAGING, None);
    everywhere(&mut s, &LONG, Some((0x9E, KeyKind::Rsa2048)));
    s.must("without-secure-messaging", "A card without secure messaging refuses its class", |b| {
        b.start()?;
        b.send(&reading(&encode(0x8E, &[0; 8])))?.is(0x6882, "GET DATA of class 0C").map(drop)
    });
}

fn section<'b>(book: &'b mut Book, number: &str, what: &str, places: &[Place]) -> Section<'b> {
    let source = format!("{PART2} section {number}, {what}");
    let needs = [Need::PlainPiv, Need::New, Need::Pin];
    book.section(&format!("piv/800-73-4-2/{number}"), &source, &needs).at_least(Danger::ChangesKeys).writes(places.to_vec())
}

/// Each row as a test with each suite, with contacts and without.
fn everywhere(s: &mut Section<'_>, rows: &[Row], key: Option<(u8, KeyKind)>) {
    for (slug, title, body) in rows {
        for suite in Suite::ALL {
            for interface in ["contact", "contactless"] {
                let title = format!("{title} ({}, {interface})", suite.name());
                let test = s.must(&format!("{slug}-{}-{interface}", suite.name()), &title, *body);
                let test = test.with("sm", suite.name()).with("pairing", PAIRING_CODE).with("interface", interface);
                if let Some((slot, kind)) = key {
                    test.key(slot, kind);
                }
            }
        }
    }
}

const ESTABLISHMENT: [Row; 9] = [
    ("suite-is-named", "SELECT names one cipher suite, that of the card's key", |b| {
        b.start()?;
        let template = b.select()?.ok("SELECT")?;
        let lists = objects(find(&template, 0x61).unwrap_or_default()).filter(|object| object.tag == 0xAC);
        let ids = lists.flat_map(|list| objects(list.value)).filter(|object| object.tag == 0x80);
        let named = ids.filter(|id| matches!(id.value, [0x27 | 0x2E])).count();
        holds(named == 1, format!("{named} cipher suites are named"))
    }),
    ("proof", "The card proves that it has the key of its certificate", |b| {
        b.start()?;
        let suite = b.suite()?;
        let host = b.host(suite)?;
        let established = b.establish_as(&host, suite)?;
        let object = b.get(SIGNER)?.ok("GET DATA of the signer's certificate")?;
        let signer = signer(&object).map_err(|error| Stop::failed(error.to_string()))?;
        verify(&established.certificate, &signer).map_err(|error| Stop::failed(error.to_string()))
    }),
    ("certificate", "The certificate has the card's UUID, and its issuer is the signer's key", |b| {
        b.start()?;
        let suite = b.suite()?;
        let host = b.host(suite)?;
        let established = b.establish_as(&host, suite)?;
        let signed = Signed::parse(&established.certificate).ok_or_else(|| Stop::failed("the certificate is none"))?;
        let chuid = b.get(CHUID)?.ok("GET DATA of the CHUID")?;
        same(&signed.certificate.subject, find_path(&chuid, &[0x53, 0x34]).unwrap_or_default(), "5F20")?;
        let object = b.get(SIGNER)?.ok("GET DATA of the signer's certificate")?;
        let der = signer(&object).map_err(|error| Stop::failed(error.to_string()))?;
        // subjectKeyIdentifier: its OID, then OCTET STRING in OCTET STRING.
        let at = der.windows(5).position(|bytes| bytes == [0x06, 0x03, 0x55, 0x1D, 0x0E]);
        let value = at.and_then(|at| find(&der[at + 5..], 0x04)).and_then(|inner| find(inner, 0x04)).unwrap_or_default();
        holds(value.starts_with(&signed.certificate.issuer), "42 begins the key identifier of the signer's certificate")
    }),
    ("other-suite", "Another suite than the card's is refused", |b| {
        b.start()?;
        let suite = b.suite()?;
        let other = if suite == Suite::Cs2 { Suite::Cs7 } else { Suite::Cs2 };
        let request = request(b, suite)?;
        b.establish_with(other.id(), &request)?.is(0x6A86, "GENERAL AUTHENTICATE of another suite")?;
        b.has_no_session()
    }),
    (
        "control-byte",
        "A control byte that asks for what the card does not keep is refused, and one of the host's own counts",
        |b| {
            b.start()?;
            let suite = b.suite()?;
            for control in [0x10, 0x80] {
                let mut host = b.host(suite)?;
                host.control = control;
                let request = host.request(suite).map_err(|error| Stop::failed(error.to_string()))?;
                b.establish_with(suite.id(), &request)?.is(0x6A80, "GENERAL AUTHENTICATE with this CBh")?;
                b.has_no_session()?;
            }
            let mut host = b.host(suite)?;
            host.control = 0x0F;
            let mut session = b.establish_as(&host, suite)?.session;
            b.get_under(&mut session, CHUID)?.ok("GET DATA under the keys of CBh 0F").map(drop)
        },
    ),
    ("points", "A point that is none of the curve is refused, and opens nothing", |b| {
        b.start()?;
        let suite = b.suite()?;
        let good = request(b, suite)?;
        let challenge = find_path(&good, &[0x7C, 0x81]).unwrap_or_default();
        let (head, point) = challenge.split_at(9);
        let mut off = point.to_vec();
        off[20] ^= 1;
        for wrong in [&off[..], &[0x00], &point[..point.len() - 1], &[]] {
            let template = encode(0x7C, &[encode(0x81, &[head, wrong].concat()), encode(0x82, &[])].concat());
            b.establish_with(suite.id(), &template)?.is(0x6A80, "GENERAL AUTHENTICATE with a point that is none")?;
            b.has_no_session()?;
        }
        Ok(())
    }),
    ("fresh", "Every establishment has a new nonce", |b| {
        b.start()?;
        let suite = b.suite()?;
        let host = b.host(suite)?;
        let one = b.establish_as(&host, suite)?.nonce;
        let two = b.establish_as(&host, suite)?.nonce;
        holds(one.len() == suite.nonce() && one != two, "the same nonce twice")
    }),
    ("replaces", "A new session is the end of the one before", |b| {
        let mut old = b.secured()?;
        let suite = b.suite()?;
        let host = b.host(suite)?;
        b.establish_as(&host, suite)?;
        let apdu = read(&mut old, CHUID)?;
        b.ends(&apdu, &[0x6988], "a command of the session before")
    }),
    ("failed-establishment", "An establishment that fails opens nothing", |b| {
        b.secured()?;
        let suite = b.suite()?;
        b.establish_with(suite.id(), &[0x7C, 0x02, 0x82, 0x00])?.is(0x6A80, "GENERAL AUTHENTICATE without a challenge")?;
        b.has_no_session()
    }),
];

fn request(b: &mut Bench<'_>, suite: Suite) -> Checked<Vec<u8>> {
    b.host(suite)?.request(suite).map_err(|error| Stop::failed(error.to_string()))
}

/// A session, with the virtual contact interface where there are no contacts: the pairing code is given either way.
const MESSAGING: [Row; 19] = [
    ("no-session", "Without a session there are no keys", |b| {
        b.start()?;
        b.has_no_session()
    }),
    ("reads", "What is read is what is read in the clear", |b| {
        let mut session = b.secured()?;
        let plain = b.get(CHUID)?.ok("GET DATA in the clear")?;
        same(&b.get_under(&mut session, CHUID)?.ok("GET DATA")?, &plain, "the CHUID")
    }),
    ("wrong-mac", "A MAC of which a bit is wrong ends the session", |b| {
        for place in [MAC, MAC + 7] {
            let mut session = b.secured()?;
            let mut apdu = read(&mut session, CHUID)?;
            apdu[place] ^= 0x01;
            b.ends(&apdu, &[0x6988], "a wrong MAC")?;
        }
        Ok(())
    }),
    ("wrong-cryptogram", "A cryptogram of which a bit is wrong ends the session", |b| {
        let mut session = b.secured()?;
        let mut apdu = read(&mut session, CHUID)?;
        apdu[CRYPTOGRAM] ^= 0x80;
        b.ends(&apdu, &[0x6988], "another cryptogram")
    }),
    ("wrong-header", "The MAC covers the header", |b| {
        let mut session = b.secured()?;
        let field = wrap(&mut session, VERIFY_PIN, &[], false)?;
        b.ends(&short([0x0C, 0x20, 0xFF, 0x80], &field, Some(0)), &[0x6988], "another P1")
    }),
    ("no-mac", "A MAC that is missing ends the session", |b| {
        let mut session = b.secured()?;
        let field = wrap(&mut session, [0xCB, 0x3F, 0xFF], &tag_list(CHUID), true)?;
        b.ends(&reading(&field[..field.len() - 10]), &[0x6987], "no MAC")
    }),
    ("cut", "A command that was cut ends the session", |b| {
        for length in [4, 15, 25] {
            let mut session = b.secured()?;
            let field = wrap(&mut session, [0xCB, 0x3F, 0xFF], &tag_list(CHUID), true)?;
            b.ends(&reading(&field[..length]), &[0x6987, 0x6988], "a field that was cut")?;
        }
        Ok(())
    }),
    ("replay", "A command that was there already ends the session", |b| {
        let mut session = b.secured()?;
        let apdu = read(&mut session, CHUID)?;
        b.full(&apdu)?.ok("GET DATA")?;
        b.ends(&apdu, &[0x6988], "the same command again")
    }),
    ("order", "Commands of another order end the session", |b| {
        let mut session = b.secured()?;
        let _first = read(&mut session, CHUID)?;
        let second = read(&mut session, SIGNER)?;
        b.ends(&second, &[0x6988], "the second command first")
    }),
    ("padding-indicator", "Another padding indicator ends the session", |b| {
        let mut session = b.secured()?;
        let mut apdu = read(&mut session, CHUID)?;
        apdu[INDICATOR] = 0x02;
        b.ends(&apdu, &[0x6988], "padding indicator 02")
    }),
    ("padding", "Padding that is none, under a right MAC, ends the session", |b| {
        let mut plain = tag_list(CHUID);
        plain.resize(16, 0x00);
        for blocks in [&plain[..], &[0x00; 16], &[0x00; 15]] {
            let mut session = b.secured()?;
            let field = session.seal_blocks([0xCB, 0x3F, 0xFF], blocks, true).map_err(|e| Stop::failed(e.to_string()))?;
            b.ends(&reading(&field), &[0x6988], "no padding")?;
        }
        Ok(())
    }),
    ("objects", "Objects of other tags, or twice, end the session", |b| {
        let mut session = b.secured()?;
        let mut apdu = read(&mut session, CHUID)?;
        apdu[TAG] = 0x85;
        b.ends(&apdu, &[0x6988], "85 for 87")?;
        let mut session = b.secured()?;
        let field = wrap(&mut session, [0xCB, 0x3F, 0xFF], &tag_list(CHUID), true)?;
        b.ends(&reading(&[&field[..19], &field].concat()), &[0x6988], "87 twice")
    }),
    ("no-le", "GET DATA without 97 is refused, or answered all the same", |b| {
        let mut session = b.secured()?;
        let field = wrap(&mut session, [0xCB, 0x3F, 0xFF], &tag_list(CHUID), false)?;
        let reply = b.full(&reading(&field))?;
        match reply.sw {
            0x9000 => b.opened(&mut session, reply)?.ok("GET DATA").map(drop),
            _ => reply.is(0x6987, "GET DATA without 97").map(drop).and_then(|()| b.has_no_session()),
        }
    }),
    ("status-inside", "The tries and a wrong PIN are told inside, and the session lives", |b| {
        let mut session = b.paired()?;
        let before = b.wrapped(&mut session, VERIFY_PIN, &[], false)?.sw;
        holds(before & 0xFFF0 == 0x63C0, format!("VERIFY without data: expected 63Cx inside, got {before:04X}"))?;
        let wrong = b.wrong_pin()?;
        let wrong = b.framed(&wrong);
        b.wrapped(&mut session, VERIFY_PIN, &wrong, false)?.is(before - 1, "VERIFY with a wrong PIN")?;
        // No data were sent before the last one: the counter went up all the same.
        b.get_under(&mut session, CHUID)?.ok("GET DATA afterwards").map(drop)
    }),
    ("other-instructions", "Nothing that changes a card goes under secure messaging", |b| {
        for (header, data) in [
            ([0xDB, 0x3F, 0xFF], &[0x5C, 0x03, 0x5F, 0xC1, 0x02, 0x53, 0x00][..]),
            ([0x47, 0x00, 0x9A], &[0xAC, 0x03, 0x80, 0x01, 0x11]),
            ([0x2C, 0x00, 0x80], b"1234567812345678"),
        ] {
            let mut session = b.secured()?;
            let field = wrap(&mut session, header, data, false)?;
            let [ins, p1, p2] = header;
            let reply = b.send(&short([0x0C, ins, p1, p2], &field, Some(0)))?;
            if reply.sw == 0x9000 {
                b.opened(&mut session, reply)?.refused("a command that changes the card")?;
            } else {
                reply.refused("a command that changes the card")?;
            }
        }
        Ok(())
    }),
    ("plain-between", "A plain command in between does not end the session", |b| {
        let mut session = b.secured()?;
        b.get(CHUID)?.ok("GET DATA in the clear")?;
        b.get_under(&mut session, CHUID)?.ok("GET DATA afterwards").map(drop)
    }),
    ("reset", "A reset ends the session", |b| {
        let mut session = b.secured()?;
        b.start()?;
        let apdu = read(&mut session, CHUID)?;
        b.send(&apdu)?.is(0x6982, "a command of the session before the reset").map(drop)
    }),
    ("establishment-inside", "No session is established inside another", |b| {
        let mut session = b.secured()?;
        let suite = b.suite()?;
        let request = request(b, suite)?;
        b.wrapped(&mut session, [0x87, suite.id(), 0x04], &request, true)?.refused("GENERAL AUTHENTICATE with key 04, wrapped")
    }),
    ("mixed-chain", "A chain that begins wrapped and ends in the clear is not carried out", |b| {
        let mut session = b.secured()?;
        let template = encode(0x7C, &[&[0x82, 0x00], &encode(0x81, &[1; 300])[..]].concat());
        let field = wrap(&mut session, [0x87, 0x11, 0x9E], &template, true)?;
        b.send(&short([0x1C, 0x87, 0x11, 0x9E], &field[..200], None))?.ok("the first block")?;
        b.send(&short([0x00, 0x87, 0x11, 0x9E], &field[200..], Some(0)))?.refused("the last block, in the clear")
    }),
];

const LONG: [Row; 1] = [("long", "Long commands go as a chain, long responses are fetched in the clear", |b| {
    let mut session = b.secured()?;
    let key = b.public(0x9E)?;
    let data = b.sign_under(&mut session, KeyKind::Rsa2048.id(), 0x9E, &key.input())?.ok("GENERAL AUTHENTICATE")?;
    key.judge(find_path(&data, &[0x7C, 0x82]).unwrap_or_default())?;
    b.get_under(&mut session, CHUID)?.ok("GET DATA afterwards").map(drop)
})];
