//! A key in this process that pays for transactions.

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, TxKind};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use async_trait::async_trait;

use crate::ports::{SignedTx, SignerError, TxSigner, UnsignedTx};

/// Signs with a private key that this process holds.
#[derive(Debug, Clone)]
pub struct LocalTxSigner(PrivateKeySigner);

impl LocalTxSigner {
    /// Signs with `key`.
    pub fn new(key: PrivateKeySigner) -> Self {
        Self(key)
    }
}

#[async_trait]
impl TxSigner for LocalTxSigner {
    fn address(&self) -> Address {
        self.0.address()
    }

    async fn sign(&self, tx: &UnsignedTx) -> Result<SignedTx, SignerError> {
        let tx = TxEip1559 {
            chain_id: tx.chain_id,
            nonce: tx.nonce,
            gas_limit: tx.gas_limit,
            max_fee_per_gas: tx.fees.max_fee,
            max_priority_fee_per_gas: tx.fees.priority_fee,
            to: TxKind::Call(tx.to),
            value: tx.value,
            access_list: Default::default(),
            input: tx.data.clone(),
        };
        let signature = self.0.sign_hash_sync(&tx.signature_hash());
        let signature = signature.map_err(|error| SignerError::Refused(error.to_string()))?;
        let envelope = TxEnvelope::from(tx.into_signed(signature));
        Ok(SignedTx { hash: *envelope.tx_hash(), raw: envelope.encoded_2718().into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Fees;
    use alloy::consensus::Transaction;
    use alloy::eips::eip2718::Decodable2718;
    use alloy::primitives::{Bytes, U256, keccak256};

    #[tokio::test]
    async fn what_is_signed_is_what_was_asked_and_the_same_each_time() {
        let signer = LocalTxSigner::new(PrivateKeySigner::random());
        let tx = UnsignedTx {
            chain_id: 31_337,
            nonce: 7,
            to: Address::repeat_byte(1),
            data: Bytes::from_static(b"call"),
            value: U256::from(5),
            gas_limit: 100_000,
            fees: Fees { max_fee: 3, priority_fee: 2 },
        };
        let signed = signer.sign(&tx).await.unwrap();
        assert_eq!(signer.sign(&tx).await.unwrap(), signed);
        assert_eq!(keccak256(&signed.raw), signed.hash);
        let envelope = TxEnvelope::decode_2718(&mut signed.raw.as_ref()).unwrap();
        assert_eq!((envelope.chain_id(), envelope.nonce(), envelope.gas_limit()), (Some(31_337), 7, 100_000));
        assert_eq!((envelope.to(), envelope.input()), (Some(tx.to), &tx.data));
        assert_eq!((envelope.max_fee_per_gas(), envelope.max_priority_fee_per_gas()), (3, Some(2)));
    }
}
