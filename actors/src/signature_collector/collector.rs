//! All tasks: what is known, early, answered, over. No I/O, no clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use anzen_messages::aggregation::QuorumReached;
use anzen_messages::chain::BlockRef;
use anzen_messages::task::SigningDomain;
use anzen_messages::{OperatorId, OperatorSet, SafetyFactor, Task, TaskHash};

use super::Config;
use super::check::Checked;
use super::collection::{Added, Collection, Step};
use super::convictions::Convictions;
use super::early::{Early, Waiting};
use super::effect::{Effect, Fault};
use super::seconds::{Place, Seconds};
use super::sets::SetCache;
use super::standing::Standing;
use super::trial::Claim;
use crate::response_windows::ResponseWindows;

/// A certificate that shows no answer for so many blocks was perhaps made from a wrong set of operators.
const BELIEVED: u64 = 5;

#[derive(Debug)]
pub(super) enum Stage {
    /// The operator set is not known; `asked` while it is being read.
    Loading {
        asked: bool,
    },
    Collecting(Box<Collection>),
}

/// A task's certificate on its way to the aggregator.
#[derive(Debug)]
pub(super) enum Handover {
    /// There is none.
    None,
    /// It is to be handed over; `under_way` while that is tried.
    Due { reached: Box<QuorumReached>, under_way: bool },
    /// The aggregator has it on disk, and sees to it from there.
    Done,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) task: Task,
    pub(super) stage: Stage,
    /// The last block in which it can be answered.
    pub(super) deadline: u64,
    /// The block with the answer.
    pub(super) answered: Option<BlockRef>,
    /// The creation is part of the chain as it is now.
    pub(super) on_chain: bool,
    pub(super) handover: Handover,
    /// The block from which the set of operators is read again; after it the pause doubles.
    pub(super) doubted: Option<(u64, u64)>,
    /// The set of operators is being read again.
    pub(super) rereading: bool,
    /// The answer was told: a reorg that brings it again tells nothing new.
    pub(super) told: bool,
    /// That there was none in time was told.
    pub(super) missed: bool,
}

/// The collector's state.
#[derive(Debug)]
pub(super) struct Collector {
    pub(super) config: Config,
    pub(super) domain: SigningDomain,
    pub(super) windows: ResponseWindows,
    /// The newest block that the watcher told of; 0 before the first. While catching up, blocks below it are applied.
    pub(super) tip: u64,
    pub(super) tasks: BTreeMap<TaskHash, Entry>,
    /// Tasks of protocols that others serve, and when they are forgotten.
    pub(super) unserved: BTreeMap<TaskHash, u64>,
    pub(super) early: Early,
    /// Signatures that are being written to disk: the first of an operator for a task, so that of two that come at once
    /// one is the second.
    pub(super) writing: BTreeMap<Place, Claim>,
    pub(super) seconds: Seconds,
    pub(super) convictions: Convictions,
    pub(super) standing: Standing,
    pub(super) sets: SetCache,
    /// Counts collections.
    rounds: u64,
}

impl Collector {
    pub(super) fn new(config: Config, domain: SigningDomain, window: u64) -> Self {
        Self {
            convictions: Convictions::new(config.most_evidence_per_operator),
            standing: Standing::new(config.penalty_blocks),
            config,
            domain,
            windows: ResponseWindows::new(window),
            tip: 0,
            tasks: BTreeMap::new(),
            unserved: BTreeMap::new(),
            early: Early::default(),
            writing: BTreeMap::new(),
            seconds: Seconds::default(),
            sets: SetCache::default(),
            rounds: 0,
        }
    }

    /// Takes in a record of an earlier life of this process.
    pub(super) fn recover(&mut self, task: TaskHash, operator: OperatorId, record: Waiting) {
        self.early.insert(task, operator, record);
    }

    /// True while the operators of a task are to be read. Where they are not any more, that is given up.
    pub(super) fn needs_set(&mut self, task: TaskHash) -> bool {
        let contested = self.seconds.concern(task);
        let Some(entry) = self.tasks.get_mut(&task) else { return false };
        let needed = (entry.answered.is_none() || contested) && entry.on_chain;
        entry.rereading &= needed;
        match &mut entry.stage {
            Stage::Loading { asked } => {
                *asked &= needed;
                needed
            }
            Stage::Collecting(_) => entry.rereading,
        }
    }

    /// The operators at a task's reference block, where nothing has changed since they were last read.
    pub(super) fn cached_set(&self, task: TaskHash) -> Option<Arc<OperatorSet>> {
        let task = &self.tasks.get(&task)?.task;
        self.sets.get(task.reference_block.into(), &task.quorum_numbers)
    }

