//! BLS signatures over BN254 (alt_bn128), exactly as EigenLayer's contracts compute them.
//!
//! Signatures and hashed messages are in G1, public keys in G1 (cheap on chain) and G2 (what a pairing needs).
//! Every operator has proved possession of its secret key when it registered, so signatures over one message may be
//! summed and the sum checked once (see [`verify`] and [`find_invalid`]).
//!
//! Bytes from outside ([`G1Bytes`], [`G2Bytes`]) are other types than points that were checked ([`Signature`],
//! [`PublicKey`], [`PublicKeyG2`]): only the checked ones have arithmetic.
//!
//! - curve and precompiles: EIP-196, EIP-197
//! - hash to curve: EigenLayer middleware `BN254.hashToG1` (try and increment)
//! - order of a G2 coordinate's halves on chain: imaginary part first (EIP-197)

mod aggregate;
mod batch_sum;
mod hash;
mod keys;
mod points;
mod text;

pub use aggregate::{AggregateKey, Signed, SignedSum, find_invalid, sum_signatures, verify};
pub use hash::{HashedMessage, hash_to_g1};
pub use keys::{PublicKey, PublicKeyError, PublicKeyG2, SecretKey, SecretKeyError};
pub use points::{G1Bytes, G2Bytes, PointError, Signature};
pub use text::{NotAPublicKey, PublicKeyText};
