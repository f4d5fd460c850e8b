//! What is on disk: how far the chain was followed. It is only a convenience, and so not written after each block; without it
//! the recent blocks are read again.

use super::cursor::Cursor;
use crate::ports::{Space, Write};

/// One record: the cursor as JSON.
pub(super) const CURSOR: Space = Space("chain.cursor");

const KEY: &[u8] = b"cursor";

/// The write that keeps a cursor.
pub(super) fn put(cursor: &Cursor) -> Option<Write> {
    let value = serde_json::to_vec(cursor).ok()?;
    Some(Write::Put { space: CURSOR, key: KEY.to_vec(), value })
}

/// The cursor that was kept; nothing where there is none.
pub(super) fn read(records: &[(Vec<u8>, Vec<u8>)]) -> Result<Option<Cursor>, serde_json::Error> {
    let record = records.iter().find(|(key, _)| key == KEY);
    record.map(|(_, value)| serde_json::from_slice(value)).transpose()
}
