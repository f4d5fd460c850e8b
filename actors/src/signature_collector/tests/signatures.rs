//! What becomes of each kind of signature, and what the sum tells.

use super::*;
use crate::testing::{block_ref, responded};

#[test]
fn all_sign_and_nobody_is_waited_for() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    for operator in 0..3 {
        assert_eq!(harness.sign(&task, operator), SubmitReply::Accepted);
    }
    assert_eq!(harness.reached.len(), 1);
    assert_certifies(&harness.reached[0]);
    assert!(harness.reached[0].certificate.non_signers.is_empty());
}

#[test]
fn one_offline_is_the_non_signer() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    harness.sign(&task, 0);
    assert!(!harness.lingering, "a third is no quorum");
    harness.sign(&task, 2);
    harness.linger_over(&task);
    assert_certifies(&harness.reached[0]);
    let absent: Vec<_> = harness.reached[0].certificate.non_signers.iter().map(|one| one.id).collect();
    assert_eq!(absent, [operator_id(1)]);
}

#[test]
fn a_slower_operator_joins_during_the_linger() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100, 1]);
    for operator in [0, 1, 2] {
        harness.sign(&task, operator);
    }
    assert!(harness.reached.is_empty() && harness.lingering);
    assert_eq!(harness.sign(&task, 3), SubmitReply::Accepted);
    assert_certifies(&harness.reached[0]);
    assert!(harness.reached[0].certificate.non_signers.is_empty(), "all have signed, so the wait is over");
}

#[test]
fn garbage_is_found_and_the_rest_still_counts() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100, 100]);
    assert_eq!(harness.submit(&garbage(&task, 1)), SubmitReply::Accepted, "it is checked in the sum only");
    harness.sign(&task, 0);
    harness.sign(&task, 2);
    assert_eq!(harness.faults, [(1, Fault::BadSignature)]);
    assert!(harness.reached.is_empty(), "two of four are no quorum");
    harness.sign(&task, 3);
    assert_certifies(&harness.reached[0]);
    assert_eq!(harness.reached[0].signers.len(), 3);
}

#[test]
fn garbage_during_the_linger_does_not_spoil_the_certificate() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    harness.sign(&task, 0);
    harness.sign(&task, 1);
    harness.submit(&garbage(&task, 2));
    assert_eq!(harness.faults, [(2, Fault::BadSignature)]);
    assert_certifies(&harness.reached[0]);
    assert_eq!(harness.reached[0].signers.len(), 2);
}

#[test]
fn another_answer_is_named_and_does_not_count() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    harness.submit(&signed(&task, 0, value(7)));
    harness.sign(&task, 1);
    harness.sign(&task, 2);
    assert_eq!(harness.reached[0].response.safety_factor, value(1));
    assert_eq!(harness.faults, [(0, Fault::OtherAnswer { its: value(7), quorum: value(1) })]);
}

#[test]
fn strangers_are_not_in_the_set() {
    let (mut harness, task) = Harness::with_task(&[100]);
    assert_eq!(harness.sign(&task, 5), SubmitReply::NotInSet);
}

#[test]
fn late_signatures_are_kept_while_a_reorg_can_make_them_count() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100, 10]);
    harness.sign(&task, 0);
    harness.sign(&task, 1);
    harness.sign(&task, 2);
    harness.linger_over(&task);
    harness.apply(&block(102, vec![responded(0, task.hash())]));
    assert_eq!(harness.sign(&task, 3), SubmitReply::Accepted);
    assert_eq!(harness.reached.len(), 1);
    assert_eq!(harness.sign(&task, 1), SubmitReply::Duplicate, "an acknowledgement may have been lost");
    harness.apply(&block(112, vec![]));
    let kept: Vec<Place> = (0..4).map(|i| (task.hash(), operator_id(i))).collect();
    harness.forgotten.sort_by_key(|(_, operator)| kept.iter().position(|(_, of)| of == operator));
    assert_eq!(harness.forgotten, kept, "with the task");
}

#[test]
fn early_signatures_wait_for_their_task_and_are_bounded() {
    let mut harness = Harness::new(&[100, 100]);
    let tasks = [task(0, 101), task(1, 102), task(2, 103)];
    assert_eq!(harness.sign(&tasks[0], 0), SubmitReply::Early);
    assert_eq!(harness.sign(&tasks[0], 0), SubmitReply::Duplicate);
    assert_eq!(harness.sign(&tasks[1], 0), SubmitReply::Early);
    assert_eq!(harness.sign(&tasks[2], 0), SubmitReply::TooManyEarly);
    assert_eq!(harness.sign(&tasks[0], 1), SubmitReply::Early);
    harness.apply(&block(101, vec![ChainEvent::TaskCreated { task: tasks[0].clone() }]));
    assert_certifies(&harness.reached[0]);
    assert_eq!(harness.sign(&tasks[2], 0), SubmitReply::Early, "there is room again");
}

#[test]
fn early_signatures_of_tasks_that_never_come_are_dropped() {
    let mut harness = Harness::new(&[100]);
    harness.apply(&block(100, vec![]));
    harness.sign(&task(0, 101), 0);
    assert_eq!(harness.state.sizes(), (0, 1));
    harness.apply(&block(100 + WINDOW + 1, vec![]));
    assert_eq!(harness.state.sizes(), (0, 0));
}

/// In a process of its own the collector may be behind the operators when it starts.
#[test]
fn a_signature_that_came_before_the_first_block_outlives_the_catching_up() {
    let mut harness = Harness::new(&[100]);
    let task = task(0, 200);
    assert_eq!(harness.sign(&task, 0), SubmitReply::Early);
    for number in 101..=200 {
        let created = ChainEvent::TaskCreated { task: task.clone() };
        let events = if number == 200 { vec![created] } else { vec![] };
        let effects = harness.state.apply(&block(number, events), block_ref(200));
        harness.carry_out(effects);
    }
    assert_eq!(harness.reached.len(), 1);
}

#[test]
fn signatures_on_disk_count_after_a_restart() {
    let (harness, task) = Harness::with_task(&[100, 100]);
    let message = signed(&task, 0, value(1));
    let record = harness.state.record(&message, decoded(&message));
    let mut harness = Harness::new(&[100, 100]);
    harness.state.recover(task.hash(), message.operator_id, record);
    harness.apply(&block(101, vec![ChainEvent::TaskCreated { task: task.clone() }]));
    assert_eq!(harness.sign(&task, 0), SubmitReply::Duplicate);
    harness.sign(&task, 1);
    assert_eq!(harness.reached[0].signers.len(), 2);
}

#[test]
fn a_task_of_a_protocol_that_others_serve_is_left_to_them() {
    let config = Config { oracle_indices: [7].into(), ..Config::default() };
    let mut harness = Harness::with_config(&[100], config);
    let theirs = task(0, 101);
    let ours = Task { oracle_index: 7, ..task(1, 101) };
    assert_eq!(harness.sign(&theirs, 0), SubmitReply::Early);
    let created = [&theirs, &ours].map(|task| ChainEvent::TaskCreated { task: task.clone() }).to_vec();
    harness.apply(&block(101, created));
    assert_eq!(harness.forgotten, [(theirs.hash(), operator_id(0))]);
    assert_eq!(harness.sign(&theirs, 0), SubmitReply::NotServed);
    assert_eq!(harness.sign(&ours, 0), SubmitReply::Accepted);
    assert_eq!(harness.state.sizes(), (1, 0));
    harness.apply(&block(101 + WINDOW + 11, vec![]));
    assert_eq!(harness.state.unserved.len(), 0);
    assert_eq!(harness.unanswered, [1]);
}
