//! What is asked of the chain.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};
use anzen_messages::transaction::TxRefusal;

use super::effect::{Account, Tried};
use super::metrics::Metrics;
use super::nonces::MOST_UNEXPLAINED;
use crate::ports::{CallError, ChainError, ContractCall, Receipt, TxBroadcast};

/// Whether a call succeeds, what it takes, and what there is to pay for it.
pub(super) async fn try_call(
    broadcast: &dyn TxBroadcast,
    from: Address,
    call: &ContractCall,
) -> Result<Tried, TxRefusal> {
    let fees = async { broadcast.fees().await.map_err(CallError::from) };
    let balance = async { broadcast.balance(from).await.map_err(CallError::from) };
    let tried = futures::try_join!(broadcast.estimate(from, call), fees, balance);
    let (gas, fees, balance) = tried.map_err(|error| match error {
        CallError::Reverts { reason, .. } => TxRefusal::Reverts { error: reason },
        CallError::Chain(error) => TxRefusal::Unavailable { error: error.to_string() },
    })?;
    Ok(Tried { gas, fees, balance })
}

/// The nonce first: what it counts is mined by the time that the receipts are asked for. One above `credible`, and the first one
/// of all, is asked of all endpoints.
pub(super) async fn read(
    broadcast: &dyn TxBroadcast,
    account: Address,
    credible: Option<u64>,
    hashes: &[B256],
    metrics: &Metrics,
) -> Result<(Account, BTreeMap<B256, Receipt>), ChainError> {
    let told = broadcast.nonce(account).await?;
    let vouched = match credible {
        Some(credible) if told <= credible => None,
        _ => vouched_for(broadcast.nonces(account).await).filter(|second| is_likely(*second, told, credible)),
    };
    let nonce = vouched.unwrap_or(told);
    let receipts = if hashes.is_empty() { BTreeMap::new() } else { broadcast.receipts(hashes).await? };
    let (balance, pending) = futures::join!(broadcast.balance(account), broadcast.pending_nonce(account));
    let balance = balance?;
    metrics.balance(balance);
    // Some endpoints do not let others look into their pool.
    let pending = pending.unwrap_or(nonce);
    Ok((Account { nonce, vouched: vouched.is_some(), pending, balance }, receipts))
}

/// The highest that two endpoints say, or more than they say; nothing where there are no two.
fn vouched_for(mut told: Vec<u64>) -> Option<u64> {
    told.sort_unstable();
    told.iter().rev().nth(1).copied()
}

/// False for what an endpoint says that is far behind: such a one vouches for nothing. Where nothing is known yet, only a higher
/// nonce than the one told first is better.
fn is_likely(nonce: u64, told: u64, credible: Option<u64>) -> bool {
    match credible {
        Some(credible) => nonce.saturating_add(2 * MOST_UNEXPLAINED) >= credible,
        None => nonce >= told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_endpoint_alone_vouches_for_nothing() {
        assert_eq!(vouched_for(Vec::new()), None);
        assert_eq!(vouched_for(vec![7]), None);
        assert_eq!(vouched_for(vec![1_000_000, 7]), Some(7));
        assert_eq!(vouched_for(vec![7, 1_000_000, 9]), Some(9));
    }

    #[test]
    fn an_endpoint_that_is_far_behind_vouches_for_nothing() {
        assert!(!is_likely(0, 5_000, Some(4_900)));
        assert!(is_likely(4_899, 5_000, Some(4_900)));
        assert!(!is_likely(0, 100, None), "of two one may have no block yet");
        assert!(is_likely(100, 0, None));
    }
}
