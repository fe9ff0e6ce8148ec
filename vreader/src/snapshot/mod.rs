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
//! Secrets are there in the clear, sealed with a passphrase (`seal`), or masked: such a snapshot is for reading
//! only. Secret is every record that [`cardlab_sim::memory`] does not call public. What a card keeps in RAM - a
//! verified PIN, a pending challenge - is not part of it.

mod error;
mod seal;

pub use error::SnapshotError;

use crate::chip::NotSimulated;
use crate::icc::VirtualCard;
use cardlab_sim::memory;
use cardlab_sim::nvm::{Change, Nvm, RecordId, Records};
use cardlab_sim::profile::Kept;
use cardlab_sim::{Card, Profile, Setting, World};
use cardlab_whole as whole;
use seal::{SALT, Seal};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use zeroize::Zeroizing;

const FORMAT: &str = "cardlab-snapshot";
const VERSION: u32 = 1;
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

/// A card's state. Has no `Debug`: it holds secrets.
pub struct Snapshot {
    profile: String,
    settings: BTreeMap<String, String>,
    records: Records,
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

/// The settings that a snapshot carries, since they are not in the card's memory.
fn carried() -> impl Iterator<Item = &'static str> {
    Setting::all().filter(|setting| setting.kept != Kept::Memory).map(|setting| setting.name)
}

impl Snapshot {
    /// Of a card.
    #[must_use]
    pub fn of(card: &Card) -> Self {
        let (profile, now) = (card.profile(), card.conditions());
        let mut settings: BTreeMap<String, String> =
            profile.chosen.rules.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        settings.insert("touch".into(), now.touch.to_string());
        settings.insert("interface".into(), now.interface.to_string());
        Self { profile: profile.name.clone(), settings, records: card.nvm().records().clone() }
    }

