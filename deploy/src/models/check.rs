//! Whether what a model reads is there, now: what `SafetyFactorModels` asks of it, and what makes an answer possible.

use crate::chain::{self, ChainError, code_at, read};
use alloy::{
    primitives::{Address, B256, Bytes, I256, U256},
    providers::{DynProvider, Provider},
    rpc::types::TransactionRequest,
};
use anzen_contracts::{AggregatorV3Interface, SafetyFactorModels, eigenlayer::StakeRegistry};
use anzen_messages::model::{Guard, Model, NoAnswer, Source, SourceKind, field_of, reading_of_feed};
use std::fmt;

alloy::sol! {
    /// The part of a Chainlink proxy that says which of its phases is the present one.
    interface Phases {
        function phaseId() external view returns (uint16);
    }
}

/// Which of a term's two sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// How much of something there is.
    Amount,
    /// What one of it is worth.
    Price,
}

/// What was found of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The term, from 0.
    pub term: usize,
    /// Which of its sources.
    pub part: Part,
    /// What kind that is.
    pub kind: SourceKind,
    /// What it holds now; or what is wrong, and what to do.
    pub found: Result<String, String>,
}

/// Looks at every source of a model, at the latest block. `models` is the contract that has the list of stake registries;
/// `also_allowed` are those that are to be on it.
///
/// # Errors
/// Where the node does not answer; what is wrong with a source is a finding.
pub async fn check_sources(
    provider: &DynProvider,
    models: Address,
    model: &Model,
    also_allowed: &[Address],
) -> Result<Vec<Finding>, ChainError> {
    let look = Look { provider, models, also_allowed };
    let mut findings = Vec::new();
    for (term, both) in model.terms().iter().enumerate() {
        for (part, source) in [(Part::Amount, &both.amount), (Part::Price, &both.price)] {
            let found = match look.at(source).await {
                Ok(value) => Ok(value),
                Err(Trouble::Wrong(what)) => Err(what),
                Err(Trouble::Chain(error)) => return Err(error),
            };
            findings.push(Finding { term, part, kind: source.kind(), found });
        }
    }
    Ok(findings)
}

/// The same of a model that has been added: it stays as it is when a registry is taken off the list.
///
/// # Errors
/// Where the node does not answer; what is wrong with a source is a finding.
pub async fn check_kept(
    provider: &DynProvider,
    models: Address,
    model: &Model,
) -> Result<Vec<Finding>, ChainError> {
    let registry = |source: &Source| match source {
        Source::QuorumStake { stake_registry, .. } => Some(*stake_registry),
        _ => None,
    };
    let registries: Vec<Address> = model.sources().filter_map(registry).collect();
    check_sources(provider, models, model, &registries).await
}

/// Why a source holds nothing.
enum Trouble {
    Wrong(String),
    Chain(ChainError),
}

impl From<ChainError> for Trouble {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Reverted { .. } | ChainError::Answer { .. } => Self::Wrong(error.to_string()),
            error => Self::Chain(error),
        }
    }
}

fn wrong<T>(what: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::Wrong(what.into()))
}

struct Look<'a> {
    provider: &'a DynProvider,
    models: Address,
    also_allowed: &'a [Address],
}

