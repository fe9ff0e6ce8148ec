//! Unlocking a card with the administrator key that somebody else has.
//!
//! A challenge is single use, and the card forgets it at the slightest disturbance. Nothing here ever repeats a response by
//! itself.
//!
//! | module | what it knows |
//! |---|---|
//! | [`session`] | what happens, what is shown, what is done about it: a state machine |
//! | [`desk`] | its driver: readers, server and person on threads of their own |
//! | `hand` | one card, on a thread of its own |
//! | `watch` | when that card is looked at again |
//! | `card` | the same card by one connection: what waits in it, and what it says of itself |
//! | `exchange` | what is asked of it, as commands |
//! | [`look`] | one look at a card |
//! | [`pending`] | which code was drawn last, for several programs of one user |
//! | `teller` | reports to the server, and those that wait for it |

mod card;
pub mod desk;
mod exchange;
mod hand;
pub mod look;
mod own;
pub mod pending;
pub mod session;
mod teller;
mod watch;
