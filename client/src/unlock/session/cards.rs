//! Whose card it is.

use super::input::{Disturbance, Look, Seen};
use super::shown::{Notice, Responses};
use super::state::{Answered, Locked, Mine, State, key};
use super::{Begin, CardAnswer, Effect, First, Session};
use crate::minidriver::{CardError, Secret};
use cardlab_protocol::workstation::ReportKind;

impl Session {
    /// Whether this is the card of the session. A card without a serial is known by its reader, as long as it stays there.
    pub(super) fn is_mine(&self, seen: &Seen) -> bool {
        let Some(mine) = &self.mine else { return false };
        match &seen.card {
            Look::Card(facts) => facts.id == mine.facts.id && (facts.id.is_some() || mine.there && seen.reader == mine.reader),
            // Nobody knows which card that is; what was there is there still, as far as one can see.
            Look::Looking | Look::Held => mine.there && seen.reader == mine.reader,
            Look::Strange(_) => false,
        }
    }

    pub(super) fn no_service(&mut self, why: String) {
        self.see(Vec::new());
        self.no_service = Some(why);
    }

    pub(super) fn see(&mut self, cards: Vec<Seen>) {
        self.no_service = None;
        self.cards = Some(cards);
        match &self.mine {
            None if self.chooses && !self.cards().is_empty() => {}
            None => {
                self.chooses = false;
                self.take_first();
            }
            Some(mine) => match self.where_it_is(&mine.reader).cloned() {
                Some(Seen { reader, card: Look::Card(facts) }) => {
                    if self.mine.as_ref().is_some_and(|mine| mine.reader != reader) {
                        // It was pulled out on its way to the other reader: what waited in it is gone.
                        self.mine_is_out();
                    }
                    self.still_there(reader, facts);
                }
                Some(_) => {}
                None => self.mine_is_out(),
            },
        }
    }

    /// The reader with the card of the session: the one where it was, if it is there.
    fn where_it_is(&self, before: &str) -> Option<&Seen> {
        let mut found = self.cards().iter().filter(|seen| self.is_mine(seen));
        let first = found.clone().next();
        found.find(|seen| seen.reader == before).or(first)
    }

    /// The card to begin with: the one that is wanted, else the only one.
    fn take_first(&mut self) {
        let usable = |seen: &&Seen| matches!(seen.card, Look::Card(_));
        let named = |serial: &String| self.cards().iter().filter(usable).find(|seen| is_named(&key(seen), serial));
        let only = || if self.cards().len() == 1 { self.cards().iter().find(usable) } else { None };
        let found = match &self.rules.first {
            First::Any => only(),
            First::Preferred(serial) => named(serial).or_else(only),
            First::Only(serial) => named(serial),
        };
        if let Some(seen) = found.cloned() {
            self.take(&seen);
        }
    }

    pub(super) fn take(&mut self, seen: &Seen) {
        let Look::Card(facts) = &seen.card else { return };
        self.leave();
        self.chooses = false;
        self.mine = Some(Mine::new(facts.clone(), &seen.reader, self.rules.server));
        self.enter(None);
    }

    /// Ends what was begun for the card of the session, and leaves it to others.
    pub(super) fn leave(&mut self) {
        self.let_go();
        if let Some(mine) = &mut self.mine {
            let waiting = [mine.locked.drawing.take(), mine.locked.asking.take()];
            self.effects.extend(waiting.into_iter().flatten().map(Effect::Forget));
            self.effects.push(Effect::LetGo(mine.reader.clone()));
        }
    }

