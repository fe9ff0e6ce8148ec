//! `cardlab manual`: man pages and completions, for packages and for one's own shell.

use crate::exit::{Exit, Failure};
use anyhow::Context as _;
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

    /// The completions of this shell go to stdout
    #[arg(long, value_name = "SHELL")]
    completions: Option<Shell>,
}

impl Manual {
    pub(crate) fn run(self, mut command: clap::Command) -> Result<Exit, Failure> {
        if let Some(shell) = self.completions {
            clap_complete::generate(shell, &mut command, "cardlab", &mut std::io::stdout());
        }
        if let Some(directory) = self.man {
            std::fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
            clap_mangen::generate_to(command, &directory).with_context(|| directory.display().to_string())?;
        }
        Ok(Exit::FINE)
    }
}
