//! The management server over HTTP. One module a subject.
#![allow(clippy::unwrap_used)]

#[macro_use]
mod common;

mod captcha;
mod configured;
mod correct;
mod filters;
mod forms;
mod frame;
mod front;
mod health;
mod http;
mod issue;
mod kept;
mod languages;
mod limits;
mod lists;
mod log;
mod midflow;
mod names;
mod offline;
mod online;
mod openapi;
mod own;
mod own_questions;
mod pages;
mod people;
mod policies;
mod remote;
mod scopes;
mod sessions;
mod tags;
mod task;
mod told;
mod typed;
mod writes;
