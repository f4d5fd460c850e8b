//! What is said of each service, given what was found: no I/O and no clock.
//!
//! One failed question is no outage: a service that was up stays up until its trouble has lasted for a while. One that has
//! never been up is initializing, for a longer while.

use std::time::Duration;

use super::services::Service;
use crate::health::Health;

/// How long trouble may last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Of a service that was up.
    pub(super) grace: Duration,
    /// Of one that has never been up, from the start of the process on.
    pub(super) starting: Duration,
}

/// The node as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NodeHealth {
    /// It cannot do its work.
    Unhealthy,
    /// It is initializing, or can do a part.
    PartiallyHealthy,
    /// All services are up.
    Healthy,
}

/// A service and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceReport {
    pub(super) service: Service,
    pub(super) health: Health,
}

/// What is said at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(super) services: Vec<ServiceReport>,
}

impl Report {
    /// The node's health: unhealthy where something vital is down, or nothing else is left.
    pub(super) fn node(&self) -> NodeHealth {
        let is_down = |report: &ServiceReport| matches!(report.health, Health::Down(_));
        let vital_down = self.services.iter().any(|report| report.service.vital && is_down(report));
        let own_down = {
            let mut own = self.services.iter().filter(|report| report.service.is_actor()).peekable();
            own.peek().is_some() && own.all(is_down)
        };
        match () {
            () if vital_down || own_down => NodeHealth::Unhealthy,
            () if self.services.iter().all(|report| report.health == Health::Up) => NodeHealth::Healthy,
            () => NodeHealth::PartiallyHealthy,
        }
    }

    /// What is said of one service; nothing where there is none of that id.
    pub(super) fn service(&self, id: &str) -> Option<&Health> {
        self.services.iter().find(|report| report.service.id == id).map(|report| &report.health)
    }
}

#[derive(Debug)]
struct Entry {
    service: Service,
    said: Health,
    has_been_up: bool,
    /// Since when it has been found in trouble, without a break.
    trouble_since: Option<Duration>,
}

/// All services. Times count from the start of the process.
#[derive(Debug)]
pub(super) struct Ledger {
    limits: Limits,
    entries: Vec<Entry>,
}

impl Ledger {
    /// Nothing has been found out yet.
    pub(super) fn new(services: Vec<Service>, limits: Limits) -> Self {
        let entry = |service| Entry {
            service,
            said: Health::Initializing("starting".into()),
            has_been_up: false,
            trouble_since: None,
        };
        Self { limits, entries: services.into_iter().map(entry).collect() }
    }

    /// Takes in how the service with this id was found; returns what is said of it from now on, if that is another status.
    pub(super) fn found(&mut self, id: &str, now: Duration, found: Health) -> Option<&Health> {
        let limits = self.limits;
        let entry = self.entries.iter_mut().find(|entry| entry.service.id == id)?;
        let said = entry.judge(limits, now, found);
        let changed = std::mem::discriminant(&said) != std::mem::discriminant(&entry.said);
        entry.said = said;
        changed.then_some(&entry.said)
    }

    pub(super) fn report(&self) -> Report {
        let report = |entry: &Entry| ServiceReport { service: entry.service, health: entry.said.clone() };
        Report { services: self.entries.iter().map(report).collect() }
    }
}

