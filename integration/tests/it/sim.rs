//! Simulated runs: named after the fault.

use anzen_integration::sim::{
    DiskFault, Event, Faults, Mischief, Options, Outcome, Plan, Storm, Trouble, Who, run,
};

const AGGREGATOR: Who = Who::Aggregator(0);

/// Runs, and shows what happened where an invariant does not hold, or too few tasks are answered.
fn holds(seed: u64, plan: &Plan) -> Outcome {
    let outcome = run(seed, plan, Options::default()).unwrap();
    let (answered, tasks) = outcome.tasks;
    // One may be under way at the end, and the deepest reorgs delay the first by as many blocks.
    let fine = outcome.violation.is_none() && answered >= 3 && answered + 1 >= tasks;
    assert!(
        fine,
        "seed {seed}: {answered} of {tasks}, {:?}\n{plan}{}",
        outcome.violation,
        outcome.log.join("\n")
    );
    outcome
}

fn lossy() -> Storm {
    let faults = Faults { loss_percent: 20, duplicate_percent: 10, longest_delay_ms: 4_000 };
    Storm { faults, ..Storm::default() }
}

fn strikes(events: &[(u64, Event)]) -> Plan {
    let events = events.iter().map(|(seconds, event)| (seconds * 1_000, event.clone())).collect();
    Plan::of_storm(Storm { events, ..Storm::default() })
}

fn with(byzantine: &[(usize, Mischief)]) -> Plan {
    let operators = if byzantine.len() > 1 { 6 } else { 4 };
    Plan { operators, byzantine: byzantine.to_vec(), ..Plan::default() }
}

#[test]
fn all_online() {
    holds(1, &Plan::default());
}

#[test]
fn two_aggregators() {
    holds(2, &Plan { aggregators: 2, ..Plan::default() });
}

#[test]
fn one_offline() {
    holds(3, &with(&[(3, Mischief::Silent)]));
}

#[test]
fn too_few_online_answer_nothing() {
    let silent = [(2, Mischief::Silent), (3, Mischief::Silent)];
    let plan = Plan { operators: 4, calm_blocks: 0, ..with(&silent) };
    let plan = Plan { storms: vec![Storm { blocks: 60, ..Storm::default() }], ..plan };
    let outcome = run(4, &plan, Options::default()).unwrap();
    assert_eq!(outcome.answers, []);
    assert!(
        outcome.log.iter().any(|line| line.contains("task 1 created")),
        "the next task comes all the same"
    );
}

#[test]
fn slow_and_lossy_links() {
    for seed in 10..13 {
        holds(seed, &Plan::of_storm(lossy()));
    }
}

#[test]
fn failing_endpoints() {
    for seed in 20..23 {
        holds(seed, &Plan::of_storm(Storm { rpc_failure_percent: 10, ..Storm::default() }));
    }
}

#[test]
fn endpoints_that_stall_lag_and_freeze() {
    for (seed, trouble) in [(30, Trouble::Stalled), (31, Trouble::Behind(6)), (32, Trouble::Frozen)] {
        let (bad, well) = (Event::Endpoint(AGGREGATOR, trouble), Event::EndpointWell(AGGREGATOR));
        holds(seed, &strikes(&[(40, bad), (160, well)]));
    }
}

#[test]
fn an_operator_that_is_lied_to() {
    let bad = Event::Endpoint(Who::Operator(0), Trouble::Lies(1));
    let again = [(40, bad), (90, Event::Kill(Who::Operator(0))), (92, Event::Start(Who::Operator(0)))];
    holds(35, &Plan { misled: vec![0], ..strikes(&again) });
}

/// It signs nothing that it may have signed before, and is at work again with the next tasks.
#[test]
fn an_operator_whose_disk_is_put_back() {
    let who = Who::Operator(0);
    let events = [
        (20, Event::Copy(who)),
        (40, Event::Endpoint(who, Trouble::Lies(1))),
        (70, Event::Restore(who)),
        (72, Event::EndpointWell(who)),
        (74, Event::Start(who)),
    ];
    for old_keys in [vec![], vec![0]] {
        holds(36, &Plan { misled: vec![0], old_keys, ..strikes(&events) });
    }
}

#[test]
fn an_aggregator_that_is_lied_to() {
    for seed in 37..40 {
        let bad = Event::Endpoint(AGGREGATOR, Trouble::Lies(1));
        let lied = [(40, bad), (150, Event::EndpointWell(AGGREGATOR))];
        holds(seed, &Plan { misled_aggregators: vec![0], ..strikes(&lied) });
    }
}

#[test]
fn deep_reorgs() {
    for (seed, depth) in [(40, 1), (41, 5), (42, 10)] {
        for longer in [true, false] {
            let reorg = Event::Reorg { depth, dropped_percent: 30, longer };
            holds(seed, &strikes(&[(60, reorg.clone()), (130, reorg.clone()), (200, reorg)]));
        }
    }
}

#[test]
fn a_partition_and_a_stalled_chain() {
    let all: Vec<(usize, usize)> = (0..4).map(|operator| (operator, 0)).collect();
    let cut =
        [(30, Event::Cut(all.clone())), (120, Event::Mend(all)), (150, Event::Stall), (200, Event::GoOn)];
    holds(50, &strikes(&cut));
}

#[test]
fn crashes_of_everyone() {
    let everyone: Vec<Who> = (0..4).map(Who::Operator).chain([AGGREGATOR]).collect();
    for seed in 60..63 {
        let mut events = Vec::new();
        for round in 0..5 {
            let at = 15 + round * 41 + seed % 7;
            events.extend(everyone.iter().map(|who| (at, Event::Kill(*who))));
            events.extend(everyone.iter().map(|who| (at + 3, Event::Start(*who))));
        }
        holds(seed, &strikes(&events));
    }
}

#[test]
fn full_and_slow_disks() {
    for (seed, fault) in [(70, DiskFault::Full), (71, DiskFault::Slow)] {
        for who in [AGGREGATOR, Who::Operator(1)] {
            let (bad, well) = (Event::Disk(who, fault), Event::Disk(who, DiskFault::None));
            holds(seed, &strikes(&[(40, bad), (150, well)]));
        }
    }
}

#[test]
fn each_kind_of_byzantine_operator() {
    for (seed, mischief) in (80..).zip(Mischief::ALONE) {
        holds(seed, &with(&[(3, mischief)]));
    }
    holds(95, &with(&[(4, Mischief::Cancels), (5, Mischief::CancelsBack)]));
}

/// The same seed is the same run, to the letter; another one is another.
#[test]
fn determinism() {
    for seed in [3, 8] {
        let plan = Plan::of_seed(seed);
        let outcome = |seed| run(seed, &plan, Options::default()).unwrap();
        let first = outcome(seed);
        assert_eq!(first, outcome(seed));
        assert_ne!(first.log, outcome(seed + 1).log);
    }
}
