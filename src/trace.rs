//! `cardlab trace`: what happened at cards, for people.

use crate::card::{Target, hand_out};
use crate::exit::{Exit, Failure, OrExit};
use crate::terminal::print_while_read;
use anyhow::{Context as _, anyhow};
use cardlab_client::transport::Transport;
use cardlab_control::history;
use cardlab_pcsclite::client::ShareMode;
use cardlab_vreader::replay::{ReplayError, card_of};
use cardlab_vreader::trace::history::History;
use cardlab_vreader::trace::{self, What, decode, spaced, text};
use cardlab_whole as whole;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct TraceCommand {
    #[command(subcommand)]
    what: Of,
}

#[derive(Subcommand)]
enum Of {
    /// Decode a recording: JSON lines or pcapng. What is masked in it stays so
    Show {
        /// What --trace wrote
        file: PathBuf,
    },
    /// Write what became of the cards - tries, locks, unlocks, removals, faults - as an HTML file that opens anywhere
    History {
        /// What --trace wrote: JSON lines or pcapng
        file: PathBuf,

        /// The file; else stdout
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Follow what happens at the cards of `up`, `exec` or `lab`
    Tail {
        #[command(flatten)]
        target: Target,
    },
    /// Send a recording's commands to the card in a reader, and show where it answers otherwise
    ///
    /// The recording must be made with --trace-secrets where it has PINs. Exit code: 0 when nothing differs, 1
    /// when something does.
    Replay {
        /// What --trace wrote
        file: PathBuf,

        /// Only the commands of this card of the recording
        #[arg(long)]
        card: Option<String>,

        #[command(flatten)]
        choice: crate::choose::CardChoice,
    },
}

impl TraceCommand {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.what {
            Of::Show { file } => {
                read_as(&file, trace::shown)?.iter().for_each(|lines| print!("{lines}"));
                Ok(Exit::FINE)
            }
            Of::History { file, output } => {
                let lines = read_as(&file, trace::values)?;
                let history = History::of(&lines).map_err(|why| anyhow!("{}: {why}", file.display())).or_exit(Exit::USAGE)?;
                // What is masked in it is masked in every line that has a secret.
                let secrets = !lines.iter().any(|line| line.get("command_masked").is_some());
                hand_out(output.as_deref(), &history::write(&history, secrets))?;
                Ok(Exit::FINE)
            }
            Of::Tail { target } => {
                let followed = target.client()?.follow(|name, data| {
                    let line = match (name, serde_json::from_str(data)) {
                        ("record", Ok(record)) => text::lines(&record),
                        _ => format!("---- {data} records were missed"),
                    };
                    print_while_read(format_args!("{line}\n"))
                });
                followed.or_exit(Exit::NOT_THERE)?;
                Ok(Exit::FINE)
            }
            Of::Replay { file, card, choice } => replay(&file, card.as_deref(), &choice),
        }
    }
}

/// A recording, as this reads it.
fn read_as<T>(file: &Path, read: fn(&[u8]) -> Result<Vec<T>, String>) -> Result<Vec<T>, Failure> {
    let bytes = whole::read(file, whole::RECORDING).with_context(|| file.display().to_string())?;
    let found = read(&bytes).and_then(|found| if found.is_empty() { Err(ReplayError::Nothing.to_string()) } else { Ok(found) });
    found.map_err(|why| anyhow!("{}: {why}", file.display())).or_exit(Exit::USAGE)
}

fn replay(file: &Path, wanted: Option<&str>, choice: &crate::choose::CardChoice) -> Result<Exit, Failure> {
    let records = read_as(file, trace::read)?;
    let card = card_of(&records, wanted).map_err(|why| anyhow!("{}: {why}", file.display())).or_exit(Exit::USAGE)?;
    let context = choice.readers.context()?;
    let reader = choice.pick(&context)?.reader;
    let mut connected = context.connect(&reader, ShareMode::Exclusive).or_exit(Exit::NOT_THERE)?;
    let (mut sent, mut different) = (0, 0);
    for record in records.iter().filter(|record| &*record.card == card) {
        match &record.what {
            // The recorded session began anew here, as this one does.
            What::Event { text, .. } if text == "reset" || text == "power on" => {
                connected
                    .reconnect(ShareMode::Exclusive, cardlab_pcsclite::client::Disposition::Unpower)
                    .or_exit(Exit::NOT_THERE)?;
            }
            What::Event { .. } => {}
            What::Exchange { command, response, continues, .. } => {
                sent += 1;
                let answer = connected.exchange(command).ok();
                if answer.as_deref() != response.as_ref().map(|response| response.as_slice()) {
                    different += 1;
                    let shown = |bytes: Option<&[u8]>| {
                        bytes.map_or("no answer".into(), |b| format!("{}   {}", spaced(b), decode::outcome(b)))
                    };
                    println!("{:04} > {}   {}", record.number, spaced(command), decode::describe(command, *continues));
                    println!("{:04} < recorded: {}", record.number, shown(response.as_ref().map(|r| r.as_slice())));
                    println!("{:04} < now:      {}", record.number, shown(answer.as_deref()));
                }
            }
        }
    }
    println!("{sent} commands, {different} answered otherwise");
    Ok(if different == 0 { Exit::FINE } else { Exit::FAILED })
}
