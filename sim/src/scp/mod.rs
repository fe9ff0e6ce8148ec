//! Secure channels of YubiKey firmware 5.7.2 and later: GlobalPlatform's SCP03 and SCP11 a, b and c, with the keys of the
//! security domain. A channel is opened in the application that uses it, always with these keys.
//!
//! | file | what |
//! |---|---|
//! | [`store`] | the keys in memory: sets, private and public keys, their tries, what belongs to them |
//! | [`factory`] | the keys of a new card, and the way back to them |
//! | [`opening`] | the commands that open a channel |
//! | [`certificate`] | the certificates of hosts (OCE) |
//! | [`domain`] | the security domain: what is told of keys, and what changes them |
//!
//! Sources: GlobalPlatform Card Specification 2.3 with Amendments D and F, Yubico's manual of the security domain, what
//! yubikit 5.9 sends and demands. Where these are silent a comment says "unconfirmed".

mod certificate;
pub(crate) mod domain;
pub(crate) mod factory;
pub(crate) mod opening;
pub(crate) mod store;

use crate::nvm::Nvm;
use crate::profile::Profile;
use cardlab_protocol::channel::scp::Session;

/// A channel that is open.
pub(crate) struct Open {
    /// The card's side of it.
    pub(crate) session: Session,
    /// Whether the host has proved itself with a key that may change others: SCP03 and SCP11a, never SCP11b and c.
    pub(crate) authenticated: bool,
}

/// Whether this card has secure channels: its firmware knows them, and its memory has keys for them.
pub(crate) fn offers(nvm: &Nvm, profile: &Profile) -> bool {
    profile.yubikey.as_ref().is_some_and(|rules| rules.has_channels()) && store::keys(nvm).next().is_some()
}
