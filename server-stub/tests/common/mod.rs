//! A server over real HTTP, on SQLite or on PostgreSQL.
#![allow(unreachable_pub)]

pub mod browser;
pub mod document;
pub mod outage;
pub mod postgres;

use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_server_stub::http::{self, Front};
use cardlab_server_stub::model::answers::Hashing;
use cardlab_server_stub::model::clock::Clock;
use cardlab_server_stub::model::keys::{CardIdentity, MasterKey};
use cardlab_server_stub::model::vault::Vault;
use cardlab_server_stub::service::Server;
use cardlab_server_stub::service::cards::NewCard;
use cardlab_server_stub::service::setup::{CARD_TYPE, sample};
use cardlab_server_stub::store::Store;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{CONTENT_TYPE, COOKIE};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, Once};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

pub const MASTER: [u8; 32] = [7; 32];
pub const CHALLENGE: &str = "1122334455667788";
/// Serials of the users' cards: Anna's, Boris', and one that is nobody's.
pub const ANNA: &str = "A0F1E2D3C4B5A69788796A5B4C3D2E1F";
pub const BORIS: &str = "B0F1E2D3C4B5A69788796A5B4C3D2E1F";
pub const SPARE: &str = "C0F1E2D3C4B5A69788796A5B4C3D2E1F";

#[derive(Clone, Copy, Debug)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Makes two tests of each function that takes an [`Engine`]: `NAME::sqlite` and `NAME::postgres`.
macro_rules! on_both_engines {
    ($($name:ident,)*) => {$(
        mod $name {
            #[test]
            fn sqlite() {
                super::$name(crate::common::Engine::Sqlite);
            }

            #[test]
            fn postgres() {
                super::$name(crate::common::Engine::Postgres);
            }
        }
    )*};
}

/// A running server with sample people and cards.
pub struct Site {
    pub base: String,
    pub clock: Clock,
    pub server: Server,
    pub url: String,
    pub hashing: Hashing,
    http: Client,
    /// What was sent and got that is nobody else's to read, where somebody wants to know.
    pub secrets: Arc<Mutex<BTreeSet<String>>>,
    _runtime: Arc<tokio::runtime::Runtime>,
    _directory: Arc<tempfile::TempDir>,
}

/// An answer: status and body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.body
    }

    /// This status and this error code.
    #[track_caller]
    pub fn refused(self, status: u16, error: &str) -> String {
        assert_eq!((self.status, self.body["error"].as_str()), (status, Some(error)), "{}", self.text);
        self.body["message"].as_str().unwrap().to_owned()
    }
}

impl Site {
    pub fn start(engine: Engine) -> Self {
        Self::with(engine, |server| server)
    }

    pub fn with(engine: Engine, set: impl FnOnce(Server) -> Server) -> Self {
        Self::behind(engine, set, |front| front)
    }

