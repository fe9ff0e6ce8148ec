//! What happens at a card besides commands, as it stands in records: [`Event`] is written as text and read back from it.
//!
//! | text | who did it |
//! |---|---|
//! | `power on`, `power off`, `reset` | reader or program |
//! | `inserted`, `removed`, `reader plugged in`, `reader unplugged`, `swapped with CARD` | hands, at the bench |
//! | `brought to pin=0,puk=all`, `3 commands undone`, `restored` | the bench, in the card's memory |
//! | `touch wait`, `pace yubikey-5`, `fault armed: mute,ins=20`, `faults disarmed` | the bench, round the card |
//! | `waits for a touch`, `touched`, `not touched`, `fault mute` | the card, or what struck it |
//!
//! A recording may have been edited, or come from another version: any other text is [`Event::Other`].

use crate::fault::{Effect, Fault};
use crate::pace::Pace;
use crate::state::Tries;
use crate::touch::TouchMode;
use std::fmt;
use std::str::FromStr;

/// Something that happened at a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It got power: a cold reset.
    PowerOn,
    /// Its power was taken away.
    PowerOff,
    /// A warm reset.
    Reset,
    /// Somebody put it into its reader.
    Inserted,
    /// Somebody pulled it out.
    Removed,
    /// Its reader was plugged in; the card lies beside it.
    Plugged,
    /// Its reader was unplugged, with the card in it.
    Unplugged,
    /// It changes its reader with the card of this name.
    SwappedWith(String),
    /// It was brought to these tries.
    State(Tries),
    /// How questions for a touch are answered from now on.
    Touch(TouchMode),
    /// How long commands take from now on.
    Pace(Pace),
    /// It waits for a touch.
    WaitsForTouch,
    /// It was touched.
    Touched,
    /// It was not touched in time.
    NotTouched,
    /// A fault waits from now on.
    Armed(Fault),
    /// No fault waits any more.
    Disarmed,
    /// A fault struck the next command.
    Struck(Effect),
    /// So many commands were taken back.
    Undone(usize),
    /// A snapshot was restored.
    Restored,
    /// Anything else.
    Other(String),
}

/// Those that are one text.
const PLAIN: [(&str, Event); 11] = [
    ("power on", Event::PowerOn),
    ("power off", Event::PowerOff),
    ("reset", Event::Reset),
    ("inserted", Event::Inserted),
    ("removed", Event::Removed),
    ("reader plugged in", Event::Plugged),
    ("reader unplugged", Event::Unplugged),
    ("waits for a touch", Event::WaitsForTouch),
    ("touched", Event::Touched),
    ("not touched", Event::NotTouched),
    ("faults disarmed", Event::Disarmed),
];
const RESTORED: &str = "restored";
const SWAPPED: &str = "swapped with ";
const STATE: &str = "brought to ";
const TOUCH: &str = "touch ";
const PACE: &str = "pace ";
const ARMED: &str = "fault armed: ";
const STRUCK: &str = "fault ";
const UNDONE: &str = " commands undone";

impl Event {
    /// What a text tells. What is not written exactly so is [`Event::Other`], so that nothing of a text is lost.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self::known(text).filter(|event| event.to_string() == text).unwrap_or_else(|| Self::Other(text.to_owned()))
    }

    fn known(text: &str) -> Option<Self> {
        if let Some((_, event)) = PLAIN.iter().find(|(known, _)| *known == text) {
            return Some(event.clone());
        }
        if text == RESTORED {
            return Some(Self::Restored);
        }
        if let Some(card) = text.strip_prefix(SWAPPED) {
            return Some(Self::SwappedWith(card.to_owned()));
        }
        if let Some(list) = text.strip_prefix(STATE) {
            return Tries::listed(list).map(Self::State);
        }
        if let Some(mode) = text.strip_prefix(TOUCH) {
            return mode.parse().ok().map(Self::Touch);
        }
        if let Some(pace) = text.strip_prefix(PACE) {
            return pace.parse().ok().map(Self::Pace);
        }
        if let Some(fault) = text.strip_prefix(ARMED) {
            return fault.parse().ok().map(Self::Armed);
        }
        if let Some(effect) = text.strip_prefix(STRUCK) {
            return Fault::from_str(effect).ok().map(|fault| Self::Struck(fault.effect));
        }
        text.strip_suffix(UNDONE)?.parse().ok().map(Self::Undone)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SwappedWith(card) => write!(f, "{SWAPPED}{card}"),
            Self::State(tries) => write!(f, "{STATE}{tries}"),
            Self::Touch(mode) => write!(f, "{TOUCH}{mode}"),
            Self::Pace(pace) => write!(f, "{PACE}{pace}"),
            Self::Armed(fault) => write!(f, "{ARMED}{fault}"),
            Self::Struck(effect) => write!(f, "{STRUCK}{effect}"),
            Self::Undone(count) => write!(f, "{count}{UNDONE}"),
            Self::Restored => f.write_str(RESTORED),
            Self::Other(text) => f.write_str(text),
            plain => f.write_str(PLAIN.iter().find(|(_, event)| event == plain).map_or("", |(text, _)| text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_event_is_read_as_it_is_written() {
        let texts = [
            "swapped with 1:nist-piv",
            "brought to pin=0,puk=all,admin=3,global-pin=1",
            "touch after=200ms",
            "pace yubikey-5",
            "fault armed: remove-after,ins=87,nth=2",
            "fault answer=6F00",
            "12 commands undone",
            "restored",
        ];
        for text in PLAIN.iter().map(|(text, _)| *text).chain(texts) {
            let event = Event::read(text);
            assert!(!matches!(event, Event::Other(_)), "{text}");
            assert_eq!(event.to_string(), text);
        }
    }

    #[test]
    fn what_is_not_written_so_is_kept_as_it_stands() {
        for text in ["fault", "brought to pin=x", "touch after=1s", "02 commands undone", "brought to puk=1,pin=1", "dropped", ""]
        {
            assert_eq!(Event::read(text), Event::Other(text.into()));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_event_that_says_the_same(
            text in "\\PC{0,30}|(fault armed: |fault |brought to |touch |pace |swapped with )[a-z0-9=,-]{0,24}|[0-9]{0,4} commands undone"
        ) {
            prop_assert_eq!(Event::read(&text).to_string(), text);
        }
    }
}
