//! A model in a file (docs/models.md).

use anzen_messages::model::Model;
use std::path::{Path, PathBuf};

/// The longest file that is read, in bytes: the largest model takes a tenth of it.
const LONGEST: u64 = 1_048_576;

/// Why a file gives no model.
#[derive(Debug, thiserror::Error)]
pub enum ModelFileError {
    /// The file could not be read.
    #[error("cannot read the model's file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The file is too long for a model's.
    #[error("the model's file {0} is longer than {LONGEST} bytes, which no model is; give the right file")]
    TooLong(PathBuf),
    /// The file has no model in it, or one that is not within the bounds.
    #[error("the model's file {path}: {source} (docs/models.md, \"In a file\")")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
}

/// Reads a model's file.
///
/// # Errors
/// Where it is not there, or has no model within the bounds in it.
pub fn load(path: &Path) -> Result<Model, ModelFileError> {
    let read = |source| ModelFileError::Read { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(read)?.len() > LONGEST {
        return Err(ModelFileError::TooLong(path.to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(read)?;
    serde_json::from_str(&text).map_err(|source| ModelFileError::Malformed { path: path.to_owned(), source })
}
