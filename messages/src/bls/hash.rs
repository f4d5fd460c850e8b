//! A message's digest as a point of G1.

use alloy_primitives::B256;
use ark_bn254::{Fq, G1Affine};
use ark_ff::{Field, One, PrimeField};

use super::{G1Bytes, PointError};

/// A message hashed to G1: what is multiplied by a secret key, and what a pairing check compares with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashedMessage(pub(super) G1Affine);

impl HashedMessage {
    /// A point that a contract computed, `pubkeyRegistrationMessageHash` of the registry coordinator for one.
    ///
    /// # Errors
    /// Where the words are no point of the curve.
    pub fn from_contract(bytes: G1Bytes) -> Result<Self, PointError> {
        bytes.check().map(Self)
    }

    /// The bytes that a contract would hold.
    pub fn to_bytes(self) -> G1Bytes {
        G1Bytes::from_point(&self.0)
    }
}

/// `BN254.hashToG1` of EigenLayer's middleware: from `x = digest mod p` upwards, the first x with a point on the curve,
/// and of its two points the one with `y = (x^3 + 3)^((p + 1) / 4)`.
pub fn hash_to_g1(digest: B256) -> HashedMessage {
    let mut x = Fq::from_be_bytes_mod_order(digest.as_slice());
    loop {
        let y_squared = x.square() * x + Fq::from(3u64);
        if let Some(y) = root(&y_squared) {
            return HashedMessage(G1Affine::new_unchecked(x, y));
        }
        x += Fq::one();
    }
}

/// The square root that the contract takes; p = 3 mod 4, so it is `value^((p + 1) / 4)` where it exists at all.
fn root(value: &Fq) -> Option<Fq> {
    let mut exponent = Fq::MODULUS;
    ark_ff::BigInteger::add_with_carry(&mut exponent, &ark_ff::BigInt::one());
    ark_ff::BigInteger::div2(&mut exponent);
    ark_ff::BigInteger::div2(&mut exponent);
    let candidate = value.pow(exponent);
    (candidate.square() == *value).then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digest_lands_on_the_curve() {
        for byte in 0..=255u8 {
            assert!(hash_to_g1(B256::repeat_byte(byte)).0.is_on_curve());
        }
    }

    #[test]
    fn the_digest_one_is_the_generator() {
        // 1^3 + 3 = 4, and 4^((p + 1) / 4) is 2 or -2; the contract's formula decides which.
        let point = hash_to_g1(B256::with_last_byte(1));
        let (x, y) = point.to_bytes().to_words();
        assert_eq!(x, alloy_primitives::U256::from(1));
        let two = Fq::from(2u64);
        let minus_two = -two;
        assert!(point.0.y == two || point.0.y == minus_two);
        assert_eq!(root(&Fq::from(4u64)), Some(point.0.y), "{y}");
    }
}
