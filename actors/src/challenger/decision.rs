//! What a wrong answer needs next, as it stands on chain. No I/O, no clock; what was done before does not matter, but for what
//! has failed.

use std::collections::BTreeSet;

use alloy::primitives::{Address, U256};
use anzen_messages::OperatorId;

use super::effect::{State, Step};
use crate::ports::{AnswerStanding, CommitteeCase, FaultStanding, SignerStanding};

/// Whether an answer that cannot be proved wrong is wrong all the same: a source that hangs looks like one that has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// The task was recomputed again, just now, and contradicts it.
    Fresh,
    /// It is to be recomputed again first.
    Wanted,
    /// It cannot be recomputed any more, or not to the same.
    Impossible,
}

/// What there is to pursue an answer with.
#[derive(Debug, Clone)]
pub(super) struct Means {
    /// The answer can be proved wrong.
    pub(super) provable: bool,
    /// Whether money may be put on it where it cannot.
    pub(super) certainty: Certainty,
    /// The last call with the proof reverted: a source that it needs may not answer any more.
    pub(super) proof_reverted: bool,
    /// The most that is paid as a bond; nothing where the committee is not asked.
    pub(super) most_bond: Option<U256>,
    /// How many operators one transaction is about.
    pub(super) batch: usize,
    /// How many attempts have failed since the last that did not.
    pub(super) failures: usize,
    /// Whose ejection is not tried now.
    pub(super) not_ejected: BTreeSet<OperatorId>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// A transaction.
    Do(State, Step),
    /// The task is to be recomputed first.
    Recheck(State),
    /// Nothing before this block.
    Wait(State, u64),
    /// Nothing any more.
    Over(State),
}

/// What is to be done at block `head`.
pub(super) fn decide(standing: &AnswerStanding, means: &Means, head: u64) -> Decision {
    match (&standing.fault, standing.withdrawn) {
        (Some(fault), true) => of_fault(fault, means, head),
        // The chain went on between two questions. If nothing comes of it, there is nobody to slash.
        (None, true) if head <= standing.proof_end => {
            Decision::Wait(State::Freezing, standing.proof_end.saturating_add(1))
        }
        (None, true) => Decision::Over(State::Expired),
        (_, false) => of_answer(standing, means, head),
    }
}

fn of_answer(standing: &AnswerStanding, means: &Means, head: u64) -> Decision {
    // What is sent now is mined in the next block at the earliest.
    let (open, provable) = (head < standing.challenge_end, head < standing.proof_end && means.provable);
    let asks = means.most_bond.is_some_and(|most| standing.bond <= most);
    let hopeless = provable && means.certainty == Certainty::Impossible;
    match standing.committee {
        _ if provable && !means.proof_reverted => Decision::Do(State::Challenging, Step::Challenge),
        // A source of it may have died, and may answer again.
        CommitteeCase::Pending { ruling_end } if head <= ruling_end && provable => {
            Decision::Do(State::Committee, Step::Challenge)
        }
        CommitteeCase::Pending { ruling_end } if head <= ruling_end => {
            Decision::Wait(State::Committee, ruling_end.saturating_add(1))
        }
        CommitteeCase::Pending { .. } => Decision::Do(State::Committee, Step::Lapse),
        CommitteeCase::NotAsked if open && asks && !hopeless => ask(standing.bond, means.certainty),
        // Somebody else has to ask.
        CommitteeCase::NotAsked if provable => Decision::Do(State::Unprovable, Step::Challenge),
        _ if provable => Decision::Do(State::Challenging, Step::Challenge),
        CommitteeCase::NotAsked if open => Decision::Wait(State::Unprovable, standing.challenge_end),
        CommitteeCase::Upheld if open => Decision::Wait(State::Committee, head.saturating_add(1)),
        _ => Decision::Over(State::Stands),
    }
}

