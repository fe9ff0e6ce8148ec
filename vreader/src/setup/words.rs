//! Splitting what people write: a comma or a colon inside double quotes separates nothing.
//!
//! ```text
//! nist-piv,name="Desk, left",9a="c:\keys, old.p12":"a:b,""c"""
//! ```
//! Quotes count where a word begins - at the start, after a comma, an equals sign, a colon or an at sign - and inside
//! them `""` is one quote. Everywhere else a quote is a character like any other.

use thiserror::Error;
use zeroize::Zeroizing;

/// Quotes that do not fit. Says nothing of the text: it may be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum QuoteError {
    /// It is not closed.
    #[error("a double quote is not closed; inside quotes \"\" stands for one")]
    Open,
    /// Something follows a closing quote.
    #[error("after a closing double quote comes a comma, a colon or the end; inside quotes \"\" stands for one")]
    After,
}

const OPENS: [char; 4] = [',', '=', ':', '@'];

/// The parts of `text` between separators outside quotes, with their quotes.
pub(super) fn split(text: &str, separator: char) -> Result<Vec<&str>, QuoteError> {
    let (mut parts, mut begin, mut inside, mut before) = (Vec::new(), 0, false, None);
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        if inside {
            match (character, next) {
                ('"', Some('"')) => {
                    characters.next();
                }
                ('"', None | Some(',' | ':')) => inside = false,
                ('"', Some(_)) => return Err(QuoteError::After),
                _ => {}
            }
        } else if character == '"' && before.is_none_or(|before| OPENS.contains(&before)) {
            inside = true;
        } else if character == separator {
            parts.push(&text[begin..at]);
            begin = at + separator.len_utf8();
        }
        before = Some(character);
    }
    parts.push(&text[begin..]);
    if inside { Err(QuoteError::Open) } else { Ok(parts) }
}

/// A word without its quotes.
#[derive(Clone)]
pub(super) struct Word {
    /// What it says.
    pub(super) text: Zeroizing<String>,
    /// Whether it stood in quotes: then it is never a keyword.
    pub(super) quoted: bool,
}

impl Word {
    /// The word of a part.
    pub(super) fn of(part: &str) -> Self {
        match part.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(inner) => Self { text: Zeroizing::new(inner.replace("\"\"", "\"")), quoted: true },
            None => Self { text: Zeroizing::new(part.to_owned()), quoted: false },
        }
    }

    /// What it says, where it may be a keyword.
    pub(super) fn keyword(&self) -> Option<&str> {
        (!self.quoted).then_some(self.text.as_str())
    }
}

/// `text` as one word, in quotes where it needs them.
#[must_use]
pub(super) fn quote(text: &str) -> String {
    if text.contains([',', ':', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn separators_in_quotes_separate_nothing() {
        assert_eq!(split(r#"a,name="b, c",9a="d,e":"f:g""#, ',').unwrap(), ["a", r#"name="b, c""#, r#"9a="d,e":"f:g""#]);
        assert_eq!(split(r#""d,e":"f:g":h"#, ':').unwrap(), [r#""d,e""#, r#""f:g""#, "h"]);
        assert_eq!(split(r#"9a=k.p12:pa"ss"#, ',').unwrap(), [r#"9a=k.p12:pa"ss"#], "a quote inside a word is a character");
        assert_eq!(split(r#"@"a,b",name=c"#, ',').unwrap(), [r#"@"a,b""#, "name=c"]);
    }

    #[test]
    fn quotes_that_do_not_fit_are_refused_without_repeating_them() {
        assert_eq!(split(r#"9a="k.p12:secret"#, ','), Err(QuoteError::Open));
        assert_eq!(split(r#"9a="k.p12"secret"#, ','), Err(QuoteError::After));
        assert!(!QuoteError::Open.to_string().contains("secret"));
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(words in proptest::collection::vec("[a-z,:\"= ]{1,8}", 1..5)) {
            // A word that begins with an opener of its own is quoted whenever it matters.
            let text = words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(":");
            let parts = split(&text, ':').unwrap();
            let again: Vec<String> = parts.iter().map(|part| Word::of(part).text.to_string()).collect();
            prop_assert_eq!(again, words);
        }

        #[test]
        fn any_text_is_split_or_refused(text in ".{0,60}") {
            if let Ok(parts) = split(&text, ',') {
                prop_assert_eq!(parts.join(","), text);
            }
        }
    }
}
