//! Doors of the areas: who has come in, by which cookie, with which form; and what a form leads on to.

use super::form::Typed;
use super::frame::{Frame, Here, Notice, Who};
use super::kept::{self, Kept, Shown, Waiting, Whose};
use super::{ErrorPage, Page, page};
use crate::http::Front;
use crate::http::body::{Fields, Form, PeerAddress, Query};
use crate::http::front::{Unread, is_for_a_page};
use crate::http::{LONGEST_BODY, actor, log};
use crate::model::refusal::{Code, Refusal};
use crate::service::Server;
use crate::service::login::{Door, Operator, Person};
use crate::words::{filters, sentence};
use askama::Template;
use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use axum_extra::extract::cookie::{Cookie, CookieJar, Key, PrivateCookieJar, SameSite};
use serde::de::DeserializeOwned;
use std::borrow::Cow;

/// What the next page says; encrypted, as it may be a PIN, and gone when it was said.
const NOTICE: &str = "notice";

/// Somebody who has come in by a door.
pub(super) trait Visitor: Sized + Send {
    const DOOR: Door;
    /// Path of the pages behind the door, and of its cookie.
    const PATH: &'static str;
    /// Names of the sentences: of the area, and of its login.
    const AREA: &'static str;
    const TITLE: &'static str;

    /// Whose token it is.
    fn of(server: &Server, token: &str) -> impl Future<Output = Result<Self, Refusal>> + Send;

    /// What a form of theirs carries.
    fn csrf(&self) -> &str;

    /// Who they are, in the log.
    fn name(&self) -> Cow<'_, str>;
}

/// Who is at this browser, what was to be said to them, and what they have typed that was not done; others are sent to the login.
pub(super) struct At<V> {
    pub(super) by: V,
    notices: Vec<Notice>,
    waiting: Waiting,
}

impl At<Operator> {
    /// The frame of a page of the menu. What its forms were sent is asked for before ([`Self::typed`]).
    pub(super) fn frame(&mut self, here: Here) -> Frame {
        self.notices().into_iter().fold(Frame::console(&self.by, here), Frame::noting)
    }

    /// As [`Self::frame`], of a list that may be asked for something that is none.
    pub(super) fn list_frame(&mut self, here: Here, refusal: Option<&Refusal>) -> Frame {
        let frame = self.frame(here);
        match refusal {
            Some(refusal) => frame.noting(Notice::refused(refusal)),
            None => frame,
        }
    }
}

impl<V> At<V> {
    /// What was typed into one of this page's forms, which go to this address or below it.
    pub(super) fn typed(&mut self, base: &str) -> Typed {
        self.waiting.typed(base, &mut self.notices)
    }

    /// What was sent of a form below this address, whose page is no more.
    pub(super) fn sent_below(&self, base: &str) -> Option<&Kept> {
        self.waiting.seen(base)
    }

    /// What the page says. What its forms were sent is asked for before.
    pub(super) fn notices(&mut self) -> Vec<Notice> {
        self.notices.extend(self.waiting.left());
        std::mem::take(&mut self.notices)
    }
}

/// Who has come in with this request; else how the login is to begin.
async fn visitor<V: Visitor>(parts: &Parts, server: &Server) -> Result<Result<V, bool>, Refusal> {
    let cookies = CookieJar::from_headers(&parts.headers);
    let Some(token) = cookies.get(&area_cookie_name(V::PATH, is_encrypted(parts))) else { return Ok(Err(false)) };
    match V::of(server, token.value()).await {
        Ok(visitor) => {
            actor::is(&visitor.name(), V::DOOR == Door::Console);
            if let Some(shown) = parts.extensions.get::<Shown>() {
                shown.to(&visitor);
            }
            Ok(Ok(visitor))
        }
        Err(refusal) if refusal.code == Code::NotLoggedIn => Ok(Err(true)),
        Err(refusal) => Err(refusal),
    }
}

