//! The disputes of some blocks, or one of them.

use alloy::{
    primitives::B256,
    rpc::types::{Filter, Log},
};
use anzen_contracts::AnzenServiceManager;

use super::{DisputeError, Disputes, FaultKind, FaultRecord, Records};
use crate::chain::ChainError;

impl Disputes {
    /// What was recorded from block `first` on, as of block `head`.
    ///
    /// # Errors
    /// Where the node gives no logs.
    pub async fn since(&self, first: u64, head: u64) -> Result<Records, ChainError> {
        let contracts = vec![self.addresses.disputes, self.addresses.service_manager];
        let filter = Filter::new().address(contracts);
        let first = first.max(self.addresses.deployment_block);
        Ok(Records::of(&self.logs.between(&filter, first, head).await?))
    }

    /// The name of the fault that a person means: by its own, or by the hash of the task whose answer was withdrawn.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn fault_named(&self, name: B256) -> Result<FaultRecord, DisputeError> {
        if let Some(fault) = self.fault(name).await? {
            return Ok(fault);
        }
        let of_signers = FaultKind::WrongAnswer.id(name, B256::ZERO);
        if let Some(fault) = self.fault(of_signers).await? {
            return Ok(fault);
        }
        let head = self.head().await?;
        let task = self.tasks.find(name, head).await?;
        Err(task.map_or(DisputeError::UnknownName(name), |task| DisputeError::NoFault(task.hash)))
    }

    /// The fault with this name; nothing where there is none.
    ///
    /// # Errors
    /// Where the node does not have its log.
    pub async fn fault(&self, id: B256) -> Result<Option<FaultRecord>, DisputeError> {
        let view = AnzenServiceManager::faultCall { faultId: id };
        let kept = self.read(self.addresses.service_manager, view).await?;
        if kept.recordedBlock == 0 {
            return Ok(None);
        }
        let (block, end) = (u64::from(kept.recordedBlock), u64::from(kept.executionEnd));
        let last = self.head().await?.min(end);
        let filter = Filter::new().address(self.addresses.service_manager).topic1(id);
        let mut logs = self.logs.between(&filter, block, last).await?;
        logs.extend(self.about_tasks(id, block).await?);
        let fault = Records::of(&logs).faults.remove(&id).ok_or(DisputeError::NoLog { fault: id, block })?;
        Ok(Some(match fault.kind {
            FaultKind::Absence => self.with_task_of_absence(fault).await?,
            _ => fault,
        }))
    }

    /// The events of a block that tell which task a fault is about.
    async fn about_tasks(&self, fault: B256, block: u64) -> Result<Vec<Log>, ChainError> {
        let filter = Filter::new().address(self.addresses.disputes).topic3(fault);
        self.logs.between(&filter, block, block).await
    }

    /// An absentee was ejected before its absence became a fault.
    async fn with_task_of_absence(&self, fault: FaultRecord) -> Result<FaultRecord, DisputeError> {
        let Some(operator) = fault.operators.keys().next() else { return Ok(fault) };
        let filter = Filter::new().address(self.addresses.disputes).topic1(self.id_of(*operator).await?);
        let first = self.addresses.deployment_block;
        let logs = self.logs.between(&filter, first, fault.recorded_block).await?;
        let mut absentees = Records::of(&logs).absentees.into_iter();
        let task_hash = absentees.find(|one| one.fault_id() == fault.id).map(|one| one.task_hash);
        Ok(FaultRecord { task_hash, ..fault })
    }
}
