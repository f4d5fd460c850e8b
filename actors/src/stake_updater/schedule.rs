//! When each quorum is looked at, and what is refreshed: no I/O and no clock.

use std::collections::BTreeMap;

use alloy::primitives::Address;
use anzen_messages::chain::{BlockRef, ChainBlock, ChainEvent};
use anzen_messages::transaction::TxId;

use super::Config;
use super::drift::{drift_bps, drifted};
use super::effect::{Attempt, Effect, Obstacle, Refresh, Report};
use crate::errand::{Errand, Next, Sent};
use crate::follow::ChainState;
use crate::ports::{ChainError, StakeStatus};

/// How fresh a quorum's stakes are.
#[derive(Debug, Clone, Copy)]
struct Freshness {
    refreshed_at: u64,
    max_age: u64,
}

#[derive(Debug)]
struct Quorum {
    /// Nothing where the stakes have to be read to know.
    freshness: Option<Freshness>,
    /// When the stakes were read last.
    read_at: u64,
    /// True where they may differ since.
    changed: bool,
    /// True where it has no operators, so that there is nothing to refresh.
    empty: bool,
    /// Whom the last batch was for.
    last_batch: Vec<Address>,
    /// True where attempts are about the full refresh that is due.
    in_need: bool,
    errand: Errand<Refresh>,
}

impl Quorum {
    /// The block in which the next full refresh is due, as far as is known.
    fn refresh_due(&self, margin_percent: u64) -> Option<u64> {
        let Freshness { refreshed_at, max_age } = self.freshness?;
        // At least one block later, so that no setting of governance has every block carry a refresh of the last one.
        let margin = (max_age.saturating_mul(margin_percent) / 100).max(1);
        Some(refreshed_at.saturating_add(margin))
    }

    /// After a failure: pauses grow with failures, but as the stakes come close to being too old they shrink with the blocks
    /// that are left, so that a few failures in a row do not stop the creation of tasks. Returns when there is another try.
    fn again(&mut self, head: u64, again: u64) -> u64 {
        let stale_at = self.freshness.map_or(0, |known| known.refreshed_at.saturating_add(known.max_age));
        match stale_at.saturating_sub(head) {
            left if left > 0 && self.in_need => self.errand.no_later_than(head + (left / 4).max(1)),
            _ => again,
        }
    }

    /// What is to be refreshed now that the stakes were read.
    fn refresh(&mut self, number: u8, status: &StakeStatus, head: u64, config: &Config) -> Option<Refresh> {
        self.freshness = Some(Freshness { refreshed_at: status.refreshed_at, max_age: status.max_age });
        self.empty = status.operators.is_empty();
        self.read_at = head;
        let Some((id, whole, operators)) = self.plan(number, status, head, config) else {
            self.last_batch.clear();
            self.errand.settled();
            return None;
        };
        self.note_progress(whole, &operators);
        let not_after = head.saturating_add(config.patience);
        let refresh = Refresh { id, whole, operators, not_after };
        self.errand.sending(refresh.clone(), not_after);
        Some(refresh)
    }

    /// Whose stakes, under which id: the whole quorum where that is due, else a batch of those that drifted most.
    fn plan(
        &self,
        number: u8,
        status: &StakeStatus,
        head: u64,
        config: &Config,
    ) -> Option<(TxId, bool, Vec<Address>)> {
        if self.needs_refresh(head, config) {
            let due = self.refresh_due(config.refresh_margin_percent).unwrap_or(head);
            let everyone = status.operators.iter().map(|stake| stake.operator).collect();
            return Some((TxId::refresh("full", number, self.errand.id_block(due, head)), true, everyone));
        }
        let mut batch = drifted(&status.operators, config.drift_threshold_bps);
        batch.truncate(config.batch_size);
        batch.sort_unstable();
        (!batch.is_empty()).then(|| (TxId::refresh("batch", number, head), false, batch))
    }

    /// A batch of others than the last one follows without a longer pause. One that comes again does not help, and must not
    /// burn gas in every block.
    fn note_progress(&mut self, whole: bool, operators: &[Address]) {
        if !whole && operators.iter().all(|operator| !self.last_batch.contains(operator)) {
            self.errand.progress();
        }
        self.last_batch = if whole { Vec::new() } else { operators.to_vec() };
    }

    /// True where a full refresh is due, or where it is not known whether one is.
    fn needs_refresh(&self, head: u64, config: &Config) -> bool {
        self.refresh_due(config.refresh_margin_percent).is_none_or(|due| head >= due && !self.empty)
    }

    /// Whether its stakes should be read at block `head`.
    fn is_due(&self, head: u64, config: &Config) -> bool {
        self.in_need || self.changed || head >= self.read_at.saturating_add(config.check_every)
    }

    /// When a full refresh becomes due, it does not wait for a batch, nor out the pauses that batches earned.
    fn hurry(&mut self, head: u64, config: &Config) {
        let needs_refresh = self.needs_refresh(head, config);
        if needs_refresh && !self.in_need {
            self.errand.settled();
        }
        self.in_need = needs_refresh;
    }
}

/// All quorums.
#[derive(Debug)]
pub struct Schedule {
    config: Config,
    quorums: BTreeMap<u8, Quorum>,
    head: u64,
}

impl Schedule {
    /// A quorum whose stakes are too old for tasks.
    pub fn stale(&self) -> Option<u8> {
        let stale = |quorum: &Quorum| {
            let stale_from = quorum.freshness.map(|known| known.refreshed_at.saturating_add(known.max_age));
            !quorum.empty && stale_from.is_some_and(|last| self.head > last)
        };
        self.quorums.iter().find(|(_, quorum)| stale(quorum)).map(|(number, _)| *number)
    }

