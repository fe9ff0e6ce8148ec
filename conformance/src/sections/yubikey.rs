//! What Yubico's documentation adds to PIV.

use crate::bench::{Bench, Checked, Reply, Stop, holds, same};
use crate::book::Book;
use crate::keys::KeyKind;
use crate::oracle::{self, PublicKey};
use crate::place::Place;
use crate::test::{Danger, Need};
use cardlab_protocol::apdu::short;
use cardlab_protocol::tlv::{encode, find, find_path};
use hex_literal::hex;
use x509_cert::der::Decode as _;

const ANY: Need = Need::YubiKey([0, 0, 0]);
const METADATA: Need = Need::YubiKey([5, 3, 0]);
const V57: Need = Need::YubiKey([5, 7, 0]);

fn metadata(b: &mut Bench<'_>, of: u8) -> Checked<Vec<u8>> {
    b.full(&[0x00, 0xF7, 0x00, of, 0x00])?.ok("GET METADATA")
}

fn imported(b: &mut Bench<'_>, slot: u8, kind: KeyKind, extra: &[u8]) -> Checked<PublicKey> {
    b.start()?;
    b.admin()?;
    b.import(slot, kind, extra)?.ok("IMPORT KEY")?;
    oracle::public_of(kind)
}

fn signs(b: &mut Bench<'_>, slot: u8, kind: KeyKind, key: &PublicKey) -> Checked {
    let data = b.sign(kind.id(), slot, &key.input())?.ok("GENERAL AUTHENTICATE")?;
    key.judge(find_path(&data, &[0x7C, 0x82]).unwrap_or_default())
}

pub(super) fn fill(book: &mut Book) {
    identity(book);
    configuration(book);
    policies(book);
    management_key(book);
    attestation(book);
    moving(book);
    resetting(book);
}