impl Look<'_> {
    /// What the source holds.
    async fn at(&self, source: &Source) -> Result<String, Trouble> {
        match source {
            Source::Constant { value } => Ok(value.to_string()),
            Source::QuorumStake { stake_registry, quorum_number } => {
                self.stake(*stake_registry, *quorum_number).await
            }
            Source::FeedRound { feed, phase_id, max_age } => self.feed(*feed, *phase_id, *max_age).await,
            Source::StorageSlot { account, slot, offset, width, guards } => {
                for guard in guards {
                    self.guard(guard).await?;
                }
                self.code(*account).await?;
                Ok(field_of(self.slot(*account, *slot).await?, *offset, *width).to_string())
            }
            Source::ViewCall { target, call_data } => self.call(*target, call_data).await,
        }
    }

    async fn code(&self, address: Address) -> Result<(), Trouble> {
        if code_at(self.provider, address).await?.is_empty() {
            return wrong(format!("there is no contract at {address}; correct the model"));
        }
        Ok(())
    }

    async fn stake(&self, registry: Address, quorum: u8) -> Result<String, Trouble> {
        self.code(registry).await?;
        let call = SafetyFactorModels::isStakeRegistryAllowedCall { stakeRegistry: registry };
        if !self.also_allowed.contains(&registry) && !read(self.provider, self.models, call).await? {
            return wrong(format!(
                "the stake registry {registry} is not on the list; have the timelock call allowStakeRegistry \
                 (allow_stake_registries in a protocol's file)"
            ));
        }
        let length = StakeRegistry::getTotalStakeHistoryLengthCall { quorumNumber: quorum };
        if read(self.provider, registry, length).await?.is_zero() {
            return wrong(format!("the stake registry {registry} has no quorum {quorum}; correct the model"));
        }
        let stake = StakeRegistry::getCurrentTotalStakeCall { quorumNumber: quorum };
        Ok(read(self.provider, registry, stake).await?.to_string())
    }

    async fn feed(&self, feed: Address, phase_id: u16, max_age: u32) -> Result<String, Trouble> {
        self.code(feed).await?;
        let present = present_phase(self.provider, feed).await?;
        if phase_id != present {
            let what = match (phase_id, present) {
                (_, 0) => "is no proxy; give it phaseId 0".to_owned(),
                (0, _) => format!("is a proxy; give it phaseId {present}, its present phase"),
                _ => format!("has left phase {phase_id}; put a model with phaseId {present} in use"),
            };
            return wrong(format!("the feed {feed} {what}"));
        }
        let round = read(self.provider, feed, AggregatorV3Interface::latestRoundDataCall {}).await?;
        let again = AggregatorV3Interface::getRoundDataCall { roundId_: round.roundId };
        let same = read(self.provider, feed, again).await?;
        if (same.answer, same.updatedAt) != (round.answer, round.updatedAt) {
            return wrong(format!("the feed {feed} does not keep its rounds; choose another"));
        }
        let now = U256::from(chain::latest_timestamp(self.provider).await?);
        let age = now.saturating_sub(round.updatedAt).saturating_to();
        match reading_of_feed(round.answer, age, max_age) {
            Ok(answer) => Ok(format!("{answer}, {age} s ago")),
            Err(NoAnswer::StaleFeed) => wrong(format!(
                "the answer of the feed {feed} is {age} s old, of {max_age}; wait, or raise maxAge"
            )),
            Err(_) => wrong(price_less(feed, round.answer)),
        }
    }

    async fn slot(&self, account: Address, slot: B256) -> Result<B256, Trouble> {
        let value = self.provider.get_storage_at(account, U256::from_be_bytes(slot.0)).await;
        Ok(value
            .map(B256::from)
            .map_err(|error| ChainError::rpc(format!("the storage of {account}"), error))?)
    }

    async fn guard(&self, guard: &Guard) -> Result<(), Trouble> {
        self.code(guard.account).await?;
        let found = self.slot(guard.account, guard.slot).await?;
        if found == guard.expected {
            return Ok(());
        }
        wrong(format!(
            "slot {} of {} holds {found}, and the guard expects {}; see what has changed there, and put a model with the \
             new guard in use",
            guard.slot, guard.account, guard.expected
        ))
    }

    async fn call(&self, target: Address, data: &Bytes) -> Result<String, Trouble> {
        self.code(target).await?;
        let request = TransactionRequest::default().to(target).input(data.clone().into());
        let what = format!("the call of {target}");
        let returned = self.provider.call(request).await.map_err(|error| ChainError::rpc(&what, error))?;
        match <[u8; 32]>::try_from(returned.as_ref()) {
            Ok(word) => Ok(U256::from_be_bytes(word).to_string()),
            Err(_) => {
                wrong(format!("{what} returns {} bytes instead of 32; correct the model", returned.len()))
            }
        }
    }
}

fn price_less(feed: Address, answer: I256) -> String {
    format!("the feed {feed} answers {answer}, which is no price; have it report one")
}

/// The present phase of a feed that is a proxy; 0 of one that is none.
///
/// # Errors
/// Where the node does not answer.
pub(crate) async fn present_phase(provider: &DynProvider, feed: Address) -> Result<u16, ChainError> {
    match read(provider, feed, Phases::phaseIdCall {}).await {
        Ok(phase) => Ok(phase),
        Err(ChainError::Reverted { .. } | ChainError::Answer { .. }) => Ok(0),
        Err(error) => Err(error),
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Amount => "amount",
            Self::Price => "price",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of term {} ({})", self.part, self.term, self.kind)
    }
}
