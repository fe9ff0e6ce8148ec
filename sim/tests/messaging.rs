//! Secure messaging of PIV: establishment, the session and its errors, the virtual contact interface.

use crate::common::{Bench, SELECT, bench, padded, result};
use cardlab_protocol::channel::piv::certificate::Signed;
use cardlab_protocol::channel::piv::derivation::{Agreement, card_identifier};
use cardlab_protocol::channel::piv::{Session, Suite};
use cardlab_protocol::tlv;
use cardlab_sim::conditions::Interface;
use cardlab_sim::crypto::ec::Curve;
use cardlab_sim::{Card, Profile, Random, World};
use p256::ecdsa::signature::hazmat::PrehashVerifier;

const HOST: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
const SUITES: [Suite; 2] = [Suite::Cs2, Suite::Cs7];
const CODE: &str = "65135275";
const FORGET: &str = "3132333435363738";

/// A card and the host's side of a session with it.
struct Secured {
    b: Bench,
    suite: Suite,
    session: Option<Session>,
}

fn curve(suite: Suite) -> Curve {
    match suite {
        Suite::Cs2 => Curve::P256,
        Suite::Cs7 => Curve::P384,
    }
}

fn card(suite: Suite, settings: &[(&str, &str)]) -> Secured {
    let settings = [&[("sm", suite.name()), ("pairing", CODE)], settings].concat();
    Secured { b: bench("nist-piv", &settings), suite, session: None }
}

/// A card in the field of a reader, with a session.
fn contactless(suite: Suite, settings: &[(&str, &str)]) -> Secured {
    let mut s = card(suite, &[&[("interface", "contactless")], settings].concat());
    s.establish();
    s
}

impl Secured {
    fn request(&self, control: u8, point: &[u8]) -> Vec<u8> {
        let challenge = [&[control], &HOST[..], point].concat();
        tlv::encode(0x7C, &[tlv::encode(0x81, &challenge), tlv::encode(0x82, &[])].concat())
    }

    fn ask(&mut self, control: u8, point: &[u8]) -> (Vec<u8>, String) {
        let request = self.request(control, point);
        self.b.long(&format!("0087{:02X}04", self.suite.id()), &request)
    }

    fn establish(&mut self) {
        self.establish_as(0x00);
    }

    fn establish_as(&mut self, control: u8) {
        let curve = curve(self.suite);
        let scalar = curve.generate(&mut Random::from_number(9, 0));
        let point = curve.public(&scalar).unwrap();
        let (answer, sw) = self.ask(control, &point);
        assert_eq!(sw, "9000");
        let (nonce, rest) = result(&answer)[1..].split_at(self.suite.nonce());
        let (cryptogram, certificate) = rest.split_at(16);
        let signed = Signed::parse(certificate).unwrap();
        let agreement = Agreement {
            suite: self.suite,
            secret: &curve.agree(&scalar, signed.certificate.point).unwrap(),
            control,
            host: &HOST,
            point: &point,
            card: &card_identifier(certificate),
            nonce,
        };
        let (keys, expected) = agreement.derive().unwrap();
        assert_eq!((result(&answer)[0], cryptogram), (0x00, &expected[..]));
        self.session = Some(Session::new(self.suite, keys));
    }

    /// The APDU that carries this command.
    fn wrap(&mut self, header: &str, data: &str, le: bool) -> Vec<u8> {
        let header: [u8; 3] = hex::decode(header).unwrap().try_into().unwrap();
        let field = self.session.as_mut().unwrap().seal_command(header, &hex::decode(data).unwrap(), le).unwrap();
        [&[0x0C], &header[..], &[field.len() as u8], &field, &[0x00]].concat()
    }

    /// What a wrapped response says inside; its outer status word has to be 9000.
    fn unwrap(&mut self, (field, outer): (Vec<u8>, String)) -> (String, String) {
        assert_eq!(outer, "9000");
        let (data, sw) = self.session.as_mut().unwrap().open_response(&field).unwrap();
        (hex::encode_upper(&data), sw.to_string())
    }

