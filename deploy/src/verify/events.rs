//! What the chain keeps as a list of changes only: who has a role is added up from its events.

use super::checker::Checker;
use crate::chain::ChainError;
use alloy::{
    primitives::{Address, B256},
    providers::Provider,
    rpc::types::{Filter, Log},
};
use std::collections::BTreeSet;

/// Nodes limit how many blocks one question about events may span.
const SPAN: u64 = 10_000;

/// Something given to someone, or taken away.
pub(super) struct Change<T> {
    pub(super) what: T,
    pub(super) given: bool,
}

/// What has been given and not been taken away since.
pub(super) fn sum<T: Ord>(changes: impl IntoIterator<Item = Change<T>>) -> BTreeSet<T> {
    let mut sum = BTreeSet::new();
    for Change { what, given } in changes {
        if given {
            sum.insert(what);
        } else {
            sum.remove(&what);
        }
    }
    sum
}

/// The events of the contract at `of` with one of these signatures, since the deployment, in order; of those with indexed
/// arguments, the ones whose first is `first`, if that is given.
pub(super) async fn since_deployment(
    c: &Checker<'_>,
    of: Address,
    signatures: &[B256],
    first: Option<Address>,
) -> Result<Vec<Log>, ChainError> {
    let latest = c.provider.get_block_number().await;
    let latest = latest.map_err(|e| ChainError::rpc("the latest block's number", e))?;
    let mut filter = Filter::new().address(of).event_signature(signatures.to_vec());
    if let Some(first) = first {
        filter = filter.topic1(first);
    }
    let mut events = Vec::new();
    let mut from = c.at.deployment_block;
    while from <= latest {
        let to = latest.min(from + SPAN - 1);
        let logs = c.provider.get_logs(&filter.clone().from_block(from).to_block(to)).await;
        events.extend(logs.map_err(|e| ChainError::rpc(format!("the events of {of}"), e))?);
        from = to + 1;
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_away_and_given_again_is_there() {
        let changes = [(1, true), (2, true), (3, false), (1, false), (1, true), (2, false)];
        let changes = changes.map(|(what, given)| Change { what, given });
        assert_eq!(sum(changes), BTreeSet::from([1]));
    }
}
