//! What lasts of a process.

use std::path::{Path, PathBuf};

use super::config::NodeConfig;
use super::error::NodeError;
use crate::adapters::{SqliteStore, StoreMetrics};

/// Where the store of a process is.
pub fn store_path(config: &NodeConfig) -> PathBuf {
    config.data_dir.join("anzen.db")
}

/// Opens the store of a process; makes it, and the folder, where there is none.
///
/// # Errors
/// Where another process has it, or it cannot be used.
pub fn open_store(config: &NodeConfig, metrics: StoreMetrics) -> Result<SqliteStore, NodeError> {
    make_private(&config.data_dir)?;
    Ok(SqliteStore::open_with(&store_path(config), &config.store, metrics)?)
}

/// The data folder holds what an operator must not lose: where it is made here, it is the user's alone.
fn make_private(folder: &Path) -> Result<(), NodeError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| NodeError::File { path: folder.to_owned(), error })
}
