//! The API for programs of operators and administrators, and Remote Self-Service for programs.

use super::body::{Bearer, Body, PeerAddress, Query};
use crate::model::captcha::Typed;
use crate::model::card::Operation;
use crate::model::card::{CardFilter, CardType};
use crate::model::event::{Event, Filter};
use crate::model::list::Listed;
use crate::model::names::Clash;
use crate::model::policy::NamedPolicy;
use crate::model::policy::Policy;
use crate::model::question::Question;
use crate::model::refusal::Refusal;
use crate::model::response::GivenView;
use crate::model::role::Role;
use crate::model::tags::Retag;
use crate::model::task::TaskView;
use crate::model::user::UserFilter;
use crate::service::Server;
use crate::service::admin_key::{KeyThatIs, Keyed};
use crate::service::card_types::CardTypeView;
use crate::service::cards::{CardView, NewCard, OperationDetail};
use crate::service::flow::remote::{OwnCard, Remote};
use crate::service::flow::wizard::{AnswersChecked, ReadBack, ReadOut, Wizard};
use crate::service::issue::{AtHand, Operated};
use crate::service::login::Door;
use crate::service::policies::NewQuestion;
use crate::service::self_service::OwnOperation;
use crate::service::staff::{NewOperator, RoleOf, Staff};
use crate::service::task::NewTask;
use crate::service::users::{NewUser, UserData, UserView};
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use cardlab_protocol::problem::Problem;
use cardlab_protocol::workstation::{Answers, Response as Responded};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(log_in))
        .routes(routes!(find_users, add_user))
        .routes(routes!(clashing_names))
        .routes(routes!(view_user, correct_user))
        .routes(routes!(change_user))
        .routes(routes!(policies_of_user, set_policies))
        .routes(routes!(move_policy_up))
        .routes(routes!(find_cards, add_card))
        .routes(routes!(view_card, remove_card))
        .routes(routes!(retag))
        .routes(routes!(responses_of_card))
        .routes(routes!(connected))
        .routes(routes!(reset_pin))
        .routes(routes!(roll_key))
        .routes(routes!(correct_key))
        .routes(routes!(tasks, order_task))
        .routes(routes!(cancel_task))
        .routes(routes!(operate))
        .routes(routes!(open_wizard))
        .routes(routes!(answer_wizard))
        .routes(routes!(challenge_wizard))
        .routes(routes!(wizard_outcome))
        .routes(routes!(list_policies, add_policy))
        .routes(routes!(change_policy, delete_policy))
        .routes(routes!(rename_policy))
        .routes(routes!(list_questions, add_question))
        .routes(routes!(change_question, delete_question))
        .routes(routes!(move_question_up))
        .routes(routes!(set_role))
        .routes(routes!(add_operator))
        .routes(routes!(card_types))
        .routes(routes!(add_card_type, change_card_type, delete_card_type))
        .routes(routes!(staff))
        .routes(routes!(assign_role))
        .routes(routes!(events))
        .routes(routes!(events_csv))
        .routes(routes!(check_log))
        .routes(routes!(open_remote))
        .routes(routes!(captcha_remote))
        .routes(routes!(answer_remote))
        .routes(routes!(cards_remote))
        .routes(routes!(challenge_remote))
        .routes(routes!(operate_remote))
}

type Reply<T> = Result<Json<T>, Refusal>;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// Operator's name.
    name: String,
    /// Password.
    password: String,
}

#[derive(Serialize, ToSchema)]
struct Token {
    /// For `Authorization: Bearer`.
    token: String,
}

/// A page of a list: its rows as JSON, and the next page as `Link` (RFC 8288).
struct Page<T> {
    listed: Listed<T>,
    /// What stood behind `?`.
    asked: Option<String>,
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        (next(self.listed.next.as_deref(), self.asked.as_deref()), Json(self.listed.items)).into_response()
    }
}

/// The same question for the next page, relative to where this one was asked.
fn next(cursor: Option<&str>, asked: Option<&str>) -> Option<[(HeaderName, String); 1]> {
    let pairs = asked.unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let query: Vec<&str> = pairs.collect();
    let query = |cursor: &str| [query.join("&"), format!("cursor={cursor}")].join(if query.is_empty() { "" } else { "&" });
    cursor.map(|cursor| [(header::LINK, format!("<?{}>; rel=\"next\"", query(cursor)))])
}

