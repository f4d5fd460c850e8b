//! The encrypted secret: what the formats have in common, and the two ways in which they write it down.

use aes::Aes128;
use aes::cipher::{KeyIvInit, StreamCipher};
use alloy::primitives::Keccak256;
use ctr::Ctr128BE;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::KeystoreError;
use super::hex_bytes::HexBytes;
use super::kdf::{DerivedKey, Kdf, Scrypt, Strength};

/// A key's 32 bytes, big-endian. Wiped when dropped.
pub(in super::super) type Secret = Zeroizing<[u8; 32]>;

/// The only cipher of either format.
const CIPHER: &str = "aes-128-ctr";
/// The only checksum of EIP-2335.
const SHA256: &str = "sha256";

/// A secret under a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sealed {
    kdf: Kdf,
    iv: [u8; 16],
    ciphertext: Vec<u8>,
    check: Check,
}

/// What tells a wrong password from the right one: a hash of half the derived key and the ciphertext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    /// Web3 Secret Storage, version 3.
    Keccak256([u8; 32]),
    /// EIP-2335.
    Sha256([u8; 32]),
}

/// `crypto` of Web3 Secret Storage, version 3.
#[derive(Debug, Serialize, Deserialize)]
struct Version3 {
    cipher: String,
    ciphertext: HexBytes,
    cipherparams: CipherParams,
    kdf: String,
    kdfparams: Value,
    mac: HexBytes,
}

#[derive(Debug, Serialize, Deserialize)]
struct CipherParams {
    iv: HexBytes,
}

/// `crypto` of EIP-2335.
#[derive(Debug, Deserialize)]
struct Eip2335 {
    kdf: Module<Value>,
    checksum: Module<Value>,
    cipher: Module<CipherParams>,
}

#[derive(Debug, Deserialize)]
struct Module<P> {
    function: String,
    params: P,
    #[serde(default)]
    message: HexBytes,
}

impl Sealed {
    /// Reads the `crypto` section, in either form.
    pub(super) fn read(crypto: &Value) -> Result<Self, KeystoreError> {
        if crypto.get("checksum").is_some() {
            Self::read_eip2335(crypto)
        } else {
            Self::read_version3(crypto)
        }
    }

    fn read_version3(crypto: &Value) -> Result<Self, KeystoreError> {
        let read = Version3::deserialize(crypto).map_err(|_| KeystoreError::Malformed("crypto"))?;
        check_cipher(&read.cipher)?;
        Ok(Self {
            kdf: Kdf::read(&read.kdf, &read.kdfparams, "crypto.kdfparams")?,
            iv: exact(&read.cipherparams.iv, "crypto.cipherparams.iv")?,
            ciphertext: ciphertext(read.ciphertext)?,
            check: Check::Keccak256(exact(&read.mac, "crypto.mac")?),
        })
    }

    fn read_eip2335(crypto: &Value) -> Result<Self, KeystoreError> {
        let read = Eip2335::deserialize(crypto).map_err(|_| KeystoreError::Malformed("crypto"))?;
        check_cipher(&read.cipher.function)?;
        if read.checksum.function != SHA256 {
            return Err(KeystoreError::Checksum(read.checksum.function));
        }
        Ok(Self {
            kdf: Kdf::read(&read.kdf.function, &read.kdf.params, "crypto.kdf.params")?,
            iv: exact(&read.cipher.params.iv, "crypto.cipher.params.iv")?,
            ciphertext: ciphertext(read.cipher.message)?,
            check: Check::Sha256(exact(&read.checksum.message, "crypto.checksum.message")?),
        })
    }

    /// The secret. Takes about a second and 256 MiB with the standard parameters.
    pub(super) fn open(&self, password: &str) -> Result<Secret, KeystoreError> {
        let key = match self.check {
            Check::Keccak256(_) => self.kdf.derive(password.as_bytes())?,
            Check::Sha256(_) => self.kdf.derive(normalised(password).as_bytes())?,
        };
        if !self.check.holds(&key, &self.ciphertext) {
            return Err(KeystoreError::WrongPassword);
        }
        // A number's leading zeros may be missing: Go's big.Int drops them.
        let mut secret = Zeroizing::new([0; 32]);
        let padding = secret.len() - self.ciphertext.len();
        secret[padding..].copy_from_slice(&self.ciphertext);
        apply(&key, &self.iv, &mut secret[padding..]);
        Ok(secret)
    }

