//! Making the file: whole or not at all, and never in the place of one that was lost.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::explain::{START_EMPTY, damaged, explain};
use super::schema;
use crate::ports::StoreError;

/// What may lie beside a store, and is never there without one.
const COMPANIONS: [&str; 3] = ["-wal", "-journal", super::lineage::WITNESS];

/// Keeps other processes out of the store's folder, so that not even one that finds no file makes a second store. The
/// system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct FolderLock {
    _folder: Option<File>,
}

impl FolderLock {
    /// Takes the lock of the folder that `path` is in.
    pub(super) fn take(path: &Path) -> Result<Self, StoreError> {
        let folder = File::open(folder_of(path)).map_err(|error| failed(path, &error))?;
        match folder.try_lock() {
            Ok(()) => Ok(Self { _folder: Some(folder) }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked(path.display().to_string())),
            // Some file systems have none; SQLite's own lock is there still.
            Err(TryLockError::Error(error)) => {
                tracing::debug!(%error, "the store's folder cannot be locked");
                Ok(Self { _folder: None })
            }
        }
    }
}

/// Sees to it that there is a file: makes one where there never was one, refuses where one was lost.
pub(super) fn ensure(path: &Path) -> Result<(), StoreError> {
    match std::fs::metadata(path) {
        Ok(found) if found.len() == 0 => Err(damaged(path, "it is empty")),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => match companion(path) {
            Some(companion) => Err(lost(path, &companion)),
            None => make(path),
        },
        Err(error) => Err(failed(path, &error)),
    }
}

/// What tells that there was a store.
fn companion(path: &Path) -> Option<PathBuf> {
    COMPANIONS.map(|ending| beside(path, ending)).into_iter().find(|file| file.exists())
}

/// The same for whoever makes none.
pub(super) fn must_exist(path: &Path) -> Result<(), StoreError> {
    if !path.exists() && companion(path).is_none() {
        let no_store = format!("there is no store at {}; is data_dir right?", path.display());
        return Err(StoreError::Failed(no_store));
    }
    ensure(path)
}

/// Gives a new file to the owner of another one, where this process may: what root does with a store of somebody else must not
/// be in that one's way.
pub(super) fn share(new: &Path, with: &Path) -> std::io::Result<()> {
    let (own, other) = (std::fs::metadata(new)?, std::fs::metadata(with)?);
    if own.uid() == other.uid() {
        return Ok(());
    }
    match std::os::unix::fs::chown(new, Some(other.uid()), Some(other.gid())) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        given => given,
    }
}

/// A process that is killed here leaves no file, or a whole one; what it leaves beside it is removed by the next.
fn make(path: &Path) -> Result<(), StoreError> {
    let new = beside(path, ".new");
    for leftover in [new.clone(), beside(path, ".new-journal")] {
        remove(&leftover).map_err(|error| failed(&leftover, &error))?;
    }
    fill(&new).map_err(|error| explain(&error, path))?;
    let place = || -> std::io::Result<()> {
        File::open(&new)?.sync_all()?;
        share(&new, folder_of(path))?;
        std::fs::rename(&new, path)?;
        File::open(folder_of(path))?.sync_all()
    };
    place().map_err(|error| failed(path, &error))
}

fn fill(new: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut connection = Connection::open_with_flags(new, flags)?;
    let transaction = connection.transaction()?;
    schema::create(&transaction)?;
    transaction.commit()
}

fn remove(file: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The file of the same name with an ending.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// What the system said of a file.
pub(super) fn failed(path: &Path, error: &std::io::Error) -> StoreError {
    if error.kind() == ErrorKind::StorageFull {
        return StoreError::Full(path.display().to_string());
    }
    StoreError::Failed(format!("{}: {error}", path.display()))
}

fn lost(path: &Path, companion: &Path) -> StoreError {
    StoreError::DamagedFile(format!(
        "{} is gone, and {} tells that it was there; nothing was changed: restore it, or {START_EMPTY}",
        path.display(),
        companion.display()
    ))
}
