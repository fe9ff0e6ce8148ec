//! The functions of the Microsoft smart card minidriver specification, over the card edges that
//! there are.
//!
//! | function | GIDS | PIV | managed PIV |
//! |---|---|---|---|
//! | [`Minidriver::card_authenticate_pin`] | VERIFY 80 | same | same |
//! | [`Minidriver::card_get_challenge`] | MSE C1A4, 87 `{81}` | 87 on 9B `{81}` | same |
//! | [`Minidriver::card_authenticate_challenge`] | 87 `{82}` | 87 on 9B `{82}` | same |
//! | [`Minidriver::card_unblock_pin`] by response | 2C 02 80 | - | 2C 02 80 |
//! | [`Minidriver::card_unblock_pin`] by PUK | - | 2C 00 80 | same |
//! | [`Minidriver::card_change_authenticator`] | 24 00 80 | same | same |
//! | [`Minidriver::card_reset_pin`] after a response | 2C 02 80 | - | 2C 02 80 |
//! | [`Minidriver::card_change_admin_key`] | DB 3FFF, key 80 | FF FFFF | same |
//! | [`Minidriver::card_set_pin_tries`] | DB 3FFF, 7F71 | FA of YubiKeys | DB 3FFF, 7F71 |
//! | [`Minidriver::card_deauthenticate`] | VERIFY 82 | VERIFY P1=FF | same |
//!
//! Nothing here repeats a command by itself: a try that was spent without need cannot be given back.

mod error;
mod status;

pub use error::{CardError, PinFault, Secret};
pub use status::{Counter, FreeSpace, PinCharacters, PinPolicy, PinStatus, check_puk};

use crate::recognise::{self, Edge};
use crate::transport::{Transport, TransportError, send};
use cardlab_protocol::admin_key::AdminKey;
use cardlab_protocol::apdu::short;
use cardlab_protocol::tlv::find_path;
use zeroize::Zeroizing;

const INS_VERIFY: u8 = 0x20;
const INS_CHANGE: u8 = 0x24;
const INS_RESET_RETRY: u8 = 0x2C;
const INS_PUT_DATA: u8 = 0xDB;
const INS_SET_PIN_RETRIES: u8 = 0xFA;
const INS_SET_MANAGEMENT_KEY: u8 = 0xFF;
/// What SET PIN RETRIES makes a YubiKey's PIN (Yubico's PIV documentation, PIN and PUK).
pub const FACTORY_PIN: &str = "123456";
/// The same of its PUK.
pub const FACTORY_PUK: &str = "12345678";
const FACTORY_PUK_TRIES: u8 = 3;
/// Algorithm identifiers of 9B: 3DES, AES-128, AES-192, AES-256.
const PIV_ADMIN_ALGORITHMS: [u8; 4] = [0x03, 0x08, 0x0A, 0x0C];
const PIV_PIN_LENGTH: usize = 8;
const FIXED_TRIES: CardError = CardError::NotSupported("this card has its PIN try limit from its maker, or takes no such one");
const PUK_ONLY: CardError = CardError::NotSupported("this PIV card is unblocked with its PUK only");

/// What unblocks a PIN.
#[derive(Clone, Copy)]
pub enum Authenticator<'a> {
    /// The response to the challenge that [`Minidriver::card_get_challenge`] gave.
    Response(&'a [u8]),
    /// The PIN unblocking key.
    Puk(&'a [u8]),
}

/// A card whose application is selected.
pub struct Minidriver<'t> {
    card: &'t mut dyn Transport,
    edge: Edge,
}

impl<'t> Minidriver<'t> {
    /// Recognises the card and selects its application. Ends a pending challenge.
    ///
    /// # Errors
    /// [`CardError::Unknown`] for a card of another kind; [`CardError::Transport`].
    pub fn open(card: &'t mut dyn Transport) -> Result<Self, CardError> {
        Self::open_or_return(card).map_err(|(_, error)| error)
    }

    /// As [`Minidriver::open`]; a card that is not opened comes back.
    pub(crate) fn open_or_return(card: &'t mut dyn Transport) -> Result<Self, (&'t mut dyn Transport, CardError)> {
        match recognise::recognise(card) {
            Ok(Some(edge)) => Ok(Self { card, edge }),
            Ok(None) => Err((card, CardError::Unknown)),
            Err(error) => Err((card, error.into())),
        }
    }

    /// As [`Minidriver::open`] with the application that is selected already; a pending challenge
    /// stays.
    ///
    /// # Errors
    /// As [`Minidriver::open`].
    pub fn resume(card: &'t mut dyn Transport) -> Result<Self, CardError> {
        let edge = recognise::current(card)?.ok_or(CardError::ChallengeGone)?;
        Ok(Self { card, edge })
    }

