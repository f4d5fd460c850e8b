//! Nodes that are behind, and others who use the key.

use alloy::primitives::{B256, Bytes, U256};

use anzen_messages::transaction::{SendTransaction, TxRefusal};

use super::{World, id, request};
use crate::ports::{Fees, SignedTx};
use crate::tx_sender::effect::Effect;

/// Another, who uses the key, has a transaction waiting with nonce 7, which is never mined.
fn with_another() -> World {
    let mut world = World::new();
    let signed = SignedTx { hash: B256::repeat_byte(0xaa), raw: Bytes::new() };
    world.pool.insert(7, (id(99), signed, Fees { max_fee: 0, priority_fee: 0 }, true));
    world.tell();
    world
}

#[test]
fn a_node_that_is_behind_gets_no_used_nonce() {
    let mut world = World::new();
    world.behind = Some((7, 100));
    world.ask(request(0));
    let behind = world.behind.take();
    world.mine();
    assert!(world.succeeded(0));
    world.behind = behind;
    world.tell();
    world.ask(request(1));
    assert!(world.pool.contains_key(&8), "{:?}", world.signed);
}

#[test]
fn what_another_used_before_the_node_knew_is_given_up_at_once() {
    let mut world = World::new();
    world.behind = Some((7, 100));
    world.tell();
    world.nonce = 8;
    world.ask(request(0));
    assert!(world.pool.is_empty(), "nonce 7 is used");
    world.behind = None;
    world.mine();
    world.mine();
    assert!(world.succeeded(0));
    assert_eq!(world.signed.len(), 2);
}

#[test]
fn a_transaction_of_another_that_waits_is_not_outbid() {
    let mut world = with_another();
    world.ask(request(0));
    assert_eq!(world.pool.keys().copied().collect::<Vec<_>>(), [7, 8]);
    world.pool.remove(&7);
    world.nonce = 8;
    world.mine();
    assert!(world.succeeded(0));
    assert_eq!(world.signed.len(), 1);
}

#[test]
fn one_that_is_never_mined_does_not_hold_up_ours_for_ever() {
    let mut world = with_another();
    world.ask(request(0));
    world.mine_many(11);
    assert_eq!(world.outcome(0), None);
    world.mine_many(6);
    assert!(world.succeeded(0), "its place is taken by an empty transaction");
}

#[test]
fn a_nonce_that_nothing_explains_is_told_and_not_used() {
    let mut world = World::new();
    world.lie = Some(1_000_000);
    world.tell();
    world.ask(request(0));
    assert_eq!(world.pool.keys().copied().collect::<Vec<_>>(), [7]);
    world.mine_many(3);
    assert_eq!(world.told, [Effect::Doubtful { nonce: 1_000_000, known: 7 }], "once");
    world.lie = None;
    world.mine();
    assert!(world.succeeded(0));
    assert_eq!(world.signed.len(), 1);
}

/// Whoever goes on lying is believed at last, because the key may be used elsewhere. But nothing fills a million nonces.
#[test]
fn nonces_without_number_are_not_filled() {
    let mut world = World::new();
    world.lie = Some(1_000_000);
    world.mine_many(13);
    world.ask(SendTransaction { not_after: Some(world.head + 8), ..request(0) });
    assert_eq!(world.pool.keys().copied().collect::<Vec<_>>(), [1_000_000]);
    world.lie = None;
    world.mine_many(6);
    assert!(world.signed.values().all(|(_, tx, _)| tx.nonce == 1_000_000), "nothing is filled");
    world.ask(request(1));
    world.mine_many(4);
    assert!(world.succeeded(1), "others go on below it");
    assert_eq!(world.outcome(0), Some(&Err(TxRefusal::Expired)), "it is given up once it is useless");
}

/// Request 0 waits, for its price is too low, and from now on the node says that it is mined, and has reverted.
fn reverted_by_a_receipt() -> World {
    let mut world = World::new();
    world.ask(request(0));
    world.price = 100_000_000;
    (world.false_receipts, world.reverting) = (true, true);
    world
}

impl World {
    /// The node lies no more.
    fn truth(&mut self) {
        (self.false_receipts, self.reverting, self.lie) = (false, false, None);
    }
}

/// Once the lie is over, what it made is behind us within a few blocks, however far it went.
#[test]
fn nonces_that_were_made_up_are_filled_in_one_block() {
    let mut world = World::new();
    world.lie_pending = Some(u64::MAX);
    for i in 0..6 {
        world.tell();
        world.ask(request(i));
    }
    let highest = *world.pool.keys().next_back().unwrap();
    assert!((20..30).contains(&highest), "nonce {highest}");
    world.lie_pending = None;
    world.mine_many(5);
    assert!((0..6).all(|i| world.succeeded(i)), "{:?}", world.pool);
    assert_eq!(world.nonce, highest + 1);
    assert_eq!(world.queue.flights().count(), 0);
}

