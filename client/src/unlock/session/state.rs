//! The states, and what each shows.

use super::input::{Disturbance, Facts, Look, NewPin, Seen, Ticket};
use super::shown::{
    Chip, Code, Face, Faults, LockedView, Loss, Notice, Online, PukView, Responses, Screen, Shown, Trouble, Work,
};
use super::{Effect, Place, Session};
use cardlab_protocol::codes;
use cardlab_protocol::workstation::Question;
use zeroize::Zeroizing;

/// The card that a session belongs to.
#[derive(Debug)]
pub(super) struct Mine {
    pub(super) facts: Facts,
    pub(super) reader: String,
    /// It is in the reader.
    pub(super) there: bool,
    /// Wrong PINs that were typed here have blocked it.
    pub(super) wrongly: bool,
    /// Tries of the PIN when one was sent.
    pub(super) pin_before: Option<u8>,
    /// The card has said that its PUK is blocked; not every card tells that again.
    pub(super) puk_dead: bool,
    /// The server was told that it is blocked.
    pub(super) block_told: bool,
    /// A new PIN is wanted although the old one is not blocked.
    pub(super) all_the_same: bool,
    /// The way that was asked for was tried.
    pub(super) begun: bool,
    pub(super) locked: Locked,
}

/// What is known of the ways to unlock it.
#[derive(Debug)]
pub(super) struct Locked {
    /// Tries of the administrator key when the response was sent.
    pub(super) left_before: Option<u8>,
    /// The challenge that waits in the card.
    pub(super) code: Option<Vec<u8>>,
    pub(super) drawing: Option<Ticket>,
    pub(super) online: Online,
    pub(super) asking: Option<Ticket>,
    /// *Unblock card offline* is off.
    pub(super) off: bool,
    pub(super) typed: String,
    pub(super) faults: Faults,
}

impl Locked {
    pub(super) fn new(server: bool) -> Self {
        Self {
            left_before: None,
            code: None,
            drawing: None,
            online: if server { Online::Asking } else { Online::NoServer },
            asking: None,
            off: false,
            typed: String::new(),
            faults: Faults::default(),
        }
    }
}

impl Mine {
    pub(super) fn new(facts: Facts, reader: &str, server: bool) -> Self {
        let locked = Locked::new(server);
        Self {
            facts,
            reader: reader.into(),
            there: true,
            wrongly: false,
            pin_before: None,
            puk_dead: false,
            block_told: false,
            all_the_same: false,
            begun: false,
            locked,
        }
    }

    pub(super) fn face(&self) -> Face {
        Face::of(&self.facts, &self.reader)
    }

    /// The PIN is not to be typed but to be set.
    pub(super) fn is_locked(&self) -> bool {
        self.all_the_same || self.facts.status.pin_blocked() == Some(true)
    }

    pub(super) fn responses(&self) -> Responses {
        if !self.facts.takes_responses() {
            Responses::PukOnly
        } else if self.facts.key_blocked() {
            Responses::KeyBlocked
        } else if self.locked.off {
            Responses::Off
        } else {
            Responses::Taken(self.facts.status.admin.map(|counter| counter.left))
        }
    }

    pub(super) fn puk(&self) -> bool {
        self.facts.has_puk() && !self.facts.puk_blocked() && !self.puk_dead
    }

    /// Why nothing unlocks it any more.
    pub(super) fn loss(&self) -> Option<Loss> {
        use crate::recognise::Edge;
        if self.facts.edge == (Edge::Gids { initialised: false }) {
            return Some(Loss::NotInitialised);
        }
        if self.facts.key_unlocks() || self.puk() {
            return None;
        }
        Some(match (self.facts.takes_responses(), self.facts.has_puk()) {
            (true, true) => Loss::Both,
            (true, false) => Loss::Key,
            (false, _) => Loss::Puk,
        })
    }
}

