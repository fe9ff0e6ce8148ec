//! Self-Service: users set their answers, and do with their cards what their policy lets them.

use crate::model::answers::{LONGEST, normalised};
use crate::model::card::{CardRecord, Operation};
use crate::model::event::{Happening, Kind};
use crate::model::limit;
use crate::model::policy::Authentication;
use crate::model::question::{Answered, Question};
use crate::model::refusal::{Code, Refusal};
use crate::model::station::{NewPin, Order, StationError};
use crate::model::subject::{self, Subject};
use crate::model::user::UserLock;
use crate::service::Server;
use crate::service::flow::remote::OwnCard;
use crate::service::issue;
use crate::service::login::Person;
use crate::store::{Snapshot, Tx, answers, cards, questions, subjects, users};
use crate::words::sentence;
use cardlab_protocol::workstation::Answers;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// What a user sees.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Own {
    /// Name.
    pub cn: String,
    /// `DOMAIN\Name`.
    pub logon: String,
    /// *User is locked*.
    pub locked: bool,
    /// Questions that can be answered.
    pub questions: Vec<Question>,
    /// Ids of those that are.
    pub answered: Vec<String>,
    /// How many are asked.
    pub questions_to_ask: u8,
    /// Those that the user has written: id and text.
    pub own_questions: Vec<(String, String)>,
    /// How many that may be, and how long they and their answers are.
    pub authentication: Authentication,
    /// Whether the policy lets the user set answers.
    pub may_set_answers: bool,
    /// The user's cards.
    pub cards: Vec<OwnCard>,
    /// Whether the server's machine has readers, where users change PINs.
    pub has_readers: bool,
}

/// What a user does with a card of their own.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnOperation {
    /// Serial.
    pub card: String,
    /// `disable`, `enable` or `revoke`.
    pub operation: Operation,
    /// Why it is revoked.
    #[serde(default)]
    pub reason: Option<OwnReason>,
}

/// Why users revoke their cards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OwnReason {
    /// Nobody knows where it is.
    Lost,
    /// It does not work.
    Faulty,
    /// Somebody else may know its PIN.
    Compromised,
}

impl OwnReason {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Lost, Self::Faulty, Self::Compromised];

    /// As stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Faulty => "faulty",
            Self::Compromised => "compromised",
        }
    }

    /// Name of its sentence.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Lost => "own-reason-lost",
            Self::Faulty => "own-reason-faulty",
            Self::Compromised => "own-reason-compromised",
        }
    }
}

/// Self-Service: users see their own, and set their answers.
#[derive(Clone, Copy)]
pub struct SelfService<'s> {
    pub(super) server: &'s Server,
}

