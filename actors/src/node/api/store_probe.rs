//! Whether records can be written.

use std::sync::Arc;

use async_trait::async_trait;

use crate::health::{Health, HealthProbe, Pulse};
use crate::ports::{Space, Store, UnixMillis, Write};

/// What is written to see whether the disk works again.
const SPACE: Space = Space("health");

/// Asks nothing of a disk that works; tries one that did not the last time.
pub(crate) struct StoreProbe {
    /// The store.
    pub(crate) store: Arc<dyn Store>,
    /// What came of its last transaction.
    pub(crate) pulse: Pulse,
}

#[async_trait]
impl HealthProbe for StoreProbe {
    async fn examine(&self, _now: UnixMillis) -> Health {
        if self.pulse.trouble().is_some() {
            let write = Write::Put { space: SPACE, key: b"try".to_vec(), value: Vec::new() };
            // What comes of it is in the pulse.
            let _ = self.store.commit(vec![write]).await;
        }
        self.pulse.health()
    }
}