impl<V: Visitor> FromRequestParts<Server> for At<V> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Response> {
        match visitor::<V>(parts, server).await.map_err(|refusal| ErrorPage(refusal).into_response())? {
            Ok(by) => Ok(Self { by, notices: noticed(parts, server).into_iter().collect(), waiting: Waiting::of(parts, server) }),
            Err(ended) => {
                let next = parts.uri.path_and_query().map_or(V::PATH, |path| path.as_str());
                Err(Redirect::to(&login_path(V::PATH, next, ended)).into_response())
            }
        }
    }
}

/// The part behind `?`; what is none of ours is refused on a page.
pub(super) struct Behind<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Server> for Behind<T> {
    type Rejection = ErrorPage;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, ErrorPage> {
        let Query(asked) = Query::from_request_parts(parts, server)
            .await
            .map_err(|_: Refusal| Refusal::malformed(sentence!("refused-filters")))?;
        Ok(Self(asked))
    }
}

/// A form of a page of ours, from who is at this browser.
pub(super) struct Sent<V> {
    pub(super) by: V,
    pub(super) fields: Fields,
}

impl<V: Visitor> FromRequest<Server> for Sent<V> {
    type Rejection = Response;

    async fn from_request(request: Request, server: &Server) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let by = visitor::<V>(&parts, server).await.map_err(|refusal| ErrorPage(refusal).into_response())?;
        let by = by.map_err(|_| login_first::<V>(&parts))?;
        let form = Form::from_request(Request::from_parts(parts, body), server).await;
        let Form(fields) = form.map_err(|refusal| ErrorPage(refusal).into_response())?;
        if !fields.get("csrf").is_some_and(|sent| crate::model::random::same(sent, by.csrf())) {
            let message = sentence!("refused-form-of-login");
            return Err(ErrorPage(Refusal::new(Code::OtherSite, message)).into_response());
        }
        Ok(Self { by, fields })
    }
}

/// Login and logout at a door.
pub(super) fn door<V: Visitor + 'static>() -> Router<Server> {
    Router::new()
        .route(&format!("{}/login", V::PATH), get(login::<V>).post(log_in::<V>))
        .route(&format!("{}/logout", V::PATH), post(log_out::<V>).get(async || Redirect::to(V::PATH)))
}

#[derive(Template)]
#[template(path = "login.html")]
pub(super) struct LoginPage {
    pub(super) frame: Frame,
    pub(super) action: String,
    /// Sentence of what a name looks like.
    pub(super) name_hint: Option<&'static str>,
    pub(super) name: String,
    /// Where it leads to.
    pub(super) next: String,
    /// The login ended.
    pub(super) ended: bool,
    /// What was typed before it ended waits until somebody has logged in.
    pub(super) kept: Option<Kept>,
}

/// What stands behind `?` of a login.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Coming {
    next: String,
    ended: bool,
}

async fn login<V: Visitor>(State(server): State<Server>, parts: Parts, Behind(coming): Behind<Coming>) -> Response {
    let LoginPage { mut frame, action, name_hint, .. } = LoginPage::of::<V>();
    frame.notices.extend(noticed(&parts, &server));
    let name = Waiting::of(&parts, &server).typed(&action, &mut frame.notices).value("name", "");
    let (next, kept) = (own_path(V::PATH, &coming.next), Kept::ended(&parts, &server));
    page(&LoginPage { frame, action, name_hint, name, next, ended: coming.ended, kept })
}

impl LoginPage {
    pub(super) fn of<V: Visitor>() -> Self {
        let name_hint = (V::DOOR == Door::SelfService).then_some("login-name-hint-user");
        Self {
            frame: Frame::open(V::AREA, V::PATH, V::TITLE),
            action: format!("{}/login", V::PATH),
            name_hint,
            name: String::new(),
            next: V::PATH.into(),
            ended: false,
            kept: None,
        }
    }
}

