//! Tells the server what became of cards; what cannot be told now waits in a small file.
//!
//! The file is the user's alone (0600), has a report a line (JSON, [`Report`]) and at most [`MOST`] of them: the oldest goes
//! when one more comes. A report is taken out once the server has it, and never before. All programs of the user share it,
//! one after the other ([`std::fs::File::lock`]); each server has its own.

use super::own;
use super::session::Told;
use crate::service::{Service, ServiceError};
use cardlab_protocol::workstation::{Outcome, Report};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reports that wait at most.
pub(super) const MOST: usize = 200;
/// Bytes of the longest file that is read.
const LONGEST: u64 = 1024 * 1024;
/// How long a server that could not be reached is left alone.
const AGAIN: Duration = Duration::from_secs(30);

enum Job {
    Tell(Told),
    Result { session: String, outcome: Outcome, told: Told },
    Later(String),
    Finish(Sender<()>),
}

/// The way to the thread that tells.
pub(super) struct Teller {
    jobs: Sender<Job>,
}

impl Teller {
    pub(super) fn start(service: Service, workstation: String, file: Option<PathBuf>) -> Self {
        let (jobs, inbox) = channel();
        let work = Work { service, workstation, queue: Queue::at(file) };
        std::thread::spawn(move || work.run(&inbox));
        Self { jobs }
    }

    pub(super) fn tell(&self, told: Told) {
        let _ = self.jobs.send(Job::Tell(told));
    }

    /// How a session ended; as a report where the session cannot be reached.
    pub(super) fn result(&self, session: String, outcome: Outcome, told: Told) {
        let _ = self.jobs.send(Job::Result { session, outcome, told });
    }

    pub(super) fn later(&self, session: String) {
        let _ = self.jobs.send(Job::Later(session));
    }

    /// Waits until what came before has been told or put aside.
    pub(super) fn finish(&self, limit: Duration) {
        let (done, wait) = channel();
        if self.jobs.send(Job::Finish(done)).is_ok() {
            let _ = wait.recv_timeout(limit);
        }
    }
}

struct Work {
    service: Service,
    workstation: String,
    queue: Queue,
}

