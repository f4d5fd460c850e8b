//! What outlives the process.

use std::fmt::Display;

use async_trait::async_trait;

/// Whose records they are; one name per actor and purpose, so that no two share a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Space(pub &'static str);

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Sets a record.
    Put {
        /// Whose it is.
        space: Space,
        /// Its key; records of a space are in the order of their keys.
        key: Vec<u8>,
        /// Its content.
        value: Vec<u8>,
    },
    /// Removes a record; nothing happens where there is none.
    Delete {
        /// Whose it is.
        space: Space,
        /// Its key.
        key: Vec<u8>,
    },
}

/// Why records could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room: of the disk, or of what the configuration allows.
    #[error(
        "the disk is full, or store.most_bytes is reached; free some space or raise it, nothing was lost: {0}"
    )]
    Full(String),
    /// Another process has the file.
    #[error("another process uses the store {0}; stop it, or give this one a directory of its own")]
    Locked(String),
    /// A record is not what was written.
    #[error(
        "the store's record {key} of {space} is damaged ({what}); nothing was changed: restore the store, or see what is lost \
         with it and give it up: anzen store drop-record {space} {key}"
    )]
    Damaged {
        /// Whose it is.
        space: String,
        /// Its key, in hexadecimal digits after 0x.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// The file is not what was written, or parts of it are gone.
    #[error("{0}")]
    DamagedFile(String),
    /// The disk failed in a way after which nothing that it says is to be trusted. The process ends.
    #[error(
        "the disk failed ({0}), and what it says now is not to be trusted, so the process ends; look at the disk, then start \
         it again: nothing that was acknowledged is lost unless the disk lost it"
    )]
    Broken(String),
    /// Anything else that the storage reports.
    #[error("the store failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// The error that names a record which cannot be read.
    pub fn damaged(space: &str, key: &[u8], what: &impl Display) -> Self {
        let key = alloy::hex::encode_prefixed(key);
        Self::Damaged { space: space.to_owned(), key, what: what.to_string() }
    }

    /// True where what is on disk is not what was written.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::DamagedFile(_))
    }
}

/// Records on disk.
#[async_trait]
pub trait Store: Send + Sync {
    /// All records of a space, in the order of their keys.
    async fn load(&self, space: Space) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError>;

    /// Makes all of `writes` take effect, or none. When it returns, they survive a crash of the machine.
    async fn commit(&self, writes: Vec<Write>) -> Result<(), StoreError>;

    /// How often these records were found to be a copy of an earlier state, or were repaired by hand: whoever must know what
    /// it did after that state was written compares it with the number that it knew. Does not change while the process runs.
    fn restorations(&self) -> u64 {
        0
    }
}
