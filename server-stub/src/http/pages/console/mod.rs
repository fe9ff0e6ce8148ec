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
}

/// Events of one card or user as a story, the newest first.
fn story(events: &[Event], user: Option<&str>, now: clock::Millis) -> Vec<Line> {
    events.iter().map(|event| Line { at: Moment::short(event.at, now), told: told(event, user) }).collect()
}
