use alloy::primitives::{Address, B256};
use anzen_messages::chain::{ChainEvent, DeltaBase};
use anzen_messages::transaction::{Mined, TxRefusal};

use super::super::Config;
use super::super::effect::{Attempt, Effect, Obstacle, Refresh, Report};
use super::super::schedule::Schedule;
use super::{stake, status};
use crate::errand::Sent;
use crate::follow::ChainState;
use crate::ports::{ChainError, StakeStatus};
use crate::testing::{block_at, block_of, delta};

fn schedule() -> Schedule {
    Schedule::new(Config { check_every: 30, batch_size: 2, ..Config::default() })
}

fn at(schedule: &mut Schedule, number: u64, events: Vec<ChainEvent>) -> Vec<Effect> {
    schedule.advance(&delta(DeltaBase::Continues, vec![block_of(1, number, events)]))
}

fn attempt(effects: &[Effect]) -> Attempt {
    match effects {
        [Effect::Read(attempt)] => *attempt,
        other => panic!("nothing is read: {other:?}"),
    }
}

/// Answers a read; returns what is refreshed then.
fn read(schedule: &mut Schedule, attempt: Attempt, status: StakeStatus) -> Option<Refresh> {
    match schedule.read(attempt, Ok(status)).pop() {
        Some(Effect::Send(_, refresh)) => Some(refresh),
        _ => None,
    }
}

fn done(block: u64) -> Sent {
    Sent::Done(Mined { hash: B256::ZERO, block, gas_used: 1, succeeded: true })
}

const REFRESHED: ChainEvent = ChainEvent::QuorumRefreshed { quorum: 0 };

#[test]
fn stakes_that_are_too_old_are_refreshed_at_once() {
    let mut schedule = schedule();
    let reading = attempt(&at(&mut schedule, 1000, vec![]));
    let refresh = read(&mut schedule, reading, status(10, vec![stake(1, 5, 5), stake(2, 5, 5)])).unwrap();
    assert_eq!((refresh.id.as_str(), refresh.whole), ("refresh:full:0:85", true));
    assert_eq!(refresh.operators, [1, 2].map(Address::repeat_byte));
    assert_eq!(refresh.not_after, 1020);
}

#[test]
fn a_full_refresh_is_due_before_the_greatest_age_whatever_the_drift() {
    let mut schedule = schedule();
    let reading = attempt(&at(&mut schedule, 100, vec![]));
    assert_eq!(read(&mut schedule, reading, status(100, vec![stake(1, 5, 5)])), None);
    for check in [130, 160] {
        assert!(at(&mut schedule, check - 1, vec![]).is_empty());
        let reading = attempt(&at(&mut schedule, check, vec![]));
        assert_eq!(read(&mut schedule, reading, status(100, vec![stake(1, 5, 5)])), None);
    }
    assert!(at(&mut schedule, 174, vec![]).is_empty());
    let reading = attempt(&at(&mut schedule, 175, vec![]));
    assert!(read(&mut schedule, reading, status(100, vec![stake(1, 5, 5)])).unwrap().whole);
}

#[test]
fn pauses_shrink_as_the_stakes_come_close_to_being_too_old() {
    let mut schedule = schedule();
    let reading = attempt(&at(&mut schedule, 174, vec![]));
    read(&mut schedule, reading, status(100, vec![stake(1, 5, 5)]));
    let mut tried = Vec::new();
    for head in 175..=240 {
        if let [Effect::Read(reading)] = at(&mut schedule, head, vec![])[..] {
            tried.push(head);
            schedule.read(reading, Err(ChainError::Endpoint("down".into())));
        }
    }
    // 200 is the last block in which they are not too old. After it nothing is lost by waiting.
    assert_eq!(tried, [175, 176, 178, 182, 186, 189, 191, 193, 194, 195, 196, 197, 198, 199, 200, 216, 232]);
}

#[test]
fn anyones_full_refresh_counts() {
    let mut schedule = schedule();
    let reading = attempt(&at(&mut schedule, 100, vec![]));
    read(&mut schedule, reading, status(40, vec![stake(1, 5, 5)]));
    assert!(at(&mut schedule, 110, vec![REFRESHED]).is_empty());
    assert!(at(&mut schedule, 129, vec![]).is_empty());
    let reading = attempt(&at(&mut schedule, 130, vec![]));
    assert_eq!(read(&mut schedule, reading, status(110, vec![stake(1, 5, 5)])), None);
}

#[test]
fn drifted_operators_are_refreshed_in_batches_one_after_the_other() {
    let mut schedule = schedule();
    let drifting = vec![stake(1, 100, 50), stake(2, 100, 10), stake(3, 100, 100), stake(4, 100, 40)];
    let reading = attempt(&at(&mut schedule, 100, vec![]));
    let first = read(&mut schedule, reading, status(100, drifting)).unwrap();
    assert_eq!((first.id.as_str(), first.whole), ("refresh:batch:0:100", false));
    assert_eq!(first.operators, [2, 4].map(Address::repeat_byte), "those that fell most, ascending");
    let said = schedule.sent(reading, false, done(101));
    assert_eq!(said, [Effect::Report(Report::Refreshed { quorum: 0, whole: false })]);
    assert!(at(&mut schedule, 101, vec![]).is_empty());
    let reading = attempt(&at(&mut schedule, 102, vec![]));
    let rest = vec![stake(1, 100, 50), stake(2, 10, 10), stake(3, 100, 100), stake(4, 40, 40)];
    let second = read(&mut schedule, reading, status(100, rest)).unwrap();
    assert_eq!(second.operators, [Address::repeat_byte(1)]);
    schedule.sent(reading, false, done(103));
    assert!(at(&mut schedule, 103, vec![]).is_empty());
    attempt(&at(&mut schedule, 104, vec![]));
}

