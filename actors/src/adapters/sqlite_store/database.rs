//! The file itself.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::ports::{Space, StoreError, Write};

/// Records of a space by key.
pub(super) type Records = Vec<(Vec<u8>, Vec<u8>)>;

/// "ANZN": what `file` and SQLite's own tools show, and how a file of another program is told apart.
const APPLICATION_ID: i32 = 0x414e_5a4e;
/// Counts up with every change of the tables.
const SCHEMA: i32 = 1;
const TABLES: &str = "CREATE TABLE kv (space TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
                                       PRIMARY KEY (space, key)) WITHOUT ROWID";

/// An open file. No other process can open it meanwhile.
#[derive(Debug)]
pub(super) struct Database {
    connection: Connection,
    path: PathBuf,
}

impl Database {
    /// Opens the file at `path`, or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let fail = |error: rusqlite::Error| explain(&error, path);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let connection = Connection::open_with_flags(path, flags).map_err(fail)?;
        connection.busy_timeout(std::time::Duration::ZERO).map_err(fail)?;
        // Before the first access: then the lock is taken once, and kept.
        pragma(&connection, "locking_mode", "EXCLUSIVE").map_err(fail)?;
        let mut database = Self { connection, path: path.to_owned() };
        database.adopt()?;
        // After it is known that the file is ours: this changes it.
        pragma(&database.connection, "journal_mode", "WAL").map_err(fail)?;
        pragma(&database.connection, "synchronous", "FULL").map_err(fail)?;
        database.check()?;
        Ok(database)
    }

    /// Makes the tables of a new file; refuses a file that is not ours or is of a later version.
    fn adopt(&mut self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let fail = |error: rusqlite::Error| explain(&error, &path);
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Exclusive).map_err(fail)?;
        let read = |name: &str| transaction.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let (application, schema) =
            (read("application_id").map_err(fail)?, read("user_version").map_err(fail)?);
        match (application, schema) {
            (APPLICATION_ID, SCHEMA) => Ok(()),
            (APPLICATION_ID, later) => Err(newer(&path, later)),
            (0, 0) if is_empty(&transaction).map_err(fail)? => create(transaction).map_err(fail),
            _ => Err(StoreError::Failed(format!(
                "{} is a database of another program; give the store a file of its own",
                path.display()
            ))),
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        let verdict = self
            .connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
            .map_err(|error| explain(&error, &self.path))?;
        if verdict == "ok" { Ok(()) } else { Err(damaged(&self.path, &verdict)) }
    }

    /// All records of a space, by key.
    pub(super) fn load(&self, space: Space) -> Result<Records, StoreError> {
        let read = || -> rusqlite::Result<Records> {
            let mut query =
                self.connection.prepare_cached("SELECT key, value FROM kv WHERE space = ?1 ORDER BY key")?;
            query.query_map([space.0], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        read().map_err(|error| explain(&error, &self.path))
    }

    /// Makes all writes take effect, or none.
    pub(super) fn apply<'a>(&mut self, writes: impl Iterator<Item = &'a Write>) -> Result<(), StoreError> {
        let connection = &mut self.connection;
        let write = || -> rusqlite::Result<()> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            writes.into_iter().try_for_each(|write| apply_one(&transaction, write))?;
            transaction.commit()
        };
        write().map_err(|error| explain(&error, &self.path))
    }

    /// Lets the file grow to so many pages only: a disk that is full.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) {
        self.connection
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, u32>(0))
            .unwrap();
    }
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

fn create(transaction: Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute(TABLES, [])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", SCHEMA)?;
    transaction.commit()
}

fn apply_one(transaction: &Transaction<'_>, write: &Write) -> rusqlite::Result<()> {
    match write {
        Write::Put { space, key, value } => transaction
            .prepare_cached("INSERT OR REPLACE INTO kv (space, key, value) VALUES (?1, ?2, ?3)")?
            .execute((space.0, key, value)),
        Write::Delete { space, key } => transaction
            .prepare_cached("DELETE FROM kv WHERE space = ?1 AND key = ?2")?
            .execute((space.0, key)),
    }
    .map(drop)
}

fn newer(path: &Path, schema: i32) -> StoreError {
    StoreError::Failed(format!(
        "{} was written by another version of Anzen (schema {schema}, this one knows {SCHEMA}); run that version, nothing \
         was changed",
        path.display()
    ))
}

fn damaged(path: &Path, what: &str) -> StoreError {
    StoreError::Failed(format!(
        "{} is damaged ({what}); nothing was changed: restore it, or move it away to start empty (an operator's signing \
         protection is in it)",
        path.display()
    ))
}

/// What an error of SQLite means for the person who runs the process.
fn explain(error: &rusqlite::Error, path: &Path) -> StoreError {
    let name = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked(name.to_string()),
        Some(ErrorCode::DiskFull) => StoreError::Full(name.to_string()),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(path, &error.to_string()),
        _ => StoreError::Failed(format!("{name}: {error}")),
    }
}
