//! The simulated chain, as the actors' ports see it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alloy::sol_types::SolCall;
use alloy_primitives::{Address, B256, Bytes, I256, U256};
use anzen_actors::ports::{
    CallError, ChainError, ChainReader, Fees, ModelInputs, OperatorRegistry, OperatorStanding,
    OperatorStandings, Receipt, RecordedStake, RegisteredOperator, ResponseCall, SendError, StakeStatus,
    TaskContract, TaskRules, TxBroadcast, Windows,
};
use anzen_contracts::AnzenTaskManager::{createNewTaskCall, respondToTaskCall};
use anzen_contracts::NonSignerStakesAndSignature;
use anzen_messages::chain::{BlockRef, ChainBlock, Header};
use anzen_messages::model::{Inputs, Model};
use anzen_messages::{Certificate, OperatorId, OperatorSet, SafetyFactor, Task, TaskResponse};
use async_trait::async_trait;

use super::chain::SimChain;
use super::world::SimRng;

/// One process's RPC endpoint: it answers late, and sometimes not at all.
#[derive(Debug)]
pub(super) struct SimEndpoint {
    pub(super) chain: SimChain,
    pub(super) rng: Arc<SimRng>,
    pub(super) failure_percent: u64,
}

impl SimEndpoint {
    const SLOWEST_MS: u64 = 50;

    async fn answer(&self) -> Result<(), ChainError> {
        tokio::time::sleep(Duration::from_millis(self.rng.below(Self::SLOWEST_MS))).await;
        if self.rng.chance(self.failure_percent) {
            return Err(ChainError::Endpoint("the simulated endpoint does not answer".into()));
        }
        Ok(())
    }

    fn need_block(&self, hash: B256) -> Result<(), ChainError> {
        if self.chain.knows(hash) { Ok(()) } else { Err(ChainError::NoSuchBlock(hash.to_string())) }
    }
}

#[async_trait]
impl ChainReader for SimEndpoint {
    async fn head(&self) -> Result<Header, ChainError> {
        self.answer().await?;
        Ok(self.chain.head())
    }

    async fn header(&self, number: u64) -> Result<Option<Header>, ChainError> {
        self.answer().await?;
        Ok(self.chain.block(number).map(|block| block.header))
    }

    async fn blocks(&self, from: u64, to: u64) -> Result<Vec<ChainBlock>, ChainError> {
        self.answer().await?;
        let block =
            |number| self.chain.block(number).ok_or_else(|| ChainError::NoSuchBlock(format!("{number}")));
        (from..=to).map(block).collect()
    }

    async fn response_windows(&self, created: &[u64]) -> Result<Vec<u64>, ChainError> {
        self.answer().await?;
        Ok(vec![self.chain.contract().rules.response_window; created.len()])
    }

    async fn changed(&self, known: BlockRef) {
        let mut changes = self.chain.subscribe();
        if self.chain.head().at == known {
            // The sender lives as long as the chain; without it there is nothing to wait for.
            let _ = changes.changed().await;
        }
    }
}

#[async_trait]
impl OperatorRegistry for SimEndpoint {
    async fn operators_at(&self, at: BlockRef, quorums: &[u8]) -> Result<OperatorSet, ChainError> {
        self.answer().await?;
        self.need_block(at.hash)?;
        let set = self.chain.contract().set;
        if set.quorums == quorums { Ok(set) } else { Err(ChainError::Nonsense("no such quorum".into())) }
    }

    async fn operator(&self, id: OperatorId) -> Result<Option<RegisteredOperator>, ChainError> {
        self.answer().await?;
        let set = self.chain.contract().set;
        Ok(set.operators.get(&id).map(|one| RegisteredOperator { address: one.address, key: one.key }))
    }