    /// As [`Minidriver::resume`], where a known application is selected; else as [`Minidriver::open`]: for one who
    /// only looks, and should not end somebody's challenge or login.
    ///
    /// # Errors
    /// As [`Minidriver::open`].
    pub fn resume_or_open(card: &'t mut dyn Transport) -> Result<Self, CardError> {
        match recognise::current(card) {
            Ok(Some(edge)) => Ok(Self { card, edge }),
            _ => Self::open(card),
        }
    }

    /// The card edge.
    #[must_use]
    pub const fn edge(&self) -> Edge {
        self.edge
    }

    /// The way to the card, for transactions around several calls.
    pub fn transport(&mut self) -> &mut dyn Transport {
        self.card
    }

    /// CardAuthenticatePin (section 4.4.4).
    ///
    /// # Errors
    /// [`CardError::Wrong`], [`CardError::Blocked`], [`CardError::Pin`] before the card is asked.
    pub fn card_authenticate_pin(&mut self, pin: &[u8]) -> Result<(), CardError> {
        self.card_pin_policy().check(pin)?;
        let (_, sw) = self.command(INS_VERIFY, 0x00, 0x80, &self.padded(pin))?;
        error::checked(INS_VERIFY, sw, Secret::Pin)
    }

    /// CardGetChallenge (section 4.4.5): 8 bytes, 16 from a card with an AES key. Ends the one before.
    ///
    /// # Errors
    /// [`CardError::Blocked`] when the administrator key is lost, [`CardError::NotSupported`].
    pub fn card_get_challenge(&mut self) -> Result<Vec<u8>, CardError> {
        let request = [0x7C, 0x02, 0x81, 0x00];
        let (data, sw) = match self.edge {
            Edge::Gids { .. } => {
                let (_, sw) = self.command(0x22, 0xC1, 0xA4, &[0x83, 0x01, 0x80])?;
                if sw != 0x9000 {
                    return Err(CardError::NotSupported("the card has no administrator key"));
                }
                self.command(0x87, 0x00, 0x00, &request)?
            }
            Edge::Piv { .. } => self.any_algorithm(&request)?,
        };
        error::checked(0x87, sw, Secret::AdminKey)?;
        let challenge = find_path(&data, &[0x7C, 0x81]).filter(|c| !c.is_empty()).map(<[u8]>::to_vec);
        challenge.ok_or(CardError::Unexpected { command: 0x87, sw })
    }

    /// As [`Minidriver::card_get_challenge`], for a response that [`Minidriver::card_unblock_pin`] takes: a
    /// card that is unblocked in another way gives none.
    ///
    /// # Errors
    /// As [`Minidriver::card_get_challenge`].
    pub fn unblock_challenge(&mut self) -> Result<Vec<u8>, CardError> {
        if let Edge::Piv { admin_unblock: false, .. } = self.edge {
            return Err(PUK_ONLY);
        }
        self.card_get_challenge()
    }

    /// CardAuthenticateChallenge (section 4.4.6). Right or wrong, it ends the challenge.
    ///
    /// # Errors
    /// [`CardError::Wrong`], [`CardError::Blocked`], [`CardError::ChallengeGone`];
    /// [`CardError::NotSupported`] for a response that is not 8 or 16 bytes.
    pub fn card_authenticate_challenge(&mut self, response: &[u8]) -> Result<(), CardError> {
        if !matches!(response.len(), 8 | 16) {
            return Err(CardError::NotSupported("a response has 8 bytes, 16 for a card with an AES key"));
        }
        let length = response.len() as u8;
        let template = [&[0x7C, length + 2, 0x82, length], response].concat();
        let (_, sw) = match self.edge {
            Edge::Gids { .. } => self.command(0x87, 0x00, 0x00, &template)?,
            Edge::Piv { .. } => self.any_algorithm(&template)?,
        };
        match sw {
            0x6985 | 0x6A80 | 0x6984 => Err(CardError::ChallengeGone),
            // A card that counts nothing says 6982 of a wrong response; a card that waits for none too.
            0x6982 => Err(CardError::Wrong { secret: Secret::AdminKey, left: self.card_pin_status()?.admin.map(|c| c.left) }),
            sw => error::checked(0x87, sw, Secret::AdminKey),
        }
    }

