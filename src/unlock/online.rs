//! Online unlock: the card's user answers security questions.

use super::ask::{NoAnswer, Questions};
use super::talk::sentence;
use super::{Disturbance, Ended, not_unlocked};
use crate::client_settings::ClientSettings;
use crate::exit::{Exit, Failure, OrExit};
use anyhow::{Context as _, anyhow};
use cardlab_client::minidriver::{CardError, Minidriver, PinPolicy};
use cardlab_client::service::{self, Service, ServiceError, Trust};
use cardlab_client::transport::TransportError;
use cardlab_client::unlock::online::{self, OnlineError};
use cardlab_pcsclite::client::Connection;
use cardlab_protocol::workstation::{Answer, Answers, CardOutcome, Judged, Open, Opened, Outcome, Question};
use cardlab_vreader::whole;
use clap::Args;
use std::ops::ControlFlow;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct OnlineOptions {
    /// Unlock by security questions at this card management server
    #[arg(long, value_name = "URL")]
    online: Option<String>,

    /// PEM of the certificate that the server must have, or that has signed its; else those that this machine trusts
    #[arg(long, value_name = "FILE", requires = "online")]
    server_certificate: Option<PathBuf>,

    /// Take any certificate: whoever is between you and the server gets your answers
    #[arg(long, requires = "online")]
    do_not_verify_server: bool,

    /// The workstation's settings (TOML): service_url, verify_server_certificate, server_certificate, offline_text
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

impl OnlineOptions {
    /// The server, when one was named.
    pub(crate) fn service(&self) -> Result<Option<Service>, Failure> {
        let settings = self.settings()?;
        let Some(address) = self.online.as_ref().or(settings.service_url.as_ref()) else { return Ok(None) };
        let read = |path: &PathBuf| whole::read(path, whole::TEXT).with_context(|| path.display().to_string());
        let roots = self.server_certificate.as_ref().or(settings.server_certificate.as_ref()).map(read).transpose()?;
        let unverified = self.do_not_verify_server || settings.verify_server_certificate == Some(false);
        Ok(Some(Service::at(address, &Trust { roots, unverified })?))
    }

    /// The workstation's settings.
    pub(crate) fn settings(&self) -> Result<ClientSettings, Failure> {
        Ok(ClientSettings::read(self.settings.as_deref())?)
    }
}

/// How the questions went.
pub(super) enum Asked {
    /// They are answered.
    Session(String),
    /// An operator must help.
    Offline(String),
}

/// Unlocks online; `None` when only the offline way is left, which has been said.
pub(super) fn unlock(
    server: &Service,
    card: &mut Connection<'_>,
    atr: &[u8],
    questions: &mut Questions,
) -> Result<Option<Ended>, NoAnswer<Disturbance>> {
    let (id, policy) = {
        let mut opened = Minidriver::open(card).or_exit(Exit::NOT_THERE)?;
        (opened.card_id().or_exit(Exit::NOT_THERE)?, opened.card_pin_policy())
    };
    let Some(id) = id else { return Err(not_unlocked("this card has no serial that a server could know it by").into()) };
    let session = match ask(server, &id, atr, card, questions)? {
        Asked::Session(session) => session,
        Asked::Offline(why) => {
            questions.talk.note(&why);
            return Ok(None);
        }
    };
    set_pin(server, card, &id, policy, &session, questions)
}

/// A new PIN for the card whose user has answered; `None` when there was no response for it, which has been said.
pub(super) fn set_pin(
    server: &Service,
    card: &mut Connection<'_>,
    id: &[u8],
    policy: PinPolicy,
    session: &str,
    questions: &mut Questions,
) -> Result<Option<Ended>, NoAnswer<Disturbance>> {
    let pin = questions.new_pin(policy, &mut || still_there(card))?;
    let unlocked = online::unlock(card, Some(id), pin.as_bytes(), |challenge| server.challenge(session, challenge));
    let (outcome, ended) = match unlocked {
        Ok(()) => {
            questions.talk.unlocked();
            (Some(Outcome { outcome: CardOutcome::Unlocked, tries_left: None }), Ended::Exit(Exit::FINE))
        }
        Err(OnlineError::Response(error)) => {
            questions.talk.note(&format!("No response: {error}. The card is as it was."));
            return Ok(None);
        }
        Err(OnlineError::Card(error)) => {
            questions.talk.refused(&error);
            let gone = matches!(error, CardError::Transport(TransportError::Removed | TransportError::NoReader));
            (service::outcome(&error), if gone { Ended::Gone } else { Ended::Exit(Exit::FAILED) })
        }
    };
    if let Some(outcome) = outcome {
        // What is at the card is done; a server that does not hear of it changes nothing.
        let _ = server.report(session, &outcome);
    }
    Ok(Some(ended))
}

fn still_there(card: &mut Connection<'_>) -> ControlFlow<Disturbance> {
    match card.status() {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => match TransportError::from(error) {
            // Nothing is pending yet that a reset could end.
            TransportError::Reset => ControlFlow::Continue(()),
            other => ControlFlow::Break(Disturbance::Card(other)),
        },
    }
}

/// What a server is asked about a card.
pub(super) fn about(id: &[u8], atr: &[u8]) -> Open {
    Open {
        serial: hex::encode_upper(id),
        atr: hex::encode_upper(atr),
        workstation: crate::site::workstation(),
        remote_desktop: false,
    }
}

fn ask(
    server: &Service,
    id: &[u8],
    atr: &[u8],
    card: &mut Connection<'_>,
    questions: &mut Questions,
) -> Result<Asked, NoAnswer<Disturbance>> {
    let (session, asked) = match server.open(&about(id, atr)) {
        Ok(Opened::Online { session, questions, .. }) => (session, questions),
        Ok(Opened::Offline) => {
            return Ok(Asked::Offline("Online unlock is not possible for this card now; your operator can help.".into()));
        }
        Ok(Opened::None) => return Err(not_unlocked("unlocking is not supported on a Remote Desktop lock screen").into()),
        Err(error) => return Ok(Asked::Offline(helped(&error))),
    };
    answer(server, session, &asked, card, questions)
}

/// Asks until the answers are right.
pub(super) fn answer(
    server: &Service,
    session: String,
    asked: &[Question],
    card: &mut Connection<'_>,
    questions: &mut Questions,
) -> Result<Asked, NoAnswer<Disturbance>> {
    loop {
        let mut answers = Vec::new();
        for question in asked {
            let text = questions.answer(&question.text, &mut || still_there(card))?;
            answers.push(Answer { question: question.id.clone(), text: text.to_string() });
        }
        match server.answer(&session, &Answers { answers }) {
            Ok(Judged::Answered { ok: true }) => return Ok(Asked::Session(session)),
            Ok(Judged::Answered { ok: false }) if questions.is_person() => questions.talk.note("That is not right. Try again."),
            Ok(Judged::Answered { ok: false }) => return Err(not_unlocked("the answers are not right").into()),
            Ok(Judged::Over { .. }) => {
                return Ok(Asked::Offline("Online unlock is over for this card; your operator can help.".into()));
            }
            Err(ServiceError::Refused(message) | ServiceError::Busy(message)) if questions.is_person() => {
                questions.talk.note(&sentence(&message));
            }
            Err(ServiceError::Refused(message) | ServiceError::Busy(message)) => {
                return Err(Failure::from(anyhow!("{message}")).into());
            }
            Err(error) => return Ok(Asked::Offline(helped(&error))),
        }
    }
}

/// Why it does not go on, and who helps.
fn helped(error: &ServiceError) -> String {
    sentence(&format!("{error}; your operator can help"))
}
