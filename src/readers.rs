//! The options that make cards, shared by `exec` and `up`.

use crate::exit::Failure;
use crate::guests::{self, Keeper};
use crate::recording::Recording;
use crate::scenario::Scenarios;
use crate::terminal::ask_hidden;
use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cardlab_control::api::Control;
use cardlab_control::maker::Maker;
use cardlab_control::view::NewCard;
use cardlab_pcsclite::wire::STATES;
use cardlab_sim::crypto::backend::{Backend, Repeatable};
use cardlab_sim::nvm::{Store, Volatile};
use cardlab_sim::{Random, Setting, World};
use cardlab_vreader::resource::{FIRST_VERSION, LAST_VERSION, ProtocolVersion};
use cardlab_vreader::server::POWER_OFF_GRACE;
use cardlab_vreader::setup::keyfile::Person;
use cardlab_vreader::setup::settings;
use cardlab_vreader::setup::{AnyRequest, SetupError};
use cardlab_vreader::trace::Ticks;
use cardlab_vreader::usb::Identity;
use cardlab_vreader::{CardRequest, Monotonic, Outage, Place, Rack, Server, StateDirectory, Trace, VirtualCard};
use cardlab_whole as whole;
use clap::Args;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use zeroize::Zeroizing;

#[cfg(feature = "fast-crypto")]
use cardlab_crypto_fast::AwsLc as PrivateOperations;
#[cfg(not(feature = "fast-crypto"))]
use cardlab_sim::crypto::backend::RustCrypto as PrivateOperations;

#[derive(Args, Clone)]
pub(crate) struct ReaderOptions {
    /// A card in a reader of its own: PROFILE[,KEY=VALUE].., or one of others: vpcd:PORT, pcsc:READER, replay:FILE; may be given several times
    #[arg(long = "card", value_name = "CARD", default_value = "nist-piv", long_help = card_help())]
    cards: Vec<String>,

    /// Keep the cards in this directory; without it they are new each time
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,

    /// Make everything repeatable: the same number gives the same keys, challenges and serials
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Arm a fault at the first card, or at the one of this number: N:FAULT; may be given several times
    ///
    /// Example: remove-after,ins=20 pulls the first card out after the next VERIFY, 1:mute silences the second. `cardlab card fault
    /// --help` has them all.
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<String>,

    /// Write every exchange to this file: as readable text, as JSON lines (.jsonl) or for Wireshark (.pcapng); - is stderr
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,

    /// Show PINs and keys in the trace instead of masking them
    #[arg(long, requires = "trace")]
    trace_secrets: bool,

    /// Leave so many tries of each PIN, PUK and administrator key of cards that are not simulated (vpcd:, pcsc:)
    ///
    /// A command that presents one is answered 6983, and does not reach the card, while no more are left or the card does not tell.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=15))]
    spare_tries: Option<u8>,

    /// Milliseconds until an unused card is powered off; 0 means never
    #[arg(long, value_name = "MS", default_value_t = POWER_OFF_GRACE.as_millis() as u64)]
    power_off_after: u64,
}

/// The long help of `--card`, with the names of all settings.
fn card_help() -> String {
    let names = settings::all().flat_map(Setting::names).collect::<Vec<_>>().join(", ");
    format!(
        "A card in a reader of its own: PROFILE[,KEY=VALUE]..; may be given several times\n\n\
         Example: yubikey-5.4,serial=123,pin=654321,9a=new:p256. `cardlab profile list` shows the profiles, \
         `cardlab profile settings` what each key changes. Keys: {names}. Card keys from files: 9a=key.pem:cert.pem or \
         9a=file.p12:env:PASSWORD (also file:PATH, ask, or the password itself). A name or password with a comma or colon goes in \
         double quotes. Settings describe a new card; one that --state keeps stays as it is.\n\n\
         Cards of others: vpcd:[HOST:]PORT is a reader that jCardSim, vicc and other cards for vsmartcard's vpcd connect to, pcsc:READER a card of the system's pcscd, \
         replay:FILE a recording (docs/any-card.md)."
    )
}

/// Whoever started this process.
struct AtTerminal;

impl Person for AtTerminal {
    fn password(&mut self, file: &Path) -> Result<Zeroizing<String>, String> {
        let question = format!("Password of {}: ", file.display());
        let answer =
            ask_hidden(&question).map_err(|e| format!("it is to be typed, but there is no terminal ({e}); use env: or file:"))?;
        answer.ok_or_else(|| "nobody typed it".into())
    }

    fn warn(&mut self, sentence: &str) {
        eprintln!("cardlab: warning: {sentence}");
    }
}