#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
struct OfRevision {
    /// The revision that the change is of: another one now is refused with 409. Without it, the last who writes counts.
    revision: Option<String>,
}

/// What was made.
#[derive(Serialize, ToSchema)]
struct Made {
    /// Its id.
    id: String,
}

/// It is done, and there is nothing to say of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Done {}

/// Whether the log is whole: for a role that is for all policies.
#[derive(Serialize, ToSchema)]
struct Checked {
    /// The place of the first event whose hash is wrong; `null` when all are right.
    first_broken: Option<i64>,
}

/// Whether a remote user's answers are right; never which of them.
#[derive(Serialize, ToSchema)]
struct Right {
    /// Right.
    ok: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPolicy {
    /// Name.
    name: String,
    /// Settings; what is left out has its default.
    #[serde(default)]
    settings: Policy,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Name {
    /// Logon name, either form.
    name: String,
    /// The letters of `GET /remote/captcha`, where they are wanted.
    #[serde(default)]
    captcha: Option<Typed>,
}

/// Letters that are to be typed before a name is taken.
#[derive(Serialize, ToSchema)]
struct Letters {
    /// Names them; `null` where nobody is asked.
    token: Option<String>,
    /// Where their picture is, PNG.
    picture: Option<String>,
    /// Where their sound is, WAV.
    sound: Option<String>,
}

/// The policies that a user is under.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Under {
    /// Their ids. The first in the order of policies holds.
    policies: Vec<String>,
}

/// Another name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Renamed {
    /// It.
    name: String,
}

/// The policies that a user is under now.
#[derive(Serialize, ToSchema)]
struct UnderNow {
    /// Their ids. The first in the order of policies holds.
    policies: Vec<String>,
    /// Names them: a change that says of which they are does not undo another's.
    revision: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CardChallenge {
    /// Serial of one of the user's cards.
    card: String,
    /// As people write it.
    challenge: String,
}

/// Log in as an operator.
#[utoipa::path(post, path = "/login", request_body = Credentials, responses((status = 200, body = Token), (status = 401, body = Problem), (status = 429, body = Problem)))]
async fn log_in(State(server): State<Server>, PeerAddress(address): PeerAddress, Body(body): Body<Credentials>) -> Reply<Token> {
    let login = server.logins().log_in(Door::Console, &body.name, &body.password, &address).await?;
    Ok(Json(Token { token: login.token }))
}

/// Find users. A local role finds those for whom one of its policies holds.
#[utoipa::path(get, path = "/users", params(UserFilter), responses((status = 200, body = [UserView], headers(("Link" = Option<String>, description = "The next page, as `<?..>; rel=\"next\"`; none on the last"))), (status = 400, body = Problem), (status = 403, body = Problem)))]
async fn find_users(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    RawQuery(asked): RawQuery,
    Query(filter): Query<UserFilter>,
) -> Result<Page<UserView>, Refusal> {
    Ok(Page { listed: server.users().list(&operator, &filter).await?, asked })
}

/// Add a user to the catalog.
#[utoipa::path(post, path = "/users", request_body = NewUser, responses((status = 200, body = Made), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn add_user(State(server): State<Server>, Bearer(operator): Bearer, Body(new): Body<NewUser>) -> Reply<Made> {
    Ok(Json(Made { id: server.users().add(&operator, &new).await? }))
}

/// Names that more than one user or operator has, after an older version told them apart: each of them logs in by it only as it
/// is written in the catalog.
#[utoipa::path(get, path = "/clashing-names", responses((status = 200, body = [Clash]), (status = 403, body = Problem)))]
async fn clashing_names(State(server): State<Server>, Bearer(operator): Bearer) -> Reply<Vec<Clash>> {
    Ok(Json(server.users().clashes(&operator).await?))
}