fn identity(book: &mut Book) {
    let mut s = book.section("yubikey/piv/get-version", "Yubico PIV extensions, GET VERSION and GET SERIAL", &[ANY]);
    s.profile("version", "GET VERSION gives three bytes, the same each time", |b| {
        b.start()?;
        let (one, two) = (b.send(&hex!("00FD000000"))?.ok("GET VERSION")?, b.send(&hex!("00FD000000"))?.ok("GET VERSION")?);
        holds(one.len() == 3 && one == two, hex::encode_upper(one))
    });
    s.profile("version-is-as-recognised", "GET VERSION says what the recognition found", |b| {
        b.start()?;
        let version = b.send(&hex!("00FD000000"))?.ok("GET VERSION")?;
        same(&version, &b.yubikey().unwrap_or_default(), "the version")
    });
    s.profile("serial", "GET SERIAL gives four bytes, the same each time", |b| {
        b.start()?;
        let (one, two) = (b.send(&hex!("00F8000000"))?.ok("GET SERIAL")?, b.send(&hex!("00F8000000"))?.ok("GET SERIAL")?);
        holds(one.len() == 4 && one == two, hex::encode_upper(one))
    })
    .needs(&[Need::YubiKey([5, 0, 0])]);
    s.profile("no-metadata-before-5.3", "GET METADATA is unknown before firmware 5.3", |b| {
        if b.yubikey() >= Some([5, 3, 0]) {
            return Err(Stop::NotApplicable("the firmware has it".into()));
        }
        b.start()?;
        b.send(&hex!("00F7008000"))?.is(0x6D00, "GET METADATA").map(drop)
    });
    s.profile("management-application", "The management application says its version and capabilities", |b| {
        b.reset()?;
        let text = b.send(&SELECT_MANAGEMENT)?.ok("SELECT of the management application")?;
        holds(text.iter().any(u8::is_ascii_digit), "a version text")?;
        let config = b.send(&hex!("001D000000"))?.ok("READ CONFIG")?;
        holds(config.first().is_some_and(|n| usize::from(*n) + 1 == config.len()), "a length, then that many bytes")
    });

    let mut s = book
        .section("yubikey/piv/get-metadata", "Yubico PIV extensions, GET METADATA", &[METADATA])
        .writes([Place::Key(0x9A), Place::Key(0x9C)]);
    for (slug, of) in [("pin", 0x80u8), ("puk", 0x81)] {
        s.profile(&format!("{slug}-of-a-new-key"), "Metadata of a new reference: default value, all tries", move |b| {
            b.start()?;
            let data = metadata(b, of)?;
            same(find(&data, 0x01).unwrap_or_default(), &[0xFF], "01")
                .or_else(|_| same(find(&data, 0x01).unwrap_or_default(), &[0x01], "01"))?;
            same(find(&data, 0x05).unwrap_or_default(), &[0x01], "05, default value")?;
            same(find(&data, 0x06).unwrap_or_default(), &[0x03, 0x03], "06, tries")
        })
        .needs(&[Need::New]);
    }
    s.profile("tries-count", "Metadata tells the tries of the PIN, and costs none", |b| {
        b.start()?;
        b.verify()?;
        b.verify_wrong()?;
        let data = metadata(b, 0x80)?;
        let tries = find(&data, 0x06).unwrap_or_default();
        holds(tries.len() == 2 && tries[1] + 1 == tries[0], hex::encode_upper(tries))?;
        b.query()?.left(tries[1], "VERIFY without data")
    })
    .needs(&[Need::Pin])
    .spends();
    s.profile("changed-pin-is-not-default", "After a change the PIN is no longer the default", |b| {
        b.start()?;
        let old = b.pin()?;
        b.change(&old, b"84629517")?.ok("CHANGE")?;
        same(find(&metadata(b, 0x80)?, 0x05).unwrap_or_default(), &[0x00], "05, default value")
    })
    .needs(&[Need::Pin])
    .changes();
    s.profile("management-key", "Metadata of 9B tells its algorithm", |b| {
        b.start()?;
        let algorithm = b.admin_algorithm()?;
        same(find(&metadata(b, 0x9B)?, 0x01).unwrap_or_default(), &[algorithm], "01, algorithm")
    })
    .needs(&[Need::AdminKey]);
    s.profile("empty-slot", "Metadata of an empty slot: an error", |b| {
        b.start()?;
        b.send(&hex!("00F7009A00"))?.refused("GET METADATA")
    })
    .needs(&[Need::New]);
    s.profile("generated-key", "Metadata of a key that was made: origin 01 and its public key", |b| {
        b.start()?;
        b.admin()?;
        let made = b.generate(0x9A, 0x11)?.ok("GENERATE")?;
        let point = find_path(&made, &[0x7F49, 0x86]).unwrap_or_default();
        let data = metadata(b, 0x9A)?;
        same(find(&data, 0x01).unwrap_or_default(), &[0x11], "01, algorithm")?;
        same(find(&data, 0x03).unwrap_or_default(), &[0x01], "03, origin")?;
        same(find_path(&data, &[0x04, 0x86]).unwrap_or_default(), point, "04, public key")
    })
    .needs(&[Need::AdminKey])
    .changes();
    s.profile("imported-key", "Metadata of an imported key: origin 02", |b| {
        imported(b, 0x9C, KeyKind::P256, &[])?;
        let data = metadata(b, 0x9C)?;
        same(find(&data, 0x03).unwrap_or_default(), &[0x02], "03, origin")?;
        same(&find(&data, 0x02).unwrap_or_default()[..1], &[0x03], "02, PIN policy of 9C")
    })
    .needs(&[Need::AdminKey])
    .changes();
}

const SELECT_MANAGEMENT: [u8; 14] = hex!("00A4040008A00000052747111700");

/// The tags of READ CONFIG.
fn device(b: &mut Bench<'_>) -> Checked<Vec<u8>> {
    b.send(&SELECT_MANAGEMENT)?.ok("SELECT of the management application")?;
    let tags = b.send(&hex!("001D000000"))?.ok("READ CONFIG")?;
    Ok(tags.get(1..).unwrap_or_default().to_vec())
}

