//! Starting the actor with what an earlier life of it left on disk.

use std::time::Duration;

use actix::prelude::*;
use anzen_messages::wire::ActorName;

use super::Config;
use super::actor::{Dependencies, SignatureCollector};
use super::collector::Collector;
use super::records::{self, SECONDS, SIGNATURES};
use crate::bus::{BusMetrics, Inbox};
use crate::ports::{Store, StoreError};

/// Starts the actor with the records that `store` has.
///
/// # Errors
/// Where the records cannot be read, each of them: what was acknowledged is never left out.
pub async fn start(
    config: Config,
    deps: Dependencies,
    bus: &BusMetrics,
) -> Result<Inbox<SignatureCollector>, StoreError> {
    let capacity = config.capacity;
    let linger = Duration::from_millis(config.linger_ms);
    let mut state = Collector::new(config, deps.domain.clone(), deps.response_window);
    recover(&mut state, deps.store.as_ref()).await?;
    deps.metrics.evidence(state.convictions.len());
    let addr = SignatureCollector::create(|ctx| {
        ctx.set_mailbox_capacity(capacity + 1);
        SignatureCollector::new(state, deps, linger, capacity)
    });
    Ok(Inbox::new(ActorName::SignatureCollector, addr, capacity, bus))
}

/// Takes in what is on disk.
pub(super) async fn recover(state: &mut Collector, store: &dyn Store) -> Result<(), StoreError> {
    for ((task, operator), record) in records::signatures(store, SIGNATURES).await? {
        state.recover(task, operator, record);
    }
    for (place, record) in records::signatures(store, SECONDS).await? {
        state.seconds.recover(place, record);
    }
    for evidence in records::evidence_in(store).await? {
        state.convictions.add(&evidence);
    }
    for (operator, penalty) in records::penalties(store).await? {
        state.standing.recover(operator, penalty);
    }
    Ok(())
}
