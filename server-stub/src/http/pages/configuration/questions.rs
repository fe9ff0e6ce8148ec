//! Security questions of a policy.

use super::super::door::{Sent, went};
use super::super::form::was;
use super::{PATH, field, given};
use crate::http::Front;
use crate::http::body::Fields;
use crate::service::Server;
use crate::service::login::Operator;
use crate::service::policies::NewQuestion;
use crate::words::plain;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use axum::routing::post;
use axum::{Extension, Router};

pub(super) fn router() -> Router<Server> {
    let back = async |Path(id): Path<String>| Redirect::to(&page_of(&id));
    let back_of = async |Path((id, _)): Path<(String, String)>| Redirect::to(&page_of(&id));
    Router::new()
        .route("/mc/configuration/policies/{id}/questions", post(add).get(back))
        .route("/mc/configuration/policies/{id}/questions/{question}", post(change).get(back_of))
        .route("/mc/configuration/policies/{id}/questions/{question}/up", post(move_up).get(back_of))
        .route("/mc/configuration/policies/{id}/questions/{question}/delete", post(delete).get(back_of))
}

/// The page that has a policy's questions.
fn page_of(policy: &str) -> String {
    format!("{PATH}/policies/{policy}/authentication")
}

fn question(fields: &Fields) -> NewQuestion {
    NewQuestion { text: field(fields, "text"), min_length: field(fields, "min_length").parse().unwrap_or_default() }
}

async fn add(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(policy): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let added = server.policies().add_question(&operator, &policy, &question(&fields)).await;
    went(&server, &front, &page_of(&policy), added.map(|_| plain("question-added")))
}

async fn change(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path((policy, id)): Path<(String, String)>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let changed = server.policies().change_question(&operator, &id, &question(&fields), was(&fields)).await;
    went(&server, &front, &page_of(&policy), changed.map(|()| plain("question-changed")))
}

async fn move_up(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path((policy, id)): Path<(String, String)>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let moved = server.policies().move_question_up(&operator, &id, given(&fields, "over").as_deref()).await;
    went(&server, &front, &page_of(&policy), moved.map(|()| plain("question-moved")))
}

async fn delete(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path((policy, id)): Path<(String, String)>,
    Sent { by: operator, .. }: Sent<Operator>,
) -> Response {
    let deleted = server.policies().delete_question(&operator, &id).await;
    went(&server, &front, &page_of(&policy), deleted.map(|()| plain("question-deleted")))
}
