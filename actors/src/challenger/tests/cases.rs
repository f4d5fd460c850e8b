//! Tasks, their capture and their answers, without I/O.

use anzen_messages::chain::{ChainBlock, ChainEvent};
use anzen_messages::model::NoAnswer;

use super::super::Config;
use super::super::cases::Cases;
use super::super::effect::{Effect, Report, Verdict};
use super::super::records::Due;
use super::court::{CHALLENGE, Court, recomputed};
use crate::errand::Ticket;
use crate::follow::ChainState;
use crate::ports::{ChainError, Recomputed};
use crate::testing::{block, block_ref, responded, task, value};

const WINDOW: u64 = 30;
const FINALITY: u64 = 10;

fn gone() -> Result<Recomputed, ChainError> {
    Err(ChainError::NoSuchBlock("100".into()))
}

fn state() -> Cases {
    let config = Config { finality_blocks: FINALITY, at_a_time: 2, longest_pause: 4, ..Config::default() };
    Cases::new(config, WINDOW)
}

fn apply(state: &mut Cases, blocks: &[ChainBlock]) -> Vec<Effect> {
    blocks.iter().flat_map(|block| state.apply(block, block.header.at)).collect()
}

fn created(indices: &[u32]) -> ChainBlock {
    let task = |index: &u32| ChainEvent::TaskCreated { task: task(*index, 101) };
    block(101, indices.iter().map(task).collect())
}

/// Answered with what [`recomputed`] says.
fn answered() -> ChainBlock {
    block(102, vec![responded(0, task(0, 101).hash())])
}

fn recomputes(effects: &[Effect]) -> Vec<u32> {
    let index = |effect: &Effect| match effect {
        Effect::Recompute(task) => Some(task.index),
        _ => None,
    };
    effects.iter().filter_map(index).collect()
}

fn verdicts(effects: &[Effect]) -> Vec<Verdict> {
    let verdict = |effect: &Effect| match effect {
        Effect::Report(Report::Checked { verdict, .. }) => Some(*verdict),
        _ => None,
    };
    effects.iter().filter_map(verdict).collect()
}

fn looks(effects: &[Effect]) -> Vec<Ticket> {
    let ticket = |effect: &Effect| match effect {
        Effect::Look { ticket, .. } => Some(*ticket),
        _ => None,
    };
    effects.iter().filter_map(ticket).collect()
}

/// The answer of block 102 stands, as far as anyone has said.
fn see(state: &mut Cases, ticket: Ticket) -> Vec<Effect> {
    let court = Court { answer: Some((value(1), 102)), ..Court::new() };
    let task = task(0, 101);
    let posted = court.posted(&task).unwrap();
    state.looked(task.hash(), ticket, Ok(Some((posted, court.standing()))))
}

#[test]
fn a_task_is_recomputed_when_it_appears_and_is_on_disk_before_and_after() {
    let mut state = state();
    let effects = apply(&mut state, &[created(&[0])]);
    assert_eq!(recomputes(&effects), [0]);
    assert!(matches!(effects.last(), Some(Effect::Save(record)) if record.found.is_none()), "{effects:?}");
    let effects = state.captured(task(0, 101).hash(), Ok(recomputed()));
    assert!(matches!(effects.last(), Some(Effect::Save(record)) if record.found.is_some()), "{effects:?}");
}

#[test]
fn a_few_tasks_are_recomputed_at_a_time() {
    let mut state = state();
    assert_eq!(recomputes(&apply(&mut state, &[created(&[0, 1, 2])])), [2, 1]);
    assert_eq!(recomputes(&apply(&mut state, &[block(102, vec![])])), [] as [u32; 0]);
    let effects = state.captured(task(1, 101).hash(), Ok(recomputed()));
    assert_eq!(recomputes(&effects), [0], "the next does not wait for a block");
}

#[test]
fn a_task_that_cannot_be_recomputed_is_tried_again_with_growing_pauses() {
    let mut state = state();
    let mut tried = recomputes(&apply(&mut state, &[created(&[0])]));
    let mut at = vec![];
    for number in 102..=115 {
        if !tried.is_empty() {
            let effects = state.captured(task(0, 101).hash(), gone());
            assert!(matches!(effects[..], [Effect::Report(Report::NotCaptured { answered: false, .. })]));
        }
        tried = recomputes(&apply(&mut state, &[block(number, vec![])]));
        at.extend(tried.iter().map(|_| number));
    }
    assert_eq!(at, [102, 104, 108, 112]);
}

#[test]
fn an_answer_is_compared_once_both_are_there_whichever_comes_first() {
    let mut early = state();
    apply(&mut early, &[created(&[0])]);
    early.captured(task(0, 101).hash(), Ok(recomputed()));
    assert_eq!(verdicts(&apply(&mut early, &[answered(), block(103, vec![])])), [Verdict::Right]);
    let mut late = state();
    assert_eq!(verdicts(&apply(&mut late, &[created(&[0]), answered()])), []);
    let effects = late.captured(task(0, 101).hash(), Ok(recomputed()));
    assert_eq!(verdicts(&effects), [Verdict::Right]);
}

