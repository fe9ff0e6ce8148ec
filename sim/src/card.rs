//! The card: power, selection, command chaining, GET RESPONSE, and the applets on it.
//!
//! | state | gone after |
//! |---|---|
//! | selected application | reset, power-off |
//! | an application's security status | selection of another one, reset, power-off |
//! | a command chain that is not finished | any other command, reset, power-off |
//! | response bytes that wait for GET RESPONSE | any other command, reset, power-off |
//! | a secure channel | a message that it does not accept, selection of another application, reset, power-off |
//! | records of [`crate::nvm`] | never |

use crate::applet::{Applet, Env, Messaging, Standing};
use crate::atr::{Atr, AtrError, Protocol};
use crate::channel::Channel;
use crate::conditions::{Conditions, Interface, Touch};
use crate::crypto::CryptoError;
use crate::crypto::backend::{Backend, RustCrypto};
use crate::crypto::ec::Curve;
use crate::factory::{self, Factory};
use crate::gids::Gids;
use crate::issued::Issue;
use crate::memory;
use crate::nvm::{Nvm, Records, Store, StoreError, Volatile};
use crate::piv::Piv;
use crate::profile::{Profile, ProfileError, YubiKeyRules};
use crate::random::Random;
use crate::scp;
use crate::scp::domain::SecurityDomain;
use crate::scp::opening::{self, Opening};
use crate::status::{Abort, StatusWord};
use crate::yubikey::{management::Management, otp::Otp};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::channel::scp::wrapping;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use zeroize::Zeroizing;

/// Tells the time since some fixed moment.
pub trait Clock: Send {
    /// Time since that moment; never runs backwards.
    fn now(&self) -> Duration;
}

/// A clock that stands still.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// What a card takes from outside.
pub struct World {
    /// Where records are kept.
    pub store: Box<dyn Store>,
    /// Random source.
    pub random: Random,
    /// Time.
    pub clock: Box<dyn Clock>,
    /// Private operations.
    pub backend: Arc<dyn Backend>,
}

impl World {
    /// Everything repeatable: memory that forgets, a seeded random source, a stopped clock,
    /// RustCrypto.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            store: Box::new(Volatile),
            random: Random::from_number(seed, 0),
            clock: Box::new(Stopped),
            backend: Arc::new(RustCrypto),
        }
    }
}

/// Why a card could not be made or opened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CardError {
    /// The store cannot be read or written.
    #[error("card memory: {0}")]
    Store(#[from] StoreError),
    /// The stored card is of another profile.
    #[error("the stored card is a {stored}, not a {wanted}")]
    OtherProfile {
        /// Profile of the stored card.
        stored: String,
        /// Profile asked for.
        wanted: String,
    },
    /// The stored card was written by a newer version.
    #[error("the stored card has format {0}; this version knows format {known} only", known = memory::FORMAT)]
    Format(u8),
    /// The profile's ATR is wrong.
    #[error("ATR: {0}")]
    Atr(#[from] AtrError),
    /// Settings that do not agree.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A key or certificate that this card cannot hold.
    #[error("slot {slot:02x}: {reason}")]
    Slot {
        /// Key reference.
        slot: u8,
        /// What is wrong.
        reason: String,
    },
    /// More certificates than its memory holds.
    #[error("the certificates do not fit: with them the card's objects take {taken} bytes, and there are {memory}")]
    Full {
        /// What all data objects of the new card take.
        taken: usize,
        /// What the card has for them.
        memory: usize,
    },
    /// A data object that this card cannot hold.
    #[error("data object {tag:X}: {reason}")]
    Object {
        /// Its tag.
        tag: u32,
        /// What is wrong.
        reason: String,
    },
    /// The card could not write its factory content.
    #[error("factory content: status {0}")]
    Factory(StatusWord),
}

impl From<Abort> for CardError {
    fn from(abort: Abort) -> Self {
        Self::Factory(match abort {
            Abort::Status(sw) => sw,
            Abort::PowerLost => StatusWord::INTERNAL,
        })
    }
}

/// The card gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoAnswer {
    /// It is not powered.
    #[error("the card is not powered")]
    Unpowered,
    /// Power went away while it worked.
    #[error("the card lost power while it worked")]
    PowerLost,
}

