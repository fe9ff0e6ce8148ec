//! Which buttons a reader has now.

use super::act::{Call, Fields, counted};
use super::picture::short;
use crate::hand::Spent;
use crate::secret::Secret;
use crate::view::ReaderView;
use askama::Template;
use cardlab_sim::Profile;
use cardlab_vreader::fault::Effect;
use cardlab_vreader::state::STATES;
use cardlab_vreader::{Pace, Place, Rack};
use zeroize::Zeroizing;

/// Examples of what can be typed.
const FAULT: &str = "remove-after,ins=20";
const PACE: &str = "any:10+sign:475";
const CARD: &str = "yubikey-5.7,pin=654321";

/// One button: a form of hidden fields.
pub(super) struct Button {
    /// Where it is sent: `/do/READER/ACT`.
    pub(super) act: &'static str,
    pub(super) text: String,
    /// `main`, `risk` or nothing.
    pub(super) class: &'static str,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) command: String,
    pub(super) curl: String,
    /// What it does, where its text does not say it.
    pub(super) title: &'static str,
}

/// Buttons that ask first.
pub(super) struct Asking {
    /// A word for its place on the page.
    pub(super) id: &'static str,
    pub(super) what: &'static str,
    pub(super) question: &'static str,
    pub(super) buttons: Vec<Button>,
}

/// All buttons of a reader. What they look like depends on what stands here and nothing else.
#[derive(Template)]
#[template(path = "buttons.html")]
pub(super) struct Buttons {
    pub(super) number: usize,
    /// What the card's records are called by: a button is for this card and no other.
    pub(super) card: String,
    pub(super) first: Vec<Button>,
    pub(super) asking: Vec<Asking>,
    pub(super) reader: Vec<Button>,
    pub(super) states: Vec<Button>,
    pub(super) touch: Vec<Button>,
    pub(super) disarm: Option<Button>,
    /// Those with fields that people fill in, as they are before.
    typed: Vec<Button>,
    /// Other readers to change cards with.
    pub(super) others: Vec<String>,
    pub(super) undoable: bool,
    /// The card is simulated here: what reaches into a memory works.
    pub(super) simulated: bool,
}

/// What of a reader decides which buttons it has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    whereabouts: String,
    touch_awaited: bool,
    touch: String,
    faults: bool,
    tries: [Option<u8>; 3],
    undoable: bool,
    label: Option<std::sync::Arc<str>>,
    readers: usize,
    simulated: bool,
}

impl Key {
    /// A reader as far as a page shows it: how many commands can be undone is not shown, and changes with each.
    pub(super) fn seen(rack: &Rack, place: Place, mut view: ReaderView) -> (ReaderView, Self) {
        if let Some(card) = &mut view.card {
            card.undoable = card.undoable.min(1);
        }
        let key = Self::of(rack, place, &view);
        (view, key)
    }

    /// Whether it is that of a card of this label, in a rack of so many readers.
    pub(super) fn is_of(&self, label: Option<&std::sync::Arc<str>>, readers: usize) -> bool {
        self.label.as_ref() == label && self.readers == readers
    }

    pub(super) fn of(rack: &Rack, place: Place, reader: &ReaderView) -> Self {
        let card = reader.card.as_ref();
        let left = |secret| card.and_then(|card| counted(card, secret)).map(|tries| tries.left);
        Self {
            whereabouts: reader.card_is.clone(),
            touch_awaited: reader.touch_awaited,
            touch: card.map(|card| card.touch.clone()).unwrap_or_default(),
            faults: card.is_some_and(|card| !card.faults.is_empty()),
            tries: [Spent::Pin, Spent::Puk, Spent::Admin].map(left),
            undoable: card.is_some_and(|card| card.undoable > 0),
            label: rack.card(place).label().cloned(),
            readers: rack.count(),
            simulated: card.is_some_and(|card| card.serial.is_some()),
        }
    }
}

