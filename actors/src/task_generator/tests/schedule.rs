use alloy::primitives::{Address, B256, Bytes};
use anzen_messages::TaskResponse;
use anzen_messages::chain::{ChainEvent, DeltaBase};
use anzen_messages::model::NoAnswer;
use anzen_messages::transaction::{Mined, SendTransaction, TxRefusal};

use super::super::effect::{Attempt, Effect, Obstacle, Proposal, Report};
use super::super::policy::{Policy, Reason};
use super::super::schedule::{Schedule, Terms};
use crate::errand::Sent;
use crate::follow::ChainState;
use crate::ports::{ChainError, OracleValue, TaskRules, Windows};
use crate::testing::{a_model, a_task, block_at, block_of, delta, responded, value};

const WINDOWS: Windows = Windows { response: 10 };

fn schedule(protocols: u8) -> Schedule {
    of_policy(protocols, Policy { interval: 10, heartbeat: 0, deviation_bps: 0, look_every: 1 })
}

fn of_policy(protocols: u8, policy: Policy) -> Schedule {
    let terms = Terms {
        protocols: (1..=protocols).map(|seed| (u32::from(seed), policy)).collect(),
        patience: 5,
        longest_pause: 8,
        most_per_block: 2,
        finality_blocks: 20,
    };
    Schedule::new(terms, WINDOWS.response)
}

fn rules(latest_created: Option<u64>, open: bool) -> TaskRules {
    TaskRules {
        quorums: vec![0],
        least_threshold: 51,
        greatest_threshold: 80,
        min_interval: 3,
        model_hash: a_model(1),
        latest_created,
        open,
        value: None,
    }
}

/// The chain goes on by one block; returns what is begun.
fn at(schedule: &mut Schedule, number: u64, events: Vec<ChainEvent>) -> Vec<Effect> {
    let mut effects = schedule.advance(&delta(DeltaBase::Continues, vec![block_of(1, number, events)]));
    effects.retain(|effect| !matches!(effect, Effect::Report(Report::Created { .. })));
    effects
}

fn creation(index: u32, created: u32) -> ChainEvent {
    ChainEvent::TaskCreated { task: a_task(1, index, 1, created) }
}

fn answer(index: u32, created: u32) -> ChainEvent {
    responded(index, a_task(1, index, 1, created).hash())
}

fn looks(effects: &[Effect]) -> Vec<Attempt> {
    let look = |effect: &Effect| match effect {
        Effect::Look(attempt) => Some(*attempt),
        _ => None,
    };
    effects.iter().filter_map(look).collect()
}

/// Goes through with an attempt; returns the request.
fn request(schedule: &mut Schedule, attempt: Attempt, rules: TaskRules) -> SendTransaction {
    let effects = schedule.looked(attempt, Ok((rules, WINDOWS)));
    let [Effect::Propose { attempt, .. }] = effects[..] else { panic!("no proposal: {effects:?}") };
    let mut effects = schedule.proposed(attempt, Ok(proposal(1)));
    match effects.pop() {
        Some(Effect::Send(_, request)) => request,
        other => panic!("nothing sent: {other:?}"),
    }
}

fn proposal(of: i64) -> Proposal {
    Proposal { value: value(of), to: Address::ZERO, data: Bytes::new() }
}

fn obstacle(effects: &[Effect]) -> (&Obstacle, u64) {
    match effects {
        [Effect::Report(Report::Hindered { obstacle, again, .. })] => (obstacle, *again),
        other => panic!("no obstacle: {other:?}"),
    }
}

#[test]
fn the_first_task_is_due_at_once() {
    let mut schedule = schedule(1);
    let attempt = looks(&at(&mut schedule, 100, vec![]))[0];
    let request = request(&mut schedule, attempt, rules(None, false));
    assert_eq!((request.id.as_str(), request.not_after), ("create:1:0", Some(105)));
}

#[test]
fn the_next_task_is_due_when_the_interval_is_over_in_the_next_block() {
    let mut schedule = schedule(1);
    assert!(at(&mut schedule, 100, vec![creation(0, 100)]).is_empty());
    assert!(at(&mut schedule, 103, vec![answer(0, 100)]).is_empty());
    assert!(at(&mut schedule, 108, vec![]).is_empty());
    let attempt = looks(&at(&mut schedule, 109, vec![]))[0];
    assert_eq!(request(&mut schedule, attempt, rules(Some(100), false)).id.as_str(), "create:1:110");
}

