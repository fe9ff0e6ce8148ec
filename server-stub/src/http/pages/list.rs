//! Lists: the address of a list is its filters, so that a page of one can be kept and handed on.

use crate::model::refusal::Refusal;
use crate::words::sentence;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use std::io;

/// Rows of a page for people.
pub(super) const ROWS: u16 = 50;

/// The address of a list.
pub(super) struct Address {
    path: &'static str,
    /// Filters and order, as the form has them.
    fields: Vec<(&'static str, String)>,
}

impl Address {
    pub(super) fn new(path: &'static str, fields: &[(&'static str, &str)]) -> Self {
        let fields = fields.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (*name, (*text).to_owned()));
        Self { path, fields: fields.collect() }
    }

    /// Whether something is asked for.
    pub(super) fn is_narrowed(&self) -> bool {
        self.fields.iter().any(|(name, _)| *name != "sort")
    }

    /// With another order: the same column once more is the other way round.
    pub(super) fn sorted(&self, column: &str) -> String {
        let now = self.fields.iter().find(|(name, _)| *name == "sort").map(|(_, text)| text.as_str());
        let to = if now == Some(column) { format!("-{column}") } else { column.to_owned() };
        self.with(self.path, &[("sort", &to)])
    }

    /// The page behind a cursor.
    pub(super) fn behind(&self, cursor: &str) -> String {
        self.with(self.path, &[("cursor", cursor)])
    }

    /// The first page.
    pub(super) fn first(&self) -> String {
        self.with(self.path, &[])
    }

    /// All of it as CSV.
    pub(super) fn csv(&self) -> String {
        self.with(&format!("{}/csv", self.path), &[])
    }

    fn with(&self, path: &str, others: &[(&str, &str)]) -> String {
        let kept = self.fields.iter().filter(|(name, _)| others.iter().all(|(other, _)| other != name));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept.map(|(name, text)| (*name, text.as_str())));
        query.extend_pairs(others.iter().copied());
        let query = query.finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

/// What a person has chosen of several; nothing is any of them.
pub(super) fn chosen<T: serde::de::DeserializeOwned>(text: &str) -> Result<Option<T>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = serde_json::from_value(text.into());
    read.map(Some).map_err(|_| Refusal::malformed(sentence!("refused-choice", text = text)))
}

/// A file of lines that come one page after the other, however many they are.
pub(super) fn csv(name: &str, lines: impl Stream<Item = Result<String, io::Error>> + Send + 'static) -> Response {
    let stream = async_stream::stream! {
        for await line in lines {
            yield line.map(Bytes::from);
        }
    };
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, disposition.as_str())];
    (headers, Body::from_stream(stream)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_what_is_asked_for() {
        let list = Address::new("/mc/cards", &[("q", "a&b=ü"), ("state", ""), ("sort", "serial")]);
        assert_eq!(list.first(), "/mc/cards?q=a%26b%3D%C3%BC&sort=serial");
        assert_eq!(list.sorted("serial"), "/mc/cards?q=a%26b%3D%C3%BC&sort=-serial");
        assert_eq!(list.sorted("label"), "/mc/cards?q=a%26b%3D%C3%BC&sort=label");
        assert_eq!(list.behind("00"), "/mc/cards?q=a%26b%3D%C3%BC&sort=serial&cursor=00");
        assert_eq!(list.csv(), "/mc/cards/csv?q=a%26b%3D%C3%BC&sort=serial");
        assert_eq!(Address::new("/mc", &[]).first(), "/mc");
        assert!(!Address::new("/mc", &[("sort", "name")]).is_narrowed() && list.is_narrowed());
    }
}
