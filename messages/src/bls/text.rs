//! Public keys as the files of other tools state them.

use std::fmt;
use std::str::FromStr;

use alloy_primitives::{U256, hex, keccak256, uint};
use ark_serialize::CanonicalSerialize;

use super::keys::PublicKey;
use super::points::G1Bytes;
use crate::OperatorId;

/// The modulus of the coordinates of G1.
const MODULUS: U256 = uint!(0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47_U256);
/// The longest form is an uncompressed point of G2.
const MOST_BYTES: usize = 128;

/// A public key in a text that has not been checked against anything.
///
/// EigenLayer's Go tools print the point of G1 as `E([x,y])`, in decimal; later ones write the point of G2 as gnark
/// serialises it, and its Rust tools as arkworks does. What such bytes mean is not told by the bytes: so they are compared
/// with each form of a key that is known ([`PublicKeyText::is_of`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKeyText {
    /// The coordinates of the point in G1.
    Coordinates(G1Bytes),
    /// A serialised point.
    Bytes(Vec<u8>),
}

/// The text is no public key in any known form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a public key is written as E([x,y]) or as hexadecimal digits")]
pub struct NotAPublicKey;

impl PublicKeyText {
    /// The text of a key, as EigenLayer's CLI writes it.
    pub fn of(key: &PublicKey) -> Self {
        Self::Coordinates(key.g1())
    }

    /// True where this is the text of `key`.
    pub fn is_of(&self, key: &PublicKey) -> bool {
        match self {
            Self::Coordinates(point) => *point == key.g1(),
            Self::Bytes(bytes) => serialised(key).iter().any(|form| form == bytes),
        }
    }

    /// The operator's id, where the text has the point of G1.
    pub fn operator_id(&self) -> Option<OperatorId> {
        match self {
            Self::Coordinates(point) => Some(OperatorId(keccak256(point.0))),
            Self::Bytes(_) => None,
        }
    }
}

/// A key in the forms in which gnark and arkworks serialise points.
fn serialised(key: &PublicKey) -> [Vec<u8>; 8] {
    let mut forms: [Vec<u8>; 8] = Default::default();
    let [g1, g1_short, g2, g2_short, ark_g1, ark_g1_short, ark_g2, ark_g2_short] = &mut forms;
    // A Vec takes everything that is written to it.
    let _ = key.g1.serialize_uncompressed(&mut *ark_g1);
    let _ = key.g1.serialize_compressed(&mut *ark_g1_short);
    let _ = key.g2.0.serialize_uncompressed(&mut *ark_g2);
    let _ = key.g2.0.serialize_compressed(&mut *ark_g2_short);
    g1.extend(key.g1().0);
    g2.extend(key.g2().to_bytes().0);
    *g1_short = gnark_compressed(ark_g1_short);
    *g2_short = gnark_compressed(ark_g2_short);
    forms
}

/// gnark writes X big-endian, its imaginary half first: arkworks' bytes reversed. Both tell the two possible Y apart by
/// which is greater, compared from the imaginary half: arkworks in the highest bit, gnark in the two highest (10 or 11).
fn gnark_compressed(arkworks: &[u8]) -> Vec<u8> {
    const GREATER: u8 = 0x80;
    let mut bytes: Vec<u8> = arkworks.iter().rev().copied().collect();
    if let Some(first) = bytes.first_mut() {
        *first = if *first & GREATER == 0 { *first | 0x80 } else { *first | 0xc0 };
    }
    bytes
}

impl FromStr for PublicKeyText {
    type Err = NotAPublicKey;

    fn from_str(text: &str) -> Result<Self, NotAPublicKey> {
        let text: String = text.split_whitespace().collect();
        let Some(pair) = text.strip_prefix("E([").and_then(|rest| rest.strip_suffix("])")) else {
            let bytes = hex::decode(&text).map_err(|_| NotAPublicKey)?;
            return if (1..=MOST_BYTES).contains(&bytes.len()) {
                Ok(Self::Bytes(bytes))
            } else {
                Err(NotAPublicKey)
            };
        };
        let (x, y) = pair.split_once(',').ok_or(NotAPublicKey)?;
        Ok(Self::Coordinates(G1Bytes::from_words(coordinate(x)?, coordinate(y)?)))
    }
}

