//! The simulated chain, as the actors' ports see it through an endpoint that may fail, lag, stall or lie.

use std::sync::Arc;
use std::time::Duration;

use alloy::sol_types::SolCall;
use alloy_primitives::{Address, B256, Bytes};
use anzen_actors::ports::{
    CallError, ChainError, ChainReader, ModelInputs, OperatorRegistry, OperatorStanding, OperatorStandings,
    RecordedStake, RegisteredOperator, ResponseCall, StakeStatus, TaskContract, TaskRules, Windows,
};
use anzen_contracts::AnzenTaskManager::{createNewTaskCall, respondToTaskCall};
use anzen_contracts::NonSignerStakesAndSignature;
use anzen_messages::chain::{BlockRef, ChainBlock, Header};
use anzen_messages::model::{Reading, Term};
use anzen_messages::{Certificate, OperatorId, OperatorSet, SafetyFactor, Task, TaskResponse};
use async_trait::async_trait;

use super::chain::SimChain;
use super::fork::Fork;
use super::model::terms;
use super::store::Disk;
use super::weather::{View, Weather};
use super::witness::Witness;
use super::world::SimRng;

/// One process's RPC endpoint.
#[derive(Debug)]
pub(super) struct SimEndpoint {
    pub(super) chain: SimChain,
    pub(super) rng: Arc<SimRng>,
    pub(super) weather: Arc<Weather>,
    pub(super) disk: Disk,
    pub(super) witness: Witness,
}

impl SimEndpoint {
    const SLOWEST_MS: u64 = 50;
    /// How long a real adapter waits for an endpoint that has stalled, in milliseconds.
    const PATIENCE_MS: u64 = 10_000;

    /// The chain as the endpoint sees it, after a while; or a failure.
    pub(super) async fn answer(&self) -> Result<Fork, ChainError> {
        tokio::time::sleep(Duration::from_millis(self.rng.below(Self::SLOWEST_MS))).await;
        let failed = |error: &str| Err(ChainError::Endpoint(format!("the simulated endpoint {error}")));
        if self.rng.chance(self.weather.failure_percent()) {
            return failed("does not answer");
        }
        match self.weather.view() {
            View::Good | View::Lies(_) => Ok(self.chain.fork()),
            View::Behind(blocks) => Ok(self.chain.fork().behind(blocks)),
            View::Frozen(fork) => Ok(fork),
            View::Dead => failed("is down"),
            View::Stalled => {
                tokio::time::sleep(Duration::from_millis(Self::PATIENCE_MS)).await;
                failed("has stalled")
            }
        }
    }

    /// The chain, if the endpoint knows that block.
    async fn at(&self, hash: B256) -> Result<Fork, ChainError> {
        let fork = self.answer().await?;
        if fork.knows(hash) { Ok(fork) } else { Err(ChainError::NoSuchBlock(hash.to_string())) }
    }
}

#[async_trait]
impl ChainReader for SimEndpoint {
    async fn head(&self) -> Result<Header, ChainError> {
        Ok(self.answer().await?.head().clone())
    }

    async fn header(&self, number: u64) -> Result<Option<Header>, ChainError> {
        Ok(self.answer().await?.block(number).map(|block| block.header.clone()))
    }

    async fn blocks(&self, from: u64, to: u64) -> Result<Vec<ChainBlock>, ChainError> {
        let fork = self.answer().await?;
        let block =
            |number| fork.block(number).cloned().ok_or_else(|| ChainError::NoSuchBlock(format!("{number}")));
        (from..=to).map(block).collect()
    }

    async fn response_windows(&self, created: &[u64]) -> Result<Vec<u64>, ChainError> {
        let window = self.answer().await?.contract().rules.response_window;
        Ok(vec![window; created.len()])
    }

    async fn changed(&self, known: BlockRef) {
        let mut changes = self.chain.subscribe();
        let seen = self.weather.see(&self.chain).map(|fork| fork.head().at);
        if seen.is_none_or(|at| at == known) {
            // The sender lives as long as the chain; without it there is nothing to wait for.
            let _ = changes.changed().await;
        }
    }
}

#[async_trait]
impl OperatorRegistry for SimEndpoint {
    async fn operators_at(&self, at: BlockRef, quorums: &[u8]) -> Result<OperatorSet, ChainError> {
        let set = Arc::clone(&self.at(at.hash).await?.contract().set);
        if set.quorums == quorums {
            let set = OperatorSet::clone(&set);
            Ok(if self.lies() { self.another_set(&set) } else { set })
        } else {
            Err(ChainError::Nonsense("no such quorum".into()))
        }
    }

    async fn operator(&self, id: OperatorId) -> Result<Option<RegisteredOperator>, ChainError> {
        let fork = self.answer().await?;
        let set = &fork.contract().set;
        Ok(set.operators.get(&id).map(|one| RegisteredOperator { address: one.address, key: one.key }))
    }

