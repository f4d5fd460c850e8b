//! What the chain tells: answers, reorgs, windows.

use anzen_messages::chain::{ChainDelta, DeltaBase};

use super::*;
use crate::testing::{block_at, block_of, block_ref, responded};

#[test]
fn a_restart_of_the_watcher_forgets_answers_that_the_chain_may_have_lost() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    harness.apply(&block(102, vec![responded(0, task.hash())]));
    harness.state.restart(WINDOW);
    harness.apply(&block(101, vec![ChainEvent::TaskCreated { task: task.clone() }]));
    for operator in 0..3 {
        harness.sign(&task, operator);
    }
    assert_certifies(&harness.reached[0]);
}

#[test]
fn the_operators_of_a_task_are_read_when_a_reorg_undoes_its_answer() {
    let mut harness = Harness::new(&[100]);
    let task = task(0, 101);
    let created = ChainEvent::TaskCreated { task: task.clone() };
    let both = block(101, vec![created, responded(0, task.hash())]);
    let effects = harness.state.apply(&both, both.header.at);
    let told = matches!(effects[..], [Effect::Created { .. }, Effect::Answered { .. }]);
    assert!(told, "it is over before anything is read: {effects:?}");
    harness.state.retract(block_ref(100));
    let again = block(101, vec![ChainEvent::TaskCreated { task: task.clone() }]);
    harness.apply(&again);
    assert_eq!(harness.sign(&task, 0), SubmitReply::Accepted);
    assert_certifies(&harness.reached[0]);
}

#[test]
fn a_restart_after_the_window_was_shortened_keeps_open_tasks() {
    let mut harness = Harness::new(&[100, 100, 100]);
    harness.state = Collector::new(harness.state.config, domain(), 5);
    let task = task(0, 101);
    assert_eq!(harness.sign(&task, 0), SubmitReply::Early);
    let events = [
        (101, vec![ChainEvent::TaskCreated { task: task.clone() }]),
        (105, vec![ChainEvent::ResponseWindowChanged { blocks: 5 }]),
        (120, vec![]),
    ];
    let blocks = events.map(|(number, events)| block(number, events)).to_vec();
    let base = DeltaBase::Restart { response_window: WINDOW };
    let effects = harness.state.advance(&ChainDelta { base, blocks, head: block_ref(120) });
    harness.carry_out(effects);
    assert_eq!((harness.unanswered.len(), harness.sign(&task, 0)), (0, SubmitReply::Duplicate));
    for operator in 1..3 {
        assert_eq!(harness.sign(&task, operator), SubmitReply::Accepted);
    }
    assert_certifies(&harness.reached[0]);
}

#[test]
fn tasks_keep_the_window_of_their_creation() {
    let (mut harness, _old) = Harness::with_task(&[100]);
    harness.apply(&block(102, vec![ChainEvent::ResponseWindowChanged { blocks: 50 }]));
    harness.apply(&block(103, vec![ChainEvent::TaskCreated { task: task(1, 103) }]));
    harness.apply(&block(102 + WINDOW, vec![]));
    assert_eq!(harness.unanswered, [0]);
    harness.apply(&block(103 + 50, vec![]));
    assert_eq!(harness.unanswered, [0]);
    harness.apply(&block(104 + 50, vec![]));
    assert_eq!(harness.unanswered, [0, 1]);
}

#[test]
fn a_task_that_nobody_answers_is_reported_once_and_dropped_when_no_reorg_can_help() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    harness.sign(&task, 0);
    harness.apply(&block(101 + WINDOW, vec![]));
    assert_eq!(harness.unanswered, [] as [u32; 0], "it can still be answered in this block");
    harness.apply(&block(102 + WINDOW, vec![]));
    assert_eq!(harness.unanswered, [0]);
    assert_eq!(harness.sign(&task, 1), SubmitReply::TooLate);
    harness.apply(&block(111 + WINDOW, vec![]));
    assert_eq!(harness.forgotten, []);
    harness.apply(&block(112 + WINDOW, vec![]));
    assert_eq!(harness.state.sizes(), (0, 0));
    assert_eq!(harness.forgotten, [(task.hash(), operator_id(0))]);
    assert_eq!(harness.unanswered, [0]);
}