/// One user.
#[utoipa::path(get, path = "/users/{id}", params(("id" = String, Path)), responses((status = 200, body = UserView), (status = 404, body = Problem)))]
async fn view_user(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<UserView> {
    Ok(Json(server.users().view(&operator, &id).await?))
}

/// Correct what the catalog says of a user.
#[utoipa::path(put, path = "/users/{id}", params(("id" = String, Path), OfRevision), request_body = UserData, responses((status = 200, body = UserView), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn correct_user(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(id): Path<String>,
    Query(of): Query<OfRevision>,
    Body(data): Body<UserData>,
) -> Reply<UserView> {
    server.users().correct(&operator, &id, &data, of.revision.as_deref()).await?;
    Ok(Json(server.users().view(&operator, &id).await?))
}

/// What is done with a user: `unlock`, `reset-answers`, `enable`, `disable`.
#[utoipa::path(post, path = "/users/{id}/{action}", params(("id" = String, Path), ("action" = String, Path)), responses((status = 200, body = UserView), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn change_user(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path((id, action)): Path<(String, String)>,
) -> Reply<UserView> {
    match action.as_str() {
        "unlock" => server.users().unlock(&operator, &id).await?,
        "reset-answers" => server.users().reset_answers(&operator, &id).await?,
        "enable" => server.users().set_active(&operator, &id, true).await?,
        "disable" => server.users().set_active(&operator, &id, false).await?,
        _ => return Err(Refusal::not_found("user-action")),
    }
    Ok(Json(server.users().view(&operator, &id).await?))
}

/// Find cards. A local role finds those under its policies, and those that are nobody's where it assigns cards.
#[utoipa::path(get, path = "/cards", params(CardFilter), responses((status = 200, body = [CardView], headers(("Link" = Option<String>, description = "The next page, as `<?..>; rel=\"next\"`; none on the last"))), (status = 400, body = Problem), (status = 403, body = Problem)))]
async fn find_cards(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    RawQuery(asked): RawQuery,
    Query(mut filter): Query<CardFilter>,
) -> Result<Page<CardView>, Refusal> {
    if let Some(user) = &filter.user {
        filter.user = Some(server.meanings().user(&operator, user).await?);
    }
    Ok(Page { listed: server.cards().list(&operator, &filter).await?, asked })
}

/// Register a card. One in a reader of the server is asked whether it has the key, which costs it a try when it has another.
#[utoipa::path(post, path = "/cards", request_body = NewCard, responses((status = 200, body = Keyed), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn add_card(State(server): State<Server>, Bearer(operator): Bearer, Body(new): Body<NewCard>) -> Reply<Keyed> {
    Ok(Json(server.cards().add(&operator, &new).await?))
}

/// One card.
#[utoipa::path(get, path = "/cards/{serial}", params(("serial" = String, Path)), responses((status = 200, body = CardView), (status = 404, body = Problem)))]
async fn view_card(State(server): State<Server>, Bearer(operator): Bearer, Path(serial): Path<String>) -> Reply<CardView> {
    Ok(Json(server.cards().view(&operator, &serial).await?))
}

/// Delete a card that was never issued.
#[utoipa::path(delete, path = "/cards/{serial}", params(("serial" = String, Path)), responses((status = 200, body = Done), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn remove_card(State(server): State<Server>, Bearer(operator): Bearer, Path(serial): Path<String>) -> Reply<Done> {
    server.cards().remove(&operator, &serial).await?;
    Ok(Json(Done {}))
}

/// Give a card tags, and take tags from it.
#[utoipa::path(post, path = "/cards/{serial}/tags", params(("serial" = String, Path)), request_body = Retag, responses((status = 200, body = CardView), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn retag(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(serial): Path<String>,
    Body(change): Body<Retag>,
) -> Reply<CardView> {
    Ok(Json(server.cards().retag(&operator, &serial, &change).await?))
}

/// The responses that a card was given, the newest first, with what became of them.
#[utoipa::path(get, path = "/cards/{serial}/responses", params(("serial" = String, Path)), responses((status = 200, body = [GivenView]), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn responses_of_card(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(serial): Path<String>,
) -> Reply<Vec<GivenView>> {
    Ok(Json(server.cards().responses(&operator, &serial).await?))
}

/// Cards that are connected to the server's machine.
#[utoipa::path(get, path = "/connected", responses((status = 200, body = [AtHand]), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn connected(State(server): State<Server>, Bearer(operator): Bearer) -> Reply<Vec<AtHand>> {
    Ok(Json(server.issuing().connected(&operator).await?))
}

