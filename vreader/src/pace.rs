//! Pace: how long a card takes for its commands. A simulated card answers in microseconds, a real one in
//! milliseconds or seconds; programs whose waiting is to be tested need the latter.
//!
//! ```text
//! off                       as fast as it can
//! yubikey-5                 as measured on a product, see [`Pace::MODELS`]
//! any:10+sign:475           milliseconds by class of command; `any` is for all that are not named
//! ```

use crate::repeated;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;

/// Longest time for one command, in microseconds: a minute.
const LONGEST: u64 = 60_000_000;

/// What kind of command it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// SELECT.
    Select,
    /// VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER.
    Verify,
    /// GET DATA, READ BINARY, GET RESPONSE.
    Read,
    /// PUT DATA, UPDATE BINARY, CREATE FILE, DELETE FILE.
    Write,
    /// GENERAL AUTHENTICATE and INTERNAL AUTHENTICATE with a private key, PERFORM SECURITY OPERATION.
    Sign,
    /// GENERATE ASYMMETRIC KEY PAIR.
    Generate,
}

impl Class {
    /// In the order of [`Pace::times`].
    const NAMES: [&'static str; 6] = ["select", "verify", "read", "write", "sign", "generate"];

    /// By the instruction byte (ISO/IEC 7816-4 section 5.6; SP 800-73-4 part 2; GIDS).
    const fn of(command: &[u8]) -> Option<Self> {
        let &[_, ins, _, reference, ..] = command else { return None };
        match ins {
            // The administrator key of GIDS and of PIV.
            0x87 if matches!(reference, 0x00 | 0x9B) => None,
            0xA4 => Some(Self::Select),
            0x20 | 0x21 | 0x24 | 0x2C => Some(Self::Verify),
            0xB0 | 0xB1 | 0xC0 | 0xCA | 0xCB => Some(Self::Read),
            0xD6 | 0xD7 | 0xDA | 0xDB | 0xE0 | 0xE4 => Some(Self::Write),
            0x2A | 0x86 | 0x87 | 0x88 => Some(Self::Sign),
            0x46 | 0x47 => Some(Self::Generate),
            _ => None,
        }
    }
}

/// How long commands take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// A model's name, when it is one.
    model: Option<&'static str>,
    /// Those of no class, and of classes without a time of their own.
    any: Duration,
    times: [Option<Duration>; Class::NAMES.len()],
}

/// Text that is no pace.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "pace '{text}': {wrong}; write off, {}, or times in milliseconds such as any:10+sign:475 (classes: any, {})",
    Pace::MODELS.map(|model| model.0).join(", "), Class::NAMES.join(", ")
)]
pub struct PaceError {
    text: String,
    wrong: String,
}

impl Pace {
    /// What was measured on products: name, times, source. What no source tells takes no time.
    pub const MODELS: [(&'static str, &'static str, &'static str); 3] = [
        (
            "yubikey-5",
            "verify:10+read:1",
            "Nitrokey/opcard-rs issue 204 (VERIFY) and trussed-dev/piv-authenticator issue 40 (GET DATA), measured for comparison",
        ),
        (
            "nitrokey-3",
            "verify:850+read:127",
            "Nitrokey/opcard-rs issue 204 (VERIFY, 800 to 900 ms) and trussed-dev/piv-authenticator issue 40 (GET DATA, empty slot)",
        ),
        (
            "java-card",
            "any:10+sign:475",
            "Yubico forum, topic 1238 (RSA-2048 with CRT, said to be average for such chips); 10 ms for a plain command at 115,200 bit/s",
        ),
    ];

    /// No time at all.
    #[must_use]
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// How long this command takes.
    #[must_use]
    pub fn of(&self, command: &[u8]) -> Duration {
        Class::of(command).and_then(|class| self.times[class as usize]).unwrap_or(self.any)
    }
}

impl FromStr for Pace {
    type Err = PaceError;

