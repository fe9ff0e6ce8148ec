//! A time limit for a card in this process, and an end for one that breaks down.

use super::Slot;
use cardlab_client::transport::TransportError;
use cardlab_sim::conditions::Interface;
use std::panic;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// A card on a thread of its own. One that gives no answer within the limit is [`TransportError::Silent`] from then
/// on, and its thread is left behind; a panic of the card comes out where the card is asked.
pub struct Watched<S> {
    jobs: mpsc::Sender<Job<S>>,
    thread: Option<JoinHandle<()>>,
    limit: Duration,
    silent: bool,
}

impl<S: Slot + Send + 'static> Watched<S> {
    /// A card that has this long for an answer.
    #[must_use]
    pub fn new(mut slot: S, limit: Duration) -> Self {
        let (jobs, queue) = mpsc::channel::<Job<S>>();
        let thread = thread::spawn(move || queue.into_iter().for_each(|job| job(&mut slot)));
        Self { jobs, thread: Some(thread), limit, silent: false }
    }

    fn ask<T: Send + 'static>(&mut self, what: impl FnOnce(&mut S) -> T + Send + 'static) -> Result<T, TransportError> {
        let silence = TransportError::Silent(format!("the card gave no answer in {} seconds", self.limit.as_secs_f32()));
        if self.silent {
            return Err(silence);
        }
        let (reply, answer) = mpsc::sync_channel(1);
        // Nobody waits for an answer that comes too late, and the thread ends only by a panic: below.
        let _ = self.jobs.send(Box::new(move |slot| drop(reply.send(what(slot)))));
        match answer.recv_timeout(self.limit) {
            Ok(answer) => Ok(answer),
            Err(RecvTimeoutError::Timeout) => {
                self.silent = true;
                Err(silence)
            }
            Err(RecvTimeoutError::Disconnected) => match self.thread.take().map(JoinHandle::join) {
                Some(Err(payload)) => panic::resume_unwind(payload),
                _ => Err(TransportError::Removed),
            },
        }
    }
}

impl<S: Slot + Send + 'static> Slot for Watched<S> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        let command = command.to_vec();
        self.ask(move |slot| slot.transmit(&command))?
    }

    fn reset(&mut self, cold: bool) -> Result<(), TransportError> {
        self.ask(move |slot| slot.reset(cold))?
    }

    fn reach(&mut self, interface: Interface) -> bool {
        self.ask(move |slot| slot.reach(interface)).unwrap_or(false)
    }

    fn cut_power_at(&mut self, n: u32) -> bool {
        self.ask(move |slot| slot.cut_power_at(n)).unwrap_or(false)
    }
}
