//! The settings of a request for a card: those of its reader and of keys from files, which stand in
//! the table here, and those of the card itself, which [`cardlab_sim::profile::Setting`] lists.
//!
//! Parsing, error texts, `cardlab profile settings`, the help of `--card` and `docs/settings.md` are made from
//! both together.

use super::keyfile::{Fault, KeyFile, KeyFileError};
use super::words::{self, Word};
use super::{CardRequest, KeySource, SetupError, objects};
use crate::pace::Pace;
use crate::usb::descriptor::{Wanted, is_string};
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
    let names = TABLE.iter().filter(|row| row.of_reader()).map(|row| format!("{}=", row.setting.name));
    names.collect::<Vec<_>>().join(", ")
}

/// What a setting is, whichever of its names it is given by: two of the same identity are the same setting twice.
pub(super) fn identity(name: &str) -> String {
    match (slot(name), objects::tag(name), Setting::named(name)) {
        (Some(slot), ..) => format!("{slot:02x}"),
        (None, Some(tag), _) => format!("{tag:x}"),
        (None, None, Some(setting)) => setting.name.to_owned(),
        _ => name.to_owned(),
    }
}

/// Sets one; `value` has its quotes yet.
pub(super) fn set(request: &mut CardRequest, name: &str, value: &str) -> Result<(), SetupError> {
    let row = TABLE.iter().find(|row| (row.is)(name));
    if request.snapshot.is_some() && !row.is_some_and(Row::of_reader) {
        return Err(SetupError::OnlyReader(name.into()));
    }
    match row {
        Some(Row { set: Set::Reader(set), .. }) => set(&mut request.reader, &Word::of(value).text),
        Some(Row { set: Set::Words(set), .. }) => set(request, name, value),
        Some(Row { set: Set::Word(set), .. }) => set(request, name, &Word::of(value).text),
        None if Setting::named(name).is_some() => Ok(request.profile.set(name, &Word::of(value).text)?),
        None => Err(SetupError::UnknownSetting { key: name.into() }),
    }
}

/// Whether this is set of the reader, and stays with it; how long commands take goes with the card.
pub(super) fn is_of_reader(name: &str) -> bool {
    name != "pace" && TABLE.iter().any(|row| (row.is)(name) && row.of_reader())
}

/// Sets one of the reader, or says that it is none of these; `value` has its quotes yet.
pub(super) fn set_of_reader(reader: &mut ReaderSettings, name: &str, value: &str) -> Option<Result<(), SetupError>> {
    match TABLE.iter().find(|row| (row.is)(name)) {
        Some(Row { set: Set::Reader(set), .. }) => Some(set(reader, &Word::of(value).text)),
        _ => None,
    }
}

/// A setting and its value as they are written in the text of a card: in quotes where the value needs them. Of a setting of
/// several words the value has its own.
#[must_use]
pub fn assignment(name: &str, value: &str) -> String {
    let row = TABLE.iter().find(|row| (row.is)(name));
    match row.map(|row| &row.set) {
        Some(Set::Words(_)) => format!("{name}={value}"),
        _ => format!("{name}={}", words::quote(value)),
    }
}

/// A value as it may be shown: of several words the first, which is a file, and of what goes into a card's memory only
/// what is no secret.
pub(super) fn shown(name: &str, value: &str) -> String {
    let Some(row) = TABLE.iter().find(|row| (row.is)(name)) else {
        let secret = Setting::named(name).is_some_and(|setting| setting.kept == Kept::Memory);
        return if secret { "..".to_owned() } else { value.to_owned() };
    };
    match (&row.set, words::split(value, ':').as_deref()) {
        (Set::Words(_), Ok([first, _, ..])) if *first != "new" => format!("{first}:.."),
        _ => value.to_owned(),
    }
}

/// A setting, and how it is set.
struct Row {
    setting: Setting,
    is: fn(&str) -> bool,
    set: Set,
}

type Setter = fn(&mut CardRequest, &str, &str) -> Result<(), SetupError>;

impl Row {
    /// Whether it is the reader's, not the card's.
    const fn of_reader(&self) -> bool {
        matches!(self.set, Set::Reader(_))
    }
}

/// What is set of a reader, whichever card is in it.
#[derive(Clone, Default)]
pub(super) struct ReaderSettings {
    pub(super) name: Option<String>,
    pub(super) pin_pad: bool,
    pub(super) pace: Pace,
    pub(super) usb: Wanted,
}

