//! Remote Self-Service. The session's name in the address is the secret that a form must know.

use super::super::body::{Form, PeerAddress};
use super::{ErrorPage, answers, page, refused};
use crate::flow::remote::{OwnCard, Remote};
use crate::refusal::{Code, Refusal};
use crate::server::Server;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response as Reply};
use axum::routing::{get, post};

pub(super) fn router() -> axum::Router<Server> {
    axum::Router::new()
        .route("/rss", get(ask_name).post(open))
        .route("/rss/{session}/answers", post(answer))
        .route("/rss/{session}/unblock", post(unblock))
        .route("/rss/{session}/leave", post(leave))
}

type Page = Result<Reply, ErrorPage>;
/// What was filled in; what is no form is refused on a page.
type Filled = Result<Form, Refusal>;

/// What is shown.
enum RemoteStep {
    Name,
    Questions(Remote),
    Cards { session: String, cards: Vec<OwnCard> },
    Response { session: String, grouped: String, check: String },
}

#[derive(Template)]
#[template(path = "remote.html")]
struct RemotePage {
    error: Option<String>,
    step: RemoteStep,
}

async fn ask_name() -> Reply {
    page(&RemotePage { error: None, step: RemoteStep::Name })
}

async fn open(State(server): State<Server>, PeerAddress(address): PeerAddress, form: Filled) -> Page {
    let Form(fields) = form?;
    let remote = server.open_remote(fields.get("name").map(String::as_str).unwrap_or_default(), &address).await?;
    Ok(page(&RemotePage { error: None, step: RemoteStep::Questions(remote) }))
}

async fn answer(
    State(server): State<Server>,
    PeerAddress(address): PeerAddress,
    Path(session): Path<String>,
    form: Filled,
) -> Page {
    let Form(fields) = form?;
    if server.answer_remote(&session, &address, &answers(&fields)).await? {
        let cards = server.cards_remote(&session, &address).await?;
        return Ok(page(&RemotePage { error: None, step: RemoteStep::Cards { session, cards } }));
    }
    let refusal = Refusal::new(Code::AnswersFirst, "The answers are not right. Start again, or ask your operator.");
    Ok(refused(&refusal, &RemotePage { error: Some(refusal.message.clone()), step: RemoteStep::Name }))
}

async fn unblock(
    State(server): State<Server>,
    PeerAddress(address): PeerAddress,
    Path(session): Path<String>,
    form: Filled,
) -> Page {
    let Form(fields) = form?;
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    match server.challenge_remote(&session, &address, field("card"), field("challenge")).await {
        Ok(response) => {
            let grouped = cardlab_protocol::codes::grouped(&hex::decode(&response.response).unwrap_or_default());
            Ok(page(&RemotePage { error: None, step: RemoteStep::Response { session, grouped, check: response.check } }))
        }
        Err(refusal) => {
            let cards = server.cards_remote(&session, &address).await?;
            Ok(refused(
                &refusal,
                &RemotePage { error: Some(refusal.message.clone()), step: RemoteStep::Cards { session, cards } },
            ))
        }
    }
}

async fn leave(State(server): State<Server>, PeerAddress(address): PeerAddress, Path(session): Path<String>) -> Page {
    server.close_remote(&session, &address).await?;
    Ok(Redirect::to("/rss").into_response())
}
