//! A whole card out of a directory, in the layout of GSA's ICAM test cards: `8 - CHUID Object`, `3 - NAME.p12` and so on.
//!
//! | number | what | | number | what |
//! |---|---|---|---|---|
//! | 1 | Discovery Object | | 8 | CHUID |
//! | 2 | Security Object | | 9 | fingerprints |
//! | 3 4 5 6 | keys and certificates 9A 9C 9D 9E | | 10 | facial image |
//! | 7 | CCC | | 11 | printed information |
//! | 14 to 33 | retired keys 82 to 95 | | 13 | Key History Object |
//!
//! A key is a `.p12` or `.pfx`, a certificate also a `.crt`, `.cer` or `.pem`; an object has its value, without the `53`.
//! Of several files of a number the one of the shortest name counts: others are copies under a long name. Files that have
//! no number are left alone.
//!
//! Source: the public repository GSA/gsa-icam-card-builder, folder `cards/ICAM_Card_Objects`; its files are not here.

use super::keyfile::{KeyFile, KeyFileError, Person, certificates};
use super::objects;
use super::{Issue, SetupError};
use cardlab_sim::piv::factory::certificate_object;
use cardlab_sim::piv::objects as tags;
use cardlab_sim::{Issued, IssuedObject};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a number stands for.
enum Content {
    Object(u32),
    Key(u8),
}

fn content(number: u8) -> Option<Content> {
    Some(match number {
        1 => Content::Object(tags::DISCOVERY),
        2 => Content::Object(0x5F_C106),
        3 => Content::Key(0x9A),
        4 => Content::Key(0x9C),
        5 => Content::Key(0x9D),
        6 => Content::Key(0x9E),
        7 => Content::Object(tags::CCC),
        8 => Content::Object(tags::CHUID),
        9 => Content::Object(0x5F_C103),
        10 => Content::Object(0x5F_C108),
        11 => Content::Object(tags::PRINTED),
        13 => Content::Object(tags::KEY_HISTORY),
        14..=33 => Content::Key(0x82 + number - 14),
        _ => return None,
    })
}

/// Of which kind a file is, by its ending.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Store,
    Certificate,
    Object,
}

/// What the directory of `place` puts on a card. `place` says the password of the key stores, where they have one.
///
/// # Errors
/// [`SetupError`] for a directory that cannot be read or has no such file, and for each file that cannot be used.
pub(super) fn issue(place: &KeyFile, person: &mut dyn Person) -> Result<Issue, SetupError> {
    let files = list(place.path())?;
    // One password for all of them, asked for once.
    let place = &place.resolved(person)?;
    let mut issue = Issue::default();
    for ((number, kind), path) in &files {
        match (content(*number), kind) {
            (Some(Content::Object(tag)), Kind::Object) => issue.objects.push(objects::read(tag, path)?),
            (Some(Content::Key(slot)), Kind::Store) => issue.keys.push(key(slot, path, place, person)?),
            (Some(Content::Key(slot)), Kind::Certificate) => certificate(slot, path, &mut issue)?,
            _ => {}
        }
    }
    if issue.keys.is_empty() && issue.objects.is_empty() {
        let reason = "no file in it is named as those of GSA's ICAM test cards: '8 - CHUID Object', '3 - NAME.p12'".into();
        return Err(SetupError::Directory { path: place.path().into(), reason });
    }
    Ok(issue)
}

fn key(slot: u8, path: &Path, place: &KeyFile, person: &mut dyn Person) -> Result<Issued, KeyFileError> {
    let loaded = place.beside(path.into()).load(person)?;
    Ok(Issued { slot, key: loaded.key, certificate: loaded.certificate, compressed: false })
}

/// A certificate file: for the key that had none, or alone. Key stores stand before it.
fn certificate(slot: u8, path: &Path, issue: &mut Issue) -> Result<(), KeyFileError> {
    let der = certificates(path)?.swap_remove(0);
    match issue.keys.iter_mut().find(|key| key.slot == slot) {
        Some(key) if key.certificate.is_some() => {}
        Some(key) => key.certificate = Some(der),
        None => {
            let value = certificate_object(&der, false);
            issue.objects.extend(tags::certificate_of(slot).map(|tag| IssuedObject { tag, value }));
        }
    }
    Ok(())
}

/// The files that count, by number and kind.
fn list(directory: &Path) -> Result<BTreeMap<(u8, Kind), PathBuf>, SetupError> {
    let fault = |e: std::io::Error| SetupError::Directory { path: directory.into(), reason: cardlab_whole::why(&e) };
    let mut files: BTreeMap<(u8, Kind), PathBuf> = BTreeMap::new();
    for entry in std::fs::read_dir(directory).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let Some((number, rest)) = name.split_once(" - ") else { continue };
        let Ok(number) = number.parse::<u8>() else { continue };
        let ending = rest.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        let kind = match ending.as_deref() {
            Some("p12" | "pfx") => Kind::Store,
            Some("crt" | "cer" | "pem" | "der") => Kind::Certificate,
            _ => Kind::Object,
        };
        let shorter = |other: &PathBuf| (path.as_os_str().len(), &path) < (other.as_os_str().len(), other);
        if files.get(&(number, kind)).is_none_or(shorter) {
            files.insert((number, kind), path);
        }
    }
    Ok(files)
}
