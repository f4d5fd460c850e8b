//! A copy of the file as it was before it is brought up to date.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::create::{beside, failed, folder_of, share};
use super::explain::explain;
use crate::ports::StoreError;

/// Copies the file to `anzen.db.schema-<n>.bak` beside it: whole, or not at all. Needs no transaction to be open.
pub(super) fn make(connection: &Connection, path: &Path, schema: i32) -> Result<PathBuf, StoreError> {
    let copy = beside(path, &format!(".schema-{schema}.bak"));
    let new = beside(path, ".bak.new");
    let prepare = || match std::fs::remove_file(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    prepare().map_err(|error| failed(&new, &error))?;
    let name = new.to_string_lossy();
    connection.execute("VACUUM INTO ?1", [&name]).map_err(|error| explain(&error, path))?;
    let place = || -> std::io::Result<()> {
        File::open(&new)?.sync_all()?;
        share(&new, path)?;
        std::fs::rename(&new, &copy)?;
        File::open(folder_of(path))?.sync_all()
    };
    place().map_err(|error| failed(&copy, &error))?;
    Ok(copy)
}
