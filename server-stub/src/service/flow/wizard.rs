//! Offline unlock, the operator's side: questions, then the challenge that the user reads out.

use super::Compared;
use crate::model::event::{Happening, Kind};
use crate::model::flow::{Flow, FlowKind, Step};
use crate::model::refusal::{Code, Refusal};
use crate::model::response::GivenView;
use crate::model::role::Privilege;
use crate::model::subject::{self, Subject, Unlockable};
use crate::model::user::{User, UserLock};
use crate::model::{limit, random};
use crate::service::login::Operator;
use crate::service::{SESSION, Server};
use crate::store::{Snapshot, Tx, flows, hits, responses, subjects};
use cardlab_protocol::workstation::{Answers, Question};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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

/// A wizard as it stands.
#[derive(Clone, Debug)]
pub struct WizardView {
    /// Serial of the card.
    pub card: String,
    /// What it asks.
    pub wizard: Wizard,
    /// It takes a challenge.
    pub ready: bool,
    /// What became of the response that it has given last.
    pub given: Option<GivenView>,
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
        let refused = Happening { card: &serial, ..Happening::new(Kind::ResponseRefused, &operator.name) };
        let step = async |tx: &mut Tx, operator: &Operator| self.begin(tx, operator, &serial).await;
        self.server.attempt(operator, &refused, step).await
    }

    async fn begin(&self, tx: &mut Tx, operator: &Operator, serial: &str) -> Result<Wizard, Refusal> {
        let subject = subjects::of_card(tx, serial).await?;
        let unlockable = permitted(&subject, operator)?;
        let validates = unlockable.policy.settings.workflow.validate_answers;
        let questions = if validates {
            subject.may_answer()?;
            self.server.flows().draw(tx, &subject).await?
        } else {
            Vec::new()
        };
        let also_open = flows::others_at(tx, serial, &operator.id, self.server.now(), MOST_WRONG).await?;
        let session = random::token();
        let flow = Flow {
            id: random::fingerprint(&session),
            opener: operator.id.clone(),
            kind: FlowKind::Operator,
            card: serial.into(),
            user: unlockable.user.id.clone(),
            step: Step::Asking,
            questions,
            wrong: 0,
            workstation: String::new(),
            expires: self.server.until(SESSION),
            challenge: String::new(),
        };
        flows::insert(tx, &flow).await?;
        Ok(Wizard {
            questions: subject.questions(&flow.questions),
            wizard: session,
            challenge_length: 2 * unlockable.card.about.cipher()?.block_len(),
            also_open,
        })
    }

    /// The user's answers, as the operator types them.
    ///
    /// # Errors
    /// [`Code::Malformed`] counts nothing; else as [`Wizards::open`].
    pub async fn answer(&self, operator: &Operator, wizard: &str, answers: &Answers) -> Result<AnswersChecked, Refusal> {
        let place = self.server.workers.place()?;
        let (mut tx, operator) = self.server.begin_by(operator).await?;
        let flow = self.own(&mut tx, &operator, wizard).await?;
        let guesses = format!("operators' answers for {}", flow.user);
        let ready = async {
            let subject = subjects::of_card(&mut tx, &flow.card).await?;
            let unlockable = permitted(&subject, &operator)?;
            same_user(&flow, unlockable.user)?;
            subject.may_answer()?;
            let authentication = &unlockable.policy.settings.authentication;
            let counted = authentication.count_operator_answers;
            let pairs = subject.pairs(&flow.questions, answers, &self.server.nobody)?;
            // Over all wizards and operators: who opens another one has no more guesses.
            self.server.limit(&mut tx, limit::OPERATORS_ANSWERS, &guesses).await?;
            if counted {
                self.server.flows().spend(&mut tx, unlockable.user, authentication.maximum_retry_count).await?;
            }
            // Counted before it is compared, as a card does; the last one ends the wizard unless it is right.
            flows::count_answers(&mut tx, &flow.id).await?;
            flows::set_step(&mut tx, &flow.id, Step::Asking).await?;
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
            let mut tx = self.server.begin().await?;
            hits::forget(&mut tx, &guesses).await?;
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
        let (mut tx, operator) = self.server.begin_by(operator).await?;
        let flow = self.own(&mut tx, &operator, wizard).await?;
        let given = self.judge_challenge(&mut tx, &flow, &operator, read).await;
        let refused = Happening { card: &flow.card, flow: &flow.id, ..Happening::new(Kind::ResponseRefused, &operator.name) };
        self.server.concluded(tx, given, &refused).await
    }

    async fn judge_challenge(&self, tx: &mut Tx, flow: &Flow, operator: &Operator, read: &ReadOut) -> Result<ReadBack, Refusal> {
        let subject = subjects::of_card(tx, &flow.card).await?;
        let unlockable = permitted(&subject, operator)?;
        same_user(flow, unlockable.user)?;
        let validates = unlockable.policy.settings.workflow.validate_answers;
        let answered = flow.step != Step::Asking;
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
        let mut snapshot = self.server.store.read().await?;
        let flow = self.own(&mut snapshot, operator, wizard).await?;
        responses::given(&mut snapshot, &flow.card, &flow.challenge, &flow.actor()).await
    }

    /// A living wizard of this operator.
    async fn own(&self, conn: &mut Snapshot, operator: &Operator, wizard: &str) -> Result<Flow, Refusal> {
        let flow = self.server.flows().living(conn, wizard, &[FlowKind::Operator], &operator.id).await?;
        if flow.wrong < MOST_WRONG {
            return Ok(flow);
        }
        Err(Refusal::new(Code::SessionOver, "this unlock session is over; start again"))
    }

    /// A wizard that the operator has open, as it stands.
    ///
    /// # Errors
    /// [`Code::SessionOver`].
    pub async fn view(&self, operator: &Operator, wizard: &str) -> Result<WizardView, Refusal> {
        let mut snapshot = self.server.store.read().await?;
        let flow = self.own(&mut snapshot, operator, wizard).await?;
        let subject = subjects::of_card(&mut snapshot, &flow.card).await?;
        let unlockable = permitted(&subject, operator)?;
        let validates = unlockable.policy.settings.workflow.validate_answers;
        let wizard = Wizard {
            wizard: wizard.to_owned(),
            questions: if validates { subject.questions(&flow.questions) } else { Vec::new() },
            challenge_length: 2 * unlockable.card.about.cipher()?.block_len(),
            also_open: Vec::new(),
        };
        let given = responses::given(&mut snapshot, &flow.card, &flow.challenge, &flow.actor()).await?;
        Ok(WizardView { wizard, given, ready: !validates || flow.step != Step::Asking, card: flow.card })
    }
}

/// The operator may unlock this card now.
fn permitted<'a>(subject: &'a Subject, operator: &Operator) -> Result<Unlockable<'a>, Refusal> {
    // Privilege first: who has none learns nothing of the card.
    operator.require(Privilege::UnlockCard, subject.policy_id())?;
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
