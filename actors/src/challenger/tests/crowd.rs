//! Many answers at once: none has to wait for the disputes of others.

use std::collections::BTreeMap;

use alloy::primitives::B256;
use anzen_messages::chain::ChainEvent;
use anzen_messages::{TaskHash, TaskResponse};

use super::super::Config;
use super::super::cases::Cases;
use super::super::effect::{Effect, Step};
use super::court::{Court, VETO, recomputed};
use crate::follow::ChainState;
use crate::testing::{block, task, value};

/// Tasks of block 101, of which each has its own contracts.
struct Crowd {
    cases: Cases,
    courts: BTreeMap<TaskHash, Court>,
    /// Blocks in which an answer was looked at, with the index of its task.
    looks: Vec<(u64, u32)>,
    /// Steps that were to be prepared; none is answered.
    steps: Vec<(u64, u32, Step)>,
}

fn hash(index: u32) -> TaskHash {
    task(index, 101).hash()
}

impl Crowd {
    /// All recomputed, none answered.
    fn new(tasks: u32) -> Self {
        let cases = Cases::new(Config { at_a_time: 4, ..Config::default() }, 100);
        let mut crowd = Self { cases, courts: BTreeMap::new(), looks: Vec::new(), steps: Vec::new() };
        let created = |index| ChainEvent::TaskCreated { task: task(index, 101) };
        crowd.block(101, (0..tasks).map(created).collect());
        crowd
    }

    /// Wrong answers to these tasks, in this block.
    fn answered(&mut self, number: u64, indices: std::ops::Range<u32>, court: &Court) {
        let answer = |index| {
            let court = Court { answer: Some((value(9), number)), ..court.clone() };
            self.courts.insert(hash(index), court);
            let response = TaskResponse { task_hash: hash(index), safety_factor: value(9) };
            ChainEvent::TaskResponded { task_index: index, response, transaction: B256::ZERO }
        };
        let events = indices.map(answer).collect();
        self.block(number, events);
    }

    fn block(&mut self, number: u64, events: Vec<ChainEvent>) {
        let block = block(number, events);
        let effects = self.cases.apply(&block, block.header.at);
        self.carry_out(effects);
    }

    fn blocks(&mut self, to: u64) {
        (self.cases.head + 1..=to).for_each(|number| self.block(number, vec![]));
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let more = match effect {
                Effect::Recompute(task) => self.cases.captured(task.hash(), Ok(recomputed())),
                Effect::Look { task, ticket, .. } => {
                    self.looks.push((self.cases.head, task.index));
                    let court = &self.courts[&task.hash()];
                    let seen = court.posted(&task).map(|posted| (posted, court.standing()));
                    self.cases.looked(task.hash(), ticket, Ok(seen))
                }
                Effect::Prepare { job, .. } => {
                    self.steps.push((self.cases.head, job.task.index, job.plan.step));
                    Vec::new()
                }
                _ => Vec::new(),
            };
            self.carry_out(more);
        }
    }
}

/// All signers are frozen since block 103.
fn frozen() -> Court {
    let mut court = Court { withdrawn: Some(103), ..Court::new() };
    court.signers.iter_mut().for_each(|one| (one.frozen, one.registered) = (true, false));
    court
}

#[test]
fn each_task_is_recomputed_in_the_block_that_it_comes_in_however_many_there_are() {
    let crowd = Crowd::new(20);
    assert!(crowd.cases.cases.values().all(|case| case.found.is_some()));
}

#[test]
fn each_wrong_answer_is_challenged_in_the_block_that_it_comes_in_however_many_there_are() {
    let mut crowd = Crowd::new(20);
    crowd.answered(102, 0..20, &Court::new());
    let challenged = |(block, _, step): &&(u64, u32, Step)| *block == 102 && *step == Step::Challenge;
    assert_eq!(crowd.steps.iter().filter(challenged).count(), 20);
}

#[test]
fn open_disputes_do_not_shield_a_later_wrong_answer() {
    let mut crowd = Crowd::new(21);
    crowd.answered(102, 0..20, &frozen());
    // All of them are due again; the endpoint is slow, and has replied to one question since.
    let block = block(103 + VETO, vec![]);
    let first = crowd.cases.apply(&block, block.header.at);
    assert_eq!(first.iter().filter(|effect| matches!(effect, Effect::Look { .. })).count(), 4);
    let late = Court { answer: Some((value(9), 104 + VETO)), ..Court::new() };
    crowd.courts.insert(hash(20), late);
    let response = TaskResponse { task_hash: hash(20), safety_factor: value(9) };
    let told = ChainEvent::TaskResponded { task_index: 20, response, transaction: B256::ZERO };
    crowd.block(104 + VETO, vec![told]);
    crowd.looks.clear();
    crowd.carry_out(first);
    assert_eq!(crowd.looks[1], (104 + VETO, 20), "it is the next, not one of the sixteen that wait");
}

#[test]
fn a_dispute_that_waits_for_the_veto_is_looked_at_seldom_and_slashed_in_time() {
    let mut crowd = Crowd::new(1);
    crowd.answered(104, 0..1, &frozen());
    let veto_end = 103 + VETO - 1;
    crowd.blocks(veto_end + 1);
    assert!(crowd.looks.len() <= 7, "{:?}", crowd.looks);
    assert!(
        matches!(crowd.steps[..], [(at, 0, Step::Execute { .. })] if at == veto_end + 1),
        "{:?}",
        crowd.steps
    );
}
