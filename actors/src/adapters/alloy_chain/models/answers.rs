//! What one endpoint has answered about one block, and what follows for a model.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolCall;
use anzen_contracts::eigenlayer::StakeRegistry::getCurrentTotalStakeCall;
use anzen_messages::SafetyFactor;
use anzen_messages::model::{Model, NoAnswer, Reading, Source, Term, cost_and_profit, evaluate, field_of};

use super::super::failure::Failure;
use super::rounds::{Feed, Latest};
use super::state::ProvenAccount;
use crate::ports::ChainError;

/// A quorum of a stake registry.
pub(super) type Quorum = (Address, u8);
/// Who is called, and with what.
pub(super) type Called = (Address, Bytes);
/// By what was asked, what is there, or why that is not known.
pub(super) type Found<K, V> = BTreeMap<K, Result<V, ChainError>>;

/// What one endpoint has answered about one block.
#[derive(Debug)]
pub(in super::super) struct Answers {
    /// The encoding of the block's header.
    pub(super) header: Bytes,
    pub(super) stakes: Found<Quorum, Entry>,
    pub(super) feeds: Found<Feed, Latest>,
    pub(super) accounts: Found<Address, ProvenAccount>,
    pub(super) calls: Found<Called, Reading>,
}

/// The last entry of a quorum's history of stake, which is the one in force after the block; nothing where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(pub(super) Option<(u32, U256)>);

impl Entry {
    /// What follows from the history's length, and from what the quorum has now.
    pub(super) fn last(
        length: Result<U256, Failure>,
        current: Result<<getCurrentTotalStakeCall as SolCall>::Return, Failure>,
    ) -> Result<Self, ChainError> {
        let Some(index) = length?.checked_sub(U256::ONE) else { return Ok(Self(None)) };
        let too_long = |_| ChainError::Nonsense("a history of stake longer than any".into());
        Ok(Self(Some((u32::try_from(index).map_err(too_long)?, U256::from(current?)))))
    }

    /// Its index in the history; 0 where there is none.
    pub(super) fn index(self) -> u32 {
        self.0.map_or(0, |(index, _)| index)
    }

    fn reading(self) -> Reading {
        self.0.map(|(_, stake)| stake).ok_or(NoAnswer::NoRound)
    }
}

/// What a call of a model's returned. That it fails is its answer, too; that an endpoint gives it too little gas is none.
pub(super) fn returned(answer: Result<Bytes, Failure>) -> Result<Reading, ChainError> {
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

    /// What follows for a model. As on chain, sources are read up to the first that has no value: what stands behind it need not
    /// be known.
    pub(in super::super) fn outcome(
        &self,
        model: &Model,
    ) -> Result<Result<SafetyFactor, NoAnswer>, ChainError> {
        let mut terms = Vec::with_capacity(model.terms().len());
        for term in model.terms() {
            let amount = self.read(&term.amount)?;
            let price = amount.map_or_else(|reason| Ok(Err(reason)), |_| self.read(&term.price))?;
            let Term { side, share_bps, decimals, .. } = *term;
            terms.push(Term { side, amount, price, share_bps, decimals });
            if let Err(reason) = cost_and_profit(&terms) {
                return Ok(Err(reason));
            }
        }
        Ok(evaluate(&terms))
    }

    /// What a slot held.
    fn word(&self, account: Address, slot: B256) -> Result<B256, ChainError> {
        let account = self.accounts.get(&account).ok_or_else(not_asked)?.as_ref().map_err(Clone::clone)?;
        account.word(slot).ok_or_else(not_asked)
    }

    fn read(&self, source: &Source) -> Result<Reading, ChainError> {
        match source {
            Source::Constant { value } => Ok(Ok(*value)),
            Source::QuorumStake { stake_registry, quorum_number } => {
                Ok(found(&self.stakes, &(*stake_registry, *quorum_number))?.reading())
            }
            Source::FeedRound { feed, phase_id, max_age } => {
                Ok(found(&self.feeds, &(*feed, *phase_id))?.reading(*max_age))
            }
            Source::StorageSlot { account, slot, offset, width, guards } => {
                for guard in guards {
                    if self.word(guard.account, guard.slot)? != guard.expected {
                        return Ok(Err(NoAnswer::GuardMismatch));
                    }
                }
                Ok(Ok(field_of(self.word(*account, *slot)?, *offset, *width)))
            }
            Source::ViewCall { target, call_data } => found(&self.calls, &(*target, call_data.clone())),
        }
    }
}

fn found<K: Ord, V: Clone>(answers: &Found<K, V>, key: &K) -> Result<V, ChainError> {
    answers.get(key).cloned().unwrap_or_else(|| Err(not_asked()))
}

fn not_asked() -> ChainError {
    ChainError::Nonsense("it was not asked".into())
}

#[cfg(test)]
mod tests {
    use super::super::super::failure::tests::error;
    use super::*;

    /// Otherwise a right answer looks wrong to whoever asks a node that gives a call little gas, and costs it a bond.
    #[test]
    fn a_call_that_an_endpoint_gives_too_little_gas_or_time_has_not_failed() {
        for message in
            ["out of gas", "gas required exceeds allowance (1000)", "execution aborted (timeout = 5s)"]
        {
            assert!(
                matches!(returned(Err(error(-32000, message))), Err(ChainError::Endpoint(_))),
                "{message}"
            );
        }
        for message in ["execution reverted", "invalid opcode: INVALID"] {
            assert_eq!(returned(Err(error(-32000, message))), Ok(Err(NoAnswer::CallFailed)), "{message}");
        }
    }
}
