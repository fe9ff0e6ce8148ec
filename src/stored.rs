//! A card in a state directory that nobody uses now.

use crate::exit::{Exit, Failure, OrExit};
use crate::readers::system_random;
use anyhow::anyhow;
use cardlab_sim::crypto::backend::RustCrypto;
use cardlab_sim::{Card, Random, Stopped, World};
use cardlab_vreader::StateDirectory;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Args)]
pub(crate) struct StoredChoice {
    /// A card that --state of `exec` or `up` has kept, instead of one in a reader
    #[arg(long, value_name = "DIR", conflicts_with_all = ["reader", "socket"])]
    state: Option<PathBuf>,

    /// Its number: the place of its --card, from 0
    #[arg(long, value_name = "N", default_value_t = 0, requires = "state")]
    number: u16,
}

pub(crate) struct StoredCard {
    pub(crate) card: Card,
    directory: PathBuf,
    number: u16,
}

impl StoredChoice {
    pub(crate) const fn is_given(&self) -> bool {
        self.state.is_some()
    }

    /// The card, when a state directory was named.
    pub(crate) fn open(&self) -> Result<Option<StoredCard>, Failure> {
        let Some(directory) = self.state.clone() else { return Ok(None) };
        if !directory.join("cards.redb").exists() {
            return Err(anyhow!("{}: no cards here; `exec` and `up` keep theirs with --state", directory.display()))
                .or_exit(Exit::NOT_THERE);
        }
        let state = StateDirectory::open(&directory)?;
        let cards = state.cards()?;
        if !cards.contains(&self.number) {
            let known: Vec<String> = cards.iter().map(ToString::to_string).collect();
            return Err(anyhow!("{}: no card {}; there are: {}", directory.display(), self.number, known.join(", ")))
                .or_exit(Exit::NOT_THERE);
        }
        let store = state.card(self.number);
        let profile = Card::stored_profile(&*store)?;
        let random = Random::from_seed(system_random()?);
        let card = Card::new(profile, World { store, random, clock: Box::new(Stopped), backend: Arc::new(RustCrypto) })?;
        Ok(Some(StoredCard { card, directory, number: self.number }))
    }
}

impl StoredCard {
    /// Where it is, for people.
    pub(crate) fn place(&self) -> String {
        format!("{}, card {}", self.directory.display(), self.number)
    }
}
