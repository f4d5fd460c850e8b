//! A little chaos on real processes. By hand, much more: `just chaos`.

use anzen_integration::chaos::{self, Failure, Fault, Options, Report};
use anzen_integration::invariants::Invariant;

const OPTIONS: Options = Options { seed: 1, tasks: 6, kills: 1, reorgs: 2, cut_off: &[], flood_tasks: 3 };

fn holds(outcome: Result<Report, Failure>) {
    match outcome {
        Ok(report) => println!("{report}"),
        Err(failure) => panic!("{failure}"),
    }
}

#[tokio::test]
async fn each_kind_of_process_is_killed_and_nothing_is_lost() {
    holds(chaos::kill(&OPTIONS, &["--interval", "5", "--topology", "spread"]).await);
}

#[tokio::test]
async fn an_aggregator_in_one_process_and_operators_are_killed_and_nothing_is_lost() {
    let options = Options { kills: 2, ..OPTIONS };
    holds(chaos::kill(&options, &["--interval", "5"]).await);
}

#[tokio::test]
async fn the_chain_forks_and_all_follow() {
    holds(chaos::reorg(&OPTIONS, &["--interval", "5", "--topology", "spread"]).await);
}

#[tokio::test]
async fn floods_delay_nobody_by_more_than_a_block() {
    holds(chaos::flood(&OPTIONS, &["--interval", "5", "--block-time", "2"]).await);
}

#[tokio::test]
async fn a_task_that_is_owed_an_answer_and_gets_none_is_noticed() {
    let options = Options { kills: 0, tasks: 1_000, cut_off: &[2, 3], ..OPTIONS };
    let failure = chaos::kill(&options, &["--interval", "5"]).await.expect_err("one of three is no quorum");
    let Fault::Violation(violation) = &failure.fault else { panic!("{failure}") };
    assert_eq!(violation.invariant, Invariant::Answered, "{failure}");
    // What it keeps for people is not kept for this test.
    assert!(failure.folder.join("network/aggregator.log").exists(), "{failure}");
    // Processes that are ending may still write there.
    let _ = std::fs::remove_dir_all(&failure.folder);
}
