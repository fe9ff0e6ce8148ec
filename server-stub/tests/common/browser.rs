//! A browser with cookies and a language, and what it shows.

use super::Site;
use reqwest::blocking::Response;
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, COOKIE, LOCATION, SET_COOKIE};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

pub struct Browser<'s> {
    site: &'s Site,
    language: &'static str,
    cookies: RefCell<BTreeMap<String, String>>,
    /// Status of the answer to the last form that was sent.
    answered: Cell<u16>,
}

/// A page that it shows.
pub struct Page {
    pub status: u16,
    /// Where it stands.
    pub path: String,
    pub text: String,
}

impl<'s> Browser<'s> {
    pub fn new(site: &'s Site, language: &'static str) -> Self {
        Self { site, language, cookies: RefCell::default(), answered: Cell::new(0) }
    }

    /// One in which somebody has come in by the door of this area.
    pub fn logged_in(site: &'s Site, language: &'static str, area: &str, (name, password): (&str, &str)) -> Self {
        let browser = Self::new(site, language);
        let page = browser.send(&format!("{area}/login"), &[("name", name), ("password", password)]);
        // Its first page is another for who may not see the usual one.
        let is_in = page.status == 200 && page.path.starts_with(area) && !page.path.starts_with(&format!("{area}/login"));
        assert!(is_in, "{}: {}", page.path, page.text);
        browser
    }

    pub fn get(&self, path: &str) -> Page {
        let answer = self.site.send(path, |http, url| {
            http.get(url).header(COOKIE, self.cookie()).header(ACCEPT, "text/html").header(ACCEPT_LANGUAGE, self.language)
        });
        self.follow(path, answer)
    }

    /// A form with these fields and no others.
    pub fn send(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let answer = self.site.send(path, |http, url| {
            let post = http.post(url).header(COOKIE, self.cookie()).header(ACCEPT, "text/html");
            post.header(ACCEPT_LANGUAGE, self.language).form(fields)
        });
        self.answered.set(answer.status().as_u16());
        self.follow(path, answer)
    }

    /// As [`Self::send`], but nobody looks at what it leads to.
    pub fn send_unseen(&self, path: &str, fields: &[(&str, &str)]) {
        let answer = self.site.send(path, |http, url| {
            let post = http.post(url).header(COOKIE, self.cookie()).header(ACCEPT, "text/html");
            post.header(ACCEPT_LANGUAGE, self.language).form(fields)
        });
        self.answered.set(answer.status().as_u16());
        self.take(&answer);
    }

    /// A form of the page at `on`.
    pub fn send_from(&self, on: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.get(on);
        let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"").first().copied().unwrap_or_default();
        self.send(path, &[&[("csrf", csrf)], fields].concat())
    }

    /// Whether the last form led on to another address, so that nothing sends it again.
    pub fn was_led(&self) -> bool {
        self.answered.get() == 303
    }

    /// What it has of the login of this area is forgotten.
    pub fn forget(&self, area: &str) {
        self.cookies.borrow_mut().remove(area.trim_start_matches('/'));
    }

    /// The same browser at another time, when the login of this area has ended.
    pub fn after_its_login(&self, area: &str) -> Self {
        let late = Self { cookies: self.cookies.clone(), ..Self::new(self.site, self.language) };
        late.forget(area);
        late
    }

    /// Whether it has a cookie of this name.
    pub fn has(&self, cookie: &str) -> bool {
        self.cookies.borrow().contains_key(cookie)
    }

    /// Takes the cookies, but for those that are longer than browsers keep: nobody is told of these.
    fn take(&self, answer: &Response) {
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.borrow_mut().remove(name);
            } else if name.len() + value.len() <= 4_096 {
                self.cookies.borrow_mut().insert(name.into(), value.into());
            }
        }
    }

    /// Takes the cookies, and goes where it is led.
    fn follow(&self, path: &str, answer: Response) -> Page {
        self.take(&answer);
        match answer.headers().get(LOCATION) {
            Some(to) => self.get(to.to_str().unwrap()),
            None => Page { status: answer.status().as_u16(), path: path.into(), text: answer.text().unwrap() },
        }
    }

    fn cookie(&self) -> String {
        self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}

impl Page {
    /// What it says that somebody is to hear at once: of a refusal.
    pub fn alerts(&self) -> Vec<String> {
        between(&self.text, "role=\"alert\">", "</p>").into_iter().map(unescaped).collect()
    }
}

/// A form of a page that changes something, with its fields as the page has them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Form {
    /// Where it goes.
    pub action: String,
    pub fields: BTreeMap<String, String>,
}

/// The forms of a page that change something.
pub fn forms(page: &str) -> Vec<Form> {
    let whole = |form: &&str| form.starts_with(' ') && form.contains("method=\"post\"");
    let of = |form: &str| {
        let inputs = between(form, "<input", ">").into_iter();
        let filled = inputs.filter(|tag| !tag.contains("type=\"checkbox\"") || tag.contains(" checked"));
        let text = |tag: &str| {
            if tag.contains("checkbox") { "on".into() } else { attribute(tag, "value").unwrap_or_default().to_owned() }
        };
        let filled = filled.filter_map(|tag| Some((attribute(tag, "name")?, text(tag))));
        let chosen = between(form, "<select", "</select>").into_iter().filter_map(|select| {
            let options = between(select, "<option", "</option>");
            let chosen = options.iter().find(|option| option.contains(" selected>")).or(options.first())?;
            let (tag, title) = chosen.split_once('>')?;
            Some((attribute(select, "name")?, attribute(&format!(" {tag}"), "value").unwrap_or(title).to_owned()))
        });
        let fields = filled.chain(chosen).map(|(name, text)| (name.to_owned(), unescaped(&text))).collect();
        Form { action: attribute(form, "action").unwrap().to_owned(), fields }
    };
    between(page, "<form", "</form>").into_iter().filter(whole).map(of).collect()
}

/// Every text between two others.
pub fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    text.split(start).skip(1).filter_map(|rest| rest.split(end).next()).collect()
}

/// An attribute of a tag.
pub fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    between(tag, &format!(" {name}=\""), "\"").first().copied()
}

/// A text of a page as it is read.
pub fn unescaped(text: &str) -> String {
    let pairs = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#92;", "\\"), ("&#38;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}
