//! Who the operators of a task are: read once its creation is seen, and again where an endpoint that lagged or lied may have
//! told of other ones than there were.

use std::sync::Arc;

use anzen_messages::chain::BlockRef;
use anzen_messages::{OperatorId, OperatorSet, TaskHash};

use super::collection::Collection;
use super::collector::{Collector, Entry, Handover, Stage};
use super::effect::Effect;
use super::seconds::Place;
use super::sets::SetCache;
use super::trial::Claim;

/// A set that shows no answer for so many blocks is perhaps wrong.
const BELIEVED: u64 = 5;

/// How far a task's set of operators is believed.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    /// The block from which the set is read again, and the pause before it, which doubles each time.
    due: Option<(u64, u64)>,
    claim: Membership,
    /// The set is being read again.
    pub(super) reading: bool,
}

/// Whether one whom the set lacks has signed. That has the set read again at once, and once only.
#[derive(Debug, Default, PartialEq, Eq)]
enum Membership {
    #[default]
    Unclaimed,
    Claimed,
    Settled,
}

impl Doubt {
    /// Something came of the set: it is believed for a while.
    pub(super) fn ease(&mut self, tip: u64) {
        let (due, pause) = self.due.unwrap_or((0, BELIEVED));
        self.due = Some((due.max(tip.saturating_add(BELIEVED)), pause));
    }

    fn claim(&mut self) {
        if self.claim == Membership::Unclaimed {
            self.claim = Membership::Claimed;
        }
    }

    /// True where the set is to be read now because nothing came of it.
    fn falls_due(&mut self, tip: u64) -> bool {
        let Some((_, pause)) = self.due.filter(|(at, _)| tip >= *at) else { return false };
        self.due = Some((tip.saturating_add(2 * pause), 2 * pause));
        true
    }
}

impl Collector {
    /// True while the operators of a task are to be read. Where they are not any more, that is given up.
    pub(super) fn needs_set(&mut self, task: TaskHash) -> bool {
        let contested = self.seconds.concern(task);
        let Some(entry) = self.tasks.get_mut(&task) else { return false };
        let needed = (entry.answered.is_none() || contested) && entry.on_chain;
        entry.doubt.reading &= needed;
        match &mut entry.stage {
            Stage::Loading { asked } => {
                *asked &= needed;
                needed
            }
            Stage::Collecting(_) => entry.doubt.reading,
        }
    }

    /// The operators at a task's reference block, where nothing has changed since they were last read.
    pub(super) fn cached_set(&self, task: TaskHash) -> Option<Arc<OperatorSet>> {
        let task = &self.tasks.get(&task)?.task;
        self.sets.get(task.reference_block.into(), &task.quorum_numbers)
    }

    /// Has the operators read of every task that waits for them.
    pub(super) fn load_sets(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (task, entry) in &mut self.tasks {
            let Stage::Loading { asked: asked @ false } = &mut entry.stage else { continue };
            // Who the operators were has to be known as well to judge one that gave two answers.
            if (entry.answered.is_some() && !self.seconds.concern(*task)) || !entry.on_chain {
                continue;
            }
            *asked = true;
            effects.push(load_set(*task, entry));
        }
        effects
    }

    /// The operators at a task's reference block are known.
    pub(super) fn set_loaded(&mut self, task: TaskHash, set: Arc<OperatorSet>) -> Vec<Effect> {
        let tip = self.tip;
        let Some(entry) = self.tasks.get_mut(&task) else { return Vec::new() };
        // A set of a block that a reorg has undone says nothing about other blocks.
        if entry.on_chain {
            self.sets.put(entry.task.reference_block.into(), Arc::clone(&set));
        }
        self.rounds += 1;
        let mut effects = Vec::new();
        let claims: Vec<(OperatorId, Claim)> = match &mut entry.stage {
            Stage::Loading { .. } => {
                let mut collection =
                    Collection::new(entry.task.clone(), self.domain.clone(), set, self.rounds);
                collection.paused = entry.answered.is_some();
                entry.stage = Stage::Collecting(Box::new(collection));
                entry.doubt.ease(tip);
                self.early
                    .take(task)
                    .into_iter()
                    .map(|(operator, record)| (operator, record.claim()))
                    .collect()
            }
            Stage::Collecting(collection) => {
                let same = !std::mem::take(&mut entry.doubt.reading) || **collection.set() == *set;
                if same {
                    return Vec::new();
                }
                let claims = collection.claims();
                **collection = collection.again(set, self.rounds);
                entry.handover = Handover::None;
                effects.push(Effect::OtherSet { task });
                claims
            }
        };
        for (operator, claim) in claims {
            effects.extend(self.add_again((task, operator), claim));
        }
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
        let step = collection.add_again(operator, claim, alone);
        self.claims_membership(place);
        self.step(task, step)
    }

    /// Where the task's set lacks the operator, the set is read again, unless two readings of it agree.
    pub(super) fn claims_membership(&mut self, (task, operator): Place) {
        if let Some(entry) = self.tasks.get_mut(&task)
            && matches!(&entry.stage, Stage::Collecting(collection) if collection.is_outside(operator))
        {
            entry.doubt.claim();
        }
    }

    /// Has the operators of tasks read again: of all whose set shows no answer, and of one that lacks somebody who signed.
    /// What is read for that one tells what to make of the others.
    pub(super) fn reread_sets(&mut self) -> Vec<Effect> {
        let tip = self.tip;
        let (mut read, mut known) = (Vec::new(), Vec::new());
        for (task, entry) in &mut self.tasks {
            if !entry.is_open(tip) || entry.doubt.reading {
                continue;
            }
            let claim = entry.heed_claim(&self.sets, read.is_empty());
            entry.doubt.reading = entry.doubt.falls_due(tip) || claim != Heed::Nothing;
            match claim {
                Heed::Adopt(set) => known.push((*task, set)),
                _ if entry.doubt.reading => read.push(load_set(*task, entry)),
                _ => {}
            }
        }
        if !read.is_empty() {
            self.sets.distrust();
        }
        let adopted = known.into_iter().flat_map(|(task, set)| self.set_loaded(task, set));
        adopted.chain(read).collect()
    }
}

/// What is to be done because somebody signed whom the set lacks.
#[derive(Debug, PartialEq, Eq)]
enum Heed {
    Nothing,
    /// A later reading told of this set.
    Adopt(Arc<OperatorSet>),
    Read,
}

impl Entry {
    fn heed_claim(&mut self, sets: &SetCache, may_read: bool) -> Heed {
        let Stage::Collecting(collection) = &self.stage else { return Heed::Nothing };
        if self.doubt.claim != Membership::Claimed {
            return Heed::Nothing;
        }
        let (at, own) = (self.task.reference_block.into(), collection.set());
        let latest = sets.get(at, &own.quorums);
        let heed = match latest.filter(|latest| **latest != **own) {
            Some(other) => Heed::Adopt(other),
            None if sets.agree_on(at, own) => Heed::Nothing,
            None if may_read => Heed::Read,
            None => return Heed::Nothing,
        };
        self.doubt.claim = Membership::Settled;
        heed
    }
}

fn load_set(task: TaskHash, entry: &Entry) -> Effect {
    let (number, hash) = (entry.task.reference_block.into(), entry.task.reference_block_hash);
    let at = BlockRef { number, hash };
    Effect::LoadSet { task, at, quorums: entry.task.quorum_numbers.to_vec() }
}