/// *Reset user PIN* of a connected card.
#[utoipa::path(post, path = "/cards/{serial}/reset-pin", params(("serial" = String, Path)), responses((status = 200, body = Operated), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn reset_pin(State(server): State<Server>, Bearer(operator): Bearer, Path(serial): Path<String>) -> Reply<Operated> {
    Ok(Json(server.issuing().reset_pin(&operator, &serial).await?))
}

/// The tasks of a card, the newest first.
#[utoipa::path(get, path = "/cards/{serial}/tasks", params(("serial" = String, Path)), responses((status = 200, body = [TaskView]), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn tasks(State(server): State<Server>, Bearer(operator): Bearer, Path(serial): Path<String>) -> Reply<Vec<TaskView>> {
    Ok(Json(server.tasks().of_card(&operator, &serial).await?))
}

/// *Reset user PIN on agent*: the card's user confirms it with answers, at the workstation that has the card.
#[utoipa::path(post, path = "/cards/{serial}/tasks", params(("serial" = String, Path)), request_body = NewTask, responses((status = 200, body = TaskView), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn order_task(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(serial): Path<String>,
    Body(new): Body<NewTask>,
) -> Reply<TaskView> {
    Ok(Json(server.tasks().order_pin_reset(&operator, &serial, &new).await?))
}

/// Take a task back.
#[utoipa::path(post, path = "/tasks/{id}/cancel", params(("id" = String, Path)), responses((status = 200, body = TaskView), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn cancel_task(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<TaskView> {
    Ok(Json(server.tasks().cancel(&operator, &id).await?))
}

/// A new administrator key for a connected card.
#[utoipa::path(post, path = "/cards/{serial}/roll-key", params(("serial" = String, Path)), responses((status = 200, body = Operated), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn roll_key(State(server): State<Server>, Bearer(operator): Bearer, Path(serial): Path<String>) -> Reply<Operated> {
    Ok(Json(server.issuing().roll_key(&operator, &serial).await?))
}

/// Correct what the server knows of a card's administrator key. A card in a reader of the server is asked whether it has the key,
/// which costs it a try when it has another.
#[utoipa::path(post, path = "/cards/{serial}/correct-key", params(("serial" = String, Path)), request_body = KeyThatIs, responses((status = 200, body = Keyed), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn correct_key(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(serial): Path<String>,
    Body(is): Body<KeyThatIs>,
) -> Reply<Keyed> {
    Ok(Json(server.issuing().correct_key(&operator, &serial, &is).await?))
}

/// Assign, issue, disable, enable, revoke, withdraw.
#[utoipa::path(post, path = "/cards/{serial}/{operation}", params(("serial" = String, Path), ("operation" = Operation, Path)), request_body = OperationDetail, responses((status = 200, body = Operated), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn operate(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path((serial, operation)): Path<(String, String)>,
    Body(detail): Body<OperationDetail>,
) -> Reply<Operated> {
    let operation = Operation::ALL.into_iter().find(|o| o.name() == operation).ok_or_else(|| Refusal::not_found("operation"))?;
    Ok(Json(server.cards().operate(&operator, &serial, operation, &detail).await?))
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

/// All policies; for a local role its own.
#[utoipa::path(get, path = "/policies", responses((status = 200, body = [NamedPolicy]), (status = 403, body = Problem)))]
async fn list_policies(State(server): State<Server>, Bearer(operator): Bearer) -> Reply<Vec<NamedPolicy>> {
    Ok(Json(server.policies().all(&operator).await?))
}

/// Make a policy.
#[utoipa::path(post, path = "/policies", request_body = NewPolicy, responses((status = 200, body = Made), (status = 400, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn add_policy(State(server): State<Server>, Bearer(operator): Bearer, Body(new): Body<NewPolicy>) -> Reply<Made> {
    Ok(Json(Made { id: server.policies().add(&operator, &new.name, &new.settings).await? }))
}

/// Change a policy.
#[utoipa::path(put, path = "/policies/{id}", params(("id" = String, Path), OfRevision), request_body = Policy, responses((status = 200, body = Done), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn change_policy(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(id): Path<String>,
    Query(of): Query<OfRevision>,
    Body(settings): Body<Policy>,
) -> Reply<Done> {
    server.policies().change(&operator, &id, &settings, of.revision.as_deref()).await?;
    Ok(Json(Done {}))
}

