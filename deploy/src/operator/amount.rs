//! Amounts of tokens as people write them: decimals of whole tokens.

use alloy::primitives::{U256, utils::format_units};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// More digits than any amount of any token has.
const MOST_DIGITS: usize = 78;
/// So many significant digits survive as a float, which is what some formats make of 1.5.
const FLOAT_DIGITS: usize = 15;

/// A number of whole tokens, such as 32 or 0.5; how many of the smallest unit that is, the token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    whole: String,
    fraction: String,
}

/// Why a text is no number of tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokensError {
    /// Not digits with at most one point.
    #[error("{0:?} is no number of tokens; write 32 or 0.5")]
    Malformed(String),
    /// The token is not divided so finely.
    #[error("{amount} has more digits after the point than the token, which has {decimals}")]
    TooFine {
        /// The amount.
        amount: Tokens,
        /// How many digits the token has.
        decimals: u8,
    },
    /// Nobody has that many.
    #[error("{0} tokens are more than a contract can count")]
    TooMany(Tokens),
}

impl Tokens {
    /// The same in the smallest unit of a token with so many decimals.
    pub fn units(&self, decimals: u8) -> Result<U256, TokensError> {
        let missing = usize::from(decimals).checked_sub(self.fraction.len());
        let missing = missing.ok_or_else(|| TokensError::TooFine { amount: self.clone(), decimals })?;
        let digits = format!("{}{}{}", self.whole, self.fraction, "0".repeat(missing));
        U256::from_str_radix(&digits, 10).map_err(|_| TokensError::TooMany(self.clone()))
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self { whole: "0".into(), fraction: String::new() }
    }
}

impl FromStr for Tokens {
    type Err = TokensError;

    fn from_str(text: &str) -> Result<Self, TokensError> {
        let malformed = || TokensError::Malformed(text.to_owned());
        let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let empty_point = text.contains('.') && fraction.is_empty();
        if whole.is_empty() || empty_point || !digits(whole) || !digits(fraction) || text.len() > MOST_DIGITS
        {
            return Err(malformed());
        }
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        Ok(Self { whole: whole.to_owned(), fraction: fraction.trim_end_matches('0').to_owned() })
    }
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let point = if self.fraction.is_empty() { "" } else { "." };
        write!(f, "{}{point}{}", self.whole, self.fraction)
    }
}

impl Serialize for Tokens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Tokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Tokens;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of tokens, such as \"32\" or \"0.5\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Tokens, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Tokens, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Tokens, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Tokens, E> {
                let text = number.to_string();
                if text.len() > FLOAT_DIGITS {
                    return Err(E::custom("a number with so many digits has to be in quotes"));
                }
                self.visit_str(&text)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// An amount of a token, shown in whole tokens with the token's symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// In the token's smallest unit.
    pub units: U256,
    /// How many digits the token has after the point.
    pub decimals: u8,
    /// What the token calls itself.
    pub symbol: String,
}

impl Amount {
    /// An amount of ether.
    pub fn ether(wei: U256) -> Self {
        Self { units: wei, decimals: 18, symbol: "ETH".into() }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = format_units(self.units, self.decimals).unwrap_or_else(|_| self.units.to_string());
        let number = match number.split_once('.') {
            Some((whole, part)) => format!("{whole}.{}", part.trim_end_matches('0')),
            None => number,
        };
        write!(f, "{} {}", number.trim_end_matches('.'), self.symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Tokens {
        text.parse().unwrap()
    }

    #[test]
    fn whole_tokens_become_units() {
        for (text, decimals, units) in
            [("32", 18, "32000000000000000000"), ("0.5", 6, "500000"), ("007.10", 1, "71"), ("0", 18, "0")]
        {
            assert_eq!(tokens(text).units(decimals).unwrap().to_string(), units);
        }
        assert!(matches!(tokens("0.1234567").units(6), Err(TokensError::TooFine { .. })));
        assert!(matches!(tokens(&"9".repeat(70)).units(18), Err(TokensError::TooMany(_))));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e18", "1,5", "0x10", "1.2.3", "ten", &"1".repeat(99)]
        {
            assert!(text.parse::<Tokens>().is_err(), "{text}");
        }
    }

    #[test]
    fn settings_may_be_numbers_too() {
        let parse = |json: &str| serde_json::from_str::<Tokens>(json);
        assert_eq!(parse("\"1.50\"").unwrap(), tokens("1.5"));
        assert_eq!(parse("32").unwrap(), tokens("32"));
        assert_eq!(parse("0.1").unwrap(), tokens("0.1"));
        assert!(parse("-1").is_err() && parse("0.12345678901234567").is_err() && parse("1e30").is_err());
        assert_eq!(serde_json::to_string(&tokens("1.50")).unwrap(), "\"1.5\"");
    }

    #[test]
    fn an_amount_is_shown_in_whole_tokens() {
        let show = |units: u64| Amount::ether(U256::from(units)).to_string();
        assert_eq!(show(1_500_000_000_000_000_000), "1.5 ETH");
        assert_eq!(show(3_000_000_000_000_000_000), "3 ETH");
        assert_eq!(show(1), "0.000000000000000001 ETH");
    }
}
