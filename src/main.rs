//! `cardlab`: software smart cards in virtual readers, and everything around a locked card.
//!
//! One file a subcommand; what they do is in the crates.

mod card;
mod choose;
mod conform;
mod exec;
mod exit;
mod lab;
mod lockscreen;
mod profile;
mod readers;
mod response;
mod serve;
mod site;
mod station;
mod stored;
mod terminal;
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
    Response(response::Response),
    Lockscreen(lockscreen::Lockscreen),
    Serve(serve::Serve),
    Profile(profile::ProfileCommand),
    Conform(conform::Conform),
}

fn main() -> std::process::ExitCode {
    let result = match Cli::parse().command {
        Command::Lab(command) => command.run(),
        Command::Exec(command) => command.run(),
        Command::Up(command) => command.run(),
        Command::Card(command) => command.run(),
        Command::Unlock(command) => command.run(),
        Command::Response(command) => command.run(),
        Command::Lockscreen(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Profile(command) => command.run(),
        Command::Conform(command) => command.run(),
    };
    match result {
        Ok(Exit(code)) => code.into(),
        Err(Failure { exit: Exit(code), error }) => {
            eprintln!("cardlab: {error:#}");
            code.into()
        }
    }
}
