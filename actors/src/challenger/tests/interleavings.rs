//! Reorgs, failures, restarts and other challengers, in any order: a right answer is never disputed, and the signers of a wrong
//! one are slashed.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::B256;
use anzen_messages::chain::{BlockRef, ChainBlock, ChainDelta, ChainEvent, DeltaBase};
use anzen_messages::transaction::{Mined, SendTransaction, TxId, TxRefusal};
use anzen_messages::{SafetyFactor, Task, TaskHash, TaskResponse};
use proptest::prelude::*;

use super::super::Config;
use super::super::cases::Cases;
use super::super::effect::{Effect, Job, Prepared, Step};
use super::super::records::Record;
use super::court::{CHALLENGE, Court, EXECUTION, VETO, call, due, recomputed};
use crate::errand::{Sent, Ticket};
use crate::follow::ChainState;
use crate::ports::{CallError, ChainError};
use crate::testing::{block_of, operator_id, task, value};

const WINDOW: u64 = 100;
const FINALITY: u64 = 8;
const FIRST: u64 = 101;

fn config() -> Config {
    Config { batch_size: 2, longest_pause: 4, check_every: 5, finality_blocks: FINALITY, ..Config::default() }
}

/// What can happen.
#[derive(Debug, Clone, Copy)]
enum Act {
    Mine,
    Answer,
    Reorg(u8),
    Restart,
    RestartWatcher,
    Rival(bool),
    Reply { which: usize, well: bool },
    Stays(u8),
    Veto(u8),
}

#[derive(Debug)]
enum Question {
    Recompute(TaskHash),
    Inquire(TaskHash),
    Look(Ticket),
    Prepare(Ticket, Box<Job>),
    Send(Ticket, SendTransaction),
}

struct Block {
    block: ChainBlock,
    after: Court,
    txs: BTreeMap<TxId, bool>,
}

struct World {
    task: Task,
    /// What will be answered.
    answer: SafetyFactor,
    chain: Vec<Block>,
    fork: u8,
    cases: Cases,
    disk: BTreeMap<TaskHash, Record>,
    questions: Vec<Question>,
    /// Transactions that wait, and what they do.
    pool: BTreeMap<TxId, Step>,
    steps: BTreeMap<TxId, Step>,
    wants_answer: bool,
    /// Whose veto comes with the next block.
    vetoes: BTreeSet<u8>,
    stays: Option<u8>,
}

impl World {
    fn new(answer: SafetyFactor) -> Self {
        let task = task(0, u32::try_from(FIRST).unwrap());
        let mut world = Self {
            answer,
            chain: Vec::new(),
            fork: 0,
            cases: Cases::new(config(), WINDOW),
            disk: BTreeMap::new(),
            questions: Vec::new(),
            pool: BTreeMap::new(),
            steps: BTreeMap::new(),
            wants_answer: false,
            vetoes: BTreeSet::new(),
            stays: None,
            task,
        };
        world.mine();
        world
    }

    fn head(&self) -> &Block {
        self.chain.last().unwrap()
    }

    fn court(&self) -> &Court {
        &self.head().after
    }

    /// A block with all that waits, and the word of it.
    fn mine(&mut self) {
        let (number, mut court) = match self.chain.last() {
            Some(last) => (last.block.header.at.number + 1, last.after.clone()),
            None => (FIRST, Court::new()),
        };
        let mut events = Vec::new();
        if self.chain.is_empty() {
            events.push(ChainEvent::TaskCreated { task: self.task.clone() });
        } else if self.wants_answer && court.answer.is_none() {
            court.answer = Some((self.answer, number));
            let response = TaskResponse { task_hash: self.task.hash(), safety_factor: self.answer };
            events.push(ChainEvent::TaskResponded { task_index: 0, response, transaction: B256::ZERO });
        }
        court.stays = self.stays.map(|i| operator_id(i.into()));
        let until = court.withdrawn.map(|at| at + VETO - 1);
        for i in std::mem::take(&mut self.vetoes) {
            court.signers[usize::from(i)].vetoed |= until.is_some_and(|last| number <= last);
        }
        let pool = std::mem::take(&mut self.pool);
        let txs = pool.into_iter().map(|(id, step)| (id, court.take(&step, number))).collect();
        let block = block_of(self.fork, number, events);
        self.chain.push(Block { block: block.clone(), after: court, txs });
        self.tell(DeltaBase::Continues, vec![block]);
    }

