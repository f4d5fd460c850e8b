//! The records in the file.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::checksum;
use crate::ports::{StoreError, Write};

/// A key and its value.
pub(super) type Record = (Vec<u8>, Vec<u8>);
/// Records of a space by key.
pub(super) type Records = Vec<Record>;
/// How many records each space has.
pub(super) type Counts = BTreeMap<String, u64>;

/// All records of a space, by key; an error for the first that is not what was written.
pub(super) fn load(connection: &Connection, space: &str) -> rusqlite::Result<Result<Records, StoreError>> {
    let sql = "SELECT space, key, value, checksum FROM kv WHERE space = ?1 ORDER BY key";
    let mut query = connection.prepare_cached(sql)?;
    query.query_map([space], |row| verify(space, row))?.collect()
}

/// The same, whatever their checksums say.
pub(super) fn raw(connection: &Connection, space: &str) -> rusqlite::Result<Records> {
    let mut query = connection.prepare("SELECT key, value FROM kv WHERE space = ?1 ORDER BY key")?;
    query.query_map([space], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// An error for each record, of whatever space, that is not what was written.
pub(super) fn damaged(connection: &Connection) -> rusqlite::Result<Vec<StoreError>> {
    let mut query = connection.prepare("SELECT space, key, value, checksum FROM kv ORDER BY space, key")?;
    let mut damaged = Vec::new();
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        // Text that is no longer text is shown as well as it can be.
        let space = String::from_utf8_lossy(row.get_ref(0)?.as_bytes()?).into_owned();
        damaged.extend(verify(&space, row)?.err());
    }
    Ok(damaged)
}

/// How a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordState {
    Absent,
    Whole,
    Damaged,
}

/// Whether a record is there, and is what was written.
pub(super) fn state_of(connection: &Connection, space: &str, key: &[u8]) -> rusqlite::Result<RecordState> {
    let sql = "SELECT space, key, value, checksum FROM kv WHERE space = ?1 AND key = ?2";
    let found = connection.query_row(sql, (space, key), |row| verify(space, row)).optional()?;
    Ok(match found {
        None => RecordState::Absent,
        Some(Ok(_)) => RecordState::Whole,
        Some(Err(_)) => RecordState::Damaged,
    })
}

/// How many records each space has.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<Counts> {
    let mut query = connection.prepare("SELECT space, count(*) FROM kv GROUP BY space")?;
    query.query_map([], |row| Ok((row.get(0)?, unsigned(row.get(1)?))))?.collect()
}

/// SQLite counts with a sign.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// A record, from its row (space, key, value, checksum), if it is what was written.
fn verify(space: &str, row: &Row<'_>) -> rusqlite::Result<Result<Record, StoreError>> {
    let (key, value) = (row.get_ref(1)?.as_bytes()?.to_vec(), row.get_ref(2)?.as_bytes()?.to_vec());
    let is_right = row.get_ref(3)?.as_i64() == Ok(checksum::of_record(space, &key, &value).into());
    Ok(if is_right {
        Ok((key, value))
    } else {
        Err(StoreError::damaged(space, &key, &"its checksum is wrong"))
    })
}

/// Makes a write part of the transaction.
pub(super) fn apply(
    transaction: &Transaction<'_>,
    write: &Write,
    counts: &mut Counts,
) -> rusqlite::Result<()> {
    match write {
        Write::Put { space, key, value } => {
            let checksum = checksum::of_record(space.0, key, value);
            let sql = "INSERT OR IGNORE INTO kv (space, key, value, checksum) VALUES (?1, ?2, ?3, ?4)";
            if transaction.prepare_cached(sql)?.execute((space.0, key, value, checksum))? > 0 {
                *counts.entry(space.0.to_owned()).or_default() += 1;
                return Ok(());
            }
            let sql = "UPDATE kv SET value = ?3, checksum = ?4 WHERE space = ?1 AND key = ?2";
            transaction.prepare_cached(sql)?.execute((space.0, key, value, checksum)).map(drop)
        }
        Write::Delete { space, key } => {
            let sql = "DELETE FROM kv WHERE space = ?1 AND key = ?2";
            let removed = transaction.prepare_cached(sql)?.execute((space.0, key))?;
            if let Some(count) = counts.get_mut(space.0) {
                *count = count.saturating_sub(removed as u64);
            }
            Ok(())
        }
    }
}
