//! Profiles: what a card is, as data.
//!
//! A profile is a TOML file of `profiles/`. Whatever differs between real cards stands there, each
//! difference with its source under `[sources]`. [`Profile::set`] changes one value by the name
//! that people use on the command line (`pin-tries=5`).

use crate::atr::Atr;
use crate::crypto::asymmetric::Algorithm;
use crate::status::StatusWord;
use cardlab_protocol::admin_key::Cipher;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use thiserror::Error;

/// The profiles that come with the crate: name and TOML text.
const BUILTIN: [(&str, &str); 7] = [
    ("gids", include_str!("../profiles/gids.toml")),
    ("gids-blank", include_str!("../profiles/gids-blank.toml")),
    ("nist-piv", include_str!("../profiles/nist-piv.toml")),
    ("piv-admin", include_str!("../profiles/piv-admin.toml")),
    ("yubikey-4.3", include_str!("../profiles/yubikey-4.3.toml")),
    ("yubikey-5.4", include_str!("../profiles/yubikey-5.4.toml")),
    ("yubikey-5.7", include_str!("../profiles/yubikey-5.7.toml")),
];

/// Everything that makes one kind of card different from another.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// Name, as given to `--card`.
    pub name: String,
    /// One sentence for lists.
    pub description: String,
    /// The card below its applications.
    pub card: CardRules,
    /// PIN of the application, reference 80.
    pub pin: PinRules,
    /// PIN Unblocking Key, reference 81; PIV cards have one.
    pub puk: Option<PukRules>,
    /// Administration key: 9B on a PIV card, B080 on a GIDS card.
    pub management_key: ManagementKeyRules,
    /// The PIV card edge.
    pub piv: Option<PivRules>,
    /// The GIDS card edge; a card has one edge or the other.
    pub gids: Option<GidsRules>,
    /// YubiKey's additions, where the card has them.
    pub yubikey: Option<YubiKeyRules>,
    /// Where each value was read: `"piv.apt"` = text.
    pub sources: BTreeMap<String, String>,
    /// What the person who set up this card chose; not part of the file.
    #[serde(skip)]
    pub chosen: Chosen,
}

/// The card below its applications.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CardRules {
    /// Answer to reset.
    #[serde(deserialize_with = "hex_bytes")]
    pub atr: Vec<u8>,
    /// Reader name without its ` RR SS` ending.
    pub reader: String,
    /// Whether extended lengths are understood; otherwise 6700.
    pub extended_length: bool,
    /// Instructions that may be chained; empty means all.
    pub chained: Vec<u8>,
    /// SW2 of 61xx when 256 bytes or more are left.
    pub many_left: u8,
    /// Longest joined command data in bytes; more is 6700.
    pub buffer: usize,
    /// Whether PIV is selected after a reset without a SELECT.
    pub piv_is_default: bool,
}

/// Which bytes a PIN may have. PIV pads it with FF to eight bytes, GIDS does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinFormat {
    /// ASCII digits.
    Digits,
    /// Bytes of any kind; on a PIV card not FF.
    Any,
}

/// What a malformed value costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Malformed {
    /// 6A80 (GIDS: 6700), nothing is spent.
    Refused,
    /// 63Cx with the tries left, nothing is spent.
    Told,
    /// It is compared like any other and costs a try.
    Counted,
}

/// PIN of the application.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PinRules {
    /// Factory value.
    pub value: String,
    /// Factory tries.
    pub tries: u8,
    /// The most tries this card can be given.
    pub max_tries: u8,
    /// Allowed bytes.
    pub format: PinFormat,
    /// Fewest bytes, padding not counted.
    pub min_length: usize,
    /// Most bytes.
    pub max_length: usize,
    /// A malformed value in VERIFY or as the old value.
    pub malformed: Malformed,
    /// Answer to a malformed new value.
    pub malformed_new: StatusWord,
    /// Answer to the wrong value that spends the last try.
    pub last_wrong: StatusWord,
    /// Answer to the status query when blocked.
    pub blocked_query: StatusWord,
    /// Whether VERIFY with P1=FF forgets the verification.
    pub can_forget: bool,
    /// Whether repeated single characters and well-known values are refused as new PIN or PUK.
    pub complexity: bool,
}

