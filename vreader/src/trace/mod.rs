//! What happens at a card, as records: exchanges, resets, faults. They go to a file in one of three forms, and
//! to whoever listens.
//!
//! | module | form |
//! |---|---|
//! | [`text`] | lines for people; masked |
//! | [`json`] | JSON lines for programs, which [`json::read`] reads back |
//! | [`pcapng`] | a capture for Wireshark, which [`pcapng::read`] reads back |
//! | [`tree`] | an exchange taken apart: data objects as a tree |
//! | [`decode`] | names of commands, meanings of status words, what is masked |
//! | [`event`] | what happens besides commands, as text and back |
//! | [`history`] | what became of cards, out of their records |

pub mod decode;
pub mod event;
pub mod history;
pub mod json;
pub mod pcapng;
mod queue;
pub mod text;
pub mod tree;

use crate::outage::Outage;
use cardlab_whole as whole;
use queue::Queue;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::broadcast;
use zeroize::Zeroizing;

/// Bytes in hexadecimal with blanks between.
#[must_use]
pub fn spaced(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02X}")).collect::<Vec<_>>().join(" ")
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A command and its answer; none when the card was silent.
    Exchange {
        /// Command APDU.
        command: Zeroizing<Vec<u8>>,
        /// Response APDU.
        response: Option<Zeroizing<Vec<u8>>>,
        /// What was inside both, where they went through a secure channel. Only shown with PINs and keys.
        inside: Option<Inside>,
        /// Whether the command goes on with a chain, or fetches the rest of an answer that is not to be shown: what it
        /// belongs to stands in the exchanges before it only.
        continues: bool,
    },
    /// Something else: power on, power off, reset, a fault, a card that went in or out.
    Event {
        /// In a few words: an [`event::Event`] as text.
        text: String,
        /// The answer to reset that came with it, or nothing.
        atr: Vec<u8>,
    },
}

/// A command and its answer that went through a secure channel, in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// Command APDU.
    pub command: Zeroizing<Vec<u8>>,
    /// Response APDU.
    pub response: Zeroizing<Vec<u8>>,
}

impl From<cardlab_sim::card::Inside> for Inside {
    fn from(inside: cardlab_sim::card::Inside) -> Self {
        Self { command: inside.command, response: inside.response }
    }
}

/// Something that happened at a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Counts the exchanges of the card, from 1; an event has the number of the exchange before it.
    pub number: u64,
    /// Time since 1970.
    pub at: Duration,
    /// Which card.
    pub card: Arc<str>,
    /// How long the card took for a command; not known of one that was read from a capture, nor under a seed.
    pub took: Option<Duration>,
    /// Which program sent a command, where that is known.
    pub program: Option<Arc<str>>,
    /// What.
    pub what: What,
}

/// A form of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// JSON lines.
    Json,
    /// For Wireshark.
    Pcapng,
}

impl Form {
    /// By the file's name: `.jsonl` and `.pcapng`, anything else is text.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|e| e.to_str()) {
            Some("jsonl" | "json") => Self::Json,
            Some("pcapng") => Self::Pcapng,
            _ => Self::Text,
        }
    }
}

/// Where time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticks {
    /// The system's clock.
    Clock,
    /// A millisecond for each record, so that the same session gives the same bytes.
    Count,
}

/// A file that is being written.
enum File {
    Text(Box<dyn Write + Send>),
    Json(Box<dyn Write + Send>),
    Pcapng(pcapng::Capture),
}

impl File {
    fn begin(form: Form, out: Box<dyn Write + Send>) -> std::io::Result<Self> {
        Ok(match form {
            Form::Text => Self::Text(out),
            Form::Json => Self::Json(out),
            Form::Pcapng => Self::Pcapng(pcapng::Capture::begin(out)?),
        })
    }

    fn write(&mut self, record: &Record, secrets: bool) -> std::io::Result<()> {
        match self {
            Self::Text(out) => out.write_all(text::write(record, secrets).as_bytes()).and_then(|()| out.flush()),
            Self::Json(out) => out.write_all(json::write(record, secrets).as_bytes()).and_then(|()| out.flush()),
            Self::Pcapng(capture) => capture.write(record, secrets),
        }
    }

    /// Says that so many records are missing here, for people; the numbers of exchanges say it to programs.
    fn missing(&mut self, count: u64) -> std::io::Result<()> {
        match self {
            Self::Text(out) if count > 0 => {
                out.write_all(format!("---- {count} records were missed\n").as_bytes()).and_then(|()| out.flush())
            }
            _ => Ok(()),
        }
    }
}

