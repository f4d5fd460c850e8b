//! When each protocol gets its next task: no I/O and no clock.

use std::collections::BTreeMap;

use alloy::primitives::{B256, U256};
use anzen_messages::SafetyFactor;
use anzen_messages::chain::{BlockRef, ChainBlock, ChainEvent};
use anzen_messages::transaction::{SendTransaction, TxId};

use super::effect::{Attempt, Effect, Obstacle, Proposal, Report};
use super::policy::Policy;
use super::protocol::Protocol;
use crate::errand::{Next, Sent};
use crate::follow::ChainState;
use crate::ports::{ChainError, TaskRules, Windows};
use crate::response_windows::ResponseWindows;

/// What does not change while the process runs.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The protocols, each with its policy.
    pub protocols: BTreeMap<u32, Policy>,
    /// For how many blocks a transaction is tried.
    pub patience: u64,
    /// The longest pause after failures, in blocks.
    pub longest_pause: u64,
    /// The most attempts that begin in one block.
    pub most_per_block: usize,
    /// After how many blocks something on chain is final.
    pub finality_blocks: u64,
}

/// All protocols.
#[derive(Debug)]
pub struct Schedule {
    terms: Terms,
    protocols: BTreeMap<u32, Protocol>,
    windows: ResponseWindows,
    tip: BlockRef,
    /// True while values are being compared.
    comparing: bool,
}

impl Schedule {
    /// Nothing is known of the chain yet. `window` is the response window, in blocks, until the chain watcher tells it.
    pub fn new(terms: Terms, window: u64) -> Self {
        let protocol = |policy: &Policy| Protocol::new(*policy, terms.longest_pause);
        let protocols = terms.protocols.iter().map(|(index, plan)| (*index, protocol(plan))).collect();
        let windows = ResponseWindows::new(window);
        Self { terms, protocols, windows, tip: BlockRef { number: 0, hash: B256::ZERO }, comparing: false }
    }

    /// The contract has answered [`Effect::Look`].
    pub fn looked(
        &mut self,
        attempt: Attempt,
        answer: Result<(TaskRules, Windows), ChainError>,
    ) -> Vec<Effect> {
        let (tip, window) = (self.tip, self.window());
        let Some(protocol) = self.current(attempt) else {
            return Vec::new();
        };
        let (rules, windows) = match answer {
            Ok(answer) => answer,
            Err(error) => return self.hindered(attempt, error.into()),
        };
        protocol.min_interval = rules.min_interval;
        protocol.model = Some(rules.model_hash);
        protocol.history.learn(&rules, windows.response);
        if rules.quorums.is_empty() {
            return self.hindered(attempt, Obstacle::NoPolicy);
        }
        match protocol.due(tip.number, window).filter(|_| !rules.open) {
            Some(due) => {
                protocol.due = due;
                vec![Effect::Propose { attempt, rules, at: tip }]
            }
            None => {
                protocol.errand.rest(tip.number.saturating_add(1));
                Vec::new()
            }
        }
    }

    /// The proposal is computed and the call made.
    pub fn proposed(&mut self, attempt: Attempt, proposal: Result<Proposal, Obstacle>) -> Vec<Effect> {
        let (head, not_after) = (self.tip.number, self.tip.number.saturating_add(self.terms.patience));
        let Some(protocol) = self.current(attempt) else {
            return Vec::new();
        };
        match proposal {
            Err(obstacle) => self.hindered(attempt, obstacle),
            Ok(Proposal { value, .. }) if protocol.has_come_back(value) => {
                protocol.deviated = None;
                protocol.errand.rest(head.saturating_add(1));
                Vec::new()
            }
            Ok(Proposal { to, data, .. }) => {
                let block = protocol.errand.id_block(protocol.due.since, head);
                let id = TxId::create(attempt.oracle_index, block);
                let request = SendTransaction { id, to, data, value: U256::ZERO, not_after: Some(not_after) };
                protocol.errand.sending(request.clone(), not_after);
                let asked = Report::Asked { oracle_index: attempt.oracle_index, reason: protocol.due.reason };
                vec![Effect::Report(asked), Effect::Send(attempt, request)]
            }
        }
    }

    /// A request has come to an end.
    pub fn sent(&mut self, attempt: Attempt, outcome: Sent) -> Vec<Effect> {
        let head = self.tip.number;
        let Some(protocol) = self.current(attempt) else {
            return Vec::new();
        };
        let again = protocol.errand.sent(head, &outcome);
        let obstacle = match outcome {
            Sent::Done(_) => return Vec::new(),
            Sent::Reverted(mined) => Obstacle::Reverted(mined.hash),
            Sent::Refused(refusal) => Obstacle::Refused(refusal),
            Sent::Unknown(error) => Obstacle::Unknown(error),
        };
        vec![Effect::Report(Report::Hindered { oracle_index: attempt.oracle_index, obstacle, again })]
    }

