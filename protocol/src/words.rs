//! Sentences for people, a file a language, in Fluent's syntax (projectfluent.org), and in which language they are said.
//! Every file has all sentences: another language is another file, and a [`Language`] more.

mod language;

pub use language::{Language, Languages, named};

use fluent_bundle::FluentResource;
use fluent_bundle::concurrent::FluentBundle;
pub use fluent_bundle::{FluentArgs, FluentValue};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use unic_langid::LanguageIdentifier;

/// The sentences of one language.
pub struct Words(FluentBundle<FluentResource>);

impl Words {
    /// Of a file that is part of a program; its faults are found by the tests ([`faults`]).
    #[must_use]
    pub fn of(language: &str, sentences: &str) -> Self {
        let language: LanguageIdentifier = language.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        bundle.set_use_isolating(false);
        let sentences = FluentResource::try_new(sentences.into()).unwrap_or_else(|(whole, _)| whole);
        bundle.add_resource_overriding(sentences);
        Self(bundle)
    }

    /// Whether there is a sentence of this name.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.0.has_message(key)
    }

    /// A sentence by its name, with its variables; none where there is none of this name.
    #[must_use]
    pub fn say<'a>(&'a self, key: &str, values: &'a FluentArgs<'a>) -> Option<Cow<'a, str>> {
        let pattern = self.0.get_message(key)?.value()?;
        let mut faults = Vec::new();
        let said = self.0.format_pattern(pattern, Some(values), &mut faults);
        debug_assert!(faults.is_empty(), "{key}: {faults:?}");
        Some(said)
    }

    /// As [`Words::say`]; a name that there is not is said as it is.
    #[must_use]
    pub fn say_or_name(&self, key: &str, values: &FluentArgs<'_>) -> String {
        let said = self.say(key, values);
        debug_assert!(said.is_some(), "no sentence {key}");
        said.map_or_else(|| key.to_owned(), Cow::into_owned)
    }
}

/// Names of the sentences of a file, in order.
#[must_use]
pub fn names(sentences: &str) -> Vec<&str> {
    let begin = |line| str::split_once(line, " =").map(|(name, _)| name);
    sentences.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase())).filter_map(begin).collect()
}

/// The variables of each sentence of a file, by its name.
#[must_use]
pub fn variables(sentences: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut all = BTreeMap::new();
    let mut name = "";
    for line in sentences.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with(|c: char| c.is_ascii_lowercase()) {
            name = line.split_once(" =").map_or(line, |(name, _)| name);
        }
        let found = line.split('$').skip(1).filter_map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric()).next());
        all.entry(name).or_insert_with(BTreeSet::new).extend(found);
    }
    all
}

/// What is wrong with files of sentences, the first of which is the measure: what cannot be read, a name that is there twice, and
/// another name or another variable than in the first. Nothing where each has all.
#[must_use]
pub fn faults(languages: &[(&str, &str)]) -> Vec<String> {
    let mut faults = Vec::new();
    let Some((_, first)) = languages.first() else { return faults };
    for (language, sentences) in languages {
        if let Err((_, unread)) = FluentResource::try_new((*sentences).into()) {
            faults.extend(unread.iter().map(|fault| format!("{language}: {fault}")));
        }
        let own = names(sentences);
        let once: BTreeSet<_> = own.iter().collect();
        if once.len() != own.len() {
            faults.push(format!("{language}: a sentence is there twice"));
        }
        let (measure, found) = (variables(first), variables(sentences));
        let missing =
            measure.keys().filter(|name| !found.contains_key(*name)).map(|name| format!("{language}: {name} is missing"));
        let more =
            found.keys().filter(|name| !measure.contains_key(*name)).map(|name| format!("{language}: {name} is no sentence"));
        let others = measure.iter().filter(|(name, variables)| found.get(*name).is_some_and(|found| found != *variables));
        faults.extend(missing.chain(more).chain(others.map(|(name, _)| format!("{language}: {name} has other variables"))));
        if faults.is_empty() && own != names(first) {
            faults.push(format!("{language}: the sentences stand in another order"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_lacks_something_is_found() {
        const ENGLISH: &str = "one = A { $count } card\ntwo =\n    { $count ->\n        [one] a\n       *[other] b\n    }\n";
        assert_eq!(faults(&[("en", ENGLISH), ("de", ENGLISH)]), [""; 0]);
        for (other, fault) in [
            ("one = Eine { $count }\n", "two is missing"),
            ("one = Eine { $name }\ntwo = { $count }\n", "one has other variables"),
            ("one = { $count }\ntwo = { $count }\nthree = x\n", "three is no sentence"),
            ("one = { $count }\none = { $count }\ntwo = { $count }\n", "is there twice"),
            ("two = { $count }\none = { $count }\n", "another order"),
            ("one = { $count\ntwo = { $count }\n", "de: "),
        ] {
            let found = faults(&[("en", ENGLISH), ("de", other)]);
            assert!(found.iter().any(|found| found.contains(fault)), "{other}: {found:?}");
        }
    }

    #[test]
    fn a_name_that_there_is_not_is_none() {
        let words = Words::of("de", "one =\n    { $count ->\n        [one] eine\n       *[other] viele\n    }\n");
        let said = |count: i64| words.say_or_name("one", &[("count", FluentValue::from(count))].into_iter().collect());
        assert_eq!((said(1), said(2)), ("eine".into(), "viele".into()));
        assert!(words.has("one") && !words.has("two") && words.say("two", &FluentArgs::new()).is_none());
    }
}
