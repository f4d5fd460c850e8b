//! Whatever happens in whatever order: never two answers to one task, and no open task is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use anzen_messages::bls::{Signature, hash_to_g1};
use anzen_messages::chain::{ChainBlock, ChainDelta, ChainEvent, DeltaBase};
use anzen_messages::model::NoAnswer;
use anzen_messages::signature::SubmitReply;
use anzen_messages::{SafetyFactor, TaskHash, TaskResponse};
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::duties::Duties;
use super::super::duty::{Computed, Terms};
use super::super::effect::Effect;
use super::super::protection::Protection;
use super::duties::terms;
use crate::ports::Write;
use crate::testing::{a_task, block_of, delta, secret, value};

const WINDOW: u64 = 20;
const AGGREGATORS: usize = 2;
const TRUTH: i64 = 7;

#[derive(Debug, Clone)]
enum Op {
    /// A block: perhaps with a task of some protocol, perhaps with the answer to the youngest task.
    Grow { protocol: Option<u8>, answer: bool },
    /// Some blocks are replaced by one more of this fork.
    Reorg { depth: usize, fork: u8, protocol: Option<u8> },
    /// The chain watcher begins again.
    WatcherRestarts,
    /// The process dies; writes under way may have reached the disk or not.
    Crash { written: bool },
    /// Something that is under way comes to an end: well, or in one of the bad ways.
    Finish { which: prop::sample::Index, how: u8 },
}

fn op() -> impl Strategy<Value = Op> {
    let protocol = prop::option::of(1..=3u8);
    prop_oneof![
        2 => (protocol.clone(), any::<bool>()).prop_map(|(protocol, answer)| Op::Grow { protocol, answer }),
        1 => (1..=6usize, 1..=3u8, protocol)
            .prop_map(|(depth, fork, protocol)| Op::Reorg { depth, fork, protocol }),
        1 => Just(Op::WatcherRestarts),
        2 => any::<bool>().prop_map(|written| Op::Crash { written }),
        16 => (any::<prop::sample::Index>(), 0..16u8).prop_map(|(which, how)| Op::Finish { which, how }),
    ]
}

struct World {
    duties: Duties,
    disk: Disk,
    keep_records: u64,
    under_way: Vec<Effect>,
    chain: Vec<ChainBlock>,
    fork: u8,
    signed: BTreeMap<TaskHash, SafetyFactor>,
    accepted: BTreeSet<(TaskHash, usize)>,
    /// Stands for all: what is in a signature is not looked at here.
    a_signature: Signature,
    /// Tasks for which something else than the truth was computed at some time.
    tainted: BTreeSet<TaskHash>,
}

type Disk = BTreeMap<Vec<u8>, Vec<u8>>;

fn fresh(disk: &Disk, keep_records: u64) -> Duties {
    let protection = Protection::load(disk.clone().into_iter().collect()).unwrap();
    let terms = Terms { most_open: 100, keep_records, ..terms(AGGREGATORS) };
    Duties::new(terms, protection, WINDOW)
}

impl World {
    fn new(keep_records: u64) -> Self {
        let mut world = Self {
            duties: fresh(&Disk::new(), keep_records),
            disk: Disk::new(),
            keep_records,
            a_signature: secret(0).sign(&hash_to_g1(alloy::primitives::B256::ZERO)),
            under_way: Vec::new(),
            chain: vec![block_of(1, 100, Vec::new())],
            fork: 1,
            signed: BTreeMap::new(),
            accepted: BTreeSet::new(),
            tainted: BTreeSet::new(),
        };
        world.restart();
        world
    }

    fn head(&self) -> u64 {
        self.chain.last().unwrap().header.at.number
    }

    fn tell(&mut self, delta: &ChainDelta) {
        let effects = self.duties.follow(delta);
        self.begin(effects);
    }

    fn begin(&mut self, effects: Vec<Effect>) {
        self.under_way.extend(effects.into_iter().filter(|effect| !matches!(effect, Effect::Report(_))));
    }

    fn restart(&mut self) {
        let from = self.chain.len().saturating_sub(22);
        let blocks = self.chain[from..].to_vec();
        self.tell(&delta(DeltaBase::Restart { response_window: WINDOW }, blocks));
    }

    fn next_block(&self, protocol: Option<u8>, answer: bool) -> ChainBlock {
        let number = self.head() + 1;
        let created = u32::try_from(number).unwrap();
        let mut events = Vec::new();
        let answered = if answer { self.tasks().last().copied() } else { None };
        if let Some((task_hash, task_index)) = answered {
            let response = TaskResponse { task_hash, safety_factor: value(TRUTH) };
            let transaction = alloy::primitives::B256::ZERO;
            events.push(ChainEvent::TaskResponded { task_index, response, transaction });
        }
        let task = protocol.map(|protocol| a_task(self.fork, created, protocol, created));
        events.extend(task.map(|task| ChainEvent::TaskCreated { task }));
        block_of(self.fork, number, events)
    }

    fn tasks(&self) -> Vec<(TaskHash, u32)> {
        let task = |event: &ChainEvent| match event {
            ChainEvent::TaskCreated { task } => Some((task.hash(), task.created_block)),
            _ => None,
        };
        self.chain.iter().flat_map(|block| &block.events).filter_map(task).collect()
    }

