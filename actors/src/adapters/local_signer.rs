//! A BLS key in this process.

use anzen_messages::OperatorId;
use anzen_messages::bls::{HashedMessage, PublicKey, SecretKey, Signature};
use async_trait::async_trait;

use crate::ports::{BlsSigner, SignerError};

/// Signs with a key that this process holds.
#[derive(Debug)]
pub struct LocalBlsSigner {
    key: SecretKey,
    operator_id: OperatorId,
}

impl LocalBlsSigner {
    /// A signer that holds `key`.
    pub fn new(key: SecretKey) -> Self {
        Self { operator_id: key.public_key().operator_id(), key }
    }
}

#[async_trait]
impl BlsSigner for LocalBlsSigner {
    fn operator_id(&self) -> OperatorId {
        self.operator_id
    }

    fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    async fn sign(&self, message: &HashedMessage) -> Result<Signature, SignerError> {
        Ok(self.key.sign(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anzen_messages::bls::{hash_to_g1, verify};

    #[tokio::test]
    async fn its_signatures_are_of_its_key() {
        let key = SecretKey::from_hex("2a").unwrap();
        let signer = LocalBlsSigner::new(key.clone());
        let message = hash_to_g1([7; 32].into());
        let signature = signer.sign(&message).await.unwrap();
        assert!(verify(&message, &signature, &key.public_key().g2()));
        assert_eq!(signer.operator_id(), key.public_key().operator_id());
    }
}
