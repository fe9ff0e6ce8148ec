//! A form that was not done: what was typed waits for the page that has the form, but for what is secret. A form that came when
//! its login had ended waits as long as one takes to log in again.
//!
//! It is in a cookie of the browser, encrypted, and gone when its page was shown. It is of the login in which it was sent, or of the
//! person where that has ended: nobody else who comes to the same browser sees it.

use super::door::{Visitor, area_cookie_name, cookie_of_pages, emptied, is_encrypted, key, private};
use super::form::Typed;
use super::frame::Notice;
use crate::http::Front;
use crate::model::clock::Millis;
use crate::model::random;
use crate::model::refusal::{Code, Refusal};
use crate::service::{SESSION, Server};
use crate::words::plain;
use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::response::IntoResponse as _;
use axum_extra::extract::cookie::{Cookie, CookieJar, Key, PrivateCookieJar};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Fields that are typed once more, and those that a page makes.
const SECRET: [&str; 10] =
    ["admin_key", "again_pin", "csrf", "letters", "new_pin", "old_pin", "own_again", "own_answer", "password", "user_password"];
/// Of these, what nobody has typed, or what is good once.
const MADE: [&str; 2] = ["csrf", "letters"];
/// So begin the names of fields with answers.
const ANSWERS: [&str; 2] = ["answer:", "again:"];
/// How long what was refused waits for its page, which comes at once.
const WAITS: Millis = 60_000;
/// Most bytes of a cookie as it is sent, with its name and all that it says of itself: browsers keep such (RFC 6265, section 6.1).
const MOST: usize = 4_096;
/// A text of so many bytes is left out before the whole is.
const LONG: usize = 64;
/// Most bytes of an address, and most letters of a field's name and of what is wrong with it, where there is no room for all: more
/// has no form of a page.
const ADDRESS: usize = 256;
const NAME: usize = 80;
const SAID: usize = 250;

/// What was typed, and where it was to go.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Of which login it is, and where that has ended of whom, as a fingerprint. None: it has nothing that is somebody's, or is of an
    /// area where nobody has come in.
    of: Option<String>,
    /// The form's own address.
    action: String,
    /// None: it was too much for a cookie, or nobody knows whose it is.
    fields: Option<Vec<(String, String)>>,
    /// It was too much, some sixty ticked boxes: its page says so.
    is_too_much: bool,
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

/// Whose a form is, or a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// It is of who has not said yet who they are: of a login, or the first of Remote Self-Service.
    Anybodys,
    /// Of the person with this fingerprint, in the login with this one.
    Of { person: String, login: String },
    /// Of somebody whose login ended so long ago that nothing tells who it was.
    Unknown,
}

impl Whose {
    /// Of a form of this request, as it came. Of a login that ended it is the person's who has had this form on a page.
    pub(super) fn of_form(parts: &Parts, form: &[u8]) -> Self {
        match Self::of_page(parts) {
            Self::Unknown => {
                let author = Author::of_cookie(parts, area(parts.uri.path()));
                let sent = form_urlencoded::parse(form).find(|(name, _)| name == "csrf").map(|(_, sent)| sent);
                let author = author.filter(|author| sent.is_some_and(|sent| random::same(&sent, &author.csrf)));
                author.map_or(Self::Unknown, |author| author.whose())
            }
            known => known,
        }
    }

    /// Of the page of this request.
    fn of_page(parts: &Parts) -> Self {
        let path = parts.uri.path();
        if is_of_login(path) {
            return Self::Anybodys;
        }
        if let Some((_, author)) = parts.extensions.get::<Shown>().and_then(|shown| shown.author.get()) {
            return author.clone().whose();
        }
        if area(path) != REMOTE {
            return Self::Unknown;
        }
        let session = CookieJar::from_headers(&parts.headers).get(&area_cookie_name(REMOTE, is_encrypted(parts))).cloned();
        let of = |session: &Cookie<'_>| random::fingerprint(&format!("session {}", session.value()));
        session.map_or(Self::Anybodys, |session| Self::Of { person: of(&session), login: of(&session) })
    }
}

/// Who has a page before them, and what its forms carry: it tells whose a form is that comes when the login has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Author {
    /// As a fingerprint.
    person: String,
    csrf: String,
}

