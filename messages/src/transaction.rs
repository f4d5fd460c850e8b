//! The messages of TxSender.

use std::fmt;

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use crate::TaskHash;
use crate::wire::{ActorName, Wire};

/// Names what a transaction is for, so that asking twice sends once: `respond:<taskHash>`, `create:<oracleIndex>:<block>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TxId(String);

impl TxId {
    /// For a task's response.
    pub fn respond(task: TaskHash) -> Self {
        Self(format!("respond:{task}"))
    }

    /// For a protocol's task, wanted since `block`.
    pub fn create(oracle_index: u32, block: u64) -> Self {
        Self(format!("create:{oracle_index}:{block}"))
    }

    /// For a refresh of stakes, due at `block`: of a whole quorum, or of some operators.
    pub fn refresh(kind: &'static str, quorum: u8, block: u64) -> Self {
        Self(format!("refresh:{kind}:{quorum}:{block}"))
    }

    /// For the proof that the answer of `block` to a task is wrong: a reorg may move an answer, and what was sent for it before is
    /// void. Here and below, `again` is the block of a later attempt; nothing at first.
    pub fn challenge(task: TaskHash, block: u32, again: Option<u64>) -> Self {
        Self(format!("challenge:{task}:{block}")).again(again)
    }

    /// For having the committee rule on the answer of `block` to a task.
    pub fn committee(task: TaskHash, block: u32, again: Option<u64>) -> Self {
        Self(format!("committee:{task}:{block}")).again(again)
    }

    /// For ending a dispute that the committee has not ruled on in time.
    pub fn lapse(task: TaskHash, again: Option<u64>) -> Self {
        Self(format!("lapse:{task}")).again(again)
    }

    /// For freezing signers of the wrong answer of `block`, from the one at place `first` on.
    pub fn freeze(task: TaskHash, block: u32, first: usize, again: Option<u64>) -> Self {
        Self(format!("freeze:{task}:{block}:{first}")).again(again)
    }

    /// For ejecting an operator that is frozen for a fault, tried in `block`.
    pub fn eject(fault: B256, operator: Address, block: u64) -> Self {
        Self(format!("eject:{fault}:{operator}:{block}"))
    }

    /// For taking the stake of a fault's operators, from the one at place `first` on.
    pub fn slash(fault: B256, first: usize, again: Option<u64>) -> Self {
        Self(format!("slash:{fault}:{first}")).again(again)
    }

    fn again(self, block: Option<u64>) -> Self {
        block.map_or(self.clone(), |block| Self(format!("{self}:{block}")))
    }

    /// For an empty transaction that uses up a nonce.
    pub fn fill(nonce: u64) -> Self {
        Self(format!("fill:{nonce}"))
    }

    /// What ids are for, and `other` for what Anzen does not make.
    pub const PURPOSES: [&str; 11] = [
        "respond",
        "create",
        "refresh",
        "challenge",
        "committee",
        "lapse",
        "freeze",
        "eject",
        "slash",
        "fill",
        "other",
    ];

    /// What it is for, of [`TxId::PURPOSES`]: the part before the first colon.
    pub fn purpose(&self) -> &'static str {
        let named = self.0.split(':').next().unwrap_or_default();
        Self::PURPOSES.into_iter().find(|purpose| *purpose == named).unwrap_or("other")
    }

    /// The task that the transaction answers, or whose answer it disputes.
    pub fn task(&self) -> Option<TaskHash> {
        let (purpose, rest) = self.0.split_once(':')?;
        let of_task = ["respond", "challenge", "committee", "lapse", "freeze"].contains(&purpose);
        let task = rest.split(':').next().filter(|_| of_task)?;
        task.parse().ok().map(TaskHash)
    }

    /// The nonce that the transaction uses up, if it is an empty one.
    pub fn filled_nonce(&self) -> Option<u64> {
        self.0.strip_prefix("fill:")?.parse().ok()
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Asks TxSender to have a call take effect. Sent by TaskGenerator, Aggregator, StakeUpdater and Challenger.
///
/// The reply comes when the transaction has its confirmations or has no hope; until then the sender may wait, or go away
/// and ask again with the same id, which sends nothing twice and returns the same outcome. That goes for one that reverted,
/// too, until no reorg can undo its block: then asking again sends anew.
/// Full: send again after a pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SendTransaction {
    /// What it is for.
    pub id: TxId,
    /// The contract.
    pub to: Address,
    /// The call.
    pub data: Bytes,
    /// What is paid with it, in wei; left out where that is nothing.
    #[serde(default, skip_serializing_if = "U256::is_zero")]
    pub value: U256,
    /// The last block in which the call can succeed: once it has come, nothing is broadcast any more.
    pub not_after: Option<u64>,
}