/// The answer to WRITE CONFIG of these tags.
fn configure(b: &mut Bench<'_>, tags: &[u8]) -> Checked<Reply> {
    b.send(&SELECT_MANAGEMENT)?.ok("SELECT of the management application")?;
    let data = [&[tags.len() as u8], tags].concat();
    b.send(&short([0x00, 0x1C, 0x00, 0x00], &data, None))
}

fn configuration(book: &mut Book) {
    const CODE: [u8; 18] = hex!("0A100102030405060708090A0B0C0D0E0F10");
    const NO_CODE: [u8; 18] = hex!("0A1000000000000000000000000000000000");
    const UNLOCK: [u8; 18] = hex!("0B100102030405060708090A0B0C0D0E0F10");
    const WRONG: [u8; 18] = hex!("0B100102030405060708090A0B0C0D0E0F11");
    let mut s = book
        .section(
            "yubikey/management/write-config",
            "Yubico .NET SDK manual, Set Device Info",
            &[Need::YubiKey([5, 0, 0]), Need::New],
        )
        .at_least(Danger::Resets);
    s.profile(
        "switched-off",
        "An application that is switched off cannot be selected, and one that is switched on again can",
        |b| {
            b.reset()?;
            let on = find(&device(b)?, 0x03).unwrap_or_default().to_vec();
            configure(b, &hex!("03020001"))?.ok("WRITE CONFIG of OTP alone")?;
            same(find(&device(b)?, 0x03).unwrap_or_default(), &[0x01], "03, what is on")?;
            b.send(&hex!("00A4040005A00000030800"))?.is(0x6A82, "SELECT of PIV")?;
            configure(b, &encode(0x03, &on))?.ok("WRITE CONFIG of all")?;
            b.send(&hex!("00A4040005A00000030800"))?.ok("SELECT of PIV").map(drop)
        },
    )
    .with("applications", "all");
    s.profile("lock-code", "A locked configuration is changed with its lock code only", |b| {
        b.reset()?;
        configure(b, &CODE)?.ok("WRITE CONFIG of a lock code")?;
        same(find(&device(b)?, 0x0A).unwrap_or_default(), &[0x01], "0A, locked")?;
        for wrong in [&b""[..], &WRONG] {
            configure(b, &[wrong, &hex!("070105")].concat())?.refused("WRITE CONFIG without the lock code")?;
            configure(b, &[wrong, &NO_CODE].concat())?.refused("taking it away without the lock code")?;
        }
        same(find(&device(b)?, 0x0A).unwrap_or_default(), &[0x01], "0A, locked")?;
        configure(b, &[UNLOCK, NO_CODE].concat())?.ok("taking the lock code away")?;
        same(find(&device(b)?, 0x0A).unwrap_or_default(), &[0x00], "0A, not locked")
    });
    s.profile("wrong-form", "A configuration with a tag too many or cut off changes nothing", |b| {
        b.reset()?;
        let before = device(b)?;
        for tags in [&hex!("0701050702")[..], &hex!("070105070106"), &hex!("0701050A0101")] {
            configure(b, tags)?.refused("WRITE CONFIG")?;
        }
        same(&device(b)?, &before, "READ CONFIG")
    });
}

