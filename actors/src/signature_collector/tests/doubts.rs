//! Signatures that contradict each other, and those that are verified alone.

use super::*;

#[test]
fn the_first_of_two_answers_stands_and_the_operator_is_named_once() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    harness.sign(&task, 0);
    for second in [2, 3, 2] {
        assert_eq!(harness.submit(&signed(&task, 0, value(second))), SubmitReply::SecondAnswer);
    }
    assert_eq!(harness.submit(&garbage(&task, 0)), SubmitReply::SecondAnswer);
    assert_eq!(harness.sign(&task, 0), SubmitReply::Duplicate);
    harness.sign(&task, 1);
    assert_eq!(harness.reached[0].signers.len(), 2);
    assert_eq!(harness.faults, [(0, Fault::SecondAnswer)]);
    assert_eq!(harness.verified, 2, "what is proved is not proved again");
}

#[test]
fn a_second_answer_with_a_bad_signature_convicts_nobody() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    harness.sign(&task, 0);
    harness.submit(&forged(&task, 0, 2));
    assert!(harness.evidence.is_empty());
    assert_eq!(harness.faults, [(0, Fault::BadSignature)]);
    harness.sign(&task, 1);
    assert_eq!(harness.reached[0].signers.len(), 2, "the first one counts");
}

#[test]
fn garbage_first_and_a_valid_second_convicts_nobody() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    harness.submit(&forged(&task, 0, 2));
    harness.sign(&task, 0);
    assert!(harness.evidence.is_empty());
    assert_eq!(harness.faults, [(0, Fault::BadSignature)]);
    assert_eq!(harness.sign(&task, 0), SubmitReply::Duplicate, "the valid one stands");
    harness.sign(&task, 1);
    assert_eq!(harness.reached[0].signers.len(), 2);
    assert_eq!(harness.submit(&signed(&task, 0, value(3))), SubmitReply::SecondAnswer);
    assert_eq!(harness.evidence.len(), 1, "and what is proved later is kept");
}

#[test]
fn garbage_and_then_the_same_answer_validly_signed_counts() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    harness.submit(&garbage(&task, 0));
    assert_eq!(harness.sign(&task, 0), SubmitReply::SecondAnswer);
    harness.sign(&task, 1);
    assert_eq!(harness.reached[0].signers.len(), 2);
    assert_eq!(harness.faults, [(0, Fault::BadSignature)]);
}

#[test]
fn who_was_found_out_in_the_sum_has_one_more_chance() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    harness.submit(&garbage(&task, 0));
    harness.sign(&task, 1);
    assert_eq!(harness.faults, [(0, Fault::BadSignature)]);
    assert_eq!(harness.sign(&task, 0), SubmitReply::Accepted);
    harness.sign(&task, 2);
    assert_eq!(harness.reached[0].signers.len(), 3, "the good one counts");

    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    harness.submit(&garbage(&task, 0));
    harness.sign(&task, 1);
    harness.submit(&forged(&task, 0, 1));
    assert_eq!(harness.sign(&task, 0), SubmitReply::Invalid);
}

#[test]
fn a_flood_of_false_second_answers_costs_two_checks() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    harness.sign(&task, 0);
    let replies: Vec<_> = (2..50).map(|other| harness.submit(&forged(&task, 0, other))).collect();
    assert_eq!(harness.verified, 4, "two of each pair");
    assert!(replies[2..].iter().all(|reply| *reply == SubmitReply::Invalid));
    harness.sign(&task, 1);
    assert_eq!(harness.reached[0].signers.len(), 2, "its first signature is good, and counts");
}

#[test]
fn while_two_signatures_are_judged_others_of_the_operator_wait() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    harness.sign(&task, 0);
    let second = signed(&task, 0, value(2));
    assert_eq!(harness.state.receive(&second, &decoded(&second)), Verdict::KeepSecond);
    let third = signed(&task, 0, value(3));
    let wait = Verdict::Reply(SubmitReply::Unavailable);
    assert_eq!(harness.state.receive(&third, &decoded(&third)), wait, "one is being written");
    let (reply, effects) = harness.state.second_kept((task.hash(), operator_id(0)));
    assert_eq!(reply, SubmitReply::SecondAnswer);
    assert_eq!(harness.state.receive(&third, &decoded(&third)), wait, "two are being judged");
    harness.carry_out(effects);
    assert_eq!(harness.submit(&third), SubmitReply::SecondAnswer);
    assert_eq!(harness.evidence.len(), 1);
}

