//! Users: the list and the profile.

use super::super::door::{At, Behind, Sent, went};
use super::super::form::{Typed, was};
use super::super::frame::{Frame, Here};
use super::super::list::{self, Address, FieldKind, ROWS, Search, chosen};
use super::super::{ErrorPage, Page, list_page, page};
use super::{Line, start, story};
use crate::http::Front;
use crate::model::csv;
use crate::model::list::MOST;
use crate::model::names::Clash;
use crate::model::policy::NamedPolicy;
use crate::model::refusal::Refusal;
use crate::model::role::Privilege;
use crate::model::user::UserFilter;
use crate::service::Server;
use crate::service::login::Operator;
use crate::service::users::{NewUser, UserData, UserView};
use crate::words::{filters, plain, say, text};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use std::io;

pub(super) fn router() -> Router<Server> {
    Router::new()
        .route("/mc", get(list))
        .route("/mc/csv", get(save))
        .route("/mc/users/new", get(new).post(add))
        .route("/mc/users/{id}", get(user))
        .route("/mc/users/{id}/data", get(data).post(correct))
        .route("/mc/users/{id}/policies", get(policies).post(set_policies))
        .route("/mc/users/{id}/{action}", post(change).get(async |Path((id, _)): Path<(String, String)>| to_user(&id)))
}

/// What is asked for, as the form has it.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    q: String,
    state: String,
    policy: String,
    sort: String,
    cursor: String,
}

impl Asked {
    fn address(&self) -> Address {
        let fields = [("q", self.q.as_str()), ("state", &self.state), ("policy", &self.policy), ("sort", &self.sort)];
        Address::new("/mc", &fields)
    }

    fn filter(&self, limit: u16) -> Result<UserFilter, Refusal> {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Ok(UserFilter {
            q: self.q.clone(),
            state: chosen(&self.state)?,
            policy: given(&self.policy),
            sort: chosen(&self.sort)?.unwrap_or_default(),
            limit: Some(limit),
            cursor: given(&self.cursor),
        })
    }
}

#[derive(Template)]
#[template(path = "users.html")]
struct Users {
    frame: Frame,
    asked: Asked,
    address: Address,
    search: Search,
    users: Vec<UserView>,
    next: Option<String>,
    clashes: Vec<Clash>,
    may_add: bool,
}

#[derive(Template)]
#[template(path = "new_user.html")]
struct NewUserPage {
    frame: Frame,
    typed: Typed,
    policies: Vec<NamedPolicy>,
}

#[derive(Template)]
#[template(path = "user_data.html")]
struct UserDataPage {
    frame: Frame,
    user: UserView,
    typed: Typed,
}

#[derive(Template)]
#[template(path = "user_policies.html")]
struct UserPolicies {
    frame: Frame,
    user: UserView,
    /// Each with whether the user is under it.
    policies: Vec<(NamedPolicy, bool)>,
    /// Names which those are.
    revision: String,
    typed: Typed,
}

impl UserPolicies {
    /// The box of a policy.
    fn box_of(&self, policy: &str) -> String {
        format!("policy:{policy}")
    }
}

#[derive(Template)]
#[template(path = "user.html")]
struct UserPage {
    frame: Frame,
    user: UserView,
    may: MayUser,
    /// The list of the user's cards.
    their_cards: String,
    /// The user has answers, and fewer than are asked.
    too_few: bool,
    lines: Vec<Line>,
}

/// What an operator can do with a user.
struct MayUser {
    unlock: bool,
    reset: bool,
    correct: bool,
    disable: bool,
    policies: bool,
    view_cards: bool,
}

