use anzen_messages::Task;
use anzen_messages::task::SigningDomain;

use super::super::again::NotOnRecord;
use super::super::protection::{Answer, Protection, SPACE, Verdict};
use super::super::refusal::{Corrupt, Refusal};
use crate::ports::Write;
use crate::testing::{a_task, domain, value};

pub(super) fn task() -> Task {
    a_task(1, 0, 1, 100)
}

pub(super) fn answer(task: &Task, units: i64) -> Answer {
    Answer::new(task, value(units), &domain())
}

/// What a disk with these writes would give back.
pub(super) fn stored(writes: &[Write]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut records = std::collections::BTreeMap::new();
    for write in writes {
        match write.clone() {
            Write::Put { space, key, value } => {
                assert_eq!(space, SPACE);
                records.insert(key, value);
            }
            Write::Delete { key, .. } => _ = records.remove(&key),
        }
    }
    records.into_iter().collect()
}

/// Records an answer; returns the writes.
pub(super) fn record(protection: &mut Protection, task: &Task, value: i64) -> Vec<Write> {
    let Ok(Verdict::RecordFirst(writes)) = protection.may_sign(&answer(task, value)) else {
        panic!("an answer must be recorded first");
    };
    protection.recorded(task.hash());
    writes
}

pub(super) fn load(records: Vec<(Vec<u8>, Vec<u8>)>) -> Protection {
    Protection::load(records, 0).unwrap()
}

#[test]
fn an_answer_is_recorded_before_it_is_signed() {
    let mut protection = Protection::default();
    let first = protection.may_sign(&answer(&task(), 1));
    assert!(matches!(first, Ok(Verdict::RecordFirst(_))));
    assert_eq!(protection.may_sign(&answer(&task(), 1)), first, "not on disk yet");
    protection.recorded(task().hash());
    assert!(matches!(protection.may_sign(&answer(&task(), 1)), Ok(Verdict::Sign(_))));
}

#[test]
fn another_answer_is_refused_even_before_the_first_is_on_disk() {
    let mut protection = Protection::default();
    let _ = protection.may_sign(&answer(&task(), 1));
    let refused = Err(Refusal::AnotherAnswer { recorded: value(1), computed: value(2) });
    assert_eq!(protection.may_sign(&answer(&task(), 2)), refused);
    protection.recorded(task().hash());
    assert_eq!(protection.may_sign(&answer(&task(), 2)), refused);
}

#[test]
fn a_restart_forgets_no_record() {
    let writes = record(&mut Protection::default(), &task(), 1);
    let mut protection = load(stored(&writes));
    assert!(matches!(protection.may_sign(&answer(&task(), 1)), Ok(Verdict::Sign(_))));
    assert!(matches!(protection.may_sign(&answer(&task(), 2)), Err(Refusal::AnotherAnswer { .. })));
}

#[test]
fn an_index_that_a_reorg_reuses_is_another_task() {
    let mut protection = Protection::default();
    record(&mut protection, &task(), 1);
    assert!(protection.may_sign(&answer(&a_task(2, 0, 1, 100), 2)).is_ok());
}

#[test]
fn what_was_pruned_is_never_signed_again() {
    let mut protection = Protection::default();
    let (old, young) = (a_task(1, 0, 1, 100), a_task(1, 1, 1, 200));
    let mut writes = record(&mut protection, &old, 1);
    writes.extend(record(&mut protection, &young, 1));
    writes.extend(protection.prune(150));
    protection.pruned(true);
    for mut state in [protection, load(stored(&writes))] {
        assert_eq!(state.len(), 1);
        let refused = Err(Refusal::TooOld { created: 100, floor: 100 });
        assert_eq!(state.may_sign(&answer(&old, 2)), refused);
        assert_eq!(state.may_sign(&answer(&old, 1)), refused);
        assert!(matches!(state.may_sign(&answer(&young, 1)), Ok(Verdict::Sign(_))));
    }
}

#[test]
fn pruning_waits_for_the_last_one_to_be_done() {
    let mut protection = Protection::default();
    record(&mut protection, &a_task(1, 0, 1, 100), 1);
    record(&mut protection, &a_task(1, 1, 1, 200), 1);
    assert_eq!(protection.prune(150).len(), 2);
    assert!(protection.prune(250).is_empty());
    protection.pruned(true);
    assert_eq!(protection.prune(250).len(), 2);
    assert!(protection.is_empty());
}

#[test]
fn a_record_that_cannot_be_read_stops_everything() {
    let good = stored(&record(&mut Protection::default(), &task(), 1));
    let (key, value) = good[0].clone();
    let broken = |key: &[u8], value: &[u8]| Protection::load(vec![(key.to_vec(), value.to_vec())], 0).err();
    assert!(broken(&key, &value[..value.len() - 1]).is_some(), "truncated");
    assert!(broken(&key, b"").is_some(), "emptied");
    assert!(broken(&key[1..], &value).is_some(), "a key that is none");
    assert!(broken(b"floor", b"").is_some(), "a floor that is none");
    assert!(broken(b"barrier", b"{}").is_some(), "a barrier that is none");
    let error: Corrupt = broken(b"floor", b"x").unwrap();
    assert!(error.to_string().contains("restore"), "{error}");
}

#[test]
fn what_is_on_record_is_signed_again_and_nothing_else() {
    let writes = record(&mut Protection::default(), &task(), 7);
    let mut protection = load(stored(&writes));
    let permit = protection.sign_again(&task(), &domain()).unwrap();
    assert_eq!(permit.response(), answer(&task(), 7).response());
    let another = a_task(2, 0, 1, 100);
    assert_eq!(protection.sign_again(&another, &domain()), Err(NotOnRecord::Nothing(another.hash())));
    assert_eq!(protection.len(), 1, "asking leaves no record");
    // Of another deployment the record is another answer's.
    let elsewhere = SigningDomain::new(1, alloy::primitives::Address::ZERO);
    assert!(protection.sign_again(&task(), &elsewhere).is_err());
}

#[test]
fn what_is_not_on_disk_is_not_signed_again() {
    let mut protection = Protection::default();
    let _ = protection.may_sign(&answer(&task(), 7));
    assert_eq!(protection.sign_again(&task(), &domain()), Err(NotOnRecord::Nothing(task().hash())));
}
