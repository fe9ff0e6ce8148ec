//! Online unlock: what a workstation asks. Nothing that it is told depends on more than it must: every
//! reason why online is not possible is the same answer.

use super::Compared;
use crate::model::card::CardRecord;
use crate::model::event::{Happening, Kind, WORKSTATION};
use crate::model::flow::{Flow, FlowKind, Step};
use crate::model::refusal::{Code, Refusal};
use crate::model::response::Ending;
use crate::model::subject::{self, Subject};
use crate::model::{limit, names, random};
use crate::service::{ONLINE, Server};
use crate::store::responses::{self, Settled};
use crate::store::{flows, subjects, users};
use crate::words::sentence;
use cardlab_protocol::workstation::{Answers, CardOutcome, Judged, Mode, Open, Opened, Outcome, Report, Response};
use serde_json::json;

/// Online unlock, for workstations.
#[derive(Clone, Copy)]
pub struct Online<'s> {
    pub(in crate::service) server: &'s Server,
}

impl Online<'_> {
    /// A workstation sees a blocked card. `address` is where the request came from.
    ///
    /// # Errors
    /// [`Code::Malformed`], [`Code::RateLimited`], [`Code::StoreDown`]; never who is who.
    pub async fn open(&self, open: &Open, address: &str) -> Result<Opened, Refusal> {
        let (serial, atr) = (subject::serial(&open.serial)?, subject::atr(&open.atr)?);
        let workstation = names::workstation(&open.workstation);
        if open.remote_desktop {
            return Ok(Opened::None);
        }
        let mut tx = self.server.begin().await?;
        let limited = async {
            let network = limit::network(address);
            self.server.limit(&mut tx, limit::SESSIONS_OF_ADDRESS, &format!("sessions from {network}")).await?;
            self.server.limit(&mut tx, limit::SESSIONS_OF_CARD, &format!("sessions of {serial} from {network}")).await
        };
        if let Err(refusal) = limited.await {
            let refused = Happening { card: &serial, ..Happening::new(Kind::RateLimited, WORKSTATION) };
            return self.server.concluded(tx, Err(refusal), &refused).await;
        }
        let subject = subjects::of_card(&mut tx, &serial).await?;
        let drawn = self.server.flows().draw(&mut tx, &subject).await?;
        let reason = subject.online().err().or_else(|| another_card(&subject, &atr));
        let session = random::token();
        let flow = Flow {
            id: random::fingerprint(&session),
            opener: address.to_owned(),
            kind: FlowKind::Online,
            card: serial.clone(),
            user: subject.user.as_ref().map(|u| u.id.clone()).unwrap_or_default(),
            step: if reason.is_none() { Step::Asking } else { Step::Over },
            questions: drawn,
            wrong: 0,
            workstation,
            expires: self.server.until(ONLINE),
            challenge: String::new(),
        };
        flows::insert(&mut tx, &flow).await?;
        let detail = match &reason {
            None => json!({"mode": "online"}),
            Some(reason) => json!({"mode": "offline", "reason": reason.code.name()}),
        };
        let happening = Happening {
            kind: Kind::UnlockOpened,
            initiator: WORKSTATION,
            card: &serial,
            user: &flow.user,
            workstation: &flow.workstation,
            flow: &flow.id,
            detail,
        };
        self.server.record(&mut tx, &happening).await?;
        tx.commit().await?;
        if reason.is_some() {
            return Ok(Opened::Offline);
        }
        let questions = subject.questions(&flow.questions);
        Ok(Opened::Online { session, questions, expires_in: ONLINE.as_secs() })
    }

    /// Answers. They are counted before they are compared.
    ///
    /// # Errors
    /// [`Code::Malformed`] counts nothing; [`Code::SessionOver`], [`Code::Busy`].
    pub async fn answer(&self, session: &str, address: &str, answers: &Answers) -> Result<Judged, Refusal> {
        let place = self.server.workers.place()?;
        let over = Judged::Over { mode: Mode::Offline };
        let mut tx = self.server.begin().await?;
        let flow = self.server.flows().living(&mut tx, session, &FlowKind::OF_WORKSTATIONS, address).await?;
        if !flow.step.asks() {
            return Err(Refusal::new(Code::SessionOver, sentence!("refused-questions-answered")));
        }
        let subject = subjects::of_card(&mut tx, &flow.card).await?;
        let pairs = subject.pairs(&flow.questions, answers, &self.server.nobody)?;
        let maximum = match subject.online() {
            Ok(unlockable) if unlockable.user.id == flow.user && flow.step == Step::Asking => {
                unlockable.policy.settings.authentication.maximum_retry_count
            }
            refused => {
                let dead = if flow.step == Step::Dead { Code::UserLocked.name() } else { "OTHER_USER" };
                let reason = refused.err().map_or(dead, |r| r.code.name());
                flows::set_step(&mut tx, &flow.id, Step::Over).await?;
                let happening = Happening {
                    card: &flow.card,
                    user: &flow.user,
                    flow: &flow.id,
                    detail: json!({"reason": reason}),
                    ..Happening::new(Kind::ResponseRefused, WORKSTATION)
                };
                self.server.record(&mut tx, &happening).await?;
                tx.commit().await?;
                return Ok(over);
            }
        };
        if let Some(user) = &subject.user {
            self.server.flows().spend(&mut tx, user, maximum).await?;
        }
        tx.commit().await?;
        Ok(match self.server.flows().compare(&place, pairs, &flow, WORKSTATION, true).await? {
            Compared::Right => Judged::Answered { ok: true },
            Compared::Wrong => Judged::Answered { ok: false },
            Compared::Locked | Compared::Gone => over,
        })
    }

    /// The card's challenge: its response. A session answers one challenge, however often it comes.
    ///
    /// # Errors
    /// [`Code::Malformed`], [`Code::SessionOver`], [`Code::RateLimited`].
    pub async fn challenge(&self, session: &str, address: &str, text: &str) -> Result<Response, Refusal> {
        let mut tx = self.server.begin().await?;
        let flow = self.server.flows().living(&mut tx, session, &FlowKind::OF_WORKSTATIONS, address).await?;
        let over = |sentence| Refusal::new(Code::SessionOver, sentence);
        match flow.step {
            Step::Answered | Step::Given => {}
            Step::Asking | Step::Dead => return Err(Refusal::malformed(sentence!("refused-questions-first"))),
            Step::Over => return Err(over(sentence!("refused-session-over"))),
        }
        let subject = subjects::of_card(&mut tx, &flow.card).await?;
        let possible = subject.online().and_then(|unlockable| match flow.kind {
            FlowKind::Agent => subject.pin_resettable(),
            FlowKind::Online | FlowKind::Operator | FlowKind::Remote => Ok(unlockable),
        });
        let given = match possible {
            Ok(unlockable) if unlockable.user.id == flow.user => match answers_already(&flow, unlockable.card, text) {
                Ok(()) => self.server.flows().respond(&mut tx, &flow, unlockable.card, text, WORKSTATION, true).await,
                Err(refusal) => Err(refusal),
            },
            Ok(_) => Err(Refusal::new(Code::CardState, sentence!("refused-card-of-another"))),
            Err(refusal) => Err(refusal),
        };
        let refused = Happening {
            card: &flow.card,
            user: &flow.user,
            flow: &flow.id,
            ..Happening::new(Kind::ResponseRefused, WORKSTATION)
        };
        self.server.concluded(tx, given, &refused).await.map_err(|refusal| match refusal.code {
            Code::Malformed | Code::RateLimited | Code::StoreDown | Code::SessionOver => refusal,
            // The workstation is not told why.
            _ => over(sentence!("refused-session-over-operator")),
        })
    }

    /// How it ended at the card. Taken once, also after the session's time: the story needs its end.
    ///
    /// # Errors
    /// [`Code::SessionOver`] when there is nothing to report.
    pub async fn report(&self, session: &str, address: &str, outcome: &Outcome) -> Result<(), Refusal> {
        let mut tx = self.server.begin().await?;
        let flow = flows::by_id(&mut tx, &random::fingerprint(session)).await?;
        let flow = flow
            .filter(|flow| flow.kind.is_of_workstation() && flow.step == Step::Given && flow.opener == address)
            .ok_or_else(|| Refusal::new(Code::SessionOver, sentence!("refused-nothing-to-report")))?;
        flows::set_step(&mut tx, &flow.id, Step::Over).await?;
        let about = |kind| Happening {
            kind,
            initiator: WORKSTATION,
            card: &flow.card,
            user: &flow.user,
            workstation: &flow.workstation,
            flow: &flow.id,
            detail: outcome.tries_left.map_or(serde_json::Value::Null, |left| json!({"tries_left": left})),
        };
        let (kind, ending) = match outcome.outcome {
            CardOutcome::Unlocked => (Kind::CardUnlocked, Ending::Unlocked),
            CardOutcome::Refused => (Kind::CardRefusedResponse, Ending::of_refusal(outcome.tries_left)),
            CardOutcome::Gone => (Kind::CardGone, Ending::Gone),
        };
        let ended = (ending, outcome.tries_left);
        // The workstation may have told it without the session already.
        if responses::settle(&mut tx, &flow.card, &flow.challenge, ended, self.server.now()).await? != Settled::AsBefore {
            self.server.record(&mut tx, &about(kind)).await?;
            if ending == Ending::AdminKeyBlocked {
                self.server.record(&mut tx, &about(Kind::AdminKeyBlocked)).await?;
            }
        }
        if ending == Ending::Unlocked {
            users::set_draw(&mut tx, &flow.user, &[]).await?;
        }
        if flow.kind == FlowKind::Agent {
            self.server.tasks().settle(&mut tx, &flow, outcome.outcome).await?;
        }
        tx.commit().await
    }
}

/// A session that has given its response gives it to the same challenge again, and to no other.
fn answers_already(flow: &Flow, card: &CardRecord, text: &str) -> Result<(), Refusal> {
    let challenge = Report::fingerprint(&subject::challenge(text, card)?);
    if flow.step != Step::Given || flow.challenge == challenge {
        return Ok(());
    }
    Err(Refusal::new(Code::SessionOver, sentence!("refused-another-challenge")))
}

/// A serial that comes with another answer to reset than it is registered with.
pub(super) fn another_card(subject: &Subject, atr: &str) -> Option<Refusal> {
    let known = subject.card.as_ref().map(|c| c.atr.as_str()).filter(|known| !known.is_empty() && !atr.is_empty())?;
    (!known.eq_ignore_ascii_case(atr)).then(|| Refusal::new(Code::CardState, sentence!("refused-another-atr")))
}
