//! What logs tell of disputes. No I/O.

use alloy::{
    primitives::{Address, B256, U256},
    rpc::types::Log,
    sol_types::SolEvent,
};
use anzen_contracts::{AnzenDisputes as disputes, AnzenServiceManager as faults};
use std::collections::BTreeMap;

use super::{AbsenteeRecord, CommitteeRecord, CommitteeState, Debt, FaultKind, FaultRecord};

/// Faults, disputes before the committee, and absentees, by what the logs of some blocks tell. Events of a fault that was recorded
/// before them are passed over.
#[derive(Debug, Default)]
pub struct Records {
    /// The faults by name.
    pub faults: BTreeMap<B256, FaultRecord>,
    /// The disputes before the committee, by task.
    pub committee: BTreeMap<B256, CommitteeRecord>,
    /// The operators that were ejected for absence, in the chain's order.
    pub absentees: Vec<AbsenteeRecord>,
}

impl Records {
    /// What these logs, in the chain's order, of the disputes and the service manager tell.
    pub fn of(logs: &[Log]) -> Self {
        let mut records = Self::default();
        for log in logs {
            records.take_fault(log);
            records.take_debt(log);
        }
        // A fault's task is told after it, or in an earlier block.
        for log in logs {
            records.take_task(log);
            records.take_committee(log);
        }
        records
    }

    fn take_fault(&mut self, log: &Log) {
        if let Some(event) = read::<faults::FaultRecorded>(log) {
            let Some(kind) = FaultKind::numbered(event.kind) else { return };
            let fault = FaultRecord {
                id: event.faultId,
                kind,
                task_hash: None,
                recorded_block: log.block_number.unwrap_or_default(),
                veto_end: event.vetoEnd.into(),
                execution_end: event.executionEnd.into(),
                wad_to_slash: event.wadToSlash,
                plan: event.plan,
                vetoed: false,
                operators: BTreeMap::new(),
                unfrozen: None,
            };
            self.faults.insert(event.faultId, fault);
        } else if let Some(event) = read::<faults::FaultVetoed>(log)
            && let Some(fault) = self.faults.get_mut(&event.faultId)
        {
            fault.vetoed = true;
        }
    }

    fn take_debt(&mut self, log: &Log) {
        if let Some(event) = read::<faults::OperatorFrozen>(log) {
            self.debt(event.faultId, event.operator, |debt| {
                debt.frozen = true;
                debt.owed = U256::from(event.quorums);
            });
        } else if let Some(event) = read::<faults::SlashingVetoed>(log) {
            self.debt(event.faultId, event.operator, |debt| debt.vetoed = true);
        } else if let Some(event) = read::<faults::OperatorSlashed>(log) {
            let bit = U256::ONE << usize::from(event.quorumNumber);
            self.debt(event.faultId, event.operator, |debt| {
                debt.owed &= !bit;
                debt.taken |= bit;
            });
        }
    }

    fn debt(&mut self, fault: B256, operator: Address, change: impl FnOnce(&mut Debt)) {
        if let Some(fault) = self.faults.get_mut(&fault) {
            change(fault.operators.entry(operator).or_default());
        }
    }

    fn take_task(&mut self, log: &Log) {
        let found = if let Some(event) = read::<disputes::AnswerWithdrawn>(log) {
            (event.faultId, event.taskHash)
        } else if let Some(event) = read::<disputes::EquivocationProved>(log) {
            (event.faultId, event.taskHash)
        } else if let Some(event) = read::<disputes::AbsenteeEjected>(log) {
            let absentee = AbsenteeRecord {
                operator_id: event.operatorId,
                task_hash: event.taskHash,
                ruling_end: event.rulingEnd.into(),
            };
            let found = (absentee.fault_id(), absentee.task_hash);
            self.absentees.push(absentee);
            found
        } else {
            return;
        };
        if let Some(fault) = self.faults.get_mut(&found.0) {
            fault.task_hash = Some(found.1);
        }
    }

    fn take_committee(&mut self, log: &Log) {
        if let Some(event) = read::<disputes::CommitteeAsked>(log) {
            let dispute = CommitteeRecord {
                task_hash: event.taskHash,
                oracle_index: event.oracleIndex,
                challenger: event.challenger,
                ruling_end: event.rulingEnd.into(),
                ended: None,
            };
            self.committee.insert(event.taskHash, dispute);
        } else if let Some(event) = read::<disputes::CommitteeDisputeEnded>(log)
            && let Some(dispute) = self.committee.get_mut(&event.taskHash)
        {
            dispute.ended = CommitteeState::ended(event.state);
        }
    }
}

