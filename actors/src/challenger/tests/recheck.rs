//! A source that no contract can read, for a while or for good.

use alloy::primitives::Bytes;
use anzen_messages::model::NoAnswer;
use anzen_messages::transaction::TxId;

use super::super::Config;
use super::super::effect::{Report, State, Verdict};
use super::court::{CHALLENGE, Court, due, recomputed};
use super::trial::{Trial, hash, mined};
use crate::ports::{ChainError, Recomputed};
use crate::testing::value;

fn pays() -> Config {
    Config { most_bond_wei: 1, ..Config::default() }
}

/// A feed that does not answer looks as if it had no round.
fn dead() -> Recomputed {
    Recomputed { outcome: Err(NoAnswer::StaleFeed), witness: None }
}

fn purposes(trial: &Trial) -> Vec<&'static str> {
    trial.sent.iter().map(|(_, id)| id.purpose()).collect()
}

fn verdicts(trial: &Trial) -> Vec<Verdict> {
    let verdict = |report: &Report| match report {
        Report::Checked { verdict, .. } => Some(*verdict),
        _ => None,
    };
    trial.reports.iter().filter_map(verdict).collect()
}

#[test]
fn a_source_that_was_dead_when_the_task_appeared_does_not_shield_a_wrong_answer() {
    let node = |block| Ok(if block < 120 { dead() } else { recomputed() });
    let mut trial = Trial::of(Court::new(), mined, Config::default(), node);
    trial.blocks(160);
    assert_eq!(purposes(&trial)[0], "challenge", "{:?}", trial.recomputed);
    let record = trial.cases.cases[&hash()].record();
    assert_eq!(record.found.unwrap().witness, recomputed().witness, "on disk, too");
    assert!(trial.recomputed.len() <= 12, "each asks the endpoint: {:?}", trial.recomputed);
}

#[test]
fn a_right_answer_is_not_said_to_be_wrong_because_a_feed_hung_when_the_task_appeared() {
    let node =
        |block| Ok(if block < 103 { dead() } else { Recomputed { outcome: Ok(value(9)), ..recomputed() } });
    let mut trial = Trial::of(Court::new(), mined, pays(), node);
    trial.blocks(140);
    assert_eq!(verdicts(&trial), [Verdict::Right]);
    assert!(trial.sent.is_empty(), "{:?}", trial.sent);
    assert_eq!(trial.state(), None);
}

#[test]
fn the_committee_is_asked_once_a_second_look_some_blocks_later_says_the_same() {
    let mut trial = Trial::of(Court::new(), mined, pays(), |_| Ok(dead()));
    assert_eq!(verdicts(&trial), [], "not certain yet");
    trial.blocks(110);
    assert_eq!(verdicts(&trial), [Verdict::Wrong]);
    let (block, id) = &trial.sent[0];
    assert_eq!(*id, TxId::committee(hash(), 102, None));
    assert!(*block >= 104 && trial.recomputed.contains(block), "{:?} {:?}", trial.sent, trial.recomputed);
}

#[test]
fn the_committee_is_not_asked_where_the_state_is_not_to_be_had_any_more() {
    let node = |block| if block < 102 { Ok(dead()) } else { Err(ChainError::NoSuchBlock("100".into())) };
    let mut trial = Trial::of(Court::new(), mined, pays(), node);
    trial.blocks(101 + CHALLENGE);
    assert!(trial.sent.is_empty(), "{:?}", trial.sent);
    assert_eq!(trial.state(), Some(State::Unprovable));
}

#[test]
fn a_bond_is_not_paid_for_an_answer_that_turns_out_to_be_right() {
    let node = |block| {
        Ok(if block < 103 { recomputed() } else { Recomputed { outcome: Ok(value(9)), witness: None } })
    };
    let mut trial = Trial::of(Court::new(), mined, pays(), node);
    trial.proves = |_| false;
    trial.blocks(100 + CHALLENGE);
    assert!(!purposes(&trial).contains(&"committee"), "{:?}", trial.sent);
}

#[test]
fn a_proof_that_is_refused_is_taken_anew() {
    let node = |block| {
        let fresh = Recomputed { outcome: Ok(due()), witness: Some(Bytes::from_static(b"another")) };
        Ok(if block < 110 { recomputed() } else { fresh })
    };
    let mut trial = Trial::of(Court::new(), mined, Config::default(), node);
    trial.sent.clear();
    trial.proves = |_| false;
    trial.cases.cases.get_mut(&hash()).unwrap().course.failed(true, 102);
    trial.blocks(160);
    let found = trial.cases.cases[&hash()].found.clone().unwrap();
    assert_eq!(found.witness, Some(Bytes::from_static(b"another")));
    assert!(trial.recomputed.len() <= 20, "{:?}", trial.recomputed);
}

/// No bond is allowed, so somebody else has to ask.
#[test]
fn a_source_that_dies_after_the_proof_was_taken_is_told_of_while_the_committee_can_be_asked() {
    let mut trial = Trial::new(Court::new(), mined);
    trial.proves = |_| false;
    trial.blocks(100 + CHALLENGE);
    let told = |report: &Report| matches!(report, Report::Moved { state: State::Unprovable, .. });
    assert!(trial.reports.iter().any(told), "{:?}", trial.reports);
}
