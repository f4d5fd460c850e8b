//! Views, code and proxies.

use super::ChainError;
use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256, Bytes, U256, address, b256, hex},
    providers::{DynProvider, Provider},
    rpc::types::TransactionRequest,
    sol_types::SolCall,
};

/// ERC-1967: where a proxy keeps its implementation.
pub(crate) const IMPLEMENTATION_SLOT: B256 =
    b256!("0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");
/// ERC-1967: where a proxy keeps its administrator.
pub(crate) const ADMIN_SLOT: B256 =
    b256!("0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103");
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