    /// Where browsers know it so.
    pub fn behind(engine: Engine, set: impl FnOnce(Server) -> Server, front: impl FnOnce(Front) -> Front) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = new_database(engine, directory.path());
        Self::at(url, directory, set, front, None)
    }

    /// With what it logs, at every level, in the form of a line of JSON each.
    pub fn logged(engine: Engine) -> (Self, Log) {
        let directory = tempfile::tempdir().unwrap();
        let url = new_database(engine, directory.path());
        let log = Log::default();
        (Self::at(url, directory, |server| server, |front| front, Some(log.clone())), log)
    }

    /// One more process' worth of server over the same database.
    pub fn second(&self) -> Self {
        self.second_with(|server| server)
    }

    pub fn second_with(&self, set: impl FnOnce(Server) -> Server) -> Self {
        Self::at(self.url.clone(), tempfile::tempdir().unwrap(), set, |front| front, None)
    }

    fn at(
        url: String,
        directory: tempfile::TempDir,
        set: impl FnOnce(Server) -> Server,
        known: impl FnOnce(Front) -> Front,
        log: Option<Log>,
    ) -> Self {
        Log::begin();
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        if let Some(log) = log {
            runtime.on_thread_start(move || log.keep());
        }
        let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
        let (clock, hashing) = (Clock::start(), Hashing::quick());
        let (base, server) = runtime.block_on(async {
            let store = Store::open(&url).await.unwrap();
            let server = set(Server::new(store, Vault::new(&MASTER).unwrap(), clock.clone(), hashing.clone()).await.unwrap());
            server.setup().bootstrap(sample::ADMINISTRATOR.0, sample::ADMINISTRATOR.1).await.unwrap();
            if server.setup().add_sample().await.unwrap() {
                for (serial, user) in [(ANNA, "lab\\anna"), (BORIS, "lab\\boris")] {
                    server.setup().add_issued_card(&new_card(serial), user).await.unwrap();
                }
            }
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let base = format!("http://{}", listener.local_addr().unwrap());
            let front = known(Front::at(listener.local_addr().unwrap()));
            let service = http::router(server.clone(), front).into_make_service_with_connect_info::<SocketAddr>();
            tokio::spawn(async move { axum::serve(listener, service).await });
            (base, server)
        });
        let http = Client::builder().redirect(Policy::none()).tls_certs_only([]).no_proxy().build().unwrap();
        let secrets = Arc::default();
        Self { base, clock, server, url, hashing, http, secrets, _runtime: runtime.into(), _directory: directory.into() }
    }

    /// The same server as a workstation at this address reaches it.
    pub fn from(&self, address: std::net::IpAddr) -> Self {
        let http = Client::builder().redirect(Policy::none()).tls_certs_only([]).no_proxy().local_address(address);
        Self {
            base: self.base.clone(),
            clock: self.clock.clone(),
            server: self.server.clone(),
            url: self.url.clone(),
            hashing: self.hashing.clone(),
            http: http.build().unwrap(),
            secrets: self.secrets.clone(),
            _runtime: self._runtime.clone(),
            _directory: self._directory.clone(),
        }
    }

    pub fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.raw(path, token, &body.to_string())
    }

    pub fn raw(&self, path: &str, token: &str, body: &str) -> Answer {
        self.sent(
            self.http.post(self.at_path(path)).bearer_auth(token).header(CONTENT_TYPE, "application/json").body(body.to_owned()),
        )
    }

    pub fn put(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.sent(self.http.put(self.at_path(path)).bearer_auth(token).json(body))
    }

    pub fn delete(&self, path: &str, token: &str) -> Answer {
        self.sent(self.http.delete(self.at_path(path)).bearer_auth(token))
    }

    pub fn get(&self, path: &str, token: &str) -> Answer {
        self.sent(self.http.get(self.at_path(path)).bearer_auth(token))
    }

    /// A page as somebody with this login sees it.
    pub fn page(&self, path: &str, cookie: &str, token: &str) -> String {
        self.sent(self.http.get(self.at_path(path)).header(COOKIE, format!("{cookie}={token}"))).text
    }

    /// The status of a form that somebody with this login sends.
    pub fn form(&self, path: &str, cookie: &str, token: &str, fields: &[(&str, &str)]) -> u16 {
        self.sent(self.http.post(self.at_path(path)).header(COOKIE, format!("{cookie}={token}")).form(fields)).status
    }

    /// The answer, which is one that the document has.
    fn sent(&self, request: RequestBuilder) -> Answer {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let (method, address) = (request.method().to_string(), request.url().path().to_owned());
        if let Some(body) = request.body().and_then(|body| body.as_bytes()) {
            self.keep_secrets(&serde_json::from_slice(body).unwrap_or_default());
        }
        let response = client.execute(request).unwrap();
        let status = response.status().as_u16();
        let kind = response.headers().get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
        let text = response.text().unwrap();
        if let Err(why) = document::check(&method, &address, status, &kind, &text) {
            panic!("{why}");
        }
        let body = serde_json::from_str(&text).unwrap_or_default();
        self.keep_secrets(&body);
        Answer { status, body, text }
    }

    /// Notes what a log must not have of this: what people know, what opens something, what unlocks a card.
    fn keep_secrets(&self, body: &Value) {
        const SECRET: [&str; 10] =
            ["password", "token", "session", "wizard", "challenge", "response", "grouped", "admin_key", "user_pin", "userPin"];
        match body {
            Value::Object(fields) => {
                for (name, value) in fields {
                    // The text of an answer; a question's is everybody's.
                    let secret = SECRET.contains(&&**name) || name == "text" && fields.contains_key("question");
                    match value {
                        Value::String(text) if secret => drop(self.secrets.lock().unwrap().insert(text.clone())),
                        value => self.keep_secrets(value),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.keep_secrets(item)),
            _ => {}
        }
    }

    /// The answer to any request. What is refused for a while alone says for how long.
    pub fn send(&self, path: &str, request: impl FnOnce(&Client, String) -> RequestBuilder) -> Response {
        let answer = request(&self.http, self.at_path(path)).send().unwrap();
        let again = answer.headers().get("retry-after").map(|seconds| seconds.to_str().unwrap().parse::<u64>().unwrap());
        let for_a_while = matches!(answer.status().as_u16(), 429 | 503);
        assert_eq!(again.is_some_and(|seconds| seconds <= 3600), for_a_while, "{path}: {} {again:?}", answer.status());
        answer
    }

    fn at_path(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A token of this operator.
    pub fn log_in(&self, (name, password): (&str, &str)) -> String {
        let body = self.post("/api/v1/login", "", &json!({"name": name, "password": password})).ok();
        body["token"].as_str().unwrap().to_owned()
    }

    pub fn administrator(&self) -> String {
        self.log_in(sample::ADMINISTRATOR)
    }

    pub fn operator(&self) -> String {
        self.log_in(sample::OPERATOR)
    }

    /// An operator of this name with a role that has these privileges, and the password.
    pub fn somebody<'n>(&self, name: &'n str, privileges: &[&str]) -> (&'n str, &'static str) {
        let (admin, password) = (self.administrator(), "some-password");
        let role = json!({"policies": null, "privileges": privileges});
        let id = self.put(&format!("/api/v1/roles/Of%20{name}"), &admin, &role).ok()["id"].clone();
        let operator = json!({"name": name, "password": password, "role": id, "user": Value::Null});
        self.post("/api/v1/operators", &admin, &operator).ok();
        (name, password)
    }

    /// The id of a sample user.
    pub fn user(&self, name: &str) -> String {
        self.get(&format!("/api/v1/users?q={name}"), &self.administrator()).ok()[0]["id"].as_str().unwrap().to_owned()
    }

    /// The users' answers are the questions' words backwards; see [`right`].
    pub fn set_answers(&self, name: &str) {
        let (_, _, password) = sample::USERS.into_iter().find(|(logon, ..)| logon.ends_with(name)).unwrap();
        self.set_answers_of(&name_of(name), password);
    }

    /// As [`Site::set_answers`], of anybody.
    pub fn set_answers_of(&self, logon: &str, password: &str) {
        self.block_on(async {
            let login = self
                .server
                .logins()
                .log_in(cardlab_server_stub::service::login::Door::SelfService, logon, password, "127.0.0.1")
                .await
                .unwrap();
            let person = self.server.logins().person(&login.token).await.unwrap();
            let own = self.server.self_service().own(&person).await.unwrap();
            let answers = own.questions.iter().map(|q| json!({"question": q.id, "text": right(&q.text)})).collect::<Vec<_>>();
            let answers = serde_json::from_value(json!({"answers": answers})).unwrap();
            self.server.self_service().set_answers(&person, &answers).await.unwrap();
        });
    }

    /// A user who has answered, with an issued card of this serial.
    pub fn user_with_card(&self, number: u32) -> String {
        let (token, logon, password) = (self.administrator(), format!("LAB\\worker{number}"), "worker-password");
        let policy = self.get("/api/v1/policies", &token).ok()[0]["id"].clone();
        let user = json!({"logon": logon, "upn": format!("w{number}@lab"), "cn": format!("W {number}"), "password": password, "policy": policy});
        self.post("/api/v1/users", &token, &user).ok();
        let serial = format!("{number:032X}");
        self.block_on(self.server.setup().add_issued_card(&new_card(&serial), &logon)).unwrap();
        self.set_answers_of(&logon, password);
        serial
    }

    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self._runtime.block_on(future)
    }

    /// Changes the policy *Default*.
    pub fn policy(&self, section: &str, setting: &str, value: Value) {
        let token = self.administrator();
        let policies = self.get("/api/v1/policies", &token).ok();
        let default = policies.as_array().unwrap().iter().find(|policy| policy["name"] == "Default").unwrap();
        let mut settings = default["settings"].clone();
        settings[section][setting] = value;
        self.put(&format!("/api/v1/policies/{}", default["id"].as_str().unwrap()), &token, &settings).ok();
    }

    /// Names of the events of a card or of anything, in order.
    pub fn events(&self, query: &str) -> Vec<String> {
        let events = self.get(&format!("/api/v1/events?{query}"), &self.administrator()).ok();
        events.as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap().to_owned()).collect()
    }

    pub fn open(&self, serial: &str) -> Value {
        self.post("/credprovapi/v1/sessions", "", &json!({"serial": serial, "workstation": "WS1"})).ok()
    }

    pub fn answers(&self, session: &Value, answer: impl Fn(&str) -> String) -> Answer {
        let path = format!("/credprovapi/v1/sessions/{}/answers", session["session"].as_str().unwrap());
        self.post(&path, "", &given(&session["questions"], answer))
    }

    pub fn challenge(&self, session: &Value) -> Answer {
        self.challenge_of(session, CHALLENGE)
    }

    pub fn challenge_of(&self, session: &Value, challenge: &str) -> Answer {
        let path = format!("/credprovapi/v1/sessions/{}/challenge", session["session"].as_str().unwrap());
        self.post(&path, "", &json!({"challenge": challenge}))
    }

    /// A workstation tells what became of a card.
    pub fn tell(&self, report: &Value) -> Answer {
        self.post("/credprovapi/v1/reports", "", report)
    }

    pub fn report(&self, session: &Value, outcome: &Value) -> Answer {
        self.post(&format!("/credprovapi/v1/sessions/{}/result", session["session"].as_str().unwrap()), "", outcome)
    }
}

