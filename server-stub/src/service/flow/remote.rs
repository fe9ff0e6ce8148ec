//! Remote Self-Service: users who answer their questions get the response themselves. A name that nobody has is asked
//! questions too, and is always wrong; so is one whose user is locked, for as long as the session lasts.

use super::wizard::ReadBack;
use super::{Compared, draw};
use crate::model::captcha::Typed;
use crate::model::card::{CardState, Operation};
use crate::model::event::{Happening, Kind};
use crate::model::flow::{Flow, FlowKind, Step};
use crate::model::refusal::{Code, Refusal};
use crate::model::subject::{self, Subject};
use crate::model::{limit, names, random};
use crate::service::self_service::OwnOperation;
use crate::service::{SESSION, Server};
use crate::store::{Snapshot, cards, flows, questions, subjects, users};
use crate::words::sentence;
use cardlab_protocol::workstation::{Answers, Question, Response};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

const KINDS: [FlowKind; 1] = [FlowKind::Remote];
/// Answers to the questions of one session, right or wrong: as many as a policy can allow at most.
const MOST_ANSWERS: i64 = 10;

/// A remote user's session.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Remote {
    /// Names it.
    pub session: String,
    /// What to answer.
    pub questions: Vec<Question>,
}

/// A card in a user's own list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnCard {
    /// Serial.
    pub serial: String,
    /// For people.
    pub label: String,
    /// State.
    pub state: CardState,
    /// Whether a response can be had for it now.
    pub can_be_unblocked: bool,
    /// What its user can do with it now.
    pub operations: Vec<Operation>,
    /// Whether its user may change its PIN, where it is in a reader of the server.
    pub can_change_pin: bool,
}

impl OwnCard {
    /// The card of a subject that has one.
    pub(crate) fn of(subject: &Subject) -> Option<Self> {
        let card = subject.card.as_ref()?;
        let (serial, label) = (card.serial.clone(), card.label.clone());
        let may = |operation: &Operation| subject.may_operate(*operation).is_ok();
        let operations = card.state.operations().into_iter().filter(may).collect();
        let (can_be_unblocked, can_change_pin) = (subject.remote().is_ok(), subject.may_change_pin().is_ok());
        Some(Self { serial, label, state: card.state, can_be_unblocked, operations, can_change_pin })
    }
}

/// Where a remote user's session stands.
pub enum Standing {
    /// These are to be answered.
    Questions(Vec<Question>),
    /// They are answered.
    Cards(Vec<OwnCard>),
    /// The latest response: the card, its challenge as it is read, and what to type.
    Response(String, String, ReadBack),
}

/// Remote Self-Service, for users who have no card to log in with.
#[derive(Clone, Copy)]
pub struct RemoteSelfService<'s> {
    pub(in crate::service) server: &'s Server,
}