const INS_SELECT: u8 = 0xA4;
const INS_GET_RESPONSE: u8 = 0xC0;
const CLA_CHAIN: u8 = 0x10;
/// The class bits of secure messaging with an authenticated header, ISO/IEC 7816-4 section 5.4.1.
const CLA_SECURED: u8 = 0x0C;
/// The class bit of commands that are not ISO's.
const CLA_PROPRIETARY: u8 = 0x80;

struct Chain {
    ins: u8,
    p1: u8,
    p2: u8,
    secured: bool,
    data: Vec<u8>,
}

/// What a block of a command chain makes of the command.
enum Joined {
    /// More blocks follow.
    More,
    /// The command stands alone.
    Alone,
    /// It was the last block: the data of all of them.
    Whole(Vec<u8>),
}

/// What was inside a command of a secure channel, and inside its response. Has no `Debug`: it may hold secrets.
#[derive(Clone)]
pub struct Inside {
    /// Command APDU, in the clear, blocks of a chain joined.
    pub command: Zeroizing<Vec<u8>>,
    /// Response APDU, in the clear, whole.
    pub response: Zeroizing<Vec<u8>>,
}

/// Where a whole command goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// To what opens a channel.
    Opening,
    /// Through the channel to the application.
    Secured,
    /// To the choice of an application.
    Select,
    /// To the application.
    Plain,
}

/// A smart card.
pub struct Card {
    profile: Profile,
    conditions: Conditions,
    atr: Atr,
    protocol: Protocol,
    nvm: Nvm,
    random: Random,
    clock: Box<dyn Clock>,
    backend: Arc<dyn Backend>,
    applets: Vec<Box<dyn Applet>>,
    selected: Option<usize>,
    powered: bool,
    chain: Option<Chain>,
    pending: Vec<u8>,
    channel: Option<Channel>,
    opening: Opening,
    /// What was inside the last command; `None` while nobody wants to know.
    inside: Option<Option<Inside>>,
}

impl Card {
    /// Opens the card that `world.store` holds, or makes a new one with factory content when the
    /// store is empty. The card is not powered.
    ///
    /// # Errors
    /// [`CardError`] when the store fails or holds another card.
    pub fn new(profile: Profile, world: World) -> Result<Self, CardError> {
        Self::issue(profile, world, |_, _| Ok(Issue::default()))
    }

    /// As [`Card::new`]; a new card also gets the keys and data objects that `personalise` gives for its
    /// serial number, as from an issuer. Factory content and those become durable together: a refused key
    /// or a power cut leaves no card at all. For a card that is there already `personalise` is not
    /// called.
    ///
    /// # Errors
    /// [`CardError`] when the store fails, holds another card, or a key does not fit the card; and
    /// what `personalise` gives.
    pub fn issue<E: From<CardError>>(
        profile: Profile,
        world: World,
        personalise: impl FnOnce(u32, &mut Random) -> Result<Issue, E>,
    ) -> Result<Self, E> {
        profile.check().map_err(CardError::from)?;
        let mut card = Self::open(profile, world)?;
        if card.nvm.is_empty() {
            let factory = Factory::new(&card.profile, &mut card.random).map_err(CardError::from)?;
            let issued = personalise(factory.serial(), &mut card.random)?;
            issued.check(&card.profile)?;
            card.make(&factory, &issued)?;
        } else {
            card.check_header(card.nvm.records())?;
        }
        Ok(card)
    }

    /// The profile that a stored card was made with, without what was chosen on top of it.
    ///
    /// # Errors
    /// [`CardError`] when the store fails or holds no card.
    pub fn stored_profile(store: &dyn Store) -> Result<Profile, CardError> {
        let records: Records = store.load()?.into_iter().map(|(id, value)| (id, Zeroizing::new(value))).collect();
        Ok(Profile::builtin(memory::profile_name(&records)?)?)
    }

