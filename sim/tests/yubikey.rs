//! YubiKey's additions, by firmware.

use crate::common::{self, KEY, SELECT, bench, result};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_protocol::tlv;
use cardlab_sim::crypto::certificate;
use der::Decode;
use p256::ecdsa::signature::Verifier;
use x509_cert::Certificate;

#[test]
fn version_serial_and_the_small_applets() {
    for (profile, version, serial_command) in
        [("yubikey-4.3", "040305", false), ("yubikey-5.4", "050403", true), ("yubikey-5.7", "050701", true)]
    {
        let mut b = bench(profile, &[("serial", "12345678")]);
        assert_eq!(b.send("00FD000000"), format!("{version}9000"));
        assert_eq!(b.send("00F8000000"), if serial_command { "00BC614E9000" } else { "6D00" });
        b.verify("123456");
        let text = b.send("00A4040008A000000527471117");
        assert!(
            String::from_utf8(hex::decode(&text).unwrap()[..text.len() / 2 - 2].to_vec())
                .unwrap()
                .starts_with("Virtual mgr - FW version ")
        );
        let information = hex::decode(b.send("001D0000")).unwrap();
        assert_eq!(usize::from(information[0]) + 3, information.len());
        let objects = &information[1..information.len() - 2];
        assert_eq!(hex::encode(tlv::find(objects, 0x02).unwrap()), "00bc614e");
        assert_eq!(hex::encode(tlv::find(objects, 0x05).unwrap()), version);
        assert_eq!(b.card.selected(), Some("management"));
        assert_eq!(b.sw("00A4040007A0000005272001"), "9000");
        assert_eq!(b.card.selected(), Some("otp"));
        assert_eq!(b.card.applets().collect::<Vec<_>>(), ["piv", "management", "otp"]);
        assert_eq!(b.send("00011000"), "00BC614E9000");
        assert_eq!(b.sw("00A4040008A0000006472F0001"), "6A82", "no FIDO");
        assert_eq!(b.sw(SELECT), "9000");
        assert_eq!(b.status(), "63C3", "the other applets took the verification away");
    }
}

#[test]
fn metadata() {
    let mut b = bench("yubikey-5.4", &[]);
    assert_eq!(b.send("00F7008000"), "0101FF050101060203039000");
    b.verify("000000");
    assert_eq!(b.send("00F7008000"), "0101FF050101060203029000");
    assert_eq!(b.send("00F7009B00"), "0101030202000105010190 00".replace(' ', ""));
    assert_eq!((b.sw("00F7009A00"), b.sw("00F7009600")), ("6A88".into(), "6A88".into()));
    b.admin();
    let (public, _) = b.generate("9A", "11");
    let metadata = hex::decode(b.send("00F7009A00")).unwrap();
    let metadata = &metadata[..metadata.len() - 2];
    assert_eq!(hex::encode(&metadata[..11]), "0101110202020103010104");
    assert_eq!(tlv::find(metadata, 0x04), tlv::only(&public, 0x7F49));
    b.verify("123456");
    b.change("80", "123456", "654321");
    assert_eq!(b.send("00F7008000"), "0101FF050100060203039000");
    b.change("80", "654321", "123456");
    assert_eq!(b.send("00F7008000"), "0101FF050101060203039000", "the factory value again is the factory value");
    assert_eq!(bench("yubikey-5.7", &[]).send("00F7009B00"), "01010A0202000105010190 00".replace(' ', ""));
    assert_eq!(bench("yubikey-4.3", &[]).sw("00F7008000"), "6D00");
}

#[test]
fn set_retries_and_reset() {
    let mut b = bench("yubikey-5.4", &[]);
    assert_eq!(b.sw("00FA0504"), "6982");
    b.admin();
    assert_eq!(b.sw("00FA0504"), "6982", "the PIN as well");
    b.verify("123456");
    b.change("80", "123456", "654321");
    assert_eq!(b.sw("00FA0004"), "6A86");
    assert_eq!(b.sw("00FA0504"), "9000");
    assert_eq!(b.status(), "63C5");
    assert_eq!(b.send("00F7008100"), "0101FF050101060204049000");
    assert_eq!(b.sw("00FB0000"), "6985", "nothing is blocked");
    b.generate("9A", "11");
    b.put("5FC105", b"x");
    b.block_pin();
    assert_eq!(b.sw("00FB0000"), "6985", "the PUK is not");
    b.block_puk();
    assert_eq!(b.sw("00FB0000"), "9000");
    assert_eq!((b.status(), b.verify("123456")), ("63C3".into(), "9000".into()));
    assert_eq!((b.get("5FC105").1, b.sw("00F7009A00")), ("6A82".into(), "6A88".into()));
    assert_eq!((b.get("5FFF01").1, b.get("7E").1), ("9000".into(), "9000".into()), "attestation and discovery stay");
    assert_eq!(b.put("5FC105", b"x"), "6982", "nobody is authenticated");
}

