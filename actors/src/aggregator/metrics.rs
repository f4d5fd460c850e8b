//! What the aggregator counts.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::measure::{Outcome, at_zero, level, long_times};

/// All outcomes of attempts.
const OUTCOMES: [&str; 4] = ["posted", "answered_by_another", "lost_race", "failed"];

/// The aggregator's metrics.
#[derive(Debug, Clone)]
pub struct AggregatorMetrics {
    attempts: Family<Outcome, Counter>,
    answered: Counter,
    given_up: Counter,
    pending: Gauge,
    answer_seconds: Histogram,
}

impl Default for AggregatorMetrics {
    fn default() -> Self {
        let attempts = Family::default();
        at_zero(&attempts, OUTCOMES.map(|outcome| Outcome { outcome }));
        let (answered, given_up, pending) = (Counter::default(), Counter::default(), Gauge::default());
        Self { attempts, answered, given_up, pending, answer_seconds: long_times() }
    }
}

impl AggregatorMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { attempts, answered, given_up, pending, answer_seconds } = self.clone();
        registry.register("anzen_aggregator_attempts", "Attempts to post, by outcome", attempts);
        registry.register("anzen_aggregator_answered", "Certificates whose task is answered", answered);
        registry.register("anzen_aggregator_given_up", "Certificates that were not posted in time", given_up);
        registry.register(
            "anzen_aggregator_pending",
            "Certificates that wait for their answer on chain",
            pending,
        );
        registry.register(
            "anzen_aggregator_answer_seconds",
            "Time from the first attempt to post a certificate until its answer is on chain, in seconds",
            answer_seconds,
        );
    }

    pub(super) fn attempt(&self, outcome: &'static str) {
        self.attempts.get_or_create(&Outcome { outcome }).inc();
    }

    /// `took` since the first attempt, where this process made one.
    pub(super) fn answered(&self, took: Option<Duration>) {
        self.answered.inc();
        if let Some(took) = took {
            self.answer_seconds.observe(took.as_secs_f64());
        }
    }

    pub(super) fn given_up(&self) {
        self.given_up.inc();
    }

    pub(super) fn pending(&self, count: usize) {
        self.pending.set(level(count));
    }
}
