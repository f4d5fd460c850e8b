//! What goes wrong with the file, for the person who runs the process.

use std::path::Path;

use rusqlite::{ErrorCode, ffi};

use super::schema::SCHEMA;
use crate::ports::StoreError;

/// What an error of SQLite means.
pub(super) fn explain(error: &rusqlite::Error, path: &Path) -> StoreError {
    let name = path.display();
    let extended = error.sqlite_error().map(|error| error.extended_code);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked(name.to_string()),
        Some(ErrorCode::DiskFull) => StoreError::Full(name.to_string()),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(path, &error.to_string()),
        // Nothing of the transaction is there, and the next one may fit.
        Some(ErrorCode::SystemIoFailure) if extended == Some(ffi::SQLITE_IOERR_WRITE) => StoreError::Failed(
            format!("{name} cannot be written (a quota, a limit of file sizes, or a failing disk); {error}"),
        ),
        Some(ErrorCode::SystemIoFailure) => StoreError::Broken(format!("{name}: {error}")),
        _ => StoreError::Failed(format!("{name}: {error}")),
    }
}

/// What is left where nothing can be restored.
pub(super) const START_EMPTY: &str = "move it and what has its name away to start empty (an operator signs only tasks that \
    are created after its next start then, unless operator_signer.key_is_new says otherwise: take that out)";

/// The file as a whole.
pub(super) fn damaged(path: &Path, what: &str) -> StoreError {
    StoreError::DamagedFile(format!(
        "{} is damaged ({what}); nothing was changed: restore it, or {}",
        path.display(),
        START_EMPTY
    ))
}

/// A schema that this version does not know.
pub(super) fn newer(path: &Path, schema: i32) -> StoreError {
    StoreError::Failed(format!(
        "{} was written by another version of Anzen (schema {schema}, this one knows {SCHEMA}); run that version, nothing \
         was changed",
        path.display()
    ))
}

/// A file of somebody else.
pub(super) fn foreign(path: &Path) -> StoreError {
    StoreError::Failed(format!(
        "{} is a database of another program; give the store a file of its own",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_code(code: i32) -> StoreError {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        explain(&error, Path::new("anzen.db"))
    }

    /// After a failed flush the system may have dropped what was to be written, and a second flush says that all is well.
    #[test]
    fn after_a_flush_that_failed_nothing_more_is_trusted() {
        for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC, ffi::SQLITE_IOERR_READ] {
            assert!(matches!(of_code(code), StoreError::Broken(_)));
        }
    }

    #[test]
    fn what_may_pass_is_told_from_what_does_not() {
        assert!(matches!(of_code(ffi::SQLITE_FULL), StoreError::Full(_)));
        assert!(matches!(of_code(ffi::SQLITE_IOERR_WRITE), StoreError::Failed(_)));
        assert!(matches!(of_code(ffi::SQLITE_BUSY), StoreError::Locked(_)));
    }
}
