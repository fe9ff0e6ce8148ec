//! What a person does. What does not fit to what is shown came too late, and does nothing.

use super::input::{Act, NewPin, Ticket};
use super::shown::{Faults, Notice, Online, Responses};
use super::state::{State, faults};
use super::{CardAsk, Effect, Session};
use crate::minidriver::check_puk;
use cardlab_protocol::codes;
use zeroize::Zeroizing;

/// Characters of a response that are kept for mending: more is none.
const LONGEST_TYPED: usize = 200;

impl Session {
    pub(super) fn person(&mut self, act: Act) {
        match act {
            // Until the card has said what became of a secret, nobody leaves it.
            Act::Choose(key) if !self.state.is_at_card() => self.choose(&key),
            Act::Back => self.back(),
            Act::Again => self.again(),
            Act::Pin(pin) if matches!(self.state, State::Pin) => self.pin(pin),
            Act::AllTheSame if matches!(self.state, State::NotBlocked) => {
                if let Some(mine) = &mut self.mine {
                    mine.all_the_same = true;
                }
                self.enter(None);
            }
            Act::Questions if self.asks() => self.open_questions(),
            Act::Respond(response, new) if matches!(self.state, State::Locked) => self.respond(&response, &new),
            Act::Sure => match std::mem::replace(&mut self.state, State::Locked) {
                State::Last { response, pin } => self.send(response, pin),
                State::LastPuk { puk, pin } => self.use_puk(puk, pin),
                other => {
                    self.state = other;
                    self.notice = Some(Notice::TooLate);
                }
            },
            Act::UsePuk if matches!(self.state, State::Locked) && self.mine.as_ref().is_some_and(super::state::Mine::puk) => {
                self.notice = None;
                self.state = State::Puk(Faults::default());
            }
            Act::Puk(puk, new) if matches!(self.state, State::Puk(_)) => self.puk(puk, &new),
            Act::Answers(texts) if matches!(self.state, State::Questions { .. }) => self.answer(&texts),
            Act::NewPin(new) if matches!(self.state, State::NewPin { .. }) => self.new_pin(&new),
            Act::AskTask if matches!(self.state, State::NoTask) => self.ask_task(),
            _ => self.notice = Some(Notice::TooLate),
        }
    }

    /// Whether the questions are offered now.
    fn asks(&self) -> bool {
        let offered = |mine: &super::state::Mine| matches!(mine.locked.online, Online::Yes) && mine.facts.key_unlocks();
        matches!(self.state, State::Locked) && self.mine.as_ref().is_some_and(offered)
    }

    fn choose(&mut self, wanted: &str) {
        let found = self.cards().iter().find(|seen| super::state::key(seen) == wanted).cloned();
        match found {
            Some(seen) if self.is_mine(&seen) => {}
            Some(seen) if matches!(seen.card, super::Look::Card(_)) => self.take(&seen),
            _ => self.notice = Some(Notice::TooLate),
        }
    }

    fn back(&mut self) {
        match &self.state {
            State::Waiting | State::RemoteDesktop | State::Lost(_) | State::NoTask => self.notice = None,
            State::Away => {
                self.chooses = true;
                self.mine = None;
                self.notice = None;
                self.state = State::Waiting;
            }
            State::Pin | State::NotBlocked | State::Welcome | State::Done => self.enter(None),
            State::Locked => {
                self.notice = None;
                if let Some(mine) = &mut self.mine {
                    mine.locked.typed.clear();
                    mine.locked.faults = Faults::default();
                }
                // Nothing forces a new PIN on a card that is not blocked.
                if self.mine.as_ref().is_some_and(|mine| mine.all_the_same && mine.facts.status.pin_blocked() != Some(true)) {
                    self.leave();
                    self.dead(super::Disturbance::OtherProgram);
                    if let Some(mine) = &mut self.mine {
                        mine.all_the_same = false;
                    }
                    self.enter(None);
                }
            }
            State::Last { .. } | State::LastPuk { .. } | State::Puk(_) => {
                self.notice = None;
                self.lock();
            }
            State::Questions { .. }
            | State::NewPin { .. }
            | State::Asking(_)
            | State::Judging { .. }
            | State::Drawing { .. }
            | State::Waits { .. } => {
                self.let_go();
                self.enter(None);
            }
            // The card may have the secret by now. Whoever still waits for another program gives up, and says so.
            State::Verifying(_) | State::UsingPuk(_) | State::Responding { .. } | State::Relaying { .. } => {
                self.effects.extend(self.state.ticket().map(Effect::Forget));
            }
        }
    }

