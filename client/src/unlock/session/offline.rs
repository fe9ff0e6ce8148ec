//! What the card answers: to a PIN, to a request for a code, to a response or a PUK.

use super::input::{CardAnswer, Disturbance, Ticket};
use super::shown::{Faults, Notice, Online, Responses};
use super::state::{Answered, State};
use super::{Begin, CardAsk, Effect, ServerAsk, Session, Told};
use crate::minidriver::{CardError, Counter, Secret};
use crate::transport::TransportError;
use cardlab_protocol::workstation::{CardOutcome, Outcome, Report, ReportKind};

impl Session {
    /// The message of a locked card; the first time by the way that was asked for.
    pub(super) fn lock(&mut self) {
        self.state = State::Locked;
        let Some(mine) = &mut self.mine else { return };
        let first = !std::mem::replace(&mut mine.begun, true);
        let (puk, online) = (mine.puk(), mine.facts.key_unlocks() && self.rules.server);
        match self.rules.begin {
            Begin::Puk if first && puk => self.state = State::Puk(Faults::default()),
            Begin::Questions if first && online => self.open_questions(),
            _ => {
                self.draw();
                self.ask_ways();
            }
        }
    }

    /// Has a code drawn, unless there is one.
    pub(super) fn draw(&mut self) {
        let Some(mine) = &self.mine else { return };
        let wanted = matches!(mine.responses(), Responses::Taken(_));
        if !wanted || mine.locked.code.is_some() || mine.locked.drawing.is_some() {
            return;
        }
        let ask = CardAsk::Draw { blocked: !mine.all_the_same, keep: self.rules.keep };
        let ticket = self.ask_card(ask);
        if let Some(mine) = &mut self.mine {
            mine.locked.drawing = Some(ticket);
        }
    }

    fn ask_ways(&mut self) {
        let Some(mine) = &self.mine else { return };
        if mine.locked.online != Online::Asking || mine.locked.asking.is_some() || !mine.facts.takes_responses() {
            return;
        }
        let Some(about) = self.about() else {
            if let Some(mine) = &mut self.mine {
                mine.locked.online = Online::No;
            }
            return;
        };
        let ticket = self.ask_server(ServerAsk::Ways(about));
        if let Some(mine) = &mut self.mine {
            mine.locked.asking = Some(ticket);
        }
    }

    pub(super) fn card_answered(&mut self, ticket: Ticket, answer: CardAnswer) {
        if self.mine.as_ref().is_some_and(|mine| mine.locked.drawing == Some(ticket)) {
            return self.drawn(answer);
        }
        if !self.waits_for(ticket) {
            return;
        }
        let state = std::mem::replace(&mut self.state, State::Waiting);
        match (state, answer) {
            (State::Verifying(_), CardAnswer::Verified(result)) => self.verified(result),
            (State::UsingPuk(_), CardAnswer::Unlocked(result)) => self.puk_used(result),
            (State::Responding { challenge, .. }, CardAnswer::Unlocked(result)) => {
                let result = self.judged_response(result);
                self.responded(&challenge, result);
            }
            (State::Drawing { session, pin, .. }, CardAnswer::Challenge(result)) => self.drawn_for_server(session, pin, result),
            (State::Relaying { session, challenge, .. }, CardAnswer::Unlocked(result)) => {
                let result = self.judged_response(result);
                self.relayed(&session, &challenge, result);
            }
            (state, CardAnswer::GivenUp) => {
                if let State::Drawing { session, .. } = &state {
                    self.put_off(session);
                }
                self.enter(Some(Notice::GivenUp));
            }
            (state, _) => self.state = state,
        }
    }

    fn drawn(&mut self, answer: CardAnswer) {
        let Some(mine) = &mut self.mine else { return };
        mine.locked.drawing = None;
        match answer {
            CardAnswer::Challenge(Ok(challenge)) => mine.locked.code = Some(challenge),
            // Whoever does something else by now is not thrown out of it.
            CardAnswer::Challenge(Err(error)) if matches!(self.state, State::Locked) => self.refused(error),
            _ => {}
        }
    }

