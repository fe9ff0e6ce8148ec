//! The host side, on cards in process. One module a subject.
#![allow(clippy::unwrap_used)]

mod channel;
mod desk;
mod elsewhere;
mod hostile;
mod messaging;
mod minidriver;
mod owner;
mod session;
