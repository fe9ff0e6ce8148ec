//! Cards in readers of this machine, for the management server that issues them: the one place where
//! the server's keys meet a card.

use cardlab_client::lock;
use cardlab_client::minidriver::{CardError, Counter, FACTORY_PIN, FACTORY_PUK, Minidriver, PinStatus, Secret};
use cardlab_client::recognise::Edge;
use cardlab_client::transport::{Transport, TransportError};
use cardlab_pcsclite::client::{Connection, Context, ShareMode};
use cardlab_pcsclite::wire::ReaderState;
use cardlab_protocol::admin_key::AdminKey;
use cardlab_server_stub::model::station::{Connected, Holder, NewPin, Order, Station, StationError, Written};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use zeroize::Zeroizing;

/// Readers and who holds the card in each, where somebody does.
pub type Held = BTreeMap<String, Holder>;

/// The readers of one PC/SC service.
pub struct Readers {
    socket: PathBuf,
    holders: Box<dyn Fn() -> Held + Send + Sync>,
    /// One order at a time: a second one would find a card that changes under it.
    at_work: Mutex<()>,
}

impl Readers {
    /// The readers of the service at this socket.
    #[must_use]
    pub fn at(socket: PathBuf) -> Self {
        Self { socket, holders: Box::new(Held::new), at_work: Mutex::new(()) }
    }

    /// These readers tell who holds cards that cannot be had; PC/SC itself does not. Asked once where any cannot.
    #[must_use]
    pub fn telling(mut self, holders: impl Fn() -> Held + Send + Sync + 'static) -> Self {
        self.holders = Box::new(holders);
        self
    }

    fn context(&self) -> Result<Context, StationError> {
        let failed = |e| StationError::before(format!("no PC/SC service at {}: {e}", self.socket.display()));
        Context::establish_at(&self.socket).map_err(failed)
    }

    /// Says who holds those of the cards that are held.
    fn tell(&self, mut cards: Vec<Connected>) -> Vec<Connected> {
        if cards.iter().any(|card| card.is_held) {
            let mut held = (self.holders)();
            for card in cards.iter_mut().filter(|card| card.is_held) {
                card.held_by = held.remove(&card.reader);
            }
        }
        cards
    }
}

/// What is in a reader; a card that cannot be asked has no serial.
fn look(context: &Context, reader: &ReaderState) -> Connected {
    let asked = ask(context, reader);
    let is_held = matches!(&asked, Err(CardError::Transport(TransportError::Busy | TransportError::Silent(_))));
    let maker_key = asked.as_ref().ok().and_then(|(edge, ..)| maker_key(*edge));
    let (kind, serial, pin) = match asked {
        Ok((edge, serial, pin)) => (edge.name(), serial, pin),
        Err(error) => (error.to_string(), String::new(), None),
    };
    Connected {
        reader: reader.name.clone(),
        serial,
        kind,
        maker_key: maker_key.map(Into::into),
        atr: hex::encode_upper(&reader.atr),
        is_held,
        held_by: None,
        pin_left: pin.map(|pin| pin.left),
        pin_tries: pin.and_then(|pin| pin.maximum),
    }
}

impl Station for Readers {
    fn connected(&self) -> Result<Vec<Connected>, StationError> {
        let context = self.context()?;
        let readers = context.readers().map_err(|e| StationError::before(e.to_string()))?;
        Ok(self.tell(readers.iter().filter(|r| r.has_card()).map(|reader| look(&context, reader)).collect()))
    }

    fn write(&self, order: &Order) -> Result<Written, StationError> {
        let _alone = self.at_work.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let context = self.context()?;
        let readers = context.readers().map_err(|e| StationError::before(e.to_string()))?;
        let (mut found, mut held) = (None, Vec::new());
        for reader in readers.iter().filter(|r| r.has_card()) {
            let seen = look(&context, reader);
            if seen.serial == order.serial {
                found = Some(reader);
                break;
            }
            held.extend(seen.is_held.then_some(seen));
        }
        let reader = found.ok_or_else(|| StationError::before(not_at_hand(&order.serial, &self.tell(held))))?;
        let mut card = connect(&context, reader).map_err(|e| StationError::before(e.to_string()))?;
        Transport::begin(&mut card).map_err(|e| StationError::before(e.to_string()))?;
        let written = carry_out(&mut card, order);
        let ended = Transport::end(&mut card);
        let written = written?;
        ended.map_err(|e| StationError { message: e.to_string(), key_may_be_new: order.new_key.is_some() })?;
        Ok(written)
    }
}

