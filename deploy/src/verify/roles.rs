//! Who may do what in Anzen's contracts, and in the AVS's name in EigenLayer.

use super::{
    checker::Checker,
    events::{Change, since_deployment, sum},
    governance::MEMBERS,
};
use crate::chain::{self, ChainError};
use alloy::{
    primitives::{Address, B256, FixedBytes},
    rpc::types::Log,
    sol_types::{SolCall, SolEvent},
};
use anzen_contracts::{
    AnzenDisputes, AnzenServiceManager, AnzenTaskManager, SafetyFactorOracle,
    eigenlayer::{
        AllocationManager, OperatorSet, PauserRegistry, PermissionController, SlashingRegistryCoordinator,
    },
    revert::describe_revert,
};
use std::collections::BTreeSet;

/// OpenZeppelin's AccessControl: who may grant and revoke, and what else an administrator may.
const DEFAULT_ADMIN_ROLE: B256 = B256::ZERO;
/// StakeRegistry adds strategies to the operator set with this.
const ADD_STRATEGIES: FixedBytes<4> = FixedBytes::new([0x50, 0xfe, 0xea, 0x20]);

pub(super) async fn check(checker: &mut Checker<'_>) -> Result<(), ChainError> {
    check_admins(checker).await?;
    check_given_roles(checker).await?;
    check_avs_admins(checker).await?;
    check_appointees(checker).await?;
    check_registry_pausers(checker).await?;
    check_slasher(checker).await
}

async fn check_admins(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let at = c.at;
    let contracts = [
        ("task manager", at.task_manager),
        ("AVS", at.service_manager),
        ("oracle", at.safety_factor_oracle),
        ("models", at.safety_factor_models),
        ("disputes", at.disputes),
    ];
    let todo = "have the timelock revoke the role of all others, and grant it to itself where it lacks it";
    for (name, of) in contracts {
        // The same function in all of them.
        let view = AnzenServiceManager::getRoleMembersCall { role: DEFAULT_ADMIN_ROLE };
        c.view(&format!("{name}: administrators"), of, view, vec![at.timelock], todo).await?;
    }
    Ok(())
}

/// Whom governance has given a role of its own, and nobody else.
async fn check_given_roles(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let (at, governance) = (c.at, &c.at.governance);
    let of = at.task_manager;
    let role = AnzenTaskManager::GENERATOR_ROLECall {};
    check_members(c, "task manager: generators", of, role, &governance.generators).await?;
    let role = AnzenTaskManager::PAUSER_ROLECall {};
    check_members(c, "task manager: pausers", of, role, &governance.pausers).await?;
    let (of, role) = (at.safety_factor_oracle, SafetyFactorOracle::FALLBACK_ROLECall {});
    check_members(c, "oracle: fallback posters", of, role, &governance.fallback_posters).await?;
    let (of, role) = (at.disputes, AnzenDisputes::COMMITTEE_ROLECall {});
    check_members(c, "disputes: committee", of, role, &governance.committee).await?;
    let (of, role) = (at.service_manager, AnzenServiceManager::COMMITTEE_ROLECall {});
    check_members(c, "AVS: committee", of, role, &governance.committee).await?;
    let role = AnzenServiceManager::DISPUTES_ROLECall {};
    check_members(c, "AVS: who records faults", of, role, &BTreeSet::from([at.disputes])).await
}

async fn check_members<C: SolCall<Return = B256>>(
    c: &mut Checker<'_>,
    name: &str,
    of: Address,
    role: C,
    expected: &BTreeSet<Address>,
) -> Result<(), ChainError> {
    let Some(role) = c.read(name, of, role).await? else { return Ok(()) };
    // The same function in all of them.
    let view = AnzenTaskManager::getRoleMembersCall { role };
    if let Some(members) = c.read(name, of, view).await? {
        c.compare(name, &BTreeSet::from_iter(members), expected, MEMBERS);
    }
    Ok(())
}

async fn check_avs_admins(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let (at, account) = (c.at, c.at.service_manager);
    let todo = "have the timelock accept the administration and remove all others";
    let view = PermissionController::getAdminsCall { account };
    let controller = at.permission_controller;
    c.view("AVS in EigenLayer: administrators", controller, view, vec![at.timelock], todo).await?;
    let view = PermissionController::getPendingAdminsCall { account };
    let todo = "have the timelock call removePendingAdmin";
    c.view("AVS in EigenLayer: administrators to be", controller, view, vec![], todo).await
}

