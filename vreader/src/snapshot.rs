//! A card's whole state as text: for review, for a drawer, for another reader or process.
//!
//! ```toml
//! format = "cardlab-snapshot"
//! version = 1
//! profile = "gids"
//! secrets = "masked"
//!
//! [settings]
//! touch = "never"
//!
//! [records]
//! 00000001 = "4FD06B01"    # serial number
//! 01000080 = "masked:8"    # PIN, value
//! 01000180 = "0003"        # PIN, tries left and maximum
//! ```
//! PINs and private keys are there in the clear, sealed with a passphrase (Argon2id, AES-256-GCM; each bound to
//! its record), or masked: such a snapshot is for reading only. What a card keeps in RAM - a verified PIN, a
//! pending challenge - is not part of it.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use cardlab_sim::card::{Card, CardError, World};
use cardlab_sim::nvm::{Change, Nvm, RecordId, StoreError};
use cardlab_sim::profile::{Profile, ProfileError};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use thiserror::Error;
use zeroize::Zeroizing;

const FORMAT: &str = "cardlab-snapshot";
const VERSION: u32 = 1;
/// The record that says what the others are: the format of a card's records, its profile.
const HEADER: RecordId = RecordId::new(0, 0);
const FORMAT_BYTE: u8 = 1;
const NONCE: usize = 12;
const SALT: usize = 16;
/// Argon2id, first choice of RFC 9106 for little memory, section 4.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// Settings that a card has beyond its memory.
const SETTINGS: [&str; 9] =
    ["touch", "interface", "atr", "version", "pin-complexity", "extended-length", "pin-tries", "puk-tries", "admin-tries"];
/// More text is no card.
const LONGEST: usize = 4 * 1024 * 1024;

/// What becomes of PINs and keys.
#[derive(Clone)]
pub enum Secrets {
    /// As they are.
    Clear,
    /// Only their length: for reading.
    Masked,
    /// Sealed with this passphrase.
    Sealed(Zeroizing<String>),
}

