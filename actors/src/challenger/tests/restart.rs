//! What the next process makes of what is on disk.

use anzen_messages::chain::ChainEvent;

use super::super::Config;
use super::super::cases::Cases;
use super::super::effect::{Effect, Report};
use super::court::{Court, VETO};
use super::trial::{Trial, answered, hash, mined};
use crate::follow::ChainState;
use crate::ports::ChainError;
use crate::testing::{block, task};

const WINDOW: u64 = 30;

/// What another process tells that starts with the records of this one, and is told all blocks again.
fn told_again(trial: &mut Trial) -> Vec<Report> {
    let record = trial.cases.cases[&hash()].record();
    trial.cases = Cases::new(Config::default(), WINDOW);
    trial.cases.recover(record);
    trial.reports.clear();
    trial.block(101, vec![ChainEvent::TaskCreated { task: task(0, 101) }]);
    trial.block(102, vec![answered()]);
    trial.blocks(110);
    std::mem::take(&mut trial.reports)
}

#[test]
fn what_was_told_of_an_answer_is_not_told_again_by_the_next_process() {
    let mut court = Court { withdrawn: Some(103), ..Court::new() };
    court.signers.iter_mut().for_each(|one| (one.frozen, one.registered, one.owes) = (true, false, false));
    let mut trial = Trial::new(court, mined);
    trial.blocks(103 + VETO);
    let is_told = |report: &Report| {
        matches!(report, Report::Checked { .. } | Report::Moved { .. } | Report::Slashed { .. })
    };
    assert_eq!(trial.reports.iter().filter(|report| is_told(report)).count(), 3, "{:?}", trial.reports);
    let again = told_again(&mut trial);
    assert!(!again.iter().any(is_told), "{again:?}");
}

/// A process that starts, past the task's response window, with a task that the one before it had.
fn recovered() -> (Cases, Vec<Effect>) {
    let mut before = Cases::new(Config::default(), WINDOW);
    let created = block(101, vec![ChainEvent::TaskCreated { task: task(0, 101) }]);
    before.apply(&created, created.header.at);
    let mut cases = Cases::new(Config::default(), WINDOW);
    cases.recover(before.cases[&hash()].record());
    let late = block(101 + 10 * WINDOW, Vec::new());
    let effects = cases.apply(&late, late.header.at);
    (cases, effects)
}

fn next(cases: &mut Cases) -> Vec<Effect> {
    let next = block(cases.head + 5, Vec::new());
    cases.apply(&next, next.header.at)
}

#[test]
fn a_task_of_an_earlier_process_is_not_forgotten_before_it_was_asked_whether_it_is_answered() {
    let (mut cases, effects) = recovered();
    assert!(effects.contains(&Effect::Inquire(task(0, 101))), "{effects:?}");
    assert!(!effects.contains(&Effect::Forget(hash())));
    cases.inquired(hash(), Err(ChainError::Endpoint("down".into())));
    assert!(next(&mut cases).contains(&Effect::Inquire(task(0, 101))), "asked again");
    assert_eq!(cases.inquired(hash(), Ok(false)), []);
    assert!(next(&mut cases).contains(&Effect::Forget(hash())));
}

#[test]
fn an_answer_that_came_while_the_process_was_away_is_told_of_and_its_proof_kept() {
    let (mut cases, _) = recovered();
    let effects = cases.inquired(hash(), Ok(true));
    assert_eq!(effects, [Effect::Report(Report::Missed { task: hash(), index: 0 })]);
    let effects = next(&mut cases);
    assert!(!effects.contains(&Effect::Forget(hash())) && !effects.contains(&Effect::Inquire(task(0, 101))));
}
