//! One wrong answer, and contracts, a node and a sender of transactions that do what the test says; no I/O.

use alloy::primitives::B256;
use anzen_messages::chain::ChainEvent;
use anzen_messages::transaction::{Mined, TxId};
use anzen_messages::{TaskHash, TaskResponse};

use super::super::Config;
use super::super::cases::Cases;
use super::super::effect::{Effect, Prepared, Report, State, Step};
use super::court::{Court, call, recomputed};
use crate::errand::Sent;
use crate::follow::ChainState;
use crate::ports::{CallError, ChainError, Recomputed};
use crate::testing::{block, task, value};

/// A wrong answer of block 102, and contracts that do what the test says.
pub(super) struct Trial {
    pub(super) cases: Cases,
    pub(super) court: Court,
    pub(super) sent: Vec<(u64, TxId)>,
    /// What becomes of a transaction.
    outcome: fn(u64) -> Sent,
    /// What the state at the reference block tells, at each block.
    node: fn(u64) -> Result<Recomputed, ChainError>,
    /// Whether a proof is taken, at each block.
    pub(super) proves: fn(u64) -> bool,
    /// Blocks in which the task was recomputed.
    pub(super) recomputed: Vec<u64>,
    /// What was told.
    pub(super) reports: Vec<Report>,
}

pub(super) fn mined(block: u64) -> Sent {
    Sent::Done(Mined { hash: B256::ZERO, block, gas_used: 1, succeeded: true })
}

pub(super) fn hash() -> TaskHash {
    task(0, 101).hash()
}

pub(super) fn answered() -> ChainEvent {
    let response = TaskResponse { task_hash: hash(), safety_factor: value(9) };
    ChainEvent::TaskResponded { task_index: 0, response, transaction: B256::ZERO }
}

impl Trial {
    pub(super) fn new(court: Court, outcome: fn(u64) -> Sent) -> Self {
        Self::of(court, outcome, Config::default(), |_| Ok(recomputed()))
    }

    /// The task is recomputed as `node` says.
    pub(super) fn of(
        court: Court,
        outcome: fn(u64) -> Sent,
        config: Config,
        node: fn(u64) -> Result<Recomputed, ChainError>,
    ) -> Self {
        let court = Court { answer: Some((value(9), 102)), ..court };
        let cases = Cases::new(config, 30);
        let (sent, recomputed, reports) = Default::default();
        let mut trial = Self { cases, court, sent, outcome, node, proves: |_| true, recomputed, reports };
        trial.block(101, vec![ChainEvent::TaskCreated { task: task(0, 101) }]);
        trial.block(102, vec![answered()]);
        trial
    }

    pub(super) fn block(&mut self, number: u64, events: Vec<ChainEvent>) {
        let block = block(number, events);
        let effects = self.cases.apply(&block, block.header.at);
        self.carry_out(number, effects);
    }

    fn carry_out(&mut self, number: u64, effects: Vec<Effect>) {
        for effect in effects {
            let more = match effect {
                Effect::Recompute(task) => {
                    self.recomputed.push(number);
                    self.cases.captured(task.hash(), (self.node)(number))
                }
                Effect::Look { task, ticket, .. } => {
                    let seen = self.court.posted(&task).map(|posted| (posted, self.court.standing()));
                    self.cases.looked(task.hash(), ticket, Ok(seen))
                }
                Effect::Prepare { ticket, job } => {
                    let reverts = CallError::Reverts { reason: "no".into(), already_answered: false };
                    let works = job.plan.step != Step::Challenge || (self.proves)(number);
                    let prepared =
                        if works { Ok(Prepared { call: call(), cost: None }) } else { Err(reverts) };
                    self.cases.prepared(hash(), ticket, &job.plan, prepared)
                }
                Effect::Send { ticket, request, .. } => {
                    self.sent.push((number, request.id));
                    self.cases.sent(hash(), ticket, (self.outcome)(number))
                }
                Effect::Report(report) => {
                    self.reports.push(report);
                    Vec::new()
                }
                _ => Vec::new(),
            };
            self.carry_out(number, more);
        }
    }

    pub(super) fn blocks(&mut self, to: u64) {
        (self.cases.head + 1..=to).for_each(|number| self.block(number, vec![]));
    }

    pub(super) fn state(&self) -> Option<State> {
        self.cases.cases[&hash()].course.said.state
    }
}
