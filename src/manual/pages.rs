//! Man pages: what clap knows of each command, then what stands round it.

use super::surroundings::{EXITS, FILES, Known, VARIABLES};
use cardlab_whole as whole;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::io::Result;
use std::path::Path;

/// A page for each command into this directory.
pub(super) fn write(command: Command, directory: &Path) -> Result<()> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    page(&command, "", directory)
}

/// The page of the command of these words, and those of its subcommands.
fn page(command: &Command, words: &str, directory: &Path) -> Result<()> {
    for inner in command.get_subcommands() {
        page(inner, format!("{words} {}", inner.get_name()).trim_start(), directory)?;
    }
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    for (title, known) in [("EXIT STATUS", EXITS), ("ENVIRONMENT", VARIABLES), ("FILES", FILES)] {
        section(title, known, words).to_writer(&mut page)?;
    }
    if let Some(help) = command.get_after_help() {
        let help = help.to_string();
        let (title, text) = help.split_once('\n').unwrap_or(("", &help));
        let mut roff = Roff::new();
        roff.control("SH", [title.trim_end_matches(':').to_uppercase().as_str()]);
        roff.control("nf", []).text([roman(text)]).control("fi", []);
        roff.to_writer(&mut page)?;
    }
    let mut end = Roff::new();
    end.control("SH", ["SEE ALSO"]);
    end.text([roman("cardlab(1) and the pages of its other commands; /usr/share/doc/cardlab, where the package has put it")]);
    end.to_writer(&mut page)?;
    whole::write(&directory.join(man.get_filename()), &page, whole::For::Everybody)
}

/// What a command knows of these; empty where that is nothing.
fn section(title: &str, known: &[Known], words: &str) -> Roff {
    let mut roff = Roff::new();
    let mut known = known.iter().filter(|known| known.is_for(words)).peekable();
    if known.peek().is_some() {
        roff.control("SH", [title]);
    }
    for Known { name, what, .. } in known {
        roff.control("TP", []).text([bold(*name)]).text([roman(what.replace('`', "'"))]);
    }
    roff
}
