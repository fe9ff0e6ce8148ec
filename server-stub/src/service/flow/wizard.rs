//! Offline unlock, the operator's side: questions, then the challenge that the user reads out.

use super::{Compared, responses_of_card, responses_of_operator};
use crate::model::event::{Happening, Kind};
use crate::model::flow::{Flow, FlowKind, Step};
use crate::model::refusal::{Code, Refusal};
use crate::model::role::Privilege;
use crate::model::subject::{self, Subject, Unlockable};
use crate::model::user::{User, UserLock};
use crate::model::{limit, random};
use crate::service::login::Operator;
use crate::service::{SESSION, Server};
use crate::store::{Snapshot, Tx, flows, hits, subjects};
use crate::words::sentence;
use cardlab_protocol::codes;
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

impl ReadBack {
    pub(in crate::service) fn of(response: &[u8]) -> Self {
        Self { response: codes::digits(response), check: codes::check_code(response), grouped: codes::grouped(response) }
    }
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
            // Who it is the operator knows: those that the user has written come on top.
            let own = usize::from(unlockable.policy.settings.authentication.own_questions);
            let mut questions = self.server.flows().draw(tx, &subject).await?;
            questions.extend(subject.own.iter().take(own).map(|own| own.question.id.clone()));
            questions
        } else {
            Vec::new()
        };
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
        Ok(self.shown(tx, operator, &session, &flow, &subject).await?.0)
    }

    /// What the operator sees of an unlock, and how many responses the operator may still give for the card.
    pub(in crate::service) async fn shown(
        &self,
        conn: &mut Snapshot,
        operator: &Operator,
        session: &str,
        flow: &Flow,
        subject: &Subject,
    ) -> Result<(Wizard, i64), Refusal> {
        let card = subject.card.as_ref().ok_or_else(|| Refusal::not_found("card"))?;
        let (of_card, of_operator) = (responses_of_card(&flow.card), responses_of_operator(&operator.id));
        let now = self.server.now();
        let (limits, times) = ((limit::RESPONSES_OF_CARD, limit::RESPONSES_OF_OPERATOR), (now, now - limit::HOUR));
        let who = (flow.card.as_str(), operator.id.as_str());
        let around = flows::around(conn, who, times, MOST_WRONG, (&of_card, &of_operator)).await?;
        let left = (limits.0.times - around.of_card).min(limits.1.times - around.of_operator).max(0);
        let wizard = Wizard {
            questions: subject.questions(&flow.questions),
            wizard: session.to_owned(),
            challenge_length: 2 * card.about.cipher()?.block_len(),
            also_open: around.others,
        };
        Ok((wizard, left))
    }

    /// The user's answers, as the operator types them.
    ///
    /// # Errors
    /// [`Code::Malformed`] counts nothing; else as [`Wizards::open`].
    pub async fn answer(&self, operator: &Operator, wizard: &str, answers: &Answers) -> Result<AnswersChecked, Refusal> {
        let place = self.server.workers.place()?;
        let (mut tx, operator) = self.server.begin_by(operator).await?;
        let flow = match self.own(&mut tx, &operator, wizard).await {
            Ok(flow) => flow,
            Err(refusal) => return self.of_no_wizard(tx, &operator, refusal).await,
        };
        let guesses = format!("operators' answers for {}", flow.user);
        let ready = async {
            let subject = subjects::of_card(&mut tx, &flow.card).await?;
            let unlockable = permitted(&subject, &operator)?;
            same_user(&flow, unlockable.user)?;
            subject.may_answer()?;
            // One that was asked is there no more: nobody can answer what is left of this.
            if subject.questions(&flow.questions).len() < flow.questions.len() {
                return Err(Refusal::new(Code::SessionOver, sentence!("refused-session-over")));
            }
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
        let flow = match self.own(&mut tx, &operator, wizard).await {
            Ok(flow) => flow,
            Err(refusal) => return self.of_no_wizard(tx, &operator, refusal).await,
        };
        let given = self.judge_challenge(&mut tx, &flow, &operator, read).await;
        let refused = Happening {
            card: &flow.card,
            user: &flow.user,
            flow: &flow.id,
            ..Happening::new(Kind::ResponseRefused, &operator.name)
        };
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
                return Err(Refusal::new(Code::AnswersFirst, sentence!("refused-answers-first")));
            }
        }
        let challenge = subject::challenge(&read.challenge, unlockable.card)?;
        let check = read.check.as_deref().map(str::trim).filter(|check| !check.is_empty());
        if check.is_some_and(|check| !check.eq_ignore_ascii_case(&codes::check_code(&challenge))) {
            return Err(Refusal::malformed(sentence!("refused-check-code")));
        }
        let response = self
            .server
            .flows()
            .respond(tx, flow, unlockable.card, &read.challenge, &operator.name, validates && answered)
            .await?;
        Ok(ReadBack::of(&hex::decode(&response.response).unwrap_or_default()))
    }

    /// A wizard that has ended, is another's or was made up: which, nobody is told.
    async fn of_no_wizard<T>(&self, tx: Tx, operator: &Operator, refusal: Refusal) -> Result<T, Refusal> {
        self.server.concluded(tx, Err(refusal), &Happening::new(Kind::ResponseRefused, &operator.name)).await
    }

    /// A living wizard of this operator.
    pub(in crate::service) async fn own(&self, conn: &mut Snapshot, operator: &Operator, wizard: &str) -> Result<Flow, Refusal> {
        let flow = self.server.flows().living(conn, wizard, &[FlowKind::Operator], &operator.id).await?;
        if flow.wrong < MOST_WRONG {
            return Ok(flow);
        }
        Err(Refusal::new(Code::SessionOver, sentence!("refused-session-over")))
    }
}

/// The operator may unlock this card now.
pub(crate) fn permitted<'a>(subject: &'a Subject, operator: &Operator) -> Result<Unlockable<'a>, Refusal> {
    // Privilege first: who has none learns nothing of the card.
    operator.require(Privilege::UnlockCard, subject.policy_id())?;
    let unlockable = subject.offline()?;
    let own = operator.user.as_deref() == Some(unlockable.user.id.as_str());
    if own && !unlockable.policy.settings.workflow.allow_self_unlock {
        return Err(Refusal::new(Code::SelfServiceOnly, sentence!("refused-own-card")));
    }
    Ok(unlockable)
}

fn same_user(flow: &Flow, user: &User) -> Result<(), Refusal> {
    if flow.user == user.id { Ok(()) } else { Err(Refusal::new(Code::SessionOver, sentence!("refused-card-has-another-user"))) }
}
