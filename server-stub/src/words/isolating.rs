//! Texts that people have chosen stay where they stand on a page, whichever way they are read (Unicode Standard Annex 9, sections
//! 2.2 to 2.4). Templates write everything through [`Isolating`] (`askama.toml`), so that no page forgets it; only what stands
//! in a field to be changed is as it was typed, and a field is a place of its own.

use askama::filters::{Escaper, Html};
use std::borrow::Cow;
use std::fmt::{self, Write};

const BEGIN: char = '\u{2068}';
const END: char = '\u{2069}';

/// A text without what turns the direction of what comes after it; in a place of its own if it is read from the right.
pub(crate) fn isolated(text: &str) -> String {
    let own: String = text.chars().filter(|c| !is_direction(*c)).collect();
    if own.chars().any(is_read_from_right) { format!("{BEGIN}{own}{END}") } else { own }
}

/// As [`isolated`], of a text that may be a sentence with such texts in it: they keep their places.
fn among_others(text: &str) -> Cow<'_, str> {
    // What comes before has neither letters that are read from the right, nor signs of direction.
    if !text.contains(|c| c >= '\u{0590}') {
        return Cow::Borrowed(text);
    }
    let mut own = String::with_capacity(text.len());
    let mut begun = Vec::new();
    let mut bare = false;
    for c in text.chars() {
        match c {
            BEGIN => begun.push(own.len()),
            END if begun.pop().is_none() => continue,
            END => {}
            c if is_direction(c) => continue,
            c => bare |= begun.is_empty() && is_read_from_right(c),
        }
        own.push(c);
    }
    // Places that do not end.
    for at in begun.into_iter().rev() {
        bare |= own[at..].contains(is_read_from_right);
        own.remove(at);
    }
    Cow::Owned(if bare { format!("{BEGIN}{own}{END}") } else { own })
}

/// Characters that turn the direction of what comes after them.
pub(crate) fn is_direction(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether it belongs to a script that is read from the right, by Unicode's blocks.
fn is_read_from_right(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// How templates write a text: as HTML, in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Isolating;

impl Escaper for Isolating {
    fn write_escaped_str<W: Write>(&self, to: W, text: &str) -> fmt::Result {
        Html.write_escaped_str(to, &among_others(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_in_its_place_among_others() {
        for (text, shown) in [
            ("Anna Berg", "Anna Berg"),
            ("Ægir – 5 €", "Ægir – 5 €"),
            ("\u{202E}cilbup", "cilbup"),
            ("שרה", "\u{2068}שרה\u{2069}"),
            ("\u{2067}שרה", "\u{2068}שרה\u{2069}"),
            ("Policy \u{2068}שרה\u{2069}", "Policy \u{2068}שרה\u{2069}"),
            ("שרה \u{2068}a", "\u{2068}שרה a\u{2069}"),
            ("a \u{2068}שרה", "\u{2068}a שרה\u{2069}"),
            ("a\u{2069}b", "ab"),
        ] {
            assert_eq!(among_others(text), shown, "{text:?}");
            // Whatever writes it again.
            assert_eq!(among_others(shown), shown, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_begins_ends_in_its_text(text in "[ab\u{05E9}\u{202A}-\u{202E}\u{2066}-\u{2069}\u{200F}]{0,12}") {
            let shown = among_others(&text);
            let mut depth = 0;
            for c in shown.chars() {
                depth += i32::from(c == BEGIN) - i32::from(c == END);
                proptest::prop_assert!(depth >= 0 && (c == BEGIN || c == END || !is_direction(c)), "{shown:?}");
                proptest::prop_assert!(depth > 0 || !is_read_from_right(c), "{shown:?}");
            }
            proptest::prop_assert_eq!(depth, 0);
        }
    }
}
