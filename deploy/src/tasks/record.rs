//! A task and what became of it. No I/O.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256, TxHash, U256};
use anzen_messages::{OperatorId, SafetyFactor, Task};

/// A task as the chain's events tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRecord {
    /// The task's identity.
    pub hash: B256,
    /// The task.
    pub task: Task,
    /// The transaction that created it.
    pub transaction: TxHash,
    /// The last block in which it can be answered.
    pub last_block: u64,
    /// Its answer.
    pub response: Option<Response>,
}

/// An answer that the contract has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The answer.
    pub value: SafetyFactor,
    /// The block in which it was taken.
    pub block: u64,
    /// The transaction that posted it.
    pub transaction: TxHash,
    /// The operators of the task's quorums that did not sign.
    pub non_signers: BTreeSet<OperatorId>,
}

/// How a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskStatus {
    /// It can still be answered.
    Open,
    /// It was answered.
    Answered,
    /// Its window has passed without an answer.
    Unanswered,
}

/// An operator that could have signed a task, and whether it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its account.
    pub operator: Address,
    /// Its id: the hash of its BLS key.
    pub id: OperatorId,
    /// Its stake at the reference block.
    pub stake: U256,
    /// Whether it signed.
    pub signed: bool,
}

impl TaskRecord {
    /// How the task stands when `head` is the newest block.
    pub fn status(&self, head: u64) -> TaskStatus {
        match &self.response {
            Some(_) => TaskStatus::Answered,
            None if head < self.last_block => TaskStatus::Open,
            None => TaskStatus::Unanswered,
        }
    }
}

/// The share of the stake that signed, in hundredths of a per cent, rounded down.
pub fn signed_bps(parts: &[Part]) -> u64 {
    let total: U256 = parts.iter().map(|part| part.stake).sum();
    let signed: U256 = parts.iter().filter(|part| part.signed).map(|part| part.stake).sum();
    (signed * U256::from(10_000)).checked_div(total).unwrap_or_default().saturating_to()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::tests::task;

    #[test]
    fn a_task_can_be_answered_in_the_block_after_the_head_and_no_later() {
        let mut record = TaskRecord {
            hash: B256::ZERO,
            task: task(0),
            transaction: B256::ZERO,
            last_block: 15,
            response: None,
        };
        assert_eq!(record.status(14), TaskStatus::Open);
        assert_eq!(record.status(15), TaskStatus::Unanswered);
        record.response = Some(Response {
            value: SafetyFactor(Default::default()),
            block: 15,
            transaction: B256::ZERO,
            non_signers: Default::default(),
        });
        assert_eq!(record.status(99), TaskStatus::Answered);
    }

    #[test]
    fn the_signed_share_is_of_the_stake_and_rounded_down() {
        let part = |stake: u64, signed| Part {
            operator: Address::ZERO,
            id: OperatorId(B256::ZERO),
            stake: U256::from(stake),
            signed,
        };
        assert_eq!(signed_bps(&[part(1, true), part(1, true), part(1, false)]), 6_666);
        assert_eq!(signed_bps(&[part(0, true)]), 0);
        assert_eq!(signed_bps(&[]), 0);
    }
}
