//! How a fault is told of.

use std::time::Duration;

use alloy::primitives::{Address, B256, U256};
use anzen_deploy::disputes::{CommitteeRecord, CommitteeState, Debt, FaultKind, FaultRecord, FaultState};
use serde::Serialize;

use crate::output::duration;

/// 1e16, a hundredth of all.
const PERCENT: u64 = 10_000_000_000_000_000;

/// A moment of the chain, for saying when a block will be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) head: u64,
    pub(super) block_time: Option<Duration>,
}

impl Clock {
    /// `until block 50 (about 3 minutes)`
    pub(super) fn until(self, block: u64) -> String {
        let about = self.about(block).map_or_else(String::new, |about| format!(" (about {about})"));
        format!("until block {block}{about}")
    }

    /// How long it is to a block.
    pub(super) fn about(self, block: u64) -> Option<String> {
        self.block_time.map(|time| duration(time, block.saturating_sub(self.head)))
    }
}

/// A fault in short.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FaultLine {
    pub(super) id: B256,
    pub(super) kind: FaultKind,
    pub(super) task_hash: Option<B256>,
    pub(super) recorded_block: u64,
    pub(super) veto_end: u64,
    pub(super) execution_end: u64,
    /// Of what is allocated, in units of 1e-18.
    wad_to_slash: String,
    #[serde(flatten)]
    pub(super) state: FaultState,
    pub(super) frozen: usize,
    /// Of those that were frozen, from whom nothing is to be taken any more.
    pub(super) slashed: usize,
    /// Excepted by the committee.
    pub(super) excepted: usize,
}

impl FaultLine {
    pub(super) fn new(fault: &FaultRecord, head: u64) -> Self {
        let count = |wanted: fn(&Debt) -> bool| fault.operators.values().filter(|debt| wanted(debt)).count();
        Self {
            id: fault.id,
            kind: fault.kind,
            task_hash: fault.task_hash,
            recorded_block: fault.recorded_block,
            veto_end: fault.veto_end,
            execution_end: fault.execution_end,
            wad_to_slash: fault.wad_to_slash.to_string(),
            state: fault.state(head),
            frozen: count(|debt| debt.frozen),
            slashed: count(|debt| !debt.taken.is_zero() && debt.owed.is_zero()),
            excepted: count(|debt| debt.vetoed),
        }
    }
}

/// What is taken, as `50 %`.
pub(super) fn share(fault: &FaultRecord) -> String {
    let (percent, rest) = (fault.wad_to_slash / PERCENT, fault.wad_to_slash % PERCENT);
    if rest == 0 { format!("{percent} %") } else { format!("{} / 1e18", fault.wad_to_slash) }
}

/// How a fault stands.
pub(super) fn state_text(state: FaultState, clock: Clock) -> String {
    match state {
        FaultState::CanBeVetoed { until } => format!("can be vetoed {}", clock.until(until)),
        FaultState::CanBeExecuted { until } => format!("can be executed {}", clock.until(until)),
        FaultState::Settled => "executed".into(),
        FaultState::Vetoed => "vetoed".into(),
        FaultState::Over => "over; not all was taken".into(),
    }
}

/// A dispute before the committee.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CommitteeLine {
    pub(super) task_hash: B256,
    pub(super) oracle_index: u32,
    challenger: Address,
    pub(super) ruling_end: u64,
    #[serde(flatten)]
    pub(super) state: CommitteeState,
}

impl CommitteeLine {
    pub(super) fn new(dispute: &CommitteeRecord, head: u64) -> Self {
        Self {
            task_hash: dispute.task_hash,
            oracle_index: dispute.oracle_index,
            challenger: dispute.challenger,
            ruling_end: dispute.ruling_end,
            state: dispute.state(head),
        }
    }

    pub(super) fn state_text(&self, clock: Clock) -> String {
        match self.state {
            CommitteeState::Pending { until } => format!("the committee can rule {}", clock.until(until)),
            CommitteeState::Overdue => "no ruling in time; the answer stands".into(),
            CommitteeState::Upheld => "upheld: the answer was withdrawn".into(),
            CommitteeState::Rejected => "rejected: the answer stands".into(),
            CommitteeState::Lapsed => "lapsed: the answer stands".into(),
        }
    }
}

/// What became of an operator in a fault.
pub(super) fn debt_text(debt: Option<&Debt>) -> &'static str {
    match debt {
        None => "not frozen",
        Some(debt) if debt.vetoed => "excepted by the committee",
        Some(debt) if !debt.frozen => "not frozen",
        Some(debt) if debt.owed == U256::ZERO => "slashed",
        Some(debt) if debt.taken == U256::ZERO => "frozen",
        Some(_) => "slashed in part",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_is_to_come_is_told_with_about_how_long_it_takes() {
        let clock = Clock { head: 100, block_time: Some(Duration::from_secs(12)) };
        assert_eq!(clock.until(110), "until block 110 (about 2 minutes)");
        assert_eq!(Clock { block_time: None, ..clock }.until(110), "until block 110");
        let text = state_text(FaultState::CanBeVetoed { until: 105 }, clock);
        assert_eq!(text, "can be vetoed until block 105 (about 60 seconds)");
    }

    #[test]
    fn what_became_of_an_operator_is_told_in_a_word() {
        let debt = |frozen, vetoed, owed: u64, taken: u64| Debt {
            frozen,
            vetoed,
            owed: U256::from(owed),
            taken: U256::from(taken),
        };
        assert_eq!(debt_text(None), "not frozen");
        assert_eq!(debt_text(Some(&debt(true, false, 3, 0))), "frozen");
        assert_eq!(debt_text(Some(&debt(true, false, 1, 2))), "slashed in part");
        assert_eq!(debt_text(Some(&debt(true, false, 0, 3))), "slashed");
        assert_eq!(debt_text(Some(&debt(false, true, 0, 0))), "excepted by the committee");
    }
}
