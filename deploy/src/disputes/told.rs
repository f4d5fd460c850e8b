//! What a transaction did, in sentences.

use alloy::rpc::types::Log;
use anzen_contracts::{AnzenDisputes as disputes, AnzenServiceManager as faults, revert::describe_revert};

use super::{FaultKind, records::read};

/// 1e16, a hundredth of all.
const PERCENT: u64 = 10_000_000_000_000_000;

/// What the log tells, if it is one of the disputes or of the service manager.
pub fn told(log: &Log) -> Option<String> {
    of_fault(log).or_else(|| of_dispute(log))
}

fn of_fault(log: &Log) -> Option<String> {
    if let Some(event) = read::<faults::FaultRecorded>(log) {
        let kind = FaultKind::numbered(event.kind).map_or_else(String::new, |kind| format!(" ({kind})"));
        return Some(format!("fault {}{kind} is recorded", event.faultId));
    }
    if let Some(event) = read::<faults::OperatorFrozen>(log) {
        return Some(format!("operator {} is frozen for fault {}", event.operator, event.faultId));
    }
    if let Some(event) = read::<faults::OperatorSlashed>(log) {
        let (operator, quorum, percent) = (event.operator, event.quorumNumber, event.wadToSlash / PERCENT);
        return Some(format!(
            "operator {operator} is slashed: {percent} % of its allocation to quorum {quorum}"
        ));
    }
    if let Some(event) = read::<faults::SlashingFailed>(log) {
        let (operator, quorum, why) = (event.operator, event.quorumNumber, describe_revert(&event.reason));
        return Some(format!("EigenLayer refused to slash operator {operator} in quorum {quorum}: {why}"));
    }
    if let Some(event) = read::<faults::EjectionFailed>(log) {
        let why = describe_revert(&event.reason);
        return Some(format!("the coordinator refused to eject operator {}: {why}", event.operator));
    }
    if let Some(event) = read::<faults::FaultVetoed>(log) {
        return Some(format!("fault {} is vetoed", event.faultId));
    }
    let event = read::<faults::SlashingVetoed>(log)?;
    Some(format!("the slashing of operator {} for fault {} is vetoed", event.operator, event.faultId))
}

fn of_dispute(log: &Log) -> Option<String> {
    if let Some(event) = read::<disputes::AnswerAttested>(log) {
        return Some(format!(
            "operator {} has attested its answer to task {}",
            event.operatorId, event.taskHash
        ));
    }
    if let Some(event) = read::<disputes::AnswerWithdrawn>(log) {
        return Some(format!("the answer to task {} is withdrawn", event.taskHash));
    }
    if let Some(event) = read::<disputes::CommitteeDisputeEnded>(log) {
        return Some(format!("the dispute about task {} is over", event.taskHash));
    }
    if let Some(event) = read::<disputes::AbsenceRecorded>(log) {
        return Some(format!("absence {} of operator {} is counted", event.count, event.operatorId));
    }
    let event = read::<disputes::AbsenteeEjected>(log)?;
    let (operator, end) = (event.operatorId, event.rulingEnd);
    Some(format!("operator {operator} is ejected; until block {end} the committee can make a fault of it"))
}

/// Whether the log tells that EigenLayer or the coordinator refused a part of what was asked.
pub fn is_refused(log: &Log) -> bool {
    read::<faults::SlashingFailed>(log).is_some() || read::<faults::EjectionFailed>(log).is_some()
}
