//! Why there is no key.

use std::io;
use std::path::PathBuf;

use super::KeyKind;
use super::keystore::KeystoreError;

/// Each says what to do next; none repeats a secret.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Nothing says where the key is.
    #[error(
        "nothing says where the {0} key is; name a keystore ({setting}.keystore, or --keystore where a command has it), or \
         for development a file with the private key ({setting}.private_key_file) or {variable}",
        setting = .0.setting(),
        variable = .0.private_key_variable()
    )]
    NotGiven(KeyKind),
    /// Two sources, which may hold two keys.
    #[error("the {kind} key is given twice, by {first} and by {second}; leave one of them away")]
    GivenTwice {
        /// Which key.
        kind: KeyKind,
        /// One way.
        first: String,
        /// The other.
        second: String,
    },
    /// A file or folder.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// No file with a key or a password is that long.
    #[error("{0} is too long to be a file with a key or a password; is the path right?")]
    TooLong(PathBuf),
    /// A file is there already.
    #[error("{0} exists, and is not overwritten; choose another name or file")]
    Exists(PathBuf),
    /// A private key in a file or a variable is none.
    #[error("{from} holds no {kind} key")]
    PrivateKey {
        /// Which key.
        kind: KeyKind,
        /// Where it was read.
        from: String,
        /// What is wrong.
        source: KeystoreError,
    },
    /// A keystore.
    #[error("the keystore {path}")]
    Keystore {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        source: KeystoreError,
    },
    /// Nobody gave the password, and nobody can be asked.
    #[error(
        "there is no password for {what}: give it in a file ({file}), in the variable {variable}, or at a terminal"
    )]
    NoPassword {
        /// What it opens.
        what: String,
        /// The setting or flag that names a file.
        file: &'static str,
        /// The variable.
        variable: &'static str,
    },
    /// A new keystore needs one.
    #[error("the password is empty; a keystore without one protects nothing")]
    EmptyPassword,
    /// Two different answers.
    #[error("the two passwords differ; try again")]
    PasswordsDiffer,
    /// The terminal.
    #[error("the terminal does not answer: {0}")]
    Terminal(io::Error),
}
