//! What models want to know of one endpoint: each question once, all of them in one batch.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::rpc::types::{EIP1186AccountProofResponse, Header};
use anzen_contracts::AggregatorV3Interface::latestRoundDataCall;
use anzen_contracts::eigenlayer::StakeRegistry::{getCurrentTotalStakeCall, getTotalStakeHistoryLengthCall};
use anzen_messages::model::{Model, NoAnswer, Reading, Source, Term, field_of};
use serde_json::json;

use super::super::failure::Failure;
use super::super::rpc::{Answer, At, Batch, Rpc, View};
use super::rounds::{self, Feed, Latest};
use super::state::{ProvenBlock, Unproven};
use crate::ports::ChainError;

/// A quorum of a stake registry.
type Quorum = (Address, u8);
/// Who is called, and with what.
type Called = (Address, Bytes);

/// The questions, each once however many terms and models want it.
#[derive(Debug, Default)]
pub(super) struct Questions {
    stakes: BTreeSet<Quorum>,
    feeds: BTreeSet<Feed>,
    slots: BTreeMap<Address, BTreeSet<B256>>,
    calls: BTreeSet<Called>,
}

/// What one endpoint has answered about one block.
#[derive(Debug)]
pub(super) struct Answers {
    stakes: BTreeMap<Quorum, Result<Reading, ChainError>>,
    feeds: BTreeMap<Feed, Result<Latest, ChainError>>,
    slots: BTreeMap<(Address, B256), Result<B256, ChainError>>,
    calls: BTreeMap<Called, Result<Reading, ChainError>>,
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
    pub(super) fn of<'a>(models: impl IntoIterator<Item = &'a Model>) -> Self {
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
        asked.collect(rpc, endpoint, at, &block).await
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
        block: &ProvenBlock,
    ) -> Result<Answers, AskError> {
        let mut stakes = BTreeMap::new();
        for (quorum, length, current) in self.stakes {
            stakes.insert(quorum, stake(length.get().await, current.get().await));
        }
        let mut slots = BTreeMap::new();
        for (account, asked, answer) in self.proofs {
            match answer.get().await {
                Ok(answer) => {
                    let words = block.slots(account, &asked, &answer).map_err(AskError::Unproven)?;
                    slots
                        .extend(asked.into_iter().zip(words).map(|(slot, word)| ((account, slot), Ok(word))));
                }
                Err(failure) => {
                    let error = ChainError::from(failure);
                    slots.extend(asked.into_iter().map(|slot| ((account, slot), Err(error.clone()))));
                }
            }
        }
        let mut calls = BTreeMap::new();
        for (called, answer) in self.calls {
            calls.insert(called, returned(answer.get().await));
        }
        let feeds = rounds::settle(rpc, endpoint, at, block.time, self.feeds).await.into_iter().collect();
        Ok(Answers { stakes, feeds, slots, calls })
    }
}

/// The last entry of a quorum's history, which is the one in force after the block.
fn stake(
    length: Result<U256, Failure>,
    current: Result<<getCurrentTotalStakeCall as alloy::sol_types::SolCall>::Return, Failure>,
) -> Result<Reading, ChainError> {
    if length?.is_zero() {
        return Ok(Err(NoAnswer::NoRound));
    }
    Ok(Ok(U256::from(current?)))
}

/// What a call of a model's returned. That it fails is its answer, too.
fn returned(answer: Result<Bytes, Failure>) -> Result<Reading, ChainError> {
    match answer {
        Ok(bytes) => {
            let word = <[u8; 32]>::try_from(bytes.as_ref());
            Ok(word.map(U256::from_be_bytes).map_err(|_| NoAnswer::CallFailed))
        }
        Err(Failure::Reverts(_) | Failure::Fails(_)) => Ok(Err(NoAnswer::CallFailed)),
        Err(failure) => Err(failure.into()),
    }
}

impl Answers {
    /// A model's terms with what their sources held.
    pub(super) fn terms(&self, model: &Model) -> Result<Vec<Term<Reading>>, ChainError> {
        let term = |term: &Term<Source>| {
            let (amount, price) = (self.read(&term.amount)?, self.read(&term.price)?);
            let Term { side, share_bps, decimals, .. } = *term;
            Ok(Term { side, amount, price, share_bps, decimals })
        };
        model.terms().iter().map(term).collect()
    }

    fn read(&self, source: &Source) -> Result<Reading, ChainError> {
        match source {
            Source::Constant { value } => Ok(Ok(*value)),
            Source::QuorumStake { stake_registry, quorum_number } => {
                found(&self.stakes, &(*stake_registry, *quorum_number))
            }
            Source::FeedRound { feed, phase_id, max_age } => {
                Ok(found(&self.feeds, &(*feed, *phase_id))?.reading(*max_age))
            }
            Source::StorageSlot { account, slot, offset, width, guards } => {
                for guard in guards {
                    if found(&self.slots, &(guard.account, guard.slot))? != guard.expected {
                        return Ok(Err(NoAnswer::GuardMismatch));
                    }
                }
                let word = found(&self.slots, &(*account, *slot))?;
                Ok(Ok(field_of(word, *offset, *width)))
            }
            Source::ViewCall { target, call_data } => found(&self.calls, &(*target, call_data.clone())),
        }
    }
}

fn found<K: Ord, V: Clone>(answers: &BTreeMap<K, Result<V, ChainError>>, key: &K) -> Result<V, ChainError> {
    let not_asked = || Err(ChainError::Nonsense("it was not asked".into()));
    answers.get(key).cloned().unwrap_or_else(not_asked)
}
