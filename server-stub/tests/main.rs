//! The management server over HTTP. One module a subject.
#![allow(clippy::unwrap_used)]

#[macro_use]
mod common;

mod front;
mod http;
mod issue;
mod lists;
mod names;
mod offline;
mod online;
mod openapi;
mod pages;
mod people;
mod remote;
mod sessions;
mod task;
mod told;
mod writes;
