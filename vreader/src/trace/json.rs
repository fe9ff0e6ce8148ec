//! Records as JSON lines.
//!
//! ```json
//! {"n":1,"at":0.001,"card":"gids","event":"power on","atr":"3B.."}
//! {"n":1,"at":0.002,"card":"gids","command":"00200080","response":"63C3","name":"VERIFY, status of PIN","meaning":".."}
//! ```
//! What was inside messages of a secure channel stands as `inside`, where PINs and keys are shown.
//! `took` is how long the card worked, in seconds, and `program` who sent the command, where that is known.
//! A masked command or answer stands as `command_masked` or `response_masked`, with what may be seen.

use super::decode::{Masks, outcome};
use super::{Inside, Record, What, join, text};
use serde_json::{Map, Value, json};
use std::time::Duration;
use zeroize::Zeroizing;

/// One line. PINs and keys are masked unless `secrets`.
#[must_use]
pub fn write(record: &Record, secrets: bool) -> String {
    format!("{}\n", value(record, secrets))
}

/// As [`write()`], as a value.
#[must_use]
pub fn value(record: &Record, secrets: bool) -> Value {
    let mut line = Map::new();
    let mut put = |name: &str, value: Value| drop(line.insert(name.to_owned(), value));
    put("n", json!(record.number));
    put("at", json!(record.at.as_secs_f64()));
    put("card", json!(&*record.card));
    if let Some(took) = record.took {
        put("took", json!(took.as_secs_f64()));
    }
    if let Some(program) = &record.program {
        put("program", json!(&**program));
    }
    match &record.what {
        What::Event { text, atr } => {
            put("event", json!(text));
            if !atr.is_empty() {
                put("atr", json!(hex::encode_upper(atr)));
            }
        }
        What::Exchange { command, response, inside, continues } => {
            let masks = if secrets { Masks::NONE } else { Masks::of(command, *continues) };
            match masks.hides_command(command) {
                true => put("command_masked", json!(masks.command(command))),
                false => put("command", json!(hex::encode_upper(command))),
            }
            put("name", json!(masks.describe(command)));
            match response {
                None => put("response", Value::Null),
                Some(response) => {
                    match masks.hides_response(response) {
                        true => put("response_masked", json!(masks.response(response))),
                        false => put("response", json!(hex::encode_upper(response))),
                    }
                    put("meaning", json!(outcome(response)));
                }
            }
            if let Some(Inside { command, response }) = inside.as_ref().filter(|_| secrets) {
                let hex = |bytes: &[u8]| hex::encode_upper(bytes);
                let (name, meaning) = (Masks::NONE.describe(command), outcome(response));
                put("inside", json!({"command": hex(command), "response": hex(response), "name": name, "meaning": meaning}));
            }
        }
    }
    Value::Object(line)
}

/// One line. The parser's own place in it is a column of a line that is told already.
fn parsed(line: &str) -> Result<Value, String> {
    serde_json::from_str(line).map_err(|error| {
        if error.is_eof() {
            return "it ends in the middle: the recording is cut off here; without this line it can be read".into();
        }
        format!("no JSON: {error}")
    })
}

/// Reads lines back.
///
/// # Errors
/// A sentence with the line; masked exchanges cannot be read back.
pub fn read(text: &str) -> Result<Vec<Record>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |line: &str| record(&parsed(line)?);
    let records: Result<_, _> =
        lines.map(|(index, line)| read(line).map_err(|why| format!("line {}: {why}", index + 1))).collect();
    records.map(join)
}

fn inside(value: &Value) -> Result<Inside, String> {
    let bytes = |name: &str| {
        let bytes = value[name].as_str().and_then(|digits| hex::decode(digits).ok());
        bytes.map(Zeroizing::new).ok_or_else(|| format!("'{name}' of 'inside' is not hexadecimal"))
    };
    Ok(Inside { command: bytes("command")?, response: bytes("response")? })
}

/// The lines as they stand.
///
/// # Errors
/// A sentence with the line.
pub(super) fn values(text: &str) -> Result<Vec<Value>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| parsed(line).map_err(|why| format!("line {}: {why}", index + 1))).collect()
}

/// The lines for people; masked exchanges stay masked.
///
/// # Errors
/// A sentence with the line.
pub(super) fn shown(text: &str) -> Result<Vec<String>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let shown = |line: &str| {
        let line = parsed(line)?;
        // What is whole is looked at as it is when it is read back, and named anew.
        if is_masked(&line) { masked(&line) } else { Ok(text::write(&record(&line)?, true)) }
    };
    lines.map(|(index, line)| shown(line).map_err(|why| format!("line {}: {why}", index + 1))).collect()
}

fn is_masked(value: &Value) -> bool {
    value.get("command_masked").is_some() || value.get("response_masked").is_some()
}

/// A masked exchange: only what a line for people has, and nothing in it that a terminal acts on.
fn masked(value: &Value) -> Result<String, String> {
    let mut line = Map::new();
    line.insert("n".into(), value["n"].as_u64().ok_or_else(|| missing("n"))?.into());
    for name in ["card", "command", "command_masked", "name", "response", "response_masked", "meaning"] {
        if let Some(text) = value[name].as_str() {
            let text: String = text.chars().filter(|c| !c.is_control()).collect();
            line.insert(name.into(), text.into());
        }
    }
    for one_of in [["card", "card"], ["command", "command_masked"]] {
        if !one_of.iter().any(|name| line.contains_key(*name)) {
            return Err(missing(one_of[0]));
        }
    }
    Ok(format!("{}\n", text::lines(&Value::Object(line))))
}

fn missing(name: &str) -> String {
    format!("no record of a trace: '{name}' is missing")
}

fn record(value: &Value) -> Result<Record, String> {
    let bytes = |name: &str| -> Result<Vec<u8>, String> {
        let digits = value[name].as_str().ok_or_else(|| missing(name))?;
        hex::decode(digits).map_err(|_| format!("'{name}' is not hexadecimal"))
    };
    let what = if let Some(text) = value["event"].as_str() {
        let atr = if value["atr"].is_null() { Vec::new() } else { bytes("atr")? };
        What::Event { text: text.to_owned(), atr }
    } else if is_masked(value) {
        return Err("the exchange is masked: record with --trace-secrets to read it back".into());
    } else {
        let response = if value["response"].is_null() { None } else { Some(Zeroizing::new(bytes("response")?)) };
        let inside = value.get("inside").map(inside).transpose()?;
        What::Exchange { command: Zeroizing::new(bytes("command")?), response, inside, continues: false }
    };
    let at = value["at"].as_f64().and_then(|at| Duration::try_from_secs_f64(at).ok()).ok_or_else(|| missing("at"))?;
    Ok(Record {
        number: value["n"].as_u64().ok_or_else(|| missing("n"))?,
        at,
        card: value["card"].as_str().ok_or_else(|| missing("card"))?.into(),
        took: value["took"].as_f64().and_then(|took| Duration::try_from_secs_f64(took).ok()),
        program: value["program"].as_str().map(Into::into),
        what,
    })
}
