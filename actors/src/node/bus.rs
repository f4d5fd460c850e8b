//! This process on the bus: the way to the other processes of the aggregator where they are on other machines.

use std::collections::BTreeSet;
use std::sync::Arc;

use anzen_messages::wire::ActorName;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::config::NodeConfig;
use super::ports::Ports;
use crate::bus::Directory;
use crate::nats::{
    Bus, BusDependencies, Lease, Leases, NatsConfig, NatsError, NatsMetrics, NatsTransport, serve,
};
use crate::ports::{Rng, Space, Store, StoreError, Write};

/// What this process calls itself on the bus, for good: one record.
const PROCESS: Space = Space("bus.process");

/// A process that has joined the bus, and alone runs its actors.
pub(super) struct OnBus {
    bus: Arc<Bus>,
    lease: Lease,
    roles: Vec<ActorName>,
}

/// The bus as long as the process runs.
pub(super) struct BusTasks {
    serving: JoinHandle<()>,
    /// Gives the leases back.
    release: CancellationToken,
    leases: JoinHandle<Result<(), NatsError>>,
}

impl OnBus {
    /// Joins the bus that the configuration names, if it does; waits while another process runs the same actors.
    pub(super) async fn join(
        config: &NodeConfig,
        nats: &NatsConfig,
        ports: &Ports,
        metrics: &NatsMetrics,
    ) -> Result<Self, super::NodeError> {
        let process = name_of(ports.store.as_ref(), ports.rng.as_ref()).await?;
        let deps = BusDependencies { process: process.clone(), metrics: metrics.clone() };
        let bus = Bus::connect(nats, deps).await?;
        let lease = Leases::new(bus.clone(), process, config.roles.clone()).take().await;
        Ok(Self { bus, lease, roles: config.roles.clone() })
    }

    /// Makes known how to reach the actors of other processes: all that the actors here talk to.
    pub(super) fn link(&self, config: &NodeConfig, directory: &mut Directory) {
        let needed: BTreeSet<ActorName> =
            self.roles.iter().flat_map(|role| role.talks_to()).copied().collect();
        let transport = Arc::new(NatsTransport::new(self.bus.clone()));
        for actor in needed {
            if !config.runs(actor) && !config.links.to.contains_key(&actor) {
                directory.link(actor, transport.clone());
            }
        }
    }

    /// Takes messages for the actors here. Where another process takes these over, `stop` is pulled.
    pub(super) fn start(self, directory: &Directory, stop: &CancellationToken) -> BusTasks {
        let serving = serve(self.bus.clone(), self.roles, directory.dispatcher(), stop.clone());
        let (stop, release) = (stop.clone(), CancellationToken::new());
        let released = release.clone();
        let keep = async move {
            let outcome = self.lease.keep(released).await;
            if let Err(error) = &outcome {
                error!(%error, "this process stops");
                stop.cancel();
            }
            outcome
        };
        BusTasks { serving: actix::spawn(serving), release, leases: actix::spawn(keep) }
    }
}

impl BusTasks {
    /// Ends both when the process has stopped to serve: whoever waits for the leases may begin then.
    pub(super) async fn end(self) -> Result<(), NatsError> {
        let _ = self.serving.await;
        self.release.cancel();
        // A task that was cut off has nothing to tell.
        self.leases.await.unwrap_or(Ok(()))
    }
}

async fn name_of(store: &dyn Store, rng: &dyn Rng) -> Result<String, StoreError> {
    if let Some((_, name)) = store.load(PROCESS).await?.into_iter().next() {
        return Ok(String::from_utf8_lossy(&name).into_owned());
    }
    let mut random = [0; 8];
    rng.fill(&mut random);
    let name = format!("{:016x}", u64::from_be_bytes(random));
    let write = Write::Put { space: PROCESS, key: b"name".to_vec(), value: name.clone().into_bytes() };
    store.commit(vec![write]).await?;
    Ok(name)
}
