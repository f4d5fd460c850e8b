//! What actors know of the world: small traits, with real adapters in [`crate::adapters`] and simulated ones in
//! `anzen-integration`. An actor reaches the world through these only; so the same actor runs under a simulated clock.

mod chain;
mod clock;
mod cpu;
mod disputes;
mod rng;
mod signer;
mod store;
mod transport;
mod tx_signer;

pub use chain::{
    CallError, ChainError, ChainReader, Fees, ModelInputs, OperatorRegistry, OperatorStanding,
    OperatorStandings, OracleValue, Receipt, RecordedStake, RegisteredOperator, ResponseCall, SendError,
    StakeStatus, TaskContract, TaskRules, TxBroadcast, Windows,
};
pub use clock::{Clock, UnixMillis};
pub use cpu::{CpuPool, Priority, run_at, run_on};
pub use disputes::{
    AnswerStanding, CommitteeCase, ContractCall, Disputes, FaultStanding, PostedAnswer, Recomputed,
    SignerStanding,
};
pub use rng::{Rng, jittered};
pub use signer::{BlsSigner, SignerError};
pub use store::{Space, Store, StoreError, Write};
pub use transport::{Transport, TransportError};
pub use tx_signer::{SignedTx, TxSigner, UnsignedTx};
