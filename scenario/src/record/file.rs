//! Steps and cards of a recording as text.

use super::card::Card;
use cardlab_vreader::session::Began;
use cardlab_vreader::trace::decode;
use cardlab_vreader::{Secrets, Snapshot, Whereabouts};
use std::fmt;

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A number or a truth, as it stands.
    Bare(String),
    /// A text.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bare(bare) => f.write_str(bare),
            Self::Text(text) => f.write_str(&quoted(text)),
        }
    }
}

/// A step.
#[derive(Clone, Debug)]
pub(super) struct Line {
    card: String,
    action: &'static str,
    fields: Vec<(&'static str, Value)>,
    /// What it is, for people.
    pub(super) comment: String,
    /// What must hold afterwards.
    pub(super) expect: Vec<(&'static str, Value)>,
    save: Option<String>,
    /// Whether a later step uses what it saves.
    needed: bool,
}

impl Line {
    pub(super) fn new(card: &str, action: &'static str, fields: Vec<(&'static str, Value)>) -> Self {
        let (comment, expect) = (String::new(), Vec::new());
        Self { card: card.to_owned(), action, fields, comment, expect, save: None, needed: true }
    }

    /// The answer that a command must have again.
    pub(super) fn expect_answer(&mut self, status: Option<[u8; 2]>) {
        self.expect = match status {
            // Whatever it was that could not be read on.
            None => vec![("error", Value::Text(String::new()))],
            // The rest is fetched.
            Some([0x61, _]) => vec![("status", Value::Text("9000".into()))],
            Some([one, two]) => vec![("status", Value::Text(format!("{one:02X}{two:02X}")))],
        };
    }

    /// Keeps what it gives, in case somebody uses it.
    pub(super) fn save(&mut self, name: &str) {
        (self.save, self.needed) = (Some(name.to_owned()), false);
    }

    pub(super) fn saves(&self, name: &str) -> bool {
        self.save.as_deref() == Some(name)
    }

    pub(super) const fn need(&mut self) {
        self.needed = true;
    }

    pub(super) const fn is_needed(&self) -> bool {
        self.needed
    }

    pub(super) fn is_of(&self, card: &str) -> bool {
        self.card == card && self.action == "send"
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\n")?;
        if !self.comment.is_empty() {
            writeln!(f, "# {}", one_line(&self.comment))?;
        }
        writeln!(f, "[[step]]\ndo = {}\ncard = {}", quoted(self.action), quoted(&self.card))?;
        for (name, value) in &self.fields {
            writeln!(f, "{name} = {value}")?;
        }
        if !self.expect.is_empty() {
            let expect: Vec<String> = self.expect.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            writeln!(f, "expect = {{ {} }}", expect.join(", "))?;
        }
        match &self.save {
            Some(name) => writeln!(f, "save = {}", quoted(name)),
            None => Ok(()),
        }
    }
}

/// The table of a card.
pub(super) fn table(card: &Card, began: &Began, snapshot: &Snapshot) -> Result<String, String> {
    let memory = snapshot.write(&Secrets::Clear).map_err(|error| error.to_string())?;
    let inserted = if began.whereabouts == Whereabouts::Out { "inserted = false\n" } else { "" };
    // Nothing in a snapshot needs three of these in a row; if something did, it would be one long line.
    let memory = if memory.contains("'''") { quoted(&memory) } else { format!("'''\n{memory}'''") };
    Ok(format!(
        "\n# In reader {}\n[card.{}]\nstate = \"unknown\"\n{inserted}snapshot = {memory}\n",
        one_line(&began.reader),
        card.name
    ))
}

/// A text as TOML has it, on one line.
pub(super) fn quoted(text: &str) -> String {
    let escaped = |c: char| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        c if c.is_control() => format!("\\u{:04X}", c as u32),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

/// A comment.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A command: header, then the rest.
pub(super) fn spelled(command: &[u8]) -> String {
    let (header, rest) = command.split_at(command.len().min(4));
    if rest.is_empty() { hex::encode_upper(header) } else { format!("{} {}", hex::encode_upper(header), hex::encode_upper(rest)) }
}

/// A command with a part of it by a name.
pub(super) fn with_value(command: &[u8], part: &[u8], name: &str) -> String {
    let place = command.windows(part.len().max(1)).position(|window| window == part);
    let Some(place) = place else { return spelled(command) };
    let (before, after) = (&command[..place], &command[place + part.len()..]);
    let after = if after.is_empty() { String::new() } else { format!(" {}", hex::encode_upper(after)) };
    format!("{} ${name}{after}", spelled(before))
}

/// What a command was, and what came of it.
pub(super) fn comment(number: u64, command: &[u8], continues: bool, response: Option<&[u8]>) -> String {
    let outcome = response.map_or_else(|| "no answer".to_owned(), decode::outcome);
    format!("{number:04} {}: {outcome}", decode::describe(command, continues))
}
