//! What is said and asked, as data.

use crate::secret::Secret;
use cardlab_sim::Card;
use cardlab_sim::applet::Challenge;
use cardlab_sim::reference::RetryCounter;
use cardlab_vreader::resource::Holding;
use cardlab_vreader::server::Holder;
use cardlab_vreader::state::{COUNTED, Left, Tries, tries};
use cardlab_vreader::{Place, Rack, VirtualCard, Whereabouts};
use serde::{Deserialize, Serialize};
use std::time::UNIX_EPOCH;
use utoipa::ToSchema;

/// A reader and its card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct ReaderView {
    /// Its number; it stays.
    pub number: usize,
    /// The name that programs see.
    pub name: String,
    /// `in`, `out` (the card lies beside it), `unplugged`.
    pub card_is: String,
    /// The card, wherever it is; nothing while it works, or waits for a touch.
    pub card: Option<CardView>,
    /// Whether the card waits for a touch now.
    pub touch_awaited: bool,
    /// Programs that are connected to the card, who keeps others out first.
    pub held_by: Vec<HolderView>,
}

/// A program that is connected to a card.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct HolderView {
    /// Its name; of cardlab's own programs also what they do. Empty where the system does not tell.
    pub program: String,
    /// Its process; 0 where the system does not tell.
    pub process: u32,
    /// `exclusive`, `transaction` (others wait) or `shared`.
    pub how: String,
    /// Since when it is connected, in seconds since 1970.
    pub since: u64,
}

impl HolderView {
    /// Whether it is this program, as it holds the card now.
    pub(crate) fn is(&self, holder: &Holder) -> bool {
        let Self { program, process, how, since } = self;
        **program == *holder.program && *process == holder.process && how == how_word(holder.how) && *since == since_then(holder)
    }
}

impl From<Holder> for HolderView {
    fn from(holder: Holder) -> Self {
        let (how, since) = (how_word(holder.how).into(), since_then(&holder));
        Self { program: holder.program.to_string(), process: holder.process, how, since }
    }
}

const fn how_word(how: Holding) -> &'static str {
    match how {
        Holding::Exclusive => "exclusive",
        Holding::Transaction => "transaction",
        Holding::Shared => "shared",
    }
}

fn since_then(holder: &Holder) -> u64 {
    holder.since.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// A card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct CardView {
    /// Its profile; of a card that is not simulated, where it comes from.
    pub profile: String,
    /// Its serial number, where it is simulated.
    pub serial: Option<u32>,
    /// Whether it has power.
    pub powered: bool,
    /// Whether it gives no answer until it is reset.
    pub mute: bool,
    /// The selected application: `piv`, `gids`, `management`, `otp`.
    pub selected: Option<String>,
    /// Whether a PIN is verified.
    pub pin_verified: bool,
    /// Whether the administrator key is authenticated.
    pub admin_verified: bool,
    /// The challenge that waits for its response, in hexadecimal; `hidden` for one that is not given out in the clear.
    pub challenge: Option<String>,
    /// PIN.
    pub pin: Option<TriesView>,
    /// PUK.
    pub puk: Option<TriesView>,
    /// Administrator key, where the card counts it.
    pub admin_key: Option<TriesView>,
    /// Global PIN.
    pub global_pin: Option<TriesView>,
    /// `auto`, `never`, `wait`, `after=200ms`.
    pub touch: String,
    /// How long commands take: `off`, a model such as `yubikey-5`, or times such as `any:10+sign:475`.
    pub pace: String,
    /// Faults that wait.
    pub faults: Vec<String>,
    /// Commands that can be undone.
    pub undoable: usize,
}

/// The tries of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct TriesView {
    /// Tries left.
    pub left: u8,
    /// What a success restores.
    pub maximum: u8,
}

impl From<RetryCounter> for TriesView {
    fn from(counter: RetryCounter) -> Self {
        Self { left: counter.left, maximum: counter.maximum }
    }
}

