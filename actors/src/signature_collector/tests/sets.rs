//! An endpoint that lagged or lied told of other operators than there were: nothing that came meanwhile is lost.

use super::*;
use crate::testing::responded;

/// Block after block, without an event.
fn pass(harness: &mut Harness, blocks: impl Iterator<Item = u64>) {
    blocks.for_each(|number| harness.apply(&block(number, vec![])));
}

#[test]
fn an_early_signature_outlives_a_set_that_lacks_its_operator() {
    let (mut harness, task) = (Harness::new(&[100]), task(0, 101));
    assert_eq!(harness.sign(&task, 1), SubmitReply::Early);
    harness.create(&task);
    harness.stakes.push(100);
    pass(&mut harness, 102..=102);
    harness.sign(&task, 0);
    assert_certifies(&harness.reached[0]);
    assert_eq!(harness.reached[0].signers.len(), 2);
    assert_eq!(harness.forgotten, []);
}

#[test]
fn who_was_told_to_be_in_no_set_counts_when_it_is_read_again() {
    let (mut harness, task) = Harness::with_task(&[100]);
    assert_eq!(harness.sign(&task, 1), SubmitReply::NotInSet);
    assert_eq!(harness.forgotten, []);
    harness.stakes.push(100);
    pass(&mut harness, 102..=102);
    harness.sign(&task, 0);
    assert_eq!(harness.reached[0].signers.len(), 2);
}

#[test]
fn a_set_that_is_read_again_and_lacks_a_signer_loses_no_signature() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    assert_eq!(harness.sign(&task, 2), SubmitReply::Accepted);
    harness.stakes = vec![100, 100];
    pass(&mut harness, 102..=106);
    assert_eq!((harness.sets_read, harness.sign(&task, 2)), (2, SubmitReply::NotInSet));
    harness.stakes = vec![100, 100, 100];
    pass(&mut harness, 107..=107);
    assert_eq!((harness.sets_read, harness.sign(&task, 2)), (3, SubmitReply::Duplicate));
    harness.sign(&task, 0);
    harness.sign(&task, 1);
    assert_eq!(harness.reached[0].signers.len(), 3);
    assert_eq!(harness.forgotten, []);
}

#[test]
fn a_set_that_yields_no_quorum_is_read_again() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 1_000]);
    harness.sign(&task, 0);
    harness.sign(&task, 1);
    harness.stakes = vec![100, 100, 1];
    pass(&mut harness, 102..=105);
    assert_eq!((harness.sets_read, harness.lingering), (1, false));
    pass(&mut harness, 106..=106);
    harness.linger_over(&task);
    assert_certifies(&harness.reached[0]);
}

#[test]
fn who_signs_after_a_certificate_that_is_worth_nothing_counts_in_the_next() {
    let (mut harness, task) = Harness::with_task(&[100, 10_000, 100, 100]);
    harness.sign(&task, 1);
    harness.linger_over(&task);
    assert_eq!(harness.reached[0].signers.len(), 1);
    assert_eq!(harness.sign(&task, 0), SubmitReply::Accepted);
    assert_eq!(harness.sign(&task, 2), SubmitReply::Accepted);
    harness.stakes = vec![100; 4];
    pass(&mut harness, 102..=106);
    harness.linger_over(&task);
    assert_certifies(&harness.reached[1]);
    assert_eq!(harness.reached[1].signers.len(), 3);
}

/// It costs no question a task: two readings agree that it is in no quorum.
#[test]
fn an_operator_in_no_quorum_has_the_set_read_once_more_and_not_for_ever() {
    let mut harness = Harness::new(&[100]);
    for number in 101..=140 {
        let task = task(u32::try_from(number).unwrap(), u32::try_from(number).unwrap());
        let created = ChainEvent::TaskCreated { task: task.clone() };
        let before = task.index.checked_sub(2).filter(|index| *index > 100);
        let answered = before.map(|index| responded(index, super::task(index, index).hash()));
        harness.apply(&block(number, [created].into_iter().chain(answered).collect()));
        assert_eq!(harness.sign(&task, 5), SubmitReply::NotInSet);
        assert_eq!(harness.sign(&task, 5), SubmitReply::NotInSet);
        harness.sign(&task, 0);
    }
    assert_eq!((harness.sets_read, harness.reached.len()), (2, 40));
}

/// A provider of several nodes, each of which tells of another set.
#[test]
fn sets_that_alternate_are_read_ever_more_seldom() {
    let (mut harness, task) = Harness::with_task(&[100]);
    for number in 102..=131 {
        harness.stakes = if number % 2 == 0 { vec![100] } else { vec![100, 100] };
        harness.sign(&task, 1);
        harness.sign(&task, 5);
        pass(&mut harness, number..=number);
    }
    assert!(harness.sets_read <= 4, "{}", harness.sets_read);
}

#[test]
fn what_came_of_one_in_no_set_is_removed_with_the_task() {
    let (mut harness, task) = Harness::with_task(&[100]);
    harness.sign(&task, 1);
    harness.apply(&block(102, vec![responded(0, task.hash())]));
    pass(&mut harness, 112..=112);
    assert_eq!(harness.forgotten, [(task.hash(), operator_id(1))]);
}

#[test]
fn two_answers_of_one_whom_a_set_lacks_are_both_kept_until_it_is_known() {
    let (mut harness, task) = (Harness::new(&[100]), task(0, 101));
    assert_eq!(harness.sign(&task, 1), SubmitReply::Early);
    assert_eq!(harness.submit(&signed(&task, 1, value(2))), SubmitReply::SecondAnswer);
    harness.create(&task);
    harness.stakes.push(100);
    pass(&mut harness, 102..=102);
    assert_eq!(harness.evidence.len(), 1);
    assert_eq!(harness.sign(&task, 1), SubmitReply::Duplicate, "the first stands");
}

#[test]
fn a_signature_that_stands_does_so_with_another_set_too_whatever_was_false_since() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 1_000]);
    harness.sign(&task, 0);
    (2..5).for_each(|other| _ = harness.submit(&forged(&task, 0, other)));
    harness.sign(&task, 1);
    harness.stakes = vec![100, 100, 1];
    pass(&mut harness, 102..=106);
    harness.linger_over(&task);
    assert_eq!(harness.reached[0].signers.len(), 2);
}