impl Author {
    /// No two logins have the same forms.
    fn whose(self) -> Whose {
        Whose::Of { login: random::fingerprint(&format!("login {}", self.csrf)), person: self.person }
    }

    fn of_cookie(parts: &Parts, area: &str) -> Option<Self> {
        serde_json::from_str(&private(parts, &area_cookie_name(&author_name(area), is_encrypted(parts)))?).ok()
    }
}

impl Kept {
    /// Of a form for this address, as it came, and why it was not done. None where there is nothing to be kept.
    pub(super) fn of_form(
        whose: Whose,
        action: &str,
        form: &[u8],
        refusal: &Refusal,
        faults: Vec<(String, String)>,
        at: Millis,
    ) -> Option<Self> {
        let fields = form_urlencoded::parse(form).into_owned();
        let (secret, mut fields): (Vec<_>, Vec<_>) = fields.partition(|(name, _)| is_secret(name));
        fields.sort();
        // Nobody else is to see it, and nobody knows who is somebody else.
        let is_known = whose != Whose::Unknown;
        let has_secrets = is_known && secret.iter().any(|(name, text)| !MADE.contains(&name.as_str()) && !text.is_empty());
        let is_there = is_known && !fields.is_empty() || has_secrets || !faults.is_empty();
        let has_ended = refusal.code == Code::NotLoggedIn && !is_of_login(action);
        let of = match whose {
            Whose::Of { person, .. } if has_ended => Some(person),
            Whose::Of { login, .. } => Some(login),
            Whose::Anybodys | Whose::Unknown => None,
        };
        is_there.then(|| Self {
            of,
            action: action.into(),
            fields: is_known.then_some(fields),
            is_too_much: false,
            faults,
            has_ended,
            has_secrets,
            at,
        })
    }

    /// What was to be sent when a login had ended, while somebody logs in.
    pub(super) fn ended(parts: &Parts, server: &Server) -> Option<Self> {
        let here = area(parts.uri.path());
        Self::named(parts, server, OTHER).filter(|kept| kept.has_ended && kept.fields.is_some() && area(&kept.action) == here)
    }

    /// Whether it may be on a page of this person, in this login.
    fn is_for(&self, whose: &Whose) -> bool {
        self.of.as_ref().is_none_or(|of| match whose {
            Whose::Of { person, login } => of == if self.has_ended { person } else { login },
            Whose::Anybodys | Whose::Unknown => false,
        })
    }

    fn named(parts: &Parts, server: &Server, name: &str) -> Option<Self> {
        let kept: Self = serde_json::from_str(&private(parts, &area_cookie_name(name, is_encrypted(parts)))?).ok()?;
        let longest = if kept.has_ended { SESSION.as_millis() as Millis } else { WAITS };
        (0..longest).contains(&(server.now() - kept.at)).then_some(kept)
    }

    /// The text of a field that was sent.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let fields = self.fields.as_deref().unwrap_or_default();
        fields.iter().find(|(field, _)| field == name).map(|(_, text)| text.as_str())
    }

    /// Its cookie, as it is sent. What is too much for one is left out: the longest of what was typed, then all of it, but never why
    /// the form was not done. None where even that is too much, which no form of a page comes to.
    pub(super) fn sent(mut self, front: &Front, key: &Key) -> Option<HeaderValue> {
        let name = name(&self.action);
        loop {
            let sent = encrypted(cookie_of_pages(front, name, stored(&self)), key);
            if sent.is_some() || !self.leaves_out() {
                return sent;
            }
        }
    }

    /// Leaves out what can be missed most. False: nothing can.
    fn leaves_out(&mut self) -> bool {
        if let Some(fields) = &mut self.fields {
            // The shorter ones stay. A box that is left out would be one that nobody has ticked: all of them stay, or none.
            let long = (0..fields.len()).filter(|n| fields[*n].1.len() >= LONG).max_by_key(|n| fields[*n].1.len());
            match long {
                Some(longest) => drop(fields.remove(longest)),
                None => (self.fields, self.is_too_much) = (None, true),
            }
            return true;
        }
        if self.action.len() > ADDRESS {
            // As of a form that no page has: what is wrong stands above the page.
            self.action.clear();
            return true;
        }
        let mut is_cut = false;
        for (name, text) in &mut self.faults {
            is_cut |= cut(name, NAME) | cut(text, SAID);
        }
        // The first ones are told; the others are when these are right.
        is_cut || self.faults.len() > 1 && self.faults.pop().is_some()
    }
}

