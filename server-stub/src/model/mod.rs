//! Types and rules, without a database and without I/O.
//!
//! | module | what it knows |
//! |---|---|
//! | [`keys`], [`vault`] | administrator keys: derivation, sealing, responses |
//! | [`names`], [`answers`] | how names of people and answers to questions are compared |
//! | `signs` | what names are written with |
//! | `search` | what people and cards are found by |
//! | [`user`], [`card`], [`question`], [`policy`], [`random_pin`], [`role`], [`tags`] | people, cards, what holds for them, what operators may do |
//! | [`flow`], [`response`], [`task`] | ways to a response, what was given and what became of it, what agents are to do |
//! | `revision` | what somebody has seen of what is configured |
//! | [`event`], [`refusal`], [`limit`], [`list`] | what happens, why something does not, how often it may; lists by pages |
//! | [`captcha`] | letters that are seen or heard, and typed |
//! | [`station`] | cards that are connected to the server's machine, given from outside |
//! | [`clock`] | time |

pub mod answers;
pub mod captcha;
pub mod card;
pub mod clock;
pub mod csv;
pub mod event;
pub mod flow;
pub mod keys;
pub mod limit;
pub mod list;
pub mod names;
pub mod policy;
pub mod question;
pub(crate) mod random;
pub mod random_pin;
pub mod refusal;
pub mod response;
pub(crate) mod revision;
pub mod role;
pub(crate) mod search;
pub(crate) mod signs;
pub mod station;
pub(crate) mod subject;
pub mod tags;
pub mod task;
pub mod user;
pub mod vault;
