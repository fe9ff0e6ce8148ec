//! The card as its users see it: bytes in, bytes out. One module a subject.
#![allow(clippy::unwrap_used)]

mod commits;
mod common;
mod computing_time;
mod gids;
mod issued;
mod judgement;
mod messaging;
mod objects;
mod piv_commands;
mod power_cut;
mod random_apdus;
mod reference_data;
mod retry_model;
mod stored;
mod transcripts;
mod unblock_model;
mod yubikey;
