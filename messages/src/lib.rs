//! Anzen's vocabulary: domain values, BLS keys and signatures, and the messages that actors exchange.
//!
//! Nothing here does I/O. A module holds the messages of one actor and the values that only they use; what several
//! share stands beside them.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`task`], [`safety_factor`], [`model`] | what is asked, what is answered, and how the answer is computed |
//! | [`operator`], [`certificate`] | who may sign, and the proof that enough did |
//! | [`bls`] | keys, signatures and their sums over BN254 |
//! | [`chain`], [`signature`], [`aggregation`], [`transaction`] | the messages of ChainWatcher, SignatureCollector, Aggregator, TxSender |
//! | [`evidence`] | the proof that an operator signed two answers of one task |
//! | [`session`] | how an operator proves to an aggregator who it is |
//! | [`wire`], [`trace`] | how a message travels between processes, and which trace it belongs to |

pub mod aggregation;
pub mod bls;
pub mod certificate;
pub mod chain;
pub mod evidence;
pub mod model;
pub mod operator;
pub mod safety_factor;
pub mod session;
pub mod signature;
pub mod task;
pub mod trace;
pub mod transaction;
#[cfg(test)]
mod vectors;
pub mod wire;

pub use certificate::Certificate;
pub use operator::{OperatorId, OperatorSet};
pub use safety_factor::{NotASafetyFactor, SafetyFactor};
pub use task::{Task, TaskHash, TaskResponse};
