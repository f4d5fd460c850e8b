//! What a node answers to people's commands.

use alloy::primitives::{Address, B256, Bytes, I256, U64, U256, keccak256};
use alloy::rpc::types::{Block, Log};
use alloy::sol_types::{SolEvent, SolValue};
use anzen_contracts::AnzenTaskManager::{NewTaskCreated, TaskResponded};
use anzen_contracts::{TaskResponse, TaskResponseMetadata};
use serde_json::{Value, json};

use super::{Example, lines, text};
use crate::testing::task;

/// The answers to a question, which stands before them.
fn of(which: &str, answers: &[String]) -> Vec<u8> {
    lines(&[&[which.to_owned()], answers].concat())
}

/// A log of the task manager's, in block `number`.
fn log(number: u64, event: &impl SolEvent) -> Log {
    let inner = alloy::primitives::Log { address: Address::repeat_byte(1), data: event.encode_log_data() };
    let hash = Some(B256::repeat_byte(0x77));
    Log { inner, block_number: Some(number), block_hash: hash, transaction_hash: hash, ..Log::default() }
}

fn block(number: u64) -> Value {
    let mut block = Block::<B256>::default();
    block.header.inner.number = number;
    json!(block)
}

pub(super) fn tasks() -> Vec<Example> {
    let task = task(0, 101);
    let hash = B256::repeat_byte(0x11);
    let created = log(101, &NewTaskCreated { taskIndex: 0, taskHash: hash, task: (&task).into() });
    let absent = vec![B256::repeat_byte(0x22)];
    let record = keccak256([&task.reference_block.to_be_bytes()[..], &absent[0][..]].concat());
    let response = TaskResponse { taskHash: hash, safetyFactor: I256::ONE };
    let metadata = TaskResponseMetadata { respondedBlock: 103, signatoryRecordHash: record };
    let responded =
        TaskResponded { taskIndex: 0, taskHash: hash, response, metadata, nonSignerIds: absent.clone() };
    let responded = log(103, &responded);
    let windows = text(&Bytes::from((50_u32, 30_u32, 10_u32, 5_u32, 20_u32).abi_encode_params()));
    let both = text(&vec![created.clone(), responded.clone()]);
    let operators = vec![vec![(Address::repeat_byte(3), absent[0], U256::ONE)]];
    let operators = text(&Bytes::from((operators,).abi_encode_params()));
    let head = |number: u64| text(&block(number));
    let refused = "!{\"code\":-32000,\"message\":\"block range is too large\"}".to_owned();
    let log_of = |log: &Log| text(&vec![log]);
    vec![
        ("task-history", "latest", of("latest", &[head(110), both.clone(), windows.clone()])),
        (
            "task-history",
            "latest-of-the-last-block",
            of("latest", &[head(u64::MAX), "[]".into(), both.clone(), windows.clone()]),
        ),
        (
            "task-history",
            "latest-refused",
            of("latest", &[head(110), refused, log_of(&created), log_of(&responded), windows.clone()]),
        ),
        ("task-history", "find", of("find", &[both, windows.clone(), operators])),
        (
            "task-history",
            "watch",
            of(
                "watch",
                &[
                    head(100),
                    windows.clone(),
                    "[]".into(),
                    head(101),
                    log_of(&created),
                    windows.clone(),
                    "null".into(),
                ],
            ),
        ),
        (
            "task-history",
            "watch-block-of-another-number",
            of(
                "watch",
                &[
                    head(100),
                    windows,
                    "[]".into(),
                    head(0),
                    "[]".into(),
                    head(u64::MAX),
                    "[]".into(),
                    head(5),
                ],
            ),
        ),
    ]
}

pub(super) fn steps() -> Vec<Example> {
    vec![
        ("operator-steps", "status", of("status", &[text(&Bytes::from(B256::ZERO.abi_encode()))])),
        (
            "operator-steps",
            "allocation-beyond-all",
            of("deallocate", &[text(&U64::from(1)), allocation(i128::MAX)]),
        ),
        (
            "operator-steps",
            "deallocation-beyond-all",
            of("deallocate", &[text(&U64::from(1)), allocation(i128::MIN)]),
        ),
        (
            "operator-steps",
            "await-allocation",
            of("await-allocation", &[text(&U64::from(1)), allocation(1), text(&U64::from(9))]),
        ),
        (
            "operator-steps",
            "register",
            of("register", &[text(&U64::from(1)), text(&Bytes::from(true.abi_encode()))]),
        ),
    ]
}

fn allocation(pending: i128) -> String {
    text(&Bytes::from((u64::MAX, pending, u32::MAX).abi_encode_params()))
}
