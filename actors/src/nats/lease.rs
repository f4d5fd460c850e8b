//! That each actor of an aggregator runs in one process: two that answered the same messages would each know half of it.
//!
//! A process takes a lease for each of its actors before they start, and renews them. One that finds them taken waits. A process
//! that was killed takes its own back at once when it returns.
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

use super::bus::{Bus, NatsError};

/// How long a lease lasts that is not renewed.
pub(super) const LEASE: Duration = Duration::from_secs(15);
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(4);
/// Between two looks at a lease that another has.
const LOOK: Duration = Duration::from_secs(1);

/// The leases that a process wants.
pub struct Leases {
    bus: Arc<Bus>,
    holder: String,
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
    /// For `actors` of the process that calls itself `holder`, today and after a restart.
    pub fn new(bus: Arc<Bus>, holder: String, actors: Vec<ActorName>) -> Self {
        Self { bus, holder, actors }
    }

    /// Waits until all are held; where the server does not answer, or another process has one, that is told once.
    pub async fn take(self) -> Lease {
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
        let held = self.holder.clone().into_bytes().into();
        match self.found(store, actor).await? {
            Some(entry) if entry.value == self.holder.as_bytes() => {
                match store.update(actor.as_str(), held, entry.revision).await {
                    Ok(_) => Ok(Attempt::Held),
                    // Whether somebody else wrote it shows when it is read again: a replica may have been behind.
                    Err(error) => Err(self.bus.server_error(error)),
                }
            }
            Some(_) => Ok(Attempt::Taken),
            None => match store.create(actor.as_str(), held).await {
                Ok(_) => Ok(Attempt::Held),
                Err(error) => Err(self.bus.server_error(error)),
            },
        }
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
            if let Some(own) = own.filter(|entry| entry.value == self.0.holder.as_bytes()) {
                let _ = store.delete_expect_revision(actor.as_str(), Some(own.revision)).await;
            }
        }
        Ok(())
    }
}