    /// Opens the card that `world.store` holds, or makes one with these records when the store is empty.
    /// What a new card would have in its memory does not matter: PIN and keys are those of the records.
    ///
    /// # Errors
    /// [`CardError`] when the store fails, or the records are of another profile.
    pub fn with_records(profile: Profile, world: World, records: &Records) -> Result<Self, CardError> {
        let mut card = Self::open(profile, world)?;
        if card.nvm.is_empty() {
            card.check_header(records)?;
            card.nvm.rewrite(records.iter().map(|(id, value)| (*id, Some(value.clone()))).collect())?;
        }
        card.check_header(card.nvm.records())?;
        Ok(card)
    }

    fn open(profile: Profile, world: World) -> Result<Self, CardError> {
        let atr = Atr::parse(&profile.card.atr)?;
        let mut applets: Vec<Box<dyn Applet>> = Vec::new();
        if profile.piv.is_some() {
            applets.push(Box::new(Piv::default()));
        }
        if profile.gids.is_some() {
            applets.push(Box::new(Gids::default()));
        }
        if profile.yubikey.is_some() {
            applets.push(Box::new(Management));
            applets.push(Box::new(Otp));
        }
        if profile.yubikey.as_ref().is_some_and(YubiKeyRules::has_channels) {
            applets.push(Box::new(SecurityDomain));
        }
        if let Some(kind) = profile.own {
            applets.push((kind.applet)());
        }
        Ok(Self {
            protocol: atr.default_protocol(),
            conditions: profile.chosen.conditions,
            profile,
            atr,
            nvm: Nvm::open(world.store)?,
            random: world.random,
            clock: world.clock,
            backend: world.backend,
            applets,
            selected: None,
            powered: false,
            chain: None,
            pending: Vec::new(),
            channel: None,
            opening: Opening::default(),
            inside: None,
        })
    }

    fn make(&mut self, factory: &Factory, issued: &Issue) -> Result<(), CardError> {
        let mut transaction = self.nvm.begin();
        transaction.write(memory::HEADER, &memory::header(&self.profile.name))?;
        factory.write(&mut transaction, &self.profile, issued)?;
        let (taken, memory) = match (&self.profile.piv, &self.profile.gids) {
            (Some(piv), _) => (crate::piv::objects::size(transaction.written(memory::OBJECTS)), piv.memory),
            (None, Some(gids)) => (crate::gids::files::size(|area| transaction.written(area)), gids.memory),
            (None, None) => (0, 0),
        };
        if taken > memory {
            return Err(CardError::Full { taken, memory });
        }
        Ok(transaction.commit()?)
    }

    fn check_header(&self, records: &Records) -> Result<(), CardError> {
        match memory::profile_name(records)? {
            name if name == self.profile.name => Ok(()),
            name => Err(CardError::OtherProfile { stored: name.into(), wanted: self.profile.name.clone() }),
        }
    }

    /// The profile with its settings.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The answer to reset.
    #[must_use]
    pub const fn atr(&self) -> &Atr {
        &self.atr
    }

    /// The serial number.
    #[must_use]
    pub fn serial(&self) -> u32 {
        factory::serial(&self.nvm)
    }

    /// Non-volatile memory, for tests that cut the power and for showing counters.
    #[must_use]
    pub const fn nvm(&self) -> &Nvm {
        &self.nvm
    }

    /// As [`Card::nvm`], to arm a tear point.
    pub const fn nvm_mut(&mut self) -> &mut Nvm {
        &mut self.nvm
    }

    /// Whether the card has power.
    #[must_use]
    pub const fn is_powered(&self) -> bool {
        self.powered
    }

    /// Cold reset: power, clock, reset; the card gives its ATR.
    pub fn power_on(&mut self) -> &Atr {
        self.powered = true;
        self.forget();
        &self.atr
    }

    /// Warm reset. Without power it does nothing.
    pub fn reset(&mut self) -> &Atr {
        self.forget();
        &self.atr
    }

