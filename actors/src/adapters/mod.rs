//! What the [ports](crate::ports) are in a real process.

mod local_signer;

pub use local_signer::LocalBlsSigner;
