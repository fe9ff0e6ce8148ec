//! The settings of a request for a card: those of its reader and of keys from files, which stand in
//! the table here, and those of the card itself, which [`cardlab_sim::profile::Setting`] lists.
//!
//! Parsing, error texts, `cardlab profile settings`, the help of `--card` and `docs/settings.md` are made from
//! both together.

use super::{CardRequest, KeySource, SetupError};
use cardlab_sim::profile::{Cards, Kept};
use cardlab_sim::{Profile, Setting};

/// All settings, in the order in which people want to read them.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    TABLE.iter().map(|row| &row.setting).chain(Setting::all())
}

/// The settings that a card of this profile has.
pub fn of(profile: &Profile) -> impl Iterator<Item = &'static Setting> {
    all().filter(move |setting| setting.cards.include(profile))
}

/// Their names, for a sentence.
pub(super) fn names() -> String {
    all().flat_map(Setting::names).collect::<Vec<_>>().join(", ")
}

/// The names of those that a card from a snapshot can have.
pub(super) fn names_of_reader() -> String {
    let names = TABLE.iter().filter(|row| row.of_reader).map(|row| format!("{}=", row.setting.name));
    names.collect::<Vec<_>>().join(", ")
}

/// Sets one.
pub(super) fn set(request: &mut CardRequest, name: &str, value: &str) -> Result<(), SetupError> {
    let row = TABLE.iter().find(|row| (row.is)(name));
    if request.snapshot.is_some() && !row.is_some_and(|row| row.of_reader) {
        return Err(SetupError::OnlyReader(name.into()));
    }
    match row {
        Some(row) => (row.set)(request, name, value),
        None if Setting::named(name).is_some() => Ok(request.profile.set(name, value)?),
        None => Err(SetupError::UnknownSetting { key: name.into() }),
    }
}

/// A setting, and how it is set.
struct Row {
    setting: Setting,
    /// Whether it is the reader's, not the card's.
    of_reader: bool,
    is: fn(&str) -> bool,
    set: fn(&mut CardRequest, &str, &str) -> Result<(), SetupError>,
}

static TABLE: [Row; 6] = [
    Row {
        setting: Setting::of(
            "name",
            Cards::All,
            Kept::Condition,
            "the reader's name; a number is added",
            "1 to 121 bytes, no control characters",
        ),
        of_reader: true,
        is: |name| name == "name",
        set: |request, _, value| {
            let fits = (1..=121).contains(&value.len()) && !value.chars().any(char::is_control);
            request.name = Some(fits.then(|| value.to_owned()).ok_or_else(|| SetupError::Name(value.into()))?);
            Ok(())
        },
    },
    Row {
        setting: Setting::of(
            "pace",
            Cards::All,
            Kept::Condition,
            "how long commands take; without it as fast as can be",
            "milliseconds by class of command such as any:10+sign:475, or a model",
        ),
        of_reader: true,
        is: |name| name == "pace",
        set: |request, _, value| {
            request.pace = value.parse()?;
            Ok(())
        },
    },
    Row {
        setting: Setting::of(
            "pin-pad",
            Cards::All,
            Kept::Condition,
            "whether the reader has a keypad for PINs (`cardlab card type` presses its keys)",
            "on or off",
        ),
        of_reader: true,
        is: |name| name == "pin-pad",
        set: |request, _, value| {
            request.pin_pad = match value {
                "on" => true,
                "off" => false,
                _ => return Err(SetupError::PinPad(value.into())),
            };
            Ok(())
        },
    },
    Row {
        setting: Setting::of(
            "ca",
            Cards::Piv,
            Kept::Memory,
            "where the certificate goes of the throw-away CA that signs new: keys",
            "a file to be written",
        ),
        of_reader: false,
        is: |name| name == "ca",
        set: |request, _, value| {
            request.ca = Some(value.into());
            Ok(())
        },
    },
    Row {
        setting: Setting::of(
            "owner",
            Cards::All,
            Kept::Memory,
            "whose name the certificates of new keys have; a card that has none gets one: in slot 9a, or in container 0",
            "1 to 64 characters, no control characters",
        ),
        of_reader: false,
        is: |name| name == "owner",
        set: |request, _, value| {
            let fits = (1..=64).contains(&value.trim().chars().count()) && !value.chars().any(char::is_control);
            request.owner = Some(fits.then(|| value.trim().to_owned()).ok_or_else(|| SetupError::Owner(value.into()))?);
            Ok(())
        },
    },
    Row {
        setting: Setting::of(
            "9a, 9c, 9d, 9e, 82 to 95",
            Cards::Piv,
            Kept::Memory,
            "the key and the certificate in this slot",
            "KEY.pem[:CERTIFICATE.pem], FILE.p12[:PASSWORD], or new:ALGORITHM",
        ),
        of_reader: false,
        is: |name| slot(name).is_some(),
        set: |request, name, value| {
            if let Some(slot) = slot(name) {
                request.keys.push((slot, KeySource::parse(value)?));
            }
            Ok(())
        },
    },
];

/// A key slot by its usual two hexadecimal digits.
fn slot(key: &str) -> Option<u8> {
    let slot = u8::from_str_radix(key, 16).ok().filter(|_| key.len() == 2)?;
    cardlab_sim::keys::is_slot(slot).then_some(slot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// `CARDLAB_WRITE_DOCS=1` writes the page instead.
    #[test]
    fn the_page_of_settings_is_made_from_the_tables() {
        let mut page = String::from(
            "# Settings of a card\n\n\
             `--card PROFILE,SETTING=VALUE,..` (of `exec` and `up`) and the pytest fixtures take these; a scenario's `settings` take \
             those from `serial` on. \
             `cardlab profile settings [PROFILE]` shows them on the command line. \
             Made from the tables in `sim/src/profile/table.rs` and `vreader/src/setup/settings.rs` \
             (`CARDLAB_WRITE_DOCS=1 cargo test -p cardlab-vreader settings`).\n\n\
             | setting | what it changes | values | cards |\n|---|---|---|---|\n",
        );
        for setting in all() {
            let names = setting.names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let Setting { changes, values, cards, .. } = setting;
            let _ = writeln!(page, "| {names} | {changes} | {values} | {} |", cards.words());
        }
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/settings.md");
        if std::env::var_os("CARDLAB_WRITE_DOCS").is_some() {
            std::fs::write(file, &page).unwrap();
        }
        let written = std::fs::read_to_string(file).unwrap_or_default();
        assert_eq!(written, page, "docs/settings.md is out of date; CARDLAB_WRITE_DOCS=1 writes it");
    }

    #[test]
    fn no_name_means_two_settings() {
        let mut names: Vec<&str> = all().flat_map(Setting::names).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(TABLE[..5].iter().all(|row| (row.is)(row.setting.name)));
    }
}