#[test]
fn of_two_answers_that_come_at_once_both_are_kept() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    let place = (task.hash(), operator_id(0));
    let (first, second) = (signed(&task, 0, value(1)), signed(&task, 0, value(2)));
    assert_eq!(harness.state.receive(&first, &decoded(&first)), Verdict::Keep);
    assert_eq!(harness.state.receive(&second, &decoded(&second)), Verdict::KeepSecond);
    assert_eq!(harness.state.receive(&first, &decoded(&first)), Verdict::Keep, "a copy is written once more");
    // The second gets to disk before the first does.
    assert!(harness.state.second_kept(place).1.is_empty());
    let record = harness.state.record(&first, decoded(&first));
    let effects = harness.state.kept(place.0, place.1, record).1;
    harness.carry_out(effects);
    assert_eq!(harness.evidence.len(), 1);
}

#[test]
fn a_second_answer_whose_first_never_got_to_disk_is_the_first() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    let place = (task.hash(), operator_id(0));
    let (first, second) = (signed(&task, 0, value(2)), signed(&task, 0, value(1)));
    harness.state.receive(&first, &decoded(&first));
    harness.state.receive(&second, &decoded(&second));
    harness.state.second_kept(place);
    let effects = harness.state.not_kept(place.0, place.1);
    assert!(matches!(effects[..], [Effect::Promote { .. }, ..]), "{effects:?}");
    harness.carry_out(effects);
    harness.sign(&task, 1);
    assert_eq!(harness.reached[0].signers.len(), 2);
    assert!(harness.faults.is_empty());
}

/// The operator sent it again while it was being written as the second, and the first had been found bad meanwhile.
#[test]
fn a_signature_is_no_second_to_itself() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    let place = (task.hash(), operator_id(0));
    let again = signed(&task, 0, value(1));
    harness.sign(&task, 0);
    harness.state.seconds.recover(place, harness.state.record(&again, decoded(&again)));
    let effects = harness.state.contest(place);
    assert!(matches!(&effects[..], [Effect::ForgetSeconds(places)] if *places == [place]), "{effects:?}");
    assert!(harness.faults.is_empty() && harness.evidence.is_empty());
}

/// While the first is in a sum that is being checked, that check decides on it.
#[test]
fn a_second_signature_waits_for_a_check_of_the_first() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    harness.submit(&garbage(&task, 0));
    let message = signed(&task, 1, value(1));
    let record = harness.state.record(&message, decoded(&message));
    let effects = harness.state.kept(task.hash(), operator_id(1), record).1;
    assert!(matches!(effects[..], [Effect::Check { .. }]), "{effects:?}");
    assert_eq!(harness.sign(&task, 0), SubmitReply::SecondAnswer);
    assert_eq!(harness.verified, 0);
    harness.carry_out(effects);
    assert_eq!(harness.faults, [(0, Fault::BadSignature)]);
    assert_certifies(&harness.reached[0]);
    assert_eq!(harness.reached[0].signers.len(), 2);
}

/// Two operators agreed on errors that cancel: the sum holds, each alone does not.
#[test]
fn errors_that_cancel_harm_neither_the_sum_nor_those_who_sign_well() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    for message in cancelling(&task, [0, 1]) {
        harness.submit(&message);
    }
    assert!(harness.lingering && harness.faults.is_empty(), "the sum of both is good");
    assert_eq!(harness.sign(&task, 0), SubmitReply::SecondAnswer);
    assert_eq!(harness.faults, [(0, Fault::BadSignature)]);
    assert!(harness.evidence.is_empty());
    harness.sign(&task, 2);
    assert_certifies(&harness.reached[0]);
    assert_eq!(harness.reached[0].signers.len(), 3);
}
