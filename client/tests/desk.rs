//! The driver of a session, with a card behind PC/SC and servers that answer what they should not.

use cardlab_client::lock;
use cardlab_client::minidriver::{Minidriver, Secret};
use cardlab_client::service::{Service, ServiceError, Trust};
use cardlab_client::unlock::desk::{Desk, Setup};
use cardlab_client::unlock::session::{Act, Begin, First, NewPin, Notice, Online, Place, Rules, Screen, Shown};
use cardlab_pcsclite::client::{Context, ShareMode};
use cardlab_sim::card::{Card, World};
use cardlab_sim::profile::Profile;
use cardlab_vreader::icc::VirtualCard;
use cardlab_vreader::threaded::ThreadedRack;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;
use zeroize::Zeroizing;

const PATIENCE: Duration = Duration::from_secs(20);

/// A server that answers the last part of each path with a body of its own; its address.
fn server(answers: &[(&str, String)]) -> String {
    let answers: HashMap<String, String> = answers.iter().map(|(path, body)| ((*path).to_owned(), body.clone())).collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = BufReader::new(stream);
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
                    break;
                }
                lines.push(line.to_lowercase());
            }
            let length = lines.iter().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
            let mut body = vec![0; length];
            let _ = stream.read_exact(&mut body);
            let path = lines.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
            let body = answers.get(path.rsplit('/').next().unwrap_or_default()).cloned().unwrap_or_else(|| "{}".into());
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.get_mut().write_all(format!("{head}{body}").as_bytes());
        }
    });
    address
}

/// A locked card in a reader, and a session with this server.
struct Room {
    readers: ThreadedRack,
    desk: Desk,
}

impl Room {
    fn with(server: &str) -> Self {
        let readers = ThreadedRack::start(1, Duration::from_secs(60)).unwrap();
        readers.add("Test", VirtualCard::new(Card::new(Profile::builtin("gids").unwrap(), World::seeded(7)).unwrap(), None));
        let context = Context::establish_at(readers.socket()).unwrap();
        let mut card = context.connect("Test 00 00", ShareMode::Shared).unwrap();
        lock::bring_to(&mut Minidriver::open(&mut card).unwrap(), Secret::Pin, 0).unwrap();
        drop(card);
        let desk = Desk::start(Setup {
            socket: readers.socket().to_owned(),
            reader: None,
            service: Some(Service::at(server, &Trust::default()).unwrap()),
            state: None,
            rules: Rules {
                place: Place::LockScreen,
                begin: Begin::Code,
                server: true,
                workstation: "PC-12".into(),
                text: String::new(),
                keep: false,
                first: First::Any,
            },
            look_every: Some(Duration::from_millis(20)),
        });
        Self { readers, desk }
    }

    fn until(&self, wanted: impl Fn(&Shown) -> bool) -> Shown {
        let shown = self.desk.wait_until(PATIENCE, &wanted);
        assert!(wanted(&shown), "{shown:?}");
        shown
    }

    /// Through the questions to a new PIN; what is shown then.
    fn online(&self) -> Shown {
        self.until(|shown| matches!(&shown.screen, Screen::Locked(view) if view.online == Online::Yes && view.code.is_some()));
        self.desk.act(None, Act::Questions);
        self.until(|shown| matches!(shown.screen, Screen::Questions { .. }));
        self.desk.act(None, Act::Answers(vec![Zeroizing::new("Rex".into())]));
        self.until(|shown| matches!(shown.screen, Screen::NewPin { .. }));
        self.desk.act(None, Act::NewPin(NewPin::once(Zeroizing::new("471147".into()))));
        self.until(|shown| matches!(&shown.screen, Screen::Locked(view) if view.code.is_some()))
    }

    /// Tries of the administrator key, as another program sees them.
    fn key_tries(&self) -> Option<u8> {
        let context = Context::establish_at(self.readers.socket()).unwrap();
        let mut card = context.connect("Test 00 00", ShareMode::Shared).unwrap();
        Minidriver::resume(&mut card).unwrap().card_pin_status().unwrap().admin.map(|counter| counter.left)
    }
}

fn usual(more: &[(&'static str, String)]) -> Vec<(&'static str, String)> {
    let question = r#"{"mode":"online","session":"S","questions":[{"id":"q","text":"Pet?"}],"expires_in":300}"#;
    let mut answers = vec![
        ("ways", r#"{"online":true,"offline":true}"#.to_owned()),
        ("sessions", question.to_owned()),
        ("answers", r#"{"ok":true}"#.to_owned()),
    ];
    answers.extend_from_slice(more);
    answers
}

#[test]
fn a_response_that_cannot_be_this_cards_is_not_sent() {
    let other = r#"{"response":"88BE354D2E0B2869","check":"15","card":"00112233"}"#;
    let nameless = r#"{"response":"88BE354D2E0B2869","check":"15"}"#;
    let long = format!(r#"{{"response":"{}","check":"15"}}"#, "AB".repeat(10_000));
    for answer in [other, nameless, &long, "\x1b[31m", ""] {
        let room = Room::with(&server(&usual(&[("challenge", answer.into())])));
        let shown = room.online();
        let Some(Notice::Server(error)) = &shown.notice else { panic!("{answer:.40}: {:?}", shown.notice) };
        assert!(matches!(error, ServiceError::OtherCard | ServiceError::Unreachable(_)), "{error}");
        assert_eq!(room.key_tries(), Some(5), "{answer:.40}");
    }
}

#[test]
fn what_a_server_says_is_shown_and_not_obeyed() {
    let text = format!("\\u001b]0;owned\\u0007{}", "y".repeat(20_000));
    let question = format!(r#"{{"mode":"online","session":"S","questions":[{{"id":"q","text":"{text}"}}],"expires_in":300}}"#);
    let room = Room::with(&server(&[("ways", r#"{"online":true,"offline":true}"#.into()), ("sessions", question)]));
    room.until(|shown| matches!(&shown.screen, Screen::Locked(view) if view.online == Online::Yes));
    room.desk.act(None, Act::Questions);
    let shown = room.until(|shown| matches!(shown.screen, Screen::Questions { .. }));
    assert!(shown.words().iter().all(|word| !word.contains(['\x1b', '\x07']) && word.chars().count() < 600));
}

#[test]
fn a_card_that_comes_back_at_once_is_the_same_card() {
    let room = Room::with(&server(&usual(&[])));
    let first = room.until(|shown| matches!(&shown.screen, Screen::Locked(view) if view.code.is_some()));
    let Screen::Locked(first) = first.screen else { unreachable!() };
    let place = room
        .readers
        .add("Other", VirtualCard::new(Card::new(Profile::builtin("gids").unwrap(), World::seeded(8)).unwrap(), None));
    room.until(|shown| shown.others.len() == 1);
    room.readers.remove(place).unwrap();
    room.until(|shown| shown.others.is_empty());
    let shown = room.desk.shown();
    let Screen::Locked(view) = shown.screen else { panic!("{shown:?}") };
    assert_eq!(view.code, first.code, "another card that comes and goes disturbs nothing");
}