    fn raw(&mut self, apdu: &[u8]) -> (Vec<u8>, String) {
        let sw = |response: &mut Vec<u8>| response.split_off(response.len() - 2);
        let mut data = self.b.card.transmit(apdu).unwrap();
        let mut status = sw(&mut data);
        while status[0] == 0x61 {
            let mut more = self.b.card.transmit(&[0x00, 0xC0, 0x00, 0x00, status[1]]).unwrap();
            status = sw(&mut more);
            data.extend(more);
        }
        (data, hex::encode_upper(status))
    }

    fn send(&mut self, header: &str, data: &str, le: bool) -> (String, String) {
        let apdu = self.wrap(header, data, le);
        let answer = self.raw(&apdu);
        self.unwrap(answer)
    }

    fn sw(&mut self, header: &str, data: &str) -> String {
        self.send(header, data, false).1
    }

    fn get(&mut self, tag: &str) -> (String, String) {
        self.send("CB3FFF", &format!("5C{:02X}{tag}", tag.len() / 2), true)
    }

    fn pair(&mut self, code: &str) -> String {
        self.sw("200098", &hex::encode(code))
    }

    fn verify(&mut self, pin: &str) -> String {
        self.sw("200080", &padded(pin))
    }

    /// GENERAL AUTHENTICATE, wrapped and cut into blocks.
    fn sign(&mut self, algorithm: &str, slot: &str, input: &[u8]) -> (Vec<u8>, String) {
        let header = hex::decode(format!("87{algorithm}{slot}")).unwrap();
        let template = tlv::encode(0x7C, &[tlv::encode(0x82, &[]), tlv::encode(0x81, input)].concat());
        let header: [u8; 3] = header.try_into().unwrap();
        let field = self.session.as_mut().unwrap().seal_command(header, &template, true).unwrap();
        let answer = self.b.long(&format!("0C{}", hex::encode(header)), &field);
        let (data, sw) = self.unwrap(answer);
        (hex::decode(data).unwrap(), sw)
    }

    /// Nothing of a session is left.
    fn is_gone(&mut self) {
        let sw = |b: &mut Bench| b.sw("0CCB3FFF0A8E08000000000000000000");
        assert_eq!(sw(&mut self.b), "6982");
    }
}

#[test]
fn a_card_says_which_suite_it_has_and_only_one_with_the_setting_has_any() {
    let ac = |settings: &[(&str, &str)]| {
        let select = bench("nist-piv", settings).send(SELECT);
        tlv::find_path(&hex::decode(&select[..select.len() - 4]).unwrap(), &[0x61, 0xAC]).map(hex::encode_upper)
    };
    assert_eq!((ac(&[]), ac(&[("sm", "off")])), (None, None));
    assert_eq!(ac(&[("sm", "cs2")]).as_deref(), Some("800127060100"));
    assert_eq!(ac(&[("sm", "cs7")]).as_deref(), Some("80012E060100"));
    let mut plain = bench("nist-piv", &[]);
    assert_eq!(plain.sw("0CCB3FFF0A8E08000000000000000000"), "6882");
    assert_eq!(plain.sw("008727040C7C0A81080000000000000000"), "6A86");
    assert_eq!((plain.get("5FC122").1, plain.sw("0020009808 3635313335323735")), ("6A82".into(), "6A88".into()));
}

