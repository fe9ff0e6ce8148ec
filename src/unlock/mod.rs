//! `cardlab unlock`: the Unlock tool.

mod agent;
mod ask;
mod online;
mod talk;

use crate::choose::{self, ReaderChoice};
use crate::exit::{Exit, Failure, OrExit};
pub(crate) use agent::Agent;
use anyhow::anyhow;
use ask::{NoAnswer, Questions};
use cardlab_client::minidriver::{Authenticator, CardError, Minidriver, PinFault, Secret};
use cardlab_client::recognise::Edge;
use cardlab_client::service::Service;
use cardlab_client::transport::{Transport, TransportError};
use cardlab_client::unlock::offline::{Guard, KEEP_EVERY, Offline};
use cardlab_pcsclite::client::{Connection, Context, Disposition, Error, ShareMode};
use cardlab_pcsclite::code::{ReturnCode, attribute};
use clap::Args;
pub(crate) use online::OnlineOptions;
use std::ops::ControlFlow;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use talk::{Talk, pin_state, sentence};

/// How long one wait for a card to come back lasts before the next begins.
const WAIT: Duration = Duration::from_secs(60);

#[derive(Args)]
#[command(after_help = "In a script: line 1 of stdin is the response, line 2 the new PIN; --json tells the challenge first.\n\
                        In two steps, while the card keeps its power:\n  \
                        challenge=$(cardlab unlock --challenge)\n  \
                        echo NEWPIN | cardlab unlock --response RESPONSE --new-pin-stdin")]
pub(crate) struct Unlock {
    #[command(flatten)]
    choice: ReaderChoice,

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

    /// Set a new PIN although the PIN is not blocked, without asking
    #[arg(long)]
    force: bool,

    /// Let other programs use the card while you wait for the response; they may end the challenge
    #[arg(long)]
    share: bool,

    /// Say everything as JSON lines, ask nothing
    #[arg(long)]
    json: bool,
}

/// How a session with a card ended.
enum Ended {
    /// The tool is done.
    Exit(Exit),
    /// The card went away.
    Gone,
    /// The challenge was lost; the card is there.
    Again,
}

/// What disturbs a person who types.
enum Disturbance {
    Card(TransportError),
    Over,
}

