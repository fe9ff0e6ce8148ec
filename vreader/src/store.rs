//! Cards in a state directory.
//!
//! One redb database a directory (`cards.redb`, mode 0600) for all cards of a command line; redb
//! locks it, so that two processes cannot open one card. Table `records`: (card number, record) to
//! contents. Table `meta`: `format`. Every transaction of a card is one durable commit; what a crash
//! leaves is redb's promise: the state before or after the commit, never between.

use crate::contain::contained;
use cardlab_sim::nvm::{Change, RecordId, Store, StoreError};
use redb::{Database, ReadableDatabase, TableDefinition};
use rustix::fs::{Mode, OFlags};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

const RECORDS: TableDefinition<'_, (u16, u32), &[u8]> = TableDefinition::new("records");
const META: TableDefinition<'_, &str, u32> = TableDefinition::new("meta");
const FORMAT: u32 = 1;
const FILE: &str = "cards.redb";
/// A card is a few kilobytes and is read once.
const CACHE: usize = 64 * 1024;

/// Why a state directory cannot be used.
#[derive(Debug, Error)]
pub enum StateDirectoryError {
    /// The directory or its file cannot be made or opened.
    #[error("state directory {}: {reason}", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Another process has it open.
    #[error("state directory {}: another process uses these cards; stop it, or give another --state", .0.display())]
    InUse(PathBuf),
    /// Written by a newer version.
    #[error("state directory {}: format {found}, this version knows {FORMAT}; use a newer cardlab or another --state", path.display())]
    Format {
        /// The directory.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Not what this program wrote.
    #[error("state directory {}: {FILE} is damaged ({reason}); move it away to start with new cards", path.display())]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// What the database says.
        reason: String,
    },
}

/// An open state directory.
#[derive(Clone)]
pub struct StateDirectory {
    database: Arc<Database>,
}

impl StateDirectory {
    /// Opens the directory, making it when it is not there.
    ///
    /// # Errors
    /// [`StateDirectoryError`], saying what to do.
    pub fn open(path: &Path) -> Result<Self, StateDirectoryError> {
        let failed = |reason: String| StateDirectoryError::Open { path: path.into(), reason };
        std::fs::create_dir_all(path).map_err(|e| failed(e.to_string()))?;
        let file = path.join(FILE);
        // redb makes files readable for everyone; this one holds keys.
        let handle = rustix::fs::open(&file, OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR)
            .map_err(|e| failed(format!("cannot open {FILE} for writing: {e}")))?;
        drop(handle);
        let damaged = |reason: String| StateDirectoryError::Damaged { path: path.into(), reason };
        // redb reads some damaged pages with a panic; its checksums find the others.
        let opened = contained(|| {
            let mut database = Database::builder().set_cache_size(CACHE).create(&file)?;
            let whole = database.check_integrity()?;
            let state = Self { database: Arc::new(database) };
            Ok::<_, redb::Error>((state.format()?, whole, state))
        });
        match opened {
            Some(Ok((FORMAT, true, state))) => Ok(state),
            Some(Ok((FORMAT, false, _))) => Err(damaged("checksums are wrong".into())),
            Some(Ok((found, ..))) => Err(StateDirectoryError::Format { path: path.into(), found }),
            Some(Err(redb::Error::DatabaseAlreadyOpen)) => Err(StateDirectoryError::InUse(path.into())),
            Some(Err(other)) => Err(damaged(other.to_string())),
            None => Err(damaged("its pages make no sense".into())),
        }
    }

    /// The format on disk; written first when the file is new.
    fn format(&self) -> Result<u32, redb::Error> {
        let read = self.database.begin_read()?;
        match read.open_table(META) {
            Ok(meta) => return Ok(meta.get("format")?.map_or(0, |f| f.value())),
            Err(redb::TableError::TableDoesNotExist(_)) => {}
            Err(e) => return Err(e.into()),
        }
        let write = self.database.begin_write()?;
        write.open_table(META)?.insert("format", FORMAT)?;
        write.open_table(RECORDS)?;
        write.commit()?;
        Ok(FORMAT)
    }

