//! What is told of wrong answers that nobody can look at, and of those that are gone.

use alloy::primitives::B256;
use anzen_messages::chain::ChainEvent;
use anzen_messages::{TaskHash, TaskResponse};

use super::super::Config;
use super::super::cases::{Cases, Tally};
use super::super::effect::{Effect, State};
use super::super::pursuit::Seen;
use super::court::{CHALLENGE, Court, recomputed};
use crate::follow::ChainState;
use crate::ports::ChainError;
use crate::testing::{block, task, value};

const WINDOW: u64 = 30;
const FINALITY: u64 = 10;

fn hash() -> TaskHash {
    task(0, 101).hash()
}

/// The tally, and what is removed from disk, after a wrong answer of block 102 and blocks up to `last`.
fn after(last: u64, seen: impl Fn() -> Result<Seen, ChainError>) -> (Tally, bool) {
    let mut cases = Cases::new(Config { finality_blocks: FINALITY, ..Config::default() }, WINDOW);
    let mut forgotten = false;
    for number in 101..=last {
        let response = TaskResponse { task_hash: hash(), safety_factor: value(9) };
        let events = match number {
            101 => vec![ChainEvent::TaskCreated { task: task(0, 101) }],
            102 => vec![ChainEvent::TaskResponded { task_index: 0, response, transaction: B256::ZERO }],
            _ => Vec::new(),
        };
        let block = block(number, events);
        for effect in cases.apply(&block, block.header.at) {
            match effect {
                Effect::Recompute(task) => drop(cases.captured(task.hash(), Ok(recomputed()))),
                Effect::Look { ticket, .. } => drop(cases.looked(hash(), ticket, seen())),
                Effect::Forget(_) => forgotten = true,
                _ => {}
            }
        }
    }
    (cases.tally(), forgotten)
}

fn seen() -> Seen {
    let court = Court { answer: Some((value(9), 102)), ..Court::new() };
    court.posted(&task(0, 101)).map(|posted| (posted, court.standing()))
}

#[test]
fn a_wrong_answer_that_cannot_be_looked_at_is_counted_and_its_time_runs_out() {
    let down = || Err(ChainError::Endpoint("down".into()));
    let counts = |(tally, _): (Tally, bool)| (tally.disputes, tally.challenges_running_out);
    let challenging = [(State::Challenging, 1)].into();
    assert_eq!(counts(after(103, down)), (challenging, 0));
    assert_eq!(after(103 + WINDOW / 2, down).0.challenges_running_out, 1);
}

#[test]
fn the_time_to_challenge_is_what_the_chain_tells() {
    assert_eq!(after(102 + CHALLENGE / 2, || Ok(seen())).0.challenges_running_out, 0);
    assert_eq!(after(103 + CHALLENGE / 2, || Ok(seen())).0.challenges_running_out, 1);
}

#[test]
fn an_answer_that_is_withdrawn_does_not_run_out() {
    let withdrawn = || {
        let mut court = Court { answer: Some((value(9), 102)), withdrawn: Some(103), ..Court::new() };
        court.signers.iter_mut().for_each(|one| (one.frozen, one.registered) = (true, false));
        Ok(court.posted(&task(0, 101)).map(|posted| (posted, court.standing())))
    };
    assert_eq!(after(101 + CHALLENGE, withdrawn).0.challenges_running_out, 0);
}

/// A reorg undid it, and the watcher did not see that.
#[test]
fn an_answer_that_the_chain_does_not_have_is_not_asked_for_for_ever() {
    assert!(!after(101 + WINDOW + FINALITY, || Ok(None)).1);
    assert!(after(102 + WINDOW + FINALITY, || Ok(None)).1);
}
