//! The sentences, said in the language that is spoken: a page's is the one that its reader's browser likes, all else is in English.

pub use cardlab_protocol::words::Language;
use cardlab_protocol::words::{FluentArgs, FluentValue, Languages};
use std::fmt;
use std::sync::LazyLock;

/// In the order of [`Language::ALL`].
const SENTENCES: [&str; Language::ALL.len()] =
    [include_str!("../../../../words/en.ftl"), include_str!("../../../../words/de.ftl")];

static WORDS: LazyLock<Languages> = LazyLock::new(|| Languages::of(SENTENCES));

/// A sentence without variables, by its name: said in the language that is spoken where it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(pub(super) &'static str);

impl Word {
    /// In English: what scenarios call it by.
    #[must_use]
    pub fn english(self) -> String {
        WORDS.english().say_or_name(self.0, &FluentArgs::new())
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&plain(self.0))
    }
}

/// Value of a sentence's variable.
pub(super) type Value<'a> = FluentValue<'a>;

/// A sentence by its name, with its variables.
pub(super) fn say(key: &str, values: &[(&'static str, Value<'_>)]) -> String {
    let values: FluentArgs<'_> = values.iter().map(|(name, value)| (*name, value.clone())).collect();
    WORDS.now().say_or_name(key, &values)
}

/// A sentence without variables.
#[must_use]
pub fn plain(key: &str) -> String {
    say(key, &[])
}

/// A sentence that says how many.
pub(super) fn counted(key: &str, count: u8) -> String {
    say(key, &[("count", count.into())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardlab_protocol::words::{faults, named, names};
    use std::collections::BTreeMap;

    #[test]
    fn every_language_has_every_sentence() {
        assert_eq!(faults(&named(SENTENCES)), [""; 0]);
    }

    /// What the sentences of a file say, by their names: each form of one that says how many, and what is before and behind them,
    /// without the variables and without forms that have nothing else.
    fn texts(sentences: &str) -> BTreeMap<&str, Vec<String>> {
        let mut all = BTreeMap::new();
        let mut name = "";
        for line in sentences.lines().filter(|line| !line.starts_with('#')) {
            let mut said = line.trim();
            if let Some((new, first)) = line.split_once(" =").filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase())) {
                (name, said) = (new, first.trim());
            } else if let Some((_, form)) = said.split_once("] ").filter(|_| said.starts_with(['[', '*'])) {
                said = form;
            }
            let outside = said.split('{').enumerate().map(|(place, part)| match place {
                0 => part,
                _ => part.split_once('}').map_or("", |(_, behind)| behind),
            });
            let text = outside.collect::<Vec<_>>().join("…");
            if text.contains(char::is_alphabetic) {
                all.entry(name).or_insert_with(Vec::new).push(text);
            }
        }
        all
    }

    /// What is the same in both is a name.
    #[test]
    fn whatever_is_said_is_said_otherwise_in_another_language() {
        const NAMES: [&str; 3] = ["ok", "pin", "puk"];
        let [first, other] = SENTENCES.map(texts);
        let is_left = |(name, said): (&&str, &Vec<String>)| other[*name].iter().any(|text| said.contains(text));
        let left: Vec<_> = other.keys().filter(|name| is_left((name, &first[**name]))).copied().collect();
        assert_eq!(left, NAMES);
        let said = texts("a = One\nb =\n    So { $n ->\n        [one] { $n } try\n       *[other] { $n }\n    }.\n");
        assert_eq!(said, BTreeMap::from([("a", vec!["One".into()]), ("b", vec!["So …".into(), "… try".into()])]), "each form");
    }

    #[test]
    fn every_sentence_is_asked_for() {
        let sources = [include_str!("mod.rs"), include_str!("errors.rs"), include_str!("language.rs")].concat();
        let lockscreen = concat!(env!("CARGO_MANIFEST_DIR"), "/../lockscreen");
        let pages = ["src/page.rs", "templates/screen.html", "templates/locked.html", "templates/refused.html"];
        let pages: String = pages.iter().map(|file| std::fs::read_to_string(format!("{lockscreen}/{file}")).unwrap()).collect();
        let quoted = |name: &str| [&sources, &pages].iter().any(|text| text.contains(&format!("\"{name}\"")));
        let unused: Vec<_> = names(SENTENCES[0]).into_iter().filter(|name| !quoted(name)).collect();
        assert_eq!(unused, [""; 0]);
    }

    #[test]
    fn a_word_is_said_in_the_language_that_is_spoken() {
        let said = || [Word("cancel").to_string(), Word("cancel").english()];
        assert_eq!(
            (said(), Language::German.speaking(said)),
            (["Cancel"; 2].map(Into::into), ["Abbrechen", "Cancel"].map(Into::into))
        );
    }

    #[test]
    fn one_is_not_many() {
        let german = Language::German;
        let said = |count| (counted("responses-left-card", count), german.speaking(|| counted("responses-left-card", count)));
        assert_eq!(said(1).0, "1 response left before the card is lost for good.");
        assert_eq!(said(1).1, "Noch 1 Antwort, dann ist die Karte endgültig verloren.");
        assert_eq!(said(2).1, "Noch 2 Antworten, dann ist die Karte endgültig verloren.");
        let wrongly = |count| german.speaking(|| counted("wrongly", count));
        assert_eq!(wrongly(3), "Die PIN wurde dreimal falsch eingegeben.");
        assert_eq!(
            (wrongly(1), wrongly(7)),
            ("Die PIN wurde falsch eingegeben.".into(), "Die PIN wurde 7-mal falsch eingegeben.".into())
        );
        assert_eq!(counted("wrongly", 3), "The PIN was entered wrongly three times.");
    }
}