impl Buttons {
    /// Those of a reader that is as `view` says.
    pub(super) fn of(rack: &Rack, place: Place, view: &ReaderView) -> Self {
        let label = rack.card(place).label().map(ToString::to_string).unwrap_or_default();
        let button = |act: &'static str, text: &str, class: &'static str, fields: &[(&'static str, &str)]| {
            let field = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret(Zeroizing::new((*value).to_owned())));
            let all: Fields = fields.iter().map(field).collect();
            let call = Call::of(act, &all, view);
            let (command, curl) = call.map(|call| (call.command(), call.curl())).unwrap_or_default();
            let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            Button { act, text: text.to_owned(), class, fields, command, curl, title: "" }
        };
        let card = view.card.as_ref();
        let left = |secret| card.and_then(|card| counted(card, secret)).map(|tries| tries.left);
        let (is_in, unplugged) = (view.card_is == "in", view.card_is == "unplugged");
        let mut first = Vec::new();
        first.push(match view.card_is.as_str() {
            "in" => button("remove", "Pull out", "", &[]),
            "out" => button("insert", "Put in", "", &[]),
            _ => button("plug", "Plug in", "", &[]),
        });
        let mut asking = Vec::new();
        if is_in {
            match left(Spent::Pin) {
                Some(2..) => first.push(button("wrong", "Wrong PIN", "", &[("secret", "pin")])),
                Some(1) => asking.push(Asking {
                    id: "wrong",
                    what: "Wrong PIN",
                    question: "This is the last try: the PIN is blocked after it.",
                    buttons: vec![button("wrong", "Block the PIN", "risk", &[("secret", "pin"), ("sure", "yes")])],
                }),
                _ => {}
            }
            let lockable = [(Spent::Pin, "Lock PIN"), (Spent::Puk, "Lock PUK"), (Spent::Admin, "Lock admin key")];
            let lockable = lockable.into_iter().filter(|(secret, _)| left(*secret).is_some_and(|left| left > 0));
            let locks =
                lockable.map(|(secret, text)| button("lock", text, "risk", &[("secret", secret.word()), ("sure", "yes")]));
            let buttons: Vec<Button> = locks.collect();
            if !buttons.is_empty() {
                let question = "All tries are spent with wrong values, one by one. Nothing but Fresh or a snapshot brings back a \
                                blocked administrator key.";
                asking.push(Asking { id: "lock", what: "Lock", question, buttons });
            }
        }
        let simulated = card.is_some_and(|card| card.serial.is_some());
        let undoable = card.is_some_and(|card| card.undoable > 0);
        if simulated {
            let title = STATES.iter().find(|(name, _)| *name == "fresh").map_or("", |(_, what)| *what);
            first.push(Button { title, ..button("state", "Fresh", "", &[("state", "fresh")]) });
        }
        // Behind the others: it comes by itself, and nothing is to come under a hand that is about to press.
        if view.touch_awaited {
            first.push(button("touch", "Touch", "main", &[]));
        }
        let mut reader = Vec::new();
        if is_in {
            reader.push(button("reset", "Reset warm", "", &[]));
            reader.push(button("reset", "Reset cold", "", &[("how", "cold")]));
        }
        if !unplugged {
            reader.push(button("reset", "Reset USB", "", &[("how", "usb")]));
            reader.push(button("unplug", "Unplug reader", "", &[]));
        }
        let can_be = |name: &str| match name {
            "puk-blocked" | "blocked" => left(Spent::Puk).is_some(),
            "admin-blocked" | "lost" => left(Spent::Admin).is_some(),
            _ => left(Spent::Pin).is_some(),
        };
        let states = STATES.iter().filter(|(name, _)| simulated && *name != "fresh" && can_be(name));
        let states = states.map(|(name, what)| Button { title: what, ..button("state", name, "", &[("state", name)]) }).collect();
        let mode = card.map(|card| card.touch.as_str()).unwrap_or_default();
        let modes = [("auto", "At once"), ("wait", "By hand"), ("never", "Never")];
        let touch = modes.iter().filter(|(name, _)| simulated && *name != mode);
        let touch = touch.map(|(name, text)| button("touch", text, "", &[("touch", name)])).collect();
        let has_faults = card.is_some_and(|card| !card.faults.is_empty());
        let disarm = has_faults.then(|| button("disarm", "Disarm all", "", &[]));
        let others: Vec<String> =
            rack.places().into_iter().filter(|other| *other != place).map(|other| rack.name(other)).collect();
        let mut typed = vec![
            button("undo", "Undo", "", &[("count", "1")]),
            button("fault", "Arm", "", &[("fault", FAULT)]),
            button("pace", "Set", "", &[("pace", PACE)]),
            button("new", "New card", "", &[("card-of", CARD)]),
            button("snapshot", "Save to a file", "", &[("secrets", "sealed")]),
            button("restore", "Go back to it", "", &[("text", "…")]),
        ];
        typed.extend(others.first().map(|other| button("swap", "Swap with", "", &[("with", other)])));
        let number = view.number;
        Self { number, card: label, first, asking, reader, states, touch, disarm, typed, others, undoable, simulated }
    }

    /// A button with fields, as it is before these are filled in.
    fn typed(&self, act: &str) -> Option<&Button> {
        self.typed.iter().find(|button| button.act == act)
    }

    /// All buttons.
    fn all(&self) -> impl Iterator<Item = &Button> {
        let asking = self.asking.iter().flat_map(|asking| &asking.buttons);
        let rest = self.reader.iter().chain(&self.states).chain(&self.touch).chain(&self.disarm).chain(&self.typed);
        self.first.iter().chain(asking).chain(rest).filter(|button| !button.command.is_empty())
    }

    /// Kinds of new cards.
    fn profiles() -> impl Iterator<Item = &'static str> {
        Profile::names()
    }

    /// A reader's name without its numbers.
    fn short<'a>(&self, name: &'a str) -> &'a str {
        short(name)
    }

    /// Beginnings of faults, for a list to choose from.
    fn faults() -> Vec<String> {
        let examples = ["", "=1", "=3000", "=9000", "=6F00", "=0"];
        let example = |(name, what): (&str, &str)| {
            let value = match what {
                "" => examples[0],
                text if text.starts_with("milliseconds") => examples[2],
                text if text.starts_with("response") => examples[3],
                text if text.starts_with("status") => examples[4],
                text if text.starts_with("bytes") => examples[1],
                _ => examples[5],
            };
            format!("{name}{value}")
        };
        Effect::NAMES.into_iter().map(example).chain([FAULT.into(), "status=6F00,ins=87,nth=2".into()]).collect()
    }

    fn paces() -> Vec<&'static str> {
        ["off"].into_iter().chain(Pace::MODELS.map(|model| model.0)).collect()
    }
}
