//! A fault that EigenLayer does not let anyone execute, and a transaction that is refused.

use alloy::primitives::B256;
use anzen_messages::chain::ChainEvent;
use anzen_messages::transaction::{Mined, TxId, TxRefusal};
use anzen_messages::{TaskHash, TaskResponse};

use super::super::Config;
use super::super::cases::Cases;
use super::super::effect::{Effect, Prepared, State};
use super::court::{Court, EXECUTION, VETO, call, fault_id, recomputed};
use crate::errand::Sent;
use crate::follow::ChainState;
use crate::testing::{block, task, value};

/// A wrong answer of block 102, and contracts that do what the test says.
struct Trial {
    cases: Cases,
    court: Court,
    sent: Vec<(u64, TxId)>,
    /// What becomes of a transaction.
    outcome: fn(u64) -> Sent,
}

fn mined(block: u64) -> Sent {
    Sent::Done(Mined { hash: B256::ZERO, block, gas_used: 1, succeeded: true })
}

fn hash() -> TaskHash {
    task(0, 101).hash()
}

impl Trial {
    fn new(court: Court, outcome: fn(u64) -> Sent) -> Self {
        let court = Court { answer: Some((value(9), 102)), ..court };
        let mut trial = Self { cases: Cases::new(Config::default(), 30), court, sent: Vec::new(), outcome };
        trial.block(101, vec![ChainEvent::TaskCreated { task: task(0, 101) }]);
        let response = TaskResponse { task_hash: hash(), safety_factor: value(9) };
        trial
            .block(102, vec![ChainEvent::TaskResponded { task_index: 0, response, transaction: B256::ZERO }]);
        trial
    }

    fn block(&mut self, number: u64, events: Vec<ChainEvent>) {
        let block = block(number, events);
        let effects = self.cases.apply(&block, block.header.at);
        self.carry_out(number, effects);
    }

    fn carry_out(&mut self, number: u64, effects: Vec<Effect>) {
        for effect in effects {
            let more = match effect {
                Effect::Recompute(task) => self.cases.captured(task.hash(), Ok(recomputed())),
                Effect::Look { task, ticket, .. } => {
                    let seen = self.court.posted(&task).map(|posted| (posted, self.court.standing()));
                    self.cases.looked(task.hash(), ticket, Ok(seen))
                }
                Effect::Prepare { ticket, job } => {
                    let prepared = Prepared { call: call(), cost: None };
                    self.cases.prepared(hash(), ticket, &job.plan, Ok(prepared))
                }
                Effect::Send { ticket, request, .. } => {
                    self.sent.push((number, request.id));
                    self.cases.sent(hash(), ticket, (self.outcome)(number))
                }
                _ => Vec::new(),
            };
            self.carry_out(number, more);
        }
    }

    fn blocks(&mut self, to: u64) {
        (self.cases.head + 1..=to).for_each(|number| self.block(number, vec![]));
    }

    fn state(&self) -> Option<State> {
        self.cases.cases[&hash()].course.state
    }
}

/// All signers are frozen since block 103.
fn frozen() -> Court {
    let mut court = Court { withdrawn: Some(103), ..Court::new() };
    court.signers.iter_mut().for_each(|one| (one.frozen, one.registered) = (true, false));
    court
}

#[test]
fn a_slashing_that_changes_nothing_is_tried_again_at_ever_longer_pauses_and_until_the_end() {
    let mut trial = Trial::new(frozen(), mined);
    let (veto_end, execution_end) = (103 + VETO - 1, 103 + VETO + EXECUTION - 1);
    trial.blocks(execution_end);
    let at: Vec<u64> = trial.sent.iter().map(|(block, _)| *block).collect();
    assert_eq!((at[0], trial.sent[0].1.clone()), (veto_end + 1, TxId::slash(fault_id(), 0, None)));
    assert!(at.len() <= 12, "each costs gas: {at:?}");
    assert!(at.last().is_some_and(|last| last + 4 > execution_end), "{at:?}");
    let ids: std::collections::BTreeSet<&TxId> = trial.sent.iter().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), at.len(), "the same id would not be sent again");
    assert_eq!(trial.state(), Some(State::Expired));
}

#[test]
fn a_transaction_that_is_refused_is_tried_again_under_another_id() {
    let refused = |_| Sent::Refused(TxRefusal::Expired);
    let mut trial = Trial::new(Court::new(), refused);
    trial.blocks(120);
    assert_eq!(trial.sent[0].1, TxId::challenge(hash(), None));
    let (again, id) = &trial.sent[1];
    assert_eq!(*id, TxId::challenge(hash(), Some(*again)));
}

#[test]
fn what_is_unknown_is_asked_for_again_under_the_same_id() {
    let unknown = |_| Sent::Unknown("the link broke".into());
    let mut trial = Trial::new(Court::new(), unknown);
    trial.blocks(120);
    assert!(trial.sent.len() > 2 && trial.sent.iter().all(|(_, id)| *id == TxId::challenge(hash(), None)));
}

/// EigenLayer is paused for good.
#[test]
fn an_operator_that_cannot_be_ejected_is_let_be_after_a_while() {
    let mut court = frozen();
    court.signers[1].registered = true;
    let mut trial = Trial::new(court, mined);
    trial.blocks(103 + VETO - 1);
    let ejections = trial.sent.iter().filter(|(_, id)| id.purpose() == "eject").count();
    assert!((2..=8).contains(&ejections), "{:?}", trial.sent);
    assert_eq!(trial.sent.len(), ejections, "nothing else is to be done yet");
    assert_eq!(trial.state(), Some(State::Veto));
}
