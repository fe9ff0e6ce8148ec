//! A card in a slot (ICC, integrated circuit card), as a reader sees it.

use crate::chip::{Chip, Guest, NotSimulated, Presence};
use crate::fault::{self, ArmError, Effect, Fault, Faults};
use crate::journal::Journal;
use crate::pace::Pace;
use crate::touch::{Button, PATIENCE, TouchMode};
use crate::trace::event::Event;
use crate::trace::{Inside, Recorder};
use cardlab_sim::Touch;
use cardlab_sim::atr::Protocol;
use cardlab_sim::card::{Card, NoAnswer};
use cardlab_sim::nvm::StoreError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::Instant;
use thiserror::Error;

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Loss {
    /// The card has no power.
    #[error("the card has no power")]
    Power,
    /// The card gives no answer until it is reset.
    #[error("the card is mute")]
    Mute,
    /// The card was pulled out.
    #[error("the card was pulled out")]
    Card,
    /// The reader was unplugged.
    #[error("the reader was unplugged")]
    Reader,
}

impl From<NoAnswer> for Loss {
    fn from(_: NoAnswer) -> Self {
        Self::Power
    }
}

/// What a reader does with the card in its slot.
pub trait Icc: Send {
    /// Cold reset; the ATR, or `None` when the card does not answer.
    fn power_on(&mut self) -> Option<Vec<u8>>;

    /// Warm reset, or a cold one of a card without power; the ATR, or `None` when the card does not answer.
    fn reset(&mut self) -> Option<Vec<u8>>;

    /// Takes the power away.
    fn power_off(&mut self);

    /// The protocol that was chosen.
    fn set_protocol(&mut self, protocol: Protocol);

    /// Sends a command APDU.
    ///
    /// # Errors
    /// [`Loss`]: what there is no longer.
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Loss>;

    /// Whether this command takes so long that it leaves the readers' thread; see [`crate::placement`].
    fn is_slow(&self, command: &[u8]) -> bool;

    /// The next command comes from this program. Only whoever writes down what happens wants to know.
    fn asked_by(&mut self, program: &Arc<str>) {
        let _ = program;
    }
}

/// GENERAL AUTHENTICATE: the only command that may ask for a touch.
const INS_AUTHENTICATE: u8 = 0x87;

/// A card - simulated, or a guest - with all that belongs to its bench: the trace, the journal, faults that wait, the
/// button.
pub struct VirtualCard {
    chip: Chip,
    presence: Presence,
    recorder: Option<Recorder>,
    journal: Option<Journal>,
    faults: Faults,
    mute: bool,
    touch: TouchMode,
    button: Button,
    pace: Pace,
    /// Who sends the next command.
    program: Option<Arc<str>>,
}

