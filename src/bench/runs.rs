//! Runs of a room: one under way at a time, the last few kept to be looked at again.

use axum::Form;
use axum::body::Body;
use axum::extract::{Extension, FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use cardlab_control::error::ApiError;
use cardlab_control::page::{At, Frame, Part};
use cardlab_control::sent::{self, Unread};
use cardlab_protocol::local::is_for_a_page;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Runs that are kept.
const KEPT: usize = 8;
/// Of a form so much is taken in, to be refused if it is too long.
const TAKEN_IN: usize = 32 * 1024 * 1024;

/// What is known of a run while it goes, and afterwards.
pub(super) trait Shown: Send + 'static {
    /// The sentence of a page whose run is not kept any more.
    const GONE: &'static str;

    /// Whether nothing will change any more.
    fn is_over(&self) -> bool;

    /// Whether it goes on only when somebody says so.
    fn waits(&self) -> bool {
        false
    }

    /// What changes on its page: HTML of one element with an `id`.
    fn html(&self, number: u64) -> String;

    /// The same for who asks with no page.
    type View;

    /// As data.
    fn view(&self, number: u64) -> Self::View;
}

/// How long is waited for a run where nothing is said, and at most.
const WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// How long to wait.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Patience {
    /// Milliseconds; 60,000 where nothing is said, 600,000 at most.
    limit: Option<u64>,
}

/// A run.
pub(super) struct Run<S> {
    /// From 1; it is in its address.
    pub(super) number: u64,
    /// What is run.
    pub(super) title: String,
    state: Mutex<S>,
    changed: watch::Sender<()>,
}

impl<S: Shown> Run<S> {
    fn state(&self) -> MutexGuard<'_, S> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at it.
    pub(super) fn look<T>(&self, look: impl FnOnce(&S) -> T) -> T {
        look(&self.state())
    }

    /// Something has happened: whoever follows is told.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut S) -> T) -> T {
        let done = change(&mut self.state());
        self.changed.send_replace(());
        done
    }

    /// Waits until it is over, or goes on only when somebody says so.
    async fn rests(&self, Patience { limit }: Patience) -> Result<(), ApiError> {
        let mut changed = self.changed.subscribe();
        let limit = limit.map_or(WAIT, Duration::from_millis).min(LONGEST_WAIT);
        let rested = tokio::time::timeout(limit, async {
            while !self.look(|state| state.is_over() || state.waits()) && changed.changed().await.is_ok() {}
        });
        let late = || ApiError(StatusCode::REQUEST_TIMEOUT, format!("it goes on after {} ms", limit.as_millis()));
        rested.await.map_err(|_| late())
    }

    /// As it is, for who asks with no page.
    pub(super) fn view(&self) -> S::View {
        self.state().view(self.number)
    }

    /// What changes on its page.
    pub(super) fn part(&self) -> Part {
        let state = self.state();
        Part { html: state.html(self.number), is_over: state.is_over() }
    }
}

/// The runs of a room.
pub(super) struct Runs<S>(Mutex<Kept<S>>);

struct Kept<S> {
    /// The newest last.
    runs: VecDeque<Arc<Run<S>>>,
    begun: u64,
}

impl<S: Shown> Runs<S> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Kept { runs: VecDeque::new(), begun: 0 }))
    }

    fn kept(&self) -> MutexGuard<'_, Kept<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new one.
    ///
    /// # Errors
    /// While another is under way.
    pub(super) fn begin(&self, title: String, state: S) -> Result<Arc<Run<S>>, ApiError> {
        let mut kept = self.kept();
        if let Some(run) = kept.runs.iter().find(|run| !run.look(S::is_over)) {
            let sentence = format!("\"{}\" is under way: let it end, or end it, and begin again.", run.title);
            return Err(ApiError(StatusCode::CONFLICT, sentence));
        }
        kept.begun += 1;
        let run = Arc::new(Run { number: kept.begun, title, state: Mutex::new(state), changed: watch::Sender::new(()) });
        kept.runs.push_back(run.clone());
        if kept.runs.len() > KEPT {
            kept.runs.pop_front();
        }
        Ok(run)
    }

    /// The one of this number.
    pub(super) fn find(&self, number: u64) -> Option<Arc<Run<S>>> {
        self.kept().runs.iter().find(|run| run.number == number).cloned()
    }

    /// The one of this number, for who asks with no page.
    pub(super) fn asked(&self, number: u64) -> Result<Arc<Run<S>>, ApiError> {
        self.find(number).ok_or_else(|| ApiError(StatusCode::NOT_FOUND, S::GONE.into()))
    }

    /// All that are kept, the newest first.
    pub(super) fn all(&self) -> Vec<Arc<Run<S>>> {
        self.kept().runs.iter().rev().cloned().collect()
    }

    /// As [`Self::all`], for who asks with no page.
    pub(super) fn views(&self) -> Vec<S::View> {
        self.all().iter().map(|run| run.view()).collect()
    }

    /// The one of this number, once it rests ([`Run::rests`]).
    pub(super) async fn rested(&self, number: u64, patience: Patience) -> Result<S::View, ApiError> {
        let run = self.asked(number)?;
        run.rests(patience).await?;
        Ok(run.view())
    }
}