/// The lowest comes first, so that what little there is pays for what can be mined.
#[test]
fn a_gap_is_filled_from_below_with_the_little_that_is_left() {
    let mut world = World::new();
    world.lie_pending = Some(u64::MAX);
    world.tell();
    world.ask(request(0));
    world.lie_pending = None;
    // What one transaction is taken to cost, twice: the one that waits, and one that fills.
    world.balance = U256::from(2 * 125 * 10);
    world.mine_many(3);
    let filled = world.signed.values().filter(|(id, ..)| id.filled_nonce().is_some());
    assert_eq!(filled.map(|(_, tx, _)| tx.nonce).collect::<Vec<_>>(), [7], "only the lowest can be paid");
    world.mine_many(60);
    assert!(world.succeeded(0), "{:?}", world.pool);
}

#[test]
fn a_gap_below_others_is_filled_although_one_is_out_of_reach() {
    let mut world = World::new();
    world.lie = Some(1_000_000);
    world.mine_many(13);
    world.ask(request(0));
    world.lie = None;
    world.mine_many(6);
    world.lie_pending = Some(8);
    world.tell();
    world.ask(request(1));
    assert!(world.pool.contains_key(&8), "{:?}", world.pool);
    world.lie_pending = None;
    world.mine_many(4);
    assert!(world.succeeded(1), "{:?}", world.pool);
    assert_eq!(world.nonce, 9);
}

/// It may be of another fork, or made up: then the first transaction may still be mined.
#[test]
fn a_receipt_of_a_revert_that_no_count_bears_out_does_not_free_its_id() {
    let mut world = reverted_by_a_receipt();
    world.tell();
    world.truth();
    world.lie = Some(1_000_000);
    world.mine_many(11);
    world.lie = None;
    for _ in 0..20 {
        world.mine();
        world.ask(request(0));
    }
    assert!(world.signed.values().all(|(_, tx, _)| tx.nonce == 7), "{:?}", world.signed);
}

#[test]
fn a_false_count_with_a_false_receipt_does_not_free_an_id_either() {
    let mut world = reverted_by_a_receipt();
    world.lie = Some(8);
    world.tell();
    world.truth();
    for _ in 0..30 {
        world.mine();
        world.ask(request(0));
    }
    assert!(world.signed.values().all(|(_, tx, _)| tx.nonce == 7), "{:?}", world.signed);
    world.price = 1;
    world.mine_many(3);
    assert_eq!(world.effective[&id(0)], 1);
}

/// The count is right, the receipt is not: it says reverted, and it succeeded.
#[test]
fn a_false_revert_of_what_succeeded_does_not_free_its_id() {
    let mut world = reverted_by_a_receipt();
    world.tell();
    world.truth();
    world.price = 1;
    for _ in 0..40 {
        world.mine();
        world.ask(request(0));
    }
    assert_eq!(world.effective[&id(0)], 1);
    assert_eq!(world.signed.len(), 1, "{:?}", world.signed);
}

#[test]
fn a_false_count_with_a_false_receipt_gives_no_nonce_away() {
    let mut world = World::new();
    world.ask(request(0));
    world.ask(request(1));
    world.price = 100_000_000;
    (world.lie, world.false_receipts) = (Some(9), true);
    world.tell();
    world.truth();
    world.mine_many(30);
    assert_eq!(world.signed.values().map(|(_, tx, _)| tx.nonce).max(), Some(8), "{:?}", world.signed);
    world.price = 1;
    world.mine_many(3);
    assert_eq!(world.effective.len(), 2);
}

#[test]
fn a_count_of_used_ones_that_was_made_up_is_filled_once_it_is_not_believed_any_more() {
    let mut world = World::new();
    world.lie = Some(7 + 16);
    world.tell();
    world.ask(request(0));
    assert_eq!(world.pool.keys().copied().collect::<Vec<_>>(), [23]);
    world.lie = None;
    world.mine_many(9);
    assert!(world.succeeded(0), "{:?}", world.pool);
}

#[test]
fn what_only_a_receipt_says_is_mined_is_sent_again() {
    let mut world = World::new();
    world.price = 100;
    world.ask(request(0));
    world.false_receipts = true;
    world.forgetful = true;
    world.tell();
    world.pool.clear();
    (world.false_receipts, world.forgetful, world.price) = (false, false, 10);
    assert!(world.succeeded(0), "the node is believed");
    world.ask(request(1));
    world.mine_many(7);
    assert_eq!(world.effective.len(), 2, "{:?}", world.pool);
    assert!(world.succeeded(1));
}

#[test]
fn one_that_is_asked_for_again_for_longer_is_not_cancelled() {
    let mut world = World::new();
    world.ask(SendTransaction { not_after: Some(102), ..request(0) });
    world.ask(SendTransaction { not_after: Some(200), ..request(0) });
    world.price = 500;
    world.mine_many(6);
    assert!(world.succeeded(0), "{:?}", world.outcomes);
}