#[test]
fn the_cards_certificate_is_signed_by_the_certificate_that_it_shows() {
    for suite in SUITES {
        let mut s = card(suite, &[("chuid", "00010203-0405-4607-8809-0a0b0c0d0e0f")]);
        let curve = curve(suite);
        let point = curve.public(&curve.generate(&mut Random::from_number(1, 0))).unwrap();
        let (answer, _) = s.ask(0x00, &point);
        let signed = Signed::parse(&result(&answer)[1 + suite.nonce() + 16..]).unwrap();
        assert_eq!(hex::encode(signed.certificate.subject), "000102030405460788090a0b0c0d0e0f");
        let (object, _) = s.b.get("5FC122");
        let der = tlv::find_path(&object, &[0x53, 0x70]).unwrap();
        let name = tlv::encode(0x04, &tlv::encode(0x04, &signed.certificate.issuer));
        // subjectKeyIdentifier begins with the issuer's name.
        assert!(der.windows(8).any(|w| w == signed.certificate.issuer) && name.len() == 12);
        for purpose in
            [&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x06, 0x07][..], &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x02, 0x01, 0x03, 0x27]]
        {
            assert!(der.windows(purpose.len()).any(|w| w == purpose));
        }
        let at = der.windows(2).position(|w| w == [0x00, 0x04]).unwrap() + 1;
        let signer = &der[at..at + 2 * suite.coordinate() + 1];
        let digest = suite.hash(&[signed.message]);
        match suite {
            Suite::Cs2 => p256::ecdsa::VerifyingKey::from_sec1_bytes(signer)
                .unwrap()
                .verify_prehash(&digest, &p256::ecdsa::Signature::from_der(signed.signature).unwrap())
                .unwrap(),
            Suite::Cs7 => p384::ecdsa::VerifyingKey::from_sec1_bytes(signer)
                .unwrap()
                .verify_prehash(&digest, &p384::ecdsa::Signature::from_der(signed.signature).unwrap())
                .unwrap(),
        }
    }
}

#[test]
fn what_establishes_no_session_ends_the_one_that_was_there() {
    for suite in SUITES {
        let other = if suite == Suite::Cs2 { "2E" } else { "27" };
        let point = curve(suite).public(&curve(suite).generate(&mut Random::from_number(2, 0))).unwrap();
        let mut off = point.clone();
        off[10] ^= 1;
        let bad: [(u8, Vec<u8>, &str); 6] = [
            (0x10, point.clone(), "6A80"),
            (0xF0, point.clone(), "6A80"),
            (0x00, off, "6A80"),
            (0x00, vec![0x00], "6A80"),
            (0x00, point[..point.len() - 1].to_vec(), "6A80"),
            (0x00, [&[0x02], &point[1..]].concat(), "6A80"),
        ];
        for (control, point, expected) in bad {
            let mut s = card(suite, &[]);
            s.establish();
            assert_eq!(s.ask(control, &point).1, expected, "{control:02X} {point:02X?}");
            s.is_gone();
        }
        let mut s = card(suite, &[]);
        s.establish();
        let request = s.request(0x00, &point);
        assert_eq!(s.b.long(&format!("0087{other}04"), &request).1, "6A86");
        s.is_gone();
        s.establish_as(0x0F);
        assert_eq!(s.get("5FC102").1, "9000", "a control byte of the host's own counts in the keys");
        s.establish();
        assert_eq!(s.get("5FC102").1, "9000", "new keys");
    }
}

#[test]
fn a_session_carries_long_commands_and_answers_and_errors_of_the_application() {
    for suite in SUITES {
        let mut s = contactless(suite, &[]);
        s.b.card.set_interface(Interface::Contact);
        s.b.admin();
        s.b.generate("9A", "07");
        s.establish();
        assert_eq!(s.sw("200080", ""), "63C3");
        assert_eq!(s.get("5FC108").1, "6A82");
        assert_eq!(s.verify("000000"), "63C2");
        assert_eq!(s.verify("123456"), "9000");
        let (signature, sw) = s.sign("07", "9A", &[1; 256]);
        assert_eq!((result(&signature).len(), sw.as_str()), (256, "9000"));
        assert_eq!(s.sw("240080", &format!("{}{}", padded("123456"), padded("654321"))), "9000");
        assert_eq!(s.b.sw("00CB3FFF055C035FC10200"), "9000", "a plain command in between");
        assert_eq!(s.get("7E").0, "7E124F0BA0000003080000100001005F2F024800");
    }
}