#[test]
fn a_reorg_that_goes_back_over_the_deadline_finds_the_signatures_again() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    harness.sign(&task, 0);
    harness.apply(&block(102 + WINDOW, vec![]));
    harness.state.retract(block_ref(99 + WINDOW));
    harness.apply(&block_of(1, 100 + WINDOW, vec![]));
    assert_eq!(harness.sign(&task, 1), SubmitReply::Accepted);
    assert_certifies(&harness.reached[0]);
}

#[test]
fn a_task_is_kept_until_its_answer_is_final() {
    let (mut harness, task) = Harness::with_task(&[100]);
    harness.sign(&task, 0);
    harness.apply(&block(103, vec![responded(0, task.hash())]));
    assert_eq!(harness.handed(), [], "it is answered");
    harness.apply(&block(113, vec![]));
    assert_eq!(harness.state.sizes(), (0, 0));
    assert!(harness.unanswered.is_empty());
}

#[test]
fn a_certificate_that_came_after_anothers_answer_is_posted_when_a_reorg_undoes_it() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    harness.sign(&task, 0);
    harness.sign(&task, 1);
    // While it lingers, another aggregator is faster.
    harness.apply(&block(102, vec![responded(0, task.hash())]));
    harness.linger_over(&task);
    assert_eq!(harness.handed(), []);
    let effects = harness.state.retract(block_ref(101));
    harness.carry_out(effects);
    harness.apply(&block_of(1, 102, vec![]));
    assert_eq!(harness.handed().len(), 1);
    assert_certifies(&harness.reached[0]);
}

#[test]
fn a_handover_that_an_answer_ended_begins_again_when_a_reorg_undoes_it() {
    let (mut harness, task) = Harness::with_task(&[100]);
    harness.sign(&task, 0);
    assert_eq!(harness.due, [task.hash()]);
    harness.apply(&block(102, vec![responded(0, task.hash())]));
    assert_eq!(harness.handed(), [], "the aggregator was out of reach, and now it is answered");
    let effects = harness.state.retract(block_ref(101));
    harness.carry_out(effects);
    harness.apply(&block_of(1, 102, vec![]));
    let handed = harness.handed();
    assert_eq!(handed.len(), 1);
    assert!(harness.state.handed_over(&handed[0]).is_none());
    harness.apply(&block_of(1, 103, vec![]));
    assert_eq!(harness.due, [], "the aggregator has it");
}

#[test]
fn signatures_that_come_after_anothers_answer_count_when_a_reorg_undoes_it() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    harness.sign(&task, 0);
    harness.apply(&block(102, vec![responded(0, task.hash())]));
    assert_eq!(harness.sign(&task, 1), SubmitReply::Accepted);
    assert_eq!(harness.sign(&task, 2), SubmitReply::Accepted);
    assert!(harness.reached.is_empty(), "nothing is checked while it is answered");
    let effects = harness.state.retract(block_ref(101));
    harness.carry_out(effects);
    harness.apply(&block_of(1, 102, vec![]));
    assert_certifies(&harness.reached[0]);
    assert_eq!(harness.handed().len(), 1);
}

#[test]
fn a_set_that_yields_no_answer_is_read_again() {
    let mut harness = Harness::new(&[100, 100, 100]);
    let task = task(0, 101);
    harness.create(&task);
    // An endpoint that lagged did not know of operator 3.
    harness.stakes.push(100);
    for operator in 0..3 {
        harness.sign(&task, operator);
    }
    let wrong = harness.handed().remove(0);
    assert_eq!(wrong.signers.len(), 3);
    assert!(harness.state.handed_over(&wrong).is_none());
    (102..106).for_each(|number| harness.apply(&block(number, vec![])));
    assert_eq!(harness.sets_read, 1);
    harness.apply(&block(106, vec![]));
    assert_eq!(harness.sets_read, 2, "five blocks after the certificate");
    harness.linger_over(&task);
    let right = harness.handed().remove(0);
    assert_certifies(&right);
    let absent: Vec<_> = right.certificate.non_signers.iter().map(|one| one.id).collect();
    assert_eq!(absent, [operator_id(3)]);
}

