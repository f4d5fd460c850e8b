//! Blocks and their events.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{B256, Bloom, U64, U128};
use alloy::rpc::types::{Filter, Log};
use anzen_contracts::AnzenTaskManager;
use anzen_messages::chain::{BlockRef, ChainBlock, Header};
use async_trait::async_trait;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::AlloyChain;
use super::failure::Failure;
use super::log_range::LogRange;
use super::rpc::At;
use crate::ports::{ChainError, ChainReader};

/// The highest number that a block may have; nodes count in no more than 63 bits.
pub(super) const HIGHEST: u64 = u64::MAX >> 1;

/// What is needed of a block's header; nodes answer with more.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RpcHeader {
    #[serde(deserialize_with = "number")]
    number: U64,
    hash: B256,
    parent_hash: B256,
    timestamp: U64,
    #[serde(default)]
    base_fee_per_gas: U128,
    pub(super) logs_bloom: Bloom,
}

/// A block's number. What is computed of those that are let pass does not overflow.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<U64, D::Error> {
    let number = U64::deserialize(deserializer)?;
    if number.to::<u64>() > HIGHEST {
        return Err(D::Error::custom("no chain has a block of that number"));
    }
    Ok(number)
}

impl RpcHeader {
    fn number(&self) -> u64 {
        self.number.to()
    }

    pub(super) fn to_header(&self) -> Header {
        Header {
            at: BlockRef { number: self.number(), hash: self.hash },
            parent_hash: self.parent_hash,
            timestamp: self.timestamp.to(),
            base_fee: self.base_fee_per_gas.to(),
        }
    }
}

#[async_trait]
impl ChainReader for AlloyChain {
    async fn head(&self) -> Result<Header, ChainError> {
        let head: RpcHeader = self.rpc.ask("eth_getBlockByNumber", ("latest", false)).await?;
        self.signal.polled(head.number());
        Ok(head.to_header())
    }

    async fn header(&self, number: u64) -> Result<Option<Header>, ChainError> {
        let params = (BlockNumberOrTag::Number(number), false);
        let header: Option<RpcHeader> = self.rpc.ask("eth_getBlockByNumber", params).await?;
        Ok(header.as_ref().map(RpcHeader::to_header))
    }

    /// All of them from one endpoint, so that they are of one chain.
    async fn blocks(&self, from: u64, to: u64) -> Result<Vec<ChainBlock>, ChainError> {
        let mut first: Option<ChainError> = None;
        for endpoint in self.rpc.order() {
            match self.blocks_of(endpoint, from, to).await {
                Ok(blocks) if !blocks.is_empty() => return Ok(blocks),
                Ok(_) => _ = first.get_or_insert(ChainError::NoSuchBlock(from.to_string())),
                Err(error) => _ = first.get_or_insert(error.into()),
            }
        }
        Err(first.unwrap_or_else(|| ChainError::NoSuchBlock(from.to_string())))
    }

    async fn response_windows(&self, created: &[u64]) -> Result<Vec<u64>, ChainError> {
        futures::future::try_join_all(created.iter().map(|created| self.window_of(*created))).await
    }

    async fn changed(&self, known: BlockRef) {
        self.signal.changed(known).await;
    }
}

/// How often an endpoint may let the time run out without an answer between, while a range is read, before the next one is asked.
const MOST_TIMEOUTS: u32 = 2;

enum ReadError {
    Node(Failure),
    Chain(ChainError),
}

impl From<Failure> for ReadError {
    fn from(failure: Failure) -> Self {
        Self::Node(failure)
    }
}

impl From<ReadError> for ChainError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Node(failure) => failure.into(),
            ReadError::Chain(error) => error,
        }
    }
}

