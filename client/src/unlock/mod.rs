//! Unlocking a card with the administration key that somebody else has.
//!
//! A challenge is single use, and the card forgets it at the slightest disturbance. So it is guarded:
//! [`offline`] keeps a transaction, or holds none and looks before it uses the response; [`online`]
//! does all within one short transaction. Neither ever repeats a response by itself.

pub mod offline;
pub mod online;
