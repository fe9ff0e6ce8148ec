//! Which reader a person means.

use crate::exit::{Exit, Failure, OrExit};
use anyhow::anyhow;
use cardlab_pcsclite::client::{Context, default_socket};
use cardlab_pcsclite::wire::ReaderState;
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct ReaderChoice {
    /// The reader, by its name or the beginning of it; else the one that has a card
    #[arg(long)]
    pub(crate) reader: Option<String>,

    /// The PC/SC socket; else the one of PCSCLITE_CSOCK_NAME, else pcscd's
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
}

impl ReaderChoice {
    /// The PC/SC service.
    pub(crate) fn context(&self) -> Result<Context, Failure> {
        let path = self.socket.clone().unwrap_or_else(default_socket);
        connect(&path)
    }

    /// The reader that is named, else the first that has a card.
    pub(crate) fn pick(&self, readers: &[ReaderState]) -> Result<String, Failure> {
        let found = match &self.reader {
            Some(name) => named(readers, name),
            None => readers.iter().find(|r| r.has_card()),
        };
        let known = readers.iter().map(|r| format!("'{}'", r.name)).collect::<Vec<_>>().join(", ");
        let missing = || match &self.reader {
            _ if readers.is_empty() => anyhow!("there is no reader; `cardlab exec --card gids -- COMMAND` gives COMMAND one"),
            Some(name) => anyhow!("no reader named '{name}'; there are: {known}"),
            None => anyhow!("no card in any reader; there are: {known}"),
        };
        found.map(|r| r.name.clone()).ok_or_else(missing).or_exit(Exit::NOT_THERE)
    }
}

fn connect(path: &Path) -> Result<Context, Failure> {
    Context::establish_at(path).or_exit(Exit::NOT_THERE)
}

/// The reader of this name, or the first whose name begins with it.
pub(crate) fn named<'a>(readers: &'a [ReaderState], name: &str) -> Option<&'a ReaderState> {
    readers.iter().find(|r| r.name == name).or_else(|| readers.iter().find(|r| r.name.starts_with(name)))
}