#[test]
fn where_nothing_follows_any_answer_is_wrong() {
    let mut state = state();
    apply(&mut state, &[created(&[0])]);
    let none = Recomputed { outcome: Err(NoAnswer::StaleFeed), ..recomputed() };
    state.captured(task(0, 101).hash(), Ok(none));
    let effects = apply(&mut state, &[answered()]);
    assert_eq!(verdicts(&effects), [Verdict::Wrong]);
    let why =
        |effect: &Effect| matches!(effect, Effect::Report(Report::Checked { due: Due::Nothing(_), .. }));
    assert!(effects.iter().any(why));
}

#[test]
fn a_right_answer_is_kept_until_no_reorg_can_bring_a_wrong_one() {
    let mut state = state();
    apply(&mut state, &[created(&[0])]);
    state.captured(task(0, 101).hash(), Ok(recomputed()));
    let ticket = looks(&apply(&mut state, &[answered()]))[0];
    assert_eq!(see(&mut state, ticket), [Effect::Report(Report::Window { blocks: CHALLENGE })]);
    let last = 102 + CHALLENGE + FINALITY;
    assert_eq!(apply(&mut state, &[block(last, vec![])]), [], "and nothing is asked about it again");
    assert_eq!(apply(&mut state, &[block(last + 1, vec![])]), [Effect::Forget(task(0, 101).hash())]);
    assert_eq!(state.tally().tasks, 0);
}

#[test]
fn a_task_that_nobody_answers_is_forgotten() {
    let mut state = state();
    apply(&mut state, &[created(&[0])]);
    state.captured(task(0, 101).hash(), Ok(recomputed()));
    assert_eq!(apply(&mut state, &[block(101 + WINDOW + FINALITY, vec![])]), []);
    let over = block(102 + WINDOW + FINALITY, vec![]);
    assert_eq!(apply(&mut state, &[over]), [Effect::Forget(task(0, 101).hash())]);
}

#[test]
fn a_task_that_a_reorg_undid_is_let_be_until_it_comes_back() {
    let mut state = state();
    apply(&mut state, &[created(&[0])]);
    state.retract(block_ref(100));
    state.captured(task(0, 101).hash(), gone());
    assert_eq!(recomputes(&apply(&mut state, &[block(101, vec![]), block(103, vec![])])), [] as [u32; 0]);
    state.retract(block_ref(100));
    assert_eq!(recomputes(&apply(&mut state, &[created(&[0]), block(105, vec![])])), [0]);
}

#[test]
fn an_answer_that_runs_out_of_time_unchecked_is_told_of() {
    let mut state = state();
    apply(&mut state, &[created(&[0])]);
    state.captured(task(0, 101).hash(), gone());
    let ticket = looks(&apply(&mut state, &[answered()]))[0];
    see(&mut state, ticket);
    let tally = |state: &Cases| (state.tally().unchecked, state.tally().checks_running_out);
    assert_eq!(tally(&state), (1, 0));
    apply(&mut state, &[block(102 + CHALLENGE / 2 + 1, vec![])]);
    assert_eq!(tally(&state), (1, 1));
    let effects = apply(&mut state, &[block(103 + CHALLENGE, vec![]), block(104 + CHALLENGE, vec![])]);
    let unchecked = |effect: &&Effect| matches!(effect, Effect::Report(Report::Unchecked { .. }));
    assert_eq!(effects.iter().filter(unchecked).count(), 1, "{effects:?}");
    assert_eq!(tally(&state), (0, 0));
}

/// What is below the blocks that are told again is not told again.
#[test]
fn a_restart_of_the_watcher_keeps_answers_from_before_it() {
    let mut state = state();
    apply(&mut state, &[created(&[0])]);
    state.captured(task(0, 101).hash(), Ok(recomputed()));
    apply(&mut state, &[answered(), block(103, vec![])]);
    state.restart(WINDOW);
    let again = apply(&mut state, &[block(103, vec![])]);
    assert_eq!(verdicts(&again), [], "it was told");
    assert!(state.cases[&task(0, 101).hash()].answer.is_some());
    state.restart(WINDOW);
    apply(&mut state, &[block(102, vec![])]);
    assert!(state.cases[&task(0, 101).hash()].answer.is_none(), "a reorg undid it meanwhile");
}

#[test]
fn an_answer_that_is_not_what_was_told_is_not_judged() {
    let mut state = state();
    apply(&mut state, &[created(&[0])]);
    let ticket = looks(&apply(&mut state, &[answered()]))[0];
    let court = Court { answer: Some((value(9), 102)), ..Court::new() };
    let posted = court.posted(&task(0, 101)).unwrap();
    let effects = state.looked(task(0, 101).hash(), ticket, Ok(Some((posted, court.standing()))));
    assert!(matches!(effects[..], [Effect::Report(Report::Hindered { .. })]), "{effects:?}");
    assert_eq!(state.cases[&task(0, 101).hash()].course.challenge_end, None);
}

#[test]
fn a_record_that_could_not_be_written_is_written_with_the_next_block() {
    let mut state = state();
    apply(&mut state, &[created(&[0])]);
    state.not_saved(task(0, 101).hash());
    assert!(apply(&mut state, &[block(102, vec![])]).iter().any(|effect| matches!(effect, Effect::Save(_))));
}
