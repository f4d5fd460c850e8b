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

/// A text is no safety factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a safety factor: write a decimal with at most 9 digits after the point, such as 0.75 or -1.5")]
pub struct NotASafetyFactor;

impl FromStr for SafetyFactor {
    type Err = NotASafetyFactor;

    /// Reads what a person writes: `0.75` is 750,000,000. Its own text is read as the same value.
    fn from_str(text: &str) -> Result<Self, NotASafetyFactor> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) || fraction.len() > usize::from(Self::DECIMALS) {
            return Err(NotASafetyFactor);
        }
        let sign = if negative { "-" } else { "" };
        let value = I256::from_dec_str(&format!("{sign}{whole}{fraction:0<9}"));
        value.map(Self).map_err(|_| NotASafetyFactor)
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
    fn reads_what_a_person_writes() {
        let read = |text: &str| text.parse::<SafetyFactor>();
        let value = |value: i64| Ok(SafetyFactor(I256::try_from(value).unwrap()));
        assert_eq!(read("0.75"), value(750_000_000));
        assert_eq!(read("1"), value(SafetyFactor::ONE));
        assert_eq!(read("-0.000000005"), value(-5));
        let too_large = "9".repeat(77);
        for text in ["", "-", ".5", "1.", "+1", "1e3", "0.0000000001", "1,5", "٣", &too_large] {
            assert_eq!(read(text), Err(NotASafetyFactor), "{text}");
        }
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
            prop_assert_eq!(value.to_string().parse(), Ok(value));
        }
    }
}