impl Work {
    fn run(mut self, inbox: &Receiver<Job>) {
        // What waits from before.
        self.send();
        loop {
            let job = if self.queue.reports.is_empty() {
                inbox.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                inbox.recv_timeout(AGAIN)
            };
            match job {
                Ok(Job::Tell(told)) => self.tell(told),
                Ok(Job::Result { session, outcome, told }) => {
                    // A server that says that there is nothing to report has heard it, or will hear it as a report.
                    if self.service.report(&session, &outcome).is_err() {
                        self.tell(told);
                    }
                }
                Ok(Job::Later(session)) => drop(self.service.later(&session)),
                Ok(Job::Finish(done)) => drop(done.send(())),
                Err(RecvTimeoutError::Timeout) => self.send(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn tell(&mut self, told: Told) {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis().try_into().unwrap_or(i64::MAX));
        let report = Report {
            serial: told.serial,
            workstation: self.workstation.clone(),
            kind: told.kind,
            challenge: told.challenge,
            status_word: told.status_word.map(|sw| format!("{sw:04X}")),
            tries_left: told.tries_left,
            at,
        };
        self.queue.push(&report);
        self.send();
    }

    /// Sends in order, until the server does not take one. What tells of a response waits behind nothing that was too often: the
    /// server counts it apart.
    fn send(&mut self) {
        let mut too_often = false;
        for report in self.queue.reports.clone() {
            if too_often && report.challenge.is_none() {
                continue;
            }
            match self.service.tell(&report) {
                Ok(()) => self.queue.told(&report),
                // It waits until there have been fewer.
                Err(ServiceError::TooMany(_)) => too_often = true,
                // It waits for the server.
                Err(ServiceError::Unreachable(_) | ServiceError::Busy(_)) => return,
                // A report that the server will never take waits for nothing.
                Err(_) => self.queue.told(&report),
            }
        }
    }
}

/// Reports in order, in a file where there is one.
struct Queue {
    file: Option<PathBuf>,
    reports: Vec<Report>,
}

impl Queue {
    /// What waits in this file. Lines that are no report are nobody's.
    fn at(file: Option<PathBuf>) -> Self {
        let mut queue = Self { file, reports: Vec::new() };
        queue.change(|_| {});
        queue
    }

    fn push(&mut self, report: &Report) {
        self.change(|reports| {
            reports.push(report.clone());
            let over = reports.len().saturating_sub(MOST);
            reports.drain(..over);
        });
    }

    /// Takes out what has been told.
    fn told(&mut self, report: &Report) {
        self.change(|reports| {
            if let Some(at) = reports.iter().position(|other| other == report) {
                reports.remove(at);
            }
        });
    }

    /// Changes what all programs of the user have there. A workstation whose disk is full, or that may not write, reports
    /// what it can while it runs.
    fn change(&mut self, change: impl Fn(&mut Vec<Report>)) {
        let shared = self.file.as_deref().map(|path| shared(path, &self.reports, &change));
        match shared {
            Some(Ok(reports)) => self.reports = reports,
            _ => change(&mut self.reports),
        }
    }
}

fn shared(path: &Path, known: &[Report], change: impl Fn(&mut Vec<Report>)) -> std::io::Result<Vec<Report>> {
    if let Some(directory) = path.parent() {
        own::directory(directory)?;
    }
    let mut file = own::file(path, false)?;
    file.lock()?;
    let mut bytes = Vec::new();
    (&mut file).take(LONGEST).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut reports: Vec<Report> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    // What could not be written when it came.
    if bytes.is_empty() {
        reports.extend_from_slice(known);
    }
    let before = reports.clone();
    change(&mut reports);
    if reports != before {
        let mut text = Vec::new();
        for report in &reports {
            serde_json::to_writer(&mut text, report)?;
            text.push(b'\n');
        }
        // The new text over the old one, then the end: a line that was cut is no report, the others stay.
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&text)?;
        file.set_len(text.len() as u64)?;
        file.sync_data()?;
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Trust;
    use cardlab_protocol::workstation::ReportKind;
    use std::io::{BufRead as _, BufReader};
    use std::net::TcpListener;
    use std::os::unix::fs::PermissionsExt as _;

    fn report(number: i64) -> Report {
        Report {
            serial: "00".into(),
            workstation: "PC".into(),
            kind: ReportKind::PinBlocked,
            challenge: None,
            status_word: None,
            tries_left: Some(0),
            at: number,
        }
    }

    /// A server that takes what tells of a response, and has had too many of the rest.
    fn too_many() -> (Service, Receiver<Report>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let service = Service::at(&format!("http://{}", listener.local_addr().unwrap()), &Trust::default()).unwrap();
        let (taken, heard) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let (mut line, mut length) = (String::new(), 0);
                while stream.read_line(&mut line).unwrap() > 2 {
                    let field = line.to_lowercase();
                    length = field.strip_prefix("content-length:").map_or(length, |field| field.trim().parse().unwrap());
                    line.clear();
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                let report: Report = serde_json::from_slice(&body).unwrap();
                let (status, answer) = match report.challenge {
                    Some(_) => ("200 OK", "{}"),
                    None => ("429 Too Many Requests", r#"{"error":"RATE_LIMITED","message":"too many"}"#),
                };
                let kind = "content-type: application/json\r\nconnection: close";
                let head = format!("HTTP/1.1 {status}\r\n{kind}\r\ncontent-length: {}\r\n\r\n", answer.len());
                stream.get_mut().write_all((head + answer).as_bytes()).unwrap();
                taken.send(report).unwrap();
            }
        });
        (service, heard)
    }

    #[test]
    fn what_tells_of_a_response_waits_behind_nothing_that_was_too_often() {
        let (service, heard) = too_many();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("reports");
        let of_a_response = |number| Report { kind: ReportKind::Unlocked, challenge: Some("00".repeat(32)), ..report(number) };
        let mut queue = Queue::at(Some(file.clone()));
        for number in [report(1), of_a_response(2), report(3), of_a_response(4)] {
            queue.push(&number);
        }
        Work { service, workstation: "PC".into(), queue }.send();
        assert_eq!(heard.try_iter().map(|report| report.at).collect::<Vec<_>>(), [1, 2, 4]);
        assert_eq!(Queue::at(Some(file)).reports, [report(1), report(3)]);
    }

    #[test]
    fn what_waits_is_there_after_a_restart_and_is_the_users_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("reports");
        let mut queue = Queue::at(Some(file.clone()));
        (0..3).for_each(|n| queue.push(&report(n)));
        queue.told(&report(0));
        let again = Queue::at(Some(file.clone()));
        assert_eq!(again.reports, [report(1), report(2)]);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn programs_of_one_user_share_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("reports");
        let (mut one, mut other) = (Queue::at(Some(file.clone())), Queue::at(Some(file.clone())));
        one.push(&report(1));
        other.push(&report(2));
        one.push(&report(3));
        assert_eq!(Queue::at(Some(file.clone())).reports, [report(1), report(2), report(3)]);
        other.told(&report(1));
        one.told(&report(1));
        assert_eq!(Queue::at(Some(file)).reports, [report(2), report(3)]);
    }

    #[test]
    fn it_stays_small_and_the_oldest_goes() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("reports");
        let mut queue = Queue::at(Some(file.clone()));
        (0..MOST as i64 + 5).for_each(|n| queue.push(&report(n)));
        let again = Queue::at(Some(file));
        assert_eq!(again.reports.len(), MOST);
        assert_eq!(again.reports[0], report(5));
    }

    #[test]
    fn a_file_of_something_else_is_no_report() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("reports");
        std::fs::write(&file, b"\x00\xFF not\n{\"serial\":1}\n").unwrap();
        assert!(Queue::at(Some(file)).reports.is_empty());
        assert!(Queue::at(Some(directory.path().join("nowhere"))).reports.is_empty());
    }
}
