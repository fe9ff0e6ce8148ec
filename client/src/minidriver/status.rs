//! What a card says of itself: tries, rules, identity, room.

use super::{CardError, Minidriver, PinFault};
use crate::recognise::Edge;
use cardlab_protocol::piv;
use cardlab_protocol::tlv::{find, find_path, tag_list};

/// Length of a record of the container map, minidriver specification section 5.
const CONTAINER_RECORD: usize = 86;
/// Where its flags are; bit 0 says that the container is in use.
const CONTAINER_FLAGS: usize = 80;
/// What OpenSC and Windows use at most.
const GIDS_CONTAINERS: u16 = 126;
/// 9A, 9C, 9D, 9E and twenty retired keys.
const PIV_CONTAINERS: u16 = 24;
/// RSA 2048, P-256, P-384, RSA 3072, RSA 1024 (SP 800-78-5 table 7).
const PIV_ALGORITHMS: [u8; 5] = [0x07, 0x11, 0x14, 0x05, 0x06];
/// One that no key has.
const NO_ALGORITHM: u8 = 0x77;
/// The firmware from which a YubiKey tells of its keys (GET METADATA).
const METADATA: [u8; 3] = [5, 3, 0];

/// Tries of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Left now; 15 may stand for more where the card tells only a status word.
    pub left: u8,
    /// What a success restores, where the card tells it.
    pub maximum: Option<u8>,
}

/// Tries of all secrets. `None`: the card has none, does not count, or does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PinStatus {
    /// The PIN.
    pub pin: Option<Counter>,
    /// Whether the PIN is verified now, by this program or another.
    pub pin_verified: bool,
    /// The PUK.
    pub puk: Option<Counter>,
    /// The administrator key.
    pub admin: Option<Counter>,
}

impl PinStatus {
    /// Whether the PIN is blocked; `None` when the card does not tell.
    #[must_use]
    pub fn pin_blocked(&self) -> Option<bool> {
        self.pin.map(|counter| counter.left == 0)
    }
}

/// Which characters a PIN may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinCharacters {
    /// Digits.
    Digits,
    /// Any of ASCII that can be seen, and the blank.
    Ascii,
}

/// The rules of a PIN (CP_CARD_PIN_INFO).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinPolicy {
    /// Fewest characters.
    pub minimum: usize,
    /// Most characters.
    pub maximum: usize,
    /// Which ones.
    pub characters: PinCharacters,
}

impl PinPolicy {
    /// Checks a PIN before the card is asked.
    ///
    /// # Errors
    /// [`PinFault`] says which rule it breaks.
    pub fn check(&self, pin: &[u8]) -> Result<(), PinFault> {
        let (minimum, maximum) = (self.minimum, self.maximum);
        if pin.is_empty() {
            return Err(PinFault::Empty);
        }
        if !pin.iter().all(|b| (0x20..0x7F).contains(b)) {
            return Err(PinFault::NotAscii);
        }
        if !(minimum..=maximum).contains(&pin.len()) {
            return Err(PinFault::Length { minimum, maximum, found: pin.len() });
        }
        if self.characters == PinCharacters::Digits && !pin.iter().all(u8::is_ascii_digit) {
            return Err(PinFault::NotDigits);
        }
        Ok(())
    }
}

/// Checks a PUK before the card is asked: eight bytes by SP 800-73-4 part 2 section 2.4.3, and six on a YubiKey.
///
/// # Errors
/// [`PinFault::PukLength`].
pub fn check_puk(puk: &[u8]) -> Result<(), PinFault> {
    if (6..=8).contains(&puk.len()) { Ok(()) } else { Err(PinFault::PukLength) }
}

/// CARD_FREE_SPACE_INFO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeSpace {
    /// Bytes left; neither card edge tells them.
    pub bytes: Option<u32>,
    /// Key containers not in use.
    pub containers: u16,
    /// Whether every key is seen. Otherwise keys without a certificate are not seen, and `containers` is the
    /// most there can be.
    pub told: bool,
    /// Key containers in all.
    pub maximum_containers: u16,
}

/// How a PIV card is asked for keys.
#[derive(PartialEq, Eq)]
enum Ask {
    /// By GET METADATA.
    Metadata,
    /// By GENERAL AUTHENTICATE.
    Authenticate,
    /// Not at all.
    Nothing,
}