#[test]
fn tries_from_1_to_255() {
    let mut b = bench("yubikey-5.4", &[("pin-tries", "255")]);
    assert_eq!(b.status(), "63CF", "more than fifteen read as F");
    assert_eq!(b.verify("000000"), "63CF");
    assert_eq!(b.send("00F7008000"), "0101FF0501010602FFFE9000");
    let mut b = bench("yubikey-5.4", &[("pin-tries", "1")]);
    assert_eq!((b.verify("000000"), b.verify("123456")), ("63C0".into(), "6983".into()));
}

#[test]
fn management_keys_of_every_cipher() {
    let mut b = bench("yubikey-5.7", &[]);
    for (cipher, touch) in [(Cipher::Tdes, "FF"), (Cipher::Aes128, "FE"), (Cipher::Aes256, "FD"), (Cipher::Aes192, "FF")] {
        let key = vec![cipher.id() + 0x30; cipher.key_len()];
        let data = [&[cipher.id(), 0x9B, key.len() as u8], &key[..]].concat();
        let command = format!("00FFFF{touch}");
        assert_eq!(b.long(&command, &data).1, "6982");
        b.admin_with(b.current());
        assert_eq!(b.long(&command, &data[..data.len() - 1]).1, "6A80");
        assert_eq!(b.long(&command, &data).1, "9000");
        b.sw(SELECT);
        assert_eq!(b.put("5FC105", b"x"), "6982");
        b.admin_with(AdminKey::new(cipher, &key).unwrap());
        assert_eq!(b.put("5FC105", b"x"), "9000");
        b.sw(SELECT);
    }
    let mut b = bench("yubikey-4.3", &[]);
    b.admin();
    assert_eq!(b.sw(&format!("00FFFFFF1B0A9B18{KEY}")), "6A80", "no AES before firmware 5.4");
    assert_eq!(b.sw(&format!("00FFFF001B039B18{KEY}")), "6A86");
}

impl common::Bench {
    fn current(&self) -> AdminKey {
        cardlab_sim::admin_key::load(self.card.nvm()).unwrap().0
    }

    fn admin_with(&mut self, key: AdminKey) {
        let id = key.cipher().id();
        let (data, _) = self.long(&format!("0087{id:02X}9B"), &[0x7C, 0x02, 0x81, 0x00]);
        let challenge = tlv::find(tlv::only(&data, 0x7C).unwrap(), 0x81).unwrap();
        let template = tlv::encode(0x7C, &tlv::encode(0x82, &key.encrypt(challenge).unwrap()));
        assert_eq!(self.long(&format!("0087{id:02X}9B"), &template).1, "9000");
    }
}

#[test]
fn imported_keys_and_their_policies() {
    let mut b = bench("yubikey-5.4", &[]);
    let scalar = "11".repeat(32);
    assert_eq!(b.sw(&format!("00FE119C220620{scalar}")), "6982");
    b.admin();
    assert_eq!(b.sw(&format!("00FE119C250620{scalar}AA0101")), "9000");
    let metadata = b.send("00F7009C00");
    assert!(metadata.starts_with("010111020201010301020 4".replace(' ', "").as_str()), "{metadata}");
    assert_eq!(b.sign("11", "9C", &[5; 32]).1, "9000", "PIN never");
    assert_eq!(b.sw(&format!("00FE119A250620{scalar}AA0104")), "6A80", "a policy of the Bio key");
    assert_eq!(b.sw("00FE119A03060100"), "6A80", "zero is no key");
    assert_eq!(b.sw(&format!("00FE169A220620{scalar}")), "6A80", "no such algorithm here");
    assert_eq!(b.sw(&format!("00FE1199220620{scalar}")), "6A86");
    assert_eq!(b.sw("00F99C0000"), "6A80", "no attestation of an imported key");
}

