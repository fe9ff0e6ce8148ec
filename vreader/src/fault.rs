//! Faults: what goes wrong at a card, armed beforehand for the command that it shall strike.
//!
//! ```text
//! power-cut=2,ins=24          power goes at the third tear point of the next CHANGE REFERENCE DATA
//! remove-after,ins=87,nth=2   the card is pulled out after it has done the second GENERAL AUTHENTICATE
//! status=6F00,times=3         the next three commands are answered with 6F00, and not carried out
//! ```
//! A fault is data: it strikes the same command each time a session is repeated.

use crate::chip::NotSimulated;
use crate::repeated;
use cardlab_protocol::status::StatusWord;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;

/// Longest time without an answer, one hour.
const LONGEST: u64 = 3_600_000;

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Power goes at the `n`-th tear point of the command, 0 being the first. A command that passes
    /// fewer is carried out.
    PowerCut(u32),
    /// The card is pulled out before it has done anything.
    RemoveBefore,
    /// The card is pulled out when it has done everything; its answer is lost.
    RemoveAfter,
    /// The answer comes later. A card that is pulled out meanwhile has not carried the command out.
    Silent(Duration),
    /// No answer: not now, and not until the next reset. The command is not carried out.
    Mute,
    /// Another answer than the card's, which has done everything.
    Answer(Vec<u8>),
    /// Only so many bytes of the answer.
    Truncate(usize),
    /// This status word; the command is not carried out.
    Status(StatusWord),
    /// One bit of the answer is wrong, counted from the left; beyond the end it starts anew.
    FlipBit(usize),
    /// The card has no memory that can be written during the command.
    MemoryFailure,
    /// The reader is unplugged, with the card in it.
    ReaderGone,
}

impl Effect {
    /// Names for people, with what is behind `=`.
    pub const NAMES: [(&'static str, &'static str); 11] = [
        ("power-cut", "tear point, from 0"),
        ("remove-before", ""),
        ("remove-after", ""),
        ("silent", "milliseconds"),
        ("mute", ""),
        ("answer", "response APDU, hexadecimal"),
        ("truncate", "bytes that are left"),
        ("status", "status word, four hexadecimal digits"),
        ("flip-bit", "bit, from 0"),
        ("memory-failure", ""),
        ("reader-gone", ""),
    ];
}

/// A fault and the commands that it strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub effect: Effect,
    /// Commands of this instruction only.
    pub ins: Option<u8>,
    /// Commands for this application only: one of [`APPLETS`], or that of a card edge of one's own.
    pub applet: Option<String>,
    /// The `nth` matching command is the first that it strikes, from 1.
    pub nth: u32,
    /// How many matching commands it strikes from there on.
    pub times: u32,
}

/// The applications that a fault can be for.
pub const APPLETS: [&str; 5] = ["piv", "gids", "management", "otp", "security-domain"];

fn names() -> String {
    Effect::NAMES.map(|(name, _)| name).join(", ")
}

/// A fault that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FaultError {
    /// No such effect.
    #[error("no fault named '{name}'; there are: {}", names())]
    Unknown {
        /// What was given.
        name: String,
    },
    /// A value that is not one.
    #[error("{name}: '{value}' is not {expected}")]
    Value {
        /// Name of the effect or of the condition.
        name: String,
        /// What was given.
        value: String,
        /// What it can be.
        expected: String,
    },
    /// No such condition.
    #[error("a fault has no '{0}'; its conditions are ins, applet, nth, times")]
    Condition(String),
}

/// Faults that may wait at one card.
pub const MOST: usize = 1000;

/// A fault that this card cannot have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ArmError {
    /// It is for an application that is not on the card.
    #[error("this card has no applet '{wanted}', so the fault can never strike; it has: {known}")]
    NoApplet {
        /// The fault's.
        wanted: String,
        /// The card's.
        known: String,
    },
    /// It strikes a memory, or an application, that is not known here.
    #[error(transparent)]
    NotSimulated(#[from] NotSimulated),
    /// Too many wait already.
    #[error("{MOST} faults wait already; disarm them first")]
    TooMany,
}

impl Fault {
    /// The next command, whichever it is.
    #[must_use]
    pub const fn next(effect: Effect) -> Self {
        Self { effect, ins: None, applet: None, nth: 1, times: 1 }
    }

