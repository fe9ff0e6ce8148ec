//! `cardlab`, the program: software smart cards in virtual readers, and everything around a locked card.
//!
//! One file a subcommand; what they do is in the crates. On Windows it has those for cards in the system's readers - `conform`,
//! `unlock`, `agent`, `lockscreen`, `card` - since readers of our own are behind sockets of Unix.
//!
//! It is a library for one purpose: a program of one's own that has
//! a kind of card more, as `examples/loyalty` shows.
//!
//! ```no_run
//! use cardlab_sim::own::Kind;
//!
//! const HELLO: Kind = Kind { name: "hello", ..Kind::DEFAULT };
//!
//! fn main() -> std::process::ExitCode {
//!     cardlab::run_with(&[HELLO])
//! }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

/// As the standard library's, for a reader of our output who may go: `cardlab card log | head`.
macro_rules! println {
    () => { crate::terminal::print(format_args!("\n")) };
    ($($argument:tt)*) => { crate::terminal::print(format_args!("{}\n", format_args!($($argument)*))) };
}
/// As [`println!`] without the line's end.
macro_rules! print {
    ($($argument:tt)*) => { crate::terminal::print(format_args!($($argument)*)) };
}

#[cfg(unix)]
mod bench;
mod card;
mod choose;
mod client_settings;
mod conform;
mod connections;
#[cfg(unix)]
mod doctor;
#[cfg(unix)]
mod exec;
mod exit;
#[cfg(unix)]
mod guests;
#[cfg(unix)]
mod holders;
#[cfg(unix)]
mod lab;
mod lockscreen;
#[cfg(unix)]
mod log;
#[cfg(unix)]
mod manual;
#[cfg(unix)]
mod profile;
#[cfg(unix)]
mod readers;
#[cfg(unix)]
mod recording;
#[cfg(unix)]
mod response;
#[cfg(unix)]
mod scenario;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod site;
#[cfg(unix)]
mod stored;
mod terminal;
#[cfg(unix)]
mod trace;
mod unlock;
#[cfg(unix)]
mod up;
#[cfg(unix)]
mod usb;
mod version;
mod web;

use cardlab_sim::own::{self, Kind};
use clap::{Parser, Subcommand};
use exit::Exit;

/// Software smart cards in virtual PC/SC readers that any program sees, without root, pcscd or a
/// driver.
#[derive(Parser)]
#[command(version, long_version = version::LONG, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

