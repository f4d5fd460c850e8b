//! What a transaction, and its replacement, offers.

use crate::ports::Fees;

/// `now`, within the ceiling.
pub(super) fn first(now: Fees, ceiling: u128) -> Fees {
    let max_fee = now.max_fee.min(ceiling);
    Fees { max_fee, priority_fee: now.priority_fee.min(max_fee) }
}

/// What replaces a transaction that offered `before`: what the chain asks now, and at least an eighth more of both (nodes
/// demand a tenth). Nothing where the ceiling does not allow it.
pub(super) fn replacement(before: Fees, now: Fees, ceiling: u128) -> Option<Fees> {
    let raised = |old: u128, new: u128| new.max(old.saturating_add(old.div_ceil(8)).saturating_add(1));
    let max_fee = raised(before.max_fee, now.max_fee);
    let priority_fee = raised(before.priority_fee, now.priority_fee).min(max_fee);
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
    }
}
