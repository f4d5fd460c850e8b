//! What happens in a storm, and when.

use super::network::Faults;
use super::node::Who;
use super::plan::{DEEPEST_REORG, Parties, Storm};
use super::store::DiskFault;
use super::world::SimRng;

/// What an endpoint does to its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It is so many blocks behind.
    Behind(usize),
    /// It sees no new block, and after a reorg a fork that is nobody else's.
    Frozen,
    /// It lies: this lie about inputs; and about what is answered, who the operators are, nonces and receipts.
    Lies(u64),
    /// It takes its time, and does not answer.
    Stalled,
    /// It does not answer.
    Dead,
}

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A process is killed; its machine loses what was not synced.
    Kill(Who),
    /// It is started again.
    Start(Who),
    /// Nothing passes between these any more.
    Cut(Vec<(usize, usize)>),
    /// It passes again.
    Mend(Vec<(usize, usize)>),
    /// An endpoint goes bad.
    Endpoint(Who, Trouble),
    /// It is well again.
    EndpointWell(Who),
    /// A disk goes bad, or is well again.
    Disk(Who, DiskFault),
    /// Somebody makes a copy of what is on a disk.
    Copy(Who),
    /// A process is killed, and the copy of its disk is put back.
    Restore(Who),
    /// The chain replaces its newest blocks.
    Reorg {
        /// How many.
        depth: u64,
        /// How many of a hundred transactions in them are lost.
        dropped_percent: u64,
        /// The new fork is longer than the old from the start.
        longer: bool,
    },
    /// The chain makes no blocks.
    Stall,
    /// It makes them again.
    GoOn,
}

const BLOCK_MS: u64 = 12_000;

/// A storm that hits these.
pub(super) fn storm(rng: &SimRng, parties: &Parties<'_>) -> Storm {
    let blocks = rng.between(12, 30);
    let mut events = Vec::new();
    for _ in 0..rng.between(4, 12) {
        let from = rng.below(blocks * BLOCK_MS);
        let to = from + rng.between(500, 8 * BLOCK_MS);
        events.extend(strike(rng, parties, from, to));
    }
    events.extend(parties.misled.iter().flat_map(|number| lies(rng, Who::Operator(*number), blocks)));
    let misled = parties.misled_aggregators.iter();
    events.extend(misled.flat_map(|number| lies(rng, Who::Aggregator(*number), blocks)));
    // What has just been answered is often undone when nobody expects it any more.
    if rng.chance(50) {
        events.push((blocks * BLOCK_MS - 1, reorg(rng)));
    }
    events.sort_by_key(|(at, _)| *at);
    let bereft = parties.aggregators > 1 && rng.chance(40);
    let lost = Who::Aggregator(usize::try_from(rng.below(parties.aggregators as u64)).unwrap_or_default());
    Storm {
        stays_down: bereft.then_some(lost),
        blocks,
        faults: Faults {
            loss_percent: *rng.one_of(&[0, 0, 5, 20]),
            duplicate_percent: *rng.one_of(&[0, 10, 30]),
            longest_delay_ms: *rng.one_of(&[50, 500, 4_000]),
        },
        rpc_failure_percent: *rng.one_of(&[0, 0, 2, 10]),
        tx_drop_percent: *rng.one_of(&[0, 5, 20]),
        events,
    }
}

/// Something that begins, and in most cases ends.
fn strike(rng: &SimRng, parties: &Parties<'_>, from: u64, to: u64) -> Vec<(u64, Event)> {
    let who = anyone(rng, parties);
    match rng.below(100) {
        0..35 => vec![(from, Event::Kill(who)), (to, Event::Start(who))],
        35..50 => {
            let cuts = cuts(rng, parties);
            vec![(from, Event::Cut(cuts.clone())), (to, Event::Mend(cuts))]
        }
        50..65 => {
            let trouble = endpoint_trouble(rng);
            vec![(from, Event::Endpoint(who, trouble)), (to, Event::EndpointWell(who))]
        }
        65..75 => {
            let fault = *rng.one_of(&[DiskFault::Full, DiskFault::Slow]);
            vec![(from, Event::Disk(who, fault)), (to, Event::Disk(who, DiskFault::None))]
        }
        75..95 => vec![(from, reorg(rng))],
        _ => vec![(from, Event::Stall), (to, Event::GoOn)],
    }
}

/// Aggregators are struck as often as all operators together.
fn anyone(rng: &SimRng, parties: &Parties<'_>) -> Who {
    if rng.chance(50) {
        Who::Aggregator(usize::try_from(rng.below(parties.aggregators as u64)).unwrap_or_default())
    } else {
        Who::Operator(*rng.one_of(parties.honest))
    }
}

/// One way, or all ways of one end.
fn cuts(rng: &SimRng, parties: &Parties<'_>) -> Vec<(usize, usize)> {
    let operators = parties.honest.iter().copied();
    match anyone(rng, parties) {
        Who::Aggregator(aggregator) => operators.map(|operator| (operator, aggregator)).collect(),
        Who::Operator(operator) if rng.chance(50) => vec![(operator, 0)],
        Who::Operator(operator) => (0..parties.aggregators).map(|to| (operator, to)).collect(),
    }
}

fn endpoint_trouble(rng: &SimRng) -> Trouble {
    match rng.below(4) {
        0 => Trouble::Behind(usize::try_from(rng.between(1, 8)).unwrap_or(1)),
        1 => Trouble::Frozen,
        2 => Trouble::Stalled,
        _ => Trouble::Dead,
    }
}

fn lies(rng: &SimRng, who: Who, blocks: u64) -> Vec<(u64, Event)> {
    let mut events = Vec::new();
    for _ in 0..rng.between(1, 3) {
        let from = rng.below(blocks * BLOCK_MS);
        events.push((from, Event::Endpoint(who, Trouble::Lies(rng.between(1, super::model::LIES)))));
        // In the middle of it the process often starts anew, and is told something else; an operator not always with what it
        // knew. (An aggregator that goes on from a copy has lost what it acknowledged: that is not promised to be survived.)
        if rng.chance(50) {
            let at = from + rng.between(1_000, 4 * BLOCK_MS);
            let restored = matches!(who, Who::Operator(_)) && rng.chance(50);
            events.extend(restored.then(|| (rng.below(at), Event::Copy(who))));
            let ends = if restored { Event::Restore(who) } else { Event::Kill(who) };
            events.extend([(at, ends), (at + rng.between(500, 10_000), Event::Start(who))]);
        }
        events.push((from + rng.between(500, 4 * BLOCK_MS), Event::EndpointWell(who)));
    }
    events
}

/// Half of all reorgs are of one or two blocks.
fn reorg(rng: &SimRng) -> Event {
    let depth = if rng.chance(50) { rng.between(1, 2) } else { rng.between(3, DEEPEST_REORG) };
    Event::Reorg { depth, dropped_percent: *rng.one_of(&[0, 0, 20, 60]), longer: rng.chance(70) }
}
