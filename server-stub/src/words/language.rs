//! The language of a page: the one of ours that the browser likes best (RFC 9110, section 12.5.4).

use cardlab_protocol::words::liked;

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
        Self(liked(header, &LANGUAGES.map(|(name, _)| name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_spoken_for_as_long_as_it_is_chosen() {
        let german = Language::liked("de");
        assert_eq!(
            (Language::now(), german.speaking(Language::now), Language::now()),
            (Language::FIRST, german, Language::FIRST)
        );
    }
}
