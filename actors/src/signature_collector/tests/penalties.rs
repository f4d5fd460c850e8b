//! Those who sent bad signatures.

use super::*;

/// A harness in which operator 0 has just been found out.
fn after_garbage(stakes: &[u64]) -> Harness {
    let (mut harness, task) = Harness::with_task(stakes);
    harness.submit(&garbage(&task, 0));
    for operator in 1..stakes.len() {
        harness.sign(&task, operator);
    }
    assert_eq!(harness.faults, [(0, Fault::BadSignature)]);
    assert_eq!(harness.penalised, [0]);
    (harness.verified, harness.lingering) = (0, false);
    harness.reached.clear();
    harness
}

#[test]
fn a_bad_signature_is_penalised_for_a_time_and_no_longer() {
    let mut harness = after_garbage(&[100, 100, 100]);
    let task_1 = task(1, 102);
    harness.create(&task_1);
    harness.sign(&task_1, 0);
    assert_eq!(harness.verified, 1, "it is verified alone");
    harness.apply(&block(101 + 50, vec![]));
    let later = task(2, 152);
    harness.create(&later);
    harness.sign(&later, 0);
    assert_eq!(harness.verified, 1, "and in the sum again");
}

#[test]
fn an_honest_answer_of_a_penalised_operator_still_counts() {
    let mut harness = after_garbage(&[100, 100, 100]);
    let task = task(1, 102);
    harness.create(&task);
    assert_eq!(harness.sign(&task, 0), SubmitReply::Accepted);
    assert_eq!(harness.sign(&task, 0), SubmitReply::Duplicate);
    harness.sign(&task, 1);
    harness.linger_over(&task);
    assert_certifies(&harness.reached[0]);
    assert_eq!(harness.reached[0].signers.len(), 2, "without it there is no quorum");
}

#[test]
fn a_penalised_operator_cannot_spoil_the_sum() {
    let mut harness = after_garbage(&[100, 100, 100]);
    let task = task(1, 102);
    harness.create(&task);
    harness.submit(&garbage(&task, 0));
    harness.sign(&task, 1);
    let message = signed(&task, 2, value(1));
    let record = harness.state.record(&message, decoded(&message));
    let effects = harness.state.kept(task.hash(), operator_id(2), record).1;
    let checks: Vec<usize> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Check { job, .. } => Some(job.signatures.len()),
            _ => None,
        })
        .collect();
    assert_eq!(checks, [2], "its signature is in no sum");
    harness.carry_out(effects);
    assert_certifies(&harness.reached[0]);
}

/// Nobody is waited for longer than the linger, and a certificate does not close without one that is being verified.
#[test]
fn a_certificate_waits_for_who_is_verified_alone_as_for_a_slow_one() {
    let mut harness = after_garbage(&[100, 100, 100]);
    let task = task(1, 102);
    harness.create(&task);
    let message = signed(&task, 0, value(1));
    let record = harness.state.record(&message, decoded(&message));
    let effects = harness.state.kept(task.hash(), operator_id(0), record).1;
    harness.sign(&task, 1);
    harness.sign(&task, 2);
    assert!(harness.lingering && harness.reached.is_empty());
    harness.carry_out(effects);
    assert_eq!(harness.reached[0].signers.len(), 3);
}

#[test]
fn early_signatures_of_a_penalised_operator_are_verified_alone() {
    let mut harness = after_garbage(&[100, 100, 100]);
    let task = task(1, 102);
    harness.sign(&task, 0);
    harness.create(&task);
    assert_eq!(harness.verified, 1);
}

#[test]
fn two_answers_are_penalised_and_another_answer_is_not() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    harness.sign(&task, 0);
    harness.submit(&signed(&task, 0, value(2)));
    harness.submit(&signed(&task, 1, value(7)));
    harness.sign(&task, 2);
    let blamed: Vec<usize> = harness.faults.iter().map(|(operator, _)| *operator).collect();
    assert_eq!(blamed, [0, 1]);
    assert_eq!(harness.penalised, [0]);
}