impl SelfService<'_> {
    /// The user's own page.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub async fn own(&self, person: &Person) -> Result<Own, Refusal> {
        let mut snapshot = self.server.store.read().await?;
        let (subject, questions) = asked(&mut snapshot, person).await?;
        let cards = subjects::cards_of_user(&mut snapshot, &person.user).await?;
        let may_set_answers = subject.may_set_answers().is_ok();
        let authentication = subject.authentication();
        let user = subject.user.ok_or_else(|| Refusal::not_found("user"))?;
        Ok(Own {
            may_set_answers,
            has_readers: self.server.station().is_ok(),
            cn: user.cn,
            logon: user.logon,
            locked: user.lock != UserLock::Open,
            questions,
            answered: subject.answered.into_iter().map(|answered| answered.question.id).collect(),
            questions_to_ask: authentication.questions_to_ask,
            own_questions: subject.own.into_iter().map(|own| (own.question.id, own.question.text)).collect(),
            authentication,
            cards: cards.iter().filter_map(OwnCard::of).collect(),
        })
    }

    /// Sets all answers anew; questions without one are not asked.
    ///
    /// # Errors
    /// [`Code::Malformed`] names the question and the rule; [`Code::DisabledByPolicy`].
    pub async fn set_answers(&self, person: &Person, answers: &Answers) -> Result<(), Refusal> {
        self.put(person, answers, false).await
    }

    /// Sets these answers; others stay as they are.
    ///
    /// # Errors
    /// As [`Self::set_answers`].
    pub async fn change_answers(&self, person: &Person, answers: &Answers) -> Result<(), Refusal> {
        self.put(person, answers, true).await
    }

    /// *Disable*, *Enable* or *Revoke* of one of the user's own cards, as their policy lets them.
    ///
    /// # Errors
    /// [`Code::NotFound`] for another's card; [`Code::CardState`], [`Code::DisabledByPolicy`], [`Code::Malformed`].
    pub async fn operate(&self, person: &Person, own: &OwnOperation) -> Result<OwnCard, Refusal> {
        self.operated(self.server.begin().await?, &person.user, own).await
    }

    /// As [`Self::operate`], of the user of this id.
    pub(super) async fn operated(&self, mut tx: Tx, user: &str, own: &OwnOperation) -> Result<OwnCard, Refusal> {
        let serial = subject::serial(&own.card)?;
        let name = users::by_id(&mut tx, user).await?.map(|user| user.logon).unwrap_or_default();
        let refused = Happening {
            card: &serial,
            user,
            detail: json!({"operation": own.operation.name()}),
            ..Happening::new(Kind::CardStateNotChanged, &name)
        };
        let done = async {
            let subject = subjects::of_card(&mut tx, &serial).await?;
            let card = own_card(&subject, user)?;
            subject.may_operate(own.operation)?;
            let before = card.state;
            let reason = match (own.operation, own.reason) {
                (Operation::Revoke, Some(reason)) => reason.name(),
                (Operation::Revoke, None) => {
                    let message = sentence!("refused-say-why");
                    return Err(Refusal::malformed(message));
                }
                _ => "",
            };
            let card = CardRecord { state: before.after(own.operation)?, revoke_reason: reason.into(), ..card.clone() };
            cards::set(&mut tx, &card).await?;
            self.server.cards().record_state(&mut tx, &name, before, &card, own.operation, reason).await?;
            OwnCard::of(&Subject { card: Some(card), ..subject }).ok_or_else(|| Refusal::not_found("own-card"))
        };
        let done = done.await;
        self.server.concluded(tx, done, &refused).await
    }

    /// *Change PIN* of a card of the user's that is in a reader of the server's machine. A wrong old PIN costs one of the
    /// card's tries.
    ///
    /// # Errors
    /// [`Code::NotFound`] for another's card; [`Code::CardState`], [`Code::DisabledByPolicy`], [`Code::NoReaders`];
    /// [`Code::CardRefused`] with what the card said.
    pub async fn change_pin(
        &self,
        person: &Person,
        serial: &str,
        old: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> Result<OwnCard, Refusal> {
        let serial = subject::serial(serial)?;
        let mut snapshot = self.server.store.read().await?;
        let name = users::by_id(&mut snapshot, &person.user).await?.map(|user| user.logon).unwrap_or_default();
        let subject = subjects::of_card_without_questions(&mut snapshot, &serial).await?;
        drop(snapshot);
        let about = |kind| Happening { card: &serial, user: &person.user, ..Happening::new(kind, &name) };
        let changed = async {
            own_card(&subject, &person.user)?;
            subject.may_change_pin()?;
            let station = self.server.station()?;
            let order = Order { pin: NewPin::Changed { old, new }, ..Order::looking(&serial) };
            let written = tokio::task::spawn_blocking(move || station.write(&order)).await;
            let written = written.unwrap_or_else(|_| Err(StationError::before(issue::ended().message())));
            written.map_err(Refusal::by_card)?;
            OwnCard::of(&subject).ok_or_else(|| Refusal::not_found("own-card"))
        };
        let changed = changed.await;
        let mut tx = self.server.begin().await?;
        if changed.is_ok() {
            self.server.record(&mut tx, &about(Kind::PinChanged)).await?;
        }
        self.server.concluded(tx, changed, &about(Kind::PinNotChanged)).await
    }

    async fn put(&self, person: &Person, answers: &Answers, others_stay: bool) -> Result<(), Refusal> {
        let hashed = async {
            let (subject, questions) = asked(&mut self.server.store.read().await?, person).await?;
            let set = checked(&subject, &questions, answers, others_stay)?;
            self.count(person).await?;
            let others = hashes(staying(&subject, &set, others_stay).chain(&subject.own));
            for (_, text) in &set {
                self.differ(text, &others).await?;
            }
            let hashed = self.server.workers.hash(set.iter().map(|(_, text)| text.clone()).collect()).await?;
            Ok::<_, Refusal>((hashed, others))
        };
        let hashed = hashed.await;
        let step = async |tx: &mut Tx| {
            let (hashed, others) = hashed?;
            // As it is now: questions may be others than when hashing began, and another page may have been quicker.
            let (subject, questions) = asked(tx, person).await?;
            let set = checked(&subject, &questions, answers, others_stay)?;
            unchanged(&others, staying(&subject, &set, others_stay).chain(&subject.own))?;
            if !others_stay {
                answers::delete_of_user(tx, &person.user).await?;
            }
            for (question, _) in &set {
                answers::delete(tx, &person.user, question).await?;
            }
            for ((question, _), hash) in set.iter().zip(&hashed) {
                answers::insert(tx, &person.user, question, hash, self.server.now()).await?;
            }
            users::set_draw(tx, &person.user, &[]).await
        };
        self.set(person, Value::Null, step).await
    }

    /// A step that sets answers, with its event, which has this detail. What is asked is nobody's to read in the log.
    pub(super) async fn set(
        &self,
        person: &Person,
        detail: Value,
        step: impl AsyncFnOnce(&mut Tx) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let mut tx = self.server.begin().await?;
        let name = users::by_id(&mut tx, &person.user).await?.map(|user| user.logon).unwrap_or_default();
        let about = |kind| Happening { user: &person.user, detail: detail.clone(), ..Happening::new(kind, &name) };
        let done = match step(&mut tx).await {
            Ok(()) => self.server.record(&mut tx, &about(Kind::AnswersSet)).await,
            Err(refusal) => Err(refusal),
        };
        self.server.concluded(tx, done, &about(Kind::AnswersNotSet)).await
    }

    /// Who sets answers learns which of them are set already: so often, and no oftener.
    pub(super) async fn count(&self, person: &Person) -> Result<(), Refusal> {
        let mut tx = self.server.begin().await?;
        self.server.limit(&mut tx, limit::ANSWERS_SET_BY_USER, &format!("answers set by {}", person.user)).await?;
        tx.commit().await
    }

    /// No new answer is one that stays for another question, which has one of these hashes.
    pub(super) async fn differ(&self, answer: &Zeroizing<String>, others: &[String]) -> Result<(), Refusal> {
        for other in others {
            let place = self.server.workers.place()?;
            if self.server.workers.verify(&place, vec![(answer.clone(), other.clone())]).await? {
                return Err(Refusal::malformed(sentence!("refused-answer-set-already")));
            }
        }
        Ok(())
    }
}

