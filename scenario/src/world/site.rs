//! The management server of a scenario, over real HTTP, with the sample people. It can be stopped and
//! started at the same address over the same database.

use super::Broken;
use super::cards::Known;
use super::station::Readers;
use crate::file::CardSetup;
use cardlab_protocol::workstation::{Answer, Answers};
use cardlab_server_stub::http;
use cardlab_server_stub::model::answers::Hashing;
use cardlab_server_stub::model::clock::Clock;
use cardlab_server_stub::model::vault::Vault;
use cardlab_server_stub::service::Server;
use cardlab_server_stub::service::login::Door;
use cardlab_server_stub::service::setup::{CARD_TYPE, sample};
use cardlab_server_stub::store::Store;
use reqwest::Method;
use reqwest::blocking::Client;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// The event of a login, which no file expects.
pub(crate) const LOGIN: &str = "LOGGED_IN";
/// The password of operators that a scenario adds.
pub(crate) const PASSWORD: &str = "a long password";
const MASTER: [u8; 32] = [0x5C; 32];

/// What the server says.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Reply {
    /// Name and sentence of a refusal.
    pub(crate) fn refusal(&self) -> Option<(String, String)> {
        let text = |name: &str| self.body[name].as_str().unwrap_or_default().to_owned();
        (self.status != 200).then(|| {
            let name = text("error");
            (if name.is_empty() { format!("status {}", self.status) } else { name }, text("message"))
        })
    }
}

/// The server.
pub struct Site {
    runtime: Runtime,
    address: SocketAddr,
    url: String,
    readers: PathBuf,
    clock: Clock,
    server: Server,
    serving: Option<JoinHandle<()>>,
    http: Client,
    tokens: BTreeMap<String, String>,
    passwords: BTreeMap<String, String>,
    /// What each user answers to each question.
    answers: BTreeMap<String, BTreeMap<String, String>>,
    _directory: tempfile::TempDir,
}

/// Short name to logon name.
fn logon(user: &str) -> String {
    if user.contains('\\') || user.contains('@') { user.to_owned() } else { format!("LAB\\{user}") }
}

