//! Secure messaging of the PIV card edge, SP 800-73-4 part 2 section 4: the card proves itself with a certificate of
//! its own form, the host stays anonymous, then commands and responses go encrypted and authenticated.
//!
//! | file | what |
//! |---|---|
//! | [`suite`] | CS2 and CS7: lengths and identifiers |
//! | [`certificate`] | the card verifiable certificate (CVC) |
//! | [`derivation`] | from the shared secret to session keys and the card's proof |
//! | [`wrapping`] | the data objects of a wrapped command and response |
//! | [`session`] | keys, counter and the two chains of MACs |
//!
//! Who multiplies points is not here: a card has its key, a host its own.

pub mod certificate;
pub mod derivation;
pub mod session;
pub mod suite;
pub mod wrapping;

pub use session::{Refused, Session};
pub use suite::Suite;
