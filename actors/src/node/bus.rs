//! This process on the bus: the way to the other processes of the aggregator where they are on other machines.

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy::hex;
use anzen_messages::wire::ActorName;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::config::NodeConfig;
use super::ports::Ports;
use crate::bus::Directory;
use crate::nats::{
    Bus, BusDependencies, Holder, Lease, Leases, NatsConfig, NatsError, NatsMetrics, NatsTransport, serve,
};
use crate::ports::{Rng, Space, Store, StoreError, Write};

/// What this process calls itself on the bus, and of which copy of the store: one record.
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
        let holder = draw(ports.store.as_ref(), ports.rng.as_ref()).await?;
        let (process, rng) = (holder.instance.clone(), Arc::clone(&ports.rng));
        let bus = Bus::connect(nats, BusDependencies { process, rng, metrics: metrics.clone() }).await?;
        let lease = Leases::new(bus.clone(), holder, config.roles.clone()).take().await;
        Ok(Self { bus, lease, roles: config.roles.clone() })
    }

    /// Makes known how to reach the actors of other processes: all that the actors here talk to.
    pub(super) fn link(&self, config: &NodeConfig, directory: &mut Directory) {
        let needed: BTreeSet<ActorName> = self.roles.iter().flat_map(|role| config.needs_of(*role)).collect();
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

/// Draws a name for this start of the process, and finds out that of the start before on the same store.
async fn draw(store: &dyn Store, rng: &dyn Rng) -> Result<Holder, StoreError> {
    let restorations = store.restorations();
    let before = store.load(PROCESS).await?.into_iter().next();
    let before = before.and_then(|(_, value)| String::from_utf8(value).ok());
    let before = before.as_deref().and_then(|text| text.split_once(' '));
    // Where the store is a copy, the process that it was copied from may be alive.
    let predecessor = before.filter(|(_, known)| *known == restorations.to_string());
    let predecessor = predecessor.map(|(instance, _)| instance.to_owned());
    let mut random = [0; 16];
    rng.fill(&mut random);
    let instance = hex::encode(random);
    let value = format!("{instance} {restorations}").into_bytes();
    store.commit(vec![Write::Put { space: PROCESS, key: b"instance".to_vec(), value }]).await?;
    Ok(Holder { instance, predecessor })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::{OsRng, SqliteStore};

    async fn start(folder: &std::path::Path) -> Holder {
        let store = SqliteStore::open(&folder.join("anzen.db"), Default::default()).unwrap();
        draw(&store, &OsRng::new().unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn a_process_knows_its_predecessor_and_a_copied_folder_has_none() {
        let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = start(folder.path()).await;
        assert_eq!(first.predecessor, None);
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        let copied = start(copy.path()).await;
        assert_eq!(copied.predecessor, None);
        let second = start(folder.path()).await;
        assert_eq!(second.predecessor.as_ref(), Some(&first.instance));
        assert_eq!(start(copy.path()).await.predecessor, Some(copied.instance));
    }
}
