//! Whatever operators, the chain, its nodes and the disk do, in any order.

use std::collections::BTreeSet;

use anzen_messages::aggregation::QuorumReached;
use anzen_messages::bls::{PublicKeyG2, Signature, hash_to_g1, verify};
use anzen_messages::chain::{ChainBlock, ChainDelta, ChainEvent, DeltaBase};
use anzen_messages::{SafetyFactor, TaskHash};

use super::super::Config;
use super::super::collector::Collector;
use super::super::early::Waiting;
use super::super::effect::{Effect, Fault, Verdict};
use super::super::seconds::Place;
use super::operators::{Act, FIRST, OPERATORS, TASKS, VALUES, a_task, number_of, set};
use crate::follow::ChainState;
use crate::fuzz::Taken;
use crate::testing::{block_at, block_of, domain, responded};

/// Pairings take long.
const MOST_CHECKS: usize = 24;
const EARLY: usize = 2;

/// A certificate holds, nobody is accused who is innocent, evidence proves what it says, and what is kept is bounded.
pub(crate) fn collector(data: &[u8]) {
    let mut taken = Taken(data);
    let mut run = Run::new();
    while !taken.is_empty() && run.checks < MOST_CHECKS {
        run.step(&mut taken);
        let (tasks, early) = run.state.sizes();
        assert!(tasks <= TASKS as usize && early <= OPERATORS * TASKS as usize);
    }
}

/// What is on its way to the disk.
enum Writing {
    First(Place, Waiting),
    Second(Place),
}

struct Run {
    state: Collector,
    asked: Vec<Effect>,
    writing: Vec<Writing>,
    forgers: BTreeSet<usize>,
    /// What was signed with the right key.
    signed: BTreeSet<(usize, TaskHash, SafetyFactor)>,
    checks: usize,
}

impl Run {
    fn new() -> Self {
        let config =
            Config { early_per_operator: EARLY, finality_blocks: 10, penalty_blocks: 5, ..Config::default() };
        Self {
            state: Collector::new(config, domain(), 30),
            asked: Vec::new(),
            writing: Vec::new(),
            forgers: BTreeSet::new(),
            signed: BTreeSet::new(),
            checks: 0,
        }
    }

    fn step(&mut self, taken: &mut Taken<'_>) {
        let effects = match taken.byte() % 8 {
            0..=2 => self.submit(taken),
            3 => self.disk(taken),
            4 => self.state.advance(&delta(taken)),
            _ => self.answer(taken),
        };
        for effect in effects {
            self.take_in(effect);
        }
    }

    fn submit(&mut self, taken: &mut Taken<'_>) -> Vec<Effect> {
        let how = taken.byte();
        let act = Act {
            task: u32::from(how) % TASKS,
            operator: taken.one_of(OPERATORS),
            value: i64::from(how >> 2) % VALUES,
            forged: how >= 192,
        };
        let (message, signature) = act.submission();
        if act.forged {
            self.forgers.insert(act.operator);
        } else {
            self.signed.insert((act.operator, message.response.task_hash, message.response.safety_factor));
        }
        let place = (message.response.task_hash, message.operator_id);
        match self.state.receive(&message, &signature) {
            Verdict::Keep => {
                let record = self.state.record(&message, signature);
                self.writing.push(Writing::First(place, record));
            }
            Verdict::KeepSecond => self.writing.push(Writing::Second(place)),
            Verdict::Reply(_) => {}
        }
        Vec::new()
    }

    /// The disk has written something, or failed to.
    fn disk(&mut self, taken: &mut Taken<'_>) -> Vec<Effect> {
        if self.writing.is_empty() {
            return Vec::new();
        }
        let written = self.writing.swap_remove(taken.one_of(self.writing.len()));
        let fails = taken.byte().is_multiple_of(8);
        match written {
            Writing::First((task, operator), _) if fails => self.state.not_kept(task, operator),
            Writing::First((task, operator), record) => self.state.kept(task, operator, record).1,
            Writing::Second(place) if fails => {
                self.state.second_not_kept(place);
                Vec::new()
            }
            Writing::Second(place) => self.state.second_kept(place).1,
        }
    }

