//! Case by case.

use alloy::primitives::{Address, B256, Bytes, U256};
use anzen_deploy::chain::MAX_TRANSACTION_GAS;
use anzen_messages::chain::BlockRef;
use anzen_messages::transaction::{SendTransaction, TxRefusal};

use super::{World, config, id, request};
use crate::follow::ChainState;
use crate::ports::{Receipt, SendError, SignedTx};
use crate::testing::block_ref;
use crate::tx_sender::Config;
use crate::tx_sender::effect::{Effect, Tried};
use crate::tx_sender::queue::Queue;

#[test]
fn several_are_under_way_at_once_and_each_is_mined() {
    let mut world = World::new();
    (0..3).for_each(|i| world.ask(request(i)));
    assert_eq!(world.pool.keys().copied().collect::<Vec<_>>(), [7, 8, 9]);
    world.mine();
    assert!((0..3).all(|i| matches!(world.outcome(i), Some(Ok(mined)) if mined.succeeded)));
}

#[test]
fn a_stuck_transaction_is_replaced_at_a_higher_price() {
    let mut world = World::new();
    world.ask(request(0));
    world.price = 1_000;
    world.mine_many(3);
    assert!(matches!(world.outcome(0), Some(Ok(_))));
    assert_eq!(world.signed.len(), 2);
}

#[test]
fn a_transaction_that_the_node_forgot_is_sent_again() {
    let mut world = World::new();
    world.forgetful = true;
    world.ask(request(0));
    world.forgetful = false;
    world.mine_many(4);
    assert!(matches!(world.outcome(0), Some(Ok(_))));
}

#[test]
fn a_restart_sends_the_same_bytes() {
    let mut world = World::new();
    world.node_down = true;
    world.ask(request(0));
    world.node_down = false;
    world.crash();
    world.ask(request(0));
    assert_eq!(world.signed.len(), 1);
    world.mine();
    world.tell();
    assert!(matches!(world.outcome(0), Some(Ok(_))));
}

#[test]
fn a_success_is_remembered() {
    let mut world = World::new();
    world.ask(request(0));
    world.mine();
    world.ask(request(0));
    assert_eq!(world.outcomes.len(), 2, "answered at once");
    assert_eq!(world.effective[&id(0)], 1);
}

#[test]
fn another_sender_on_the_key_takes_the_nonce() {
    let mut world = World::new();
    world.ask(request(0));
    world.pool.clear();
    world.nonce += 1;
    world.mine_many(11);
    assert_eq!(world.outcome(0), None, "a fork may bring it back");
    world.mine_many(3);
    assert!(matches!(world.outcome(0), Some(Ok(_))), "it was sent anew with the next nonce");
    assert_eq!(world.effective[&id(0)], 1);
}

#[test]
fn a_reorg_puts_it_under_way_again() {
    let mut world = World::new();
    world.ask(request(0));
    world.mine();
    let (hash, _) = world.mined.pop_first().unwrap();
    world.queue.retract(block_ref(100));
    world.nonce = 7;
    world.head = 100;
    (world.effective, world.outcomes) = Default::default();
    let (of, tx, cancels) = world.signed[&hash].clone();
    world.ask(request(0));
    assert_eq!(world.outcomes, [], "it is not mined any more");
    let raw = Bytes::new();
    world.pool.insert(7, (of, SignedTx { hash, raw }, tx.fees, cancels));
    world.mine();
    assert!(matches!(world.outcome(0), Some(Ok(mined)) if mined.hash == hash));
}

#[test]
fn what_is_useless_is_cancelled_so_that_others_go_on() {
    let mut world = World::new();
    world.ask(SendTransaction { not_after: Some(101), ..request(0) });
    world.ask(request(1));
    world.price = 500;
    world.mine_many(6);
    assert_eq!(world.outcome(0), Some(&Err(TxRefusal::Expired)));
    assert!(matches!(world.outcome(1), Some(Ok(_))));
}

#[test]
fn a_refused_transaction_leaves_no_gap() {
    let mut world = World::new();
    // The first one has its nonce, and is refused when the second is under way with the next.
    let tries = world.queue.request(request(0));
    let tried = Tried { gas: 100, fees: world.fees(), balance: world.balance };
    assert_eq!(tries.len(), 1);
    let signs = world.queue.tried(&id(0), Ok(tried));
    world.ask(request(1));
    world.verdict = Some(SendError::InsufficientFunds);
    world.carry_out(signs);
    assert!(matches!(world.outcome(0), Some(Err(TxRefusal::InsufficientFunds { .. }))));
    assert_eq!(world.pool.keys().copied().collect::<Vec<_>>(), [8]);
    world.mine_many(4);
    assert!(world.succeeded(1));
}

#[test]
fn a_transaction_that_may_be_known_keeps_its_nonce_whatever_the_node_says() {
    for verdict in [SendError::InsufficientFunds, SendError::Rejected("no".into())] {
        let mut world = World::new();
        world.ask(request(0));
        world.verdict = Some(verdict);
        world.crash();
        world.ask(request(0));
        assert_eq!(world.outcome(0), None);
        world.mine_many(2);
        assert!(world.succeeded(0));
        assert_eq!((world.signed.len(), world.effective[&id(0)]), (1, 1));
    }
}

