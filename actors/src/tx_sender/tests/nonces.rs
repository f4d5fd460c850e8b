//! Nodes that are behind, and others who use the key.

use alloy::primitives::{B256, Bytes};

use super::{World, id, request};
use crate::ports::{Fees, SignedTx};

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
