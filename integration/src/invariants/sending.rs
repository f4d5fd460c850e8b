//! I4 and I5: what is broadcast.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use anzen_messages::transaction::TxId;

use super::chain::Chain;
use super::fact::MinedTx;
use super::{Invariant, Violation, require};

/// The transactions that nodes were handed.
#[derive(Debug, Default)]
pub(super) struct Sending {
    ids: BTreeMap<B256, (Address, TxId)>,
    nonces: BTreeMap<(Address, TxId), BTreeSet<u64>>,
    /// The newest block when an id was last broadcast, or was to be.
    last: BTreeMap<(Address, TxId), u64>,
}

impl Sending {
    pub(super) fn broadcast(
        &mut self,
        chain: &Chain,
        sender: Address,
        nonce: u64,
        hash: B256,
        id: Option<TxId>,
        taken: bool,
    ) -> Result<(), Violation> {
        let Some(id) = id else {
            let what = format!("{sender} broadcast transaction {hash} (nonce {nonce}), which is not on disk");
            return Err(Violation::new(Invariant::DiskFirst, what));
        };
        self.last.insert((sender, id.clone()), chain.head());
        if !taken {
            return Ok(());
        }
        self.ids.insert(hash, (sender, id.clone()));
        let nonces = self.nonces.entry((sender, id.clone())).or_default();
        nonces.insert(nonce);
        let free =
            nonces.iter().find(|other| **other != nonce && !chain.mined.contains_key(&(sender, **other)));
        require(free.is_none(), Invariant::OneTransaction, || {
            let free = free.copied().unwrap_or_default();
            format!("{sender} broadcast {id} with nonce {nonce} while the one with nonce {free} may be mined")
        })
    }

    pub(super) fn mined(&self, chain: &Chain, transactions: &[MinedTx]) -> Result<(), Violation> {
        for tx in transactions.iter().filter(|tx| tx.succeeded) {
            let Some((sender, id)) = self.ids.get(&tx.hash) else { continue };
            let others = self.nonces.get(&(*sender, id.clone())).into_iter().flatten();
            let twice = others.copied().filter(|nonce| *nonce != tx.nonce).find(|nonce| {
                let mined = chain.mined.get(&(*sender, *nonce));
                mined.is_some_and(|(_, hash, succeeded)| {
                    *succeeded && self.ids.get(hash).is_some_and(|(_, other)| other == id)
                })
            });
            require(twice.is_none(), Invariant::OneTransaction, || {
                format!("{id} of {sender} took effect twice, with nonces {} and {twice:?}", tx.nonce)
            })?;
        }
        Ok(())
    }

    /// How many ids were broadcast since block `since`.
    pub(super) fn ids_since(&self, since: u64) -> usize {
        self.last.values().filter(|block| **block >= since).count()
    }
}