impl Unlock {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let mut questions = Questions::new(Talk::new(self.json), self.new_pin_stdin);
        let server = self.online.service()?;
        let context = self.choice.context()?;
        let Some(reader) = self.pick(&context, &mut questions)? else { return Ok(Exit::FAILED) };
        let mut first = true;
        loop {
            let mut card = match connect(&context, &reader, questions.talk) {
                Ok(card) => card,
                Err(error) if is_gone(&error) && questions.is_person() && !self.challenge => {
                    wait_for_card(&context, &reader, questions.talk)?;
                    continue;
                }
                Err(error) => return Err(error).or_exit(Exit::NOT_THERE),
            };
            let ended = self.session(server.as_ref(), &mut card, &reader, &mut questions, first)?;
            first = false;
            match ended {
                Ended::Exit(exit) => return Ok(exit),
                Ended::Again if questions.is_person() => {}
                Ended::Gone if questions.is_person() => {
                    questions.talk.note("The card was removed; its challenge is gone. Put it back for a new one (Ctrl-C ends).");
                    drop(card);
                    wait_for_card(&context, &reader, questions.talk)?;
                }
                Ended::Again => return Ok(Exit::FAILED),
                Ended::Gone => return Err(anyhow!("the card was removed; its challenge is gone")).or_exit(Exit::NOT_THERE),
            }
        }
    }

    /// The reader: the one named, the only one with a card, or the one a person chooses.
    fn pick(&self, context: &Context, questions: &mut Questions) -> Result<Option<String>, Failure> {
        let mut readers = context.readers().or_exit(Exit::NOT_THERE)?;
        if self.choice.reader.is_none() && questions.is_person() && !self.challenge {
            while !readers.is_empty() && !readers.iter().any(|r| r.has_card()) {
                questions.talk.note("Put the card into a reader (Ctrl-C ends).");
                readers = context.wait_for_change(&readers, WAIT).or_exit(Exit::NOT_THERE)?;
            }
            let with_card: Vec<&str> = readers.iter().filter(|r| r.has_card()).map(|r| r.name.as_str()).collect();
            if with_card.len() > 1 {
                for (index, reader) in with_card.iter().enumerate() {
                    questions.talk.note(&format!("{:>3}  {}", index + 1, describe(context, reader)));
                }
                let number = questions.number(&format!("Card (1 to {}): ", with_card.len()), with_card.len())?;
                return Ok(number.map(|n| with_card[n - 1].to_owned()));
            }
        }
        self.choice.pick(&readers).map(Some)
    }

    fn session(
        &self,
        server: Option<&Service>,
        card: &mut Connection<'_>,
        reader: &str,
        questions: &mut Questions,
        first: bool,
    ) -> Result<Ended, Failure> {
        let result = match &self.response {
            Some(response) => self.with_given_response(card, response, questions),
            None => self.look_first(server, card, reader, questions, first),
        };
        match result {
            Ok(ended) => Ok(ended),
            Err(NoAnswer::Failure(failure)) => Err(failure),
            Err(NoAnswer::End) => {
                questions.talk.note("Not unlocked: no more input.");
                Ok(Ended::Exit(Exit::FAILED))
            }
            Err(NoAnswer::Broken(Disturbance::Over)) => {
                questions.talk.note("\nTen minutes are over: the card was free for other programs. Here is a new challenge.");
                Ok(Ended::Again)
            }
            Err(NoAnswer::Broken(Disturbance::Card(TransportError::Reset))) => {
                questions.talk.note("\nAnother program reset the card; its challenge is gone. Here is a new one.");
                Ok(Ended::Again)
            }
            Err(NoAnswer::Broken(Disturbance::Card(_))) => {
                if questions.is_person() {
                    println!();
                }
                Ok(Ended::Gone)
            }
        }
    }

    /// Looks at the card, then goes the way that was asked for.
    fn look_first(
        &self,
        server: Option<&Service>,
        card: &mut Connection<'_>,
        reader: &str,
        questions: &mut Questions,
        first: bool,
    ) -> Result<Ended, NoAnswer<Disturbance>> {
        let (edge, status) = {
            let mut opened = match Minidriver::open(card) {
                Ok(opened) => opened,
                Err(error) => return self.refusal(&error, questions),
            };
            let status = match opened.card_pin_status() {
                Ok(status) => status,
                Err(error) => return self.refusal(&error, questions),
            };
            let id = opened.card_id().ok().flatten();
            if first && (self.json || !self.challenge) {
                questions.talk.card(reader, opened.edge(), id.as_deref(), &status);
            }
            (opened.edge(), status)
        };
        if let Edge::Gids { initialised: false } = edge {
            return Err(not_unlocked("this GIDS card is not initialised: it has no PIN to unlock").into());
        }
        if self.challenge {
            let mut opened = Minidriver::open(card).or_exit(Exit::NOT_THERE)?;
            return match opened.unblock_challenge() {
                Ok(challenge) if self.json => {
                    questions.talk.challenge(&challenge);
                    Ok(Ended::Exit(Exit::FINE))
                }
                Ok(challenge) => {
                    println!("{}", cardlab_protocol::codes::digits(&challenge));
                    Ok(Ended::Exit(Exit::FINE))
                }
                Err(error) => self.refusal(&error, questions),
            };
        }
        if first && !self.force && status.pin_blocked() != Some(true) {
            let state = sentence(&pin_state(&status));
            if !questions.is_person() {
                return Err(not_unlocked(&format!("{}; --force sets a new PIN all the same", pin_state(&status))).into());
            }
            if !questions.agrees(&format!("{state} Set a new PIN all the same?"))? {
                return Ok(Ended::Exit(Exit::FAILED));
            }
        }
        if let Some(server) = server {
            let atr = card.attribute(attribute::ATR_STRING).unwrap_or_default();
            if let Some(ended) = online::unlock(server, card, &atr, questions)? {
                return Ok(ended);
            }
            if !questions.is_person() {
                return Ok(Ended::Exit(Exit::FAILED));
            }
        }
        if self.puk { self.with_puk(card, questions) } else { self.with_response(card, questions) }
    }

    fn with_response(&self, card: &mut Connection<'_>, questions: &mut Questions) -> Result<Ended, NoAnswer<Disturbance>> {
        let guard = if self.share { Guard::Look } else { Guard::Transaction };
        let mut offline = match Offline::begin(card, guard) {
            Ok(offline) => offline,
            Err(error) => return self.refusal(&error, questions),
        };
        loop {
            questions.talk.challenge(offline.challenge());
            let length = offline.challenge().len();
            let mut idle = || match offline.keep() {
                Ok(true) => ControlFlow::Continue(()),
                Ok(false) => ControlFlow::Break(Disturbance::Over),
                Err(error) => ControlFlow::Break(Disturbance::Card(error)),
            };
            let response = questions.response(length, &mut idle)?;
            let policy = offline.pin_policy();
            let mut idle = || match offline.keep() {
                Ok(true) => ControlFlow::Continue(()),
                Ok(false) => ControlFlow::Break(Disturbance::Over),
                Err(error) => ControlFlow::Break(Disturbance::Card(error)),
            };
            let pin = questions.new_pin(policy, &mut idle)?;
            match offline.answer(&response, pin.as_bytes()) {
                Ok(()) => {
                    questions.talk.unlocked();
                    return Ok(Ended::Exit(Exit::FINE));
                }
                Err(error @ (CardError::Wrong { .. } | CardError::Pin(PinFault::RefusedByCard))) => {
                    questions.talk.refused(&error);
                    if let Err(error) = offline.again() {
                        return self.refusal(&error, questions);
                    }
                }
                Err(CardError::ChallengeGone) => {
                    questions.talk.refused(&CardError::ChallengeGone);
                    return Ok(Ended::Again);
                }
                Err(error) => return self.refusal(&error, questions),
            }
        }
    }

    fn with_puk(&self, card: &mut Connection<'_>, questions: &mut Questions) -> Result<Ended, NoAnswer<Disturbance>> {
        let mut still = || ControlFlow::Continue(());
        let (policy, puk_blocked) = {
            let mut opened = Minidriver::open(card).or_exit(Exit::NOT_THERE)?;
            if let Edge::Gids { .. } = opened.edge() {
                return Err(not_unlocked("a GIDS card has no PUK; leave --puk out").into());
            }
            let status = opened.card_pin_status().or_exit(Exit::NOT_THERE)?;
            (opened.card_pin_policy(), status.puk.is_some_and(|c| c.left == 0))
        };
        if puk_blocked {
            return self.refusal(&CardError::Blocked(Secret::Puk), questions);
        }
        loop {
            let puk = questions.puk(&mut still)?;
            let pin = questions.new_pin(policy, &mut still)?;
            let mut opened = match Minidriver::open(card) {
                Ok(opened) => opened,
                Err(error) => return self.refusal(&error, questions),
            };
            match opened.card_unblock_pin(Authenticator::Puk(puk.as_bytes()), pin.as_bytes()) {
                Ok(()) => {
                    questions.talk.unlocked();
                    return Ok(Ended::Exit(Exit::FINE));
                }
                Err(error @ (CardError::Wrong { left: Some(1..), .. } | CardError::Pin(_))) => questions.talk.refused(&error),
                Err(error) => return self.refusal(&error, questions),
            }
        }
    }

    /// The second of two steps: the challenge was drawn before, so nothing may be selected.
    fn with_given_response(
        &self,
        card: &mut Connection<'_>,
        response: &str,
        questions: &mut Questions,
    ) -> Result<Ended, NoAnswer<Disturbance>> {
        let response =
            cardlab_protocol::codes::parse(response, &[8, 16]).map_err(|e| anyhow!("--response: {e}")).map_err(Failure::from)?;
        Transport::begin(card).or_exit(Exit::NOT_THERE)?;
        let policy = match Minidriver::resume(card) {
            Ok(opened) => opened.card_pin_policy(),
            Err(error) => return self.refusal(&error, questions),
        };
        let pin = questions.new_pin(policy, &mut || match card.check() {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(Disturbance::Card(error)),
        })?;
        let mut opened = match Minidriver::resume(card) {
            Ok(opened) => opened,
            Err(error) => return self.refusal(&error, questions),
        };
        match opened.card_unblock_pin(Authenticator::Response(&response), pin.as_bytes()) {
            Ok(()) => {
                questions.talk.unlocked();
                Ok(Ended::Exit(Exit::FINE))
            }
            Err(error) => {
                questions.talk.refused(&error);
                // A fresh one, for the next attempt.
                if let (false, Ok(challenge)) = (matches!(error, CardError::Transport(_)), opened.unblock_challenge()) {
                    questions.talk.challenge(&challenge);
                }
                Ok(Ended::Exit(Exit::FAILED))
            }
        }
    }

    /// What the card refuses for good, or cannot hear.
    fn refusal(&self, error: &CardError, questions: &Questions) -> Result<Ended, NoAnswer<Disturbance>> {
        match error {
            CardError::Transport(TransportError::Removed | TransportError::NoReader) => return Ok(Ended::Gone),
            CardError::Transport(TransportError::Reset) => return Ok(Ended::Again),
            _ => {}
        }
        questions.talk.refused(error);
        match error {
            CardError::Blocked(Secret::AdminKey) => {
                questions.talk.note("If the card has a PUK, --puk unlocks it; else it must be replaced.");
            }
            CardError::Blocked(Secret::Puk) => {
                questions.talk.note("If your operator can answer a challenge for this card, leave --puk out.");
            }
            CardError::NotSupported(_) if !self.puk => questions.talk.note("Use --puk."),
            CardError::ChallengeGone => questions.talk.note("Take a new challenge: cardlab unlock --challenge."),
            _ => {}
        }
        Ok(Ended::Exit(if matches!(error, CardError::Unknown) { Exit::NOT_THERE } else { Exit::FAILED }))
    }
}

