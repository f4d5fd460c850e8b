//! Keystore files: a private key under a password, as other tools write and read them.
//!
//! | file | format | written | read |
//! | --- | --- | --- | --- |
//! | ECDSA | Web3 Secret Storage, version 3 | yes | yes |
//! | BLS | EigenLayer's: `pubKey` beside the `crypto` of version 3 | yes | yes |
//! | BLS | EIP-2335 for BN254, as newer EigenLayer tools write | no | yes |
//!
//! | module | what is in it |
//! | --- | --- |
//! | `kdf` | from the password to a key, within bounds |
//! | `sealed` | cipher and checksum, and the two forms of the `crypto` section |
//!
//! Encryption is RustCrypto's; what is here is the formats.

mod error;
mod hex_bytes;
mod kdf;
mod sealed;
#[cfg(test)]
mod tests;

use std::fmt;

use alloy::primitives::{Address, hex};
use alloy::signers::local::PrivateKeySigner;
use anzen_messages::OperatorId;
use anzen_messages::bls::{PublicKeyText, SecretKey};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

pub use error::KeystoreError;
pub use kdf::Strength;

use super::KeyKind;
pub(super) use sealed::random;
use sealed::{Sealed, Secret};

/// A keystore: what it says in the open, and the secret under its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keystore {
    sealed: Sealed,
    owner: Owner,
}

/// Whose key a file says that it has. The password need not be known for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// An account.
    Ecdsa(Address),
    /// A BLS key, in one of the forms in which tools write it.
    Bls(PublicKeyText),
    /// Nothing is said: Foundry's `cast` and other tools write neither address nor public key.
    Unsaid,
}

impl Owner {
    /// The kind of key, where the file says whose it is.
    pub fn kind(&self) -> Option<KeyKind> {
        match self {
            Self::Ecdsa(_) => Some(KeyKind::Ecdsa),
            Self::Bls(_) => Some(KeyKind::Bls),
            Self::Unsaid => None,
        }
    }

    /// The id of the operator, where it follows from what the file says.
    pub fn operator_id(&self) -> Option<OperatorId> {
        match self {
            Self::Bls(key) => key.operator_id(),
            Self::Ecdsa(_) | Self::Unsaid => None,
        }
    }
}

impl Keystore {
    /// Reads a file's text; nothing is decrypted.
    ///
    /// # Errors
    /// Where it is no keystore, or one that must not be opened.
    pub fn read(text: &str) -> Result<Self, KeystoreError> {
        let json: Value = serde_json::from_str(text).map_err(|error| {
            if error.is_eof() {
                KeystoreError::Truncated
            } else {
                KeystoreError::NotJson { line: error.line(), column: error.column() }
            }
        })?;
        // Else a file with a bare number, which may be a private key, would be quoted by an error.
        let fields = json.as_object().ok_or(KeystoreError::Malformed("crypto"))?;
        check_version(fields)?;
        check_curve(fields)?;
        let crypto = fields.get("crypto").or_else(|| fields.get("Crypto"));
        Ok(Self {
            sealed: Sealed::read(crypto.ok_or(KeystoreError::Malformed("crypto"))?)?,
            owner: owner(fields)?,
        })
    }

    /// Whose key it says it has.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The BLS key. Takes about a second and 256 MiB with the standard parameters.
    ///
    /// # Errors
    /// Where the password is wrong, or the secret is no BLS key or not the one that the file states.
    pub fn open_bls(&self, password: &str) -> Result<SecretKey, KeystoreError> {
        self.expect(KeyKind::Bls)?;
        let key = SecretKey::from_bytes(&*self.sealed.open(password)?)?;
        match &self.owner {
            Owner::Bls(stated) if !stated.is_of(&key.public_key()) => Err(KeystoreError::Mismatch {
                stated: stated.to_string(),
                derived: PublicKeyText::of(&key.public_key()).to_string(),
            }),
            _ => Ok(key),
        }
    }

