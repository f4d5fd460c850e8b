//! The world that the actors of one process are given: real adapters, or simulated ones.

use std::sync::Arc;

use crate::ports::{
    BlsSigner, ChainReader, Clock, CpuPool, Disputes, ModelInputs, OperatorRegistry, OperatorStandings, Rng,
    Store, TaskContract, TxBroadcast, TxSigner,
};

/// One adapter per port.
#[derive(Clone)]
pub struct Ports {
    /// Blocks.
    pub reader: Arc<dyn ChainReader>,
    /// Operators and stakes.
    pub registry: Arc<dyn OperatorRegistry>,
    /// How the operator of this process stands.
    pub standings: Arc<dyn OperatorStandings>,
    /// The task manager.
    pub contract: Arc<dyn TaskContract>,
    /// Disputes.
    pub disputes: Arc<dyn Disputes>,
    /// What models read.
    pub inputs: Arc<dyn ModelInputs>,
    /// Transactions.
    pub broadcast: Arc<dyn TxBroadcast>,
    /// Records on disk.
    pub store: Arc<dyn Store>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub rng: Arc<dyn Rng>,
    /// Work beside the actors' thread.
    pub cpu: Arc<dyn CpuPool>,
    /// The operator's key, where the process has one.
    pub bls_signer: Option<Arc<dyn BlsSigner>>,
    /// The key of transactions, where the process has one.
    pub tx_signer: Option<Arc<dyn TxSigner>>,
}