impl PinRules {
    /// Whether a malformed value costs a try like any other.
    pub(crate) fn counts_malformed(&self) -> bool {
        self.malformed == Malformed::Counted
    }

    /// Whether a PIN may have `length` bytes.
    pub(crate) fn has_length(&self, length: usize) -> bool {
        (self.min_length..=self.max_length).contains(&length)
    }

    /// Whether `text`, without padding, has the form of a PIN.
    pub(crate) fn is_well_formed(&self, text: &[u8]) -> bool {
        self.has_length(text.len()) && (self.format == PinFormat::Any || text.iter().all(u8::is_ascii_digit))
    }
}

/// PIN Unblocking Key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PukRules {
    /// Factory value, at most 8 bytes.
    pub value: String,
    /// Factory tries.
    pub tries: u8,
    /// Fewest bytes before the FF padding.
    pub min_length: usize,
    /// Largest byte allowed.
    pub max_byte: u8,
    /// Whether RESET RETRY COUNTER keeps a verified PIN verified.
    pub unblock_keeps_pin: bool,
    /// Whether a wrong PUK in RESET RETRY COUNTER takes the PIN's verification away.
    pub wrong_clears_pin: bool,
}

/// Administration key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ManagementKeyRules {
    /// Factory algorithm.
    #[serde(deserialize_with = "cipher")]
    pub algorithm: Cipher,
    /// Factory key.
    #[serde(deserialize_with = "hex_bytes")]
    pub value: Vec<u8>,
    /// Algorithms it may have.
    #[serde(deserialize_with = "ciphers")]
    pub algorithms: Vec<Cipher>,
    /// Answer to a wrong response that costs nothing.
    pub wrong_response: StatusWord,
    /// Wrong responses that block the key for good; 0 when they cost nothing.
    pub tries: u8,
}

/// What tag 4F of the application property template holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TemplateAid {
    /// The whole AID.
    Full,
    /// The AID without the RID.
    Pix,
}

/// What is left of an object after PUT DATA with an empty value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmptyObject {
    /// Reading it answers `53 00`.
    Empty,
    /// Reading it answers 6A82.
    Absent,
}

/// How long one VERIFY serves a key that wants the PIN always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinAlways {
    /// Only for the very next command.
    NextCommand,
    /// Until a key with that policy is used.
    UntilUsed,
}

/// The PIV card edge.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PivRules {
    /// Shortest AID prefix that selects the application.
    pub aid_prefix: usize,
    /// Tag 4F of the application property template.
    pub template_aid: TemplateAid,
    /// Tag 50 of the application property template; empty for none.
    pub label: String,
    /// Whether selecting PIV again keeps the security status.
    pub reselect_keeps: bool,
    /// GENERAL AUTHENTICATE on a slot without a key.
    pub empty_slot: StatusWord,
    /// GENERAL AUTHENTICATE with another algorithm than the key's.
    pub wrong_algorithm: StatusWord,
    /// Objects that PUT DATA has emptied.
    pub empty_object: EmptyObject,
    /// Whether PUT DATA stores tags that SP 800-73 does not name (5F0000 to 5FFFFF).
    pub vendor_objects: bool,
    /// Longest value of a data object in bytes.
    pub max_object: usize,
    /// Algorithms that keys may have.
    #[serde(deserialize_with = "algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// Whether retired key slots can be generated.
    pub generate_retired: bool,
    /// How long a VERIFY serves a PIN-always key.
    pub pin_always: PinAlways,
    /// Whether the contactless interface is restricted as SP 800-73 says.
    pub contactless_rules: bool,
    /// Whether the card comes with CHUID and CCC.
    pub personalised: bool,
    /// Whether RESET RETRY COUNTER with P1=02 sets a new PIN after the administration key, as on a
    /// GIDS card: what tokens under a card management system offer beside the PUK.
    pub admin_unblock: bool,
}

