mod actor;
mod drift;
mod schedule;
mod year;

use alloy::primitives::{Address, U256};

use crate::ports::{RecordedStake, StakeStatus};

/// Operator `seed` with what is on record and the truth.
fn stake(seed: u8, recorded: u64, current: u64) -> RecordedStake {
    RecordedStake {
        operator: Address::repeat_byte(seed),
        recorded: U256::from(recorded),
        current: U256::from(current),
    }
}

/// A quorum that was refreshed at that block and may be 100 blocks old.
fn status(refreshed_at: u64, operators: Vec<RecordedStake>) -> StakeStatus {
    StakeStatus { refreshed_at, max_age: 100, operators }
}
