//! A private key of either kind.

use alloy::primitives::hex;
use alloy::signers::local::PrivateKeySigner;
use anzen_messages::bls::{PublicKeyText, SecretKey};
use zeroize::Zeroizing;

use super::keystore::{Keystore, KeystoreError, Owner, Strength, ecdsa_key};
use super::{KeyError, KeyKind};

/// Wiped when dropped, and redacted in `Debug`, by the types inside.
#[derive(Debug, Clone)]
pub enum PrivateKey {
    /// Signs answers.
    Bls(SecretKey),
    /// Signs transactions.
    Ecdsa(PrivateKeySigner),
}

impl PrivateKey {
    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    /// Where there is none.
    pub fn generate(kind: KeyKind) -> Result<Self, KeystoreError> {
        match kind {
            KeyKind::Bls => Ok(Self::Bls(SecretKey::generate()?)),
            KeyKind::Ecdsa => {
                let bytes = Zeroizing::new(super::keystore::random()?);
                ecdsa_key(&bytes).map(Self::Ecdsa)
            }
        }
    }

    /// A key from the digits that a person or a file gives; the text is in no error.
    ///
    /// # Errors
    /// Where the text is no key of that kind.
    pub fn from_text(kind: KeyKind, text: &str) -> Result<Self, KeystoreError> {
        match kind {
            KeyKind::Bls => Ok(Self::Bls(SecretKey::from_text(text)?)),
            KeyKind::Ecdsa => {
                let mut bytes = Zeroizing::new([0; 32]);
                hex::decode_to_slice(text.trim(), bytes.as_mut_slice()).map_err(|_| KeystoreError::NotHex)?;
                ecdsa_key(&bytes).map(Self::Ecdsa)
            }
        }
    }

    /// The key in a file, or in whatever `from` names.
    pub(super) fn read(kind: KeyKind, text: &str, from: String) -> Result<Self, KeyError> {
        Self::from_text(kind, text).map_err(|source| KeyError::PrivateKey { kind, from, source })
    }

    /// Its 64 hexadecimal digits.
    pub fn to_hex(&self) -> Zeroizing<String> {
        match self {
            Self::Bls(key) => key.to_hex(),
            Self::Ecdsa(key) => Zeroizing::new(hex::encode(Zeroizing::new(key.to_bytes().0))),
        }
    }

    /// Which kind it is.
    pub fn kind(&self) -> KeyKind {
        match self {
            Self::Bls(_) => KeyKind::Bls,
            Self::Ecdsa(_) => KeyKind::Ecdsa,
        }
    }

    /// Whose key it is.
    pub fn owner(&self) -> Owner {
        match self {
            Self::Bls(key) => Owner::Bls(PublicKeyText::of(&key.public_key())),
            Self::Ecdsa(key) => Owner::Ecdsa(key.address()),
        }
    }

    /// The text of a keystore. Takes about a second and 256 MiB in standard strength.
    ///
    /// # Errors
    /// Where there is no randomness.
    pub fn seal(&self, password: &str, strength: Strength) -> Result<String, KeystoreError> {
        match self {
            Self::Bls(key) => Keystore::seal_bls(key, password, strength),
            Self::Ecdsa(key) => Keystore::seal_ecdsa(key, password, strength),
        }
    }
}