fn policies(book: &mut Book) {
    let mut s = book
        .section("yubikey/piv/import-key", "Yubico PIV extensions, IMPORT ASYMMETRIC KEY", &[ANY, Need::AdminKey, Need::Pin])
        .at_least(Danger::ChangesKeys)
        .writes([Place::Key(0x9A), Place::Key(0x9C), Place::Key(0x9D)]);
    for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::P384, KeyKind::Ed25519, KeyKind::Rsa3072] {
        let test = s.profile(&format!("{}-signs", kind.name()), &format!("An imported {} key signs", kind.name()), move |b| {
            let key = imported(b, 0x9A, kind, &[])?;
            b.verify()?;
            signs(b, 0x9A, kind, &key)
        });
        test.changes();
        if matches!(kind, KeyKind::Ed25519 | KeyKind::Rsa3072) {
            test.needs(&[V57]);
        }
    }
    s.profile("x25519-agrees", "An imported X25519 key agrees", |b| {
        let key = imported(b, 0x9D, KeyKind::X25519, &[])?;
        b.verify()?;
        let (point, expected) = oracle::agreement_with(&key)?;
        let data = b.agree(0xE1, 0x9D, &point)?.ok("GENERAL AUTHENTICATE")?;
        same(find_path(&data, &[0x7C, 0x82]).unwrap_or_default(), &expected, "the secret")
    })
    .needs(&[V57])
    .changes();
    s.profile("needs-the-management-key", "Import without the management key: 6982", |b| {
        b.start()?;
        b.import(0x9A, KeyKind::P256, &[])?.is(0x6982, "IMPORT KEY").map(drop)
    });
    s.profile("incomplete-rsa-key", "An RSA key without one of its parts is refused", |b| {
        b.start()?;
        b.admin()?;
        let parts = oracle::import_parts(KeyKind::Rsa2048);
        b.long([0x00, 0xFE, 0x07, 0x9A], &parts[131..])?.refused("IMPORT KEY")
    });
    s.profile("unknown-slot", "Import into a slot that is none is refused", |b| {
        b.start()?;
        b.admin()?;
        b.import(0x99, KeyKind::P256, &[])?.refused("IMPORT KEY")
    });
    s.profile("zero-scalar", "A scalar of zero is no key", |b| {
        b.start()?;
        b.admin()?;
        b.long([0x00, 0xFE, 0x11, 0x9A], &encode(0x06, &[0x00; 32]))?.refused("IMPORT KEY")
    });
    s.profile("pin-policy-never", "PIN policy 'never' works without the PIN, also in 9C", |b| {
        let key = imported(b, 0x9C, KeyKind::P256, &[0xAA, 0x01, 0x01])?;
        b.start()?;
        signs(b, 0x9C, KeyKind::P256, &key)
    })
    .changes();
    s.profile("pin-policy-once", "PIN policy 'once' works again and again after one PIN, also in 9C", |b| {
        let key = imported(b, 0x9C, KeyKind::P256, &[0xAA, 0x01, 0x02])?;
        b.verify()?;
        signs(b, 0x9C, KeyKind::P256, &key)?;
        signs(b, 0x9C, KeyKind::P256, &key)
    })
    .changes();
    s.profile("pin-policy-always", "PIN policy 'always' wants the PIN each time, also in 9A", |b| {
        let key = imported(b, 0x9A, KeyKind::P256, &[0xAA, 0x01, 0x03])?;
        b.verify()?;
        signs(b, 0x9A, KeyKind::P256, &key)?;
        b.sign(0x11, 0x9A, &key.input())?.is(0x6982, "the second signature").map(drop)
    })
    .changes();
    s.profile("unknown-pin-policy", "A PIN policy that is none is refused", |b| {
        b.start()?;
        b.admin()?;
        b.import(0x9A, KeyKind::P256, &[0xAA, 0x01, 0x77])?.refused("IMPORT KEY")
    });
    s.profile("touch-that-does-not-come", "A key that wants a touch does nothing without it", |b| {
        let key = imported(b, 0x9A, KeyKind::P256, &[0xAB, 0x01, 0x02])?;
        b.verify()?;
        b.sign(0x11, 0x9A, &key.input())?.any_of(&[0x6982, 0x6985], "GENERAL AUTHENTICATE").map(drop)
    })
    .with("touch", "never")
    .changes();
    s.profile("touch-that-comes", "A key that wants a touch works with it", |b| {
        let key = imported(b, 0x9A, KeyKind::P256, &[0xAB, 0x01, 0x02])?;
        b.verify()?;
        signs(b, 0x9A, KeyKind::P256, &key)
    })
    .with("touch", "auto")
    .changes();
    let mut s = book.section("yubikey/piv/pin-rules", "Yubico, PIV PIN, PUK and management key", &[ANY, Need::Pin]);
    s.profile("letters", "A PIN may have letters", |b| {
        b.start()?;
        let old = b.pin()?;
        b.change(&old, b"Pa55word")?.ok("CHANGE")?;
        b.start()?;
        b.verify()
    })
    .changes();
    s.profile("padding-is-a-guess", "Eight bytes of padding are a wrong guess: clients reset a card with them", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.verify_raw(0x80, &[0xFF; 8])?.left(all - 1, "VERIFY")
    })
    .spends();
    s.profile("puk-of-six-characters", "A PUK may have six characters", |b| {
        b.start()?;
        let old = b.puk()?;
        b.change_puk(&old, b"246813")?.ok("CHANGE of the PUK")?;
        let (puk, pin) = (b.puk()?, b.pin()?);
        b.unblock(&puk, &pin)?.ok("RESET RETRY COUNTER").map(drop)
    })
    .needs(&[Need::Puk])
    .changes();
    s.profile("complexity", "With PIN complexity a PIN of one digit repeated is refused", |b| {
        b.start()?;
        let old = b.pin()?;
        b.change(&old, b"11111111")?.is(0x6985, "CHANGE").map(drop)
    })
    .with("pin-complexity", "on")
    .changes();
}

