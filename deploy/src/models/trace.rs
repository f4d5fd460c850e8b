//! The storage slot behind a view call: where it can be proved what the call returns.

use crate::chain::{ChainError, IMPLEMENTATION_SLOT, proxy_implementation};
use alloy::{
    primitives::{Address, B256, Bytes, U256},
    providers::{DynProvider, Provider},
    rpc::types::AccessListResult,
};
use anzen_messages::model::{Guard, Source, field_of};
use serde_json::{Value, json};

/// The most slots that are tried.
const MOST_SLOTS: usize = 64;
/// Every byte another one, and none that a signed number would be extended by: what a call returns of it tells which bytes it
/// takes.
const PATTERN: B256 = {
    let mut bytes = [0; 32];
    let mut place = 0;
    while place < 32 {
        bytes[place as usize] = place + 1;
        place += 1;
    }
    B256::new(bytes)
};

/// Why nothing was traced.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The call does not return one number.
    #[error(
        "the call returns {0} bytes, and a source is one word of 32; trace a view that returns one number"
    )]
    NotAWord(usize),
    /// The call cannot be executed while it is traced.
    #[error("the call cannot be traced: {0}")]
    Failed(String),
    /// The node did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// What is behind a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The block that was looked at.
    pub block: u64,
    /// What the call returns there.
    pub value: U256,
    /// How many slots it reads.
    pub slots: usize,
    /// The slots whose bytes are what it returns, whatever they hold, ready for a model: more than one only where the call reads
    /// the same in several places.
    pub sources: Vec<Source>,
}

/// Finds out which bytes of which slot a call of `target` returns, at the latest block. Each slot that it reads is given another
/// content for one trial: the one whose bytes come back is it, and one that holds the same by chance is not.
///
/// # Errors
/// Where the call fails or returns something else than a word, or the node cannot make an access list.
pub async fn trace(provider: &DynProvider, target: Address, call_data: &Bytes) -> Result<Trace, TraceError> {
    let block = provider.get_block_number().await;
    let block = block.map_err(|error| ChainError::rpc("the latest block's number", error))?;
    let call = Call { provider, params: json!({ "to": target, "data": call_data }), block };
    let value = call.value(json!({})).await?;
    let slots = call.slots().await?;
    let mut sources = Vec::new();
    for (account, slot) in slots.iter().take(MOST_SLOTS) {
        if let Some((offset, width)) = call.field(*account, *slot).await? {
            let held = provider.get_storage_at(*account, U256::from_be_bytes(slot.0)).number(block).await;
            let held = held.map_err(|error| ChainError::rpc(format!("the storage of {account}"), error))?;
            if field_of(held.into(), offset, width) == value {
                let guards = guards(provider, target, *account).await?;
                sources.push(Source::StorageSlot { account: *account, slot: *slot, offset, width, guards });
            }
        }
    }
    Ok(Trace { block, value, slots: slots.len(), sources })
}

struct Call<'a> {
    provider: &'a DynProvider,
    params: Value,
    block: u64,
}

impl Call<'_> {
    /// What it returns where the state is changed like this.
    async fn value(&self, overrides: Value) -> Result<U256, TraceError> {
        let params = (self.params.clone(), format!("{:#x}", self.block), overrides);
        let returned: Result<Bytes, _> = self.provider.raw_request("eth_call".into(), params).await;
        let returned = returned.map_err(|error| ChainError::rpc("the call", error))?;
        let word = <[u8; 32]>::try_from(returned.as_ref());
        Ok(U256::from_be_bytes(word.map_err(|_| TraceError::NotAWord(returned.len()))?))
    }

    /// The slots that it reads, with whose they are.
    async fn slots(&self) -> Result<Vec<(Address, B256)>, TraceError> {
        let params = (self.params.clone(), format!("{:#x}", self.block));
        let listed: Result<AccessListResult, _> =
            self.provider.raw_request("eth_createAccessList".into(), params).await;
        let listed = listed.map_err(|error| ChainError::rpc("the call's access list", error))?;
        if let Some(error) = listed.error {
            return Err(TraceError::Failed(error));
        }
        let of = |(account, slots): (Address, Vec<B256>)| slots.into_iter().map(move |slot| (account, slot));
        Ok(listed
            .access_list
            .0
            .into_iter()
            .map(|item| (item.address, item.storage_keys))
            .flat_map(of)
            .collect())
    }

    /// The bytes of the slot that it returns, if it does: their offset and width.
    async fn field(&self, account: Address, slot: B256) -> Result<Option<(u8, u8)>, TraceError> {
        let mut changed = json!({});
        changed[account.to_string()] = json!({ "stateDiff": { slot.to_string(): PATTERN } });
        match self.value(changed).await {
            Ok(value) => Ok(field_with(value)),
            // The slot matters otherwise: it is a proxy's implementation, or a length.
            Err(
                TraceError::NotAWord(_)
                | TraceError::Chain(ChainError::Reverted { .. } | ChainError::Answer { .. }),
            ) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The field of the pattern that has this value.
fn field_with(value: U256) -> Option<(u8, u8)> {
    let fields = (0..32_u8).flat_map(|offset| (1..=32 - offset).map(move |width| (offset, width)));
    fields.into_iter().find(|(offset, width)| field_of(PATTERN, *offset, *width) == value)
}

/// What a slot means follows from the code: that of a proxy can be replaced.
async fn guards(provider: &DynProvider, target: Address, account: Address) -> Result<Vec<Guard>, ChainError> {
    let mut guards = Vec::new();
    for proxy in if target == account { vec![target] } else { vec![target, account] } {
        let implementation = proxy_implementation(provider, proxy).await?;
        if !implementation.is_zero() {
            let expected = implementation.into_word();
            guards.push(Guard { account: proxy, slot: IMPLEMENTATION_SLOT, expected });
        }
    }
    Ok(guards)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_told_from_every_other() {
        for offset in 0..32_u8 {
            for width in 1..=32 - offset {
                assert_eq!(field_with(field_of(PATTERN, offset, width)), Some((offset, width)));
            }
        }
        assert_eq!(field_with(U256::ZERO), None);
        assert_eq!(field_with(U256::from(33)), None);
    }
}