/// A card that is ready for a reader.
pub(crate) struct ReadyCard {
    pub(crate) reader_name: String,
    pub(crate) pin_pad: bool,
    /// The reader as a USB device.
    pub(crate) usb: Identity,
    pub(crate) card: VirtualCard,
    /// Who brings a guest in, and takes it out again.
    pub(crate) keeper: Option<Keeper>,
}

/// Readers that are up.
pub(crate) struct Readers {
    pub(crate) rack: Rack,
    pub(crate) recording: Recording,
    /// Where guests connect, in the order of their readers.
    pub(crate) ports: Vec<SocketAddr>,
    /// Who each reader is as a USB device.
    pub(crate) devices: Vec<(Place, Identity)>,
}

impl ReaderOptions {
    /// These cards, as on a command line.
    pub(crate) const fn of(cards: Vec<String>, state: Option<PathBuf>) -> Self {
        let power_off_after = POWER_OFF_GRACE.as_millis() as u64;
        Self {
            cards,
            state,
            seed: None,
            faults: Vec::new(),
            trace: None,
            trace_secrets: false,
            spare_tries: None,
            power_off_after,
        }
    }

    /// Makes or opens the cards, on a thread of their own: RSA keys take seconds, a password is typed, a pipe is waited for, and
    /// whoever wants to end it is heard meanwhile.
    pub(crate) async fn make(&self) -> Result<(Vec<ReadyCard>, Recording), Failure> {
        let options = self.clone();
        tokio::task::spawn_blocking(move || options.make_here()).await?
    }

    fn make_here(&self) -> Result<(Vec<ReadyCard>, Recording), Failure> {
        let requests: Vec<AnyRequest> = self.cards.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        let state = self.state.as_deref().map(|directory| StateDirectory::watched(directory, outage(""))).transpose()?;
        let recording = self.recording()?;
        let several = requests.len() > 1;
        let mut ready = Vec::with_capacity(requests.len());
        for (index, request) in requests.iter().enumerate() {
            let name = match request {
                AnyRequest::Simulated(request) => request.profile_name(),
                AnyRequest::Guest(request) => request.kind(),
            };
            let recorder = recording.trace().of(&if several { format!("{index}:{name}") } else { name.to_owned() });
            let (mut card, pace) = match request {
                AnyRequest::Simulated(request) => {
                    let world = self.world(index, state.as_ref())?;
                    let card = request.make_for(world, &mut AtTerminal).with_context(|| format!("--card {request}"))?;
                    let usb = request.usb(card.serial());
                    let card = VirtualCard::journaled(card, recorder);
                    let (reader_name, pin_pad) = (request.reader_name().to_owned(), request.has_pin_pad());
                    (ReadyCard { reader_name, pin_pad, usb, card, keeper: None }, request.pace())
                }
                AnyRequest::Guest(request) => {
                    let said = |Failure { exit, error }| Failure { exit, error: error.context(format!("--card {request}")) };
                    (guests::open(request, index, self.spare_tries, recorder).map_err(said)?, request.pace())
                }
            };
            if !pace.is_off() {
                card.card.set_pace(pace.clone());
            }
            ready.push(card);
        }
        for text in &self.faults {
            self.arm(text, &mut ready).with_context(|| format!("--fault {text}"))?;
        }
        Ok((ready, recording))
    }

    fn arm(&self, text: &str, cards: &mut [ReadyCard]) -> anyhow::Result<()> {
        let numbered = text.split_once(':').and_then(|(number, fault)| Some((number.parse::<usize>().ok()?, fault)));
        let (number, fault) = numbered.unwrap_or((0, text));
        let card = cards.get_mut(number).ok_or_else(|| anyhow!("there is no card {number}; they are counted from 0"))?;
        card.card.arm(fault.parse()?)?;
        Ok(())
    }

    /// A rack with a reader for each card, and what happens at them.
    pub(crate) async fn rack(&self) -> Result<Readers, Failure> {
        let (cards, recording) = self.make().await?;
        let server = Server::new(Random::from_seed(system_random()?), Duration::from_millis(self.power_off_after));
        tokio::spawn(tell_of_strange_versions(server.strange_versions()));
        let rack = Rack::new(server);
        if cards.len() > STATES {
            let (all, last) = (cards.len(), LAST_VERSION);
            eprintln!(
                "cardlab: {all} cards: programs with pcsc-lite before 2.5 (its protocol before {last}) see the first {STATES} readers only"
            );
        }
        let mut ports = Vec::new();
        let mut devices = Vec::with_capacity(cards.len());
        for ready in cards {
            let place = rack.add(&ready.reader_name, ready.card).await;
            if ready.pin_pad {
                rack.add_pin_pad(place);
            }
            devices.push((place, ready.usb));
            if let Some(keeper) = ready.keeper {
                ports.extend(keeper.port());
                keeper.start(&rack, place)?;
            }
        }
        Ok(Readers { rack, recording, ports, devices })
    }

