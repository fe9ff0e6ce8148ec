//! `cardlab unlock`: the Unlock tool. What happens and what is said is an unlock session's
//! ([`cardlab_client::unlock::session`]); here it becomes questions in a terminal, or JSON lines.

mod agent;
mod ask;
mod converse;
mod online;
mod steps;
mod talk;

use crate::choose::{CardChoice, ReaderChoice};
use crate::exit::{Exit, Failure, OrExit};
pub(crate) use agent::Agent;
use anyhow::anyhow;
use ask::Questions;
use cardlab_client::unlock::desk::{Desk, Setup};
use cardlab_client::unlock::session::{Begin, First, Place, Rules};
use cardlab_pcsclite::wire::ReaderState;
use clap::Args;
use converse::{Conversation, Ended};
pub(crate) use online::{OnlineOptions, state};
use std::time::Duration;
pub(crate) use steps::draw;
use talk::Talk;

/// How long a tool that is done waits for its report to be taken, at most; after that it is kept.
const LAST_WORDS: Duration = Duration::from_secs(10);

#[derive(Args)]
#[command(after_help = "In a script: line 1 of stdin is the response, line 2 the new PIN; --json tells the challenge first.\n\
                        In two steps, while the card keeps its power:\n  \
                        challenge=$(cardlab unlock --challenge)\n  \
                        echo NEWPIN | cardlab unlock --response RESPONSE --new-pin-stdin")]
pub(crate) struct Unlock {
    #[command(flatten)]
    choice: CardChoice,

    #[command(flatten)]
    online: OnlineOptions,

    /// Only print challenge data, and leave the challenge pending
    #[arg(long, conflicts_with_all = ["response", "puk", "online"])]
    challenge: bool,

    /// The response to the challenge that is pending already
    #[arg(long, value_name = "HEX", conflicts_with_all = ["puk", "online"])]
    response: Option<String>,

    /// Unlock with the card's PUK instead
    #[arg(long, conflicts_with = "online")]
    puk: bool,

    /// Read the new PIN from stdin once, without confirmation
    #[arg(long)]
    new_pin_stdin: bool,

    /// Ask nothing: set a new PIN although the PIN is not blocked, use the last response that the card takes
    #[arg(long)]
    force: bool,

    /// Let other programs use the card while you wait for the response; they may end the challenge
    #[arg(long)]
    share: bool,

    /// Say everything as JSON lines, ask nothing
    #[arg(long)]
    json: bool,
}

impl Unlock {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let talk = Talk::new(self.json);
        let mut questions = Questions::new(talk, self.new_pin_stdin);
        if self.challenge {
            return steps::challenge(&self.choice, talk);
        }
        if let Some(response) = &self.response {
            return steps::respond(&self.choice, response, self.force, &mut questions);
        }
        let service = self.online.service()?;
        // A reader or a card that is not there is no reason to wait for a card in it.
        let context = self.choice.readers.context()?;
        let readers = context.readers().or_exit(Exit::NOT_THERE)?;
        let named = self.choice.readers.reader.is_some() || !questions.is_person();
        let serial = match &self.choice.serial {
            Some(_) if named || readers.iter().any(ReaderState::has_card) => self.choice.pick(&context)?.serial,
            _ => {
                if named {
                    self.choice.readers.pick(&readers)?;
                }
                self.choice.digits()?
            }
        };
        let begin = match (self.puk, &service) {
            (true, _) => Begin::Puk,
            (false, Some(_)) => Begin::Questions,
            (false, None) => Begin::Code,
        };
        let first = serial.map_or(First::Any, First::Only);
        let desk = desk(&self.choice.readers, service, begin, !self.share, first);
        let mut conversation = Conversation::new(&desk, &mut questions);
        conversation.force = self.force;
        conversation.only = match begin {
            Begin::Puk => Some("--puk"),
            Begin::Questions => Some("--online"),
            Begin::Code | Begin::Task => None,
        };
        conversation.serial = self.choice.serial.is_some();
        let ended = conversation.hold();
        desk.finish(LAST_WORDS);
        Ok(match ended? {
            Ended::Unlocked => Exit::FINE,
            Ended::Not | Ended::NoTask => Exit::FAILED,
        })
    }
}

/// A session in a terminal.
fn desk(
    choice: &ReaderChoice,
    service: Option<cardlab_client::service::Service>,
    begin: Begin,
    keep: bool,
    first: First,
) -> Desk {
    Desk::start(Setup {
        socket: choice.service.socket(),
        reader: choice.reader.clone(),
        rules: Rules {
            place: Place::InSession,
            begin,
            server: service.is_some(),
            workstation: crate::web::workstation(),
            text: String::new(),
            keep,
            first,
        },
        service,
        state: state(),
        look_every: None,
    })
}

fn not_unlocked(reason: &str) -> Failure {
    Failure { exit: Exit::FAILED, error: anyhow!("{reason}") }
}
