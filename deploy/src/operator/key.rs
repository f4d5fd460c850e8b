//! Whoever holds the operator's BLS key, for the one signature that registration needs.

use anzen_messages::bls::{HashedMessage, PublicKey, SecretKey, Signature};
use async_trait::async_trait;

/// Proves that the operator has its BLS key: a key in this process, or a remote signer.
#[async_trait]
pub trait BlsKey: Send + Sync {
    /// The public key.
    fn public_key(&self) -> PublicKey;

    /// Signs the coordinator's message; an error says why it did not.
    async fn sign(&self, message: &HashedMessage) -> Result<Signature, String>;
}

#[async_trait]
impl BlsKey for SecretKey {
    fn public_key(&self) -> PublicKey {
        Self::public_key(self)
    }

    async fn sign(&self, message: &HashedMessage) -> Result<Signature, String> {
        Ok(Self::sign(self, message))
    }
}