/// Every fault ends in a bare status word, and the session with it.
#[test]
fn what_the_session_does_not_accept_ends_it_and_changes_nothing() {
    type Fault = (&'static str, fn(&mut Secured) -> Vec<u8>, &'static str);
    fn good(s: &mut Secured) -> Vec<u8> {
        s.wrap("CB3FFF", "5C035FC102", true)
    }
    /// 0C CB 3F FF Lc | 87 11 01 16 bytes | 97 01 00 | 8E 08 8 bytes | 00
    const FAULTS: [Fault; 12] = [
        ("MAC", |s| flip(good(s), 30), "6988"),
        ("cryptogram", |s| flip(good(s), 9), "6988"),
        ("parameters", |s| flip(good(s), 3), "6988"),
        ("padding indicator", |s| replaced(good(s), 7, 0x02), "6988"),
        ("tag 85", |s| replaced(good(s), 5, 0x85), "6988"),
        ("cut", |s| field(&good(s)[5..20]), "6988"),
        ("no MAC", |s| field(&good(s)[5..27]), "6987"),
        ("nothing", |_| vec![0x0C, 0xCB, 0x3F, 0xFF, 0x00], "6987"),
        ("no 97", |s| s.wrap("CB3FFF", "5C035FC102", false), "6987"),
        ("PUT DATA", |s| s.wrap("DB3FFF", "5C035FC1025300", false), "6882"),
        ("GENERATE", |s| s.wrap("47009A", "AC03800111", true), "6882"),
        ("class 04", |s| replaced(good(s), 0, 0x04), "6882"),
    ];
    fn flip(mut apdu: Vec<u8>, at: usize) -> Vec<u8> {
        apdu[at] ^= 1;
        apdu
    }
    fn replaced(mut apdu: Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
        apdu[at] = byte;
        apdu
    }
    fn field(bytes: &[u8]) -> Vec<u8> {
        [&[0x0C, 0xCB, 0x3F, 0xFF, bytes.len() as u8], bytes, &[0x00]].concat()
    }
    for suite in SUITES {
        for (name, fault, expected) in FAULTS {
            let mut s = contactless(suite, &[]);
            assert_eq!((s.pair(CODE), s.verify("123456")), ("9000".into(), "9000".into()));
            let apdu = fault(&mut s);
            let before = s.b.card.nvm().records().clone();
            assert_eq!(s.raw(&apdu), (vec![], expected.into()), "{name}");
            s.is_gone();
            assert!(*s.b.card.nvm().records() == before, "{name}");
            // The indicators are the application's: they stay.
            s.establish();
            assert_eq!(s.get("5FC107").1, "9000", "{name}");
        }
    }
}

#[test]
fn messages_of_another_moment_or_another_card_are_refused() {
    let mut s = card(Suite::Cs2, &[]);
    s.establish();
    let first = s.wrap("CB3FFF", "5C035FC102", true);
    assert_eq!(s.raw(&first).1, "9000");
    assert_eq!(s.raw(&first).1, "6988", "replayed");
    s.is_gone();
    s.establish();
    let _earlier = s.wrap("CB3FFF", "5C035FC102", true);
    let later = s.wrap("CB3FFF", "5C035FC102", true);
    assert_eq!(s.raw(&later).1, "6988", "reordered");
    s.establish();
    let mut other = card(Suite::Cs2, &[("serial", "7")]);
    other.b.card.reset();
    other.establish();
    let theirs = other.wrap("CB3FFF", "5C035FC102", true);
    let mut stranger = bench("nist-piv", &[("sm", "cs2")]);
    stranger.card.reset();
    assert_eq!(stranger.card.transmit(&theirs).unwrap(), [0x69, 0x82]);
    s.b.card.reset();
    s.is_gone();
}

#[test]
fn a_chain_is_secured_as_a_whole_or_not_at_all() {
    for (first, last) in [("1C", "00"), ("10", "0C")] {
        let mut s = card(Suite::Cs2, &[]);
        s.establish();
        assert_eq!(s.b.sw(&format!("{first}8711 9A 02 7C00")), "9000");
        assert_eq!(s.b.sw(&format!("{last}8711 9A 02 7C00 00")), "6988");
        s.is_gone();
    }
    let mut s = card(Suite::Cs2, &[]);
    s.establish();
    assert_eq!(s.b.sw("1C200080 02 7C00"), "6884", "what is not chained in the clear is not chained here");
    s.is_gone();
}