/// Takes from a text what is more than so many letters.
pub(super) fn cut(text: &mut String, letters: usize) -> bool {
    let end = text.char_indices().nth(letters).map(|(at, _)| at);
    end.inspect(|at| text.truncate(*at)).is_some()
}

/// A cookie that only the server reads, as it is sent. None: it is longer than browsers keep.
fn encrypted(cookie: Cookie<'static>, key: &Key) -> Option<HeaderValue> {
    // It is a third longer at least.
    if cookie.value().len() > MOST * 3 / 4 {
        return None;
    }
    let response = PrivateCookieJar::new(key.clone()).add(cookie).into_response();
    response.headers().get(SET_COOKIE).filter(|sent| sent.len() <= MOST).cloned()
}

fn stored(what: &impl Serialize) -> String {
    serde_json::to_string(what).unwrap_or_default()
}

/// What waits in this browser for the page that has its form.
pub(super) struct Waiting {
    kept: Option<Kept>,
    shown: Shown,
}

/// Whose page it is, and whether what was kept is on it, or is not to wait any more.
#[derive(Clone, Default)]
pub(super) struct Shown {
    is_gone: Arc<AtomicBool>,
    /// With the area where they are.
    author: Arc<OnceLock<(&'static str, Author)>>,
}

impl Waiting {
    /// For a page at this path, whose visitor is known ([`Shown::to`]).
    pub(super) fn of(parts: &Parts, server: &Server) -> Self {
        let shown = parts.extensions.get::<Shown>().cloned().unwrap_or_default();
        let (path, whose) = (parts.uri.path(), Whose::of_page(parts));
        let kept = Kept::named(parts, server, name(path)).filter(|kept| {
            let is_own = kept.is_for(&whose);
            // Somebody else has come.
            if !is_own && area(&kept.action) == area(path) {
                shown.gone_now();
            }
            is_own
        });
        Self { kept, shown }
    }

    /// What was typed into one of the page's forms, which go to this address or below it: the rest of the address says into
    /// which ([`Typed::about`]).
    pub(super) fn typed(&mut self, base: &str, notices: &mut Vec<Notice>) -> Typed {
        let below = |kept: &Kept| kept.action.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let Some(kept) = self.kept.take_if(|kept| below(kept)) else { return Typed::default() };
        self.shown.gone_now();
        // Of what was too much the page has nothing.
        if kept.is_too_much {
            notices.push(Notice::still(plain("kept-too-much")));
        }
        if kept.has_ended && kept.fields.is_some() {
            let secrets = kept.has_secrets.then(|| plain("login-kept-secrets"));
            notices.push(Notice::still([plain("kept-say")].into_iter().chain(secrets).collect::<Vec<_>>().join(" ")));
        }
        let of = kept.action[base.len()..].trim_start_matches('/').to_owned();
        Typed::sent(of, kept.fields, kept.faults)
    }

    /// What is wrong with fields that no form of the page has.
    pub(super) fn left(&mut self) -> Vec<Notice> {
        let Some(kept) = self.kept.take_if(|kept| !kept.faults.is_empty()) else { return Vec::new() };
        self.shown.gone_now();
        kept.faults.into_iter().map(|(_, text)| Notice::bad(text)).collect()
    }

    /// What was sent of a form at this address or below it, as long as no page has shown it.
    pub(super) fn seen(&self, base: &str) -> Option<&Kept> {
        self.kept.as_ref().filter(|kept| kept.action.starts_with(&format!("{base}/")))
    }
}

impl Shown {
    /// The page is this visitor's.
    pub(super) fn to<V: Visitor>(&self, visitor: &V) {
        let person = random::fingerprint(&format!("{} {}", V::PATH, visitor.name()));
        self.author.get_or_init(|| (area(V::PATH), Author { person, csrf: visitor.csrf().to_owned() }));
    }

    fn gone_now(&self) {
        self.is_gone.store(true, Ordering::Relaxed);
    }

