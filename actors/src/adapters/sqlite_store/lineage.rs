//! Whether the file is the one that this process's predecessor left, or a copy of some earlier state.
//!
//! What was written after a copy was made is not in the copy: an operator that goes on from it would not know what it has
//! signed. So every start leaves a new witness beside the file and notes in the file which witness that is, and which file it
//! is itself (inode and time of birth). A copy has another inode; a file that was put back in place names an earlier witness.
//! What cannot be told apart is a disk, or a virtual machine, that was put back as a whole, nor what one and the same run had
//! written earlier and was put back in place: whoever does that says so (`anzen operator protection restored`).

use std::fs::{File, Metadata};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use alloy::hex;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::config::FileIds;
use super::create::{beside, failed, folder_of, share};
use super::explain::explain;
use crate::ports::StoreError;

/// The ending of the witness's name.
pub(super) const WITNESS: &str = ".witness";
/// Under which name the table of facts has it.
const NAME: &str = "lineage";

/// What the file knows of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Lineage {
    /// How often it was found to be a copy, or was repaired by hand.
    restorations: u64,
    /// Which file it is.
    file: String,
    /// The witnesses that may be beside it: that of the last start, and, where that start was cut short, the one before.
    witnesses: Vec<Option<String>>,
}

/// What the comparison with the witness says.
#[derive(Debug)]
pub(super) struct Finding {
    /// How often the file was found to be a copy, this time included.
    pub(super) restorations: u64,
    is_new: bool,
    /// All but the file numbers is as it was left.
    numbers_only: bool,
    file: String,
    witness: Option<String>,
}

/// Compares the file with its witness, and changes nothing.
pub(super) fn judge(connection: &Connection, path: &Path, by: FileIds) -> Result<Finding, StoreError> {
    let fail = |error: std::io::Error| failed(path, &error);
    let known = read(connection, path)?;
    let witness = name_of(&beside(path, WITNESS)).map_err(fail)?;
    let file = identity(&std::fs::metadata(path).map_err(fail)?);
    let Some(known) = known else {
        // New, or of a version that knew no witnesses.
        let is_new = witness.is_some();
        let restorations = u64::from(is_new);
        return Ok(Finding { restorations, is_new, numbers_only: false, file, witness });
    };
    let exactly = known.file == file && known.witnesses.contains(&witness);
    let told = token(witness.as_ref());
    // Without its witness it is a copy, whatever the file system says of numbers.
    let nearly = told.is_some() && known.witnesses.iter().any(|one| token(one.as_ref()) == told);
    let is_same = exactly || (by == FileIds::Unstable && nearly);
    let restorations = known.restorations.saturating_add(u64::from(!is_same));
    Ok(Finding { restorations, is_new: !is_same, numbers_only: nearly, file, witness })
}

/// The same, and leaves the next witness.
pub(super) fn examine(connection: &Connection, path: &Path, by: FileIds) -> Result<u64, StoreError> {
    let fail = |error: std::io::Error| failed(path, &error);
    let Finding { restorations, is_new, numbers_only, file, witness: beside_it } =
        judge(connection, path, by)?;
    if is_new {
        tracing::warn!(
            store = %path.display(),
            "the store is a copy, or was put back from one: an operator signs only tasks that are created from now on"
        );
    }
    if is_new && numbers_only {
        tracing::warn!(
            "if nobody copied it, then its file system gives a file another number each time: set store.file_ids_are_stable \
             to false"
        );
    }
    let witness = beside(path, WITNESS);
    let new = beside(path, ".witness.new");
    let next = leave(&new, path).map_err(fail)?;
    write(connection, path, &Lineage { restorations, file, witnesses: vec![Some(next), beside_it] })?;
    let place = || {
        std::fs::rename(&new, &witness)?;
        File::open(folder_of(path))?.sync_all()
    };
    place().map_err(fail)?;
    Ok(restorations)
}

/// Notes that somebody has changed the records, so that it counts as restored.
pub(super) fn note_repair(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let mut lineage = read(connection, path)?.unwrap_or_default();
    lineage.restorations = lineage.restorations.saturating_add(1);
    write(connection, path, &lineage)
}

fn read(connection: &Connection, path: &Path) -> Result<Option<Lineage>, StoreError> {
    let text: Option<String> = connection
        .query_row("SELECT value FROM meta WHERE name = ?1", [NAME], |row| row.get(0))
        .optional()
        .map_err(|error| explain(&error, path))?;
    // What cannot be read matches nothing: the file counts as a copy.
    Ok(text.map(|text| serde_json::from_str(&text).unwrap_or_default()))
}

fn write(connection: &Connection, path: &Path, lineage: &Lineage) -> Result<(), StoreError> {
    // Serialising these fields to memory cannot fail; were the value empty, the file would count as a copy.
    let text = serde_json::to_string(lineage).unwrap_or_default();
    let written =
        connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)", (NAME, text));
    written.map(drop).map_err(|error| explain(&error, path))
}

/// Makes a witness of a store; returns its name.
fn leave(new: &Path, store: &Path) -> std::io::Result<String> {
    let mut token = [0; 16];
    getrandom::fill(&mut token).map_err(std::io::Error::other)?;
    // A file that was never there before: its inode and birth are its own.
    match std::fs::remove_file(new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::create_new(new)?;
    writeln!(file, "{}", hex::encode(token))?;
    file.sync_all()?;
    share(new, store)?;
    Ok(named(&hex::encode(token), &file.metadata()?))
}

/// The name of the witness that is there: what is in it, and which file it is.
fn name_of(witness: &Path) -> std::io::Result<Option<String>> {
    match std::fs::read(witness) {
        Ok(token) => {
            let token = String::from_utf8_lossy(&token).trim().to_owned();
            Ok(Some(named(&token, &std::fs::metadata(witness)?)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn named(token: &str, file: &Metadata) -> String {
    format!("{token}@{}", identity(file))
}

/// What is in a witness of that name.
fn token(witness: Option<&String>) -> Option<&str> {
    witness.map(|name| name.split_once('@').map_or(name.as_str(), |(token, _)| token))
}

/// Inode, and time of birth where the file system tells it: together no other file's.
fn identity(file: &Metadata) -> String {
    let birth = file.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!("{}:{}", file.ino(), birth.map_or(0, |birth| birth.as_nanos()))
}
