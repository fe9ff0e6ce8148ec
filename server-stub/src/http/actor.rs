//! Who a request is from, for its line and for the log of events.
//!
//! What writes notes a refusal itself, with all that it knows. What only reads does not, and so it is done here for all of it: an
//! operator who asked for what the role does not cover is in the log, once a minute and route.

use super::front::is_for_a_page;
use super::log;
use super::pages::refusal_for;
use crate::model::refusal::{Code, Refusal};
use crate::service::Server;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::cell::OnceCell;

tokio::task_local! {
    /// Of this request, once that is known.
    static ACTOR: OnceCell<Actor>;
}

#[derive(Clone)]
struct Actor {
    name: String,
    is_operator: bool,
}

/// The request is from this operator, or from this user in Self-Service. Said again, it is as before.
pub(super) fn is(name: &str, is_operator: bool) {
    let is_new = ACTOR.try_with(|actor| actor.set(Actor { name: name.to_owned(), is_operator }).is_ok());
    if is_new.unwrap_or(true) {
        log::actor(name);
    }
}

/// The layer that knows it, and writes down what an operator was not let in to.
pub(super) async fn known(State(server): State<Server>, request: Request, next: Next) -> Response {
    let (reads, at_page) = (request.method().is_safe(), is_for_a_page(request.headers()));
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let run = async {
        let response = next.run(request).await;
        (response, ACTOR.with(|actor| actor.get().cloned()))
    };
    let (response, actor) = ACTOR.scope(OnceCell::new(), run).await;
    let refusal = response.extensions().get::<Refusal>();
    let (Some(refusal), Some(actor), Some(route)) = (refusal, actor.filter(|actor| actor.is_operator), route) else {
        return response;
    };
    // A form that is no page's of this login is of another site, or somebody tries one.
    if !(reads && refusal.code == Code::NoPrivilege || !reads && refusal.code == Code::OtherSite) {
        return response;
    }
    match server.log().not_let_in(&actor.name, &route, refusal).await {
        Ok(()) => response,
        Err(failed) => refusal_for(at_page, failed),
    }
}
