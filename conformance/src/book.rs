//! How sections are written down: a book of sections, a section of tests.

use crate::bench::{Bench, Checked};
use crate::place::Place;
use crate::test::{Danger, Level, Need, Test};

/// A section of a standard that is being filled.
pub struct Section<'a> {
    tests: &'a mut Vec<Test>,
    path: String,
    source: String,
    needs: Vec<Need>,
    danger: Danger,
    writes: Vec<Place>,
}

impl Section<'_> {
    fn test(
        &mut self,
        level: Level,
        slug: &str,
        title: &str,
        body: impl Fn(&mut Bench<'_>) -> Checked + Send + Sync + 'static,
    ) -> &mut Test {
        let id = format!("{}/{slug}", self.path);
        self.tests.push(Test::new(id, title, &self.source, level, self.needs.clone(), body));
        let last = self.tests.len() - 1;
        self.tests[last].writes(&self.writes).danger(self.danger)
    }

    /// What every test of the section may do at least.
    #[must_use]
    pub fn at_least(mut self, danger: Danger) -> Self {
        self.danger = danger;
        self
    }

    /// What the section's tests write on a card that keeps the standard: said before they run. A test on a new card fails
    /// when it writes anything else.
    #[must_use]
    pub fn writes(mut self, places: impl IntoIterator<Item = Place>) -> Self {
        self.writes.extend(places);
        self
    }

    /// What the standard requires.
    pub fn must(
        &mut self,
        slug: &str,
        title: &str,
        body: impl Fn(&mut Bench<'_>) -> Checked + Send + Sync + 'static,
    ) -> &mut Test {
        self.test(Level::Must, slug, title, body)
    }

    /// What it recommends, or every client counts on.
    pub fn should(
        &mut self,
        slug: &str,
        title: &str,
        body: impl Fn(&mut Bench<'_>) -> Checked + Send + Sync + 'static,
    ) -> &mut Test {
        self.test(Level::Should, slug, title, body)
    }

    /// What a maker's documentation says.
    pub fn profile(
        &mut self,
        slug: &str,
        title: &str,
        body: impl Fn(&mut Bench<'_>) -> Checked + Send + Sync + 'static,
    ) -> &mut Test {
        self.test(Level::Profile, slug, title, body)
    }
}

/// Tests that are collected.
///
/// ```
/// use cardlab_conformance::book::Book;
///
/// let mut book = Book::default();
/// let mut section = book.section("mine/1.0/select", "my specification, section 1", &[]);
/// section.must("answers", "The card answers to SELECT", |_| Ok(()));
/// assert_eq!(book.into_tests()[0].id, "mine/1.0/select/answers");
/// ```
#[derive(Default)]
pub struct Book(Vec<Test>);

impl Book {
    /// All tests, in the order they were written down.
    #[must_use]
    pub fn into_tests(self) -> Vec<Test> {
        self.0
    }

    /// A section: its path in ids, the standard's words for its place, what all of its tests need.
    pub fn section(&mut self, path: &str, source: &str, needs: &[Need]) -> Section<'_> {
        Section {
            tests: &mut self.0,
            path: path.into(),
            source: source.into(),
            needs: needs.to_vec(),
            danger: Danger::Safe,
            writes: Vec::new(),
        }
    }
}
