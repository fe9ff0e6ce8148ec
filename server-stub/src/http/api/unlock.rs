//! *Unlock*, as an operator does it.

use super::super::body::{Bearer, Body};
use super::Reply;
use crate::model::response::GivenView;
use crate::service::Server;
use crate::service::flow::wizard::{AnswersChecked, ReadBack, ReadOut, Wizard};
use axum::Json;
use axum::extract::{Path, State};
use cardlab_protocol::problem::Problem;
use cardlab_protocol::workstation::Answers;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(open_wizard))
        .routes(routes!(answer_wizard))
        .routes(routes!(challenge_wizard))
        .routes(routes!(wizard_outcome))
}

/// *Unlock* in a card's menu.
#[utoipa::path(post, path = "/cards/{serial}/wizard", params(("serial" = String, Path)), responses((status = 200, body = Wizard), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn open_wizard(State(server): State<Server>, Bearer(operator): Bearer, Path(serial): Path<String>) -> Reply<Wizard> {
    Ok(Json(server.wizards().open(&operator, &serial).await?))
}

/// The user's answers.
#[utoipa::path(post, path = "/unlock/{wizard}/answers", params(("wizard" = String, Path)), request_body = Answers, responses((status = 200, body = AnswersChecked), (status = 403, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem), (status = 429, body = Problem)))]
async fn answer_wizard(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(wizard): Path<String>,
    Body(answers): Body<Answers>,
) -> Reply<AnswersChecked> {
    Ok(Json(server.wizards().answer(&operator, &wizard, &answers).await?))
}

/// The challenge that the user reads out.
#[utoipa::path(post, path = "/unlock/{wizard}/challenge", params(("wizard" = String, Path)), request_body = ReadOut, responses((status = 200, body = ReadBack), (status = 400, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem), (status = 429, body = Problem)))]
async fn challenge_wizard(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(wizard): Path<String>,
    Body(read): Body<ReadOut>,
) -> Reply<ReadBack> {
    Ok(Json(server.wizards().challenge(&operator, &wizard, &read).await?))
}

/// What became of the response that the wizard has given last; `null` before it has given one.
#[utoipa::path(get, path = "/unlock/{wizard}/outcome", params(("wizard" = String, Path)), responses((status = 200, body = Option<GivenView>), (status = 410, body = Problem)))]
async fn wizard_outcome(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(wizard): Path<String>,
) -> Reply<Option<GivenView>> {
    Ok(Json(server.pictures().of_unlock(&operator, &wizard, None).await?.given))
}