/// Decimal or, with 0x, hexadecimal. gnark prints a number just below the modulus as a negative one.
fn coordinate(text: &str) -> Result<U256, NotAPublicKey> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (radix, digits) = match digits.strip_prefix("0x") {
        Some(digits) => (16, digits),
        None => (10, digits),
    };
    // The library takes an empty text for zero, and skips underscores.
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(NotAPublicKey);
    }
    let number = U256::from_str_radix(digits, radix).ok();
    let number = number.filter(|number| *number < MODULUS).ok_or(NotAPublicKey)?;
    Ok(if negative && !number.is_zero() { MODULUS - number } else { number })
}

impl fmt::Display for PublicKeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Coordinates(point) => {
                let (x, y) = point.to_words();
                write!(f, "E([{x},{y}])")
            }
            Self::Bytes(bytes) => f.write_str(&hex::encode(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bls::SecretKey;

    /// Keys, and their points in G1 and G2 as gnark compresses them: computed with py_ecc. Among them are both signs of each.
    const COMPRESSED: [(&str, &str, &str); 4] = [
        (
            "5",
            "97c139df0efee0f766bc0204762b774362e4ded88953a39ce849a8a7fa163fa9",
            "ca09ccf561b55fd99d1c1208dee1162457b57ac5af3759d50671e510e428b2a1\
             2e539c423b302d13f4e5773c603948eaf5db5df8ae8a9a9113708390a06410d8",
        ),
        (
            "7",
            "97072b2ed3bb8d759a5325f477629386cb6fc6ecb801bd76983a6b86abffe078",
            "a903ba015a9abde26a5d081e84551e63be0fd4516e46ee6d593edeba46362455\
             224bdc5d4327fcf8ed702e01de1c2f1657a253ba75e32a89c390142aaa28b308",
        ),
        (
            "8",
            "c8b1d51d23480c10f472f5e93b9cfea88238c121fe155af7043937882c306a63",
            "c3589520df85791604b5a2b720a21139aabdb41949d47779484b0db588bfa699\
             18afc7fd8df1c902383c213b6d989f0066b7eca1388be49721792278984d9a29",
        ),
        (
            "6",
            "89f4ca411a3f52f4e0792fd9e792779856719215d3b32a762afe3d5b8c684af9",
            "db4b60273ae700a7e2ffc04e19e316074a5977c8da56b75675927e2eee23772e\
             1687f985433b446b85eb6d0a574fc152f681c032d27e6207569faca9c8329b96",
        ),
    ];

    fn key(hex: &str) -> PublicKey {
        SecretKey::from_hex(hex).unwrap().public_key()
    }

    #[test]
    fn points_that_gnark_compressed_are_recognised_and_others_are_not() {
        for (secret, g1, g2) in COMPRESSED {
            for text in [g1, g2, &format!("0x{g2}")] {
                let stated: PublicKeyText = text.parse().unwrap();
                assert!(stated.is_of(&key(secret)), "{text}");
                assert!(!stated.is_of(&key("9")), "{text}");
            }
        }
    }

    #[test]
    fn a_key_survives_its_text() {
        let text = PublicKeyText::of(&key("1")).to_string();
        assert_eq!(text, "E([1,2])");
        let read: PublicKeyText = text.parse().unwrap();
        assert!(read.is_of(&key("1")) && !read.is_of(&key("2")));
        assert_eq!(read.operator_id(), Some(key("1").operator_id()));
    }

    #[test]
    fn gnark_prints_the_negative_of_two_as_such() {
        let read: PublicKeyText = "E([1,-2])".parse().unwrap();
        let largest = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000000";
        assert!(read.is_of(&key(largest)));
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        let long = "00".repeat(129);
        for text in [
            "",
            "E([1,2)",
            "E([,2])",
            "E([1,0x])",
            "E([1,--2])",
            "E([1_0,2])",
            "E([a,2])",
            "E([1,2,3])",
            "xyz",
            "0",
            &long,
        ] {
            assert_eq!(text.parse::<PublicKeyText>(), Err(NotAPublicKey), "{text}");
        }
    }
}
