//! From a password to a key. The parameters come from the file, which may be hostile: so they are bounded before anything
//! is allocated.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::KeystoreError;
use super::hex_bytes::HexBytes;

/// The first half encrypts, the second half is part of the checksum.
pub(super) type DerivedKey = Zeroizing<[u8; KEY_BYTES]>;

/// The length of every derived key.
const KEY_BYTES: usize = 32;
/// Memory of scrypt, in bytes; the standard takes 256 MiB.
const MOST_MEMORY: u64 = 1 << 30;
/// Work of scrypt: n * r * p. The standard is 2^21, which takes about a second.
const MOST_WORK: u64 = 1 << 25;
/// Rounds of PBKDF2; the standard is 2^18.
const MOST_ROUNDS: u32 = 10_000_000;
/// Salts are 16 or 32 bytes.
const MOST_SALT: usize = 256;

/// A key derivation with its parameters. Only [`Kdf::read`] makes one from a file, and checks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kdf {
    Scrypt(Scrypt),
    Pbkdf2(Pbkdf2),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Scrypt {
    dklen: u64,
    n: u64,
    p: u64,
    r: u64,
    salt: HexBytes,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pbkdf2 {
    c: u64,
    dklen: u64,
    prf: String,
    salt: HexBytes,
}

/// How dear a new keystore makes it to try passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strength {
    /// go-ethereum's standard: 256 MiB and about a second.
    #[default]
    Standard,
    /// go-ethereum's light parameters: for development.
    Light,
}

impl Scrypt {
    /// For a new keystore.
    pub(super) fn new(strength: Strength, salt: [u8; 32]) -> Self {
        let (n, p) = match strength {
            Strength::Standard => (1 << 18, 1),
            Strength::Light => (1 << 12, 6),
        };
        Self { dklen: KEY_BYTES as u64, n, p, r: 8, salt: HexBytes(salt.to_vec()) }
    }

    /// The parameters of the library, where they are within bounds.
    fn checked(&self) -> Result<scrypt::Params, KeystoreError> {
        let Self { n, r, p, .. } = *self;
        check_length(self.dklen, &self.salt)?;
        let bad = |what, value, bounds| KeystoreError::OutOfBounds { what, value, bounds };
        if n < 2 || !n.is_power_of_two() {
            return Err(bad("scrypt's n", n, "a power of two"));
        }
        let r_bounded = u32::try_from(r).ok().filter(|r| *r > 0);
        let r = r_bounded.ok_or_else(|| bad("scrypt's r", r, "from 1"))?;
        let p_bounded = u32::try_from(p).ok().filter(|p| *p > 0);
        let p = p_bounded.ok_or_else(|| bad("scrypt's p", p, "from 1"))?;
        let memory = 128u64.saturating_mul(r.into()).saturating_mul(n.saturating_add(p.into()));
        if memory > MOST_MEMORY {
            return Err(bad("scrypt's memory in bytes", memory, "at most 1 GiB"));
        }
        let work = n.saturating_mul(r.into()).saturating_mul(p.into());
        if work > MOST_WORK {
            return Err(bad("scrypt's work n*r*p", work, "at most 2^25"));
        }
        let log_n = u8::try_from(n.ilog2()).unwrap_or(u8::MAX);
        scrypt::Params::new(log_n, r, p).map_err(|_| bad("scrypt's n", n, "with r and p, see RFC 7914"))
    }
}

impl Pbkdf2 {
    fn rounds(&self) -> Result<u32, KeystoreError> {
        check_length(self.dklen, &self.salt)?;
        if self.prf != "hmac-sha256" {
            return Err(KeystoreError::Kdf(format!("pbkdf2 with {}", self.prf)));
        }
        let rounds = u32::try_from(self.c).ok().filter(|c| (1..=MOST_ROUNDS).contains(c));
        rounds.ok_or(KeystoreError::OutOfBounds {
            what: "pbkdf2's c",
            value: self.c,
            bounds: "1 to 10,000,000",
        })
    }
}

fn check_length(dklen: u64, salt: &HexBytes) -> Result<(), KeystoreError> {
    let bad = |what, value, bounds| Err(KeystoreError::OutOfBounds { what, value, bounds });
    if dklen != KEY_BYTES as u64 {
        return bad("dklen", dklen, "32");
    }
    if salt.0.len() > MOST_SALT {
        return bad("the salt's length", salt.0.len() as u64, "at most 256 bytes");
    }
    Ok(())
}