    /// CardUnblockPin (section 4.4.7): authenticates, then sets a new PIN with full tries.
    ///
    /// # Errors
    /// [`CardError::Pin`] before the card is asked; [`CardError::Wrong`], [`CardError::Blocked`],
    /// [`CardError::ChallengeGone`], [`CardError::NotSupported`].
    pub fn card_unblock_pin(&mut self, authenticator: Authenticator<'_>, new_pin: &[u8]) -> Result<(), CardError> {
        self.card_pin_policy().check(new_pin)?;
        match (authenticator, self.edge) {
            (Authenticator::Response(_), Edge::Piv { admin_unblock: false, .. }) => Err(PUK_ONLY),
            (Authenticator::Puk(_), Edge::Gids { .. }) => {
                Err(CardError::NotSupported("a GIDS card has no PUK; it is unblocked by challenge and response"))
            }
            (Authenticator::Response(response), _) => {
                self.card_authenticate_challenge(response)?;
                self.card_reset_pin(new_pin)
            }
            (Authenticator::Puk(puk), _) => {
                check_puk(puk)?;
                let data = Zeroizing::new([self.padded(puk).as_slice(), &self.padded(new_pin)].concat());
                let (_, sw) = self.command(INS_RESET_RETRY, 0x00, 0x80, &data)?;
                match sw {
                    0x6A80 | 0x6985 => Err(CardError::Pin(PinFault::RefusedByCard)),
                    sw => error::checked(INS_RESET_RETRY, sw, Secret::Puk),
                }
            }
        }
    }

    /// The second half of CardUnblockPin: a new PIN with full tries, once a response was right. Ends the
    /// administrator key's authentication.
    ///
    /// # Errors
    /// [`CardError::Pin`] before the card is asked, or when it refuses; [`CardError::NotSupported`].
    pub fn card_reset_pin(&mut self, new_pin: &[u8]) -> Result<(), CardError> {
        if let Edge::Piv { admin_unblock: false, .. } = self.edge {
            return Err(PUK_ONLY);
        }
        self.card_pin_policy().check(new_pin)?;
        let new_pin = self.padded(new_pin);
        match self.command(INS_RESET_RETRY, 0x02, 0x80, &new_pin)?.1 {
            0x6A80 | 0x6700 | 0x6985 => {
                self.card_deauthenticate()?;
                Err(CardError::Pin(PinFault::RefusedByCard))
            }
            sw => error::checked(INS_RESET_RETRY, sw, Secret::Pin),
        }
    }

    /// CardChangeAuthenticatorEx for ROLE_ADMIN (section 4.4.9), once a response to the old key was
    /// right. PIV has no command for it; where a card has Yubico's SET MANAGEMENT KEY, that is taken.
    ///
    /// # Errors
    /// [`CardError::NotSupported`] on cards that have no command for it;
    /// [`CardError::NotAuthenticated`] without a right response before.
    pub fn card_change_admin_key(&mut self, key: &AdminKey) -> Result<(), CardError> {
        let bytes = key.as_bytes();
        let length = bytes.len() as u8;
        let (ins, sw) = match self.edge {
            Edge::Gids { .. } => {
                let head = [0x70, length + 12, 0x84, 0x01, 0x80, 0xA5, length + 7, 0x87, length];
                let data = Zeroizing::new([&head[..], bytes, &[0x88, 0x03], &key.check_value()].concat());
                (INS_PUT_DATA, self.command(INS_PUT_DATA, 0x3F, 0xFF, &data)?.1)
            }
            Edge::Piv { .. } => {
                let data = Zeroizing::new([&[key.cipher().id(), 0x9B, length][..], bytes].concat());
                (INS_SET_MANAGEMENT_KEY, self.command(INS_SET_MANAGEMENT_KEY, 0xFF, 0xFF, &data)?.1)
            }
        };
        match sw {
            0x6982 => Err(CardError::NotAuthenticated),
            0x6D00 => Err(CardError::NotSupported("this card has no command that changes its administrator key")),
            sw => error::checked(ins, sw, Secret::AdminKey),
        }
    }

    /// Sets how many wrong PINs block the PIN, once a response was right. A YubiKey wants the PIN verified too, and puts PIN
    /// and PUK back to their factory values ([`FACTORY_PIN`], [`FACTORY_PUK`]); GIDS and managed PIV cards have a command
    /// for it where their maker gave them one, and give no try back.
    ///
    /// # Errors
    /// [`CardError::NotSupported`] on cards that have their limit from their maker, or take no such one;
    /// [`CardError::NotAuthenticated`].
    pub fn card_set_pin_tries(&mut self, limit: u8) -> Result<(), CardError> {
        let sw = match self.edge {
            Edge::Piv { yubikey: Some(_), .. } => {
                // The PUK keeps its limit, where the card tells it; else it has the factory's.
                let puk = self.card_pin_status()?.puk.and_then(|puk| puk.maximum).unwrap_or(FACTORY_PUK_TRIES);
                self.command(INS_SET_PIN_RETRIES, limit, puk, &[])?.1
            }
            Edge::Gids { .. } | Edge::Piv { admin_unblock: true, .. } => {
                self.command(INS_PUT_DATA, 0x3F, 0xFF, &[0x7F, 0x71, 0x03, 0x93, 0x01, limit])?.1
            }
            Edge::Piv { .. } => return Err(FIXED_TRIES),
        };
        match sw {
            0x9000 => Ok(()),
            0x6982 => Err(CardError::NotAuthenticated),
            0x6A80 | 0x6A81 | 0x6A86 | 0x6A88 | 0x6984 | 0x6D00 => Err(FIXED_TRIES),
            sw => Err(CardError::Unexpected { command: INS_PUT_DATA, sw }),
        }
    }

