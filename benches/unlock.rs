//! Whole unlocks: selection, challenge, response, new PIN. In process, through the socket, and through
//! the socket with a card that is kept on disk.
#![allow(missing_docs, clippy::unwrap_used)]

use cardlab_client::minidriver::{Authenticator, Minidriver};
use cardlab_client::transport::{InProcess, Transport};
use cardlab_pcsclite::client::{Context, ShareMode};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_sim::{Card, Profile, World};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

struct Up(Child);

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn up(socket: &Path, options: &[&str]) -> Up {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardlab"));
    command.arg("up").args(["--card", "gids", "--socket"]).arg(socket).args(options).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
    Up(child)
}

fn unlock(card: &mut dyn Transport, key: &AdminKey) {
    card.begin().unwrap();
    let mut opened = Minidriver::open(card).unwrap();
    let response = key.respond(&opened.unblock_challenge().unwrap()).unwrap();
    opened.card_unblock_pin(Authenticator::Response(&response), b"246810").unwrap();
    card.end().unwrap();
}

fn unlocks(c: &mut Criterion) {
    let key = AdminKey::new(Cipher::Tdes, &[0; 24]).unwrap();
    let mut group = c.benchmark_group("unlock");
    group.throughput(Throughput::Elements(1));
    let mut card = Card::new(Profile::builtin("gids").unwrap(), World::seeded(1)).unwrap();
    card.power_on();
    let mut card = InProcess(|command: &[u8]| card.transmit(command).ok());
    group.bench_function("in process", |b| b.iter(|| unlock(&mut card, &key)));
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    for (name, options) in [("socket", vec![]), ("socket, --state", vec!["--state", state.to_str().unwrap()])] {
        let socket = directory.path().join("s");
        let _up = up(&socket, &options);
        let context = Context::establish_at(&socket).unwrap();
        let reader = context.readers().unwrap()[0].name.clone();
        let mut card = context.connect(&reader, ShareMode::Shared).unwrap();
        group.bench_function(name, |b| b.iter(|| unlock(&mut card, &key)));
    }
    group.finish();
}

criterion_group!(benches, unlocks);
criterion_main!(benches);
