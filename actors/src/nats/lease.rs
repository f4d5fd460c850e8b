//! That each actor of an aggregator runs in one process: two that answered the same messages would each know half of it.
//!
//! A process takes a lease for each of its actors before they start, and renews them. One that finds them taken waits. A lease
//! names an *instance*, one start of a process, which no other is called like; so a copied data folder does not make two
//! processes one. Who was killed has its lease back at once all the same when it returns: its store, which one process at a time
//! can open, says which instance used it before.
//!
//! This keeps a second process from being started by mistake. It is no fence: a process that alone loses the server goes on
//! until it is back, and another may have stepped in meanwhile. What they do twice then the contract refuses. And whoever steps in
//! knows what is on its own disk: where that is not the first one's, what that one had acknowledged and not handed on is
//! lost. Against the loss of a machine there is a second aggregator, not a second process.

use std::sync::Arc;
use std::time::Duration;

use anzen_messages::wire::ActorName;
use async_nats::jetstream::kv::{Entry, Operation, Store};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::bus::Bus;
use super::error::NatsError;

/// How long a lease lasts that is not renewed.
pub(super) const LEASE: Duration = Duration::from_secs(15);
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(4);
/// Between two looks at a lease that another has.
const LOOK: Duration = Duration::from_secs(1);

/// Who takes leases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// This start of the process; no other has the same.
    pub instance: String,
    /// The start before it, on the same store: it has ended. Nothing where there was none, or the store is a copy.
    pub predecessor: Option<String>,
}

/// The leases that a process wants.
pub struct Leases {
    bus: Arc<Bus>,
    holder: Holder,
    actors: Vec<ActorName>,
}

/// Leases that are held.
pub struct Lease(Leases);

/// How an attempt ended.
enum Attempt {
    Held,
    Taken,
}

impl Leases {
    /// For `actors` of the process that is `holder`.
    pub fn new(bus: Arc<Bus>, holder: Holder, actors: Vec<ActorName>) -> Self {
        Self { bus, holder, actors }
    }

    /// Waits until all are held; where the server does not answer, or another process has one, that is told once.
    pub async fn take(mut self) -> Lease {
        let mut told = String::new();
        loop {
            let waiting = match self.missing().await {
                Ok(None) => break,
                Ok(Some(actor)) => format!("another process runs {actor}; waiting to take its place"),
                Err(error) => error.to_string(),
            };
            if waiting != told {
                warn!("{waiting}");
                told = waiting;
            }
            tokio::time::sleep(LOOK).await;
        }
        info!("this process alone runs its actors");
        // What is taken from now on is taken by somebody who is alive.
        self.holder.predecessor = None;
        Lease(self)
    }

    /// Takes or renews all. Returns one that another process has.
    async fn missing(&self) -> Result<Option<ActorName>, NatsError> {
        let store = self.bus.leases().await?;
        for actor in &self.actors {
            if let Attempt::Taken = self.attempt(&store, *actor).await? {
                return Ok(Some(*actor));
            }
        }
        Ok(None)
    }

    async fn found(&self, store: &Store, actor: ActorName) -> Result<Option<Entry>, NatsError> {
        let found = store.entry(actor.as_str()).await.map_err(|error| self.bus.server_error(error))?;
        Ok(found.filter(|entry| entry.operation == Operation::Put))
    }

    async fn attempt(&self, store: &Store, actor: ActorName) -> Result<Attempt, NatsError> {
        let held = self.holder.instance.clone().into_bytes().into();
        let written = match self.found(store, actor).await? {
            Some(entry) if self.holder.may_take(&entry.value) => {
                store.update(actor.as_str(), held, entry.revision).await.map_err(|error| error.to_string())
            }
            Some(_) => return Ok(Attempt::Taken),
            None => store.create(actor.as_str(), held).await.map_err(|error| error.to_string()),
        };
        // Whether somebody else wrote it shows when it is read again: a replica may have been behind.
        written.map(|_| Attempt::Held).map_err(|error| self.bus.server_error(error))
    }
}

impl Holder {
    fn may_take(&self, value: &[u8]) -> bool {
        [Some(&self.instance), self.predecessor.as_ref()]
            .into_iter()
            .flatten()
            .any(|own| own.as_bytes() == value)
    }
}

impl Lease {
    /// Renews them until `stop`, and gives them back then.
    ///
    /// # Errors
    /// Where another process has taken one over, which happens when this one could not renew it in time.
    pub async fn keep(self, stop: CancellationToken) -> Result<(), NatsError> {
        loop {
            tokio::select! {
                () = stop.cancelled() => return self.give_back().await,
                () = tokio::time::sleep(RENEWAL) => {}
            }
            match self.0.missing().await {
                Ok(None) => {}
                Ok(Some(actor)) => return Err(NatsError::Taken(actor)),
                Err(error) => warn!(%error, "the leases are not renewed"),
            }
        }
    }

    async fn give_back(&self) -> Result<(), NatsError> {
        let store = self.0.bus.leases().await?;
        for actor in &self.0.actors {
            let own = self.0.found(&store, *actor).await?;
            // Whoever else has it by now keeps it.
            if let Some(own) = own.filter(|entry| self.0.holder.may_take(&entry.value)) {
                let _ = store.delete_expect_revision(actor.as_str(), Some(own.revision)).await;
            }
        }
        Ok(())
    }
}
