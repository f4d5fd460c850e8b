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
