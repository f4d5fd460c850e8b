//! What a source held at the reference block.

use alloy_primitives::{B256, I256, U256};

/// What a source held, or why there is no value.
pub type Reading = Result<U256, NoAnswer>;

/// Why there is no answer. It is the same for every operator, so none of them signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The feed had no round, or the quorum no history of stake.
    #[error("a feed had no round at the reference block, or a quorum no history of stake")]
    NoRound,
    /// The feed's latest round was too old.
    #[error("a feed's answer was older at the reference block than the model admits")]
    StaleFeed,
    /// A price is zero, or a feed reports zero or less.
    #[error("a price, or a feed's answer, is {0}, which is no price")]
    NoPrice(I256),
    /// A guard's slot holds something else than the model expects.
    #[error("a guard of a storage slot does not match: what the slot means may have changed")]
    GuardMismatch,
    /// A view call reverted, or returned other than one word.
    #[error("a view call reverted, or did not return 32 bytes")]
    CallFailed,
    /// Nothing secures the protocol, so that the quotient is undefined.
    #[error("the cost of corruption is zero, so there is no safety factor")]
    NoCost,
    /// A product does not fit 256 bits, or the answer the 128 bits (signed) that the oracle keeps.
    #[error("an intermediate value does not fit 256 bits, or the answer an int128")]
    Overflow,
}

impl NoAnswer {
    /// The names of all, in the order of their numbers.
    pub const NAMES: [&str; 7] =
        ["NoRound", "StaleFeed", "NoPrice", "GuardMismatch", "CallFailed", "NoCost", "Overflow"];

    /// Its name in the contracts' `Outcome`, which people and metrics are told.
    pub fn name(self) -> &'static str {
        Self::NAMES.get(usize::from(self.outcome()) - 1).copied().unwrap_or_default()
    }

    /// Its number in the contracts' `Outcome`, where 0 is an answer.
    pub fn outcome(self) -> u8 {
        match self {
            Self::NoRound => 1,
            Self::StaleFeed => 2,
            Self::NoPrice(_) => 3,
            Self::GuardMismatch => 4,
            Self::CallFailed => 5,
            Self::NoCost => 6,
            Self::Overflow => 7,
        }
    }
}

/// What a feed's round is as a reading. `age`: how many seconds before the reference block the answer was given.
///
/// # Errors
/// Where the answer is too old, or no price.
pub fn reading_of_feed(answer: I256, age: u64, max_age: u32) -> Reading {
    if age > u64::from(max_age) {
        return Err(NoAnswer::StaleFeed);
    }
    if answer <= I256::ZERO {
        return Err(NoAnswer::NoPrice(answer));
    }
    Ok(answer.unsigned_abs())
}

/// `width` bytes of a slot's word (1 to 32), `offset` bytes from the right.
pub fn field_of(word: B256, offset: u8, width: u8) -> U256 {
    let unused = 256_usize.saturating_sub(8 * usize::from(width));
    (U256::from_be_bytes(word.0) >> (8 * usize::from(offset))) & (U256::MAX >> unused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_feed_is_stale_after_its_greatest_age() {
        assert_eq!(reading_of_feed(I256::ONE, 60, 60), Ok(U256::from(1)));
        assert_eq!(reading_of_feed(I256::ONE, 61, 60), Err(NoAnswer::StaleFeed));
        assert_eq!(reading_of_feed(I256::ONE, u64::MAX, u32::MAX), Err(NoAnswer::StaleFeed));
        assert_eq!(reading_of_feed(I256::MIN, 0, 1), Err(NoAnswer::NoPrice(I256::MIN)));
    }

    #[test]
    fn an_outcome_has_its_name_in_the_contracts() {
        let interface = include_str!("../../../contracts/sol/interfaces/ISafetyFactorModels.sol");
        let names = ["Answer"].into_iter().chain(NoAnswer::NAMES).collect::<Vec<_>>().join(",\n        ");
        assert!(interface.contains(&format!("enum Outcome {{\n        {names}\n    }}")));
        assert_eq!((NoAnswer::NoRound.name(), NoAnswer::Overflow.name()), ("NoRound", "Overflow"));
    }

    proptest! {
        #[test]
        fn a_field_is_the_bytes_counted_from_the_right(
            word: [u8; 32], (offset, width) in (0_u8..32).prop_flat_map(|offset| (Just(offset), 1..=32 - offset)),
        ) {
            let end = 32 - usize::from(offset);
            let expected = U256::from_be_slice(&word[end - usize::from(width)..end]);
            prop_assert_eq!(field_of(B256::from(word), offset, width), expected);
        }

        #[test]
        fn no_bounds_make_it_panic(word: [u8; 32], offset: u8, width: u8) {
            field_of(B256::from(word), offset, width);
        }
    }
}
