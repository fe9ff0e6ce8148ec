//! Cards in a state directory.
//!
//! One redb database a directory (`cards.redb`, mode 0600) for all cards of a command line; the directory
//! is locked, so that two processes cannot open one card. Table `records`: (card number, record) to
//! contents. Table `meta`: `format`. Every transaction of a card is one durable commit; what a crash
//! leaves is the state before or after the commit, never between, and what a disk changes later is found.
//! `docs/durability.md` says what that rests on.

#[cfg(test)]
mod crash;
mod file;

use crate::contain::contained;
use crate::outage::Outage;
use cardlab_sim::nvm::{Change, RecordId, Store, StoreError};
use cardlab_whole as whole;
use file::{Place, Trouble};
use redb::{Database, ReadableDatabase, TableDefinition};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;

const RECORDS: TableDefinition<'_, (u16, u32), &[u8]> = TableDefinition::new("records");
const META: TableDefinition<'_, &str, u32> = TableDefinition::new("meta");
const FORMAT: u32 = 1;
const FILE: &str = "cards.redb";

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

impl StateDirectoryError {
    fn of(trouble: Trouble, path: &Path) -> Self {
        let path = path.to_owned();
        match trouble {
            Trouble::System(reason) => Self::Open { path, reason },
            Trouble::InUse => Self::InUse(path),
            Trouble::Format(found) => Self::Format { path, found },
            Trouble::Damaged(reason) => Self::Damaged { path, reason },
        }
    }
}

/// An open state directory.
#[derive(Clone)]
pub struct StateDirectory {
    cards: Arc<Cards>,
}

impl StateDirectory {
    /// Opens the directory, making it when it is not there.
    ///
    /// # Errors
    /// [`StateDirectoryError`], saying what to do.
    pub fn open(path: &Path) -> Result<Self, StateDirectoryError> {
        Self::watched(path, Outage::untold())
    }

    /// As [`StateDirectory::open`]; when nothing can be written to it any more, `outage` is told.
    ///
    /// # Errors
    /// [`StateDirectoryError`], saying what to do.
    pub fn watched(path: &Path, outage: Outage) -> Result<Self, StateDirectoryError> {
        let opened = Place::take(path).and_then(|place| Cards::open(Box::new(move || place.open())));
        let opened = opened.map(|cards| Cards { outage, name: path.display().to_string(), ..cards });
        let cards = opened.map_err(|trouble| StateDirectoryError::of(trouble, path))?;
        Ok(Self { cards: Arc::new(cards) })
    }

    /// The memory of card `number`.
    #[must_use]
    pub fn card(&self, number: u16) -> Box<dyn Store> {
        Box::new(CardStore { cards: Arc::clone(&self.cards), number })
    }

    /// The numbers of the cards in this directory.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub fn cards(&self) -> Result<Vec<u16>, StoreError> {
        self.cards.with(|database| {
            let table = database.begin_read()?.open_table(RECORDS)?;
            let mut numbers = Vec::new();
            let mut next = Some(0);
            while let Some(from) = next {
                let Some(first) = table.range((from, 0)..)?.next() else { break };
                let number = first?.0.value().0;
                numbers.push(number);
                next = number.checked_add(1);
            }
            Ok(numbers)
        })
    }
}

/// Opens the database: at the start, and again after a failure.
type Opening = Box<dyn Fn() -> Result<Database, Trouble> + Send + Sync>;

/// The database of all cards.
struct Cards {
    opening: Opening,
    /// `None` after a failure, until it can be opened again.
    database: Mutex<Option<Database>>,
    /// Told when it cannot be read or written, under this name.
    outage: Outage,
    name: String,
}

impl Cards {
    fn open(opening: Opening) -> Result<Self, Trouble> {
        let database = Mutex::new(Some(opening()?));
        Ok(Self { opening, database, outage: Outage::untold(), name: String::new() })
    }

