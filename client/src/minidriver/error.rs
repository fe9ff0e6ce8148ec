//! What can go wrong with a card, with what is left of it.

use crate::transport::TransportError;
use std::fmt;
use thiserror::Error;

/// A counted secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// The PIN.
    Pin,
    /// The PIN unblocking key.
    Puk,
    /// The administrator key, by a response.
    AdminKey,
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pin => "PIN",
            Self::Puk => "PUK",
            Self::AdminKey => "response",
        })
    }
}

/// What is wrong with a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PinFault {
    /// Nothing was entered.
    #[error("the PIN is empty")]
    Empty,
    /// Too few or too many characters.
    #[error("a PIN of this card has {minimum} to {maximum} characters, not {found}")]
    Length {
        /// Fewest.
        minimum: usize,
        /// Most.
        maximum: usize,
        /// Entered.
        found: usize,
    },
    /// Something else than digits.
    #[error("a PIN of this card has digits only")]
    NotDigits,
    /// Characters that keyboards and systems encode in different ways.
    #[error("a PIN has letters, digits and signs of the plain keyboard only (ASCII); others come out differently elsewhere")]
    NotAscii,
    /// The two entries differ.
    #[error("the confirmation differs from the new PIN")]
    Confirmation,
    /// The card has rules that it does not tell.
    #[error("the card refuses this PIN by rules of its own; choose another")]
    RefusedByCard,
    /// A PUK of a wrong length.
    #[error("a PUK has 6 to 8 characters")]
    PukLength,
}

/// Why a card did not do what it was asked. Counters are as they are after it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CardError {
    /// The secret was wrong (SCARD_W_WRONG_CHV).
    #[error("wrong {secret}{}", tries(*left))]
    Wrong {
        /// Which one.
        secret: Secret,
        /// Tries left; `None` when the card does not count them.
        left: Option<u8>,
    },
    /// No try is left (SCARD_W_CHV_BLOCKED).
    #[error("{}", blocked(*.0))]
    Blocked(Secret),
    /// The card does not wait for this response: another challenge, a reset or another program came
    /// between.
    #[error("the card no longer waits for this response")]
    ChallengeGone,
    /// It is not the card that was there before.
    #[error("this is another card than before; nothing was sent to it")]
    AnotherCard,
    /// The PIN cannot be one; the card was not asked, or has spent nothing.
    #[error(transparent)]
    Pin(#[from] PinFault),
    /// It needs the administrator key first (SCARD_W_SECURITY_VIOLATION).
    #[error("the card wants a right response to its challenge first")]
    NotAuthenticated,
    /// The card cannot do it (SCARD_E_UNSUPPORTED_FEATURE).
    #[error("{0}")]
    NotSupported(&'static str),
    /// Neither a GIDS nor a PIV card.
    #[error("the card is neither a GIDS nor a PIV card")]
    Unknown,
    /// An answer that the standards do not have here.
    #[error("the card answered {sw:04X} to command {command:02X}")]
    Unexpected {
        /// Instruction byte.
        command: u8,
        /// Status word.
        sw: u16,
    },
    /// The card could not be asked.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

fn tries(left: Option<u8>) -> String {
    match left {
        Some(0) => "; no tries left".into(),
        Some(1) => "; 1 try left".into(),
        Some(left) => format!("; {left} tries left"),
        None => String::new(),
    }
}

const fn blocked(secret: Secret) -> &'static str {
    match secret {
        Secret::Pin => "the PIN is blocked",
        Secret::Puk => "the PUK is blocked",
        Secret::AdminKey => "the administrator key is blocked: nothing unblocks this card any more",
    }
}

/// The meaning of a status word after a comparison.
pub(super) fn checked(command: u8, sw: u16, secret: Secret) -> Result<(), CardError> {
    match sw {
        0x9000 => Ok(()),
        0x6983 => Err(CardError::Blocked(secret)),
        0x63C0..=0x63CF => Err(CardError::Wrong { secret, left: Some((sw & 0x0F) as u8) }),
        _ => Err(CardError::Unexpected { command, sw }),
    }
}