type ReaderSetter = fn(&mut ReaderSettings, &str) -> Result<(), SetupError>;

/// How a setting is set.
enum Set {
    /// By one word, of the reader and not of the card.
    Reader(ReaderSetter),
    /// By one word, without its quotes.
    Word(Setter),
    /// By several words between colons, each with its quotes.
    Words(Setter),
}

static TABLE: [Row; 12] = [
    Row {
        setting: Setting::of(
            "name",
            Cards::All,
            Kept::Condition,
            "the reader's name; a number is added",
            "1 to 121 bytes, no control characters",
        ),
        is: |name| name == "name",
        set: Set::Reader(|reader, value| {
            let fits = (1..=121).contains(&value.len()) && !value.chars().any(char::is_control);
            reader.name = Some(fits.then(|| value.to_owned()).ok_or_else(|| SetupError::Name(value.into()))?);
            Ok(())
        }),
    },
    Row {
        setting: Setting::of(
            "pace",
            Cards::All,
            Kept::Condition,
            "how long commands take; without it as fast as can be",
            "milliseconds by class of command such as any:10+sign:475, or a model",
        ),
        is: |name| name == "pace",
        set: Set::Reader(|reader, value| {
            reader.pace = value.parse()?;
            Ok(())
        }),
    },
    Row {
        setting: Setting::of(
            "pin-pad",
            Cards::All,
            Kept::Condition,
            "whether the reader has a keypad for PINs (`cardlab card type` presses its keys)",
            "on or off",
        ),
        is: |name| name == "pin-pad",
        set: Set::Reader(|reader, value| {
            reader.pin_pad = match value {
                "on" => true,
                "off" => false,
                _ => return Err(SetupError::PinPad(value.into())),
            };
            Ok(())
        }),
    },
    Row {
        setting: Setting::of(
            "usb",
            Cards::All,
            Kept::Condition,
            "who the reader is as a USB device (`up --usbredir`, `--usbip`); pcscd in a Linux guest takes readers by ids that libccid knows",
            "VID:PID, such as 0E0F:0004, or 1050:0407 of a YubiKey",
        ),
        is: |name| name == "usb",
        set: Set::Reader(|reader, value| {
            reader.usb.ids = Some(value.parse()?);
            Ok(())
        }),
    },
    Row {
        setting: Setting::of(
            "usb-product",
            Cards::All,
            Kept::Condition,
            "the product string of the USB device, which Linux shows in the reader's name",
            "1 to 60 characters",
        ),
        is: |name| name == "usb-product",
        set: Set::Reader(|reader, value| {
            reader.usb.product = Some(usb_string("usb-product", value)?);
            Ok(())
        }),
    },
    Row {
        setting: Setting::of(
            "usb-serial",
            Cards::All,
            Kept::Condition,
            "the serial number string of the USB device; that of the card by itself",
            "1 to 60 characters; two devices of a guest need different ones",
        ),
        is: |name| name == "usb-serial",
        set: Set::Reader(|reader, value| {
            reader.usb.serial = Some(usb_string("usb-serial", value)?);
            Ok(())
        }),
    },
    Row {
        setting: Setting::of(
            "usb-speed",
            Cards::All,
            Kept::Condition,
            "the bus of the USB device; a guest without EHCI and xHCI has none but full",
            "full or high",
        ),
        is: |name| name == "usb-speed",
        set: Set::Reader(|reader, value| {
            reader.usb.speed = value.parse().map_err(|()| SetupError::UsbSpeed(value.into()))?;
            Ok(())
        }),
    },
    Row {
        setting: Setting::of(
            "ca",
            Cards::Piv,
            Kept::Memory,
            "where the certificate goes of the throw-away CA that signs new: keys",
            "a file to be written",
        ),
        is: |name| name == "ca",
        set: Set::Word(|request, _, value| {
            request.ca = Some(value.into());
            Ok(())
        }),
    },
    Row {
        setting: Setting::of(
            "owner",
            Cards::All,
            Kept::Memory,
            "whose name the certificates of new keys have; a card that has none gets one: in slot 9a, or in container 0",
            "1 to 64 characters, no control characters",
        ),
        is: |name| name == "owner",
        set: Set::Word(|request, _, value| {
            let fits = (1..=64).contains(&value.trim().chars().count()) && !value.chars().any(char::is_control);
            request.owner = Some(fits.then(|| value.trim().to_owned()).ok_or_else(|| SetupError::Owner(value.into()))?);
            Ok(())
        }),
    },
    Row {
        setting: Setting::of(
            "9a, 9c, 9d, 9e, 82 to 95, f9",
            Cards::Piv,
            Kept::Memory,
            "the key and the certificate in this slot; f9 is what a YubiKey attests with",
            "KEY[:CERTIFICATE], FILE.p12[:PASSWORD[:NAME]] or new:ALGORITHM; then :self, :gzip, :env:VARIABLE, :file:PATH, :ask",
        ),
        is: |name| slot(name).is_some(),
        set: Set::Words(|request, name, value| {
            if let Some(slot) = slot(name) {
                request.keys.push((slot, KeySource::parse(value)?));
            }
            Ok(())
        }),
    },
    Row {
        setting: Setting::of(
            "5fc102 and other tags, ccc, discovery, security-object, fingerprints, face, iris, printed, key-history, bit-group, sm-signer, pairing-code",
            Cards::Piv,
            Kept::Memory,
            "a data object of a new card; an empty one takes away what the card would have",
            "a file with its value, or with the whole object as GET DATA answers it",
        ),
        is: |name| objects::tag(name).is_some(),
        set: Set::Word(|request, name, value| {
            if let Some(tag) = objects::tag(name) {
                request.objects.push((tag, value.into()));
            }
            Ok(())
        }),
    },
    Row {
        setting: Setting::of(
            "from",
            Cards::Piv,
            Kept::Memory,
            "objects, keys and certificates of a whole card; settings of single ones go before",
            "a directory in the layout of GSA's ICAM test cards, with a password as a key file has it",
        ),
        is: |name| name == "from",
        set: Set::Words(|request, _, value| {
            let words: Vec<Word> = words::split(value, ':')?.into_iter().map(Word::of).collect();
            let from = KeyFile::parse(&words)?;
            if from.self_signed || from.compress {
                let fault = Fault::Word(if from.self_signed { "self" } else { "gzip" }.into());
                return Err(KeyFileError::new(from.path(), fault).into());
            }
            request.from = Some(from);
            Ok(())
        }),
    },
];

