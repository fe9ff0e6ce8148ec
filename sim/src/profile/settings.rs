//! The settings of a card: what a person can change on top of a profile, by the name that stands on
//! the command line (`pin-tries=5`), in a test's wish and in a scenario.
//!
//! `table` is the only list of them. Parsing, error texts, `cardlab profile settings`, `docs/settings.md` and
//! what a snapshot carries are made from it. (Settings of a *reader* - its name, its keypad - and keys
//! from files are not a card's; `cardlab_vreader::setup` has those.)

use super::table::{Row, TABLE, row};
use super::{Profile, ProfileError};

/// What is known of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name: what stands before the `=`.
    pub name: &'static str,
    /// Another name for it, where cards of different kinds call it differently.
    pub alias: Option<&'static str>,
    /// What it changes for the person who uses the card.
    pub changes: &'static str,
    /// What may stand behind the `=`.
    pub values: &'static str,
    /// The cards that have it.
    pub cards: Cards,
    /// Where it stays.
    pub kept: Kept,
}

/// Which cards have a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cards {
    /// All.
    All,
    /// Those with the PIV card edge, YubiKeys among them.
    Piv,
    /// Those with the GIDS card edge.
    Gids,
    /// YubiKeys.
    YubiKey,
    /// Those with the PIV card edge as NIST has it.
    Nist,
    /// Those whose administrator key may count wrong responses.
    Managed,
}

/// Where a setting stays once the card is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In its memory: it is the first content, and commands change it from then on. Every setting that
    /// holds a secret is one of these.
    Memory,
    /// With the card, as a rule that no command changes: whoever keeps the card's memory has to keep
    /// this too.
    Rule,
    /// Round the card, in [`crate::conditions`]: it may change while the card works.
    Condition,
}

impl Setting {
    /// A row of a table of settings.
    #[must_use]
    pub const fn of(name: &'static str, cards: Cards, kept: Kept, changes: &'static str, values: &'static str) -> Self {
        Self { name, alias: None, changes, values, cards, kept }
    }

    /// With another name.
    #[must_use]
    pub const fn or(self, alias: &'static str) -> Self {
        Self { alias: Some(alias), ..self }
    }

    /// All settings of a card, in the order in which people want to read them.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        TABLE.iter().map(|row| &row.setting)
    }

    /// The setting of this name or alias.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        row(name).map(|row| &row.setting)
    }

    /// Its names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.alias)
    }
}

impl Cards {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::All => "all cards",
            Self::Piv => "PIV cards",
            Self::Gids => "GIDS cards",
            Self::YubiKey => "YubiKeys",
            Self::Nist => "nist-piv and piv-admin",
            Self::Managed => "GIDS cards and piv-admin",
        }
    }

    /// Whether a card of this profile is one of them.
    #[must_use]
    pub fn include(self, profile: &Profile) -> bool {
        match self {
            Self::All => true,
            Self::Piv => profile.piv.is_some(),
            Self::Gids => profile.gids.is_some(),
            Self::YubiKey => profile.yubikey.is_some(),
            Self::Nist => profile.piv.is_some() && profile.yubikey.is_none(),
            Self::Managed => profile.gids.is_some() || profile.piv.as_ref().is_some_and(|piv| piv.admin_unblock),
        }
    }
}

/// Settings whose values are not repeated in an error.
const SECRETS: [&str; 5] = ["pin", "puk", "global-pin", "management-key", "pairing"];

/// What an error says of a value: a secret that is refused may be somebody's, with a slip in it.
pub(super) fn shown<'v>(name: &str, value: &'v str) -> &'v str {
    if SECRETS.contains(&name) && !value.is_empty() { ".." } else { value }
}