    fn verified(&mut self, result: Result<(), CardError>) {
        let Some(mine) = &mut self.mine else { return };
        match result {
            Ok(()) => {
                self.notice = None;
                self.state = State::Welcome;
            }
            Err(CardError::Wrong { secret: Secret::Pin, left }) => {
                mine.facts.status.pin = set(mine.facts.status.pin, left);
                mine.wrongly = left == Some(0);
                let blocked = mine.wrongly;
                self.tell(ReportKind::PinWrong, None, left.map(|left| 0x63C0 | u16::from(left.min(15))), left);
                let notice = Notice::Card(CardError::Wrong { secret: Secret::Pin, left });
                self.enter(Some(notice).filter(|_| !blocked));
            }
            Err(CardError::Blocked(Secret::Pin)) => {
                // The one that blocks it may be answered so as well.
                let wrongly = mine.pin_before.is_some_and(|left| left > 0);
                mine.wrongly = wrongly;
                mine.facts.status.pin = set(mine.facts.status.pin, Some(0));
                if wrongly {
                    self.tell(ReportKind::PinWrong, None, Some(0x6983), Some(0));
                }
                self.enter(None);
            }
            Err(error) => self.refused(error),
        }
    }

    fn puk_used(&mut self, result: Result<(), CardError>) {
        let Some(mine) = &mut self.mine else { return };
        match result {
            Ok(()) => self.unlocked(),
            Err(error @ CardError::Wrong { secret: Secret::Puk, left }) => {
                mine.facts.status.puk = set(mine.facts.status.puk, left);
                if left == Some(0) {
                    mine.puk_dead = true;
                    return self.enter(Some(Notice::Card(error)));
                }
                if !mine.is_locked() {
                    // Another program was faster.
                    return self.enter(Some(Notice::Card(error)));
                }
                self.notice = Some(Notice::Card(error));
                self.state = State::Puk(Faults::default());
            }
            Err(error @ CardError::Blocked(Secret::Puk)) => {
                mine.puk_dead = true;
                mine.facts.status.puk = set(mine.facts.status.puk, Some(0));
                self.enter(Some(Notice::Card(error)));
            }
            Err(CardError::Pin(fault)) if mine.is_locked() => {
                self.notice = None;
                self.state = State::Puk(Faults { pin: Some(fault), ..Faults::default() });
            }
            Err(error) => self.refused(error),
        }
    }

    /// A wrong response that cost no try was compared with nothing: PIV cards say 6982 where no challenge waits.
    fn judged_response(&self, result: Result<(), CardError>) -> Result<(), CardError> {
        let before = self.mine.as_ref().and_then(|mine| mine.locked.left_before);
        match result {
            // A status word that counts to 15 at most does not tell more tries apart.
            Err(CardError::Wrong { secret: Secret::AdminKey, left: Some(left) }) if left < 15 && before == Some(left) => {
                Err(CardError::ChallengeGone)
            }
            result => result,
        }
    }

    fn responded(&mut self, challenge: &[u8], result: Result<(), CardError>) {
        if let Some((kind, sw, left)) = became(&result) {
            // Where no try is left, the server knows what that means.
            self.tell_challenge(kind, challenge, sw, left);
        }
        self.after_response(result);
    }

    fn relayed(&mut self, session: &Answered, challenge: &[u8], result: Result<(), CardError>) {
        if let Some((kind, sw, left)) = became(&result) {
            let outcome = match kind {
                ReportKind::Unlocked => CardOutcome::Unlocked,
                ReportKind::Refused => CardOutcome::Refused,
                _ => CardOutcome::Gone,
            };
            if let Some(told) = self.told(kind, Some(Report::fingerprint(challenge)), sw, left) {
                let outcome = Outcome { outcome, tries_left: left };
                self.effects.push(Effect::Result { session: session.id.clone(), outcome, told });
            }
        }
        self.after_response(result);
    }

    fn after_response(&mut self, result: Result<(), CardError>) {
        let Some(mine) = &mut self.mine else { return };
        mine.locked.typed.clear();
        mine.locked.code = None;
        match result {
            Ok(()) => self.unlocked(),
            Err(error @ CardError::Wrong { secret: Secret::AdminKey, left }) => {
                mine.facts.status.admin = set(mine.facts.status.admin, left);
                // One that is unlocked by now gives no new code.
                let notice = if mine.is_locked() { Notice::ResponseWrong(left) } else { Notice::Card(error) };
                self.enter(Some(notice));
            }
            Err(CardError::Blocked(Secret::AdminKey)) => {
                mine.facts.status.admin = set(mine.facts.status.admin, Some(0));
                self.enter(None);
            }
            // Its last look was after the response.
            Err(CardError::ChallengeGone | CardError::Transport(TransportError::Reset)) if !mine.is_locked() => {
                self.enter(Some(Notice::UnlockedElsewhere));
            }
            Err(CardError::ChallengeGone) => self.enter(Some(Notice::CodeDead(Disturbance::OtherProgram))),
            Err(CardError::Transport(TransportError::Reset)) => self.enter(Some(Notice::CodeDead(Disturbance::Reset))),
            Err(error) => self.refused(error),
        }
    }

