//! Transactions that are mined and do nothing: a reorg may undo that, and then they may still do it.

use alloy::primitives::U256;
use anzen_messages::transaction::{SendTransaction, TxRefusal};

use super::{World, id, request};
use crate::follow::ChainState;
use crate::ports::Receipt;
use crate::testing::block_ref;

/// A request whose transaction has reverted, in block 101.
fn reverted() -> World {
    let mut world = World::new();
    world.reverting = true;
    world.ask(request(0));
    world.mine();
    assert!(matches!(world.outcome(0), Some(Ok(mined)) if !mined.succeeded), "it is told at once");
    world.reverting = false;
    world
}

/// A reorg undoes block 101, and what was in it waits again.
fn undo(world: &mut World) {
    world.queue.retract(block_ref(100));
    (world.head, world.nonce) = (100, 7);
    world.mined.clear();
    world.outcomes.clear();
}

#[test]
fn one_that_reverted_is_sent_anew_once_no_reorg_undoes_it() {
    let mut world = reverted();
    world.mine_many(11);
    world.ask(request(0));
    assert_eq!((world.outcomes.len(), world.signed.len()), (2, 1), "the same is told, and nothing is sent");
    world.mine();
    world.ask(request(0));
    assert!(world.pool.contains_key(&8));
    world.mine();
    assert_eq!(world.effective[&id(0)], 1);
}

#[test]
fn one_whose_revert_a_reorg_undoes_is_not_sent_beside_a_new_one() {
    let mut world = reverted();
    world.ask(request(0));
    undo(&mut world);
    world.ask(request(0));
    assert_eq!(world.outcomes, [], "it is under way again");
    world.mine_many(3);
    assert!(world.succeeded(0));
    assert_eq!((world.signed.len(), world.effective[&id(0)]), (1, 1));
}

#[test]
fn a_restart_does_not_forget_it() {
    let mut world = reverted();
    world.crash();
    undo(&mut world);
    world.ask(request(0));
    world.mine_many(3);
    assert_eq!((world.signed.len(), world.effective[&id(0)]), (1, 1));
}

#[test]
fn what_was_cancelled_may_take_effect_after_a_reorg_and_is_not_sent_beside_a_new_one() {
    let mut world = World::new();
    world.ask(SendTransaction { not_after: Some(101), ..request(0) });
    world.price = 500;
    world.mine_many(4);
    assert_eq!(world.outcome(0), Some(&Err(TxRefusal::Expired)));
    let signed = world.signed.len();
    world.ask(request(0));
    assert_eq!(world.outcomes.last(), Some(&(id(0), Err(TxRefusal::Expired))));
    assert_eq!(world.signed.len(), signed, "nothing is sent");
    assert!(!world.disk.0.is_empty());
}

/// A node said that it was mined, and it never was. Who waits for what it should have done asks again.
#[test]
fn what_was_not_mined_after_all_is_sent_again() {
    let mut world = World::new();
    world.ask(request(0));
    let (_, tx, ..) = world.pool.pop_first().map(|(_, pooled)| pooled).unwrap();
    world.head += 1;
    let receipt = Receipt { at: block_ref(world.head), gas_used: 1, fee: U256::ONE, succeeded: true };
    world.mined.insert(tx.hash, (id(0), receipt));
    world.tell();
    assert!(world.succeeded(0));
    world.mined.clear();
    world.outcomes.clear();
    world.ask(request(0));
    world.mine_many(3);
    assert!(world.succeeded(0));
    assert_eq!((world.signed.len(), world.effective[&id(0)]), (1, 1));
}
