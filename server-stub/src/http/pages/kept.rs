//! A form that was not done: what was typed waits for the page that has the form, but for what is secret. A form that came when
//! its login had ended waits as long as one takes to log in again.
//!
//! It is in a cookie of the browser, encrypted, and gone when its page was shown.

use super::door::{area_cookie_name, is_encrypted, key};
use super::form::Typed;
use super::frame::Notice;
use crate::http::Front;
use crate::model::clock::Millis;
use crate::model::refusal::{Code, Refusal};
use crate::service::{SESSION, Server};
use crate::words::plain;
use axum::http::request::Parts;
use axum_extra::extract::cookie::{Cookie, PrivateCookieJar, SameSite};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Fields that are typed once more, and those that a page makes.
const SECRET: [&str; 10] =
    ["admin_key", "again_pin", "csrf", "letters", "new_pin", "old_pin", "own_again", "own_answer", "password", "user_password"];
/// Of these, what nobody has typed, or what is good once.
const MADE: [&str; 2] = ["csrf", "letters"];
/// So begin the names of fields with answers.
const ANSWERS: [&str; 2] = ["answer:", "again:"];
/// How long what was refused waits for its page, which comes at once.
const WAITS: Millis = 60_000;
/// Most bytes of it: browsers keep cookies of 4096 (RFC 6265, section 6.1), and encrypted it is a third longer.
const MOST: usize = 2_900;
/// A text of so many bytes is left out before the whole is.
const LONG: usize = 64;

/// What was typed, and where it was to go.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The form's own address.
    action: String,
    /// None: it was too much for a cookie.
    fields: Option<Vec<(String, String)>>,
    /// By field: what is wrong with it.
    faults: Vec<(String, String)>,
    /// It came when the login had ended.
    pub(super) has_ended: bool,
    /// Something secret was typed as well.
    pub(super) has_secrets: bool,
    at: Millis,
}

fn is_secret(name: &str) -> bool {
    SECRET.contains(&name) || ANSWERS.iter().any(|begin| name.starts_with(begin))
}

impl Kept {
    /// Of a form for this address, as it came, and why it was not done. None where there is nothing to be kept.
    pub(super) fn of_form(
        action: &str,
        form: &[u8],
        refusal: &Refusal,
        faults: Vec<(String, String)>,
        at: Millis,
    ) -> Option<Self> {
        let fields = form_urlencoded::parse(form).into_owned();
        let (secret, mut fields): (Vec<_>, Vec<_>) = fields.partition(|(name, _)| is_secret(name));
        fields.sort();
        // The shorter ones stay.
        while stored(&fields).len() > MOST
            && let Some(longest) = (0..fields.len()).filter(|n| fields[*n].1.len() >= LONG).max_by_key(|n| fields[*n].1.len())
        {
            fields.remove(longest);
        }
        let has_secrets = secret.iter().any(|(name, text)| !MADE.contains(&name.as_str()) && !text.is_empty());
        let is_there = !fields.is_empty() || has_secrets || !faults.is_empty();
        is_there.then(|| Self {
            action: action.into(),
            fields: Some(fields).filter(|fields| stored(fields).len() <= MOST),
            faults,
            has_ended: refusal.code == Code::NotLoggedIn && !is_of_login(action),
            has_secrets,
            at,
        })
    }

    /// What was to be sent when a login had ended, while somebody logs in.
    pub(super) fn ended(parts: &Parts, server: &Server) -> Option<Self> {
        Self::named(parts, server, OTHER).filter(|kept| kept.has_ended)
    }

    fn named(parts: &Parts, server: &Server, name: &str) -> Option<Self> {
        let jar = PrivateCookieJar::from_headers(&parts.headers, key(server));
        let kept: Self = serde_json::from_str(jar.get(&area_cookie_name(name, is_encrypted(parts)))?.value()).ok()?;
        let longest = if kept.has_ended { SESSION.as_millis() as Millis } else { WAITS };
        (0..longest).contains(&(server.now() - kept.at)).then_some(kept)
    }

    /// The text of a field that was sent.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let fields = self.fields.as_deref().unwrap_or_default();
        fields.iter().find(|(field, _)| field == name).map(|(_, text)| text.as_str())
    }

    /// As it waits.
    pub(super) fn cookie(&self, front: &Front) -> Cookie<'static> {
        cookie(front, name(&self.action), stored(self))
    }
}

fn stored(what: &impl Serialize) -> String {
    serde_json::to_string(what).unwrap_or_default()
}

/// What waits in this browser for the page that has its form.
pub(super) struct Waiting {
    kept: Option<Kept>,
    shown: Shown,
}

/// Whether what was kept is on the page.
#[derive(Clone, Default)]
pub(super) struct Shown(Arc<AtomicBool>);

impl Waiting {
    /// For a page at this path.
    pub(super) fn of(parts: &Parts, server: &Server) -> Self {
        let shown = parts.extensions.get::<Shown>().cloned().unwrap_or_default();
        Self { kept: Kept::named(parts, server, name(parts.uri.path())), shown }
    }

    /// What was typed into one of the page's forms, which go to this address or below it: the rest of the address says into
    /// which ([`Typed::about`]).
    pub(super) fn typed(&mut self, base: &str, notices: &mut Vec<Notice>) -> Typed {
        let below = |kept: &Kept| kept.action.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let Some(kept) = self.kept.take_if(|kept| below(kept)) else { return Typed::default() };
        self.shown.0.store(true, Ordering::Relaxed);
        if kept.has_ended {
            let secrets = kept.has_secrets.then(|| plain("login-kept-secrets"));
            notices.push(Notice::still([plain("kept-say")].into_iter().chain(secrets).collect::<Vec<_>>().join(" ")));
        }
        let of = kept.action[base.len()..].trim_start_matches('/').to_owned();
        Typed::sent(of, kept.fields, kept.faults)
    }

