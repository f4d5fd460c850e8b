//! The file itself.

use std::path::PathBuf;

use rusqlite::{Connection, TransactionBehavior};

use super::create::{FolderLock, beside};
use super::explain::{damaged, explain};
use super::records::{Counts, RecordState, Records, unsigned};
use super::{lineage, records};
use crate::ports::{StoreError, Write};

/// How large things are, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    /// What is in use of the file.
    pub(super) used: u64,
    /// The log of the last writes.
    pub(super) log: u64,
}

/// An open file. No other process can open it meanwhile.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) counts: Counts,
    pub(super) restorations: u64,
    #[cfg(test)]
    pub(super) failing: Option<StoreError>,
    // Last, so that it is let go of after the connection.
    pub(super) _folder: FolderLock,
}

impl Database {
    /// Whether the file's structure is whole.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let verdict = self
            .connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
            .map_err(|error| explain(&error, &self.path))?;
        if verdict == "ok" { Ok(()) } else { Err(damaged(&self.path, &verdict)) }
    }

    /// An error for each record that is not what was written.
    pub(super) fn damaged_records(&self) -> Result<Vec<StoreError>, StoreError> {
        records::damaged(&self.connection).map_err(|error| explain(&error, &self.path))
    }

    /// All records of a space, by key.
    pub(super) fn load(&self, space: &str) -> Result<Records, StoreError> {
        records::load(&self.connection, space).map_err(|error| explain(&error, &self.path))?
    }

    /// The same, whatever their checksums say.
    pub(super) fn raw(&self, space: &str) -> Result<Records, StoreError> {
        records::raw(&self.connection, space).map_err(|error| explain(&error, &self.path))
    }

    /// Makes all writes take effect, or none.
    pub(super) fn apply<'a>(&mut self, writes: impl Iterator<Item = &'a Write>) -> Result<(), StoreError> {
        #[cfg(test)]
        if let Some(error) = self.failing.clone() {
            return Err(error);
        }
        let (connection, mut counts) = (&mut self.connection, self.counts.clone());
        let write = || -> rusqlite::Result<Counts> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            writes.into_iter().try_for_each(|write| records::apply(&transaction, write, &mut counts))?;
            transaction.commit()?;
            Ok(counts)
        };
        self.counts = write().map_err(|error| explain(&error, &self.path))?;
        Ok(())
    }

    /// Whether a record is there, and is what was written.
    pub(super) fn state_of(&self, space: &str, key: &[u8]) -> Result<RecordState, StoreError> {
        records::state_of(&self.connection, space, key).map_err(|error| explain(&error, &self.path))
    }

    /// Removes a record of whatever space. The file counts as restored from then on: what the record said is forgotten.
    pub(super) fn remove(&mut self, space: &str, key: &[u8]) -> Result<(), StoreError> {
        let fail = |error: rusqlite::Error| explain(&error, &self.path);
        let transaction = self.connection.transaction().map_err(fail)?;
        let sql = "DELETE FROM kv WHERE space = ?1 AND key = ?2";
        if transaction.execute(sql, (space, key)).map_err(fail)? > 0 {
            lineage::note_repair(&transaction, &self.path)?;
        }
        transaction.commit().map_err(fail)
    }

    /// How often it was found to be a copy of an earlier state.
    pub(super) fn restorations(&self) -> u64 {
        self.restorations
    }

    /// How many records each space has.
    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How large it is.
    pub(super) fn sizes(&self) -> Result<Sizes, StoreError> {
        let read = || -> rusqlite::Result<u64> {
            let pages = self.read_number("page_count")?.saturating_sub(self.read_number("freelist_count")?);
            Ok(pages * self.read_number("page_size")?)
        };
        let used = read().map_err(|error| explain(&error, &self.path))?;
        let log = std::fs::metadata(beside(&self.path, "-wal")).map_or(0, |found| found.len());
        Ok(Sizes { used, log })
    }

    pub(super) fn count(&mut self) -> Result<(), StoreError> {
        self.counts = records::count(&self.connection).map_err(|error| explain(&error, &self.path))?;
        Ok(())
    }

    pub(super) fn read_number(&self, pragma: &str) -> rusqlite::Result<u64> {
        self.connection.pragma_query_value(None, pragma, |row| row.get(0)).map(unsigned)
    }
}
