//! The commands, and what stands round them, as pages of the documentation.

use super::surroundings::{EXITS, FILES, Known, VARIABLES};
use clap::{Arg, Command};
use std::fmt::Write as _;

/// Who made a page.
const MADE: &str = "Made from the code by `cardlab manual --markdown DIR` (`CARDLAB_WRITE_DOCS=1 cargo test --test e2e docs::references` writes it here).";

/// Every command with its options.
pub(super) fn commands(command: Command) -> String {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut page = format!(
        "# Commands\n\nEvery command takes `--help`; `-h` is shorter. Variables, files and exit codes: [environment.md](environment.md). {MADE}\n"
    );
    for inner in command.get_subcommands() {
        described(inner, "cardlab", &mut page);
    }
    page
}

/// A command and those below it.
fn described(command: &Command, above: &str, page: &mut String) {
    let name = format!("{above} {}", command.get_name());
    let text = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let mut usage = command.clone();
    let usage = usage.render_usage().to_string();
    let _ =
        write!(page, "\n## {name}\n\n{}\n\n```text\n{}\n```\n", cell(&text, "\n\n"), usage.trim_start_matches("Usage: ").trim());
    let shown = |arg: &&Arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str());
    let mut arguments = command.get_arguments().filter(shown).peekable();
    if arguments.peek().is_some() {
        page.push_str("\n| | |\n|---|---|\n");
    }
    for argument in arguments {
        let _ = writeln!(page, "| {} | {} |", spelled(argument), cell(&what(argument), " "));
    }
    if let Some(help) = command.get_after_help() {
        let _ = write!(page, "\n```text\n{}\n```\n", help.to_string().trim_end());
    }
    command.get_subcommands().for_each(|inner| described(inner, &name, page));
}

/// How an argument is written.
fn spelled(argument: &Arg) -> String {
    let value =
        argument.get_value_names().unwrap_or_default().iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" ");
    let value = if argument.get_action().takes_values() { value } else { String::new() };
    let names = [argument.get_short().map(|short| format!("-{short}")), argument.get_long().map(|long| format!("--{long}"))];
    let names = names.into_iter().flatten().collect::<Vec<_>>().join(", ");
    format!("`{}`", format!("{names} {value}").trim())
}

/// What it does, and what it is by itself.
fn what(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let values = argument.get_possible_values();
    let values = values.iter().filter(|_| argument.get_action().takes_values()).map(|value| value.get_name()).collect::<Vec<_>>();
    let defaults = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect::<Vec<_>>();
    let mut more = Vec::new();
    if !values.is_empty() {
        more.push(format!("one of {}", values.join(", ")));
    }
    if !defaults.is_empty() && argument.get_action().takes_values() {
        more.push(format!("by itself {}", defaults.join(", ")));
    }
    if let Some(variable) = argument.get_env() {
        more.push(format!("variable {}", variable.to_string_lossy()));
    }
    if more.is_empty() { help } else { format!("{help} ({})", more.join("; ")) }
}

/// Text in one cell of a table, or in paragraphs.
fn cell(text: &str, between: &str) -> String {
    let escaped = text.replace('|', "\\|").replace('<', "&lt;");
    let paragraphs = escaped.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.filter(|paragraph| !paragraph.is_empty()).collect::<Vec<_>>().join(between)
}

/// Variables, files and exit codes.
pub(super) fn environment() -> String {
    let mut page = format!("# Environment, files, exit codes\n\n{MADE}\n");
    for (title, known) in [("Exit codes", EXITS), ("Environment variables", VARIABLES), ("Files", FILES)] {
        let _ = write!(page, "\n## {title}\n\n| | commands | |\n|---|---|---|\n");
        for Known { name, commands, what } in known {
            let commands = if commands.is_empty() {
                "all".into()
            } else {
                commands.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ")
            };
            let _ = writeln!(page, "| `{name}` | {commands} | {what} |");
        }
    }
    page
}
