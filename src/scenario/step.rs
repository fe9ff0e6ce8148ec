//! `cardlab scenario run --step`: one step after the other, with what lock screen, cards and server show between two.

use super::on_screen;
use crate::exit::{Exit, Failure};
use anyhow::Context as _;
use cardlab_scenario::file::Scenario;
use cardlab_scenario::play::{Around, CardSeen, Stage};
use cardlab_scenario::world::cards::Source;
use serde_json::json;
use std::io::BufRead;

/// Plays it as lines come in: an empty one plays a step, `r` the rest, `q` leaves. The end of stdin leaves too.
pub(super) fn run(name: &str, scenario: &Scenario, source: &Source, as_json: bool) -> Result<Exit, Failure> {
    let mut stage = Stage::set(scenario, source)?;
    let mut lines = std::io::stdin().lock().lines();
    let (mut rest, mut held) = (false, true);
    if !as_json {
        println!("{name}: {}", scenario.title);
        show(&stage.around());
    }
    while let Some(next) = stage.next() {
        if !rest {
            if !as_json {
                println!("next: {} (line {}); Enter plays it, r plays the rest, q leaves", next.name, next.line);
            }
            match lines.next().transpose().context("stdin")?.as_deref().map(str::trim) {
                None | Some("q") => break,
                Some("r") => rest = true,
                Some(_) => {}
            }
        }
        let Some(played) = stage.step() else { break };
        held = played.wrong.is_none();
        let around = stage.around();
        if as_json {
            let (number, action, line) = (played.number, &played.step.name, played.step.line);
            println!("{}", json!({"step": number, "action": action, "line": line, "wrong": played.wrong, "around": around}));
        } else {
            let outcome = played.wrong.map_or_else(|| "holds".to_owned(), |wrong| format!("does not hold: {wrong}"));
            println!("{:>2} {} (line {}): {outcome}", played.number, played.step.name, played.step.line);
            show(&around);
        }
    }
    let all = stage.next().is_none();
    stage.leave()?;
    if !as_json {
        let end = match (held, all) {
            (false, _) => "does not hold",
            (true, true) => "holds",
            (true, false) => "left before its end",
        };
        println!("{end}: {name}");
    }
    Ok(if held && all { Exit::FINE } else { Exit::FAILED })
}

/// What there is to see, a line each.
fn show(around: &Around) {
    around.screen.iter().flat_map(on_screen).for_each(|line| println!("     {line}"));
    for card in &around.cards {
        println!("     card {}", of_card(card));
    }
    if !around.console.answers {
        println!("     the server does not answer");
    }
    for event in &around.console.log {
        let detail = if event.detail.is_empty() { String::new() } else { format!(": {}", event.detail) };
        println!("     server {}{detail}", event.name);
    }
}

fn of_card(card: &CardSeen) -> String {
    let mut words = vec![card.name.clone()];
    words.extend(card.inserted.map(|inserted| if inserted { "in".into() } else { "out of its reader".into() }));
    let tries = [("PIN", card.pin_left), ("PUK", card.puk_left), ("administrator key", card.admin_left)];
    words.extend(tries.into_iter().filter_map(|(what, left)| Some(format!("{what} {} left", left?))));
    words.extend(card.state.clone());
    words.extend(card.user.clone());
    words.extend((card.user_locked == Some(true)).then(|| "user is locked".to_owned()));
    words.join(", ")
}