    fn tell(&mut self, base: DeltaBase, blocks: Vec<ChainBlock>) {
        let head: BlockRef = self.head().block.header.at;
        let effects = self.cases.advance(&ChainDelta { base, blocks, head });
        self.take(effects);
    }

    /// Transactions of blocks that are undone wait again; an answer is posted again.
    fn reorg(&mut self, depth: u8) {
        let keep = self.chain.len().saturating_sub(usize::from(depth)).max(1);
        if keep == self.chain.len() {
            return;
        }
        for block in self.chain.split_off(keep) {
            let known =
                block.txs.into_keys().filter_map(|id| Some((id.clone(), self.steps.get(&id)?.clone())));
            self.pool.extend(known.collect::<Vec<_>>());
        }
        self.fork = self.fork.wrapping_add(1);
        let block = self.head().block.header.at;
        self.tell(DeltaBase::RetractTo { block }, Vec::new());
        self.mine();
    }

    /// The process dies, and another goes on with what is on disk.
    fn restart(&mut self) {
        self.questions.clear();
        self.cases = Cases::new(config(), WINDOW);
        self.disk.values().for_each(|record| self.cases.recover(record.clone()));
        self.tell_again();
    }

    fn tell_again(&mut self) {
        let blocks = self.chain.iter().map(|block| block.block.clone()).collect();
        self.tell(DeltaBase::Restart { response_window: WINDOW }, blocks);
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Recompute(task) => self.questions.push(Question::Recompute(task.hash())),
                Effect::Look { ticket, .. } => self.questions.push(Question::Look(ticket)),
                Effect::Prepare { ticket, job } => self.questions.push(Question::Prepare(ticket, job)),
                Effect::Send { ticket, request, .. } => {
                    assert_ne!(self.answer, due(), "a right answer is disputed: {}", request.id);
                    self.questions.push(Question::Send(ticket, request));
                }
                Effect::Save(record) => drop(self.disk.insert(record.task.hash(), *record)),
                Effect::Forget(task) => drop(self.disk.remove(&task)),
                Effect::Inquire(task) => self.questions.push(Question::Inquire(task.hash())),
                Effect::Report(_) => {}
            }
        }
        let hash = self.task.hash();
        let current = |question: &&Question| match question {
            Question::Send(ticket, _) => {
                self.cases.cases.get(&hash).is_some_and(|case| case.pursuit.is_current(*ticket))
            }
            _ => false,
        };
        assert!(self.questions.iter().filter(current).count() <= 1, "two transactions at a time");
    }

    fn reply(&mut self, which: usize, well: bool) {
        if self.questions.is_empty() {
            return;
        }
        let question = self.questions.swap_remove(which % self.questions.len());
        let (task, down) = (self.task.clone(), || ChainError::Endpoint("down".into()));
        let effects = match question {
            Question::Recompute(hash) => {
                self.cases.captured(hash, if well { Ok(recomputed()) } else { Err(down()) })
            }
            Question::Inquire(hash) => {
                let answered = self.court().answer.is_some();
                self.cases.inquired(hash, if well { Ok(answered) } else { Err(down()) })
            }
            Question::Look(ticket) => {
                let seen = self.court().posted(&task).map(|posted| (posted, self.court().standing()));
                self.cases.looked(task.hash(), ticket, if well { Ok(seen) } else { Err(down()) })
            }
            Question::Prepare(ticket, job) => {
                let plan = job.plan;
                self.steps.insert(plan.id.clone(), plan.step.clone());
                let reverts = CallError::Reverts { reason: "no".into(), already_answered: false };
                let result = if well { Ok(Prepared { call: call(), cost: None }) } else { Err(reverts) };
                self.cases.prepared(task.hash(), ticket, &plan, result)
            }
            Question::Send(ticket, request) => self.reply_to_send(ticket, request, well),
        };
        self.take(effects);
    }

    /// As TxSender does: one that is mined is remembered, one that waits goes on waiting.
    fn reply_to_send(&mut self, ticket: Ticket, request: SendTransaction, well: bool) -> Vec<Effect> {
        let id = request.id.clone();
        let mined = self.chain.iter().find_map(|block| {
            let succeeded = *block.txs.get(&id)?;
            Some(Mined { hash: B256::ZERO, block: block.block.header.at.number, gas_used: 1, succeeded })
        });
        let outcome: Sent = match mined {
            Some(mined) => Ok(Ok(mined)).into(),
            None if request.not_after.is_some_and(|last| self.cases.head >= last) => {
                self.pool.remove(&id);
                Sent::Refused(TxRefusal::Expired)
            }
            None if well => {
                self.pool.insert(id.clone(), self.steps[&id].clone());
                self.questions.push(Question::Send(ticket, request));
                return Vec::new();
            }
            None => Sent::Unknown("the link broke".into()),
        };
        self.cases.sent(self.task.hash(), ticket, outcome)
    }

    /// Another challenger's transaction.
    fn rival(&mut self, freezes: bool) {
        let id = TxId::fill(self.chain.len() as u64);
        let step =
            if freezes { Step::Freeze { first: 1, signers: vec![operator_id(1)] } } else { Step::Challenge };
        self.steps.insert(id.clone(), step.clone());
        self.pool.insert(id, step);
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Mine => self.mine(),
            Act::Answer => self.wants_answer = true,
            Act::Reorg(depth) => self.reorg(depth % 6),
            Act::Restart => self.restart(),
            Act::RestartWatcher => self.tell_again(),
            Act::Rival(freezes) => self.rival(freezes),
            Act::Reply { which, well } => self.reply(which, well),
            Act::Stays(i) => self.stays = Some(i % 3),
            Act::Veto(i) => drop(self.vetoes.insert(i % 3)),
        }
    }

    /// All goes well for so many blocks.
    fn calm(&mut self, blocks: u64) {
        for _ in 0..blocks {
            self.mine();
            // An answer brings at most a few questions more.
            for _ in 0..12 {
                let waiting = |question: &Question| match question {
                    Question::Send(_, request) => self.pool.contains_key(&request.id),
                    _ => false,
                };
                let Some(next) = self.questions.iter().position(|question| !waiting(question)) else { break };
                self.reply(next, true);
            }
        }
    }
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Mine),
        2 => Just(Act::Answer),
        2 => any::<u8>().prop_map(Act::Reorg),
        1 => Just(Act::Restart),
        1 => Just(Act::RestartWatcher),
        2 => any::<bool>().prop_map(Act::Rival),
        12 => (any::<usize>(), prop::bool::weighted(0.8)).prop_map(|(which, well)| Act::Reply { which, well }),
        1 => any::<u8>().prop_map(Act::Stays),
        1 => any::<u8>().prop_map(Act::Veto),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_a_wrong_answer_is_slashed_or_vetoed_and_a_right_one_is_left_alone(
        wrong in prop::bool::weighted(0.8),
        acts in prop::collection::vec(act(), 1..120),
    ) {
        let mut world = World::new(if wrong { value(9) } else { due() });
        acts.into_iter().for_each(|act| world.act(act));
        world.wants_answer = true;
        world.vetoes.clear();
        world.calm(VETO + EXECUTION / 2 + 20);
        prop_assert_eq!(world.court().withdrawn.is_some(), wrong, "{:?}", world.court());
        prop_assert!(!wrong || world.court().is_settled(), "{:?}", world.court());
        world.calm(CHALLENGE + 3 * FINALITY);
        prop_assert_eq!(world.cases.tally().tasks, 0);
        prop_assert!(world.disk.is_empty());
    }
}