    /// What waits no more when a page at this path was answered.
    pub(super) fn gone(&self, path: &str, front: &Front) -> Option<Cookie<'static>> {
        self.is_gone.load(Ordering::Relaxed).then(|| emptied(cookie_of_pages(front, name(path), String::new())))
    }

    /// What tells later whose the forms of this page were, as a cookie of its browser. None: it has it already.
    pub(super) fn signed(&self, parts: &Parts, server: &Server, front: &Front) -> Option<HeaderValue> {
        let (area, author) = self.author.get()?;
        let is_new = Author::of_cookie(parts, area).as_ref() != Some(author);
        is_new.then(|| encrypted(cookie_of_pages(front, &author_name(area), stored(author)), &key(server))).flatten()
    }
}

/// What a browser has here of who was logged in at this path's area, without what it says: it goes when they log out.
pub(super) fn of_person(path: &str, front: &Front) -> [Cookie<'static>; 3] {
    [LOGIN.into(), OTHER.into(), author_name(area(path))].map(|name: String| cookie_of_pages(front, &name, String::new()))
}

/// The cookie of a login's own form, beside which another one may wait until somebody has logged in.
const LOGIN: &str = "kept-login";
const OTHER: &str = "kept";
/// The area where one comes in by no login, and the cookie of its session.
const REMOTE: &str = "rss";

/// The cookie of who has pages of this area.
fn author_name(area: &str) -> String {
    format!("author-{area}")
}