#[test]
fn a_reset_another_application_and_power_end_a_session() {
    let ends: [fn(&mut Bench); 2] = [
        |b| {
            b.card.reset();
        },
        |b| {
            b.card.power_on();
        },
    ];
    for end in ends {
        let mut s = card(Suite::Cs2, &[]);
        s.establish();
        end(&mut s.b);
        s.is_gone();
    }
    let mut s = card(Suite::Cs2, &[]);
    s.establish();
    s.b.select();
    assert_eq!(s.get("5FC102").1, "9000", "the same application again");
    s.b.card.nvm_mut().cut_power_at(0);
    let apdu = s.wrap("200080", &padded("000000"), false);
    assert!(s.b.card.transmit(&apdu).is_err());
    s.b.power_on();
    s.is_gone();
}

#[test]
fn over_the_virtual_contact_interface_a_card_is_as_with_contacts() {
    for suite in SUITES {
        let mut s = contactless(suite, &[]);
        s.b.card.set_interface(Interface::Contact);
        s.b.admin();
        s.b.generate("9A", "11");
        s.b.generate("9C", "11");
        s.b.put("5FC103", &[1; 9]);
        s.b.card.set_interface(Interface::Contactless);
        s.establish();
        // Secure messaging alone opens nothing.
        assert_eq!(s.get("5FC107").1, "6982");
        assert_eq!((s.get("5FC102").1, s.get("5FC122").1, s.get("7E").1), ("9000".into(), "9000".into(), "9000".into()));
        let before = s.verify("123456");
        assert_eq!((before.as_str(), s.sw("200080", "")), ("6982", "6982".into()));
        assert_eq!((s.sw("200098", ""), s.pair("65135276"), s.pair("6513527a")), ("6300".into(), "6300".into(), "6A80".into()));
        assert_eq!(s.get("5FC107").1, "6982");
        assert_eq!((s.pair(CODE), s.sw("200098", "")), ("9000".into(), "9000".into()));
        assert_eq!((s.get("5FC107").1, s.get("5FC103").1, s.get("5FC123").1), ("9000".into(), "6982".into(), "6982".into()));
        assert_eq!((s.sign("11", "9A", &[1; 32]).1, s.verify("123456")), ("6982".into(), "9000".into()));
        assert_eq!((s.get("5FC103").1, s.get("5FC123").0), ("9000".into(), format!("530C9908{}FE00", hex::encode(CODE))));
        assert_eq!(s.sign("11", "9A", &[1; 32]).1, "9000");
        assert_eq!(s.b.sign("11", "9A", &[1; 32]).1, "6982", "in the clear");
        assert_eq!(s.b.get("5FC107").1, "6982", "in the clear");
        s.verify("123456");
        assert_eq!((s.sign("11", "9C", &[1; 32]).1, s.sign("11", "9C", &[1; 32]).1), ("9000".into(), "6982".into()));
        let id = s.b.management_cipher().id();
        assert_eq!(s.sw(&format!("87{id:02X}9B"), "7C028100"), "6982");
        assert_eq!(s.sw("240081", &format!("{FORGET}{FORGET}")), "6982");
        assert_eq!(s.sw("240080", &format!("{}{}", padded("123456"), padded("654321"))), "9000");
        assert_eq!((s.sw("20FF98", FORGET), s.sw("20FF98", "")), ("6A80".into(), "9000".into()));
        assert_eq!((s.get("5FC107").1, s.get("5FC102").1), ("6982".into(), "9000".into()));
        s.pair(CODE);
        assert_eq!((s.pair("00000000"), s.get("5FC107").1), ("6300".into(), "6982".into()));
    }
}