impl Minidriver<'_> {
    /// CardGetProperty, CP_CARD_PIN_INFO and tries: asks only, spends nothing.
    ///
    /// # Errors
    /// [`CardError::Transport`].
    pub fn card_pin_status(&mut self) -> Result<PinStatus, CardError> {
        let (_, query) = self.command(0x20, 0x00, 0x80, &[])?;
        let pin = match (self.status_object(0x71)?, self.metadata_tries(0x80)?, query) {
            (Some(counter), ..) | (None, Some(counter), _) => Some(counter),
            (_, _, 0x6983) => Some(Counter { left: 0, maximum: None }),
            (_, _, sw @ 0x63C0..=0x63CF) => Some(Counter { left: (sw & 0x0F) as u8, maximum: None }),
            // A verified PIN hides its tries.
            _ => None,
        };
        let puk = match self.edge() {
            Edge::Piv { .. } => self.metadata_tries(0x81)?,
            Edge::Gids { .. } => None,
        };
        Ok(PinStatus { pin, pin_verified: query == 0x9000, puk, admin: self.status_object(0x73)? })
    }

    /// CardGetProperty, CP_CARD_PIN_INFO: the rules that the card edge sets. A card may have stricter
    /// ones, which it does not tell.
    #[must_use]
    pub const fn card_pin_policy(&self) -> PinPolicy {
        match self.edge() {
            Edge::Gids { .. } => PinPolicy { minimum: 4, maximum: 16, characters: PinCharacters::Ascii },
            Edge::Piv { yubikey: Some(_), .. } => PinPolicy { minimum: 6, maximum: 8, characters: PinCharacters::Ascii },
            Edge::Piv { .. } => PinPolicy { minimum: 6, maximum: 8, characters: PinCharacters::Digits },
        }
    }

    /// `cardid`: what a management system knows the card by. The card UUID of a PIV card; a YubiKey's
    /// serial number when it has none.
    ///
    /// # Errors
    /// [`CardError::Transport`].
    pub fn card_id(&mut self) -> Result<Option<Vec<u8>>, CardError> {
        if let Edge::Gids { .. } = self.edge() {
            let (data, _) = self.command(0xCB, 0xA0, 0x12, &tag_list(0xDF20))?;
            return Ok(find(&data, 0xDF20).map(<[u8]>::to_vec));
        }
        let (data, _) = self.command(0xCB, 0x3F, 0xFF, &tag_list(0x5F_C102))?;
        if let Some(guid) = find_path(&data, &[0x53, 0x34]) {
            return Ok(Some(guid.to_vec()));
        }
        let (serial, sw) = self.command(0xF8, 0x00, 0x00, &[])?;
        Ok((sw == 0x9000).then_some(serial))
    }

    /// CardQueryFreeSpace (section 4.5.6). A key without a certificate is found by metadata (YubiKeys from 5.3 on), or by
    /// an empty GENERAL AUTHENTICATE, which a card refuses in other words where there is no such key. Nothing is
    /// computed, and no try is spent. Older YubiKeys say the same of both, and are not asked.
    ///
    /// # Errors
    /// [`CardError::Transport`].
    pub fn card_query_free_space(&mut self) -> Result<FreeSpace, CardError> {
        let (used, told, maximum_containers) = match self.edge() {
            Edge::Gids { .. } => {
                let (data, _) = self.command(0xCB, 0xA0, 0x10, &tag_list(0xDF23))?;
                let map = find(&data, 0xDF23).unwrap_or_default();
                let used = map.chunks_exact(CONTAINER_RECORD).filter(|r| r[CONTAINER_FLAGS] & 1 != 0).count();
                (used as u16, true, GIDS_CONTAINERS)
            }
            Edge::Piv { yubikey, .. } => {
                let ask = match yubikey {
                    Some(version) if version >= METADATA => Ask::Metadata,
                    None if self.refuses_as_absent(NO_ALGORITHM, piv::KEYS[0])? => Ask::Authenticate,
                    _ => Ask::Nothing,
                };
                let mut used = 0;
                for key in piv::KEYS.into_iter().chain(piv::RETIRED_KEYS) {
                    let Some(tag) = piv::certificate_of(key) else { continue };
                    let (data, sw) = self.command(0xCB, 0x3F, 0xFF, &tag_list(tag))?;
                    let certified = sw == 0x9000 && data.len() > 2;
                    used += u16::from(certified || self.has_key(&ask, key)?);
                }
                (used, ask != Ask::Nothing, PIV_CONTAINERS)
            }
        };
        Ok(FreeSpace { bytes: None, containers: maximum_containers.saturating_sub(used), told, maximum_containers })
    }

    /// Whether a PIV card has this key, as far as it can be asked.
    fn has_key(&mut self, ask: &Ask, key: u8) -> Result<bool, CardError> {
        match ask {
            Ask::Nothing => Ok(false),
            Ask::Metadata => Ok(self.command(0xF7, 0x00, key, &[])?.1 == 0x9000),
            Ask::Authenticate => {
                for algorithm in PIV_ALGORITHMS {
                    if !self.refuses_as_absent(algorithm, key)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// Whether an empty GENERAL AUTHENTICATE is refused as one of a key that is not there, and not for its PIN or form.
    fn refuses_as_absent(&mut self, algorithm: u8, key: u8) -> Result<bool, CardError> {
        Ok(matches!(self.command(0x87, algorithm, key, &[0x7C, 0x00])?.1, 0x6A81 | 0x6A82 | 0x6A86 | 0x6A88))
    }

    /// GIDS' PIN status objects, 7F71 and 7F73.
    fn status_object(&mut self, low: u8) -> Result<Option<Counter>, CardError> {
        let tag = 0x7F00 | u32::from(low);
        let (data, _) = self.command(0xCB, 0x3F, 0xFF, &tag_list(tag))?;
        let status = find(&data, tag).unwrap_or_default();
        let byte = |tag| find(status, tag).and_then(|value| value.first().copied());
        Ok(byte(0x97).map(|left| Counter { left, maximum: byte(0x93) }))
    }

    /// GET METADATA of YubiKeys: `06 {maximum, left}`.
    fn metadata_tries(&mut self, reference: u8) -> Result<Option<Counter>, CardError> {
        let (data, sw) = self.command(0xF7, 0x00, reference, &[])?;
        let tries = find(&data, 0x06).filter(|_| sw == 0x9000);
        Ok(match tries {
            Some([maximum, left, ..]) => Some(Counter { left: *left, maximum: Some(*maximum) }),
            _ => None,
        })
    }
}
