//! What a node, or the disk, may tell the sender, for `just fuzz`.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, keccak256};
use anzen_messages::TaskHash;
use anzen_messages::chain::{BlockRef, ChainBlock, ChainDelta, DeltaBase, Header};
use anzen_messages::transaction::{SendTransaction, TxId, TxRefusal};

use super::Config;
use super::effect::{Account, Effect, Tried};
use super::queue::Queue;
use super::records;
use crate::follow::ChainState;
use crate::fuzz::Taken;
use crate::ports::{ChainError, Fees, Receipt, SendError, SignedTx};

fn new_queue() -> Queue {
    Queue::new(Config::default(), Address::ZERO, 1)
}

/// A record: its key, a line's end, its value.
pub(crate) fn record(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (key, value) = data.split_at(end);
    let Ok(intent) = records::read(key, value.get(1..).unwrap_or_default()) else { return };
    let mut queue = new_queue();
    queue.recover(intent);
    queue.synced(
        Account { nonce: u64::MAX, vouched: true, pending: u64::MAX, balance: Default::default() },
        &BTreeMap::new(),
    );
}

/// Whatever a node says, in any order, to whatever it is asked.
pub(crate) fn queue(data: &[u8]) {
    let mut taken = Taken(data);
    let (mut queue, mut asked) = (new_queue(), Vec::new());
    while !taken.is_empty() && asked.len() < 1_000 {
        let effects = step(&mut queue, &mut asked, &mut taken);
        asked.extend(effects);
    }
}

fn step(queue: &mut Queue, asked: &mut Vec<Effect>, taken: &mut Taken<'_>) -> Vec<Effect> {
    match taken.byte() % 4 {
        0 => queue.request(request(taken)),
        1 => queue.advance(&delta(taken)),
        _ if asked.is_empty() => Vec::new(),
        _ => {
            let which = usize::from(taken.byte()) % asked.len();
            let effect = asked.swap_remove(which);
            answer(queue, effect, taken)
        }
    }
}

fn request(taken: &mut Taken<'_>) -> SendTransaction {
    let id = TxId::respond(TaskHash(B256::repeat_byte(taken.byte() % 8)));
    let not_after = Some(taken.number()).filter(|last| last.is_multiple_of(2));
    SendTransaction { id, to: Address::ZERO, data: Bytes::new(), value: taken.word(), not_after }
}

fn delta(taken: &mut Taken<'_>) -> ChainDelta {
    let at = BlockRef { number: taken.number(), hash: B256::repeat_byte(taken.byte() % 4) };
    let base = match taken.byte() % 3 {
        0 => DeltaBase::Continues,
        1 => DeltaBase::RetractTo { block: at },
        _ => DeltaBase::Restart { response_window: 30 },
    };
    let header = Header { at, parent_hash: B256::ZERO, timestamp: 0, base_fee: 0 };
    ChainDelta { base, blocks: vec![ChainBlock { header, events: Vec::new() }], head: at }
}

fn fees(taken: &mut Taken<'_>) -> Fees {
    Fees { max_fee: taken.large(), priority_fee: taken.large() }
}

fn answer(queue: &mut Queue, effect: Effect, taken: &mut Taken<'_>) -> Vec<Effect> {
    let lost = || TxRefusal::Unavailable { error: String::new() };
    let heard = !taken.byte().is_multiple_of(8);
    match effect {
        Effect::Try { id, .. } if !heard => queue.tried(&id, Err(lost())),
        Effect::Try { id, .. } => {
            let tried = Tried { gas: taken.number(), fees: fees(taken), balance: taken.word() };
            queue.tried(&id, Ok(tried))
        }
        Effect::Sync { .. } if !heard => queue.not_synced(),
        Effect::Sync { hashes, .. } => {
            let vouched = taken.byte().is_multiple_of(2);
            let (nonce, pending) = (taken.number(), taken.number());
            let account = Account { nonce, vouched, pending, balance: taken.word() };
            let mut receipts = BTreeMap::new();
            for hash in hashes.into_iter().take(usize::from(taken.byte() % 4)) {
                let at = BlockRef { number: taken.number(), hash: B256::repeat_byte(taken.byte() % 4) };
                let succeeded = taken.byte().is_multiple_of(2);
                receipts.insert(hash, Receipt { at, gas_used: taken.number(), fee: taken.word(), succeeded });
            }
            queue.synced(account, &receipts)
        }
        Effect::Reprice { id } if !heard => {
            queue.not_repriced(&id);
            Vec::new()
        }
        Effect::Reprice { id } => queue.repriced(&id, fees(taken)),
        Effect::Sign { id, cancels, .. } if !heard => {
            queue.signed(&id, Err(lost()), Fees { max_fee: 0, priority_fee: 0 }, cancels)
        }
        Effect::Sign { id, tx, cancels } => {
            let raw = Bytes::from(format!("{id} {tx:?}").into_bytes());
            queue.signed(&id, Ok(SignedTx { hash: keccak256(&raw), raw }), tx.fees, cancels)
        }
        Effect::Send { id, hash, .. } if !heard => queue.not_saved(&id, hash, lost()),
        Effect::Send { id, hash, .. } | Effect::Resend { id, hash, .. } => {
            queue.broadcast(&id, hash, said(taken))
        }
        _ => Vec::new(),
    }
}

fn said(taken: &mut Taken<'_>) -> Result<(), SendError> {
    match taken.byte() % 6 {
        0 => Ok(()),
        1 => Err(SendError::NonceUsed),
        2 => Err(SendError::Underpriced),
        3 => Err(SendError::InsufficientFunds),
        4 => Err(SendError::Rejected(String::new())),
        _ => Err(SendError::Chain(ChainError::Endpoint(String::new()))),
    }
}