/// The file of a trace.
struct Recording {
    file: File,
    /// Whether PINs and keys go into it.
    secrets: bool,
    /// Told when it cannot be written.
    outage: Outage,
}

impl Recording {
    fn put(&mut self, record: &Record) -> std::io::Result<()> {
        self.file.write(record, self.secrets)
    }

    fn works(&self) {
        self.outage.works(|| "it is written again; what happened meanwhile is not in it".into());
    }

    fn failed(&self, error: &std::io::Error) {
        self.outage.failed(|| unrecorded(&whole::why(error)));
    }
}

/// Told when a trace cannot be written.
fn unrecorded(why: &str) -> String {
    format!("{why}; the cards go on, and what happens is not recorded until it can be written")
}

/// Who writes a trace.
enum Writer {
    /// Whoever has a record: a file holds nobody up.
    Here(Recording),
    /// A thread of its own.
    Aside(Queue),
}

struct Shared {
    file: Mutex<Option<Writer>>,
    listeners: broadcast::Sender<Arc<Record>>,
    ticks: Ticks,
    count: Mutex<u64>,
}

/// Where the records of several cards go.
#[derive(Clone)]
pub struct Trace(Arc<Shared>);

/// Records that a listener may fall behind; what is older is lost to it, and it is told so.
const BACKLOG: usize = 1024;

impl Trace {
    /// For listeners only.
    #[must_use]
    pub fn new(ticks: Ticks) -> Self {
        let (listeners, _) = broadcast::channel(BACKLOG);
        Self(Arc::new(Shared { file: Mutex::new(None), listeners, ticks, count: Mutex::new(0) }))
    }

    /// And to a file. With `secrets`, PINs and keys are not masked. When a record cannot be written the card goes on, and `outage`
    /// is told.
    ///
    /// # Errors
    /// The system's error when the file's beginning cannot be written.
    pub fn to_file(&self, form: Form, secrets: bool, out: Box<dyn Write + Send>, outage: Outage) -> std::io::Result<()> {
        let file = File::begin(form, out)?;
        self.go_to(Writer::Here(Recording { file, secrets, outage }));
        Ok(())
    }

    /// As [`Trace::to_file`], where somebody reads at the other end: a pipe, a socket, a terminal. A thread of its own writes, so that
    /// no card waits for who does not read; what finds no room meanwhile is lost, and `outage` is told. [`Trace::end`] ends it.
    ///
    /// # Errors
    /// As [`Trace::to_file`], and the system's error when there can be no thread.
    pub fn to_reader(&self, form: Form, secrets: bool, out: Box<dyn Write + Send>, outage: Outage) -> std::io::Result<()> {
        let file = File::begin(form, out)?;
        self.go_to(Writer::Aside(Queue::begin(Recording { file, secrets, outage })?));
        Ok(())
    }

    fn go_to(&self, writer: Writer) {
        *self.0.file.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer);
    }

    /// Ends the file; listeners stay. What waits to be read is written, if somebody reads it within this time.
    pub fn end(&self, within: Duration) {
        let writer = self.0.file.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Writer::Aside(queue)) = writer {
            queue.end(within);
        }
    }

    /// What happens from now on. A listener that is slow loses records, and nobody waits for it.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Arc<Record>> {
        self.0.listeners.subscribe()
    }

    /// The records of one card.
    #[must_use]
    pub fn of(&self, card: &str) -> Recorder {
        Recorder { trace: self.clone(), card: card.into(), number: 0, thread: decode::Thread::default() }
    }

    fn now(&self) -> Duration {
        match self.0.ticks {
            Ticks::Clock => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            Ticks::Count => {
                let mut count = self.0.count.lock().unwrap_or_else(PoisonError::into_inner);
                *count += 1;
                Duration::from_millis(*count)
            }
        }
    }

    fn write(&self, record: &Arc<Record>) {
        let mut file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        match file.as_mut() {
            // A trace that cannot be written must not stop the card.
            Some(Writer::Here(recording)) => match recording.put(record) {
                Ok(()) => recording.works(),
                Err(error) => recording.failed(&error),
            },
            Some(Writer::Aside(queue)) => queue.write(record),
            None => {}
        }
    }
}

/// Writes down what happens at one card.
#[derive(Clone)]
pub struct Recorder {
    trace: Trace,
    card: Arc<str>,
    number: u64,
    thread: decode::Thread,
}

impl Recorder {
    /// The card's name in its records.
    #[must_use]
    pub const fn card(&self) -> &Arc<str> {
        &self.card
    }

    /// The number of the last exchange.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// An event at the card, such as a reset, with the ATR where there is one.
    pub fn event(&self, text: &str, atr: &[u8]) -> Arc<Record> {
        self.tell(None, None, What::Event { text: text.to_owned(), atr: atr.to_vec() })
    }

