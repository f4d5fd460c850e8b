//! What anyone does about a fault: freezing, executing, counting an absence.

use alloy::primitives::{Address, B256};
use anzen_contracts::{
    AnzenDisputes, AnzenServiceManager,
    anzen_disputes::{
        IAnzenDisputes::Member,
        IAnzenTaskManager::{TaskResponse, TaskResponseMetadata},
    },
};

use super::{Case, DisputeError, Disputes, FaultRecord, FaultState};
use crate::{
    chain::{MAX_TRANSACTION_GAS, Request},
    tasks::{Response, TaskRecord, record_of},
};

/// What one operator is reckoned to take for each quorum, in gas: twice what freezing was measured to (docs/disputes.md), which is
/// dearer than executing.
const GAS_PER_OPERATOR_AND_QUORUM: u64 = 460_000;

/// How many operators one transaction is about: as many as take half of what it may have, because calldata and the margin above
/// the estimate come on top.
fn batch_size(quorums: usize) -> usize {
    let quorums = u64::try_from(quorums).unwrap_or(u64::MAX).max(1);
    let fitting = MAX_TRANSACTION_GAS / 2 / GAS_PER_OPERATOR_AND_QUORUM.saturating_mul(quorums);
    usize::try_from(fitting).unwrap_or(usize::MAX).max(1)
}

/// An answer as the disputes contract wants it.
pub(super) struct Answered {
    pub(super) response: TaskResponse,
    pub(super) metadata: TaskResponseMetadata,
    pub(super) non_signers: Vec<B256>,
}

impl Answered {
    /// The answer to a task.
    pub(super) fn of(task: &TaskRecord) -> Result<(Self, &Response), DisputeError> {
        let response = task.response.as_ref().ok_or(DisputeError::NoAnswer(task.hash))?;
        let non_signers: Vec<B256> = response.non_signers.iter().map(|operator| operator.0).collect();
        let metadata = TaskResponseMetadata {
            // The contract keeps 32 bits.
            respondedBlock: u32::try_from(response.block).unwrap_or(u32::MAX),
            signatoryRecordHash: record_of(task.task.reference_block, &non_signers),
        };
        let given = TaskResponse { taskHash: task.hash, safetyFactor: response.value.0 };
        Ok((Self { response: given, metadata, non_signers }, response))
    }
}

impl Disputes {
    /// Freezes those signers of an answer that was withdrawn who are not, in batches; none where all are.
    ///
    /// # Errors
    /// Where the answer was not withdrawn, the fault was vetoed, or it is too late.
    pub async fn freezing(&self, case: &Case) -> Result<Vec<Request>, DisputeError> {
        let task = &case.task;
        let fault = case.of_signers().ok_or(DisputeError::NoFault(task.hash))?;
        match fault.state(case.head) {
            FaultState::Vetoed => return Err(DisputeError::Vetoed(fault.id)),
            FaultState::Over => return Err(fault.over("have signers frozen", case.head)),
            _ => {}
        }
        let ids: Vec<B256> = case.to_freeze(fault).into_iter().map(|(id, _)| id).collect();
        let (answered, _) = Answered::of(task)?;
        let mut requests = Vec::new();
        for batch in ids.chunks(batch_size(task.task.quorum_numbers.len())) {
            let indices = self.bitmap_indices(&task.task, batch.to_vec()).await?;
            let member = |(id, index): (&B256, u32)| Member { operatorId: *id, bitmapIndex: index };
            let call = AnzenDisputes::freezeSignersCall {
                task: (&task.task).into(),
                response: answered.response.clone(),
                metadata: answered.metadata.clone(),
                nonSignerIds: answered.non_signers.clone(),
                signers: batch.iter().zip(indices).map(member).collect(),
            };
            let what = format!("freezing {}", operators(batch.len()));
            requests.push(Request::call(what, self.addresses.disputes, &call));
        }
        Ok(requests)
    }