    /// The memory of card `number`.
    #[must_use]
    pub fn card(&self, number: u16) -> Box<dyn Store> {
        Box::new(CardStore { database: Arc::clone(&self.database), number })
    }

    /// The numbers of the cards in this directory.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub fn cards(&self) -> Result<Vec<u16>, StoreError> {
        let numbers = || -> Result<Vec<u16>, redb::Error> {
            let table = self.database.begin_read()?.open_table(RECORDS)?;
            let mut numbers = Vec::new();
            let mut next = Some(0);
            while let Some(from) = next {
                let Some(first) = table.range((from, 0)..)?.next() else { break };
                let number = first?.0.value().0;
                numbers.push(number);
                next = number.checked_add(1);
            }
            Ok(numbers)
        };
        numbers().map_err(|e| StoreError(e.to_string()))
    }
}

struct CardStore {
    database: Arc<Database>,
    number: u16,
}

impl CardStore {
    fn read_all(&self) -> Result<Vec<(RecordId, Vec<u8>)>, redb::Error> {
        let read = self.database.begin_read()?;
        let table = read.open_table(RECORDS)?;
        let mut records = Vec::new();
        for entry in table.range((self.number, 0)..=(self.number, u32::MAX))? {
            let (key, value) = entry?;
            records.push((RecordId(key.value().1), value.value().to_vec()));
        }
        Ok(records)
    }

    fn write(&self, changes: &[Change]) -> Result<(), redb::Error> {
        let write = self.database.begin_write()?;
        {
            let mut table = write.open_table(RECORDS)?;
            for (id, value) in changes {
                match value {
                    Some(value) => table.insert((self.number, id.0), value.as_slice())?,
                    None => table.remove((self.number, id.0))?,
                };
            }
        }
        Ok(write.commit()?)
    }
}

impl Store for CardStore {
    fn load(&self) -> Result<Vec<(RecordId, Vec<u8>)>, StoreError> {
        self.read_all().map_err(|e| StoreError(e.to_string()))
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.write(changes).map_err(|e| StoreError(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use zeroize::Zeroizing;

    fn change(id: u32, value: &[u8]) -> Change {
        (RecordId(id), Some(Zeroizing::new(value.to_vec())))
    }

    #[test]
    fn cards_are_kept_apart_and_found_again() {
        let directory = tempfile::tempdir().unwrap();
        {
            let state = StateDirectory::open(directory.path()).unwrap();
            state.card(0).commit(&[change(1, b"a"), change(2, b"b")]).unwrap();
            state.card(1).commit(&[change(1, b"c")]).unwrap();
            state.card(0).commit(&[(RecordId(2), None)]).unwrap();
            assert!(matches!(StateDirectory::open(directory.path()), Err(StateDirectoryError::InUse(_))));
        }
        let state = StateDirectory::open(directory.path()).unwrap();
        assert_eq!(state.cards().unwrap(), [0, 1]);
        assert_eq!(state.card(0).load().unwrap(), [(RecordId(1), b"a".to_vec())]);
        assert_eq!(state.card(1).load().unwrap(), [(RecordId(1), b"c".to_vec())]);
        let mode = directory.path().join(FILE).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn other_formats_and_damage_are_named() {
        let directory = tempfile::tempdir().unwrap();
        {
            let state = StateDirectory::open(directory.path()).unwrap();
            let write = state.database.begin_write().unwrap();
            write.open_table(META).unwrap().insert("format", 9).unwrap();
            write.commit().unwrap();
        }
        let e = StateDirectory::open(directory.path()).err().unwrap().to_string();
        assert!(e.contains("format 9, this version knows 1"), "{e}");
        std::fs::write(directory.path().join(FILE), b"not a database, not at all").unwrap();
        let e = StateDirectory::open(directory.path()).err().unwrap().to_string();
        assert!(e.contains("is damaged") && e.contains("move it away"), "{e}");
    }
}
