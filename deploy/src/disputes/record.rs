//! A fault and a dispute before the committee, and how they stand at a block. No I/O.

use alloy::primitives::{Address, B256, U256};
use anzen_contracts::anzen_service_manager::IAnzenServiceManager::QuorumStrategies;
use serde::Serialize;
use std::collections::BTreeMap;

use super::FaultKind;

/// A fault, as its events tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRecord {
    /// Its name.
    pub id: B256,
    /// What was done wrong.
    pub kind: FaultKind,
    /// The task that it is about; nothing where that is not in the blocks that were read.
    pub task_hash: Option<B256>,
    /// The block in which it was recorded.
    pub recorded_block: u64,
    /// The last block in which it can be vetoed; before `recorded_block` if it cannot be.
    pub veto_end: u64,
    /// The last block in which its slashing can be executed.
    pub execution_end: u64,
    /// The share that is taken of each strategy's allocation, in units of 1e-18.
    pub wad_to_slash: u64,
    /// Where it is taken from.
    pub plan: Vec<QuorumStrategies>,
    /// Nobody is slashed for it.
    pub vetoed: bool,
    /// What became of operators that were frozen for it, or excepted from it.
    pub operators: BTreeMap<Address, Debt>,
    /// How many can still be frozen for it; nothing where that was not read, as in a list of many faults.
    pub unfrozen: Option<usize>,
}

/// An operator's part in a fault.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Debt {
    /// It was frozen: ejected, and its slashing requested.
    pub frozen: bool,
    /// It is excepted.
    pub vetoed: bool,
    /// The quorums in which its stake is still to be taken, as a bitmap.
    pub owed: U256,
    /// The quorums in which it was taken, as a bitmap.
    pub taken: U256,
}

impl Debt {
    /// Whether its stake can still be taken somewhere.
    pub fn owes(&self) -> bool {
        self.frozen && !self.vetoed && !self.owed.is_zero()
    }
}

/// How a fault stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum FaultState {
    /// The committee can veto it until block `until`.
    CanBeVetoed {
        /// The last such block.
        until: u64,
    },
    /// Anyone can execute it until block `until`.
    CanBeExecuted {
        /// The last such block.
        until: u64,
    },
    /// Nobody who was frozen for it owes anything, and nobody is left who could be frozen.
    Settled,
    /// The committee has vetoed it.
    Vetoed,
    /// Its time is over, and not all was taken.
    Over,
}

impl FaultRecord {
    /// How it stands for a transaction in the block after `head`.
    pub fn state(&self, head: u64) -> FaultState {
        if self.vetoed {
            FaultState::Vetoed
        } else if head < self.veto_end {
            FaultState::CanBeVetoed { until: self.veto_end }
        } else if self.is_settled(head) {
            FaultState::Settled
        } else if head < self.execution_end {
            FaultState::CanBeExecuted { until: self.execution_end }
        } else {
            FaultState::Over
        }
    }

    /// Those whose stake can still be taken.
    pub fn owing(&self) -> Vec<Address> {
        let owing = self.operators.iter().filter(|(_, debt)| debt.owes());
        owing.map(|(operator, _)| *operator).collect()
    }

    fn is_settled(&self, head: u64) -> bool {
        let is_taken = self.operators.values().any(|debt| debt.frozen) && self.owing().is_empty();
        is_taken
            && match (self.unfrozen, self.kind) {
                (Some(left), _) => left == 0,
                // Who signed is not known here: as long as they can be frozen, some may be left.
                (None, FaultKind::WrongAnswer) => head >= self.execution_end,
                // Whoever is at fault is frozen with the proof.
                (None, FaultKind::Equivocation | FaultKind::Absence) => true,
            }
    }
}

/// A dispute before the committee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitteeRecord {
    /// The task whose answer is disputed.
    pub task_hash: B256,
    /// The protocol.
    pub oracle_index: u32,
    /// Who asked, and paid the bond.
    pub challenger: Address,
    /// The last block in which the committee can rule.
    pub ruling_end: u64,
    /// How it ended.
    pub ended: Option<CommitteeState>,
}

/// How a dispute before the committee stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum CommitteeState {
    /// The committee can rule until block `until`.
    Pending {
        /// The last such block.
        until: u64,
    },
    /// It did not rule in time; `lapse` says so on chain, and the answer stands.
    Overdue,
    /// The answer was withdrawn.
    Upheld,
    /// The answer stands.
    Rejected,
    /// The answer stands: there was no ruling.
    Lapsed,
}