/// What new answers are compared with.
pub(super) fn hashes<'a>(others: impl Iterator<Item = &'a Answered>) -> Vec<String> {
    others.map(|other| other.hash.clone()).collect()
}

/// Refuses what was compared with other answers than there are now.
pub(super) fn unchanged<'a>(compared: &[String], now: impl Iterator<Item = &'a Answered>) -> Result<(), Refusal> {
    if hashes(now) == compared {
        return Ok(());
    }
    Err(Refusal::new(Code::Conflict, sentence!("refused-answers-changed")))
}

/// The card, when it is of the user of this id: others there are not, for them.
fn own_card<'a>(subject: &'a Subject, user: &str) -> Result<&'a CardRecord, Refusal> {
    let card = subject.card.as_ref().filter(|card| card.user.as_deref() == Some(user));
    card.ok_or_else(|| Refusal::not_found("own-card"))
}

/// Those of the user's answers to the policy's questions that stay as they are.
fn staying<'a>(
    subject: &'a Subject,
    set: &'a [(String, Zeroizing<String>)],
    others_stay: bool,
) -> impl Iterator<Item = &'a Answered> {
    let changed = move |answered: &&Answered| set.iter().any(|(id, _)| *id == answered.question.id);
    subject.answered.iter().filter(move |answered| others_stay && !changed(answered))
}

/// A user with the questions of the policy that holds.
pub(super) async fn asked(conn: &mut Snapshot, person: &Person) -> Result<(Subject, Vec<Question>), Refusal> {
    let subject = subjects::of_user(conn, &person.user).await?;
    let questions = questions::of_policy(conn, subject.policy_id().unwrap_or_default()).await?;
    Ok((subject, questions))
}

/// Refuses an answer, as it is hashed, that is no answer to what is asked: too short or too long, or a word of the question.
pub(super) fn fits(answer: &str, asks: &str, least: i64) -> Result<(), Refusal> {
    let length = answer.chars().count();
    if length < least as usize || length > LONGEST {
        let wrong = sentence!("refused-answer-characters", question = asks, least = least, most = LONGEST, length = length);
        return Err(Refusal::malformed(wrong));
    }
    // One that is no word has none of the question's.
    let words = |text: &str| {
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let (question, said) = (words(&normalised(asks)), words(answer));
    if !said.is_empty() && question.windows(said.len()).any(|part| part == said) {
        return Err(Refusal::malformed(sentence!("refused-answer-in-question", question = asks)));
    }
    Ok(())
}

/// Answers as they are hashed, by id of their question: in the order in which they came.
fn checked(
    subject: &Subject,
    questions: &[Question],
    answers: &Answers,
    others_stay: bool,
) -> Result<Vec<(String, Zeroizing<String>)>, Refusal> {
    subject.may_set_answers()?;
    if questions.is_empty() {
        return Err(Refusal::new(Code::Conflict, sentence!("refused-no-questions")));
    }
    let to_ask = subject.policy.as_ref().map_or(1, |policy| policy.settings.authentication.questions_to_ask);
    let mut set: Vec<(String, Zeroizing<String>)> = Vec::new();
    for answer in &answers.answers {
        let question = questions.iter().find(|question| question.id == answer.question);
        let question = question.ok_or_else(|| Refusal::malformed(sentence!("refused-no-such-question-answered")))?;
        let text = normalised(&answer.text);
        if text.is_empty() {
            continue;
        }
        let asks = &question.text;
        fits(&text, asks, question.min_length)?;
        if set.iter().any(|(id, other)| *other == text || *id == question.id) {
            return Err(Refusal::malformed(sentence!("refused-answer-twice", question = asks)));
        }
        set.push((question.id.clone(), text));
    }
    if others_stay && set.is_empty() {
        return Err(Refusal::malformed(sentence!("refused-nothing-typed")));
    }
    if set.len() + staying(subject, &set, others_stay).count() < usize::from(to_ask).min(questions.len()) {
        return Err(Refusal::malformed(sentence!("refused-answers-least", least = to_ask)));
    }
    Ok(set)
}
