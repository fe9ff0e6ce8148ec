//! An unlock session as a conversation: what is shown is said, what it asks for is asked.

use super::ask::{NoAnswer, Questions, no_more};
use super::not_unlocked;
use crate::choose::{line, no_such_serial, numbered, which};
use crate::exit::{Exit, Failure, OrExit};
use anyhow::anyhow;
use cardlab_client::unlock::desk::{Desk, is_settled};
use cardlab_client::unlock::session::{
    Act, Chip, Face, LockedView, NewPin, Notice, PukView, Responses, Screen, Shown, Trouble, words,
};
use cardlab_protocol::workstation::Question;
use std::ops::ControlFlow;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long one look at what is shown waits for a change.
const WAIT: Duration = Duration::from_secs(60);
/// What takes longer is said.
const LONG: Duration = Duration::from_secs(4);

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The card has its new PIN.
    Unlocked,
    /// It has not, which has been said.
    Not,
    /// The server has no task for the card.
    NoTask,
}

/// What is shown has changed while somebody typed.
struct Changed;

/// A session and who speaks with it.
pub(super) struct Conversation<'a> {
    desk: &'a Desk,
    questions: &'a mut Questions,
    /// Nothing is asked that could be asked.
    pub(super) force: bool,
    /// The option that names the one way that a program wants.
    pub(super) only: Option<&'static str>,
    /// One card is wanted, by its serial.
    pub(super) serial: bool,
    /// The notice that was said last, and when.
    said: Option<(u32, Notice)>,
    /// The card that was named last.
    named: Option<Face>,
    /// The code that was said last.
    code: Vec<u8>,
    waits: bool,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(desk: &'a Desk, questions: &'a mut Questions) -> Self {
        Self { desk, questions, force: false, only: None, serial: false, said: None, named: None, code: Vec::new(), waits: false }
    }

    /// Speaks until the card is unlocked, or nothing more can be done.
    pub(super) fn hold(&mut self) -> Result<Ended, Failure> {
        loop {
            let shown = self.settled();
            self.say(&shown);
            // What a card refused a program is not tried again with what comes next on its input.
            if !self.questions.is_person() && shown.notice.as_ref().is_some_and(is_refusal) {
                return Ok(Ended::Not);
            }
            match self.answer(&shown) {
                Ok(None) => {}
                Ok(Some(ended)) => return Ok(ended),
                Err(NoAnswer::Broken(Changed)) => {
                    if self.questions.is_person() {
                        println!();
                    }
                }
                Err(NoAnswer::End(asked)) => {
                    self.questions.talk.note(&no_more(asked.as_deref()));
                    return Ok(Ended::Not);
                }
                Err(NoAnswer::Failure(failure)) => return Err(failure),
            }
        }
    }

    /// What is shown once nothing is worked on; what takes long is said.
    fn settled(&self) -> Shown {
        let mut shown = self.desk.settled(LONG);
        let mut said = None;
        while !is_settled(&shown) {
            let what = shown.held().unwrap_or_else(|| words::sentence(&shown.screen.title()));
            if said.as_ref() != Some(&what) {
                self.questions.talk.note(&what);
                said = Some(what);
            }
            let version = shown.version;
            shown = self.desk.wait_until(WAIT, |now| now.version != version);
        }
        shown
    }

    /// What has just happened, and which card it is about.
    fn say(&mut self, shown: &Shown) {
        let talk = self.questions.talk;
        if let Some(notice) = &shown.notice {
            let said = (shown.step, notice.clone());
            if self.said.as_ref() != Some(&said) {
                talk.notice(notice);
                self.said = Some(said);
            }
        }
        let card = match &shown.screen {
            Screen::NotBlocked(card, _) | Screen::Lost(card, _) => card,
            Screen::Locked(view) => &view.card,
            Screen::Puk(view) => &view.card,
            Screen::Questions { card, task: false, .. } => card,
            _ => return,
        };
        if self.named.as_ref() != Some(card) {
            talk.card(card, &shown.tries);
            self.named = Some(card.clone());
        }
    }

    fn answer(&mut self, shown: &Shown) -> Result<Option<Ended>, NoAnswer<Changed>> {
        let talk = self.questions.talk;
        let person = self.questions.is_person();
        match &shown.screen {
            Screen::NoService(why) => return Err(anyhow!("{why}")).or_exit(Exit::NOT_THERE).map_err(NoAnswer::from),
            Screen::Insert | Screen::PutBack(_) if !person => {
                let why = if matches!(shown.screen, Screen::Insert) {
                    "no card in any reader"
                } else {
                    "the card was removed; its challenge is gone"
                };
                return Err(anyhow!("{why}")).or_exit(Exit::NOT_THERE).map_err(NoAnswer::from);
            }
            Screen::Insert => self.wait_for(shown, "Put the card into a reader (Ctrl-C ends)."),
            Screen::PutBack(card) => {
                let what = format!(
                    "The {} was pulled out; its challenge is gone. Put it back for a new one (Ctrl-C ends).",
                    card.card().replacen("Card", "card", 1)
                );
                self.wait_for(shown, &what);
            }
            Screen::Choose(cards) => return self.choose(shown, cards),
            Screen::NotBlocked(..) => return self.all_the_same(shown),
            Screen::Locked(view) => return self.locked(shown, view),
            Screen::LastResponse(_) => return self.last(shown, words::SURE),
            Screen::LastPuk(_) => return self.last(shown, words::SURE_PUK),
            Screen::Puk(view) => self.puk(shown, view)?,
            Screen::Questions { questions, task, .. } => self.security_questions(shown, questions, *task)?,
            Screen::NewPin { policy, faults, .. } => {
                self.faults(&[faults.pin(), faults.confirmation()]);
                let pin = self.questions.new_pin(*policy, &mut unchanged(self.desk, shown.step))?;
                self.act(shown, Act::NewPin(NewPin::once(pin)));
            }
            Screen::Done(_) => {
                talk.unlocked();
                return Ok(Some(Ended::Unlocked));
            }
            Screen::Lost(..) => {
                talk.note(&format!("{}.", shown.screen.title()));
                shown.screen.lines().iter().for_each(|line| talk.note(line));
                return Ok(Some(Ended::Not));
            }
            Screen::NoTask(_) => return Ok(Some(Ended::NoTask)),
            Screen::RemoteDesktop(_) | Screen::Pin(..) | Screen::Welcome(_) => {
                return Err(not_unlocked(&shown.screen.title()).into());
            }
            Screen::Looking | Screen::Working(..) => {}
        }
        Ok(None)
    }

    fn act(&self, shown: &Shown, act: Act) {
        self.desk.act(Some(shown.step), act);
    }

    fn wait_for(&mut self, shown: &Shown, what: &str) {
        if !std::mem::replace(&mut self.waits, true) {
            self.questions.talk.note(what);
        }
        let now = self.desk.wait_until(WAIT, |now| now.version != shown.version);
        self.waits = now.version == shown.version;
    }

    fn choose(&mut self, shown: &Shown, cards: &[Chip]) -> Result<Option<Ended>, NoAnswer<Changed>> {
        let usable: Vec<&Chip> = cards.iter().filter(|card| card.trouble.is_none()).collect();
        if self.serial {
            return Err(no_such_serial(cards).into());
        }
        // What is held is waited for; what is of no use stays so.
        let held = |card: &&Chip| card.trouble == Some(Trouble::Held);
        if usable.is_empty() && !self.questions.is_person() && !cards.iter().any(|card| held(&card)) {
            return Err(anyhow!("{}", line(&cards[0]))).or_exit(Exit::NOT_THERE).map_err(NoAnswer::from);
        }
        if !self.questions.is_person() && !usable.is_empty() {
            return Err(which(usable).into());
        }
        if usable.is_empty() {
            let what: Vec<String> = cards.iter().map(line).collect();
            self.wait_for(shown, &what.join(" "));
            return Ok(None);
        }
        numbered(&usable, |text| self.questions.talk.note(text));
        match self.questions.number(usable.len())? {
            Some(number) => self.act(shown, Act::Choose(usable[number - 1].key.clone())),
            None => return Ok(Some(Ended::Not)),
        }
        Ok(None)
    }

    fn all_the_same(&mut self, shown: &Shown) -> Result<Option<Ended>, NoAnswer<Changed>> {
        if !self.force && !self.questions.is_person() {
            let why = shown.screen.lines().join(" ");
            return Err(not_unlocked(&format!("{why} --force sets a new PIN all the same")).into());
        }
        if !self.force && !self.questions.agrees("Set a new PIN all the same?")? {
            return Ok(Some(Ended::Not));
        }
        self.act(shown, Act::AllTheSame);
        Ok(None)
    }

    fn locked(&mut self, shown: &Shown, view: &LockedView) -> Result<Option<Ended>, NoAnswer<Changed>> {
        let talk = self.questions.talk;
        let person = self.questions.is_person();
        let no_puk = self.only == Some("--puk") && !view.puk;
        // The way that was asked for is not open; a program wants no other.
        if let (Some(only), false) = (self.only, person) {
            let why = if no_puk {
                "this card has no PUK; leave --puk out".into()
            } else {
                format!("the card cannot be unlocked with {only} now")
            };
            return Err(not_unlocked(&why).into());
        }
        if no_puk {
            talk.note("This card has no PUK.");
            self.only = None;
        }
        let Some(code) = &view.code else {
            if let Some(note) = view.offline_note() {
                talk.note(&note);
            }
            if matches!(view.responses, Responses::Taken(_)) {
                return Ok(Some(Ended::Not));
            }
            if view.puk && person {
                self.act(shown, Act::UsePuk);
                return Ok(None);
            }
            if view.puk {
                talk.note("Use --puk.");
            }
            return Ok(Some(Ended::Not));
        };
        if self.code != code.0 {
            if !view.text.is_empty() {
                talk.note(&words::visible(&view.text));
            }
            talk.challenge(&code.0);
            if let (Some(left), true) = (view.left(), person) {
                talk.note(&format!("                 {left}"));
            }
            self.code.clone_from(&code.0);
        }
        self.faults(&[view.faults.response(), view.faults.pin(), view.faults.confirmation()]);
        let mut unchanged = unchanged(self.desk, shown.step);
        let response = self.questions.response(code.0.len(), &mut unchanged)?;
        let pin = self.questions.new_pin(view.policy, &mut unchanged)?;
        let response = Zeroizing::new(cardlab_protocol::codes::digits(&response));
        self.act(shown, Act::Respond(response, NewPin::once(pin)));
        Ok(None)
    }

    fn last(&mut self, shown: &Shown, sure: words::Word) -> Result<Option<Ended>, NoAnswer<Changed>> {
        if !self.force {
            let talk = self.questions.talk;
            talk.note(&format!("{}.", shown.screen.title()));
            shown.screen.lines().iter().for_each(|line| talk.note(line));
            if !self.questions.is_person() {
                return Err(not_unlocked("--force uses it").into());
            }
            if !self.questions.agrees(&format!("{sure}?"))? {
                return Ok(Some(Ended::Not));
            }
        }
        self.act(shown, Act::Sure);
        Ok(None)
    }

    fn puk(&mut self, shown: &Shown, view: &PukView) -> Result<(), NoAnswer<Changed>> {
        self.faults(&[view.faults.puk(), view.faults.pin(), view.faults.confirmation()]);
        let mut unchanged = unchanged(self.desk, shown.step);
        let puk = self.questions.puk(&mut unchanged)?;
        let pin = self.questions.new_pin(view.policy, &mut unchanged)?;
        self.act(shown, Act::Puk(puk, NewPin::once(pin)));
        Ok(())
    }

    fn security_questions(&mut self, shown: &Shown, asked: &[Question], task: bool) -> Result<(), NoAnswer<Changed>> {
        let wrong = matches!(shown.notice, Some(Notice::AnswersWrong | Notice::Server(_)));
        if wrong && !self.questions.is_person() {
            return Err(not_unlocked("the answers were not taken").into());
        }
        if task && !wrong {
            self.questions.talk.note(&format!("{}. Ctrl-D: not now.", shown.screen.title()));
        }
        let mut unchanged = unchanged(self.desk, shown.step);
        let mut answers = Vec::new();
        for question in asked {
            answers.push(self.questions.answer(&words::visible(&question.text), &mut unchanged)?);
        }
        self.act(shown, Act::Answers(answers));
        Ok(())
    }

    fn faults(&self, faults: &[Option<String>]) {
        faults.iter().flatten().for_each(|fault| self.questions.talk.note(fault));
    }
}

/// The card was asked, and said no; or it was for a card as it is no more.
const fn is_refusal(notice: &Notice) -> bool {
    matches!(notice, Notice::Card(_) | Notice::ResponseWrong(_) | Notice::CodeDead(_) | Notice::UnlockedElsewhere)
}

/// Breaks off what is being typed once it would be for something else.
fn unchanged(desk: &Desk, step: u32) -> impl FnMut() -> ControlFlow<Changed> + use<'_> {
    move || if desk.shown().step == step { ControlFlow::Continue(()) } else { ControlFlow::Break(Changed) }
}
