//! The lock screen, as a person before it.

use super::{Done, Player};
use crate::action::{Action, Way};
use crate::world::Broken;
use cardlab_client::service::{Service, Trust};
use cardlab_lockscreen::Settings;
use cardlab_lockscreen::desk::{Act, Desk};
use cardlab_lockscreen::screen::{Screen, Shown};
use std::time::Duration;
use zeroize::Zeroizing;

/// The lock screen of a scenario looks at its card more often than one of a person.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Longest wait for a screen; it is there at once, or when the lock screen looks the next time.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The screen's name in files.
pub(super) const fn name(screen: &Screen) -> &'static str {
    match screen {
        Screen::Insert { .. } => "insert",
        Screen::Pin { .. } => "pin",
        Screen::Welcome { .. } => "welcome",
        Screen::Locked { .. } => "locked",
        Screen::Questions { .. } => "questions",
        Screen::NewPin { .. } => "new-pin",
        Screen::Challenge { .. } => "challenge",
        Screen::Done => "done",
    }
}

/// All that can be read on it.
pub(super) fn text(shown: &Shown) -> String {
    let screen = match &shown.screen {
        Screen::Insert { message } => message.clone(),
        Screen::Pin { card, left } => match left {
            Some(left) => format!("{card}; {left} tries left"),
            None => card.clone(),
        },
        Screen::Welcome { card } => format!("{card}; welcome"),
        Screen::Locked { card, online, offline, message } => {
            let way = |on: bool, name: &str| if on { format!("; {name}") } else { String::new() };
            format!("{card} is locked{}{}; {message}", way(*online, "Online unlock"), way(*offline, "Offline unlock"))
        }
        Screen::Questions { questions } => questions.iter().map(|q| q.text.as_str()).collect::<Vec<_>>().join("; "),
        Screen::NewPin { rules } => format!("New PIN: {rules}"),
        Screen::Challenge { grouped, check, rules, text } => format!("{grouped}; check code {check}; {rules}; {text}"),
        Screen::Done => "The card is unlocked".into(),
    };
    if shown.error.is_empty() { screen } else { format!("{screen}; {}", shown.error) }
}

fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

impl Player<'_> {
    pub(super) fn screen(&mut self, action: &Action) -> Result<Done, Broken> {
        let act = match action {
            Action::LockScreen { card, server, remote_desktop, in_session, share, offline_text } => {
                let card = self.card(card.as_ref())?;
                // The one before lets go of its card.
                self.desk = None;
                let service = Service::at(&self.site.address(), &Trust::default()).map_err(Broken::at("lock screen"))?;
                let desk = Desk::start(Settings {
                    socket: self.cards.socket().to_owned(),
                    reader: Some(self.cards.known(&card).reader.clone()),
                    service: server.then_some(service),
                    workstation: "WS1".into(),
                    offline_text: offline_text.clone(),
                    remote_desktop: *remote_desktop,
                    in_session: *in_session,
                    share: *share,
                    look_every: Some(LOOK_EVERY),
                });
                // It has looked at the card, or for one.
                desk.wait_until(
                    PATIENCE,
                    |shown| !matches!(&shown.screen, Screen::Insert { message } if message.starts_with("Looking")),
                );
                self.desk = Some(desk);
                self.at_screen = card;
                return Ok(Done::default());
            }
            Action::Screen {} => return Ok(Done::default()),
            Action::TypePin { pin } => Act::Pin(secret(&self.text(pin)?)),
            Action::Choose { way: Way::Online } => Act::Online,
            Action::Choose { way: Way::Offline } => Act::Offline,
            Action::Choose { way: Way::Back } => Act::Back,
            Action::TypeAnswers { answers, typed } => {
                let Screen::Questions { questions } = self.desk()?.shown().screen else {
                    return Err(Broken("the lock screen asks no questions".into()));
                };
                let user = self.cards.known(&self.at_screen).user.clone();
                let texts = self.answers(&user, &questions, answers, typed);
                Act::Answer(texts.iter().map(|text| secret(text)).collect())
            }
            Action::TypeNewPin { pin, confirmation } => {
                let (pin, again) = (self.text(pin)?, confirmation.as_ref().unwrap_or(pin));
                Act::NewPin(secret(&pin), secret(&self.text(again)?))
            }
            Action::TypeResponse { response, typed, pin, confirmation } => {
                let response = self.typed(response, typed)?;
                let (pin, again) = (self.text(pin)?, confirmation.as_ref().unwrap_or(pin));
                Act::Respond(response, secret(&pin), secret(&self.text(again)?))
            }
            _ => return Err(Broken("nobody does this at a lock screen".into())),
        };
        let desk = self.desk()?;
        self.site.block_on(desk.act(act));
        Ok(Done { value: self.read_challenge()?, ..Done::default() })
    }

    pub(super) fn desk(&self) -> Result<Desk, Broken> {
        self.desk.clone().ok_or_else(|| Broken("there is no lock screen yet: begin with do = \"lock-screen\"".into()))
    }

    /// A person reads the challenge, where there is one.
    pub(super) fn read_challenge(&mut self) -> Result<Option<String>, Broken> {
        let Screen::Challenge { grouped, check, .. } = self.desk()?.shown().screen else { return Ok(None) };
        let digits = grouped.replace(' ', "");
        self.values.insert("challenge".into(), digits.clone());
        self.values.insert("check".into(), check);
        Ok(Some(digits))
    }
}