impl CommitteeState {
    /// How a dispute ended, from `IAnzenDisputes.DisputeState`.
    pub fn ended(number: u8) -> Option<Self> {
        match number {
            2 => Some(Self::Upheld),
            3 => Some(Self::Rejected),
            4 => Some(Self::Lapsed),
            _ => None,
        }
    }
}

impl CommitteeRecord {
    /// How it stands for a transaction in the block after `head`.
    pub fn state(&self, head: u64) -> CommitteeState {
        match self.ended {
            Some(ended) => ended,
            None if head < self.ruling_end => CommitteeState::Pending { until: self.ruling_end },
            None => CommitteeState::Overdue,
        }
    }
}

/// An operator that was ejected for its absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsenteeRecord {
    /// The operator's id.
    pub operator_id: B256,
    /// The task that was one too many.
    pub task_hash: B256,
    /// The last block in which the committee can make a fault of it.
    pub ruling_end: u64,
}

impl AbsenteeRecord {
    /// The name that the fault has, if the committee makes one of it.
    pub fn fault_id(&self) -> B256 {
        FaultKind::Absence.id(self.task_hash, self.operator_id)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn fault(operators: &[Debt]) -> FaultRecord {
        let debts = operators.iter().zip(1..).map(|(debt, n)| (Address::with_last_byte(n), debt.clone()));
        FaultRecord {
            id: B256::ZERO,
            kind: FaultKind::WrongAnswer,
            task_hash: None,
            recorded_block: 100,
            veto_end: 109,
            execution_end: 129,
            wad_to_slash: 1,
            plan: Vec::new(),
            vetoed: false,
            operators: debts.collect(),
            unfrozen: Some(0),
        }
    }

    fn frozen(owed: u64) -> Debt {
        Debt { frozen: true, owed: U256::from(owed), ..Debt::default() }
    }

    #[test]
    fn the_windows_are_those_of_the_next_block() {
        let fault = fault(&[frozen(1)]);
        assert_eq!(fault.state(108), FaultState::CanBeVetoed { until: 109 });
        assert_eq!(fault.state(109), FaultState::CanBeExecuted { until: 129 });
        assert_eq!(fault.state(128), FaultState::CanBeExecuted { until: 129 });
        assert_eq!(fault.state(129), FaultState::Over);
    }

    #[test]
    fn a_fault_that_nobody_was_frozen_for_is_not_settled() {
        assert_eq!(fault(&[]).state(109), FaultState::CanBeExecuted { until: 129 });
        assert_eq!(fault(&[frozen(0)]).state(109), FaultState::Settled);
        assert_eq!(fault(&[frozen(0)]).state(500), FaultState::Settled);
        assert_eq!(fault(&[frozen(0), frozen(2)]).state(500), FaultState::Over);
    }

    #[test]
    fn a_fault_is_not_settled_while_a_signer_may_not_be_frozen() {
        let taken = fault(&[frozen(0)]);
        let one_left = FaultRecord { unfrozen: Some(1), ..taken.clone() };
        assert_eq!(one_left.state(109), FaultState::CanBeExecuted { until: 129 });
        assert_eq!(one_left.state(500), FaultState::Over);
        let unread = FaultRecord { unfrozen: None, ..taken };
        assert_eq!(unread.state(109), FaultState::CanBeExecuted { until: 129 });
        let of_one = FaultRecord { kind: FaultKind::Equivocation, ..unread };
        assert_eq!(of_one.state(109), FaultState::Settled);
    }

    #[test]
    fn who_is_excepted_owes_nothing_whether_it_was_frozen_or_not() {
        let excepted = Debt { vetoed: true, ..frozen(1) };
        assert!(!excepted.owes() && !Debt { vetoed: true, ..Debt::default() }.owes());
        let fault = fault(&[excepted, frozen(2)]);
        assert_eq!(fault.owing(), [Address::with_last_byte(2)]);
        let vetoed = FaultRecord { vetoed: true, ..fault };
        assert_eq!(vetoed.state(100), FaultState::Vetoed);
    }

    #[test]
    fn without_a_ruling_in_time_a_dispute_is_overdue() {
        let mut dispute = CommitteeRecord {
            task_hash: B256::ZERO,
            oracle_index: 0,
            challenger: Address::ZERO,
            ruling_end: 50,
            ended: None,
        };
        assert_eq!(dispute.state(49), CommitteeState::Pending { until: 50 });
        assert_eq!(dispute.state(50), CommitteeState::Overdue);
        dispute.ended = CommitteeState::ended(4);
        assert_eq!(dispute.state(10), CommitteeState::Lapsed);
        assert_eq!([0, 1, 5].map(CommitteeState::ended), [None; 3]);
    }
}