/// The event, if the log is one.
pub(super) fn read<E: SolEvent>(log: &Log) -> Option<E> {
    Some(E::decode_log_validate(&log.inner).ok()?.data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disputes::FaultState;
    use alloy::primitives::aliases::U192;

    const FAULT: B256 = B256::repeat_byte(7);
    const TASK: B256 = B256::repeat_byte(8);
    const OPERATOR: Address = Address::repeat_byte(9);

    fn log(event: &impl SolEvent) -> Log {
        let inner = alloy::primitives::Log { address: Address::ZERO, data: event.encode_log_data() };
        Log { inner, block_number: Some(10), ..Log::default() }
    }

    fn recorded(id: B256, kind: u8) -> Log {
        log(&faults::FaultRecorded {
            faultId: id,
            kind,
            wadToSlash: 5,
            vetoEnd: 20,
            executionEnd: 30,
            plan: Vec::new(),
        })
    }

    fn frozen(fault: B256) -> Log {
        log(&faults::OperatorFrozen { faultId: fault, operator: OPERATOR, quorums: U192::from(0b101) })
    }

    fn slashed(quorum: u8) -> Log {
        log(&faults::OperatorSlashed {
            faultId: FAULT,
            operator: OPERATOR,
            quorumNumber: quorum,
            wadToSlash: 5,
        })
    }

    #[test]
    fn a_fault_is_followed_from_its_recording_to_its_execution() {
        let withdrawn = log(&disputes::AnswerWithdrawn {
            taskIndex: 1,
            taskHash: TASK,
            faultId: FAULT,
            oracleIndex: 0,
            roundId: Default::default(),
        });
        let logs = [recorded(FAULT, 0), withdrawn, frozen(FAULT), slashed(0), slashed(2)];
        let after = |count: usize| Records::of(&logs[..count]).faults[&FAULT].clone();
        assert_eq!((after(2).task_hash, after(2).recorded_block), (Some(TASK), 10));
        assert_eq!(after(3).owing(), [OPERATOR]);
        assert_eq!(after(4).operators[&OPERATOR].owed, U256::from(0b100));
        assert_eq!(after(4).state(25), FaultState::CanBeExecuted { until: 30 });
        let settled = FaultRecord { unfrozen: Some(0), ..after(5) };
        assert_eq!(settled.state(25), FaultState::Settled);
    }

    #[test]
    fn vetoes_are_of_all_or_of_one() {
        let one = log(&faults::SlashingVetoed { faultId: FAULT, operator: OPERATOR });
        let records = Records::of(&[recorded(FAULT, 1), frozen(FAULT), one]);
        assert!(records.faults[&FAULT].owing().is_empty() && !records.faults[&FAULT].vetoed);
        let all = log(&faults::FaultVetoed { faultId: FAULT });
        assert!(Records::of(&[recorded(FAULT, 1), all]).faults[&FAULT].vetoed);
    }

    #[test]
    fn what_belongs_to_a_fault_of_earlier_blocks_is_passed_over() {
        let records = Records::of(&[frozen(FAULT), slashed(0)]);
        assert!(records.faults.is_empty());
        assert!(Records::of(&[recorded(FAULT, 9)]).faults.is_empty(), "there is no such kind");
    }

    #[test]
    fn an_absence_is_named_by_the_task_that_was_one_too_many() {
        let operator_id = B256::repeat_byte(3);
        let ejected =
            log(&disputes::AbsenteeEjected { operatorId: operator_id, taskHash: TASK, rulingEnd: 40 });
        let id = FaultKind::Absence.id(TASK, operator_id);
        let records = Records::of(&[ejected, recorded(id, 2)]);
        assert_eq!(records.faults[&id].task_hash, Some(TASK));
        assert_eq!(records.absentees[0].fault_id(), id);
    }

    #[test]
    fn a_dispute_before_the_committee_ends_by_a_ruling() {
        let asked = log(&disputes::CommitteeAsked {
            taskHash: TASK,
            oracleIndex: 3,
            challenger: OPERATOR,
            roundId: Default::default(),
            rulingEnd: 40,
        });
        let ended = log(&disputes::CommitteeDisputeEnded { taskHash: TASK, state: 3 });
        let state = |logs: &[Log]| Records::of(logs).committee[&TASK].state(20);
        assert_eq!(state(std::slice::from_ref(&asked)), CommitteeState::Pending { until: 40 });
        assert_eq!(state(&[asked, ended]), CommitteeState::Rejected);
    }
}
