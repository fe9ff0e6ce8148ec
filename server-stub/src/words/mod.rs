//! What people are told. The sentences are in `words/`, one file a language, in Fluent's syntax (projectfluent.org). Every file has all
//! of them.

mod isolating;
mod sentence;

pub(crate) use isolating::{Isolating, is_direction};
pub use sentence::Sentence;
pub(crate) use sentence::{Part, sentence};

use cardlab_protocol::words::{FluentArgs, FluentValue, Language, Languages, Words};
use std::sync::LazyLock;

/// In the order of [`Language::ALL`].
const SENTENCES: [&str; Language::ALL.len()] = [include_str!("../../words/en.ftl"), include_str!("../../words/de.ftl")];

static WORDS: LazyLock<Languages> = LazyLock::new(|| Languages::of(SENTENCES));

/// Value of a sentence's variable.
pub(crate) type Value<'a> = FluentValue<'a>;

/// A text that somebody else has chosen, for a sentence: it stays where it stands.
pub(crate) fn text(text: &str) -> Value<'static> {
    Value::from(isolating::isolated(text))
}

/// Those of the request that is answered here.
fn spoken() -> &'static Words {
    WORDS.now()
}

/// Those that programs read.
fn english() -> &'static Words {
    WORDS.english()
}

/// A sentence by its name, with its variables.
pub(crate) fn say(key: &str, values: &[(&'static str, Value<'_>)]) -> String {
    let values: FluentArgs<'_> = values.iter().map(|(name, value)| (*name, value.clone())).collect();
    spoken().say_or_name(key, &values)
}

/// Whether there is a sentence of this name.
pub(crate) fn has(key: &str) -> bool {
    spoken().has(key)
}

/// A sentence without variables.
pub(crate) fn plain(key: &str) -> String {
    say(key, &[])
}

/// A card as people tell one from another: the end of its serial.
pub(crate) fn card_name(serial: &str) -> String {
    let end: String = serial.chars().skip(serial.chars().count().saturating_sub(4)).collect();
    if end.is_empty() { plain("event-a-card") } else { format!("\u{22EF}{end}") }
}

/// For templates: `{{ "users-title"|t }}`, `{{ "cards-found"|counted(cards.len()) }}`, `{{ "user-policy"|named(policy) }}`.
#[expect(unreachable_pub, reason = "what the macro makes of a filter")]
pub(crate) mod filters {
    use super::{plain, say, text};
    use askama::filters::{Escaper as _, Html, Safe};
    use askama::{Result, Values};
    use std::fmt::Display;

    /// A sentence.
    #[askama::filter_fn]
    pub(crate) fn t<T: Display>(key: T, _: &dyn Values) -> Result<String> {
        Ok(plain(&key.to_string()))
    }

    /// What stands in a field to be changed: as it was typed.
    #[askama::filter_fn]
    pub(crate) fn as_typed<T: Display>(typed: T, _: &dyn Values) -> Result<Safe<String>> {
        let mut escaped = String::new();
        Html.write_escaped_str(&mut escaped, &typed.to_string())?;
        Ok(Safe(escaped))
    }

    /// A sentence with `$count` in it.
    #[askama::filter_fn]
    pub(crate) fn counted<T: Display, N: Display>(key: T, _: &dyn Values, count: N) -> Result<String> {
        let count = count.to_string().parse::<i64>().unwrap_or_default();
        Ok(say(&key.to_string(), &[("count", count.into())]))
    }

    /// A sentence with `$count` of `$all` in it.
    #[askama::filter_fn]
    pub(crate) fn of<T: Display>(key: T, _: &dyn Values, count: &u8, all: &u8) -> Result<String> {
        Ok(say(&key.to_string(), &[("count", (*count).into()), ("all", (*all).into())]))
    }

    /// A sentence with `$name` in it.
    #[askama::filter_fn]
    pub(crate) fn named<T: Display, N: Display>(key: T, _: &dyn Values, name: N) -> Result<String> {
        Ok(say(&key.to_string(), &[("name", text(&name.to_string()))]))
    }

    /// A card as people tell one from another.
    #[askama::filter_fn]
    pub(crate) fn short<S: Display>(serial: S, _: &dyn Values) -> Result<String> {
        Ok(super::card_name(&serial.to_string()))
    }

