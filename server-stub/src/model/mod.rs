//! Types and rules, without a database and without I/O.
//!
//! | module | what it knows |
//! |---|---|
//! | [`keys`], [`vault`] | administrator keys: derivation, sealing, responses |
//! | [`names`], [`answers`] | how names of people and answers to questions are compared |
//! | [`card`], [`policy`], [`role`], [`random_pin`] | cards, what holds for their users, what operators may do |
//! | [`event`], [`refusal`] | what happens, and why something does not |
//! | [`station`] | cards that are connected to the server's machine, given from outside |
//! | [`clock`] | time |

pub mod answers;
pub mod card;
pub mod clock;
pub mod event;
pub mod keys;
pub mod names;
pub mod policy;
pub(crate) mod random;
pub mod random_pin;
pub mod refusal;
pub mod role;
pub mod station;
pub mod vault;
