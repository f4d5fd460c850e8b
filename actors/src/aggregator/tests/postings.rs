//! Whose turn it is to post what, without I/O.

use anzen_messages::TaskHash;
use anzen_messages::chain::{ChainBlock, ChainEvent};

use super::super::postings::{Attempt, Effect, Postings, Terms};
use crate::follow::ChainState;
use crate::testing::{block, block_at, block_of, block_ref, reached, responded, task, value};

const WINDOW: u64 = 30;
const FINALITY: u64 = 10;

fn at(number: u64, events: Vec<ChainEvent>) -> ChainBlock {
    block(number, events)
}

fn apply(state: &mut Postings, blocks: &[ChainBlock]) -> Vec<Effect> {
    blocks.iter().flat_map(|block| state.apply(block, block.header.at)).collect()
}

fn terms(delay: u64) -> Terms {
    Terms { window: WINDOW, finality: FINALITY, delay }
}

/// A state at block 101, and a task that was created there.
fn empty(delay: u64) -> (Postings, TaskHash) {
    let mut state = Postings::new(terms(delay));
    apply(&mut state, &[at(101, vec![])]);
    (state, task(0, 101).hash())
}

/// The same with the task's certificate, its first attempt under way.
fn posting() -> (Postings, TaskHash) {
    let (mut state, task) = empty(0);
    let effects = state.take(reached(0, 101));
    assert!(matches!(effects[..], [Effect::Post { not_after: 131, .. }]), "{effects:?}");
    (state, task)
}

/// The blocks in which attempts begin; each of them fails.
fn attempts(state: &mut Postings, blocks: std::ops::RangeInclusive<u64>) -> Vec<u64> {
    let tried = blocks.filter(|number| {
        let effects = apply(state, &[at(*number, vec![])]);
        for effect in &effects {
            let Effect::Post { reached, .. } = effect else { continue };
            state.attempted(reached.response.task_hash, Attempt::Failed);
        }
        effects.iter().any(|effect| matches!(effect, Effect::Post { .. }))
    });
    tried.collect()
}

#[test]
fn a_certificate_that_comes_twice_is_posted_once() {
    let (mut state, _) = posting();
    assert_eq!(state.take(reached(0, 101)), []);
}

#[test]
fn a_failed_attempt_is_repeated_at_the_next_block() {
    let (mut state, task) = posting();
    assert_eq!(apply(&mut state, &[at(102, vec![])]), [], "one is still under way");
    state.attempted(task, Attempt::Failed);
    assert!(matches!(apply(&mut state, &[at(103, vec![])])[..], [Effect::Post { .. }]));
}

#[test]
fn somebody_elses_answer_ends_it() {
    let (mut state, task) = posting();
    state.attempted(task, Attempt::Failed);
    let effects = apply(&mut state, &[at(102, vec![responded(0, task)])]);
    assert_eq!(effects, [Effect::Answered { task, index: 0, block: 102 }]);
    assert_eq!(state.pending(), 0);
}

#[test]
fn a_success_that_never_shows_is_not_believed_for_long() {
    let (mut state, task) = posting();
    state.attempted(task, Attempt::Settled);
    let quiet: Vec<ChainBlock> = (102..106).map(|number| at(number, vec![])).collect();
    assert_eq!(apply(&mut state, &quiet), []);
    assert!(matches!(apply(&mut state, &[at(106, vec![])])[..], [Effect::Post { .. }]));
}

#[test]
fn a_restart_of_the_watcher_forgets_answers_that_the_chain_may_have_lost() {
    let (mut state, task) = posting();
    state.attempted(task, Attempt::Settled);
    apply(&mut state, &[at(102, vec![responded(0, task)])]);
    state.restart(WINDOW);
    assert!(matches!(apply(&mut state, &[at(102, vec![])])[..], [Effect::Post { .. }]));
}

