//! Records on their way to whoever reads them at the other end of a pipe, a socket or a terminal.
//!
//! They are written by a thread of their own. Cards whose recording nobody reads any more go on; it loses records, and is told how
//! many when somebody reads again.

use super::{Record, Recording, unrecorded};
use crate::outage::Outage;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

/// Records that wait to be written.
const WAITING: usize = 4096;
/// How long a record has to be written before its answer goes to the program, so that at a terminal it stands before what the
/// program says of it. Who does not read in that time is waited for again when this record is written.
const IN_ORDER: Duration = Duration::from_millis(100);

/// A record that waits.
struct Waiting {
    record: Arc<Record>,
    /// How many were lost before it.
    missing: u64,
    /// Goes when it is written.
    _written: SyncSender<()>,
}

/// Where records go.
pub(super) struct Queue {
    records: SyncSender<Waiting>,
    /// How many were lost since the last that found room.
    lost: Arc<AtomicU64>,
    outage: Outage,
    /// The last record that was waited for.
    awaited: Option<Receiver<()>>,
    ended: Receiver<()>,
}

impl Queue {
    /// Begins the thread.
    pub(super) fn begin(recording: Recording) -> std::io::Result<Self> {
        let (records, receiver) = sync_channel(WAITING);
        let (done, ended) = sync_channel(1);
        let lost = Arc::new(AtomicU64::new(0));
        let queue = Self { records, lost: lost.clone(), outage: recording.outage.clone(), awaited: None, ended };
        std::thread::Builder::new().name("trace".into()).spawn(move || {
            write_all(&receiver, &lost, recording);
            let _ = done.send(());
        })?;
        Ok(queue)
    }

    /// A record finds room, or is lost.
    pub(super) fn write(&mut self, record: &Arc<Record>) {
        let behind = self.awaited.as_ref().is_some_and(|awaited| awaited.try_recv() == Err(TryRecvError::Empty));
        let (written, awaited) = sync_channel(0);
        let missing = self.lost.load(Ordering::Relaxed);
        let waiting = Waiting { record: record.clone(), missing, _written: written };
        if self.records.try_send(waiting).is_err() {
            self.lost.store(missing + 1, Ordering::Relaxed);
            self.outage.failed_aside(|| unrecorded("nobody reads what is written there"));
            return;
        }
        self.lost.store(0, Ordering::Relaxed);
        if !behind {
            let _ = awaited.recv_timeout(IN_ORDER);
            self.awaited = Some(awaited);
        }
    }

    /// What waits is written, if somebody reads it within this time.
    pub(super) fn end(self, within: Duration) {
        let Self { records, ended, .. } = self;
        drop(records);
        let _ = ended.recv_timeout(within);
    }
}

/// Until no more can come.
fn write_all(records: &Receiver<Waiting>, lost: &AtomicU64, mut recording: Recording) {
    let mut written: std::io::Result<()> = Ok(());
    loop {
        let mut next = records.try_recv().ok();
        if next.is_none() {
            // Not before: who reads slowly makes room for one record a time.
            if written.is_ok() {
                recording.works();
            }
            next = records.recv().ok();
        }
        let Some(waiting) = next else { break };
        written = recording.file.missing(waiting.missing).and_then(|()| recording.put(&waiting.record));
        if let Err(error) = &written {
            recording.failed(error);
        }
    }
    let _ = recording.file.missing(lost.load(Ordering::Relaxed));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Form, Ticks, Trace};
    use std::io::{PipeReader, Read as _};
    use std::sync::mpsc::channel;

    /// Longer than any test may take.
    const LONG: Duration = Duration::from_secs(60);
    const STATUS: [u8; 4] = [0, 0x20, 0, 0x80];

    /// Records go into a pipe, whose other end comes with what is told of it.
    fn piped() -> (Trace, PipeReader, Receiver<String>) {
        let (ours, theirs) = std::io::pipe().unwrap();
        let (tell, told) = channel();
        let trace = Trace::new(Ticks::Count);
        let outage = Outage::told_by(move |sentence| drop(tell.send(sentence.to_owned())));
        trace.to_reader(Form::Text, false, Box::new(theirs), outage).unwrap();
        (trace, ours, told)
    }

    fn exchange(trace: &Trace, count: u64) {
        let mut recorder = trace.of("c");
        for _ in 0..count {
            recorder.exchange(&STATUS, Some(&[0x63, 0xC3]), None);
        }
    }

    fn read_all(mut from: PipeReader) -> String {
        let mut text = String::new();
        from.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn who_reads_has_every_record_in_order() {
        let (trace, ours, told) = piped();
        let reader = std::thread::spawn(move || read_all(ours));
        exchange(&trace, 2000);
        trace.end(LONG);
        let text = reader.join().unwrap();
        let numbers: Vec<u64> = text.lines().map(|line| line[..4].parse().unwrap()).collect();
        assert_eq!(numbers, (1..=2000).flat_map(|number| [number, number]).collect::<Vec<_>>());
        assert!(told.try_recv().is_err(), "there is nothing to tell");
    }

    /// The cards go on, which is told once; what came while there was room is there, and how many are not.
    #[test]
    fn who_does_not_read_loses_records_and_holds_nobody_up() {
        let (trace, ours, told) = piped();
        exchange(&trace, 9000);
        let says =
            "nobody reads what is written there; the cards go on, and what happens is not recorded until it can be written";
        assert_eq!(told.recv_timeout(LONG).as_deref(), Ok(says));
        let reader = std::thread::spawn(move || read_all(ours));
        trace.end(LONG);
        let text = reader.join().unwrap();
        let missed = |line: &str| line.strip_prefix("---- ")?.strip_suffix(" records were missed")?.parse::<usize>().ok();
        let missing: usize = text.lines().filter_map(missed).sum();
        let there: Vec<&str> = text.lines().filter(|line| line.contains(" c > ")).collect();
        assert!(there.len() > WAITING && there.is_sorted() && text.starts_with("0001 c > "));
        assert_eq!((missing > 0, there.len() + missing), (true, 9000));
        assert_eq!(told.recv_timeout(LONG).as_deref(), Ok("it is written again; what happened meanwhile is not in it"));
    }

    #[test]
    fn the_end_waits_for_nobody_for_ever() {
        let (trace, ours, _told) = piped();
        exchange(&trace, 5000);
        trace.end(Duration::from_millis(1));
        drop(ours);
    }
}
