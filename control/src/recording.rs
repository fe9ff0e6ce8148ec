//! Recording: what is done at the bench from now on, until it is handed to whoever makes a file of it.
//!
//! This crate knows no scenario: who makes the file is given to [`crate::api::Control::with_recorder`].

use crate::api::{Body, Control, Reply};
use crate::error::ApiError;
use crate::view::{RecordingOrder, RecordingView, Written};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cardlab_protocol::problem::Problem;
use cardlab_vreader::session::{Began, Ended, Session};
use cardlab_vreader::trace::Record;
use cardlab_vreader::{Rack, Whereabouts};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Recordings that are kept once they have ended.
const KEPT: usize = 10;
/// Records that a recording keeps; what comes after them is not in it.
pub const MOST: usize = 20_000;

/// Makes a file of a session.
pub trait Recorder: Send + Sync {
    /// The file, titled so.
    ///
    /// # Errors
    /// A sentence, when nothing can be made of it.
    fn write(&self, title: &str, session: &Session) -> Result<Written, String>;
}

/// A recording that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// From 1.
    pub number: usize,
    /// What it shows.
    pub title: String,
    /// What was made of it.
    pub written: Written,
}

/// What was heard since it began.
#[derive(Default)]
struct Heard {
    records: Vec<Arc<Record>>,
    /// Records that came faster than they were taken, or one too many.
    missed: u64,
}

/// A recording that is under way.
pub(crate) struct Recording {
    title: String,
    began: Vec<Began>,
    heard: Arc<Mutex<Heard>>,
    /// Ends the listening when it is sent, or dropped.
    stop: oneshot::Sender<()>,
    listening: JoinHandle<()>,
}