    /// Something that was asked for is done.
    fn answer(&mut self, taken: &mut Taken<'_>) -> Vec<Effect> {
        if self.asked.is_empty() {
            return Vec::new();
        }
        let asked = self.asked.swap_remove(taken.one_of(self.asked.len()));
        match asked {
            Effect::LoadSet { task, .. } => match self.state.needs_set(task) {
                true => self.state.set_loaded(task, set(taken.one_of(8) / 7)),
                false => Vec::new(),
            },
            Effect::Check { task, value, job } => {
                self.checks += 2;
                self.state.checked(task, value, &job.run())
            }
            Effect::Try { place, trial } => {
                self.checks += 1;
                self.state.tried(place, trial.claim, trial.run())
            }
            Effect::Contest(contest) => {
                self.checks += 2;
                self.state.contested(&contest, contest.run())
            }
            Effect::Linger { task } => self.state.linger_over(task),
            Effect::HandOver { task } => self.hand_over(task, taken),
            _ => Vec::new(),
        }
    }

    fn hand_over(&mut self, task: TaskHash, taken: &mut Taken<'_>) -> Vec<Effect> {
        let Some(reached) = self.state.due_for_handover(task) else { return Vec::new() };
        if taken.byte().is_multiple_of(4) {
            return vec![Effect::HandOver { task }];
        }
        self.state.handed_over(&reached).into_iter().collect()
    }

    fn take_in(&mut self, effect: Effect) {
        match &effect {
            Effect::Reached { task } => {
                self.checks += 1;
                if let Some(reached) = self.state.certificate(*task) {
                    assert_certifies(reached);
                }
            }
            Effect::Blame { task, operator, fault, .. } => {
                self.assert_guilty(number_of(*operator), *task, *fault);
            }
            Effect::KeepEvidence { evidence, .. } => {
                self.checks += 3;
                assert_eq!(evidence.verify(), Ok(()));
            }
            _ => {}
        }
        self.asked.push(effect);
    }

    fn assert_guilty(&self, operator: usize, task: TaskHash, fault: Fault) {
        let answers = self.signed.iter().filter(|(who, what, _)| (*who, *what) == (operator, task));
        match fault {
            Fault::BadSignature => assert!(self.forgers.contains(&operator)),
            Fault::SecondAnswer => assert!(answers.count() > 1),
            // It signed that, or somebody in its name.
            Fault::OtherAnswer { its, .. } => {
                assert!(
                    self.forgers.contains(&operator)
                        || answers.into_iter().any(|(_, _, value)| *value == its)
                );
            }
        }
    }
}

fn assert_certifies(reached: &QuorumReached) {
    let message = hash_to_g1(reached.response.digest(&domain()));
    let signature = Signature::try_from(reached.certificate.signature).expect("the sum is a point");
    let key = PublicKeyG2::try_from(reached.certificate.signers_apk).expect("the sum of the keys is a point");
    assert!(verify(&message, &signature, &key), "the certificate does not hold");
    assert!(reached.stakes.iter().all(|stake| stake.reaches(reached.task.quorum_threshold_percentage)));
}

/// How the chain goes on, as a node has it that may say anything: blocks of two forks, from anywhere.
fn delta(taken: &mut Taken<'_>) -> ChainDelta {
    let base = match taken.byte() % 8 {
        0 => DeltaBase::RetractTo { block: block_at(0, number(taken)) },
        1 => DeltaBase::Restart { response_window: number(taken) },
        _ => DeltaBase::Continues,
    };
    let (fork, first) = (taken.byte() % 2, number(taken));
    let blocks: Vec<ChainBlock> =
        (0..1 + taken.byte() % 4).map(|i| block(fork, first.saturating_add(i.into()), taken)).collect();
    let head = match (taken.byte() % 4, blocks.last()) {
        (0, _) | (_, None) => block_at(fork, number(taken)),
        (_, Some(last)) => last.header.at,
    };
    ChainDelta { base, blocks, head }
}

/// Near the tasks, most of the time.
fn number(taken: &mut Taken<'_>) -> u64 {
    match taken.byte() {
        255 => taken.number(),
        near => u64::from(FIRST) + u64::from(near % 64),
    }
}

fn block(fork: u8, number: u64, taken: &mut Taken<'_>) -> ChainBlock {
    let mut events = Vec::new();
    let how = taken.byte();
    let task = a_task(u32::from(how >> 4) % (TASKS - 1));
    match how % 6 {
        0 => events.push(ChainEvent::TaskCreated { task }),
        1 => events.push(responded(task.index, task.hash())),
        2 => events.push(ChainEvent::OperatorsChanged),
        3 => events.push(ChainEvent::ResponseWindowChanged { blocks: u64::from(how) }),
        4 => (0..TASKS - 1).for_each(|task| events.push(ChainEvent::TaskCreated { task: a_task(task) })),
        _ => {}
    }
    block_of(fork, number, events)
}
