//! All tests, in the order of their standards.

use crate::bench::{Bench, Verdict};
use crate::sections;
use crate::test::{Danger, Level, Need, Test};

/// A section of a standard that is being filled.
pub(crate) struct Section<'a> {
    tests: &'a mut Vec<Test>,
    path: String,
    source: String,
    needs: Vec<Need>,
    danger: Danger,
}

impl Section<'_> {
    fn test(
        &mut self,
        level: Level,
        slug: &str,
        title: &str,
        body: impl Fn(&mut Bench<'_>) -> Verdict + Send + Sync + 'static,
    ) -> &mut Test {
        let id = format!("{}/{slug}", self.path);
        self.tests.push(Test::new(id, title, &self.source, level, self.needs.clone(), body));
        let last = self.tests.len() - 1;
        self.tests[last].danger(self.danger)
    }

    /// What every test of the section may do at least.
    pub(crate) fn at_least(mut self, danger: Danger) -> Self {
        self.danger = danger;
        self
    }

    /// What the standard requires.
    pub(crate) fn must(
        &mut self,
        slug: &str,
        title: &str,
        body: impl Fn(&mut Bench<'_>) -> Verdict + Send + Sync + 'static,
    ) -> &mut Test {
        self.test(Level::Must, slug, title, body)
    }

    /// What it recommends, or every client counts on.
    pub(crate) fn should(
        &mut self,
        slug: &str,
        title: &str,
        body: impl Fn(&mut Bench<'_>) -> Verdict + Send + Sync + 'static,
    ) -> &mut Test {
        self.test(Level::Should, slug, title, body)
    }

    /// What a maker's documentation says.
    pub(crate) fn profile(
        &mut self,
        slug: &str,
        title: &str,
        body: impl Fn(&mut Bench<'_>) -> Verdict + Send + Sync + 'static,
    ) -> &mut Test {
        self.test(Level::Profile, slug, title, body)
    }
}

/// Collects tests.
pub(crate) struct Book(Vec<Test>);

impl Book {
    /// A section: its path in ids, the standard's words for its place, what all of its tests need.
    pub(crate) fn section(&mut self, path: &str, source: &str, needs: &[Need]) -> Section<'_> {
        Section { tests: &mut self.0, path: path.into(), source: source.into(), needs: needs.to_vec(), danger: Danger::Safe }
    }
}

/// All tests. Ids are different from each other.
#[must_use]
pub fn all() -> Vec<Test> {
    let mut book = Book(Vec::new());
    sections::fill(&mut book);
    book.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_stable_slugs_and_unique() {
        let tests = all();
        let ids: BTreeSet<&str> = tests.iter().map(|t| t.id.as_str()).collect();
        assert_eq!(ids.len(), tests.len(), "{:?}", doubles(&tests));
        for test in &tests {
            let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-./".contains(c);
            assert!(test.id.chars().all(slug) && test.section().matches('/').count() >= 2, "{}", test.id);
            let last = test.id.rsplit('/').next().unwrap_or_default();
            assert!(!last.chars().all(|c| c.is_ascii_digit()), "{}: a number is no name", test.id);
            assert!(!test.title.ends_with('.') && test.title.len() > 8, "{}: {}", test.id, test.title);
            assert!(!test.source.is_empty());
        }
        assert!(tests.len() >= 500, "{}", tests.len());
    }

    fn doubles(tests: &[Test]) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        tests.iter().map(|t| t.id.as_str()).filter(|id| !seen.insert(*id)).collect()
    }
}