#[test]
fn a_restart_of_the_watcher_tells_no_answer_twice() {
    let (mut state, task) = posting();
    let answer = || [at(102, vec![responded(0, task)])];
    assert!(matches!(apply(&mut state, &answer())[..], [Effect::Answered { .. }]));
    state.restart(WINDOW);
    assert_eq!(apply(&mut state, &answer()), []);
}

#[test]
fn an_answer_that_a_reorg_undid_is_posted_again() {
    let (mut state, task) = posting();
    state.attempted(task, Attempt::Settled);
    apply(&mut state, &[at(102, vec![responded(0, task)])]);
    state.retract(at(101, vec![]).header.at);
    assert!(matches!(apply(&mut state, &[at(102, vec![])])[..], [Effect::Post { .. }]));
}

#[test]
fn what_is_final_is_forgotten() {
    let (mut state, task) = posting();
    apply(&mut state, &[at(102, vec![responded(0, task)])]);
    assert_eq!(apply(&mut state, &[at(111, vec![])]), []);
    assert_eq!(apply(&mut state, &[at(112, vec![])]), [Effect::Forget(task)]);
    assert_eq!(state.pending(), 0);
}

#[test]
fn what_is_late_is_given_up_once_and_forgotten_when_no_reorg_can_help() {
    let (mut state, task) = posting();
    assert_eq!(apply(&mut state, &[at(131, vec![])]), []);
    assert_eq!(apply(&mut state, &[at(132, vec![])]), [Effect::GivenUp { task, index: 0 }]);
    state.attempted(task, Attempt::Failed);
    state.retract(at(129, vec![]).header.at);
    let again = apply(&mut state, &[at(130, vec![])]);
    assert!(matches!(again[..], [Effect::Post { .. }]), "a reorg has given it time: {again:?}");
    assert_eq!(apply(&mut state, &[at(132, vec![]), at(141, vec![])]), [], "it was told");
    assert_eq!(apply(&mut state, &[at(142, vec![])]), [Effect::Forget(task)]);
}

#[test]
fn a_certificate_that_came_after_anothers_answer_is_posted_when_a_reorg_undoes_it() {
    let (mut state, task) = empty(0);
    apply(&mut state, &[at(102, vec![responded(0, task)])]);
    assert_eq!(state.take(reached(0, 101)), [], "it is answered");
    state.retract(at(101, vec![]).header.at);
    assert_eq!(attempts(&mut state, 102..=102), [102]);
}

#[test]
fn the_record_of_a_lost_race_is_removed() {
    let (mut state, task) = empty(0);
    apply(&mut state, &[at(102, vec![responded(0, task)])]);
    state.take(reached(0, 101));
    assert_eq!(apply(&mut state, &[at(112, vec![])]), [Effect::Forget(task)]);
}

#[test]
fn a_certificate_that_differs_replaces_the_one_before() {
    let (mut state, task) = posting();
    state.attempted(task, Attempt::Failed);
    let mut better = reached(0, 101);
    better.response.safety_factor = value(2);
    let effects = state.take(better.clone());
    assert!(matches!(&effects[..], [Effect::Post { reached, .. }] if **reached == better), "{effects:?}");
}

#[test]
fn replica_k_waits_k_delays() {
    for delay in [0, 2, 4] {
        let (mut state, _) = empty(delay);
        state
            .take(reached(0, 101))
            .into_iter()
            .for_each(|_| state.attempted(task(0, 101).hash(), Attempt::Failed));
        assert_eq!(attempts(&mut state, 102..=107)[0], (101 + delay).max(102));
    }
}

#[test]
fn an_answer_meanwhile_ends_it_without_a_transaction() {
    let (mut state, task) = empty(2);
    assert_eq!(state.take(reached(0, 101)), []);
    apply(&mut state, &[at(102, vec![responded(0, task)])]);
    assert_eq!(attempts(&mut state, 103..=111), [] as [u64; 0]);
}