/// Why a card cannot be written to, where other programs may hold it: in which reader each, and who, where that is told.
fn not_at_hand(serial: &str, held: &[Connected]) -> String {
    if held.is_empty() {
        return format!("card {serial} is in no reader of the server's machine: insert it and try again");
    }
    let holder = |card: &Connected| {
        let who = card.held_by.as_ref().map_or_else(|| "another program".into(), Holder::to_string);
        format!("{who} holds the card in {}", card.reader)
    };
    let holders: Vec<String> = held.iter().map(holder).collect();
    format!("card {serial} is not seen: {}, which may be it; end that program and try again", holders.join(", "))
}

fn connect<'a>(context: &'a Context, reader: &ReaderState) -> Result<Connection<'a>, cardlab_pcsclite::client::Error> {
    context.connect(&reader.name, ShareMode::Shared)
}

/// How long a card may take to be had and to say what it is, before it counts as held by another program.
const LOOK: Duration = Duration::from_secs(2);

/// What a card is, its serial and its PIN.
fn ask(context: &Context, reader: &ReaderState) -> Result<(Edge, String, Option<Counter>), CardError> {
    // Services make whoever connects wait as long as another program has a transaction: a connection of its own is given up.
    let context = context.another().map_err(TransportError::from)?;
    context.set_limit(LOOK).map_err(TransportError::from)?;
    let mut card = connect(&context, reader).map_err(TransportError::from)?;
    card.try_begin().map_err(TransportError::from)?;
    let asked = (|| {
        let mut card = Minidriver::open(&mut card)?;
        let serial = card.card_id()?.map(hex::encode_upper).unwrap_or_default();
        Ok((card.edge(), serial, card.card_pin_status()?.pin))
    })();
    // What the card has said holds, however the transaction ends.
    let _ = Transport::end(&mut card);
    asked
}

/// The administrator key of a card as it is made, hexadecimal: of PIV cards the management key of NIST's test cards and of YubiKeys
/// (Yubico, *PIV management key*; the same bytes under 3DES and AES-192), of GIDS cards the zeros that GidsApplet is installed with.
const fn maker_key(edge: Edge) -> Option<&'static str> {
    match edge {
        Edge::Gids { initialised: true } => Some("000000000000000000000000000000000000000000000000"),
        Edge::Gids { initialised: false } => None,
        Edge::Piv { .. } => Some("010203040506070801020304050607080102030405060708"),
    }
}

fn carry_out(card: &mut dyn Transport, order: &Order) -> Result<Written, StationError> {
    let mut card = Minidriver::open(card).map_err(before)?;
    // Another card may have been put in since it was looked at.
    if card.card_id().map_err(before)?.map(hex::encode_upper).unwrap_or_default() != order.serial {
        return Err(before(CardError::AnotherCard));
    }
    if let NewPin::Changed { old, new } = &order.pin {
        card.card_change_authenticator(old.as_bytes(), new.as_bytes()).map_err(before)?;
        // What the new PIN opened is nobody's who comes next.
        card.card_deauthenticate().map_err(before)?;
        return Ok(Written::default());
    }
    let status = card.card_pin_status().map_err(before)?;
    let maximum = status.pin.and_then(|pin| pin.maximum);
    let new_tries = order.pin_tries.filter(|wanted| maximum != Some(*wanted));
    if let (Some(wanted), None) = (new_tries, &order.new_key) {
        return Err(StationError::before(format!(
            "{}; Initialize card of the policy writes it to cards that have a command for it",
            differs(maximum, wanted)
        )));
    }
    if status.admin.is_some_and(|admin| admin.left == 1) {
        return Err(StationError::before(
            "the card has one try of its administrator key left; a wrong one would lose it for good",
        ));
    }
    let pin = match &order.pin {
        NewPin::Known(pin) => Some(pin.clone()),
        NewPin::Blocked => Some(nobodys_pin(&card).map_err(before)?),
        NewPin::Unchanged | NewPin::Changed { .. } => None,
    };
    if let Some(pin) = &pin {
        card.card_pin_policy().check(pin.as_bytes()).map_err(|fault| before(fault.into()))?;
    }
    if order.keys.is_empty() {
        return Ok(Written { pin_tries: maximum, puk: None });
    }
    // Whether the old PIN is needed to set another.
    let is_by_pin = match card.edge() {
        Edge::Piv { yubikey: Some(_), .. } => order.new_key.is_some() && pin.is_some(),
        Edge::Piv { admin_unblock: false, .. } if order.new_key.is_some() => {
            return Err(StationError::before("this PIV card is given neither a key nor a PIN by its administrator key"));
        }
        _ => false,
    };
    if is_by_pin {
        verify_present(&mut card, status, &order.present_pin)?;
    }
    authenticate(&mut card, &order.keys)?;
    let mut written = Written { pin_tries: maximum, puk: None };
    if let Some(wanted) = new_tries {
        card.card_set_pin_tries(wanted)
            .map_err(|error| StationError::before(format!("{}: {error}", differs(maximum, wanted))))?;
        written.pin_tries = Some(wanted);
    }
    if let Some(key) = &order.new_key {
        card.card_change_admin_key(key).map_err(|error| match error {
            // The card has refused the command: its key is the old one.
            CardError::NotSupported(_) | CardError::NotAuthenticated | CardError::Unexpected { .. } => before(error),
            error => after(&error),
        })?;
    }
    let settled = if order.new_key.is_some() { after } else { |e: &CardError| StationError::before(e.to_string()) };
    match pin {
        Some(pin) if is_by_pin => {
            let old = if new_tries.is_some() { FACTORY_PIN } else { &order.present_pin };
            if new_tries.is_some() {
                written.puk = Some(new_puk(&mut card).map_err(|e| settled(&e))?);
            }
            if old != pin.as_str() {
                card.card_change_authenticator(old.as_bytes(), pin.as_bytes()).map_err(|e| settled(&e))?;
            }
            card.card_deauthenticate().map_err(|e| settled(&e))?;
        }
        Some(pin) => card.card_reset_pin(pin.as_bytes()).map_err(|e| settled(&e))?,
        None => card.card_deauthenticate().map_err(|e| settled(&e))?,
    }
    if let NewPin::Blocked = order.pin {
        lock::bring_to(&mut card, Secret::Pin, 0).map_err(|e| StationError {
            message: format!("the card is not locked: {e}"),
            key_may_be_new: order.new_key.is_some(),
        })?;
    }
    Ok(written)
}