/// The area of a path.
fn area(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

fn is_of_login(path: &str) -> bool {
    path.strip_prefix('/').and_then(|path| path.strip_suffix("/login")).is_some_and(|area| !area.contains('/'))
}

fn name(path: &str) -> &'static str {
    if is_of_login(path) { LOGIN } else { OTHER }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::sentence;
    use axum::http::header::COOKIE;
    use proptest::prelude::*;
    use std::path::Path;

    fn whose(person: &str, login: &str) -> Whose {
        Author { person: random::fingerprint(person), csrf: login.into() }.whose()
    }

    fn of(form: &str) -> Option<Kept> {
        wrong(whose("somebody", "1"), "/mc/users/new", form, &[])
    }

    fn wrong(whose: Whose, action: &str, form: &str, faults: &[(&str, &str)]) -> Option<Kept> {
        let faults = faults.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Kept::of_form(whose, action, form.as_bytes(), &Refusal::malformed(sentence!("refused-password")), faults, 0)
    }

    /// What the server gets again of what it sent, and how long that was.
    fn back(kept: Kept, encrypted: bool) -> (Kept, usize) {
        let (front, key) = (Front::at("127.0.0.1:1".parse().unwrap()).encrypted(encrypted), Key::from(&[7; 64]));
        let sent = kept.sent(&front, &key).unwrap();
        let pair = sent.to_str().unwrap().split(';').next().unwrap();
        let headers = [(COOKIE, pair.parse().unwrap())].into_iter().collect();
        let cookie = PrivateCookieJar::from_headers(&headers, key).get(pair.split('=').next().unwrap()).unwrap();
        (serde_json::from_str(cookie.value()).unwrap(), sent.len())
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
        let kept = back(of(&format!("cn={long}&logon=LAB%5Cnora&csrf=1")).unwrap(), false).0;
        assert_eq!(kept.fields, Some(vec![("logon".to_owned(), "LAB\\nora".to_owned())]));
        let boxes: Vec<_> = (0..100).map(|n| format!("policy%3A{n:032}=on")).collect();
        let kept = back(of(&boxes.join("&")).unwrap(), false).0;
        assert_eq!(kept.fields, None);
        let mut waiting = Waiting { kept: Some(kept), shown: Shown::default() };
        let mut notices = Vec::new();
        let typed = waiting.typed("/mc/users/new", &mut notices);
        assert!(typed.is_on("policy:1", &true) && !typed.is_on("policy:1", &false));
        assert_eq!(notices.iter().map(|notice| notice.text.as_str()).collect::<Vec<_>>(), [plain("kept-too-much")]);
    }

    /// Each length, one by one, where a cookie begins to be too long: it is measured as it is sent.
    #[test]
    fn what_is_wrong_is_told_however_much_was_typed() {
        let said = "A logon name is DOMAIN\\Name.";
        let mut left_out = 0;
        for length in 2_300..3_000 {
            let somebody = whose("somebody", "1");
            let kept =
                wrong(somebody, "/mc/users/new", &format!("cn={}&logon=n", "x".repeat(length)), &[("logon", said)]).unwrap();
            let (kept, sent) = back(kept, length % 2 == 0);
            assert!(sent <= 4_096, "{length}: {sent}");
            assert_eq!(kept.faults, [("logon".to_owned(), said.to_owned())], "{length}");
            assert_eq!(kept.value("logon"), Some("n"), "{length}");
            left_out += usize::from(kept.value("cn").is_none());
        }
        assert!((100..600).contains(&left_out), "{left_out}");
    }

    proptest! {
        #[test]
        fn a_refusal_is_never_too_long_for_its_cookie(
            fields in proptest::collection::vec((".{0,90}", ".{0,400}"), 0..20),
            faults in proptest::collection::vec((".{1,120}", ".{1,900}"), 1..30),
            address in "[a-z/\"%]{0,2000}",
            encrypted: bool,
        ) {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(&fields);
            let said: Vec<_> = faults.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            let address = format!("/mc/{address}");
            let kept = wrong(whose("somebody", "1"), &address, &form.finish(), &said).unwrap();
            let (kept, sent) = back(kept, encrypted);
            prop_assert!(sent <= 4_096, "{}", sent);
            prop_assert!(!kept.faults.is_empty());
            for ((name, text), (whole_name, whole)) in kept.faults.iter().zip(&faults) {
                prop_assert!(whole_name.starts_with(name.as_str()) && whole.starts_with(text.as_str()));
                prop_assert!(!name.is_empty() && !text.is_empty());
            }
        }
    }

    /// Whatever it quotes.
    #[test]
    fn how_it_went_has_room_in_its_cookie() {
        let (front, key) = (Front::at("127.0.0.1:1".parse().unwrap()).encrypted(true), Key::from(&[7; 64]));
        for (text, told) in [("\u{1F512}".repeat(15_000), 501), ("It is saved.".to_owned(), 12), ("x".repeat(500), 500)] {
            let stored = Notice::bad(text.clone()).stored(7);
            assert!(encrypted(cookie_of_pages(&front, "notice", stored.clone()), &key).is_some(), "{told}");
            let back = Notice::of_stored(&stored, 8).unwrap().text;
            assert!(back.chars().count() == told && text.starts_with(back.trim_end_matches('\u{2026}')), "{back}");
        }
    }

    #[test]
    fn what_was_typed_is_for_nobody_else() {
        let [anna, boris, later] = [("anna", "1"), ("boris", "2"), ("anna", "3")].map(|(name, login)| whose(name, login));
        let kept = wrong(whose("anna", "1"), "/ss/pin", "card=1", &[("new_pin", "Too short.")]).unwrap();
        assert!(
            kept.is_for(&anna) && [&boris, &later, &Whose::Unknown, &Whose::Anybodys].iter().all(|other| !kept.is_for(other))
        );
        // When the login has ended it waits for the next of the same person.
        let ended = Refusal::new(Code::NotLoggedIn, sentence!("refused-log-in-first"));
        let kept = Kept::of_form(whose("anna", "1"), "/ss/pin", b"card=1", &ended, Vec::new(), 0).unwrap();
        assert!(kept.is_for(&later) && [&boris, &Whose::Unknown, &Whose::Anybodys].iter().all(|other| !kept.is_for(other)));
        // Of whom nobody knows nothing is kept but what is wrong.
        assert_eq!(wrong(Whose::Unknown, "/ss/pin", "card=1&new_pin=1", &[]), None);
        let kept = wrong(Whose::Unknown, "/ss/pin", "card=1&new_pin=1", &[("new_pin", "Too short.")]).unwrap();
        assert_eq!((kept.fields, kept.has_secrets, kept.faults.len()), (None, false, 1));
        // Who logs in is nobody yet.
        assert!(wrong(Whose::Anybodys, "/mc/login", "name=olga", &[]).unwrap().is_for(&Whose::Anybodys));
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