fn of(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Heard {
    fn keep(&mut self, record: Arc<Record>) {
        if self.records.len() < MOST {
            self.records.push(record);
        } else {
            self.missed += 1;
        }
    }
}

/// Takes in what happens until it is stopped: then also what has happened and was not taken in yet.
async fn listen(mut records: Receiver<Arc<Record>>, heard: Arc<Mutex<Heard>>, mut stopped: oneshot::Receiver<()>) {
    loop {
        let record = tokio::select! {
            record = records.recv() => record,
            _ = &mut stopped => break,
        };
        match record {
            Ok(record) => of(&heard).keep(record),
            Err(RecvError::Lagged(missed)) => of(&heard).missed += missed,
            Err(RecvError::Closed) => return,
        }
    }
    loop {
        match records.try_recv() {
            Ok(record) => of(&heard).keep(record),
            Err(TryRecvError::Lagged(missed)) => of(&heard).missed += missed,
            Err(TryRecvError::Empty | TryRecvError::Closed) => return,
        }
    }
}

/// The cards as they are now. It waits for those that work, so it is not for the readers' thread.
fn begun(rack: &Rack) -> Vec<Began> {
    rack.places().into_iter().filter_map(|place| Began::of(rack, place)).collect()
}

impl Control {
    /// The recorder, where there is one.
    fn recorder(&self) -> Result<&Arc<dyn Recorder>, ApiError> {
        let none = || ApiError(StatusCode::CONFLICT, "these readers record no scenarios".into());
        self.recorder.as_ref().ok_or_else(none)
    }

    fn recording(&self) -> MutexGuard<'_, Option<Recording>> {
        self.recording.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a recording. Cards in readers are reset first: a scenario begins with cards that know of no program.
    ///
    /// # Errors
    /// [`ApiError`] when one is under way, nobody makes files here, or it was not said that secrets may be in it.
    pub async fn begin_recording(&self, order: RecordingOrder) -> Result<RecordingView, ApiError> {
        self.recorder()?;
        if !order.secrets {
            let why = "a scenario that runs has the PINs and keys of these cards in the clear: say that they may be in it, with \
                       --secrets, or over the socket \"secrets\": true";
            return Err(ApiError::bad(why));
        }
        let under_way = || ApiError(StatusCode::CONFLICT, "a recording is under way: end it, or throw it away, first".into());
        if self.recording().is_some() {
            return Err(under_way());
        }
        for place in self.rack.places() {
            if self.rack.whereabouts(place) == Whereabouts::In {
                // Pulled out meanwhile, it has no power anyway.
                let _ = self.rack.reset(place, true).await;
            }
        }
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let (stop, stopped) = oneshot::channel();
        let listening = tokio::spawn(listen(self.trace.listen(), heard.clone(), stopped));
        let rack = self.rack.clone();
        let began = tokio::task::spawn_blocking(move || begun(&rack)).await;
        let began = began.map_err(|_| ApiError(StatusCode::INTERNAL_SERVER_ERROR, "the recording's thread ended".into()))?;
        let title = order.title.filter(|title| !title.trim().is_empty()).unwrap_or_else(|| "Recorded at the bench".into());
        let recording = Recording { title, began, heard, stop, listening };
        {
            let mut now = self.recording();
            if now.is_some() {
                return Err(under_way());
            }
            *now = Some(recording);
        }
        Ok(self.recording_view())
    }

    /// Whether something is being recorded.
    pub(crate) fn is_recording(&self) -> bool {
        self.recording().is_some()
    }

    /// What is being recorded.
    #[must_use]
    pub fn recording_view(&self) -> RecordingView {
        let possible = self.recorder.is_some();
        match self.recording().as_ref() {
            None => RecordingView { possible, under_way: false, title: String::new(), records: 0, missed: 0 },
            Some(recording) => {
                let heard = of(&recording.heard);
                let count = |record: &&Arc<Record>| recording.began.iter().any(|began| began.has(record));
                let records = heard.records.iter().filter(count).count();
                let (title, missed) = (recording.title.clone(), heard.missed);
                RecordingView { possible, under_way: true, title, records, missed }
            }
        }
    }

    /// Ends it, and gives the file.
    ///
    /// # Errors
    /// [`ApiError`] when there is none, records were missed, or nothing can be made of it: it is over then too.
    pub async fn end_recording(&self) -> Result<Written, ApiError> {
        let recorder = self.recorder()?.clone();
        let none = || ApiError(StatusCode::CONFLICT, "nothing is being recorded: begin first".into());
        let recording = self.recording().take().ok_or_else(none)?;
        let Recording { title, began, heard, stop, listening } = recording;
        drop(stop);
        let _ = listening.await;
        let (rack, shows) = (self.rack.clone(), title.clone());
        let made = tokio::task::spawn_blocking(move || {
            let heard = std::mem::take(&mut *of(&heard));
            if heard.missed > 0 {
                return Err(format!(
                    "{} records are not in it: more than {MOST}, or they came too fast; record a shorter session",
                    heard.missed
                ));
            }
            // Of a card that came later all is told; of the others, what came before the beginning is not.
            let is_part =
                |record: &Arc<Record>| began.iter().find(|began| began.card == record.card).is_none_or(|began| began.has(record));
            let records = heard.records.into_iter().filter(is_part).collect();
            let cards = rack.places().into_iter().map(|place| rack.card(place));
            let ended = cards.filter_map(|card| Some(Ended::of(&card.label()?.clone(), &card.lock()))).collect();
            recorder.write(&title, &Session { began, records, ended })
        });
        let made = made.await.map_err(|_| ApiError(StatusCode::INTERNAL_SERVER_ERROR, "the recorder ended".into()))?;
        let written = made.map_err(|why| ApiError(StatusCode::CONFLICT, why))?;
        let mut kept = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        let number = kept.back().map_or(1, |last| last.number + 1);
        kept.push_back(Recorded { number, title: shows, written: written.clone() });
        if kept.len() > KEPT {
            kept.pop_front();
        }
        Ok(written)
    }

    /// The last recordings that have ended, the newest first.
    #[must_use]
    pub fn recorded(&self) -> Vec<Recorded> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }

    /// Throws it away.
    pub fn drop_recording(&self) {
        drop(self.recording().take());
    }
}

/// Begins to record a scenario: what is done here and what programs do. Cards in readers are reset first.
#[utoipa::path(post, path = "/v1/recording", request_body = RecordingOrder, responses((status = 200, body = RecordingView), (status = 400, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn begin_recording(State(control): State<Control>, Body(order): Body<RecordingOrder>) -> Reply<RecordingView> {
    Ok(Json(control.begin_recording(order).await?))
}

/// What is being recorded.
#[utoipa::path(get, path = "/v1/recording", responses((status = 200, body = RecordingView)))]
pub(crate) async fn show_recording(State(control): State<Control>) -> Json<RecordingView> {
    Json(control.recording_view())
}

/// Throws the recording away.
#[utoipa::path(delete, path = "/v1/recording", responses((status = 200, body = RecordingView)))]
pub(crate) async fn drop_recording(State(control): State<Control>) -> Json<RecordingView> {
    control.drop_recording();
    Json(control.recording_view())
}

/// Ends the recording; the scenario's file.
#[utoipa::path(post, path = "/v1/recording/end", responses((status = 200, body = Written), (status = 409, body = Problem)))]
pub(crate) async fn end_recording(State(control): State<Control>) -> Reply<Written> {
    Ok(Json(control.end_recording().await?))
}
