//! Opening the file: for a process, to be mended by hand, or only to be read.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::config::StoreConfig;
use super::create::{self, FolderLock, beside};
use super::database::Database;
use super::explain::{damaged, explain, foreign, newer};
use super::records::Counts;
use super::schema::{self, APPLICATION_ID, SCHEMA};
use super::{backup, lineage};
use crate::ports::StoreError;

/// How much of the log of the last writes is kept once it has been taken over into the file, in bytes.
const LOG_KEPT: u64 = 16 << 20;

impl Database {
    /// Opens the file at `path`, or makes it; checks it whole.
    pub(super) fn open(path: &Path, config: &StoreConfig) -> Result<Self, StoreError> {
        let folder = FolderLock::take(path)?;
        create::ensure(path)?;
        let mut database = Self::connect(path, folder)?;
        database.migrate()?;
        database.set_up(config.most_bytes)?;
        database.check()?;
        if let Some(first) = database.damaged_records()?.into_iter().next() {
            return Err(first);
        }
        database.restorations = lineage::examine(&database.connection, path, config.file_ids())?;
        database.count()?;
        Ok(database)
    }

    /// Opens a file that is there, to mend it: its records are not checked.
    pub(super) fn open_to_mend(path: &Path) -> Result<Self, StoreError> {
        let mut database = Self::connect_to_existing(path, Self::connect)?;
        database.set_up(u64::MAX)?;
        database.count()?;
        Ok(database)
    }

    /// Opens a file that is there, to look at it: its records are not checked, and nothing is changed, neither in the file
    /// nor beside it.
    pub(super) fn open_to_read(path: &Path, config: &StoreConfig) -> Result<Self, StoreError> {
        let log = std::fs::metadata(beside(path, "-wal")).map_or(0, |found| found.len());
        let connect = if log == 0 { Self::connect_to_read } else { Self::connect_and_leave_the_log };
        let mut database = Self::connect_to_existing(path, connect)?;
        database.restorations = lineage::judge(&database.connection, path, config.file_ids())?.restorations;
        database.count()?;
        Ok(database)
    }

    fn connect_to_existing(
        path: &Path,
        connect: fn(&Path, FolderLock) -> Result<Self, StoreError>,
    ) -> Result<Self, StoreError> {
        create::must_exist(path)?;
        let mut database = connect(path, FolderLock::take(path)?)?;
        if database.adopt()? != SCHEMA {
            return Err(StoreError::Failed(format!(
                "{} is of an earlier version; start its process once, which brings it up to date",
                path.display()
            )));
        }
        Ok(database)
    }

    fn connect(path: &Path, folder: FolderLock) -> Result<Self, StoreError> {
        let fail = |error: rusqlite::Error| explain(&error, path);
        let connection =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | flags()).map_err(fail)?;
        connection.busy_timeout(std::time::Duration::ZERO).map_err(fail)?;
        // Before the first access: then the lock is taken once, and kept.
        pragma(&connection, "locking_mode", "EXCLUSIVE").map_err(fail)?;
        Ok(Self::on(connection, path, folder))
    }

    /// What was written last is in the log still, as a process that was killed leaves it; only somebody who may write can read
    /// that. It is not taken over into the file.
    fn connect_and_leave_the_log(path: &Path, folder: FolderLock) -> Result<Self, StoreError> {
        let database = Self::connect(path, folder)?;
        let left = database.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        left.map_err(|error| explain(&error, path))?;
        Ok(database)
    }

    /// All is in the file, which no process has: the folder's lock says so.
    fn connect_to_read(path: &Path, folder: FolderLock) -> Result<Self, StoreError> {
        let uri = format!("file:{}?immutable=1", in_uri(path));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | flags();
        let connection = Connection::open_with_flags(uri, flags).map_err(|error| explain(&error, path))?;
        Ok(Self::on(connection, path, folder))
    }

    fn on(connection: Connection, path: &Path, folder: FolderLock) -> Self {
        Self {
            connection,
            path: path.to_owned(),
            counts: Counts::new(),
            restorations: 0,
            #[cfg(test)]
            failing: None,
            _folder: folder,
        }
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
}

fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE
}

/// A path as part of a URI.
fn in_uri(path: &Path) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(byte);
    let encode = |byte: &u8| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    path.as_os_str().as_bytes().iter().map(encode).collect()
}

fn pragma(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
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
