//! Where SP 800-73 leaves it open, what YubiKeys do: which value is looked at first, what is told of objects that are
//! not there, how much there is room for.

use crate::bench::{Bench, Checked, holds, same};
use crate::book::Book;
use crate::place::Place;
use crate::test::{Danger, Need};
use cardlab_protocol::tlv::encode;

const ANY: Need = Need::YubiKey([0, 0, 0]);
/// What is read with the PIN only, and nothing else is.
const PROTECTED: [(&str, u32); 4] =
    [("fingerprints", 0x5F_C103), ("facial-image", 0x5F_C108), ("printed-information", 0x5F_C109), ("iris", 0x5F_C121)];
/// Longest object, and what of it a certificate may be.
const LONGEST: usize = 3063;
const CERTIFICATE: usize = 3052;
/// So many certificates of that length fit, and no more.
const FIT: u32 = 16;
/// The attestation key.
const ATTESTATION: u8 = 0xF9;
/// A PIN or PUK that is too short, whatever else a card minds.
const SHORT: &[u8] = b"84";

pub(super) fn fill(book: &mut Book) {
    objects(book);
    memory(book);
    order(book);
    attestation(book);
    refusals(book);
}

fn objects(book: &mut Book) {
    let mut s = book.section("yubikey/piv/get-data", "Yubico .NET SDK manual, GET and PUT DATA; yubikey-manager", &[ANY]);
    for (slug, tag) in PROTECTED {
        s.profile(
            &format!("{slug}-is-not-told-of"),
            "Without the PIN a protected object is refused, whether it is there or not: 6982",
            move |b| {
                b.start()?;
                b.get(tag)?.is(0x6982, "GET DATA without the PIN").map(drop)
            },
        );
    }
    s.profile("protected-and-absent", "With the PIN a protected object that is not there is told to be absent", |b| {
        b.start()?;
        b.verify()?;
        b.get(0x5F_C121)?.is(0x6A82, "GET DATA with the PIN").map(drop)
    })
    .needs(&[Need::Pin, Need::New]);
    s.profile("pairing-code-is-free", "Every other object is read without the PIN, also 5FC123", |b| {
        b.start()?;
        b.admin()?;
        b.put(0x5F_C123, &[0x99, 0x00])?.ok("PUT DATA 5FC123")?;
        b.start()?;
        same(&b.get(0x5F_C123)?.ok("GET DATA without the PIN")?, &[0x53, 0x02, 0x99, 0x00], "the object")
    })
    .needs(&[Need::AdminKey])
    .writes(&[Place::Object(0x5F_C123)])
    .changes();
}

/// A certificate object around `length` bytes.
fn certificate(length: usize) -> Vec<u8> {
    [encode(0x70, &vec![0x30; length]), vec![0x71, 0x01, 0x00, 0xFE, 0x00]].concat()
}

fn written(b: &mut Bench<'_>, tag: u32, value: &[u8]) -> Checked {
    b.start()?;
    b.admin()?;
    b.put(tag, value)?.ok("PUT DATA").map(drop)
}

fn memory(book: &mut Book) {
    let source = "Yubico .NET SDK manual, maximum certificate sizes";
    let mut s = book
        .section("yubikey/piv/put-data", source, &[ANY, Need::AdminKey])
        .at_least(Danger::ChangesKeys)
        .writes([Place::Object(0x5F_C105)]);
    s.profile("largest-object", "An object has 3,063 bytes at most; a longer one leaves the old one", |b| {
        let most = vec![0xA5; LONGEST];
        written(b, 0x5F_C105, &most)?;
        b.put(0x5F_C105, &vec![0x5A; LONGEST + 1])?.any_of(&[0x6A84, 0x6700], "PUT DATA of a longer one")?;
        same(&b.get(0x5F_C105)?.ok("GET DATA")?, &encode(0x53, &most), "the old object")
    });
    s.profile("largest-certificate", "A certificate of 3,052 bytes fits", |b| {
        let most = certificate(CERTIFICATE);
        written(b, 0x5F_C105, &most)?;
        same(&b.get(0x5F_C105)?.ok("GET DATA")?, &encode(0x53, &most), "the certificate")
    });
    s.profile("memory-ends", "Sixteen certificates of 3,052 bytes fit; one more is 6A84, and nothing is lost", |b| {
        let most = certificate(CERTIFICATE);
        for n in 0..FIT {
            written(b, 0x5F_C10D + n, &most)?;
        }
        b.put(0x5F_C10D + FIT, &most)?.is(0x6A84, "PUT DATA of the seventeenth")?;
        holds(b.get(0x5F_C10D + FIT)?.is_absent(), "the seventeenth is not there")?;
        for n in 0..FIT {
            same(&b.get(0x5F_C10D + n)?.ok("GET DATA")?, &encode(0x53, &most), "one of the sixteen")?;
        }
        written(b, 0x5F_C10D, &[])?;
        b.put(0x5F_C10D + FIT, &most)?.ok("PUT DATA once another is gone").map(drop)
    })
    .needs(&[Need::New])
    .writes(&(0..=FIT).map(|n| Place::Object(0x5F_C10D + n)).collect::<Vec<_>>());
}

