//! Disputes and faults, as the chain has them, and the transactions of those who take part in one.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `kind.rs` | kinds of faults, and what a fault is called. No I/O |
//! | `record.rs` | a fault, a dispute before the committee, and how they stand. No I/O |
//! | `records.rs` | what logs tell of them. No I/O |
//! | `history.rs` | all of some blocks, or one of them |
//! | `case.rs` | all about one task |
//! | `windows.rs` | what can be done about it, and in which blocks. No I/O |
//! | `operator.rs` | what one operator signed: attesting an answer, proving two |
//! | `anyone.rs` | freezing, executing, counting an absence |
//! | `committee.rs` | vetoes and rulings |
//! | `told.rs` | what a transaction did, in sentences |
//! | `hint.rs` | what to do about a refusal |

mod anyone;
mod case;
mod committee;
mod error;
mod hint;
mod history;
mod kind;
mod operator;
mod record;
mod records;
mod told;
mod windows;

use alloy::{
    primitives::{Address, B256},
    providers::DynProvider,
    sol_types::SolCall,
};
use anzen_contracts::eigenlayer::SlashingRegistryCoordinator;

use crate::{
    addresses::Addresses,
    chain::{self, ChainError},
    tasks::{Logs, TaskRecord, Tasks},
};

pub use case::{Answer, Case, WITHDRAWN};
pub use error::DisputeError;
pub use hint::remedy;
pub use kind::FaultKind;
pub use record::{AbsenteeRecord, CommitteeRecord, CommitteeState, Debt, FaultRecord, FaultState};
pub use records::Records;
pub use told::{is_refused, told};
pub use windows::Window;

/// Reads disputes of one deployment, and prepares what is sent. Nothing here sends.
#[derive(Debug)]
pub struct Disputes {
    provider: DynProvider,
    addresses: Addresses,
    tasks: Tasks,
    logs: Logs,
}

impl Disputes {
    /// Reads through `provider`, at first `log_range` blocks of logs at once, and fewer where the provider wants that.
    pub fn new(provider: DynProvider, addresses: Addresses, log_range: u64) -> Self {
        let tasks = Tasks::new(provider.clone(), addresses.clone(), log_range);
        let logs = Logs::new(provider.clone(), log_range);
        Self { provider, addresses, tasks, logs }
    }

    /// Where everything is.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The newest block.
    ///
    /// # Errors
    /// Where the node does not answer.
    pub async fn head(&self) -> Result<u64, ChainError> {
        Ok(self.tasks.head().await?.block)
    }

    /// The hash of the task with this index.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn task_hash_at(&self, index: u32) -> Result<B256, DisputeError> {
        self.tasks.hash_at(index).await?.ok_or(DisputeError::NoTask(index))
    }

    /// The task with this hash.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn task(&self, hash: B256) -> Result<TaskRecord, DisputeError> {
        let head = self.head().await?;
        self.tasks.find(hash, head).await?.ok_or(DisputeError::UnknownTask(hash))
    }

    /// The id of the operator with this account.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn id_of(&self, operator: Address) -> Result<B256, DisputeError> {
        let view = SlashingRegistryCoordinator::getOperatorIdCall { operator };
        let id = self.read(self.addresses.registry_coordinator, view).await?;
        if id.is_zero() { Err(DisputeError::UnknownOperator(operator)) } else { Ok(id) }
    }

    /// The account of the operator with this id.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn account_of(&self, id: B256) -> Result<Address, DisputeError> {
        let view = SlashingRegistryCoordinator::getOperatorFromIdCall { operatorId: id };
        let operator = self.read(self.addresses.registry_coordinator, view).await?;
        if operator.is_zero() { Err(DisputeError::UnknownOperatorId(id)) } else { Ok(operator) }
    }

    async fn read<C: SolCall>(&self, to: Address, call: C) -> Result<C::Return, ChainError> {
        chain::read(&self.provider, to, call).await
    }
}
