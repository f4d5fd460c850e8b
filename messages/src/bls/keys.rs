//! Secret and public keys.

use std::fmt;

use alloy_primitives::{U256, keccak256};
use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{One, PrimeField, Zero};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::HashedMessage;
use super::points::{G1Bytes, G2Bytes, PointError, Signature};
use crate::OperatorId;

/// Why a text or bytes are not a secret key. None of these texts repeats the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretKeyError {
    /// Not hexadecimal, or longer than 32 bytes.
    #[error("a BLS secret key is written as up to 64 hexadecimal digits, with or without 0x")]
    NotHex,
    /// Zero signs every message with the point at infinity.
    #[error("the BLS secret key is zero; generate a new one")]
    Zero,
    /// Not below the group's order, so that two texts would be the same key.
    #[error("the BLS secret key is not below the order of BN254; is it a key of another curve?")]
    TooLarge,
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness to make a key from")]
    NoRandomness,
}

/// A BLS secret key: redacted in `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey(Fr);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(redacted)")
    }
}

impl SecretKey {
    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    /// [`SecretKeyError::NoRandomness`] where there is none.
    pub fn generate() -> Result<Self, SecretKeyError> {
        // 48 bytes reduced by a modulus of 254 bits: the bias is below 2^-128.
        let mut wide = Zeroizing::new([0u8; 48]);
        getrandom::fill(wide.as_mut_slice()).map_err(|_| SecretKeyError::NoRandomness)?;
        let key = Fr::from_be_bytes_mod_order(wide.as_slice());
        if key.is_zero() { Err(SecretKeyError::Zero) } else { Ok(Self(key)) }
    }

    /// A key from its 32 bytes, big-endian.
    ///
    /// # Errors
    /// Where the number is zero or not below the group's order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SecretKeyError> {
        let mut limbs = Zeroizing::new([0u64; 4]);
        for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.chunks_exact(8)) {
            *limb = chunk.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte));
        }
        let key = Fr::from_bigint(ark_ff::BigInt::new(*limbs)).ok_or(SecretKeyError::TooLarge)?;
        if key.is_zero() { Err(SecretKeyError::Zero) } else { Ok(Self(key)) }
    }

    /// A key from hexadecimal digits, with or without `0x`; shorter ones are padded on the left.
    ///
    /// # Errors
    /// Where the text is not a key; the text is not repeated in the error.
    pub fn from_hex(text: &str) -> Result<Self, SecretKeyError> {
        let digits = text.trim().trim_start_matches("0x");
        if digits.is_empty() || digits.len() > 64 {
            return Err(SecretKeyError::NotHex);
        }
        let padded = Zeroizing::new(format!("{digits:0>64}"));
        let mut bytes = Zeroizing::new([0u8; 32]);
        alloy_primitives::hex::decode_to_slice(padded.as_str(), bytes.as_mut_slice())
            .map_err(|_| SecretKeyError::NotHex)?;
        Self::from_bytes(&bytes)
    }

    /// A key as people write it: hexadecimal, or in decimal as EigenLayer's tools print it, which has more than 64 digits but
    /// for one key in 10^12.
    ///
    /// # Errors
    /// Where the text is not a key; the text is not repeated in the error.
    pub fn from_text(text: &str) -> Result<Self, SecretKeyError> {
        let text = text.trim();
        if text.len() <= 64 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::from_hex(text);
        }
        let number = U256::from_str_radix(text, 10).map_err(|_| SecretKeyError::TooLarge)?;
        Self::from_bytes(&Zeroizing::new(number.to_be_bytes()))
    }

    /// The key's 32 bytes, big-endian. Wiped when dropped.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        let number = Zeroizing::new(self.0.into_bigint().0);
        let mut bytes = Zeroizing::new([0; 32]);
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip(number.iter().rev()) {
            chunk.copy_from_slice(&limb.to_be_bytes());
        }
        bytes
    }

    /// The key's 64 hexadecimal digits, for a key file. Wiped when dropped.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(alloy_primitives::hex::encode(self.to_bytes().as_slice()))
    }

    /// The public key in both groups.
    pub fn public_key(&self) -> PublicKey {
        PublicKey {
            g1: (G1Projective::generator() * self.0).into_affine(),
            g2: PublicKeyG2((G2Projective::generator() * self.0).into_affine()),
        }
    }

    /// Signs a message that has been hashed to the curve.
    pub fn sign(&self, message: &HashedMessage) -> Signature {
        Signature((message.0 * self.0).into_affine())
    }
}