fn not_unlocked(reason: &str) -> Failure {
    Failure { exit: Exit::FAILED, error: anyhow!("{reason}") }
}

fn is_gone(error: &Error) -> bool {
    matches!(error.code(), Some(ReturnCode::NO_SMARTCARD | ReturnCode::REMOVED_CARD))
}

/// Connects to a card and waits until no other program holds it; says so when that takes long.
fn connect<'c>(context: &'c Context, reader: &str, talk: Talk) -> Result<Connection<'c>, Error> {
    let (done, waits) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        if waits.recv_timeout(KEEP_EVERY) == Err(RecvTimeoutError::Timeout) {
            talk.note("Another program holds the card; waiting for it.");
        }
    });
    let mut card = context.connect(reader, ShareMode::Shared)?;
    card.begin()?;
    card.end(Disposition::Leave)?;
    drop(done);
    Ok(card)
}

fn wait_for_card(context: &Context, reader: &str, talk: Talk) -> Result<(), Failure> {
    let mut readers = context.readers().or_exit(Exit::NOT_THERE)?;
    loop {
        match choose::named(&readers, reader) {
            Some(state) if state.has_card() => return Ok(()),
            Some(_) => {}
            None => {
                talk.note("The reader is no longer there.");
                return Err(anyhow!("no reader named '{reader}' any more")).or_exit(Exit::NOT_THERE);
            }
        }
        readers = context.wait_for_change(&readers, WAIT).or_exit(Exit::NOT_THERE)?;
    }
}

/// One line of the list of cards.
fn describe(context: &Context, reader: &str) -> String {
    let look = || -> Result<String, CardError> {
        let mut card = context.connect(reader, ShareMode::Shared).map_err(TransportError::from)?;
        let mut card = Minidriver::open(&mut card)?;
        let status = card.card_pin_status()?;
        Ok(format!("{}: {}", card.edge().name(), pin_state(&status)))
    };
    match look() {
        Ok(text) => format!("{reader}  {text}"),
        Err(error) => format!("{reader}  {error}"),
    }
}
