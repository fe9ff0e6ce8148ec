//! What there is to say of a card in a state directory: its own memory.

use super::{Row, text, tries_text};
use crate::stored::StoredCard;
use cardlab_sim::gids::files;
use cardlab_sim::nvm::Nvm;
use cardlab_sim::piv::objects;
use cardlab_sim::reference::{ADMINISTRATION, GLOBAL_PIN, PIN, PUK, Reference};
use cardlab_sim::{keys, memory};
use serde_json::{Value, json};

pub(super) fn report(stored: &StoredCard) -> Vec<Row> {
    let card = &stored.card;
    let mut rows = vec![
        text("state", stored.place()),
        text("profile", card.profile().name.clone()),
        ("serial", card.serial().to_string(), json!(card.serial())),
    ];
    for (key, reference) in [("pin", PIN), ("puk", PUK), ("global_pin", GLOBAL_PIN), ("admin_key", ADMINISTRATION)] {
        rows.push(stored_row(key, card.nvm(), reference));
    }
    let bytes = match card.profile().piv {
        Some(_) => {
            let slots: Vec<u8> = (0x82..=0x9E).filter(|slot| keys::is_slot(*slot)).collect();
            let free = slots.iter().filter(|slot| !is_taken(card.nvm(), **slot)).count();
            rows.push(("free_containers", format!("{free} of {}", slots.len()), json!(free)));
            objects::free(card.nvm(), card.profile())
        }
        None => files::free(card.nvm(), card.profile()),
    };
    rows.push(("free_bytes", bytes.to_string(), json!(bytes)));
    rows
}

/// Whether a PIV key slot has a key or a certificate.
fn is_taken(nvm: &Nvm, slot: u8) -> bool {
    let certificate = objects::certificate_of(slot).and_then(|tag| nvm.read(memory::object(tag)));
    keys::info(nvm, slot).is_some() || certificate.is_some_and(|value| !value.is_empty())
}

fn stored_row(key: &'static str, nvm: &Nvm, reference: Reference) -> Row {
    if !reference.exists(nvm) {
        // Every card has an administrator key; not every card counts it.
        let words = if key == "admin_key" { "not counted".into() } else { String::new() };
        return (key, words, Value::Null);
    }
    let counter = reference.counter(nvm);
    let value = json!({"tries_left": counter.left, "maximum": counter.maximum});
    (key, tries_text(counter.left, Some(counter.maximum)), value)
}
