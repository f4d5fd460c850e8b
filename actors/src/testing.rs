//! Values that several actors' tests need; [`world`] has stand-ins for the world.

pub(crate) mod world;

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, I256, U256};
use anzen_messages::aggregation::QuorumReached;
use anzen_messages::bls::{SecretKey, hash_to_g1};
use anzen_messages::chain::{BlockRef, ChainBlock, ChainDelta, ChainEvent, DeltaBase, Header};
use anzen_messages::operator::Operator;
use anzen_messages::task::SigningDomain;
use anzen_messages::{Certificate, OperatorId, OperatorSet, SafetyFactor, Task, TaskHash, TaskResponse};

/// A value with 9 decimals.
pub(crate) fn value(units: i64) -> SafetyFactor {
    SafetyFactor(I256::try_from(units).unwrap())
}

/// The domain that test operators sign in.
pub(crate) fn domain() -> SigningDomain {
    SigningDomain::new(31_337, Address::repeat_byte(0xaa))
}

/// Block `number` of a chain without forks.
pub(crate) fn block_ref(number: u64) -> BlockRef {
    block_at(0, number)
}

/// Block `number` with `events`.
pub(crate) fn block(number: u64, events: Vec<ChainEvent>) -> ChainBlock {
    block_of(0, number, events)
}

/// Block `number` of a fork; the hash follows from both.
pub(crate) fn block_at(fork: u8, number: u64) -> BlockRef {
    let mut hash = B256::repeat_byte(fork);
    hash[24..].copy_from_slice(&number.to_be_bytes());
    BlockRef { number, hash }
}

/// Block `number` of a fork with `events`.
pub(crate) fn block_of(fork: u8, number: u64, events: Vec<ChainEvent>) -> ChainBlock {
    let parent_hash = block_at(fork, number.saturating_sub(1)).hash;
    ChainBlock {
        header: Header { at: block_at(fork, number), parent_hash, timestamp: number, base_fee: 1 },
        events,
    }
}

/// Blocks that continue the chain, the last one being its head.
pub(crate) fn delta(base: DeltaBase, blocks: Vec<ChainBlock>) -> ChainDelta {
    let head = blocks.last().unwrap().header.at;
    ChainDelta { base, blocks, head }
}

/// The name of a model that differs by `seed`.
pub(crate) fn a_model(seed: u8) -> B256 {
    B256::repeat_byte(seed)
}

/// A task of protocol `protocol`, with the model of that seed, created in block `created` of `fork`.
pub(crate) fn a_task(fork: u8, index: u32, protocol: u8, created: u32) -> Task {
    Task {
        oracle_index: u32::from(protocol),
        model_hash: a_model(protocol),
        reference_block_hash: block_at(fork, u64::from(created) - 1).hash,
        ..task(index, created)
    }
}

/// A task of protocol 0 and quorum 0, 66 %, created in block `created`.
pub(crate) fn task(index: u32, created: u32) -> Task {
    let reference = block_ref(u64::from(created) - 1);
    Task {
        index,
        oracle_index: 0,
        model_hash: B256::repeat_byte(1),
        proposed_safety_factor: value(0),
        reference_block: created - 1,
        reference_block_hash: reference.hash,
        created_block: created,
        quorum_numbers: Bytes::from_static(&[0]),
        quorum_threshold_percentage: 66,
    }
}

/// The event that `task` was answered.
pub(crate) fn responded(task_index: u32, task_hash: TaskHash) -> ChainEvent {
    let response = TaskResponse { task_hash, safety_factor: value(1) };
    ChainEvent::TaskResponded { task_index, response, transaction: B256::ZERO }
}

/// The secret key of test operator `i`.
pub(crate) fn secret(i: usize) -> SecretKey {
    SecretKey::from_hex(&format!("{:x}", i + 1)).unwrap()
}

/// Fails where docs/wire.md does not say what is true.
pub(crate) fn wire_page_says(text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/wire.md");
    let page = std::fs::read_to_string(path).unwrap();
    assert!(page.contains(text), "docs/wire.md does not contain what is true: {text}");
}

/// The id of test operator `i`.
pub(crate) fn operator_id(i: usize) -> OperatorId {
    secret(i).public_key().operator_id()
}

/// Operators 0, 1, … with the given stakes in quorum 0.
pub(crate) fn operator_set(stakes: &[u64]) -> OperatorSet {
    let operator = |(i, stake): (usize, &u64)| {
        let key = secret(i).public_key();
        let operator =
            Operator { address: Address::ZERO, key, stakes: BTreeMap::from([(0, U256::from(*stake))]) };
        (key.operator_id(), operator)
    };
    OperatorSet::new(vec![0], stakes.iter().enumerate().map(operator).collect())
}

/// A certificate message of one signer, for states that do not look inside.
pub(crate) fn reached(index: u32, created: u32) -> QuorumReached {
    let task = task(index, created);
    let response = TaskResponse { task_hash: task.hash(), safety_factor: value(1) };
    let signature = secret(0).sign(&hash_to_g1(response.digest(&domain())));
    let key = secret(0).public_key();
    let certificate = Certificate {
        non_signers: Vec::new(),
        quorum_apks: vec![key.g1()],
        signers_apk: key.g2().to_bytes(),
        signature: signature.to_bytes(),
    };
    QuorumReached { task, response, certificate, signers: vec![key.operator_id()], stakes: Vec::new() }
}
