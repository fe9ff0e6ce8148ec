//! A session: its keys, its counter and its chain of MACs. One for either side.
//!
//! The counter begins at 1 and goes up with every command. Its block under S-ENC is the initial vector of a command; with
//! the first byte 80 that of the response. Of a MAC 8 bytes are sent; all 16 of a command's are the beginning of what the
//! next MAC covers, that of its response too.
//!
//! After [`Refused`] a session is of no use to anybody: it has to be dropped.

use super::wrapping::{self, MAC};
use crate::channel::aes::{BLOCK, Key};
use crate::status::StatusWord;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

/// The first byte of a counter tells the direction.
const COUNTER_END: u128 = 1 << 120;

/// The keys of a session. Have no `Debug`: they are secrets.
#[derive(Clone)]
pub struct SessionKeys {
    /// S-ENC.
    pub encryption: Key,
    /// S-MAC.
    pub mac: Key,
    /// S-RMAC.
    pub response_mac: Key,
    /// The key that keys are encrypted with on their way to the card.
    pub dek: Key,
}

/// Why a message was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// It has no MAC.
    #[error("the MAC is missing")]
    Short,
    /// It was changed, replayed, or made for another session.
    #[error("the MAC is wrong")]
    Mac,
    /// What was authenticated is no whole blocks with padding.
    #[error("the padding is wrong")]
    Padding,
    /// The session has carried as many commands as it can.
    #[error("the counter is at its end")]
    Spent,
}

/// One side of a session.
pub struct Session {
    keys: SessionKeys,
    counter: u128,
    chain: [u8; BLOCK],
}

impl Session {
    /// The session that begins with these keys and this chain value: zeros in SCP03, the receipt in SCP11.
    #[must_use]
    pub const fn new(keys: SessionKeys, chain: [u8; BLOCK]) -> Self {
        Self { keys, counter: 1, chain }
    }

    /// The key that keys are encrypted with on their way to the card.
    #[must_use]
    pub const fn dek(&self) -> &Key {
        &self.keys.dek
    }

    /// Host: the data of a command that carries these. `extended` tells the form that it goes in.
    ///
    /// # Errors
    /// [`Refused::Spent`].
    pub fn seal_command(&mut self, header: [u8; 4], extended: bool, data: &[u8]) -> Result<Vec<u8>, Refused> {
        let iv = self.command_vector()?;
        let cryptogram = self.keys.encryption.seal(&iv, data);
        Ok(self.with_mac(header, extended, cryptogram))
    }

    /// Host: data of a command with a MAC, in the clear: how a host proves itself in SCP03.
    #[must_use]
    pub fn authenticate_command(&mut self, header: [u8; 4], extended: bool, data: &[u8]) -> Vec<u8> {
        self.with_mac(header, extended, data.to_vec())
    }

    /// Card: the data that a command carries, blocks of a chain joined.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn open_command(&mut self, header: [u8; 4], extended: bool, field: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let iv = self.command_vector()?;
        let cryptogram = self.check_command(header, extended, field)?;
        self.keys.encryption.open(&iv, cryptogram).ok_or(Refused::Padding)
    }

    /// Card: the data of a command that has a MAC alone.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check_command<'f>(&mut self, header: [u8; 4], extended: bool, field: &'f [u8]) -> Result<&'f [u8], Refused> {
        let (data, sent) = wrapping::split(field).ok_or(Refused::Short)?;
        let mac = self.keys.mac.mac(&[&self.chain, &wrapping::header(header, extended, data.len()), data]);
        check(&mac, sent)?;
        self.chain = mac;
        Ok(data)
    }

    /// Card: the data that carry a response. It ends the command. One that is an error without data goes as it is.
    #[must_use]
    pub fn seal_response(&mut self, data: &[u8], status: StatusWord) -> Vec<u8> {
        let iv = self.response_vector();
        self.counter += 1;
        if data.is_empty() && status != StatusWord::OK {
            return Vec::new();
        }
        let mut field = if data.is_empty() { Vec::new() } else { self.keys.encryption.seal(&iv, data) };
        let mac = self.keys.response_mac.mac(&[&self.chain, &field, &status.to_bytes()]);
        field.extend_from_slice(&mac[..MAC]);
        field
    }

    /// Host: the response that these data carry. It ends the command.
    ///
    /// # Errors
    /// [`Refused`]; also for a response that says 9000 without a MAC.
    pub fn open_response(&mut self, field: &[u8], status: StatusWord) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let iv = self.response_vector();
        self.counter += 1;
        if field.is_empty() && status != StatusWord::OK {
            return Ok(Zeroizing::default());
        }
        let (cryptogram, sent) = wrapping::split(field).ok_or(Refused::Short)?;
        check(&self.keys.response_mac.mac(&[&self.chain, cryptogram, &status.to_bytes()]), sent)?;
        match cryptogram {
            [] => Ok(Zeroizing::default()),
            cryptogram => self.keys.encryption.open(&iv, cryptogram).ok_or(Refused::Padding),
        }
    }

    fn with_mac(&mut self, header: [u8; 4], extended: bool, mut data: Vec<u8>) -> Vec<u8> {
        self.chain = self.keys.mac.mac(&[&self.chain, &wrapping::header(header, extended, data.len()), &data]);
        data.extend_from_slice(&self.chain[..MAC]);
        data
    }

    fn command_vector(&self) -> Result<[u8; BLOCK], Refused> {
        if self.counter >= COUNTER_END {
            return Err(Refused::Spent);
        }
        Ok(self.keys.encryption.block(&self.counter.to_be_bytes()))
    }

    fn response_vector(&self) -> [u8; BLOCK] {
        let mut counter = self.counter.to_be_bytes();
        counter[0] = 0x80;
        self.keys.encryption.block(&counter)
    }
}

