//! Out into the world: asks the chain, prepares calls.

use alloy::primitives::{Address, B256, U256};
use anzen_messages::Task;

use super::actor::Dependencies;
use super::effect::{Job, Prepared, Step};
use super::pursuit::Seen;
use crate::ports::{CallError, ChainError, ContractCall};

impl Dependencies {
    /// Whether the answer is there, and how it stands.
    pub(super) async fn look(&self, task: &Task, transaction: B256) -> Result<Seen, ChainError> {
        let Some(posted) = self.disputes.posted(task, transaction).await? else { return Ok(None) };
        let standing = self.disputes.standing(task, &posted).await?;
        Ok(Some((posted, standing)))
    }

    /// Makes the call of a step, and tries it.
    pub(super) async fn prepare(&self, job: &Job, dry_run: bool) -> Result<Prepared, CallError> {
        let call = self.call(job).await?;
        // Nobody's account need have the bond; TxSender tries the call with the sender's.
        if call.value > U256::ZERO {
            return Ok(Prepared { call, cost: None });
        }
        if dry_run {
            let cost = Some(self.cost(&call).await?);
            return Ok(Prepared { call, cost });
        }
        // Anyone may do all of this, so the sender's address makes no difference to the outcome.
        self.contract.preflight(Address::ZERO, call.to, &call.data).await?;
        Ok(Prepared { call, cost: None })
    }

    /// The most that the gas costs at the present price.
    async fn cost(&self, call: &ContractCall) -> Result<U256, CallError> {
        let gas = self.broadcast.estimate(Address::ZERO, call).await?;
        let fees = self.broadcast.fees().await?;
        Ok(U256::from(gas).saturating_mul(U256::from(fees.max_fee)))
    }

    async fn call(&self, job: &Job) -> Result<ContractCall, ChainError> {
        let Job { task, answer, standing, witness, plan } = job;
        let disputes = self.disputes.as_ref();
        let fault =
            || standing.fault.as_ref().ok_or_else(|| ChainError::Nonsense("no fault is recorded".into()));
        match &plan.step {
            Step::Challenge => {
                let witness =
                    witness.as_ref().ok_or_else(|| ChainError::Nonsense("there is no proof".into()))?;
                disputes.challenge_call(task, answer, witness)
            }
            Step::AskCommittee { bond } => Ok(disputes.committee_call(task, answer, *bond)),
            Step::Lapse => Ok(disputes.lapse_call(task)),
            Step::Freeze { signers, .. } => disputes.freeze_call(task, answer, signers).await,
            Step::Eject { address, .. } => Ok(disputes.eject_call(fault()?.id, *address)),
            Step::Execute { operators, .. } => Ok(disputes.execute_call(fault()?, operators)),
        }
    }
}
