//! Views, code and proxies.

use super::{ChainError, Request};
use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256, Bytes, TxKind, U256, address, b256, hex},
    providers::{DynProvider, Provider},
    rpc::types::TransactionRequest,
    sol_types::SolCall,
};
use std::time::Duration;

/// ERC-1967: where a proxy keeps its implementation.
pub(crate) const IMPLEMENTATION_SLOT: B256 =
    b256!("0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");
/// ERC-1967: where a proxy keeps its administrator.
pub(crate) const ADMIN_SLOT: B256 =
    b256!("0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103");
/// How many blocks are looked at to tell how long one takes.
const SAMPLE: u64 = 100;
/// OpenZeppelin's views of a timelock may ask who calls; anyone will do.
const READER: Address = address!("0x0000000000000000000000000000000000000001");

/// Calls a view of the contract at `to`, at the latest block.
pub async fn read<C: SolCall>(provider: &DynProvider, to: Address, call: C) -> Result<C::Return, ChainError> {
    read_at(provider, to, call, BlockId::latest()).await
}

/// Calls a view of the contract at `to`, at a block.
pub async fn read_at<C: SolCall>(
    provider: &DynProvider,
    to: Address,
    call: C,
    block: BlockId,
) -> Result<C::Return, ChainError> {
    let request = TransactionRequest::default().from(READER).to(to).input(call.abi_encode().into());
    let what = || format!("{} of {to}", C::SIGNATURE);
    let answer = provider.call(request).block(block).await.map_err(|e| ChainError::rpc(what(), e))?;
    C::abi_decode_returns(&answer).map_err(|_| ChainError::Answer {
        what: C::SIGNATURE.to_owned(),
        address: to,
        answer: hex::encode_prefixed(&answer),
    })
}

/// The code at an address; empty if there is none.
pub async fn code_at(provider: &DynProvider, address: Address) -> Result<Bytes, ChainError> {
    provider.get_code_at(address).await.map_err(|e| ChainError::rpc(format!("the code of {address}"), e))
}

/// The time stamp of the latest block, in seconds since 1970.
pub async fn latest_timestamp(provider: &DynProvider) -> Result<u64, ChainError> {
    let block = provider.get_block_by_number(BlockNumberOrTag::Latest).await;
    let block = block.map_err(|e| ChainError::rpc("the latest block", e))?;
    Ok(block.map(|block| block.header.timestamp).unwrap_or_default())
}

/// How long a block takes, as of the last ones; nothing where that cannot be told.
pub async fn block_time(provider: &DynProvider) -> Result<Option<Duration>, ChainError> {
    let head = provider.get_block_number().await;
    let head = head.map_err(|e| ChainError::rpc("the latest block's number", e))?;
    let span = SAMPLE.min(head);
    let (first, last) = (timestamp(provider, head - span).await?, timestamp(provider, head).await?);
    let seconds = last.saturating_sub(first);
    Ok(u32::try_from(span).ok().filter(|span| *span > 0).map(|span| Duration::from_secs(seconds) / span))
}

async fn timestamp(provider: &DynProvider, number: u64) -> Result<u64, ChainError> {
    let block = provider.get_block_by_number(number.into()).await;
    let block = block.map_err(|e| ChainError::rpc(format!("block {number}"), e))?;
    Ok(block.map_or(0, |block| block.header.timestamp))
}

/// Why a call from `from` would revert, by name; nothing where it would not.
///
/// # Errors
/// Where the node does not answer.
pub async fn revert_of(
    provider: &DynProvider,
    from: Address,
    request: &Request,
) -> Result<Option<String>, ChainError> {
    let mut call = TransactionRequest::default().from(from).input(request.data.clone().into());
    call.to = request.to.map(TxKind::Call);
    match provider.call(call).await.map_err(|e| ChainError::rpc(request.what.clone(), e)) {
        Ok(_) => Ok(None),
        Err(ChainError::Reverted { reason, .. }) => Ok(Some(reason)),
        Err(error) => Err(error),
    }
}

/// The implementation behind an ERC-1967 proxy; zero if it is none.
pub async fn proxy_implementation(provider: &DynProvider, proxy: Address) -> Result<Address, ChainError> {
    address_in_slot(provider, proxy, IMPLEMENTATION_SLOT).await
}

/// The administrator of an ERC-1967 proxy; zero if it is none.
pub async fn proxy_admin(provider: &DynProvider, proxy: Address) -> Result<Address, ChainError> {
    address_in_slot(provider, proxy, ADMIN_SLOT).await
}

async fn address_in_slot(provider: &DynProvider, of: Address, slot: B256) -> Result<Address, ChainError> {
    let value = provider
        .get_storage_at(of, U256::from_be_bytes(slot.0))
        .await
        .map_err(|e| ChainError::rpc(format!("the proxy's storage of {of}"), e))?;
    Ok(Address::from_word(value.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::keccak256;

    #[test]
    fn slots_are_those_of_erc_1967() {
        for (name, slot) in [("implementation", IMPLEMENTATION_SLOT), ("admin", ADMIN_SLOT)] {
            let hash = U256::from_be_bytes(keccak256(format!("eip1967.proxy.{name}")).0);
            assert_eq!(hash - U256::from(1), U256::from_be_bytes(slot.0), "{name}");
        }
    }
}