/// Where a session is.
pub(super) enum State {
    /// It has no card.
    Waiting,
    /// Its card is out.
    Away,
    RemoteDesktop,
    Pin,
    Verifying(Ticket),
    Welcome,
    NotBlocked,
    Locked,
    /// The last response is to be confirmed.
    Last {
        response: Vec<u8>,
        pin: Zeroizing<String>,
    },
    /// The last PUK of a card that nothing else unlocks is to be confirmed.
    LastPuk {
        puk: Zeroizing<String>,
        pin: Zeroizing<String>,
    },
    /// The card has the response.
    Responding {
        ticket: Ticket,
        challenge: Vec<u8>,
    },
    Puk(Faults),
    UsingPuk(Ticket),
    /// The server draws questions, for an unlock or a task.
    Asking(Ticket),
    Questions {
        session: Answered,
    },
    Judging {
        ticket: Ticket,
        session: Answered,
    },
    NewPin {
        session: Answered,
        faults: Faults,
    },
    /// The card draws a challenge for the server.
    Drawing {
        ticket: Ticket,
        session: Answered,
        pin: Zeroizing<String>,
    },
    /// The server computes the response.
    Waits {
        ticket: Ticket,
        session: Answered,
        pin: Zeroizing<String>,
        challenge: Vec<u8>,
    },
    /// The card has the response of the server.
    Relaying {
        ticket: Ticket,
        session: Answered,
        challenge: Vec<u8>,
    },
    Done,
    Lost(Loss),
    NoTask,
}

impl State {
    /// What it waits for.
    pub(super) const fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Verifying(ticket) | Self::UsingPuk(ticket) | Self::Asking(ticket) => Some(*ticket),
            Self::Responding { ticket, .. }
            | Self::Judging { ticket, .. }
            | Self::Drawing { ticket, .. }
            | Self::Waits { ticket, .. }
            | Self::Relaying { ticket, .. } => Some(*ticket),
            _ => None,
        }
    }

    /// The card has a secret that it may be judging.
    pub(super) const fn is_at_card(&self) -> bool {
        matches!(self, Self::Verifying(_) | Self::UsingPuk(_) | Self::Responding { .. } | Self::Relaying { .. })
    }

    /// A session at the server that is under way.
    pub(super) const fn session(&self) -> Option<&Answered> {
        match self {
            Self::Questions { session }
            | Self::Judging { session, .. }
            | Self::NewPin { session, .. }
            | Self::Drawing { session, .. } => Some(session),
            _ => None,
        }
    }
}

/// A session at the server.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) id: String,
    pub(super) questions: Vec<Question>,
    /// It does an agent's task.
    pub(super) task: bool,
}

/// What is wrong with a new PIN.
pub(super) fn faults(facts: &Facts, new: &NewPin) -> Faults {
    use crate::minidriver::PinFault;
    Faults {
        pin: facts.policy.check(new.pin.as_bytes()).err(),
        confirmation: (*new.pin != *new.confirmation).then_some(PinFault::Confirmation),
        ..Faults::default()
    }
}

impl Session {
    pub(super) fn content(&self) -> Shown {
        let screen = self.screen();
        let held = self.mine.as_ref().filter(|_| self.held).map(|mine| mine.reader.clone());
        let tries = self.mine.as_ref().map(|mine| mine.facts.status).unwrap_or_default();
        Shown { step: 0, version: 0, tries, screen, notice: self.notice.clone(), others: self.others(), held }
    }

    /// What a form of the present screen is for: the state, its card, its code and its session.
    pub(super) fn form(&self) -> impl PartialEq + use<> {
        let session = self.state.session().map(|session| session.id.clone());
        let card = self.mine.as_ref().map(|mine| {
            // A card without a serial is known by its reader.
            let reader = Some(mine.reader.clone()).filter(|_| mine.facts.id.is_none());
            (mine.facts.id.clone(), reader, mine.there, mine.locked.code.clone())
        });
        (std::mem::discriminant(&self.state), card, session)
    }

    fn others(&self) -> Vec<Chip> {
        if self.mine.is_none() {
            return Vec::new();
        }
        self.cards().iter().filter(|seen| !self.is_mine(seen)).map(Chip::of).collect()
    }