/// A public key in G2: what a signature, or a sum of signatures, is checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKeyG2(pub(super) G2Affine);

impl PublicKeyG2 {
    /// The bytes that travel.
    pub fn to_bytes(self) -> G2Bytes {
        G2Bytes::from_point(&self.0)
    }
}

impl TryFrom<G2Bytes> for PublicKeyG2 {
    type Error = PointError;

    fn try_from(bytes: G2Bytes) -> Result<Self, PointError> {
        bytes.check().map(Self)
    }
}

/// An operator's public key in both groups, both of the same secret key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    pub(super) g1: G1Affine,
    pub(super) g2: PublicKeyG2,
}

/// Why two points are not one public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// One of the two is no valid point.
    #[error(transparent)]
    Point(#[from] PointError),
    /// Both are valid, but of different secret keys.
    #[error("the G2 key is not of the same secret key as the G1 key")]
    Mismatch,
}

impl PublicKey {
    /// A key from its two halves; checks that they belong together (one pairing check, so keep the result).
    ///
    /// # Errors
    /// Where a half is no valid point, or the two are of different secret keys.
    pub fn new(g1: G1Bytes, g2: G2Bytes) -> Result<Self, PublicKeyError> {
        let (g1, g2) = (g1.check()?, g2.check()?);
        let product = Bn254::multi_pairing([g1, -G1Affine::generator()], [G2Affine::generator(), g2]);
        if product.0.is_one() { Ok(Self { g1, g2: PublicKeyG2(g2) }) } else { Err(PublicKeyError::Mismatch) }
    }

    /// The half in G1.
    pub fn g1(&self) -> G1Bytes {
        G1Bytes::from_point(&self.g1)
    }

    /// The half in G2.
    pub fn g2(&self) -> PublicKeyG2 {
        self.g2
    }

    /// `keccak256(X || Y)` of the G1 half: the operator's id in every registry.
    pub fn operator_id(&self) -> OperatorId {
        OperatorId(keccak256(self.g1().0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";

    #[test]
    fn debug_does_not_show_the_key() {
        assert_eq!(format!("{:?}", SecretKey::from_hex("0xabcdef").unwrap()), "SecretKey(redacted)");
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        assert_eq!(SecretKey::from_hex("0x0"), Err(SecretKeyError::Zero));
        assert_eq!(SecretKey::from_hex(ORDER), Err(SecretKeyError::TooLarge));
        assert_eq!(SecretKey::from_hex("nonsense"), Err(SecretKeyError::NotHex));
        assert_eq!(SecretKey::from_hex(""), Err(SecretKeyError::NotHex));
        assert_eq!(SecretKey::from_hex(&"1".repeat(65)), Err(SecretKeyError::NotHex));
    }

    #[test]
    fn a_key_in_decimal_is_the_same_key() {
        let decimal = "21888242871839275222246405745257275088548364400416034343698204186575808495616";
        let largest = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000000";
        assert_eq!(SecretKey::from_text(decimal), SecretKey::from_hex(largest));
        assert_eq!(SecretKey::from_text(&format!("0x{largest}\n")), SecretKey::from_hex(largest));
        assert_eq!(SecretKey::from_text(&"9".repeat(77)), Err(SecretKeyError::TooLarge));
        assert_eq!(SecretKey::from_text(&"9".repeat(200)), Err(SecretKeyError::TooLarge));
        assert_eq!(SecretKey::from_text("10"), SecretKey::from_hex("10"));
    }

    #[test]
    fn a_key_survives_its_text() {
        let key = SecretKey::generate().unwrap();
        assert_eq!(SecretKey::from_hex(&key.to_hex()), Ok(key));
    }

    #[test]
    fn halves_of_two_keys_are_not_one_key() {
        let [a, b] = ["1", "2"].map(|text| SecretKey::from_hex(text).unwrap().public_key());
        assert_eq!(PublicKey::new(a.g1(), a.g2().to_bytes()), Ok(a));
        assert_eq!(PublicKey::new(a.g1(), b.g2().to_bytes()), Err(PublicKeyError::Mismatch));
    }

    #[test]
    fn the_key_one_is_the_generator() {
        let key = SecretKey::from_hex("1").unwrap().public_key();
        assert_eq!(key.g1, G1Affine::generator());
        assert_eq!(key.g2.0, G2Affine::generator());
    }
}