    /// A sentence with a card as `$name` in it.
    #[askama::filter_fn]
    pub(crate) fn named_card<T: Display, S: Display>(key: T, _: &dyn Values, serial: S) -> Result<String> {
        Ok(say(&key.to_string(), &[("name", text(&super::card_name(&serial.to_string())))]))
    }

    /// The first letters of a name's words.
    #[askama::filter_fn]
    pub(crate) fn initials<N: Display>(name: N, _: &dyn Values) -> Result<String> {
        let name = name.to_string();
        Ok(name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect::<String>().to_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::card::{CardState, Operation};
    use crate::model::role::Privilege;
    use cardlab_protocol::words::{faults, named, names, variables};
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    const ENGLISH: &str = SENTENCES[0];

    /// All text of the templates and of the code that says something.
    fn pages() -> String {
        fn of(dir: &Path, all: &mut String) {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    of(&path, all);
                } else {
                    all.push_str(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut all = String::new();
        ["templates", "src/http", "src/model", "src/service", "src/store"].iter().for_each(|dir| of(&root.join(dir), &mut all));
        all
    }

    /// What a template or a function asks for by name.
    fn asked(pages: &str) -> BTreeSet<&str> {
        let mut asked = BTreeSet::new();
        for (at, _) in pages.match_indices('"') {
            let Some((name, behind)) = pages[at + 1..].split_once('"') else { continue };
            let before = &pages[..at];
            let filtered = ["|t", "|counted(", "|of(", "|named(", "|named_card("].iter().any(|filter| behind.starts_with(filter));
            let before = before.trim_end();
            let called = ["plain(", "say(", "sentence!(", "Sentence::named("].iter().any(|maker| before.ends_with(maker));
            if (filtered || called || before.ends_with("what:") && name.starts_with("limit-"))
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
            {
                asked.insert(name);
            }
        }
        asked
    }

    /// Each `sentence!` of the code: its name, and the variables that it is given.
    fn given(code: &str) -> Vec<(&str, BTreeSet<&str>)> {
        let inside = |call: &'_ str| {
            let mut open = 1;
            let end = call.find(|c| {
                open += i32::from(c == '(') - i32::from(c == ')');
                open == 0
            });
            end.unwrap()
        };
        let read = |at: usize| {
            let call = &code[at..][..inside(&code[at..])];
            let (name, rest) = call.trim_start().strip_prefix('"').unwrap().split_once('"').unwrap();
            let before = rest.split(" = ").map(|part| part.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap());
            let mut variables: Vec<_> = before.collect();
            variables.pop();
            (name, variables.into_iter().collect())
        };
        code.match_indices("sentence!(").map(|(at, begin)| read(at + begin.len())).collect()
    }

    /// A refusal has no text but a sentence, and a sentence is made by `sentence!` or is what something is called.
    #[test]
    fn whatever_is_refused_is_said_by_a_sentence_of_the_file() {
        let (code, variables) = (pages(), variables(ENGLISH));
        let given = given(&code);
        assert!(given.len() > 130, "{}", given.len());
        for (name, values) in given {
            assert_eq!(Some(&values), variables.get(name), "{name}");
        }
        assert!(!code.contains("Sentence::with("));
        let whats = code.split("not_found(\"").skip(1).map(|rest| rest.split_once('"').unwrap().0);
        let whats: BTreeSet<String> = whats.map(|what| format!("no-such-{what}")).collect();
        let there: BTreeSet<String> =
            names(ENGLISH).into_iter().filter(|name| name.starts_with("no-such-")).map(Into::into).collect();
        assert_eq!(whats, there);
        // Of what is called something, the names that are not written where they are said.
        let named: BTreeSet<_> =
            code.split("Sentence::named(").skip(1).map(|rest| rest.split([')', '(']).next().unwrap()).collect();
        let known = ["card.state.word", "format!", "limit.what", "privilege.word", "self.word", "state.word", "title"];
        assert_eq!(named, BTreeSet::from(known));
    }

    /// Nothing of a refusal is left in English where a page is in another language, but what a card, a database or a reader of
    /// requests said.
    #[test]
    fn whatever_is_refused_is_said_otherwise_in_another_language() {
        let of = |sentences: &'static str| {
            let part = sentences.split_once("\nrefused-json-wanted").unwrap().1;
            part.lines().filter_map(|line| line.split_once(" = ")).collect::<BTreeMap<_, _>>()
        };
        for (language, sentences) in &named(SENTENCES)[1..] {
            let (english, other) = (of(ENGLISH), of(sentences));
            let left: Vec<_> = english.iter().filter(|(name, text)| other.get(*name) == Some(text)).collect();
            assert_eq!(left, [], "{language}");
        }
    }

    #[test]
    fn every_sentence_that_is_asked_for_is_there() {
        let pages = pages();
        let asked = asked(&pages);
        assert!(asked.len() > 200, "{}", asked.len());
        let missing: Vec<_> = asked.iter().filter(|name| !has(name)).collect();
        assert_eq!(missing, [&""; 0]);
    }

    #[test]
    fn every_sentence_is_asked_for() {
        /// Beginnings of names whose rest the code knows.
        const MADE: [&str; 9] =
            ["kind-", "event-", "reason-", "privilege-", "channel-", "card-operation-", "given-", "state-", "no-such-"];
        let (pages, names) = (pages(), names(ENGLISH));
        let quoted = |name: &str| pages.contains(&format!("\"{name}\""));
        let unused: Vec<_> =
            names.iter().filter(|name| !quoted(name) && !MADE.iter().any(|made| name.starts_with(made))).collect();
        assert_eq!(unused, [&""; 0]);
    }

    #[test]
    fn every_language_has_every_sentence() {
        assert_eq!(faults(&named(SENTENCES)), [""; 0]);
        for language in Language::ALL {
            assert_eq!(language.speaking(|| plain("frame-language")), language.name());
        }
        assert_eq!(variables(ENGLISH)["users-found"], BTreeSet::from(["count"]));
    }

    /// What a template says of itself would be said in one language alone.
    #[test]
    fn templates_have_no_words_of_their_own() {
        fn outside(text: &str, start: &str, end: &str) -> String {
            let mut parts = text.split(start);
            let first = parts.next().unwrap().to_owned();
            let rest = parts.map(|part| part.split_once(end).map_or("", |(_, rest)| rest));
            rest.fold(first, |all, rest| all + " " + rest)
        }
        fn walk(dir: &Path, seen: &mut usize) {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, seen);
                    continue;
                }
                let mut text = std::fs::read_to_string(&path).unwrap();
                for (start, end) in [("{#", "#}"), ("{%", "%}"), ("{{", "}}"), ("<", ">"), ("&", ";")] {
                    text = outside(&text, start, end);
                }
                let words: Vec<_> = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
                assert_eq!(words, [""; 0], "{}", path.display());
                *seen += 1;
            }
        }
        let mut seen = 0;
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), &mut seen);
        assert!(seen > 20, "{seen}");
    }

    #[test]
    fn another_language_says_the_same_otherwise() {
        let said = || say("unlock-answers-wrong", &[("count", 1.into())]);
        assert_eq!(said(), "The answers are not right. 1 try is left.");
        assert_eq!(Language::German.speaking(said), "Die Antworten sind nicht richtig. Noch 1 Versuch.");
    }

    #[test]
    fn what_is_called_something_has_its_sentence() {
        assert!(Operation::ALL.iter().all(|operation| has(&format!("card-operation-{}", operation.name()))));
        assert!(Privilege::ALL.iter().all(|privilege| has(&privilege.word())));
        assert!(CardState::ALL.iter().all(|state| has(state.word())));
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(say("users-found", &[("count", 1.into())]), "1 user");
        assert_eq!(say("users-found", &[("count", 2.into())]), "2 users");
        assert_eq!(say("users-found", &[("count", 0.into())]), "Nobody found");
    }

    #[test]
    fn a_text_from_the_right_stays_in_its_place() {
        let said = say("user-policy", &[("name", text("\u{202E}\u{05E9}\u{2069}"))]);
        assert_eq!(said, "Policy \u{2068}\u{05E9}\u{2069}");
    }
}
