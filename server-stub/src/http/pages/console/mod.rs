//! The Management Console: users, cards, unlocking, the log.

mod card;
mod cards;
mod connected;
mod log;
mod moment;
mod start;
mod unlock;
mod users;

use super::door::{Visitor, door};
use super::told::{Told, told};
use crate::model::clock;
use crate::model::event::Event;
use crate::model::refusal::Refusal;
use crate::service::Server;
use crate::service::login::{Door, Operator};
use axum::Router;
use moment::Moment;
use std::borrow::Cow;

pub(super) fn router() -> Router<Server> {
    Router::new()
        .merge(door::<Operator>())
        .merge(users::router())
        .merge(cards::router())
        .merge(card::router())
        .merge(connected::router())
        .merge(start::router())
        .merge(unlock::router())
        .merge(log::router())
}

impl Visitor for Operator {
    const DOOR: Door = Door::Console;
    const PATH: &'static str = "/mc";
    const AREA: &'static str = "area-console";
    const TITLE: &'static str = "login-console";

    async fn of(server: &Server, token: &str) -> Result<Self, Refusal> {
        server.logins().operator(token).await
    }

    fn csrf(&self) -> &str {
        &self.csrf
    }

    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }
}

/// One of the events that stand beside a card or a user.
struct Line {
    at: Moment,
    told: Told,
    /// How often in a row it happened; the newest has the time.
    times: usize,
}

/// Events of one card or user as a story, the newest first; what happened several times in a row is a line.
fn story(events: &[Event], user: Option<&str>, now: clock::Millis) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for event in events {
        let told = told(event, user);
        match lines.last_mut() {
            Some(last) if last.told == told => last.times += 1,
            _ => lines.push(Line { at: Moment::short(event.at, now), told, times: 1 }),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Kind;

    #[test]
    fn what_happens_again_is_one_line() {
        let event = |seq: i64, kind: Kind| {
            let (code, name, weight) = kind.facts();
            Event {
                seq,
                at: seq,
                code,
                name: name.into(),
                kind: weight.into(),
                initiator: "oleg".into(),
                card: String::new(),
                user: String::new(),
                workstation: String::new(),
                flow: String::new(),
                detail: String::new(),
                hash: String::new(),
            }
        };
        let events = [
            event(5, Kind::UserUnlocked),
            event(4, Kind::AnswersReset),
            event(3, Kind::AnswersReset),
            event(2, Kind::UserUnlocked),
            event(1, Kind::UserUnlocked),
        ];
        let lines: Vec<_> = story(&events, None, 5).iter().map(|line| (line.at.iso.clone(), line.times)).collect();
        assert_eq!(lines, [5, 4, 2].map(clock::iso).into_iter().zip([1, 2, 2]).collect::<Vec<_>>());
    }
}