/// The GIDS card edge.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GidsRules {
    /// Version of the application in its AID, 1 or 2.
    pub version: u8,
    /// Whether the card comes initialised: file system, PIN, administration key, card id. Otherwise
    /// it is in the creation state.
    pub initialised: bool,
    /// Algorithms that keys may have.
    #[serde(deserialize_with = "algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// Whether mutual authentication is offered beside external.
    pub mutual: bool,
    /// Most bytes of data objects and keys together.
    pub memory: usize,
}

/// YubiKey's additions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct YubiKeyRules {
    /// Firmware version.
    pub version: [u8; 3],
    /// GET SERIAL (F8) exists.
    pub serial: bool,
    /// ATTEST (F9) exists.
    pub attestation: bool,
    /// GET METADATA (F7) exists.
    pub metadata: bool,
    /// MOVE KEY and DELETE KEY (F6) exist.
    pub move_key: bool,
    /// Form factor of the attestation certificate and the device information.
    pub form_factor: u8,
    /// ATTEST on a key that was imported.
    pub attest_imported: StatusWord,
}

/// How a card answers the question for a touch, until something presses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Touch {
    /// Touched at once.
    #[default]
    Auto,
    /// Never touched: the operation fails.
    Never,
}

/// How the card is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Interface {
    /// Contacts (ISO/IEC 7816-3).
    #[default]
    Contact,
    /// Contactless (ISO/IEC 14443).
    Contactless,
}

/// What was chosen for one card on top of its profile.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// Serial number; random without it.
    pub serial: Option<u32>,
    /// Card UUID of the CHUID, or GIDS `cardid`; random without it.
    pub guid: Option<[u8; 16]>,
    /// Whole CHUID content.
    pub chuid: Option<Vec<u8>>,
    /// Global PIN (reference 00): value and tries.
    pub global_pin: Option<(String, u8)>,
    /// Touch.
    pub touch: Touch,
    /// Interface.
    pub interface: Interface,
    /// All settings but the secret ones, in the words they were given in, for keeping the card elsewhere.
    pub settings: Vec<(String, String)>,
}

