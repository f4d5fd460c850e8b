//! How far recorded stakes are from the truth.

use std::cmp::Reverse;

use alloy::primitives::{Address, U256};

use crate::ports::RecordedStake;

/// The distance from the record to the truth, in hundredths of a per cent of the record; without end where nothing is on
/// record and there is something.
pub fn drift_bps(stake: &RecordedStake) -> u64 {
    let distance = stake.current.abs_diff(stake.recorded);
    if distance.is_zero() {
        return 0;
    }
    let scaled = distance.saturating_mul(U256::from(10_000));
    scaled.checked_div(stake.recorded).map_or(u64::MAX, |share| share.saturating_to())
}

/// The operators whose drift is more than `threshold_bps`. First those whose stake fell: until they are refreshed, their
/// signatures count for stake that is no longer there. Of each kind the greatest drift first.
pub fn drifted(stakes: &[RecordedStake], threshold_bps: u64) -> Vec<Address> {
    let mut far: Vec<(bool, Reverse<u64>, Address)> = stakes
        .iter()
        .map(|stake| (stake.current > stake.recorded, Reverse(drift_bps(stake)), stake.operator))
        .filter(|(_, Reverse(drift), _)| *drift > threshold_bps)
        .collect();
    far.sort_unstable();
    far.into_iter().map(|(_, _, operator)| operator).collect()
}
