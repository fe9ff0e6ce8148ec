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
use super::told::{Told, told, tries_left};
use crate::model::clock;
use crate::model::event::{Event, Kind};
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

/// Events of one card or user as a story, the newest first.
fn story(events: &[Event], user: Option<&str>, now: clock::Millis) -> Vec<Line> {
    let lines = folded(events.iter().map(|event| (event.clone(), told(event, user))));
    lines.into_iter().map(|line| Line { at: Moment::short(line.newest.at, now), times: line.times(), told: line.told }).collect()
}

/// Events that are one line: what happened several times in a row, and what came of the last of it.
struct Folded {
    told: Told,
    newest: Event,
    /// Those before it, the newest first.
    before: Vec<Event>,
}

impl Folded {
    /// How often it happened.
    fn times(&self) -> usize {
        1 + self.before.iter().filter(|event| event.name == self.newest.name).count()
    }

    /// Whether an event before all of these is said with them: it says the same, or it is the wrong PIN that blocked the card.
    fn says(&self, event: &Event, told: &Told) -> bool {
        // Different people may have the same name.
        let whose = |event: &Event| (event.card.clone(), event.user.clone(), event.workstation.clone());
        whose(event) == whose(&self.newest)
            && (self.told == *told || self.before.is_empty() && is_blocked_by(&self.newest, event))
    }
}

/// Whether the PIN is blocked by this wrong entry: both are told of it.
fn is_blocked_by(blocked: &Event, wrong: &Event) -> bool {
    let is = |event: &Event, kind: Kind| event.name == kind.facts().1;
    is(blocked, Kind::PinBlockSeen) && is(wrong, Kind::PinWrongSeen) && tries_left(&wrong.detail) == Some(0)
}

/// Events, the newest first, as lines.
fn folded(events: impl IntoIterator<Item = (Event, Told)>) -> Vec<Folded> {
    let mut lines: Vec<Folded> = Vec::new();
    for (event, told) in events {
        match lines.last_mut() {
            Some(last) if last.says(&event, &told) => last.before.push(event),
            _ => lines.push(Folded { told, newest: event, before: Vec::new() }),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: i64, kind: Kind) -> Event {
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
    }

    #[test]
    fn what_happens_again_is_one_line() {
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

    /// Two people of one name were one line, as if one had been unlocked twice.
    #[test]
    fn people_of_one_name_are_lines_of_their_own() {
        let of = |seq: i64, user: &str| Event { user: user.into(), ..event(seq, Kind::UserUnlocked) };
        let lines = folded([of(3, "one"), of(2, "other"), of(1, "other")].map(|event| {
            let told = told(&event, Some("Same Name"));
            (event, told)
        }));
        let lines: Vec<_> = lines.iter().map(|line| (line.newest.user.as_str(), line.times())).collect();
        assert_eq!(lines, [("one", 1), ("other", 2)]);
    }

    /// The story of a card that was blocked by a third wrong PIN had two warnings of that one entry.
    #[test]
    fn the_wrong_pin_that_blocks_a_card_is_said_once() {
        let wrong = |seq: i64, left: u8| Event { detail: format!("{{\"tries_left\":{left}}}"), ..event(seq, Kind::PinWrongSeen) };
        let lines = |events: &[Event]| {
            let lines = story(events, None, 9);
            lines.into_iter().map(|line| (line.at.iso, line.times)).collect::<Vec<_>>()
        };
        let at = |times: &[(i64, usize)]| times.iter().map(|(at, times)| (clock::iso(*at), *times)).collect::<Vec<_>>();
        let blocked = event(4, Kind::PinBlockSeen);
        assert_eq!(lines(&[blocked.clone(), wrong(3, 0), wrong(2, 1), wrong(1, 2)]), at(&[(4, 1), (2, 1), (1, 1)]));
        assert_eq!(lines(&[blocked.clone(), blocked.clone(), wrong(3, 0)]), at(&[(4, 2), (3, 1)]), "of another time");
        assert_eq!(lines(&[blocked.clone(), wrong(3, 1)]), at(&[(4, 1), (3, 1)]), "one was left");
        let elsewhere = Event { workstation: "PC-13".into(), ..wrong(3, 0) };
        assert_eq!(lines(&[blocked, elsewhere]), at(&[(4, 1), (3, 1)]));
    }
}
