//! The virtual contact interface and the pairing code, part 1 section 5.5 and tables 2 and 5, part 2 section 3.2.1.

use super::{PART1, PART2};
use crate::bench::messaging::PAIRING_CODE;
use crate::bench::{Bench, Checked, holds};
use crate::book::Book;
use crate::keys::KeyKind;
use crate::place::Place;
use crate::test::{Danger, Need};
use cardlab_protocol::channel::piv::Suite;
use cardlab_protocol::tlv::find_path;
use cardlab_sim::conditions::Interface;

/// Everybody reads it with contacts, and over the virtual contact interface.
const CCC: u32 = 0x5F_C107;
/// It is read with the PIN besides.
const CODE: u32 = 0x5F_C123;
const DISCOVERY: u32 = 0x7E;
const VERIFY_CODE: [u8; 3] = [0x20, 0x00, 0x98];
const VERIFY_PIN: [u8; 3] = [0x20, 0x00, 0x80];
const P256: u8 = 0x11;

type Body = fn(&mut Bench<'_>) -> Checked;

pub(super) fn fill(book: &mut Book) {
    let source = format!("{PART1} section 5.5 and tables 2 and 5, {PART2} section 3.2.1: virtual contact interface");
    let needs = [Need::PlainPiv, Need::New, Need::Pin, Need::Puk];
    let mut s =
        book.section("piv/800-73-4-1/5.5", &source, &needs).at_least(Danger::ChangesKeys).writes([Place::Object(DISCOVERY)]);
    for suite in Suite::ALL {
        for (slug, title, body) in ROWS {
            s.must(&format!("{slug}-{}", suite.name()), &format!("{title} ({})", suite.name()), body)
                .with("sm", suite.name())
                .with("pairing", PAIRING_CODE)
                .with("interface", "contactless")
                .key(0x9A, KeyKind::P256)
                .key(0x9C, KeyKind::P256);
        }
        s.must(&format!("no-code-{}", suite.name()), "Where the Discovery Object wants no code, none is needed", |b| {
            let mut session = b.secured()?;
            b.get_under(&mut session, CCC)?.ok("GET DATA of the CCC")?;
            b.wrapped(&mut session, VERIFY_PIN, &[], false).and_then(|reply| {
                holds(reply.sw & 0xFFF0 == 0x63C0, format!("VERIFY without data: expected 63Cx, got {:04X}", reply.sw))
            })
        })
        .with("sm", suite.name())
        .with("pairing", "none")
        .with("interface", "contactless");
    }
}

const ROWS: [(&str, &str, Body); 15] = [
    ("right-code", "The right pairing code opens the virtual contact interface", |b| {
        let mut session = b.paired()?;
        b.get_under(&mut session, CCC)?.ok("GET DATA of the CCC").map(drop)
    }),
    ("without-code", "Without the pairing code secure messaging alone opens nothing", |b| {
        let mut session = b.secured()?;
        b.get_under(&mut session, CCC)?.is(0x6982, "GET DATA of the CCC").map(drop)
    }),
    ("wrong-code", "A wrong pairing code says so, costs nothing, and closes what the right one opened", |b| {
        let mut session = b.paired()?;
        for _ in 0..12 {
            b.wrapped(&mut session, VERIFY_CODE, b"00000000", false)?.is(0x6300, "VERIFY with a wrong code")?;
        }
        b.get_under(&mut session, CCC)?.is(0x6982, "GET DATA of the CCC")?;
        b.wrapped(&mut session, VERIFY_CODE, PAIRING_CODE.as_bytes(), false)?.ok("VERIFY with the right code").map(drop)
    }),
    ("code-in-the-clear", "The pairing code is not taken in the clear", |b| {
        b.start()?;
        b.verify_raw(0x98, PAIRING_CODE.as_bytes())?.refused("VERIFY with the right code, in the clear")
    }),
    ("pin-before-code", "Before the pairing code the PIN is not taken, and costs nothing", |b| {
        let mut session = b.secured()?;
        let wrong = b.wrong_pin()?;
        let wrong = b.framed(&wrong);
        for _ in 0..4 {
            b.wrapped(&mut session, VERIFY_PIN, &wrong, false)?.refused("VERIFY with a wrong PIN")?;
        }
        let mut session = b.paired()?;
        verified(b, &mut session)
    }),
    ("kept-tries", "Tries are left to the contacts: nobody in the field locks the card", |b| {
        let mut session = b.paired()?;
        let wrong = b.wrong_pin()?;
        let wrong = b.framed(&wrong);
        let mut left = 255;
        for _ in 0..20 {
            match b.wrapped(&mut session, VERIFY_PIN, &wrong, false)?.sw {
                0x6983 => break,
                sw => left = sw & 0x0F,
            }
        }
        let told = b.wrapped(&mut session, VERIFY_PIN, &[], false)?.sw;
        holds(left > 0 && told != 0x63C0 && told != 0x6983, format!("after 6983 the card tells {told:04X} tries"))
    }),
    ("key-in-the-clear", "A key is not used in the clear, whatever was opened under secure messaging", |b| {
        let mut session = b.paired()?;
        verified(b, &mut session)?;
        let input = b.public(0x9A)?.input();
        b.sign(P256, 0x9A, &input)?.refused("GENERAL AUTHENTICATE in the clear")?;
        b.get(CCC)?.refused("GET DATA of the CCC in the clear")
    }),
    ("key", "A key is used over the virtual contact interface after the PIN", |b| {
        let mut session = b.paired()?;
        let key = b.public(0x9A)?;
        b.sign_under(&mut session, P256, 0x9A, &key.input())?.is(0x6982, "GENERAL AUTHENTICATE before the PIN")?;
        verified(b, &mut session)?;
        let data = b.sign_under(&mut session, P256, 0x9A, &key.input())?.ok("GENERAL AUTHENTICATE")?;
        key.judge(find_path(&data, &[0x7C, 0x82]).unwrap_or_default())
    }),
    ("signature-key", "The signature key wants the PIN each time", |b| {
        let mut session = b.paired()?;
        verified(b, &mut session)?;
        let input = b.public(0x9C)?.input();
        b.sign_under(&mut session, P256, 0x9C, &input)?.ok("the first signature")?;
        b.sign_under(&mut session, P256, 0x9C, &input)?.is(0x6982, "the second signature").map(drop)
    }),
    ("change", "The PIN is changed over the virtual contact interface", |b| {
        let mut session = b.paired()?;
        let (old, new) = (b.pin()?, b.other_pin());
        let data = [&b.framed(&old)[..], &b.framed(new)].concat();
        b.wrapped(&mut session, [0x24, 0x00, 0x80], &data, false)?.ok("CHANGE REFERENCE DATA")?;
        let framed = b.framed(new);
        b.wrapped(&mut session, VERIFY_PIN, &framed, false)?.ok("VERIFY with the new PIN").map(drop)
    }),
    ("change-puk", "The PUK is not changed there", |b| {
        let mut session = b.paired()?;
        let old = b.puk()?;
        let data = [&b.framed(&old)[..], b"87651234"].concat();
        b.wrapped(&mut session, [0x24, 0x00, 0x81], &data, false)?
            .any_of(&[0x6982, 0x6A81, 0x6A88], "CHANGE of the PUK")
            .map(drop)
    }),
    ("pin-object", "What wants the PIN wants it there too", |b| {
        let mut session = b.paired()?;
        b.get_under(&mut session, CODE)?.is(0x6982, "GET DATA of the pairing code before the PIN")?;
        verified(b, &mut session)?;
        let data = b.get_under(&mut session, CODE)?.ok("GET DATA of the pairing code")?;
        holds(find_path(&data, &[0x53, 0x99]) == Some(PAIRING_CODE.as_bytes()), "53 {99 the code, FE}")
    }),
    ("administrator-key", "The administrator key is never used there", |b| {
        let mut session = b.paired()?;
        let algorithm = b.admin_algorithm()?;
        b.wrapped(&mut session, [0x87, algorithm, 0x9B], &[0x7C, 0x02, 0x81, 0x00], true)?.refused("a challenge")
    }),
    ("forget", "VERIFY with P1=FF closes it, and the session lives", |b| {
        let mut session = b.paired()?;
        b.wrapped(&mut session, [0x20, 0xFF, 0x98], &[], false)?.ok("VERIFY with P1=FF")?;
        b.get_under(&mut session, CCC)?.is(0x6982, "GET DATA of the CCC")?;
        b.get_under(&mut session, DISCOVERY)?.ok("GET DATA of the Discovery Object").map(drop)
    }),
    ("no-discovery", "Without the Discovery Object there is none", |b| {
        b.start()?;
        b.reach(Interface::Contact)?;
        b.admin()?;
        b.long([0x00, 0xDB, 0x3F, 0xFF], &[0x7E, 0x00])?.ok("PUT DATA of an empty Discovery Object")?;
        b.reach(Interface::Contactless)?;
        let mut session = b.secured()?;
        b.wrapped(&mut session, VERIFY_CODE, PAIRING_CODE.as_bytes(), false)?.refused("VERIFY of the pairing code")?;
        b.get_under(&mut session, CCC)?.is(0x6982, "GET DATA of the CCC").map(drop)
    }),
];

fn verified(b: &mut Bench<'_>, session: &mut cardlab_protocol::channel::piv::Session) -> Checked {
    let pin = b.pin()?;
    let pin = b.framed(&pin);
    b.wrapped(session, VERIFY_PIN, &pin, false)?.ok("VERIFY with the right PIN").map(drop)
}