    /// What is wrong with fields that no form of the page has.
    pub(super) fn left(&mut self) -> Vec<Notice> {
        let Some(kept) = self.kept.take_if(|kept| !kept.faults.is_empty()) else { return Vec::new() };
        self.shown.0.store(true, Ordering::Relaxed);
        kept.faults.into_iter().map(|(_, text)| Notice::bad(text)).collect()
    }

    /// What was sent of a form at this address or below it, as long as no page has shown it.
    pub(super) fn seen(&self, base: &str) -> Option<&Kept> {
        self.kept.as_ref().filter(|kept| kept.action.starts_with(&format!("{base}/")))
    }
}

impl Shown {
    /// What waits no more when a page at this path was answered.
    pub(super) fn gone(&self, path: &str, front: &Front) -> Option<Cookie<'static>> {
        self.0.load(Ordering::Relaxed).then(|| {
            let mut cookie = cookie(front, name(path), String::new());
            cookie.make_removal();
            cookie
        })
    }
}

/// The cookie of a login's own form, beside which another one may wait until somebody has logged in.
const LOGIN: &str = "kept-login";
const OTHER: &str = "kept";

fn is_of_login(path: &str) -> bool {
    path.ends_with("/login")
}

fn name(path: &str) -> &'static str {
    if is_of_login(path) { LOGIN } else { OTHER }
}

fn cookie(front: &Front, name: &str, text: String) -> Cookie<'static> {
    let encrypted = front.is_encrypted();
    let cookie = Cookie::build((area_cookie_name(name, encrypted), text)).path("/").http_only(true);
    cookie.same_site(SameSite::Strict).secure(encrypted).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::sentence;
    use std::path::Path;

    fn of(form: &str) -> Option<Kept> {
        Kept::of_form("/mc/users/new", form.as_bytes(), &Refusal::malformed(sentence!("refused-password")), Vec::new(), 0)
    }

    #[test]
    fn what_is_secret_is_not_kept() {
        let kept = of("cn=Nora&user_password=hush&csrf=1&answer%3Aq=Rex&again%3Aq=Rex&old_pin=1234").unwrap();
        assert_eq!((kept.fields, kept.has_secrets), (Some(vec![("cn".to_owned(), "Nora".to_owned())]), true));
        assert!(!of("cn=Nora&csrf=1&user_password=").unwrap().has_secrets);
        assert_eq!(of("csrf=1"), None);
    }

    #[test]
    fn what_is_longer_than_a_cookie_leaves_the_rest() {
        let long = "x".repeat(15_000);
        let kept = of(&format!("cn={long}&logon=LAB%5Cnora&csrf=1")).unwrap();
        assert_eq!(kept.fields, Some(vec![("logon".to_owned(), "LAB\\nora".to_owned())]));
        // A box that is left out would be one that nobody has ticked: all are kept, or none.
        let boxes: Vec<_> = (0..100).map(|n| format!("policy%3A{n:032}=on")).collect();
        let kept = of(&boxes.join("&")).unwrap();
        assert_eq!(kept.fields, None);
        let mut waiting = Waiting { kept: Some(kept), shown: Shown::default() };
        let typed = waiting.typed("/mc/users/new", &mut Vec::new());
        assert!(typed.is_on("policy:1", &true) && !typed.is_on("policy:1", &false));
    }

    #[test]
    fn what_waits_is_for_the_page_of_its_form() {
        let front = Front::at("127.0.0.1:1".parse().unwrap());
        let waiting = || Waiting { kept: of("cn=Nora"), shown: Shown::default() };
        let (mut other, mut notices) = (waiting(), Vec::new());
        for page in ["/mc/users/n", "/mc/users/newer", "/mc/cards"] {
            assert!(!other.typed(page, &mut notices).about("").is_sent(), "{page}");
        }
        assert_eq!(other.shown.gone("/mc/users/new", &front), None);
        assert_eq!(other.typed("/mc/users/new", &mut notices).about("").value("cn", ""), "Nora");
        assert!(other.shown.gone("/mc/users/new", &front).is_some());
        assert_eq!(waiting().typed("/mc/users", &mut notices).about("new").value("cn", ""), "Nora");
        assert!(notices.is_empty());
    }

    /// A field that hides what is typed into it is in no cookie either.
    #[test]
    fn every_field_that_hides_its_text_is_secret() {
        fn walk(dir: &Path, found: &mut usize) {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                for tag in text.split("<input type=\"password\"").skip(1).map(|rest| rest.split('>').next().unwrap()) {
                    let name = tag.split(" name=\"").nth(1).unwrap().split(['"', '{']).next().unwrap();
                    // A name of its own for each of several: those of changing a PIN, and a field's that is called by what uses it.
                    assert!(name.is_empty() || is_secret(name), "{}: {name}", path.display());
                    *found += 1;
                }
                for name in text.split("fields::password(").skip(1).map(|rest| rest.split('"').nth(1).unwrap()) {
                    assert!(is_secret(name), "{}: {name}", path.display());
                    *found += 1;
                }
            }
        }
        let mut found = 0;
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), &mut found);
        assert!(found >= 9, "{found}");
        assert!(["old_pin", "new_pin", "again_pin"].iter().all(|name| is_secret(name)));
    }
}