    fn again(&mut self) {
        if !matches!(self.state, State::Locked) {
            self.notice = Some(Notice::TooLate);
            return;
        }
        self.notice = None;
        if let Some(mine) = &mut self.mine
            && self.rules.server
            && mine.locked.asking.is_none()
        {
            mine.locked.online = Online::Asking;
        }
        self.lock();
    }

    fn pin(&mut self, pin: Zeroizing<String>) {
        let Some(mine) = &self.mine else { return };
        self.notice = mine.facts.policy.check(pin.as_bytes()).err().map(Notice::Pin);
        if self.notice.is_none() {
            if let Some(mine) = &mut self.mine {
                mine.pin_before = mine.facts.status.pin.map(|counter| counter.left);
            }
            self.state = State::Verifying(self.ask_card(CardAsk::Verify(pin)));
        }
    }

    fn respond(&mut self, typed: &str, new: &NewPin) {
        self.notice = None;
        let Some(mine) = &mut self.mine else { return };
        let Responses::Taken(left) = mine.responses() else {
            self.notice = Some(Notice::TooLate);
            return;
        };
        let Some(challenge) = &mine.locked.code else {
            self.notice = Some(Notice::TooLate);
            return;
        };
        mine.locked.typed = typed.chars().take(LONGEST_TYPED).collect();
        let parsed = codes::parse(typed, &[challenge.len()]);
        let mut wrong = faults(&mine.facts, new);
        wrong.response = parsed.as_ref().err().cloned();
        mine.locked.faults = wrong;
        let Ok(response) = parsed else { return };
        if !mine.locked.faults.is_empty() {
            return;
        }
        if left == Some(1) {
            self.state = State::Last { response, pin: new.pin.clone() };
        } else {
            self.send(response, new.pin.clone());
        }
    }

    fn send(&mut self, response: Vec<u8>, pin: Zeroizing<String>) {
        self.notice = None;
        let Some(challenge) = self.mine.as_mut().and_then(|mine| mine.locked.code.take()) else {
            self.notice = Some(Notice::TooLate);
            self.lock();
            return;
        };
        let ticket = self.use_response(&challenge, response, pin);
        self.state = State::Responding { ticket, challenge };
    }

    fn puk(&mut self, puk: Zeroizing<String>, new: &NewPin) {
        self.notice = None;
        let Some(mine) = &self.mine else { return };
        let mut wrong = faults(&mine.facts, new);
        wrong.puk = check_puk(puk.as_bytes()).err();
        if !wrong.is_empty() {
            self.state = State::Puk(wrong);
            return;
        }
        let last = mine.facts.status.puk.is_some_and(|counter| counter.left == 1);
        if last && !matches!(mine.responses(), Responses::Taken(_)) {
            self.state = State::LastPuk { puk, pin: new.pin.clone() };
        } else {
            self.use_puk(puk, new.pin.clone());
        }
    }

    fn use_puk(&mut self, puk: Zeroizing<String>, pin: Zeroizing<String>) {
        self.notice = None;
        // The card is selected anew for it, which ends the code that is read to operators.
        self.drop_code();
        self.state = State::UsingPuk(self.ask_card(CardAsk::Puk { puk, pin }));
    }

    /// Whether something that was asked under this ticket is still waited for.
    pub(super) fn waits_for(&self, wanted: Ticket) -> bool {
        let locked = self.mine.as_ref().map(|mine| &mine.locked);
        self.state.ticket() == Some(wanted)
            || locked.is_some_and(|locked| locked.drawing == Some(wanted) || locked.asking == Some(wanted))
    }
}