    /// Does something with the database. After a failure redb refuses everything: it is closed, and whoever comes
    /// next opens it again, so that a disk that has space again serves again.
    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        let done = self.attempt(work);
        match &done {
            Ok(_) => self.outage.works(|| format!("state directory {}: it works again", self.name)),
            Err(StoreError(why)) => self.outage.failed(|| {
                format!("state directory {}: {why}; until then the cards refuse what they would have to keep", self.name)
            }),
        }
        done
    }

    fn attempt<T>(&self, work: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        let mut open = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let database = match open.take() {
            Some(database) => database,
            None => (self.opening)().map_err(|trouble| StoreError(trouble.to_string()))?,
        };
        let done = contained(|| (work(&database), database));
        match done {
            Some((Ok(value), database)) => {
                *open = Some(database);
                Ok(value)
            }
            Some((Err(error), database)) => {
                contained(|| drop(database));
                Err(StoreError(match &error {
                    redb::Error::Io(error) => whole::why(error),
                    other => other.to_string(),
                }))
            }
            None => Err(StoreError("its pages make no sense".into())),
        }
    }
}

struct CardStore {
    cards: Arc<Cards>,
    number: u16,
}

/// The records of card `number`.
fn read(database: &Database, number: u16) -> Result<Vec<(RecordId, Vec<u8>)>, redb::Error> {
    let table = database.begin_read()?.open_table(RECORDS)?;
    let mut records = Vec::new();
    for entry in table.range((number, 0)..=(number, u32::MAX))? {
        let (key, value) = entry?;
        records.push((RecordId(key.value().1), value.value().to_vec()));
    }
    Ok(records)
}

/// Changes the records of card `number` in one durable commit.
fn write(database: &Database, number: u16, changes: &[Change]) -> Result<(), redb::Error> {
    let write = file::begin(database)?;
    {
        let mut table = write.open_table(RECORDS)?;
        for (id, value) in changes {
            match value {
                Some(value) => table.insert((number, id.0), value.as_slice())?,
                None => table.remove((number, id.0))?,
            };
        }
    }
    Ok(write.commit()?)
}

impl Store for CardStore {
    fn load(&self) -> Result<Vec<(RecordId, Vec<u8>)>, StoreError> {
        self.cards.with(|database| read(database, self.number))
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.cards.with(|database| write(database, self.number, changes))
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

    /// Once when it begins, once when it is over, under the directory's name.
    #[test]
    fn a_full_disk_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let outage = Outage::told_by({
            let told = told.clone();
            move |sentence| told.lock().unwrap().push(sentence.to_owned())
        });
        let state = StateDirectory::watched(directory.path(), outage).unwrap();
        let full = || redb::Error::Io(std::io::Error::from(std::io::ErrorKind::StorageFull));
        for _ in 0..3 {
            let failed = state.cards.with(|_| Err::<(), _>(full()));
            assert_eq!(failed, Err(StoreError("the disk is full; make room there".into())));
        }
        state.card(0).commit(&[change(1, b"a")]).unwrap();
        let name = directory.path().display();
        let expected = [
            format!(
                "state directory {name}: the disk is full; make room there; until then the cards refuse what they would have to keep"
            ),
            format!("state directory {name}: it works again"),
        ];
        assert_eq!(*told.lock().unwrap(), expected);
    }

    #[test]
    fn other_formats_and_damage_are_named() {
        let directory = tempfile::tempdir().unwrap();
        {
            let state = StateDirectory::open(directory.path()).unwrap();
            let changed = state.cards.with(|database| {
                let write = database.begin_write()?;
                write.open_table(META)?.insert("format", 9)?;
                Ok(write.commit()?)
            });
            changed.unwrap();
        }
        let e = StateDirectory::open(directory.path()).err().unwrap().to_string();
        assert!(e.contains("format 9, this version knows 1"), "{e}");
        std::fs::write(directory.path().join(FILE), b"not a database, not at all").unwrap();
        let e = StateDirectory::open(directory.path()).err().unwrap().to_string();
        assert!(e.contains("is damaged") && e.contains("move it away"), "{e}");
    }
}