/// A string of a USB device.
fn usb_string(name: &str, value: &str) -> Result<String, SetupError> {
    is_string(value).then(|| value.to_owned()).ok_or_else(|| SetupError::UsbString(name.into(), value.into()))
}

/// A key slot by its usual two hexadecimal digits.
pub(super) fn slot(key: &str) -> Option<u8> {
    let slot = u8::from_str_radix(key, 16).ok().filter(|_| key.len() == 2)?;
    (cardlab_sim::keys::is_slot(slot) || slot == cardlab_sim::keys::ATTESTATION).then_some(slot)
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
             those from `owner` on. \
             `cardlab profile settings [PROFILE]` shows them on the command line. \
             Each is given once; a value with a comma goes in double quotes (`name=\"Desk, left\"`). What key files may be and how \
             their passwords are given: [key-files.md](key-files.md). \
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
    fn what_is_assigned_is_taken_as_it_is_and_shown_without_its_secrets() {
        let text = format!("nist-piv,{},{}", assignment("name", "Desk, \"left\""), assignment("9a", "new:p256:gzip"));
        let request: CardRequest = text.parse().unwrap();
        assert_eq!(request.reader_name(), "Desk, \"left\"");
        let text = "nist-piv,pin=111111,9a=k.p12:secret,9c=new:p256,printed=p.bin,pin-tries=5";
        let shown = text.parse::<CardRequest>().unwrap().to_string();
        assert_eq!(shown, "nist-piv,pin=..,9a=k.p12:..,9c=new:p256,printed=p.bin,pin-tries=5");
    }

    #[test]
    fn no_name_means_two_settings() {
        let mut names: Vec<&str> = all().flat_map(Setting::names).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(TABLE[..9].iter().all(|row| (row.is)(row.setting.name)));
        // Those of files stand for many names.
        assert!(["9a", "95", "5fc109", "iris", "from"].iter().all(|name| TABLE.iter().filter(|row| (row.is)(name)).count() == 1));
    }
}