/// Why commands cannot be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UndoError {
    /// The card keeps no journal.
    #[error("this card keeps no journal, so nothing can be undone")]
    NoJournal,
    /// The card's memory is its own.
    #[error(transparent)]
    NotSimulated(#[from] NotSimulated),
    /// So many commands are not known any more.
    #[error("only the last {0} commands can be undone")]
    TooMany(usize),
    /// The card's memory.
    #[error("card memory: {0}")]
    Store(#[from] StoreError),
}

impl VirtualCard {
    /// A card in a slot; every exchange goes to `recorder` when there is one.
    #[must_use]
    pub fn new(mut card: Card, recorder: Option<Recorder>) -> Self {
        if recorder.is_some() {
            card.keep_inside();
        }
        let touch = match card.conditions().touch {
            Touch::Auto => TouchMode::Auto,
            Touch::Never => TouchMode::Never,
        };
        Self::around(Chip::Simulated(Box::new(card)), Presence::always(), recorder, touch, Button::default())
    }

    /// A guest, with a journal of what `recorder` writes down: a card that is reached by `icc` while `presence` says so.
    /// Who waits in `icc` ends that when the button is given up.
    #[must_use]
    pub fn guest(name: &str, icc: Box<dyn Icc>, presence: Presence, button: Button, recorder: Recorder) -> Self {
        let chip = Chip::Guest(Guest::new(name.to_owned(), icc));
        let mut this = Self::around(chip, presence, Some(recorder), TouchMode::Auto, button);
        this.journal = Some(Journal::default());
        this
    }

    fn around(chip: Chip, presence: Presence, recorder: Option<Recorder>, touch: TouchMode, button: Button) -> Self {
        let (faults, pace) = (Faults::default(), Pace::default());
        Self { chip, presence, recorder, journal: None, faults, mute: false, touch, button, pace, program: None }
    }

    /// With a journal of what `recorder` writes down, and undo.
    #[must_use]
    pub fn journaled(mut card: Card, recorder: Recorder) -> Self {
        card.nvm_mut().keep_history();
        let mut this = Self::new(card, Some(recorder));
        this.journal = Some(Journal::default());
        this
    }

    /// The simulated card; `None` for a guest.
    #[must_use]
    pub fn card(&self) -> Option<&Card> {
        self.chip.simulated()
    }

    /// The profile of a simulated card, or what a guest is called.
    #[must_use]
    pub fn name(&self) -> &str {
        self.chip.name()
    }

    /// Whether it has power.
    #[must_use]
    pub fn is_powered(&self) -> bool {
        self.chip.is_powered()
    }

    /// Whether it gives no answer until it is reset.
    #[must_use]
    pub const fn is_mute(&self) -> bool {
        self.mute
    }

    /// Changes a simulated card from outside, and writes down `what` when that was done. Such a change is not undone,
    /// and ends what could be; one that is refused leaves everything as it was.
    ///
    /// # Errors
    /// What `change` gives; [`NotSimulated`] for a guest.
    pub fn change<E: From<NotSimulated>>(
        &mut self,
        what: &Event,
        change: impl FnOnce(&mut Card) -> Result<(), E>,
    ) -> Result<(), E> {
        let card = self.chip.simulated_mut()?;
        change(card)?;
        // What it replaced must not be taken for the next command's.
        drop(card.nvm_mut().take_history());
        if let Some(journal) = &self.journal {
            journal.forget();
        }
        self.event(what, false);
        Ok(())
    }

    /// Arms a fault.
    ///
    /// # Errors
    /// [`ArmError`] for one that can never strike, or one too many.
    pub fn arm(&mut self, fault: Fault) -> Result<(), ArmError> {
        if fault.needs_memory() || fault.applet.is_some() {
            let card = self.chip.simulated_mut()?;
            if let Some(wanted) = fault.applet.as_deref().filter(|wanted| !card.applets().any(|known| known == *wanted)) {
                let known = card.applets().collect::<Vec<_>>().join(", ");
                return Err(ArmError::NoApplet { wanted: wanted.into(), known });
            }
        }
        if self.faults.waiting().len() >= fault::MOST {
            return Err(ArmError::TooMany);
        }
        self.event(&Event::Armed(fault.clone()), false);
        self.faults.arm(fault);
        Ok(())
    }

    /// Disarms all faults.
    pub fn disarm(&mut self) {
        self.faults.clear();
        self.event(&Event::Disarmed, false);
    }

    /// What goes wrong at this card.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// How many commands have come, where they are written down.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.recorder.as_ref().map_or(0, Recorder::number)
    }

    /// What came in.
    #[must_use]
    pub const fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// How questions for a touch are answered.
    #[must_use]
    pub const fn touch(&self) -> TouchMode {
        self.touch
    }

    /// Sets [`VirtualCard::touch`].
    ///
    /// # Errors
    /// [`NotSimulated`] for a guest: only it knows what wants a touch.
    pub fn set_touch(&mut self, touch: TouchMode) -> Result<(), NotSimulated> {
        let card = self.chip.simulated_mut()?;
        card.set_touch(if touch == TouchMode::Never { Touch::Never } else { Touch::Auto });
        self.touch = touch;
        self.event(&Event::Touch(touch), false);
        Ok(())
    }

    /// How long its commands take.
    #[must_use]
    pub const fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Sets [`VirtualCard::pace`].
    pub fn set_pace(&mut self, pace: Pace) {
        self.event(&Event::Pace(pace.clone()), false);
        self.pace = pace;
    }

    /// Takes the last `count` commands back: the card's memory is as before them. What it keeps in RAM is
    /// lost: reset it.
    ///
    /// # Errors
    /// [`UndoError`]; then nothing has changed.
    pub fn undo(&mut self, count: usize) -> Result<(), UndoError> {
        let card = self.chip.simulated_mut()?;
        let journal = self.journal.as_ref().ok_or(UndoError::NoJournal)?;
        let known = journal.undoable();
        let changes = journal.take_back(count).ok_or(UndoError::TooMany(known))?;
        card.nvm_mut().rewrite(changes)?;
        self.event(&Event::Undone(count), false);
        Ok(())
    }

    /// Writes down what somebody did to the card.
    pub fn event(&mut self, event: &Event, with_atr: bool) {
        let Some(recorder) = &self.recorder else { return };
        let record = recorder.event(&event.to_string(), if with_atr { self.chip.atr() } else { &[] });
        if let Some(journal) = &self.journal {
            journal.keep(record, None);
        }
    }

    /// The card's answer, after a touch where the command wants one and somebody has to give it.
    fn answer(&mut self, command: &[u8]) -> Result<Vec<u8>, Loss> {
        let limit = match self.touch {
            TouchMode::Wait => PATIENCE,
            TouchMode::After(time) => time,
            TouchMode::Auto | TouchMode::Never => return self.work(command),
        };
        if !self.chip.simulated_mut().is_ok_and(|card| card.wants_touch(command)) {
            return self.work(command);
        }
        self.button.ask();
        self.event(&Event::WaitsForTouch, false);
        // After its time the card is touched, pressed or not.
        let touched = self.button.wait(limit) || matches!(self.touch, TouchMode::After(_));
        self.event(if touched { &Event::Touched } else { &Event::NotTouched }, false);
        if touched {
            return self.work(command);
        }
        self.simulated(|card| card.set_touch(Touch::Never));
        let answer = self.chip.transmit(command);
        self.simulated(|card| card.set_touch(Touch::Auto));
        answer
    }

    /// The card's answer, after the time that it takes; pulled out meanwhile it has not carried the command out.
    fn work(&mut self, command: &[u8]) -> Result<Vec<u8>, Loss> {
        let time = self.pace.of(command);
        if !time.is_zero() && !self.button.pause(time) {
            return Err(Loss::Card);
        }
        self.chip.transmit(command)
    }

    /// For what no guest is asked: faults and touches that need a card's memory are refused before.
    fn simulated(&mut self, work: impl FnOnce(&mut Card)) {
        if let Ok(card) = self.chip.simulated_mut() {
            work(card);
        }
    }

    /// The command as `effect` lets it happen.
    fn struck(&mut self, command: &[u8], effect: Effect) -> Result<Vec<u8>, Loss> {
        self.event(&Event::Struck(effect.clone()), false);
        match effect {
            Effect::PowerCut(n) => {
                self.simulated(|card| card.nvm_mut().cut_power_at(n));
                let answer = self.answer(command);
                self.simulated(|card| {
                    card.nvm_mut().disarm();
                });
                answer
            }
            Effect::RemoveBefore => {
                self.power_off();
                Err(Loss::Card)
            }
            Effect::RemoveAfter => {
                // What it answers is not heard any more.
                let _ = self.answer(command);
                self.power_off();
                Err(Loss::Card)
            }
            Effect::Silent(time) => {
                if self.button.pause(time) {
                    self.answer(command)
                } else {
                    Err(Loss::Card)
                }
            }
            Effect::Mute => {
                self.mute = true;
                Err(Loss::Mute)
            }
            Effect::Answer(answer) => {
                self.answer(command)?;
                Ok(answer)
            }
            Effect::Truncate(length) => {
                let mut answer = self.answer(command)?;
                answer.truncate(length);
                Ok(answer)
            }
            Effect::Status(sw) => Ok(sw.to_bytes().to_vec()),
            Effect::FlipBit(bit) => {
                let mut answer = self.answer(command)?;
                let bit = bit % (8 * answer.len());
                answer[bit / 8] ^= 0x80 >> (bit % 8);
                Ok(answer)
            }
            Effect::MemoryFailure => {
                self.simulated(|card| card.nvm_mut().set_failing(true));
                let answer = self.answer(command);
                self.simulated(|card| card.nvm_mut().set_failing(false));
                answer
            }
            Effect::ReaderGone => {
                self.power_off();
                Err(Loss::Reader)
            }
        }
    }
}