    async fn stakes(&self, quorum: u8) -> Result<StakeStatus, ChainError> {
        let fork = self.answer().await?;
        let set = &fork.contract().set;
        let mut operators: Vec<RecordedStake> = set
            .operators
            .values()
            .filter_map(|one| Some((one.address, *one.stakes.get(&quorum)?)))
            .map(|(operator, stake)| RecordedStake { operator, recorded: stake, current: stake })
            .collect();
        operators.sort_by_key(|one| one.operator);
        Ok(StakeStatus { refreshed_at: fork.head().at.number, max_age: 1000, operators })
    }

    fn refresh_quorum_call(&self, _quorum: u8, _operators: &[Address]) -> (Address, Bytes) {
        (Address::ZERO, Bytes::new())
    }

    fn refresh_operators_call(&self, _operators: &[Address]) -> (Address, Bytes) {
        (Address::ZERO, Bytes::new())
    }
}

#[async_trait]
impl OperatorStandings for SimEndpoint {
    async fn standing(&self, id: OperatorId, _tokens: &[Address]) -> Result<OperatorStanding, ChainError> {
        let fork = self.answer().await?;
        let stakes = fork.contract().set.operators.get(&id).map(|one| one.stakes.clone());
        Ok(OperatorStanding { stakes: stakes.unwrap_or_default(), ..OperatorStanding::default() })
    }
}

#[async_trait]
impl TaskContract for SimEndpoint {
    async fn windows(&self) -> Result<Windows, ChainError> {
        Ok(Windows { response: self.answer().await?.contract().rules.response_window })
    }

    async fn rules(&self, oracle_index: u32) -> Result<TaskRules, ChainError> {
        let fork = self.answer().await?;
        let contract = fork.contract();
        Ok(TaskRules {
            quorums: contract.set.quorums.clone(),
            least_threshold: contract.rules.least_threshold,
            greatest_threshold: contract.rules.greatest_threshold,
            min_interval: contract.rules.min_interval,
            model_hash: contract.rules.model_hash,
            latest_created: contract.latest(oracle_index).map(|task| task.created_block.into()),
            open: contract.is_open(oracle_index, fork.head().at.number),
            value: contract.value(oracle_index),
        })
    }

    fn create_call(
        &self,
        oracle_index: u32,
        proposed: SafetyFactor,
        rules: &TaskRules,
        threshold: u32,
    ) -> (Address, Bytes) {
        let call = createNewTaskCall {
            oracleIndex: oracle_index,
            proposedSafetyFactor: proposed.0,
            quorumThresholdPercentage: threshold,
            quorumNumbers: rules.quorums.clone().into(),
        };
        (Address::ZERO, call.abi_encode().into())
    }

    async fn response_call(
        &self,
        task: &Task,
        response: &TaskResponse,
        certificate: &Certificate,
    ) -> Result<ResponseCall, ChainError> {
        self.at(task.reference_block_hash).await?;
        let call = respondToTaskCall {
            task: task.into(),
            response: response.into(),
            certificate: with_no_indices(certificate),
        };
        Ok(ResponseCall { to: Address::ZERO, data: call.abi_encode().into() })
    }

    async fn preflight(&self, _from: Address, _to: Address, data: &Bytes) -> Result<(), CallError> {
        let fork = self.answer().await?;
        if self.lies() {
            return Err(reverts("TaskAlreadyAnswered".into()));
        }
        fork.try_call(data).map_err(reverts)
    }

    async fn is_answered(&self, task: &Task) -> Result<bool, ChainError> {
        let fork = self.answer().await?;
        Ok(fork.contract().is_answered(task.hash()) || self.lies())
    }
}

#[async_trait]
impl ModelInputs for SimEndpoint {
    async fn terms_of(&self, models: &[B256], at: B256) -> Vec<Result<Vec<Term<Reading>>, ChainError>> {
        let known = self.at(at).await;
        let unknown = |model: &B256| ChainError::Nonsense(format!("there is no model {model}"));
        let terms = |model: &B256| match &known {
            Ok(_) => terms(*model, at, self.weather.lie()).ok_or_else(|| unknown(model)),
            Err(error) => Err(error.clone()),
        };
        models.iter().map(terms).collect()
    }
}

pub(super) fn reverts(reason: String) -> CallError {
    CallError::Reverts { already_answered: reason == "TaskAlreadyAnswered", reason }
}

/// The simulated contract keeps no histories, so there is nothing for the indices to point at.
fn with_no_indices(certificate: &Certificate) -> NonSignerStakesAndSignature {
    NonSignerStakesAndSignature {
        nonSignerQuorumBitmapIndices: Vec::new(),
        nonSignerPubkeys: certificate.non_signers.iter().map(|one| one.key.into()).collect(),
        quorumApks: certificate.quorum_apks.iter().map(|key| (*key).into()).collect(),
        apkG2: certificate.signers_apk.into(),
        sigma: certificate.signature.into(),
        quorumApkIndices: Vec::new(),
        totalStakeIndices: Vec::new(),
        nonSignerStakeIndices: Vec::new(),
    }
}