    /// CardChangeAuthenticator (section 4.4.8): a new PIN for the old one.
    ///
    /// # Errors
    /// [`CardError::Pin`] before the card is asked; [`CardError::Wrong`], [`CardError::Blocked`].
    pub fn card_change_authenticator(&mut self, old: &[u8], new: &[u8]) -> Result<(), CardError> {
        let policy = self.card_pin_policy();
        policy.check(old)?;
        policy.check(new)?;
        let data = Zeroizing::new([self.padded(old).as_slice(), &self.padded(new)].concat());
        match self.command(INS_CHANGE, 0x00, 0x80, &data)?.1 {
            0x6A80 | 0x6700 | 0x6985 => Err(CardError::Pin(PinFault::RefusedByCard)),
            sw => error::checked(INS_CHANGE, sw, Secret::Pin),
        }
    }

    /// CardChangeAuthenticator for the PUK (ROLE_ADMIN of a PIV card).
    ///
    /// # Errors
    /// [`CardError::Wrong`], [`CardError::Blocked`], [`CardError::NotSupported`] on a GIDS card.
    pub fn card_change_puk(&mut self, old: &[u8], new: &[u8]) -> Result<(), CardError> {
        if let Edge::Gids { .. } = self.edge {
            return Err(CardError::NotSupported("a GIDS card has no PUK"));
        }
        check_puk(old)?;
        check_puk(new)?;
        let data = Zeroizing::new([self.padded(old).as_slice(), &self.padded(new)].concat());
        match self.command(INS_CHANGE, 0x00, 0x81, &data)?.1 {
            0x6A80 | 0x6985 => Err(CardError::Pin(PinFault::RefusedByCard)),
            sw => error::checked(INS_CHANGE, sw, Secret::Puk),
        }
    }

    /// CardDeauthenticateEx (section 4.4.10): forgets PIN and administrator key.
    ///
    /// # Errors
    /// [`CardError::Transport`]; cards that cannot forget are left to the next reset.
    pub fn card_deauthenticate(&mut self) -> Result<(), CardError> {
        let (p1, p2) = match self.edge {
            Edge::Gids { .. } => (0x00, 0x82),
            Edge::Piv { .. } => (0xFF, 0x80),
        };
        self.command(INS_VERIFY, p1, p2, &[])?;
        Ok(())
    }

    /// A GENERAL AUTHENTICATE on 9B under the algorithm that the card's key has: the others are refused
    /// before anything is compared.
    fn any_algorithm(&mut self, template: &[u8]) -> Result<(Vec<u8>, u16), CardError> {
        let mut answer = (Vec::new(), 0x6A86);
        for algorithm in PIV_ADMIN_ALGORITHMS {
            // A response tells by its length whether it is one of 3DES.
            if template.get(2) == Some(&0x82) && (template.len() == 4 + 8) != (algorithm == 0x03) {
                continue;
            }
            answer = self.command(0x87, algorithm, 0x9B, template)?;
            if !matches!(answer.1, 0x6A86 | 0x6A80 | 0x6A88) {
                break;
            }
        }
        Ok(answer)
    }

    /// Sends a short command; its data is wiped afterwards.
    fn command(&mut self, ins: u8, p1: u8, p2: u8, data: &[u8]) -> Result<(Vec<u8>, u16), TransportError> {
        let le = matches!(ins, 0x87 | 0xCB).then_some(0x00);
        send(self.card, &Zeroizing::new(short([0x00, ins, p1, p2], data, le)))
    }

    /// A PIN as the card wants it: PIV pads with FF.
    fn padded(&self, pin: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut padded = Zeroizing::new(Vec::with_capacity(pin.len().max(PIV_PIN_LENGTH)));
        padded.extend_from_slice(pin);
        if matches!(self.edge, Edge::Piv { .. }) {
            padded.resize(PIV_PIN_LENGTH, 0xFF);
        }
        padded
    }
}