#[test]
fn an_acknowledged_signature_of_one_whom_a_wrong_set_lacks_counts_once_it_is_put_right() {
    let mut harness = Harness::new(&[100, 100, 100]);
    let task = task(0, 101);
    assert_eq!(harness.sign(&task, 3), SubmitReply::Early);
    harness.create(&task);
    harness.stakes.push(100);
    for operator in 0..3 {
        harness.sign(&task, operator);
    }
    let wrong = harness.handed().remove(0);
    assert!(harness.state.handed_over(&wrong).is_none());
    (102..=106).for_each(|number| harness.apply(&block(number, vec![])));
    harness.linger_over(&task);
    let right = harness.handed().remove(0);
    assert_certifies(&right);
    assert_eq!((right.signers.len(), harness.forgotten.len()), (4, 0));
}

#[test]
fn a_set_that_was_right_is_read_again_ever_more_seldom_and_changes_nothing() {
    let (mut harness, task) = Harness::with_task(&[100]);
    harness.sign(&task, 0);
    let handed = harness.handed().remove(0);
    harness.state.handed_over(&handed);
    (102..=131).for_each(|number| harness.apply(&block(number, vec![])));
    assert_eq!((harness.sets_read, harness.reached.len()), (3, 1), "at 106 and at 116");
    assert_eq!(harness.due, []);
}

#[test]
fn a_result_of_a_check_with_a_set_that_was_replaced_is_left_out() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    harness.sign(&task, 0);
    let message = signed(&task, 1, value(1));
    let record = harness.state.record(&message, decoded(&message));
    let effects = harness.state.kept(task.hash(), operator_id(1), record).1;
    let [Effect::Check { value, job, .. }] = &effects[..] else { panic!("{effects:?}") };
    let late = job.run();
    harness.state.tasks.get_mut(&task.hash()).unwrap().doubt.reading = true;
    let more = harness.state.set_loaded(task.hash(), Arc::new(operator_set(&[100, 100, 1])));
    assert!(harness.state.checked(task.hash(), *value, &late).is_empty());
    harness.carry_out(more);
    harness.linger_over(&task);
    assert_certifies(&harness.reached[0]);
    assert_eq!(harness.reached[0].certificate.non_signers.len(), 1);
}

#[test]
fn an_index_that_a_reorg_reuses_has_a_collection_of_its_own() {
    let (mut harness, old) = Harness::with_task(&[100, 100]);
    harness.sign(&old, 0);
    harness.state.retract(block_ref(100));
    let new = Task { proposed_safety_factor: value(9), ..old.clone() };
    harness.apply(&block_of(1, 101, vec![ChainEvent::TaskCreated { task: new.clone() }]));
    assert_eq!(harness.sign(&new, 0), SubmitReply::Accepted, "nothing of the other task is taken for it");
    assert_eq!(harness.submit(&signed(&new, 0, value(5))), SubmitReply::SecondAnswer);
    assert_eq!(harness.evidence[0].task, new);
    assert_eq!(harness.sign(&new, 1), SubmitReply::Accepted);
    assert_eq!(harness.reached.len(), 1);
    assert_eq!(harness.reached[0].task, new);
    // The first chain wins after all.
    harness.state.retract(block_at(1, 100));
    harness.apply(&block_of(2, 101, vec![ChainEvent::TaskCreated { task: old.clone() }]));
    assert_eq!(harness.sign(&old, 0), SubmitReply::Duplicate);
    harness.sign(&old, 1);
    assert_eq!(harness.reached[1].task, old);
}
