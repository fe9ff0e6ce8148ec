//! Readers and their cards as people handle them: a card is put in, pulled out, put into another reader,
//! reset; a reader is unplugged and plugged in; something goes wrong.
//!
//! A rack knows its readers by a number that stays, also when a reader is unplugged, and keeps the cards
//! that are out of their readers. Programs reach the cards through [`Server`] meanwhile.

use crate::icc::{SharedCard, VirtualCard};
use crate::pin_pad::PinPad;
use crate::resource::ReaderId;
use crate::server::{Holder, Leftover, Server};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thiserror::Error;

/// What cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RackError {
    /// No such reader.
    #[error("there is no reader {wanted}; there are: {known}")]
    NoReader {
        /// What was asked for.
        wanted: String,
        /// All readers.
        known: String,
    },
    /// Several readers have names that begin so.
    #[error("there are several readers; name one: {known}")]
    Several {
        /// Those that it means.
        known: String,
    },
    /// The reader is unplugged.
    #[error("reader {0} is unplugged; plug it in first")]
    Unplugged(String),
    /// The reader is plugged in.
    #[error("reader {0} is plugged in already")]
    Plugged(String),
    /// There is a card in it.
    #[error("reader {0} has its card in it already")]
    Occupied(String),
    /// The card is a guest that is not there.
    #[error("the card of reader {0} is not there: nobody is at the other end; it comes in by itself as soon as somebody is")]
    Absent(String),
    /// There is no card in it.
    #[error("the card of reader {0} is out of it; insert it first")]
    Empty(String),
}

/// A reader of the rack, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(usize);

impl Place {
    /// Its number, from 0 in the order that readers were added.
    #[must_use]
    pub const fn number(self) -> usize {
        self.0
    }
}

/// Where a reader and its card are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Whereabouts {
    /// The card is in the reader.
    In,
    /// The card is out of the reader.
    Out,
    /// The reader is unplugged.
    Unplugged,
}

impl Whereabouts {
    fn of(server: &Server, reader: ReaderId) -> Self {
        match server.has_card(reader) {
            Some(true) => Self::In,
            Some(false) => Self::Out,
            None => Self::Unplugged,
        }
    }
}

/// A reader as [`Rack::each`] shows it.
pub struct Here<'r> {
    /// Which.
    pub place: Place,
    /// The card that belongs to it, wherever that is.
    pub card: &'r SharedCard,
    reader: ReaderId,
    server: &'r Server,
}

impl Here<'_> {
    /// As [`Rack::whereabouts`].
    #[must_use]
    pub fn whereabouts(&self) -> Whereabouts {
        Whereabouts::of(self.server, self.reader)
    }

    /// As [`Rack::holders`].
    #[must_use]
    pub fn holders(&self) -> Vec<Holder> {
        self.server.holders(self.reader)
    }
}

struct Position {
    /// Since it was plugged in the last time.
    reader: ReaderId,
    card: SharedCard,
    pin_pad: Option<PinPad>,
    /// Of the reader before it was unplugged.
    leftover: Option<Leftover>,
}

/// Readers, each with its card. Cheap to clone.
#[derive(Clone)]
pub struct Rack {
    server: Server,
    positions: Arc<Mutex<Vec<Position>>>,
}

impl Rack {
    /// An empty rack whose readers `server` serves.
    #[must_use]
    pub fn new(server: Server) -> Self {
        Self { server, positions: Arc::default() }
    }

    fn positions(&self) -> MutexGuard<'_, Vec<Position>> {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server of these readers.
    #[must_use]
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// Adds a reader with a card in it.
    pub async fn add(&self, name: &str, card: VirtualCard) -> Place {
        let place = {
            let (reader, card) = (self.server.add_reader(name), SharedCard::new(card));
            let mut positions = self.positions();
            positions.push(Position { reader, card, pin_pad: None, leftover: None });
            Place(positions.len() - 1)
        };
        // A new reader has no card yet; a guest may come later.
        let _ = self.insert(place).await;
        place
    }

