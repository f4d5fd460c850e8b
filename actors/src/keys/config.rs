//! Where a process has its keys from.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The keys of a process. Passwords and private keys are in files or in variables, never in the configuration itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeysConfig {
    /// The BLS key that answers and sessions are signed with (role `operator-signer`). Its variables are
    /// `ANZEN_BLS_PASSWORD` and `ANZEN_BLS_PRIVATE_KEY`.
    pub bls: KeySource,
    /// The ECDSA key that transactions are signed with (role `tx-sender`). Its variables are `ANZEN_ECDSA_PASSWORD` and
    /// `ANZEN_ECDSA_PRIVATE_KEY`.
    pub ecdsa: KeySource,
}

/// Where one key is: in a keystore, whose password is in a file, in a variable, or asked for; or, for development, as
/// hexadecimal digits in a file or in a variable. One of these ways, not two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeySource {
    /// The keystore file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keystore: Option<PathBuf>,
    /// The file with its password; without it the password is in the variable or asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Instead of a keystore, for development: a file with the key's hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key_file: Option<PathBuf>,
}

/// The variables that hold secrets, and where keys are kept. They are the program's own, not settings of a node.
pub const VARIABLES: [&str; 5] = [
    "ANZEN_BLS_PASSWORD",
    "ANZEN_BLS_PRIVATE_KEY",
    "ANZEN_ECDSA_PASSWORD",
    "ANZEN_ECDSA_PRIVATE_KEY",
    "ANZEN_KEYS_DIR",
];

/// Which of an operator's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// Signs answers, on BN254.
    Bls,
    /// Signs transactions, on secp256k1.
    Ecdsa,
}

impl KeyKind {
    /// The variable with the password of a keystore.
    pub const fn password_variable(self) -> &'static str {
        match self {
            Self::Bls => "ANZEN_BLS_PASSWORD",
            Self::Ecdsa => "ANZEN_ECDSA_PASSWORD",
        }
    }

    /// The variable with the key's hexadecimal digits.
    pub const fn private_key_variable(self) -> &'static str {
        match self {
            Self::Bls => "ANZEN_BLS_PRIVATE_KEY",
            Self::Ecdsa => "ANZEN_ECDSA_PRIVATE_KEY",
        }
    }

    /// The section of the configuration.
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Bls => "keys.bls",
            Self::Ecdsa => "keys.ecdsa",
        }
    }

    /// As it is part of the names of files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bls => "bls",
            Self::Ecdsa => "ecdsa",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bls => "BLS",
            Self::Ecdsa => "ECDSA",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_of_a_key_is_known_as_the_programs_own() {
        for kind in [KeyKind::Bls, KeyKind::Ecdsa] {
            assert!(VARIABLES.contains(&kind.password_variable()));
            assert!(VARIABLES.contains(&kind.private_key_variable()));
        }
    }
}