#[test]
fn a_batch_that_does_not_help_is_not_repeated_in_every_block() {
    let mut schedule = schedule();
    let mut sent_at = Vec::new();
    for head in 100..160 {
        if let [Effect::Read(reading)] = at(&mut schedule, head, vec![ChainEvent::OperatorsChanged])[..]
            && read(&mut schedule, reading, status(head, vec![stake(1, 100, 50)])).is_some()
        {
            sent_at.push(head);
            schedule.sent(reading, false, done(head));
        }
    }
    assert_eq!(sent_at, [100, 101, 103, 107, 115, 131, 147]);
}

#[test]
fn a_change_of_operators_is_looked_at_in_its_block() {
    let mut schedule = schedule();
    let reading = attempt(&at(&mut schedule, 100, vec![]));
    read(&mut schedule, reading, status(100, vec![]));
    assert!(at(&mut schedule, 101, vec![]).is_empty());
    attempt(&at(&mut schedule, 102, vec![ChainEvent::OperatorsChanged]));
}

#[test]
fn a_quorum_without_operators_has_nothing_to_refresh() {
    let mut schedule = schedule();
    let reading = attempt(&at(&mut schedule, 1000, vec![]));
    assert_eq!(read(&mut schedule, reading, status(0, vec![])), None);
    assert!(at(&mut schedule, 1001, vec![]).is_empty());
    let reading = attempt(&at(&mut schedule, 1002, vec![ChainEvent::OperatorsChanged]));
    assert!(
        read(&mut schedule, reading, status(0, vec![stake(1, 5, 5)])).unwrap().whole,
        "the first has come"
    );
}

#[test]
fn a_refresh_of_a_set_that_has_changed_is_made_anew() {
    let mut schedule = schedule();
    let reading = attempt(&at(&mut schedule, 1000, vec![]));
    read(&mut schedule, reading, status(0, vec![stake(1, 5, 5)]));
    let refusal = TxRefusal::Reverts { error: "InputLengthMismatch()".into() };
    let said = schedule.sent(reading, true, Sent::Refused(refusal.clone()));
    let obstacle = Obstacle::Refused(refusal);
    assert_eq!(said, [Effect::Report(Report::Hindered { quorum: 0, obstacle, again: 1001 })]);
    let reading = attempt(&at(&mut schedule, 1001, vec![]));
    let refresh = read(&mut schedule, reading, status(0, vec![stake(1, 5, 5), stake(2, 5, 5)])).unwrap();
    assert_eq!((refresh.id.as_str(), refresh.operators.len()), ("refresh:full:0:1001", 2));
}

#[test]
fn what_may_have_been_sent_is_sent_again_as_it_was() {
    let mut schedule = schedule();
    let reading = attempt(&at(&mut schedule, 1000, vec![]));
    let first = read(&mut schedule, reading, status(0, vec![stake(1, 5, 5)])).unwrap();
    schedule.sent(reading, true, Sent::Unknown("the link broke".into()));
    let again = at(&mut schedule, 1001, vec![]);
    assert!(matches!(&again[..], [Effect::Send(_, refresh)] if *refresh == first), "{again:?}");
}

#[test]
fn an_endpoint_that_fails_is_asked_again() {
    let mut schedule = schedule();
    let reading = attempt(&at(&mut schedule, 100, vec![]));
    let down = ChainError::Endpoint("down".into());
    let said = schedule.read(reading, Err(down.clone()));
    let obstacle = Obstacle::Chain(down);
    assert_eq!(said, [Effect::Report(Report::Hindered { quorum: 0, obstacle, again: 101 })]);
    attempt(&at(&mut schedule, 101, vec![]));
}

#[test]
fn a_reorg_that_removes_a_refresh_has_the_stakes_read_again() {
    let mut schedule = schedule();
    let reading = attempt(&at(&mut schedule, 110, vec![REFRESHED]));
    read(&mut schedule, reading, status(110, vec![stake(1, 5, 5)]));
    let back = DeltaBase::RetractTo { block: block_at(1, 109) };
    let reading = attempt(&schedule.advance(&delta(back, vec![block_of(2, 110, vec![])])));
    assert!(read(&mut schedule, reading, status(0, vec![stake(1, 5, 5)])).unwrap().whole);
}

#[test]
fn nothing_is_read_while_catching_up() {
    let mut schedule = schedule();
    let mut behind = delta(DeltaBase::Restart { response_window: 10 }, vec![block_of(1, 100, vec![])]);
    behind.head = block_at(1, 101);
    assert!(schedule.advance(&behind).is_empty());
    attempt(&at(&mut schedule, 101, vec![]));
}