    /// Of a card on the bench.
    ///
    /// # Errors
    /// [`NotSimulated`] for a guest.
    pub fn of_virtual(card: &VirtualCard) -> Result<Self, NotSimulated> {
        card.card().map(Self::of).ok_or_else(|| NotSimulated(card.name().to_owned()))
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
                let salt = Seal::salt()?;
                ("sealed", hex::encode_upper(salt), Some(Seal::new(passphrase, &salt)?))
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
                (Secrets::Clear, _) => hex::encode_upper(value),
                _ if memory::is_public(&self.records, *id) => hex::encode_upper(value),
                (_, Some(seal)) => format!("sealed:{}", hex::encode_upper(seal.close(&name, value)?)),
                _ => format!("masked:{}", value.len()),
            };
            let _ = writeln!(out, "{name} = \"{value}\"  # {}", memory::name(*id));
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
        if text.trim().is_empty() {
            return Err(SnapshotError::Nothing);
        }
        let written: Written = toml::from_str(text).map_err(|error| {
            let line = whole::line_of(text, error.span().map_or(0, |span| span.start));
            SnapshotError::Form { line, reason: whole::excerpt(error.message()) }
        })?;
        if written.format != FORMAT {
            return Err(SnapshotError::Format(written.format));
        }
        if written.version != VERSION {
            return Err(SnapshotError::Version(written.version));
        }
        if let Some(name) = written.settings.keys().find(|name| !carried().any(|known| known == name.as_str())) {
            let known = carried().collect::<Vec<_>>().join(", ");
            return Err(SnapshotError::System(format!("a snapshot has no setting '{name}'; there are: {known}")));
        }
        let seal = match (written.secrets.as_str(), passphrase) {
            ("clear", _) => None,
            ("masked", _) => return Err(SnapshotError::Masked),
            ("sealed", None) => return Err(SnapshotError::NoPassphrase),
            ("sealed", Some(passphrase)) => {
                let salt = hex::decode(&written.salt).ok().filter(|salt| salt.len() == SALT);
                let salt = salt.ok_or_else(|| SnapshotError::System(format!("salt is {SALT} bytes in hexadecimal")))?;
                Some(Seal::new(passphrase, &salt)?)
            }
            (other, _) => return Err(SnapshotError::System(format!("secrets are 'clear', 'masked' or 'sealed', not '{other}'"))),
        };
        let mut records = Records::new();
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
                    seal.open(name, &bytes(sealed)?).ok_or_else(|| SnapshotError::Sealed(name.clone()))?
                }
            };
            records.insert(id, Zeroizing::new(value));
        }
        if memory::profile_name(&records).ok() != Some(&written.profile) {
            let id = format!("{:08X}", memory::HEADER.0);
            return Err(SnapshotError::Record { id, reason: "it does not name the profile".into() });
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
        Ok(Card::with_records(profile, world, &self.records)?)
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
        let gone = nvm.records().keys().filter(|id| !self.records.contains_key(id));
        gone.map(|id| (*id, None)).chain(self.records.iter().map(|(id, value)| (*id, Some(value.clone())))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardlab_sim::Touch;
    use cardlab_sim::reference::{PIN, PUK};
    use proptest::prelude::*;
    use std::sync::{LazyLock, Mutex};

    fn card(profile: &str) -> Card {
        let mut profile = Profile::builtin(profile).unwrap();
        profile.set("touch", "never").unwrap();
        Card::new(profile, World::seeded(4)).unwrap()
    }

    fn sealed() -> Secrets {
        Secrets::Sealed(Zeroizing::new("pass".into()))
    }

    /// What stands behind the `=` of a record.
    fn written(text: &str, id: RecordId) -> &str {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{:08X} = \"", id.0))).unwrap();
        line.split('"').next().unwrap()
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
            for secrets in [Secrets::Clear, sealed()] {
                let text = Snapshot::of(&first).write(&secrets).unwrap();
                let again = Snapshot::read(&text, Some("pass")).unwrap().card(World::seeded(9)).unwrap();
                assert_eq!(again.nvm().records(), first.nvm().records(), "{profile}");
                assert_eq!(again.conditions().touch, Touch::Never);
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
        let sealed = Snapshot::of(&first).write(&sealed()).unwrap();
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
    fn a_record_that_nobody_knows_is_masked_and_sealed() {
        let mut first = card("gids");
        let unknown = [
            RecordId::new(8, 1),
            RecordId::new(0xFF, 0),
            RecordId::new(0, 5),
            RecordId::new(1, 0x200),
            RecordId::new(4, 0x1_0000),
        ];
        let secret = b"nobody knows what this is";
        let changes = unknown.map(|id| (id, Some(Zeroizing::new(secret.to_vec()))));
        first.nvm_mut().rewrite(changes.into()).unwrap();
        let masked = Snapshot::of(&first).write(&Secrets::Masked).unwrap();
        let sealed = Snapshot::of(&first).write(&sealed()).unwrap();
        for text in [&masked, &sealed] {
            assert!(!text.contains(&hex::encode_upper(secret)), "{text}");
        }
        for id in unknown {
            assert_eq!(written(&masked, id), format!("masked:{}", secret.len()));
            assert!(written(&sealed, id).starts_with("sealed:"));
        }
        let again = Snapshot::read(&sealed, Some("pass")).unwrap().card(World::seeded(9)).unwrap();
        assert_eq!(again.nvm().records(), first.nvm().records());
    }

    #[test]
    fn what_was_set_and_what_surrounds_the_card_now_comes_back() {
        let mut profile = Profile::builtin("gids").unwrap();
        for (name, value) in [("pin-min", "8"), ("pin", "11223344"), ("admin-tries", "9"), ("interface", "contactless")] {
            profile.set(name, value).unwrap();
        }
        let mut first = Card::new(profile, World::seeded(4)).unwrap();
        first.set_touch(Touch::Never);
        let text = Snapshot::of(&first).write(&sealed()).unwrap();
        assert!(!text.contains("11223344"), "{text}");
        let again = Snapshot::read(&text, Some("pass")).unwrap().card(World::seeded(9)).unwrap();
        assert_eq!(again.conditions(), first.conditions());
        assert_eq!((again.profile().pin.min_length, again.profile().management_key.tries), (8, 9));
        assert!(PIN.is(again.nvm(), b"11223344"));
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

    /// A new card of each profile; some take long to make.
    static CARDS: LazyLock<BTreeMap<&str, Mutex<Card>>> =
        LazyLock::new(|| Profile::names().map(|name| (name, Mutex::new(card(name)))).collect());

    proptest! {
        #[test]
        fn only_what_is_public_is_in_the_clear(
            profile in proptest::sample::select(Profile::names().collect::<Vec<_>>()),
            added in proptest::collection::vec(
                (prop_oneof![0u8..8, any::<u8>()], prop_oneof![0u32..0x300, 0x5F_C100u32..0x5F_C130, 0u32..0x100_0000], proptest::collection::vec(any::<u8>(), 0..24)),
                0..20,
            ),
        ) {
            let mut snapshot = Snapshot::of(&CARDS[profile].lock().unwrap());
            snapshot.records.extend(added.into_iter().map(|(area, index, value)| (RecordId::new(area, index), Zeroizing::new(value))));
            let text = snapshot.write(&Secrets::Masked).unwrap();
            for (id, value) in &snapshot.records {
                let expected = match memory::is_public(&snapshot.records, *id) {
                    true => hex::encode_upper(value),
                    false => format!("masked:{}", value.len()),
                };
                prop_assert_eq!(written(&text, *id), expected);
            }
        }

        #[test]
        fn any_text_is_a_snapshot_or_an_error(text in "(format = \"cardlab-snapshot\"\nversion = 1\nprofile = \"gids\"\nsecrets = \"clear\"\n\\[records\\]\n)?([0-9A-F]{8} = \"[0-9A-F]{0,8}\"\n){0,3}\\PC{0,30}") {
            if let Ok(snapshot) = Snapshot::read(&text, Some("")) {
                let _ = snapshot.card(World::seeded(1));
            }
        }
    }
}