    /// Gives a reader a keypad for PINs.
    pub fn add_pin_pad(&self, place: Place) {
        let pad = PinPad::default();
        self.server.set_pin_pad(self.reader(place), pad.clone());
        self.positions()[place.0].pin_pad = Some(pad);
    }

    /// The reader's keypad, where it has one.
    #[must_use]
    pub fn pin_pad(&self, place: Place) -> Option<PinPad> {
        self.positions()[place.0].pin_pad.clone()
    }

    /// All readers, in the order they were added.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        (0..self.positions().len()).map(Place).collect()
    }

    /// The reader that `text` means: its number, its name or the beginning of its name; `-` where there is only
    /// one.
    ///
    /// # Errors
    /// [`RackError::NoReader`], [`RackError::Several`].
    pub fn find(&self, text: &str) -> Result<Place, RackError> {
        let places = self.places();
        if let Some(place) = text.parse().ok().and_then(|n: usize| places.get(n)) {
            return Ok(*place);
        }
        let named = |places: Vec<Place>| places.iter().map(|p| self.name(*p)).collect::<Vec<_>>().join(", ");
        let wanted = if text == "-" { "" } else { text };
        let found: Vec<Place> = places.iter().copied().filter(|p| self.name(*p).starts_with(wanted)).collect();
        match found[..] {
            [one] => Ok(one),
            [] => Err(RackError::NoReader { wanted: text.into(), known: named(places) }),
            _ => Err(RackError::Several { known: named(found) }),
        }
    }

    /// The name that programs see, or saw before it was unplugged and will see again.
    #[must_use]
    pub fn name(&self, place: Place) -> String {
        // A place is made with its reader, and readers keep their names.
        self.server.reader_name(self.reader(place)).unwrap_or_default()
    }

    /// The card that belongs to a reader, wherever it is.
    #[must_use]
    pub fn card(&self, place: Place) -> SharedCard {
        self.positions()[place.0].card.clone()
    }

    /// How many readers there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.positions().len()
    }

    /// Shows all readers, in the order that they were added, to who looks at them often: nothing is made for that but what is asked of
    /// them, such as the list of [`Here::holders`]. Meanwhile nothing else may be asked of the rack.
    pub fn each(&self, mut look: impl FnMut(&Here<'_>)) {
        for (number, Position { reader, card, .. }) in self.positions().iter().enumerate() {
            look(&Here { place: Place(number), card, reader: *reader, server: &self.server });
        }
    }

    /// The reader that a card belongs to now; `None` for one that was replaced.
    #[must_use]
    pub fn place_of(&self, card: &SharedCard) -> Option<Place> {
        self.positions().iter().position(|position| position.card.is(card)).map(Place)
    }

    /// Programs that are connected to the card of a reader, who keeps others out first.
    #[must_use]
    pub fn holders(&self, place: Place) -> Vec<Holder> {
        self.server.holders(self.reader(place))
    }

    pub(crate) fn reader(&self, place: Place) -> ReaderId {
        self.positions()[place.0].reader
    }

    /// Where reader and card are.
    #[must_use]
    pub fn whereabouts(&self, place: Place) -> Whereabouts {
        Whereabouts::of(&self.server, self.reader(place))
    }

    /// The reader, when it and its card are as `wanted`.
    fn expect(&self, place: Place, wanted: Whereabouts) -> Result<ReaderId, RackError> {
        let name = || self.name(place);
        match self.whereabouts(place) {
            now if now == wanted => Ok(self.reader(place)),
            Whereabouts::Unplugged => Err(RackError::Unplugged(name())),
            _ if wanted == Whereabouts::Unplugged => Err(RackError::Plugged(name())),
            Whereabouts::In => Err(RackError::Occupied(name())),
            Whereabouts::Out => Err(RackError::Empty(name())),
        }
    }

    /// Puts the card into its reader.
    ///
    /// # Errors
    /// [`RackError`] when it is in already, is not there, or the reader is unplugged.
    pub async fn insert(&self, place: Place) -> Result<(), RackError> {
        let reader = self.expect(place, Whereabouts::Out)?;
        if !self.card(place).presence().is_there() {
            return Err(RackError::Absent(self.name(place)));
        }
        self.put_in(reader, place).await;
        Ok(())
    }

    /// Pulls the card out, also in the middle of a command.
    ///
    /// # Errors
    /// [`RackError`] when there is none.
    pub async fn remove(&self, place: Place) -> Result<(), RackError> {
        let reader = self.expect(place, Whereabouts::In)?;
        self.card(place).button().give_up();
        drop(self.server.remove(reader).await);
        Ok(())
    }

    /// Puts another card into a reader; the one before is thrown away. An unplugged reader keeps it beside.
    pub async fn replace(&self, place: Place, card: VirtualCard) {
        let reader = {
            let mut positions = self.positions();
            positions[place.0].card = SharedCard::new(card);
            positions[place.0].reader
        };
        self.put_in(reader, place).await;
    }

    /// A command that an unplugged reader has left behind is waited for, so that the readers' own thread is not
    /// made to wait: a card powers up where it is put in.
    async fn put_in(&self, reader: ReaderId, place: Place) {
        let leftover = self.positions()[place.0].leftover.take();
        if let Some(leftover) = leftover {
            leftover.ended().await;
        }
        drop(self.server.insert(reader, Box::new(self.card(place))).await);
    }

    /// Lets two readers change their cards: both are pulled out where they are in, and put into the other.
    ///
    /// # Errors
    /// [`RackError`] when a reader is unplugged.
    pub async fn swap(&self, one: Place, other: Place) -> Result<(), RackError> {
        let unplugged = [one, other].into_iter().find(|place| self.whereabouts(*place) == Whereabouts::Unplugged);
        if let Some(place) = unplugged {
            return Err(RackError::Unplugged(self.name(place)));
        }
        for place in [one, other] {
            if self.whereabouts(place) == Whereabouts::In {
                self.remove(place).await?;
            }
        }
        {
            let mut positions = self.positions();
            if let Ok([one, other]) = positions.get_disjoint_mut([one.0, other.0]) {
                std::mem::swap(&mut one.card, &mut other.card);
                std::mem::swap(&mut one.leftover, &mut other.leftover);
            }
        }
        let inserted = self.insert(one).await;
        if one == other { inserted } else { inserted.and(self.insert(other).await) }
    }

    /// Resets the card, as another program does; `cold` takes its power away for a moment.
    ///
    /// # Errors
    /// [`RackError`] when there is none.
    pub async fn reset(&self, place: Place, cold: bool) -> Result<(), RackError> {
        let reader = self.expect(place, Whereabouts::In)?;
        self.server.reset(reader, cold).await;
        Ok(())
    }

    /// Resets the reader's USB device: it goes and is back at once, under its name, with its card newly powered. What
    /// programs had of it is over; a command under way has no answer.
    ///
    /// # Errors
    /// [`RackError`] when the reader is unplugged.
    pub async fn reset_usb(&self, place: Place) -> Result<(), RackError> {
        let was_in = self.whereabouts(place) == Whereabouts::In;
        self.unplug(place)?;
        self.plug(place)?;
        if was_in { self.insert(place).await } else { Ok(()) }
    }

    /// Unplugs the reader, with its card in it.
    ///
    /// # Errors
    /// [`RackError`] when it is unplugged already.
    pub fn unplug(&self, place: Place) -> Result<(), RackError> {
        match self.whereabouts(place) {
            Whereabouts::Unplugged => Err(RackError::Unplugged(self.name(place))),
            _ => {
                self.card(place).button().give_up();
                let leftover = self.server.unplug(self.reader(place));
                self.positions()[place.0].leftover = Some(leftover);
                Ok(())
            }
        }
    }

    /// Plugs the reader in again, under its name; its card lies beside it.
    ///
    /// # Errors
    /// [`RackError`] when it is plugged in.
    pub fn plug(&self, place: Place) -> Result<(), RackError> {
        let name = self.name(place);
        let mut positions = self.positions();
        let position = &mut positions[place.0];
        position.reader = self.server.plug(position.reader).ok_or(RackError::Plugged(name))?;
        if let Some(pad) = &position.pin_pad {
            self.server.set_pin_pad(position.reader, pad.clone());
        }
        Ok(())
    }
}