    /// Takes the power away.
    pub fn power_off(&mut self) {
        self.powered = false;
        self.forget();
    }

    /// The transmission protocol that the reader has chosen. It decides how long answers and
    /// missing Le are handled: T=0 knows no case 4 and no extended length.
    pub const fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// The applications on it.
    pub fn applets(&self) -> impl Iterator<Item = &'static str> {
        self.applets.iter().map(|applet| applet.name())
    }

    /// Which application is selected.
    #[must_use]
    pub fn selected(&self) -> Option<&'static str> {
        self.selected.map(|index| self.applets[index].name())
    }

    /// What the selected application has in RAM of who has proved what; nothing where none is selected.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.selected.map(|index| self.applets[index].standing()).unwrap_or_default()
    }

    /// Whether this command is carried out only after a touch; a block of a chain that goes on is not.
    #[must_use]
    pub fn wants_touch(&mut self, bytes: &[u8]) -> bool {
        let (Some(index), Ok(command)) = (self.selected, Command::parse(bytes)) else { return false };
        let (applet, env) = self.applet(index);
        command.cla & CLA_CHAIN == 0 && applet.wants_touch(&env, &command)
    }

    /// What surrounds the card now.
    #[must_use]
    pub const fn conditions(&self) -> Conditions {
        self.conditions
    }

    /// How the card is reached from now on.
    pub const fn set_interface(&mut self, interface: Interface) {
        self.conditions.interface = interface;
    }

    /// About how long this command will compute with the card's keys; zero where it will not. Of a chain the
    /// last block alone computes. Everything else that a card does takes a few microseconds.
    #[must_use]
    pub fn computing_time(&self, bytes: &[u8]) -> Duration {
        let (Some(index), Ok(command)) = (self.selected, Command::parse(bytes)) else { return Duration::ZERO };
        if !self.powered || command.cla & CLA_CHAIN != 0 || self.check_class(&command).is_err() {
            return Duration::ZERO;
        }
        if self.way(&command) == Way::Opening {
            return self.backend.ec_time(Curve::P256) * opening::multiplications(command.ins);
        }
        let time = |command: &Command<'_>| self.applets[index].computing_time(&self.nvm, &self.profile, &*self.backend, command);
        match self.chain.as_ref().filter(|c| (c.ins, c.p1, c.p2) == (command.ins, command.p1, command.p2)) {
            None => time(&command),
            Some(chain) => {
                // A chain may carry a private key.
                let whole = Zeroizing::new([&chain.data, command.data].concat());
                time(&Command { data: &whole, ..command })
            }
        }
    }

    /// From now on what is inside commands of a secure channel is kept for [`Card::take_inside`], for a trace.
    pub fn keep_inside(&mut self) {
        self.inside.get_or_insert(None);
    }

    /// What was inside the last command.
    pub fn take_inside(&mut self) -> Option<Inside> {
        self.inside.as_mut().and_then(Option::take)
    }

    /// How questions for a touch are answered from now on.
    pub const fn set_touch(&mut self, touch: Touch) {
        self.conditions.touch = touch;
    }

    fn forget(&mut self) {
        for applet in &mut self.applets {
            applet.reset();
        }
        self.selected = self.profile.card.piv_is_default.then_some(0);
        self.chain = None;
        self.pending.clear();
        self.channel = None;
        self.opening = Opening::default();
        self.protocol = self.atr.default_protocol();
    }

    /// Sends a command APDU and gives the response APDU: data and status word.
    ///
    /// # Errors
    /// [`NoAnswer`] when the card has no power or loses it.
    pub fn transmit(&mut self, bytes: &[u8]) -> Result<Vec<u8>, NoAnswer> {
        if !self.powered {
            return Err(NoAnswer::Unpowered);
        }
        drop(self.take_inside());
        let mut out = Vec::with_capacity(64);
        match self.dispatch(bytes, &mut out) {
            Ok(sw) => out.extend_from_slice(&sw.to_bytes()),
            Err(Abort::Status(sw)) => {
                out.clear();
                out.extend_from_slice(&sw.to_bytes());
            }
            Err(Abort::PowerLost) => {
                self.power_off();
                return Err(NoAnswer::PowerLost);
            }
        }
        Ok(out)
    }

    fn dispatch(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<StatusWord, Abort> {
        let Ok(command) = Command::parse(bytes) else {
            self.drop_unfinished();
            return Err(StatusWord::WRONG_LENGTH.into());
        };
        let ended = self.carry_out(&command, out);
        // What is refused in the open was not accepted by the channel.
        if ended.is_err() && command.cla & CLA_SECURED != 0 {
            self.channel = None;
        }
        ended
    }

    fn carry_out(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Result<StatusWord, Abort> {
        if let Err(sw) = self.check_class(command) {
            self.drop_unfinished();
            return Err(sw.into());
        }
        if command.ins == INS_GET_RESPONSE {
            self.chain = None;
            return self.get_response(command, out);
        }
        self.pending.clear();
        let joined = self.join(command)?;
        let command = match &joined {
            Joined::More => return Ok(StatusWord::OK),
            Joined::Alone => *command,
            Joined::Whole(data) => Command { data, ..*command },
        };
        let sw = match self.way(&command) {
            Way::Opening => self.open_channel(&command, out).map(|()| StatusWord::OK)?,
            Way::Secured => self.process_secured(&command, out)?,
            Way::Select => self.select(&command, out).map(|()| StatusWord::OK)?,
            Way::Plain => {
                self.end_unless(Channel::bears_plain_commands)?;
                self.process(&command, false, out).map(|()| StatusWord::OK)?
            }
        };
        if sw == StatusWord::OK { Ok(self.finish(&command, out)) } else { Ok(sw) }
    }

    /// Where a whole command goes.
    fn way(&self, command: &Command<'_>) -> Way {
        let plain = command.cla & CLA_SECURED == 0;
        match command.ins {
            ins if self.opening.expects(command) || (plain && command.cla & CLA_PROPRIETARY != 0 && opening::opens(ins)) => {
                Way::Opening
            }
            _ if !plain => Way::Secured,
            INS_SELECT if command.p1 == 0x04 => Way::Select,
            _ => Way::Plain,
        }
    }

    /// A command that opens a channel of GlobalPlatform, in whichever application is selected.
    fn open_channel(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
        let index = self.selected.ok_or(StatusWord::UNKNOWN_CLA)?;
        let mut state = std::mem::take(&mut self.opening);
        let opened = opening::process(&mut state, &mut self.applet(index).1, command, out);
        self.opening = state;
        opened
    }

    /// Ends a channel that does not bear what comes, and refuses it.
    fn end_unless(&mut self, bears: fn(&Channel) -> bool) -> Result<(), Abort> {
        self.opening = Opening::default();
        match self.channel.take_if(|channel| !bears(channel)) {
            Some(_) => Err(StatusWord::SECURITY_STATUS.into()),
            None => Ok(()),
        }
    }

    /// A command of the secure channel: it comes to the applet as any other, and its status word goes back inside. What
    /// the channel does not accept goes back bare, and ends it.
    fn process_secured(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Result<StatusWord, Abort> {
        self.opening = Opening::default();
        let opened = self.channel.as_mut().ok_or(StatusWord::SECURITY_STATUS)?.open(command)?;
        if self.messaging(command.ins) == Messaging::CarriedWithLe && !opened.expects_data {
            return Err(StatusWord::MESSAGING_OBJECT_MISSING.into());
        }
        let (cla, le) = (command.cla & CLA_PROPRIETARY, opened.expects_data.then_some(256));
        let inner = Command { cla, data: &opened.data, le, extended: false, ..*command };
        let mut answer = Zeroizing::new(Vec::new());
        let sw = match self.process(&inner, true, &mut answer) {
            Ok(()) => StatusWord::OK,
            Err(Abort::Status(sw)) => {
                answer.clear();
                sw
            }
            Err(Abort::PowerLost) => return Err(Abort::PowerLost),
        };
        if let Some(inside) = &mut self.inside {
            // Never grown: no copy of a secret stays behind.
            let mut response = Zeroizing::new(Vec::with_capacity(answer.len() + 2));
            response.extend_from_slice(&answer);
            response.extend_from_slice(&sw.to_bytes());
            let long = inner.data.len() > 255;
            let command = Zeroizing::new(Command { le: None, extended: long, ..inner }.to_bytes());
            *inside = Some(Inside { command, response });
        }
        // An applet that ended it has nothing to be said inside.
        let channel = self.channel.as_mut().ok_or(StatusWord::SECURITY_STATUS)?;
        let (sealed, sw) = channel.seal(&answer, sw);
        *out = sealed;
        Ok(sw)
    }

    /// What the selected application says of an instruction under secure messaging.
    fn messaging(&self, ins: u8) -> Messaging {
        self.selected.map_or(Messaging::Unsupported, |index| self.applets[index].messaging(&self.nvm, ins))
    }

    fn drop_unfinished(&mut self) {
        self.chain = None;
        self.pending.clear();
    }

    /// ISO/IEC 7816-4 section 5.4.1. One logical channel. Secure messaging where the application has it, class 80 and
    /// its secure channels on cards that have those.
    fn check_class(&self, command: &Command<'_>) -> Result<(), StatusWord> {
        let extended = self.profile.card.extended_length && self.protocol == Protocol::T1;
        let channels = || scp::offers(&self.nvm, &self.profile);
        match command.cla {
            cla if cla & CLA_PROPRIETARY != 0 && !channels() => Err(StatusWord::UNKNOWN_CLA),
            cla if cla & 0x40 != 0 => Err(StatusWord::CHANNEL_NOT_SUPPORTED),
            cla if cla & 0x20 != 0 => Err(StatusWord::UNKNOWN_CLA),
            cla if cla & 0x03 != 0 => Err(StatusWord::CHANNEL_NOT_SUPPORTED),
            cla if cla & CLA_SECURED != 0 && !self.carries(command, channels) => Err(StatusWord::SECURE_MESSAGING_NOT_SUPPORTED),
            cla if cla & CLA_SECURED != 0 && self.channel.is_none() && !self.opening.expects(command) => {
                Err(StatusWord::SECURITY_STATUS)
            }
            _ if command.extended && !extended => Err(StatusWord::WRONG_LENGTH),
            _ => Ok(()),
        }
    }

    /// Whether there is secure messaging of this form: class bits 0C for PIV's, 04 for GlobalPlatform's channels.
    fn carries(&self, command: &Command<'_>, channels: impl Fn() -> bool) -> bool {
        match command.cla & CLA_SECURED {
            CLA_SECURED => self.messaging(command.ins) != Messaging::Unsupported,
            wrapping::SECURED => channels(),
            _ => false,
        }
    }

    /// Command chaining, ISO/IEC 7816-4 section 5.3.3. Either all blocks of a chain are secured or none is.
    fn join(&mut self, command: &Command<'_>) -> Result<Joined, Abort> {
        let chained = &self.profile.card.chained;
        let fits = |c: &Chain| (c.ins, c.p1, c.p2) == (command.ins, command.p1, command.p2);
        let open = self.chain.take().filter(fits);
        let secured = command.cla & CLA_SECURED != 0;
        if open.as_ref().is_some_and(|c| c.secured != secured) {
            self.channel = None;
            return Err(StatusWord::MESSAGING_OBJECT_INCORRECT.into());
        }
        let more = command.cla & CLA_CHAIN != 0;
        if !more && open.is_none() {
            return Ok(Joined::Alone);
        }
        if more && !chained.is_empty() && !chained.contains(&command.ins) {
            return Err(StatusWord::CHAINING_NOT_SUPPORTED.into());
        }
        let mut data = open.map(|c| c.data).unwrap_or_default();
        if data.len() + command.data.len() > self.profile.card.buffer {
            return Err(StatusWord::WRONG_LENGTH.into());
        }
        data.extend_from_slice(command.data);
        if !more {
            return Ok(Joined::Whole(data));
        }
        self.chain = Some(Chain { ins: command.ins, p1: command.p1, p2: command.p2, secured, data });
        Ok(Joined::More)
    }

    /// SELECT by name, ISO/IEC 7816-4 section 11.2.2. An AID that is unknown, or of an application
    /// that is switched off, changes nothing.
    fn select(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
        let on = |a: &dyn Applet| a.is_on(&self.nvm, &self.profile, self.conditions);
        let found = self.applets.iter().position(|a| a.answers_to(command.data, &self.profile) && on(&**a));
        let Some(index) = found else {
            return Err(StatusWord::NOT_FOUND.into());
        };
        if !self.applets[index].select_options().contains(&command.p2) {
            return Err(StatusWord::WRONG_P1P2.into());
        }
        let again = self.selected == Some(index);
        if let Some(old) = self.selected.filter(|old| *old != index) {
            self.applets[old].deselect();
        }
        self.channel.take_if(|channel| !channel.survives_selection(again));
        self.opening = Opening::default();
        self.selected = Some(index);
        let (applet, mut env) = self.applet(index);
        applet.select(&mut env, command, again, out)
    }

    fn process(&mut self, command: &Command<'_>, secured: bool, out: &mut Vec<u8>) -> Result<(), Abort> {
        let Some(index) = self.selected else {
            return Err(StatusWord::UNKNOWN_INS.into());
        };
        if command.cla & CLA_PROPRIETARY != 0 && !self.applets[index].is_proprietary() {
            return Err(StatusWord::UNKNOWN_CLA.into());
        }
        let (applet, mut env) = self.applet(index);
        env.secured = secured;
        applet.process(&mut env, command, out)
    }

    fn applet(&mut self, index: usize) -> (&mut dyn Applet, Env<'_>) {
        let env = Env {
            nvm: &mut self.nvm,
            random: &mut self.random,
            backend: &*self.backend,
            profile: &self.profile,
            conditions: self.conditions,
            channel: &mut self.channel,
            secured: false,
            now: self.clock.now(),
        };
        (&mut *self.applets[index], env)
    }

    /// Cuts the response to what may be sent now; the rest waits for GET RESPONSE.
    fn finish(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> StatusWord {
        if out.is_empty() {
            return StatusWord::OK;
        }
        if self.protocol == Protocol::T0 {
            // T=0 (ISO/IEC 7816-3 section 12.2): a case 4 answer is always fetched, a case 2
            // command with another Le is repeated.
            if !command.data.is_empty() || out.len() > 256 {
                self.pending = std::mem::take(out);
                return StatusWord::more_data(self.pending.len(), self.profile.card.many_left);
            }
            if command.le != Some(out.len() as u32) {
                let sw = StatusWord::wrong_le(out.len());
                out.clear();
                return sw;
            }
            return StatusWord::OK;
        }
        self.send_part(command.le.unwrap_or(256) as usize, out)
    }

    fn send_part(&mut self, room: usize, out: &mut Vec<u8>) -> StatusWord {
        if out.len() <= room {
            return StatusWord::OK;
        }
        self.pending = out.split_off(room);
        StatusWord::more_data(self.pending.len(), self.profile.card.many_left)
    }

    /// GET RESPONSE, ISO/IEC 7816-4 section 11.8.1.
    fn get_response(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Result<StatusWord, Abort> {
        if self.pending.is_empty() {
            return Err(self.profile.card.nothing_pending.into());
        }
        if command.p1p2() != 0 {
            self.pending.clear();
            return Err(StatusWord::WRONG_P1P2.into());
        }
        *out = std::mem::take(&mut self.pending);
        Ok(self.send_part(command.le.unwrap_or(256) as usize, out))
    }
}

impl From<CryptoError> for Abort {
    fn from(_: CryptoError) -> Self {
        StatusWord::WRONG_DATA.into()
    }
}
