//! A sentence that is said later: who makes it does not know who reads it.

use super::{Value, Words, english, spoken, text};
use std::borrow::Cow;
use std::fmt;

/// A sentence of `words/` by its name, with the values of its variables. Programs, logs and whoever shows it read the English
/// text; a page says it in its reader's language.
///
/// Made by `sentence!` alone, or of the name that something has in `words/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    name: Cow<'static, str>,
    values: Vec<(&'static str, Part)>,
}

/// Value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A text that somebody else has chosen.
    Text(String),
    /// A number, written in digits.
    Number(i64),
    /// Other sentences, in whichever language this one is said: what something is called.
    Named(Vec<Sentence>),
}

/// A sentence by its name, which stands here, with its variables: `sentence!("refused-day", day = text)`.
macro_rules! sentence {
    ($name:literal $(, $variable:ident = $value:expr)* $(,)?) => {
        $crate::words::Sentence::with($name, vec![$((stringify!($variable), $crate::words::Part::from($value))),*])
    };
}
pub(crate) use sentence;

impl Sentence {
    /// One without variables: what a state, a setting or a limit is called.
    pub(crate) fn named(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), values: Vec::new() }
    }

    /// For `sentence!`.
    pub(crate) const fn with(name: &'static str, values: Vec<(&'static str, Part)>) -> Self {
        Self { name: Cow::Borrowed(name), values }
    }

    /// For pages: in the language of the request that is answered here.
    pub(crate) fn said(&self) -> String {
        self.of(spoken(), text)
    }

    /// In these words, where `quote` makes values of others' texts.
    fn of(&self, words: &Words, quote: fn(&str) -> Value<'static>) -> String {
        let value = |part: &Part| match part {
            Part::Text(text) => quote(text),
            Part::Number(number) => Value::from(*number),
            Part::Named(all) => Value::from(all.iter().map(|one| one.of(words, quote)).collect::<Vec<_>>().join(", ")),
        };
        let values = self.values.iter().map(|(name, part)| (*name, value(part))).collect();
        words.say_or_name(&self.name, &values)
    }
}

/// In English, with what others have chosen as it is.
impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.of(english(), |text| Value::from(text.to_owned())))
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Part {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u8> for Part {
    fn from(number: u8) -> Self {
        Self::Number(number.into())
    }
}

impl From<u16> for Part {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<i64> for Part {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Part {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Sentence> for Part {
    fn from(sentence: Sentence) -> Self {
        Self::Named(vec![sentence])
    }
}

impl From<Vec<Sentence>> for Part {
    fn from(sentences: Vec<Sentence>) -> Self {
        Self::Named(sentences)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardlab_protocol::words::Language;

    #[test]
    fn programs_read_english_and_people_their_own_language() {
        let clean = Sentence::named("state-Clean");
        let states = vec![Sentence::named("state-Issued"), Sentence::named("state-Disabled")];
        let refused = sentence!("refused-operation", state = clean, states = states);
        let english = "the card is Clean; this can be done with Issued, Disabled cards";
        assert_eq!((refused.said().as_str(), refused.to_string().as_str()), (english, english));
        Language::German.speaking(|| {
            assert_eq!(refused.said(), "Die Karte ist Leer; das geht mit Karten, die Ausgegeben, Abgeschaltet sind");
            assert_eq!(refused.to_string(), english);
        });
    }

    #[test]
    fn only_a_page_keeps_a_text_from_the_right_in_its_place() {
        let refused = sentence!("refused-day", day = "\u{202E}\u{05E9}");
        assert_eq!(refused.to_string(), "'\u{202E}\u{05E9}' is no day; a day is written 2026-11-24");
        assert_eq!(refused.said(), "'\u{2068}\u{05E9}\u{2069}' is no day; a day is written 2026-11-24");
    }
}
