//! Why a keystore gives no key.

use anzen_messages::bls::SecretKeyError;

use super::super::KeyKind;

/// Each says what to do next. What a file says of itself is shown escaped: it may be hostile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeystoreError {
    /// The text ends too early.
    #[error("the file ends in the middle; it was truncated, take it from a backup")]
    Truncated,
    /// Not JSON.
    #[error("the file is not JSON (line {line}, column {column}); a keystore is; is the path right?")]
    NotJson {
        /// Where.
        line: usize,
        /// Where.
        column: usize,
    },
    /// A field is missing or has another type.
    #[error("`{0}` is missing, or is not what a keystore has there; is this a keystore, and whole?")]
    Malformed(&'static str),
    /// A version that is not known.
    #[error("version {0} of the format is not known; 3 (Web3 Secret Storage) and 4 (EIP-2335) are")]
    Version(u64),
    /// A key derivation that is not known.
    #[error("the key derivation {0:?} is not known; scrypt and pbkdf2 with hmac-sha256 are")]
    Kdf(String),
    /// A cipher that is not known.
    #[error("the cipher {0:?} is not known; aes-128-ctr is")]
    Cipher(String),
    /// A checksum that is not known.
    #[error("the checksum {0:?} is not known; sha256 is")]
    Checksum(String),
    /// The derivation would take more than any honest file asks for.
    #[error("{what} = {value} is out of bounds ({bounds}); such a file is not opened")]
    OutOfBounds {
        /// The parameter.
        what: &'static str,
        /// What the file says.
        value: u64,
        /// What is allowed.
        bounds: &'static str,
    },
    /// The checksum does not fit.
    #[error("the password is wrong (or the file was changed)")]
    WrongPassword,
    /// The secret is longer than a key.
    #[error("it holds {0} bytes, and a key has 32; was it written for another kind of key?")]
    Length(usize),
    /// The curve is another.
    #[error("it is for the curve {0:?}, and operators sign with BN254")]
    Curve(String),
    /// A key of the other kind.
    #[error("it holds an {found} key, and the {wanted} key is needed")]
    OtherKind {
        /// What is needed.
        wanted: KeyKind,
        /// What it is.
        found: KeyKind,
    },
    /// The secret is no BLS key.
    #[error(transparent)]
    Bls(#[from] SecretKeyError),
    /// The secret is no ECDSA key.
    #[error("an ECDSA key is written as 64 hexadecimal digits, with or without 0x")]
    NotHex,
    /// Zero is no key.
    #[error("the ECDSA key is zero; generate a new one")]
    Zero,
    /// Not below the group's order.
    #[error("the ECDSA key is not below the order of secp256k1; is it a key of another curve?")]
    TooLarge,
    /// The file states another public key than its secret has.
    #[error(
        "it states {stated:?}, and its secret is of {derived}; the file was changed, or put together from two"
    )]
    Mismatch {
        /// What the file says.
        stated: String,
        /// What its secret gives.
        derived: String,
    },
    /// No randomness.
    #[error("the operating system gave no randomness")]
    NoRandomness,
}
