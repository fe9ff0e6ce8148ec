//! The ways to a response. Each step is one transaction that reads everything anew. What opens a session is known to who
//! opened it alone: the database and the log have its SHA-256, and it works from nowhere else.
//!
//! | flow | who | steps |
//! |---|---|---|
//! | [`online`] | the card's user at the workstation, at the lock screen or for an agent's task ([`crate::service::task`]) | asking, answered, given, over when it is reported |
//! | [`wizard`] | an operator at the console | asking, answered; gives responses when answered, or at once where the policy validates no answers |
//! | [`remote`] | a user in Remote Self-Service | asking, answered; gives responses until it is left or its time is over |
//!
//! When its user is locked or disabled, a flow that is not an operator's is dead if it was asking, and over if it was answered.
//!
//! [`told`] is what workstations ask and tell without any of them.

mod draw;
pub mod online;
pub mod remote;
pub mod told;
pub mod wizard;

use crate::model::card::CardRecord;
use crate::model::event::{Happening, Kind, SERVER};
use crate::model::flow::{Actor, Flow, FlowKind, Step};
use crate::model::refusal::{Code, Refusal};
use crate::model::subject::{self, Subject};
use crate::model::user::{User, UserLock};
use crate::model::{limit, random};
use crate::service::workers::Place;
use crate::service::{SESSION, Server};
use crate::store::responses::{self, Receiver};
use crate::store::{Snapshot, Tx, flows, users};
use crate::words::sentence;
use cardlab_protocol::workstation::{Report, Response};
use serde_json::json;
use std::time::Duration;
use zeroize::Zeroizing;

/// A comparison that takes longer was cut off.
const LONGEST_COMPARISON: Duration = Duration::from_secs(60);
/// What a comparison has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// Right, and the session is answered.
    Right,
    /// Wrong; there are tries left.
    Wrong,
    /// Right or wrong, the user is locked now.
    Locked,
    /// Right, and the session has ended meanwhile.
    Gone,
}

/// What all ways to a response have in common.
#[derive(Clone, Copy)]
pub(crate) struct Flows<'s> {
    pub(super) server: &'s Server,
}