/// A profile or a setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProfileError {
    /// No profile of that name.
    #[error("no profile named '{name}'; there are: {known}")]
    UnknownProfile {
        /// What was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// No setting of that name.
    #[error("no card setting named '{key}'; there are: {known}")]
    UnknownSetting {
        /// What was asked for.
        key: String,
        /// The names there are.
        known: String,
    },
    /// A value that the setting cannot have.
    #[error("'{value}' is no value for {key}: {expected}")]
    Value {
        /// The setting.
        key: String,
        /// What was given.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// The profile's text is wrong.
    #[error("profile: {0}")]
    Text(String),
}

/// The settings of [`Profile::set`], with what they want.
pub const SETTINGS: [(&str, &str); 22] = [
    ("serial", "a number from 1 to 4294967295"),
    ("pin", "as many characters of the kind that the profile allows"),
    ("puk", "6 to 8 characters (8 for NIST)"),
    ("pin-tries", "a number from 1 to the profile's limit"),
    ("puk-tries", "a number from 1 to the profile's limit"),
    ("pin-min", "fewest characters of a PIN, within what the profile allows"),
    ("pin-max", "most characters of a PIN, within what the profile allows"),
    ("admin-key", "hexadecimal; the same as management-key"),
    ("admin-algorithm", "the same as management-algorithm"),
    ("admin-tries", "none, or a number from 1 to 255 (GIDS and piv-admin)"),
    ("card-id", "32 hexadecimal digits (GIDS)"),
    ("management-key", "hexadecimal, as long as its algorithm needs"),
    ("management-algorithm", "3des, aes128, aes192 or aes256"),
    ("global-pin", "6 to 8 digits"),
    ("global-pin-tries", "a number from 1 to 10"),
    ("chuid", "a UUID, or the whole CHUID content in hexadecimal"),
    ("touch", "auto or never"),
    ("interface", "contact or contactless"),
    ("atr", "an answer to reset in hexadecimal"),
    ("version", "a firmware version such as 5.4.3 (YubiKey profiles)"),
    ("pin-complexity", "on or off"),
    ("extended-length", "on or off"),
];

/// Settings that hold a secret.
const SECRET_SETTINGS: [&str; 5] = ["pin", "puk", "global-pin", "management-key", "admin-key"];

impl Profile {
    /// The names of the built-in profiles.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|p| p.0)
    }

    /// The TOML text of a built-in profile.
    ///
    /// # Errors
    /// [`ProfileError::UnknownProfile`], naming those there are.
    pub fn text(name: &str) -> Result<&'static str, ProfileError> {
        BUILTIN.iter().find(|p| p.0 == name).map(|p| p.1).ok_or_else(|| ProfileError::UnknownProfile {
            name: name.into(),
            known: Self::names().collect::<Vec<_>>().join(", "),
        })
    }

    /// A built-in profile.
    ///
    /// # Errors
    /// [`ProfileError::UnknownProfile`], naming those there are.
    pub fn builtin(name: &str) -> Result<Self, ProfileError> {
        Self::parse(Self::text(name)?)
    }

    /// A profile from TOML text.
    ///
    /// # Errors
    /// [`ProfileError::Text`] with line and column.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text).map_err(|e| ProfileError::Text(e.to_string()))?;
        Atr::parse(&profile.card.atr).map_err(|e| ProfileError::Text(format!("card.atr: {e}")))?;
        match (&profile.piv, &profile.puk, &profile.gids) {
            (Some(_), Some(_), None) | (None, None, Some(_)) => Ok(profile),
            _ => Err(ProfileError::Text("a card has either [piv] with [puk], or [gids]".into())),
        }
    }

    /// The rules of the PIV card edge. Only its applet asks, and a card has that applet exactly when
    /// its profile has these rules.
    pub(crate) fn piv(&self) -> &PivRules {
        self.piv.as_ref().expect("a PIV applet is on PIV cards only")
    }

    /// The rules of the PUK: every PIV card has them ([`Profile::parse`]).
    pub(crate) fn puk(&self) -> &PukRules {
        self.puk.as_ref().expect("a PIV card has a PUK")
    }

    /// The rules of the GIDS card edge; as [`Profile::piv`].
    pub(crate) fn gids(&self) -> &GidsRules {
        self.gids.as_ref().expect("a GIDS applet is on GIDS cards only")
    }

    /// Changes one value, by the names of [`SETTINGS`].
    ///
    /// # Errors
    /// [`ProfileError`] that lists the settings there are, or says what the value should be.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), ProfileError> {
        let Some((_, expected)) = SETTINGS.iter().find(|s| s.0 == key) else {
            return Err(ProfileError::UnknownSetting { key: key.into(), known: SETTINGS.map(|s| s.0).join(", ") });
        };
        self.apply(key, value).ok_or_else(|| ProfileError::Value {
            key: key.into(),
            value: value.into(),
            expected: (*expected).into(),
        })?;
        if !SECRET_SETTINGS.contains(&key) {
            self.chosen.settings.push((key.into(), value.into()));
        }
        Ok(())
    }

    fn apply(&mut self, key: &str, value: &str) -> Option<()> {
        let switch = |v: &str| match v {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        };
        let tries = |limit: u8| value.parse().ok().filter(|n| (1..=limit).contains(n));
        let digits = |v: &str| (6..=8).contains(&v.len()) && v.bytes().all(|b| b.is_ascii_digit());
        match key {
            "serial" => self.chosen.serial = Some(value.parse().ok().filter(|n| *n > 0)?),
            "pin" => {
                // Lengths are looked at in `check`: pin-min may follow.
                let fits = !value.is_empty() && (self.pin.format == PinFormat::Any || value.bytes().all(|b| b.is_ascii_digit()));
                self.pin.value = fits.then(|| value.to_owned())?;
            }
            "puk" => {
                let puk = self.puk.as_mut()?;
                let fits = (puk.min_length..=8).contains(&value.len()) && value.bytes().all(|b| b <= puk.max_byte);
                puk.value = fits.then(|| value.to_owned())?;
            }
            "pin-tries" => self.pin.tries = tries(self.pin.max_tries)?,
            "puk-tries" => self.puk.as_mut()?.tries = tries(self.pin.max_tries)?,
            "pin-min" => self.pin.min_length = value.parse().ok().filter(|n| self.pin.has_length(*n))?,
            "pin-max" => self.pin.max_length = value.parse().ok().filter(|n| self.pin.has_length(*n))?,
            "admin-tries" => {
                let counts = self.gids.is_some() || self.piv.as_ref().is_some_and(|p| p.admin_unblock);
                let tries = if value == "none" { Some(0) } else { tries(u8::MAX) };
                self.management_key.tries = tries.filter(|_| counts)?;
            }
            "card-id" => {
                let id = unhex(value)?.try_into().ok().filter(|_| self.gids.is_some())?;
                self.chosen.guid = Some(id);
            }
            "management-key" | "admin-key" => {
                let bytes = unhex(value)?;
                // A key given before its algorithm: any length that some algorithm has.
                let fits = Cipher::ALL.iter().any(|c| c.key_len() == bytes.len());
                self.management_key.value = fits.then_some(bytes)?;
            }
            "management-algorithm" | "admin-algorithm" => {
                let cipher = Cipher::ALL.into_iter().find(|c| c.name() == value)?;
                self.management_key.algorithm = Some(cipher).filter(|c| self.management_key.algorithms.contains(c))?;
            }
            "global-pin" => {
                let tries = self.chosen.global_pin.as_ref().map_or(10, |g| g.1);
                self.chosen.global_pin = Some((Some(value).filter(|v| digits(v))?.to_owned(), tries));
            }
            "global-pin-tries" => {
                let value = self.chosen.global_pin.take().map_or_else(|| "12345678".into(), |g| g.0);
                self.chosen.global_pin = Some((value, tries(10)?));
            }
            "chuid" => {
                let bytes = unhex(&value.replace('-', ""))?;
                match <[u8; 16]>::try_from(bytes.as_slice()) {
                    Ok(guid) => self.chosen.guid = Some(guid),
                    Err(_) => self.chosen.chuid = Some(Some(bytes).filter(|b| b.len() > 16)?),
                }
            }
            "touch" => {
                self.chosen.touch = match value {
                    "auto" => Touch::Auto,
                    "never" => Touch::Never,
                    _ => return None,
                }
            }
            "interface" => {
                self.chosen.interface = match value {
                    "contact" => Interface::Contact,
                    "contactless" => Interface::Contactless,
                    _ => return None,
                }
            }
            "atr" => {
                let bytes = unhex(value)?;
                Atr::parse(&bytes).ok()?;
                self.card.atr = bytes;
            }
            "version" => {
                let numbers: Vec<u8> = value.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
                self.yubikey.as_mut()?.version = numbers.try_into().ok()?;
            }
            "pin-complexity" => self.pin.complexity = switch(value)?,
            "extended-length" => self.card.extended_length = switch(value)?,
            _ => return None,
        }
        Some(())
    }

    /// Checks what several settings have to agree on.
    ///
    /// # Errors
    /// [`ProfileError::Value`] when the PIN has another length than allowed, or the management key
    /// does not fit its algorithm.
    pub fn check(&self) -> Result<(), ProfileError> {
        if !self.pin.is_well_formed(self.pin.value.as_bytes()) {
            let kind = if self.pin.format == PinFormat::Digits { "digits" } else { "characters" };
            return Err(ProfileError::Value {
                key: "pin".into(),
                value: self.pin.value.clone(),
                expected: format!("{} to {} {kind}", self.pin.min_length, self.pin.max_length),
            });
        }
        let (key, cipher) = (&self.management_key.value, self.management_key.algorithm);
        if key.len() == cipher.key_len() {
            return Ok(());
        }
        Err(ProfileError::Value {
            key: "management-key".into(),
            value: format!("{} bytes", key.len()),
            expected: format!("{} needs {} bytes (management-algorithm= chooses)", cipher.name(), cipher.key_len()),
        })
    }
}