    /// A command and its answer, `None` when the card was silent; and what was inside them.
    pub fn exchange(&mut self, command: &[u8], response: Option<&[u8]>, inside: Option<Inside>) -> Arc<Record> {
        self.exchange_by(None, None, command, response, inside)
    }

    /// As [`Recorder::exchange`], with the program that sent it and the moment when it came.
    pub fn exchange_by(
        &mut self,
        program: Option<Arc<str>>,
        began: Option<Instant>,
        command: &[u8],
        response: Option<&[u8]>,
        inside: Option<Inside>,
    ) -> Arc<Record> {
        self.number += 1;
        let kept = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
        let continues = self.thread.continues(command, response);
        // Under a seed the same session gives the same record.
        let counted = self.trace.0.ticks == Ticks::Count;
        let (took, program) = (began.filter(|_| !counted).map(|began| began.elapsed()), program.filter(|_| !counted));
        self.tell(took, program, What::Exchange { command: kept(command), response: response.map(kept), inside, continues })
    }

    fn tell(&self, took: Option<Duration>, program: Option<Arc<str>>, what: What) -> Arc<Record> {
        let (number, at, card) = (self.number, self.trace.now(), self.card.clone());
        let record = Arc::new(Record { number, at, card, took, program, what });
        self.trace.write(&record);
        // Nobody needs to listen.
        let _ = self.trace.0.listeners.send(record.clone());
        record
    }
}

