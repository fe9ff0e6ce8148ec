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

/// The form above a list. It has fields for some of the filters; the others of the address, and the order, go along unseen, so
/// that none is lost when the form is sent.
pub(super) struct Search {
    pub(super) path: &'static str,
    /// Name of the button's sentence.
    pub(super) button: &'static str,
    pub(super) fields: Vec<Field>,
    pub(super) is_narrowed: bool,
    asked: Vec<(&'static str, String)>,
}

/// A filter that is seen.
pub(super) struct Field {
    pub(super) name: &'static str,
    /// Name of its sentence.
    pub(super) label: &'static str,
    /// What is asked for now.
    pub(super) text: String,
    pub(super) kind: FieldKind,
    pub(super) is_wide: bool,
    /// Whether one begins to type here.
    pub(super) is_first: bool,
}

/// What a filter is.
pub(super) enum FieldKind {
    Words,
    Day,
    /// Values with their titles.
    OneOf(Vec<(String, String)>),
}

impl Search {
    /// Of the list at this address, without fields.
    pub(super) fn of(address: &Address, button: &'static str) -> Self {
        let is_narrowed = address.is_narrowed();
        Self { path: address.path, button, fields: Vec::new(), is_narrowed, asked: address.fields.clone() }
    }

    /// With a field for words.
    pub(super) fn words(self, name: &'static str, label: &'static str) -> Self {
        self.field(name, label, FieldKind::Words)
    }

    /// With a field for a day.
    pub(super) fn day(self, name: &'static str, label: &'static str) -> Self {
        self.field(name, label, FieldKind::Day)
    }

    /// With a field for one of these values, which have titles; what is asked for now is one of them, whatever it is.
    pub(super) fn one_of(
        self,
        name: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        let other = self.text(name).filter(|text| values.iter().all(|(value, _)| value != text));
        values.extend(other.map(|other| (other.to_owned(), other.to_owned())));
        self.field(name, label, FieldKind::OneOf(values))
    }

    /// With the last field over the whole width.
    pub(super) fn wide(mut self) -> Self {
        self.fields.iter_mut().rev().take(1).for_each(|field| field.is_wide = true);
        self
    }

    /// With the last field as the one in which one begins to type.
    pub(super) fn first(mut self) -> Self {
        self.fields.iter_mut().rev().take(1).for_each(|field| field.is_first = true);
        self
    }

    /// Filters that have no field, and the order.
    pub(super) fn unseen(&self) -> impl Iterator<Item = &(&'static str, String)> {
        self.asked.iter().filter(|(name, _)| self.fields.iter().all(|field| field.name != *name))
    }

    fn field(mut self, name: &'static str, label: &'static str, kind: FieldKind) -> Self {
        let text = self.text(name).unwrap_or_default().to_owned();
        self.fields.push(Field { name, label, text, kind, is_wide: false, is_first: false });
        self
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.asked.iter().find(|(asked, _)| *asked == name).map(|(_, text)| text.as_str())
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
    fn a_filter_without_a_field_goes_along() {
        let list = Address::new("/mc/cards", &[("q", "a"), ("state", "Lost"), ("policy", "p"), ("sort", "-serial")]);
        let search = Search::of(&list, "search").words("q", "cards-search").wide();
        let search = search.one_of("state", "cards-state", [("Issued".into(), "Issued".into())]);
        let seen: Vec<_> = search.fields.iter().map(|field| (field.name, field.text.as_str(), field.is_wide)).collect();
        assert_eq!(seen, [("q", "a", true), ("state", "Lost", false)]);
        assert!(matches!(&search.fields[1].kind, FieldKind::OneOf(values) if values.iter().any(|(value, _)| value == "Lost")));
        let unseen: Vec<_> = search.unseen().map(|(name, text)| (*name, text.as_str())).collect();
        assert_eq!(unseen, [("policy", "p"), ("sort", "-serial")]);
    }

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
