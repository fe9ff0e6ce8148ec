//! The button of a card: pressed by nobody, at once, after a while, or by whoever is told to.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;

/// How long a card waits for a touch before it gives up, as a YubiKey does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// How questions for a touch are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TouchMode {
    /// At once.
    Auto,
    /// Never: the operation fails at once.
    Never,
    /// By [`Button::press`]; the operation fails after 15 seconds.
    Wait,
    /// By itself after this time.
    After(Duration),
}

/// Text that is no mode.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{0}' is no way of touching; there are auto, never, wait, and after=200ms (up to 15s)")]
pub struct TouchError(String);

impl FromStr for TouchMode {
    type Err = TouchError;

    fn from_str(text: &str) -> Result<Self, TouchError> {
        let wrong = || TouchError(text.to_owned());
        match text {
            "auto" => Ok(Self::Auto),
            "never" => Ok(Self::Never),
            "wait" => Ok(Self::Wait),
            _ => {
                let time = text.strip_prefix("after=").ok_or_else(wrong)?;
                let (number, unit) = match time.strip_suffix("ms") {
                    Some(number) => (number, 1),
                    None => (time.strip_suffix('s').ok_or_else(wrong)?, 1000),
                };
                let millis = number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit)).map(Duration::from_millis);
                millis.filter(|time| *time <= PATIENCE).map(Self::After).ok_or_else(wrong)
            }
        }
    }
}

impl fmt::Display for TouchMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Never => f.write_str("never"),
            Self::Wait => f.write_str("wait"),
            Self::After(time) => write!(f, "after={}ms", time.as_millis()),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    waiting: bool,
    pressed: bool,
    /// Until the card gets power again.
    gone: bool,
}

/// The button itself, for one who presses it while the card waits. It also ends the waiting of a card that is
/// pulled out.
#[derive(Clone, Debug, Default)]
pub struct Button(Arc<(Mutex<State>, Condvar)>);

impl Button {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Touches the card. `false` when it does not wait for a touch: then nothing happens.
    pub fn press(&self) -> bool {
        let mut state = self.state();
        state.pressed = state.waiting;
        self.0.1.notify_all();
        state.waiting
    }

    /// Whether the card waits for a touch now.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.state().waiting
    }

    /// The card is pulled out: nobody will press, and it waits for nothing until it has power again.
    pub(crate) fn give_up(&self) {
        self.state().gone = true;
        self.0.1.notify_all();
    }

    /// The card has power.
    pub(crate) fn powered(&self) {
        self.state().gone = false;
    }

    /// From now on the card waits for a touch: whoever hears of it may press at once.
    pub(crate) fn ask(&self) {
        let mut state = self.state();
        (state.waiting, state.pressed) = (true, false);
    }

    /// Waits for the touch that was asked for; whether there was one.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let mut state = self.wait_while(limit, |state| !state.pressed);
        state.waiting = false;
        std::mem::take(&mut state.pressed)
    }

    /// Waits for this long; `false` when the card was pulled out before.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        !self.wait_while(time, |_| true).gone
    }

    /// Waits for somebody else's work, who nudges when it is `over`, and for this long at most; `false` when the card
    /// was pulled out before.
    pub(crate) fn until(&self, limit: Duration, over: impl Fn() -> bool) -> bool {
        !self.wait_while(limit, |_| !over()).gone
    }

    /// Lets [`Button::until`] look again.
    pub(crate) fn nudge(&self) {
        // Whoever is about to wait has looked before, or looks afterwards.
        drop(self.state());
        self.0.1.notify_all();
    }

    /// The state after the time, after the card was pulled out, or as soon as it need not wait.
    fn wait_while(&self, limit: Duration, waits: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waits = |state: &mut State| !state.gone && waits(state);
        self.0.1.wait_timeout_while(self.state(), limit, waits).unwrap_or_else(PoisonError::into_inner).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read_and_written() {
        for text in ["auto", "never", "wait", "after=200ms"] {
            assert_eq!(text.parse::<TouchMode>().unwrap().to_string(), text);
        }
        assert_eq!("after=2s".parse(), Ok(TouchMode::After(Duration::from_secs(2))));
        for wrong in ["", "after=", "after=1", "after=16s", "after=-1s", "sometimes", "after=99999999999999999999s"] {
            assert!(wrong.parse::<TouchMode>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_button_that_nobody_waits_for_does_nothing() {
        let button = Button::default();
        assert!(!button.press());
        let other = button.clone();
        button.ask();
        let waiting = std::thread::spawn(move || other.wait(PATIENCE));
        assert!(button.press() && waiting.join().unwrap());
        button.ask();
        assert!(!button.wait(Duration::from_millis(1)));
        assert!(!button.is_waiting());
    }

    /// Told before it waits or while it does: a card that is pulled out waits for nothing.
    #[test]
    fn a_card_that_is_pulled_out_waits_no_longer() {
        let (button, forever) = (Button::default(), Duration::from_secs(1 << 40));
        let other = button.clone();
        let waiting = std::thread::spawn(move || other.pause(forever));
        button.give_up();
        assert!(!waiting.join().unwrap());
        button.ask();
        assert!(!button.wait(forever) && !button.is_waiting());
        button.powered();
        assert!(button.pause(Duration::from_millis(1)));
    }
}
