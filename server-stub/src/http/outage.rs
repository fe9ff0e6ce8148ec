//! A full disk, told with its place: who reads it, an administrator at a page or the person who asks for help, must know where
//! to make room.

use super::pages::refusal_for;
use crate::model::refusal::{Code, Refusal};
use crate::service::Server;
use crate::words::sentence;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

/// The layer that puts the database's name into such an answer.
pub(super) async fn place(State(server): State<Server>, request: Request, next: Next) -> Response {
    let at_page = super::front::is_for_a_page(request.headers());
    let response = next.run(request).await;
    if !response.extensions().get::<Refusal>().is_some_and(Refusal::is_full_disk) {
        return response;
    }
    let place = server.database();
    let message = sentence!("refused-disk-full", place = place);
    let refusal = Refusal::new(Code::StoreDown, message);
    refusal_for(at_page, refusal)
}
