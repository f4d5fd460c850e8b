//! How the parts of a process are. Each actor is asked, and answers from its own state, so that one that hangs is found
//! out as well; what it says is judged by a pure function in its folder (`health.rs`). [`crate::node`] puts the answers
//! together and serves them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix::dev::{MessageResponse, ToEnvelope};
use actix::{Actor, Addr, Handler, Message};
use anzen_messages::wire::ActorName;
use async_trait::async_trait;
use tokio::time::Instant;

use crate::ports::UnixMillis;

/// How something is.
#[derive(Debug, Clone, PartialEq, Eq, Message, MessageResponse)]
#[rtype(result = "()")]
pub enum Health {
    /// It does its work.
    Up,
    /// It does not yet, and needs no help; why.
    Initializing(String),
    /// It cannot do its work; why, and what to do.
    Down(String),
}

impl Health {
    /// This, where it is not well; else the other.
    pub fn and(self, other: impl FnOnce() -> Self) -> Self {
        if self == Self::Up { other() } else { self }
    }

    /// What keeps it from its work.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Up => None,
            Self::Initializing(reason) | Self::Down(reason) => Some(reason),
        }
    }
}

/// What an actor that follows the chain needs before all else: the actors it sends to (false: out of reach), and blocks.
pub fn of_follower(has_blocks: bool, needs: &[(ActorName, bool)]) -> Health {
    if let Some((actor, _)) = needs.iter().find(|(_, reachable)| !reachable) {
        return Health::Down(format!("{actor} is out of reach; is its process up?"));
    }
    if has_blocks { Health::Up } else { Health::Initializing("no block has been taken in yet".into()) }
}

/// Asks an actor how it is. Stays within the process.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Health")]
pub struct Examine {
    /// The time of day.
    pub now: UnixMillis,
}

/// Something that can be asked how it is. Whoever asks sets a time limit: no answer is an answer.
#[async_trait]
pub trait HealthProbe: Send + Sync {
    /// How it is.
    async fn examine(&self, now: UnixMillis) -> Health;
}

#[async_trait]
impl<A> HealthProbe for Addr<A>
where
    A: Actor + Handler<Examine>,
    A::Context: ToEnvelope<A, Examine>,
{
    async fn examine(&self, now: UnixMillis) -> Health {
        let answer = self.send(Examine { now }).await;
        answer.unwrap_or_else(|_| Health::Down("the actor has stopped; restart the process".into()))
    }
}

/// The probes of a process, by the name of the service; each is added when its part has started. Clones are the same.
#[derive(Clone, Default)]
pub struct HealthProbes(Arc<Mutex<BTreeMap<&'static str, Arc<dyn HealthProbe>>>>);

impl HealthProbes {
    /// Adds what is asked for a service.
    pub fn add(&self, service: &'static str, probe: Arc<dyn HealthProbe>) {
        self.lock().insert(service, probe);
    }

    /// What is asked for a service; nothing where it has not started.
    pub fn get(&self, service: &str) -> Option<Arc<dyn HealthProbe>> {
        self.lock().get(service).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Arc<dyn HealthProbe>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether something that is used now and then did what it should the last time: a disk, a signer, an endpoint. Clones are
/// the same.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<Mutex<Option<LastUse>>>);

#[derive(Debug, Clone)]
struct LastUse {
    at: Instant,
    trouble: Option<String>,
}

impl Pulse {
    /// It did.
    pub fn well(&self) {
        self.set(None);
    }

    /// It did not.
    pub fn failed(&self, reason: &(impl Display + ?Sized)) {
        self.set(Some(reason.to_string()));
    }

    /// Notes what came of using it.
    pub fn note<T, E: Display>(&self, outcome: &Result<T, E>) {
        match outcome {
            Ok(_) => self.well(),
            Err(error) => self.failed(error),
        }
    }

    /// What failed, where that was the last that is known.
    pub fn trouble(&self) -> Option<String> {
        self.last()?.trouble
    }

    /// Since when nothing is known; nothing before the first use.
    pub fn age(&self) -> Option<Duration> {
        Some(self.last()?.at.elapsed())
    }

    /// Up unless the last use failed; so also before the first.
    pub fn health(&self) -> Health {
        self.trouble().map_or(Health::Up, Health::Down)
    }

    fn last(&self) -> Option<LastUse> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, trouble: Option<String>) {
        let last = LastUse { at: Instant::now(), trouble };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_trouble_is_told() {
        let down = Health::Down("broken".into());
        assert_eq!(Health::Up.and(|| down.clone()), down);
        assert_eq!(down.clone().and(|| Health::Up), down);
    }

    #[test]
    fn a_follower_needs_those_it_sends_to_and_then_a_block() {
        let needs = [(ActorName::ChainWatcher, true), (ActorName::TxSender, false)];
        let Health::Down(reason) = of_follower(true, &needs) else { panic!("it is down") };
        assert!(reason.contains("tx-sender"), "{reason}");
        assert!(matches!(of_follower(false, &needs[..1]), Health::Initializing(_)));
        assert_eq!(of_follower(true, &needs[..1]), Health::Up);
    }

    #[test]
    fn a_pulse_is_what_came_of_the_last_use() {
        let pulse = Pulse::default();
        assert_eq!(pulse.health(), Health::Up);
        pulse.failed("the disk is full");
        assert_eq!(pulse.health(), Health::Down("the disk is full".into()));
        pulse.well();
        assert_eq!(pulse.health(), Health::Up);
    }
}