/// How a card's limit is not the policy's.
fn differs(maximum: Option<u8>, wanted: u8) -> String {
    let has = maximum.map_or("does not tell its PIN try limit".into(), |n| format!("allows {n} PIN entries"));
    format!("the card {has}, the policy wants {wanted}")
}

/// The PIN of a card that takes another one, or another limit, only for it. Its last try is never spent.
fn verify_present(card: &mut Minidriver<'_>, status: PinStatus, pin: &str) -> Result<(), StationError> {
    if status.pin.is_some_and(|pin| pin.left < 2) {
        return Err(StationError::before(
            "the card's PIN is blocked or has one try left, and the card is initialized with it: unblock it with its PUK first",
        ));
    }
    card.card_authenticate_pin(pin.as_bytes()).map_err(|error| match error {
        CardError::Wrong { .. } => StationError::before(format!(
            "the card is initialized with its PIN, and has another one than its card type says: {error}"
        )),
        error => before(error),
    })
}

/// Another PUK than the maker's, which the card has after a new limit of PIN entries.
fn new_puk(card: &mut Minidriver<'_>) -> Result<Zeroizing<String>, CardError> {
    let puk = digits(FACTORY_PUK.len())?;
    card.card_change_puk(FACTORY_PUK.as_bytes(), puk.as_bytes())?;
    Ok(puk)
}

/// A right response by one of the keys.
fn authenticate(card: &mut Minidriver<'_>, keys: &[AdminKey]) -> Result<(), StationError> {
    let mut keys = keys.iter().peekable();
    while let Some(key) = keys.next() {
        let challenge = card.card_get_challenge().map_err(before)?;
        let response = key.respond(&challenge).map_err(|e| StationError::before(e.to_string()))?;
        match card.card_authenticate_challenge(&response) {
            Ok(()) => return Ok(()),
            Err(CardError::Wrong { left, .. }) if keys.peek().is_some() && left.is_none_or(|left| left > 1) => {}
            Err(error @ CardError::Wrong { .. }) => {
                return Err(StationError::before(format!(
                    "the card has another administrator key than the server knows: {error}"
                )));
            }
            Err(error) => return Err(before(error)),
        }
    }
    Err(StationError::before("there is no administrator key to try"))
}

/// A PIN that is forgotten at once: digits, which every card takes.
fn nobodys_pin(card: &Minidriver<'_>) -> Result<Zeroizing<String>, CardError> {
    digits(card.card_pin_policy().maximum)
}

fn digits(count: usize) -> Result<Zeroizing<String>, CardError> {
    let mut random = Zeroizing::new(vec![0; count]);
    getrandom::fill(&mut random).map_err(|_| CardError::NotSupported("the system has no random numbers"))?;
    Ok(Zeroizing::new(random.iter().map(|byte| char::from(b'0' + byte % 10)).collect()))
}

fn before(error: CardError) -> StationError {
    StationError::before(error.to_string())
}

fn after(error: &CardError) -> StationError {
    StationError { message: format!("{error}; the card may have its new key: issue it again"), key_may_be_new: true }
}
