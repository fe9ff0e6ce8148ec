//! The rows of the one table of settings: what each is, and how it is set.

use super::form::unhex;
use super::settings::{Cards, Kept, Setting};
use super::{PairingCode, PinFormat, Profile};
use crate::atr::Atr;
use crate::conditions::{Interface, Touch};
use crate::crypto::asymmetric::Algorithm;
use crate::yubikey::device;
use cardlab_protocol::admin_key::Cipher;
use cardlab_protocol::channel::piv::Suite;
use zeroize::Zeroizing;

/// A setting and how it is set.
pub(super) struct Row {
    pub(super) setting: Setting,
    /// `None` for a value that it cannot have; nothing has changed then.
    pub(super) set: fn(&mut Profile, &str) -> Option<()>,
}

/// The row of a setting by its name or alias.
pub(super) fn row(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.setting.names().any(|known| known == name))
}

/// All settings of a card, in the order in which people want to read them.
pub(super) static TABLE: [Row; 27] = [
    Row {
        setting: Setting::of(
            "serial",
            Cards::All,
            Kept::Memory,
            "the serial number; random without it",
            "a number from 1 to 4294967295",
        ),
        set: |profile, value| set(&mut profile.chosen.serial, Some(value.parse().ok().filter(|n| *n > 0)?)),
    },
    Row {
        setting: Setting::of(
            "pin",
            Cards::All,
            Kept::Memory,
            "the PIN of a new card",
            "as many characters of the kind that the profile allows",
        ),
        set: |profile, value| {
            // Lengths are looked at in `check`: pin-min may follow.
            let fits = !value.is_empty() && (profile.pin.format == PinFormat::Any || is_digits(value));
            set(&mut profile.pin.value, fits.then(|| value.to_owned())?)
        },
    },
    Row {
        setting: Setting::of("puk", Cards::Piv, Kept::Memory, "the PUK of a new card", "6 to 8 characters (8 for NIST)"),
        set: |profile, value| {
            let puk = profile.puk.as_mut()?;
            let fits = (puk.min_length..=8).contains(&value.len()) && value.bytes().all(|b| b <= puk.max_byte);
            set(&mut puk.value, fits.then(|| value.to_owned())?)
        },
    },
    Row {
        setting: Setting::of(
            "pin-tries",
            Cards::All,
            Kept::Rule,
            "wrong PINs that block the PIN",
            "a number from 1 to the profile's limit",
        ),
        set: |profile, value| set(&mut profile.pin.tries, up_to(profile.pin.max_tries, value)?),
    },
    Row {
        setting: Setting::of(
            "puk-tries",
            Cards::Piv,
            Kept::Rule,
            "wrong PUKs that block the PUK",
            "a number from 1 to the profile's limit",
        ),
        set: |profile, value| {
            let tries = up_to(profile.pin.max_tries, value)?;
            set(&mut profile.puk.as_mut()?.tries, tries)
        },
    },
    Row {
        setting: Setting::of(
            "pin-min",
            Cards::All,
            Kept::Rule,
            "the shortest PIN that the card takes",
            "fewest characters of a PIN, within what the profile allows",
        ),
        set: |profile, value| {
            let length = length(profile, value)?;
            set(&mut profile.pin.min_length, length)
        },
    },
    Row {
        setting: Setting::of(
            "pin-max",
            Cards::All,
            Kept::Rule,
            "the longest PIN that the card takes",
            "most characters of a PIN, within what the profile allows",
        ),
        set: |profile, value| {
            let length = length(profile, value)?;
            set(&mut profile.pin.max_length, length)
        },
    },
    Row {
        setting: Setting::of(
            "pin-complexity",
            Cards::Piv,
            Kept::Rule,
            "whether simple values (11111111, 123456) are refused as a new PIN or PUK",
            "on or off",
        ),
        set: |profile, value| set(&mut profile.pin.complexity, switch(value)?),
    },
    Row {
        setting: Setting::of("global-pin", Cards::Piv, Kept::Memory, "gives the card a Global PIN", "6 to 8 digits"),
        set: |profile, value| {
            let tries = profile.chosen.global_pin.as_ref().map_or(10, |g| g.1);
            let fits = (6..=8).contains(&value.len()) && is_digits(value);
            set(&mut profile.chosen.global_pin, Some((fits.then(|| value.to_owned())?, tries)))
        },
    },
    Row {
        setting: Setting::of(
            "global-pin-tries",
            Cards::Piv,
            Kept::Memory,
            "gives the card a Global PIN (12345678 without global-pin) that so many wrong values block",
            "a number from 1 to 10",
        ),
        set: |profile, value| {
            let tries = up_to(10, value)?;
            let pin = profile.chosen.global_pin.take().map_or_else(|| "12345678".into(), |g| g.0);
            set(&mut profile.chosen.global_pin, Some((pin, tries)))
        },
    },
    Row {
        setting: Setting::of(
            "management-key",
            Cards::All,
            Kept::Memory,
            "the administrator key of a new card: 9B of a PIV card, B080 of a GIDS card",
            "hexadecimal, as long as its algorithm needs",
        )
        .or("admin-key"),
        set: |profile, value| {
            let bytes = unhex(value)?;
            // A key given before its algorithm: any length that some algorithm has.
            let fits = Cipher::ALL.iter().any(|c| c.key_len() == bytes.len());
            set(&mut profile.management_key.value, fits.then_some(bytes)?)
        },
    },
    Row {
        setting: Setting::of(
            "management-algorithm",
            Cards::All,
            Kept::Memory,
            "the algorithm of that key",
            "3des, aes128, aes192 or aes256",
        )
        .or("admin-algorithm"),
        set: |profile, value| {
            let rules = &mut profile.management_key;
            let cipher = rules.algorithms.iter().copied().find(|cipher| cipher.name() == value)?;
            set(&mut rules.algorithm, cipher)
        },
    },
    Row {
        setting: Setting::of(
            "admin-tries",
            Cards::Managed,
            Kept::Rule,
            "wrong responses that block the administrator key for good",
            "none, or a number from 1 to 255",
        ),
        set: |profile, value| {
            let tries = if value == "none" { 0 } else { up_to(u8::MAX, value)? };
            set(&mut profile.management_key.tries, tries)
        },
    },
    Row {
        setting: Setting::of(
            "card-id",
            Cards::Gids,
            Kept::Memory,
            "the card identifier (`cardid`), which a management server knows the card by",
            "32 hexadecimal digits",
        ),
        set: |profile, value| set(&mut profile.chosen.guid, Some(unhex(value)?.try_into().ok()?)),
    },
    Row {
        setting: Setting::of(
            "tries-writable",
            Cards::Managed,
            Kept::Rule,
            "whether the administrator key sets how many wrong PINs block the PIN (PUT DATA of 7F71)",
            "on or off",
        ),
        set: |profile, value| set(&mut profile.pin.tries_writable, switch(value)?),
    },
    Row {
        setting: Setting::of(
            "open-files",
            Cards::Gids,
            Kept::Rule,
            "whether a file that was created without access rules is open to everybody; else it is to nobody",
            "on or off",
        ),
        set: |profile, value| set(&mut profile.gids.as_mut()?.open_without_rules, switch(value)?),
    },
    Row {
        setting: Setting::of(
            "product",
            Cards::Gids,
            Kept::Rule,
            "what the card calls itself in EF.ATR (pre-issuing data, tag 46)",
            "1 to 15 characters of ASCII",
        ),
        set: |profile, value| {
            let fits = (1..=15).contains(&value.len()) && value.bytes().all(|b| (0x20..0x7F).contains(&b));
            set(&mut profile.gids.as_mut()?.product, fits.then(|| value.to_owned())?)
        },
    },
    Row {
        setting: Setting::of(
            "chuid",
            Cards::Piv,
            Kept::Memory,
            "the card UUID in the CHUID, which a management server knows the card by",
            "a UUID, or the whole CHUID content in hexadecimal",
        ),
        set: |profile, value| {
            let bytes = unhex(&value.replace('-', ""))?;
            match <[u8; 16]>::try_from(bytes.as_slice()) {
                Ok(guid) => set(&mut profile.chosen.guid, Some(guid)),
                Err(_) => set(&mut profile.chosen.chuid, Some(Some(bytes).filter(|b| b.len() > 16)?)),
            }
        },
    },
    Row {
        setting: Setting::of(
            "sm",
            Cards::Nist,
            Kept::Memory,
            "whether a new card has secure messaging (SP 800-73-4), and with it a virtual contact interface",
            "cs2 (P-256, AES-128), cs7 (P-384, AES-256) or off",
        ),
        set: |profile, value| {
            let suite = Suite::ALL.into_iter().find(|suite| suite.name() == value);
            set(&mut profile.chosen.messaging, (suite.is_some() || value == "off").then_some(suite)?)
        },
    },
    Row {
        setting: Setting::of(
            "pairing",
            Cards::Nist,
            Kept::Memory,
            "the pairing code of a new card with sm=, which it wants before its virtual contact interface; random without it",
            "8 digits, or none for a card that wants no code",
        ),
        set: |profile, value| {
            let code = || is_digits(value).then(|| value.as_bytes().try_into().ok())?;
            let code = if value == "none" { PairingCode::None } else { PairingCode::Given(Zeroizing::new(code()?)) };
            set(&mut profile.chosen.pairing, code)
        },
    },
    Row {
        setting: Setting::of(
            "lists",
            Cards::Piv,
            Kept::Rule,
            "the algorithms of keys that the card lists when it is selected (tag AC); programs take a card that lists none for one with all",
            "none, or names of those that it has such as rsa2048+p256+p384",
        ),
        set: |profile, value| {
            let rules = profile.piv.as_mut()?;
            let mut listed = Vec::new();
            for name in value.split('+').filter(|_| value != "none") {
                let algorithm = Algorithm::from_name(name).filter(|a| rules.algorithms.contains(a) && !listed.contains(a))?;
                listed.push(algorithm);
            }
            set(&mut rules.lists, listed)
        },
    },
    Row {
        setting: Setting::of(
            "touch",
            Cards::All,
            Kept::Condition,
            "whether somebody touches the card when it asks (`cardlab card touch` changes it later)",
            "auto or never",
        ),
        set: |profile, value| {
            set(&mut profile.chosen.conditions.touch, Touch::ALL.into_iter().find(|touch| touch.name() == value)?)
        },
    },
    Row {
        setting: Setting::of(
            "interface",
            Cards::All,
            Kept::Condition,
            "how the card is reached: access rules differ",
            "contact or contactless",
        ),
        set: |profile, value| {
            set(&mut profile.chosen.conditions.interface, Interface::ALL.into_iter().find(|i| i.name() == value)?)
        },
    },
    Row {
        setting: Setting::of(
            "atr",
            Cards::All,
            Kept::Rule,
            "the answer to reset, by which programs recognise the card",
            "an answer to reset in hexadecimal",
        ),
        set: |profile, value| {
            let bytes = unhex(value)?;
            Atr::parse(&bytes).ok()?;
            set(&mut profile.card.atr, bytes)
        },
    },
    Row {
        setting: Setting::of(
            "version",
            Cards::YubiKey,
            Kept::Rule,
            "the firmware version that the card tells; its behaviour stays, but that a new card has secure channels from 5.7.2 on",
            "a firmware version such as 5.4.3",
        ),
        set: |profile, value| {
            let numbers: Vec<u8> = value.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
            set(&mut profile.yubikey.as_mut()?.version, numbers.try_into().ok()?)
        },
    },
    Row {
        setting: Setting::of(
            "applications",
            Cards::YubiKey,
            Kept::Rule,
            "the applications that the card tells of, to be switched on and off with `ykman config`; only PIV is there",
            "all, or names such as piv+otp+fido2, of otp, u2f, openpgp, piv, oath, hsmauth, fido2",
        ),
        set: |profile, value| {
            let rules = profile.yubikey.as_mut()?;
            let applications = device::parse(value, rules)?;
            set(&mut rules.applications, applications)
        },
    },
    Row {
        setting: Setting::of(
            "extended-length",
            Cards::All,
            Kept::Rule,
            "whether the card takes commands and gives answers of more than 256 bytes at once",
            "on or off",
        ),
        set: |profile, value| set(&mut profile.card.extended_length, switch(value)?),
    },
];

fn set<T>(place: &mut T, value: T) -> Option<()> {
    *place = value;
    Some(())
}

fn switch(value: &str) -> Option<bool> {
    match value {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn up_to(limit: u8, value: &str) -> Option<u8> {
    value.parse().ok().filter(|n| (1..=limit).contains(n))
}

fn length(profile: &Profile, value: &str) -> Option<usize> {
    value.parse().ok().filter(|n| profile.pin.has_length(*n))
}

fn is_digits(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_digit())
}
