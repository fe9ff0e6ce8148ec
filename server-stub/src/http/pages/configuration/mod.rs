//! *Configuration*: a tree of what administrators set, under the names that they know.

mod operators;
mod policies;
mod questions;
mod roles;
mod types;

use super::door::At;
use super::frame::{Frame, Here};
use crate::http::body::Fields;
use crate::model::names;
use crate::model::policy::NamedPolicy;
use crate::model::refusal::Refusal;
use crate::model::role::Privilege;
use crate::service::Server;
use crate::service::login::Operator;
use crate::words::plain;
use axum::Router;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::get;
use std::collections::BTreeMap;

/// Where it is.
const PATH: &str = "/mc/configuration";

pub(super) fn router() -> Router<Server> {
    Router::new()
        .route(PATH, get(first))
        .merge(policies::router())
        .merge(questions::router())
        .merge(types::router())
        .merge(roles::router())
        .merge(operators::router())
}

/// One of the tree.
struct Branch {
    title: String,
    path: String,
    here: bool,
    below: Vec<Branch>,
}

impl Branch {
    fn new(title: impl Into<String>, path: &str, here: &str) -> Self {
        Self { title: title.into(), path: path.into(), here: path == here, below: Vec::new() }
    }
}

/// What an operator may set; the pages of the other settings are not there.
async fn tree(server: &Server, operator: &Operator, here: &str) -> Result<(Vec<Branch>, Vec<NamedPolicy>), Refusal> {
    let mut branches = Vec::new();
    let mut policies = Vec::new();
    if operator.may_somewhere(Privilege::ViewPolicy) {
        policies = server.policies().all(operator).await?;
        let mut branch = Branch::new(plain("conf-policies"), &format!("{PATH}/policies"), here);
        branch.below = policies.iter().map(|policy| of_policy(policy, here)).collect();
        branches.push(branch);
    }
    if operator.may_somewhere(Privilege::ViewPolicy) && operator.may_somewhere(Privilege::ViewCards) {
        branches.push(Branch::new(plain("conf-types"), &format!("{PATH}/card-types"), here));
    }
    if operator.may(Privilege::ChangeRoles, None) {
        branches.push(Branch::new(plain("conf-roles"), &format!("{PATH}/roles"), here));
        branches.push(Branch::new(plain("conf-operators"), &format!("{PATH}/operators"), here));
    }
    Ok((branches, policies))
}

/// A policy's pages; folded but for the one that is open.
fn of_policy(policy: &NamedPolicy, here: &str) -> Branch {
    let base = format!("{PATH}/policies/{}", policy.id);
    let mut branch = Branch::new(policy.name.clone(), &base, here);
    if here == base || here.starts_with(&format!("{base}/")) {
        branch.below = policies::Section::ALL
            .into_iter()
            .map(|section| Branch::new(plain(section.title()), &format!("{base}/{}", section.name()), here))
            .collect();
    }
    branch
}

/// The frame of a page of the tree.
fn frame(at: &mut At<Operator>, titles: &[(&str, String)]) -> Frame {
    let frame = at.frame(Here::Configuration);
    let mut back = PATH.to_owned();
    titles.iter().fold(frame, |frame, (path, title)| {
        let frame = frame.then(&back, title.clone());
        back = (*path).to_owned();
        frame
    })
}

async fn first(State(_): State<Server>, at: At<Operator>) -> Redirect {
    let to = if at.by.may_somewhere(Privilege::ViewPolicy) { "policies" } else { "roles" };
    Redirect::to(&format!("{PATH}/{to}"))
}

/// What of a list is called alike, but for how it is written: an older version told that apart.
fn called_alike<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut alike = BTreeMap::<String, Vec<&str>>::new();
    names.for_each(|name| alike.entry(names::key(name)).or_default().push(name));
    alike.into_values().filter(|names| names.len() > 1).map(|names| names.join(", ")).collect()
}

/// A field of a form, without the blanks round it.
fn field(fields: &Fields, name: &str) -> String {
    fields.get(name).map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// A field that something is in.
fn given(fields: &Fields, name: &str) -> Option<String> {
    Some(field(fields, name)).filter(|text| !text.is_empty())
}