impl CardView {
    pub(crate) fn of(card: &VirtualCard) -> Self {
        let simulated = card.card();
        let counted = |reference| simulated.and_then(|card| tries(card, reference)).map(TriesView::from);
        let [pin, puk, admin_key, global_pin] = COUNTED.map(counted);
        let standing = simulated.map(Card::standing).unwrap_or_default();
        Self {
            profile: card.name().to_owned(),
            serial: simulated.map(Card::serial),
            powered: card.is_powered(),
            mute: card.is_mute(),
            selected: simulated.and_then(Card::selected).map(str::to_owned),
            pin_verified: standing.pin,
            admin_verified: standing.admin,
            challenge: standing.pending.as_ref().map(challenge_words),
            pin,
            puk,
            admin_key,
            global_pin,
            touch: card.touch().to_string(),
            pace: card.pace().to_string(),
            faults: card.faults().waiting().iter().map(ToString::to_string).collect(),
            undoable: card.journal().map_or(0, |journal| journal.undoable()),
        }
    }
}

/// A challenge, as [`CardView::challenge`] has it.
pub(crate) fn challenge_words(challenge: &Challenge) -> String {
    match challenge {
        Challenge::Clear(challenge) => cardlab_protocol::codes::digits(challenge),
        Challenge::Hidden => "hidden".into(),
    }
}

/// `in`, `out` or `unplugged`.
#[must_use]
pub const fn word(whereabouts: Whereabouts) -> &'static str {
    match whereabouts {
        Whereabouts::In => "in",
        Whereabouts::Out => "out",
        Whereabouts::Unplugged => "unplugged",
    }
}

impl ReaderView {
    /// As it is now.
    pub(crate) fn of(rack: &Rack, place: Place) -> Self {
        let card = rack.card(place);
        Self {
            number: place.number(),
            name: rack.name(place),
            card_is: word(rack.whereabouts(place)).into(),
            card: card.try_lock().map(|card| CardView::of(&card)),
            touch_awaited: card.button().is_waiting(),
            held_by: rack.holders(place).into_iter().map(HolderView::from).collect(),
        }
    }
}

/// A reset.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reset {
    /// Takes the card's power away for a moment.
    pub cold: bool,
    /// Resets the reader's USB device, and so the card: handles of before speak to nobody.
    pub usb: bool,
}

/// The other reader of a swap.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// Its number, its name or the beginning of its name.
    pub with: String,
}

/// A new card.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCard {
    /// As `--card` has it: `PROFILE[,KEY=VALUE]..`. Files of keys are read where the readers run.
    pub card: String,
    /// A key file that is sent along, in Base64: PEM, DER, PKCS#12, OpenSSH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub key_file: Option<Secret>,
    /// Its name, for what is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_name: Option<String>,
    /// The slot of its key; that of the owner's key where nothing is said (9A, 81 of a GIDS card).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_slot: Option<String>,
    /// Opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub key_password: Option<Secret>,
}

/// Where to bring a card: a state by its name, or tries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    /// `fresh`, `last-try`, `pin-blocked`, `puk-blocked`, `admin-blocked`, `blocked`, `lost`.
    pub state: Option<String>,
    /// Tries of the PIN.
    pub pin_left: Option<u8>,
    /// Tries of the PUK.
    pub puk_left: Option<u8>,
    /// Tries of the administrator key.
    pub admin_left: Option<u8>,
}

impl Wanted {
    /// As the card's bench takes it.
    ///
    /// # Errors
    /// For a state that there is not.
    pub(crate) fn tries(&self) -> Result<Tries, cardlab_vreader::state::StateError> {
        let named: Tries = self.state.as_deref().map(str::parse).transpose()?.unwrap_or_default();
        let or = |given: Option<u8>, named: Option<Left>| given.map(Left::Exactly).or(named);
        Ok(Tries {
            pin: or(self.pin_left, named.pin),
            puk: or(self.puk_left, named.puk),
            admin: or(self.admin_left, named.admin),
            global_pin: named.global_pin,
        })
    }
}