impl AlloyChain {
    fn log_range(&self, endpoint: usize) -> Option<MutexGuard<'_, LogRange>> {
        self.log_ranges.get(endpoint).map(|range| range.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn blocks_of(&self, endpoint: usize, from: u64, to: u64) -> Result<Vec<ChainBlock>, ReadError> {
        let mut blocks = Vec::new();
        let (mut next, mut timeouts) = (from, 0);
        let mut range = self.log_range(endpoint).map_or(1, |range| range.get());
        while next <= to {
            let last = to.min(next.saturating_add(range - 1));
            match self.read(endpoint, next, last).await {
                Ok(read) => {
                    if let Some(mut range) = self.log_range(endpoint) {
                        range.answered(last - next + 1);
                    }
                    blocks.extend(read);
                    (next, timeouts) = (last + 1, 0);
                    range = self.log_range(endpoint).map_or(1, |known| known.get().min(range * 2));
                }
                Err(ReadError::Node(failure)) if failure.asked_too_much() && last > next => {
                    range = self.shorter(endpoint, last - next + 1, &failure);
                    timeouts += u32::from(failure == Failure::Timeout);
                    if timeouts == MOST_TIMEOUTS {
                        return Err(failure.into());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(blocks)
    }

    /// How many blocks to ask for where so many were too many.
    fn shorter(&self, endpoint: usize, blocks: u64, failure: &Failure) -> u64 {
        let message = match failure {
            Failure::Error { message, .. } => message.as_str(),
            _ => "",
        };
        let fewer = self.log_range(endpoint).map_or(1, |mut range| match failure {
            Failure::Timeout => range.timed_out(blocks),
            _ => range.refused(blocks, message),
        });
        tracing::info!(blocks, fewer, "the provider wants shorter ranges of logs");
        fewer
    }

    async fn window_of(&self, created: u64) -> Result<u64, ChainError> {
        let number = u32::try_from(created).map_err(|_| ChainError::NoSuchBlock(created.to_string()))?;
        let call = AnzenTaskManager::windowsAtCall { blockNumber: number };
        match self.rpc.view(self.addresses.task_manager, &call, At::Latest).await {
            Ok(windows) => Ok(windows.response.into()),
            // The contract was not there yet, and had no tasks.
            Err(Failure::Reverts(_)) => Ok(0),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn read(&self, endpoint: usize, from: u64, to: u64) -> Result<Vec<ChainBlock>, ReadError> {
        let headers = (from..=to).map(|number| (BlockNumberOrTag::Number(number), false)).collect();
        let headers = self.rpc.ask_many_of(endpoint, "eth_getBlockByNumber", headers);
        let filter = self.addresses.filter().from_block(from).to_block(to);
        let logs = self.rpc.ask_of(endpoint, "eth_getLogs", [filter]);
        let (headers, logs): (Vec<Option<RpcHeader>>, Vec<Log>) = futures::try_join!(headers, logs)?;
        let headers: Vec<_> = headers.into_iter().map_while(|header| header).collect();
        let mut logs = by_block(logs, &headers).map_err(ReadError::Chain)?;
        self.complete(endpoint, &headers, &mut logs).await?;
        let block = |header: &RpcHeader| {
            let mut logs: Vec<_> = logs.get(&header.hash).into_iter().flatten().collect();
            logs.sort_by_key(|log| log.log_index);
            Ok(ChainBlock { header: header.to_header(), events: self.addresses.events(&logs)? })
        };
        headers.iter().map(block).collect::<Result<_, _>>().map_err(ReadError::Chain)
    }

    /// A node that has a block but not its logs yet answers with none of them. So a block whose bloom promises logs that
    /// did not come is asked for by its hash, which such a node answers with an error.
    async fn complete(
        &self,
        endpoint: usize,
        headers: &[RpcHeader],
        logs: &mut BTreeMap<B256, Vec<Log>>,
    ) -> Result<(), Failure> {
        let doubtful = |header: &&RpcHeader| {
            !logs.contains_key(&header.hash) && self.addresses.may_be_in(&header.logs_bloom)
        };
        let doubtful: Vec<_> = headers.iter().filter(doubtful).map(|header| header.hash).collect();
        let filters: Vec<[Filter; 1]> =
            doubtful.iter().map(|hash| [self.addresses.filter().at_block_hash(*hash)]).collect();
        let found: Vec<Vec<Log>> = self.rpc.ask_many_of(endpoint, "eth_getLogs", filters).await?;
        logs.extend(doubtful.into_iter().zip(found));
        Ok(())
    }
}

/// Sorts logs by block; an error where one is of another block than those that were read.
pub(super) fn by_block(
    logs: Vec<Log>,
    headers: &[RpcHeader],
) -> Result<BTreeMap<B256, Vec<Log>>, ChainError> {
    let mut sorted: BTreeMap<B256, Vec<Log>> = BTreeMap::new();
    let last = headers.last().map(RpcHeader::number);
    for log in logs {
        let (number, hash) = (log.block_number.unwrap_or_default(), log.block_hash.unwrap_or_default());
        if headers.iter().any(|header| header.hash == hash) {
            sorted.entry(hash).or_default().push(log);
        } else if last.is_some_and(|last| number <= last) {
            return Err(ChainError::NoSuchBlock(format!(
                "{number} ({hash}): the chain forked while it was read"
            )));
        }
    }
    Ok(sorted)
}
