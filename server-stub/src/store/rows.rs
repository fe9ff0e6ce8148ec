//! Columns of rows as values, and values as columns.

use crate::model::refusal::{Code, Refusal};
use crate::words::sentence;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// A text column.
pub(super) fn text(row: &AnyRow, column: &str) -> Result<String, Refusal> {
    Ok(row.try_get(column)?)
}

/// A text column that may be NULL.
pub(super) fn optional(row: &AnyRow, column: &str) -> Result<Option<String>, Refusal> {
    Ok(row.try_get(column)?)
}

/// A number column.
pub(super) fn number(row: &AnyRow, column: &str) -> Result<i64, Refusal> {
    Ok(row.try_get(column)?)
}

/// A number column that may be NULL.
pub(super) fn optional_number(row: &AnyRow, column: &str) -> Result<Option<i64>, Refusal> {
    Ok(row.try_get(column)?)
}

/// A column of JSON that this program wrote.
pub(super) fn json<T: serde::de::DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, Refusal> {
    serde_json::from_str(&text(row, column)?)
        .map_err(|e| Refusal::new(Code::StoreDown, sentence!("refused-database-value", column = column, why = e.to_string())))
}

/// A column that has the name of one of these.
pub(super) fn named<T: Copy>(row: &AnyRow, column: &str, all: &[T], name: impl Fn(T) -> &'static str) -> Result<T, Refusal> {
    let found = text(row, column)?;
    all.iter()
        .copied()
        .find(|one| name(*one) == found)
        .ok_or_else(|| Refusal::new(Code::StoreDown, sentence!("refused-database-name", found = &found, column = column)))
}

/// A value as a column of JSON.
pub(super) fn body(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
