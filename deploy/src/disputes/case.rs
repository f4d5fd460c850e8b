//! All about one task, as far as disputes go.

use alloy::{
    primitives::{B256, aliases::U80},
    rpc::types::Filter,
};
use anzen_contracts::{
    AnzenDisputes::{self, AnswerAttested},
    AnzenTaskManager, SafetyFactorOracle, Windows,
    anzen_disputes::IAnzenDisputes::CommitteeDispute,
};
use anzen_messages::{OperatorId, SafetyFactor};

use super::{
    CommitteeRecord, CommitteeState, DisputeError, Disputes, FaultKind, FaultRecord, Records, records::read,
};
use crate::{
    chain::ChainError,
    tasks::{Part, Response, TaskRecord},
};

/// All about one task, as far as disputes go.
#[derive(Debug)]
pub struct Case {
    /// The newest block when this was read.
    pub head: u64,
    /// The task and its answer.
    pub task: TaskRecord,
    /// How long things may take, of this task.
    pub windows: Windows,
    /// How the answer stands; nothing where there is none.
    pub answer: Option<Answer>,
    /// The dispute about it before the committee.
    pub committee: Option<CommitteeRecord>,
    /// The faults of those who signed.
    pub faults: Vec<FaultRecord>,
    /// What operators have attested.
    pub attested: Vec<(OperatorId, SafetyFactor)>,
}

/// `ISafetyFactorOracle.RoundStatus.Withdrawn`
pub const WITHDRAWN: u8 = 4;

/// The answer to a task, for disputes.
#[derive(Debug)]
pub struct Answer {
    /// The oracle's round that it was written in.
    pub round: U80,
    /// `ISafetyFactorOracle.RoundStatus`
    pub status: u8,
    /// Everyone who could sign, and whether it did.
    pub parts: Vec<Part>,
}

impl Answer {
    /// Whether it was withdrawn.
    pub fn is_withdrawn(&self) -> bool {
        self.status == WITHDRAWN
    }

    /// How it stands, in a word.
    pub fn status_text(&self) -> &'static str {
        match self.status {
            0 => "provisional",
            1 => "disputed",
            2 => "final",
            _ => "withdrawn",
        }
    }
}

impl Disputes {
    /// All about the task that a person means: by its hash, or by the name of a fault.
    ///
    /// # Errors
    /// Where there is none, or the node does not have its logs.
    pub async fn case(&self, name: B256) -> Result<Case, DisputeError> {
        let head = self.head().await?;
        // Asked first: looking for a task that there is not goes through all logs.
        let fault = self.fault(name).await?;
        let hash = match &fault {
            Some(fault) => fault.task_hash.ok_or(DisputeError::NoTaskOfFault(fault.id))?,
            None => name,
        };
        let task = self.tasks.find(hash, head).await?.ok_or(DisputeError::UnknownName(name))?;
        let answer = match &task.response {
            Some(response) => Some(self.answer(&task, response).await?),
            None => None,
        };
        let mut faults = self.faults_of(&task, head).await?;
        if let Some(fault) = fault.filter(|fault| faults.iter().all(|known| known.id != fault.id)) {
            faults.push(fault);
        }
        let mut case = Case {
            head,
            windows: self.windows_at(task.task.created_block).await?,
            answer,
            committee: self.before_committee(task.hash).await?,
            attested: self.attested(&task, head).await?,
            faults,
            task,
        };
        case.count_unfrozen();
        Ok(case)
    }

    /// The windows of a task that was created in this block.
    pub(super) async fn windows_at(&self, created_block: u32) -> Result<Windows, ChainError> {
        let view = AnzenTaskManager::windowsAtCall { blockNumber: created_block };
        self.read(self.addresses.task_manager, view).await
    }

    /// The oracle's round that the answer to a task was written in.
    pub(super) async fn round(&self, task: &TaskRecord, response: &Response) -> Result<U80, DisputeError> {
        let block = response.block;
        let filter = Filter::new().address(self.addresses.safety_factor_oracle);
        let logs = self.logs.between(&filter, block, block).await?;
        let mut written = logs.iter().filter_map(read::<SafetyFactorOracle::SafetyFactorUpdated>);
        let of_task = |event: &SafetyFactorOracle::SafetyFactorUpdated| {
            event.oracleIndex == task.task.oracle_index && event.taskIndex == task.task.index
        };
        let round = written.find(of_task).ok_or(DisputeError::NoRound(task.hash))?;
        Ok(U80::from(round.roundId))
    }

    async fn answer(&self, task: &TaskRecord, response: &Response) -> Result<Answer, DisputeError> {
        let round = self.round(task, response).await?;
        let oracle_index = task.task.oracle_index;
        let view = SafetyFactorOracle::roundStatusCall { oracleIndex: oracle_index, roundId: round };
        let status = self.read(self.addresses.safety_factor_oracle, view).await?;
        Ok(Answer { round, status, parts: self.tasks.signers(&task.task, response).await? })
    }

    async fn before_committee(&self, task_hash: B256) -> Result<Option<CommitteeRecord>, ChainError> {
        let view = AnzenDisputes::committeeDisputeCall { taskHash: task_hash };
        let CommitteeDispute { challenger, oracleIndex, rulingEnd, state, .. } =
            self.read(self.addresses.disputes, view).await?;
        Ok((state != 0).then(|| CommitteeRecord {
            task_hash,
            oracle_index: oracleIndex,
            challenger,
            ruling_end: rulingEnd.into(),
            ended: CommitteeState::ended(state),
        }))
    }

    /// The faults about a task: of all who signed its answer, and of single operators.
    async fn faults_of(&self, task: &TaskRecord, head: u64) -> Result<Vec<FaultRecord>, DisputeError> {
        let mut ids = vec![FaultKind::WrongAnswer.id(task.hash, B256::ZERO)];
        let first = u64::from(task.task.created_block);
        let filter = Filter::new().address(self.addresses.disputes);
        let twice = self.logs.between(&filter.clone().topic1(task.hash), first, head).await?;
        let twice = twice.iter().filter_map(read::<AnzenDisputes::EquivocationProved>);
        ids.extend(twice.map(|event| event.faultId));
        let absent = self.logs.between(&filter.topic2(task.hash), first, head).await?;
        ids.extend(Records::of(&absent).absentees.iter().map(|absentee| absentee.fault_id()));
        let mut faults = Vec::new();
        for id in ids {
            faults.extend(self.fault(id).await?);
        }
        Ok(faults)
    }

    async fn attested(
        &self,
        task: &TaskRecord,
        head: u64,
    ) -> Result<Vec<(OperatorId, SafetyFactor)>, ChainError> {
        let filter = Filter::new().address(self.addresses.disputes).topic1(task.hash);
        let first = u64::from(task.task.created_block);
        let logs = self.logs.between(&filter, first, head.min(task.last_block)).await?;
        let attested = logs.iter().filter_map(read::<AnswerAttested>);
        Ok(attested.map(|event| (OperatorId(event.operatorId), SafetyFactor(event.safetyFactor))).collect())
    }
}