    /// Forgets what the present state waits for; a card that was drawn from for the server is let go.
    pub(super) fn let_go(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Waiting);
        self.effects.extend(state.ticket().map(Effect::Forget));
        if let (State::Drawing { .. } | State::Waits { .. }, Some(mine)) = (&state, &self.mine) {
            self.effects.push(Effect::LetGo(mine.reader.clone()));
        }
        if let Some(session) = state.session() {
            self.put_off(session);
        }
        self.held = false;
    }

    /// A task that is not done now waits for another time.
    pub(super) fn put_off(&mut self, session: &Answered) {
        if session.task {
            self.effects.push(Effect::Later(session.id.clone()));
        }
    }

    fn still_there(&mut self, reader: String, facts: super::Facts) {
        let Some(mine) = &mut self.mine else { return };
        let back = !std::mem::replace(&mut mine.there, true);
        let before = mine.facts.status;
        mine.reader = reader;
        mine.facts = facts;
        if back {
            // What it waited for when it went has been said already.
            let notice = self.notice.take().filter(|notice| matches!(notice, Notice::CodeDead(_)));
            self.enter(notice);
            return;
        }
        if before.pin_blocked() == Some(true) && mine.facts.status.pin_blocked() != Some(true) {
            // Whoever wanted a new PIN all the same wanted it on a card that was not blocked.
            mine.all_the_same = false;
            return self.unlocked_elsewhere();
        }
        let (loss, puk) = (mine.loss(), mine.puk());
        let last_response = matches!(mine.responses(), Responses::Taken(Some(1)));
        let key_was_blocked = before.admin.is_some_and(|counter| counter.left == 0);
        let key_is_back = key_was_blocked && !mine.facts.key_blocked();
        let key_is_gone = !key_was_blocked && mine.facts.key_blocked();
        match self.state {
            State::Pin | State::NotBlocked | State::Welcome | State::Done if mine.is_locked() => self.enter(None),
            State::Lost(_) if loss.is_none() => self.enter(None),
            State::Puk(_) | State::LastPuk { .. } if loss.is_some() => self.enter(None),
            // What is read to operators leads nowhere any more.
            State::Locked | State::Last { .. } if loss.is_some() || key_is_gone => {
                self.leave();
                self.dead(Disturbance::OtherProgram);
                self.enter(None);
            }
            // Somebody else has used up the PUK, or given back what made a try the last.
            State::Puk(_) if !puk => self.enter(Some(Notice::Card(CardError::Blocked(Secret::Puk)))),
            State::Last { .. } if !last_response => self.enter(None),
            State::Locked if key_is_back => self.draw(),
            _ => {}
        }
    }

    /// Another program has unlocked the card of the session: what is shown for a locked one has no use any more. Where the
    /// card has a secret by now, its answer comes; and what an operator has ordered does not ask whether it is locked.
    fn unlocked_elsewhere(&mut self) {
        let over = match &self.state {
            State::Locked
            | State::Last { .. }
            | State::LastPuk { .. }
            | State::Lost(_)
            | State::Puk(_)
            | State::RemoteDesktop => true,
            State::Asking(_) | State::Questions { .. } | State::Judging { .. } | State::NewPin { .. } => {
                self.rules.begin != Begin::Task
            }
            _ => false,
        };
        if over {
            self.leave();
            if let Some(mine) = &mut self.mine {
                // What was found out about the ways to unlock it was for this time.
                mine.puk_dead = false;
                mine.locked = Locked::new(self.rules.server);
            }
            self.enter(Some(Notice::UnlockedElsewhere));
        }
    }

    /// The card of the session is out: readers say so, or the card itself.
    pub(super) fn mine_is_out(&mut self) {
        let Some(mine) = &self.mine else { return };
        if !mine.there {
            return;
        }
        let was_waiting = match &self.state {
            State::Locked | State::Last { .. } => mine.locked.code.clone(),
            State::Responding { challenge, .. } | State::Waits { challenge, .. } | State::Relaying { challenge, .. } => {
                Some(challenge.clone())
            }
            _ => None,
        };
        if let Some(challenge) = was_waiting {
            self.tell_challenge(ReportKind::Gone, &challenge, None, None);
        }
        self.leave();
        let notice = self.dead(Disturbance::Removed);
        self.notice = notice;
        let Some(mine) = &mut self.mine else { return };
        mine.there = false;
        // A card without a serial cannot be told from another when it comes back.
        if mine.facts.id.is_none() {
            self.mine = None;
            self.state = State::Waiting;
            self.take_first();
        } else {
            self.state = State::Away;
        }
    }

    /// The card was reset, or left to other programs, while a code waited in it.
    pub(super) fn disturbed(&mut self, reader: &str, why: Disturbance) {
        let waits = matches!(self.state, State::Locked | State::Last { .. });
        let Some(mine) = self.mine.as_ref().filter(|mine| mine.reader == reader) else { return };
        if !waits {
            // What is done meanwhile goes on, and leads back to a new code.
            self.dead(why);
            return;
        }
        if why == Disturbance::Overtaken {
            // A new code would end the other's, and that program would do the same: that is for people to decide.
            let notice = self.dead(why);
            self.notice = notice.or(self.notice.take());
            self.state = State::Locked;
        } else if mine.locked.code.is_some() {
            let notice = self.dead(why);
            self.enter(notice);
        } else if mine.locked.drawing.is_none() {
            // A card that gave none may do so now.
            self.notice = None;
            self.draw();
        }
    }

    pub(super) fn card(&mut self, ticket: super::Ticket, answer: CardAnswer) {
        match answer {
            CardAnswer::Waiting => self.held |= self.waits_for(ticket),
            answer => {
                if self.waits_for(ticket) {
                    self.held = false;
                }
                self.card_answered(ticket, answer);
            }
        }
    }
}

/// Digits of a serial that are enough to name a card.
const FEWEST: usize = 4;

fn is_named(known: &str, serial: &str) -> bool {
    known == serial || serial.len() >= FEWEST && known.ends_with(serial)
}