impl Kdf {
    /// The derivation that a file asks for.
    pub(super) fn read(function: &str, params: &Value, at: &'static str) -> Result<Self, KeystoreError> {
        let kdf = match function {
            "scrypt" => parse(params, at).map(Self::Scrypt)?,
            "pbkdf2" => parse(params, at).map(Self::Pbkdf2)?,
            other => return Err(KeystoreError::Kdf(other.to_owned())),
        };
        kdf.check()?;
        Ok(kdf)
    }

    fn check(&self) -> Result<(), KeystoreError> {
        match self {
            Self::Scrypt(params) => params.checked().map(drop),
            Self::Pbkdf2(params) => params.rounds().map(drop),
        }
    }

    /// Takes about a second and 256 MiB with the standard parameters.
    pub(super) fn derive(&self, password: &[u8]) -> Result<DerivedKey, KeystoreError> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        match self {
            Self::Scrypt(params) => {
                // The only error is a length of the output that is not allowed.
                scrypt::scrypt(password, &params.salt.0, &params.checked()?, key.as_mut_slice())
                    .map_err(|_| KeystoreError::Kdf("scrypt".into()))?;
            }
            Self::Pbkdf2(params) => {
                pbkdf2::pbkdf2_hmac::<Sha256>(password, &params.salt.0, params.rounds()?, key.as_mut_slice());
            }
        }
        Ok(key)
    }
}

fn parse<T: for<'de> Deserialize<'de>>(params: &Value, at: &'static str) -> Result<T, KeystoreError> {
    T::deserialize(params).map_err(|_| KeystoreError::Malformed(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scrypt_with(n: u64, r: u64, p: u64) -> Result<Kdf, KeystoreError> {
        let params = json!({ "dklen": 32, "n": n, "r": r, "p": p, "salt": "00ff" });
        Kdf::read("scrypt", &params, "crypto.kdfparams")
    }

    #[test]
    fn what_a_hostile_file_asks_for_is_refused_before_memory_is_taken() {
        for (n, r, p) in [
            (1 << 40, 8, 1),
            (1 << 63, 1 << 31, 1 << 31),
            (u64::MAX, 8, 1),
            (0, 8, 1),
            (1, 8, 1),
            (1000, 8, 1),
            (2, 0, 1),
            (2, 8, 0),
            (2, 1 << 33, 1),
            (2, 8, 1 << 33),
            (2, 1, (1 << 32) - 1),
            (1 << 18, 8, 1 << 10),
            (1 << 24, 8, 1),
        ] {
            let error = scrypt_with(n, r, p).unwrap_err();
            assert!(matches!(error, KeystoreError::OutOfBounds { .. }), "{n} {r} {p}: {error}");
        }
        let text = scrypt_with(1 << 40, 8, 1).unwrap_err().to_string();
        assert!(text.contains("memory") && text.contains("1 GiB"), "{text}");
    }

    #[test]
    fn what_wallets_write_is_within_bounds() {
        for (n, r, p) in [(1 << 18, 8, 1), (1 << 12, 8, 6), (1 << 18, 1, 8), (1 << 17, 8, 1), (8192, 8, 1)] {
            scrypt_with(n, r, p).unwrap();
        }
        for strength in [Strength::Standard, Strength::Light] {
            Kdf::Scrypt(Scrypt::new(strength, [7; 32])).check().unwrap();
        }
    }

    #[test]
    fn pbkdf2_is_bounded_too() {
        let read = |c: u64, dklen: u64, prf: &str| {
            let params = json!({ "c": c, "dklen": dklen, "prf": prf, "salt": "00" });
            Kdf::read("pbkdf2", &params, "crypto.kdfparams")
        };
        read(262_144, 32, "hmac-sha256").unwrap();
        assert!(matches!(read(1 << 32, 32, "hmac-sha256"), Err(KeystoreError::OutOfBounds { .. })));
        assert!(matches!(read(0, 32, "hmac-sha256"), Err(KeystoreError::OutOfBounds { .. })));
        assert!(matches!(read(1, 1 << 40, "hmac-sha256"), Err(KeystoreError::OutOfBounds { .. })));
        assert!(matches!(read(1, 32, "hmac-md5"), Err(KeystoreError::Kdf(_))));
    }

    #[test]
    fn a_salt_is_hexadecimal_and_not_endless() {
        let salted = |salt: String| {
            Kdf::read("scrypt", &json!({ "dklen": 32, "n": 2, "r": 1, "p": 1, "salt": salt }), "kdfparams")
        };
        salted("ab".repeat(32)).unwrap();
        assert!(matches!(salted("ab".repeat(257)), Err(KeystoreError::OutOfBounds { .. })));
        assert_eq!(salted("xyz".into()), Err(KeystoreError::Malformed("kdfparams")));
    }
}