    /// The operators at a task's reference block are known.
    pub(super) fn set_loaded(&mut self, task: TaskHash, set: Arc<OperatorSet>) -> Vec<Effect> {
        let Some(entry) = self.tasks.get_mut(&task) else { return Vec::new() };
        // A set of a block that a reorg has undone says nothing about other blocks.
        if entry.on_chain {
            self.sets.put(entry.task.reference_block.into(), Arc::clone(&set));
        }
        self.rounds += 1;
        let claims: Vec<(OperatorId, Claim)> = match &mut entry.stage {
            Stage::Loading { .. } => {
                let mut collection =
                    Collection::new(entry.task.clone(), self.domain.clone(), set, self.rounds);
                collection.paused = entry.answered.is_some();
                entry.stage = Stage::Collecting(Box::new(collection));
                self.early
                    .take(task)
                    .into_iter()
                    .map(|(operator, record)| (operator, record.claim()))
                    .collect()
            }
            Stage::Collecting(collection) => {
                let same = !std::mem::take(&mut entry.rereading) || **collection.set() == *set;
                if same {
                    return Vec::new();
                }
                let claims = collection.claims();
                **collection = collection.again(set, self.rounds);
                entry.handover = Handover::None;
                claims
            }
        };
        let mut effects: Vec<Effect> = claims
            .into_iter()
            .flat_map(|(operator, claim)| self.add_again((task, operator), claim))
            .collect();
        effects.extend(self.contests(task));
        effects
    }

    /// Adds a signature that is on disk.
    fn add_again(&mut self, place: Place, claim: Claim) -> Vec<Effect> {
        let (task, operator) = place;
        let alone = self.standing.is_penalised(operator, self.tip);
        let Some(Entry { stage: Stage::Collecting(collection), .. }) = self.tasks.get_mut(&task) else {
            return Vec::new();
        };
        let (added, step) = collection.add(operator, claim, alone);
        let mut effects = self.step(task, step);
        if added == Added::NotInSet {
            effects.push(Effect::Forget(vec![place]));
        }
        effects
    }

    /// A check is done.
    pub(super) fn checked(&mut self, task: TaskHash, value: SafetyFactor, result: &Checked) -> Vec<Effect> {
        let Some(Entry { stage: Stage::Collecting(collection), .. }) = self.tasks.get_mut(&task) else {
            return Vec::new();
        };
        let (bad, step) = collection.checked(value, result);
        let mut effects: Vec<Effect> =
            bad.into_iter().flat_map(|operator| self.fault((task, operator), Fault::BadSignature)).collect();
        effects.extend(self.step(task, step));
        effects.extend(self.contests(task));
        effects
    }

    /// A signature has been verified alone.
    pub(super) fn tried(&mut self, place: Place, claim: Claim, good: bool) -> Vec<Effect> {
        let (task, operator) = place;
        let Some(Entry { stage: Stage::Collecting(collection), .. }) = self.tasks.get_mut(&task) else {
            return Vec::new();
        };
        let Some(step) = collection.tried(operator, claim, good) else { return Vec::new() };
        let mut effects = if good { Vec::new() } else { self.fault(place, Fault::BadSignature) };
        effects.extend(self.step(task, step));
        effects.extend(self.contest(place));
        effects
    }

    /// The time for slower operators has passed.
    pub(super) fn linger_over(&mut self, task: TaskHash) -> Vec<Effect> {
        let step = match self.tasks.get_mut(&task) {
            Some(Entry { stage: Stage::Collecting(collection), .. }) => collection.linger_over(),
            _ => None,
        };
        self.step(task, step)
    }

    /// Tasks that are known and not over, and early signatures.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.tasks.len(), self.early.len())
    }

    pub(super) fn step(&mut self, task: TaskHash, step: Option<Step>) -> Vec<Effect> {
        match step {
            None => Vec::new(),
            Some(Step::Check(value, job)) => vec![Effect::Check { task, value, job }],
            Some(Step::Try(operator, trial)) => {
                vec![Effect::Try { place: (task, operator), trial }]
            }
            Some(Step::Linger) => vec![Effect::Linger { task }],
            Some(Step::Reached(reached)) => self.reached(task, reached),
        }
    }

    fn reached(&mut self, task: TaskHash, reached: Box<QuorumReached>) -> Vec<Effect> {
        let mut effects = self.blame_others(task, reached.response.safety_factor);
        if let Some(entry) = self.tasks.get_mut(&task) {
            entry.handover = Handover::Due { reached, under_way: false };
            entry.doubted.get_or_insert((self.tip.saturating_add(BELIEVED), BELIEVED));
        }
        effects.push(Effect::Reached { task });
        effects.extend(self.hand_over(task));
        effects
    }

    /// An operator was at fault: it is named, and penalised where it can be proved to be at fault.
    pub(super) fn fault(&mut self, place: Place, fault: Fault) -> Vec<Effect> {
        let (task, operator) = place;
        let index = self.tasks.get(&task).map(|entry| entry.task.index);
        let mut effects: Vec<Effect> =
            index.map(|index| Effect::Blame { task, index, operator, fault }).into_iter().collect();
        if !matches!(fault, Fault::OtherAnswer { .. }) {
            let struck = self.standing.strike(operator, self.tip);
            effects.extend(struck.map(|struck| Effect::Penalise { operator, struck }));
        }
        effects
    }

    fn blame_others(&mut self, task: TaskHash, quorum: SafetyFactor) -> Vec<Effect> {
        let Some(Entry { stage: Stage::Collecting(collection), .. }) = self.tasks.get(&task) else {
            return Vec::new();
        };
        let others = collection.signers().filter(|(_, value)| **value != quorum);
        let others: Vec<_> = others.map(|(operator, its)| (*operator, *its)).collect();
        others
            .into_iter()
            .flat_map(|(operator, its)| self.fault((task, operator), Fault::OtherAnswer { its, quorum }))
            .collect()
    }
}