#[test]
fn rsa_import_takes_all_five_parts() {
    use cardlab_sim::crypto::rsa::RsaKey;
    use cardlab_sim::random::Random;
    let key = RsaKey::generate(1024, &mut Random::from_number(8, 8)).unwrap();
    let [p, q] = key.primes();
    let [dp, dq, qinv] = key.crt().unwrap();
    let part = |tag: u32, value: &[u8]| tlv::encode(tag, value);
    let data = [part(1, &p), part(2, &q), part(3, &dp), part(4, &dq), part(5, &qinv)].concat();
    let mut b = bench("yubikey-5.4", &[]);
    b.admin();
    assert_eq!(b.long("00FE069E", &[part(1, &p), part(3, &dp), part(4, &dq), part(5, &qinv)].concat()).1, "6A80", "no q");
    assert_eq!(b.long("00FE069E", &data).1, "9000");
    let mut block = vec![0x33; 128];
    block[0] = 0;
    let (answer, _) = b.sign("06", "9E", &block);
    assert_eq!(result(&answer), &key.private(&block).unwrap()[..]);
}

#[test]
fn firmware_57_has_curve25519_and_moves_keys() {
    let mut b = bench("yubikey-5.7", &[]);
    b.admin();
    let (public, sw) = b.generate("9A", "E0");
    assert_eq!(sw, "9000");
    let key: [u8; 32] = tlv::find(tlv::only(&public, 0x7F49).unwrap(), 0x86).unwrap().try_into().unwrap();
    b.verify("123456");
    let message = vec![0xA5; 1000];
    let (data, _) = b.sign("E0", "9A", &message);
    let signature = ed25519_dalek::Signature::from_slice(result(&data)).unwrap();
    ed25519_dalek::VerifyingKey::from_bytes(&key).unwrap().verify(&message, &signature).unwrap();
    let (public, _) = b.generate("9D", "E1");
    let theirs: [u8; 32] = tlv::find(tlv::only(&public, 0x7F49).unwrap(), 0x86).unwrap().try_into().unwrap();
    let host = x25519_dalek::StaticSecret::from([9; 32]);
    let (data, _) = b.agree("E1", "9D", x25519_dalek::PublicKey::from(&host).as_bytes());
    assert_eq!(result(&data), host.diffie_hellman(&theirs.into()).as_bytes());
    assert_eq!(b.agree("E1", "9D", &[0; 32]).1, "6A80", "a point of small order");
    b.put("5FC105", b"certificate");
    assert_eq!((b.sw("00F6829A"), b.sw("00F7009A00")), ("9000".into(), "6A88".into()));
    assert_eq!(b.sign("E0", "82", &message).1, "9000");
    assert_eq!(b.get("5FC105").1, "9000", "the certificate does not move");
    assert_eq!((b.sw("00F6FF82"), b.sw("00F7008200"), b.sw("00F6FF82")), ("9000".into(), "6A88".into(), "6A88".into()));
    assert_eq!((b.sw("00F69AF9"), b.sw("00F6F99A"), b.sw("00F69A9A")), ("6A86".into(), "6A86".into(), "6A86".into()));
    assert_eq!(b.sw("00F6FFF9"), "9000", "the attestation key can be deleted");
    b.sw(SELECT);
    assert_eq!(b.sw("00F6FF9D"), "6982");
    assert_eq!(bench("yubikey-5.4", &[]).sw("00F6FF9A"), "6D00");
}

#[test]
fn touch() {
    let mut b = bench("yubikey-5.4", &[("touch", "never")]);
    b.admin();
    let (_, sw) = b.long("0047009E", &hex::decode("AC06800111AB0102").unwrap());
    assert_eq!(sw, "9000");
    assert_eq!(b.sign("11", "9E", &[1; 32]).1, "6982", "nobody touched");
    let mut wants = |command: &str| b.card.wants_touch(&hex::decode(command).unwrap());
    assert!(wants("0087119E00"), "the key that was made so");
    assert!(!wants("1087119E00"), "a chain that goes on waits for its end");
    assert!(!wants("0087119B00") && !wants("0020009E00"), "another key, another command");
    let mut b = bench("yubikey-5.4", &[]);
    b.admin();
    b.long("0047009E", &hex::decode("AC06800111AB0103").unwrap());
    assert_eq!(b.sign("11", "9E", &[1; 32]).1, "9000");
    assert!(b.send("00F7009E00").starts_with("01011102020103"), "never, cached");
    assert!(!b.card.wants_touch(&[0x00, 0x87, 0x11, 0x9E, 0x00]), "touched a moment ago");
}

