//! Whoever holds the operator's BLS key: this process, or a remote signer.

use anzen_messages::OperatorId;
use anzen_messages::bls::{HashedMessage, PublicKey, Signature};
use async_trait::async_trait;

/// Why there is no signature. Asking again with the same message is safe, and may help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// The signer did not answer.
    #[error("the signer did not answer: {0}; check that it is up")]
    Unavailable(String),
    /// The signer answered that it will not sign this.
    #[error("the signer refused: {0}; check which key and which messages it allows")]
    Refused(String),
}

/// Signs with one operator's BLS key: this is where a remote signer fits. Nothing of an operator's work needs the key itself:
/// answers and sessions are signed through this, and the registration's proof of possession is such a signature too, over
/// the point that the registry coordinator gives.
///
/// An implementation may take its time (the signature is awaited) and may fail: the operator asks again. Signing the same message again yields the same signature.
#[async_trait]
pub trait BlsSigner: Send + Sync {
    /// The operator whose key it is.
    fn operator_id(&self) -> OperatorId;

    /// The public key, which registration publishes.
    fn public_key(&self) -> PublicKey;

    /// Signs a message that has been hashed to the curve. Whether it may be signed is for the caller to know.
    async fn sign(&self, message: &HashedMessage) -> Result<Signature, SignerError>;
}
