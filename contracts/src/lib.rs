//! Typed bindings of Anzen's contracts and of EigenLayer's.
//!
//! Those of Anzen, and of OpenZeppelin's contracts that a deployment uses, are made by build.rs from what the Solidity
//! compiler wrote, so they carry the bytecode. Those of EigenLayer are declared by hand, in [`eigenlayer`].

mod convert;
pub mod eigenlayer;
pub mod revert;
pub mod runtime;

#[allow(missing_docs, reason = "generated; the Solidity interfaces are documented")]
mod bindings {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

pub use bindings::*;

pub use anzen_task_manager::{
    BN254::{G1Point, G2Point},
    IAnzenTaskManager::{Task, TaskPolicy, TaskResponse, TaskResponseMetadata, Windows},
    IBLSSignatureChecker::NonSignerStakesAndSignature,
};

impl From<eigenlayer::G1Point> for G1Point {
    fn from(point: eigenlayer::G1Point) -> Self {
        Self { X: point.X, Y: point.Y }
    }
}

impl From<G1Point> for eigenlayer::G1Point {
    fn from(point: G1Point) -> Self {
        Self { X: point.X, Y: point.Y }
    }
}

impl From<eigenlayer::G2Point> for G2Point {
    fn from(point: eigenlayer::G2Point) -> Self {
        Self { X: point.X, Y: point.Y }
    }
}

impl From<G2Point> for eigenlayer::G2Point {
    fn from(point: G2Point) -> Self {
        Self { X: point.X, Y: point.Y }
    }
}
