//! Reads from the chain what became of each task.

use std::collections::{BTreeMap, BTreeSet};

use alloy::{
    consensus::Transaction,
    primitives::{Address, B256, keccak256},
    providers::Provider,
    rpc::types::{Block, Filter, Log},
    sol_types::{SolCall, SolEvent},
};
use anzen_contracts::{
    AnzenTaskManager,
    eigenlayer::{OperatorStateRetriever, SlashingRegistryCoordinator},
};
use anzen_messages::SafetyFactor;

use super::{
    Answer, Missed,
    open::{At, Open, OpenTasks, Part},
};
use crate::{
    TransportError,
    addresses::Addresses,
    chain::{ChainError, read},
    local::anvil::Chain,
};

/// Something to tell.
#[derive(Debug)]
pub(in crate::local) enum News {
    /// A block was mined.
    Block(u64),
    /// A task was created, in this block.
    Created(u64),
    /// A task was answered.
    Answered(Answer),
    /// A task was not answered in its window.
    Missed(Missed),
    /// An operator has registered.
    Joined(Address),
}

/// A block and what it brought.
#[derive(Debug)]
pub(in crate::local) struct BlockNews {
    pub(in crate::local) number: u64,
    pub(in crate::local) hash: B256,
    pub(in crate::local) news: Vec<News>,
}

/// Follows the chain.
#[derive(Debug)]
pub(in crate::local) struct Watch {
    chain: Chain,
    addresses: Addresses,
    names: BTreeMap<u32, String>,
    next: u64,
    open: OpenTasks,
}

impl Watch {
    /// Watches the blocks after the newest.
    pub(in crate::local) async fn from_here(chain: Chain, addresses: Addresses) -> Result<Self, ChainError> {
        let names = addresses.protocols.iter().map(|protocol| (protocol.oracle_index, protocol.name.clone()));
        let names = names.collect();
        let head = chain.provider.get_block_number().await.map_err(rpc("the newest block"))?;
        Ok(Self { chain, addresses, names, next: head + 1, open: OpenTasks::default() })
    }

    /// What the next block brought; nothing where there is none yet.
    pub(in crate::local) async fn next_block(&mut self) -> Result<Option<BlockNews>, ChainError> {
        let block = self.chain.provider.get_block_by_number(self.next.into()).await;
        let Some(block) = block.map_err(rpc("a block"))? else { return Ok(None) };
        let mut news = vec![News::Block(block.header.number)];
        let contracts = vec![self.addresses.task_manager, self.addresses.registry_coordinator];
        let filter = Filter::new().address(contracts).at_block_hash(block.header.hash);
        for log in self.chain.provider.get_logs(&filter).await.map_err(rpc("a block's events"))? {
            news.extend(self.read_log(&log, &block).await?);
        }
        for open in self.open.expire(self.next) {
            news.push(News::Missed(self.missed(&open)));
        }
        self.next += 1;
        Ok(Some(BlockNews { number: block.header.number, hash: block.header.hash, news }))
    }

    async fn read_log(&mut self, log: &Log, block: &Block) -> Result<Option<News>, ChainError> {
        let at = At { block: block.header.number, time: block.header.timestamp };
        let log_data = &log.inner;
        if let Ok(created) = AnzenTaskManager::NewTaskCreated::decode_log(log_data) {
            let view = AnzenTaskManager::windowsAtCall { blockNumber: created.task.createdBlock };
            let windows = read(&self.chain.provider, self.addresses.task_manager, view).await?;
            self.open.add(created.taskHash, created.data.task.clone(), at, windows.response.into());
            return Ok(Some(News::Created(at.block)));
        }
        if let Ok(joined) = SlashingRegistryCoordinator::OperatorRegistered::decode_log(log_data) {
            return Ok(Some(News::Joined(joined.operator)));
        }
        let Ok(answered) = AnzenTaskManager::TaskResponded::decode_log(log_data) else { return Ok(None) };
        let Some(open) = self.open.take(answered.taskHash) else { return Ok(None) };
        let transaction = log.transaction_hash.unwrap_or_default();
        let value = SafetyFactor(answered.response.safetyFactor);
        let parts = self.parts(&open, transaction).await?;
        Ok(Some(News::Answered(Answer {
            index: open.task.index,
            protocol: self.name_of(open.task.oracleIndex),
            value,
            parts,
            created: open.created,
            answered: at,
            transaction,
        })))
    }

    /// Who could sign as of the reference block, less the non-signers that the certificate names.
    async fn parts(&self, open: &Open, transaction: B256) -> Result<Vec<Part>, ChainError> {
        let absent = self.non_signers(transaction).await?;
        let view = OperatorStateRetriever::getOperatorStateCall {
            registryCoordinator: self.addresses.registry_coordinator,
            quorumNumbers: open.task.quorumNumbers.clone(),
            blockNumber: open.task.referenceBlock,
        };
        let state = read(&self.chain.provider, self.addresses.operator_state_retriever, view).await?;
        let mut parts: BTreeMap<Address, Part> = BTreeMap::new();
        for operator in state.into_iter().flatten() {
            let signed = !absent.contains(&operator.operatorId);
            let part = Part { operator: operator.operator, stake: operator.stake.to(), signed };
            parts.entry(operator.operator).or_insert(part);
        }
        Ok(parts.into_values().collect())
    }

    async fn non_signers(&self, transaction: B256) -> Result<BTreeSet<B256>, ChainError> {
        let found = self.chain.provider.get_transaction_by_hash(transaction).await;
        let input = found.map_err(rpc("a transaction"))?.map(|found| found.inner.input().clone());
        let call = input.and_then(|input| AnzenTaskManager::respondToTaskCall::abi_decode(&input).ok());
        let keys = call.map(|call| call.certificate.nonSignerPubkeys).unwrap_or_default();
        let id = |x: [u8; 32], y: [u8; 32]| keccak256([x, y].concat());
        Ok(keys.into_iter().map(|key| id(key.X.to_be_bytes(), key.Y.to_be_bytes())).collect())
    }

    fn missed(&self, open: &Open) -> Missed {
        Missed {
            index: open.task.index,
            protocol: self.name_of(open.task.oracleIndex),
            threshold: open.task.quorumThresholdPercentage,
            window: open.last_block - open.created.block,
        }
    }

    fn name_of(&self, oracle_index: u32) -> String {
        self.names.get(&oracle_index).cloned().unwrap_or_else(|| format!("oracle {oracle_index}"))
    }
}

fn rpc(what: &'static str) -> impl FnOnce(TransportError) -> ChainError {
    move |error| ChainError::rpc(what, error)
}
