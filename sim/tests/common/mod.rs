//! A card and the words to talk to it, shared by the tests of this crate.
#![allow(unreachable_pub)]

use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_protocol::tlv;
use cardlab_sim::{Card, Profile, World};

pub const PROFILES: [&str; 4] = ["nist-piv", "yubikey-4.3", "yubikey-5.4", "yubikey-5.7"];
/// Those with the GIDS card edge or the administrator key's way to unblock.
pub const MANAGED: [&str; 2] = ["gids", "piv-admin"];
pub const SELECT: &str = "00A4040005A000000308";
pub const SELECT_GIDS: &str = "00A404000BA0000003974254465902 01";
/// The administrator key of a new GIDS card.
pub const GIDS_KEY: &str = "000000000000000000000000000000000000000000000000";
pub const KEY: &str = "010203040506070801020304050607080102030405060708";

pub struct Bench {
    pub card: Card,
}

/// A powered card with its application selected.
pub fn bench(profile: &str, settings: &[(&str, &str)]) -> Bench {
    let mut profile = Profile::builtin(profile).unwrap();
    for (key, value) in settings {
        profile.set(key, value).unwrap();
    }
    let mut bench = Bench { card: Card::new(profile, World::seeded(42)).unwrap() };
    bench.power_on();
    bench
}

impl Bench {
    pub fn power_on(&mut self) {
        self.card.power_on();
        let sw = self.select();
        assert!(sw == "9000" || sw.starts_with("61"), "SELECT: {sw}");
    }

    pub fn is_gids(&self) -> bool {
        self.card.profile().gids.is_some()
    }

    pub fn select(&mut self) -> String {
        let select = if self.is_gids() { SELECT_GIDS } else { SELECT };
        self.sw(select)
    }

    /// A PIN as this card wants it, with its length before it.
    pub fn pin(&self, pin: &str) -> String {
        let bytes = if self.is_gids() { hex::encode_upper(pin) } else { padded(pin) };
        format!("{:02X}{bytes}", bytes.len() / 2)
    }

    /// Hexadecimal command, hexadecimal response.
    pub fn send(&mut self, command: &str) -> String {
        let command = hex::decode(command.replace(' ', "")).unwrap();
        hex::encode_upper(self.card.transmit(&command).unwrap())
    }

    /// The status word only.
    pub fn sw(&mut self, command: &str) -> String {
        let response = self.send(command);
        response[response.len() - 4..].to_owned()
    }

    /// Data of a command that may be long both ways: chained, and fetched with GET RESPONSE.
    pub fn long(&mut self, header: &str, data: &[u8]) -> (Vec<u8>, String) {
        let header = hex::decode(header.replace(' ', "")).unwrap();
        let mut blocks: Vec<&[u8]> = data.chunks(255).collect();
        if blocks.is_empty() {
            blocks.push(&[]);
        }
        let (last, first) = blocks.split_last().unwrap();
        for block in first {
            let mut apdu = vec![header[0] | 0x10, header[1], header[2], header[3], block.len() as u8];
            apdu.extend_from_slice(block);
            assert_eq!(self.card.transmit(&apdu).unwrap(), [0x90, 0x00]);
        }
        let mut apdu = header.clone();
        if !last.is_empty() {
            apdu.push(last.len() as u8);
            apdu.extend_from_slice(last);
        }
        apdu.push(0);
        let mut out = Vec::new();
        let mut response = self.card.transmit(&apdu).unwrap();
        loop {
            let sw = response.split_off(response.len() - 2);
            out.append(&mut response);
            if sw[0] != 0x61 {
                return (out, hex::encode_upper(sw));
            }
            response = self.card.transmit(&[0x00, 0xC0, 0x00, 0x00, sw[1]]).unwrap();
        }
    }

    pub fn verify(&mut self, pin: &str) -> String {
        self.sw(&format!("00200080{}", self.pin(pin)))
    }

    /// The status query.
    pub fn status(&mut self) -> String {
        self.sw("00200080")
    }

    pub fn change(&mut self, reference: &str, old: &str, new: &str) -> String {
        self.sw(&format!("002400{reference}10{}{}", padded(old), padded(new)))
    }

    pub fn unblock(&mut self, puk: &str, new: &str) -> String {
        self.sw(&format!("002C008010{}{}", padded(puk), padded(new)))
    }