/// How questions for a touch are answered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TouchView {
    /// `auto`, `never`, `wait`, `after=200ms`.
    pub touch: String,
}

/// How long commands take.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaceView {
    /// `off`, `yubikey-5`, `nitrokey-3`, `java-card`, or milliseconds by class: `any:10+sign:475`.
    pub pace: String,
}

/// What a person does at a keypad.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TypedView {
    /// Digits, `cancel`, or `nothing`: one for each question of the reader.
    #[serde(deserialize_with = "crate::secret::several")]
    #[schema(value_type = Vec<String>)]
    pub entries: Vec<Secret>,
}

/// A fault.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultView {
    /// As `remove-after,ins=87,nth=2`.
    pub fault: String,
}

/// Which records of the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// After the exchange of this number.
    pub after: Option<u64>,
    /// Commands of this instruction, two hexadecimal digits.
    pub ins: Option<String>,
    /// Commands whose name has this in it, such as `VERIFY`.
    pub name: Option<String>,
    /// Answered with this status word; `x` stands for any digit.
    pub status: Option<String>,
    /// Of programs whose name has this in it, such as `ssh`; capitals do not count.
    pub program: Option<String>,
}

/// Of which reader's card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Of {
    /// Its number, its name or the beginning of its name; all readers where nothing is said.
    pub reader: Option<String>,
}

/// A recording to begin.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RecordingOrder {
    /// What the scenario shows; *Recorded at the bench* where nothing is said.
    pub title: Option<String>,
    /// That PINs and keys of the cards may be in it: it does not run without.
    pub secrets: bool,
}

/// What is being recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordingView {
    /// Whether these readers record scenarios.
    pub possible: bool,
    /// Whether one is being recorded.
    pub under_way: bool,
    /// Its title.
    pub title: String,
    /// Commands and events so far.
    pub records: usize,
    /// Those that will be missing.
    pub missed: u64,
}

/// What was made of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Written {
    /// The scenario's file.
    pub text: String,
    /// Steps in it.
    pub steps: usize,
    /// What happened and is not in it, and why.
    pub left_out: Vec<String>,
}

/// What must be in the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Claim {
    /// Which records count.
    pub which: Which,
    /// Exactly so many.
    pub count: Option<usize>,
    /// At least so many; 1 where nothing is said.
    pub at_least: Option<usize>,
}

/// Whether it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClaimResult {
    /// Whether the claim holds.
    pub holds: bool,
    /// How many records count.
    pub found: usize,
}

/// What becomes of the secrets of a snapshot.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SnapshotOrder {
    /// `masked` (the usual), `clear`, or `sealed` with the passphrase.
    pub secrets: Option<String>,
    /// Seals the secrets.
    #[schema(value_type = Option<String>)]
    pub passphrase: Option<Secret>,
    /// Keeps it here under this name as well.
    pub keep: Option<String>,
}

/// A snapshot to go back to: its text, or the name that it is kept under.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RestoreOrder {
    /// Text of a snapshot.
    pub text: Option<String>,
    /// Opens it.
    #[schema(value_type = Option<String>)]
    pub passphrase: Option<Secret>,
    /// Or one that is kept.
    pub kept: Option<String>,
}

/// Tries to spend with wrong values, as a program does.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LockOrder {
    /// `pin`, `puk` or `admin`.
    pub secret: crate::hand::Spent,
    /// Tries to leave; none where nothing is said.
    #[serde(default)]
    pub left: u8,
}

/// How many commands to take back.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoOrder {
    /// So many.
    pub count: usize,
}

/// What to wait for.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct WaitFor {
    /// The card: `in`, `out`, `unplugged`, or `touch` when it waits for one.
    pub card: Option<String>,
    /// A command of this instruction that comes from now on.
    pub ins: Option<String>,
    /// Milliseconds; 10,000 where nothing is said, 600,000 at most.
    pub limit: Option<u64>,
}