    /// The tasks that can be answered now.
    fn open(&self) -> Vec<TaskHash> {
        let answered_at = |task: TaskHash| {
            self.chain.iter().find_map(|block| {
                let answers = |event: &ChainEvent| matches!(event, ChainEvent::TaskResponded { response, .. } if response.task_hash == task);
                block.events.iter().any(answers).then_some(block.header.at.number)
            })
        };
        let is_open = |(task, created): &(TaskHash, u32)| {
            let answer_is_final = answered_at(*task).is_some_and(|block| block + 4 <= self.head());
            self.head() <= u64::from(*created) + WINDOW && !answer_is_final
        };
        self.tasks().into_iter().filter(is_open).map(|(task, _)| task).collect()
    }

    fn perform(&mut self, op: &Op) {
        match op {
            Op::Grow { protocol, answer } => {
                let block = self.next_block(*protocol, *answer);
                self.chain.push(block.clone());
                self.tell(&delta(DeltaBase::Continues, vec![block]));
            }
            Op::Reorg { depth, fork, protocol } => self.reorg(*depth, *fork, *protocol),
            Op::WatcherRestarts => self.restart(),
            Op::Crash { written } => self.crash(*written),
            Op::Finish { which, how } => {
                if !self.under_way.is_empty() {
                    let effect = self.under_way.remove(which.index(self.under_way.len()));
                    self.finish(effect, *how);
                }
            }
        }
    }

    fn reorg(&mut self, depth: usize, fork: u8, protocol: Option<u8>) {
        let depth = depth.min(self.chain.len() - 1);
        self.chain.truncate(self.chain.len() - depth);
        self.fork = fork;
        let base = DeltaBase::RetractTo { block: self.chain.last().unwrap().header.at };
        let kept = self.chain.len();
        for _ in 0..=depth {
            let block = self.next_block(protocol, false);
            self.chain.push(block);
        }
        let blocks = self.chain[kept..].to_vec();
        self.tell(&delta(base, blocks));
    }

    fn crash(&mut self, written: bool) {
        for effect in std::mem::take(&mut self.under_way) {
            match effect {
                Effect::Record { write, .. } if written => self.write(vec![write]),
                Effect::Prune(writes) if written => self.write(writes),
                _ => {}
            }
        }
        self.duties = fresh(&self.disk, self.keep_records);
        self.restart();
    }

    fn write(&mut self, writes: Vec<Write>) {
        for write in writes {
            match write {
                Write::Put { key, value, .. } => _ = self.disk.insert(key, value),
                Write::Delete { key, .. } => _ = self.disk.remove(&key),
            }
        }
    }

    /// Carries an effect out: badly where `how` is small, well otherwise.
    fn finish(&mut self, effect: Effect, how: u8) {
        let next = match effect {
            Effect::Compute { ticket, .. } => {
                let computed = self.compute(ticket.task, how);
                self.duties.computed(ticket, &computed)
            }
            Effect::Record { ticket, write } => {
                if how != 0 {
                    self.write(vec![write]);
                }
                // One way to fail leaves the record on disk all the same.
                self.duties.recorded(ticket, how > 1)
            }
            Effect::Sign { ticket, permit } => {
                let value = permit.response().safety_factor;
                let first = *self.signed.entry(ticket.task).or_insert(value);
                assert_eq!(first, value, "two answers signed for {}", ticket.task);
                self.duties.signed(ticket, (how != 0).then_some(self.a_signature))
            }
            Effect::Submit { ticket, to, message } => {
                if how != 0 {
                    assert_eq!(self.signed.get(&ticket.task), Some(&message.response.safety_factor));
                    self.accepted.insert((ticket.task, to));
                }
                let reply = if how == 2 { SubmitReply::Unavailable } else { SubmitReply::Accepted };
                self.duties.replied(ticket, to, (how > 1).then_some(reply))
            }
            Effect::Pause { ticket, step, .. } => self.duties.resume(ticket, step),
            Effect::Prune(writes) => {
                if how != 0 {
                    self.write(writes);
                }
                self.duties.pruned();
                Vec::new()
            }
            Effect::Report(_) => Vec::new(),
        };
        self.begin(next);
    }

    fn compute(&mut self, task: TaskHash, how: u8) -> Computed {
        let answer = |units| Computed::Answer(value(units));
        self.tainted.extend((1..=5).contains(&how).then_some(task));
        match how {
            0 => Computed::Failed,
            1 => Computed::NoAnswer(NoAnswer::NoCost),
            2..=5 => answer(i64::from(how)),
            _ => answer(TRUTH),
        }
    }

    /// From now on everything goes well.
    fn heal(&mut self) {
        for _ in 0..10_000 {
            let Some(effect) = self.under_way.pop() else { return };
            self.finish(effect, 15);
        }
        panic!("never comes to rest");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn never_two_answers_and_none_forgotten(ops in vec(op(), 1..150)) {
        let mut world = World::new(30);
        for op in &ops {
            world.perform(op);
        }
        world.heal();
        for task in world.open().into_iter().filter(|task| !world.tainted.contains(task)) {
            for to in 0..AGGREGATORS {
                prop_assert!(world.accepted.contains(&(task, to)), "{task} is open and aggregator {to} lacks it");
            }
        }
    }

    #[test]
    fn never_two_answers_even_where_records_are_removed_too_early(ops in vec(op(), 1..150)) {
        let mut world = World::new(0);
        for op in &ops {
            world.perform(op);
        }
        world.heal();
    }
}
