//! `cardlab agent`: tasks that operators order for the card in a reader of this workstation.

use super::ask::Questions;
use super::converse::{Conversation, Ended};
use super::talk::Talk;
use super::{LAST_WORDS, OnlineOptions, desk};
use crate::choose::ReaderChoice;
use crate::exit::{Exit, Failure, OrExit};
use anyhow::anyhow;
use cardlab_client::unlock::desk::{Desk, is_settled};
use cardlab_client::unlock::session::{Act, Begin, First, Notice, Screen};
use clap::Args;
use std::time::Duration;

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

impl Agent {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let server = self
            .online
            .service()?
            .ok_or_else(|| anyhow!("--online URL, or service_url in --settings FILE, says which server orders tasks"))
            .or_exit(Exit::USAGE)?;
        let mut questions = Questions::new(Talk::new(false), self.new_pin_stdin);
        let readers = self.choice.context()?.readers().or_exit(Exit::NOT_THERE)?;
        if self.once {
            self.choice.pick(&readers)?;
        }
        let desk = desk(&self.choice, Some(server), Begin::Task, false, First::Any);
        if self.once {
            let ended = self.ask(&desk, &mut questions);
            desk.finish(LAST_WORDS);
            return Ok(match ended? {
                Some(Ended::Unlocked) => Exit::FINE,
                Some(Ended::Not | Ended::NoTask) | None => Exit::FAILED,
            });
        }
        loop {
            if let Err(failure) = self.ask(&desk, &mut questions) {
                // Another card, or another time, may go better.
                eprintln!("cardlab: {:#}", failure.error);
            }
            // The next card, or the next time.
            let step = desk.shown().step;
            desk.wait_until(Duration::from_secs(self.every), |shown| shown.step != step && is_settled(shown));
        }
    }

    /// Asks for the card that is there; `None` where there is none.
    fn ask(&self, desk: &Desk, questions: &mut Questions) -> Result<Option<Ended>, Failure> {
        let mut shown = desk.settled(LAST_WORDS);
        if let Screen::Choose(cards) = &shown.screen
            && let Some(card) = cards.iter().find(|card| card.trouble.is_none())
        {
            desk.act(Some(shown.step), Act::Choose(card.key.clone()));
            shown = desk.settled(LAST_WORDS);
        }
        if matches!(shown.screen, Screen::Done(_) | Screen::PutBack(_)) {
            desk.act(Some(shown.step), Act::Back);
            shown = desk.settled(LAST_WORDS);
        }
        if !matches!(shown.screen, Screen::NoTask(_)) {
            return Ok(None);
        }
        desk.act(Some(shown.step), Act::AskTask);
        let shown = desk.wait_until(LAST_WORDS, is_settled);
        if let (Screen::NoTask(card), notice) = (&shown.screen, &shown.notice) {
            match notice {
                Some(notice @ (Notice::Server(_) | Notice::NoSerial)) => eprintln!("cardlab: {}", notice.text()),
                _ if self.once => questions.talk.note(&format!("There is no task for {}.", card.name())),
                _ => {}
            }
            return Ok(Some(Ended::NoTask));
        }
        let mut conversation = Conversation::new(desk, questions);
        let ended = conversation.hold();
        match ended {
            Ok(Ended::Unlocked) => {
                // The operator sees it when the user does.
                desk.finish(LAST_WORDS);
                questions.talk.note("User PIN reset successfully.");
            }
            // Nobody answered, or it went wrong: the task waits.
            _ => drop(desk.act(None, Act::Back)),
        }
        ended.map(Some)
    }
}
