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
    let number = match digits.strip_prefix("0x") {
        Some(digits) => U256::from_str_radix(digits, 16),
        None => U256::from_str_radix(digits, 10),
    };
    let number = number.ok().filter(|number| *number < MODULUS && !digits.is_empty()).ok_or(NotAPublicKey)?;
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