/// What somebody may call in the AVS's name, and who.
type Appointment = (Address, FixedBytes<4>, Address);

/// Who may call the AllocationManager in the AVS's name: each only what it needs, and nobody anything else.
async fn check_appointees(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let (at, account) = (c.at, c.at.service_manager);
    let mut expected = BTreeSet::new();
    let appointments: [(&str, [u8; 4], Address); 4] = [
        ("createOperatorSets", AllocationManager::createOperatorSetsCall::SELECTOR, at.registry_coordinator),
        (
            "deregisterFromOperatorSets",
            AllocationManager::deregisterFromOperatorSetsCall::SELECTOR,
            at.registry_coordinator,
        ),
        ("addStrategiesToOperatorSet", ADD_STRATEGIES.0, at.stake_registry),
        ("slashOperator", AllocationManager::slashOperatorCall::SELECTOR, at.service_manager),
    ];
    for (function, selector, appointee) in appointments {
        let view = PermissionController::getAppointeesCall {
            account,
            target: at.allocation_manager,
            selector: selector.into(),
        };
        let name = format!("AVS in EigenLayer: who may {function}");
        let todo = "have the timelock call setAppointee for that one and removeAppointee for others";
        c.view(&name, at.permission_controller, view, vec![appointee], todo).await?;
        expected.insert((at.allocation_manager, selector.into(), appointee));
    }
    let signatures = [
        PermissionController::AppointeeSet::SIGNATURE_HASH,
        PermissionController::AppointeeRemoved::SIGNATURE_HASH,
    ];
    let events = since_deployment(c, at.permission_controller, &signatures, Some(account)).await?;
    let all = sum(events.iter().filter_map(appointment));
    let others: Vec<&Appointment> = all.difference(&expected).collect();
    let name = "AVS in EigenLayer: other appointees";
    let todo = "have the timelock call removeAppointee for each";
    let seen =
        if others.is_empty() { "none".into() } else { format!("(contract, function, who): {others:?}") };
    c.require(name, others.is_empty(), seen, todo);
    Ok(())
}

fn appointment(log: &Log) -> Option<Change<Appointment>> {
    if let Ok(event) = log.log_decode::<PermissionController::AppointeeSet>() {
        let data = event.inner.data;
        return Some(Change { what: (data.target, data.selector, data.appointee), given: true });
    }
    let data = log.log_decode::<PermissionController::AppointeeRemoved>().ok()?.inner.data;
    Some(Change { what: (data.target, data.selector, data.appointee), given: false })
}

/// Whoever pauses the registries can keep operators from being removed.
async fn check_registry_pausers(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let at = c.at;
    let signatures = [PauserRegistry::PauserStatusChanged::SIGNATURE_HASH];
    let events = since_deployment(c, at.pauser_registry, &signatures, None).await?;
    let pausers = sum(events.iter().filter_map(|log| {
        let data = log.log_decode::<PauserRegistry::PauserStatusChanged>().ok()?.inner.data;
        Some(Change { what: data.pauser, given: data.canPause })
    }));
    let todo = "have the timelock call setIsPauser with false for all others";
    c.compare("pauser registry: pausers", &pausers, &BTreeSet::from([at.timelock]), todo);
    Ok(())
}

/// Cores of 1.9 and later have one slasher per operator set; older ones ask for an appointee only.
async fn check_slasher(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let at = c.at;
    let name = "AVS in EigenLayer: slasher";
    let quorums = SlashingRegistryCoordinator::quorumCountCall {};
    let Some(count) = c.read(name, at.registry_coordinator, quorums).await? else { return Ok(()) };
    for id in 0..count {
        let set = OperatorSet { avs: at.service_manager, id: id.into() };
        let view = AllocationManager::getSlasherCall { operatorSet: set };
        match chain::read(c.provider, at.allocation_manager, view).await {
            Ok(slasher) => {
                let todo = "have the timelock call updateSlasher";
                c.compare(name, &slasher, &at.service_manager, todo);
            }
            Err(error @ ChainError::Rpc { .. }) => return Err(error),
            // A function that is not there reverts without a word; one that is there and refuses says why.
            Err(ChainError::Reverted { reason, .. }) if reason == describe_revert(&[]) => {
                c.ok(name, "this core asks for the appointee only");
            }
            Err(error) => {
                let todo = "check that the file of addresses is of this chain, and whether the operator set is there";
                c.fail(name, error.to_string(), todo);
            }
        }
    }
    Ok(())
}
