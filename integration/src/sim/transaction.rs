//! Transactions. Their bytes say who sent them: there is nothing to forge in a simulation.

use alloy_primitives::{Address, Bytes, keccak256};
use anzen_actors::ports::{SendError, SignedTx, SignerError, TxSigner, UnsignedTx};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SimTx {
    pub(super) from: Address,
    pub(super) nonce: u64,
    pub(super) data: Bytes,
    pub(super) max_fee: u128,
}

impl SimTx {
    fn encode(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    pub(super) fn decode(raw: &Bytes) -> Result<Self, SendError> {
        serde_json::from_slice(raw).map_err(|error| SendError::Rejected(error.to_string()))
    }
}

/// A sender of transactions. The simulated chain believes what a transaction says of its sender.
#[derive(Debug)]
pub(super) struct SimTxSigner(pub(super) Address);

#[async_trait]
impl TxSigner for SimTxSigner {
    fn address(&self) -> Address {
        self.0
    }

    async fn sign(&self, tx: &UnsignedTx) -> Result<SignedTx, SignerError> {
        let (nonce, data, max_fee) = (tx.nonce, tx.data.clone(), tx.fees.max_fee);
        let raw = SimTx { from: self.0, nonce, data, max_fee }.encode();
        Ok(SignedTx { hash: keccak256(&raw), raw })
    }
}