/// Whether a signature with SHA-256 is of this key: a point on P-256, or an RSAPublicKey.
fn verifies(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    use sha2::{Digest, Sha256};
    if key[0] == 0x04 {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).unwrap();
        return key.verify(message, &p256::ecdsa::Signature::from_der(signature).unwrap()).is_ok();
    }
    // Modulus and exponent, without the zero before a number that would be negative.
    let number = |index| {
        let value = tlv::objects(tlv::only(key, 0x30).unwrap()).nth(index).unwrap().value;
        rsa::BoxedUint::from_be_slice_vartime(value.strip_prefix(&[0]).unwrap_or(value))
    };
    let public = rsa::PublicKey::new(number(0), number(1)).unwrap();
    let block = rsa::BoxedUint::from_be_slice(signature, 2048).unwrap();
    let block = rsa::hazmat::rsa_encrypt(&public, &block).unwrap().to_be_bytes();
    // EMSA-PKCS1-v1_5, RFC 8017 section 9.2.
    let info = [&hex::decode("3031300D060960864801650304020105000420").unwrap()[..], &Sha256::digest(message)].concat();
    block[..2] == [0x00, 0x01]
        && block.ends_with(&[&[0x00][..], &info].concat())
        && block[2..].starts_with(&vec![0xFF; 253 - info.len()])
}

#[test]
fn attestation_chains_up_to_the_cards_own_root() {
    for profile in ["yubikey-4.3", "yubikey-5.4", "yubikey-5.7"] {
        let mut b = bench(profile, &[("serial", "12345678")]);
        b.admin();
        let (public, _) = b.generate("9A", "11");
        let (attestation, sw) = b.long("00F99A00", &[]);
        assert_eq!(sw, "9000");
        let der_of = |object: Vec<u8>| tlv::find(tlv::only(&object, 0x53).unwrap(), 0x70).unwrap().to_vec();
        let holder = der_of(b.get("5FFF01").0);
        let root = der_of(b.get("5FFFCA").0);
        let chain: Vec<Certificate> = [&attestation, &holder, &root].map(|d| Certificate::from_der(d).unwrap()).into();
        for (certificate, issuer) in [(0, 1), (1, 2), (2, 2)] {
            use der::Encode;
            let key = chain[issuer].tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes();
            let signed = chain[certificate].tbs_certificate().to_der().unwrap();
            assert!(verifies(key, &signed, chain[certificate].signature().raw_bytes()), "{profile}: {certificate} by {issuer}");
        }
        let authority = |of: &Certificate| {
            let extensions = of.tbs_certificate().extensions().map(|all| all.iter()).into_iter().flatten();
            extensions.into_iter().any(|extension| extension.extn_id.to_string() == "2.5.29.19")
        };
        // Keys before 5.3 have an attestation certificate without basicConstraints.
        assert_eq!((authority(&chain[1]), authority(&chain[2])), (profile != "yubikey-4.3", true), "{profile}");
        assert_eq!(certificate::subject(&attestation).unwrap(), "CN=YubiKey PIV Attestation 9a");
        let tbs = chain[0].tbs_certificate();
        assert_eq!(
            tbs.subject_public_key_info().subject_public_key.raw_bytes(),
            tlv::find(tlv::only(&public, 0x7F49).unwrap(), 0x86).unwrap()
        );
        let extension = |arc: &str| {
            let id = format!("1.3.6.1.4.1.41482.3.{arc}");
            let all = tbs.extensions().unwrap();
            hex::encode(all.iter().find(|e| e.extn_id.to_string() == id).unwrap().extn_value.as_bytes())
        };
        assert_eq!(extension("3"), b.send("00FD000000")[..6]);
        assert_eq!((extension("7"), extension("8"), extension("9")), ("020400bc614e".into(), "0201".into(), "01".into()));
        assert_eq!(b.sw("00F99D0000"), "6A80", "an empty slot");
        assert_eq!(b.sw("00F9990000"), "6A86");
    }
}