    /// Nothing is known of the chain yet.
    pub fn new(config: Config) -> Self {
        let quorum = || Quorum {
            freshness: None,
            read_at: 0,
            changed: false,
            empty: false,
            last_batch: Vec::new(),
            in_need: false,
            errand: Errand::new(config.longest_pause),
        };
        let quorums = config.quorums.iter().map(|number| (*number, quorum())).collect();
        Self { config, quorums, head: 0 }
    }

    /// The stakes of a quorum were read, or could not be.
    pub fn read(&mut self, attempt: Attempt, status: Result<StakeStatus, ChainError>) -> Vec<Effect> {
        let Some(quorum) = self.quorums.get_mut(&attempt.quorum) else {
            return Vec::new();
        };
        if !quorum.errand.is_current(attempt.ticket) {
            return Vec::new();
        }
        match status {
            Ok(status) => {
                let refresh = quorum.refresh(attempt.quorum, &status, self.head, &self.config);
                let summary = Effect::Report(summary(attempt.quorum, &status, self.head));
                std::iter::once(summary)
                    .chain(refresh.map(|refresh| Effect::Send(attempt, refresh)))
                    .collect()
            }
            Err(error) => {
                let again = quorum.errand.failed(self.head);
                let again = quorum.again(self.head, again);
                vec![hindered(attempt.quorum, error.into(), again)]
            }
        }
    }

    /// A request has come to an end.
    pub fn sent(&mut self, attempt: Attempt, whole: bool, outcome: Sent) -> Vec<Effect> {
        let done = matches!(outcome, Sent::Done(_));
        let refreshed = Effect::Report(Report::Refreshed { quorum: attempt.quorum, whole });
        let mut effects: Vec<Effect> = done.then_some(refreshed).into_iter().collect();
        effects.extend(self.conclude(attempt, outcome));
        effects
    }

    fn conclude(&mut self, attempt: Attempt, outcome: Sent) -> Option<Effect> {
        let head = self.head;
        let quorum = self.quorums.get_mut(&attempt.quorum)?;
        if !quorum.errand.is_current(attempt.ticket) {
            return None;
        }
        let again = quorum.errand.sent(head, &outcome);
        let again = quorum.again(head, again);
        // What the stakes are now is read again: the set of operators may differ, and a batch may not have been all.
        quorum.changed |= !matches!(outcome, Sent::Unknown(_));
        let obstacle = match outcome {
            Sent::Done(_) => return None,
            Sent::Reverted(mined) => Obstacle::Reverted(mined.hash),
            Sent::Refused(refusal) => Obstacle::Refused(refusal),
            Sent::Unknown(error) => Obstacle::Unknown(error),
        };
        Some(hindered(attempt.quorum, obstacle, again))
    }

    fn begin(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (number, quorum) in &mut self.quorums {
            quorum.hurry(self.head, &self.config);
            let due = quorum.is_due(self.head, &self.config);
            let attempt = |ticket| Attempt { quorum: *number, ticket };
            effects.extend(match quorum.errand.next(self.head, due) {
                Some(Next::Prepare(ticket)) => {
                    quorum.changed = false;
                    Some(Effect::Read(attempt(ticket)))
                }
                Some(Next::Send(ticket, again)) => Some(Effect::Send(attempt(ticket), again)),
                None => None,
            });
        }
        effects
    }

    fn observe(&mut self, at: u64, event: &ChainEvent) {
        match event {
            ChainEvent::OperatorsChanged => {
                self.quorums.values_mut().for_each(|quorum| quorum.changed = true);
            }
            ChainEvent::QuorumRefreshed { quorum } => {
                if let Some(quorum) = self.quorums.get_mut(quorum) {
                    if let Some(freshness) = &mut quorum.freshness {
                        freshness.refreshed_at = freshness.refreshed_at.max(at);
                    }
                    // Whoever did it: what was to be refreshed is.
                    quorum.errand.settled();
                }
            }
            ChainEvent::TaskCreated { .. }
            | ChainEvent::TaskResponded { .. }
            | ChainEvent::ResponseWindowChanged { .. } => {}
        }
    }
}

fn summary(quorum: u8, status: &StakeStatus, head: u64) -> Report {
    Report::Read {
        quorum,
        age: head.saturating_sub(status.refreshed_at),
        max_age: status.max_age,
        operators: status.operators.len(),
        drift_bps: status.operators.iter().map(drift_bps).max().unwrap_or(0),
    }
}

fn hindered(quorum: u8, obstacle: Obstacle, again: u64) -> Effect {
    Effect::Report(Report::Hindered { quorum, obstacle, again })
}

impl ChainState for Schedule {
    type Effect = Effect;

    fn restart(&mut self, _response_window: u64) -> Vec<Effect> {
        for quorum in self.quorums.values_mut() {
            quorum.freshness = None;
            quorum.errand.drop_attempt();
        }
        Vec::new()
    }

    fn retract(&mut self, block: BlockRef) -> Vec<Effect> {
        for quorum in self.quorums.values_mut() {
            quorum.freshness = quorum.freshness.filter(|known| known.refreshed_at <= block.number);
            quorum.changed = true;
        }
        Vec::new()
    }

    fn apply(&mut self, block: &ChainBlock, head: BlockRef) -> Vec<Effect> {
        let at = block.header.at;
        self.head = at.number;
        block.events.iter().for_each(|event| self.observe(at.number, event));
        // While catching up, what looks due may have been refreshed already.
        if at == head { self.begin() } else { Vec::new() }
    }
}
