//! Data objects out of files: their names, and what may stand in the file.

use super::keyfile::{self, KeyFileError};
use cardlab_protocol::tlv;
use cardlab_sim::IssuedObject;
use cardlab_sim::piv::objects::{BIT_GROUP, CCC, DISCOVERY, KEY_HISTORY, PRINTED};
use std::path::Path;

/// Names of SP 800-73-4 part 1 table 2 for tags. (The CHUID is 5fc102: `chuid` is a setting of its own.)
pub(super) const NAMES: [(&str, u32); 11] = [
    ("ccc", CCC),
    ("discovery", DISCOVERY),
    ("security-object", 0x5F_C106),
    ("fingerprints", 0x5F_C103),
    ("face", 0x5F_C108),
    ("iris", 0x5F_C121),
    ("printed", PRINTED),
    ("key-history", KEY_HISTORY),
    ("bit-group", BIT_GROUP),
    ("sm-signer", 0x5F_C122),
    ("pairing-code", 0x5F_C123),
];

/// The tag of an object by its name or its hexadecimal digits: `printed`, `5fc109`, `7e`, `5fff00`.
pub(super) fn tag(name: &str) -> Option<u32> {
    if let Some((_, tag)) = NAMES.iter().find(|known| known.0 == name) {
        return Some(*tag);
    }
    let tag = u32::from_str_radix(name, 16).ok()?;
    matches!((name.len(), tag), (6, 0x5F_0000..=0x5F_FFFF) | (2, DISCOVERY) | (4, BIT_GROUP)).then_some(tag)
}

/// The object in a file: its value, or the whole object as GET DATA answers it (`53` and the value; `7E` and `7F61`
/// themselves). A file of no bytes (`/dev/null`), or of an empty object, takes away what the card would have.
///
/// # Errors
/// [`KeyFileError`] for files that cannot be read.
pub(super) fn read(tag: u32, path: &Path) -> Result<IssuedObject, KeyFileError> {
    let bytes = keyfile::read_any(path)?;
    let outer = if matches!(tag, DISCOVERY | BIT_GROUP) { tag } else { 0x53 };
    let value = tlv::only(&bytes, outer).unwrap_or(&bytes);
    Ok(IssuedObject { tag, value: value.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_have_names_and_numbers() {
        assert_eq!((tag("printed"), tag("5fc109"), tag("5FC109")), (Some(PRINTED), Some(PRINTED), Some(PRINTED)));
        assert_eq!((tag("7e"), tag("7f61"), tag("5fff00")), (Some(DISCOVERY), Some(BIT_GROUP), Some(0x5F_FF00)));
        for none in ["", "9a", "5fc1", "5fc1090", "60c109", "pin", "+fc109"] {
            assert_eq!(tag(none), None, "{none}");
        }
    }

    #[test]
    fn a_file_has_the_value_or_the_whole_object() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("object");
        for (tag, bytes, value) in [
            (PRINTED, &b"\x53\x03abc"[..], &b"abc"[..]),
            (PRINTED, b"abc", b"abc"),
            (PRINTED, b"\x53\x03abcd", b"\x53\x03abcd"),
            (DISCOVERY, b"\x7E\x02ab", b"ab"),
            (DISCOVERY, b"\x7E\x00", b""),
        ] {
            std::fs::write(&file, bytes).unwrap();
            assert_eq!(read(tag, &file).unwrap().value, value);
        }
    }
}
