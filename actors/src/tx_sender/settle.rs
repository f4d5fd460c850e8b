//! What becomes of transactions under way, as blocks come.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::B256;
use anzen_messages::chain::{BlockRef, ChainBlock};
use anzen_messages::transaction::{TxId, TxRefusal};

use super::effect::{Account, Effect};
use super::gaps::MOST_FILLED;
use super::intent::{Counted, Flight, Stage};
use super::nonces::Weighed;
use super::queue::Queue;
use crate::follow::ChainState;
use crate::ports::Receipt;

/// After how many blocks what a block has done is there for good: chains fork, ten blocks deep at times, and a node may be a
/// block ahead of the one that was followed. At so many heads in a row a nonce must be used, and none of its transactions
/// mined, before another sender is believed to have used it; and for so long an id whose transaction reverted is not sent anew.
const FINAL_AFTER: u64 = 12;
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

impl Queue {
    /// Asks how all that is under way stands.
    pub(super) fn ask(&mut self) -> Option<Effect> {
        if let Some(sync) = &mut self.sync {
            sync.again = true;
            return None;
        }
        // The first block asks.
        if self.recent.0.is_empty() {
            return None;
        }
        let hashes: Vec<B256> = self.flights().flat_map(Flight::hashes).collect();
        let asked = hashes.iter().copied().collect();
        self.sync = Some(Sync { asked, again: false, stale: false });
        Some(Effect::Sync { hashes, credible: self.nonces.credible(self.highest_of_ours()) })
    }

    /// The question was not answered; the next block asks again.
    pub(super) fn not_synced(&mut self) -> Vec<Effect> {
        let again = self.sync.take().is_some_and(|sync| sync.again || sync.stale);
        if again { self.ask().into_iter().collect() } else { Vec::new() }
    }

    /// How the account stands, and which of the transactions are mined, as of about now.
    pub(super) fn synced(&mut self, account: Account, receipts: &BTreeMap<B256, Receipt>) -> Vec<Effect> {
        let Some(sync) = self.sync.take() else { return Vec::new() };
        if sync.stale {
            return self.ask().into_iter().collect();
        }
        let Account { nonce, vouched, pending, balance } = account;
        self.balance = balance;
        let ours = self.highest_of_ours();
        if let Weighed::Doubted { first } = self.nonces.weigh(nonce, vouched, ours, self.head) {
            let known = self.nonces.unused().or(ours).unwrap_or_default();
            let mut effects = Vec::from_iter(first.then_some(Effect::Doubtful { nonce, known }));
            effects.extend(sync.again.then(|| self.ask()).flatten());
            return effects;
        }
        let counted = nonce;
        self.doubt_receipts(counted);
        // A node that is behind does not know what is mined on the chain that is followed.
        let nonce = counted.max(self.mined_below());
        self.nonces.told(nonce, self.head);
        let ids: Vec<TxId> = self.intents.keys().cloned().collect();
        let settled = ids.iter().flat_map(|id| self.settle(id, nonce, receipts, &sync.asked));
        let mut effects: Vec<Effect> = settled.collect();
        self.doubt_receipts(counted);
        self.nonces.told_pending(pending, &self.taken(), self.head);
        effects.extend(self.fill_gap(pending));
        effects.extend(self.start_queued());
        if sync.again {
            effects.extend(self.ask());
        }
        effects
    }

    /// What no count of nonces has borne out for a while is not mined: it is looked for, and sent, as if it were under way.
    fn doubt_receipts(&mut self, unused: u64) {
        let head = self.head;
        for intent in self.intents.values_mut() {
            if let Stage::Done(flight) = &mut intent.stage
                && flight.is_contradicted(unused, head)
            {
                intent.doubt(head);
            }
        }
    }

