//! What a server's log shows, and where its lines go: stderr, as text for people or as JSON for programs.
//!
//! Lines are written by a thread of their own. A server whose stderr nobody reads any more goes on serving; it loses lines, and
//! says how many when somebody reads again.

use anyhow::anyhow;
use clap::Args;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Lines that wait to be written.
const WAITING: usize = 4096;
/// How long the last lines have at the end of the process.
const LAST_LINES: Duration = Duration::from_secs(1);

#[derive(Args)]
pub(crate) struct LogOptions {
    /// What goes to stderr: off, error, warn (`lab`, if nothing is said), info (`serve`: a line a request), debug, trace; or
    /// TARGET=LEVEL, several with commas
    ///
    /// A line has the request's id, which its answer carries as x-request-id, who asked, the route, the status and the
    /// milliseconds. Passwords, answers, codes, PINs, keys and whatever opens a session are never in it. Example:
    /// --log warn,cardlab::http=info,sqlx=warn
    #[arg(long, value_name = "FILTER", value_parser = filter)]
    log: Option<Targets>,

    /// Lines of JSON instead of text
    #[arg(long)]
    log_json: bool,
}

fn filter(text: &str) -> Result<Targets, String> {
    // A word alone that is no level would be taken for a target, and show nothing.
    let right = text.split(',').all(|part| part.contains('=') || part.parse::<LevelFilter>().is_ok());
    let wrong = "write a level, as in --log warn, or TARGET=LEVEL: --log warn,cardlab::http=info";
    text.parse().ok().filter(|_| right).ok_or_else(|| wrong.into())
}

/// Ends the log: what waits is written, if it goes at once.
pub(crate) struct Log {
    /// None once it has ended.
    lines: Option<Lines>,
    written: Receiver<()>,
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(lines) = self.lines.take() {
            let _ = lines.sender.try_send(Message::End);
        }
        let _ = self.written.recv_timeout(LAST_LINES);
    }
}

impl LogOptions {
    /// Begins the log of this process, until what is given back is dropped; of this level where nobody said another.
    pub(crate) fn begin(&self, usual: LevelFilter) -> anyhow::Result<Log> {
        let (sender, receiver) = sync_channel(WAITING);
        let (done, written) = sync_channel(1);
        let lost = Arc::new(AtomicU64::new(0));
        let lines = Lines { sender, lost: lost.clone() };
        std::thread::Builder::new().name("log".into()).spawn(move || {
            write_all(&receiver, &lost, &mut std::io::stderr());
            let _ = done.send(());
        })?;
        let writer = lines.clone();
        let format =
            tracing_subscriber::fmt::layer().with_ansi(false).log_internal_errors(false).with_writer(move || writer.clone());
        let filtered =
            tracing_subscriber::registry().with(self.log.clone().unwrap_or_else(|| Targets::new().with_default(usual)));
        let began = match self.log_json {
            true => filtered.with(format.json().flatten_event(true).with_span_list(false)).try_init(),
            false => filtered.with(format).try_init(),
        };
        began.map_err(|error| anyhow!("the log cannot begin: {error}"))?;
        Ok(Log { lines: Some(lines), written })
    }
}

enum Message {
    Line(Vec<u8>),
    End,
}

/// Where a line goes: each is one write.
#[derive(Clone)]
struct Lines {
    sender: SyncSender<Message>,
    lost: Arc<AtomicU64>,
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(Message::Line(line.to_vec())) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Until the end is asked for. Who has closed the other side of `out` has asked for no lines.
fn write_all(lines: &Receiver<Message>, lost: &AtomicU64, out: &mut impl Write) {
    while let Ok(Message::Line(line)) = lines.recv() {
        let _ = out.write_all(&line);
        let missing = lost.swap(0, Ordering::Relaxed);
        if missing > 0 {
            let _ = writeln!(out, "cardlab: {missing} lines of the log are missing here: nobody read them in time");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_read_loses_lines_and_holds_nobody_up() {
        let (sender, receiver) = sync_channel(2);
        let lost = Arc::new(AtomicU64::new(0));
        let mut lines = Lines { sender, lost: lost.clone() };
        for number in 0..5 {
            assert!(matches!(lines.write(format!("{number}\n").as_bytes()), Ok(2)));
        }
        assert_eq!(lost.load(Ordering::Relaxed), 3);
        drop(lines);
        let mut out = Vec::new();
        write_all(&receiver, &lost, &mut out);
        let text = String::from_utf8_lossy(&out);
        assert_eq!(text, "0\ncardlab: 3 lines of the log are missing here: nobody read them in time\n1\n");
    }

    #[test]
    fn filters_say_what_they_can_be() {
        assert!(["info", "off", "warn,cardlab::http=debug"].iter().all(|text| filter(text).is_ok()));
        assert!(filter("loud").is_err_and(|says| says.contains("--log warn")));
    }
}