#[test]
fn some_tries_are_kept_for_the_contacts() {
    let mut s = contactless(Suite::Cs2, &[]);
    s.pair(CODE);
    assert_eq!(
        [s.verify("000000"), s.verify("000000"), s.verify("000000"), s.verify("123456")],
        ["63C2", "63C1", "6983", "6983"]
    );
    assert_eq!(s.sw("240080", &format!("{}{}", padded("123456"), padded("654321"))), "6983");
    assert_eq!((s.sw("200080", ""), s.b.verify("123456")), ("63C1".into(), "6982".into()));
    s.b.card.set_interface(Interface::Contact);
    assert_eq!(s.b.verify("123456"), "9000");
}

#[test]
fn the_discovery_object_decides_whether_there_is_a_virtual_contact_interface() {
    let mut s = contactless(Suite::Cs2, &[("pairing", "none")]);
    assert_eq!(s.get("7E").0, "7E124F0BA0000003080000100001005F2F024C00");
    assert_eq!((s.get("5FC107").1, s.pair(CODE), s.verify("123456")), ("9000".into(), "6A88".into(), "9000".into()));
    s.b.card.set_interface(Interface::Contact);
    s.b.admin();
    assert_eq!(s.b.long("00DB3FFF", &[0x7E, 0x00]).1, "9000");
    s.b.card.set_interface(Interface::Contactless);
    assert_eq!((s.get("5FC107").1, s.get("5FC102").1), ("6982".into(), "9000".into()));
}

#[test]
fn with_contacts_everything_is_as_before_and_the_code_may_be_given() {
    let mut s = card(Suite::Cs7, &[]);
    assert_eq!(s.b.sw("0020009808 3635313335323735"), "9000");
    assert_eq!(s.b.verify("123456"), "9000");
    assert_eq!(s.b.get("5FC123").0, hex::decode(format!("530C9908{}FE00", hex::encode(CODE))).unwrap());
    let mut random = bench("nist-piv", &[("sm", "cs2")]);
    random.verify("123456");
    let drawn = random.get("5FC123").0;
    assert!(drawn.len() == 14 && drawn[4..12].iter().all(u8::is_ascii_digit), "{drawn:02X?}");
}

/// What computes leaves the readers' thread, wrapped or not.
#[test]
fn wrapped_commands_take_as_long_as_plain_ones() {
    let mut s = card(Suite::Cs2, &[]);
    s.b.admin();
    s.b.generate("9A", "07");
    let time = |s: &Secured, command: &str| s.b.card.computing_time(&hex::decode(command).unwrap());
    assert!(!time(&s, "008727040100").is_zero(), "an establishment");
    let plain = time(&s, "0087079A0100");
    assert!(time(&s, "0C87079A0100").is_zero(), "no session");
    s.establish();
    assert_eq!(time(&s, "0C87079A0100"), plain);
    assert!(time(&s, "1C87079A0100").is_zero(), "a block of a chain that goes on");
    assert!(!plain.is_zero() && time(&s, "0C2000800100").is_zero());
    let mut profile = Profile::builtin("yubikey-5.7").unwrap();
    profile.set("version", "5.7.4").unwrap();
    let mut key = Card::new(profile, World::seeded(1)).unwrap();
    key.power_on();
    key.transmit(&hex::decode(SELECT).unwrap()).unwrap();
    let time = |command: &str| key.computing_time(&hex::decode(command).unwrap());
    assert!(!time("808801130100").is_zero() && !time("802A03100100").is_zero() && time("805000000100").is_zero());
}

#[test]
fn a_p384_key_wants_the_suite_of_its_strength() {
    for (suite, expected) in [(Suite::Cs2, "6A80"), (Suite::Cs7, "9000")] {
        let mut s = card(suite, &[]);
        s.b.admin();
        assert_eq!((s.b.generate("9C", "14").1.as_str(), s.b.generate("9A", "14").1.as_str()), (expected, "9000"));
        assert_eq!(s.b.generate("04", "11").1, "6A86", "no command brings its certificate");
    }
}
