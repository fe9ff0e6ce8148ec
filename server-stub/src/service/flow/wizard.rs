//! Offline unlock, the operator's side: questions, then the challenge that the user reads out.

use super::{ASKING, Compared, OVER};
use crate::model::event::{Happening, Kind};
use crate::model::refusal::{Code, Refusal};
use crate::model::role::Privilege;
use crate::service::login::Operator;
use crate::service::subject::{self, Subject, Unlockable};
use crate::service::{SESSION, Server};
use crate::store::limits;
use crate::store::records::{self, Flow, User, UserLock};
use crate::store::responses::{self, GivenView};
use crate::store::{Tx, text};
use cardlab_protocol::workstation::{Answers, Question};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) const KIND: &str = "operator";
/// Wrong answers that end a wizard.
const MOST_WRONG: i64 = 5;

/// An unlock that an operator has begun.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Wizard {
    /// Names it.
    pub wizard: String,
    /// What to ask the user; empty when the policy does not validate answers.
    pub questions: Vec<Question>,
    /// Characters of the challenge.
    pub challenge_length: usize,
    /// Operators who have one open for the same card.
    pub also_open: Vec<String>,
}

/// Whether answers were right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnswersChecked {
    /// Right.
    pub ok: bool,
    /// Tries before the wizard ends; 0 has ended it.
    pub left: i64,
}

/// What a user has read out.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadOut {
    /// The challenge, as people write it.
    pub challenge: String,
    /// Its check code, when the user read that too.
    #[serde(default)]
    pub check: Option<String>,
}

/// What to read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReadBack {
    /// Hexadecimal digits.
    pub response: String,
    /// Two digits to compare.
    pub check: String,
    /// In fours, as it is read.
    pub grouped: String,
}

/// Offline unlock, for operators.
#[derive(Clone, Copy)]
pub struct Wizards<'s> {
    pub(in crate::service) server: &'s Server,
}