    /// The ECDSA key. Takes about a second and 256 MiB with the standard parameters.
    ///
    /// # Errors
    /// Where the password is wrong, or the secret is no ECDSA key or not that of the account which the file states.
    pub fn open_ecdsa(&self, password: &str) -> Result<PrivateKeySigner, KeystoreError> {
        self.expect(KeyKind::Ecdsa)?;
        let key = ecdsa_key(&self.sealed.open(password)?)?;
        match &self.owner {
            Owner::Ecdsa(stated) if *stated != key.address() => Err(KeystoreError::Mismatch {
                stated: stated.to_string(),
                derived: key.address().to_string(),
            }),
            _ => Ok(key),
        }
    }

    fn expect(&self, wanted: KeyKind) -> Result<(), KeystoreError> {
        match self.owner.kind() {
            Some(found) if found != wanted => Err(KeystoreError::OtherKind { wanted, found }),
            _ => Ok(()),
        }
    }

    /// A new keystore of a BLS key, in the form that EigenLayer's CLI writes.
    ///
    /// # Errors
    /// Where there is no randomness.
    pub fn seal_bls(key: &SecretKey, password: &str, strength: Strength) -> Result<String, KeystoreError> {
        let sealed = Sealed::seal(&key.to_bytes(), password, strength)?;
        let public = PublicKeyText::of(&key.public_key()).to_string();
        Ok(json!({ "pubKey": public, "crypto": sealed.to_version3() }).to_string())
    }

    /// A new keystore of an ECDSA key, Web3 Secret Storage version 3.
    ///
    /// # Errors
    /// Where there is no randomness.
    pub fn seal_ecdsa(
        key: &PrivateKeySigner,
        password: &str,
        strength: Strength,
    ) -> Result<String, KeystoreError> {
        let sealed = Sealed::seal(&Zeroizing::new(key.to_bytes().0), password, strength)?;
        let address = hex::encode(key.address());
        let id = Uuid(random()?).to_string();
        Ok(json!({ "address": address, "crypto": sealed.to_version3(), "id": id, "version": 3 }).to_string())
    }
}

/// The ECDSA key that 32 bytes are.
pub(super) fn ecdsa_key(secret: &Secret) -> Result<PrivateKeySigner, KeystoreError> {
    if secret.iter().all(|byte| *byte == 0) {
        return Err(KeystoreError::Zero);
    }
    PrivateKeySigner::from_slice(secret.as_slice()).map_err(|_| KeystoreError::TooLarge)
}

/// Files of EigenLayer's form for BLS keys have no version.
fn check_version(fields: &Map<String, Value>) -> Result<(), KeystoreError> {
    match fields.get("version").map(Value::as_u64) {
        None | Some(Some(3 | 4)) => Ok(()),
        Some(Some(other)) => Err(KeystoreError::Version(other)),
        Some(None) => Err(KeystoreError::Malformed("version")),
    }
}

fn check_curve(fields: &Map<String, Value>) -> Result<(), KeystoreError> {
    match fields.get("curve").or_else(|| fields.get("curveType")).map(Value::as_str) {
        None | Some(Some("" | "bn254")) => Ok(()),
        Some(Some(other)) => Err(KeystoreError::Curve(other.to_owned())),
        Some(None) => Err(KeystoreError::Malformed("curve")),
    }
}

/// An empty text says nothing: EIP-2335 allows it.
fn owner(fields: &Map<String, Value>) -> Result<Owner, KeystoreError> {
    let text = |name: &'static str| match fields.get(name).map(Value::as_str) {
        None | Some(Some("")) => Ok(None),
        Some(Some(text)) => Ok(Some(text)),
        Some(None) => Err(KeystoreError::Malformed(name)),
    };
    for name in ["pubKey", "pubkey", "publicKey"] {
        if let Some(key) = text(name)? {
            return Ok(Owner::Bls(key.parse().map_err(|_| KeystoreError::Malformed(name))?));
        }
    }
    let Some(address) = text("address")? else { return Ok(Owner::Unsaid) };
    address.parse().map(Owner::Ecdsa).map_err(|_| KeystoreError::Malformed("address"))
}

/// A random (version 4) UUID, which version 3 asks for.
struct Uuid([u8; 16]);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0;
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let digits = hex::encode(bytes);
        let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        f.write_str(&parts.join("-"))
    }
}