    fn settle(
        &mut self,
        id: &TxId,
        nonce: u64,
        receipts: &BTreeMap<B256, Receipt>,
        asked: &BTreeSet<B256>,
    ) -> Vec<Effect> {
        let (head, confirmations) = (self.head, self.config.confirmations);
        let Some(intent) = self.intents.get_mut(id) else { return Vec::new() };
        let Stage::Flying { flight, busy: false } = &mut intent.stage else { return Vec::new() };
        flight.mined = None;
        let found = flight.hashes().find_map(|hash| Some((hash, receipts.get(&hash)?)));
        if let Some((hash, receipt)) = found {
            flight.found(hash, receipt);
            // A block that was not followed yet may be of another fork; the watcher will say.
            let deep = head.saturating_add(1) >= receipt.at.number.saturating_add(confirmations);
            let confirmed = deep && self.recent.has(receipt.at);
            let expired = flight.expiring && !flight.took_effect() && flight.nonce < nonce;
            return match confirmed {
                true if expired => self.forget(id),
                true => self.conclude(id),
                false => Vec::new(),
            };
        }
        if flight.nonce >= nonce {
            flight.missing.clear();
            let (of, concluded) = (flight.nonce, flight.concluded);
            let is_over = intent.request.not_after.is_some_and(|last| head > last);
            // An endpoint that was wrong gave it its nonce.
            let unused = self.nonces.unused().unwrap_or(nonce);
            return match is_over && self.nonces_unused_below(unused, of) > MOST_FILLED {
                true if concluded => self.forget(id),
                true => self.refuse(id, TxRefusal::Expired),
                false => self.urge(id),
            };
        }
        if flight.hashes().all(|hash| asked.contains(&hash)) {
            flight.missing.insert(head);
        }
        let gone = flight.missing.len() as u64 >= FINAL_AFTER.max(confirmations);
        if gone { self.start_over(id) } else { Vec::new() }
    }

    /// It is mined and confirmed. That is told at once, whatever became of it, and remembered: a reorg may undo it, and then the
    /// same transaction may be mined again, with another outcome.
    fn conclude(&mut self, id: &TxId) -> Vec<Effect> {
        let Some(intent) = self.intents.get_mut(id) else { return Vec::new() };
        let Stage::Flying { flight, .. } = &mut intent.stage else { return Vec::new() };
        let Some(outcome) = flight.outcome() else { return Vec::new() };
        let (id, fee) = (id.clone(), flight.fee);
        let told = std::mem::replace(&mut flight.concluded, true);
        flight.concluded_at.get_or_insert(self.head);
        flight.expiring = false;
        intent.stage = Stage::Done(flight.clone());
        let save = Effect::Save(id.clone());
        let reply = if told { Effect::Remind { id, outcome } } else { Effect::Conclude { id, outcome, fee } };
        vec![save, reply]
    }

    /// Nothing is to be remembered of it any more. Who asks at this moment is told what was told before.
    fn forget(&mut self, id: &TxId) -> Vec<Effect> {
        let Some(intent) = self.intents.remove(id) else { return Vec::new() };
        let outcome = intent.flight().and_then(Flight::outcome).unwrap_or(Err(TxRefusal::Expired));
        vec![Effect::Forget(id.clone()), Effect::Remind { id: id.clone(), outcome }]
    }

    /// Another sender used the nonce: nothing of this intent can be mined any more.
    pub(super) fn start_over(&mut self, id: &TxId) -> Vec<Effect> {
        if id.filled_nonce().is_some() {
            // The gap is filled.
            return self.refuse(id, TxRefusal::Expired);
        }
        self.set_stage(id, Stage::Queued);
        vec![Effect::Forget(id.clone())]
    }

    /// What is too old to be undone: successes are forgotten once nobody asks for them any more. What did nothing is looked at
    /// once more, since its id may be sent anew then.
    fn prune(&mut self) -> Vec<Effect> {
        let (head, remembered) = (self.head, self.config.remember_blocks.max(FINAL_AFTER));
        let mut over = Vec::new();
        for (id, intent) in &mut self.intents {
            let Stage::Done(flight) = &mut intent.stage else { continue };
            let useful = flight.took_effect();
            let kept = if useful { remembered } else { FINAL_AFTER };
            if flight.counted != Counted::Yes || head < flight.found_at().saturating_add(kept) {
                continue;
            }
            if useful {
                over.push(id.clone());
            } else {
                flight.expiring = true;
                intent.doubt(head);
            }
        }
        over.into_iter().inspect(|id| drop(self.intents.remove(id))).map(Effect::Forget).collect()
    }

    fn forked(&mut self) {
        self.nonces.forget();
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
        self.recent.0.retain(|number, _| *number <= block.number);
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