fn order(book: &mut Book) {
    let source = "Yubico .NET SDK manual, CHANGE REFERENCE DATA and RESET RETRY COUNTER; yubikey-manager";
    let mut s = book.section("yubikey/piv/pin-order", source, &[ANY, Need::Pin]);
    s.profile("old-pin-first", "A wrong old PIN costs a try, also with a new one that is refused", |b| {
        b.start()?;
        let all = b.all_tries()?;
        let wrong = b.wrong_pin()?;
        b.change(&wrong, SHORT)?.left(all - 1, "CHANGE")
    })
    .spends();
    s.profile("refusal-changes-nothing", "The right old PIN with a new one that is refused costs and restores nothing", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.verify_wrong()?;
        let old = b.pin()?;
        b.change(&old, SHORT)?.is(0x6985, "CHANGE")?;
        b.query()?.left(all - 1, "VERIFY without data")
    })
    .spends();
    s.profile("puk-first", "A wrong PUK costs a try in both commands, also with a new value that is refused", |b| {
        b.start()?;
        let (right, wrong) = (b.puk()?, b.wrong_puk()?);
        b.unblock(&wrong, SHORT)?.left(2, "RESET RETRY COUNTER")?;
        b.unblock(&right, SHORT)?.is(0x6985, "RESET RETRY COUNTER with the right PUK")?;
        b.change_puk(&wrong, SHORT)?.left(1, "CHANGE of the PUK")
    })
    .needs(&[Need::Puk, Need::New])
    .changes();
    for common in ["abc123", "password", "123123", "22222222"] {
        s.profile(&format!("{common}-is-too-simple"), "With PIN complexity a well-known value is refused, and costs nothing", {
            move |b| {
                b.start()?;
                let old = b.pin()?;
                b.change(&old, common.as_bytes())?.is(0x6985, "CHANGE")?;
                b.start()?;
                b.verify()
            }
        })
        .with("pin-complexity", "on")
        .changes();
    }
    s.profile("simple-with-a-wrong-old-one", "With PIN complexity a wrong old PIN with a simple new one costs a try", |b| {
        b.start()?;
        let all = b.all_tries()?;
        let wrong = b.wrong_pin()?;
        b.change(&wrong, b"123456")?.left(all - 1, "CHANGE")
    })
    .with("pin-complexity", "on")
    .spends();
}

fn attestation(book: &mut Book) {
    let source = "Yubico PIV attestation; certificates of keys as sold";
    let mut s = book.section("yubikey/piv/attestation-certificate", source, &[Need::YubiKey([4, 3, 0])]);
    s.profile(
        "is-an-authority",
        "From firmware 5.3 on the attestation key's certificate has basicConstraints, before it has not",
        |b| {
            b.start()?;
            let object = b.get(0x5F_FF01)?.ok("GET DATA 5FFF01")?;
            // 2.5.29.19.
            let has = object.windows(5).any(|bytes| bytes == [0x06, 0x03, 0x55, 0x1D, 0x13]);
            let later = b.yubikey() >= Some([5, 3, 0]);
            holds(has == later, format!("basicConstraints: {has}"))
        },
    );
}

fn refusals(book: &mut Book) {
    let mut s = book.section("yubikey/piv/refusals", "Yubico .NET SDK manual, APDUs of the PIV application", &[ANY]);
    s.profile("nothing-to-fetch", "GET RESPONSE with nothing left to fetch: 6A80", |b| {
        b.start()?;
        b.send(&[0x00, 0xC0, 0x00, 0x00, 0x00])?.is(0x6A80, "GET RESPONSE").map(drop)
    });
    s.profile("p1-of-change", "CHANGE REFERENCE DATA with another P1 than 00: 6A88, and no try is spent", |b| {
        b.start()?;
        let all = b.all_tries()?;
        let wrong = b.framed(&b.wrong_pin()?);
        b.send(&[&[0x00, 0x24, 0x01, 0x80, 0x10], &wrong[..], &wrong[..]].concat())?.is(0x6A88, "CHANGE")?;
        b.query()?.left(all, "VERIFY without data")
    })
    .needs(&[Need::Pin])
    .spends();
    s.profile("attestation-key-signs-nothing", "The attestation key signs attestations and nothing else", |b| {
        b.start()?;
        b.verify()?;
        b.sign(0x11, ATTESTATION, &[0x5A; 32])?.refused("GENERAL AUTHENTICATE as P-256")?;
        b.sign(0x07, ATTESTATION, &[&[0x00][..], &[0x5A; 255]].concat())?.refused("GENERAL AUTHENTICATE as RSA-2048")
    })
    .needs(&[Need::Pin]);
}