/// Compares the bytes that are sent of a MAC, in constant time.
fn check(mac: &[u8; BLOCK], sent: &[u8; MAC]) -> Result<(), Refused> {
    if bool::from(mac[..MAC].ct_eq(sent)) { Ok(()) } else { Err(Refused::Mac) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::scp::derivation::{StaticKeys, check_value, scp11};
    use hex_literal::hex;
    use proptest::prelude::*;

    const FACTORY: [u8; 16] = hex!("404142434445464748494A4B4C4D4E4F");
    const HEADER: [u8; 4] = [0x80, 0xE4, 0x00, 0x00];

    fn pair() -> (Session, Session) {
        let keys = || StaticKeys::new(&FACTORY, &FACTORY, &FACTORY).unwrap().derive(&[1; 8], &[2; 8]).unwrap().keys;
        (Session::new(keys(), [0; 16]), Session::new(keys(), [0; 16]))
    }

    /// Computed by yubikit 5.9.2 (`ScpState`), host challenge 01*8, card challenge 02*8, factory keys.
    #[test]
    fn scp03_known_answers() {
        let derived = StaticKeys::new(&FACTORY, &FACTORY, &FACTORY).unwrap().derive(&[1; 8], &[2; 8]).unwrap();
        assert_eq!(hex::encode(derived.keys.encryption.as_bytes()), KNOWN[0]);
        assert_eq!(hex::encode(derived.keys.mac.as_bytes()), KNOWN[1]);
        assert_eq!(hex::encode(derived.keys.response_mac.as_bytes()), KNOWN[2]);
        assert_eq!(hex::encode(derived.card_cryptogram), KNOWN[3]);
        assert_eq!(hex::encode(derived.host_cryptogram), KNOWN[4]);
        let (mut host, mut card) = pair();
        let proof = host.authenticate_command([0x84, 0x82, 0x33, 0x00], false, &derived.host_cryptogram);
        assert_eq!(hex::encode(&proof), KNOWN[5]);
        assert_eq!(card.check_command([0x84, 0x82, 0x33, 0x00], false, &proof), Ok(&derived.host_cryptogram[..]));
        for (data, extended, known) in [(&b""[..], false, KNOWN[6]), (&[7; 300], false, KNOWN[7]), (b"abc", true, KNOWN[8])] {
            let sealed = host.seal_command([0x00, 0x01, 0x00, 0x00], extended, data).unwrap();
            let shown = if sealed.len() > 64 { hex::encode(&sealed[sealed.len() - 24..]) } else { hex::encode(&sealed) };
            assert_eq!(shown, known);
            assert_eq!(&card.open_command([0x00, 0x01, 0x00, 0x00], extended, &sealed).unwrap()[..], data);
            let answer = card.seal_response(data, StatusWord::OK);
            assert_eq!(&host.open_response(&answer, StatusWord::OK).unwrap()[..], data);
        }
        assert_eq!(hex::encode(check_value(&Key::new(&FACTORY).unwrap())), KNOWN[9]);
    }

    /// The same of `X963KDF` and `CMAC` of Python's cryptography: secrets 11*32 and 22*32, exchanged "ab" and "cd".
    #[test]
    fn scp11_known_answers() {
        let (keys, receipt) = scp11([&[0x11; 32], &[0x22; 32]], [b"ab", b"cd"]).unwrap();
        let keys = [keys.encryption, keys.mac, keys.response_mac, keys.dek].map(|key| hex::encode(key.as_bytes()));
        assert_eq!((keys.concat(), hex::encode(receipt)), (KNOWN_11[0].into(), KNOWN_11[1].into()));
    }

    #[test]
    fn what_is_not_the_next_message_is_refused() {
        let (mut host, _) = pair();
        let first = host.seal_command(HEADER, false, b"first").unwrap();
        host.counter += 1;
        let second = host.seal_command(HEADER, false, b"second").unwrap();
        let refused = |header, extended, field: &[u8]| pair().1.open_command(header, extended, field).err();
        assert_eq!(refused(HEADER, false, &second), Some(Refused::Mac), "reordered");
        assert_eq!(refused([0x80, 0xE4, 0x00, 0x01], false, &first), Some(Refused::Mac), "another header");
        assert_eq!(refused(HEADER, true, &first), Some(Refused::Mac), "another form");
        assert_eq!(refused(HEADER, false, &[]), Some(Refused::Short));
        for bit in 0..first.len() * 8 {
            let mut changed = first.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(refused(HEADER, false, &changed), Some(Refused::Mac), "bit {bit}");
        }
        for end in 0..first.len() {
            assert!(refused(HEADER, false, &first[..end]).is_some(), "cut at {end}");
        }
        let mut card = pair().1;
        card.open_command(HEADER, false, &first).unwrap();
        let _ = card.seal_response(b"", StatusWord::OK);
        assert_eq!(card.open_command(HEADER, false, &first).err(), Some(Refused::Mac), "replayed");
    }

    #[test]
    fn what_is_authenticated_and_badly_padded_is_refused_and_a_counter_ends() {
        let (mut host, mut card) = pair();
        let field = host.authenticate_command(HEADER, false, &[0; 16]);
        assert!(card.open_command(HEADER, false, &field).is_err());
        let (mut host, mut card) = pair();
        let field = host.authenticate_command(HEADER, false, &[]);
        assert_eq!(card.open_command(HEADER, false, &field).err(), Some(Refused::Padding));
        (host.counter, card.counter) = (COUNTER_END, COUNTER_END);
        assert_eq!(host.seal_command(HEADER, false, b"more"), Err(Refused::Spent));
        assert_eq!(card.open_command(HEADER, false, &field).err(), Some(Refused::Spent));
    }

    #[test]
    fn a_success_without_a_mac_is_none() {
        let (mut host, _) = pair();
        let _ = host.seal_command(HEADER, false, b"").unwrap();
        assert_eq!(host.open_response(&[], StatusWord::OK).err(), Some(Refused::Short));
        assert_eq!(host.open_response(&[], StatusWord::WRONG_DATA).map(|data| data.len()), Ok(0));
    }

    proptest! {
        #[test]
        fn both_sides_go_on_together(messages in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..300), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..70), any::<bool>()), 0..6)) {
            let (mut host, mut card) = pair();
            for (data, extended, answer, well) in messages {
                let field = host.seal_command(HEADER, extended, &data).unwrap();
                let opened = card.open_command(HEADER, extended, &field).unwrap();
                prop_assert_eq!(&opened[..], &data[..]);
                let status = if well { StatusWord::OK } else { StatusWord::WRONG_DATA };
                let sealed = card.seal_response(&answer, status);
                let plain = host.open_response(&sealed, status).unwrap();
                prop_assert_eq!(&plain[..], &answer[..]);
            }
        }
    }

    const KNOWN: [&str; 10] = [
        "916b404597fa31d0be78141019dd982f",
        "87d8c1ea5ef78b29b75af0e48bcbab90",
        "232749f98fd86bda4eda42ac0c6ddb71",
        "889ee412c5ee2a2f",
        "085a48556b7b3521",
        "085a48556b7b35210281c5f654c14afb",
        "114efcdf93c3db3abd41466e309c8508b04735fc1352d281",
        "61c8da4bb9c06205d067745a86ac7e1e191eab951e31c8aa",
        "c64ecfd2863163e8f6492af7c6246e2861be63d629c15d72",
        "504a77",
    ];
    const KNOWN_11: [&str; 2] = [
        "d65a454bae0fba6bb1bbab77b765500dde1380712691fe7006d7ce40a92c276bdb6fc16b7956458b0da2782aede948162e08ad5ff1cfacdb7fd13d4924abf5a2",
        "69af7c2e1c31e8bd07a0b987a2c7d0bb",
    ];
}
