//! The operator's BLS key, wherever it is.

use anzen_messages::OperatorId;
use anzen_messages::bls::{HashedMessage, Signature};
use async_trait::async_trait;

/// The key gave no signature. Asking again may help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the signer gave no signature: {0}")]
pub struct SignerError(pub String);

/// Signs with one operator's BLS key: in this process, or in a signer elsewhere.
#[async_trait]
pub trait BlsSigner: Send + Sync {
    /// Whose key it is.
    fn operator_id(&self) -> OperatorId;

    /// Signs a message that has been hashed to the curve.
    async fn sign(&self, message: &HashedMessage) -> Result<Signature, SignerError>;
}
