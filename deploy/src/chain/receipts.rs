//! Waiting for a transaction's receipt, and finding out why it failed.

use super::{ChainError, Sent};
use alloy::{
    eips::BlockId,
    primitives::Address,
    providers::{DynProvider, Provider},
    rpc::types::TransactionReceipt,
};
use std::time::Duration;
use tokio::time::Instant;

/// Local chains answer at once, others take seconds: the wait between two questions doubles between these.
const FIRST_WAIT: Duration = Duration::from_millis(2);
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// A transaction without a receipt after this long is the user's to look at.
const PATIENCE: Duration = Duration::from_secs(600);

pub(super) async fn wait(provider: &DynProvider, sent: &Sent) -> Result<TransactionReceipt, ChainError> {
    let start = Instant::now();
    let mut pause = FIRST_WAIT;
    loop {
        let receipt = provider.get_transaction_receipt(sent.hash).await;
        match receipt.map_err(|e| ChainError::rpc(sent.what.clone(), e))? {
            Some(receipt) if receipt.status() => return Ok(receipt),
            Some(receipt) => return Err(failed(provider, sent, &receipt).await),
            None if start.elapsed() > PATIENCE => {
                let (what, hash) = (sent.what.clone(), sent.hash);
                return Err(ChainError::NoReceipt { what, hash, seconds: PATIENCE.as_secs() });
            }
            None => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(LONGEST_WAIT);
    }
}

/// Waits until no transaction of an account is on its way.
pub(super) async fn settled(provider: &DynProvider, account: Address) -> Result<(), ChainError> {
    let start = Instant::now();
    let mut pause = FIRST_WAIT;
    loop {
        let failed = |e| ChainError::rpc(format!("the nonce of {account}"), e);
        let known = provider.get_transaction_count(account).pending().await.map_err(failed)?;
        let mined = provider.get_transaction_count(account).await.map_err(failed)?;
        if mined >= known {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            return Err(ChainError::Unsettled { account, seconds: PATIENCE.as_secs() });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_WAIT);
    }
}

/// A receipt does not say why: calling the same in the same block usually does.
async fn failed(provider: &DynProvider, sent: &Sent, receipt: &TransactionReceipt) -> ChainError {
    let block = receipt.block_number.map_or_else(BlockId::latest, BlockId::number);
    let reason = match provider.call(sent.request.clone()).block(block).await {
        Err(e) => match ChainError::rpc(String::new(), e) {
            ChainError::Reverted { reason, .. } => reason,
            other => other.to_string(),
        },
        Ok(_) => "the cause is gone in the state after its block; was its gas used up?".to_owned(),
    };
    ChainError::Failed { what: sent.what.clone(), hash: sent.hash, reason }
}