    fn screen(&self) -> Screen {
        if let Some(why) = &self.no_service {
            return Screen::NoService(why.clone());
        }
        let Some(mine) = &self.mine else {
            return match &self.cards {
                None => Screen::Looking,
                Some(cards) if cards.is_empty() => Screen::Insert,
                Some(cards) => Screen::Choose(cards.iter().map(Chip::of).collect()),
            };
        };
        let card = mine.face();
        let left = mine.facts.status.pin.map(|counter| counter.left);
        match &self.state {
            State::Waiting | State::Away => Screen::PutBack(card),
            State::RemoteDesktop => Screen::RemoteDesktop(card),
            State::Pin => Screen::Pin(card, left),
            State::Verifying(_) => Screen::Working(card, Work::Verifying),
            State::Welcome => Screen::Welcome(card),
            State::NotBlocked => Screen::NotBlocked(card, left),
            State::Locked => Screen::Locked(Box::new(self.locked_view(mine))),
            State::Last { .. } => Screen::LastResponse(card),
            State::LastPuk { .. } => Screen::LastPuk(card),
            State::Responding { .. }
            | State::UsingPuk(_)
            | State::Drawing { .. }
            | State::Waits { .. }
            | State::Relaying { .. } => Screen::Working(card, Work::Unlocking),
            State::Puk(faults) => Screen::Puk(PukView {
                card,
                left: mine.facts.status.puk.map(|counter| counter.left),
                policy: mine.facts.policy,
                faults: faults.clone(),
            }),
            State::Asking(_) => Screen::Working(card, Work::Asking),
            State::Questions { session } => Screen::Questions { card, questions: session.questions.clone(), task: session.task },
            State::Judging { .. } => Screen::Working(card, Work::Judging),
            State::NewPin { faults, .. } => Screen::NewPin { card, policy: mine.facts.policy, faults: faults.clone() },
            State::Done => Screen::Done(card),
            State::Lost(loss) => Screen::Lost(card, *loss),
            State::NoTask => Screen::NoTask(card),
        }
    }

    fn locked_view(&self, mine: &Mine) -> LockedView {
        let locked = &mine.locked;
        let responses = mine.responses();
        LockedView {
            card: mine.face(),
            wrongly: mine.wrongly,
            pin_tries: mine.facts.status.pin.and_then(|pin| pin.maximum),
            code: locked.code.clone().filter(|_| matches!(responses, Responses::Taken(_))).map(Code),
            drawing: locked.drawing.is_some(),
            responses,
            online: if mine.facts.key_unlocks() { locked.online.clone() } else { Online::No },
            puk: mine.puk(),
            text: self.rules.text.clone(),
            policy: mine.facts.policy,
            typed: locked.typed.clone(),
            faults: locked.faults.clone(),
        }
    }

    /// Where the card's own state leads, with what has just happened.
    pub(super) fn enter(&mut self, notice: Option<Notice>) {
        self.notice = notice;
        self.held = false;
        let Some(mine) = &mut self.mine else {
            self.state = State::Waiting;
            return;
        };
        mine.locked.faults = Faults::default();
        if self.rules.begin == super::Begin::Task {
            self.state = State::NoTask;
            return;
        }
        if mine.loss() == Some(Loss::NotInitialised) {
            self.state = State::Lost(Loss::NotInitialised);
            return;
        }
        if !mine.is_locked() {
            mine.wrongly = false;
            mine.block_told = false;
            self.state = if self.rules.place == Place::InSession { State::NotBlocked } else { State::Pin };
            return;
        }
        if self.rules.place == Place::RemoteDesktop {
            self.state = State::RemoteDesktop;
            return;
        }
        self.tell_block();
        let Some(mine) = &self.mine else { return };
        if let Some(loss) = mine.loss() {
            self.state = State::Lost(loss);
            return;
        }
        self.lock();
    }

    /// Forgets the code that is read to operators, and one that is being drawn: what comes next ends it.
    pub(super) fn drop_code(&mut self) {
        if let Some(mine) = &mut self.mine {
            mine.locked.code = None;
            mine.locked.typed.clear();
            self.effects.extend(mine.locked.drawing.take().map(Effect::Forget));
        }
    }

    /// Why the code of before is dead, where there was one.
    pub(super) fn dead(&mut self, why: Disturbance) -> Option<Notice> {
        let mine = self.mine.as_mut()?;
        mine.locked.typed.clear();
        mine.locked.code.take().map(|_| Notice::CodeDead(why))
    }
}

impl Chip {
    /// A card among others.
    pub(crate) fn of(seen: &Seen) -> Self {
        let (face, trouble, status) = match &seen.card {
            Look::Card(facts) => (Some(Face::of(facts, &seen.reader)), None, Some(facts.status)),
            Look::Looking => (None, Some(Trouble::Looking), None),
            Look::Held => (None, Some(Trouble::Held), None),
            Look::Strange(error) => (None, Some(Trouble::Strange(error.clone())), None),
        };
        Self {
            key: key(seen),
            face,
            reader: seen.reader.clone(),
            trouble,
            blocked: status.is_some_and(|status| status.pin_blocked() == Some(true)),
            left: status.and_then(|status| status.pin).map(|counter| counter.left),
        }
    }
}

/// What names a card in a choice: its serial, else its reader.
pub(super) fn key(seen: &Seen) -> String {
    match &seen.card {
        Look::Card(Facts { id: Some(id), .. }) => codes::digits(id),
        _ => format!("reader {}", seen.reader),
    }
}
