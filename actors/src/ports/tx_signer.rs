//! The key that pays for transactions.

use alloy::primitives::{Address, B256, Bytes, U256};
use async_trait::async_trait;

use super::{Fees, SignerError};

/// A call, ready to be signed (EIP-1559).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedTx {
    /// The chain that it is for.
    pub chain_id: u64,
    /// Its place among the sender's transactions.
    pub nonce: u64,
    /// The contract.
    pub to: Address,
    /// The call.
    pub data: Bytes,
    /// What is paid with it, in wei.
    pub value: U256,
    /// The most gas that it may take.
    pub gas_limit: u64,
    /// What it offers per gas.
    pub fees: Fees,
}

/// A signed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTx {
    /// Its hash.
    pub hash: B256,
    /// The bytes to broadcast.
    pub raw: Bytes,
}

/// Signs transactions with one key; used by TxSender. This is where a remote signer (Web3Signer, a cloud's key service) fits:
/// it is given the transaction's fields, not a hash, so that it can decide what it signs.
#[async_trait]
pub trait TxSigner: Send + Sync {
    /// The key's account.
    fn address(&self) -> Address;

    /// Signs. The same transaction yields the same bytes.
    async fn sign(&self, tx: &UnsignedTx) -> Result<SignedTx, SignerError>;
}