impl Site {
    /// `readers` is the PC/SC service whose cards it issues.
    pub(crate) fn start(readers: &Path) -> Result<Self, Broken> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(Broken::at("server"))?;
        let directory = tempfile::tempdir().map_err(Broken::at("server"))?;
        let url = format!("sqlite:{}", directory.path().join("cms.db").display());
        let clock = Clock::start();
        let server = runtime.block_on(async {
            let server = open(&url, &clock, readers).await?;
            server.setup().bootstrap(sample::ADMINISTRATOR.0, sample::ADMINISTRATOR.1).await.map_err(Broken::at("server"))?;
            server.setup().add_sample().await.map_err(Broken::at("server"))?;
            Ok::<_, Broken>(server)
        })?;
        let passwords = [sample::ADMINISTRATOR, sample::OPERATOR].map(|(name, password)| (name.to_owned(), password.to_owned()));
        let mut site = Self {
            runtime,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            url,
            readers: readers.to_owned(),
            clock,
            server,
            serving: None,
            http: client()?,
            tokens: BTreeMap::new(),
            passwords: passwords.into(),
            answers: BTreeMap::new(),
            _directory: directory,
        };
        site.listen()?;
        Ok(site)
    }

    fn listen(&mut self) -> Result<(), Broken> {
        let server = self.server.clone();
        let listener = self.runtime.block_on(tokio::net::TcpListener::bind(self.address)).map_err(Broken::at("server"))?;
        self.address = listener.local_addr().map_err(Broken::at("server"))?;
        let service = http::router(server, http::Front::at(self.address)).into_make_service_with_connect_info::<SocketAddr>();
        self.serving = Some(self.runtime.spawn(async move { drop(axum::serve(listener, service).await) }));
        Ok(())
    }

    /// The server's process dies: whoever speaks to it finds nobody.
    pub(crate) fn stop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            // The listener is closed when the task has ended.
            let _ = self.runtime.block_on(serving);
        }
    }

    /// Another process over the same database, at the same address.
    pub(crate) fn restart(&mut self) -> Result<(), Broken> {
        self.stop();
        self.server = self.runtime.block_on(open(&self.url, &self.clock, &self.readers))?;
        self.listen()
    }

    pub(crate) fn time_passes(&self, time: Duration) {
        self.clock.advance(time);
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn without_limits(&mut self) -> Result<(), Broken> {
        self.server = self.server.clone().without_limits();
        self.stop();
        self.listen()
    }

    /// An operator's token, by logging in.
    pub(crate) fn log_in(&mut self, name: &str) -> Result<String, Broken> {
        let token = self.login_of(name)?;
        self.tokens.insert(name.to_owned(), token.clone());
        Ok(token)
    }

    /// The token of one more login.
    pub(crate) fn login_of(&self, name: &str) -> Result<String, Broken> {
        let password = self.passwords.get(name).ok_or_else(|| Broken(format!("there is no operator '{name}'")))?;
        let reply = self.request("POST", "/api/v1/login", "", &json!({"name": name, "password": password}).to_string())?;
        let token = reply.body["token"].as_str().ok_or_else(|| Broken(format!("{name} cannot log in: {}", reply.body)))?;
        Ok(token.to_owned())
    }

    pub(crate) fn token(&mut self, name: &str) -> Result<String, Broken> {
        match self.tokens.get(name) {
            Some(token) => Ok(token.clone()),
            None => self.log_in(name),
        }
    }

    /// One request; `Err` when nobody answers.
    pub(crate) fn request(&self, method: &str, path: &str, token: &str, body: &str) -> Result<Reply, Broken> {
        let method = Method::from_bytes(method.as_bytes()).map_err(Broken::at("request"))?;
        let request = self.http.request(method, format!("{}{path}", self.address())).bearer_auth(token);
        let request = request.header(CONTENT_TYPE, "application/json").body(body.to_owned());
        let response = request.send().map_err(Broken::at("the server"))?;
        let status = response.status().as_u16();
        let text = response.text().map_err(Broken::at("the server"))?;
        Ok(Reply { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) })
    }

    /// A request of an operator.
    pub(crate) fn ask(&mut self, operator: &str, method: &str, path: &str, body: &Value) -> Result<Reply, Broken> {
        let token = self.token(operator)?;
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.request(method, &format!("/api/v1{path}"), &token, &body)
    }

    /// As [`Site::ask`], for set-up: it must not be refused.
    pub(crate) fn must(&mut self, operator: &str, method: &str, path: &str, body: &Value) -> Result<Value, Broken> {
        let reply = self.ask(operator, method, path, body)?;
        match reply.refusal() {
            None => Ok(reply.body),
            Some((name, message)) => Err(Broken(format!("{method} {path}: {name}, {message}"))),
        }
    }

    /// Id of a user.
    pub(crate) fn user(&mut self, name: &str) -> Result<String, Broken> {
        let wanted = logon(name);
        let users = self.must("admin", "GET", &format!("/users?q={}", name.rsplit('\\').next().unwrap_or(name)), &Value::Null)?;
        let users = users.as_array().cloned().unwrap_or_default();
        let found = users.iter().find(|u| u["logon"].as_str().is_some_and(|l| l.eq_ignore_ascii_case(&wanted)));
        found.and_then(|u| u["id"].as_str()).map(str::to_owned).ok_or_else(|| Broken(format!("there is no user '{name}'")))
    }

    /// Id and settings of a policy.
    pub(crate) fn policy(&mut self, name: &str) -> Result<(String, Value), Broken> {
        let policies = self.must("admin", "GET", "/policies", &Value::Null)?;
        let policies = policies.as_array().cloned().unwrap_or_default();
        let policy = policies.into_iter().find(|p| p["name"] == name);
        let policy = policy.ok_or_else(|| Broken(format!("there is no policy '{name}'")))?;
        Ok((policy["id"].as_str().unwrap_or_default().to_owned(), policy["settings"].clone()))
    }

    /// Sets a user's answers to all questions, in Self-Service.
    pub(crate) fn set_answers(&mut self, user: &str, texts: &[String]) -> Result<Option<(String, String)>, Broken> {
        let password = sample::USERS.iter().find(|(name, ..)| *name == logon(user)).map_or(PASSWORD, |(.., password)| password);
        let server = &self.server;
        let (asked, refused) = self.runtime.block_on(async {
            let login = server.logins().log_in(Door::SelfService, &logon(user), password, "127.0.0.1").await;
            let login = login.map_err(Broken::at("Self-Service"))?;
            let person = server.logins().person(&login.token).await.map_err(Broken::at("Self-Service"))?;
            let asked = server.self_service().own(&person).await.map_err(Broken::at("Self-Service"))?.questions;
            let answer = |(q, text): (&cardlab_server_stub::model::question::Question, &String)| Answer {
                question: q.id.clone(),
                text: text.clone(),
            };
            let answers = Answers { answers: asked.iter().zip(texts).map(answer).collect() };
            let refused = server.self_service().set_answers(&person, &answers).await.err();
            Ok::<_, Broken>((asked, refused.map(|r| (r.code.name().to_owned(), r.message()))))
        })?;
        if refused.is_none() {
            let pairs = asked.into_iter().map(|q| q.text).zip(texts.iter().cloned());
            self.answers.insert(logon(user), pairs.collect());
        }
        Ok(refused)
    }

    /// What a user answers to a question.
    pub(crate) fn right_answer(&self, user: &str, question: &str) -> String {
        self.answers.get(&logon(user)).and_then(|a| a.get(question)).cloned().unwrap_or_else(|| "Bello".into())
    }

    /// Brings a card to where it begins.
    pub(crate) fn register(&mut self, card: &Known, setup: &CardSetup) -> Result<(), Broken> {
        if setup.state == "unknown" {
            return Ok(());
        }
        let key = card.admin_key.as_ref().filter(|_| setup.key_known);
        let aes = key.is_some_and(|key| key.len() == 64);
        let card_type = if aes { cardlab_server_stub::service::setup::AES_CARD_TYPE } else { CARD_TYPE };
        let body = json!({
            "serial": card.serial, "card_type": card_type, "label": card.reader,
            "admin_key": key.map(|k| k.as_str()), "no_admin_key": key.is_none(), "untried": true,
        });
        self.must("admin", "POST", "/cards", &body)?;
        let way: &[&str] = match setup.state.as_str() {
            "Assigned" => &["assign"],
            "Issued" => &["assign", "issue"],
            "Disabled" => &["assign", "issue", "disable"],
            "Revoked" => &["assign", "issue", "revoke"],
            _ => &[],
        };
        for operation in way {
            let body = json!({"user": logon(&setup.user), "reason": "lost"});
            self.must("admin", "POST", &format!("/cards/{}/{operation}", card.serial), &body)?;
        }
        Ok(())
    }

    /// An operator whom a scenario adds.
    pub(crate) fn know_operator(&mut self, name: &str) {
        self.passwords.insert(name.to_owned(), PASSWORD.to_owned());
    }

    /// Events after this place in the log, without logins; and the last place.
    pub(crate) fn events(&mut self, after: i64) -> Result<(Vec<(String, String)>, i64), Broken> {
        let events = self.must("admin", "GET", &format!("/events?after={after}"), &Value::Null)?;
        let events = events.as_array().cloned().unwrap_or_default();
        let last = events.last().and_then(|e| e["seq"].as_i64()).unwrap_or(after);
        let text = |e: &Value, name: &str| e[name].as_str().unwrap_or_default().to_owned();
        let named = events.iter().map(|e| (text(e, "name"), text(e, "detail")));
        Ok((named.filter(|(name, _)| name != LOGIN).collect(), last))
    }
}

/// Follows no links, and keeps no connection: one to a server that has been stopped would go on.
fn client() -> Result<Client, Broken> {
    let client = Client::builder().redirect(Policy::none()).pool_max_idle_per_host(0).tls_certs_only([]).no_proxy();
    client.build().map_err(Broken::at("server"))
}

async fn open(url: &str, clock: &Clock, readers: &Path) -> Result<Server, Broken> {
    let store = Store::open(url).await.map_err(Broken::at("server"))?;
    let vault = Vault::new(&MASTER).map_err(Broken::at("server"))?;
    let server = Server::new(store, vault, clock.clone(), Hashing::quick()).await.map_err(Broken::at("server"))?;
    Ok(server.with_station(Arc::new(Readers::at(readers.to_owned()))))
}
