//! What a transaction, and its replacement, offers.

use crate::ports::Fees;

/// `now`, within the ceiling.
pub(super) fn first(now: Fees, ceiling: u128) -> Fees {
    let max_fee = now.max_fee.min(ceiling);
    Fees { max_fee, priority_fee: now.priority_fee.min(max_fee) }
}

/// What replaces a transaction that offered `before`: what the chain asks now, as far as the ceiling allows, and at least
/// an eighth more of both (nodes demand a tenth). Nothing where the ceiling does not allow that.
pub(super) fn replacement(before: Fees, now: Fees, ceiling: u128) -> Option<Fees> {
    let least = |old: u128| old.saturating_add(old.div_ceil(8)).saturating_add(1);
    let (max_fee, priority_fee) = (least(before.max_fee), least(before.priority_fee));
    let max_fee = now.max_fee.min(ceiling).max(max_fee).max(priority_fee);
    let priority_fee = now.priority_fee.max(priority_fee).min(max_fee);
    (max_fee <= ceiling).then_some(Fees { max_fee, priority_fee })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// geth's rule: both fees at least 10 % above the replaced transaction's.
        #[test]
        fn a_replacement_is_one_that_nodes_take(max in 0u128..1 << 90, tip in 0u128..1 << 80, now in 0u128..1 << 90) {
            let before = Fees { max_fee: max.max(tip), priority_fee: tip };
            let now = Fees { max_fee: now, priority_fee: now / 10 };
            let next = replacement(before, now, u128::MAX).unwrap();
            prop_assert!(next.max_fee * 10 >= before.max_fee * 11 && next.priority_fee * 10 >= before.priority_fee * 11);
            prop_assert!(next.max_fee >= now.max_fee && next.priority_fee <= next.max_fee);
        }
    }

    #[test]
    fn the_ceiling_holds() {
        let fees = |max_fee| Fees { max_fee, priority_fee: 1 };
        assert_eq!(first(fees(100), 50).max_fee, 50);
        assert_eq!(replacement(fees(50), fees(10), 55), None);
        assert_eq!(replacement(fees(50), fees(1_000), 60).map(|fees| fees.max_fee), Some(60));
    }
}