/// A bond is at stake: the answer must contradict what is recomputed now.
fn ask(bond: U256, certainty: Certainty) -> Decision {
    match certainty {
        Certainty::Fresh => Decision::Do(State::Committee, Step::AskCommittee { bond }),
        Certainty::Wanted => Decision::Recheck(State::Committee),
        Certainty::Impossible => Decision::Recheck(State::Unprovable),
    }
}

fn of_fault(fault: &FaultStanding, means: &Means, head: u64) -> Decision {
    let left: Vec<Placed<'_>> = fault.signers.iter().enumerate().filter(|(_, one)| is_left(one)).collect();
    if fault.vetoed || left.is_empty() {
        return Decision::Over(ending(fault));
    }
    if head >= fault.execution_end {
        return Decision::Over(State::Expired);
    }
    let steps = steps(&left, fault, means, head);
    // What fails again and again must not hold the others up.
    match steps.get(means.failures % steps.len().max(1)) {
        Some((state, step)) => Decision::Do(*state, step.clone()),
        None => Decision::Wait(State::Veto, fault.veto_end.saturating_add(1).max(head.saturating_add(1))),
    }
}

/// True while a signer has not been dealt with.
pub(super) fn is_left(signer: &SignerStanding) -> bool {
    !signer.vetoed && (signer.owes || !signer.frozen)
}

/// True once the stake of a signer was taken.
pub(super) fn is_slashed(signer: &SignerStanding) -> bool {
    signer.frozen && !signer.vetoed && !signer.owes
}

fn ending(fault: &FaultStanding) -> State {
    let spared = !fault.signers.is_empty() && !fault.signers.iter().any(is_slashed);
    if fault.vetoed || spared { State::Vetoed } else { State::Slashed }
}

/// A signer with its place among all of them.
type Placed<'a> = (usize, &'a SignerStanding);

/// How many kinds of steps there are.
const KINDS: usize = 3;

/// Each thing that can be done now, in the order in which it is wanted.
fn steps(left: &[Placed<'_>], fault: &FaultStanding, means: &Means, head: u64) -> Vec<(State, Step)> {
    let unfrozen: Vec<Placed<'_>> = left.iter().copied().filter(|(_, one)| !one.frozen).collect();
    let due = |one: &SignerStanding| one.frozen && head > fault.veto_end;
    let debtors: Vec<Placed<'_>> = left.iter().copied().filter(|(_, one)| due(one)).collect();
    let stayed = |one: &SignerStanding| one.frozen && one.registered && !means.not_ejected.contains(&one.id);
    let turn = means.failures / KINDS;
    let mut steps = Vec::new();
    if let Some((first, batch)) = batch(&unfrozen, means, turn) {
        let signers: Vec<OperatorId> = batch.iter().map(|one| one.id).collect();
        steps.push((State::Freezing, Step::Freeze { first, signers }));
    }
    if let Some((first, batch)) = batch(&debtors, means, turn) {
        let operators: Vec<Address> = batch.iter().map(|one| one.address).collect();
        steps.push((State::Slashing, Step::Execute { first, operators }));
    }
    let eject = left
        .iter()
        .find(|(_, one)| stayed(one))
        .map(|(_, one)| Step::Eject { operator: one.id, address: one.address });
    let state = if head > fault.veto_end { State::Slashing } else { State::Veto };
    steps.extend(eject.map(|step| (state, step)));
    steps
}

/// The first ones; after failures fewer, and others first.
fn batch<'a>(of: &[Placed<'a>], means: &Means, turn: usize) -> Option<(usize, Vec<&'a SignerStanding>)> {
    let size = means.batch.checked_shr(u32::try_from(means.failures).unwrap_or(u32::MAX)).unwrap_or(0).max(1);
    let start = if of.is_empty() { return None } else { turn % of.len() };
    let (first, _) = of.get(start)?;
    Some((*first, of.iter().skip(start).take(size).map(|(_, one)| *one).collect()))
}
