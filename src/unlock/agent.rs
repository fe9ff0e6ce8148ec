//! `cardlab agent`: tasks that operators order for the card in a reader of this workstation.

use super::ask::{NoAnswer, Questions};
use super::online::{self, Asked, OnlineOptions};
use super::talk::Talk;
use super::{Disturbance, Ended, connect, is_gone, not_unlocked};
use crate::choose::{self, ReaderChoice};
use crate::exit::{Exit, Failure, OrExit};
use anyhow::anyhow;
use cardlab_client::minidriver::Minidriver;
use cardlab_client::service::{Service, ServiceError};
use cardlab_pcsclite::client::{Connection, Context};
use cardlab_pcsclite::code::attribute;
use cardlab_protocol::workstation::TaskOffer;
use clap::Args;
use std::time::{Duration, Instant};

#[derive(Args)]
#[command(after_help = "Example:\n  cardlab agent --online http://127.0.0.1:8320")]
pub(crate) struct Agent {
    #[command(flatten)]
    choice: ReaderChoice,

    #[command(flatten)]
    online: OnlineOptions,

    /// Seconds between two questions to the server
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,

    /// Ask once, for the card that is there
    #[arg(long)]
    once: bool,

    /// Read the new PIN from stdin once, without confirmation
    #[arg(long)]
    new_pin_stdin: bool,
}

/// What came of asking.
enum Asking {
    /// The server has nothing, or there is no card.
    Nothing,
    /// A task was done.
    Done,
    /// A task was not done.
    NotDone,
}

impl Agent {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let server = self
            .online
            .service()?
            .ok_or_else(|| anyhow!("--online URL, or service_url in --settings FILE, says which server orders tasks"))
            .or_exit(Exit::USAGE)?;
        let mut questions = Questions::new(Talk::new(false), self.new_pin_stdin);
        let context = self.choice.context()?;
        let every = Duration::from_secs(self.every);
        loop {
            let readers = context.readers().or_exit(Exit::NOT_THERE)?;
            let asking = match self.reader(&readers)? {
                Some(reader) => self.ask(&server, &context, &reader, &mut questions)?,
                None => Asking::Nothing,
            };
            if self.once {
                return Ok(match asking {
                    Asking::Done => Exit::FINE,
                    Asking::NotDone | Asking::Nothing => Exit::FAILED,
                });
            }
            // The next card, or the next time.
            let end = Instant::now() + every;
            let mut known = readers;
            loop {
                let left = end.saturating_duration_since(Instant::now());
                let now = context.wait_for_change(&known, left).or_exit(Exit::NOT_THERE)?;
                let put_in = now.iter().any(|r| r.has_card() && !choose::named(&known, &r.name).is_some_and(|k| k.has_card()));
                known = now;
                if put_in || Instant::now() >= end {
                    break;
                }
            }
        }
    }

    /// The reader with the card; none while there is no card, unless that was asked for once.
    fn reader(&self, readers: &[cardlab_pcsclite::wire::ReaderState]) -> Result<Option<String>, Failure> {
        match self.choice.pick(readers) {
            Ok(reader) => Ok(Some(reader)),
            Err(failure) if self.once => Err(failure),
            Err(_) => Ok(None),
        }
    }

    fn ask(&self, server: &Service, context: &Context, reader: &str, questions: &mut Questions) -> Result<Asking, Failure> {
        let mut card = match connect(context, reader, questions.talk) {
            Ok(card) => card,
            Err(error) if is_gone(&error) && !self.once => return Ok(Asking::Nothing),
            Err(error) => return Err(error).or_exit(Exit::NOT_THERE),
        };
        match task(server, &mut card, questions) {
            Ok(asking) => Ok(asking),
            Err(NoAnswer::Failure(failure)) if self.once => Err(failure),
            Err(NoAnswer::Failure(failure)) => {
                // Another card, or another time, may go better.
                eprintln!("cardlab: {:#}", failure.error);
                Ok(Asking::NotDone)
            }
            Err(NoAnswer::End | NoAnswer::Broken(_)) => Ok(Asking::NotDone),
        }
    }
}

fn task(server: &Service, card: &mut Connection<'_>, questions: &mut Questions) -> Result<Asking, NoAnswer<Disturbance>> {
    let atr = card.attribute(attribute::ATR_STRING).unwrap_or_default();
    let (id, policy) = {
        let mut opened = Minidriver::open(card).or_exit(Exit::NOT_THERE)?;
        (opened.card_id().or_exit(Exit::NOT_THERE)?, opened.card_pin_policy())
    };
    let Some(id) = id else { return Err(not_unlocked("this card has no serial that a server could know it by").into()) };
    let (session, asked) = match server.task(&online::about(&id, &atr)) {
        Ok(TaskOffer::ResetUserPin { session, questions, .. }) => (session, questions),
        Ok(TaskOffer::None) => return Ok(Asking::Nothing),
        Err(
            error @ (ServiceError::Unreachable(_) | ServiceError::Refused(_) | ServiceError::TooMany(_) | ServiceError::Busy(_)),
        ) => {
            eprintln!("cardlab: {error}");
            return Ok(Asking::Nothing);
        }
        Err(error) => return Err(Failure::from(anyhow::Error::from(error)).into()),
    };
    questions.talk.note("Your operator asks you to set a new PIN for this card. Ctrl-D: not now.");
    let mut work = || match online::answer(server, session.clone(), &asked, card, questions)? {
        Asked::Session(session) => online::set_pin(server, card, &id, policy, &session, questions),
        Asked::Offline(why) => {
            questions.talk.note(&why);
            Ok(None)
        }
    };
    let done = work();
    match done {
        Ok(Some(Ended::Exit(Exit::FINE))) => {
            questions.talk.note("User PIN reset successfully.");
            Ok(Asking::Done)
        }
        Ok(_) => Ok(Asking::NotDone),
        Err(no_answer) => {
            // Nobody answered, or the card went: the task waits.
            let _ = server.later(&session);
            Err(no_answer)
        }
    }
}
