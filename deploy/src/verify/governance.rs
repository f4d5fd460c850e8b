//! The timelock: its delay, and who may use it. It does not list its members, so they are added up from its events.

use super::checker::Checker;
use crate::chain::{self, ChainError};
use alloy::{
    primitives::{Address, B256, U256},
    providers::Provider,
    rpc::types::{Filter, Log},
    sol_types::SolEvent,
};
use anzen_contracts::TimelockController as Timelock;
use std::collections::BTreeSet;

/// Nodes limit how many blocks one question about events may span.
const SPAN: u64 = 10_000;

pub(super) async fn check(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let of = c.at.timelock;
    if let Some(delay) = c.read("timelock: delay", of, Timelock::getMinDelayCall {}).await? {
        let todo = "have the timelock call updateDelay: without a delay nobody can react to what it does";
        c.require("timelock: delay", delay > U256::ZERO, format!("{delay} seconds"), todo);
    }
    if chain::code_at(c.provider, of).await?.is_empty() {
        return Ok(()); // A failed check already.
    }
    let events = role_events(c).await?;
    let admins = members(&events, B256::ZERO);
    let todo = "have the timelock revoke the role of all others: they could make themselves proposers";
    c.compare("timelock: administrators", &admins, &BTreeSet::from([of]), todo);
    for (name, role) in [
        ("timelock: proposers", c.read("timelock: proposers", of, Timelock::PROPOSER_ROLECall {}).await?),
        ("timelock: cancellers", c.read("timelock: cancellers", of, Timelock::CANCELLER_ROLECall {}).await?),
        ("timelock: executors", c.read("timelock: executors", of, Timelock::EXECUTOR_ROLECall {}).await?),
    ] {
        let Some(role) = role else { continue };
        let members = members(&events, role);
        let todo = "have the timelock grant the role, if anyone can still propose that";
        c.require(name, !members.is_empty(), format!("{members:?}"), todo);
    }
    Ok(())
}

/// A role given to an account, or taken from it.
struct RoleEvent {
    role: B256,
    account: Address,
    granted: bool,
}

fn members(events: &[RoleEvent], role: B256) -> BTreeSet<Address> {
    let mut members = BTreeSet::new();
    for event in events.iter().filter(|event| event.role == role) {
        if event.granted {
            members.insert(event.account);
        } else {
            members.remove(&event.account);
        }
    }
    members
}

async fn role_events(c: &Checker<'_>) -> Result<Vec<RoleEvent>, ChainError> {
    let latest = c.provider.get_block_number().await;
    let latest = latest.map_err(|e| ChainError::rpc("the latest block's number", e))?;
    let signatures = vec![Timelock::RoleGranted::SIGNATURE_HASH, Timelock::RoleRevoked::SIGNATURE_HASH];
    let mut events = Vec::new();
    let mut from = c.at.deployment_block;
    while from <= latest {
        let to = latest.min(from + SPAN - 1);
        let filter = Filter::new()
            .address(c.at.timelock)
            .event_signature(signatures.clone())
            .from_block(from)
            .to_block(to);
        let logs = c.provider.get_logs(&filter).await;
        let logs = logs.map_err(|e| ChainError::rpc("the timelock's events", e))?;
        events.extend(logs.iter().filter_map(role_event));
        from = to + 1;
    }
    Ok(events)
}

fn role_event(log: &Log) -> Option<RoleEvent> {
    if let Ok(event) = log.log_decode::<Timelock::RoleGranted>() {
        let data = event.inner.data;
        return Some(RoleEvent { role: data.role, account: data.account, granted: true });
    }
    let data = log.log_decode::<Timelock::RoleRevoked>().ok()?.inner.data;
    Some(RoleEvent { role: data.role, account: data.account, granted: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_those_not_revoked_since() {
        let [a, b] = [1, 2].map(Address::repeat_byte);
        let role = B256::repeat_byte(7);
        let event = |role, account, granted| RoleEvent { role, account, granted };
        let events = [
            event(role, a, true),
            event(role, b, true),
            event(B256::ZERO, b, false),
            event(role, a, false),
            event(role, a, true),
            event(role, b, false),
        ];
        assert_eq!(members(&events, role), BTreeSet::from([a]));
    }
}