    async fn stakes(&self, quorum: u8) -> Result<StakeStatus, ChainError> {
        self.answer().await?;
        let set = self.chain.contract().set;
        let mut operators: Vec<RecordedStake> = set
            .operators
            .values()
            .filter_map(|one| Some((one.address, *one.stakes.get(&quorum)?)))
            .map(|(operator, stake)| RecordedStake { operator, recorded: stake, current: stake })
            .collect();
        operators.sort_by_key(|one| one.operator);
        Ok(StakeStatus { refreshed_at: self.chain.head().at.number, max_age: 1000, operators })
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
        self.answer().await?;
        let stakes = self.chain.contract().set.operators.get(&id).map(|one| one.stakes.clone());
        Ok(OperatorStanding { stakes: stakes.unwrap_or_default(), ..OperatorStanding::default() })
    }
}

#[async_trait]
impl TaskContract for SimEndpoint {
    async fn windows(&self) -> Result<Windows, ChainError> {
        self.answer().await?;
        Ok(Windows { response: self.chain.contract().rules.response_window })
    }

    async fn rules(&self, oracle_index: u32) -> Result<TaskRules, ChainError> {
        self.answer().await?;
        let contract = self.chain.contract();
        Ok(TaskRules {
            quorums: contract.set.quorums.clone(),
            least_threshold: contract.rules.least_threshold,
            greatest_threshold: contract.rules.greatest_threshold,
            min_interval: contract.rules.min_interval,
            model_hash: contract.rules.model_hash,
            latest_created: contract.latest(oracle_index).map(|task| task.created_block.into()),
            open: contract.is_open(oracle_index, self.chain.head().at.number),
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
        self.answer().await?;
        self.need_block(task.reference_block_hash)?;
        let call = respondToTaskCall {
            task: task.into(),
            response: response.into(),
            certificate: with_no_indices(certificate),
        };
        Ok(ResponseCall { to: Address::ZERO, data: call.abi_encode().into() })
    }

    async fn preflight(&self, _from: Address, _to: Address, data: &Bytes) -> Result<(), CallError> {
        self.answer().await?;
        self.chain.try_call(data).map_err(reverts)
    }

    async fn is_answered(&self, task: &Task) -> Result<bool, ChainError> {
        self.answer().await?;
        Ok(self.chain.contract().is_answered(task.hash()))
    }
}

#[async_trait]
impl ModelInputs for SimEndpoint {
    /// A price that moves with the block, as any node would read it at that block.
    async fn inputs(&self, _model: &Model, at: B256) -> Result<Inputs, ChainError> {
        self.answer().await?;
        self.need_block(at)?;
        let price = I256::from_raw(U256::from(90 + u64::from(at[31] % 20)));
        let stake = self.chain.contract().set.total_stakes.values().sum();
        Ok(Inputs { stake, stake_price: price, assets: U256::from(50), asset_price: I256::ONE })
    }
}

#[async_trait]
impl TxBroadcast for SimEndpoint {
    fn chain_id(&self) -> u64 {
        super::cluster::CHAIN_ID
    }

    async fn nonce(&self, account: Address) -> Result<u64, ChainError> {
        self.answer().await?;
        Ok(self.chain.nonce(account))
    }

    async fn balance(&self, _account: Address) -> Result<U256, ChainError> {
        self.answer().await?;
        Ok(U256::MAX)
    }

    async fn fees(&self) -> Result<Fees, ChainError> {
        self.answer().await?;
        Ok(Fees { max_fee: 1_000, priority_fee: 100 })
    }

    async fn estimate(&self, _from: Address, _to: Address, data: &Bytes) -> Result<u64, CallError> {
        self.answer().await?;
        self.chain.try_call(data).map_err(reverts)?;
        Ok(100_000)
    }

    async fn send(&self, raw: Bytes) -> Result<(), SendError> {
        self.answer().await?;
        self.chain.send(&raw)
    }

    async fn receipts(&self, hashes: &[B256]) -> Result<BTreeMap<B256, Receipt>, ChainError> {
        self.answer().await?;
        Ok(hashes.iter().filter_map(|hash| Some((*hash, self.chain.receipt(*hash)?))).collect())
    }
}

fn reverts(reason: String) -> CallError {
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