async fn log_in<V: Visitor>(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    PeerAddress(address): PeerAddress,
    headers: HeaderMap,
    form: Result<Form, Refusal>,
) -> Page {
    let Form(mut fields) = form?;
    let mut field = |name: &str| fields.remove(name).unwrap_or_default();
    let (name, password, next) = (field("name"), zeroize::Zeroizing::new(field("password")), field("next"));
    let next = own_path(V::PATH, &next);
    match server.logins().log_in(V::DOOR, &name, &password, &address).await {
        Ok(login) => {
            let cookies = CookieJar::new().add(area_cookie(V::PATH, &front, login.token.clone()));
            Ok((cookies, Redirect::to(&next)).into_response())
        }
        Err(refusal) if is_for_a_page(&headers) => Ok(went(&server, &front, &login_path(V::PATH, &next, false), Err(refusal))),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Nothing of theirs stays in the browser: neither what they have typed nor what was to be said to them.
async fn log_out<V: Visitor>(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    cookies: CookieJar,
    _: Sent<V>,
) -> Result<(CookieJar, Redirect), ErrorPage> {
    let cookie = area_cookie(V::PATH, &front, String::new());
    server.logins().log_out(V::DOOR, cookies.get(cookie.name()).map(Cookie::value).unwrap_or_default()).await?;
    let theirs = kept::of_person(V::PATH, &front).into_iter().chain([cookie, cookie_of_pages(&front, NOTICE, String::new())]);
    Ok((theirs.fold(cookies, CookieJar::remove), Redirect::to(&format!("{}/login", V::PATH))))
}

/// The login, for a form that came too late. It leads to the form's own address, which leads on to the page that has the form.
fn login_first<V: Visitor>(parts: &Parts) -> Response {
    let refusal = Refusal::new(Code::NotLoggedIn, sentence!("refused-log-in-first"));
    if !is_for_a_page(&parts.headers) {
        return ErrorPage(refusal).into_response();
    }
    let mut response = Redirect::to(&login_path(V::PATH, parts.uri.path(), true)).into_response();
    log::refused(&mut response, &refusal);
    response
}

/// The login that leads back to where one was.
fn login_path(area: &str, next: &str, ended: bool) -> String {
    let ended = if ended { "&ended=true" } else { "" };
    let encoded: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("{area}/login?next={encoded}{ended}")
}

/// A path of this area, whatever somebody has put into an address.
pub(super) fn own_path(area: &str, next: &str) -> String {
    let inside = next.strip_prefix(area).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let plain = next.parse::<Uri>().is_ok_and(|uri| uri.authority().is_none()) && !next.contains(['\\', '#']);
    let login = next.strip_prefix(area).is_some_and(|rest| rest.starts_with("/log"));
    // `/mc/log` is the log, `/mc/login` and `/mc/logout` lead nowhere.
    let login = login && (next[area.len()..].starts_with("/login") || next[area.len()..].starts_with("/logout"));
    if inside && plain && !login { next.to_owned() } else { area.to_owned() }
}

/// What is wrong with fields of a form, by their names; it goes with the answer to it.
#[derive(Clone)]
struct Faults(Vec<(String, String)>);

/// A form was not done, as fields of it are wrong: its page says at each what.
pub(super) fn wrong_at(to: &str, refusal: &Refusal, faults: Vec<(String, String)>) -> Response {
    let mut response = Redirect::to(to).into_response();
    response.extensions_mut().insert(Faults(faults));
    log::refused(&mut response, refusal);
    response
}

/// A form is done, or not: the next page says how it went. What was typed into one that was not done is there again ([`Kept`]),
/// and where a field of it is wrong it is said at the field.
pub(super) fn went(server: &Server, front: &Front, to: &str, done: Result<String, Refusal>) -> Response {
    let notice = match &done {
        Ok(text) => Notice::good(text.clone()),
        Err(refusal) => {
            let notice = Notice::refused(refusal);
            if let Some(field) = refusal.field() {
                return wrong_at(to, refusal, vec![(field.to_owned(), notice.text)]);
            }
            notice
        }
    };
    let jar = PrivateCookieJar::new(key(server)).add(cookie_of_pages(front, NOTICE, notice.stored(server.now())));
    let mut response = (jar, Redirect::to(to)).into_response();
    if let Err(refusal) = &done {
        log::refused(&mut response, refusal);
    }
    response
}

/// A form that was refused leads to its page, so that neither *Back* nor a reload sends it again; what was typed waits there.
fn refused_form(seen: &Parts, form: &[u8], server: &Server, front: &Front, response: Response) -> Response {
    let Some(refusal) = response.extensions().get::<Refusal>().cloned() else { return response };
    let path = seen.uri.path();
    let mut response = match response.status().is_redirection() {
        true => response,
        // No page has such a form.
        false if refusal.code == Code::WrongMethod || !is_for_a_page(&seen.headers) => return response,
        false => {
            let mut led = went(server, front, path, Err(refusal.clone()));
            led.headers_mut().extend(response.headers().get_all(SET_COOKIE).iter().map(|set| (SET_COOKIE, set.clone())));
            led
        }
    };
    // What somebody else had a browser send is not shown as if it were typed.
    if refusal.code == Code::OtherSite {
        return response;
    }
    let faults = response.extensions_mut().remove::<Faults>().map(|Faults(faults)| faults).unwrap_or_default();
    let kept = Kept::of_form(Whose::of_form(seen, form), path, form, &refusal, faults, server.now());
    let sent = kept.and_then(|kept| kept.sent(front, &key(server)));
    response.headers_mut().extend(sent.map(|sent| (SET_COOKIE, sent)));
    response
}

/// The cookies of a request that only the server reads, decrypted once ([`framed`]).
#[derive(Clone)]
struct Private(PrivateCookieJar);

/// What a cookie of this name says that only the server reads.
pub(super) fn private(parts: &Parts, name: &str) -> Option<String> {
    Some(parts.extensions.get::<Private>()?.0.get(name)?.value().to_owned())
}

/// What this page is to say.
pub(super) fn noticed(parts: &Parts, server: &Server) -> Option<Notice> {
    Notice::of_stored(&private(parts, &area_cookie_name(NOTICE, is_encrypted(parts)))?, server.now())
}

/// Leads forms that were refused to their pages, gives pages that were refused the frame of whoever asked, and forgets what a
/// page has said and shown.
pub(super) async fn framed(
    State(server): State<Server>,
    Extension(front): Extension<Front>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    if let Some(Unread(refusal)) = parts.extensions.remove::<Unread>() {
        let refusal = match refusal.code {
            Code::TooLong => Refusal::new(Code::TooLong, sentence!("refused-form-too-long", most = LONGEST_BODY)),
            _ => refusal,
        };
        return in_frame(&ErrorPage(refusal), &parts, &server).await;
    }
    let shown = Shown::default();
    parts.extensions.insert(shown.clone());
    parts.extensions.insert(Private(PrivateCookieJar::from_headers(&parts.headers, key(&server))));
    let seen = parts.clone();
    // It has come whole, and is no longer than a request may be.
    let form = if seen.method == Method::POST { to_bytes(body, usize::MAX).await } else { Ok(Bytes::new()) };
    let Ok(form) = form else { return StatusCode::BAD_REQUEST.into_response() };
    let mut response = next.run(Request::from_parts(parts, form.clone().into())).await;
    if seen.method == Method::POST {
        response = refused_form(&seen, &form, &server, &front, response);
    }
    if let Some(error) = response.extensions_mut().remove::<ErrorPage>() {
        response = in_frame(&error, &seen, &server).await;
    }
    if seen.method != Method::GET {
        return response;
    }
    let signed = shown.signed(&seen, &server, &front).map(|signed| (SET_COOKIE, signed));
    if !response.status().is_success() {
        response.headers_mut().extend(signed);
        return response;
    }
    let was_said = CookieJar::from_headers(&seen.headers).get(&area_cookie_name(NOTICE, front.is_encrypted())).is_some();
    let said = was_said.then(|| emptied(cookie_of_pages(&front, NOTICE, String::new())));
    let gone = said.into_iter().chain(shown.gone(seen.uri.path(), &front)).fold(CookieJar::new(), CookieJar::add);
    let mut response = (gone, response).into_response();
    response.headers_mut().extend(signed);
    response
}

/// What is refused where no page is: to whoever has a page before them on one, in their frame, and to programs as to programs.
pub(super) async fn refused_nowhere(server: &Server, request: Request, at_page: Refusal, otherwise: Refusal) -> Response {
    let (parts, _) = request.into_parts();
    if is_for_a_page(&parts.headers) { in_frame(&ErrorPage(at_page), &parts, server).await } else { otherwise.into_response() }
}

/// The page of a refusal, in the frame of whoever has asked.
async fn in_frame(error: &ErrorPage, parts: &Parts, server: &Server) -> Response {
    let path = parts.uri.path();
    if path.starts_with("/mc")
        && let Ok(Ok(operator)) = visitor::<Operator>(parts, server).await
    {
        let here = Here::around(path, &operator);
        return error.rendered(Frame::console(&operator, here), here.path());
    }
    let mut frame = Frame::of_area(path);
    if path.starts_with("/ss")
        && let Ok(Ok(person)) = visitor::<Person>(parts, server).await
        && let Ok(own) = server.self_service().own(&person).await
    {
        frame.who = Some(Who { name: own.cn, role: String::new(), csrf: person.csrf });
    }
    let home = frame.home;
    error.rendered(frame, home)
}

pub(super) fn is_encrypted(parts: &Parts) -> bool {
    parts.extensions.get::<Front>().is_some_and(Front::is_encrypted)
}

/// What encrypts cookies that only the server reads.
pub(super) fn key(server: &Server) -> Key {
    Key::from(&*server.vault().cookie_key())
}

/// The name of an area's cookie, by its path. Over TLS browsers take a cookie of this prefix from the very host alone, encrypted
/// (RFC 6265bis, section 4.1.3.2); it has no path then.
pub(super) fn area_cookie_name(path: &str, encrypted: bool) -> String {
    format!("{}{}", if encrypted { "__Host-" } else { "" }, path.trim_start_matches('/'))
}

/// The cookie of an area.
pub(super) fn area_cookie(area: &'static str, front: &Front, token: String) -> Cookie<'static> {
    let encrypted = front.is_encrypted();
    let path = if encrypted { "/" } else { area };
    let cookie = Cookie::build((area_cookie_name(area, encrypted), token)).path(path).http_only(true);
    cookie.same_site(SameSite::Strict).secure(encrypted).build()
}

/// A cookie that pages of all areas read.
pub(super) fn cookie_of_pages(front: &Front, name: &str, text: String) -> Cookie<'static> {
    let encrypted = front.is_encrypted();
    let cookie = Cookie::build((area_cookie_name(name, encrypted), text)).path("/").http_only(true);
    cookie.same_site(SameSite::Strict).secure(encrypted).build()
}

/// A cookie that takes one away.
pub(super) fn emptied(mut cookie: Cookie<'static>) -> Cookie<'static> {
    cookie.make_removal();
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_nowhere_else() {
        for (next, to) in [
            ("/mc", "/mc"),
            ("/mc/log", "/mc/log"),
            ("/mc/cards/0A?x=1", "/mc/cards/0A?x=1"),
            ("/mc?q=anna", "/mc?q=anna"),
            ("//evil.example/mc", "/mc"),
            ("/mcevil", "/mc"),
            ("https://evil.example/mc", "/mc"),
            ("/mc/\\evil", "/mc"),
            ("/mc/login?next=/mc", "/mc"),
            ("/mc/logout", "/mc"),
            ("/ss", "/mc"),
            ("", "/mc"),
            ("/mc/\r\nSet-Cookie: a=b", "/mc"),
        ] {
            assert_eq!(own_path("/mc", next), to, "{next:?}");
        }
    }
}
