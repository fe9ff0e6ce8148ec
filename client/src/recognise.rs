//! What kind of card it is. Selects an application; changes nothing else on the card.

use crate::transport::{Transport, TransportError, send};
use cardlab_protocol::tlv::find;

const SELECT_GIDS: &[u8] =
    &[0x00, 0xA4, 0x04, 0x00, 0x0B, 0xA0, 0x00, 0x00, 0x03, 0x97, 0x42, 0x54, 0x46, 0x59, 0x02, 0x01, 0x00];
const SELECT_PIV: &[u8] = &[0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00];
const SELECT_MANAGEMENT: &[u8] = &[0x00, 0xA4, 0x04, 0x00, 0x08, 0xA0, 0x00, 0x00, 0x05, 0x27, 0x47, 0x11, 0x17, 0x00];
const GET_VERSION: &[u8] = &[0x00, 0xFD, 0x00, 0x00, 0x00];
const GET_SERIAL: &[u8] = &[0x00, 0xF8, 0x00, 0x00, 0x00];
const READ_CONFIG: &[u8] = &[0x00, 0x1D, 0x00, 0x00, 0x00];
const GET_PIN_STATUS: &[u8] = &[0x00, 0xCB, 0x3F, 0xFF, 0x04, 0x5C, 0x02, 0x7F, 0x71, 0x00];
const GET_DISCOVERY: &[u8] = &[0x00, 0xCB, 0x3F, 0xFF, 0x03, 0x5C, 0x01, 0x7E, 0x00];
const GET_MASTER_FILE: &[u8] = &[0x00, 0xCB, 0xA0, 0x00, 0x04, 0x5C, 0x02, 0xDF, 0x1F, 0x00];

/// The card edge: which commands a card understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Microsoft's GIDS.
    Gids {
        /// Whether it has its file system; a new card does not.
        initialised: bool,
    },
    /// NIST PIV.
    Piv {
        /// Whether the administrator key unblocks the PIN, as on a GIDS card.
        admin_unblock: bool,
        /// Firmware of a YubiKey.
        yubikey: Option<[u8; 3]>,
    },
}

impl Edge {
    /// What people call such a card.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Gids { initialised: true } => "GIDS card".into(),
            Self::Gids { initialised: false } => "GIDS card, not initialised".into(),
            Self::Piv { yubikey: Some([a, b, c]), .. } => format!("YubiKey {a}.{b}.{c}"),
            Self::Piv { admin_unblock: true, .. } => "PIV card, managed".into(),
            Self::Piv { .. } => "PIV card".into(),
        }
    }
}

/// What is selected, as far as it says itself.
enum Selected {
    Gids { initialised: bool },
    Piv { admin_unblock: bool, version: Option<[u8; 3]> },
}

impl Selected {
    /// The edge, once it is known whether a version is that of a YubiKey: others answer GET VERSION too (PivApplet says
    /// 5.4.0, CanoKey 5.7.0, Nitrokeys 6.6.6), and GET SERIAL.
    fn edge(self, is_yubikey: impl FnOnce() -> Result<bool, TransportError>) -> Result<Edge, TransportError> {
        Ok(match self {
            Self::Gids { initialised } => Edge::Gids { initialised },
            Self::Piv { admin_unblock, version } => {
                Edge::Piv { admin_unblock, yubikey: if version.is_some() && is_yubikey()? { version } else { None } }
            }
        })
    }
}

/// Selects the card's application; `None` when it has neither.
///
/// # Errors
/// [`TransportError`] when the card cannot be asked.
pub fn recognise(card: &mut dyn Transport) -> Result<Option<Edge>, TransportError> {
    if send(card, SELECT_GIDS)?.1 == 0x9000 {
        return current(card);
    }
    if send(card, SELECT_PIV)?.1 != 0x9000 {
        return Ok(None);
    }
    // Who answers to PIV's name is a PIV card, with a discovery object or without.
    let piv = selected(card)?.unwrap_or(Selected::Piv { admin_unblock: false, version: None });
    piv.edge(|| is_managed_as_yubikey(card)).map(Some)
}

/// The application that is selected now, without selecting any: a pending challenge lives on. `None`
/// when neither is. A YubiKey is known by its answer to reset, because its other applications cannot be asked; where the
/// reader tells none, it is a PIV card like others.
///
/// # Errors
/// [`TransportError`] when the card cannot be asked.
pub fn current(card: &mut dyn Transport) -> Result<Option<Edge>, TransportError> {
    selected(card)?.map(|selected| selected.edge(|| Ok(card.atr().is_some_and(|atr| names_yubikey(&atr))))).transpose()
}

fn selected(card: &mut dyn Transport) -> Result<Option<Selected>, TransportError> {
    let pin_status = send(card, GET_PIN_STATUS)?.1 == 0x9000;
    let version = send(card, GET_VERSION)?;
    let version = Some(version).filter(|(_, sw)| *sw == 0x9000).and_then(|(data, _)| <[u8; 3]>::try_from(data).ok());
    if version.is_some() || send(card, GET_DISCOVERY)?.1 == 0x9000 {
        return Ok(Some(Selected::Piv { admin_unblock: pin_status, version }));
    }
    if !pin_status {
        return Ok(None);
    }
    let (master, _) = send(card, GET_MASTER_FILE)?;
    Ok(Some(Selected::Gids { initialised: find(&master, 0xDF1F).is_some() }))
}

/// Whether the card has the management application that every YubiKey has, and a serial number: in its device
/// information (from 4.1 on) or as PIV tells it (from 5 on). PIV is selected again afterwards.
fn is_managed_as_yubikey(card: &mut dyn Transport) -> Result<bool, TransportError> {
    if send(card, SELECT_MANAGEMENT)?.1 != 0x9000 {
        send(card, SELECT_PIV)?;
        return Ok(false);
    }
    // A length of one byte, then the objects; 02 is the serial number.
    let (information, sw) = send(card, READ_CONFIG)?;
    let told = information.get(1..).filter(|_| sw == 0x9000).and_then(|objects| find(objects, 0x02)).is_some_and(is_serial);
    send(card, SELECT_PIV)?;
    if told {
        return Ok(true);
    }
    let (serial, sw) = send(card, GET_SERIAL)?;
    Ok(sw == 0x9000 && is_serial(&serial))
}

fn is_serial(bytes: &[u8]) -> bool {
    bytes.len() == 4 && bytes.iter().any(|byte| *byte != 0)
}

/// Whether historical bytes are those of a YubiKey: `YubiKey` (5), `Yubikey4`, `YubikeyNEO`.
fn names_yubikey(atr: &[u8]) -> bool {
    atr.windows(7).any(|name| name.eq_ignore_ascii_case(b"yubikey"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the ATR list of the PC/SC tools, and as CanoKey and jCardSim say it.
    #[test]
    fn an_answer_to_reset_names_a_yubikey_or_not() {
        let named = |atr: &str| names_yubikey(&hex::decode(atr).unwrap());
        for yubikey in [
            "3BFD1300008131FE158073C021C057597562694B657940",
            "3BF81300008131FE15597562696B657934D4",
            "3BFC1300008131FE15597562696B65794E454F7233E1",
            "3B8D80018073C021C057597562694B6579F9",
        ] {
            assert!(named(yubikey), "{yubikey}");
        }
        for other in ["3B80800101", "3BF71100008131FE6543616E6F6B657999", ""] {
            assert!(!named(other), "{other}");
        }
    }
}
