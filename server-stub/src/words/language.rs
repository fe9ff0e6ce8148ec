//! The language of a page: the one of ours that the browser likes best (RFC 9110, section 12.5.4).

/// The languages that pages have, as browsers name them, and their sentences. The first has every sentence.
pub(crate) const LANGUAGES: [(&str, &str); 2] =
    [("en", include_str!("../../words/en.ftl")), ("de", include_str!("../../words/de.ftl"))];

tokio::task_local! {
    /// Of this request.
    static SPOKEN: Language;
}

/// One of [`LANGUAGES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Language(usize);

impl Language {
    const FIRST: Self = Self(0);

    /// Of the request that is answered here; the first where there is none.
    pub(crate) fn now() -> Self {
        SPOKEN.try_with(|language| *language).unwrap_or(Self::FIRST)
    }

    /// As browsers name it.
    pub(crate) const fn name(self) -> &'static str {
        LANGUAGES[self.0].0
    }

    /// Its place in [`LANGUAGES`].
    pub(crate) const fn place(self) -> usize {
        self.0
    }

    /// Does something that is said in this language, where the request is over.
    pub(crate) fn speaking<T>(self, say: impl FnOnce() -> T) -> T {
        SPOKEN.sync_scope(self, say)
    }

    /// Does something of a request that is answered in this language.
    pub(crate) async fn answering<T>(self, answer: impl Future<Output = T>) -> T {
        SPOKEN.scope(self, answer).await
    }

    /// What a browser likes best of ours: `de-CH, fr;q=0.9` is German. One that likes none of them gets the first.
    pub(crate) fn liked(header: &str) -> Self {
        let mut best = (0.0, Self::FIRST);
        for range in header.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
            let weight = weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
            let primary = tag.split('-').next().unwrap_or_default();
            let known = LANGUAGES.iter().position(|(name, _)| name.eq_ignore_ascii_case(primary));
            // Of those that are liked alike, the one that is named first.
            if let Some(place) = known.filter(|_| weight > best.0) {
                best = (weight, Self(place));
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            assert_eq!(LANGUAGES[Language::liked(header).place()].0, name, "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_some_language(header in "\\PC*|([a-z]{1,3}(-[A-Z]{2})?(;q=[0-9.]{0,6})?,? ?){0,9}") {
            prop_assert!(Language::liked(&header).place() < LANGUAGES.len());
        }
    }

    #[test]
    fn it_is_spoken_for_as_long_as_it_is_chosen() {
        let german = Language::liked("de");
        assert_eq!(
            (Language::now(), german.speaking(Language::now), Language::now()),
            (Language::FIRST, german, Language::FIRST)
        );
    }
}