const SELECT_MANAGEMENT: &str = "00A4040008A000000527471117";
const LOCK: &str = "0102030405060708090A0B0C0D0E0F10";
const NO_LOCK: &str = "00000000000000000000000000000000";

/// The tags of READ CONFIG.
fn configuration(b: &mut common::Bench) -> Vec<u8> {
    b.send(SELECT_MANAGEMENT);
    let answer = hex::decode(b.send("001D0000")).unwrap();
    answer[1..answer.len() - 2].to_vec()
}

/// WRITE CONFIG of these tags.
fn configure(b: &mut common::Bench, tags: &str) -> String {
    b.send(SELECT_MANAGEMENT);
    let length = tags.len() / 2;
    b.sw(&format!("001C0000{:02X}{length:02X}{tags}", length + 1))
}

#[test]
fn what_is_switched_off_cannot_be_selected() {
    let mut b = bench("yubikey-5.4", &[("applications", "all")]);
    let otp = "00A4040007A0000005272001";
    assert_eq!(tlv::find(&configuration(&mut b), 0x01).unwrap(), [0x03, 0x3B]);
    assert_eq!(configure(&mut b, "03020001"), "9000", "OTP alone");
    assert_eq!(tlv::find(&configuration(&mut b), 0x03).unwrap(), [0x01]);
    assert_eq!((b.sw(SELECT), b.sw(otp)), ("6A82".into(), "9000".into()));
    assert_eq!(b.card.selected(), Some("otp"), "what was not found leaves what is selected");
    b.card.set_interface(cardlab_sim::conditions::Interface::Contactless);
    assert_eq!(b.sw(SELECT), "9000", "over NFC it is there");
    b.card.set_interface(cardlab_sim::conditions::Interface::Contact);
    b.card.power_off();
    b.card.power_on();
    assert_eq!(b.sw(SELECT), "6A82", "it stays so without power");
    assert_eq!(configure(&mut b, "0C0003020210"), "9000", "FIDO2 and PIV, with a restart");
    assert_eq!((b.sw(otp), b.sw(SELECT)), ("6A82".into(), "9000".into()));
    assert_eq!(configure(&mut b, "03020000"), "6A80", "not all of them");
    assert_eq!(configure(&mut b, "03020400"), "6A80", "nor for one that it does not have");
    assert_eq!(tlv::find(&configuration(&mut b), 0x03).unwrap(), [0x02, 0x10]);
}