/// Give a policy another name.
#[utoipa::path(put, path = "/policies/{id}/name", params(("id" = String, Path), OfRevision), request_body = Renamed, responses((status = 200, body = Done), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn rename_policy(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(id): Path<String>,
    Query(of): Query<OfRevision>,
    Body(renamed): Body<Renamed>,
) -> Reply<Done> {
    server.policies().rename(&operator, &id, &renamed.name, of.revision.as_deref()).await?;
    Ok(Json(Done {}))
}

/// Delete a policy that nothing hangs on.
#[utoipa::path(delete, path = "/policies/{id}", params(("id" = String, Path)), responses((status = 200, body = Done), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn delete_policy(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<Done> {
    server.policies().delete(&operator, &id).await?;
    Ok(Json(Done {}))
}

/// Questions of a policy.
#[utoipa::path(get, path = "/policies/{id}/questions", params(("id" = String, Path)), responses((status = 200, body = [Question]), (status = 403, body = Problem)))]
async fn list_questions(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<Vec<Question>> {
    Ok(Json(server.policies().questions(&operator, &id).await?))
}

/// Create a security question.
#[utoipa::path(post, path = "/policies/{id}/questions", params(("id" = String, Path)), request_body = NewQuestion, responses((status = 200, body = Made), (status = 400, body = Problem), (status = 403, body = Problem)))]
async fn add_question(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(id): Path<String>,
    Body(new): Body<NewQuestion>,
) -> Reply<Made> {
    Ok(Json(Made { id: server.policies().add_question(&operator, &id, &new).await? }))
}

/// Change a question; answers to it stay.
#[utoipa::path(put, path = "/questions/{id}", params(("id" = String, Path), OfRevision), request_body = NewQuestion, responses((status = 200, body = Done), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn change_question(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(id): Path<String>,
    Query(of): Query<OfRevision>,
    Body(new): Body<NewQuestion>,
) -> Reply<Done> {
    server.policies().change_question(&operator, &id, &new, of.revision.as_deref()).await?;
    Ok(Json(Done {}))
}

/// Move a question before the one that stands before it: in this order they are listed and asked.
#[utoipa::path(post, path = "/questions/{id}/up", params(("id" = String, Path)), responses((status = 200, body = Done), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn move_question_up(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<Done> {
    server.policies().move_question_up(&operator, &id, None).await?;
    Ok(Json(Done {}))
}

/// Delete a question that nobody has answered.
#[utoipa::path(delete, path = "/questions/{id}", params(("id" = String, Path)), responses((status = 200, body = Done), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn delete_question(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<Done> {
    server.policies().delete_question(&operator, &id).await?;
    Ok(Json(Done {}))
}

/// Make or change a role.
#[utoipa::path(put, path = "/roles/{name}", params(("name" = String, Path), OfRevision), request_body = Role, responses((status = 200, body = Made), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn set_role(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(name): Path<String>,
    Query(of): Query<OfRevision>,
    Body(role): Body<Role>,
) -> Reply<Made> {
    Ok(Json(Made { id: server.staff().set_role(&operator, &name, &role, of.revision.as_deref()).await? }))
}

/// Card types by name.
#[utoipa::path(get, path = "/card-types", responses((status = 200, body = std::collections::BTreeMap<String, CardTypeView>), (status = 403, body = Problem)))]
async fn card_types(State(server): State<Server>, Bearer(operator): Bearer) -> Reply<BTreeMap<String, CardTypeView>> {
    Ok(Json(server.card_types().all(&operator).await?.into_iter().collect()))
}

/// Add a card type.
#[utoipa::path(post, path = "/card-types/{name}", params(("name" = String, Path)), request_body = CardType, responses((status = 200, body = Done), (status = 400, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn add_card_type(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(name): Path<String>,
    Body(about): Body<CardType>,
) -> Reply<Done> {
    server.card_types().add(&operator, &name, &about).await?;
    Ok(Json(Done {}))
}

