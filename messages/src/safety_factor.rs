//! The safety factor of a protocol.

use std::fmt;
use std::str::FromStr;

use alloy_primitives::I256;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// `(CoC - PfC) / CoC` with 9 decimals: `1_000_000_000` is 1.0 (nothing to gain), 0 is break-even, below 0 an attack pays.
/// At most 1.0; no lower bound. On the wire a decimal string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafetyFactor(pub I256);

impl SafetyFactor {
    /// The number of decimals.
    pub const DECIMALS: u8 = 9;
    /// 1.0
    pub const ONE: i64 = 1_000_000_000;
}

impl fmt::Display for SafetyFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0>10}", self.0.unsigned_abs().to_string());
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(Self::DECIMALS));
        let sign = if self.0.is_negative() { "-" } else { "" };
        write!(f, "{sign}{whole}.{fraction}")
    }
}

impl Serialize for SafetyFactor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SafetyFactor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let digits = text.strip_prefix('-').unwrap_or(&text);
        if digits.is_empty() || digits.len() > 77 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(de::Error::custom(
                "a safety factor is a decimal int256 in a string, 1000000000 for 1.0",
            ));
        }
        I256::from_str(&text)
            .map(Self)
            .map_err(|_| de::Error::custom("the safety factor does not fit an int256"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_nine_decimals() {
        let show = |value: i64| SafetyFactor(I256::try_from(value).unwrap()).to_string();
        assert_eq!(show(1_000_000_000), "1.000000000");
        assert_eq!(show(-5), "-0.000000005");
        assert_eq!(show(-12_345_678_901), "-12.345678901");
    }

    #[test]
    fn refuses_what_is_no_decimal_int256() {
        for text in ["\"\"", "\"-\"", "\"0x10\"", "\"1.0\"", "1", "\"+1\"", "\" 1\""] {
            assert!(serde_json::from_str::<SafetyFactor>(text).is_err(), "{text}");
        }
        let too_large = format!("\"{}\"", "9".repeat(77));
        assert!(serde_json::from_str::<SafetyFactor>(&too_large).is_err());
    }

    proptest! {
        #[test]
        fn survives_its_text(bytes: [u8; 32]) {
            let value = SafetyFactor(I256::from_be_bytes(bytes));
            let text = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(serde_json::from_str::<SafetyFactor>(&text).unwrap(), value);
        }
    }
}
