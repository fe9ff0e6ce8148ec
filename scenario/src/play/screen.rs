//! The lock screen, as a person before it.

use super::{Done, Player, Seen};
use crate::action::{Action, Button};
use crate::world::Broken;
use cardlab_client::service::{Service, Trust};
use cardlab_client::unlock::desk::{Desk, Setup, is_settled};
use cardlab_client::unlock::session::{Act, Begin, First, NewPin, Place, Rules, Screen, Shown};
use std::time::Duration;
use zeroize::Zeroizing;

/// The lock screen of a scenario looks at its card more often than one of a person.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Longest wait for a screen; it is there at once, or when the lock screen looks the next time.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

macro_rules! screens {
    ($($screen:pat => $name:literal, $about:literal;)+) => {
        /// The screen's name in files.
        pub(super) const fn name(screen: &Screen) -> &'static str {
            match screen { $($screen => $name,)+ }
        }

        /// The names of screens, and when they are there.
        pub const SCREENS: &[(&str, &str)] = &[$(($name, $about)),+];
    };
}

screens! {
    Screen::Looking | Screen::NoService(_) | Screen::Insert => "insert", "no card is in a reader, or no reader is there";
    Screen::Choose(_) => "choose", "one of several cards is to be chosen, or the only one is of no use";
    Screen::PutBack(_) => "put-back", "the card of this session was pulled out";
    Screen::Pin(..) => "pin", "a PIN is typed to sign in";
    Screen::Welcome(_) => "welcome", "the PIN was right";
    Screen::NotBlocked(..) => "not-blocked", "in a session: the PIN is not blocked";
    Screen::Locked(_) => "locked", "the PIN is blocked; the code, and the ways out";
    Screen::LastResponse(_) => "last-response", "the last response that the card takes asks once more";
    Screen::LastPuk(_) => "last-puk", "the last PUK is to be confirmed, on a card that nothing else unlocks";
    Screen::Puk(_) => "puk", "a PUK is typed";
    Screen::Questions { .. } => "questions", "security questions are answered";
    Screen::NewPin { .. } => "new-pin", "a new PIN is typed after right answers";
    Screen::Working(..) => "working", "card or server are asked";
    Screen::Done(_) => "done", "in a session: the card is unlocked";
    Screen::Lost(..) => "lost", "nothing unblocks the card any more, or it was never initialised";
    Screen::RemoteDesktop(_) => "remote-desktop", "nothing is unlocked on the lock screen of a Remote Desktop connection";
    Screen::NoTask(_) => "no-task", "an agent has nothing to do for the card";
}

/// All that can be read on it.
pub(super) fn text(shown: &Shown) -> String {
    shown.words().join(" | ")
}

fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