#[test]
fn an_answer_that_a_reorg_undid_is_waited_for_again() {
    let (mut state, task) = empty(2);
    state.take(reached(0, 101));
    apply(&mut state, &[at(102, vec![]), at(103, vec![responded(0, task)]), at(104, vec![])]);
    state.retract(block_ref(102));
    assert_eq!(attempts(&mut state, 103..=105), [104, 105], "two blocks after the one that both chains have");
}

#[test]
fn a_short_window_shortens_the_delay() {
    let (mut state, _) = empty(1_000);
    state.take(reached(0, 101));
    assert_eq!(attempts(&mut state, 102..=117), [116, 117], "half of 30 blocks is left");
}

#[test]
fn a_certificate_of_an_earlier_life_waits_from_the_first_block() {
    let mut state = Postings::new(terms(2));
    state.recover(reached(0, 101));
    state.restart(WINDOW);
    let task = task(0, 101);
    let blocks = [at(101, vec![ChainEvent::TaskCreated { task }]), at(105, vec![])];
    let head = blocks[1].header.at;
    blocks.iter().for_each(|block| assert_eq!(state.apply(block, head), []));
    assert_eq!(attempts(&mut state, 106..=108), [107, 108]);
}

/// Nobody here knows whether it was answered.
#[test]
fn what_was_over_before_the_first_block_is_forgotten_quietly() {
    let mut state = Postings::new(terms(0));
    state.recover(reached(0, 101));
    assert_eq!(apply(&mut state, &[at(200, vec![])]), [Effect::Forget(task(0, 101).hash())]);
}

/// A task keeps the window of its creation, whatever is in force now.
#[test]
fn a_restart_after_the_window_was_shortened_keeps_open_tasks() {
    let mut state = Postings::new(Terms { window: 5, ..terms(0) });
    state.recover(reached(0, 101));
    state.restart(WINDOW);
    let shortened = at(105, vec![ChainEvent::ResponseWindowChanged { blocks: 5 }]);
    let blocks = [at(101, vec![]), shortened, at(120, vec![])];
    let head = blocks[2].header.at;
    let effects: Vec<Effect> = blocks.iter().flat_map(|block| state.apply(block, head)).collect();
    assert!(matches!(effects[..], [Effect::Post { not_after: 131, .. }]), "{effects:?}");
}

#[test]
fn an_index_that_a_reorg_reuses_has_a_posting_of_its_own() {
    let (mut state, old) = posting();
    state.attempted(old, Attempt::Failed);
    state.retract(block_ref(100));
    let mut other = reached(0, 101);
    other.task.proposed_safety_factor = value(9);
    other.response.task_hash = other.task.hash();
    let new = other.response.task_hash;
    let created = ChainEvent::TaskCreated { task: other.task.clone() };
    let effects = apply(&mut state, &[block_of(1, 101, vec![created])]);
    assert_eq!(effects, [], "the task that is gone is left alone");
    let effects = state.take(other.clone());
    assert!(matches!(&effects[..], [Effect::Post { reached, .. }] if **reached == other), "{effects:?}");
    let effects = apply(&mut state, &[block_of(1, 102, vec![responded(0, new)])]);
    assert_eq!(effects, [Effect::Answered { task: new, index: 0, block: 102 }]);
    state.retract(block_at(1, 100));
    let back = ChainEvent::TaskCreated { task: task(0, 101) };
    let effects = apply(&mut state, &[block_of(2, 101, vec![back])]);
    assert!(
        matches!(&effects[..], [Effect::Post { reached, .. }] if reached.response.task_hash == old),
        "{effects:?}"
    );
}

#[test]
fn nothing_is_tried_while_catching_up() {
    let (mut state, task) = posting();
    state.attempted(task, Attempt::Failed);
    let (old, new) = (at(102, vec![]), at(103, vec![responded(0, task)]));
    let head = new.header.at;
    assert_eq!(state.apply(&old, head), []);
    assert_eq!(state.apply(&new, head), [Effect::Answered { task, index: 0, block: 103 }]);
}
