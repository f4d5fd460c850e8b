//! What the [ports](crate::ports) are in a real process.

mod alloy_chain;
mod blocking_pool;
mod local_signer;
mod local_tx_signer;
mod os_rng;
mod sqlite_store;
mod system_clock;

#[cfg(any(test, feature = "fuzz"))]
pub(crate) use alloy_chain::fuzz;
pub(crate) use alloy_chain::redacted;
pub use alloy_chain::{AlloyChain, ChainAddresses, ChainConfig, Endpoint, EndpointError, RpcMetrics};
pub use blocking_pool::BlockingPool;
pub use local_signer::LocalBlsSigner;
pub use local_tx_signer::LocalTxSigner;
pub use os_rng::{NoRandomness, OsRng};
pub use sqlite_store::{Dropped, SpaceSize, SqliteStore, StoreConfig, StoreInspector, StoreMetrics};
pub use system_clock::SystemClock;
