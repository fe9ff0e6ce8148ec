//! `cardlab manual`: man pages, references and completions, for packages and for one's own shell.

mod completions;
mod markdown;
mod pages;
mod surroundings;

use crate::exit::{Exit, Failure};
use anyhow::Context as _;
use cardlab_whole as whole;
use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

#[derive(Args)]
#[group(required = true, multiple = false)]
#[command(
    after_help = "Examples:\n  cardlab manual --completions bash > /etc/bash_completion.d/cardlab\n  cardlab manual --man /usr/local/share/man/man1"
)]
pub(crate) struct Manual {
    /// A page for each subcommand goes into this directory
    #[arg(long, value_name = "DIR")]
    man: Option<PathBuf>,

    /// The same as Markdown goes into this directory: commands.md, and environment.md with variables, files and exit codes
    #[arg(long, value_name = "DIR")]
    markdown: Option<PathBuf>,

    /// The completions of this shell go to stdout
    #[arg(long, value_name = "SHELL")]
    completions: Option<Shell>,
}

impl Manual {
    pub(crate) fn run(self, command: clap::Command) -> Result<Exit, Failure> {
        if let Some(shell) = self.completions {
            print!("{}", completions::of(shell, command.clone()));
        }
        if let Some(directory) = self.man {
            whole::directory(&directory).with_context(|| directory.display().to_string())?;
            pages::write(command.clone(), &directory).with_context(|| directory.display().to_string())?;
        }
        if let Some(directory) = self.markdown {
            whole::directory(&directory).with_context(|| directory.display().to_string())?;
            for (name, page) in [("commands.md", markdown::commands(command)), ("environment.md", markdown::environment())] {
                let file = directory.join(name);
                whole::write(&file, page.as_bytes(), whole::For::Everybody).with_context(|| file.display().to_string())?;
            }
        }
        Ok(Exit::FINE)
    }
}
