//! How a command reached the card, and what that has to be: the interface rules of SP 800-73-4 part 1 tables 2 and 5 and
//! section 5.5, and part 2 section 3.2.1.
//!
//! | reach | what it is |
//! |---|---|
//! | contactless | without contacts, in the clear |
//! | messaging | without contacts, under secure messaging |
//! | virtual | the virtual contact interface (VCI): under secure messaging, the Discovery Object offers the VCI, and the pairing code was given where that wants one |
//! | contact | contacts; and every way to a card that has no such rules |
//!
//! Each is more than the one before it: what asks for one is met by all that follow. A plain command in the middle of a
//! session is contactless, whatever was proved under secure messaging before.

use super::{Piv, objects, pairing};
use crate::applet::Env;
use crate::conditions::Interface;
use crate::keys;
use crate::nvm::Nvm;
use cardlab_protocol::tlv;

/// How a command reached the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Without contacts, in the clear.
    Contactless,
    /// Without contacts, under secure messaging.
    Messaging,
    /// The virtual contact interface.
    Virtual,
    /// Contacts.
    Contact,
}

impl Reach {
    /// What the use of a key asks for.
    #[must_use]
    pub const fn of_key(key: u8) -> Self {
        match key {
            keys::MESSAGING | 0x9E => Self::Contactless,
            keys::ADMINISTRATION => Self::Contact,
            _ => Self::Virtual,
        }
    }

    /// What VERIFY and CHANGE REFERENCE DATA ask for.
    #[must_use]
    pub const fn of_reference(reference: u8) -> Self {
        match reference {
            0x00 | 0x80 => Self::Virtual,
            pairing::REFERENCE => Self::Messaging,
            _ => Self::Contact,
        }
    }
}

/// How this command reached the card.
pub(crate) fn reach(piv: &Piv, env: &Env<'_>) -> Reach {
    let rules = env.profile.piv().contactless_rules;
    match (env.conditions.interface, env.secured) {
        (Interface::Contactless, false) if rules => Reach::Contactless,
        (Interface::Contactless, true) if rules => match Policy::of(env.nvm) {
            Policy { virtual_contact: true, pairing } if !pairing || piv.paired => Reach::Virtual,
            _ => Reach::Messaging,
        },
        _ => Reach::Contact,
    }
}

/// What the PIN usage policy of the Discovery Object says of the virtual contact interface; nothing without that object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    /// Bit 08: it is offered.
    pub(super) virtual_contact: bool,
    /// Not bit 04: it wants the pairing code.
    pub(super) pairing: bool,
}

impl Policy {
    pub(super) fn of(nvm: &Nvm) -> Self {
        let object = objects::read(nvm, objects::DISCOVERY).unwrap_or_default();
        let bits = tlv::find(object, 0x5F2F).and_then(|policy| policy.first().copied()).unwrap_or_default();
        Self { virtual_contact: bits & 0x08 != 0, pairing: bits & 0x04 == 0 }
    }
}