impl Flows<'_> {
    /// The flow of one of these kinds that `session` opens, for who opened it; it has not ended.
    pub(crate) async fn living(
        &self,
        conn: &mut Snapshot,
        session: &str,
        kinds: &[FlowKind],
        opener: &str,
    ) -> Result<Flow, Refusal> {
        let flow = flows::by_id(conn, &random::fingerprint(session)).await?;
        let flow = flow.filter(|flow| kinds.contains(&flow.kind) && flow.opener == opener && self.lives(flow));
        flow.ok_or_else(|| Refusal::new(Code::SessionOver, sentence!("refused-session-over")))
    }

    /// Whether a flow has not ended.
    pub(crate) fn lives(&self, flow: &Flow) -> bool {
        // No further ahead than a session lasts: a clock was wrong.
        flow.step != Step::Over && flow.expires > self.server.now() && flow.expires <= self.server.until(SESSION)
    }

    /// Draws questions for a user; the same until they have been answered rightly, so that nobody
    /// reopens the screen for an easier one.
    pub(crate) async fn draw(&self, tx: &mut Tx, subject: &Subject) -> Result<Vec<String>, Refusal> {
        if let Some(user) = &subject.user {
            self.settle_last_try(tx, user).await?;
        }
        let (Some(user), Some(policy)) = (&subject.user, &subject.policy) else { return Ok(Vec::new()) };
        let wanted = usize::from(policy.settings.authentication.questions_to_ask).min(subject.answered.len());
        let known = |id: &String| subject.answered.iter().any(|a| a.question.id == *id);
        let mut drawn: Vec<String> = user.draw.iter().filter(|id| known(id)).take(wanted).cloned().collect();
        let mut others: Vec<&str> =
            subject.answered.iter().map(|a| a.question.id.as_str()).filter(|id| !drawn.iter().any(|d| d == id)).collect();
        while drawn.len() < wanted && !others.is_empty() {
            let index = random::below(others.len());
            drawn.push(others.swap_remove(index).to_owned());
        }
        users::set_draw(tx, &user.id, &drawn).await?;
        Ok(drawn)
    }

    /// Counts a try of a user's answers, before they are compared. The last one closes the door: it
    /// opens again if the answers turn out right.
    pub(crate) async fn spend(&self, tx: &mut Tx, user: &User, maximum: u8) -> Result<(), Refusal> {
        let failed = user.failed + 1;
        let lock = if failed >= i64::from(maximum) { UserLock::LastTry } else { UserLock::Open };
        users::count_try(tx, &user.id, failed, lock, self.server.now()).await
    }

    /// A last try whose outcome nobody will tell any more, because its server died: the door stays closed, and the log
    /// says so.
    pub(crate) async fn settle_last_try(&self, tx: &mut Tx, user: &User) -> Result<(), Refusal> {
        if user.lock != UserLock::LastTry || self.server.now().abs_diff(user.last_try_at) < LONGEST_COMPARISON.as_millis() as u64
        {
            return Ok(());
        }
        users::lock(tx, &user.id).await?;
        flows::end_of_user(tx, &user.id).await?;
        let detail = json!({"reason": "a server ended while it compared the last try"});
        self.server.record(tx, &Happening { user: &user.id, detail, ..Happening::new(Kind::UserLocked, SERVER) }).await
    }

    /// Writes down what a comparison has come to.
    pub(crate) async fn settle_comparison(
        &self,
        tx: &mut Tx,
        flow: &Flow,
        right: bool,
        initiator: &str,
        counted: bool,
    ) -> Result<Compared, Refusal> {
        let user = users::by_id(tx, &flow.user).await?;
        let (lock, failed) = user.as_ref().map_or((UserLock::Open, 0), |u| (u.lock, u.failed));
        let about = |kind, detail| Happening {
            kind,
            initiator,
            card: &flow.card,
            user: &flow.user,
            workstation: &flow.workstation,
            flow: &flow.id,
            detail,
        };
        let channel = flow.kind.name();
        if right {
            // Another try that was under way may have locked the user meanwhile; that stays.
            if counted && lock == UserLock::Locked {
                return Ok(Compared::Locked);
            }
            let opened = flows::open(tx, &flow.id).await?;
            if counted {
                users::reopen(tx, &flow.user).await?;
            }
            if opened {
                self.server.record(tx, &about(Kind::AnswersRight, json!({"channel": channel}))).await?;
                return Ok(Compared::Right);
            }
            // A flow that another right try has opened stays where it is: one response, not two.
            let now = flows::by_id(tx, &flow.id).await?;
            if now.is_some_and(|now| matches!(now.step, Step::Answered | Step::Given)) {
                return Ok(Compared::Right);
            }
            let detail = json!({"channel": channel, "reason": Code::SessionOver.name()});
            self.server.record(tx, &about(Kind::ResponseRefused, detail)).await?;
            return Ok(Compared::Gone);
        }
        self.server
            .record(
                tx,
                &about(Kind::AnswersWrong, json!({"channel": channel, "failed": if counted { failed } else { flow.wrong + 1 }})),
            )
            .await?;
        let locks = counted && lock != UserLock::Open;
        if counted && lock == UserLock::LastTry {
            users::lock(tx, &flow.user).await?;
            flows::end_of_user(tx, &flow.user).await?;
            self.server.record(tx, &about(Kind::UserLocked, json!({"channel": channel}))).await?;
        }
        Ok(if locks { Compared::Locked } else { Compared::Wrong })
    }

    /// Compares, and writes down what it has come to; a flow whose user is locked is over, and one that has ended stays so.
    pub(crate) async fn compare(
        &self,
        place: &Place,
        pairs: Vec<(Zeroizing<String>, String)>,
        flow: &Flow,
        initiator: &str,
        counted: bool,
    ) -> Result<Compared, Refusal> {
        let right = self.server.workers.verify(place, pairs).await?;
        let mut tx = self.server.begin().await?;
        let compared = self.settle_comparison(&mut tx, flow, right, initiator, counted).await?;
        if matches!(compared, Compared::Locked | Compared::Gone) {
            flows::set_step(&mut tx, &flow.id, Step::Over).await?;
        }
        tx.commit().await?;
        Ok(compared)
    }

    /// The response of a card's key, with its event in the same transaction: none is given without. A workstation's flow has
    /// given it then; others stay at their step: one that was never answered has not been answered by this.
    pub(crate) async fn respond(
        &self,
        tx: &mut Tx,
        flow: &Flow,
        card: &CardRecord,
        text: &str,
        initiator: &str,
        validated: bool,
    ) -> Result<Response, Refusal> {
        let challenge = subject::challenge(text, card)?;
        let fingerprint = Report::fingerprint(&challenge);
        let actor = flow.actor();
        let to = Receiver { channel: flow.kind, actor: &actor, name: initiator, user: &flow.user, flow: &flow.id };
        // The same challenge has the same response: who asks again learns nothing, and is not counted again.
        let before = responses::give(tx, &card.serial, &fingerprint, &to, self.server.now()).await?;
        if let (Actor::Operator(operator), false) = (&actor, before.to_actor) {
            self.server.limit(tx, limit::RESPONSES_OF_OPERATOR, &responses_of_operator(operator)).await?;
        }
        if !before.to_anybody {
            self.server.limit(tx, limit::RESPONSES_OF_CARD, &responses_of_card(&card.serial)).await?;
        }
        let serial = hex::decode(&card.serial).unwrap_or_default();
        let response = self.server.vault.respond(card.vault_key(&serial)?, &challenge);
        let response = response.ok_or_else(|| Refusal::new(Code::NoAdminKey, sentence!("refused-key-of-another-master")))?;
        let step = if flow.kind.is_of_workstation() { Step::Given } else { flow.step };
        flows::set_answered(tx, &flow.id, step, &fingerprint).await?;
        let digits = cardlab_protocol::codes::digits(&challenge);
        let detail = json!({"channel": flow.kind.name(), "challenge": &digits[..4], "answers_validated": validated});
        let happening = Happening {
            kind: Kind::ResponseGiven,
            initiator,
            card: &card.serial,
            user: &flow.user,
            workstation: &flow.workstation,
            flow: &flow.id,
            detail,
        };
        self.server.record(tx, &happening).await?;
        Ok(Response {
            response: cardlab_protocol::codes::digits(&response),
            check: cardlab_protocol::codes::check_code(&response),
            card: card.serial.clone(),
        })
    }

    /// The response once more, with the challenge as it is read, when it was this challenge that the flow has answered. It is
    /// stored nowhere: it is computed anew.
    pub(crate) fn respond_again(
        &self,
        flow: &Flow,
        card: &CardRecord,
        text: &str,
    ) -> Result<Option<(String, wizard::ReadBack)>, Refusal> {
        let challenge = subject::challenge(text, card)?;
        if Report::fingerprint(&challenge) != flow.challenge {
            return Ok(None);
        }
        let serial = hex::decode(&card.serial).unwrap_or_default();
        let response = self.server.vault.respond(card.vault_key(&serial)?, &challenge);
        Ok(response.map(|response| (cardlab_protocol::codes::grouped(&challenge), wizard::ReadBack::of(&response))))
    }
}

/// Bucket of the responses that one operator gives.
pub(crate) fn responses_of_operator(id: &str) -> String {
    format!("responses of operator {id}")
}

/// Bucket of the responses for one card.
pub(crate) fn responses_of_card(serial: &str) -> String {
    format!("responses of card {serial}")
}
