//! Sending transactions.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, U64, U128, U256};
use alloy::providers::utils::{
    EIP1559_FEE_ESTIMATION_PAST_BLOCKS, EIP1559_FEE_ESTIMATION_REWARD_PERCENTILE, eip1559_default_estimator,
};
use anzen_messages::chain::BlockRef;
use async_trait::async_trait;
use futures::future::join_all;
use serde::Deserialize;
use serde_json::json;

use super::AlloyChain;
use super::failure::Failure;
use crate::ports::{CallError, ChainError, ContractCall, Fees, Receipt, SendError, TxBroadcast};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RpcReceipt {
    transaction_hash: B256,
    block_number: U64,
    block_hash: B256,
    gas_used: U64,
    effective_gas_price: U128,
    status: U64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeeHistory {
    base_fee_per_gas: Vec<U128>,
    #[serde(default)]
    reward: Option<Vec<Vec<U128>>>,
}

#[async_trait]
impl TxBroadcast for AlloyChain {
    fn chain_id(&self) -> u64 {
        self.addresses.chain_id
    }

    async fn nonce(&self, account: Address) -> Result<u64, ChainError> {
        let nonce: U64 = self.rpc.ask("eth_getTransactionCount", (account, "latest")).await?;
        Ok(nonce.to())
    }

    async fn pending_nonce(&self, account: Address) -> Result<u64, ChainError> {
        let nonce: U64 = self.rpc.ask("eth_getTransactionCount", (account, "pending")).await?;
        Ok(nonce.to())
    }

    async fn nonces(&self, account: Address) -> Vec<u64> {
        let of = |endpoint| self.rpc.ask_of(endpoint, "eth_getTransactionCount", (account, "latest"));
        let told: Vec<Result<U64, Failure>> = join_all(self.rpc.order().into_iter().map(of)).await;
        told.into_iter().flatten().map(|nonce| nonce.to()).collect()
    }

    async fn balance(&self, account: Address) -> Result<U256, ChainError> {
        Ok(self.rpc.ask("eth_getBalance", (account, "latest")).await?)
    }

    async fn fees(&self) -> Result<Fees, ChainError> {
        let params = (
            U64::from(EIP1559_FEE_ESTIMATION_PAST_BLOCKS),
            "latest",
            [EIP1559_FEE_ESTIMATION_REWARD_PERCENTILE],
        );
        let history: FeeHistory = self.rpc.ask("eth_feeHistory", params).await?;
        Ok(fees_of(history))
    }

    async fn estimate(&self, from: Address, call: &ContractCall) -> Result<u64, CallError> {
        let call = json!({ "from": from, "to": call.to, "data": call.data, "value": call.value });
        let gas: U64 = self.rpc.ask("eth_estimateGas", [call]).await?;
        Ok(gas.to())
    }

    async fn send(&self, raw: Bytes) -> Result<(), SendError> {
        self.rpc.send(raw).await
    }

    async fn receipts(&self, hashes: &[B256]) -> Result<BTreeMap<B256, Receipt>, ChainError> {
        let params = hashes.iter().map(|hash| [*hash]).collect();
        let receipts: Vec<Option<RpcReceipt>> =
            self.rpc.ask_many("eth_getTransactionReceipt", params).await?;
        Ok(receipts.iter().flatten().map(receipt_of).collect())
    }
}

/// More than any fee: what an endpoint says beyond that is not added up.
const MOST_FEE: u128 = u128::MAX >> 8;

/// What it costs to be mined soon.
pub(super) fn fees_of(history: FeeHistory) -> Fees {
    let fee = |fee: &U128| fee.to::<u128>().min(MOST_FEE);
    // The last one is of the block that is still to come.
    let base = history.base_fee_per_gas.last().map_or(0, fee);
    let rewards = history.reward.unwrap_or_default().into_iter();
    let rewards: Vec<Vec<u128>> = rewards.map(|block| block.iter().map(fee).collect()).collect();
    let estimate = eip1559_default_estimator(base, &rewards);
    Fees { max_fee: estimate.max_fee_per_gas, priority_fee: estimate.max_priority_fee_per_gas }
}

pub(super) fn receipt_of(receipt: &RpcReceipt) -> (B256, Receipt) {
    let at = BlockRef { number: receipt.block_number.to(), hash: receipt.block_hash };
    let succeeded = !receipt.status.is_zero();
    let gas_used = receipt.gas_used.to();
    let fee = U256::from(gas_used) * U256::from(receipt.effective_gas_price);
    (receipt.transaction_hash, Receipt { at, gas_used, fee, succeeded })
}
