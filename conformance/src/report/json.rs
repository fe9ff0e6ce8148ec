//! A report as JSON: one object with `format`, `target`, `seed`, `records` and `afterwards`; see [`Report`],
//! [`crate::report::Record`] and [`crate::report::Afterwards`] for the fields.

use super::{FORMAT, Report};
use thiserror::Error;

/// Why a text is no report.
#[derive(Debug, Error)]
pub enum JsonError {
    /// Not JSON of this form.
    #[error("this is no report of a conformance run")]
    Form(#[from] serde_json::Error),
    /// Of another version.
    #[error("the report has format {0}; this version reads formats 1 to {FORMAT}")]
    Version(u32),
}

/// Writes a report.
#[must_use]
pub fn write(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads one.
///
/// # Errors
/// [`JsonError`] names the line.
pub fn read(text: &str) -> Result<Report, JsonError> {
    #[derive(serde::Deserialize)]
    struct Version {
        format: u32,
    }
    let version: Version = serde_json::from_str(text)?;
    if !(1..=FORMAT).contains(&version.format) {
        return Err(JsonError::Version(version.format));
    }
    Ok(serde_json::from_str(text)?)
}