    /// The values of the protocols of [`Effect::Compare`], as of block `at`.
    pub fn compared(
        &mut self,
        at: BlockRef,
        values: Vec<(u32, Result<SafetyFactor, Obstacle>)>,
    ) -> Vec<Effect> {
        self.comparing = false;
        let mut effects = Vec::new();
        for (oracle_index, value) in values {
            let Some(protocol) = self.protocols.get_mut(&oracle_index) else { continue };
            match value {
                Ok(value) => {
                    let oracle = protocol.history.value().map(|value| value.safety_factor);
                    let deviates = protocol.policy.deviates(value, oracle);
                    protocol.deviated = deviates.then_some(at.number);
                }
                Err(obstacle) => {
                    effects.push(Effect::Report(Report::NotCompared { oracle_index, obstacle }));
                }
            }
        }
        // Otherwise the chain has gone on, and a task is begun with its next block.
        if self.tip == at {
            effects.extend(self.begin());
        }
        effects
    }

    /// What is to be compared with the oracle's values: of all protocols for which it is time at once.
    fn compare(&mut self) -> Option<Effect> {
        let head = self.tip.number;
        let mut models = Vec::new();
        for (oracle_index, protocol) in self.protocols.iter_mut().filter(|_| !self.comparing) {
            if let Some(model) = protocol.to_look_at(head) {
                protocol.look_at = head.saturating_add(protocol.policy.look_every.max(1));
                models.push((*oracle_index, model));
            }
        }
        self.comparing |= !models.is_empty();
        (!models.is_empty()).then_some(Effect::Compare { at: self.tip, models })
    }

    /// For how many blocks a task can be answered that is created now.
    fn window(&self) -> u64 {
        self.windows.latest()
    }

    fn hindered(&mut self, attempt: Attempt, obstacle: Obstacle) -> Vec<Effect> {
        let head = self.tip.number;
        let again = self.current(attempt).map_or(head, |protocol| protocol.errand.failed(head));
        vec![Effect::Report(Report::Hindered { oracle_index: attempt.oracle_index, obstacle, again })]
    }

    fn current(&mut self, attempt: Attempt) -> Option<&mut Protocol> {
        let protocol = self.protocols.get_mut(&attempt.oracle_index)?;
        protocol.errand.is_current(attempt.ticket).then_some(protocol)
    }

    /// Begins what is due, the longest overdue first and only some in one block: so protocols that start together spread
    /// over the blocks, and stay spread.
    fn begin(&mut self) -> Vec<Effect> {
        let (head, window) = (self.tip.number, self.window());
        let since = |protocol: &Protocol| protocol.due(head, window).map(|due| due.since);
        let due = |(index, protocol): (&u32, &Protocol)| (since(protocol), *index);
        let mut order: Vec<(Option<u64>, u32)> = self.protocols.iter().map(due).collect();
        order.sort_unstable();
        let mut effects = Vec::new();
        for (since, oracle_index) in order {
            if effects.len() >= self.terms.most_per_block {
                break;
            }
            let Some(protocol) = self.protocols.get_mut(&oracle_index) else { continue };
            effects.extend(match protocol.errand.next(head, since.is_some()) {
                Some(Next::Prepare(ticket)) => Some(Effect::Look(Attempt { oracle_index, ticket })),
                Some(Next::Send(ticket, again)) => {
                    Some(Effect::Send(Attempt { oracle_index, ticket }, again))
                }
                None => None,
            });
        }
        effects
    }

    fn observe(&mut self, at: u64, event: &ChainEvent) -> Option<Effect> {
        match event {
            ChainEvent::TaskCreated { task } => {
                let window = self.windows.of(u64::from(task.created_block));
                let protocol = self.protocols.get_mut(&task.oracle_index)?;
                protocol.history.created(task, window);
                protocol.model = Some(task.model_hash);
                protocol.deviated = None;
                protocol.errand.settled();
                let (oracle_index, index) = (task.oracle_index, task.index);
                Some(Effect::Report(Report::Created { oracle_index, task: task.hash(), index, block: at }))
            }
            ChainEvent::TaskResponded { response, .. } => {
                for protocol in self.protocols.values_mut() {
                    protocol.history.answered(response.task_hash, at, response.safety_factor);
                }
                None
            }
            ChainEvent::OperatorsChanged
            | ChainEvent::QuorumRefreshed { .. }
            | ChainEvent::ResponseWindowChanged { .. } => None,
        }
    }
}

impl ChainState for Schedule {
    type Effect = Effect;

    fn restart(&mut self, response_window: u64) -> Vec<Effect> {
        self.windows = ResponseWindows::new(response_window);
        for protocol in self.protocols.values_mut() {
            protocol.history.restart();
            protocol.deviated = None;
            protocol.errand.drop_attempt();
        }
        Vec::new()
    }

    fn retract(&mut self, block: BlockRef) -> Vec<Effect> {
        self.windows.retract(block);
        for protocol in self.protocols.values_mut() {
            protocol.history.retract(block.number);
            protocol.deviated = None;
        }
        Vec::new()
    }

    fn apply(&mut self, block: &ChainBlock, head: BlockRef) -> Vec<Effect> {
        let at = block.header.at;
        self.tip = at;
        let mut effects: Vec<Effect> =
            block.events.iter().filter_map(|event| self.observe(at.number, event)).collect();
        self.windows.apply(block);
        for (oracle_index, protocol) in &mut self.protocols {
            let missed = protocol.history.settle(at.number, self.terms.finality_blocks);
            let report = |task| Effect::Report(Report::Unanswered { oracle_index: *oracle_index, task });
            effects.extend(missed.into_iter().map(report));
        }
        // While catching up, what looks due may have been created already.
        if at == head {
            effects.extend(self.begin());
            effects.extend(self.compare());
        }
        effects
    }
}