/// Bytes of a hexadecimal text; `None` when it is none.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    Some(digits.chunks(2).map(|d| (d[0] << 4 | d[1]) as u8).collect())
}

fn hex_bytes<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(d)?;
    unhex(&text).ok_or_else(|| serde::de::Error::custom(format!("'{text}' is not hexadecimal")))
}

fn cipher_named<E: serde::de::Error>(name: &str) -> Result<Cipher, E> {
    Cipher::ALL.into_iter().find(|c| c.name() == name).ok_or_else(|| E::custom(format!("no cipher '{name}'")))
}

fn cipher<'de, D: Deserializer<'de>>(d: D) -> Result<Cipher, D::Error> {
    cipher_named(&String::deserialize(d)?)
}

fn ciphers<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Cipher>, D::Error> {
    Vec::<String>::deserialize(d)?.iter().map(|n| cipher_named(n)).collect()
}

fn algorithms<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Algorithm>, D::Error> {
    let names = Vec::<String>::deserialize(d)?;
    names.iter().map(|n| Algorithm::from_name(n).ok_or_else(|| serde::de::Error::custom(format!("no algorithm '{n}'")))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_a_builtin_profile_has_a_source() {
        for name in Profile::names() {
            let profile = Profile::builtin(name).unwrap();
            assert_eq!(profile.name, name);
            profile.check().unwrap();
            let table: toml::Table = toml::from_str(Profile::text(name).unwrap()).unwrap();
            let mut rules = Vec::new();
            for section in ["card", "pin", "puk", "management-key", "piv", "gids", "yubikey"] {
                if let Some(toml::Value::Table(keys)) = table.get(section) {
                    rules.extend(keys.keys().map(|k| format!("{section}.{k}")));
                }
            }
            for rule in &rules {
                assert!(profile.sources.contains_key(rule), "{name}: no source for {rule}");
            }
            for source in profile.sources.keys() {
                assert!(rules.contains(source), "{name}: source of nothing: {source}");
            }
        }
    }

    #[test]
    fn errors_list_what_is_known() {
        let e = Profile::builtin("yubikey-9").unwrap_err().to_string();
        assert_eq!(
            e,
            "no profile named 'yubikey-9'; there are: gids, gids-blank, nist-piv, piv-admin, yubikey-4.3, yubikey-5.4, yubikey-5.7"
        );
        let mut profile = Profile::builtin("yubikey-5.4").unwrap();
        let e = profile.set("colour", "red").unwrap_err().to_string();
        assert!(e.starts_with("no card setting named 'colour'; there are: serial, pin,"), "{e}");
        let e = profile.set("pin-tries", "0").unwrap_err().to_string();
        assert_eq!(e, "'0' is no value for pin-tries: a number from 1 to the profile's limit");
        profile.set("pin", "12345").unwrap();
        assert_eq!(profile.check().unwrap_err().to_string(), "'12345' is no value for pin: 6 to 8 characters");
        profile.set("pin", "123456").unwrap();
        assert!(profile.set("management-algorithm", "aes256").is_ok());
        assert!(profile.check().unwrap_err().to_string().contains("aes256 needs 32 bytes"));
    }

    #[test]
    fn settings_are_taken() {
        let mut profile = Profile::builtin("nist-piv").unwrap();
        for (key, value) in [
            ("serial", "123"),
            ("pin", "654321"),
            ("puk", "87654321"),
            ("pin-tries", "5"),
            ("puk-tries", "4"),
            ("management-key", "000102030405060708090A0B0C0D0E0F1011121314151617"),
            ("global-pin", "111222"),
            ("global-pin-tries", "4"),
            ("chuid", "00010203-0405-4607-8809-0a0b0c0d0e0f"),
            ("touch", "never"),
            ("interface", "contactless"),
            ("atr", "3B020102"),
            ("pin-complexity", "on"),
            ("extended-length", "off"),
        ] {
            profile.set(key, value).unwrap_or_else(|e| panic!("{e}"));
        }
        assert_eq!(profile.chosen.global_pin, Some(("111222".into(), 4)));
        assert!(profile.set("version", "5.4.3").is_err(), "not a YubiKey");
        assert!(profile.set("pin-tries", "11").is_err(), "SP 800-73 allows 10");
    }
}
