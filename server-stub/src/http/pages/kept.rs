//! A form that came when the login had ended: what was typed is not lost, but for what is secret.

use super::door::{LoginPage, Visitor, own_path};
use super::frame::Frame;
use super::{page, refused};
use crate::http::body::Fields;
use crate::model::refusal::{Code, Refusal};
use crate::words::{filters, sentence};
use askama::Template;
use axum::response::Response;

/// Fields that are typed once more.
const SECRET: [&str; 5] = ["csrf", "password", "user_password", "admin_key", "default_user_pin"];
/// How the fields are called while somebody logs in.
const PREFIX: &str = "kept:";

/// What was typed, and where it was to go.
#[derive(Default)]
pub(super) struct Kept {
    to: String,
    fields: Vec<(String, String)>,
    /// Something secret was typed as well.
    secrets: bool,
}

impl Kept {
    /// What a form for this path has that may be kept.
    fn of_form(path: &str, fields: Fields) -> Self {
        // Answers are secret, whatever their questions are called.
        if !path.starts_with("/mc/") || path.starts_with("/mc/unlock/") {
            return Self { secrets: fields.len() > 1, ..Self::default() };
        }
        let is_secret = |name: &str| SECRET.contains(&name);
        let secrets = fields.iter().any(|(name, text)| name != "csrf" && is_secret(name) && !text.is_empty());
        let mut fields: Vec<_> = fields.into_iter().filter(|(name, _)| !is_secret(name)).collect();
        fields.sort();
        Self { to: path.into(), fields, secrets }
    }

    /// What came along with a login.
    pub(super) fn of_login(fields: &mut Fields) -> Self {
        let to = own_path("/mc", &fields.remove("to").unwrap_or_default());
        let secrets = fields.remove("secrets").is_some();
        let kept = fields.drain().filter_map(|(name, text)| Some((name.strip_prefix(PREFIX)?.to_owned(), text)));
        let mut fields: Vec<_> = kept.filter(|(name, _)| !SECRET.contains(&name.as_str())).collect();
        fields.sort();
        Self { to, fields, secrets }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// As it stands on the page of a login.
    pub(super) fn hidden(&self) -> Vec<(String, &str)> {
        let mut hidden: Vec<_> = self.fields.iter().map(|(name, text)| (format!("{PREFIX}{name}"), text.as_str())).collect();
        if !hidden.is_empty() {
            hidden.push(("to".into(), &self.to));
            hidden.extend(self.secrets.then(|| ("secrets".into(), "")));
        }
        hidden
    }

    /// Whether what was secret is lost.
    pub(super) fn lost_secrets(&self) -> bool {
        self.secrets
    }

    /// What was typed, to be looked at and sent.
    pub(super) fn page(self, frame: Frame, leave: &str, csrf: &str) -> Response {
        page(&KeptPage { frame, kept: self, leave: leave.into(), csrf: csrf.into() })
    }
}

#[derive(Template)]
#[template(path = "kept.html")]
struct KeptPage {
    frame: Frame,
    kept: Kept,
    leave: String,
    csrf: String,
}

/// The login, for a form that came too late.
pub(super) fn login_page<V: Visitor>(path: &str, fields: Fields) -> Response {
    let refusal = Refusal::new(Code::NotLoggedIn, sentence!("refused-log-in-first"));
    let kept = Kept::of_form(path, fields);
    refused(&refusal, &LoginPage { ended: true, kept, ..LoginPage::of::<V>() })
}
