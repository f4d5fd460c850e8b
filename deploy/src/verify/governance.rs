//! The timelock: its delay, and who may use it. It does not list its members, so they are added up from its events.

use super::{
    checker::Checker,
    events::{Change, since_deployment, sum},
};
use crate::chain::{self, ChainError};
use alloy::{
    primitives::{Address, B256, U256},
    rpc::types::Log,
    sol_types::SolEvent,
};
use anzen_contracts::TimelockController as Timelock;
use std::collections::BTreeSet;

/// What to do about a set of accounts that is not the recorded one.
pub(super) const MEMBERS: &str = "have the timelock revoke the role of all others and grant it to those that lack it, or \
     correct `governance` in the file of addresses if this is what was decided";

pub(super) async fn check(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let (of, governance) = (c.at.timelock, &c.at.governance);
    let delay = U256::from(governance.min_delay_seconds);
    let todo = "have the timelock call updateDelay: with less nobody can react to what it does";
    c.view("timelock: delay", of, Timelock::getMinDelayCall {}, delay, todo).await?;
    if chain::code_at(c.provider, of).await?.is_empty() {
        return Ok(()); // A failed check already.
    }
    let signatures = [Timelock::RoleGranted::SIGNATURE_HASH, Timelock::RoleRevoked::SIGNATURE_HASH];
    let events = since_deployment(c, of, &signatures, None).await?;
    let members = sum(events.iter().filter_map(role_event));
    let members = |role| -> BTreeSet<Address> {
        members.iter().filter(|(of, _)| *of == role).map(|(_, account)| *account).collect()
    };
    let todo = "have the timelock revoke the role of all others: they could make themselves proposers";
    c.compare("timelock: administrators", &members(B256::ZERO), &BTreeSet::from([of]), todo);
    let name = "timelock: proposers";
    if let Some(role) = c.read(name, of, Timelock::PROPOSER_ROLECall {}).await? {
        c.compare(name, &members(role), &governance.proposers, MEMBERS);
    }
    let name = "timelock: cancellers";
    if let Some(role) = c.read(name, of, Timelock::CANCELLER_ROLECall {}).await? {
        c.compare(name, &members(role), &governance.proposers, MEMBERS);
    }
    let name = "timelock: executors";
    if let Some(role) = c.read(name, of, Timelock::EXECUTOR_ROLECall {}).await? {
        c.compare(name, &members(role), &governance.executors, MEMBERS);
    }
    Ok(())
}

/// A role, and the account to which it was given, or from which it was taken.
fn role_event(log: &Log) -> Option<Change<(B256, Address)>> {
    if let Ok(event) = log.log_decode::<Timelock::RoleGranted>() {
        let data = event.inner.data;
        return Some(Change { what: (data.role, data.account), given: true });
    }
    let data = log.log_decode::<Timelock::RoleRevoked>().ok()?.inner.data;
    Some(Change { what: (data.role, data.account), given: false })
}
