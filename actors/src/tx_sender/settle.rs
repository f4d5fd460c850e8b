//! What becomes of transactions under way, as blocks come.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{B256, Bytes};
use anzen_messages::chain::{BlockRef, ChainBlock};
use anzen_messages::transaction::{SendTransaction, TxId, TxRefusal};

use super::intent::{Flight, Intent, Stage};
use super::queue::{Effect, Queue};
use crate::follow::ChainState;
use crate::ports::Receipt;

/// At how many heads in a row a nonce must be used, and none of its transactions mined, before another sender is believed to
/// have used it for good: chains fork, and the nodes behind one endpoint need not be equally far.
const GONE_AFTER: u64 = 5;
/// For how many blocks a gap must be seen, likewise.
const GAP_AFTER: u64 = 2;
/// How many blocks are remembered: more than a reorg undoes.
const REMEMBERED: usize = 256;

/// The hashes of the newest blocks that were followed, by number.
#[derive(Debug, Default)]
pub(super) struct Recent(BTreeMap<u64, B256>);

impl Recent {
    /// True where the block is one of those that were followed, or older than all of them.
    fn has(&self, at: BlockRef) -> bool {
        match self.0.get(&at.number) {
            Some(hash) => *hash == at.hash,
            None => self.0.first_key_value().is_some_and(|(oldest, _)| at.number < *oldest),
        }
    }

    fn add(&mut self, at: BlockRef) {
        self.0.insert(at.number, at.hash);
        while self.0.len() > REMEMBERED {
            self.0.pop_first();
        }
    }
}

/// A question for nonce and receipts that has not been answered. There is one at a time, so that no answer is older than
/// one that was taken in before.
#[derive(Debug)]
pub(super) struct Sync {
    asked: BTreeSet<B256>,
    /// A block came meanwhile.
    again: bool,
    /// The chain forked meanwhile: the answer may be of the other fork.
    stale: bool,
}

/// A nonce that nothing has, below one that something has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gap {
    nonce: u64,
    since: u64,
}

impl Queue {
    /// Asks how all that is under way stands.
    fn ask(&mut self) -> Option<Effect> {
        if let Some(sync) = &mut self.sync {
            sync.again = true;
            return None;
        }
        let hashes: Vec<B256> = self.flights().flat_map(Flight::hashes).collect();
        let asked = hashes.iter().copied().collect();
        self.sync = Some(Sync { asked, again: false, stale: false });
        Some(Effect::Sync { hashes })
    }

    /// The question was not answered; the next block asks again.
    pub(super) fn not_synced(&mut self) -> Vec<Effect> {
        let again = self.sync.take().is_some_and(|sync| sync.again || sync.stale);
        if again { self.ask().into_iter().collect() } else { Vec::new() }
    }

    /// The nonce, and which of the transactions are mined, as of about now.
    pub(super) fn synced(&mut self, nonce: u64, receipts: &BTreeMap<B256, Receipt>) -> Vec<Effect> {
        let Some(sync) = self.sync.take() else { return Vec::new() };
        if sync.stale {
            return self.ask().into_iter().collect();
        }
        self.chain_nonce = Some(nonce);
        let ids: Vec<TxId> = self.intents.keys().cloned().collect();
        let settled = ids.iter().flat_map(|id| self.settle(id, nonce, receipts, &sync.asked));
        let mut effects: Vec<Effect> = settled.collect();
        effects.extend(self.fill_gap());
        effects.extend(self.start_queued());
        if sync.again {
            effects.extend(self.ask());
        }
        effects
    }

    fn settle(
        &mut self,
        id: &TxId,
        nonce: u64,
        receipts: &BTreeMap<B256, Receipt>,
        asked: &BTreeSet<B256>,
    ) -> Vec<Effect> {
        let (head, confirmations) = (self.head, self.config.confirmations);
        let Some(Intent { stage: Stage::Flying { flight, busy: false }, .. }) = self.intents.get_mut(id)
        else {
            return Vec::new();
        };
        flight.mined = None;
        let found = flight.hashes().find_map(|hash| Some((hash, receipts.get(&hash)?)));
        if let Some((hash, receipt)) = found {
            flight.found(hash, receipt);
            self.chain_nonce = self.chain_nonce.max(Some(flight.nonce + 1));
            // A block that was not followed yet may be of another fork; the watcher will say.
            let confirmed = head + 1 >= receipt.at.number + confirmations && self.recent.has(receipt.at);
            return if confirmed { self.conclude(id) } else { Vec::new() };
        }
        if flight.nonce >= nonce {
            flight.missing.clear();
            let stuck = flight.nonce == nonce && head >= flight.since + self.config.replace_after_blocks;
            return if stuck { vec![Effect::Reprice { id: id.clone() }] } else { Vec::new() };
        }
        if flight.hashes().all(|hash| asked.contains(&hash)) {
            flight.missing.insert(head);
        }
        let gone = flight.missing.len() as u64 >= GONE_AFTER.max(confirmations);
        if gone { self.start_over(id) } else { Vec::new() }
    }

