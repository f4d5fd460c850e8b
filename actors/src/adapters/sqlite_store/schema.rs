//! The tables, and the ladder that leads to them from those of earlier versions.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::checksum;

/// "ANZN": what `file` and SQLite's own tools show, and how a file of another program is told apart.
pub(super) const APPLICATION_ID: i32 = 0x414e_5a4e;
/// Counts up with every change of the tables; each has a step in [`LADDER`].
pub(super) const SCHEMA: i32 = 2;

const RECORDS: &str = "CREATE TABLE kv (space TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
                                        checksum INTEGER NOT NULL, PRIMARY KEY (space, key)) WITHOUT ROWID";
const META: &str = "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";

/// Leads from the schema before `to` to it.
struct Step {
    to: i32,
    take: fn(&Transaction<'_>) -> rusqlite::Result<()>,
}

/// In order, without a gap, up to [`SCHEMA`].
const LADDER: &[Step] = &[Step { to: 2, take: add_checksums }];

/// Makes the tables in an empty file.
pub(super) fn create(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute(RECORDS, [])?;
    transaction.execute(META, [])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", SCHEMA)
}

/// True where there is a way from that schema to today's.
pub(super) fn is_older(schema: i32) -> bool {
    LADDER.iter().any(|step| step.to == schema + 1)
}

/// Brings the tables up to date: all steps, or none.
pub(super) fn climb(connection: &mut Connection, from: i32) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    for step in LADDER.iter().filter(|step| step.to > from) {
        (step.take)(&transaction)?;
        transaction.pragma_update(None, "user_version", step.to)?;
    }
    transaction.commit()
}

/// 2: every record has a checksum; facts about the file itself have a table.
fn add_checksums(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute("ALTER TABLE kv RENAME TO kv_1", [])?;
    transaction.execute(RECORDS, [])?;
    transaction.execute(META, [])?;
    {
        let mut old = transaction.prepare("SELECT space, key, value FROM kv_1")?;
        let mut insert =
            transaction.prepare("INSERT INTO kv (space, key, value, checksum) VALUES (?1, ?2, ?3, ?4)")?;
        let mut rows = old.query([])?;
        while let Some(row) = rows.next()? {
            let (space, key, value): (String, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let checksum = checksum::of_record(&space, &key, &value);
            insert.execute((space, key, value, checksum))?;
        }
    }
    transaction.execute("DROP TABLE kv_1", []).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_leads_to_todays_schema_without_a_gap() {
        let steps: Vec<i32> = LADDER.iter().map(|step| step.to).collect();
        assert_eq!(steps, (2..=SCHEMA).collect::<Vec<_>>());
        assert!(!is_older(SCHEMA) && !is_older(0) && is_older(1));
    }
}