impl RemoteSelfService<'_> {
    /// Somebody says who they are.
    ///
    /// # Errors
    /// [`Code::Malformed`] for what is neither `DOMAIN\\Name` nor `name@domain`; [`Code::RateLimited`], [`Code::StoreDown`],
    /// [`Code::Captcha`]; never whether the name is anybody's.
    pub async fn open(&self, name: &str, address: &str, typed: Option<&Typed>) -> Result<Remote, Refusal> {
        // The same to everybody, whether there is such a name or not, and before anything is counted.
        if names::logon(name).is_err() && names::upn(name).is_err() {
            return Err(Refusal::malformed(sentence!("rss-name-forms")).at("name"));
        }
        let mut tx = self.server.begin().await?;
        let bucket = format!("remote from {}", limit::network(address));
        if let Err(refusal) = self.server.limit(&mut tx, limit::SESSIONS_OF_ADDRESS, &bucket).await {
            let shown = crate::service::login::shown_name(name);
            return self.server.concluded(tx, Err(refusal), &Happening::new(Kind::RateLimited, &shown)).await;
        }
        if let Err(refusal) = self.server.captchas().check(&mut tx, typed).await {
            // What was typed is counted, and these letters are not taken again.
            tx.commit().await?;
            return Err(refusal);
        }
        let subject = subjects::of_name(&mut tx, name).await?;
        if let Some(user) = &subject.user {
            self.server.flows().settle_last_try(&mut tx, user).await?;
        }
        let questions = draw::of_name(&mut tx, &self.server.salt(), name, &subject).await?;
        let session = random::token();
        let flow = Flow {
            id: random::fingerprint(&session),
            opener: address.to_owned(),
            kind: FlowKind::Remote,
            card: String::new(),
            step: if subject.may_answer().is_ok() { Step::Asking } else { Step::Dead },
            user: subject.user.map(|user| user.id).unwrap_or_default(),
            questions: questions.iter().map(|question| question.id.clone()).collect(),
            wrong: 0,
            workstation: String::new(),
            expires: self.server.until(SESSION),
            challenge: String::new(),
        };
        flows::insert(&mut tx, &flow).await?;
        tx.commit().await?;
        Ok(Remote { session, questions })
    }

    /// Answers. Right ones open the session. One that cannot be opened any more is answered as any other: as wrong, in the
    /// same time.
    ///
    /// # Errors
    /// [`Code::Malformed`] counts nothing; [`Code::SessionOver`], [`Code::Busy`].
    pub async fn answer(&self, session: &str, address: &str, answers: &Answers) -> Result<bool, Refusal> {
        let place = self.server.workers.place()?;
        let mut tx = self.server.begin().await?;
        let flow = self.server.flows().living(&mut tx, session, &KINDS, address).await?;
        if !flow.step.asks() || flow.wrong >= MOST_ANSWERS {
            return Err(Refusal::new(Code::SessionOver, sentence!("refused-questions-answered-again")));
        }
        let subject = subjects::of_user(&mut tx, &flow.user).await?;
        // A question that was deleted since is asked no more; who has it on the screen still answers it all the same.
        let known = questions::all(&mut tx).await?;
        let is_known = |id: &str| known.iter().any(|(_, question)| question.id == id);
        let asked: Vec<String> = flow.questions.iter().filter(|id| is_known(id)).cloned().collect();
        let gone = |id: &String| flow.questions.contains(id) && !is_known(id);
        let answers = answers.answers.iter().filter(|answer| !gone(&answer.question)).cloned().collect();
        let mut pairs = subject.pairs(&asked, &Answers { answers }, &self.server.nobody)?;
        let dead = (flow.step == Step::Dead).then_some(Code::UserLocked);
        let refused = subject.may_answer().err().map(|refusal| refusal.code).or(dead);
        // Questions without an answer of the user's are asked so that everybody is asked as many; they decide nothing.
        let mut others = Vec::new();
        for (index, id) in asked.iter().enumerate().rev() {
            if refused.is_some() || !subject.answered.iter().any(|answered| answered.question.id == *id) {
                let (text, _) = pairs.remove(index);
                others.push((text, self.server.nobody.to_string()));
            }
        }
        if let (None, Some(user), Some(policy)) = (refused, &subject.user, &subject.policy) {
            self.server.flows().spend(&mut tx, user, policy.settings.authentication.maximum_retry_count).await?;
        }
        flows::count_answers(&mut tx, &flow.id).await?;
        tx.commit().await?;
        self.server.workers.verify(&place, others).await?;
        let right = !pairs.is_empty() && self.server.workers.verify(&place, pairs).await?;
        let mut tx = self.server.begin().await?;
        let name = subject.user.as_ref().map_or("somebody", |u| u.logon.as_str());
        let compared = match (refused, &subject.user) {
            // Of somebody, and refused unread: the log says why.
            (Some(why), Some(user)) => {
                let detail = json!({"channel": flow.kind.name(), "reason": why.name()});
                let about = Happening { user: &user.id, flow: &flow.id, detail, ..Happening::new(Kind::ResponseRefused, name) };
                self.server.record(&mut tx, &about).await?;
                Compared::Wrong
            }
            _ => self.server.flows().settle_comparison(&mut tx, &flow, right, name, refused.is_none()).await?,
        };
        tx.commit().await?;
        Ok(compared == Compared::Right)
    }

    /// The cards of the user whose session this is.
    ///
    /// # Errors
    /// [`Code::SessionOver`], [`Code::AnswersFirst`].
    pub async fn cards(&self, session: &str, address: &str) -> Result<Vec<OwnCard>, Refusal> {
        let mut snapshot = self.server.store.read().await?;
        let flow = self.answered(&mut snapshot, session, address).await?;
        Ok(subjects::cards_of_user(&mut snapshot, &flow.user).await?.iter().filter_map(OwnCard::of).collect())
    }

    /// Where the session stands. `challenge` is a card and what its screen shows, when the user's browser has it still: its
    /// response is shown again, and is not counted again.
    ///
    /// # Errors
    /// [`Code::SessionOver`].
    pub async fn standing(&self, session: &str, address: &str, challenge: Option<(&str, &str)>) -> Result<Standing, Refusal> {
        let mut snapshot = self.server.store.read().await?;
        let flow = self.server.flows().living(&mut snapshot, session, &KINDS, address).await?;
        if flow.step.asks() {
            let known = questions::all(&mut snapshot).await?;
            let asked = flow.questions.iter().filter_map(|id| known.iter().find(|(_, question)| question.id == *id));
            return Ok(Standing::Questions(asked.map(|(_, question)| question.shown()).collect()));
        }
        if let Some((serial, text)) = challenge {
            let card = cards::by_serial(&mut snapshot, serial).await?;
            if let Some(card) = card.filter(|card| card.user.as_deref() == Some(flow.user.as_str()))
                && let Some((challenge, response)) = self.server.flows().respond_again(&flow, &card, text)?
            {
                return Ok(Standing::Response(card.serial, challenge, response));
            }
        }
        let cards = subjects::cards_of_user(&mut snapshot, &flow.user).await?;
        Ok(Standing::Cards(cards.iter().filter_map(OwnCard::of).collect()))
    }

    /// The response to the challenge of one of the user's cards.
    ///
    /// # Errors
    /// With the reason: the user has answered.
    pub async fn challenge(&self, session: &str, address: &str, serial: &str, text: &str) -> Result<Response, Refusal> {
        let mut tx = self.server.begin().await?;
        let flow = Flow { card: subject::serial(serial)?, ..self.answered(&mut tx, session, address).await? };
        let subject = subjects::of_card(&mut tx, &flow.card).await?;
        // Who has answered, also where the card is another's.
        let name = users::by_id(&mut tx, &flow.user).await?.map(|user| user.logon).unwrap_or_default();
        let given = match subject.card.as_ref().and_then(|c| c.user.as_deref()) == Some(flow.user.as_str()) {
            false => Err(Refusal::not_found("own-card")),
            true => match subject.remote() {
                Ok(unlockable) => self.server.flows().respond(&mut tx, &flow, unlockable.card, text, &name, true).await,
                Err(refusal) => Err(refusal),
            },
        };
        let refused =
            Happening { card: &flow.card, user: &flow.user, flow: &flow.id, ..Happening::new(Kind::ResponseRefused, &name) };
        self.server.concluded(tx, given, &refused).await
    }

    /// *Disable*, *Enable* or *Revoke* of one of the user's cards, as their policy lets them.
    ///
    /// # Errors
    /// As [`crate::service::self_service::SelfService::operate`]; [`Code::SessionOver`], [`Code::AnswersFirst`].
    pub async fn operate(&self, session: &str, address: &str, own: &OwnOperation) -> Result<OwnCard, Refusal> {
        let mut tx = self.server.begin().await?;
        let flow = self.answered(&mut tx, session, address).await?;
        self.server.self_service().operated(tx, &flow.user, own).await
    }

    /// The user goes.
    ///
    /// # Errors
    /// [`Code::StoreDown`].
    pub async fn close(&self, session: &str, address: &str) -> Result<(), Refusal> {
        let mut tx = self.server.begin().await?;
        if let Ok(flow) = self.server.flows().living(&mut tx, session, &KINDS, address).await {
            flows::set_step(&mut tx, &flow.id, Step::Over).await?;
        }
        tx.commit().await
    }

    async fn answered(&self, conn: &mut Snapshot, session: &str, address: &str) -> Result<Flow, Refusal> {
        let flow = self.server.flows().living(conn, session, &KINDS, address).await?;
        if flow.step.asks() {
            return Err(Refusal::new(Code::AnswersFirst, sentence!("refused-answer-first")));
        }
        Ok(flow)
    }
}
