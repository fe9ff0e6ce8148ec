//! What kind of card it is. Selects an application; changes nothing else on the card.

use crate::transport::{Transport, TransportError, send};
use cardlab_protocol::tlv::find;

const SELECT_GIDS: &[u8] =
    &[0x00, 0xA4, 0x04, 0x00, 0x0B, 0xA0, 0x00, 0x00, 0x03, 0x97, 0x42, 0x54, 0x46, 0x59, 0x02, 0x01, 0x00];
const SELECT_PIV: &[u8] = &[0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00];
const SELECT_MANAGEMENT: &[u8] = &[0x00, 0xA4, 0x04, 0x00, 0x08, 0xA0, 0x00, 0x00, 0x05, 0x27, 0x47, 0x11, 0x17, 0x00];
const GET_VERSION: &[u8] = &[0x00, 0xFD, 0x00, 0x00, 0x00];
const GET_METADATA: &[u8] = &[0x00, 0xF7, 0x00, 0x9B, 0x00];
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
        /// Whether the administration key unblocks the PIN, as on a GIDS card.
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
    let edge = current(card)?.unwrap_or(Edge::Piv { admin_unblock: false, yubikey: None });
    match edge {
        Edge::Piv { yubikey: Some(_), admin_unblock } if !has_management(card)? => {
            Ok(Some(Edge::Piv { yubikey: None, admin_unblock }))
        }
        edge => Ok(Some(edge)),
    }
}

/// Whether the card has the management application that every YubiKey has: others answer GET VERSION too (PivApplet
/// says 5.4.0, CanoKey 5.7.0). PIV is selected again afterwards.
fn has_management(card: &mut dyn Transport) -> Result<bool, TransportError> {
    let has = send(card, SELECT_MANAGEMENT)?.1 == 0x9000;
    send(card, SELECT_PIV)?;
    Ok(has)
}

/// The application that is selected now, without selecting any: a pending challenge lives on. `None`
/// when neither is.
///
/// # Errors
/// [`TransportError`] when the card cannot be asked.
pub fn current(card: &mut dyn Transport) -> Result<Option<Edge>, TransportError> {
    let pin_status = send(card, GET_PIN_STATUS)?.1 == 0x9000;
    let version = send(card, GET_VERSION)?;
    let version = Some(version).filter(|(_, sw)| *sw == 0x9000).and_then(|(data, _)| <[u8; 3]>::try_from(data).ok());
    let yubikey = match version {
        // Cards of other makes say a version as well (Nitrokeys 6.6.6), but know nothing of their keys; YubiKeys tell it,
        // or do not have the command.
        Some(version) => Some(version).filter(|_| !matches!(send(card, GET_METADATA), Ok((data, 0x9000)) if data.is_empty())),
        None => None,
    };
    if version.is_some() || send(card, GET_DISCOVERY)?.1 == 0x9000 {
        return Ok(Some(Edge::Piv { admin_unblock: pin_status, yubikey }));
    }
    if !pin_status {
        return Ok(None);
    }
    let (master, _) = send(card, GET_MASTER_FILE)?;
    Ok(Some(Edge::Gids { initialised: find(&master, 0xDF1F).is_some() }))
}
