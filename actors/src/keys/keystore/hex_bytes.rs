//! Bytes that a keystore writes as hexadecimal digits, without a prefix.

use alloy::primitives::hex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Read with a prefix too, which some wallets write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct HexBytes(pub(super) Vec<u8>);

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(text).map(Self).map_err(|_| serde::de::Error::custom("not hexadecimal"))
    }
}