#[test]
fn a_task_that_is_open_holds_the_next_one_up() {
    let mut schedule = schedule(1);
    assert!(at(&mut schedule, 100, vec![creation(0, 100)]).is_empty());
    assert!(at(&mut schedule, 110, vec![]).is_empty());
    let effects = at(&mut schedule, 111, vec![]);
    assert!(matches!(effects[0], Effect::Report(Report::Unanswered { oracle_index: 1, .. })));
    assert_eq!(looks(&effects).len(), 1);
}

#[test]
fn what_the_contract_says_goes_before_what_was_seen() {
    let mut schedule = schedule(1);
    let attempt = looks(&at(&mut schedule, 100, vec![]))[0];
    assert!(schedule.looked(attempt, Ok((rules(Some(99), true), WINDOWS))).is_empty());
    assert!(at(&mut schedule, 101, vec![]).is_empty(), "another generator was faster");
    assert_eq!(looks(&at(&mut schedule, 110, vec![])).len(), 1);
}

#[test]
fn governances_least_interval_is_kept() {
    let mut schedule = schedule(1);
    let attempt = looks(&at(&mut schedule, 100, vec![]))[0];
    let slow = TaskRules { min_interval: 50, ..rules(Some(80), false) };
    assert!(schedule.looked(attempt, Ok((slow, WINDOWS))).is_empty());
    assert!(at(&mut schedule, 129, vec![]).is_empty(), "the preflight is executed in block 129");
    assert_eq!(looks(&at(&mut schedule, 130, vec![])).len(), 1);
}

#[test]
fn nothing_is_begun_while_catching_up() {
    let mut schedule = schedule(1);
    let mut behind = delta(DeltaBase::Restart { response_window: 10 }, vec![block_of(1, 100, vec![])]);
    behind.head = block_at(1, 101);
    assert!(schedule.advance(&behind).is_empty());
    assert_eq!(looks(&at(&mut schedule, 101, vec![])).len(), 1);
}

#[test]
fn obstacles_are_named_and_met_again_with_growing_pauses() {
    let mut schedule = schedule(1);
    let mut expect = |block: u64, answer, again: u64| {
        let attempt = looks(&at(&mut schedule, block, vec![]))[0];
        let effects = schedule.looked(attempt, answer);
        assert_eq!(obstacle(&effects).1, again);
        assert!(at(&mut schedule, again - 1, vec![]).is_empty());
        obstacle(&effects).0.clone()
    };
    let down = ChainError::Endpoint("down".into());
    assert_eq!(expect(100, Err(down.clone()), 101), Obstacle::Chain(down));
    let none = TaskRules { quorums: vec![], ..rules(None, false) };
    assert_eq!(expect(101, Ok((none, WINDOWS)), 103), Obstacle::NoPolicy);
}

#[test]
fn where_there_is_no_answer_no_task_is_created() {
    let mut schedule = schedule(1);
    let attempt = looks(&at(&mut schedule, 100, vec![]))[0];
    schedule.looked(attempt, Ok((rules(None, false), WINDOWS)));
    let effects = schedule.proposed(attempt, Err(NoAnswer::NoCost.into()));
    assert_eq!(obstacle(&effects), (&Obstacle::NoAnswer(NoAnswer::NoCost), 101));
}

#[test]
fn a_refused_call_is_tried_again_under_another_id() {
    let mut schedule = schedule(1);
    let attempt = looks(&at(&mut schedule, 100, vec![]))[0];
    request(&mut schedule, attempt, rules(None, false));
    let refusal = TxRefusal::Reverts { error: "StakesStale(0, 17)".into() };
    let effects = schedule.sent(attempt, Sent::Refused(refusal.clone()));
    assert_eq!(obstacle(&effects), (&Obstacle::Refused(refusal), 101));
    let attempt = looks(&at(&mut schedule, 101, vec![]))[0];
    assert_eq!(request(&mut schedule, attempt, rules(None, false)).id.as_str(), "create:1:101");
}

