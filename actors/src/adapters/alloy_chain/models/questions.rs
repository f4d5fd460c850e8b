//! What models want to know of one endpoint: each question once, all of them in one batch.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, Bytes};
use alloy::rpc::types::{EIP1186AccountProofResponse, Header};
use anzen_contracts::AggregatorV3Interface::latestRoundDataCall;
use anzen_contracts::eigenlayer::StakeRegistry::{getCurrentTotalStakeCall, getTotalStakeHistoryLengthCall};
use anzen_messages::model::{Model, Source};
use serde_json::json;

use super::super::failure::Failure;
use super::super::rpc::{Answer, At, Batch, Rpc, View};
use super::answers::{Answers, Called, Entry, Quorum, returned};
use super::rounds::{self, Feed};
use super::state::{ProvenBlock, Unproven};
use crate::ports::ChainError;

/// The questions, each once however many terms and models want it.
#[derive(Debug, Default)]
pub(in super::super) struct Questions {
    stakes: BTreeSet<Quorum>,
    feeds: BTreeSet<Feed>,
    slots: BTreeMap<Address, BTreeSet<B256>>,
    calls: BTreeSet<Called>,
}

/// Why an endpoint's answers are no use at all.
#[derive(Debug)]
pub(super) enum AskError {
    /// It did not answer.
    Chain(ChainError),
    /// It answers what is not so.
    Unproven(Unproven),
}

impl From<Failure> for AskError {
    fn from(failure: Failure) -> Self {
        Self::Chain(failure.into())
    }
}

impl From<ChainError> for AskError {
    fn from(error: ChainError) -> Self {
        Self::Chain(error)
    }
}

impl Questions {
    /// All that these models read.
    pub(in super::super) fn of<'a>(models: impl IntoIterator<Item = &'a Model>) -> Self {
        let mut questions = Self::default();
        models.into_iter().flat_map(Model::sources).for_each(|source| questions.add(source));
        questions
    }

    fn add(&mut self, source: &Source) {
        match source {
            Source::Constant { .. } => {}
            Source::QuorumStake { stake_registry, quorum_number } => {
                self.stakes.insert((*stake_registry, *quorum_number));
            }
            Source::FeedRound { feed, phase_id, .. } => _ = self.feeds.insert((*feed, *phase_id)),
            Source::StorageSlot { account, slot, guards, .. } => {
                let guards = guards.iter().map(|guard| (guard.account, guard.slot));
                for (account, slot) in guards.chain([(*account, *slot)]) {
                    self.slots.entry(account).or_default().insert(slot);
                }
            }
            Source::ViewCall { target, call_data } => _ = self.calls.insert((*target, call_data.clone())),
        }
    }

    /// Asks this endpoint, about the state after the block with this hash.
    pub(super) async fn ask(&self, rpc: &Rpc, endpoint: usize, at: B256) -> Result<Answers, AskError> {
        let mut batch = rpc.batch_of(endpoint);
        let header: Answer<Option<Header>> = batch.ask("eth_getBlockByHash", &(at, false));
        let asked = self.put(&mut batch, at);
        batch.send().await?;
        let header = header.get().await?.ok_or_else(|| ChainError::NoSuchBlock(at.to_string()))?;
        let block = ProvenBlock::new(&header, at).map_err(AskError::Unproven)?;
        asked.collect(rpc, endpoint, at, block).await
    }

    fn put(&self, batch: &mut Batch<'_>, at: B256) -> Asked {
        let block = At::Block(at);
        let stake = |quorum: &Quorum, batch: &mut Batch<'_>| {
            let (registry, quorum_number) = *quorum;
            let length = getTotalStakeHistoryLengthCall { quorumNumber: quorum_number };
            let current = getCurrentTotalStakeCall { quorumNumber: quorum_number };
            (*quorum, batch.view(registry, &length, block), batch.view(registry, &current, block))
        };
        let stakes = self.stakes.iter().map(|quorum| stake(quorum, batch)).collect();
        let round = latestRoundDataCall {};
        let feeds = self.feeds.iter().map(|feed| (*feed, batch.view(feed.0, &round, block))).collect();
        let proof = |(account, slots): (&Address, &BTreeSet<B256>)| {
            let slots: Vec<B256> = slots.iter().copied().collect();
            let answer = batch.ask("eth_getProof", &(account, &slots, block.id()));
            (*account, slots, answer)
        };
        let proofs = self.slots.iter().map(proof).collect();
        let call = |called: &Called| {
            let (target, data) = called;
            let params = (json!({ "to": target, "data": data }), block.id());
            (called.clone(), batch.ask("eth_call", &params))
        };
        let calls = self.calls.iter().map(call).collect();
        Asked { stakes, feeds, proofs, calls }
    }
}

/// Questions that are under way.
struct Asked {
    stakes: Vec<(Quorum, View<getTotalStakeHistoryLengthCall>, View<getCurrentTotalStakeCall>)>,
    feeds: Vec<(Feed, View<latestRoundDataCall>)>,
    proofs: Vec<(Address, Vec<B256>, Answer<EIP1186AccountProofResponse>)>,
    calls: Vec<(Called, Answer<Bytes>)>,
}

impl Asked {
    async fn collect(
        self,
        rpc: &Rpc,
        endpoint: usize,
        at: B256,
        block: ProvenBlock,
    ) -> Result<Answers, AskError> {
        let mut stakes = BTreeMap::new();
        for (quorum, length, current) in self.stakes {
            stakes.insert(quorum, Entry::last(length.get().await, current.get().await));
        }
        let mut accounts = BTreeMap::new();
        for (account, slots, answer) in self.proofs {
            let proven = match answer.get().await {
                Ok(answer) => Ok(block.slots(account, &slots, answer).map_err(AskError::Unproven)?),
                Err(failure) => Err(ChainError::from(failure)),
            };
            accounts.insert(account, proven);
        }
        let mut calls = BTreeMap::new();
        for (called, answer) in self.calls {
            calls.insert(called, returned(answer.get().await));
        }
        let feeds = rounds::settle(rpc, endpoint, at, block.time, self.feeds).await.into_iter().collect();
        Ok(Answers { header: block.header, stakes, feeds, accounts, calls })
    }
}