thread_local! {
    /// Where what this thread logs goes.
    static LOG: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// What a server's threads log.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Of this thread, for as long as it is there.
    fn keep(&self) {
        LOG.set(Some(self.clone()));
    }

    /// One subscriber for the process: each that comes later may miss what is met at that moment. It asks each thread whether
    /// it has a log.
    fn begin() {
        static BEGUN: Once = Once::new();
        BEGUN.call_once(|| {
            let logged = |_: &tracing::Metadata<'_>, _: &tracing_subscriber::layer::Context<'_, Registry>| {
                LOG.with_borrow(Option::is_some)
            };
            let writer = || LOG.with_borrow(|log| log.clone().unwrap_or_default());
            let json = tracing_subscriber::fmt::layer().json().with_writer(writer).with_filter(dynamic_filter_fn(logged));
            tracing::subscriber::set_global_default(Registry::default().with(json)).unwrap();
        });
    }

    /// The lines until now.
    pub fn lines(&self) -> Vec<Value> {
        let all = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        all.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn name_of(short: &str) -> String {
    format!("LAB\\{short}")
}

/// Answers to these questions.
pub fn given(questions: &Value, answer: impl Fn(&str) -> String) -> Value {
    let questions = questions.as_array().unwrap();
    let answers =
        questions.iter().map(|q| json!({"question": q["id"], "text": answer(q["text"].as_str().unwrap())})).collect::<Vec<_>>();
    json!({"answers": answers})
}

/// The right answer to a question.
pub fn right(question: &str) -> String {
    question.chars().rev().filter(|c| c.is_alphabetic()).collect()
}

/// The challenge of this number.
pub fn nth(number: u64) -> String {
    format!("{:016X}", 0x1122_3344_5566_7788 + number)
}

/// A wrong one.
pub fn wrong(_: &str) -> String {
    "nothing like it".into()
}

pub fn new_card(serial: &str) -> NewCard {
    NewCard {
        serial: serial.into(),
        card_type: CARD_TYPE.into(),
        atr: String::new(),
        label: String::new(),
        admin_key: None,
        no_admin_key: false,
        untried: false,
    }
}

/// The URL of a database where there is nothing yet, that of SQLite in this directory.
pub fn new_database(engine: Engine, directory: &std::path::Path) -> String {
    match engine {
        Engine::Sqlite => format!("sqlite:{}", directory.join("cms.db").display()),
        Engine::Postgres => postgres::database(),
    }
}

/// A database as somebody sees it who is no server.
pub async fn database(url: &str) -> sqlx::Transaction<'static, sqlx::Any> {
    sqlx::any::install_default_drivers();
    sqlx::AnyPool::connect(url).await.unwrap().begin().await.unwrap()
}

/// The key that a card has by derivation.
pub fn key_of(serial: &str) -> AdminKey {
    let bytes = hex::decode(serial).unwrap();
    MasterKey::new(&MASTER).unwrap().derive(Cipher::Tdes, CardIdentity { card_type: CARD_TYPE, serial: &bytes, key_version: 1 })
}

/// What a card expects.
pub fn expected(serial: &str) -> String {
    hex::encode_upper(key_of(serial).respond(&hex::decode(CHALLENGE).unwrap()).unwrap())
}