    /// Whether it reaches into the card's memory, so that only a simulated card can have it.
    #[must_use]
    pub const fn needs_memory(&self) -> bool {
        matches!(self.effect, Effect::PowerCut(_) | Effect::MemoryFailure)
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let mut parts = text.split(',').map(|part| match part.split_once('=') {
            Some((name, value)) => (name.trim(), value.trim()),
            None => (part.trim(), ""),
        });
        let (name, value) = parts.next().unwrap_or_default();
        let mut fault = Self::next(effect(name, value)?);
        for (name, value) in parts {
            let wrong = |expected: &str| FaultError::Value { name: name.into(), value: value.into(), expected: expected.into() };
            match name {
                "ins" => {
                    let ins = u8::from_str_radix(value, 16).ok().filter(|_| value.len() == 2);
                    fault.ins = Some(ins.ok_or_else(|| wrong("two hexadecimal digits"))?);
                }
                "applet" => {
                    let known =
                        APPLETS.contains(&value) || cardlab_sim::own::kinds().iter().any(|kind| (kind.applet)().name() == value);
                    let expected = || wrong(&format!("one of {}", APPLETS.join(", ")));
                    fault.applet = Some(known.then(|| value.to_owned()).ok_or_else(expected)?);
                }
                "nth" => fault.nth = value.parse().ok().filter(|n| *n > 0).ok_or_else(|| wrong("a number from 1"))?,
                "times" => fault.times = value.parse().ok().filter(|n| *n > 0).ok_or_else(|| wrong("a number from 1"))?,
                other => return Err(FaultError::Condition(other.into())),
            }
        }
        Ok(fault)
    }
}

fn effect(name: &str, value: &str) -> Result<Effect, FaultError> {
    let Some((_, expected)) = Effect::NAMES.iter().find(|(known, _)| *known == name) else {
        return Err(FaultError::Unknown { name: repeated::name(name).into() });
    };
    let wrong = || {
        let expected = if expected.is_empty() { "empty: this fault has no value" } else { expected };
        FaultError::Value { name: name.into(), value: value.into(), expected: expected.into() }
    };
    let number = |most: u64| value.parse::<u64>().ok().filter(|n| *n <= most).ok_or_else(wrong);
    let plain = |effect| if value.is_empty() { Ok(effect) } else { Err(wrong()) };
    match name {
        "power-cut" => Ok(Effect::PowerCut(number(u32::MAX.into())? as u32)),
        "remove-before" => plain(Effect::RemoveBefore),
        "remove-after" => plain(Effect::RemoveAfter),
        "silent" => Ok(Effect::Silent(Duration::from_millis(number(LONGEST)?))),
        "mute" => plain(Effect::Mute),
        "answer" => Ok(Effect::Answer(hex::decode(value).map_err(|_| wrong())?)),
        "truncate" => Ok(Effect::Truncate(number(65_538)? as usize)),
        "status" => {
            let sw = u16::from_str_radix(value, 16).ok().filter(|_| value.len() == 4).ok_or_else(wrong)?;
            Ok(Effect::Status(StatusWord(sw)))
        }
        "flip-bit" => Ok(Effect::FlipBit(number(u32::MAX.into())? as usize)),
        "memory-failure" => plain(Effect::MemoryFailure),
        "reader-gone" => plain(Effect::ReaderGone),
        _ => Err(FaultError::Unknown { name: name.into() }),
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PowerCut(n) => write!(f, "power-cut={n}"),
            Self::RemoveBefore => f.write_str("remove-before"),
            Self::RemoveAfter => f.write_str("remove-after"),
            Self::Silent(time) => write!(f, "silent={}", time.as_millis()),
            Self::Mute => f.write_str("mute"),
            Self::Answer(bytes) => write!(f, "answer={}", hex::encode_upper(bytes)),
            Self::Truncate(length) => write!(f, "truncate={length}"),
            Self::Status(sw) => write!(f, "status={:04X}", sw.0),
            Self::FlipBit(bit) => write!(f, "flip-bit={bit}"),
            Self::MemoryFailure => f.write_str("memory-failure"),
            Self::ReaderGone => f.write_str("reader-gone"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.effect)?;
        if let Some(ins) = self.ins {
            write!(f, ",ins={ins:02X}")?;
        }
        if let Some(applet) = &self.applet {
            write!(f, ",applet={applet}")?;
        }
        if self.nth != 1 {
            write!(f, ",nth={}", self.nth)?;
        }
        if self.times != 1 {
            write!(f, ",times={}", self.times)?;
        }
        Ok(())
    }
}

