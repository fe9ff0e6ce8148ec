//! `cardlab card`: the cards in readers and in state directories.

#[cfg(unix)]
mod drive;
mod lock;
mod status;

#[cfg(unix)]
pub(crate) use drive::{Socket, Target, hand_out};

#[cfg(unix)]
use crate::choose::CardChoice;
use crate::choose::ReaderChoice;
use crate::exit::{Exit, Failure, OrExit};
use cardlab_pcsclite::code::state;
use cardlab_pcsclite::wire::ReaderState;
use clap::{Args, Subcommand};
use serde_json::json;

#[derive(Args)]
pub(crate) struct CardCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// List the readers and what is in them
    List {
        #[command(flatten)]
        choice: ReaderChoice,

        /// For programs
        #[arg(long)]
        json: bool,
    },
    Status(status::StatusCommand),
    Lock(lock::LockCommand),
    #[cfg(unix)]
    /// Print the root certificate of a simulated YubiKey's attestations, in PEM
    AttestationRoot {
        #[command(flatten)]
        choice: CardChoice,
    },
    #[cfg(unix)]
    #[command(flatten)]
    Drive(drive::Drive),
}

impl CardCommand {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.what {
            What::List { choice, json } => list(&choice.context()?.readers().or_exit(Exit::NOT_THERE)?, json),
            What::Status(command) => command.run()?,
            What::Lock(command) => command.run()?,
            #[cfg(unix)]
            What::AttestationRoot { choice } => attestation_root(&choice)?,
            #[cfg(unix)]
            What::Drive(command) => return command.run(),
        }
        Ok(Exit::FINE)
    }
}

fn list(readers: &[ReaderState], as_json: bool) {
    if as_json {
        let all: Vec<_> = readers
            .iter()
            .map(|r| {
                let atr = hex::encode_upper(&r.atr);
                json!({"reader": r.name, "card": r.state & state::PRESENT != 0, "atr": atr, "events": r.event_counter})
            })
            .collect();
        println!("{}", json!(all));
        return;
    }
    if readers.is_empty() {
        println!("no readers");
    }
    for reader in readers {
        let card = match reader.state {
            s if s & state::UNKNOWN != 0 => "reader does not work".into(),
            s if s & state::SWALLOWED != 0 => "card does not answer".into(),
            s if s & state::PRESENT != 0 => format!("ATR {}", hex::encode_upper(&reader.atr)),
            _ => "no card".into(),
        };
        println!("{}: {card}", reader.name);
    }
}

#[cfg(unix)]
fn attestation_root(choice: &CardChoice) -> Result<(), Failure> {
    use anyhow::anyhow;
    use cardlab_client::{piv, recognise};
    use cardlab_pcsclite::client::ShareMode;

    let context = choice.readers.context()?;
    let reader = choice.pick(&context)?.reader;
    let mut card = context.connect(&reader, ShareMode::Shared).or_exit(Exit::NOT_THERE)?;
    recognise::recognise(&mut card).or_exit(Exit::NOT_THERE)?;
    let root = piv::attestation_root(&mut card).or_exit(Exit::NOT_THERE)?;
    let root = root.ok_or_else(|| anyhow!("this card has no attestation root of its own")).or_exit(Exit::NOT_THERE)?;
    print!("{}", cardlab_vreader::setup::certificate_pem(&root)?);
    Ok(())
}