async fn list(State(server): State<Server>, mut at: At<Operator>, Behind(asked): Behind<Asked>) -> Page {
    // Who may not see users has another first page.
    if !at.by.may_somewhere(Privilege::ViewUser) {
        return Ok(start::instead(&mut at));
    }
    let sees_policies = at.by.may_somewhere(Privilege::ViewPolicy);
    let found = match asked.filter(ROWS) {
        Ok(filter) => server.users().list_with_policies(&at.by, &filter).await,
        Err(refusal) => Err(refusal),
    };
    let (listed, policies, refusal) = match found {
        Ok((listed, policies)) => (Some(listed), policies, None),
        Err(refusal) => {
            let policies = if sees_policies { server.policies().all(&at.by).await? } else { Vec::new() };
            (None, policies, Some(refusal))
        }
    };
    let may_add = at.by.may(Privilege::ChangePolicy, None) && sees_policies;
    // Once, on the page that one comes to first.
    let clashes = if may_add && !asked.address().is_narrowed() && asked.cursor.is_empty() {
        server.users().clashes(&at.by).await?
    } else {
        Vec::new()
    };
    let (users, next) = listed.map_or_else(Default::default, |listed| (listed.items, listed.next));
    let address = asked.address();
    let search = searched(&address, &policies);
    let frame = at.list_frame(Here::Users, refusal.as_ref());
    Ok(list_page(refusal.as_ref(), &Users { frame, address, search, asked, users, next, clashes, may_add }))
}

/// The form of the list. Who may not see policies has none to choose from.
fn searched(address: &Address, policies: &[NamedPolicy]) -> Search {
    let states = [("active", "user-active"), ("locked", "user-locked"), ("disabled", "user-disabled")];
    let states = states.map(|(name, title)| (name.to_owned(), plain(title)));
    let search = Search::of(address, "search").words("q", "users-search").wide().first().one_of("state", "users-state", states);
    if policies.is_empty() {
        return search;
    }
    search.one_of("policy", "users-policy", policies.iter().map(|policy| (policy.id.clone(), policy.name.clone())))
}

/// All of them as CSV.
async fn save(State(server): State<Server>, at: At<Operator>, Behind(asked): Behind<Asked>) -> Page {
    let mut filter = asked.filter(MOST)?;
    let mut listed = server.users().list(&at.by, &filter).await?;
    Ok(list::csv(
        "users",
        async_stream::try_stream! {
            yield "name,logon name,user principal name,mail,telephone,policy,status,cards\r\n".to_owned();
            loop {
                for user in listed.items {
                    let status = plain(if user.locked { "user-locked" } else if user.active { "user-active" } else { "user-disabled" });
                    let policy = user.policy.unwrap_or_default();
                    let cells = [&user.cn, &user.logon, &user.upn, &user.mail, &user.phone, &policy, &status];
                    let count = user.cards.len().to_string();
                    yield csv::line(&cells.into_iter().chain([&count]).map(String::as_str).collect::<Vec<_>>());
                }
                let Some(next) = listed.next else { break };
                filter.cursor = Some(next);
                listed = server.users().list(&at.by, &filter).await.map_err(io::Error::other)?;
            }
        },
    ))
}

async fn new_page(server: &Server, at: &mut At<Operator>) -> Result<NewUserPage, Refusal> {
    let policies = server.policies().all(&at.by).await?;
    let typed = at.typed("/mc/users/new");
    Ok(NewUserPage { frame: at.frame(Here::Users).then("/mc", plain("users-new")), typed, policies })
}

async fn new(State(server): State<Server>, mut at: At<Operator>) -> Page {
    Ok(page(&new_page(&server, &mut at).await?))
}

async fn add(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let new = NewUser {
        logon: field("logon"),
        upn: field("upn"),
        cn: field("cn"),
        mail: field("mail"),
        phone: field("phone"),
        password: field("user_password"),
        policy: field("policy"),
    };
    match server.users().add(&operator, &new).await {
        Ok(id) => {
            let added = say("new-user-added", &[("name", text(new.cn.trim()))]);
            went(&server, &front, &format!("/mc/users/{id}"), Ok(added))
        }
        Err(refusal) => went(&server, &front, "/mc/users/new", Err(refusal)),
    }
}

fn to_user(id: &str) -> Redirect {
    Redirect::to(&format!("/mc/users/{id}"))
}

