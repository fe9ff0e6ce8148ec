//! All tests of cards and readers, in the order of their standards.

use crate::book::Book;
use crate::sections;
use crate::test::Test;

/// Adds all tests of cards and readers. Ids are different from each other.
pub fn fill(book: &mut Book) {
    sections::fill(book);
}

/// All tests of cards and readers.
#[must_use]
pub fn all() -> Vec<Test> {
    let mut book = Book::default();
    fill(&mut book);
    book.into_tests()
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
