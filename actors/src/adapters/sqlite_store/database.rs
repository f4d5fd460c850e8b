//! The file itself.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::create::{self, FolderLock, beside};
use super::explain::{damaged, explain, foreign, newer};
use super::records::{Counts, Records, unsigned};
use super::schema::{self, APPLICATION_ID, SCHEMA};
use super::{backup, lineage, records};
use crate::ports::{StoreError, Write};

/// How much of the log of the last writes is kept once it has been taken over into the file, in bytes.
const LOG_KEPT: u64 = 16 << 20;

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
    connection: Connection,
    path: PathBuf,
    counts: Counts,
    restorations: u64,
    #[cfg(test)]
    pub(super) failing: Option<StoreError>,
    // Last, so that it is let go of after the connection.
    _folder: FolderLock,
}

impl Database {
    /// Opens the file at `path`, or makes it; checks it whole. It grows to `most_bytes`.
    pub(super) fn open(path: &Path, most_bytes: u64) -> Result<Self, StoreError> {
        let folder = FolderLock::take(path)?;
        create::ensure(path)?;
        let mut database = Self::connect(path, folder)?;
        database.migrate()?;
        database.set_up(most_bytes)?;
        database.check()?;
        if let Some(first) = database.damaged_records()?.into_iter().next() {
            return Err(first);
        }
        database.restorations = lineage::examine(&database.connection, path)?;
        database.count()?;
        Ok(database)
    }

    /// Opens a file that is there, to look at it and mend it: its records are not checked.
    pub(super) fn open_as_it_is(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Failed(format!(
                "there is no store at {}; is data_dir right?",
                path.display()
            )));
        }
        let folder = FolderLock::take(path)?;
        create::ensure(path)?;
        let mut database = Self::connect(path, folder)?;
        if database.adopt()? != SCHEMA {
            return Err(StoreError::Failed(format!(
                "{} is of an earlier version; start its process once, which brings it up to date",
                path.display()
            )));
        }
        database.set_up(u64::MAX)?;
        database.count()?;
        Ok(database)
    }

    fn connect(path: &Path, folder: FolderLock) -> Result<Self, StoreError> {
        let fail = |error: rusqlite::Error| explain(&error, path);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let connection = Connection::open_with_flags(path, flags).map_err(fail)?;
        connection.busy_timeout(std::time::Duration::ZERO).map_err(fail)?;
        // Before the first access: then the lock is taken once, and kept.
        pragma(&connection, "locking_mode", "EXCLUSIVE").map_err(fail)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            counts: Counts::new(),
            restorations: 0,
            #[cfg(test)]
            failing: None,
            _folder: folder,
        })
    }

    /// The schema of the file, which is one that this version knows; refuses a file that is not ours or is of a later one.
    fn adopt(&mut self) -> Result<i32, StoreError> {
        let fail = |error: rusqlite::Error| explain(&error, &self.path);
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Exclusive).map_err(fail)?;
        let read = |name: &str| transaction.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let (application, schema) =
            (read("application_id").map_err(fail)?, read("user_version").map_err(fail)?);
        match (application, schema) {
            (APPLICATION_ID, SCHEMA) => Ok(SCHEMA),
            (APPLICATION_ID, older) if schema::is_older(older) => Ok(older),
            (APPLICATION_ID, later) => Err(newer(&self.path, later)),
            (0, 0) if is_empty(&transaction).map_err(fail)? => Err(damaged(&self.path, "no table is in it")),
            _ => Err(foreign(&self.path)),
        }
    }

    /// Brings a file of an earlier version up to date, after it was copied.
    fn migrate(&mut self) -> Result<(), StoreError> {
        let schema = self.adopt()?;
        if schema == SCHEMA {
            return Ok(());
        }
        // What is damaged is not carried over.
        self.check()?;
        let copy = backup::make(&self.connection, &self.path, schema)?;
        tracing::info!(
            store = %self.path.display(), from = schema, to = SCHEMA, copy = %copy.display(),
            "bringing the store up to date"
        );
        schema::climb(&mut self.connection, schema).map_err(|error| explain(&error, &self.path))
    }

    fn set_up(&self, most_bytes: u64) -> Result<(), StoreError> {
        let set = || -> rusqlite::Result<()> {
            // After it is known that the file is ours: this changes it.
            pragma(&self.connection, "journal_mode", "WAL")?;
            pragma(&self.connection, "synchronous", "FULL")?;
            pragma(&self.connection, "journal_size_limit", &LOG_KEPT.to_string())?;
            let page = self.read_number("page_size")?.max(1);
            // SQLite's own greatest number of pages.
            let pages = (most_bytes / page).clamp(1, 4_294_967_294);
            pragma(&self.connection, "max_page_count", &pages.to_string())
        };
        set().map_err(|error| explain(&error, &self.path))
    }

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

    /// Removes a record of whatever space; says whether there was one. The file counts as restored from then on: what the
    /// record said is forgotten.
    pub(super) fn remove(&mut self, space: &str, key: &[u8]) -> Result<bool, StoreError> {
        let fail = |error: rusqlite::Error| explain(&error, &self.path);
        let transaction = self.connection.transaction().map_err(fail)?;
        let sql = "DELETE FROM kv WHERE space = ?1 AND key = ?2";
        let removed = transaction.execute(sql, (space, key)).map_err(fail)? > 0;
        if removed {
            lineage::note_repair(&transaction, &self.path)?;
        }
        transaction.commit().map_err(fail)?;
        Ok(removed)
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

    fn count(&mut self) -> Result<(), StoreError> {
        self.counts = records::count(&self.connection).map_err(|error| explain(&error, &self.path))?;
        Ok(())
    }

    fn read_number(&self, pragma: &str) -> rusqlite::Result<u64> {
        self.connection.pragma_query_value(None, pragma, |row| row.get(0)).map(unsigned)
    }
}

pub(super) fn pragma(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, name, value, |_| Ok(())).or_else(|error| match error {
        // `synchronous` answers nothing.
        rusqlite::Error::QueryReturnedNoRows => Ok(()),
        other => Err(other),
    })
}

fn is_empty(transaction: &Transaction<'_>) -> rusqlite::Result<bool> {
    transaction
        .query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0))
        .map(|n| n == 0)
}
