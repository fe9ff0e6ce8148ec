//! The tests that start real programs: cardlab, and the clients that Debian has. One module a subject.
#![allow(clippy::unwrap_used)]

mod bench;
mod browser;
mod common;
mod configuration;
mod conform;
mod control;
mod docs;
mod durability;
mod examples;
mod exec;
mod gids;
mod guests;
mod ifd;
mod issue;
mod key_files;
mod kill;
mod kill_channels;
mod kit_languages;
mod kits;
mod lab;
mod lockscreen;
mod opensc;
mod package;
mod pcsc_api;
mod programs;
mod record;
mod rooms;
mod scenario;
mod serve;
mod serve_kill;
mod switches;
mod trace;
mod unlock;
mod up;
mod virtual_machine;
mod which;
mod workspace;
mod yubico;

// The server's own tests have theirs from here too.
#[allow(unreachable_pub)]
#[path = "../server-stub/tests/common/postgres.rs"]
mod postgres;