// What each is for stands here; its arguments are made when it is the one that was asked for.
#[derive(Subcommand)]
#[command(defer = true)]
enum Command {
    /// Readers with three cards, the management server with sample people, the consoles and the lock screen
    ///
    /// It prints what to open. Ctrl-C ends it and leaves nothing behind, unless --state keeps it.
    #[cfg(unix)]
    Lab(lab::Lab),
    /// Run a command that sees nothing but the given cards
    ///
    /// Exit code: the command's; 126 when it cannot be run, 127 when it is not found, 128+N when signal
    /// N ended it.
    #[cfg(unix)]
    Exec(exec::Exec),
    /// Keep readers up until SIGINT or SIGTERM
    ///
    /// When they are up a line `ready PCSCLITE_CSOCK_NAME=PATH` goes to stdout (and to --ready-fd, and
    /// READY=1 to systemd). A socket that systemd passes (LISTEN_FDS) is served as it is.
    #[cfg(unix)]
    Up(up::Up),
    /// Look at cards and bring them to a state, in readers or in a state directory
    Card(card::CardCommand),
    /// Unlock a card: read the challenge to your operator, type the response and a new PIN
    ///
    /// Exit code: 0 unlocked; 1 not unlocked; 2 wrong use, also a response or PIN that cannot be one; 3 no
    /// such reader or card.
    Unlock(unlock::Unlock),
    /// Do what operators order for the card here: its user confirms with answers and sets a new PIN
    ///
    /// Asks the server when a card is put in, and every 30 seconds. Ctrl-D at a question puts the task off for a minute.
    /// Exit code with --once: 0 when a task was done, 1 when it was not done or there was none.
    Agent(unlock::Agent),
    /// The response to a card's challenge, under its administrator key
    ///
    /// The key decides the cipher together with the challenge: 24 bytes and 16 characters are 3DES; 16, 24
    /// or 32 bytes and 32 characters AES. Other users see a key on the command line in the process list;
    /// --key-file keeps it away from them.
    #[cfg(unix)]
    Response(response::Response),
    /// Show the lock screen of a workstation as a page, for a card in any reader
    ///
    /// When it is up a line `ready URL` goes to stdout. It ends with SIGINT or SIGTERM.
    Lockscreen(lockscreen::Lockscreen),
    /// Run the card management server: Management Console, Self-Service, the workstations' service
    ///
    /// When it is up a line `ready URL` goes to stdout. It ends with SIGINT or SIGTERM. Any number of
    /// servers work over one PostgreSQL database with the same master key.
    #[cfg(unix)]
    Serve(serve::Serve),
    /// Show the kinds of cards
    #[cfg(unix)]
    Profile(profile::ProfileCommand),
    /// Judge cards by their standards: simulated ones, and the one in a reader
    ///
    /// A card in a reader is only read, unless --allow says more and --serial names the card. Exit code: 0
    /// when all is as the standards say or known, 1 when not, 2 for wrong use, 3 when there is no such card.
    Conform(Box<conform::Conform>),
    /// Play lock scenarios: what happens to a card, its user and its server, step by step
    #[cfg(unix)]
    Scenario(scenario::ScenarioCommand),
    /// Read recordings of what happened at cards, follow it, and send a recording to another card
    #[cfg(unix)]
    Trace(trace::TraceCommand),
    /// Say whether a program will see the simulated readers, and what is in the way
    ///
    /// Exit code: 0 when nothing is, 1 when something is, 3 when there is no such program.
    #[cfg(unix)]
    Doctor(doctor::Doctor),
    /// Write man pages, or the completions of a shell
    #[cfg(unix)]
    Manual(manual::Manual),
}

/// The program with the kinds of cards that it has; its exit code.
#[must_use]
pub fn run() -> std::process::ExitCode {
    run_with(&[])
}

/// The program with kinds of cards more; its exit code.
#[must_use]
pub fn run_with(kinds: &[Kind]) -> std::process::ExitCode {
    for kind in kinds {
        if let Err(error) = own::register(*kind) {
            eprintln!("cardlab: {}: {error}", kind.name);
            return Exit::USAGE.0.into();
        }
    }
    let result = match Cli::parse().command {
        #[cfg(unix)]
        Command::Lab(command) => command.run(),
        #[cfg(unix)]
        Command::Exec(command) => command.run(),
        #[cfg(unix)]
        Command::Up(command) => command.run(),
        Command::Card(command) => command.run(),
        Command::Unlock(command) => command.run(),
        Command::Agent(command) => command.run(),
        #[cfg(unix)]
        Command::Response(command) => command.run(),
        Command::Lockscreen(command) => command.run(),
        #[cfg(unix)]
        Command::Serve(command) => command.run(),
        #[cfg(unix)]
        Command::Profile(command) => command.run(),
        Command::Conform(command) => command.run(),
        #[cfg(unix)]
        Command::Scenario(command) => command.run(),
        #[cfg(unix)]
        Command::Trace(command) => command.run(),
        #[cfg(unix)]
        Command::Doctor(command) => command.run(),
        #[cfg(unix)]
        Command::Manual(command) => command.run(<Cli as clap::CommandFactory>::command()),
    };
    match result {
        Ok(Exit(code)) => code.into(),
        Err(failure) => {
            eprintln!("cardlab: {}", failure.sentence());
            failure.exit.0.into()
        }
    }
}
