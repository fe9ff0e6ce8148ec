//! Remote Self-Service. What opens the session is in a cookie of the area, and on no page and in no address.

use super::super::Front;
use super::super::body::{Fields, Form, PeerAddress};
use super::{ErrorPage, answers, area_cookie, area_cookie_name, is_encrypted, page, refused};
use crate::model::refusal::{Code, Refusal};
use crate::service::Server;
use crate::service::flow::remote::OwnCard;
use askama::Template;
use axum::Extension;
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Redirect, Response as Reply};
use axum::routing::{get, post};
use axum_extra::extract::cookie::CookieJar;
use cardlab_protocol::workstation::Question;

/// Path of the pages, and of the session's cookie.
const PATH: &str = "/rss";

pub(super) fn router() -> axum::Router<Server> {
    axum::Router::new()
        .route("/rss", get(ask_name).post(open))
        .route("/rss/answers", post(answer))
        .route("/rss/unblock", post(unblock))
        .route("/rss/leave", post(leave))
}

type Page = Result<Reply, ErrorPage>;
/// What was filled in; what is no form is refused on a page.
type Filled = Result<Form, Refusal>;

/// What is shown. `csrf` is what a form must send back.
enum RemoteStep {
    Name,
    Questions { csrf: String, questions: Vec<Question> },
    Cards { csrf: String, cards: Vec<OwnCard> },
    Response { csrf: String, grouped: String, check: String },
}

#[derive(Template)]
#[template(path = "remote.html")]
struct RemotePage {
    error: Option<String>,
    step: RemoteStep,
}

/// A form of a page of ours, in the session of this browser. Who has none says first who they are.
struct Sent {
    session: String,
    csrf: String,
    fields: Fields,
}

impl FromRequest<Server> for Sent {
    type Rejection = Reply;

    async fn from_request(request: Request, server: &Server) -> Result<Self, Reply> {
        let (parts, body) = request.into_parts();
        let cookies = CookieJar::from_headers(&parts.headers);
        let cookie = cookies.get(&area_cookie_name(PATH, is_encrypted(&parts)));
        let Some(session) = cookie.map(|cookie| cookie.value().to_owned()) else {
            return Err(Redirect::to(PATH).into_response());
        };
        let form = Form::from_request(Request::from_parts(parts, body), server).await;
        let Form(fields) = form.map_err(|refusal| ErrorPage(refusal).into_response())?;
        let csrf = csrf(&session);
        if !fields.get("csrf").is_some_and(|sent| crate::model::random::same(sent, &csrf)) {
            let message = "this form did not come from a page of this session; start again";
            return Err(ErrorPage(Refusal::new(Code::NoPrivilege, message)).into_response());
        }
        Ok(Self { session, csrf, fields })
    }
}

/// What a form of this session carries: it does not open the session.
fn csrf(session: &str) -> String {
    crate::model::random::fingerprint(&format!("form of {session}"))
}

async fn ask_name() -> Reply {
    page(&RemotePage { error: None, step: RemoteStep::Name })
}

async fn open(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    PeerAddress(address): PeerAddress,
    form: Filled,
) -> Page {
    let Form(fields) = form?;
    let remote = server.remote().open(fields.get("name").map(String::as_str).unwrap_or_default(), &address).await?;
    let step = RemoteStep::Questions { csrf: csrf(&remote.session), questions: remote.questions };
    let cookies = CookieJar::new().add(area_cookie(PATH, &front, remote.session));
    Ok((cookies, page(&RemotePage { error: None, step })).into_response())
}

async fn answer(State(server): State<Server>, PeerAddress(address): PeerAddress, sent: Sent) -> Page {
    if server.remote().answer(&sent.session, &address, &answers(&sent.fields)).await? {
        let cards = server.remote().cards(&sent.session, &address).await?;
        return Ok(page(&RemotePage { error: None, step: RemoteStep::Cards { csrf: sent.csrf, cards } }));
    }
    let refusal = Refusal::new(Code::AnswersFirst, "The answers are not right. Start again, or ask your operator.");
    Ok(refused(&refusal, &RemotePage { error: Some(refusal.message.clone()), step: RemoteStep::Name }))
}

async fn unblock(State(server): State<Server>, PeerAddress(address): PeerAddress, sent: Sent) -> Page {
    let field = |name: &str| sent.fields.get(name).map(String::as_str).unwrap_or_default();
    match server.remote().challenge(&sent.session, &address, field("card"), field("challenge")).await {
        Ok(response) => {
            let grouped = cardlab_protocol::codes::grouped(&hex::decode(&response.response).unwrap_or_default());
            let step = RemoteStep::Response { csrf: sent.csrf, grouped, check: response.check };
            Ok(page(&RemotePage { error: None, step }))
        }
        Err(refusal) => {
            let cards = server.remote().cards(&sent.session, &address).await?;
            let step = RemoteStep::Cards { csrf: sent.csrf, cards };
            Ok(refused(&refusal, &RemotePage { error: Some(refusal.message.clone()), step }))
        }
    }
}

async fn leave(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    PeerAddress(address): PeerAddress,
    cookies: CookieJar,
    sent: Sent,
) -> Page {
    server.remote().close(&sent.session, &address).await?;
    Ok((cookies.remove(area_cookie(PATH, &front, String::new())), Redirect::to(PATH)).into_response())
}
