//! What a node sees: the blocks of one fork, up to some block, with the state after each.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use anzen_actors::ports::Receipt;
use anzen_messages::chain::{BlockRef, ChainBlock, Header};

use super::contract::Contract;

/// A block, and the state after it.
#[derive(Debug, Clone)]
pub(super) struct SimBlock {
    pub(super) block: ChainBlock,
    pub(super) receipts: BTreeMap<B256, Receipt>,
    /// Senders and nonces of its transactions.
    pub(super) mined: Vec<(Address, u64)>,
    pub(super) contract: Contract,
    pub(super) nonces: BTreeMap<Address, u64>,
}

impl SimBlock {
    pub(super) fn genesis(contract: Contract) -> Self {
        let at = BlockRef { number: 0, hash: keccak256("genesis") };
        let header = Header { at, parent_hash: B256::ZERO, timestamp: 0, base_fee: 1 };
        Self {
            block: ChainBlock { header, events: Vec::new() },
            receipts: BTreeMap::new(),
            mined: Vec::new(),
            contract,
            nonces: BTreeMap::new(),
        }
    }
}

/// Some blocks that follow each other, from the first on; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Fork {
    blocks: Arc<Vec<Arc<SimBlock>>>,
    /// How many of them are seen; at least one.
    seen: usize,
}

impl Fork {
    pub(super) fn new(blocks: Arc<Vec<Arc<SimBlock>>>) -> Self {
        Self { seen: blocks.len(), blocks }
    }

    /// The same without the newest `blocks`.
    pub(super) fn behind(self, blocks: usize) -> Self {
        Self { seen: self.seen.saturating_sub(blocks).max(1), ..self }
    }

    fn tip(&self) -> &SimBlock {
        &self.blocks[self.seen - 1]
    }

    fn seen(&self) -> impl DoubleEndedIterator<Item = &SimBlock> {
        self.blocks[..self.seen].iter().map(Arc::as_ref)
    }

    pub(super) fn head(&self) -> &Header {
        &self.tip().block.header
    }

    pub(super) fn block(&self, number: u64) -> Option<&ChainBlock> {
        let place = usize::try_from(number).ok().filter(|place| *place < self.seen)?;
        Some(&self.blocks[place].block)
    }

    /// The state after the newest block.
    pub(super) fn contract(&self) -> &Contract {
        &self.tip().contract
    }

    /// Tries a call on top of the newest block.
    pub(super) fn try_call(&self, data: &Bytes) -> Result<(), String> {
        let parent = self.head().at;
        self.contract().clone().execute(data, parent.number + 1, parent, B256::ZERO).map(|_| ())
    }

    pub(super) fn knows(&self, hash: B256) -> bool {
        self.seen().rev().any(|block| block.block.header.at.hash == hash)
    }

    pub(super) fn nonce(&self, account: Address) -> u64 {
        self.tip().nonces.get(&account).copied().unwrap_or_default()
    }

    pub(super) fn receipt(&self, hash: B256) -> Option<Receipt> {
        self.seen().rev().find_map(|block| block.receipts.get(&hash)).cloned()
    }
}