#[test]
fn a_transaction_that_the_node_never_took_is_refused() {
    let mut world = World::new();
    world.verdict = Some(SendError::Rejected("too large".into()));
    world.ask(request(0));
    let Some(Err(TxRefusal::Reverts { error })) = world.outcome(0) else { panic!("{:?}", world.outcomes) };
    assert!(error.ends_with("too large"), "whoever asks again for the same is refused for ever: {error}");
    assert!(world.disk.0.is_empty());
}

#[test]
fn what_is_not_on_disk_is_not_sent() {
    let mut world = World::new();
    world.disk_full = true;
    world.ask(request(0));
    assert!(matches!(world.outcome(0), Some(Err(TxRefusal::Unavailable { .. }))));
    assert!(world.pool.is_empty() && world.disk.0.is_empty());
}

#[test]
fn a_full_disk_stops_a_replacement_and_not_what_is_under_way() {
    let mut world = World::new();
    world.ask(request(0));
    (world.price, world.disk_full) = (1_000, true);
    world.mine_many(4);
    assert_eq!(world.outcome(0), None);
    world.disk_full = false;
    world.mine_many(4);
    assert!(world.succeeded(0));
}

#[test]
fn one_who_cannot_pay_is_told_so_and_the_log_once() {
    let mut world = World::new();
    world.balance = U256::from(2_000);
    (0..4).for_each(|i| world.ask(request(i)));
    // 125 gas at 10 wei each: one can be paid, a second one beside it cannot.
    let refusal = TxRefusal::InsufficientFunds { address: Address::repeat_byte(1), balance: "2000".into() };
    assert_eq!(world.outcomes, [1, 2, 3].map(|i| (id(i), Err(refusal.clone()))));
    assert_eq!(world.told, [Effect::Unfunded { balance: world.balance }]);
    world.mine();
    assert!(world.succeeded(0));
}

#[test]
fn at_the_ceiling_the_last_offer_is_kept_before_the_node() {
    let mut world = World::new();
    world.price = 999_999;
    world.ask(request(0));
    world.price = 2_000_000;
    world.pool.clear();
    world.mine_many(2);
    assert_eq!(world.told, [Effect::AtCeiling { id: id(0) }]);
    assert_eq!((world.pool.len(), world.signed.len()), (1, 1), "the same one is sent again");
    world.price = 500;
    world.mine();
    assert!(world.succeeded(0));
}

#[test]
fn nothing_is_sent_that_comes_too_late() {
    let mut world = World::new();
    world.ask(SendTransaction { not_after: Some(100), ..request(0) });
    assert_eq!(world.outcome(0), Some(&Err(TxRefusal::Expired)), "the next block is 101");
    world.ask(SendTransaction { not_after: Some(101), ..request(1) });
    world.mine();
    assert!(world.succeeded(1));
}

#[test]
fn a_receipt_of_another_fork_is_no_confirmation() {
    let mut world = World::new();
    world.ask(request(0));
    world.mine();
    world.outcomes.clear();
    world.ask(request(1));
    let (of, tx, ..) = world.pool.remove(&8).unwrap();
    let elsewhere = BlockRef { number: 102, hash: B256::repeat_byte(7) };
    world
        .mined
        .insert(tx.hash, (of, Receipt { at: elsewhere, gas_used: 1, fee: U256::ONE, succeeded: true }));
    world.mine_many(2);
    assert_eq!(world.outcome(1), None);
    world.mined.insert(
        tx.hash,
        (id(1), Receipt { at: block_ref(103), gas_used: 1, fee: U256::ONE, succeeded: true }),
    );
    world.tell();
    assert!(world.succeeded(1));
}

#[test]
fn as_many_are_under_way_as_may_be() {
    let mut world = World::new();
    world.queue = Queue::new(Config { capacity: 2, ..config() }, Address::repeat_byte(1), 1);
    world.tell();
    (0..3).for_each(|i| world.ask(request(i)));
    assert!(matches!(world.outcomes[..], [(_, Err(TxRefusal::Unavailable { .. }))]));
    world.mine();
    world.ask(request(2));
    assert!(world.pool.contains_key(&9));
}

#[test]
fn a_success_that_a_fork_undid_while_the_process_was_away_is_sent_again() {
    let mut world = World::new();
    world.ask(request(0));
    world.mine();
    assert!(world.succeeded(0));
    world.mined.clear();
    (world.nonce, world.outcomes) = (7, Vec::new());
    world.crash();
    world.ask(request(0));
    world.mine_many(4);
    assert!(world.succeeded(0));
    assert_eq!(world.effective[&id(0)], 2, "the first time is of the other fork");
}

/// Nodes refuse it for good where it asks for more.
#[test]
fn no_transaction_asks_for_more_gas_than_one_may_have() {
    let mut world = World::new();
    world.gas = MAX_TRANSACTION_GAS - 1;
    world.ask(request(0));
    let limits: Vec<u64> = world.signed.values().map(|(_, tx, _)| tx.gas_limit).collect();
    assert_eq!(limits, [MAX_TRANSACTION_GAS]);
    world.mine();
    assert!(world.succeeded(0));
}

/// Whoever asks has to ask for less: the same would be refused for ever.
#[test]
fn a_call_that_no_transaction_has_the_gas_for_is_refused_as_one_that_reverts() {
    let mut world = World::new();
    world.gas = MAX_TRANSACTION_GAS + 1;
    world.ask(request(0));
    assert!(matches!(world.outcome(0), Some(Err(TxRefusal::Reverts { .. }))), "{:?}", world.outcomes);
    assert!(world.signed.is_empty());
}
