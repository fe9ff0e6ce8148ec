//! Lists by pages: a page is a number of rows behind a cursor, so that what is added meanwhile shifts nothing.

use crate::model::refusal::Refusal;
use crate::words::sentence;
use serde::{Deserialize, Serialize};

/// Rows of a page that says nothing else.
pub const USUAL: u16 = 200;
/// Most rows of a page.
pub const MOST: u16 = 1000;

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// Its rows.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` on the last.
    pub next: Option<String>,
}

impl<T> Listed<T> {
    /// A page with nothing in it, and none behind.
    pub(crate) const fn nothing() -> Self {
        Self { items: Vec::new(), next: None }
    }

    /// A page of `rows`, which are one more than its rows when there is another page behind.
    pub(crate) fn of(mut rows: Vec<T>, limit: u16, cursor: impl Fn(&T) -> Cursor) -> Self {
        let more = rows.len() > usize::from(limit);
        rows.truncate(limit.into());
        let next = rows.last().filter(|_| more).map(|last| cursor(last).written());
        Self { items: rows, next }
    }

    /// With other rows in the same places.
    pub(crate) fn with<U>(self, items: Vec<U>) -> Listed<U> {
        Listed { items, next: self.next }
    }
}

/// The place of a row in an order: all that the order goes by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// The order, so that a cursor of another one is none.
    pub(crate) order: String,
    /// What the row has there.
    pub(crate) place: (String, String),
}

impl Cursor {
    /// As programs send it back.
    pub(crate) fn written(&self) -> String {
        hex::encode(serde_json::to_string(self).unwrap_or_default())
    }

    /// What a program has sent back, in this order.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::Malformed`].
    pub(crate) fn read(text: Option<&str>, order: &str) -> Result<Option<Self>, Refusal> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
        let read = hex::decode(text).ok().and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        let read =
            read.filter(|cursor| cursor.order == order && !cursor.place.0.contains('\0') && !cursor.place.1.contains('\0'));
        let read = read.ok_or_else(|| Refusal::malformed(sentence!("refused-cursor")))?;
        Ok(Some(read))
    }
}

/// Rows of a page.
///
/// # Errors
/// [`crate::model::refusal::Code::Malformed`] for none or too many.
pub(crate) fn limit(asked: Option<u16>, usual: u16) -> Result<u16, Refusal> {
    let limit = asked.unwrap_or(usual);
    if (1..=MOST).contains(&limit) { Ok(limit) } else { Err(Refusal::malformed(sentence!("refused-limit", most = MOST))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_of_its_list() {
        let cursor = Cursor { order: "name".into(), place: ("émile".into(), "1".into()) };
        let written = cursor.written();
        assert_eq!(Cursor::read(Some(&written), "name"), Ok(Some(cursor)));
        assert_eq!(Cursor::read(None, "name"), Ok(None));
        assert_eq!(Cursor::read(Some(""), "name"), Ok(None));
        for (text, order) in [(written.as_str(), "-name"), ("00", "name"), ("x", "name"), (&written[2..], "name")] {
            assert!(Cursor::read(Some(text), order).is_err(), "{text}");
        }
    }

    #[test]
    fn the_last_page_has_no_next() {
        let cursor = |n: &u8| Cursor { order: "n".into(), place: (n.to_string(), String::new()) };
        assert_eq!(Listed::of(vec![1, 2], 2, cursor).next, None);
        let first = Listed::of(vec![1, 2, 3], 2, cursor);
        assert_eq!((first.items, first.next), (vec![1, 2], Some(cursor(&2).written())));
        assert!(limit(Some(0), 1).is_err() && limit(Some(MOST + 1), 1).is_err() && limit(None, 7) == Ok(7));
    }
}