/// Why there is no snapshot, or no card from one.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// Not TOML of this form.
    #[error("line {line}: {reason}")]
    Form {
        /// From 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Something else, or from another version.
    #[error("this is version {0} of a snapshot; this cardlab knows version {VERSION}")]
    Version(u32),
    /// Not a snapshot.
    #[error("this is no snapshot of a card: its format is '{0}'")]
    Format(String),
    /// A record that is none.
    #[error("record {id}: {reason}")]
    Record {
        /// As written.
        id: String,
        /// What is wrong.
        reason: String,
    },
    /// Only for reading.
    #[error("the secrets of this snapshot are masked: it is for reading, no card can be made from it")]
    Masked,
    /// Sealed, and nothing to open it with.
    #[error("the secrets of this snapshot are sealed: give its passphrase (CARDLAB_PASSPHRASE on the command line)")]
    NoPassphrase,
    /// A wrong passphrase, or a record that was changed.
    #[error("record {0} does not open: the passphrase is wrong, or the snapshot was changed")]
    Sealed(String),
    /// The system.
    #[error("{0}")]
    System(String),
    /// Another profile than the card's.
    #[error("the snapshot is of a {snapshot}, the card in the reader is a {card}: start a reader with --card @FILE")]
    OtherProfile {
        /// The snapshot's.
        snapshot: String,
        /// The card's.
        card: String,
    },
    /// The profile.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The card's memory.
    #[error("card memory: {0}")]
    Store(#[from] StoreError),
}

/// A card's state. Has no `Debug`: it holds secrets.
pub struct Snapshot {
    profile: String,
    settings: BTreeMap<String, String>,
    records: BTreeMap<RecordId, Zeroizing<Vec<u8>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    version: u32,
    profile: String,
    secrets: String,
    #[serde(default)]
    salt: String,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    records: BTreeMap<String, String>,
}

/// Whether a record is a PIN, a PUK, a private key, or an object that may hold one.
const fn is_secret(id: RecordId) -> bool {
    const PRINTED_INFORMATION: u32 = 0x5F_C109;
    match id.area() {
        1 => id.index() < 0x100,
        2 => true,
        3 => id.index() == PRINTED_INFORMATION,
        _ => false,
    }
}

/// What a record is, for people.
fn meaning(id: RecordId) -> String {
    let reference = |index: u32| match index {
        0x00 => "Global PIN".to_owned(),
        0x80 => "PIN".into(),
        0x81 => "PUK".into(),
        0x9B => "administration key".into(),
        other => format!("reference {other:02X}"),
    };
    match (id.area(), id.index()) {
        (0, 0) => "format and profile".into(),
        (0, 1) => "serial number".into(),
        (1, index @ 0x100..) => format!("{}, tries left and maximum", reference(index - 0x100)),
        (1, index) => format!("{}, value", reference(index)),
        (2, index) => format!("key {index:02X}"),
        (3, index) => format!("data object {index:X}"),
        (4, index) => format!("file {index:04X}"),
        (5, index) => format!("data object in slot {index}"),
        (area, _) => format!("area {area}"),
    }
}

impl Snapshot {
    /// Of a card.
    #[must_use]
    pub fn of(card: &Card) -> Self {
        let profile = card.profile();
        let kept = profile.chosen.settings.iter().filter(|(name, _)| SETTINGS.contains(&name.as_str()));
        Self {
            profile: profile.name.clone(),
            settings: kept.cloned().collect(),
            records: card.nvm().records().map(|(id, value)| (id, Zeroizing::new(value.to_vec()))).collect(),
        }
    }

    /// The card's profile.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// As text.
    ///
    /// # Errors
    /// [`SnapshotError::System`] when the system gives no random numbers for sealing.
    pub fn write(&self, secrets: &Secrets) -> Result<String, SnapshotError> {
        let mut out = String::from("# A card of cardlab. `cardlab card restore` and --card @FILE read it.\n");
        let (word, salt, seal) = match secrets {
            Secrets::Clear => ("clear", String::new(), None),
            Secrets::Masked => ("masked", String::new(), None),
            Secrets::Sealed(passphrase) => {
                let mut salt = [0; SALT];
                random(&mut salt)?;
                ("sealed", hex::encode_upper(salt), Some(key(passphrase, &salt)?))
            }
        };
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let _ = writeln!(out, "format = \"{FORMAT}\"\nversion = {VERSION}\nprofile = {}", quoted(&self.profile));
        let _ = writeln!(out, "secrets = \"{word}\"");
        if !salt.is_empty() {
            let _ = writeln!(out, "salt = \"{salt}\"");
        }
        out.push_str("\n[settings]\n");
        for (name, value) in &self.settings {
            let _ = writeln!(out, "{name} = {}", quoted(value));
        }
        out.push_str("\n[records]\n");
        for (id, value) in &self.records {
            let name = format!("{:08X}", id.0);
            let value = match (secrets, &seal) {
                (Secrets::Masked, _) if is_secret(*id) => format!("masked:{}", value.len()),
                (_, Some(seal)) if is_secret(*id) => {
                    let mut nonce = [0; NONCE];
                    random(&mut nonce)?;
                    let payload = Payload { msg: value, aad: name.as_bytes() };
                    let sealed = seal.encrypt(&Nonce::from(nonce), payload).map_err(|e| SnapshotError::System(e.to_string()))?;
                    format!("sealed:{}", hex::encode_upper([&nonce[..], &sealed].concat()))
                }
                _ => hex::encode_upper(value),
            };
            let _ = writeln!(out, "{name} = \"{value}\"  # {}", meaning(*id));
        }
        Ok(out)
    }

    /// Reads text back.
    ///
    /// # Errors
    /// [`SnapshotError`], with the line or the record.
    pub fn read(text: &str, passphrase: Option<&str>) -> Result<Self, SnapshotError> {
        if text.len() > LONGEST {
            return Err(SnapshotError::System(format!("a snapshot of more than {LONGEST} bytes is none")));
        }
        let written: Written = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1;
            SnapshotError::Form { line, reason: error.message().lines().next().unwrap_or_default().to_owned() }
        })?;
        if written.format != FORMAT {
            return Err(SnapshotError::Format(written.format));
        }
        if written.version != VERSION {
            return Err(SnapshotError::Version(written.version));
        }
        if let Some(name) = written.settings.keys().find(|name| !SETTINGS.contains(&name.as_str())) {
            return Err(SnapshotError::System(format!("a snapshot has no setting '{name}'; there are: {}", SETTINGS.join(", "))));
        }
        let seal = match (written.secrets.as_str(), passphrase) {
            ("clear", _) => None,
            ("masked", _) => return Err(SnapshotError::Masked),
            ("sealed", None) => return Err(SnapshotError::NoPassphrase),
            ("sealed", Some(passphrase)) => {
                let salt = hex::decode(&written.salt).ok().filter(|salt| salt.len() == SALT);
                let salt = salt.ok_or_else(|| SnapshotError::System(format!("salt is {SALT} bytes in hexadecimal")))?;
                Some(key(passphrase, &salt)?)
            }
            (other, _) => return Err(SnapshotError::System(format!("secrets are 'clear', 'masked' or 'sealed', not '{other}'"))),
        };
        let mut records = BTreeMap::new();
        for (name, value) in &written.records {
            let wrong = |reason: &str| SnapshotError::Record { id: name.clone(), reason: reason.into() };
            let id = u32::from_str_radix(name, 16).ok().filter(|_| name.len() == 8);
            let id = RecordId(id.ok_or_else(|| wrong("its name is not eight hexadecimal digits"))?);
            let bytes = |digits: &str| hex::decode(digits).map_err(|_| wrong("its value is not hexadecimal"));
            let value = match (value.strip_prefix("sealed:"), &seal) {
                (None, _) if value.starts_with("masked:") => return Err(SnapshotError::Masked),
                (None, _) => bytes(value)?,
                (Some(_), None) => return Err(wrong("it is sealed, the snapshot is not")),
                (Some(sealed), Some(seal)) => {
                    let sealed = bytes(sealed)?;
                    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or_else(|| wrong("it is too short"))?;
                    let payload = Payload { msg: sealed, aad: name.as_bytes() };
                    seal.decrypt(&Nonce::from(*nonce), payload).map_err(|_| SnapshotError::Sealed(name.clone()))?
                }
            };
            records.insert(id, Zeroizing::new(value));
        }
        // What a card looks at when it is opened.
        let header = [&[FORMAT_BYTE][..], written.profile.as_bytes()].concat();
        if records.get(&HEADER).map(|value| value.as_slice()) != Some(&header) {
            return Err(SnapshotError::Record { id: format!("{:08X}", HEADER.0), reason: "it does not name the profile".into() });
        }
        Ok(Self { profile: written.profile, settings: written.settings, records })
    }

    /// A card of this state in `world`; one that `world` keeps already stays as it is.
    ///
    /// # Errors
    /// [`SnapshotError`] when the profile is not known, or the store fails.
    pub fn card(&self, world: World) -> Result<Card, SnapshotError> {
        let mut profile = Profile::builtin(&self.profile)?;
        for (name, value) in &self.settings {
            profile.set(name, value)?;
        }
        let is_new = world.store.load()?.is_empty();
        let mut card = Card::new(profile, world)?;
        if is_new {
            self.restore(&mut card)?;
        }
        Ok(card)
    }

    /// Sets a card that is there to this state; its store gets it too. Reset it afterwards.
    ///
    /// # Errors
    /// [`SnapshotError::OtherProfile`]; what the store says.
    pub fn restore(&self, card: &mut Card) -> Result<(), SnapshotError> {
        if card.profile().name != self.profile {
            return Err(SnapshotError::OtherProfile { snapshot: self.profile.clone(), card: card.profile().name.clone() });
        }
        let changes = self.changes(card.nvm());
        Ok(card.nvm_mut().rewrite(changes)?)
    }

    /// What makes a memory to this one.
    fn changes(&self, nvm: &Nvm) -> Vec<Change> {
        let gone = nvm.records().map(|(id, _)| id).filter(|id| !self.records.contains_key(id));
        let gone: Vec<Change> = gone.map(|id| (id, None)).collect();
        gone.into_iter().chain(self.records.iter().map(|(id, value)| (*id, Some(value.clone())))).collect()
    }
}

