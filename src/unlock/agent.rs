//! `cardlab agent`: tasks that operators order for the cards in the readers of this workstation.

use super::ask::Questions;
use super::converse::{Conversation, Ended};
use super::talk::Talk;
use super::{LAST_WORDS, OnlineOptions, desk};
use crate::choose::ReaderChoice;
use crate::exit::{Exit, Failure, OrExit};
use anyhow::anyhow;
use cardlab_client::unlock::desk::{Desk, is_settled};
use cardlab_client::unlock::session::{Act, Begin, First, Notice, Screen, Shown};
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

    /// Ask once, for the cards that are there
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
                eprintln!("cardlab: {}", failure.sentence());
            }
            // The next card, or the next time.
            let step = desk.shown().step;
            desk.wait_until(Duration::from_secs(self.every), |shown| shown.step != step && is_settled(shown));
        }
    }

    /// Asks for each card that is there, and does its task; the best that came of one, `None` where there is no card.
    fn ask(&self, desk: &Desk, questions: &mut Questions) -> Result<Option<Ended>, Failure> {
        let mut shown = desk.settled(LAST_WORDS);
        if matches!(shown.screen, Screen::Done(_) | Screen::PutBack(_)) {
            desk.act(Some(shown.step), Act::Back);
            shown = desk.settled(LAST_WORDS);
        }
        let (mut asked, mut best) = (Vec::new(), None);
        loop {
            if let Screen::NoTask(card) = &shown.screen
                && !asked.contains(card)
            {
                asked.push(card.clone());
                let ended = self.ask_for_one(desk, &shown, questions)?;
                if best.is_none() || ended == Ended::Unlocked {
                    best = Some(ended);
                }
                shown = desk.settled(LAST_WORDS);
                // Who cannot be reached is not reached for another card.
                if matches!(shown.notice, Some(Notice::Server(_))) {
                    return Ok(best);
                }
            }
            let cards = if let Screen::Choose(cards) = &shown.screen { cards } else { &shown.others };
            let next = cards.iter().find_map(|card| {
                let face = card.face.as_ref().filter(|face| card.trouble.is_none() && !asked.contains(face))?;
                Some((card.key.clone(), face.clone()))
            });
            let Some((key, face)) = next else { return Ok(best) };
            desk.act(Some(shown.step), Act::Choose(key));
            shown = desk.settled(LAST_WORDS);
            // One that went meanwhile is not looked for again.
            if !matches!(&shown.screen, Screen::NoTask(card) if *card == face) {
                asked.push(face);
            }
        }
    }

    /// Asks for the card that is shown, and does its task.
    fn ask_for_one(&self, desk: &Desk, shown: &Shown, questions: &mut Questions) -> Result<Ended, Failure> {
        desk.act(Some(shown.step), Act::AskTask);
        let shown = desk.wait_until(LAST_WORDS, is_settled);
        if let (Screen::NoTask(card), notice) = (&shown.screen, &shown.notice) {
            match notice {
                Some(notice @ (Notice::Server(_) | Notice::NoSerial)) => eprintln!("cardlab: {}", notice.text()),
                _ if self.once => questions.talk.note(&format!("There is no task for {}.", card.name())),
                _ => {}
            }
            return Ok(Ended::NoTask);
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
        ended
    }
}
