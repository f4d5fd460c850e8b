//! Naming a model, and telling one.

use std::{convert::Infallible, error::Error, fmt, path::PathBuf, str::FromStr};

use alloy::primitives::B256;
use anzen_contracts::AnzenTaskManager;
use anzen_deploy::{chain::read, models};
use anzen_messages::model::{Model, Side, Source, Term};

use crate::chain::Site;

/// A model on chain, or one in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    Hash(B256),
    File(PathBuf),
}

impl FromStr for Named {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| Self::File(text.into()), Self::Hash))
    }
}

impl Named {
    pub(super) async fn model(&self, site: &Site) -> Result<Model, Box<dyn Error>> {
        match self {
            Self::File(path) => Ok(models::load(path)?),
            Self::Hash(hash) => get(site, *hash).await,
        }
    }
}

/// The model of this hash.
pub(super) async fn get(site: &Site, hash: B256) -> Result<Model, Box<dyn Error>> {
    let contract = site.addresses.safety_factor_models;
    if !models::exists(&site.provider, contract, hash).await? {
        return Err(format!(
            "SafetyFactorModels has no model {hash}; `anzen oracle list` tells which are in use"
        )
        .into());
    }
    Ok(models::get(&site.provider, contract, hash).await?)
}

/// The model that a protocol's tasks are computed by.
pub(super) async fn of_protocol(site: &Site, oracle_index: u32) -> Result<B256, Box<dyn Error>> {
    let view = AnzenTaskManager::taskPolicyCall { oracleIndex: oracle_index };
    let policy = read(&site.provider, site.addresses.task_manager, view).await?;
    if policy.quorumNumbers.is_empty() {
        let name = site.addresses.name_of(oracle_index);
        return Err(format!(
            "governance has set no policy for {name}; `anzen oracle list` tells which there are"
        )
        .into());
    }
    Ok(policy.modelHash)
}

pub(super) fn side(side: Side) -> &'static str {
    match side {
        Side::Cost => "cost",
        Side::Profit => "profit",
    }
}

/// The part of a term that is no source.
pub(super) fn scale<S>(term: &Term<S>) -> String {
    format!("{} x {} bps / 10^{}", side(term.side), term.share_bps, term.decimals)
}

/// A source in a line.
pub(super) struct InWords<'a>(pub(super) &'a Source);

impl fmt::Display for InWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Source::Constant { value } => write!(f, "constant {value}"),
            Source::QuorumStake { stake_registry, quorum_number } => {
                write!(f, "stake of quorum {quorum_number} in {stake_registry}")
            }
            Source::FeedRound { feed, phase_id: 0, max_age } => {
                write!(f, "feed {feed}, at most {max_age} s old")
            }
            Source::FeedRound { feed, phase_id, max_age } => {
                write!(f, "feed {feed} in phase {phase_id}, at most {max_age} s old")
            }
            Source::StorageSlot { account, slot, offset, width, guards } => {
                write!(f, "{width} bytes at {offset} of slot {slot} of {account}")?;
                if guards.is_empty() { Ok(()) } else { write!(f, ", {} guards", guards.len()) }
            }
            Source::ViewCall { target, call_data } => write!(f, "call of {target} with {call_data}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_told_from_a_file() {
        let hash = B256::repeat_byte(7);
        assert_eq!(hash.to_string().parse(), Ok(Named::Hash(hash)));
        for file in ["lending.json", "0x07", "./0xab.json"] {
            assert_eq!(file.parse(), Ok(Named::File(file.into())));
        }
    }
}
