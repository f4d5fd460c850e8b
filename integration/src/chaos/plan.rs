//! What a seed stands for: who is killed when, and which reorgs there are.

use crate::sim::SimRng;

use super::terms::QUIET_BLOCKS;

/// The instant at which a process is killed, after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instant {
    /// So many milliseconds later.
    Later(u64),
    /// A submission is on its way to the aggregator.
    Submission,
    /// An acknowledgement is on its way to an operator.
    Acknowledgement,
    /// A task has been created.
    Creation,
    /// A task has been answered.
    Answer,
}

/// A kill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kill {
    /// Which process.
    pub(super) process: String,
    /// How many blocks pass before: none, so that two are down at once, or enough for tasks to be owed an answer.
    pub(super) pause: u64,
    /// And when then.
    pub(super) instant: Instant,
}

/// The kind of a process, by its name: which aggregator it is of, and its number, are left out.
pub(super) fn kind(process: &str) -> &str {
    let name = process.rsplit('/').next().unwrap_or(process);
    name.trim_end_matches(|one: char| one.is_ascii_digit()).trim_end_matches('-')
}

/// Kills each kind of process so often, in the order that the seed says.
pub(super) fn kills(seed: u64, processes: &[String], each: usize) -> Vec<Kill> {
    let rng = SimRng::new(seed, "kills");
    let mut kinds: Vec<&str> = processes.iter().map(|process| kind(process)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut kills = Vec::new();
    for of_kind in kinds {
        let candidates: Vec<&String> = processes.iter().filter(|process| kind(process) == of_kind).collect();
        for _ in 0..each {
            let process = (*rng.one_of(&candidates)).clone();
            kills.push(Kill { process, pause: pause(&rng), instant: instant(&rng) });
        }
    }
    shuffle(&mut kills, &rng);
    kills
}

fn pause(rng: &SimRng) -> u64 {
    if rng.chance(60) { rng.below(3) } else { rng.between(QUIET_BLOCKS, QUIET_BLOCKS + 4) }
}

fn instant(rng: &SimRng) -> Instant {
    match rng.below(8) {
        0 => Instant::Submission,
        1 => Instant::Acknowledgement,
        2 => Instant::Creation,
        3 => Instant::Answer,
        _ => Instant::Later(rng.below(1_000)),
    }
}

fn shuffle<T>(things: &mut [T], rng: &SimRng) {
    for last in (1..things.len()).rev() {
        let other = rng.below(last as u64 + 1);
        things.swap(last, usize::try_from(other).unwrap_or_default());
    }
}

/// What becomes of the transactions of the blocks that a reorg undoes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// They are gone.
    Lost,
    /// They are in the new blocks, as far as they still can be.
    Included,
}

/// A reorg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reorg {
    /// How many blocks it undoes.
    pub(super) depth: u64,
    pub(super) fate: Fate,
    /// After which event: the creation of a task, or its answer.
    pub(super) after: Instant,
}

/// So many reorgs of 1 to 10 blocks: every depth in turn, with both fates and after both events.
pub(super) fn reorgs(seed: u64, number: usize) -> Vec<Reorg> {
    let rng = SimRng::new(seed, "reorgs");
    let mut all = Vec::new();
    for (after, fate) in [
        (Instant::Creation, Fate::Lost),
        (Instant::Answer, Fate::Included),
        (Instant::Creation, Fate::Included),
        (Instant::Answer, Fate::Lost),
    ] {
        let mut depths: Vec<u64> = (1..=DEEPEST_REORG).collect();
        shuffle(&mut depths, &rng);
        all.extend(depths.into_iter().map(|depth| Reorg { depth, fate, after }));
    }
    // A short run has all four kinds too, and a deep one.
    let rounds = usize::try_from(DEEPEST_REORG).unwrap_or_default();
    let order = (0..rounds).flat_map(|round| (0..4).map(move |kind| kind * rounds + round));
    order.map(|place| all[place]).cycle().take(number).collect()
}

/// The deepest reorg that there is, in blocks.
pub(super) const DEEPEST_REORG: u64 = 10;

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn processes() -> Vec<String> {
        ["tx-sender", "aggregator-2/rpc-gateway", "operator-1", "operator-2"].map(String::from).to_vec()
    }

    #[test]
    fn a_seed_is_one_plan_and_another_seed_another() {
        assert_eq!(kills(1, &processes(), 5), kills(1, &processes(), 5));
        assert_ne!(kills(1, &processes(), 5), kills(2, &processes(), 5));
        assert_eq!(reorgs(1, 40), reorgs(1, 40));
        assert_ne!(reorgs(1, 40), reorgs(2, 40));
    }

    #[test]
    fn each_kind_is_killed_as_often_as_asked_for() {
        let mut count = BTreeMap::<String, usize>::new();
        for one in kills(1, &processes(), 7) {
            *count.entry(kind(&one.process).to_owned()).or_default() += 1;
        }
        let expected = ["operator", "rpc-gateway", "tx-sender"].map(|kind| (kind.to_owned(), 7));
        assert_eq!(count, BTreeMap::from(expected));
    }

    #[test]
    fn all_depths_come_with_both_fates_after_both_events() {
        let all: BTreeSet<String> = reorgs(1, 40).iter().map(|reorg| format!("{reorg:?}")).collect();
        assert_eq!(all.len(), 40);
        let short: BTreeSet<String> =
            reorgs(1, 4).iter().map(|reorg| format!("{:?} {:?}", reorg.fate, reorg.after)).collect();
        assert_eq!(short.len(), 4);
    }
}