impl actix::Message for SendTransaction {
    type Result = Result<Mined, TxRefusal>;
}

impl Wire for SendTransaction {
    type Reply = Result<Mined, TxRefusal>;
    const NAME: &'static str = "txSender_sendTransaction";
    const VERSION: u16 = 1;
    const TO: ActorName = ActorName::TxSender;
    const MOST_BYTES: usize = 4 * 1024 * 1024;
    const TIMEOUT_MS: u64 = 180_000;

    fn task(&self) -> Option<TaskHash> {
        self.id.task()
    }
}

/// A transaction that is in a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mined {
    /// Its hash.
    pub hash: B256,
    /// The block.
    pub block: u64,
    /// What it took.
    pub gas_used: u64,
    /// False where it reverted: it lost a race, or the state changed after the preflight.
    pub succeeded: bool,
}

/// Why a transaction was not sent, or is given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase", tag = "reason", deny_unknown_fields)]
pub enum TxRefusal {
    /// The call reverts, so sending it would only burn gas; or it could be in no block: it takes more gas than a transaction may
    /// have, or all nodes refuse it for good.
    #[error("the call reverts: {error}")]
    Reverts {
        /// The revert, decoded by name.
        error: String,
    },
    /// `not_after` has come.
    #[error("the last block in which the call could succeed has come")]
    Expired,
    /// The key has too little to pay for it.
    #[error("the sender {address} cannot pay for the gas: it has {balance} wei; fund it")]
    InsufficientFunds {
        /// The sender.
        address: Address,
        /// What it has, in wei, decimal.
        balance: String,
    },
    /// The endpoint or the disk failed; asking again may help.
    #[error("not sent: {error}; it is safe to ask again with the same id")]
    Unavailable {
        /// What failed.
        error: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_the_task_that_is_answered() {
        let task = TaskHash(B256::repeat_byte(7));
        assert_eq!(TxId::respond(task).task(), Some(task));
        assert_eq!(TxId::create(1, 2).task(), None);
        assert_eq!(TxId("respond:nonsense".into()).task(), None);
    }

    #[test]
    fn an_id_tells_the_task_whose_answer_is_disputed() {
        let task = TaskHash(B256::repeat_byte(7));
        for id in
            [TxId::challenge(task, 5, None), TxId::lapse(task, Some(9)), TxId::freeze(task, 5, 3, Some(9))]
        {
            assert_eq!(id.task(), Some(task), "{id}");
        }
        let fault = B256::repeat_byte(7);
        assert_eq!(TxId::slash(fault, 0, None).task(), None, "a fault is no task");
    }

    #[test]
    fn a_later_attempt_has_an_id_of_its_own() {
        let task = TaskHash(B256::repeat_byte(7));
        assert_ne!(TxId::challenge(task, 5, None), TxId::challenge(task, 5, Some(9)));
        assert_ne!(TxId::challenge(task, 5, None), TxId::challenge(task, 6, None));
        assert_ne!(TxId::freeze(task, 5, 9, None), TxId::freeze(task, 5, 0, Some(9)));
    }

    #[test]
    fn an_id_tells_the_nonce_that_is_filled() {
        assert_eq!(TxId::fill(7).filled_nonce(), Some(7));
        assert_eq!(TxId::create(1, 2).filled_nonce(), None);
        assert_eq!(TxId("fill:-1".into()).filled_nonce(), None);
    }
}
