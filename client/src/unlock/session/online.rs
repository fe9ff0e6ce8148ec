//! What the server answers: which ways are open, questions, whether answers are right, the response.

use super::input::{NewPin, ServerAnswer, Ticket};
use super::shown::{Faults, Notice, Online};
use super::state::{Answered, State, faults};
use super::{CardAsk, Effect, ServerAsk, Session};
use crate::minidriver::CardError;
use crate::service::ServiceError;
use cardlab_protocol::workstation::{Answer, Answers, Judged, Open, Opened, Question, TaskOffer, Ways};
use zeroize::Zeroizing;

impl Session {
    pub(super) fn open_questions(&mut self) {
        self.ask_about(ServerAsk::Open);
    }

    pub(super) fn ask_task(&mut self) {
        self.ask_about(ServerAsk::Task);
    }

    /// Asks the server for questions about the card; one without a serial cannot be asked about.
    fn ask_about(&mut self, ask: fn(Open) -> ServerAsk) {
        self.notice = None;
        match self.about() {
            Some(about) => self.state = State::Asking(self.ask_server(ask(about))),
            None => self.enter(Some(Notice::NoSerial)),
        }
    }

    pub(super) fn answer(&mut self, texts: &[Zeroizing<String>]) {
        let State::Questions { session } = &self.state else { return };
        let session = session.clone();
        if texts.len() != session.questions.len() {
            self.notice = Some(Notice::TooLate);
            return;
        }
        let answer =
            |(question, text): (&Question, &Zeroizing<String>)| Answer { question: question.id.clone(), text: text.to_string() };
        let answers = Answers { answers: session.questions.iter().zip(texts).map(answer).collect() };
        self.notice = None;
        let ticket = self.ask_server(ServerAsk::Answers { session: session.id.clone(), answers });
        self.state = State::Judging { ticket, session };
    }

    pub(super) fn new_pin(&mut self, new: &NewPin) {
        self.notice = None;
        let (State::NewPin { session, .. }, Some(mine)) = (&self.state, &mut self.mine) else { return };
        let (session, wrong) = (session.clone(), faults(&mine.facts, new));
        if !wrong.is_empty() {
            self.state = State::NewPin { session, faults: wrong };
            return;
        }
        // Its challenge ends the one that is read to operators.
        self.drop_code();
        let ticket = self.ask_card(CardAsk::Draw { blocked: false, keep: true });
        self.state = State::Drawing { ticket, session, pin: new.pin.clone() };
    }

    pub(super) fn drawn_for_server(&mut self, session: Answered, pin: Zeroizing<String>, result: Result<Vec<u8>, CardError>) {
        match result {
            Ok(challenge) => {
                let card = self.about().map(|about| about.serial).unwrap_or_default();
                let ask = ServerAsk::Response { session: session.id.clone(), card, challenge: challenge.clone() };
                let ticket = self.ask_server(ask);
                self.state = State::Waits { ticket, session, pin, challenge };
            }
            Err(error) => {
                self.put_off(&session);
                self.refused(error);
            }
        }
    }

    pub(super) fn server(&mut self, ticket: Ticket, answer: ServerAnswer) {
        if self.mine.as_ref().is_some_and(|mine| mine.locked.asking == Some(ticket)) {
            if let ServerAnswer::Ways(result) = answer {
                self.ways(result);
            }
            return;
        }
        if !self.waits_for(ticket) {
            return;
        }
        let state = std::mem::replace(&mut self.state, State::Waiting);
        match (state, answer) {
            (State::Asking(_), ServerAnswer::Opened(result)) => self.opened(result),
            (State::Asking(_), ServerAnswer::Task(result)) => self.offered(result),
            (State::Judging { session, .. }, ServerAnswer::Judged(result)) => self.judged(session, result),
            (State::Waits { session, pin, challenge, .. }, ServerAnswer::Response(result)) => {
                self.response(session, pin, challenge, result);
            }
            (state, _) => self.state = state,
        }
    }

    fn ways(&mut self, result: Result<Ways, ServiceError>) {
        let Some(mine) = &mut self.mine else { return };
        mine.locked.asking = None;
        match result {
            Ok(ways) => {
                mine.locked.online = if ways.online { Online::Yes } else { Online::No };
                let changed = std::mem::replace(&mut mine.locked.off, !ways.offline) == ways.offline;
                if !changed {
                    return;
                }
                if mine.locked.off {
                    // A code that nobody answers need not wait, nor keep the card.
                    let reader = mine.reader.clone();
                    self.drop_code();
                    self.effects.push(Effect::LetGo(reader));
                } else if matches!(self.state, State::Locked) {
                    self.draw();
                }
            }
            Err(error) => mine.locked.online = Online::Failed(error),
        }
    }

    fn opened(&mut self, result: Result<Opened, ServiceError>) {
        match result {
            Ok(Opened::Online { session, questions, .. }) if !questions.is_empty() => {
                self.state = State::Questions { session: Answered { id: session, questions, task: false } };
            }
            Ok(Opened::Online { .. } | Opened::Offline | Opened::None) => {
                self.no_online();
                self.enter(Some(Notice::OnlineNot));
            }
            Err(error) => self.enter(Some(Notice::Server(error))),
        }
    }

    fn offered(&mut self, result: Result<TaskOffer, ServiceError>) {
        match result {
            Ok(TaskOffer::ResetUserPin { session, questions, .. }) if !questions.is_empty() => {
                self.state = State::Questions { session: Answered { id: session, questions, task: true } };
            }
            Ok(_) => self.enter(None),
            Err(error) => self.enter(Some(Notice::Server(error))),
        }
    }

    fn judged(&mut self, session: Answered, result: Result<Judged, ServiceError>) {
        match result {
            Ok(Judged::Answered { ok: true }) => self.state = State::NewPin { session, faults: Faults::default() },
            Ok(Judged::Answered { ok: false }) => {
                self.notice = Some(Notice::AnswersWrong);
                self.state = State::Questions { session };
            }
            Ok(Judged::Over { .. }) => {
                self.no_online();
                self.enter(Some(Notice::OnlineOver));
            }
            Err(error @ (ServiceError::Refused(_) | ServiceError::TooMany(_) | ServiceError::Busy(_))) => {
                self.notice = Some(Notice::Server(error));
                self.state = State::Questions { session };
            }
            Err(ServiceError::Over(_)) => self.enter(Some(Notice::SessionOver)),
            Err(error) => self.enter(Some(Notice::Server(error))),
        }
    }

    fn response(&mut self, session: Answered, pin: Zeroizing<String>, challenge: Vec<u8>, result: Result<Vec<u8>, ServiceError>) {
        match result {
            Ok(response) => {
                let ticket = self.use_response(&challenge, response, pin);
                self.state = State::Relaying { ticket, session, challenge };
            }
            Err(error) => {
                if let Some(mine) = &self.mine {
                    self.effects.push(Effect::LetGo(mine.reader.clone()));
                }
                let notice = if matches!(error, ServiceError::Over(_)) { Notice::SessionOver } else { Notice::Server(error) };
                self.enter(Some(notice));
            }
        }
    }

    fn no_online(&mut self) {
        if let Some(mine) = &mut self.mine {
            mine.locked.online = Online::No;
        }
    }
}