#[test]
fn what_may_have_been_sent_is_sent_again_under_the_same_id() {
    let mut schedule = schedule(1);
    let attempt = looks(&at(&mut schedule, 100, vec![]))[0];
    let first = request(&mut schedule, attempt, rules(None, false));
    schedule.sent(attempt, Sent::Unknown("the link broke".into()));
    let again = at(&mut schedule, 101, vec![]);
    assert!(matches!(&again[..], [Effect::Send(_, request)] if *request == first), "{again:?}");
}

#[test]
fn losing_the_race_is_no_matter() {
    let mut schedule = schedule(1);
    let attempt = looks(&at(&mut schedule, 100, vec![]))[0];
    request(&mut schedule, attempt, rules(None, false));
    assert!(at(&mut schedule, 101, vec![creation(0, 101)]).is_empty());
    let reverted = Mined { hash: B256::ZERO, block: 101, gas_used: 1, succeeded: false };
    assert!(schedule.sent(attempt, Sent::Reverted(reverted)).is_empty());
}

#[test]
fn a_reorg_that_removes_the_task_has_it_created_again() {
    let mut schedule = schedule(1);
    at(&mut schedule, 100, vec![creation(0, 100)]);
    let back = DeltaBase::RetractTo { block: block_at(1, 99) };
    let effects = schedule.advance(&delta(back, vec![block_of(2, 100, vec![])]));
    assert_eq!(looks(&effects).len(), 1);
}

#[test]
fn many_protocols_spread_over_the_blocks() {
    let mut schedule = schedule(5);
    let begun = |effects: Vec<Effect>| -> Vec<u32> {
        looks(&effects).iter().map(|attempt| attempt.oracle_index).collect()
    };
    assert_eq!(begun(at(&mut schedule, 100, vec![])), [1, 2]);
    assert_eq!(begun(at(&mut schedule, 101, vec![])), [3, 4]);
    assert_eq!(begun(at(&mut schedule, 102, vec![])), [5]);
    assert!(begun(at(&mut schedule, 103, vec![])).is_empty());
}

#[test]
fn other_protocols_are_none_of_its_business() {
    let mut schedule = schedule(1);
    let foreign = ChainEvent::TaskCreated { task: a_task(1, 0, 7, 100) };
    assert_eq!(looks(&at(&mut schedule, 100, vec![foreign])).len(), 1);
}

/// No task at intervals; a value is renewed after 100 blocks, or where it has moved by half a per cent.
const ECONOMICAL: Policy = Policy { interval: 0, heartbeat: 100, deviation_bps: 50, look_every: 5 };
const HALF: i64 = 500_000_000;

/// Protocols whose tasks of block 100 were answered with one half in block 102.
fn economical(protocols: u8) -> Schedule {
    let mut schedule = of_policy(protocols, ECONOMICAL);
    let task = |protocol: u8| a_task(1, u32::from(protocol), protocol, 100);
    let created = (1..=protocols).map(|protocol| ChainEvent::TaskCreated { task: task(protocol) }).collect();
    assert!(at(&mut schedule, 100, created).is_empty());
    let answer = |protocol: u8| ChainEvent::TaskResponded {
        task_index: u32::from(protocol),
        response: TaskResponse { task_hash: task(protocol).hash(), safety_factor: value(HALF) },
        transaction: B256::ZERO,
    };
    let effects = at(&mut schedule, 102, (1..=protocols).map(answer).collect());
    compared(&mut schedule, effects, HALF);
    schedule
}

/// Has what is to be compared turn out to be `now`; returns of which protocols, and what is begun.
fn compared(schedule: &mut Schedule, effects: Vec<Effect>, now: i64) -> (Vec<u32>, Vec<Effect>) {
    let [Effect::Compare { at, models }] = &effects[..] else { return (Vec::new(), effects) };
    let values = models.iter().map(|(protocol, _)| (*protocol, Ok(value(now)))).collect();
    let begun = schedule.compared(*at, values);
    (models.iter().map(|(protocol, _)| *protocol).collect(), begun)
}

/// As the contract has it after the answer.
fn answered_rules() -> TaskRules {
    let value = OracleValue { safety_factor: value(HALF), reference_block: 99 };
    TaskRules { value: Some(value), ..rules(Some(100), false) }
}

