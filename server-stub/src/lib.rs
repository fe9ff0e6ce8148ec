//! A stub of the card management server: policies, people, cards, and the answers to challenges. Knows
//! nothing of simulation: the administrator keys stay here, challenges come in and responses go out. Only
//! a [`station::Station`], which is given from outside, writes keys to cards.
//!
//! | module | what it knows |
//! |---|---|
//! | [`keys`], [`vault`] | administrator keys: derivation, sealing, responses |
//! | [`names`] | how people's names are compared and found |
//! | [`answers`], [`workers`] | how answers are compared and stored; hashing in a bounded pool |
//! | [`policy`], [`card`], [`role`], [`refusal`] | rules without a database |
//! | [`store`], [`records`], [`event`], [`limits`] | the database, its rows, the log, how often |
//! | [`flow`] | the ways to a response: online, operator's wizard, Remote Self-Service; what workstations tell |
//! | [`responses`] | which responses were given, and what became of them |
//! | [`task`] | what operators order and agents on workstations do |
//! | [`issue`], [`station`], [`random_pin`] | writing to cards that are connected to the server's machine |
//! | [`desk`], [`self_service`], [`configuration`], [`login`], [`bootstrap`] | what operators, users and administrators do |
//! | [`http`] | all of it over HTTP: the workstation service, the API, the pages |
//!
//! One step's way: [`http`] reads the request, a method of [`server::Server`] opens a transaction, reads
//! card, user, policy and role as they are now, judges, writes the change with its event, commits.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod answers;
pub mod bootstrap;
pub mod card;
pub mod clock;
pub mod configuration;
pub mod desk;
pub mod event;
pub mod flow;
pub mod http;
pub mod issue;
pub mod keys;
pub mod limits;
pub mod login;
pub mod names;
pub mod policy;
mod random;
pub mod random_pin;
pub mod records;
pub mod refusal;
pub mod responses;
pub mod role;
pub mod self_service;
pub mod server;
pub mod station;
pub mod store;
mod subject;
pub mod task;
pub mod vault;
pub mod workers;
