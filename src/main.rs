//! `cardlab`: software smart cards in virtual readers, and everything around a locked card.
//!
//! One file a subcommand; what they do is in the crates.

/// As the standard library's, for a reader of our output who may go: `cardlab card log | head`.
macro_rules! println {
    () => { crate::terminal::print(format_args!("\n")) };
    ($($argument:tt)*) => { crate::terminal::print(format_args!("{}\n", format_args!($($argument)*))) };
}
/// As [`println!`] without the line's end.
macro_rules! print {
    ($($argument:tt)*) => { crate::terminal::print(format_args!($($argument)*)) };
}

mod card;
mod choose;
mod client_settings;
mod conform;
mod doctor;
mod exec;
mod exit;
mod lab;
mod lockscreen;
mod manual;
mod profile;
mod readers;
mod response;
mod scenario;
mod serve;
mod site;
mod stored;
mod terminal;
mod trace;
mod unlock;
mod up;

use clap::{Parser, Subcommand};
use exit::{Exit, Failure};

/// Software smart cards in virtual PC/SC readers that any program sees, without root, pcscd or a
/// driver.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Lab(lab::Lab),
    Exec(exec::Exec),
    Up(up::Up),
    Card(card::CardCommand),
    Unlock(unlock::Unlock),
    Agent(unlock::Agent),
    Response(response::Response),
    Lockscreen(lockscreen::Lockscreen),
    Serve(serve::Serve),
    Profile(profile::ProfileCommand),
    Conform(conform::Conform),
    Scenario(scenario::ScenarioCommand),
    Trace(trace::TraceCommand),
    Doctor(doctor::Doctor),
    Manual(manual::Manual),
}

fn main() -> std::process::ExitCode {
    let result = match Cli::parse().command {
        Command::Lab(command) => command.run(),
        Command::Exec(command) => command.run(),
        Command::Up(command) => command.run(),
        Command::Card(command) => command.run(),
        Command::Unlock(command) => command.run(),
        Command::Agent(command) => command.run(),
        Command::Response(command) => command.run(),
        Command::Lockscreen(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Profile(command) => command.run(),
        Command::Conform(command) => command.run(),
        Command::Scenario(command) => command.run(),
        Command::Trace(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Manual(command) => command.run(<Cli as clap::CommandFactory>::command()),
    };
    match result {
        Ok(Exit(code)) => code.into(),
        Err(Failure { exit: Exit(code), error }) => {
            eprintln!("cardlab: {error:#}");
            code.into()
        }
    }
}