fn reason(effects: &[Effect]) -> Option<Reason> {
    effects.iter().find_map(|effect| match effect {
        Effect::Report(Report::Asked { reason, .. }) => Some(*reason),
        _ => None,
    })
}

#[test]
fn a_value_that_stays_is_renewed_by_its_heartbeat_only() {
    let mut schedule = economical(1);
    for block in 103..198 {
        let effects = at(&mut schedule, block, vec![]);
        assert!(compared(&mut schedule, effects, HALF).1.is_empty(), "block {block}");
    }
    let effects = at(&mut schedule, 198, vec![]);
    let attempt = looks(&effects)[0];
    let effects = schedule.looked(attempt, Ok((answered_rules(), WINDOWS)));
    assert!(matches!(effects[..], [Effect::Propose { .. }]), "{effects:?}");
    let effects = schedule.proposed(attempt, Ok(proposal(HALF)));
    assert_eq!(reason(&effects), Some(Reason::Heartbeat));
}

#[test]
fn a_value_that_has_moved_far_enough_is_renewed_at_once() {
    let mut schedule = economical(1);
    let mut begun = Vec::new();
    for block in 103..=107 {
        let effects = at(&mut schedule, block, vec![]);
        begun = compared(&mut schedule, effects, HALF - 5_000_000).1;
    }
    let attempt = looks(&begun)[0];
    schedule.looked(attempt, Ok((answered_rules(), WINDOWS)));
    let effects = schedule.proposed(attempt, Ok(proposal(HALF - 5_000_000)));
    assert_eq!(reason(&effects), Some(Reason::Deviation));
}

#[test]
fn a_value_that_has_come_back_costs_nothing() {
    let mut schedule = economical(1);
    let mut begun = Vec::new();
    for block in 103..=107 {
        let effects = at(&mut schedule, block, vec![]);
        begun = compared(&mut schedule, effects, 0).1;
    }
    let attempt = looks(&begun)[0];
    schedule.looked(attempt, Ok((answered_rules(), WINDOWS)));
    assert!(schedule.proposed(attempt, Ok(proposal(HALF))).is_empty());
    assert!(looks(&at(&mut schedule, 108, vec![])).is_empty());
}

#[test]
fn the_values_of_many_protocols_are_asked_for_together_and_seldom() {
    let mut schedule = economical(50);
    let mut questions = 0;
    for block in 103..=122 {
        let effects = at(&mut schedule, block, vec![]);
        let (protocols, begun) = compared(&mut schedule, effects, HALF);
        assert!(begun.is_empty());
        if !protocols.is_empty() {
            assert_eq!(protocols.len(), 50);
            questions += 1;
        }
    }
    assert_eq!(questions, 4, "in twenty blocks");
}

#[test]
fn while_values_are_compared_nothing_else_is_asked() {
    let mut schedule = economical(1);
    let effects: Vec<Effect> = (103..=120).flat_map(|block| at(&mut schedule, block, vec![])).collect();
    assert!(matches!(effects[..], [Effect::Compare { .. }]), "{effects:?}");
    let failed = (1, Err(ChainError::Endpoint("down".into()).into()));
    let [Effect::Compare { at: block, .. }] = effects[..] else { panic!("{effects:?}") };
    let told = schedule.compared(block, vec![failed]);
    assert!(matches!(told[..], [Effect::Report(Report::NotCompared { oracle_index: 1, .. })]), "{told:?}");
    assert!(matches!(at(&mut schedule, 121, vec![])[..], [Effect::Compare { .. }]));
}

#[test]
fn a_reorg_that_takes_the_answer_away_has_the_contract_asked_again() {
    let mut schedule = economical(1);
    let back = DeltaBase::RetractTo { block: block_at(1, 101) };
    let effects = schedule.advance(&delta(back, vec![block_of(2, 102, vec![]), block_of(2, 103, vec![])]));
    assert!(looks(&effects).is_empty(), "the task is open again: {effects:?}");
    let later = (104..=111).map(|block| block_of(2, block, vec![])).collect();
    let effects = schedule.advance(&delta(DeltaBase::Continues, later));
    assert_eq!(looks(&effects).len(), 1, "nobody has answered it: {effects:?}");
}
