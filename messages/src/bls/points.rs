//! Wire forms of points, and signatures.

use alloy_primitives::{B512, FixedBytes, U256};
use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInteger, PrimeField};
use ark_serialize::CanonicalDeserialize;
use serde::{Deserialize, Serialize};

/// Why bytes are not a point that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// A coordinate is not below the field's modulus; EIP-196 refuses it as well.
    #[error("a coordinate is not below the field modulus; send reduced coordinates")]
    NotCanonical,
    /// The coordinates do not satisfy the curve's equation.
    #[error("the point is not on BN254; check the byte order (X then Y, big-endian)")]
    NotOnCurve,
    /// On the curve, but outside the subgroup of prime order (G2 only: G1 has cofactor 1).
    #[error("the point is not in the subgroup of prime order")]
    NotInSubgroup,
    /// The point at infinity: it would make any message verify.
    #[error("the point at infinity is not a valid key or signature")]
    Infinity,
}

/// A G1 point as it travels: X then Y, 32 bytes each, big-endian. Nothing about it has been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct G1Bytes(pub B512);

/// A G2 point as it travels: X imaginary, X real, Y imaginary, Y real, 32 bytes each, big-endian (the contracts' order).
/// Nothing about it has been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct G2Bytes(pub FixedBytes<128>);

impl G1Bytes {
    /// From the two words of a Solidity `G1Point`.
    pub fn from_words(x: U256, y: U256) -> Self {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&x.to_be_bytes::<32>());
        bytes[32..].copy_from_slice(&y.to_be_bytes::<32>());
        Self(bytes.into())
    }

    /// The two words of a Solidity `G1Point`.
    pub fn to_words(self) -> (U256, U256) {
        (U256::from_be_slice(&self.0[..32]), U256::from_be_slice(&self.0[32..]))
    }

    pub(super) fn from_point(point: &G1Affine) -> Self {
        let mut bytes = [0; 64];
        if let Some((x, y)) = point.xy() {
            put(&mut bytes[..32], &x);
            put(&mut bytes[32..], &y);
        }
        Self(bytes.into())
    }

    /// On the curve (and so in the subgroup: the cofactor is 1) and not the point at infinity.
    pub(super) fn check(&self) -> Result<G1Affine, PointError> {
        if self.0.is_zero() {
            return Err(PointError::Infinity);
        }
        let point = G1Affine::new_unchecked(get(&self.0[..32])?, get(&self.0[32..])?);
        if point.is_on_curve() { Ok(point) } else { Err(PointError::NotOnCurve) }
    }
}

impl G2Bytes {
    /// From the four words of a Solidity `G2Point`: `X[0], X[1], Y[0], Y[1]`.
    pub fn from_words(words: [U256; 4]) -> Self {
        let mut bytes = [0; 128];
        for (chunk, word) in bytes.chunks_exact_mut(32).zip(words) {
            chunk.copy_from_slice(&word.to_be_bytes::<32>());
        }
        Self(bytes.into())
    }

    /// The four words of a Solidity `G2Point`: `X[0], X[1], Y[0], Y[1]`.
    pub fn to_words(self) -> [U256; 4] {
        let word = |i: usize| U256::from_be_slice(&self.0[32 * i..32 * (i + 1)]);
        [word(0), word(1), word(2), word(3)]
    }

    pub(super) fn from_point(point: &G2Affine) -> Self {
        let mut bytes = [0; 128];
        if let Some((x, y)) = point.xy() {
            for (chunk, value) in bytes.chunks_exact_mut(32).zip([x.c1, x.c0, y.c1, y.c0]) {
                put(chunk, &value);
            }
        }
        Self(bytes.into())
    }

    /// On the curve, in the subgroup (the dear part: 85 us, owed once a key), and not the point at infinity.
    pub(super) fn check(&self) -> Result<G2Affine, PointError> {
        if self.0.is_zero() {
            return Err(PointError::Infinity);
        }
        let half = |i: usize| get(&self.0[32 * i..32 * (i + 1)]);
        let point = G2Affine::new_unchecked(Fq2::new(half(1)?, half(0)?), Fq2::new(half(3)?, half(2)?));
        if !point.is_on_curve() {
            Err(PointError::NotOnCurve)
        } else if !point.is_in_correct_subgroup_assuming_on_curve() {
            Err(PointError::NotInSubgroup)
        } else {
            Ok(point)
        }
    }
}

/// A BLS signature, or a sum of them: on the curve, and not the point at infinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub(super) G1Affine);

impl Signature {
    /// The bytes that travel.
    pub fn to_bytes(self) -> G1Bytes {
        G1Bytes::from_point(&self.0)
    }
}

impl TryFrom<G1Bytes> for Signature {
    type Error = PointError;

    fn try_from(bytes: G1Bytes) -> Result<Self, PointError> {
        bytes.check().map(Self)
    }
}

/// Writes a field element big-endian into 32 bytes.
fn put(out: &mut [u8], value: &Fq) {
    out.copy_from_slice(&value.into_bigint().to_bytes_be());
}

/// Reads 32 big-endian bytes; refuses what is not reduced. (ark-serialize, which checks that, is little-endian.)
fn get(bytes: &[u8]) -> Result<Fq, PointError> {
    let mut little_endian = [0; 32];
    little_endian.copy_from_slice(bytes);
    little_endian.reverse();
    Fq::deserialize_uncompressed(&little_endian[..]).map_err(|_| PointError::NotCanonical)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bls::{SecretKey, hash_to_g1};

    fn modulus() -> U256 {
        U256::from_be_slice(&Fq::MODULUS.to_bytes_be())
    }

    fn a_signature() -> Signature {
        SecretKey::from_hex("0x2a").unwrap().sign(&hash_to_g1([7; 32].into()))
    }

    #[test]
    fn a_signature_survives_its_wire_form() {
        let signature = a_signature();
        assert_eq!(Signature::try_from(signature.to_bytes()), Ok(signature));
    }

    #[test]
    fn a_coordinate_that_is_not_reduced_is_refused() {
        let (x, y) = a_signature().to_bytes().to_words();
        assert_eq!(Signature::try_from(G1Bytes::from_words(x + modulus(), y)), Err(PointError::NotCanonical));
    }

    #[test]
    fn a_point_off_the_curve_is_refused() {
        let (x, y) = a_signature().to_bytes().to_words();
        assert_eq!(
            Signature::try_from(G1Bytes::from_words(x, y + U256::from(1))),
            Err(PointError::NotOnCurve)
        );
    }

    #[test]
    fn the_point_at_infinity_is_refused() {
        assert_eq!(Signature::try_from(G1Bytes(B512::ZERO)), Err(PointError::Infinity));
        assert_eq!(G2Bytes(FixedBytes::ZERO).check(), Err(PointError::Infinity));
    }

    #[test]
    fn a_g2_point_outside_the_subgroup_is_refused() {
        // On the twist almost every point is outside the subgroup: its cofactor is about 2^254.
        let outside = (1u64..)
            .find_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(x), Fq::from(1)), false))
            .unwrap();
        assert_eq!(G2Bytes::from_point(&outside).check(), Err(PointError::NotInSubgroup));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: [u8; 32], more: [u8; 32]) {
            let mut all = [0; 64];
            all[..32].copy_from_slice(&bytes);
            all[32..].copy_from_slice(&more);
            let _ = Signature::try_from(G1Bytes(all.into()));
        }
    }
}
