//! How the Unlock tool speaks: to a person, or as JSON lines to a program.

use cardlab_client::minidriver::{CardError, Counter, PinStatus};
use cardlab_client::unlock::session::words::{self, sentence};
use cardlab_client::unlock::session::{Disturbance, Face, Notice};
use cardlab_protocol::codes::{check_code, digits, grouped};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};

#[derive(Clone, Copy)]
pub(super) struct Talk {
    pub(super) json: bool,
    /// The terminal can show bold, and the person wants it.
    bold: bool,
}

impl Talk {
    pub(super) fn new(json: bool) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|t| t == "dumb");
        Self { json, bold: !json && !no_color && !dumb && std::io::stdout().is_terminal() }
    }

    fn event(self, text: &str, value: &Value) {
        if self.json {
            println!("{value}");
        } else {
            println!("{text}");
        }
        let _ = std::io::stdout().flush();
    }

    fn strong(self, text: &str) -> String {
        if self.bold { format!("\x1b[1m{text}\x1b[0m") } else { text.into() }
    }

    /// What a person is asked; programs need no question.
    pub(super) fn ask(self, question: &str) {
        if !self.json {
            print!("{question}");
            let _ = std::io::stdout().flush();
        }
    }

    /// A security question; a person sees it where the answer is typed.
    pub(super) fn question(self, text: &str) {
        if self.json {
            println!("{}", json!({"event": "question", "text": text}));
            let _ = std::io::stdout().flush();
        }
    }

    pub(super) fn note(self, text: &str) {
        self.event(text, &json!({"event": "note", "text": text}));
    }

    pub(super) fn card(self, card: &Face, status: &PinStatus) {
        let left = |counter: Option<Counter>| counter.map(|c| c.left);
        let id = Some(&card.serial).filter(|serial| !serial.is_empty());
        let (owner, name) = (
            card.owner.as_deref().map(|owner| format!(" of {}", words::visible(owner))).unwrap_or_default(),
            id.map(|id| format!(", {id}")).unwrap_or_default(),
        );
        self.event(
            &format!("{}{owner}{name} in {}: {}", card.kind(), card.reader, pin_state(status)),
            &json!({
                "event": "card", "reader": card.reader, "kind": card.edge.name(), "card_id": id, "owner": card.owner,
                "pin_tries_left": left(status.pin), "puk_tries_left": left(status.puk), "admin_tries_left": left(status.admin),
            }),
        );
    }

    /// What has just happened. What a card refused has its reason and the tries that are left, for programs.
    pub(super) fn notice(self, notice: &Notice) {
        let text = notice.text();
        let (reason, left) = match notice {
            Notice::Card(error) => reason(error),
            Notice::ResponseWrong(left) => ("wrong", *left),
            Notice::CodeDead(Disturbance::Removed) => ("card-gone", None),
            Notice::CodeDead(_) => ("challenge-gone", None),
            _ => return self.note(&text),
        };
        self.event(&self.strong(&text), &json!({"event": "refused", "reason": reason, "tries_left": left, "text": text}));
    }

    pub(super) fn challenge(self, challenge: &[u8]) {
        let text = format!("\nChallenge data   {}   check code {}", self.strong(&grouped(challenge)), check_code(challenge));
        self.event(&text, &json!({"event": "challenge", "challenge": digits(challenge), "check": check_code(challenge)}));
    }

    /// What was typed, for comparing by telephone.
    pub(super) fn response_taken(self, response: &[u8]) {
        if !self.json {
            println!("                 {}   check code {}", grouped(response), check_code(response));
        }
    }

    pub(super) fn refused(self, error: &CardError) {
        let (reason, left) = reason(error);
        let text = sentence(&error.to_string());
        self.event(&self.strong(&text), &json!({"event": "refused", "reason": reason, "tries_left": left, "text": text}));
    }

    pub(super) fn unlocked(self) {
        self.event(&self.strong("Unlocked. The new PIN is set."), &json!({"event": "unlocked"}));
    }
}

fn pin_state(status: &PinStatus) -> String {
    match status.pin.map(|c| c.left) {
        Some(0) => "the PIN is blocked".into(),
        Some(1) => "the PIN is not blocked, 1 try left".into(),
        Some(left) => format!("the PIN is not blocked, {left} tries left"),
        None => "the PIN is not blocked".into(),
    }
}

fn reason(error: &CardError) -> (&'static str, Option<u8>) {
    match error {
        CardError::Wrong { left, .. } => ("wrong", *left),
        CardError::Blocked(_) => ("blocked", Some(0)),
        CardError::ChallengeGone => ("challenge-gone", None),
        CardError::AnotherCard => ("another-card", None),
        CardError::NotAuthenticated => ("not-authenticated", None),
        CardError::Pin(_) => ("pin", None),
        CardError::NotSupported(_) => ("not-supported", None),
        CardError::Unknown => ("unknown-card", None),
        CardError::Unexpected { .. } => ("unexpected", None),
        CardError::Transport(_) => ("card-gone", None),
    }
}
