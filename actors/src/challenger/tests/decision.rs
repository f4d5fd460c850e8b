//! What a wrong answer needs next.

use std::collections::BTreeSet;

use alloy::primitives::U256;

use super::super::Config;
use super::super::course::Course;
use super::super::decision::{Certainty, Decision, Means, decide};
use super::super::effect::{State, Step};
use super::court::{CHALLENGE, Court, EXECUTION, VETO, signer};
use crate::ports::{AnswerStanding, CommitteeCase};
use crate::testing::{operator_id, task, value};

fn means() -> Means {
    Means {
        provable: true,
        certainty: Certainty::Fresh,
        proof_reverted: false,
        most_bond: None,
        batch: 2,
        failures: 0,
        not_ejected: BTreeSet::new(),
    }
}

/// An answer of block 100.
fn court() -> Court {
    Court { answer: Some((value(9), 100)), ..Court::new() }
}

fn withdrawn() -> Court {
    Court { withdrawn: Some(110), ..court() }
}

fn asked(ruling_end: u64) -> AnswerStanding {
    let proof_end = ruling_end.max(100 + CHALLENGE);
    AnswerStanding { committee: CommitteeCase::Pending { ruling_end }, proof_end, ..court().standing() }
}

fn unprovable() -> Means {
    Means { provable: false, ..means() }
}

#[test]
fn what_can_be_proved_is_challenged_while_a_transaction_can_be_in_time() {
    let standing = court().standing();
    let last = 100 + CHALLENGE;
    assert_eq!(decide(&standing, &means(), last - 1), Decision::Do(State::Challenging, Step::Challenge));
    assert_eq!(decide(&standing, &means(), last), Decision::Over(State::Stands));
}

#[test]
fn the_committee_is_asked_for_no_more_than_is_allowed() {
    let standing = AnswerStanding { bond: U256::from(5), ..court().standing() };
    let last = 100 + CHALLENGE;
    assert_eq!(decide(&standing, &unprovable(), 101), Decision::Wait(State::Unprovable, last));
    for (most, asks) in [(4, false), (5, true)] {
        let means = Means { most_bond: Some(U256::from(most)), ..unprovable() };
        let asked = Decision::Do(State::Committee, Step::AskCommittee { bond: U256::from(5) });
        assert_eq!(decide(&standing, &means, 101) == asked, asks);
    }
}

#[test]
fn a_bond_of_nothing_is_not_paid_where_the_committee_is_not_to_be_asked() {
    let decision = decide(&court().standing(), &unprovable(), 101);
    assert_eq!(decision, Decision::Wait(State::Unprovable, 100 + CHALLENGE));
}

#[test]
fn a_ruling_is_waited_for_and_one_that_did_not_come_is_ended() {
    assert_eq!(decide(&asked(200), &unprovable(), 200), Decision::Wait(State::Committee, 201));
    assert_eq!(decide(&asked(200), &unprovable(), 201), Decision::Do(State::Committee, Step::Lapse));
    let lapsed = AnswerStanding { committee: CommitteeCase::Lapsed, ..court().standing() };
    assert_eq!(decide(&lapsed, &unprovable(), 150), Decision::Over(State::Stands));
}

#[test]
fn a_proof_ends_a_dispute_before_the_committee() {
    assert_eq!(decide(&asked(200), &means(), 120), Decision::Do(State::Challenging, Step::Challenge));
}

/// The contract takes proofs while the committee is asked, also after the challenge window.
#[test]
fn a_proof_is_sent_until_the_ruling_is_over() {
    let challenge_end = 100 + CHALLENGE;
    for (ruling_end, last) in [(challenge_end + 10, challenge_end + 10), (120, challenge_end)] {
        let standing = asked(ruling_end);
        assert_eq!(decide(&standing, &means(), last - 1), Decision::Do(State::Challenging, Step::Challenge));
        let plan = Course::default().plan((&task(0, 99), 100), &standing, Step::Challenge, last - 1);
        assert_eq!(plan.not_after, last);
        assert_ne!(decide(&standing, &means(), last), Decision::Do(State::Challenging, Step::Challenge));
    }
}

/// A source died after the proof was taken.
#[test]
fn the_committee_is_asked_where_the_proof_is_not_taken_any_more() {
    let reverted = Means { proof_reverted: true, ..means() };
    assert_eq!(decide(&court().standing(), &reverted, 101), Decision::Do(State::Unprovable, Step::Challenge));
    let rich = Means { most_bond: Some(U256::MAX), ..reverted };
    assert!(matches!(
        decide(&court().standing(), &rich, 101),
        Decision::Do(State::Committee, Step::AskCommittee { .. })
    ));
}

#[test]
fn a_proof_that_is_refused_is_tried_while_the_committee_rules_and_does_not_keep_the_dispute_open() {
    let reverted = Means { proof_reverted: true, most_bond: Some(U256::MAX), ..means() };
    assert_eq!(decide(&asked(120), &reverted, 119), Decision::Do(State::Committee, Step::Challenge));
    assert_eq!(decide(&asked(120), &reverted, 121), Decision::Do(State::Committee, Step::Lapse));
}