    /// Encrypts a secret, as version 3.
    pub(super) fn seal(secret: &Secret, password: &str, strength: Strength) -> Result<Self, KeystoreError> {
        let kdf = Kdf::Scrypt(Scrypt::new(strength, random()?));
        let iv = random()?;
        let key = kdf.derive(password.as_bytes())?;
        let mut ciphertext = secret.to_vec();
        apply(&key, &iv, &mut ciphertext);
        let check = Check::Keccak256(keccak(&key, &ciphertext));
        Ok(Self { kdf, iv, ciphertext, check })
    }

    /// The `crypto` section of version 3, which is what is written.
    pub(super) fn to_version3(&self) -> Value {
        let (Check::Keccak256(mac) | Check::Sha256(mac)) = self.check;
        let (kdf, kdfparams) = match &self.kdf {
            Kdf::Scrypt(params) => ("scrypt", json!(params)),
            Kdf::Pbkdf2(params) => ("pbkdf2", json!(params)),
        };
        json!(Version3 {
            cipher: CIPHER.into(),
            ciphertext: HexBytes(self.ciphertext.clone()),
            cipherparams: CipherParams { iv: HexBytes(self.iv.to_vec()) },
            kdf: kdf.into(),
            kdfparams,
            mac: HexBytes(mac.to_vec()),
        })
    }
}

impl Check {
    fn holds(&self, key: &DerivedKey, ciphertext: &[u8]) -> bool {
        let (stated, computed) = match self {
            Self::Keccak256(stated) => (stated, keccak(key, ciphertext)),
            Self::Sha256(stated) => {
                (stated, Sha256::new().chain_update(&key[16..]).chain_update(ciphertext).finalize().into())
            }
        };
        stated.ct_eq(&computed).into()
    }
}

fn keccak(key: &DerivedKey, ciphertext: &[u8]) -> [u8; 32] {
    let mut hasher = Keccak256::new();
    hasher.update(&key[16..]);
    hasher.update(ciphertext);
    hasher.finalize().0
}

/// Encrypts or decrypts, which is the same.
fn apply(key: &DerivedKey, iv: &[u8; 16], bytes: &mut [u8]) {
    let mut half = Zeroizing::new([0; 16]);
    half.copy_from_slice(&key[..16]);
    Ctr128BE::<Aes128>::new((&*half).into(), iv.into()).apply_keystream(bytes);
}

/// EIP-2335's form of a password: compatibility decomposition, control characters left away.
fn normalised(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.nfkd().filter(|letter| !letter.is_control()).collect())
}

fn check_cipher(name: &str) -> Result<(), KeystoreError> {
    if name == CIPHER { Ok(()) } else { Err(KeystoreError::Cipher(name.to_owned())) }
}

fn ciphertext(HexBytes(bytes): HexBytes) -> Result<Vec<u8>, KeystoreError> {
    if (1..=32).contains(&bytes.len()) { Ok(bytes) } else { Err(KeystoreError::Length(bytes.len())) }
}

fn exact<const N: usize>(bytes: &HexBytes, at: &'static str) -> Result<[u8; N], KeystoreError> {
    bytes.0.as_slice().try_into().map_err(|_| KeystoreError::Malformed(at))
}

/// From the operating system.
pub(in super::super) fn random<const N: usize>() -> Result<[u8; N], KeystoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| KeystoreError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_its_password_only() {
        let secret = Zeroizing::new([7; 32]);
        let sealed = Sealed::seal(&secret, "the password", Strength::Light).unwrap();
        let read = Sealed::read(&sealed.to_version3()).unwrap();
        assert_eq!(read, sealed);
        assert_eq!(read.open("the password").unwrap(), secret);
        assert_eq!(read.open("The password"), Err(KeystoreError::WrongPassword));
    }

    #[test]
    fn no_two_keystores_share_salt_or_iv() {
        let [a, b] = [(); 2].map(|()| Sealed::seal(&Zeroizing::new([7; 32]), "", Strength::Light).unwrap());
        assert!(a.iv != b.iv && a.kdf != b.kdf && a.ciphertext != b.ciphertext);
    }

    #[test]
    fn a_password_is_normalised_as_eip_2335_says() {
        // The EIP's own example: letters of mathematical Fraktur, and a key that stays.
        assert_eq!(normalised("𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑").as_bytes(), b"testpassword\xf0\x9f\x94\x91");
        assert_eq!(normalised("a\u{8}b\u{7f}c\u{85}d\n").as_str(), "abcd");
    }
}
