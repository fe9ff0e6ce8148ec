//! The languages of what is shown, and in which of them it is said now: a page is in the language that its reader's browser likes, all
//! else in the first.

use super::Words;
#[cfg(feature = "http")]
use http::header::{self, HeaderMap, HeaderValue};
use std::cell::Cell;
use std::pin::pin;

thread_local! {
    /// Of what is being said on this thread.
    static SPOKEN: Cell<Language> = const { Cell::new(Language::English) };
}

/// A language that pages and screens are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// That of terminals, scenarios and whatever programs read.
    English,
    /// The other.
    German,
}

impl Language {
    /// All of them. The first is for whoever likes none of them.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// As browsers name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// What a browser likes best of ours, by its `Accept-Language` (RFC 9110, section 12.5.4): `de-CH, fr;q=0.9` is German.
    #[must_use]
    pub fn liked(header: &str) -> Self {
        let mut best = (0.0, Self::English);
        for range in header.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
            let weight = weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
            let primary = tag.split('-').next().unwrap_or_default();
            let known = Self::ALL.into_iter().find(|language| language.name().eq_ignore_ascii_case(primary));
            // Of those that are liked alike, the one that is named first.
            if let Some(language) = known.filter(|_| weight > best.0) {
                best = (weight, language);
            }
        }
        best.1
    }

    /// What the browser likes best that sends these.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn asked(headers: &HeaderMap) -> Self {
        let asked = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
        Self::liked(&asked.collect::<Vec<_>>().join(","))
    }

    /// Says of a page that it is in this language, and that another browser may get another.
    #[cfg(feature = "http")]
    pub fn tell(self, headers: &mut HeaderMap) {
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(self.name()));
        headers.append(header::VARY, HeaderValue::from_static("accept-language"));
    }

    /// What is said on this thread now.
    #[must_use]
    pub fn now() -> Self {
        SPOKEN.get()
    }

    /// Says something in this language.
    pub fn speaking<T>(self, say: impl FnOnce() -> T) -> T {
        /// Puts back what was spoken before, also when the saying of it fails.
        struct Before(Language);
        impl Drop for Before {
            fn drop(&mut self) {
                SPOKEN.set(self.0);
            }
        }
        let _before = Before(SPOKEN.replace(self));
        say()
    }

    /// Does something of a request that is answered in this language, on whichever threads. What is done when the request is over
    /// asks [`Language::now`] before.
    pub async fn answering<T>(self, answer: impl Future<Output = T>) -> T {
        let mut answer = pin!(answer);
        std::future::poll_fn(move |context| self.speaking(|| answer.as_mut().poll(context))).await
    }
}

/// The same sentences in all languages.
pub struct Languages([Words; Language::ALL.len()]);

impl Languages {
    /// Of files that are part of a program, in the order of [`Language::ALL`].
    #[must_use]
    pub fn of(sentences: [&str; Language::ALL.len()]) -> Self {
        Self(named(sentences).map(|(name, sentences)| Words::of(name, sentences)))
    }

    /// Those of the language that is spoken.
    #[must_use]
    pub fn now(&self) -> &Words {
        &self.0[Language::now() as usize]
    }

    /// Those that programs read.
    #[must_use]
    pub const fn english(&self) -> &Words {
        &self.0[0]
    }
}

/// Files of sentences with the names of their languages, as [`super::faults`] takes them.
#[must_use]
pub fn named(sentences: [&str; Language::ALL.len()]) -> [(&'static str, &str); Language::ALL.len()] {
    let mut languages = Language::ALL.into_iter();
    sentences.map(|sentences| (languages.next().map_or("", Language::name), sentences))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::FluentArgs;
    use proptest::prelude::*;

    #[test]
    fn a_browser_gets_what_it_likes_best() {
        for (header, name) in [
            ("", "en"),
            ("de", "de"),
            ("de-CH", "de"),
            ("DE-at;q=0.5", "de"),
            ("de-DE,de;q=0.9,en;q=0.8", "de"),
            ("en-US,en;q=0.9,de;q=0.8", "en"),
            ("fr, de;q=0.7, en;q=0.3", "de"),
            ("fr;q=1, en;q=0.2, de;q=0.4", "de"),
            ("de;q=0, en", "en"),
            ("de;q=0", "en"),
            ("de;q=nothing", "en"),
            ("den, denim-DE", "en"),
            ("*, de;q=0.5", "de"),
            (",,;;q=,de", "de"),
        ] {
            assert_eq!(Language::liked(header).name(), name, "{header:?}");
        }
        assert_eq!(Language::ALL.map(|language| Language::liked(language.name())), Language::ALL);
    }

    proptest! {
        #[test]
        fn any_header_is_some_language(header in "\\PC*|([a-z]{1,3}(-[A-Z]{2})?(;q=[0-9.]{0,6})?,? ?){0,9}") {
            prop_assert!(Language::ALL.contains(&Language::liked(&header)));
        }
    }

    #[cfg(feature = "http")]
    #[test]
    fn a_request_names_its_languages_in_one_header_or_in_several() {
        let mut headers = HeaderMap::new();
        assert_eq!(Language::asked(&headers), Language::English);
        for part in ["fr", "de;q=0.9, en;q=0.1"] {
            headers.append(header::ACCEPT_LANGUAGE, HeaderValue::from_static(part));
        }
        assert_eq!(Language::asked(&headers), Language::German);
        Language::German.tell(&mut headers);
        assert_eq!(
            (&headers[header::CONTENT_LANGUAGE], &headers[header::VARY]),
            (&"de".parse().unwrap(), &"accept-language".parse().unwrap())
        );
    }

    #[test]
    fn what_was_spoken_before_is_spoken_again() {
        let words = Languages::of(["cancel = Cancel\n", "cancel = Abbrechen\n"]);
        let cancel = || words.now().say_or_name("cancel", &FluentArgs::new());
        let inside = Language::German.speaking(|| (cancel(), Language::English.speaking(cancel), cancel()));
        assert_eq!(inside, ("Abbrechen".into(), "Cancel".into(), "Abbrechen".into()));
        assert!(std::panic::catch_unwind(|| Language::German.speaking(|| panic!("in German"))).is_err());
        assert_eq!(cancel(), "Cancel");
        assert_eq!(Language::German.speaking(|| words.english().say_or_name("cancel", &FluentArgs::new())), "Cancel");
    }

    /// Two answers on one thread, each of which waits for the other.
    #[test]
    fn what_waits_is_said_in_its_language_still() {
        use std::task::{Context, Poll, Waker};
        let twice = || async {
            let before = Language::now();
            let mut waited = false;
            std::future::poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
            (before, Language::now())
        };
        let mut german = pin!(Language::German.answering(twice()));
        let mut english = pin!(Language::English.answering(twice()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(german.as_mut().poll(&mut context).is_pending() && english.as_mut().poll(&mut context).is_pending());
        assert_eq!(Language::now(), Language::English);
        assert_eq!(english.poll(&mut context), Poll::Ready((Language::English, Language::English)));
        assert_eq!(german.poll(&mut context), Poll::Ready((Language::German, Language::German)));
    }
}
