//! Sending transactions through a simulated endpoint.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use anzen_actors::ports::{CallError, ChainError, ContractCall, Fees, Receipt, SendError, TxBroadcast};
use async_trait::async_trait;

use super::chain_ports::{SimEndpoint, reverts};
use super::cluster::CHAIN_ID;
use super::transaction::SimTx;
use super::weather::View;
use crate::invariants::Fact;

#[async_trait]
impl TxBroadcast for SimEndpoint {
    fn chain_id(&self) -> u64 {
        CHAIN_ID
    }

    async fn nonce(&self, account: Address) -> Result<u64, ChainError> {
        let nonce = self.answer().await?.nonce(account);
        Ok(if self.lies() { self.another_nonce(nonce) } else { nonce })
    }

    async fn pending_nonce(&self, account: Address) -> Result<u64, ChainError> {
        let nonce = self.chain.pending_nonce(account, &self.answer().await?);
        Ok(if self.lies() { self.another_nonce(nonce) } else { nonce })
    }

    async fn balance(&self, _account: Address) -> Result<U256, ChainError> {
        self.answer().await?;
        Ok(U256::MAX)
    }

    async fn fees(&self) -> Result<Fees, ChainError> {
        self.answer().await?;
        Ok(Fees { max_fee: 1_000, priority_fee: 100 })
    }

    async fn estimate(&self, _from: Address, call: &ContractCall) -> Result<u64, CallError> {
        let fork = self.answer().await?;
        fork.try_call(&call.data).map_err(reverts)?;
        Ok(100_000)
    }

    async fn send(&self, raw: Bytes) -> Result<(), SendError> {
        let (sender, nonce) = SimTx::decode(&raw).map(|tx| (tx.from, tx.nonce))?;
        let hash = keccak256(&raw);
        // Before it is on its way: what leaves must be on disk whatever the node says.
        let id = self.disk.intent_of(sender, hash);
        self.witness.tell(Fact::Broadcast { sender, nonce, hash, id: id.clone(), taken: false });
        let fork = self.answer().await?;
        let cut_off = matches!(self.weather.view(), View::Frozen(_));
        let sent = if cut_off { Ok(()) } else { self.chain.send(&raw, &fork) };
        if sent.is_ok() && !cut_off {
            self.witness.tell(Fact::Broadcast { sender, nonce, hash, id, taken: true });
        }
        sent
    }

    async fn receipts(&self, hashes: &[B256]) -> Result<BTreeMap<B256, Receipt>, ChainError> {
        let fork = self.answer().await?;
        let receipt = |hash| if self.lies() { self.another_receipt(&fork) } else { fork.receipt(hash) };
        Ok(hashes.iter().filter_map(|hash| Some((*hash, receipt(*hash)?))).collect())
    }
}
