//! Simulated runs: named after the fault.

use std::time::Duration;

use anzen_integration::sim::{Faults, Outcome, Plan, run};

const LONGEST: Duration = Duration::from_secs(4 * 3600);

fn lossy() -> Faults {
    Faults { loss_percent: 20, duplicate_percent: 10, longest_delay_ms: 4_000 }
}

/// Runs, and shows what happened where the tasks are not answered.
fn answers(seed: u64, plan: Plan) -> Outcome {
    let outcome = run(seed, plan, LONGEST).unwrap();
    let (got, wanted) = (outcome.answers.len(), plan.tasks);
    assert!(got >= wanted, "seed {seed}: {got} of {wanted} tasks answered\n{}", outcome.log.join("\n"));
    outcome
}

#[test]
fn all_online() {
    answers(1, Plan::default());
}

#[test]
fn one_offline() {
    answers(2, Plan { offline: 1, ..Plan::default() });
}

#[test]
fn too_few_online_answer_nothing() {
    let plan = Plan { offline: 2, tasks: 1, ..Plan::default() };
    let outcome = run(3, plan, Duration::from_secs(1_200)).unwrap();
    assert_eq!(outcome.answers, []);
    assert!(
        outcome.log.iter().any(|line| line.contains("task 1 created")),
        "the next task comes all the same"
    );
}

#[test]
fn slow_and_lossy_links() {
    for seed in 10..15 {
        answers(seed, Plan { faults: lossy(), ..Plan::default() });
    }
}

#[test]
fn failing_endpoints() {
    for seed in 20..25 {
        answers(seed, Plan { rpc_failure_percent: 10, ..Plan::default() });
    }
}

#[test]
fn reorgs() {
    for seed in 30..35 {
        answers(seed, Plan { reorg_every: 4, ..Plan::default() });
    }
}

/// The same seed is the same run, to the letter; another one is another.
#[test]
fn determinism() {
    let plan = Plan { faults: lossy(), rpc_failure_percent: 10, reorg_every: 10, ..Plan::default() };
    let first = answers(40, plan);
    assert_eq!(first, answers(40, plan));
    assert_ne!(first.log, answers(41, plan).log);
}