fn management_key(book: &mut Book) {
    let mut s = book
        .section("yubikey/piv/set-management-key", "Yubico PIV extensions, SET MANAGEMENT KEY", &[ANY, Need::AdminKey])
        .at_least(Danger::Resets)
        .writes([Place::Key(0x9B)]);
    let new = hex!("A1A2A3A4A5A6A7A8B1B2B3B4B5B6B7B8C1C2C3C4C5C6C7C8");
    let set = move |algorithm: u8| short([0x00, 0xFF, 0xFF, 0xFF], &[&[algorithm, 0x9B, 0x18], &new[..]].concat(), None);
    s.profile("needs-the-old-one", "Without the old key no new one: 6982", move |b| {
        b.start()?;
        let algorithm = b.admin_algorithm()?;
        b.send(&set(algorithm))?.is(0x6982, "SET MANAGEMENT KEY").map(drop)
    });
    s.profile("new-key-works", "The new key works, and the old one does not", move |b| {
        b.start()?;
        let algorithm = b.admin_algorithm()?;
        if algorithm == 0x0C || algorithm == 0x08 {
            return Err(Stop::NotApplicable("the key has another length".into()));
        }
        let old = b.admin_key()?;
        b.admin()?;
        b.send(&set(algorithm))?.ok("SET MANAGEMENT KEY")?;
        b.start()?;
        let challenge = b.challenge()?;
        let with_old = old.respond(&challenge).map_err(|e| Stop::Failed(e.to_string()))?;
        b.respond(&with_old)?.refused("a response of the old key")?;
        let key = cardlab_protocol::admin_key::AdminKey::new(old.cipher(), &new);
        let challenge = b.challenge()?;
        let with_new = key.and_then(|key| key.respond(&challenge)).map_err(|e| Stop::Failed(e.to_string()))?;
        b.respond(&with_new)?.ok("a response of the new key").map(drop)
    })
    .resets();
    for (slug, data) in [
        ("short-key", &hex!("039B080102030405060708")[..]),
        ("long-key", &hex!("039B200101010101010101010101010101010101010101010101010101010101010101")[..]),
        ("no-key", &hex!("039B00")[..]),
        ("other-slot", &hex!("039A18A1A2A3A4A5A6A7A8B1B2B3B4B5B6B7B8C1C2C3C4C5C6C7C8")[..]),
        ("unknown-algorithm", &hex!("779B18A1A2A3A4A5A6A7A8B1B2B3B4B5B6B7B8C1C2C3C4C5C6C7C8")[..]),
    ] {
        s.profile(slug, "A malformed management key is refused, and the old one works", move |b| {
            b.start()?;
            b.admin()?;
            b.send(&short([0x00, 0xFF, 0xFF, 0xFF], data, None))?.refused("SET MANAGEMENT KEY")?;
            b.start()?;
            b.admin()
        })
        .resets();
    }
    let mut s =
        book.section("yubikey/piv/set-pin-retries", "Yubico PIV extensions, SET PIN RETRIES", &[ANY, Need::AdminKey, Need::Pin]);
    s.profile("needs-both", "SET PIN RETRIES needs the management key and the PIN", |b| {
        b.start()?;
        b.admin()?;
        b.send(&hex!("00FA0504"))?.is(0x6982, "with the management key only")?;
        b.start()?;
        b.verify()?;
        b.send(&hex!("00FA0504"))?.is(0x6982, "with the PIN only").map(drop)
    })
    .resets();
    s.profile("sets-tries-and-defaults", "SET PIN RETRIES sets both limits and the default values", |b| {
        b.start()?;
        b.admin()?;
        b.verify()?;
        b.send(&hex!("00FA0504"))?.ok("SET PIN RETRIES")?;
        b.start()?;
        b.query()?.left(5, "VERIFY without data")?;
        b.verify_with(b"123456")?.ok("the default PIN").map(drop)
    })
    .resets();
    s.profile("zero-tries", "A limit of zero is refused", |b| {
        b.start()?;
        b.admin()?;
        b.verify()?;
        b.send(&hex!("00FA0003"))?.refused("SET PIN RETRIES")?;
        b.start()?;
        b.verify()
    })
    .resets();
}

