//! Records that may lack what was signed before have a barrier.

use super::super::protection::{Protection, Verdict};
use super::super::refusal::Refusal;
use super::protection::{answer, load, record, stored};
use crate::testing::a_task;

/// A task of a block, and whether an answer to it may be signed.
fn signs(protection: &mut Protection, created: u32) -> Result<(), Refusal> {
    protection.may_sign(&answer(&a_task(1, created, 1, created), 1)).map(drop)
}

#[test]
fn a_new_store_signs_only_later_tasks() {
    let mut protection = load(Vec::new());
    assert!(protection.starts_anew());
    assert!(signs(&mut protection, 200).is_err(), "nothing before the chain is followed");
    protection.begin(100);
    protection.begin(150);
    assert_eq!(signs(&mut protection, 100), Err(Refusal::BeforeStart { created: 100, barrier: 100 }));
    assert_eq!(signs(&mut protection, 101), Ok(()));
}

#[test]
fn a_key_that_is_new_signs_what_is_open_and_only_then() {
    let mut protection = load(Vec::new());
    assert!(protection.trust_that_the_key_is_new());
    protection.begin(100);
    assert_eq!((signs(&mut protection, 90), protection.barrier()), (Ok(()), None));
    let mut restored = Protection::load(Vec::new(), 1).unwrap();
    assert!(!restored.trust_that_the_key_is_new() && restored.starts_anew());
}

#[test]
fn a_key_is_new_once() {
    let mut protection = load(Vec::new());
    protection.trust_that_the_key_is_new();
    let on_disk = stored(&protection.prune(0));
    let mut next = load(on_disk.clone());
    assert!(!next.trust_that_the_key_is_new() && !next.starts_anew(), "it was taken so, and that is on disk");
    assert_eq!(signs(&mut next, 90), Ok(()));
    let mut restored = Protection::load(on_disk, 1).unwrap();
    assert!(!restored.trust_that_the_key_is_new() && restored.starts_anew());
}

#[test]
fn a_key_is_not_new_after_an_import_even_of_nothing() {
    let mut imported = load(stored(&load(Vec::new()).start_anew()));
    assert!(!imported.trust_that_the_key_is_new() && imported.starts_anew());
}

#[test]
fn who_says_that_a_store_was_restored_signs_only_later_tasks() {
    let mut before = load(Vec::new());
    before.begin(100);
    let mut writes = record(&mut before, &a_task(1, 0, 1, 101), 1);
    writes.extend(before.start_anew());
    let mut after = load(stored(&writes));
    after.begin(90);
    assert_eq!(after.barrier(), Some(100), "no earlier than the last one");
    let mut after = load(stored(&writes));
    after.begin(200);
    assert!(matches!(signs(&mut after, 150), Err(Refusal::BeforeStart { barrier: 200, .. })));
    assert_eq!(signs(&mut after, 201), Ok(()));
}

#[test]
fn the_barrier_is_on_disk_with_the_first_record() {
    let mut protection = load(Vec::new());
    protection.begin(100);
    let writes = record(&mut protection, &a_task(1, 0, 1, 101), 1);
    assert_eq!(writes.len(), 2);
    assert_eq!(record(&mut protection, &a_task(1, 1, 1, 102), 1).len(), 1, "once");
    let mut next = load(stored(&writes));
    next.begin(200);
    assert_eq!(signs(&mut next, 150), Ok(()), "a restart moves no barrier");
    assert!(matches!(signs(&mut next, 100), Err(Refusal::BeforeStart { barrier: 100, .. })));
}

#[test]
fn the_barrier_comes_to_disk_without_any_task() {
    let mut protection = load(Vec::new());
    protection.begin(100);
    let writes = protection.prune(0);
    assert_eq!(writes.len(), 1);
    assert!(protection.prune(0).is_empty(), "under way");
    protection.pruned(false);
    assert_eq!(protection.prune(0), writes, "it failed");
    protection.pruned(true);
    assert!(protection.prune(0).is_empty());
    assert!(!load(stored(&writes)).starts_anew());
}

#[test]
fn a_restored_copy_signs_only_later_tasks() {
    let mut protection = load(Vec::new());
    protection.begin(100);
    let task = a_task(1, 110, 1, 110);
    let writes = record(&mut protection, &task, 1);
    for restorations in [1, 7] {
        let mut restored = Protection::load(stored(&writes), restorations).unwrap();
        restored.begin(120);
        assert!(matches!(signs(&mut restored, 115), Err(Refusal::BeforeStart { barrier: 120, .. })));
        assert!(signs(&mut restored, 110).is_err(), "not even what is on record");
        assert_eq!(signs(&mut restored, 121), Ok(()));
        // Where the chain is behind what was known.
        let mut behind = Protection::load(stored(&writes), restorations).unwrap();
        behind.begin(90);
        assert!(signs(&mut behind, 100).is_err());
    }
}

#[test]
fn records_of_versions_without_a_barrier_go_on() {
    let writes = record(&mut Protection::default(), &a_task(1, 0, 1, 100), 1);
    let mut protection = load(stored(&writes));
    protection.begin(200);
    assert_eq!(signs(&mut protection, 150), Ok(()));
    assert!(Protection::load(stored(&writes), 1).unwrap().starts_anew(), "a copy of them does not");
}

#[test]
fn an_answer_on_record_needs_no_computing() {
    let mut protection = Protection::default();
    let task = a_task(1, 0, 1, 100);
    let domain = crate::testing::domain();
    assert_eq!(protection.answer(&task, &domain), None);
    record(&mut protection, &task, 7);
    let found = protection.answer(&task, &domain).unwrap();
    assert_eq!(found, answer(&task, 7));
    assert!(matches!(protection.may_sign(&found), Ok(Verdict::Sign(_))));
}