/// There is no such run.
pub(super) fn gone<S: Shown>(frame: &Frame, headers: &HeaderMap) -> Response {
    frame.refuse(headers, StatusCode::NOT_FOUND, S::GONE)
}

/// Follows a run.
pub(super) async fn follow<S: Shown>(
    State(runs): State<Arc<Runs<S>>>,
    Extension(frame): Extension<Frame>,
    At(number): At<u64>,
    headers: HeaderMap,
) -> Response {
    let Some(run) = runs.find(number) else { return gone::<S>(&frame, &headers) };
    frame.follow(&headers, run.changed.subscribe(), move || run.part())
}

/// A form; one that cannot be read is refused in words.
pub(super) struct Filled<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Filled<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (headers, frame) = (request.headers().clone(), request.extensions().get::<Frame>().cloned());
        let refuse = |status: StatusCode, sentence: &str| {
            frame.as_ref().map_or_else(|| status.into_response(), |frame| frame.refuse(&headers, status, sentence))
        };
        let too_long = || refuse(StatusCode::PAYLOAD_TOO_LARGE, "That is too long; nothing was done.");
        let (parts, body) = request.into_parts();
        // All of it first: who still sends does not hear the answer.
        let taken = sent::whole(body, TAKEN_IN).await.map_err(|why| match why {
            Unread::TooLong => too_long(),
            Unread::Cut => refuse(StatusCode::BAD_REQUEST, "The form was cut off; send it again."),
        })?;
        let rejection = match Form::from_request(Request::from_parts(parts, Body::from(taken)), state).await {
            Ok(Form(filled)) => return Ok(Self(filled)),
            Err(rejection) => rejection,
        };
        Err(match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_long(),
            status => {
                let why = rejection.body_text();
                refuse(status, &format!("What was sent is no form of this page ({why}); load it again."))
            }
        })
    }
}

/// Something was done: a page goes on to an address, a script is told that it was.
pub(super) fn done(headers: &HeaderMap, to: &str) -> Response {
    if is_for_a_page(headers) { Redirect::to(to).into_response() } else { StatusCode::NO_CONTENT.into_response() }
}

/// A file to keep.
pub(super) fn file(name: &str, kind: &'static str, text: String) -> Response {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '-' }).collect();
    let kept = format!("attachment; filename=\"{plain}\"");
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, kept)], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Going(bool);

    impl Shown for Going {
        const GONE: &'static str = "It is gone.";

        fn is_over(&self) -> bool {
            self.0
        }

        fn html(&self, number: u64) -> String {
            format!("<p id=\"going\">{number}</p>")
        }

        type View = u64;

        fn view(&self, number: u64) -> u64 {
            number
        }
    }

    #[test]
    fn one_at_a_time_and_the_last_are_kept() {
        let runs = Runs::new();
        for number in 1..=10 {
            let run = runs.begin(format!("run {number}"), Going(false)).unwrap();
            let refused = runs.begin("another".into(), Going(false)).err();
            assert_eq!(
                refused.map(|refused| refused.1),
                Some(format!("\"run {number}\" is under way: let it end, or end it, and begin again."))
            );
            assert_eq!(run.part(), Part { html: format!("<p id=\"going\">{number}</p>"), is_over: false });
            run.change(|going| going.0 = true);
        }
        let kept: Vec<u64> = runs.all().iter().map(|run| run.number).collect();
        assert_eq!(kept, [10, 9, 8, 7, 6, 5, 4, 3]);
        assert!(runs.find(2).is_none() && runs.find(3).is_some());
    }
}
