//! A store that no process uses, to be looked at and mended by hand.

use std::path::Path;

use super::database::Database;
use super::records::Records;
use crate::ports::StoreError;

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

/// A file that is held as a process would hold it, but whose records are not trusted.
#[derive(Debug)]
pub struct StoreInspector(Database);

impl StoreInspector {
    /// Opens the file at `path`; makes none.
    ///
    /// # Errors
    /// [`StoreError::Locked`] where a process uses it; [`StoreError::Failed`] where there is none, or none of ours.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Database::open_as_it_is(path).map(Self)
    }

    /// All that is wrong with the file: its structure, or each record that is not what was written.
    ///
    /// # Errors
    /// Where it cannot be read at all.
    pub fn check(&self) -> Result<Vec<StoreError>, StoreError> {
        match self.0.check() {
            Ok(()) => self.0.damaged_records(),
            Err(error) => Ok(vec![error]),
        }
    }

    /// What is in use of the file, in bytes.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn bytes(&self) -> Result<u64, StoreError> {
        Ok(self.0.sizes()?.used)
    }

    /// The spaces that have records.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn spaces(&self) -> Result<Vec<SpaceSize>, StoreError> {
        self.0.counts().keys().map(|space| self.size_of(space)).collect()
    }

    fn size_of(&self, space: &str) -> Result<SpaceSize, StoreError> {
        let records = self.0.raw(space)?;
        let bytes = records.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum();
        Ok(SpaceSize { space: space.to_owned(), records: records.len() as u64, bytes })
    }

    /// The records of a space as they are in the file, damaged ones too.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn records(&self, space: &str) -> Result<Records, StoreError> {
        self.0.raw(space)
    }

    /// Removes a record; false where there is none. The store counts as restored from then on, so that an operator signs
    /// only tasks that are created after its next start.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn drop_record(&mut self, space: &str, key: &[u8]) -> Result<bool, StoreError> {
        self.0.remove(space, key)
    }
}
