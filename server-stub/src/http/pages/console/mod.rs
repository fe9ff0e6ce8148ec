//! The Management Console: users, cards, unlocking, the log.

mod card;
mod cards;
mod connected;
mod log;
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

/// A moment for people and for programs.
struct Moment {
    iso: String,
    local: String,
}

impl Moment {
    fn of(at: clock::Millis) -> Self {
        Self { iso: clock::iso(at), local: clock::local(at) }
    }

    /// The time of a day that everybody knows.
    fn clock(at: clock::Millis) -> Self {
        let local = clock::local(at).split_once(' ').map(|(_, time)| time.to_owned()).unwrap_or_default();
        Self { iso: clock::iso(at), local }
    }

    /// Without the day when it is today, without the time when it is not.
    fn short(at: clock::Millis, now: clock::Millis) -> Self {
        let (whole, today) = (clock::local(at), clock::local(now));
        let local = match (whole.split_once(' '), today.split_once(' ')) {
            (Some((day, time)), Some((today, _))) if day == today => time.get(..5).unwrap_or(time).to_owned(),
            (Some((day, _)), _) => day.to_owned(),
            _ => whole,
        };
        Self { iso: clock::iso(at), local }
    }
}

/// One of the events that stand beside a card or a user.
struct Line {
    at: Moment,
    told: Told,
}

/// Events of one card or user as a story, the newest first.
fn story(events: &[Event], user: Option<&str>, now: clock::Millis) -> Vec<Line> {
    events.iter().map(|event| Line { at: Moment::short(event.at, now), told: told(event, user) }).collect()
}
