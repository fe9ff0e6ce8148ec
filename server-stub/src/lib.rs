//! A stub of the card management server: policies, people, cards, and the answers to challenges. Knows
//! nothing of simulation: the administrator keys stay here, challenges come in and responses go out. Only
//! a [`model::station::Station`], which is given from outside, writes keys to cards.
//!
//! | module | what it knows |
//! |---|---|
//! | [`model`] | people, cards, keys, policies, events: types and rules, without a database |
//! | [`store`] | the database: a module a table, the only one that knows SQL |
//! | [`service`] | what people, operators, workstations and agents do: a use case a service |
//! | [`words`] | what all of it says to people, in their language |
//! | [`http`] | all of it over HTTP: the workstation service, the API, the pages |
//!
//! One step's way: [`http`] reads the request, a method of a [`service`] opens a transaction, reads
//! card, user, policy and role as they are now, judges, writes the change with its event, commits.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod http;
pub mod model;
pub mod service;
pub mod store;
pub mod words;