fn attestation(book: &mut Book) {
    let mut s = book
        .section("yubikey/piv/attest", "Yubico PIV attestation", &[Need::YubiKey([4, 3, 0]), Need::AdminKey])
        .writes([Place::Key(0x9A)]);
    let attested = |b: &mut Bench<'_>| -> Checked<Vec<u8>> {
        b.start()?;
        b.admin()?;
        b.generate(0x9A, 0x11)?.ok("GENERATE")?;
        b.full(&[0x00, 0xF9, 0x9A, 0x00, 0x00])?.ok("ATTEST")
    };
    s.profile("is-a-certificate", "ATTEST of a key that was made gives a certificate", move |b| {
        let der = attested(b)?;
        x509_cert::Certificate::from_der(&der).map(drop).map_err(|e| Stop::Failed(format!("no certificate: {e}")))
    })
    .changes();
    s.profile("names-the-firmware", "The attestation certificate names the firmware", move |b| {
        let version = b.yubikey().unwrap_or_default();
        let der = attested(b)?;
        // 1.3.6.1.4.1.41482.3.3, then an octet string of three bytes.
        let oid = [0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0xC4, 0x0A, 0x03, 0x03, 0x04, 0x03];
        let at = der.windows(oid.len()).position(|w| w == oid).map(|at| at + oid.len());
        let found = at.and_then(|at| der.get(at..at + 3)).unwrap_or_default();
        same(found, &version, "the firmware extension")
    })
    .changes();
    s.profile("holds-the-key", "The attestation certificate holds the slot's public key", |b| {
        b.start()?;
        b.admin()?;
        let made = b.generate(0x9A, 0x11)?.ok("GENERATE")?;
        let point = find_path(&made, &[0x7F49, 0x86]).unwrap_or_default();
        let der = b.full(&[0x00, 0xF9, 0x9A, 0x00, 0x00])?.ok("ATTEST")?;
        holds(der.windows(point.len()).any(|w| w == point), "the public key is not in the certificate")
    })
    .changes();
    s.profile("imported-key", "An imported key is not attested", |b| {
        imported(b, 0x9A, KeyKind::P256, &[])?;
        b.send(&hex!("00F99A0000"))?.refused("ATTEST")
    })
    .changes();
    s.profile("empty-slot", "An empty slot is not attested", |b| {
        b.start()?;
        b.send(&hex!("00F99D0000"))?.refused("ATTEST")
    })
    .needs(&[Need::New]);
}