impl Icc for VirtualCard {
    fn power_on(&mut self) -> Option<Vec<u8>> {
        self.mute = false;
        self.button.powered();
        let atr = self.chip.power_on();
        self.event(&Event::PowerOn, true);
        atr
    }

    fn reset(&mut self) -> Option<Vec<u8>> {
        // The reset line of a card without power does nothing: a reader powers it up.
        if !self.chip.is_powered() {
            return self.power_on();
        }
        self.mute = false;
        let atr = self.chip.reset();
        self.event(&Event::Reset, true);
        atr
    }

    fn power_off(&mut self) {
        self.chip.power_off();
        self.event(&Event::PowerOff, false);
    }

    fn set_protocol(&mut self, protocol: Protocol) {
        self.chip.set_protocol(protocol);
    }

    fn asked_by(&mut self, program: &Arc<str>) {
        self.program = Some(program.clone());
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Loss> {
        let (program, began) = (self.program.take(), Instant::now());
        let response = if self.mute {
            Err(Loss::Mute)
        } else {
            match self.faults.strike(command, self.card().and_then(Card::selected)) {
                None => self.answer(command),
                Some(effect) => self.struck(command, effect),
            }
        };
        if let Some(recorder) = &mut self.recorder {
            let inside = self.chip.simulated_mut().ok().and_then(Card::take_inside).map(Inside::from);
            let record = recorder.exchange_by(program, Some(began), command, response.as_deref().ok(), inside);
            if let Some(journal) = &self.journal {
                match self.chip.simulated_mut() {
                    Ok(card) => journal.keep(record, Some(card.nvm_mut().take_history())),
                    Err(_) => journal.keep(record, None),
                }
            }
        }
        response
    }

    fn is_slow(&self, command: &[u8]) -> bool {
        let waits = matches!(self.touch, TouchMode::Wait | TouchMode::After(_));
        self.chip.is_slow(command)
            || (waits && command.get(1) == Some(&INS_AUTHENTICATE))
            || !self.pace.of(command).is_zero()
            || self.faults.may_wait()
    }
}

/// A simulated card that somebody else holds as well, to look at it and to change it, in a reader or
/// out of it. A command holds it for as long as it takes; its button and its journal are at hand meanwhile.
#[derive(Clone)]
pub struct SharedCard {
    card: Arc<Mutex<VirtualCard>>,
    /// Whoever waits for the card has this, and gets the card before those who come later: a program that sends one slow
    /// command after the other lets others look in between.
    turn: Arc<Mutex<()>>,
    button: Button,
    presence: Presence,
    label: Option<Arc<str>>,
    journal: Option<Journal>,
    /// Who sends the next command.
    program: Option<Arc<str>>,
}

impl SharedCard {
    /// To be shared.
    #[must_use]
    pub fn new(card: VirtualCard) -> Self {
        let (button, presence) = (card.button.clone(), card.presence.clone());
        let label = card.recorder.as_ref().map(|recorder| recorder.card().clone());
        let journal = card.journal.clone();
        Self { card: Arc::new(Mutex::new(card)), turn: Arc::default(), button, presence, label, journal, program: None }
    }