/// Records as a file of this form. PINs and keys are masked unless `secrets`.
///
/// # Errors
/// None that the memory has not.
pub fn write_all<'r>(form: Form, secrets: bool, records: impl Iterator<Item = &'r Record>) -> std::io::Result<Vec<u8>> {
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);
    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let kept = Kept::default();
    let mut file = File::begin(form, Box::new(kept.clone()))?;
    for record in records {
        file.write(record, secrets)?;
    }
    drop(file);
    Ok(std::mem::take(&mut *kept.0.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// Finds out again which exchanges continue others: no form of a file says it.
fn join(mut records: Vec<Record>) -> Vec<Record> {
    let mut threads: BTreeMap<Arc<str>, decode::Thread> = BTreeMap::new();
    for record in &mut records {
        if let What::Exchange { command, response, continues, .. } = &mut record.what {
            let thread = threads.entry(record.card.clone()).or_default();
            *continues = thread.continues(command, response.as_ref().map(|response| response.as_slice()));
        }
    }
    records
}

/// The lines of a recording in any form that can be read back, for people: what is masked in it is shown masked.
///
/// # Errors
/// A sentence with the line or the block.
pub fn shown(bytes: &[u8]) -> Result<Vec<String>, String> {
    let lines = |records: Vec<(Record, bool)>| records.iter().map(|(record, masked)| text::write(record, !masked)).collect();
    match form(bytes)? {
        Found::Pcapng => pcapng::read_masked(bytes).map(lines),
        Found::Json(text) => json::shown(text),
    }
}

/// The lines of a recording in any form that can be read back, as [`json::value`] gives them: what is masked in it stays masked.
///
/// # Errors
/// A sentence with the line or the block.
pub fn values(bytes: &[u8]) -> Result<Vec<serde_json::Value>, String> {
    let value = |(record, masked): &(Record, bool)| json::value(record, !masked);
    match form(bytes)? {
        Found::Pcapng => pcapng::read_masked(bytes).map(|records| records.iter().map(value).collect()),
        Found::Json(text) => json::values(text),
    }
}

/// What a recording is.
enum Found<'t> {
    Pcapng,
    Json(&'t str),
}

fn form(bytes: &[u8]) -> Result<Found<'_>, String> {
    if bytes.starts_with(&pcapng::MAGIC) {
        return Ok(Found::Pcapng);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() || text.trim_start().starts_with('{') => Ok(Found::Json(text)),
        _ => Err("neither JSON lines nor pcapng: traces for people (text) cannot be read back".into()),
    }
}

/// A file of records in any form that can be read back.
///
/// # Errors
/// A sentence with the line or the block.
pub fn read(bytes: &[u8]) -> Result<Vec<Record>, String> {
    match form(bytes)? {
        Found::Pcapng => pcapng::read(bytes),
        Found::Json(text) => json::read(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Of commands with secrets, and of others.
    fn header() -> impl Strategy<Value = Vec<u8>> {
        let headers = ["00200080", "10DB3FFF", "00DB3FFF", "00CB3FFF", "00C00000", "002C0080", "00A40400", "00FFFFFF"];
        prop::sample::select(headers.map(|header| hex::decode(header).unwrap()).to_vec())
    }

    /// Some begin as tag lists and objects do, whole or cut.
    fn data() -> impl Strategy<Value = Vec<u8>> {
        let beginnings = ["", "5C035FC109", "5C035FC105", "5C", "5C02", "5C05", "5C00", "7E", "7F61", "70"];
        let beginning = prop::sample::select(beginnings.map(|beginning| hex::decode(beginning).unwrap()).to_vec());
        (beginning, prop::collection::vec(any::<u8>(), 0..20))
            .prop_map(|(beginning, rest)| [beginning, rest].concat())
            .prop_filter("a command without data", |data| !data.is_empty())
    }

    fn response() -> impl Strategy<Value = Option<Vec<u8>>> {
        prop::option::of(prop::collection::vec(any::<u8>(), 2..20))
    }

    /// What a session leaves in this form.
    fn recorded(form: Form, secrets: bool, exchanges: &[(Vec<u8>, Option<Vec<u8>>)]) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let trace = Trace::new(Ticks::Count);
        trace.to_file(form, secrets, Box::new(file.reopen().unwrap()), Outage::untold()).unwrap();
        let mut recorder = trace.of("c");
        recorder.event("power on", &[0x3B, 0x00]);
        for (command, response) in exchanges {
            recorder.exchange(command, response.as_deref(), None);
        }
        std::fs::read(file.path()).unwrap()
    }

    proptest! {
        /// Masked or whole: shown, it is what would have been written for people. In a capture zeros stand for what is masked, so
        /// that what was no command may look like one: there of commands alone.
        #[test]
        fn a_recording_is_shown_as_it_was_told(
            exchanges in prop::collection::vec((header(), data(), response()), 0..5),
            cut in any::<bool>(),
            secrets in any::<bool>(),
        ) {
            let command = |header: Vec<u8>, data: Vec<u8>| {
                let length = if cut { vec![] } else { vec![data.len() as u8] };
                [header, length, data].concat()
            };
            let exchanges: Vec<_> =
                exchanges.into_iter().map(|(header, data, response)| (command(header, data), response)).collect();
            let text = String::from_utf8(recorded(Form::Text, secrets, &exchanges)).unwrap();
            let forms = if cut { &[Form::Json][..] } else { &[Form::Json, Form::Pcapng] };
            for form in forms {
                let lines = shown(&recorded(*form, secrets, &exchanges));
                prop_assert_eq!(lines.map(|lines| lines.concat()), Ok(text.clone()));
            }
        }

        /// A name that gave away what is hidden would differ with it.
        #[test]
        fn what_is_hidden_makes_no_difference(
            header in header(),
            one in data(),
            rest in prop::collection::vec(any::<u8>(), 30),
            continues in any::<bool>(),
        ) {
            let command = |data: &[u8]| [&header[..], &[data.len() as u8], data].concat();
            let shown = |data: &[u8]| {
                let what = What::Exchange { command: Zeroizing::new(command(data)), response: None, inside: None, continues };
                let record = Record { number: 1, at: Duration::ZERO, card: "c".into(), took: None, program: None, what };
                text::write(&record, false)
            };
            let hidden = |data: &[u8]| decode::Masks::of(&command(data), continues).hidden(&command(data));
            let seen = hidden(&one).start.saturating_sub(5).min(one.len());
            let other = [&one[..seen], &rest[seen..one.len()]].concat();
            prop_assume!(!hidden(&one).is_empty() && hidden(&one) == hidden(&other));
            prop_assert_eq!(shown(&one), shown(&other));
        }

        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "\\{.{0,80}") {
            let capture = [&pcapng::MAGIC, &bytes[..]].concat();
            for bytes in [&bytes[..], text.as_bytes(), &capture] {
                let _ = (shown(bytes), values(bytes).map(|values| history::History::of(&values)));
            }
        }
    }

    /// A full disk: the card goes on, and it is told once.
    #[test]
    fn what_cannot_be_written_is_told() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let outage = Outage::told_by({
            let told = told.clone();
            move |sentence| told.lock().unwrap().push(sentence.to_owned())
        });
        let trace = Trace::new(Ticks::Count);
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        trace.to_file(Form::Json, false, Box::new(full), outage).unwrap();
        let mut recorder = trace.of("c");
        for _ in 0..3 {
            recorder.exchange(&[0, 0x20, 0, 0x80], Some(&[0x63, 0xC3]), None);
        }
        let says = "the disk is full; make room there; the cards go on, and what happens is not recorded until it can be written";
        assert_eq!(*told.lock().unwrap(), [says]);
    }
}
