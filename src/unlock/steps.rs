//! The Unlock tool in two steps: a challenge that stays pending in the card, and later the response to it.

use super::ask::{NoAnswer, Questions, no_more};
use super::not_unlocked;
use super::talk::Talk;
use crate::choose::CardChoice;
use crate::exit::{Exit, Failure, OrExit};
use anyhow::anyhow;
use cardlab_client::minidriver::{Authenticator, CardError, Minidriver};
use cardlab_client::transport::{Transport, TransportError};
use cardlab_client::unlock::pending::Pending;
use cardlab_pcsclite::client::{Connection, ShareMode};
use cardlab_pcsclite::code::ReturnCode;
use std::ops::ControlFlow;

/// Prints a challenge and leaves it pending.
pub(super) fn challenge(choice: &CardChoice, talk: Talk) -> Result<Exit, Failure> {
    with_card(choice, |card| {
        let mut opened = match Minidriver::open(card) {
            Ok(opened) => opened,
            Err(error) => return Ok(refused(&error, talk)),
        };
        Ok(match draw(&mut opened, Minidriver::unblock_challenge) {
            Ok(challenge) if talk.json => {
                talk.challenge(&challenge);
                Exit::FINE
            }
            Ok(challenge) => {
                println!("{}", cardlab_protocol::codes::digits(&challenge));
                Exit::FINE
            }
            Err(error) => refused(&error, talk),
        })
    })
}

/// Gives the card the response to the challenge that was drawn before, so nothing may be selected.
pub(super) fn respond(choice: &CardChoice, response: &str, force: bool, questions: &mut Questions) -> Result<Exit, Failure> {
    let response =
        cardlab_protocol::codes::parse(response, &[8, 16]).map_err(|e| anyhow!("--response: {e}")).map_err(Failure::from)?;
    with_card(choice, |card| {
        let talk = questions.talk;
        let (policy, status) = match Minidriver::resume(card).and_then(|mut c| Ok((c.card_pin_policy(), c.card_pin_status()?))) {
            Ok(known) => known,
            Err(error) => return Ok(refused(&error, talk)),
        };
        if status.admin.is_some_and(|counter| counter.left == 1) && !force {
            let last = "this is the last response that the card takes: a wrong one loses it for good; --force uses it";
            return Err(not_unlocked(last));
        }
        let pin = questions.new_pin(policy, &mut || match card.check() {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        });
        let pin = match pin {
            Ok(pin) => pin,
            Err(NoAnswer::Failure(failure)) => return Err(failure),
            Err(NoAnswer::End(asked)) => {
                talk.note(&no_more(asked.as_deref()));
                return Ok(Exit::FAILED);
            }
            Err(NoAnswer::Broken(error)) => return Ok(refused(&error.into(), talk)),
        };
        let mut opened = match Minidriver::resume(card) {
            Ok(opened) => opened,
            Err(error) => return Ok(refused(&error, talk)),
        };
        match opened.card_unblock_pin(Authenticator::Response(&response), pin.as_bytes()) {
            Ok(()) => {
                talk.unlocked();
                Ok(Exit::FINE)
            }
            Err(error) => {
                let exit = refused(&error, talk);
                // A fresh one, for the next attempt.
                if let (false, Ok(challenge)) =
                    (matches!(error, CardError::Transport(_)), draw(&mut opened, Minidriver::unblock_challenge))
                {
                    talk.challenge(&challenge);
                }
                Ok(exit)
            }
        }
    })
}

/// Draws a challenge and notes that the card has it, for other programs of this user that show one.
pub(crate) fn draw<'c>(
    card: &mut Minidriver<'c>,
    draw: impl FnOnce(&mut Minidriver<'c>) -> Result<Vec<u8>, CardError>,
) -> Result<Vec<u8>, CardError> {
    // Read first: nothing comes between a challenge and its response.
    let id = card.card_id()?;
    let challenge = draw(card)?;
    if let (Some(id), Some(state)) = (id, super::state()) {
        Pending::below(&state).note(&id, &challenge);
    }
    Ok(challenge)
}

/// One transaction with the card.
fn with_card(choice: &CardChoice, work: impl FnOnce(&mut Connection<'_>) -> Result<Exit, Failure>) -> Result<Exit, Failure> {
    let context = choice.readers.context()?;
    let reader = choice.pick(&context)?.reader;
    let mut card = context.connect(&reader, ShareMode::Shared).or_exit(Exit::NOT_THERE)?;
    if let Err(error) = card.try_begin() {
        if error.code() != Some(ReturnCode::SHARING_VIOLATION) {
            return Err(error).or_exit(Exit::NOT_THERE);
        }
        eprintln!("cardlab: another program is using the card in {reader}; waiting for it");
        Transport::begin(&mut card).or_exit(Exit::NOT_THERE)?;
    }
    let exit = work(&mut card);
    // What the card has said holds, however the transaction ends.
    let _ = Transport::end(&mut card);
    exit
}

fn refused(error: &CardError, talk: Talk) -> Exit {
    talk.refused(error);
    match error {
        CardError::NotSupported(_) => talk.note("Use --puk."),
        CardError::ChallengeGone => talk.note("Take a new challenge: cardlab unlock --challenge."),
        _ => {}
    }
    match error {
        CardError::Unknown | CardError::Transport(TransportError::Removed | TransportError::NoReader) => Exit::NOT_THERE,
        _ => Exit::FAILED,
    }
}