    /// The card, for as long as the guard lives. Waits while the card works.
    pub fn lock(&self) -> MutexGuard<'_, VirtualCard> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.card.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The card, when it does not work now and nobody waits for it.
    #[must_use]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, VirtualCard>> {
        let _turn = at_once(&self.turn)?;
        at_once(&self.card)
    }

    /// What its records are called by.
    #[must_use]
    pub const fn label(&self) -> Option<&Arc<str>> {
        self.label.as_ref()
    }

    /// What came in; also while the card works.
    #[must_use]
    pub const fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// What comes in, for who reads on when the card has been thrown away; nothing of one that writes nothing down.
    #[must_use]
    pub fn trail(&self) -> Option<Trail> {
        Some(Trail { card: Arc::downgrade(&self.card), journal: self.journal.clone()? })
    }

    /// Its button.
    #[must_use]
    pub const fn button(&self) -> &Button {
        &self.button
    }

    /// Whether it can be reached.
    #[must_use]
    pub const fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Whether this is the same card, held by somebody else.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.card, &other.card)
    }
}

/// What comes in at a card. It keeps what has come, and not the card.
pub struct Trail {
    card: Weak<Mutex<VirtualCard>>,
    journal: Journal,
}

impl Trail {
    /// What has come in.
    #[must_use]
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Whether it is this card's.
    #[must_use]
    pub fn is_of(&self, card: &SharedCard) -> bool {
        std::ptr::eq(self.card.as_ptr(), Arc::as_ptr(&card.card))
    }

    /// Whether nothing can come any more: the card was thrown away, and no command is at work with it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.card.strong_count() == 0
    }
}