fn moving(book: &mut Book) {
    let mut s = book
        .section("yubikey/piv/move-key", "Yubico PIV extensions, MOVE KEY and DELETE KEY", &[V57, Need::AdminKey, Need::Pin])
        .at_least(Danger::ChangesKeys)
        .writes([Place::Key(0x9A), Place::Key(0x82)]);
    s.profile("moves", "A key that is moved works in its new slot only", |b| {
        let key = imported(b, 0x9A, KeyKind::P256, &[])?;
        b.send(&hex!("00F6829A"))?.ok("MOVE KEY")?;
        b.verify()?;
        signs(b, 0x82, KeyKind::P256, &key)?;
        b.sign(0x11, 0x9A, &key.input())?.refused("the old slot")
    })
    .changes();
    s.profile("deletes", "A key that is deleted is gone", |b| {
        let key = imported(b, 0x9A, KeyKind::P256, &[])?;
        b.send(&hex!("00F6FF9A"))?.ok("DELETE KEY")?;
        b.verify()?;
        b.sign(0x11, 0x9A, &key.input())?.refused("GENERAL AUTHENTICATE")
    })
    .changes();
    s.profile("needs-the-management-key", "Moving needs the management key", |b| {
        imported(b, 0x9A, KeyKind::P256, &[])?;
        b.start()?;
        b.send(&hex!("00F6829A"))?.is(0x6982, "MOVE KEY").map(drop)
    })
    .changes();
    s.profile("only-between-slots", "Nothing is moved to what is no slot", |b| {
        imported(b, 0x9A, KeyKind::P256, &[])?;
        b.send(&hex!("00F6999A"))?.refused("MOVE KEY to 99")?;
        b.send(&hex!("00F69A80"))?.refused("MOVE KEY from 80")?;
        b.verify()?;
        let key = b.sign(0x11, 0x9A, &oracle::public_of(KeyKind::P256)?.input())?;
        key.ok("the key is where it was").map(drop)
    })
    .changes();
    s.profile("empty-slot", "Nothing is moved from an empty slot", |b| {
        b.start()?;
        b.admin()?;
        b.send(&hex!("00F68295"))?.refused("MOVE KEY")
    })
    .needs(&[Need::New]);
}

fn resetting(book: &mut Book) {
    let mut s = book
        .section("yubikey/piv/reset", "Yubico PIV extensions, RESET", &[ANY, Need::New])
        .at_least(Danger::Resets)
        .writes([Place::Key(0x9A)]);
    s.profile("needs-both-blocked", "RESET with a usable PIN is refused", |b| {
        b.start()?;
        b.send(&hex!("00FB0000"))?.is(0x6985, "RESET")?;
        b.verify()
    });
    s.profile("needs-the-puk-blocked-too", "RESET with a usable PUK is refused", |b| {
        b.start()?;
        b.block_pin()?;
        b.send(&hex!("00FB0000"))?.is(0x6985, "RESET").map(drop)
    });
    s.profile("as-new", "RESET with both blocked makes the card as new", |b| {
        let key = imported(b, 0x9A, KeyKind::P256, &[])?;
        b.block_pin()?;
        b.block_puk()?;
        b.send(&hex!("00FB0000"))?.ok("RESET")?;
        b.start()?;
        b.query()?.left(3, "VERIFY without data")?;
        b.verify_with(b"123456")?.ok("the default PIN")?;
        b.sign(0x11, 0x9A, &key.input())?.refused("the key is gone")?;
        b.admin()
    });
}