    /// It is mined and confirmed. Only a success is remembered: what reverted may be asked for again.
    fn conclude(&mut self, id: &TxId) -> Vec<Effect> {
        let Some(intent) = self.intents.remove(id) else { return Vec::new() };
        let Stage::Flying { mut flight, .. } = intent.stage else { return Vec::new() };
        let Some(mined) = flight.mined.clone() else { return Vec::new() };
        let fee = flight.fee;
        let told = std::mem::replace(&mut flight.concluded, true);
        let outcome = if flight.was_cancelled() { Err(TxRefusal::Expired) } else { Ok(mined) };
        let remembered = outcome.as_ref().is_ok_and(|mined| mined.succeeded);
        let record = if remembered {
            self.intents.insert(id.clone(), Intent { request: intent.request, stage: Stage::Done(flight) });
            Effect::Save(id.clone())
        } else {
            Effect::Forget(id.clone())
        };
        let id = id.clone();
        let reply = match outcome {
            Ok(mined) if told => Effect::Remind { id, mined },
            outcome => Effect::Conclude { id, outcome, fee },
        };
        vec![record, reply]
    }

    /// Another sender used the nonce: nothing of this intent can be mined any more.
    fn start_over(&mut self, id: &TxId) -> Vec<Effect> {
        self.set_stage(id, Stage::Queued);
        vec![Effect::Forget(id.clone())]
    }

    /// A refused transaction leaves a gap, behind which nothing is mined: an empty transaction fills it, if no other does.
    fn fill_gap(&mut self) -> Vec<Effect> {
        let waiting =
            self.intents.values().any(|intent| matches!(intent.stage, Stage::Queued | Stage::Trying));
        let highest = self.nonces().last().copied();
        let free = self.free_nonce().filter(|free| highest.is_some_and(|highest| *free < highest));
        let Some(nonce) = free.filter(|_| !waiting) else {
            self.gap = None;
            return Vec::new();
        };
        let known = self.gap.filter(|gap| gap.nonce == nonce);
        let gap = *self.gap.insert(known.unwrap_or(Gap { nonce, since: self.head }));
        if self.head < gap.since + GAP_AFTER {
            return Vec::new();
        }
        let id = TxId::fill(nonce);
        let request =
            SendTransaction { id: id.clone(), to: self.sender, data: Bytes::new(), not_after: None };
        self.intents.insert(id.clone(), Intent { request, stage: Stage::Queued });
        self.start(&id)
    }

    /// Successes that are too old to be asked for, or to be undone.
    fn prune(&mut self) -> Vec<Effect> {
        let oldest = self.head.saturating_sub(self.config.remember_blocks);
        let old = |intent: &Intent| match &intent.stage {
            Stage::Done(flight) => flight.mined.as_ref().is_some_and(|mined| mined.block < oldest),
            _ => false,
        };
        let over: Vec<TxId> =
            self.intents.iter().filter(|(_, intent)| old(intent)).map(|(id, _)| id.clone()).collect();
        over.into_iter().inspect(|id| drop(self.intents.remove(id))).map(Effect::Forget).collect()
    }

    fn forked(&mut self) {
        self.chain_nonce = None;
        self.gap = None;
        if let Some(sync) = &mut self.sync {
            sync.stale = true;
        }
    }
}

impl ChainState for Queue {
    type Effect = Effect;

    fn restart(&mut self, _response_window: u64) -> Vec<Effect> {
        self.forked();
        self.recent = Recent::default();
        let head = self.head;
        self.intents.values_mut().for_each(|intent| intent.doubt(head));
        Vec::new()
    }

    /// What a reorg undid is under way again: it may be mined as it is.
    fn retract(&mut self, block: BlockRef) -> Vec<Effect> {
        self.forked();
        self.head = block.number;
        drop(self.recent.0.split_off(&(block.number + 1)));
        for intent in self.intents.values_mut() {
            match &mut intent.stage {
                Stage::Flying { flight, .. } => flight.missing.clear(),
                Stage::Done(flight)
                    if flight.mined.as_ref().is_some_and(|mined| mined.block > block.number) =>
                {
                    intent.doubt(block.number);
                }
                _ => {}
            }
        }
        Vec::new()
    }

    fn apply(&mut self, block: &ChainBlock, head: BlockRef) -> Vec<Effect> {
        self.head = block.header.at.number;
        self.recent.add(block.header.at);
        if block.header.at != head {
            return Vec::new();
        }
        let mut effects = self.prune();
        effects.extend(self.ask());
        effects
    }
}