/// What a mutex guards, when nobody has it.
fn at_once<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl Icc for SharedCard {
    fn power_on(&mut self) -> Option<Vec<u8>> {
        self.lock().power_on()
    }

    fn reset(&mut self) -> Option<Vec<u8>> {
        self.lock().reset()
    }

    fn power_off(&mut self) {
        self.lock().power_off();
    }

    fn set_protocol(&mut self, protocol: Protocol) {
        self.lock().set_protocol(protocol);
    }

    /// Kept here until the command comes: the card may be held by somebody who looks at it.
    fn asked_by(&mut self, program: &Arc<str>) {
        self.program = Some(program.clone());
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Loss> {
        let program = self.program.take();
        let mut card = self.lock();
        card.program = program;
        card.transmit(command)
    }

    /// A card that somebody looks at or changes now is waited for, and that is done elsewhere too.
    fn is_slow(&self, command: &[u8]) -> bool {
        self.try_lock().is_none_or(|card| card.is_slow(command))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{self, Tries};
    use crate::trace::{Ticks, Trace};
    use cardlab_sim::card::World;
    use cardlab_sim::profile::Profile;
    use cardlab_sim::reference::PIN;

    /// A program disconnected with "unpower", and the next one's reset left the card without power: under pcscd it had
    /// gone then.
    #[test]
    fn a_reset_gives_power_to_a_card_that_has_none() {
        let card = Card::new(Profile::builtin("gids").unwrap(), World::seeded(1)).unwrap();
        let mut card = VirtualCard::new(card, None);
        assert!(card.power_on().is_some());
        card.power_off();
        assert!(card.transmit(&[0x00, 0x20, 0x00, 0x80]).is_err());
        assert!(card.reset().is_some());
        assert!(card.transmit(&[0x00, 0x20, 0x00, 0x80]).is_ok());
    }

    /// A program that sends one slow command after the other: who waits is next, however quickly the program asks again.
    #[test]
    fn who_waits_for_a_card_gets_it_before_the_next_command() {
        let card = Card::new(Profile::builtin("nist-piv").unwrap(), World::seeded(1)).unwrap();
        let shared = SharedCard::new(VirtualCard::journaled(card, Trace::new(Ticks::Count).of("c")));
        let (mut program, looker) = (shared.clone(), shared.clone());
        let first = shared.lock();
        let looking = std::thread::spawn(move || looker.lock().journal().unwrap().after(0).count());
        // Until the other thread waits for the card.
        while at_once(&shared.turn).is_some() {
            std::thread::yield_now();
        }
        let commands = std::thread::spawn(move || program.transmit(&[0, 0x20, 0, 0x80]));
        drop(first);
        assert_eq!(looking.join().unwrap(), 0, "it looked before the command that came later");
        assert!(commands.join().unwrap().is_err(), "the card has no power");
    }

    /// It has not carried the command out, however long that takes.
    #[test]
    fn a_slow_card_that_is_pulled_out() {
        let card = Card::new(Profile::builtin("nist-piv").unwrap(), World::seeded(1)).unwrap();
        let mut card = VirtualCard::new(card, None);
        card.power_on();
        card.transmit(&hex::decode("00A4040005A000000308").unwrap()).unwrap();
        card.set_pace("verify:60000".parse().unwrap());
        let wrong = b"\x00\x20\x00\x80\x08999999\xFF\xFF";
        assert!(card.is_slow(wrong) && !card.is_slow(&[0, 0xA4, 4, 0]));
        card.button.give_up();
        assert_eq!(card.transmit(wrong), Err(Loss::Card));
        card.set_pace("verify:1".parse().unwrap());
        card.power_on();
        card.transmit(&hex::decode("00A4040005A000000308").unwrap()).unwrap();
        assert_eq!(card.transmit(wrong), Ok(vec![0x63, 0xC2]), "the first was not carried out");
    }

    #[test]
    fn a_change_from_outside_is_not_undone_with_the_next_command() {
        let card = Card::new(Profile::builtin("gids").unwrap(), World::seeded(1)).unwrap();
        let mut card = VirtualCard::journaled(card, Trace::new(Ticks::Count).of("c"));
        card.power_on();
        let select = hex::decode("00A4040009A00000039742544659").unwrap();
        card.transmit(&select).unwrap();
        let left = |card: &VirtualCard| PIN.counter(card.card().unwrap().nvm()).left;
        let bring = |card: &mut VirtualCard, name: &str| {
            let tries: Tries = name.parse().unwrap();
            card.change(&Event::State(tries), |card| state::set(card, tries))
        };
        bring(&mut card, "last-try").unwrap();
        assert_eq!(card.undo(1), Err(UndoError::TooMany(0)));
        assert_eq!(card.transmit(b"\x00\x20\x00\x80\x06999999"), Ok(vec![0x63, 0xC0]));
        // One that is refused takes nothing away.
        assert!(bring(&mut card, "puk-blocked").is_err());
        card.undo(1).unwrap();
        assert_eq!(left(&card), 1);
    }
}
