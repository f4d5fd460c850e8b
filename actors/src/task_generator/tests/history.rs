use super::super::history::{History, NotKnown, Unanswered};
use crate::ports::{OracleValue, TaskRules};
use crate::testing::{a_task, value};

const WINDOW: u64 = 10;

fn unanswered(history: &mut History, head: u64) -> Vec<u32> {
    history.settle(head, 20).into_iter().map(|Unanswered { index, .. }| index).collect()
}

fn rules(latest_created: Option<u64>, open: bool) -> TaskRules {
    let model_hash = alloy::primitives::B256::ZERO;
    let (least_threshold, greatest_threshold) = (51, 80);
    let quorums = vec![0];
    TaskRules {
        quorums,
        least_threshold,
        greatest_threshold,
        min_interval: 1,
        model_hash,
        latest_created,
        open,
        value: None,
    }
}

#[test]
fn what_was_never_asked_is_not_known() {
    let mut history = History::default();
    assert_eq!(history.latest(), Err(NotKnown));
    history.learn(&rules(None, false), WINDOW);
    assert_eq!(history.latest(), Ok(None));
    history.restart();
    assert_eq!(history.latest(), Err(NotKnown));
}

#[test]
fn the_contract_may_know_of_a_task_before_its_event_comes() {
    let mut history = History::default();
    history.learn(&rules(Some(100), true), WINDOW);
    assert_eq!((history.latest(), history.is_open(110), history.is_open(111)), (Ok(Some(100)), true, false));
    let task = a_task(1, 5, 1, 100);
    history.created(&task, WINDOW);
    history.answered(task.hash(), 103, value(7));
    assert!(!history.is_open(104));
    assert!(unanswered(&mut history, 111).is_empty());
}

#[test]
fn a_task_that_nobody_answered_is_reported_once_even_if_the_chain_is_told_again() {
    let mut history = History::default();
    let task = a_task(1, 5, 1, 100);
    history.created(&task, WINDOW);
    assert!(unanswered(&mut history, 110).is_empty());
    assert_eq!(unanswered(&mut history, 111), [5]);
    assert!(unanswered(&mut history, 112).is_empty());
    history.restart();
    history.created(&task, WINDOW);
    assert!(unanswered(&mut history, 112).is_empty());
}

#[test]
fn a_reorg_takes_answers_and_tasks_back() {
    let mut history = History::default();
    let (first, second) = (a_task(1, 5, 1, 100), a_task(1, 6, 1, 105));
    history.created(&first, WINDOW);
    history.answered(first.hash(), 104, value(7));
    history.created(&second, WINDOW);
    history.retract(104);
    assert_eq!((history.latest(), history.is_open(106)), (Ok(Some(100)), false));
    assert_eq!(history.value().map(|value| value.reference_block), Some(99));
    history.retract(103);
    assert!(history.is_open(106));
    assert_eq!(history.value(), None);
    history.retract(99);
    assert_eq!(history.latest(), Err(NotKnown));
}

#[test]
fn the_newer_of_what_was_seen_and_what_the_contract_says_is_the_oracles_value() {
    let mut history = History::default();
    let told = |block| OracleValue { safety_factor: value(1), reference_block: block };
    history.learn(&TaskRules { value: Some(told(90)), ..rules(Some(91), false) }, WINDOW);
    assert_eq!(history.value(), Some(told(90)));
    let task = a_task(1, 5, 1, 100);
    history.created(&task, WINDOW);
    history.answered(task.hash(), 103, value(2));
    assert_eq!(history.value(), Some(OracleValue { safety_factor: value(2), reference_block: 99 }));
    history.learn(&TaskRules { value: Some(told(120)), ..rules(Some(121), false) }, WINDOW);
    assert_eq!(history.value(), Some(told(120)));
    history.restart();
    assert_eq!(history.value(), None);
}

#[test]
fn the_answer_that_the_oracle_has_is_kept_while_later_tasks_go_unanswered() {
    let mut history = History::default();
    let answered = a_task(1, 0, 1, 100);
    history.created(&answered, WINDOW);
    history.answered(answered.hash(), 103, value(2));
    for index in 1..10 {
        history.created(&a_task(1, index, 1, 100 + 100 * index), WINDOW);
        unanswered(&mut history, 150 + 100 * u64::from(index));
    }
    assert_eq!(history.value().map(|value| value.reference_block), Some(99));
    assert_eq!((history.unanswered(), history.len()), (9, 2));
    let last = a_task(1, 10, 1, 1_200);
    history.created(&last, WINDOW);
    history.answered(last.hash(), 1_201, value(3));
    assert_eq!(history.unanswered(), 0);
}

#[test]
fn only_the_latest_task_is_kept_for_ever() {
    let mut history = History::default();
    for index in 0..100 {
        let task = a_task(1, index, 1, 100 + 10 * index);
        history.created(&task, WINDOW);
        unanswered(&mut history, 100 + 10 * u64::from(index));
        assert!(history.len() <= 4);
    }
    unanswered(&mut history, 1_000_000);
    assert_eq!((history.latest(), history.len()), (Ok(Some(1090)), 1));
}