    /// Drives these readers.
    pub(crate) fn control(&self, readers: &Readers) -> Control {
        let maker = NewCards {
            kept: self.state.clone(),
            seed: self.seed,
            next: AtomicUsize::new(self.cards.len()),
            trace: readers.recording.trace().clone(),
        };
        let control = Control::new(readers.rack.clone(), readers.recording.trace().clone(), self.trace_secrets);
        control.with_maker(Arc::new(maker)).with_recorder(Arc::new(Scenarios))
    }

    fn recording(&self) -> Result<Recording, Failure> {
        let trace = Trace::new(if self.seed.is_some() { Ticks::Count } else { Ticks::Clock });
        let Some(path) = &self.trace else { return Ok(Recording::of(trace)) };
        let named = format!("--trace {}: ", path.display());
        let begun = Recording::begin(trace, path, self.trace_secrets, outage(&named));
        begun.map_err(|error| anyhow!("{named}{}", whole::why(&error)).into())
    }

    fn world(&self, index: usize, state: Option<&StateDirectory>) -> Result<World, Failure> {
        let store = match state {
            Some(state) => state.card(u16::try_from(index)?),
            None => Box::new(Volatile) as _,
        };
        world(self.seed, index, store)
    }
}

/// What the card of this number is made from.
fn world(seed: Option<u64>, index: usize, store: Box<dyn Store>) -> Result<World, Failure> {
    let (random, backend): (_, Arc<dyn Backend>) = match seed {
        Some(seed) => (Random::from_number(seed, index as u64), Arc::new(Repeatable(PrivateOperations))),
        None => (Random::from_seed(system_random()?), Arc::new(PrivateOperations)),
    };
    Ok(World { store, random, clock: Box::new(Monotonic::start()), backend })
}

/// Cards that are asked for while readers are up.
struct NewCards {
    /// Where the cards of these readers are kept.
    kept: Option<PathBuf>,
    seed: Option<u64>,
    /// Number of the next card.
    next: AtomicUsize,
    trace: Trace,
}

impl Maker for NewCards {
    fn make(&self, order: &NewCard, reader: usize) -> Result<VirtualCard, String> {
        if let Some(directory) = &self.kept {
            let directory = directory.display();
            return Err(format!(
                "the cards of these readers are kept in {directory}; start readers with another --state, or none"
            ));
        }
        let mut request: CardRequest = order.card.parse().map_err(|error: SetupError| error.to_string())?;
        if let [first, ..] = request.of_reader() {
            return Err(format!("{first}= is of the reader, which stays as it is; leave it out, or start readers with it"));
        }
        if let Some(key) = &order.key_file {
            let bytes = BASE64_STANDARD.decode(&*key.0).map_err(|error| format!("the key file is no Base64: {error}"))?;
            let name = order.key_name.as_deref().unwrap_or("the key file");
            let password = order.key_password.as_ref().map(|password| password.0.clone());
            let with = request.with_key(order.key_slot.as_deref(), name, bytes, password);
            request = with.map_err(|error| error.to_string())?;
        } else if order.key_name.is_some() || order.key_slot.is_some() || order.key_password.is_some() {
            return Err("there is a key's name, slot or password, but no key file (key_file)".into());
        }
        // The same order of wishes gives the same cards under a seed.
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let world = world(self.seed, number, Box::new(Volatile)).map_err(|failure| failure.sentence())?;
        let card = request.make(world).map_err(|error| error.to_string())?;
        let recorder = self.trace.of(&format!("{reader}:{}.{number}", request.profile_name()));
        let mut card = VirtualCard::journaled(card, recorder);
        if !request.pace().is_off() {
            card.set_pace(request.pace().clone());
        }
        Ok(card)
    }
}

/// Tells on stderr what cannot be written, after this.
fn outage(named: &str) -> Outage {
    let named = named.to_owned();
    // Nobody may be reading it; the cards go on.
    Outage::told_by(move |sentence| drop(writeln!(std::io::stderr(), "cardlab: {named}{sentence}")))
}

pub(crate) fn system_random() -> anyhow::Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("the system gives no random bytes")?;
    Ok(seed)
}

/// Says on stderr what versions programs speak that these readers do not; ends with the readers.
async fn tell_of_strange_versions(mut strange: watch::Receiver<Vec<ProtocolVersion>>) {
    let mut told = 0;
    while strange.changed().await.is_ok() {
        let new = strange.borrow_and_update()[told..].to_vec();
        told += new.len();
        for version in new {
            eprintln!(
                "cardlab: a program speaks version {version} of pcsc-lite's protocol, these readers {FIRST_VERSION} to {LAST_VERSION}; it was told \
                 so, and sees no reader unless it asks for one of these"
            );
        }
    }
}
