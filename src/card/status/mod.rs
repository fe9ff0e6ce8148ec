//! `cardlab card status`.

#[cfg(unix)]
mod stored;

use crate::choose::CardChoice;
use crate::exit::{Exit, Failure, OrExit};
use cardlab_client::minidriver::{Counter, Minidriver, PinStatus};
use cardlab_client::owner::owner;
use cardlab_client::piv::{self, Identity};
use cardlab_client::recognise::Edge;
use cardlab_client::unlock::session::words;
use cardlab_pcsclite::client::ShareMode;
use clap::Args;
use serde_json::{Map, Value, json};

/// Show a card: what it is, its tries. Spends nothing and keeps a pending challenge
#[derive(Args)]
pub(super) struct StatusCommand {
    #[command(flatten)]
    choice: CardChoice,

    #[cfg(unix)]
    #[command(flatten)]
    stored: crate::stored::StoredChoice,

    /// For programs
    #[arg(long)]
    json: bool,
}

impl StatusCommand {
    pub(super) fn run(self) -> Result<(), Failure> {
        #[cfg(unix)]
        let stored = self.stored.open()?.as_ref().map(stored::report);
        #[cfg(not(unix))]
        let stored = None;
        let report = match stored {
            Some(report) => report,
            None => in_reader(&self.choice)?,
        };
        if self.json {
            println!(
                "{}",
                Value::Object(report.into_iter().map(|(key, _, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
            );
        } else {
            report.iter().filter(|(_, text, _)| !text.is_empty()).for_each(|(key, text, _)| println!("{:<14}{text}", title(key)));
        }
        Ok(())
    }
}

/// Key, text for people (empty: not shown), value for programs.
type Row = (&'static str, String, Value);

fn title(key: &str) -> &str {
    match key {
        "card_id" => "card id",
        "guid" => "card UUID",
        "pin" => "PIN",
        "puk" => "PUK",
        "global_pin" => "global PIN",
        "admin_key" => "admin key",
        "free_containers" => "free keys",
        "free_bytes" => "free bytes",
        other => other,
    }
}

fn in_reader(choice: &CardChoice) -> Result<Vec<Row>, Failure> {
    let context = choice.readers.context()?;
    let reader = choice.pick(&context)?.reader;
    let mut card = context.connect(&reader, ShareMode::Shared).or_exit(Exit::NOT_THERE)?;
    let mut card = Minidriver::resume_or_open(&mut card).or_exit(Exit::NOT_THERE)?;
    let status = card.card_pin_status().or_exit(Exit::NOT_THERE)?;
    let free = card.card_query_free_space().or_exit(Exit::NOT_THERE)?;
    let mut rows = vec![text("reader", reader), text("card", card.edge().name())];
    if let Edge::Piv { .. } = card.edge() {
        rows.extend(piv_rows(piv::identity(card.transport()).or_exit(Exit::NOT_THERE)?));
    } else {
        rows.push(hex_row("card_id", card.card_id().or_exit(Exit::NOT_THERE)?));
    }
    let edge = card.edge();
    let owner = owner(card.transport(), edge).or_exit(Exit::NOT_THERE)?;
    rows.insert(2, ("owner", owner.as_deref().map(words::visible).unwrap_or_default(), json!(owner)));
    rows.extend(tries_rows(edge, &status));
    let most = if free.told { "" } else { "at most " };
    rows.push(("free_containers", format!("{most}{} of {}", free.containers, free.maximum_containers), json!(free.containers)));
    rows.push(("keys_told", String::new(), json!(free.told)));
    rows.push(("free_bytes", free.bytes.map_or_else(not_told, |bytes| bytes.to_string()), json!(free.bytes)));
    Ok(rows)
}

fn piv_rows(Identity { version, serial, guid, certificates }: Identity) -> Vec<Row> {
    let version = version.map(|[a, b, c]| format!("{a}.{b}.{c}"));
    let slots: Vec<String> = certificates.iter().map(|c| format!("{c:02x}")).collect();
    let listed = if slots.is_empty() { "none".into() } else { slots.join(" ") };
    vec![
        ("version", version.clone().unwrap_or_else(not_told), json!(version)),
        ("serial", serial.map_or_else(not_told, |s| s.to_string()), json!(serial)),
        hex_row("guid", guid.map(|g| g.to_vec())),
        ("certificates", listed, json!(slots)),
    ]
}

fn tries_rows(edge: Edge, status: &PinStatus) -> Vec<Row> {
    let row = |key, counter: Option<Counter>, verified: bool| {
        let words = match counter {
            Some(Counter { left, maximum }) => tries_text(left, maximum),
            None => not_told(),
        };
        let value =
            json!({"tries_left": counter.map(|c| c.left), "maximum": counter.and_then(|c| c.maximum), "verified": verified});
        (key, if verified { format!("{words}, verified") } else { words }, value)
    };
    let mut rows = vec![row("pin", status.pin, status.pin_verified)];
    if let Edge::Piv { .. } = edge {
        rows.push(row("puk", status.puk, false));
    }
    rows.push(row("admin_key", status.admin, false));
    rows
}

fn tries_text(left: u8, maximum: Option<u8>) -> String {
    let of = maximum.map(|m| format!(" of {m}")).unwrap_or_default();
    match left {
        0 => format!("blocked{}", maximum.map(|m| format!(" (0 of {m} tries left)")).unwrap_or_default()),
        left => format!("{left}{of} tries left"),
    }
}

fn not_told() -> String {
    "not told".into()
}

fn text(key: &'static str, value: String) -> Row {
    (key, value.clone(), json!(value))
}

fn hex_row(key: &'static str, bytes: Option<Vec<u8>>) -> Row {
    let digits = bytes.map(hex::encode_upper);
    (key, digits.clone().unwrap_or_else(|| "none".into()), json!(digits))
}
