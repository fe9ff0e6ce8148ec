//! A running `cardlab lab` or `cardlab serve`, and a small client for their interfaces.

use super::{CARDLAB, Lab, STATE, Said, said};
use reqwest::blocking::{Client, Response};
use reqwest::redirect::Policy;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A running `cardlab lab`.
pub struct Running {
    child: Child,
    /// What opens the bench.
    pub bench: String,
    pub server: String,
    pub lockscreen: String,
    pub socket: String,
    /// What it has said, up to the socket.
    pub said: String,
}

impl Running {
    pub fn start(lab: &Lab) -> Self {
        Self::with(lab, &[])
    }

    pub fn with(lab: &Lab, options: &[&str]) -> Self {
        let mut command = Command::new(CARDLAB);
        command.env(STATE[0], STATE[1]);
        command.current_dir(lab.path()).args(["lab", "--server", "127.0.0.1:0", "--lockscreen", "127.0.0.1:0"]).args(options);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut said = String::new();
        let mut word_after = |start: &str| {
            let mut lines = lines.by_ref().inspect(|line| said.extend([line, "\n"]));
            let line = lines.find(|line| line.trim_start().starts_with(start)).unwrap();
            line.trim_start()[start.len()..].split_whitespace().next().unwrap().to_owned()
        };
        let bench = word_after("Bench");
        let lockscreen = word_after("Lock screen");
        let server = word_after("Management Console").trim_end_matches("/mc").to_owned();
        let socket = word_after("export PCSCLITE_CSOCK_NAME=");
        // The rest is read so that it never blocks.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, bench, server, lockscreen, socket, said }
    }

    /// Ctrl-C.
    pub fn interrupt(mut self) -> Option<i32> {
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        self.child.wait().unwrap().code()
    }

    pub fn cardlab(&self, arguments: &[&str]) -> Said {
        said(
            Command::new(CARDLAB)
                .env(STATE[0], STATE[1])
                .args(arguments)
                .env("PCSCLITE_CSOCK_NAME", &self.socket)
                .stdin(Stdio::null())
                .output()
                .unwrap(),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// The right answer to a question, in every test.
pub fn right(question: &str) -> String {
    question.chars().rev().filter(|c| c.is_alphabetic()).collect()
}

/// A browser without a screen: follows no links, keeps a cookie.
pub struct Http {
    client: Client,
    pub base: String,
}

impl Http {
    pub fn at(base: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).tls_certs_only([]).no_proxy().build().unwrap();
        Self { client, base: base.to_owned() }
    }

    /// Status and body of a JSON request.
    pub fn post(&self, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let reply = self.client.post(format!("{}{path}", self.base)).bearer_auth(token).json(body).send().unwrap();
        (reply.status().as_u16(), reply.json().unwrap_or_default())
    }

    /// The same of a server that may be gone.
    pub fn may(&self, path: &str, token: &str, body: &Value) -> Option<(u16, Value)> {
        let reply = self.client.post(format!("{}{path}", self.base)).bearer_auth(token).json(body).send().ok()?;
        let status = reply.status().as_u16();
        Some((status, reply.json().ok()?))
    }

    pub fn put(&self, path: &str, token: &str, body: &Value) {
        let reply = self.client.put(format!("{}{path}", self.base)).bearer_auth(token).json(body).send().unwrap();
        assert_eq!(reply.status(), 200, "{path}: {}", reply.text().unwrap_or_default());
    }

    /// Status and body of an address that may be refused; who has a page before them says so.
    pub fn ask(&self, path: &str, cookie: &str) -> (u16, Value) {
        let reply = self.client.get(format!("{}{path}", self.base)).header("cookie", cookie).send().unwrap();
        (reply.status().as_u16(), reply.json().unwrap_or_default())
    }

    pub fn get(&self, path: &str, token: &str) -> Value {
        let reply = self.client.get(format!("{}{path}", self.base)).bearer_auth(token).send().unwrap();
        assert_eq!(reply.status(), 200, "{path}");
        reply.json().unwrap()
    }

    /// A sample user has no answers any more.
    pub fn reset_answers(&self, user: &str) {
        let token = self.log_in("oleg", "oleg-password");
        let users = self.get(&format!("/api/v1/users?q={user}"), &token);
        let path = format!("/api/v1/users/{}/reset-answers", users[0]["id"].as_str().unwrap());
        assert_eq!(self.post(&path, &token, &serde_json::json!({})).0, 200);
    }

    pub fn log_in(&self, name: &str, password: &str) -> String {
        let (status, body) = self.post("/api/v1/login", "", &serde_json::json!({"name": name, "password": password}));
        assert_eq!(status, 200, "{body}");
        body["token"].as_str().unwrap().to_owned()
    }

    /// A page as who has this cookie sees it.
    pub fn page(&self, path: &str, cookie: &str) -> String {
        self.client.get(format!("{}{path}", self.base)).header("Cookie", cookie).send().unwrap().text().unwrap()
    }

    /// The cookie of who logs in at this door: `mc`, `ss`.
    pub fn cookie(&self, door: &str, name: &str, password: &str) -> String {
        let fields = [("name".into(), name.into()), ("password".into(), password.into())];
        let login = self.form(&format!("/{door}/login"), "", &fields);
        login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    /// Somebody's cookie of Self-Service, and what its forms carry.
    pub fn own(&self, logon: &str, password: &str) -> (String, String) {
        let cookie = self.cookie("ss", logon, password);
        let csrf = between(&self.page("/ss", &cookie), "name=\"csrf\" value=\"", "\"").remove(0);
        (cookie, csrf)
    }

    pub fn form(&self, path: &str, cookie: &str, fields: &[(String, String)]) -> Response {
        self.client.post(format!("{}{path}", self.base)).header("Cookie", cookie).form(fields).send().unwrap()
    }

    /// Sets a sample user's answers in Self-Service, by its pages.
    pub fn set_answers(&self, logon: &str, password: &str) {
        let (cookie, csrf) = self.own(logon, password);
        let page = self.page("/ss", &cookie);
        let mut fields = vec![("csrf".to_owned(), csrf)];
        for name in between(&page, "name=\"answer:", "\"") {
            let text = between(&page, &format!("data-question=\"{name}\">"), "<").remove(0);
            fields.extend(["answer", "again"].map(|field| (format!("{field}:{name}"), right(&text))));
        }
        assert_eq!(self.form("/ss/answers", &cookie, &fields).status(), 303);
        let page = self.page("/ss", &cookie);
        assert!(page.contains("Set</span>") && !page.contains("Not set"), "{page}");
    }
}

/// Every text between two others.
pub fn between(text: &str, start: &str, end: &str) -> Vec<String> {
    text.split(start).skip(1).filter_map(|rest| rest.split(end).next()).map(str::to_owned).collect()
}
