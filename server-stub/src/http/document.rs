//! The OpenAPI document, with what holds for all operations: who may ask, and how each can be refused. What is said here once
//! stands at every operation, so that a program that is made from the document knows every answer.

use super::{api, request_id, workstation};
use crate::service::Server;
use axum::Router;
use cardlab_protocol::problem::Problem;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, ContentBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Type};
use utoipa::{OpenApi as _, ToSchema as _};
use utoipa_axum::router::OpenApiRouter;

/// The login of an operator, as the document calls it.
const LOGIN: &str = "operator";
/// Operations of programs that need no login: logging in, and what people do who have none.
const OPEN: [&str; 2] = ["/api/v1/login", "/api/v1/remote"];
/// Whatever is asked, it may be refused so.
const ALWAYS: [(&str, &str); 5] = [
    ("400", "Not a request of this interface, or a value that cannot be"),
    ("403", "Not allowed; or a page of another site made a browser ask"),
    ("408", "The request did not come to its end in time"),
    ("421", "The server is not known by the name that it was asked for"),
    ("503", "The server cannot work now: its database, or too much waits"),
];
/// So also where there is a body, a login, a thing that the address names.
const TOO_LONG: (&str, &str) = ("413", "More than a request may have");
const NO_LOGIN: (&str, &str) = ("401", "No login, or one that has ended");
const NOTHING: (&str, &str) = ("404", "There is no such thing");

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "cardlab management server",
        description = "Online and offline unlock of smart cards. A request that is refused is answered with a problem of RFC 9457; \
                       every answer has an x-request-id, under which the server's log has the request."
    ),
    components(schemas(Problem))
)]
struct Document;

/// The routes that are in the document, and the document.
pub(super) fn described() -> (Router<Server>, OpenApi) {
    let (routes, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .nest(cardlab_protocol::workstation::PATH, workstation::router())
        .nest(&format!("/certiflow{}", cardlab_protocol::workstation::PATH), workstation::router())
        .nest("/api/v1", api::router())
        .split_for_parts();
    for (path, item) in &mut document.paths.paths {
        let needs_login = path.starts_with("/api/v1/") && !OPEN.iter().any(|open| path.starts_with(open));
        for operation in operations(item) {
            complete(operation, needs_login);
        }
    }
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("What POST /api/v1/login gives")).build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(LOGIN, SecurityScheme::Http(scheme));
    (routes, document)
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten()
}

/// What its line at the handler leaves out.
fn complete(operation: &mut Operation, needs_login: bool) {
    let mut known = ALWAYS.to_vec();
    if operation.request_body.is_some() {
        known.push(TOO_LONG);
    }
    // Its address names something, or what an operator sends does.
    if operation.parameters.as_ref().is_some_and(|all| !all.is_empty()) || needs_login && operation.request_body.is_some() {
        known.push(NOTHING);
    }
    if needs_login {
        known.push(NO_LOGIN);
        operation.security = Some(vec![SecurityRequirement::new(LOGIN, Vec::<String>::new())]);
    }
    let responses = &mut operation.responses.responses;
    for (status, what) in known {
        let there = responses.entry(status.into()).or_insert_with(|| RefOr::T(Response::default()));
        if let RefOr::T(response) = there
            && response.description.is_empty()
        {
            response.description = what.into();
        }
    }
    for (status, response) in responses {
        if let RefOr::T(response) = response {
            response.headers.insert(request_id::HEADER.to_string(), RefOr::T(named()));
            if matches!(status.as_str(), "429" | "503") {
                response.headers.insert("retry-after".into(), RefOr::T(seconds()));
            }
            if status.starts_with('4') || status.starts_with('5') {
                *response = refused(response);
            }
        }
    }
}

/// A refusal is always a problem, and says so.
fn refused(before: &Response) -> Response {
    let mut response = ResponseBuilder::new().description(before.description.clone()).build();
    response.headers.clone_from(&before.headers);
    response.content.insert("application/problem+json".into(), RefOr::T(problem()));
    response
}

fn problem() -> Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build()
}

fn named() -> Header {
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    let mut header = Header::new(text);
    header.description = Some("Names the request in the server's log".into());
    header
}

fn seconds() -> Header {
    let number = ObjectBuilder::new().schema_type(Type::Integer).build();
    let mut header = Header::new(number);
    header.description = Some("Seconds after which it is worth asking again".into());
    header
}