#[test]
fn a_locked_configuration_is_changed_with_its_code_only() {
    let mut b = bench("yubikey-5.7", &[("applications", "piv+otp")]);
    let locked = |b: &mut common::Bench| tlv::find(&configuration(b), 0x0A).unwrap() == [1];
    assert_eq!(configure(&mut b, &format!("0B10{LOCK}070105")), "6982", "where none is set the code is zeros");
    assert_eq!(configure(&mut b, &format!("0B10{NO_LOCK}070105")), "9000");
    assert_eq!(tlv::find(&configuration(&mut b), 0x07).unwrap(), [5]);
    assert_eq!(configure(&mut b, &format!("0A10{LOCK}")), "9000");
    assert!(locked(&mut b));
    for code in ["", &format!("0B10{NO_LOCK}"), &format!("0B10{}", LOCK.replace("10", "11"))] {
        assert_eq!(configure(&mut b, &format!("{code}070106")), "6982", "{code}");
        assert_eq!(configure(&mut b, &format!("{code}0A10{NO_LOCK}")), "6982", "{code}");
    }
    assert_eq!(tlv::find(&configuration(&mut b), 0x07).unwrap(), [5], "nothing has changed");
    assert_eq!(configure(&mut b, &format!("0B10{LOCK}070106")), "9000");
    assert_eq!(configure(&mut b, &format!("0B10{LOCK}0A10{NO_LOCK}")), "9000");
    assert!(!locked(&mut b) && tlv::find(&configuration(&mut b), 0x07).unwrap() == [6]);
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused_whole() {
    let mut b = bench("yubikey-5.4", &[("applications", "all")]);
    let before = configuration(&mut b);
    for tags in ["0303000001", "070100070100", "0A0101", "0B0101", "0C0100", "01020001", "0E020001", "0702", "07"] {
        assert_eq!(configure(&mut b, &format!("030200 10{tags}").replace(' ', "")), "6A80", "{tags}");
    }
    b.send(SELECT_MANAGEMENT);
    assert_eq!(b.sw("001C00000402070100"), "6A80", "a length that is not that of the tags");
    assert_eq!((b.sw("001C0000"), b.sw("001C01000100"), b.sw("001D0100")), ("6A80".into(), "6A86".into(), "6A86".into()));
    assert_eq!(configuration(&mut b), before);
    let mut old = bench("yubikey-4.3", &[]);
    assert_eq!(configure(&mut old, "070105"), "6D00", "firmware 5 has it");
    assert_eq!(tlv::find(&configuration(&mut old), 0x07), None);
}

#[test]
fn a_power_cut_leaves_the_old_configuration_or_the_new_one() {
    for commit in 0..2 {
        let mut b = bench("yubikey-5.4", &[("applications", "all")]);
        let before = configuration(&mut b);
        b.card.nvm_mut().cut_power_at(commit);
        let tags = format!("03020010070109 0A10{LOCK}").replace(' ', "");
        let command = hex::decode(format!("001C0000{:02X}{:02X}{tags}", tags.len() / 2 + 1, tags.len() / 2)).unwrap();
        let answer = b.card.transmit(&command);
        b.card.power_on();
        let after = configuration(&mut b);
        let new = tlv::find(&after, 0x0A).unwrap() == [1] && tlv::find(&after, 0x07).unwrap() == [9];
        assert!(after == before || new, "{after:02X?}");
        assert!(answer.is_err() || new, "what was acknowledged is there");
    }
}

#[test]
fn the_attestation_key_is_of_its_firmware() {
    for (profile, bits, authority) in
        [("yubikey-4.3", Some(2048), false), ("yubikey-5.4", Some(2048), true), ("yubikey-5.7", None, true)]
    {
        let mut b = bench(profile, &[]);
        b.admin();
        b.generate("9A", "11");
        let (object, _) = b.get("5FFF01");
        let holder = tlv::find(tlv::only(&object, 0x53).unwrap(), 0x70).unwrap().to_vec();
        let holder = Certificate::from_der(&holder).unwrap();
        let key = holder.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes().to_vec();
        // RSAPublicKey begins with a SEQUENCE and the modulus; a point with 04.
        let modulus = tlv::find_path(&key, &[0x30, 0x02]).map(|modulus| modulus.len() - 1);
        assert_eq!(modulus.map(|bytes| bytes * 8), bits, "{profile}");
        let extensions = holder.tbs_certificate().extensions().map(|e| e.len()).unwrap_or_default();
        assert_eq!(extensions == 1, authority, "{profile}: basicConstraints");
        let (certificate, sw) = b.long("00F99A00", &[]);
        assert_eq!(sw, "9000", "{profile}");
        let attested = Certificate::from_der(&certificate).unwrap();
        assert_eq!(attested.tbs_certificate().issuer(), holder.tbs_certificate().subject());
        let algorithm = attested.signature_algorithm().oid.to_string();
        assert_eq!(algorithm, if bits.is_some() { "1.2.840.113549.1.1.11" } else { "1.2.840.10045.4.3.2" }, "{profile}");
    }
}

#[test]
fn making_or_loading_a_key_leaves_the_certificate_and_the_key_history() {
    for profile in ["yubikey-4.3", "yubikey-5.4", "yubikey-5.7"] {
        let mut b = bench(profile, &[]);
        b.admin();
        let object = "5C035FC10D 5303700161".replace(' ', "");
        assert_eq!(b.sw(&format!("00DB3FFF{:02X}{object}", object.len() / 2)), "9000");
        b.generate("82", "11");
        assert_eq!(b.sw(&format!("00FE118222 0620{}", "11".repeat(32))), "9000");
        assert_eq!(hex::encode(b.get("5FC10D").0), "5303700161", "{profile}");
        assert_eq!(b.get("5FC10C").1, "6A82", "{profile}: it writes no key history");
    }
}
