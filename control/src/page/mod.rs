//! The bench in a browser: readers and their cards as they are, what comes in, and what people do with them.
//!
//! A page over the same routes that [`crate::api`] serves on the control socket: what a button does is a request to these, and
//! what it shows beside itself is that request as a command line and for curl. Whole without a script; with one it follows what
//! happens.
//!
//! | module | what it knows |
//! |---|---|
//! | `door` | who may come in: this machine, with the token of the printed address |
//! | `frame` | what stands round every page, also round the [`Room`]s that the program hands in |
//! | `picture` | a reader and its card as people see them |
//! | `act` | what people do: a button, as a request, a command and for curl |
//! | `buttons` | which buttons a reader has now |
//! | `wire`, `newest`, `detail` | what came in: as rows, as files; the newest of several cards; one of it taken apart |
//! | `live`, `still` | what changes, as server-sent events; whether a page still shows what there is |
//! | `history` | the room of what became of the cards |

mod act;
mod buttons;
mod detail;
mod door;
mod frame;
mod history;
mod live;
mod newest;
mod picture;
mod still;
mod wire;

pub use frame::{At, Frame, Part, Room};
pub(crate) use picture::short;

use crate::api::Control;
use crate::contents::Contents;
use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::{get, post};
use buttons::{Buttons, Key};
use cardlab_protocol::local::HEADERS;
use door::Door;
use frame::{no_such_page, refused, rendered};
use picture::Picture;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::runtime::Handle;
use tower_http::set_header::SetResponseHeaderLayer;
use wire::{Choice, Shown};

/// Where programs and commands find the readers.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The PC/SC socket.
    pub socket: PathBuf,
    /// The control socket.
    pub control: PathBuf,
}

/// What every page needs.
#[derive(Clone)]
struct Site {
    control: Control,
    /// The routes of the control socket.
    api: Router,
    /// The readers' own thread: what is done with them is done there.
    readers: Handle,
    shell: Arc<Shell>,
    frame: Frame,
}

/// The bench, before it is served.
pub struct Page {
    site: Site,
    door: Door,
    rooms: Vec<Room>,
    /// Names and addresses of what is beside the bench.
    links: Vec<(&'static str, String)>,
}

impl Page {
    /// Over readers whose thread is `readers`.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new(control: Control, readers: Handle, shell: Shell) -> Result<Self, getrandom::Error> {
        let api = control.clone().router();
        let site = Site { control, api, readers, shell: Arc::new(shell), frame: Frame::of(&[], &[]) };
        Ok(Self { site, door: Door::new()?, rooms: Vec::new(), links: Vec::new() })
    }

    /// With a room more: pages of the program, behind the same door and in the same frame.
    #[must_use]
    pub fn with(mut self, room: Room) -> Self {
        self.rooms.push(room);
        self
    }

    /// With a way to what is beside the bench, such as a lock screen: its name and address.
    #[must_use]
    pub fn with_link(mut self, name: &'static str, address: String) -> Self {
        self.links.push((name, address));
        self
    }

    /// The address that opens it, once it is served at `at`.
    #[must_use]
    pub fn address(&self, at: SocketAddr) -> String {
        format!("http://{at}/{}", self.door.token())
    }

    /// The routes.
    pub fn router(self) -> Router {
        let Self { mut site, door, mut rooms, links } = self;
        rooms.push(history::room(site.clone()));
        site.frame = Frame::of(&rooms, &links);
        let style = || async { ([(header::CONTENT_TYPE, "text/css")], include_str!("../../assets/bench.css")) };
        let rooms_style = || async {
            let style = concat!(include_str!("../../assets/rooms.css"), include_str!("../../assets/timeline.css"));
            ([(header::CONTENT_TYPE, "text/css")], style)
        };
        let script = || async { ([(header::CONTENT_TYPE, "text/javascript")], include_str!("../../assets/bench.js")) };
        let frame = site.frame.clone();
        let inside = Router::new()
            .route("/", get(show))
            .route("/live", get(live::follow))
            .route("/do/{reader}/{act}", post(act::act))
            .route("/said/{reader}/{act}", post(act::say))
            .route("/card/{reader}", get(card))
            .route("/record/{reader}/{number}", get(detail::show))
            .route("/save/{file}", get(wire::save))
            .with_state(site);
        let inside = rooms.into_iter().fold(inside, |router, room| router.nest(&format!("/{}", room.path), room.pages));
        let router = inside
            .fallback(async |headers: HeaderMap| no_such_page(&headers))
            .layer(axum::Extension(frame))
            .layer(middleware::from_fn_with_state(door, door::guard))
            .route("/bench.css", get(style))
            .route("/rooms.css", get(rooms_style))
            .route("/bench.js", get(script))
            .layer(middleware::from_fn(door::judge));
        HEADERS.into_iter().fold(router, |router, (name, value)| {
            router.layer(SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value)))
        })
    }
}

#[derive(Template)]
#[template(path = "bench.html")]
struct Bench<'a> {
    frame: &'a Frame,
    current: &'a str,
    title: &'a str,
    readers: &'a [(Picture, Buttons)],
    /// What they look like, in a word.
    seen: String,
    wire: &'a Shown,
    choice: &'a Choice,
    shell: &'a Shell,
    recording: Recording,
}

/// Whether something is being recorded.
#[derive(Template)]
#[template(path = "recording.html")]
struct Recording {
    under_way: bool,
}

async fn show(State(site): State<Site>, Query(choice): Query<Choice>) -> Response {
    let (mut readers, mut seen) = (Vec::new(), Vec::new());
    let views = site.control.views().await;
    for (place, view) in site.control.rack().places().into_iter().zip(views) {
        let buttons = Buttons::of(site.control.rack(), place, &view);
        seen.push(Key::seen(site.control.rack(), place, view.clone()));
        readers.push((Picture::of(view), buttons));
    }
    let wire = wire::shown(&site, &choice).await;
    rendered(&Bench {
        frame: &site.frame,
        current: "",
        title: "Bench",
        readers: &readers,
        seen: live::fingerprint(seen.iter()),
        wire: &wire,
        choice: &choice,
        shell: &site.shell,
        recording: Recording { under_way: site.control.is_recording() },
    })
}

#[derive(Template)]
#[template(path = "card.html")]
struct Card<'a> {
    frame: &'a Frame,
    current: &'a str,
    title: &'a str,
    name: &'a str,
    contents: &'a Contents,
}

/// What is on the card of a reader.
async fn card(State(site): State<Site>, At(reader): At<usize>, headers: HeaderMap) -> Response {
    let rack = site.control.rack();
    let Some(place) = rack.places().into_iter().find(|place| place.number() == reader) else {
        return refused(&headers, StatusCode::NOT_FOUND, "NOT_FOUND", &format!("There is no reader {reader}."));
    };
    let name = rack.name(place);
    match site.control.contents_soon(place).await {
        Ok(None) => {
            let message = "The card is at work, or waits for a touch; look again when it has answered.";
            refused(&headers, StatusCode::CONFLICT, "REFUSED", message)
        }
        Ok(Some(contents)) => {
            let name = picture::short(&name);
            rendered(&Card { frame: &site.frame, current: "-", title: name, name, contents: &contents })
        }
        Err(error) => refused(&headers, error.0, "REFUSED", &error.1),
    }
}
