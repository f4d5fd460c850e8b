//! A process that can be killed at any instant.
//!
//! Its actors, timers and loops are tasks of a `LocalSet` of their own, because whatever they spawn is spawned there. Killing
//! drops the set, and all of them with it, wherever they wait: also in the middle of a write.

use std::future::Future;

use anzen_actors::bus::{Directory, Dispatcher, Handle};
use anzen_actors::node::NodeError;
use anzen_messages::chain::NextBlocks;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, LocalSet};
use tracing::Instrument;

/// A process that runs.
pub(super) struct Process {
    tasks: JoinHandle<()>,
    /// What it takes from others.
    pub(super) dispatcher: Dispatcher,
    /// Its chain watcher.
    pub(super) watcher: Option<Handle<NextBlocks>>,
}

impl Process {
    /// Runs `assemble`, which starts the actors, and then them.
    pub(super) async fn start(
        name: String,
        assemble: impl Future<Output = Result<Directory, NodeError>> + 'static,
    ) -> Result<Self, String> {
        let (started, starting) = oneshot::channel();
        let set = LocalSet::new();
        set.spawn_local(async move {
            let directory = assemble.await;
            // Whoever waits for it is there until it has come.
            let _ = started.send(
                directory
                    .as_ref()
                    .map(|all| (all.dispatcher(), all.handle().ok()))
                    .map_err(|error| error.to_string()),
            );
            std::future::pending::<()>().await;
        });
        let tasks = actix::spawn(set.instrument(tracing::info_span!("process", name)));
        match starting.await.unwrap_or_else(|_| Err("it ended at once".into())) {
            Ok((dispatcher, watcher)) => Ok(Self { tasks, dispatcher, watcher }),
            Err(error) => {
                tasks.abort();
                Err(format!("a process does not start: {error}"))
            }
        }
    }

    /// Ends it, as a power failure would. When this returns, nothing of it is left.
    pub(super) async fn kill(self) {
        self.tasks.abort();
        // That it was cancelled is what was asked for.
        let _ = self.tasks.await;
    }
}