    fn from_str(text: &str) -> Result<Self, PaceError> {
        let wrong = |wrong: String| PaceError { text: repeated::name(text).to_owned(), wrong };
        if text == "off" {
            return Ok(Self::default());
        }
        if let Some((name, times, _)) = Self::MODELS.into_iter().find(|model| model.0 == text) {
            return Ok(Self { model: Some(name), ..times.parse()? });
        }
        let mut pace = Self::default();
        for part in text.split('+') {
            let (class, time) = part.split_once(':').ok_or_else(|| wrong(format!("'{}' is no time", repeated::name(part))))?;
            let time = micros(time).ok_or_else(|| wrong(format!("'{time}' is not milliseconds, at most a minute")))?;
            match Class::NAMES.iter().position(|name| *name == class) {
                Some(index) => pace.times[index] = Some(time),
                None if class == "any" => pace.any = time,
                None => return Err(wrong(format!("there is no class '{}'", repeated::name(class)))),
            }
        }
        Ok(pace)
    }
}

/// Milliseconds with up to three digits behind a point.
fn micros(text: &str) -> Option<Duration> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 3 {
        return None;
    }
    let micros = whole.parse::<u64>().ok()?.checked_mul(1000)? + format!("{part:0<3}").parse::<u64>().ok()?;
    (micros <= LONGEST).then(|| Duration::from_micros(micros))
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(model) = self.model {
            return f.write_str(model);
        }
        let any = (!self.any.is_zero()).then_some(("any", self.any));
        let named = Class::NAMES.into_iter().zip(self.times).filter_map(|(name, time)| Some((name, time?)));
        let parts: Vec<String> = any.into_iter().chain(named).map(|(name, time)| format!("{name}:{}", millis(time))).collect();
        f.write_str(if parts.is_empty() { "off" } else { "" })?;
        f.write_str(&parts.join("+"))
    }
}

fn millis(time: Duration) -> String {
    let micros = time.as_micros();
    match micros % 1000 {
        0 => (micros / 1000).to_string(),
        part => format!("{}.{part:03}", micros / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFY: &[u8] = &[0, 0x20, 0, 0x80];

    #[test]
    fn text_is_read_and_written() {
        for text in ["off", "yubikey-5", "nitrokey-3", "java-card", "any:10+sign:475", "verify:0.500", "any:5+generate:60000"] {
            assert_eq!(text.parse::<Pace>().unwrap().to_string(), text);
        }
        assert!("off".parse::<Pace>().unwrap().is_off());
        let error = |text: &str| text.parse::<Pace>().unwrap_err().to_string();
        assert!(error("slow").starts_with("pace 'slow': 'slow' is no time; write off, yubikey-5, nitrokey-3, java-card, or"));
        assert!(error("dance:1").contains("there is no class 'dance'"));
        // A PIN that was typed into the wrong field.
        for text in ["471147", "471147:1", "471147+any:1"] {
            assert!(!error(text).contains("4711"), "{}", error(text));
        }
        for wrong in
            ["sign:", "sign:x", "sign:-1", "sign:1.", "sign:.5", "sign:1.0001", "sign:60001", "sign:99999999999999999999"]
        {
            assert!(error(wrong).contains("is not milliseconds"), "{wrong}");
        }
    }

    #[test]
    fn a_class_goes_before_any() {
        let pace: Pace = "any:10+verify:0+sign:0.5".parse().unwrap();
        assert_eq!(pace.of(VERIFY), Duration::ZERO);
        assert_eq!(pace.of(&[0, 0x87, 0x07, 0x9A]), Duration::from_micros(500));
        assert_eq!(pace.of(&[0, 0xA4, 4, 0]), Duration::from_millis(10));
        assert_eq!(pace.of(&[0, 0x87, 0x03, 0x9B]), Duration::from_millis(10), "no private key");
        assert_eq!(pace.of(&[]), Duration::from_millis(10));
        assert_eq!("yubikey-5".parse::<Pace>().unwrap().of(VERIFY), Duration::from_millis(10));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_pace_or_an_error(text in "\\PC{0,20}|((any|sign|read)(:[0-9.]{0,6})?\\+?){0,3}") {
            if let Ok(pace) = text.parse::<Pace>() {
                proptest::prop_assert_eq!(pace.to_string().parse::<Pace>(), Ok(pace));
            }
        }
    }
}
