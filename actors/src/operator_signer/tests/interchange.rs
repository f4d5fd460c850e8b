use alloy::primitives::Address;
use anzen_messages::{OperatorId, Task};
use proptest::prelude::*;

use super::super::interchange::{Interchange, InterchangeError, Whose};
use super::super::protection::{Protection, Verdict};
use super::super::refusal::Refusal;
use super::protection::{answer, load, record, stored};
use crate::testing::a_task;

fn whose() -> Whose {
    Whose { chain_id: 31_337, task_manager: Address::repeat_byte(2), operator: OperatorId([3; 32].into()) }
}

fn task(number: u32) -> Task {
    a_task(1, number, 1, 100 + number)
}

/// A protection with these answers, by the task's number.
fn signed(answers: &[(u32, i64)]) -> Protection {
    let mut protection = Protection::default();
    for (number, value) in answers {
        record(&mut protection, &task(*number), *value);
    }
    protection
}

fn exported(answers: &[(u32, i64)]) -> Interchange {
    Interchange::of(whose(), &signed(answers))
}

/// The protection of a store that has taken a file over, as its next start finds it.
fn imported(own: &Protection, file: &Interchange) -> Protection {
    let merged = Interchange::of(whose(), own).merge(file.clone()).unwrap();
    load(stored(&merged.writes(own)))
}

#[test]
fn what_is_written_is_read() {
    let mut protection = signed(&[(1, 7), (2, 8), (3, 9)]);
    protection.prune(102);
    let file = Interchange::of(whose(), &protection);
    assert_eq!((file.len(), file.floor()), (2, Some(101)));
    assert_eq!(Interchange::parse(file.to_json().as_bytes()).unwrap(), file);
}

/// The format is that of other versions too.
#[test]
fn the_format_stays() {
    let text = exported(&[(1, 7)]).to_json();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["chainId", "floor", "format", "operatorId", "records", "taskManager", "version"]);
    assert_eq!((&value["format"], &value["version"]), (&"anzen-signing-protection".into(), &1.into()));
    let record = &value["records"][0];
    assert_eq!(record["taskHash"], task(1).hash().to_string());
    assert_eq!((&record["safetyFactor"], &record["createdBlock"]), (&"7".into(), &101.into()));
}

#[test]
fn after_an_import_only_later_tasks_are_signed() {
    let mut protection = imported(&Protection::default(), &exported(&[(1, 7)]));
    assert!(protection.starts_anew());
    protection.begin(150);
    for number in [1, 50] {
        assert!(matches!(protection.may_sign(&answer(&task(number), 7)), Err(Refusal::BeforeStart { .. })));
    }
    assert!(matches!(protection.may_sign(&answer(&task(51), 7)), Ok(Verdict::RecordFirst(_))));
}

/// Even where the chain seems to be younger than it was.
#[test]
fn an_imported_record_binds() {
    let mut protection = imported(&Protection::default(), &exported(&[(1, 7)]));
    protection.begin(50);
    assert!(matches!(protection.may_sign(&answer(&task(1), 7)), Ok(Verdict::Sign(_))));
    assert!(matches!(protection.may_sign(&answer(&task(1), 8)), Err(Refusal::AnotherAnswer { .. })));
}

#[test]
fn merge_of_two_answers_blocks_the_task() {
    let merged = exported(&[(1, 7), (2, 7)]).merge(exported(&[(1, 8), (2, 7)])).unwrap();
    assert_eq!(merged.blocked(), [task(1).hash()]);
    assert_eq!(Interchange::parse(merged.to_json().as_bytes()).unwrap(), merged);
    let mut protection = imported(&Protection::default(), &merged);
    protection.begin(50);
    for value in [7, 8] {
        assert_eq!(protection.may_sign(&answer(&task(1), value)), Err(Refusal::Blocked));
    }
    assert!(protection.may_sign(&answer(&task(2), 7)).is_ok());
    assert_eq!(protection.answer(&task(1), &crate::testing::domain()), None);
}

#[test]
fn another_operators_file_is_refused() {
    for other in [
        Whose { chain_id: 1, ..whose() },
        Whose { task_manager: Address::ZERO, ..whose() },
        Whose { operator: OperatorId([4; 32].into()), ..whose() },
    ] {
        let file = Interchange::of(other, &Protection::default());
        let refused = exported(&[]).merge(file).unwrap_err();
        assert!(matches!(refused, InterchangeError::AnotherOperator { .. }), "{refused}");
    }
}

#[test]
fn what_is_no_such_file_is_refused() {
    let good = exported(&[(1, 7)]).to_json();
    let no_hash = format!("\"{}\"", task(1).hash());
    for bad in [
        String::new(),
        good[..good.len() / 2].to_owned(),
        good.replace("\"version\": 1", "\"version\": 2"),
        good.replace("anzen-signing-protection", "interchange"),
        good.replace("\"floor\"", "\"flour\""),
        good.replace(&no_hash, "\"0x01\""),
        good.replace("\"createdBlock\": 101", "\"createdBlock\": -1"),
    ] {
        assert_ne!(bad, good);
        let refused = Interchange::parse(bad.as_bytes()).unwrap_err();
        assert!(matches!(refused, InterchangeError::Malformed(_)), "{bad}: {refused}");
    }
}

/// A file with two answers to a task was not written by us; neither is signed.
#[test]
fn a_file_that_contradicts_itself_blocks_the_task() {
    let (one, other) = (exported(&[(1, 7)]).to_json(), exported(&[(1, 8)]).to_json());
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let (mut both, second) = (parsed(&one), parsed(&other));
    both["records"].as_array_mut().unwrap().push(second["records"][0].clone());
    let file = Interchange::parse(both.to_string().as_bytes()).unwrap();
    assert_eq!(file.blocked(), [task(1).hash()]);
}

fn answers() -> impl Strategy<Value = Vec<(u32, i64)>> {
    proptest::collection::btree_map(0..6u32, 1..3i64, 0..6).prop_map(|answers| answers.into_iter().collect())
}

proptest! {
    #[test]
    fn the_order_of_merging_does_not_matter(a in answers(), b in answers(), c in answers()) {
        let [a, b, c] = [a, b, c].map(|answers| exported(&answers));
        let merge = |one: &Interchange, other: &Interchange| one.clone().merge(other.clone()).unwrap();
        prop_assert_eq!(merge(&a, &b), merge(&b, &a));
        prop_assert_eq!(merge(&merge(&a, &b), &c), merge(&a, &merge(&b, &c)));
        prop_assert_eq!(merge(&merge(&a, &b), &b), merge(&a, &b));
        prop_assert_eq!(merge(&a, &a), a);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Interchange::parse(&bytes);
    }
}
