//! `cardlab scenario record`: what is done at readers that are up becomes a scenario.

use crate::card::{Socket, hand_out};
use crate::exit::{Exit, Failure, OrExit};
use anyhow::anyhow;
use cardlab_control::client::Method;
use cardlab_control::recording::Recorder;
use cardlab_control::view::{RecordingOrder, RecordingView, Written};
use cardlab_scenario::file::Scenario;
use cardlab_scenario::play::play;
use cardlab_scenario::record;
use cardlab_scenario::world::cards::Source;
use cardlab_vreader::session::Session;
use clap::Subcommand;
use serde_json::json;
use std::path::PathBuf;

/// Makes scenarios of what is done at the readers of this process.
pub(crate) struct Scenarios;

impl Recorder for Scenarios {
    fn write(&self, title: &str, session: &Session) -> Result<Written, String> {
        let record::Recorded { text, steps, left_out } = record::write(title, session)?;
        Ok(Written { text, steps, left_out })
    }
}

#[derive(Subcommand)]
pub(super) enum Record {
    /// Begin: from now on hands at cards, and what programs send to them, are steps. Cards in readers are reset first
    Begin {
        #[command(flatten)]
        socket: Socket,

        /// What the scenario shows
        #[arg(long)]
        title: Option<String>,

        /// That the file may have the PINs and keys of these cards: it does not run without
        #[arg(long)]
        secrets: bool,
    },
    /// Say whether something is being recorded, and how much
    Show {
        #[command(flatten)]
        socket: Socket,

        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// End: write the file, and play it to see that it holds
    ///
    /// Exit code: 0 when it holds, 1 when it does not: it is written then too, and what does not hold is said.
    End {
        #[command(flatten)]
        socket: Socket,

        /// The file; else stdout
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,

        /// Do not play it
        #[arg(long)]
        unplayed: bool,
    },
    /// Throw the recording away
    Drop {
        #[command(flatten)]
        socket: Socket,
    },
}

impl Record {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let (none, path) = (json!({}), "/v1/recording");
        match self {
            Self::Begin { socket, title, secrets } => {
                let order = RecordingOrder { title, secrets };
                socket.ask(Method::POST, path, &order)?;
            }
            Self::Show { socket, json: as_json } => {
                let view: RecordingView = socket.ask_json(Method::GET, path, &none)?;
                if as_json {
                    println!("{}", serde_json::to_string(&view)?);
                } else if view.under_way {
                    println!("recording \"{}\": {} commands and events so far", view.title, view.records);
                } else {
                    println!("nothing is being recorded");
                }
            }
            Self::End { socket, output, unplayed } => {
                let written: Written = socket.ask_json(Method::POST, "/v1/recording/end", &none)?;
                hand_out(output.as_deref(), &written.text)?;
                written.left_out.iter().for_each(|what| eprintln!("cardlab: not in it: {what}"));
                return if unplayed { Ok(Exit::FINE) } else { played(&written) };
            }
            Self::Drop { socket } => {
                socket.ask(Method::DELETE, path, &none)?;
            }
        }
        Ok(Exit::FINE)
    }
}

/// Plays what was recorded.
fn played(written: &Written) -> Result<Exit, Failure> {
    let scenario = Scenario::parse(&written.text)?;
    let held = play(&scenario, &Source::Simulated(1), |_| {});
    held.map_err(|failure| anyhow!("the scenario was written, but does not hold when it is played: {failure}"))
        .or_exit(Exit::FAILED)?;
    eprintln!("cardlab: {} steps, and it holds", written.steps);
    Ok(Exit::FINE)
}
