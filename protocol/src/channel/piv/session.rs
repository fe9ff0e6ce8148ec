//! A session: its keys, its counter and its two chains of MACs, SP 800-73-4 part 2 section 4.2. One for either side.
//!
//! The counter begins at 1 and goes up with every wrapped command, one without data too. Its block under the key is the
//! initial vector of a command; with the first byte 80 that of the response. Of a MAC 8 bytes are sent; all 16 are the
//! beginning of what the next one covers.
//!
//! After [`Refused`] a session is of no use to anybody: it has to be dropped.

use super::Suite;
use super::wrapping::{self, Malformed, WrappedCommand, WrappedResponse};
use crate::channel::aes::{BLOCK, Key, pad};
use crate::status::StatusWord;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

/// The counter of a response has another first byte, so a command's has to leave it zero.
const COUNTER_END: u128 = 1 << 120;

/// The keys of a session. Have no `Debug`: they are secrets.
pub struct SessionKeys {
    /// SK_MAC, for commands.
    pub mac: Key,
    /// SK_ENC, for both directions.
    pub encryption: Key,
    /// SK_RMAC, for responses.
    pub response_mac: Key,
}

/// Why a message was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// Its data objects are not those of secure messaging.
    #[error(transparent)]
    Objects(#[from] Malformed),
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

/// A command that came out of its wrapping.
pub struct Opened {
    /// Its data.
    pub data: Zeroizing<Vec<u8>>,
    /// Whether it has an Le.
    pub expects_data: bool,
}

/// One side of a session.
pub struct Session {
    suite: Suite,
    keys: SessionKeys,
    counter: u128,
    command_chain: [u8; BLOCK],
    response_chain: [u8; BLOCK],
}

impl Session {
    /// The session that begins with these keys.
    #[must_use]
    pub const fn new(suite: Suite, keys: SessionKeys) -> Self {
        Self { suite, keys, counter: 1, command_chain: [0; BLOCK], response_chain: [0; BLOCK] }
    }

    /// The cipher suite.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// Host: the data field that carries this command.
    ///
    /// # Errors
    /// [`Refused::Spent`].
    pub fn seal_command(&mut self, [ins, p1, p2]: [u8; 3], data: &[u8], expects_data: bool) -> Result<Vec<u8>, Refused> {
        let padded = if data.is_empty() { Zeroizing::default() } else { pad(data) };
        self.seal_blocks([ins, p1, p2], &padded, expects_data)
    }

    /// Host: as [`Session::seal_command`], with data whose padding is the caller's, for seeing what a card makes of
    /// another. What is no whole blocks goes as it is, unencrypted.
    ///
    /// # Errors
    /// [`Refused::Spent`].
    pub fn seal_blocks(&mut self, [ins, p1, p2]: [u8; 3], blocks: &[u8], expects_data: bool) -> Result<Vec<u8>, Refused> {
        let iv = self.command_vector()?;
        let encrypted = || self.keys.encryption.encrypt(&iv, blocks).unwrap_or_else(|| blocks.to_vec());
        let cryptogram = (!blocks.is_empty()).then(encrypted);
        let mut field = wrapping::command(cryptogram.as_deref(), expects_data);
        self.command_chain = self.keys.mac.mac(&[&self.command_chain, &wrapping::header(ins, p1, p2), &field]);
        wrapping::add_mac(&mut field, &self.command_chain);
        Ok(field)
    }

    /// Card: the command that this data field carries, blocks of a chain joined.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn open_command(&mut self, [ins, p1, p2]: [u8; 3], field: &[u8]) -> Result<Opened, Refused> {
        let iv = self.command_vector()?;
        let wrapped = WrappedCommand::parse(field)?;
        let mac = self.keys.mac.mac(&[&self.command_chain, &wrapping::header(ins, p1, p2), wrapped.covered]);
        check(&mac, wrapped.mac)?;
        self.command_chain = mac;
        Ok(Opened { data: self.open(&iv, wrapped.cryptogram)?, expects_data: wrapped.expects_data })
    }

    /// Card: the data that carry this response. It ends the command.
    #[must_use]
    pub fn seal_response(&mut self, data: &[u8], status: StatusWord) -> Vec<u8> {
        let cryptogram = (!data.is_empty()).then(|| self.keys.encryption.seal(&self.response_vector(), data));
        let mut field = wrapping::response(cryptogram.as_deref(), status);
        self.response_chain = self.keys.response_mac.mac(&[&self.response_chain, &field]);
        wrapping::add_mac(&mut field, &self.response_chain);
        self.counter += 1;
        field
    }

    /// Host: the response that these data carry. It ends the command.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn open_response(&mut self, field: &[u8]) -> Result<(Zeroizing<Vec<u8>>, StatusWord), Refused> {
        let wrapped = WrappedResponse::parse(field)?;
        let mac = self.keys.response_mac.mac(&[&self.response_chain, wrapped.covered]);
        check(&mac, wrapped.mac)?;
        self.response_chain = mac;
        let data = self.open(&self.response_vector(), wrapped.cryptogram)?;
        self.counter += 1;
        Ok((data, wrapped.status))
    }

    fn open(&self, iv: &[u8; BLOCK], cryptogram: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>, Refused> {
        match cryptogram {
            None => Ok(Zeroizing::default()),
            Some(cryptogram) => self.keys.encryption.open(iv, cryptogram).ok_or(Refused::Padding),
        }
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
fn check(mac: &[u8; BLOCK], sent: &[u8; wrapping::MAC_LENGTH]) -> Result<(), Refused> {
    if bool::from(mac[..sent.len()].ct_eq(sent)) { Ok(()) } else { Err(Refused::Mac) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::piv::derivation::{Agreement, card_identifier};
    use hex_literal::hex;
    use proptest::prelude::*;

    fn keys(suite: Suite, fill: u8) -> SessionKeys {
        let key = |n: u8| Key::new(&vec![fill + n; suite.key()]).unwrap();
        SessionKeys { mac: key(1), encryption: key(2), response_mac: key(3) }
    }

    fn pair(suite: Suite) -> (Session, Session) {
        (Session::new(suite, keys(suite, 0)), Session::new(suite, keys(suite, 0)))
    }

    /// A command, what it is on the wire, the plain response, what that is on the wire.
    struct Exchange<'a> {
        header: [u8; 3],
        data: &'a [u8],
        expects_data: bool,
        wrapped: &'a [u8],
        answer: &'a [u8],
        status: u16,
        wrapped_answer: &'a [u8],
    }

    fn replay(keys: impl Fn() -> SessionKeys, suite: Suite, exchanges: &[Exchange<'_>]) {
        let (mut host, mut card) = (Session::new(suite, keys()), Session::new(suite, keys()));
        for exchange in exchanges {
            let field = host.seal_command(exchange.header, exchange.data, exchange.expects_data).unwrap();
            assert_eq!(hex::encode_upper(&field), hex::encode_upper(exchange.wrapped));
            let opened = card.open_command(exchange.header, &field).unwrap();
            assert_eq!((&opened.data[..], opened.expects_data), (exchange.data, exchange.expects_data));
            let answer = card.seal_response(exchange.answer, StatusWord(exchange.status));
            assert_eq!(hex::encode_upper(&answer), hex::encode_upper(exchange.wrapped_answer));
            let (data, status) = host.open_response(&answer).unwrap();
            assert_eq!((&data[..], status.0), (exchange.answer, exchange.status));
        }
    }

    const DISCOVERY: [u8; 20] = hex!("7E124F0BA0000003080000100001005F2F024800");
    const PIN: [u8; 8] = hex!("313233343536FFFF");

    const CS2: [Exchange<'static>; 4] = [
        Exchange {
            header: [0x20, 0x00, 0x98],
            data: b"65135275",
            expects_data: false,
            wrapped: &hex!("8711010AA008B6E8716000C758E914B7D448618E08B245C7546CD9184C"),
            answer: &[],
            status: 0x9000,
            wrapped_answer: &hex!("990290008E08E47457AC1060C3F3"),
        },
        Exchange {
            header: [0xCB, 0x3F, 0xFF],
            data: &hex!("5C017E"),
            expects_data: true,
            wrapped: &hex!("8711010A491C48130ECA90E458EBB2F053A2709701008E081795C2A35CC5E10C"),
            answer: &DISCOVERY,
            status: 0x9000,
            wrapped_answer: &hex!(
                "87210151211A538732C69DE9A4FF9D3F8331B9B471DDDC4193BA63CDF21230DAB9346E990290008E08D8B1056F15CB8581"
            ),
        },
        Exchange {
            header: [0x20, 0x00, 0x80],
            data: &[],
            expects_data: false,
            wrapped: &hex!("8E0830F9C962A57B9225"),
            answer: &[],
            status: 0x63C3,
            wrapped_answer: &hex!("990263C38E08DF7C15DC52A8B4A4"),
        },
        Exchange {
            header: [0x20, 0x00, 0x80],
            data: &PIN,
            expects_data: false,
            wrapped: &hex!("871101D04DC2A4FAE82AC9BE86350C35AB02D38E088604D39241136DA7"),
            answer: &[],
            status: 0x9000,
            wrapped_answer: &hex!("990290008E08A15CF6EF3752110D"),
        },
    ];

    const CS7: [Exchange<'static>; 4] = [
        Exchange {
            wrapped: &hex!("8711010B4365874C7AC1199E410B3208E9C0DE8E089F0853524A67179B"),
            wrapped_answer: &hex!("990290008E089A9420EF90429F39"),
            ..CS2[0]
        },
        Exchange {
            wrapped: &hex!("8711012F23453D5C98CC605B817CAD1C289F3F9701008E08B689B3D514174C7C"),
            wrapped_answer: &hex!(
                "87210195ADE448CDB1F77D3A27F2287B8A0FEC1C19D97710F014F7E13729FE94A3626E990290008E08400D105CF3F36C4B"
            ),
            ..CS2[1]
        },
        Exchange { wrapped: &hex!("8E081067C63D22E7D7FD"), wrapped_answer: &hex!("990263C38E08A562055D56F89DEB"), ..CS2[2] },
        Exchange {
            wrapped: &hex!("87110196FD8AAEF603A67704A12C07CEBE23B78E088ABC80AB64E1CEC2"),
            wrapped_answer: &hex!("990290008E081165BBB3E8643089"),
            ..CS2[3]
        },
    ];

    const HOST: [u8; 8] = hex!("1011121314151617");

    /// Vectors made by an independent program, with toy keys.
    #[test]
    fn cs2_known_answers() {
        let point = hex!(
            "0451A7580833898EA1B183CBD7350A4099078C6EF1C1E18E970CD7683035F25E7D0110522712B0B5A7CFF081685486984A94E6831EDAC46E7360FA9D834A7A81A1"
        );
        let derived = || {
            let agreement = Agreement {
                suite: Suite::Cs2,
                secret: &hex!("5F1C591A4BBA11BEE0D5A2A642EEF6385D59AAB8D6A6F151D8D857E2E822A67F"),
                control: 0,
                host: &HOST,
                point: &point,
                card: &hex!("23F4509C0B4BFD04"),
                nonce: &hex!("707172737475767778797A7B7C7D7E7F"),
            };
            agreement.derive().unwrap()
        };
        let (keys, confirmation) = derived();
        assert_eq!(keys.mac.as_bytes(), hex!("0AF82ECA297EB06AB0B3ED8F37976CB6"));
        assert_eq!(keys.encryption.as_bytes(), hex!("94825C86CBE640350160AC76252949B1"));
        assert_eq!(keys.response_mac.as_bytes(), hex!("DA123D53AE98D5D0F8B5483610BB9D16"));
        assert_eq!(confirmation, hex!("5730A27A598B57946971EB90663BCC1A"));
        replay(|| derived().0, Suite::Cs2, &CS2);
    }

    #[test]
    fn cs7_known_answers() {
        let point = hex!(
            "04B34B8C0631557021DD5DA7964B0F645443A969A1AF9E0E33C1EBD1E9123D329ED7F07B9E37D6B24997351DA3656DE532BE1D328E70005C0E759F93320DBBCC0B64C0C6D5D7C2122FA3649F20EEF05795C070247BC87D81AEDBA6B03CF244DDD3"
        );
        let derived = || {
            let agreement = Agreement {
                suite: Suite::Cs7,
                secret: &hex!("AC8C146A6BF0308BC749473D1270B302FD3BE552C18884C2EC7393FD501A5101FDBD9A3EEBF4E19791F7C7BC5A181FCD"),
                control: 0,
                host: &HOST,
                point: &point,
                card: &hex!("9A8E025A7556FAD4"),
                nonce: &hex!("707172737475767778797A7B7C7D7E7F8081828384858687"),
            };
            agreement.derive().unwrap()
        };
        let (keys, confirmation) = derived();
        assert_eq!(keys.mac.as_bytes(), hex!("1BA638C8FD1947370C3AE15FAABE7685D92D0F688CEE10BF288536A8AE0D0355"));
        assert_eq!(keys.encryption.as_bytes(), hex!("DCC5170772BDAB31BD14C6BE486E6C3688E61666E6FC513C7147C35B98B9686E"));
        assert_eq!(keys.response_mac.as_bytes(), hex!("0E0EB77042A67079C45D0147C26AA9FC3D3B6F17A2532968C2C73A02702C604F"));
        assert_eq!(confirmation, hex!("7780324F4A718AFA48CF6975E80C8F94"));
        replay(|| derived().0, Suite::Cs7, &CS7);
    }

    /// A capture of a NIST test card (SD 33, card 3), contactless.
    #[test]
    fn a_real_cards_exchange() {
        let derived = || {
            let mut point = [0; 65];
            point[0] = 4;
            point[1..17].copy_from_slice(&hex!("896E6B2724EBEC172C42EE57836BA790"));
            let agreement = Agreement {
                suite: Suite::Cs2,
                secret: &hex!("7FA7D0D3C68FBEEDD8C7FDC466D5693897F3896E672D3D420E1AC8555F3A6C8F"),
                control: 0,
                host: &[0; 8],
                point: &point,
                card: &hex!("6FD73A54D8A00ED1"),
                nonce: &hex!("400C631CCD0CFC1680873BA1E1A981FD"),
            };
            agreement.derive().unwrap().0
        };
        assert_eq!(derived().encryption.as_bytes(), hex!("D605EC0A89526344B519333FDADE2023"));
        let pairing = Exchange {
            data: b"00000003",
            wrapped: &hex!("871101F3C778C75E2A6605C7814754E9DE186A8E08621C84CB7FC56B70"),
            wrapped_answer: &hex!("990290008E08412147D6E12B3D60"),
            ..CS2[0]
        };
        replay(derived, Suite::Cs2, &[pairing]);
    }

    #[test]
    fn a_card_is_named_by_its_whole_certificate() {
        assert_ne!(card_identifier(&hex!("7F2100")), card_identifier(&[]));
    }

    #[test]
    fn what_is_not_the_next_message_is_refused() {
        let header = [0xCB, 0x3F, 0xFF];
        let (mut host, _) = pair(Suite::Cs2);
        let first = host.seal_command(header, b"first", true).unwrap();
        host.counter += 1;
        let second = host.seal_command(header, b"second", true).unwrap();
        let mut card = pair(Suite::Cs2).1;
        card.open_command(header, &first).unwrap();
        let _ = card.seal_response(b"", StatusWord::OK);
        assert_eq!(card.open_command(header, &first).err(), Some(Refused::Mac), "replayed");
        assert_eq!(pair(Suite::Cs2).1.open_command(header, &second).err(), Some(Refused::Mac), "reordered");
        assert_eq!(pair(Suite::Cs2).1.open_command([0xCB, 0x3F, 0xFE], &first).err(), Some(Refused::Mac), "another header");
        for bit in 0..first.len() * 8 {
            let mut changed = first.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(pair(Suite::Cs2).1.open_command(header, &changed).is_err(), "bit {bit}");
        }
        for end in 0..first.len() {
            assert!(pair(Suite::Cs2).1.open_command(header, &first[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn what_is_authenticated_and_badly_padded_is_refused() {
        let (mut host, mut card) = pair(Suite::Cs7);
        for blocks in [[0; 16], [1; 16]] {
            let field = host.seal_blocks([0x20, 0, 0x80], &blocks, false).unwrap();
            assert_eq!(card.open_command([0x20, 0, 0x80], &field).err(), Some(Refused::Padding));
            (host, card) = pair(Suite::Cs7);
        }
        for cryptogram in [&[0; 15][..], &[]] {
            let mut field = wrapping::command(Some(cryptogram), false);
            let mac = host.keys.mac.mac(&[&host.command_chain, &wrapping::header(0x20, 0, 0x80), &field]);
            wrapping::add_mac(&mut field, &mac);
            assert_eq!(card.open_command([0x20, 0, 0x80], &field).err(), Some(Refused::Padding));
            (host, card) = pair(Suite::Cs7);
        }
        host.counter = COUNTER_END - 1;
        card.counter = COUNTER_END - 1;
        let last = host.seal_command([0x20, 0, 0x80], b"last", false).unwrap();
        assert_eq!(&card.open_command([0x20, 0, 0x80], &last).unwrap().data[..], b"last");
        host.open_response(&card.seal_response(b"", StatusWord::OK)).unwrap();
        assert_eq!(host.seal_command([0x20, 0, 0x80], b"more", false), Err(Refused::Spent));
        assert_eq!(card.open_command([0x20, 0, 0x80], &last).err(), Some(Refused::Spent));
    }

    proptest! {
        #[test]
        fn both_sides_go_on_together(cs7: bool, messages in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..70), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..70), any::<u16>()), 0..6)) {
            let (mut host, mut card) = pair(if cs7 { Suite::Cs7 } else { Suite::Cs2 });
            for (data, expects_data, answer, status) in messages {
                let field = host.seal_command([0x87, 0x07, 0x9A], &data, expects_data).unwrap();
                let opened = card.open_command([0x87, 0x07, 0x9A], &field).unwrap();
                prop_assert_eq!((&opened.data[..], opened.expects_data), (&data[..], expects_data));
                let (plain, inner) = host.open_response(&card.seal_response(&answer, StatusWord(status))).unwrap();
                prop_assert_eq!((&plain[..], inner.0), (&answer[..], status));
            }
        }
    }
}