    pub fn block_pin(&mut self) {
        while self.verify("000000") != "6983" {}
    }

    pub fn block_puk(&mut self) {
        while self.change("81", "00000000", "11111111") != "6983" {}
    }

    pub fn management_cipher(&self) -> Cipher {
        self.card.profile().management_key.algorithm
    }

    /// Asks for a challenge of the administrator key and gives it.
    pub fn challenge(&mut self) -> Vec<u8> {
        let (challenge, sw) = self.try_challenge();
        assert_eq!(sw, "9000");
        challenge
    }

    /// GENERAL AUTHENTICATE with the administrator key, named before on a GIDS card.
    fn authenticate(&mut self, template: &[u8]) -> (Vec<u8>, String) {
        if self.is_gids() {
            assert_eq!(self.sw("0022C1A403830180"), "9000");
            return self.long("00870000", template);
        }
        let id = self.management_cipher().id();
        self.long(&format!("0087{id:02X}9B"), template)
    }

    pub fn try_challenge(&mut self) -> (Vec<u8>, String) {
        let (data, sw) = self.authenticate(&[0x7C, 0x02, 0x81, 0x00]);
        (tlv::only(&data, 0x7C).and_then(|t| tlv::find(t, 0x81)).unwrap_or_default().to_vec(), sw)
    }

    /// The right response to a challenge under a factory key.
    pub fn response(&self, challenge: &[u8]) -> Vec<u8> {
        let rules = &self.card.profile().management_key;
        AdminKey::new(rules.algorithm, &rules.value).unwrap().encrypt(challenge).unwrap()
    }

    /// RESET RETRY COUNTER after the administrator key.
    pub fn unblock_by_admin(&mut self, new: &str) -> String {
        self.sw(&format!("002C0280{}", self.pin(new)))
    }

    pub fn respond(&mut self, response: &[u8]) -> String {
        let template = tlv::encode(0x7C, &tlv::encode(0x82, response));
        self.authenticate(&template).1
    }

    /// Authenticates the administrator key.
    pub fn admin(&mut self) {
        let challenge = self.challenge();
        let response = self.response(&challenge);
        assert_eq!(self.respond(&response), "9000");
    }

    /// PUT DATA of a `53` object.
    pub fn put(&mut self, tag: &str, value: &[u8]) -> String {
        let tag = hex::decode(tag).unwrap();
        let data = [tlv::encode(0x5C, &tag), tlv::encode(0x53, value)].concat();
        self.long("00DB3FFF", &data).1
    }

    /// GET DATA, joined.
    pub fn get(&mut self, tag: &str) -> (Vec<u8>, String) {
        let tag = hex::decode(tag).unwrap();
        self.long("00CB3FFF", &tlv::encode(0x5C, &tag))
    }

    /// GENERATE; the public key template's value.
    pub fn generate(&mut self, slot: &str, algorithm: &str) -> (Vec<u8>, String) {
        let data = hex::decode(format!("AC0380 01{algorithm}").replace(' ', "")).unwrap();
        self.long(&format!("004700{slot}"), &data)
    }

    /// GENERAL AUTHENTICATE for a signature or decryption.
    pub fn sign(&mut self, algorithm: &str, slot: &str, input: &[u8]) -> (Vec<u8>, String) {
        let template = tlv::encode(0x7C, &[tlv::encode(0x82, &[]), tlv::encode(0x81, input)].concat());
        self.long(&format!("0087{algorithm}{slot}"), &template)
    }

    /// GENERAL AUTHENTICATE for a shared secret.
    pub fn agree(&mut self, algorithm: &str, slot: &str, point: &[u8]) -> (Vec<u8>, String) {
        let template = tlv::encode(0x7C, &[tlv::encode(0x82, &[]), tlv::encode(0x85, point)].concat());
        self.long(&format!("0087{algorithm}{slot}"), &template)
    }
}

/// The result object of a GENERAL AUTHENTICATE answer.
pub fn result(data: &[u8]) -> &[u8] {
    tlv::find(tlv::only(data, 0x7C).unwrap(), 0x82).unwrap()
}

/// A PIN as hexadecimal, padded with FF to eight bytes.
pub fn padded(pin: &str) -> String {
    let mut bytes = pin.as_bytes().to_vec();
    bytes.resize(8, 0xFF);
    hex::encode_upper(bytes)
}
