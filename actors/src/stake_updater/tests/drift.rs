use alloy::primitives::{Address, U256};

use super::super::drift::{drift_bps, drifted};
use super::stake;
use crate::ports::RecordedStake;

#[test]
fn drift_is_a_share_of_the_record() {
    let drift = |recorded, current| drift_bps(&stake(1, recorded, current));
    assert_eq!(drift(100, 100), 0);
    assert_eq!((drift(100, 95), drift(100, 105)), (500, 500));
    assert_eq!(drift(100, 0), 10_000);
    assert_eq!(drift(0, 0), 0);
    assert_eq!(drift(0, 1), u64::MAX);
    let huge = RecordedStake { operator: Address::ZERO, recorded: U256::from(1), current: U256::MAX };
    assert_eq!(drift_bps(&huge), u64::MAX);
}

#[test]
fn those_that_fell_most_come_first() {
    let stakes =
        [stake(1, 100, 200), stake(2, 100, 80), stake(3, 100, 99), stake(4, 100, 10), stake(5, 0, 5)];
    assert_eq!(drifted(&stakes, 500), [4, 2, 5, 1].map(Address::repeat_byte));
}

#[test]
fn at_the_threshold_nothing_is_done_yet() {
    assert!(drifted(&[stake(1, 100, 95)], 500).is_empty());
    assert_eq!(drifted(&[stake(1, 100, 95)], 499).len(), 1);
}