    /// Executes the slashing of all who still owe, in batches; none where nobody does.
    ///
    /// # Errors
    /// Where the fault can still be vetoed, or was, or it is too late.
    pub async fn executing(&self, fault: &FaultRecord) -> Result<Vec<Request>, DisputeError> {
        let head = self.head().await?;
        let owing = match fault.state(head) {
            FaultState::Vetoed => return Err(DisputeError::Vetoed(fault.id)),
            FaultState::CanBeVetoed { until: veto_end } => {
                return Err(DisputeError::VetoWindowNotOver { fault: fault.id, veto_end, next: head + 1 });
            }
            FaultState::Over => return Err(fault.over("be executed", head)),
            FaultState::CanBeExecuted { .. } | FaultState::Settled => fault.owing(),
        };
        let request = |batch: &[Address]| {
            let call = AnzenServiceManager::executeSlashingCall {
                faultId: fault.id,
                plan: fault.plan.clone(),
                operators: batch.to_vec(),
            };
            let what = format!("slashing {}", operators(batch.len()));
            Request::call(what, self.addresses.service_manager, &call)
        };
        Ok(owing.chunks(batch_size(fault.plan.len())).map(request).collect())
    }

    /// Counts that an operator kept away from a task.
    ///
    /// # Errors
    /// Where the task has no answer. The contract checks the rest.
    pub async fn recording_absence(
        &self,
        task: &TaskRecord,
        operator: B256,
    ) -> Result<Request, DisputeError> {
        let (answered, response) = Answered::of(task)?;
        let indices = self.bitmap_indices(&task.task, vec![operator]).await?;
        let index = indices.first().copied().unwrap_or_default();
        let call = AnzenDisputes::recordAbsenceCall {
            task: (&task.task).into(),
            response: answered.response,
            metadata: answered.metadata,
            roundId: self.round(task, response).await?,
            nonSignerIds: answered.non_signers,
            member: Member { operatorId: operator, bitmapIndex: index },
        };
        Ok(Request::call("counting the absence", self.addresses.disputes, &call))
    }
}

impl Case {
    /// The fault of all who signed the answer.
    pub fn of_signers(&self) -> Option<&FaultRecord> {
        let id = super::FaultKind::WrongAnswer.id(self.task.hash, B256::ZERO);
        self.faults.iter().find(|fault| fault.id == id)
    }

    /// Takes down how many signers are left to freeze.
    pub(super) fn count_unfrozen(&mut self) {
        let left = self.of_signers().map(|fault| (fault.id, self.to_freeze(fault).len()));
        let Some((id, left)) = left else { return };
        self.faults.iter_mut().filter(|fault| fault.id == id).for_each(|fault| fault.unfrozen = Some(left));
    }

    /// The signers that are neither frozen for the fault nor excepted from it.
    pub fn to_freeze(&self, fault: &FaultRecord) -> Vec<(B256, Address)> {
        let parts = self.answer.iter().flat_map(|answer| &answer.parts);
        let left = parts.filter(|part| {
            let debt = fault.operators.get(&part.operator);
            part.signed && debt.is_none_or(|debt| !debt.frozen && !debt.vetoed)
        });
        left.map(|part| (part.id.0, part.operator)).collect()
    }
}

impl FaultRecord {
    fn over(&self, what: &'static str, head: u64) -> DisputeError {
        DisputeError::FaultWindowOver { fault: self.id, what, last: self.execution_end, next: head + 1 }
    }
}

fn operators(count: usize) -> String {
    if count == 1 { "1 operator".into() } else { format!("{count} operators") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_quorums_the_fewer_operators_fit_into_a_transaction() {
        for quorums in 1..=18 {
            let gas = (batch_size(quorums) * quorums) as u64 * GAS_PER_OPERATOR_AND_QUORUM;
            assert!(gas <= MAX_TRANSACTION_GAS / 2, "{quorums} quorums: {gas} gas");
        }
        assert_eq!([0, 1, 2, 18, 192].map(batch_size), [18, 18, 9, 1, 1]);
    }
}
