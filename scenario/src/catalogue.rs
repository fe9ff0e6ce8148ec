//! The scenarios that come with cardlab: the files below `catalogue/`.

use include_dir::{Dir, include_dir};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/catalogue");

/// A file of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its place without `.toml`, such as `online/happy`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// All of them, by name.
#[must_use]
pub fn all() -> Vec<Entry> {
    let mut entries: Vec<Entry> = FILES
        .dirs()
        .flat_map(|dir| dir.files())
        .filter_map(|file| {
            let name = file.path().to_str()?.strip_suffix(".toml")?;
            Some(Entry { name, text: file.contents_utf8()? })
        })
        .collect();
    entries.sort_by_key(|entry| entry.name);
    entries
}