async fn user(State(server): State<Server>, mut at: At<Operator>, Path(id): Path<String>) -> Page {
    let user = server.users().view(&at.by, &id).await?;
    let happened = server.pictures().happened_to_user(&at.by, &user).await?;
    let may = |privilege| at.by.may(privilege, user.policy_id.as_deref());
    let may = MayUser {
        unlock: may(Privilege::UnlockUser) && (user.locked || user.failed > 0),
        reset: may(Privilege::ResetQuestions) && (user.answers_set > 0 || user.own_questions > 0),
        correct: may(Privilege::ChangePolicy),
        disable: may(Privilege::ChangePolicy),
        policies: may(Privilege::ChangePolicy) && at.by.may_somewhere(Privilege::ViewPolicy),
        view_cards: may(Privilege::ViewCards),
    };
    let lines = story(&happened, Some(&user.cn), server.now());
    let frame = at.frame(Here::Users).then("/mc", user.cn.clone());
    let their_cards = super::cards::of_user(&user.logon);
    Ok(page(&UserPage { frame, too_few: user.has_too_few(), user, may, their_cards, lines }))
}

async fn change(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path((id, action)): Path<(String, String)>,
    Sent { by: operator, .. }: Sent<Operator>,
) -> Result<Response, ErrorPage> {
    let users = server.users();
    let (changed, done) = match action.as_str() {
        "unlock" => (users.unlock(&operator, &id).await, "user-unlocked"),
        "reset-answers" => (users.reset_answers(&operator, &id).await, "user-answers-reset"),
        "disable" => (users.set_active(&operator, &id, false).await, "user-is-disabled"),
        "enable" => (users.set_active(&operator, &id, true).await, "user-is-enabled"),
        _ => return Err(Refusal::not_found("action").into()),
    };
    Ok(went(&server, &front, &format!("/mc/users/{id}"), changed.map(|()| plain(done))))
}

async fn data(State(server): State<Server>, mut at: At<Operator>, Path(id): Path<String>) -> Page {
    let user = server.users().view(&at.by, &id).await?;
    at.by.require(Privilege::ChangePolicy, user.policy_id.as_deref())?;
    let typed = at.typed(&format!("/mc/users/{id}/data")).beside(|_| Some(&user.revision));
    let frame = at.frame(Here::Users).then("/mc", user.cn.clone());
    let frame = frame.then(&format!("/mc/users/{id}"), plain("user-correct"));
    Ok(page(&UserDataPage { frame, user, typed }))
}

async fn correct(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(id): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let data = UserData { logon: field("logon"), upn: field("upn"), cn: field("cn"), mail: field("mail"), phone: field("phone") };
    let corrected = server.users().correct(&operator, &id, &data, was(&fields)).await;
    match corrected {
        Ok(_) => {
            let said = say("user-corrected", &[("name", text(data.cn.trim()))]);
            went(&server, &front, &format!("/mc/users/{id}"), Ok(said))
        }
        Err(refusal) => went(&server, &front, &format!("/mc/users/{id}/data"), Err(refusal)),
    }
}

async fn policies(State(server): State<Server>, mut at: At<Operator>, Path(id): Path<String>) -> Page {
    let (user, policies, revision) = server.users().view_with_policies(&at.by, &id).await?;
    let typed = at.typed(&format!("/mc/users/{id}/policies")).beside(|_| Some(&revision));
    let frame = at.frame(Here::Users).then("/mc", user.cn.clone());
    let frame = frame.then(&format!("/mc/users/{id}"), plain("user-policies"));
    Ok(page(&UserPolicies { frame, user, policies, revision, typed }))
}

async fn set_policies(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    Path(id): Path<String>,
    Sent { by: operator, fields }: Sent<Operator>,
) -> Response {
    let chosen: Vec<String> = fields.keys().filter_map(|name| name.strip_prefix("policy:")).map(str::to_owned).collect();
    let set = server.users().set_policies(&operator, &id, &chosen, was(&fields)).await;
    match set {
        Ok(()) => went(&server, &front, &format!("/mc/users/{id}"), Ok(plain("user-policies-saved"))),
        Err(refusal) => went(&server, &front, &format!("/mc/users/{id}/policies"), Err(refusal)),
    }
}
