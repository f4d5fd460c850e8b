//! Accounts that are emptied, nodes that are away: neither makes a transaction dearer.

use alloy::primitives::U256;

use anzen_messages::transaction::{SendTransaction, TxRefusal};

use super::{World, id, request};
use crate::tx_sender::effect::Effect;

/// A world with a transaction under way that offers too little to be mined.
fn stuck() -> World {
    let mut world = World::new();
    world.ask(request(0));
    world.price = 1_000;
    world
}

fn times_told(world: &World) -> usize {
    world.told.iter().filter(|told| matches!(told, Effect::Unfunded { .. })).count()
}

#[test]
fn an_emptied_account_is_told_and_does_not_climb() {
    let mut world = stuck();
    let before = std::mem::take(&mut world.balance);
    world.mine_many(20);
    assert_eq!(world.signed.len(), 1, "nothing is signed that cannot be paid");
    assert_eq!(world.told, [Effect::Unfunded { balance: U256::ZERO }]);
    world.balance = before;
    world.mine_many(4);
    assert!(world.succeeded(0));
}

#[test]
fn what_the_node_says_cannot_be_paid_is_not_made_dearer() {
    let mut world = stuck();
    world.owed = world.balance;
    world.mine_many(20);
    assert_eq!((world.signed.len(), times_told(&world)), (2, 1));
    world.owed = U256::ZERO;
    world.mine_many(2);
    assert!(world.succeeded(0));
    assert_eq!(world.signed.len(), 2, "the same replacement, as soon as it can be paid");
}

#[test]
fn what_is_paid_with_a_call_counts_among_its_costs_and_an_empty_transaction_pays_nothing() {
    let mut world = World::new();
    world.price = 500;
    world.balance = U256::from(200_000_000);
    world.ask(SendTransaction { value: world.balance, ..request(0) });
    assert!(matches!(world.outcome(0), Some(Err(TxRefusal::InsufficientFunds { .. }))));
    let value = U256::from(100_000_000);
    world.ask(SendTransaction { value, not_after: Some(101), ..request(1) });
    world.price = 1_500;
    world.mine_many(6);
    assert_eq!(world.outcome(1), Some(&Err(TxRefusal::Expired)));
    let paid = |cancelling: bool| {
        let kind = world.signed.values().filter(move |(_, _, cancels)| *cancels == cancelling);
        kind.map(|(_, tx, _)| tx.value).collect::<Vec<_>>()
    };
    assert_eq!((paid(false), paid(true).iter().sum()), (vec![value], U256::ZERO));
}

#[test]
fn people_are_told_again_after_a_while() {
    let mut world = stuck();
    world.balance = U256::ZERO;
    world.mine_many(120);
    assert_eq!(times_told(&world), 3);
}

#[test]
fn a_node_that_is_away_costs_no_higher_fee() {
    let mut world = World::new();
    world.node_down = true;
    world.ask(request(0));
    world.mine_many(20);
    assert_eq!(world.signed.len(), 1);
    world.node_down = false;
    world.mine_many(2);
    assert!(world.succeeded(0));
}

#[test]
fn a_node_that_is_away_while_prices_rise_gets_what_the_chain_asks() {
    let mut world = World::new();
    world.node_down = true;
    world.ask(request(0));
    world.price = 1_000;
    world.mine_many(20);
    world.node_down = false;
    world.mine_many(4);
    assert!(world.succeeded(0));
    assert!(world.signed.values().all(|(_, tx, _)| tx.fees.max_fee <= 1_000));
}

#[test]
fn all_that_a_node_missed_is_sent_when_it_is_back() {
    let mut world = World::new();
    world.node_down = true;
    (0..5).for_each(|i| world.ask(request(i)));
    world.node_down = false;
    world.mine_many(2);
    assert!((0..5).all(|i| world.succeeded(i)), "they do not wait for each other");
}

#[test]
fn after_a_restart_without_funds_people_are_told() {
    let mut world = stuck();
    world.balance = U256::ZERO;
    world.pool.clear();
    world.crash();
    world.tell();
    assert_eq!(world.told, [Effect::Unfunded { balance: U256::ZERO }]);
    assert_eq!(world.outcome(0), None, "it may have come to a node before, so it keeps its nonce");
}

#[test]
fn fees_are_asked_once_at_a_time() {
    let mut world = stuck();
    world.fees_away = true;
    world.mine_many(10);
    assert_eq!(world.unanswered, [id(0)]);
}