fn random(out: &mut [u8]) -> Result<(), SnapshotError> {
    getrandom::fill(out).map_err(|e| SnapshotError::System(e.to_string()))
}

fn key(passphrase: &str, salt: &[u8]) -> Result<Aes256Gcm, SnapshotError> {
    let failed = |e: argon2::Error| SnapshotError::System(e.to_string());
    let params = argon2::Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(failed)?;
    let mut key = Zeroizing::new([0; 32]);
    let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    hasher.hash_password_into(passphrase.as_bytes(), salt, &mut *key).map_err(failed)?;
    Aes256Gcm::new_from_slice(&*key).map_err(|e| SnapshotError::System(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardlab_sim::profile::Profile;
    use cardlab_sim::reference::{PIN, PUK};
    use proptest::prelude::*;

    fn card(profile: &str) -> Card {
        let mut profile = Profile::builtin(profile).unwrap();
        profile.set("touch", "never").unwrap();
        Card::new(profile, World::seeded(4)).unwrap()
    }

    fn records(card: &Card) -> Vec<(RecordId, Vec<u8>)> {
        card.nvm().records().map(|(id, value)| (id, value.to_vec())).collect()
    }

    fn error(text: &str) -> String {
        Snapshot::read(text, None).err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_card_comes_back_as_it_was() {
        for profile in Profile::names() {
            let mut first = card(profile);
            first.power_on();
            first.transmit(&[0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8]).unwrap();
            first.transmit(b"\x00\x20\x00\x80\x08999999\xFF\xFF").unwrap();
            for secrets in [Secrets::Clear, Secrets::Sealed(Zeroizing::new("pass".into()))] {
                let text = Snapshot::of(&first).write(&secrets).unwrap();
                let again = Snapshot::read(&text, Some("pass")).unwrap().card(World::seeded(9)).unwrap();
                assert_eq!(records(&again), records(&first), "{profile}");
                assert_eq!(again.profile().chosen.touch, cardlab_sim::profile::Touch::Never);
                assert_eq!(PIN.counter(again.nvm()), PIN.counter(first.nvm()));
            }
        }
    }

    #[test]
    fn secrets_are_not_in_masked_and_sealed_text() {
        let first = card("nist-piv");
        let [pin, puk] = [&b"123456"[..], b"12345678"].map(hex::encode_upper);
        let clear = Snapshot::of(&first).write(&Secrets::Clear).unwrap();
        assert!(clear.contains(&pin) && clear.contains(&puk));
        let sealed = Snapshot::of(&first).write(&Secrets::Sealed(Zeroizing::new("pass".into()))).unwrap();
        let masked = Snapshot::of(&first).write(&Secrets::Masked).unwrap();
        for text in [&sealed, &masked] {
            assert!(!text.contains(&pin) && !text.contains(&puk) && text.contains("# PIN, value"), "{text}");
        }
        assert!(error(&masked).contains("are masked: it is for reading"));
        assert!(error(&sealed).contains("give its passphrase"));
        let wrong = Snapshot::read(&sealed, Some("word")).err().unwrap().to_string();
        assert!(wrong.contains("the passphrase is wrong"), "{wrong}");
        // One record's seal is worth nothing at another's place.
        let moved = sealed.replace("01000080 = ", "x").replace("01000081 = ", "01000080 = ").replace('x', "01000081 = ");
        assert!(Snapshot::read(&moved, Some("pass")).is_err());
    }

    #[test]
    fn mistakes_are_explained() {
        let text = Snapshot::of(&card("gids")).write(&Secrets::Clear).unwrap();
        assert_eq!(
            error(&text.replace("version = 1", "version = 2")),
            "this is version 2 of a snapshot; this cardlab knows version 1"
        );
        assert!(error(&text.replace("cardlab-snapshot", "other")).contains("its format is 'other'"));
        assert!(error(&text.replace("01000080", "1000080")).contains("not eight hexadecimal digits"));
        assert!(error(&text.replace("01000080 = \"", "01000080 = \"z")).contains("not hexadecimal"));
        assert!(error(&text.replace("profile = \"gids\"", "profile = \"nist-piv\"")).contains("does not name the profile"));
        assert!(error(&text.replace("[settings]", "[settings]\ncolour = \"red\"")).contains("no setting 'colour'"));
        assert!(error("format = 3").starts_with("line 1: "));
        let mut other = card("nist-piv");
        let snapshot = Snapshot::read(&text, None).unwrap();
        assert!(
            snapshot.restore(&mut other).unwrap_err().to_string().contains("is of a gids, the card in the reader is a nist-piv")
        );
        assert!(PUK.exists(other.nvm()));
    }

    proptest! {
        #[test]
        fn any_text_is_a_snapshot_or_an_error(text in "(format = \"cardlab-snapshot\"\nversion = 1\nprofile = \"gids\"\nsecrets = \"clear\"\n\\[records\\]\n)?([0-9A-F]{8} = \"[0-9A-F]{0,8}\"\n){0,3}\\PC{0,30}") {
            if let Ok(snapshot) = Snapshot::read(&text, Some("")) {
                let _ = snapshot.card(World::seeded(1));
            }
        }
    }
}
