//! Two answers of one operator, kept and provable.

use super::*;
use crate::testing::responded;

#[test]
fn two_answers_are_kept_as_a_proof_that_needs_nothing_else() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    harness.sign(&task, 0);
    harness.submit(&signed(&task, 0, value(2)));
    let text = serde_json::to_string(&harness.evidence[0]).unwrap();
    let read: Evidence = serde_json::from_str(&text).unwrap();
    assert_eq!(read.verify(), Ok(()));
    assert_eq!((read.task_hash(), read.operator.id), (task.hash(), operator_id(0)));
    assert_eq!([read.first.safety_factor, read.second.safety_factor], [value(1), value(2)]);
}

#[test]
fn a_second_answer_before_the_task_is_kept() {
    let mut harness = Harness::new(&[100, 100]);
    let task = task(0, 101);
    assert_eq!(harness.sign(&task, 0), SubmitReply::Early);
    assert_eq!(harness.submit(&signed(&task, 0, value(2))), SubmitReply::SecondAnswer);
    assert_eq!(harness.submit(&signed(&task, 0, value(3))), SubmitReply::Unavailable, "one at a time");
    assert!(harness.evidence.is_empty(), "whose key it is, is not known");
    harness.create(&task);
    assert_eq!(harness.evidence[0].verify(), Ok(()));
    assert_eq!(harness.faults, [(0, Fault::SecondAnswer)]);
    harness.sign(&task, 1);
    assert_eq!(harness.reached[0].signers.len(), 2, "the first one counts");
}

#[test]
fn a_second_answer_to_a_certified_task_is_kept() {
    let (mut harness, task) = Harness::with_task(&[100]);
    harness.sign(&task, 0);
    harness.submit(&signed(&task, 0, value(2)));
    assert_eq!(harness.evidence[0].verify(), Ok(()));
}

#[test]
fn what_is_judged_when_its_task_is_over_is_still_proved() {
    let (mut harness, task) = Harness::with_task(&[100]);
    harness.sign(&task, 0);
    let second = signed(&task, 0, value(2));
    harness.state.receive(&second, &decoded(&second));
    let effects = harness.state.second_kept((task.hash(), operator_id(0))).1;
    harness.apply(&block(200, vec![]));
    assert_eq!(harness.state.sizes(), (0, 0));
    harness.carry_out(effects);
    assert_eq!(harness.evidence[0].verify(), Ok(()));
}

/// A process whose predecessor left two answers of operator 0 on disk, and the task that they are about.
fn after_two_answers() -> (Harness, Task) {
    let (mut harness, task) = (Harness::new(&[100, 100]), task(0, 101));
    let place = (task.hash(), operator_id(0));
    let answers = [1, 2].map(|units| signed(&task, 0, value(units)));
    let [first, second] = answers.map(|message| harness.state.record(&message, decoded(&message)));
    harness.state.recover(place.0, place.1, first);
    harness.state.seconds.recover(place, second);
    (harness, task)
}

#[test]
fn a_second_answer_on_disk_is_judged_after_a_restart() {
    let (mut harness, task) = after_two_answers();
    harness.create(&task);
    assert_eq!(harness.evidence.len(), 1);
}

/// Another aggregator may have answered meanwhile, or this one's own transaction.
#[test]
fn a_second_answer_on_disk_is_judged_although_its_task_is_answered() {
    let (mut harness, task) = after_two_answers();
    let created = ChainEvent::TaskCreated { task: task.clone() };
    harness.apply(&block(101, vec![created, responded(0, task.hash())]));
    assert_eq!(harness.evidence.len(), 1);
    assert!(harness.reached.is_empty());
}

#[test]
fn after_a_restart_nobody_is_blamed_again_for_what_is_proved() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    harness.sign(&task, 0);
    harness.submit(&signed(&task, 0, value(2)));
    let evidence = harness.evidence.remove(0);
    let mut harness = Harness::new(&[100, 100]);
    harness.state.convictions.add(&evidence);
    harness.create(&task);
    harness.sign(&task, 0);
    assert_eq!(harness.submit(&signed(&task, 0, value(2))), SubmitReply::SecondAnswer);
    assert_eq!((harness.faults.len(), harness.evidence.len(), harness.verified), (0, 0, 0));
}

#[test]
fn evidence_is_bounded_by_operator() {
    let config = Config { most_evidence_per_operator: 2, penalty_blocks: 0, ..Config::default() };
    let mut harness = Harness::with_config(&[100, 100], config);
    for index in 0..4 {
        let task = task(index, 101 + index);
        harness.create(&task);
        for units in [1, 2] {
            harness.submit(&signed(&task, 0, value(units)));
        }
    }
    assert_eq!(harness.evidence.len(), 4);
    assert_eq!(harness.state.convictions.len(), 2);
}