/// Change a card type; cards keep the PIN that they have.
#[utoipa::path(put, path = "/card-types/{name}", params(("name" = String, Path), OfRevision), request_body = CardType, responses((status = 200, body = Done), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn change_card_type(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(name): Path<String>,
    Query(of): Query<OfRevision>,
    Body(about): Body<CardType>,
) -> Reply<Done> {
    server.card_types().change(&operator, &name, &about, of.revision.as_deref()).await?;
    Ok(Json(Done {}))
}

/// Delete a card type that no card has.
#[utoipa::path(delete, path = "/card-types/{name}", params(("name" = String, Path)), responses((status = 200, body = Done), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn delete_card_type(State(server): State<Server>, Bearer(operator): Bearer, Path(name): Path<String>) -> Reply<Done> {
    server.card_types().delete(&operator, &name).await?;
    Ok(Json(Done {}))
}

/// Roles, and the operators who have them.
#[utoipa::path(get, path = "/staff", responses((status = 200, body = Staff), (status = 403, body = Problem)))]
async fn staff(State(server): State<Server>, Bearer(operator): Bearer) -> Reply<Staff> {
    Ok(Json(server.staff().all(&operator).await?))
}

/// Give an operator another role, or none.
#[utoipa::path(put, path = "/operators/{id}/role", params(("id" = String, Path), OfRevision), request_body = RoleOf, responses((status = 200, body = Done), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn assign_role(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(id): Path<String>,
    Query(of): Query<OfRevision>,
    Body(RoleOf { role }): Body<RoleOf>,
) -> Reply<Done> {
    server.staff().assign_role(&operator, &id, role.as_deref(), of.revision.as_deref()).await?;
    Ok(Json(Done {}))
}

/// Add an operator.
#[utoipa::path(post, path = "/operators", request_body = NewOperator, responses((status = 200, body = Made), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn add_operator(State(server): State<Server>, Bearer(operator): Bearer, Body(new): Body<NewOperator>) -> Reply<Made> {
    Ok(Json(Made { id: server.staff().add_operator(&operator, &new).await? }))
}

/// The log, by pages. A local role finds what is of users under its policies, and what is of no user and of a card under them.
#[utoipa::path(get, path = "/events", params(Filter), responses((status = 200, body = [Event], headers(("Link" = Option<String>, description = "The next page, as `<?..>; rel=\"next\"`; none on the last"))), (status = 400, body = Problem), (status = 403, body = Problem)))]
async fn events(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    RawQuery(asked): RawQuery,
    Query(filter): Query<Filter>,
) -> Result<Page<Event>, Refusal> {
    let filter = server.meanings().of_log(&operator, filter).await?;
    Ok(Page { listed: server.log().list(&operator, &filter).await?, asked })
}

/// The log for spreadsheets.
#[utoipa::path(get, path = "/events.csv", params(Filter), responses((status = 200, content_type = "text/csv", headers(("Link" = Option<String>, description = "The next page, as `<?..>; rel=\"next\"`; none on the last"))), (status = 400, body = Problem), (status = 403, body = Problem)))]
async fn events_csv(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    RawQuery(asked): RawQuery,
    Query(filter): Query<Filter>,
) -> Result<impl IntoResponse, Refusal> {
    let filter = server.meanings().of_log(&operator, filter).await?;
    let listed = server.log().list(&operator, &filter).await?;
    let events: Vec<String> = [Event::COLUMNS.to_owned()].into_iter().chain(listed.items.iter().map(Event::csv)).collect();
    let csv = ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], events.concat());
    Ok((next(listed.next.as_deref(), asked.as_deref()), csv))
}

/// Whether the log is whole.
#[utoipa::path(get, path = "/events/check", responses((status = 200, body = Checked), (status = 403, body = Problem)))]
async fn check_log(State(server): State<Server>, Bearer(operator): Bearer) -> Reply<Checked> {
    Ok(Json(Checked { first_broken: server.log().check(&operator).await? }))
}

/// Remote Self-Service: who are you?
#[utoipa::path(post, path = "/remote", request_body = Name, responses((status = 200, body = Remote), (status = 400, body = Problem), (status = 403, body = Problem), (status = 429, body = Problem)))]
async fn open_remote(State(server): State<Server>, PeerAddress(address): PeerAddress, Body(body): Body<Name>) -> Reply<Remote> {
    Ok(Json(server.remote().open(&body.name, &address, body.captcha.as_ref()).await?))
}