impl Player<'_> {
    pub(super) fn screen(&mut self, action: &Action) -> Result<Done, Broken> {
        let act = match action {
            Action::LockScreen { .. } => return self.sit_down(action),
            Action::Screen {} => {
                self.watch()?;
                return Ok(Done { value: self.read_challenge()?, ..Done::default() });
            }
            Action::TypePin { pin } => {
                self.field("PIN", |screen| matches!(screen, Screen::Pin(..)))?;
                Act::Pin(secret(&self.text(pin)?))
            }
            Action::Press { button } => self.press(*button)?,
            Action::ChooseCard { card } => self.choose(card)?,
            Action::TypeAnswers { answers, typed } => {
                let Screen::Questions { questions, .. } = self.desk()?.settled(PATIENCE).screen else {
                    return Err(Broken("the lock screen asks no questions".into()));
                };
                let user = self.cards.known(&self.at_screen).user.clone();
                let texts = self.answers(&user, &questions, answers, typed);
                Act::Answers(texts.iter().map(|text| secret(text)).collect())
            }
            Action::TypeNewPin { pin, confirmation } => {
                self.field("new PIN", |screen| matches!(screen, Screen::NewPin { .. }))?;
                Act::NewPin(self.new_pin(pin, confirmation.as_ref())?)
            }
            Action::TypePuk { puk, pin, confirmation } => {
                self.field("PUK", |screen| matches!(screen, Screen::Puk(_)))?;
                Act::Puk(secret(&self.text(puk)?), self.new_pin(pin, confirmation.as_ref())?)
            }
            Action::TypeResponse { response, typed, pin, confirmation } => {
                self.field("response", |screen| matches!(screen, Screen::Locked(view) if view.code.is_some()))?;
                Act::Respond(secret(&self.typed(response, typed)?), self.new_pin(pin, confirmation.as_ref())?)
            }
            _ => return Err(Broken("nobody does this at a lock screen".into())),
        };
        let desk = self.desk()?;
        desk.act(None, act);
        self.watch()?;
        Ok(Done { value: self.read_challenge()?, ..Done::default() })
    }

    fn sit_down(&mut self, action: &Action) -> Result<Done, Broken> {
        let Action::LockScreen { card, server, remote_desktop, in_session, offline_text, all_readers } = action else {
            return Err(Broken("nobody sits down so".into()));
        };
        let card = self.card(card.as_ref())?;
        // The one before has said what it had to say, and lets go of its card.
        if let Some(before) = self.desk.take() {
            before.finish(PATIENCE);
        }
        let service = Service::at(&self.site.address(), &Trust::default()).map_err(Broken::at("lock screen"))?;
        let known = self.cards.known(&card);
        let place = match (in_session, remote_desktop) {
            (true, _) => Place::InSession,
            (false, true) => Place::RemoteDesktop,
            (false, false) => Place::LockScreen,
        };
        let desk = Desk::start(Setup {
            socket: self.cards.socket().to_owned(),
            reader: (!all_readers).then(|| known.reader.clone()),
            service: server.then_some(service),
            state: Some(self.workstation.path().to_owned()),
            rules: Rules {
                place,
                begin: Begin::Code,
                server: *server,
                workstation: "WS1".into(),
                text: offline_text.clone(),
                keep: false,
                first: if *all_readers { First::Preferred(known.serial.clone()) } else { First::Any },
            },
            look_every: Some(LOOK_EVERY),
        });
        self.desk = Some(desk);
        self.watch()?;
        self.at_screen = card;
        self.read_challenge()?;
        Ok(Done::default())
    }

    /// Waits until nothing is being worked on, and the server has heard of it: people are slower than both.
    fn watch(&self) -> Result<(), Broken> {
        let desk = self.desk()?;
        // What waits for another program is as it is until that one lets go.
        desk.wait_until(PATIENCE, |shown| is_settled(shown) || shown.held.is_some());
        desk.finish(PATIENCE);
        Ok(())
    }

    /// What is typed goes into a field that is there.
    fn field(&self, what: &str, there: impl Fn(&Screen) -> bool) -> Result<(), Broken> {
        let shown = self.desk()?.wait_until(PATIENCE, |shown| there(&shown.screen));
        if there(&shown.screen) {
            return Ok(());
        }
        Err(Broken(format!("there is no field for a {what} on the screen {}: {}", name(&shown.screen), text(&shown))))
    }

    /// Buttons that are not shown cannot be pressed.
    fn press(&self, button: Button) -> Result<Act, Broken> {
        let named = crate::action::BUTTONS.iter().filter(|(_, other)| *other == button);
        let labels: Vec<String> = named.map(|(label, _)| label.english()).collect();
        let there = |shown: &Shown| shown.words().iter().any(|word| labels.contains(word));
        let shown = self.desk()?.wait_until(PATIENCE, there);
        if !there(&shown) {
            let label = labels.first().map(String::as_str).unwrap_or_default();
            return Err(Broken(format!("there is no button '{label}' on the screen {}: {}", name(&shown.screen), text(&shown))));
        }
        Ok(match button {
            Button::Questions => Act::Questions,
            Button::Back => Act::Back,
            Button::AllTheSame => Act::AllTheSame,
            Button::Sure => Act::Sure,
            Button::UsePuk => Act::UsePuk,
            Button::Again => Act::Again,
        })
    }

    /// A card that is not offered cannot be chosen.
    fn choose(&self, card: &str) -> Result<Act, Broken> {
        let reader = &self.cards.known(card).reader;
        let offered = |shown: &Shown| {
            let cards = if let Screen::Choose(cards) = &shown.screen { cards } else { &shown.others };
            cards.iter().find(|chip| chip.reader == *reader && chip.trouble.is_none()).map(|chip| chip.key.clone())
        };
        let shown = self.desk()?.wait_until(PATIENCE, |shown| offered(shown).is_some());
        if let Some(key) = offered(&shown) {
            return Ok(Act::Choose(key));
        }
        Err(Broken(format!("{card} is not offered on the screen {}: {}", name(&shown.screen), text(&shown))))
    }

    fn new_pin(&self, pin: &str, confirmation: Option<&String>) -> Result<NewPin, Broken> {
        let again = confirmation.map_or(pin, String::as_str);
        Ok(NewPin { pin: secret(&self.text(pin)?), confirmation: secret(&self.text(again)?) })
    }

    /// What is to be seen.
    pub(super) fn seen_on_screen(&self) -> Option<Seen> {
        let shown = self.desk.as_ref()?.shown();
        Some(Seen { name: name(&shown.screen), words: shown.words() })
    }

    pub(super) fn desk(&self) -> Result<Desk, Broken> {
        self.desk.clone().ok_or_else(|| Broken("there is no lock screen yet: begin with do = \"lock-screen\"".into()))
    }

    /// A person reads the challenge, where there is one.
    pub(super) fn read_challenge(&mut self) -> Result<Option<String>, Broken> {
        let Screen::Locked(view) = self.desk()?.shown().screen else { return Ok(None) };
        let Some(code) = view.code else { return Ok(None) };
        let digits = cardlab_protocol::codes::digits(&code.0);
        self.values.insert("challenge".into(), digits.clone());
        self.values.insert("check".into(), code.check());
        Ok(Some(digits))
    }
}
