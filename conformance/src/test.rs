//! A test: what it is called, where it comes from, what it needs, what it may do.

use crate::bench::{Bench, Checked};
use crate::keys::KeyKind;
use crate::place::Place;
use cardlab_client::recognise::Edge;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How binding the source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The standard requires it.
    Must,
    /// The standard recommends it, or every client counts on it.
    Should,
    /// A maker's documentation, for cards of that maker.
    Profile,
}

/// What a test may do to a card, the mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Danger {
    /// Reads, and presents right credentials.
    Safe,
    /// Presents wrong ones; the right one gives the tries back.
    SpendsTries,
    /// Writes objects, keys or reference data, and puts back what can be.
    ChangesKeys,
    /// Runs tries down to the last; what unblocks gives them back.
    Locks,
    /// Leaves the card as new, or unusable.
    Resets,
}

impl Danger {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Safe, Self::SpendsTries, Self::ChangesKeys, Self::Locks, Self::Resets];

    /// As on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::SpendsTries => "spends-tries",
            Self::ChangesKeys => "changes-keys",
            Self::Locks => "locks",
            Self::Resets => "resets",
        }
    }
}

impl Level {
    /// As on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Profile => "profile",
        }
    }
}

impl fmt::Display for Danger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a card or a target must have for a test to apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A PIV application.
    Piv,
    /// A PIV card that is no YubiKey: the standard alone rules.
    PlainPiv,
    /// A YubiKey with at least this firmware.
    YubiKey([u8; 3]),
    /// A GIDS application with its file system.
    Gids,
    /// A GIDS application in its creation state.
    GidsBlank,
    /// The administrator key unblocks the PIN.
    AdminUnblock,
    /// The PIN is known.
    Pin,
    /// The PUK is known.
    Puk,
    /// The administrator key is known.
    AdminKey,
    /// The administrator key's tries are counted.
    AdminTries,
    /// A card that is new for this test.
    New,
    /// Power can be cut inside a command.
    TearPoints,
    /// PC/SC between test and card.
    Pcsc,
    /// Extended-length commands.
    ExtendedLength,
    /// A prime search on the card, which takes its time.
    RsaKeyGeneration,
    /// No card: the test brings a server, a lock screen and cards with it.
    Server,
}

impl Need {
    /// As shown and filtered.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Piv => "piv".into(),
            Self::PlainPiv => "plain-piv".into(),
            Self::YubiKey([0, 0, 0]) => "yubikey".into(),
            Self::YubiKey([a, b, c]) => format!("yubikey-{a}.{b}.{c}"),
            Self::Gids => "gids".into(),
            Self::GidsBlank => "gids-blank".into(),
            Self::AdminUnblock => "admin-unblock".into(),
            Self::Pin => "pin".into(),
            Self::Puk => "puk".into(),
            Self::AdminKey => "admin-key".into(),
            Self::AdminTries => "admin-tries".into(),
            Self::New => "new-card".into(),
            Self::TearPoints => "tear-points".into(),
            Self::Pcsc => "pcsc".into(),
            Self::ExtendedLength => "extended-length".into(),
            Self::RsaKeyGeneration => "rsa-keygen".into(),
            Self::Server => "server".into(),
        }
    }

    /// Whether a card of this edge can have it at all.
    #[must_use]
    pub fn fits(self, edge: Edge) -> bool {
        match (self, edge) {
            (Self::Piv, Edge::Piv { .. }) | (Self::PlainPiv, Edge::Piv { yubikey: None, .. }) => true,
            (Self::YubiKey(least), Edge::Piv { yubikey: Some(version), .. }) => version >= least,
            (Self::Gids, Edge::Gids { initialised }) => initialised,
            (Self::GidsBlank, Edge::Gids { initialised }) => !initialised,
            (Self::AdminUnblock, Edge::Gids { initialised: true } | Edge::Piv { admin_unblock: true, .. }) => true,
            (Self::Piv | Self::PlainPiv | Self::YubiKey(_) | Self::Gids | Self::GidsBlank | Self::AdminUnblock, _) => false,
            _ => true,
        }
    }
}

/// The card that a test wishes for, beyond its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Settings of a simulated card.
    pub settings: Vec<(String, String)>,
    /// Keys in slots, from the suite's own.
    pub keys: Vec<(u8, KeyKind)>,
}

type Body = Box<dyn Fn(&mut Bench<'_>) -> Checked + Send + Sync>;

/// One test.
pub struct Test {
    /// Its place in a standard: `piv/800-73-4-2/3.2.1/wrong-pin-costs-a-try`. Never changes its meaning.
    pub id: String,
    /// What holds when it passes.
    pub title: String,
    /// Standard and section.
    pub source: String,
    /// How binding it is.
    pub level: Level,
    /// What it may do to a card.
    pub danger: Danger,
    /// What it needs.
    pub needs: Vec<Need>,
    /// The card that it wishes for.
    pub wish: Wish,
    /// What it may write, PIN and PUK aside.
    pub writes: Vec<Place>,
    body: Body,
}

impl Test {
    pub(crate) fn new(
        id: String,
        title: &str,
        source: &str,
        level: Level,
        needs: Vec<Need>,
        body: impl Fn(&mut Bench<'_>) -> Checked + Send + Sync + 'static,
    ) -> Self {
        Self {
            id,
            title: title.into(),
            source: source.into(),
            level,
            danger: Danger::Safe,
            needs,
            wish: Wish::default(),
            writes: Vec::new(),
            body: Box::new(body),
        }
    }

    /// The section: the id without its last part.
    #[must_use]
    pub fn section(&self) -> &str {
        self.id.rsplit_once('/').map_or("", |(section, _)| section)
    }

    /// Runs the body.
    ///
    /// # Errors
    /// [`crate::bench::Stop`] says why the test did not pass.
    pub fn perform(&self, bench: &mut Bench<'_>) -> Checked {
        (self.body)(bench)
    }

    pub(crate) fn danger(&mut self, danger: Danger) -> &mut Self {
        self.danger = self.danger.max(danger);
        self
    }

    pub(crate) fn writes(&mut self, places: &[Place]) -> &mut Self {
        self.writes.extend_from_slice(places);
        self
    }

    pub(crate) fn spends(&mut self) -> &mut Self {
        self.danger(Danger::SpendsTries)
    }

    pub(crate) fn changes(&mut self) -> &mut Self {
        self.danger(Danger::ChangesKeys)
    }

    pub(crate) fn locks(&mut self) -> &mut Self {
        self.danger(Danger::Locks)
    }

    pub(crate) fn resets(&mut self) -> &mut Self {
        self.danger(Danger::Resets)
    }

    pub(crate) fn needs(&mut self, needs: &[Need]) -> &mut Self {
        self.needs.extend_from_slice(needs);
        self
    }

    pub(crate) fn source(&mut self, source: &str) -> &mut Self {
        self.source = source.into();
        self
    }

    pub(crate) fn level(&mut self, level: Level) -> &mut Self {
        self.level = level;
        self
    }

    /// A simulated card with this setting; other cards are not asked.
    pub(crate) fn with(&mut self, setting: &str, value: &str) -> &mut Self {
        self.wish.settings.push((setting.into(), value.into()));
        self
    }

    /// A key of this kind in this slot.
    pub(crate) fn key(&mut self, slot: u8, kind: KeyKind) -> &mut Self {
        self.wish.keys.push((slot, kind));
        self
    }
}
