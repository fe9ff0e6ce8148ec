//! Workstations that unlock and operators who read, and how long each of them waits.

use super::fill::{FEW, Size, answer, name, serial};
use super::process::{PASSWORD, Servers};
use reqwest::Client;
use serde_json::{Value, json};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long each took.
pub(crate) struct Times(pub(crate) Vec<Duration>);

impl Times {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn at(&self, share: f64) -> f64 {
        let index = (self.0.len().saturating_sub(1) as f64 * share).round() as usize;
        self.0.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:>6.1} ms   p99 {:>6.1} ms   ({} times)", self.at(0.5), self.at(0.99), self.len())
    }
}

fn client(address: Option<IpAddr>) -> Client {
    Client::builder().tls_certs_only([]).no_proxy().local_address(address).build().unwrap()
}

async fn post(http: &Client, url: String, body: Value) -> Value {
    let response = http.post(&url).json(&body).send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert!(status.is_success(), "{url}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// The steps of an unlock.
const STEPS: [&str; 4] = ["open", "answers", "challenge", "report"];

/// One unlock: how long each of its steps took.
async fn unlock(http: &Client, base: &str, serial: &str) -> [Duration; 4] {
    let api = format!("{base}/credprovapi/v1/sessions");
    let mut times = [Duration::ZERO; 4];
    let mut began = Instant::now();
    let mut lap = |step: usize| {
        times[step] = began.elapsed();
        began = Instant::now();
    };
    let opened = post(http, api.clone(), json!({"serial": serial, "workstation": "bench"})).await;
    lap(0);
    assert_eq!(opened["mode"], "online", "{serial}");
    let at = |what: &str| format!("{api}/{}/{what}", opened["session"].as_str().unwrap());
    let right = |q: &Value| json!({"question": q["id"], "text": answer(q["text"].as_str().unwrap())});
    let answers: Vec<Value> = opened["questions"].as_array().unwrap().iter().map(right).collect();
    let judged = post(http, at("answers"), json!({"answers": answers})).await;
    assert_eq!(judged["ok"], true, "{judged}");
    lap(1);
    post(http, at("challenge"), json!({"challenge": "1122334455667788"})).await;
    lap(2);
    post(http, at("result"), json!({"outcome": "unlocked"})).await;
    lap(3);
    times
}

fn whole(steps: [Duration; 4]) -> Duration {
    steps.iter().sum()
}

/// Unlocks from workstations that begin the next as soon as they have ended one, each with a card of its own.
pub(crate) async fn as_fast_as_they_go(servers: &Servers, workstations: usize, each: usize) -> (Times, Duration) {
    let began = Instant::now();
    let work = (0..workstations).map(|n| {
        let base = servers.urls[n % servers.urls.len()].clone();
        tokio::spawn(async move {
            let (http, serial, mut times) = (client(None), serial(n), Vec::new());
            for _ in 0..each {
                times.push(whole(unlock(&http, &base, &serial).await));
            }
            times
        })
    });
    let mut times = Vec::new();
    for one in work.collect::<Vec<_>>() {
        times.extend(one.await.unwrap());
    }
    (Times::of(times), began.elapsed())
}

/// What goes on at once.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) unlocks_a_second: u32,
    pub(crate) readers: usize,
    pub(crate) seconds: u64,
    /// Cards that are unlocked in turn.
    pub(crate) cards: usize,
}

/// Unlocks at a steady pace, and beside them operators who read one thing after the other. Gives the times of what they read,
/// by kind, and of the unlocks.
pub(crate) async fn beside(servers: &Servers, plan: &Plan, size: &Size) -> (Vec<(&'static str, Times)>, Times) {
    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..plan.readers)
        .map(|n| {
            let (base, over) = (servers.urls[n % servers.urls.len()].clone(), over.clone());
            let asked = questions(size);
            tokio::spawn(async move { read(&base, n, &asked, &over).await })
        })
        .collect();
    let mut pace = tokio::time::interval(Duration::from_secs(1) / plan.unlocks_a_second);
    let mut under_way = Vec::new();
    for n in 0..plan.seconds as usize * plan.unlocks_a_second as usize {
        pace.tick().await;
        let (base, card) = (servers.urls[n % servers.urls.len()].clone(), serial(n % plan.cards));
        under_way.push(tokio::spawn(async move { whole(unlock(&client(None), &base, &card).await) }));
    }
    let mut unlocks = Vec::new();
    for one in under_way {
        unlocks.push(one.await.unwrap());
    }
    over.store(true, Ordering::Relaxed);
    let mut reads: Vec<(&str, Vec<Duration>)> = questions(size).into_iter().map(|(what, _)| (what, Vec::new())).collect();
    for reader in readers {
        for (kind, time) in reader.await.unwrap() {
            reads[kind].1.push(time);
        }
    }
    let reads = reads.into_iter().filter(|(_, times)| !times.is_empty()).map(|(what, times)| (what, Times::of(times)));
    (reads.collect(), Times::of(unlocks))
}

/// The address of the n-th question of a kind.
type Question = Box<dyn Fn(usize) -> String + Send + Sync>;

/// What operators ask for.
fn questions(size: &Size) -> Vec<(&'static str, Question)> {
    let (users, cards) = (size.users.max(1), size.cards.max(1));
    let user = move |n: usize| n * 7919 % users;
    let card = move |n: usize| serial(n * 7919 % cards + 3);
    vec![
        ("users: a page", Box::new(|_| "users?limit=50".into())),
        ("users: by logon name, down", Box::new(|_| "users?limit=50&sort=-logon".into())),
        ("users: locked", Box::new(|_| "users?limit=50&state=locked".into())),
        ("users: one, by logon name", Box::new(move |n| format!("users?limit=50&q=user{}", user(n)))),
        ("users: both names", Box::new(move |n| format!("users?limit=50&q={}+{}", name(user(n)).0, name(user(n)).1))),
        ("users: a first name", Box::new(move |n| format!("users?limit=50&q={}", name(user(n)).0))),
        ("users: a first name, by logon", Box::new(move |n| format!("users?limit=50&sort=-logon&q={}", name(user(n)).0))),
        ("users: a first name, active", Box::new(move |n| format!("users?limit=50&state=active&q={}", name(user(n)).0))),
        ("users: of a policy", Box::new(|_| format!("users?limit=50&policy={FEW}"))),
        ("users: of a policy, a first name", Box::new(move |n| format!("users?limit=50&policy={FEW}&q={}", name(user(n)).0))),
        ("users: all have it", Box::new(|_| "users?limit=50&q=lab".into())),
        ("users: nobody", Box::new(move |n| format!("users?limit=50&q=nobody{n}"))),
        ("a user", Box::new(move |n| format!("users/user{}", user(n)))),
        ("cards: a page", Box::new(|_| "cards?limit=50".into())),
        ("cards: by serial", Box::new(move |n| format!("cards?limit=50&q={}", &card(n)[..8]))),
        ("cards: revoked", Box::new(|_| "cards?limit=50&state=Revoked".into())),
        ("cards: a user's", Box::new(move |n| format!("cards?limit=50&user=user{}", user(n)))),
        ("a card", Box::new(move |n| format!("cards/{}", card(n)))),
        ("a card's responses", Box::new(move |n| format!("cards/{}/responses", card(n)))),
        ("log: the latest", Box::new(|_| "events?limit=50&sort=-seq".into())),
        ("log: of a card", Box::new(move |n| format!("events?limit=50&sort=-seq&card={}", card(n)))),
        ("log: of a kind", Box::new(|_| "events?limit=50&sort=-seq&name=RESPONSE_REFUSED".into())),
        ("log: by an operator", Box::new(|_| "events?limit=50&sort=-seq&initiator=oleg".into())),
        ("log: errors", Box::new(|_| "events?limit=50&sort=-seq&kind=E".into())),
        (
            "log: a day",
            Box::new(|n| {
                let from = 1_767_225_600_000_i64 + (n as i64 % 30) * 86_400_000;
                format!("events?limit=50&sort=at&from={from}&to={}", from + 86_400_000)
            }),
        ),
    ]
}

/// One operator, until it is over: which kind was asked for, and how long it took.
async fn read(base: &str, first: usize, asked: &[(&'static str, Question)], over: &AtomicBool) -> Vec<(usize, Duration)> {
    let http = client(None);
    let token = log_in(&http, base).await;
    let (mut times, mut n) = (Vec::new(), first * 1000);
    while !over.load(Ordering::Relaxed) {
        let kind = n % asked.len();
        let url = format!("{base}/api/v1/{}", asked[kind].1(n / asked.len() + first));
        let began = Instant::now();
        let response = http.get(&url).bearer_auth(&token).send().await.unwrap();
        let status = response.status();
        let body = response.bytes().await.unwrap();
        assert!(status.is_success(), "{url}: {status} {}", String::from_utf8_lossy(&body));
        times.push((kind, began.elapsed()));
        n += 1;
    }
    times
}

async fn log_in(http: &Client, base: &str) -> String {
    let login = post(http, format!("{base}/api/v1/login"), json!({"name": "admin", "password": PASSWORD})).await;
    login["token"].as_str().unwrap().to_owned()
}

/// One unlock by each of many workstations, begun in even steps within a time, each from an address of 127.0.0.0/8 and with a
/// card of its own. Gives the times of their steps.
pub(crate) async fn workstations(servers: &Servers, count: usize, cards: usize, within: Duration) -> Vec<(&'static str, Times)> {
    let mut pace = tokio::time::interval(within / count as u32);
    let mut under_way = Vec::new();
    for n in 0..count {
        pace.tick().await;
        let address = IpAddr::V4(Ipv4Addr::new(127, 1, (n / 250) as u8, (n % 250 + 1) as u8));
        let (base, card) = (servers.urls[0].clone(), serial(n % cards + 3));
        under_way.push(tokio::spawn(async move { unlock(&client(Some(address)), &base, &card).await }));
    }
    let mut times: [Vec<Duration>; 4] = Default::default();
    for one in under_way {
        for (step, time) in one.await.unwrap().into_iter().enumerate() {
            times[step].push(time);
        }
    }
    STEPS.into_iter().zip(times.map(Times::of)).collect()
}

/// Asks whether the log is whole; it is.
pub(crate) async fn check(servers: &Servers) {
    let http = client(None);
    let token = log_in(&http, &servers.urls[0]).await;
    let check = http.get(format!("{}/api/v1/events/check", servers.urls[0])).bearer_auth(token).send().await.unwrap();
    let check: Value = check.json().await.unwrap();
    assert_eq!(check, json!({"first_broken": null}));
}