impl Entry {
    fn judge(&mut self, limits: Limits, now: Duration, found: Health) -> Health {
        let Health::Down(reason) = found else {
            self.trouble_since = None;
            self.has_been_up |= found == Health::Up;
            return found;
        };
        let since = *self.trouble_since.get_or_insert(now);
        match (&self.said, self.has_been_up) {
            (Health::Down(_), _) => Health::Down(reason),
            (said, true) if now.saturating_sub(since) < limits.grace => said.clone(),
            (_, false) if now < limits.starting => Health::Initializing(reason),
            _ => Health::Down(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use anzen_messages::wire::ActorName;
    use proptest::prelude::*;

    use super::super::services::{RPC_ENDPOINT, services_of};
    use super::*;

    const LIMITS: Limits = Limits { grace: seconds(10), starting: seconds(60) };

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn down() -> Health {
        Health::Down("broken".into())
    }

    fn initializing() -> Health {
        Health::Initializing("not yet".into())
    }

    fn ledger(roles: &[ActorName]) -> Ledger {
        Ledger::new(services_of(roles), LIMITS)
    }

    /// An aggregator with one service in trouble.
    fn aggregator_with(id: &str, health: Health) -> NodeHealth {
        let mut ledger = ledger(&ActorName::AGGREGATOR);
        let ids: Vec<&str> = ledger.entries.iter().map(|entry| entry.service.id).collect();
        assert!(ids.contains(&id));
        for other in ids {
            ledger.found(other, seconds(0), Health::Up);
        }
        ledger.found(id, seconds(1), health.clone());
        ledger.found(id, seconds(11), health);
        ledger.report().node()
    }

    #[test]
    fn a_node_initializes_and_is_healthy_when_all_services_are_up() {
        let mut ledger = ledger(&[ActorName::ChainWatcher]);
        assert_eq!(ledger.report().node(), NodeHealth::PartiallyHealthy);
        for id in ["chain-watcher", "rpc-endpoint", "store"] {
            assert_eq!(ledger.found(id, seconds(1), Health::Up), Some(&Health::Up));
        }
        assert_eq!(ledger.report().node(), NodeHealth::Healthy);
    }

    #[test]
    fn without_something_vital_a_node_is_unhealthy() {
        for id in ["chain-watcher", "tx-sender", "signature-collector", "aggregator", "rpc-gateway"] {
            assert_eq!(aggregator_with(id, down()), NodeHealth::Unhealthy, "{id}");
            assert_eq!(aggregator_with(id, initializing()), NodeHealth::PartiallyHealthy, "{id}");
        }
        for id in ["rpc-endpoint", "store"] {
            assert_eq!(aggregator_with(id, down()), NodeHealth::Unhealthy, "{id}");
        }
        for id in ["stake-updater", "task-generator"] {
            assert_eq!(aggregator_with(id, down()), NodeHealth::PartiallyHealthy, "{id}");
        }
    }

    #[test]
    fn a_node_whose_only_actor_is_down_is_unhealthy() {
        let mut ledger = ledger(&[ActorName::StakeUpdater]);
        for id in ["stake-updater", "rpc-endpoint", "store"] {
            ledger.found(id, seconds(0), Health::Up);
        }
        ledger.found("stake-updater", seconds(1), down());
        ledger.found("stake-updater", seconds(11), down());
        assert_eq!(ledger.report().node(), NodeHealth::Unhealthy);
    }

    #[test]
    fn a_moment_of_trouble_is_no_outage() {
        let mut ledger = ledger(&[ActorName::ChainWatcher]);
        ledger.found(RPC_ENDPOINT, seconds(0), Health::Up);
        assert_eq!(ledger.found(RPC_ENDPOINT, seconds(1), down()), None);
        assert_eq!(ledger.found(RPC_ENDPOINT, seconds(10), down()), None);
        assert_eq!(ledger.found(RPC_ENDPOINT, seconds(10), Health::Up), None);
        // Another trouble has its own time.
        assert_eq!(ledger.found(RPC_ENDPOINT, seconds(11), down()), None);
        assert_eq!(ledger.found(RPC_ENDPOINT, seconds(21), down()), Some(&down()));
        assert_eq!(ledger.found(RPC_ENDPOINT, seconds(22), Health::Up), Some(&Health::Up));
    }

    #[test]
    fn what_never_comes_up_is_down_in_the_end() {
        let mut ledger = ledger(&[ActorName::ChainWatcher]);
        ledger.found(RPC_ENDPOINT, seconds(59), down());
        assert_eq!(ledger.report().service(RPC_ENDPOINT), Some(&Health::Initializing("broken".into())));
        assert_eq!(ledger.found(RPC_ENDPOINT, seconds(60), down()), Some(&down()));
    }

    proptest! {
        /// Whatever is found: up is told at once; down only after as much trouble as the limits allow, or where it was down
        /// before.
        #[test]
        fn statuses_follow_what_is_found(steps in prop::collection::vec((0..3u8, 1..15u64), 1..60)) {
            let mut ledger = ledger(&[ActorName::ChainWatcher]);
            let (mut now, mut trouble_since) = (0, None);
            for (found, later) in steps {
                now += later;
                let before = ledger.report().service(RPC_ENDPOINT).cloned();
                let found = [Health::Up, initializing(), down()][usize::from(found)].clone();
                ledger.found(RPC_ENDPOINT, seconds(now), found.clone());
                let said = ledger.report().service(RPC_ENDPOINT).cloned().unwrap();
                if found == down() {
                    let lasted = now - *trouble_since.get_or_insert(now);
                    let newly_down = said == down() && before != Some(down());
                    prop_assert!(!newly_down || lasted >= 10 || now >= 60);
                    prop_assert!(said == down() || lasted < 10 || now < 60);
                } else {
                    trouble_since = None;
                    prop_assert_eq!(said, found);
                }
            }
        }
    }
}