    fn unlocked(&mut self) {
        if let Some(mine) = &mut self.mine {
            // How many tries that gives is seen when the card is looked at again.
            mine.facts.status.pin = None;
            mine.all_the_same = false;
            mine.wrongly = false;
            mine.block_told = false;
            mine.locked = super::state::Locked::new(self.rules.server);
        }
        self.notice = None;
        self.state = State::Done;
    }

    /// What the card refused, or why it could not be asked.
    pub(super) fn refused(&mut self, error: CardError) {
        let gone = matches!(error, CardError::Transport(TransportError::Removed | TransportError::NoReader));
        if let (CardError::Blocked(Secret::AdminKey), Some(mine)) = (&error, &mut self.mine) {
            mine.facts.status.admin = set(mine.facts.status.admin, Some(0));
            self.tell(ReportKind::AdminKeyBlocked, None, Some(0x6983), Some(0));
        }
        if gone {
            // Readers say so as well, and when it is back.
            self.mine_is_out();
            return;
        }
        // Nothing is drawn again by itself where drawing failed.
        let locked = self.mine.as_ref().is_some_and(super::state::Mine::is_locked);
        let lost = self.mine.as_ref().is_some_and(|mine| mine.loss().is_some());
        if locked
            && !lost
            && self.rules.begin != Begin::Task
            && matches!(error, CardError::Transport(_) | CardError::Unexpected { .. } | CardError::NotSupported(_))
        {
            self.notice = Some(Notice::Card(error));
            self.state = State::Locked;
            self.ask_ways();
            return;
        }
        self.enter(Some(Notice::Card(error)));
    }

    /// Tells once that the PIN was found blocked.
    pub(super) fn tell_block(&mut self) {
        let Some(mine) = &mut self.mine else { return };
        if mine.facts.status.pin_blocked() == Some(true) && !std::mem::replace(&mut mine.block_told, true) {
            self.tell(ReportKind::PinBlocked, None, Some(0x6983), Some(0));
        }
    }

    pub(super) fn tell_challenge(&mut self, kind: ReportKind, challenge: &[u8], sw: Option<u16>, left: Option<u8>) {
        self.tell(kind, Some(Report::fingerprint(challenge)), sw, left);
    }

    fn tell(&mut self, kind: ReportKind, challenge: Option<String>, status_word: Option<u16>, tries_left: Option<u8>) {
        let told = self.told(kind, challenge, status_word, tries_left);
        self.effects.extend(told.map(Effect::Tell));
    }

    /// Nobody is told where no server is set, and nothing of a card that a server could not know.
    fn told(
        &self,
        kind: ReportKind,
        challenge: Option<String>,
        status_word: Option<u16>,
        tries_left: Option<u8>,
    ) -> Option<Told> {
        let serial = cardlab_protocol::codes::digits(self.mine.as_ref()?.facts.id.as_deref()?);
        self.rules.server.then_some(Told { serial, kind, challenge, status_word, tries_left })
    }
}

/// A counter after a refusal.
fn set(counter: Option<Counter>, left: Option<u8>) -> Option<Counter> {
    let maximum = counter.and_then(|counter| counter.maximum);
    left.map_or(counter, |left| Some(Counter { left, maximum }))
}

/// What became of a response, for a server; `None` where the card did not judge it and is still there.
fn became(result: &Result<(), CardError>) -> Option<(ReportKind, Option<u16>, Option<u8>)> {
    Some(match result {
        Ok(()) => (ReportKind::Unlocked, Some(0x9000), None),
        Err(CardError::Wrong { secret: Secret::AdminKey, left }) => {
            (ReportKind::Refused, Some(left.map_or(0x6982, |left| 0x63C0 | u16::from(left.min(15)))), *left)
        }
        Err(CardError::Blocked(Secret::AdminKey)) => (ReportKind::Refused, Some(0x6983), Some(0)),
        Err(CardError::Transport(_) | CardError::ChallengeGone | CardError::AnotherCard) => (ReportKind::Gone, None, None),
        Err(_) => return None,
    })
}
