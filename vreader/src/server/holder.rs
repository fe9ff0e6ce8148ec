//! Who has a card: the programs behind connections, as the system names them.

use super::{Server, lock};
use crate::resource::{ConnectionId, Holding, ReaderId};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;
use tokio::net::UnixStream;

/// A program that is connected to a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its name; of one of our own also what it does (`cardlab unlock`). Empty where the system does not tell.
    pub program: Arc<str>,
    /// Its process, 0 where the system does not tell.
    pub process: u32,
    /// What it has of the card.
    pub how: Holding,
    /// Since when it is connected.
    pub since: SystemTime,
}

/// A connection, as far as people are told of it.
pub(super) struct Client {
    process: u32,
    /// Its name, from the first time that somebody asks.
    program: OnceLock<Arc<str>>,
    /// Since when it is connected to a reader's card.
    since: HashMap<ReaderId, SystemTime>,
}

impl Client {
    /// Whoever opened this connection (`SO_PEERCRED`, unix(7)).
    pub(super) fn of(stream: &UnixStream) -> Self {
        let process = stream.peer_cred().ok().and_then(|peer| peer.pid()).and_then(|pid| pid.try_into().ok());
        Self { process: process.unwrap_or_default(), program: OnceLock::new(), since: HashMap::new() }
    }

    /// The program's name.
    pub(super) fn program(&self) -> Arc<str> {
        self.program.get_or_init(|| program(self.process).into()).clone()
    }

    /// It is connected to the card of this reader now.
    pub(super) fn connected(&mut self, reader: ReaderId) {
        self.since.insert(reader, SystemTime::now());
    }
}

/// The longest name that the system gives a process, and more than a word of ours.
const LONGEST_NAME: usize = 32;

/// The name of a process (`/proc/PID/comm`, proc(5)). What else stands on its command line may be a PIN; of our own programs the
/// first word is a subcommand.
fn program(process: u32) -> String {
    let read = |file: &str| std::fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
    let shown = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect::<String>()
    };
    let name = shown(&read("comm"));
    let line = read("cmdline");
    let word = line.split(|byte| *byte == 0).nth(1).filter(|word| !word.is_empty() && word.iter().all(u8::is_ascii_lowercase));
    match word {
        Some(word) if name == env!("CARGO_PKG_NAME").trim_end_matches("-vreader") => format!("{name} {}", shown(word)),
        _ => name,
    }
}

impl Server {
    /// Programs that are connected to the card of a reader, who keeps others out first.
    #[must_use]
    pub fn holders(&self, reader: ReaderId) -> Vec<Holder> {
        let uses: Vec<(ConnectionId, Holding)> = self.shared.resource().holding(reader);
        if uses.is_empty() {
            return Vec::new();
        }
        let clients = lock(&self.shared.clients);
        let holder = |(id, how): (ConnectionId, Holding)| {
            let client = clients.get(&id)?;
            let program = client.program();
            let since = client.since.get(&reader).copied().unwrap_or(SystemTime::UNIX_EPOCH);
            Some(Holder { program, process: client.process, how, since })
        };
        uses.into_iter().filter_map(holder).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_the_name_that_the_system_gives_it() {
        let own = program(std::process::id());
        let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
        assert_eq!(own, comm.trim_end());
        assert_eq!(program(u32::MAX), "", "there is none");
    }
}
