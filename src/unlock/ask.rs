//! The questions of the Unlock tool.

use super::talk::Talk;
use crate::choose;
use crate::exit::{Exit, Failure, OrExit};
use crate::terminal::{Entry, Lines};
use anyhow::anyhow;
use cardlab_client::minidriver::{PinFault, PinPolicy, check_puk};
use cardlab_client::unlock::session::words::{LOOKALIKES, rules, sentence};
use std::ops::ControlFlow;
use std::time::Duration;
use zeroize::Zeroizing;

/// How often it is looked at whether what is being typed is still wanted.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Why there is no answer.
pub(super) enum NoAnswer<B> {
    /// Nobody answers any more. What was asked, where that was not shown.
    End(Option<String>),
    /// The card, or the time.
    Broken(B),
    /// It ends the tool.
    Failure(Failure),
}

/// What is said when there was no more input.
pub(super) fn no_more(asked: Option<&str>) -> String {
    match asked {
        Some(asked) => format!("Not unlocked: no more input. What was asked: {asked}"),
        None => "Not unlocked: no more input.".into(),
    }
}

impl<B> From<Failure> for NoAnswer<B> {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Where answers come from.
pub(super) struct Questions {
    pub(super) talk: Talk,
    lines: Lines,
    /// PINs are not asked twice.
    once: bool,
}

impl Questions {
    pub(super) fn new(talk: Talk, once: bool) -> Self {
        Self { talk, lines: Lines::new(), once }
    }

    /// Whether a person answers, who may try again.
    pub(super) fn is_person(&self) -> bool {
        !self.talk.json && self.lines.is_terminal()
    }

    fn line<B>(
        &mut self,
        question: &str,
        hidden: bool,
        idle: &mut dyn FnMut() -> ControlFlow<B>,
    ) -> Result<Zeroizing<String>, NoAnswer<B>> {
        // A program reads the help instead.
        if self.is_person() {
            self.talk.ask(question);
        }
        match self.lines.next(hidden, LOOK_EVERY, idle).map_err(Failure::from)? {
            Entry::Line(line) => Ok(line),
            Entry::End => Err(NoAnswer::End((!self.is_person()).then(|| question.trim_end_matches([':', ' ']).to_owned()))),
            Entry::Broken(why) => Err(NoAnswer::Broken(why)),
        }
    }

    /// A code of `length` bytes. A person may mend it; a program's mistake ends the tool.
    pub(super) fn response<B>(
        &mut self,
        length: usize,
        idle: &mut dyn FnMut() -> ControlFlow<B>,
    ) -> Result<Vec<u8>, NoAnswer<B>> {
        loop {
            let text = self.line("Response data    ", false, idle)?;
            match cardlab_protocol::codes::parse(&text, &[length]) {
                Ok(response) => {
                    self.talk.response_taken(&response);
                    if cardlab_protocol::codes::has_lookalikes(&text) && self.is_person() {
                        self.talk.note(&LOOKALIKES.to_string());
                    }
                    return Ok(response);
                }
                Err(error) => self.mend(&error.to_string())?,
            }
        }
    }

    /// A new PIN that keeps the card's rules, typed twice by a person.
    pub(super) fn new_pin<B>(
        &mut self,
        policy: PinPolicy,
        idle: &mut dyn FnMut() -> ControlFlow<B>,
    ) -> Result<Zeroizing<String>, NoAnswer<B>> {
        let question = format!("New PIN ({}): ", rules(&policy));
        loop {
            let pin = self.line(&question, true, idle)?;
            if let Err(fault) = policy.check(pin.as_bytes()) {
                self.mend(&fault.to_string())?;
                continue;
            }
            if self.once || !self.is_person() {
                return Ok(pin);
            }
            let confirmation = self.line("Confirm new PIN: ", true, idle)?;
            if *confirmation == *pin {
                return Ok(pin);
            }
            self.mend(&PinFault::Confirmation.to_string())?;
        }
    }

    /// An answer to a security question.
    pub(super) fn answer<B>(
        &mut self,
        question: &str,
        idle: &mut dyn FnMut() -> ControlFlow<B>,
    ) -> Result<Zeroizing<String>, NoAnswer<B>> {
        self.talk.question(question);
        self.line(&format!("{question} "), true, idle)
    }

    /// A PUK.
    pub(super) fn puk<B>(&mut self, idle: &mut dyn FnMut() -> ControlFlow<B>) -> Result<Zeroizing<String>, NoAnswer<B>> {
        loop {
            let puk = self.line("PUK: ", true, idle)?;
            match check_puk(puk.as_bytes()) {
                Ok(()) => return Ok(puk),
                Err(fault) => self.mend(&fault.to_string())?,
            }
        }
    }

    /// Yes or no; no when nobody says.
    pub(super) fn agrees(&mut self, question: &str) -> Result<bool, Failure> {
        match self.line::<()>(&format!("{question} [y/N] "), false, &mut || ControlFlow::Continue(())) {
            Ok(answer) => Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes")),
            Err(NoAnswer::Failure(failure)) => Err(failure),
            Err(_) => Ok(false),
        }
    }

    /// A number from 1 to `count`; `None` when nobody answers.
    pub(super) fn number(&mut self, count: usize) -> Result<Option<usize>, Failure> {
        let talk = self.talk;
        choose::number(
            count,
            |text| talk.note(text),
            |question| match self.line::<()>(question, false, &mut || ControlFlow::Continue(())) {
                Ok(line) => Ok(Some(line)),
                Err(NoAnswer::Failure(failure)) => Err(failure),
                Err(_) => Ok(None),
            },
        )
    }

    fn mend(&self, message: &str) -> Result<(), Failure> {
        if self.is_person() {
            self.talk.note(&sentence(message));
            return Ok(());
        }
        Err(anyhow!("{message}; the card was not asked")).or_exit(Exit::USAGE)
    }
}
