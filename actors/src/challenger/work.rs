//! Out into the world: asks the chain, prepares calls.

use alloy::primitives::{Address, B256, U256};
use anzen_messages::Task;

use super::actor::Dependencies;
use super::effect::{Job, Prepared, Step};
use super::pursuit::Seen;
use crate::ports::{CallError, ChainError, ContractCall};

/// What a slashing takes besides its operators.
const SLASHING_GAS: u64 = 200_000;
/// What it takes for each operator and quorum, and for each strategy of it: two to three times what was measured.
const GAS_PER_QUORUM: u64 = 300_000;
const GAS_PER_STRATEGY: u64 = 150_000;
/// Less than a transaction may take (EIP-7825).
const MOST_GAS: u64 = 16_000_000;

/// A slashing that EigenLayer refuses does not revert, and one that runs out of gas is refused: an estimate finds so little gas
/// that nobody is slashed.
fn least_gas(job: &Job) -> Option<u64> {
    let Step::Execute { operators, .. } = &job.plan.step else { return None };
    let fault = job.standing.fault.as_ref()?;
    let of_quorum =
        |strategies: usize| GAS_PER_STRATEGY.saturating_mul(strategies as u64).saturating_add(GAS_PER_QUORUM);
    let each: u64 = fault.plan.iter().map(|(_, strategies)| of_quorum(strategies.len())).sum();
    Some(each.saturating_mul(operators.len() as u64).saturating_add(SLASHING_GAS).min(MOST_GAS))
}

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
            return Ok(Prepared { call, least_gas: None, cost: None });
        }
        let least_gas = least_gas(job);
        if dry_run {
            let cost = Some(self.cost(&call, least_gas).await?);
            return Ok(Prepared { call, least_gas, cost });
        }
        // Anyone may do all of this, so the sender's address makes no difference to the outcome.
        self.contract.preflight(Address::ZERO, call.to, &call.data).await?;
        Ok(Prepared { call, least_gas, cost: None })
    }

    /// The most that the gas costs at the present price.
    async fn cost(&self, call: &ContractCall, least_gas: Option<u64>) -> Result<U256, CallError> {
        let gas = self.broadcast.estimate(Address::ZERO, call).await?.max(least_gas.unwrap_or_default());
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
