//! A store that no process uses, to be looked at and mended by hand.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::config::StoreConfig;
use super::database::Database;
use super::records::{RecordState, Records};
use crate::ports::{Space, Store, StoreError, Write};

/// How many records a space has, and how large they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceSize {
    /// The space.
    pub space: String,
    /// How many records.
    pub records: u64,
    /// Keys and values together, in bytes.
    pub bytes: u64,
}

/// What became of a record that was to be given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// It is gone. The store counts as restored from then on.
    Gone,
    /// There is none.
    Absent,
    /// It is what was written, and is still there.
    Whole,
}

/// A file that no other process has meanwhile, and that is only read: neither it nor anything beside it changes, and nothing
/// of an earlier version is brought up to date.
#[derive(Debug)]
pub struct StoreInspector(Mutex<Database>);

impl StoreInspector {
    /// Opens the file at `path`; makes none.
    ///
    /// # Errors
    /// [`StoreError::Locked`] where a process uses it; [`StoreError::DamagedFile`] where it is damaged as a whole;
    /// [`StoreError::Failed`] where there is none, or none of ours.
    pub fn open(path: &Path, config: &StoreConfig) -> Result<Self, StoreError> {
        Database::open_to_read(path, config).map(Mutex::new).map(Self)
    }

    fn database(&self) -> MutexGuard<'_, Database> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that is wrong with the file: its structure, or each record that is not what was written.
    ///
    /// # Errors
    /// Where it cannot be read at all.
    pub fn check(&self) -> Result<Vec<StoreError>, StoreError> {
        let database = self.database();
        match database.check() {
            Ok(()) => database.damaged_records(),
            Err(error) => Ok(vec![error]),
        }
    }

    /// What is in use of the file, in bytes.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn bytes(&self) -> Result<u64, StoreError> {
        Ok(self.database().sizes()?.used)
    }

    /// The spaces that have records.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn spaces(&self) -> Result<Vec<SpaceSize>, StoreError> {
        let database = self.database();
        let size_of = |space: &String| {
            let records = database.raw(space)?;
            let bytes = records.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum();
            Ok(SpaceSize { space: space.to_owned(), records: records.len() as u64, bytes })
        };
        database.counts().keys().map(size_of).collect()
    }

    /// The records of a space as they are in the file, damaged ones too.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn records(&self, space: &str) -> Result<Records, StoreError> {
        self.database().raw(space)
    }

    /// Gives a record of the file at `path` up: one that is damaged, or, where `even_if_whole`, any. The store counts as
    /// restored from then on, so that an operator signs only tasks that are created after its next start.
    ///
    /// # Errors
    /// As [`StoreInspector::open`], and where it cannot be written.
    pub fn drop_record(
        path: &Path,
        space: &str,
        key: &[u8],
        even_if_whole: bool,
    ) -> Result<Dropped, StoreError> {
        let mut database = Database::open_to_mend(path)?;
        match database.state_of(space, key)? {
            RecordState::Absent => Ok(Dropped::Absent),
            RecordState::Whole if !even_if_whole => Ok(Dropped::Whole),
            RecordState::Whole | RecordState::Damaged => database.remove(space, key).map(|()| Dropped::Gone),
        }
    }
}

/// Its records are checked one space at a time, as they are read.
#[async_trait]
impl Store for StoreInspector {
    async fn load(&self, space: Space) -> Result<Records, StoreError> {
        self.database().load(space.0)
    }

    /// Refuses: it was opened to be read.
    async fn commit(&self, _writes: Vec<Write>) -> Result<(), StoreError> {
        Err(StoreError::Failed("it was opened to be read only".into()))
    }

    fn restorations(&self) -> u64 {
        self.database().restorations()
    }
}