/// Remote Self-Service: the letters that somebody types who says a name.
#[utoipa::path(get, path = "/remote/captcha", responses((status = 200, body = Letters)))]
async fn captcha_remote(State(server): State<Server>) -> Reply<Letters> {
    let token = server.captchas().wanted().await?;
    let at = |kind: &str| token.as_ref().map(|token| format!("/rss/captcha.{kind}?of={token}"));
    Ok(Json(Letters { picture: at("png"), sound: at("wav"), token }))
}

/// Remote Self-Service: answers.
#[utoipa::path(post, path = "/remote/{session}/answers", params(("session" = String, Path)), request_body = Answers, responses((status = 200, body = Right), (status = 400, body = Problem), (status = 410, body = Problem)))]
async fn answer_remote(
    State(server): State<Server>,
    PeerAddress(address): PeerAddress,
    Path(session): Path<String>,
    Body(answers): Body<Answers>,
) -> Reply<Right> {
    Ok(Json(Right { ok: server.remote().answer(&session, &address, &answers).await? }))
}

/// Remote Self-Service: the user's cards.
#[utoipa::path(get, path = "/remote/{session}/cards", params(("session" = String, Path)), responses((status = 200, body = [OwnCard]), (status = 409, body = Problem), (status = 410, body = Problem)))]
async fn cards_remote(
    State(server): State<Server>,
    PeerAddress(address): PeerAddress,
    Path(session): Path<String>,
) -> Reply<Vec<OwnCard>> {
    Ok(Json(server.remote().cards(&session, &address).await?))
}

/// Remote Self-Service: the response to a card's challenge.
#[utoipa::path(post, path = "/remote/{session}/challenge", params(("session" = String, Path)), request_body = CardChallenge, responses((status = 200, body = Responded), (status = 400, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem), (status = 429, body = Problem)))]
async fn challenge_remote(
    State(server): State<Server>,
    PeerAddress(address): PeerAddress,
    Path(session): Path<String>,
    Body(body): Body<CardChallenge>,
) -> Reply<Responded> {
    Ok(Json(server.remote().challenge(&session, &address, &body.card, &body.challenge).await?))
}

/// Remote Self-Service: *Disable*, *Enable* or *Revoke* of one of the user's cards.
#[utoipa::path(post, path = "/remote/{session}/operations", params(("session" = String, Path)), request_body = OwnOperation, responses((status = 200, body = OwnCard), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem)))]
async fn operate_remote(
    State(server): State<Server>,
    PeerAddress(address): PeerAddress,
    Path(session): Path<String>,
    Body(body): Body<OwnOperation>,
) -> Reply<OwnCard> {
    Ok(Json(server.remote().operate(&session, &address, &body).await?))
}

/// The policies that a user is under.
#[utoipa::path(get, path = "/users/{id}/policies", params(("id" = String, Path)), responses((status = 200, body = UnderNow), (status = 403, body = Problem)))]
async fn policies_of_user(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<UnderNow> {
    let (policies, revision) = server.users().policies(&operator, &id).await?;
    Ok(Json(UnderNow { policies, revision }))
}

/// Puts a user under these policies, and under no other.
#[utoipa::path(put, path = "/users/{id}/policies", params(("id" = String, Path), OfRevision), request_body = Under, responses((status = 200, body = Done), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn set_policies(
    State(server): State<Server>,
    Bearer(operator): Bearer,
    Path(id): Path<String>,
    Query(of): Query<OfRevision>,
    Body(under): Body<Under>,
) -> Reply<Done> {
    server.users().set_policies(&operator, &id, &under.policies, of.revision.as_deref()).await?;
    Ok(Json(Done {}))
}

/// Moves a policy before the one that stands before it.
#[utoipa::path(post, path = "/policies/{id}/up", params(("id" = String, Path)), responses((status = 200, body = Done), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn move_policy_up(State(server): State<Server>, Bearer(operator): Bearer, Path(id): Path<String>) -> Reply<Done> {
    server.policies().move_up(&operator, &id, None).await?;
    Ok(Json(Done {}))
}
