//! Remote Self-Service: users who answer their questions get the response themselves. A name that
//! nobody has is asked questions too, and is always wrong.

use super::{ASKING, OVER};
use crate::event::Kind;
use crate::limits;
use crate::records::{self, CardRecord, Flow, NamedPolicy};
use crate::refusal::{Code, Refusal};
use crate::server::{SESSION, Server};
use crate::store::Tx;
use crate::subject::{self, Subject};
use cardlab_protocol::workstation::{Answers, Question, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

const KIND: &str = "remote";

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
    pub state: String,
    /// Whether a response can be had for it now.
    pub can_be_unblocked: bool,
}

impl OwnCard {
    pub(crate) fn of(card: &CardRecord, can_be_unblocked: bool) -> Self {
        Self { serial: card.serial.clone(), label: card.label.clone(), state: card.state.name().into(), can_be_unblocked }
    }
}

impl Server {
    /// Somebody says who they are.
    ///
    /// # Errors
    /// [`Code::RateLimited`], [`Code::StoreDown`]; never whether the name is anybody's.
    pub async fn open_remote(&self, name: &str, address: &str) -> Result<Remote, Refusal> {
        let mut tx = self.store.begin().await?;
        self.limit(&mut tx, limits::SESSIONS_OF_ADDRESS, &format!("remote from {address}")).await?;
        let user = records::user_by_name(&mut tx, name).await?;
        let subject = Subject::of_user(&mut tx, user).await?;
        let mut drawn = self.draw(&mut tx, &subject).await?;
        let mut questions = subject.questions(&drawn);
        let may = subject.may_answer().is_ok();
        if !may {
            questions = self.fictitious(&mut tx, name, subject.policy).await?;
            drawn = questions.iter().map(|q| q.id.clone()).collect();
        }
        let session = crate::random::token();
        let flow = Flow {
            id: crate::random::fingerprint(&session),
            opener: address.to_owned(),
            kind: KIND.into(),
            card: String::new(),
            user: if may { subject.user.map(|u| u.id).unwrap_or_default() } else { String::new() },
            operator: String::new(),
            step: ASKING.into(),
            questions: drawn,
            wrong: 0,
            workstation: String::new(),
            expires: self.until(SESSION),
            challenge: String::new(),
        };
        records::insert_flow(&mut tx, &flow).await?;
        tx.commit().await?;
        Ok(Remote { session, questions })
    }

    /// Questions for a name that has none to answer: the same each time, and as many as others get.
    async fn fictitious(&self, tx: &mut Tx, name: &str, policy: Option<NamedPolicy>) -> Result<Vec<Question>, Refusal> {
        let name = name.trim().to_lowercase();
        let digest = Sha256::digest([&self.salt()[..], name.as_bytes()].concat());
        let policy = match policy {
            Some(policy) => Some(policy),
            None => records::policies(tx).await?.into_iter().next(),
        };
        let Some(policy) = policy else { return Ok(Vec::new()) };
        let mut questions = records::questions(tx, &policy.id).await?;
        let first = usize::from(digest[0]) % questions.len().max(1);
        questions.rotate_left(first);
        questions.truncate(usize::from(policy.settings.authentication.questions_to_ask));
        Ok(questions.iter().map(subject::shown).collect())
    }

    /// Answers. Right ones open the session.
    ///
    /// # Errors
    /// [`Code::Malformed`] counts nothing; [`Code::SessionOver`], [`Code::Busy`].
    pub async fn answer_remote(&self, session: &str, address: &str, answers: &Answers) -> Result<bool, Refusal> {
        let place = self.workers.place()?;
        let mut tx = self.store.begin().await?;
        let flow = self.living(&mut tx, session, KIND, address).await?;
        if flow.step != ASKING {
            return Err(Refusal::new(Code::SessionOver, "the questions of this session are answered"));
        }
        let user = records::user(&mut tx, &flow.user).await?;
        let subject = Subject::of_user(&mut tx, user).await?;
        let pairs = subject.pairs(&flow.questions, answers, &self.nobody)?;
        let may = subject.may_answer().is_ok();
        if let (true, Some(user), Some(policy)) = (may, &subject.user, &subject.policy) {
            self.spend(&mut tx, user, policy.settings.authentication.maximum_retry_count).await?;
        }
        tx.commit().await?;
        let right = self.workers.verify(&place, pairs).await? && may;
        let mut tx = self.store.begin().await?;
        let name = subject.user.as_ref().map_or("somebody", |u| u.logon.as_str());
        let locked = self.settle_comparison(&mut tx, &flow, right, name, may).await?;
        tx.commit().await?;
        Ok(right && !locked)
    }

    /// The cards of the user whose session this is.
    ///
    /// # Errors
    /// [`Code::SessionOver`], [`Code::AnswersFirst`].
    pub async fn cards_remote(&self, session: &str, address: &str) -> Result<Vec<OwnCard>, Refusal> {
        let mut tx = self.store.begin().await?;
        let flow = self.answered_remote(&mut tx, session, address).await?;
        self.own_cards(&mut tx, &flow.user).await
    }

    pub(crate) async fn own_cards(&self, tx: &mut Tx, user: &str) -> Result<Vec<OwnCard>, Refusal> {
        let mut own = Vec::new();
        for card in records::cards_of(tx, user).await? {
            let subject = Subject::of_card(tx, &card.serial).await?;
            own.push(OwnCard::of(&card, subject.offline().is_ok()));
        }
        Ok(own)
    }

    /// The response to the challenge of one of the user's cards.
    ///
    /// # Errors
    /// With the reason: the user has answered.
    pub async fn challenge_remote(&self, session: &str, address: &str, serial: &str, text: &str) -> Result<Response, Refusal> {
        let mut tx = self.store.begin().await?;
        let flow = Flow { card: subject::serial(serial)?, ..self.answered_remote(&mut tx, session, address).await? };
        let subject = Subject::of_card(&mut tx, &flow.card).await?;
        let name = subject.user.as_ref().map_or_else(String::new, |u| u.logon.clone());
        let given = match subject.card.as_ref().and_then(|c| c.user.as_deref()) == Some(flow.user.as_str()) {
            false => Err(Refusal::not_found("card of yours")),
            true => match subject.offline() {
                Ok(unlockable) => self.respond(&mut tx, &flow, unlockable.card, text, &name, true).await,
                Err(refusal) => Err(refusal),
            },
        };
        match given {
            Ok(response) => {
                tx.commit().await?;
                Ok(response)
            }
            Err(refusal) => {
                drop(tx);
                self.note_refusal(Kind::ResponseRefused, &name, &flow.card, &flow.id, &refusal).await?;
                Err(refusal)
            }
        }
    }

    /// The user goes.
    ///
    /// # Errors
    /// [`Code::StoreDown`].
    pub async fn close_remote(&self, session: &str, address: &str) -> Result<(), Refusal> {
        let mut tx = self.store.begin().await?;
        if let Ok(flow) = self.living(&mut tx, session, KIND, address).await {
            records::set_step(&mut tx, &flow.id, OVER).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn answered_remote(&self, tx: &mut Tx, session: &str, address: &str) -> Result<Flow, Refusal> {
        let flow = self.living(tx, session, KIND, address).await?;
        if flow.step == ASKING {
            return Err(Refusal::new(Code::AnswersFirst, "answer the questions first"));
        }
        Ok(flow)
    }
}