impl Wizards<'_> {
    /// The operator picks *Unlock* in a card's menu.
    ///
    /// # Errors
    /// With the reason: operators are told.
    pub async fn open(&self, operator: &Operator, serial: &str) -> Result<Wizard, Refusal> {
        let serial = subject::serial(serial)?;
        let mut tx = self.server.store.begin().await?;
        let begun = self.begin(&mut tx, operator, &serial).await;
        let refused = Happening { card: &serial, ..Happening::new(Kind::ResponseRefused, &operator.name) };
        self.server.concluded(tx, begun, &refused).await
    }

    async fn begin(&self, tx: &mut Tx, operator: &Operator, serial: &str) -> Result<Wizard, Refusal> {
        let subject = Subject::of_card(tx, serial).await?;
        let unlockable = permitted(&subject, operator)?;
        let validates = unlockable.policy.settings.workflow.validate_answers;
        let questions = if validates {
            subject.may_answer()?;
            self.server.flows().draw(tx, &subject).await?
        } else {
            Vec::new()
        };
        let others = sqlx::query("SELECT operators.name FROM flows JOIN operators ON operators.id = flows.operator WHERE flows.card = $1 AND flows.kind = $2 AND flows.step <> $3 AND flows.expires > $4 AND flows.operator <> $5 AND flows.wrong < $6")
            .bind(serial).bind(KIND).bind(OVER).bind(self.server.now()).bind(&operator.id).bind(MOST_WRONG).fetch_all(&mut **tx).await?;
        let session = crate::model::random::token();
        let flow = Flow {
            id: crate::model::random::fingerprint(&session),
            opener: operator.id.clone(),
            kind: KIND.into(),
            card: serial.into(),
            user: unlockable.user.id.clone(),
            operator: operator.id.clone(),
            step: ASKING.into(),
            questions,
            wrong: 0,
            workstation: String::new(),
            expires: self.server.until(SESSION),
            challenge: String::new(),
        };
        records::insert_flow(tx, &flow).await?;
        Ok(Wizard {
            questions: subject.questions(&flow.questions),
            wizard: session,
            challenge_length: 2 * unlockable.card.about.cipher()?.block_len(),
            also_open: others.iter().map(|row| text(row, "name")).collect::<Result<_, _>>()?,
        })
    }

    /// The user's answers, as the operator types them.
    ///
    /// # Errors
    /// [`Code::Malformed`] counts nothing; else as [`Wizards::open`].
    pub async fn answer(&self, operator: &Operator, wizard: &str, answers: &Answers) -> Result<AnswersChecked, Refusal> {
        let place = self.server.workers.place()?;
        let mut tx = self.server.store.begin().await?;
        let flow = self.own(&mut tx, operator, wizard).await?;
        let guesses = format!("operators' answers for {}", flow.user);
        let ready = async {
            let subject = Subject::of_card(&mut tx, &flow.card).await?;
            let unlockable = permitted(&subject, operator)?;
            same_user(&flow, unlockable.user)?;
            subject.may_answer()?;
            let authentication = &unlockable.policy.settings.authentication;
            let counted = authentication.count_operator_answers;
            let pairs = subject.pairs(&flow.questions, answers, &self.server.nobody)?;
            // Over all wizards and operators: who opens another one has no more guesses.
            self.server.limit(&mut tx, limits::OPERATORS_ANSWERS, &guesses).await?;
            if counted {
                self.server.flows().spend(&mut tx, unlockable.user, authentication.maximum_retry_count).await?;
            }
            // Counted before it is compared, as a card does; the last one ends the wizard unless it is right.
            sqlx::query("UPDATE flows SET wrong = wrong + 1, step = $2 WHERE id = $1")
                .bind(&flow.id)
                .bind(ASKING)
                .execute(&mut *tx)
                .await?;
            Ok::<_, Refusal>((counted, pairs))
        }
        .await;
        let refused = Happening {
            card: &flow.card,
            user: &flow.user,
            flow: &flow.id,
            ..Happening::new(Kind::ResponseRefused, &operator.name)
        };
        let (counted, pairs) = self.server.concluded(tx, ready, &refused).await?;
        let left = MOST_WRONG - flow.wrong - 1;
        let compared = self.server.flows().compare(&place, pairs, &flow, &operator.name, counted).await?;
        if compared == Compared::Right {
            let mut tx = self.server.store.begin().await?;
            limits::forget(&mut tx, &guesses).await?;
            tx.commit().await?;
        }
        let ended = matches!(compared, Compared::Locked | Compared::Gone);
        Ok(AnswersChecked { ok: compared == Compared::Right, left: if ended { 0 } else { left } })
    }

    /// The challenge that the user reads out, and what to read back.
    ///
    /// # Errors
    /// With the reason, judged anew: [`Code::AnswersFirst`], [`Code::RateLimited`] and the others.
    pub async fn challenge(&self, operator: &Operator, wizard: &str, read: &ReadOut) -> Result<ReadBack, Refusal> {
        let mut tx = self.server.store.begin().await?;
        let flow = self.own(&mut tx, operator, wizard).await?;
        let given = self.judge_challenge(&mut tx, &flow, operator, read).await;
        let refused = Happening { card: &flow.card, flow: &flow.id, ..Happening::new(Kind::ResponseRefused, &operator.name) };
        self.server.concluded(tx, given, &refused).await
    }

    async fn judge_challenge(&self, tx: &mut Tx, flow: &Flow, operator: &Operator, read: &ReadOut) -> Result<ReadBack, Refusal> {
        let subject = Subject::of_card(tx, &flow.card).await?;
        let unlockable = permitted(&subject, operator)?;
        same_user(flow, unlockable.user)?;
        let validates = unlockable.policy.settings.workflow.validate_answers;
        let answered = flow.step != ASKING;
        if validates {
            if unlockable.user.lock != UserLock::Open {
                subject.may_answer()?;
            }
            if !answered {
                return Err(Refusal::new(Code::AnswersFirst, "the user's answers come before the challenge"));
            }
        }
        let challenge = subject::challenge(&read.challenge, unlockable.card)?;
        let check = read.check.as_deref().map(str::trim).filter(|check| !check.is_empty());
        if check.is_some_and(|check| !check.eq_ignore_ascii_case(&cardlab_protocol::codes::check_code(&challenge))) {
            return Err(Refusal::malformed(
                "challenge and check code do not belong together: a digit is wrong; have it read again",
            ));
        }
        let response = self
            .server
            .flows()
            .respond(tx, flow, unlockable.card, &read.challenge, &operator.name, validates && answered)
            .await?;
        let bytes = hex::decode(&response.response).unwrap_or_default();
        Ok(ReadBack { grouped: cardlab_protocol::codes::grouped(&bytes), response: response.response, check: response.check })
    }

    /// What became of the latest response that a wizard has given; `None` before it has given one.
    ///
    /// # Errors
    /// [`Code::SessionOver`].
    pub async fn outcome(&self, operator: &Operator, wizard: &str) -> Result<Option<GivenView>, Refusal> {
        let mut tx = self.server.store.begin().await?;
        let flow = self.own(&mut tx, operator, wizard).await?;
        responses::given(&mut tx, &flow.card, &flow.challenge, &operator.id).await
    }

    /// A living wizard of this operator.
    async fn own(&self, tx: &mut Tx, operator: &Operator, wizard: &str) -> Result<Flow, Refusal> {
        let flow = self.server.flows().living(tx, wizard, KIND, &operator.id).await?;
        if flow.wrong < MOST_WRONG {
            return Ok(flow);
        }
        Err(Refusal::new(Code::SessionOver, "this unlock session is over; start again"))
    }

    /// The card of a wizard that the operator has open.
    ///
    /// # Errors
    /// [`Code::SessionOver`].
    pub async fn view(&self, operator: &Operator, wizard: &str) -> Result<(String, Wizard, bool), Refusal> {
        let mut tx = self.server.store.begin().await?;
        let flow = self.own(&mut tx, operator, wizard).await?;
        let subject = Subject::of_card(&mut tx, &flow.card).await?;
        let unlockable = permitted(&subject, operator)?;
        let validates = unlockable.policy.settings.workflow.validate_answers;
        let view = Wizard {
            wizard: wizard.to_owned(),
            questions: if validates { subject.questions(&flow.questions) } else { Vec::new() },
            challenge_length: 2 * unlockable.card.about.cipher()?.block_len(),
            also_open: Vec::new(),
        };
        let ready = !validates || flow.step != ASKING;
        Ok((flow.card, view, ready))
    }
}

/// The operator may unlock this card now.
fn permitted<'a>(subject: &'a Subject, operator: &Operator) -> Result<Unlockable<'a>, Refusal> {
    // Privilege first: who has none learns nothing of the card.
    operator.require(Privilege::UnlockCard, subject.policy.as_ref().map(|p| p.id.as_str()))?;
    let unlockable = subject.offline()?;
    let own = operator.user.as_deref() == Some(unlockable.user.id.as_str());
    if own && !unlockable.policy.settings.workflow.allow_self_unlock {
        return Err(Refusal::new(
            Code::SelfServiceOnly,
            "operators do not unlock cards of their own; use Self-Service or ask a colleague",
        ));
    }
    Ok(unlockable)
}

fn same_user(flow: &Flow, user: &User) -> Result<(), Refusal> {
    if flow.user == user.id { Ok(()) } else { Err(Refusal::new(Code::SessionOver, "the card has another user now; start again")) }
}
