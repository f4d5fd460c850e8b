//! The operator's keys: where they are, how they are opened, and the files that hold them.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `config.rs` | where a process has its keys from |
//! | `load.rs` | the key that a source leads to |
//! | `password.rs` | a password from a file, a variable or a person |
//! | `private_key.rs` | a key of either kind |
//! | `keystore/` | the formats |
//! | `folder.rs` | a folder of keystores, by name |
//! | `files.rs` | reading and writing files with secrets |
//! | `surroundings.rs` | variables and the terminal |
//!
//! Everything but this module and the local signers ([`crate::adapters::LocalBlsSigner`],
//! [`crate::adapters::LocalTxSigner`]) works with [`crate::ports::BlsSigner`] and [`crate::ports::TxSigner`]: there a remote
//! signer fits.

mod config;
mod error;
pub mod files;
mod folder;
pub mod keystore;
mod load;
#[cfg(test)]
mod load_tests;
mod password;
mod private_key;
mod surroundings;
#[cfg(test)]
pub(crate) mod testing;

pub use config::{KeyKind, KeySource, KeysConfig, VARIABLES};
pub use error::KeyError;
pub use folder::{Entry, Folder};
pub use keystore::{Keystore, KeystoreError, Owner, Strength};
pub use load::{KeystoreFile, Loader, load_bls, load_ecdsa};
pub use password::{NewPassword, PasswordFrom};
pub use private_key::PrivateKey;
pub use surroundings::{Surroundings, ThisProcess};