impl Profile {
    /// Changes one value, by the name of a [`Setting`].
    ///
    /// # Errors
    /// [`ProfileError`] that lists the settings there are, or says which cards have this one or what
    /// the value should be.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ProfileError> {
        let Some(Row { setting, set }) = row(name) else {
            let known = Setting::all().flat_map(Setting::names).collect::<Vec<_>>().join(", ");
            return Err(ProfileError::UnknownSetting { key: name.into(), known });
        };
        if !setting.cards.include(self) {
            let (key, profile) = (name.into(), self.name.clone());
            return Err(ProfileError::OtherCard { key, cards: setting.cards.words(), profile });
        }
        set(self, value).ok_or_else(|| ProfileError::Value {
            key: name.into(),
            value: shown(setting.name, value).into(),
            expected: setting.values.into(),
        })?;
        if setting.kept == Kept::Rule {
            self.chosen.rules.insert(setting.name, value.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_refused_is_not_repeated() {
        let mut profile = Profile::builtin("nist-piv").unwrap();
        for (name, value) in [("puk", "1234"), ("global-pin", "12"), ("management-key", "0102030405"), ("admin-key", "xyz")] {
            let error = profile.set(name, value).unwrap_err().to_string();
            assert!(error.starts_with(&format!("'..' is no value for {name}: ")), "{error}");
        }
        let error = profile.set("pairing", "4711471").unwrap_err().to_string();
        assert!(error.starts_with("'..' is no value for pairing: "), "{error}");
        assert!(SECRETS.iter().all(|name| row(name).is_some_and(|row| row.setting.name == *name)));
    }

    /// A value that each setting can have.
    const EXAMPLES: [(&str, &str); 29] = [
        ("tries-writable", "off"),
        ("serial", "123"),
        ("pin", "654321"),
        ("puk", "87654321"),
        ("pin-tries", "5"),
        ("puk-tries", "4"),
        ("pin-min", "6"),
        ("pin-max", "8"),
        ("management-key", "000102030405060708090A0B0C0D0E0F1011121314151617"),
        ("admin-key", "000102030405060708090A0B0C0D0E0F1011121314151617"),
        ("management-algorithm", "3des"),
        ("admin-algorithm", "3des"),
        ("admin-tries", "none"),
        ("card-id", "00112233445566778899AABBCCDDEEFF"),
        ("global-pin", "111222"),
        ("global-pin-tries", "4"),
        ("chuid", "00010203-0405-4607-8809-0a0b0c0d0e0f"),
        ("touch", "never"),
        ("interface", "contactless"),
        ("atr", "3B020102"),
        ("version", "5.4.3"),
        ("applications", "piv+oath"),
        ("pin-complexity", "on"),
        ("extended-length", "off"),
        ("open-files", "off"),
        ("product", "GIDS"),
        ("sm", "cs7"),
        ("lists", "rsa2048+p256"),
        ("pairing", "65135275"),
    ];

    #[test]
    fn every_setting_is_taken_by_the_cards_that_have_it_and_by_no_others() {
        let named: Vec<&str> = Setting::all().flat_map(Setting::names).collect();
        assert_eq!(named.len(), EXAMPLES.len());
        for name in Profile::names() {
            for (key, value) in EXAMPLES {
                let mut profile = Profile::builtin(name).unwrap();
                let setting = Setting::named(key).unwrap();
                let error = profile.set(key, value).err().map(|e| e.to_string());
                if setting.cards.include(&profile) {
                    // A card may have one algorithm only.
                    assert!(error.is_none() || key.ends_with("-algorithm"), "{name}: {error:?}");
                } else {
                    let cards = setting.cards.words();
                    assert_eq!(error, Some(format!("card setting '{key}' is for {cards}; {name} is another kind")));
                }
            }
        }
    }

    #[test]
    fn a_value_that_makes_no_sense_changes_nothing_and_is_explained() {
        for name in Profile::names() {
            for setting in Setting::all() {
                let mut profile = Profile::builtin(name).unwrap();
                let before = format!("{profile:?}");
                let error = profile.set(setting.name, "").unwrap_err().to_string();
                let expected = match setting.cards.include(&profile) {
                    true => format!("'' is no value for {}: {}", setting.name, setting.values),
                    false => format!("card setting '{}' is for {}", setting.name, setting.cards.words()),
                };
                assert!(error.starts_with(&expected), "{error}");
                assert_eq!(format!("{profile:?}"), before, "{name}: {}", setting.name);
            }
        }
    }

    #[test]
    fn a_pin_has_the_characters_that_its_card_takes() {
        let takes = |profile: &str, pin: &str| Profile::builtin(profile).unwrap().set("pin", pin).is_ok();
        assert!(takes("nist-piv", "135791") && !takes("nist-piv", "13579a"), "digits");
        assert!(takes("yubikey-5.7", "135791") && takes("yubikey-5.7", "abcdef") && !takes("yubikey-5.7", ""));
    }

    #[test]
    fn errors_list_what_is_known() {
        let mut profile = Profile::builtin("yubikey-5.4").unwrap();
        let e = profile.set("colour", "red").unwrap_err().to_string();
        assert!(e.starts_with("no card setting named 'colour'; there are: serial, pin,"), "{e}");
        let e = profile.set("pin-tries", "0").unwrap_err().to_string();
        assert_eq!(e, "'0' is no value for pin-tries: a number from 1 to the profile's limit");
    }

    #[test]
    fn settings_are_taken_together() {
        let mut profile = Profile::builtin("nist-piv").unwrap();
        for (key, value) in EXAMPLES {
            if Setting::named(key).unwrap().cards.include(&profile) {
                profile.set(key, value).unwrap_or_else(|e| panic!("{e}"));
            }
        }
        assert_eq!(profile.chosen.global_pin, Some(("111222".into(), 4)));
        assert_eq!(profile.chosen.rules.get("pin-tries").map(String::as_str), Some("5"));
        assert!(!profile.chosen.rules.values().any(|value| value == "654321"), "a secret is no rule");
        assert!(profile.set("version", "5.4.3").is_err(), "not a YubiKey");
        assert!(profile.set("pin-tries", "11").is_err(), "SP 800-73 allows 10");
    }
}
