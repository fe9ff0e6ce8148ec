//! A USB device over readers of a rack, for one guest at a time.
//!
//! A [`Device`] is what a wire offers; an `Attachment` is a guest that has it: it carries out at the cards what the function
//! asks for, and tells the function what became of it and what people do with cards. When the attachment goes, the cards lose
//! the power that the guest gave them.

use super::Identity;
use super::ccid::secure::PinBlock;
use super::ccid::{Action, Ended, Function, Ticket, Work};
use crate::icc::Loss;
use crate::pin_pad;
use crate::rack::{Place, Rack, Whereabouts};
use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// How often a command that takes long asks for more time.
const SECOND: Duration = Duration::from_secs(1);

/// Readers of a rack as the slots of one USB device. Cheap to clone.
#[derive(Clone)]
pub struct Device(Arc<Shared>);

struct Shared {
    rack: Rack,
    places: Vec<Place>,
    identity: Identity,
    taken: AtomicBool,
}

impl Device {
    /// A device with a slot for each of `places`, in this order; `identity` has as many.
    #[must_use]
    pub fn new(rack: Rack, places: Vec<Place>, identity: Identity) -> Self {
        debug_assert_eq!(places.len(), usize::from(identity.slots));
        Self(Arc::new(Shared { rack, places, identity, taken: AtomicBool::new(false) }))
    }

    /// Who it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// Whether it is plugged in: one of its readers is.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        self.0.places.iter().any(|place| self.0.rack.whereabouts(*place) != Whereabouts::Unplugged)
    }

    /// Gives the device to a guest; `None` while another has it.
    pub(super) fn attach(&self) -> Option<Attachment> {
        if self.0.taken.swap(true, Ordering::AcqRel) {
            return None;
        }
        let mut attachment = Attachment {
            device: self.clone(),
            function: Function::new(self.0.identity.clone()),
            work: JoinSet::new(),
            asked: HashMap::new(),
            changes: self.0.rack.server().changes(),
            second: None,
        };
        attachment.look();
        Some(attachment)
    }
}

impl Shared {
    fn has_card(&self, place: Place) -> bool {
        self.rack.whereabouts(place) == Whereabouts::In
    }

    /// What becomes of `what` at a reader's card. `given_up` ends when nobody waits for a PIN any more.
    async fn carry_out(&self, place: Place, what: Work, given_up: oneshot::Receiver<()>) -> Ended {
        let (server, reader) = (self.rack.server(), self.rack.reader(place));
        match what {
            Work::PowerOn { warm } => Ended::Power(server.power_for_guest(reader, warm).await),
            Work::PowerOff => {
                server.let_go_of_guest(reader).await;
                Ended::Done
            }
            Work::SetProtocol(protocol) => {
                server.set_protocol_of_guest(reader, protocol).await;
                Ended::Done
            }
            Work::Transmit(command) => Ended::Answer(server.transmit_for_guest(reader, &command).await),
            Work::GiveUp => Ended::Done,
            Work::AtKeypad(block) => {
                let Some(pad) = self.rack.pin_pad(place) else { return Ended::Keypad(pin_pad::BAD_STRUCTURE) };
                let typed = async {
                    match &block {
                        PinBlock::Verify(structure) => pad.verify(structure).await,
                        PinBlock::Modify(structure) => pad.modify(structure).await,
                    }
                };
                tokio::select! {
                    biased;
                    _ = given_up => Ended::Answer(Err(Loss::Card)),
                    typed = typed => match typed {
                        Ok(command) => Ended::Answer(server.transmit_for_guest(reader, &command).await),
                        Err(status) => Ended::Keypad(status),
                    },
                }
            }
        }
    }
}

/// A guest's hold on a device.
pub(super) struct Attachment {
    device: Device,
    function: Function,
    work: JoinSet<(usize, Ticket, Ended)>,
    /// Who is asked for a PIN; dropped when nobody waits for it any more.
    asked: HashMap<Ticket, oneshot::Sender<()>>,
    changes: watch::Receiver<u64>,
    /// When the next second of what works is over.
    second: Option<Instant>,
}

impl Attachment {
    pub(super) const fn function(&mut self) -> &mut Function {
        &mut self.function
    }

    pub(super) fn is_plugged(&self) -> bool {
        self.device.is_plugged()
    }

    /// Begins what the function asks for. What needs no waiting is done when this ends.
    pub(super) async fn carry_out(&mut self) {
        while let Some(Action { slot, ticket, what }) = self.function.next_action() {
            if what == Work::GiveUp {
                self.asked.remove(&ticket);
                continue;
            }
            let (give_up, given_up) = oneshot::channel();
            self.asked.insert(ticket, give_up);
            let shared = Arc::clone(&self.device.0);
            let mut work = Box::pin(async move { shared.carry_out(shared.places[slot], what, given_up).await });
            match poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
                Poll::Ready(ended) => self.ended(slot, ticket, ended),
                Poll::Pending => drop(self.work.spawn(async move { (slot, ticket, work.await) })),
            }
        }
        self.second = match self.function.is_working() {
            true => self.second.or_else(|| Some(Instant::now() + SECOND)),
            false => None,
        };
    }

    /// Waits until something has happened that the function has been told of. Nothing is lost when it is dropped.
    pub(super) async fn happened(&mut self) {
        let second = self.second;
        let over = async {
            match second {
                Some(second) => sleep_until(second).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(done) = self.work.join_next() => {
                // A command that broke down has no answer; its slot asks for more time until the host gives up.
                if let Ok((slot, ticket, ended)) = done {
                    self.ended(slot, ticket, ended);
                }
            }
            // The sender lives as long as the rack does.
            Ok(()) = self.changes.changed() => self.look(),
            () = over => {
                self.function.second();
                self.second = Some(Instant::now() + SECOND);
            }
        }
    }

    fn ended(&mut self, slot: usize, ticket: Ticket, ended: Ended) {
        self.asked.remove(&ticket);
        // A fault may have taken card or reader along: the answer says so.
        if matches!(ended, Ended::Answer(Err(_))) {
            self.look();
        }
        self.function.ended(slot, ticket, ended);
        self.look();
    }

    /// Tells the function which cards are in, and which have lost their power.
    fn look(&mut self) {
        let Self { device, function, .. } = self;
        for (slot, place) in device.0.places.iter().enumerate() {
            function.card(slot, device.0.has_card(*place));
            if !device.0.rack.server().is_powered_by_guest(device.0.rack.reader(*place)) {
                function.lost_power(slot);
            }
        }
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        let shared = Arc::clone(&self.device.0);
        self.work.detach_all();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            // A command that is still at work ends before.
            for place in &shared.places {
                shared.rack.server().let_go_of_guest(shared.rack.reader(*place)).await;
            }
            shared.taken.store(false, Ordering::Release);
        });
    }
}