/// The faults that wait at one card, in the order they were armed.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Arms one more.
    pub(crate) fn arm(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Those that still wait; `nth` and `times` count down.
    #[must_use]
    pub fn waiting(&self) -> &[Fault] {
        &self.0
    }

    /// Disarms all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether the next command may take long, because an answer is withheld.
    #[must_use]
    pub(crate) fn may_wait(&self) -> bool {
        self.0.iter().any(|fault| matches!(fault.effect, Effect::Silent(_)))
    }

    /// The effect that strikes this command for `applet`. Every fault counts it that it matches; where
    /// several would strike, the one that was armed first does, the others wait for the next.
    pub(crate) fn strike(&mut self, command: &[u8], applet: Option<&str>) -> Option<Effect> {
        let mut struck = None;
        for fault in &mut self.0 {
            let matches = fault.ins.is_none_or(|ins| command.get(1) == Some(&ins))
                && fault.applet.as_deref().is_none_or(|wanted| applet == Some(wanted));
            if !matches {
                continue;
            }
            if fault.nth > 1 {
                fault.nth -= 1;
            } else if struck.is_none() {
                fault.times -= 1;
                struck = Some(fault.effect.clone());
            }
        }
        if struck.is_some() {
            self.0.retain(|fault| fault.times > 0);
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_and_written() {
        let texts = [
            "power-cut=2,ins=24",
            "remove-before",
            "remove-after,ins=87,nth=2",
            "silent=500",
            "mute,applet=gids",
            "answer=6F00",
            "truncate=1",
            "status=6A82,times=3",
            "flip-bit=12",
            "memory-failure",
            "reader-gone,ins=20,applet=security-domain,nth=3,times=4",
        ];
        for text in texts {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
        for (name, _) in Effect::NAMES {
            assert!(texts.iter().any(|text| text.split([',', '=']).next() == Some(name)), "{name}: a name without a fault");
        }
    }

    #[test]
    fn mistakes_are_explained() {
        let error = |text: &str| text.parse::<Fault>().unwrap_err().to_string();
        assert!(error("fire").starts_with("no fault named 'fire'; there are: power-cut, "));
        // A PIN that was typed into the wrong field.
        assert!(error("471147").starts_with("no fault named '..'; there are: power-cut, "));
        assert_eq!(error("power-cut"), "power-cut: '' is not tear point, from 0");
        assert_eq!(error("mute=1"), "mute: '1' is not empty: this fault has no value");
        assert_eq!(error("mute,ins=2"), "ins: '2' is not two hexadecimal digits");
        assert_eq!(error("mute,nth=0"), "nth: '0' is not a number from 1");
        assert_eq!(error("mute,when=now"), "a fault has no 'when'; its conditions are ins, applet, nth, times");
        assert_eq!(error("silent=99999999"), "silent: '99999999' is not milliseconds");
    }

    #[test]
    fn a_fault_strikes_what_it_matches() {
        let mut faults = Faults::default();
        faults.arm("status=6F00,ins=20,nth=2,times=2".parse().unwrap());
        let mut strike = |ins: u8| faults.strike(&[0, ins, 0, 0], Some("piv")).is_some();
        assert_eq!([0x20, 0x24, 0x20, 0x24, 0x20, 0x20].map(&mut strike), [false, false, true, false, true, false]);
        assert!(faults.waiting().is_empty());
        faults.arm("mute,applet=gids".parse().unwrap());
        assert_eq!(faults.strike(&[0, 0x20, 0, 0], Some("piv")), None);
        assert_eq!(faults.strike(&[0, 0x20, 0, 0], Some("gids")), Some(Effect::Mute));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_fault_or_an_error(text in "\\PC{0,40}|(power-cut|silent|answer|status|mute)(=[0-9A-Fx]{0,5})?(,[a-z]{2,6}=[0-9a-z]{0,3}){0,3}") {
            if let Ok(fault) = text.parse::<Fault>() {
                proptest::prop_assert_eq!(fault.to_string().parse::<Fault>(), Ok(fault));
            }
        }
    }
}