#[test]
fn a_bond_is_paid_only_for_what_was_recomputed_just_now() {
    let rich = |certainty, provable| {
        let reverted = provable;
        Means { most_bond: Some(U256::MAX), certainty, provable, proof_reverted: reverted, ..means() }
    };
    let decided = |certainty, provable| decide(&court().standing(), &rich(certainty, provable), 101);
    for provable in [false, true] {
        assert_eq!(decided(Certainty::Wanted, provable), Decision::Recheck(State::Committee));
    }
    assert_eq!(decided(Certainty::Impossible, false), Decision::Recheck(State::Unprovable));
    assert_eq!(decided(Certainty::Impossible, true), Decision::Do(State::Unprovable, Step::Challenge));
}

#[test]
fn signers_are_frozen_in_batches_and_slashed_once_no_veto_can_come() {
    let mut court = withdrawn();
    let Decision::Do(State::Freezing, first) = decide(&court.standing(), &means(), 111) else { panic!() };
    assert_eq!(first, Step::Freeze { first: 0, signers: vec![operator_id(0), operator_id(1)] });
    assert!(court.take(&first, 112));
    let Decision::Do(State::Freezing, second) = decide(&court.standing(), &means(), 112) else { panic!() };
    assert_eq!(second, Step::Freeze { first: 2, signers: vec![operator_id(2)] });
    assert!(court.take(&second, 113));
    let veto_end = 110 + VETO - 1;
    let standing = court.standing();
    assert_eq!(decide(&standing, &means(), veto_end), Decision::Wait(State::Veto, veto_end + 1));
    let Decision::Do(State::Slashing, step) = decide(&standing, &means(), veto_end + 1) else { panic!() };
    assert!(matches!(&step, Step::Execute { first: 0, operators } if operators.len() == 2), "{step:?}");
}

#[test]
fn an_operator_that_was_vetoed_is_left_alone() {
    let mut court = withdrawn();
    court.signers = vec![signer(0)];
    court.signers[0].vetoed = true;
    assert_eq!(decide(&court.standing(), &means(), 140), Decision::Over(State::Vetoed));
}

#[test]
fn what_is_not_slashed_in_time_is_given_up() {
    let execution_end = 110 + VETO + EXECUTION - 1;
    assert_eq!(decide(&withdrawn().standing(), &means(), execution_end), Decision::Over(State::Expired));
}

/// Whatever fails, each of the others has its turn.
#[test]
fn one_operator_that_fails_holds_no_other_up() {
    let mut court = withdrawn();
    court.signers[1].frozen = true;
    court.signers[2].frozen = true;
    let tried: BTreeSet<String> = (0..12)
        .map(|failures| match decide(&court.standing(), &Means { failures, ..means() }, 140) {
            Decision::Do(_, Step::Execute { operators, .. }) => operators[0].to_string(),
            Decision::Do(_, step) => format!("{step:?}"),
            other => panic!("{other:?}"),
        })
        .collect();
    let has = |text: String| assert!(tried.contains(&text), "{text} is not among {tried:?}");
    has(signer(1).address.to_string());
    has(signer(2).address.to_string());
    has(format!("{:?}", Step::Freeze { first: 0, signers: vec![operator_id(0)] }));
}

#[test]
fn a_withdrawn_answer_without_a_fault_is_not_waited_for_for_ever() {
    let standing = AnswerStanding { fault: None, ..withdrawn().standing() };
    let end = 100 + CHALLENGE;
    assert_eq!(decide(&standing, &means(), 110), Decision::Wait(State::Freezing, end + 1));
    assert_eq!(decide(&standing, &means(), end + 1), Decision::Over(State::Expired));
}

/// EigenLayer is paused for long.
#[test]
fn an_operator_that_cannot_be_ejected_is_tried_until_the_window_is_over_at_ever_longer_pauses() {
    let mut standing = withdrawn().standing();
    let fault = standing.fault.as_mut().unwrap();
    (fault.veto_end, fault.execution_end) = (9_999, 10_000);
    fault.signers.iter_mut().for_each(|one| (one.frozen, one.registered) = (true, one.id == operator_id(1)));
    let (mut course, mut at) = (Course::default(), Vec::new());
    for head in 111..9_999 {
        let means = course.means(true, Certainty::Fresh, &Config::default(), head);
        if let Decision::Do(_, step) = decide(&standing, &means, head) {
            course.plan((&task(0, 99), 100), &standing, step, head);
            course.succeeded(head);
            at.push(head);
        }
    }
    assert_eq!(at[..3], [111, 112, 114]);
    assert!(at.len() <= 50, "each costs gas: {at:?}");
    assert!(at.last().is_some_and(|last| *last > 9_990), "{at:?}");
}
