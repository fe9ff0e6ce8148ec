//! One unlock session: a state machine without threads, sockets or clock.
//!
//! [`Session::input`] takes what happened and gives what is to be done about it, as data; [`Session::shown`] is what the
//! person sees meanwhile. Lock screen, Unlock tool and agent are drivers of it ([`super::desk`]): they ask card and server,
//! and hand back what came.
//!
//! | file | what it knows |
//! |---|---|
//! | `input` | what can happen |
//! | `effect` | what can be asked of card, server and driver |
//! | `shown` | what is shown, as data |
//! | [`words`] | the same in words |
//! | `state` | the states |
//! | `cards` | whose card it is: readers, insertion, removal, another's card |
//! | `person` | what a person does, in which state |
//! | `offline` | codes and responses, PIN and PUK: what the card answers |
//! | `online` | questions: what the server answers |
//!
//! A session belongs to one card. Another card is offered, never taken; the card that was pulled out is waited for, in
//! whichever reader it comes back. Nothing is ever sent to a card twice, and no response to a challenge that is known to be
//! dead.

mod cards;
mod effect;
mod input;
mod offline;
mod online;
mod person;
mod shown;
mod state;
pub mod words;

pub use effect::{CardAsk, Effect, ServerAsk, Told};
pub use input::{Act, CardAnswer, Disturbance, Facts, Input, Look, NewPin, Seen, ServerAnswer, Ticket};
pub use shown::{Chip, Code, Face, Faults, LockedView, Loss, Notice, Online, PukView, Responses, Screen, Shown, Trouble, Work};

use cardlab_protocol::workstation::Open;
use state::{Mine, State};

/// Where a session takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The lock screen: a PIN signs in.
    LockScreen,
    /// A lock screen inside a Remote Desktop connection, where nothing is unlocked.
    RemoteDesktop,
    /// A window in a session, or a terminal.
    InSession,
}

/// Which way is tried first when a card is locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Begin {
    /// The code is shown, and the ways beside it.
    #[default]
    Code,
    /// Questions, where a server is set; else the code.
    Questions,
    /// The PUK, where the card has one; else the code.
    Puk,
    /// An agent's task: nothing begins until [`Act::AskTask`].
    Task,
}

/// What an administrator has set, and how one begins.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Where it takes place.
    pub place: Place,
    /// The first way.
    pub begin: Begin,
    /// A server is set.
    pub server: bool,
    /// The workstation's name, for the server.
    pub workstation: String,
    /// Whom to call.
    pub text: String,
    /// A card is kept from other programs while its challenge waits.
    pub keep: bool,
    /// The card to begin with.
    pub first: First,
}

/// The card that a session begins with. Serials are upper-case hexadecimal; the end of one, four digits or more, does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum First {
    /// The only one; of several the one that is chosen.
    #[default]
    Any,
    /// This one where it is there, else any.
    Preferred(String),
    /// This one, and no other.
    Only(String),
}

/// A session.
pub struct Session {
    rules: Rules,
    /// `None` before the readers were looked at.
    cards: Option<Vec<Seen>>,
    no_service: Option<String>,
    mine: Option<Mine>,
    state: State,
    notice: Option<Notice>,
    /// The person wants another card, and says which.
    chooses: bool,
    /// Another program holds the card, and something waits for it.
    held: bool,
    step: u32,
    version: u32,
    tickets: u32,
    effects: Vec<Effect>,
}

impl Session {
    /// A session that has seen no reader yet.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        Self {
            rules,
            cards: None,
            no_service: None,
            mine: None,
            state: State::Waiting,
            notice: None,
            chooses: false,
            held: false,
            step: 0,
            version: 0,
            tickets: 0,
            effects: Vec::new(),
        }
    }

    /// Takes what happened; gives what is to be done about it, in this order.
    pub fn input(&mut self, input: Input) -> Vec<Effect> {
        let (form, content) = (self.form(), self.content());
        match input {
            Input::Cards(cards) => self.see(cards),
            Input::NoService(why) => self.no_service(why),
            Input::Disturbed(reader, why) => self.disturbed(&reader, why),
            Input::Person(act) => self.person(act),
            Input::Card(ticket, answer) => self.card(ticket, answer),
            Input::Server(ticket, answer) => self.server(ticket, answer),
        }
        self.step += u32::from(self.form() != form);
        self.version += u32::from(self.content() != content);
        std::mem::take(&mut self.effects)
    }

    /// What the person sees.
    #[must_use]
    pub fn shown(&self) -> Shown {
        Shown { step: self.step, version: self.version, ..self.content() }
    }

    /// [`Shown::step`], for those who want nothing else.
    #[must_use]
    pub const fn step(&self) -> u32 {
        self.step
    }

    /// The reader whose card this session watches: its driver tells of resets and changed tries there.
    #[must_use]
    pub fn watched(&self) -> Option<&str> {
        self.mine.as_ref().filter(|mine| mine.there).map(|mine| mine.reader.as_str())
    }

    fn cards(&self) -> &[Seen] {
        self.cards.as_deref().unwrap_or_default()
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Asks the card of this session; the ticket of the answer.
    fn ask_card(&mut self, ask: CardAsk) -> Ticket {
        let ticket = self.ticket();
        if let Some(mine) = &self.mine {
            let (reader, id) = (mine.reader.clone(), mine.facts.id.clone());
            self.effects.push(Effect::Card { ticket, reader, id, ask });
        }
        ticket
    }

    /// Gives the card the response to this challenge.
    fn use_response(&mut self, challenge: &[u8], response: Vec<u8>, pin: zeroize::Zeroizing<String>) -> Ticket {
        if let Some(mine) = &mut self.mine {
            mine.locked.left_before = mine.facts.status.admin.map(|counter| counter.left);
        }
        self.ask_card(CardAsk::Respond { challenge: challenge.to_vec(), response, pin })
    }

    fn ask_server(&mut self, ask: ServerAsk) -> Ticket {
        let ticket = self.ticket();
        self.effects.push(Effect::Server { ticket, ask });
        ticket
    }

    /// What a server is asked about the card; `None` where the card has no serial.
    fn about(&self) -> Option<Open> {
        let facts = &self.mine.as_ref()?.facts;
        Some(Open {
            serial: cardlab_protocol::codes::digits(facts.id.as_deref()?),
            atr: cardlab_protocol::codes::digits(&facts.atr),
            workstation: self.rules.workstation.clone(),
            remote_desktop: self.rules.place == Place::RemoteDesktop,
        })
    }
}
