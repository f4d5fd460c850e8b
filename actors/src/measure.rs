//! What the actors' metrics have in common.

use std::collections::VecDeque;
use std::hash::Hash;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use tokio::time::Instant;

/// The protocol that something is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfProtocol {
    pub(crate) oracle_index: u32,
}

/// The part of the work that something is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Step {
    pub(crate) step: &'static str,
}

/// Why something was refused or left.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Reason {
    pub(crate) reason: &'static str,
}

/// How something ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Outcome {
    pub(crate) outcome: &'static str,
}

/// Histograms of one kind, by labels.
pub(crate) type Histograms<S> = Family<S, Histogram, fn() -> Histogram>;

/// A count, as a gauge shows it.
pub(crate) fn level(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// Makes a family's members known at zero: a rate needs a value from before the first event.
pub(crate) fn at_zero<S, M, C>(family: &Family<S, M, C>, labels: impl IntoIterator<Item = S>)
where
    S: Clone + Eq + Hash,
    C: MetricConstructor<M>,
{
    for label in labels {
        drop(family.get_or_create(&label));
    }
}

/// Seconds of work inside a process, from half a millisecond to a minute.
pub(crate) fn short_times() -> Histogram {
    Histogram::new(exponential_buckets(0.000_5, 2.5, 13))
}

/// Seconds of what waits for other people or for blocks, from a hundredth of a second to ten minutes.
pub(crate) fn long_times() -> Histogram {
    Histogram::new(exponential_buckets(0.01, 2.0, 17))
}

/// One more on a gauge, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Held(Gauge);

impl Held {
    pub(crate) fn on(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The most things whose time is taken at once; beyond it, the oldest are not timed.
const MOST_TIMED: usize = 1_024;

/// Takes the time of things that go through steps. It decides nothing, so an actor holds it beside its state.
#[derive(Debug)]
pub(crate) struct Laps<K>(VecDeque<Timed<K>>);

#[derive(Debug)]
struct Timed<K> {
    what: K,
    start: Instant,
    /// When the last step was done.
    lap: Option<Instant>,
}

impl<K> Default for Laps<K> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<K: PartialEq> Laps<K> {
    /// Starts to take the time, unless it is being taken. True the first time.
    pub(crate) fn start(&mut self, what: K, now: Instant) -> bool {
        if self.find(&what).is_some() {
            return false;
        }
        if self.0.len() == MOST_TIMED {
            self.0.pop_front();
        }
        self.0.push_back(Timed { what, start: now, lap: None });
        true
    }

    /// The time since the last step, or since the start; nothing where it is not being taken.
    pub(crate) fn lap(&mut self, what: &K, now: Instant) -> Option<Duration> {
        let found = self.find(what)?;
        let timed = self.0.get_mut(found)?;
        let before = timed.lap.replace(now);
        Some(now.duration_since(before.unwrap_or(timed.start)))
    }

    /// The time since the start, where no step has been timed yet.
    pub(crate) fn first_lap(&mut self, what: &K, now: Instant) -> Option<Duration> {
        let found = self.find(what)?;
        let is_first = self.0.get(found).is_some_and(|timed| timed.lap.is_none());
        if is_first { self.lap(what, now) } else { None }
    }

    /// The whole time; it is taken no longer.
    pub(crate) fn stop(&mut self, what: &K, now: Instant) -> Option<Duration> {
        let found = self.find(what)?;
        let timed = self.0.remove(found)?;
        Some(now.duration_since(timed.start))
    }

    /// What is under way is among the newest.
    fn find(&self, what: &K) -> Option<usize> {
        self.0.iter().rposition(|timed| timed.what == *what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn laps_are_between_steps_and_the_end_is_since_the_start() {
        let (mut laps, start) = (Laps::default(), Instant::now());
        assert!(laps.start("a", start));
        assert!(!laps.start("a", after(start, 1)), "the first start counts");
        assert_eq!(laps.first_lap(&"a", after(start, 2)), Some(Duration::from_secs(2)));
        assert_eq!(laps.first_lap(&"a", after(start, 3)), None, "it has been timed");
        assert_eq!(laps.lap(&"a", after(start, 5)), Some(Duration::from_secs(3)));
        assert_eq!(laps.stop(&"a", after(start, 9)), Some(Duration::from_secs(9)));
        assert_eq!(laps.lap(&"a", after(start, 10)), None);
    }

    #[test]
    fn what_never_ends_does_not_pile_up() {
        let (mut laps, start) = (Laps::default(), Instant::now());
        for what in 0..=MOST_TIMED {
            laps.start(what, start);
        }
        assert_eq!(laps.lap(&0, start), None, "the oldest made room");
        assert_eq!(laps.lap(&MOST_TIMED, start), Some(Duration::ZERO));
    }

    #[test]
    fn what_is_held_counts_until_it_is_dropped() {
        let gauge = Gauge::default();
        let held = (Held::on(&gauge), Held::on(&gauge));
        assert_eq!(gauge.get(), 2);
        drop(held);
        assert_eq!(gauge.get(), 0);
    }
}
