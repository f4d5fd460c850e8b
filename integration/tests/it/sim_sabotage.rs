//! What the simulation is for: each deliberately broken variant is caught, by the invariant that is meant for it.

use anzen_integration::invariants::Invariant;
use anzen_integration::sim::{Options, Plan, Sabotage, run};

/// Demands that one of fifty seeds violates this invariant.
fn is_caught(sabotage: Sabotage, by: Invariant) {
    let options = Options { sabotage: Some(sabotage), trace: false };
    let violates = |seed| {
        let outcome = run(seed, &Plan::of_seed(seed), options).unwrap();
        outcome.violation.is_some_and(|violation| violation.invariant == by)
    };
    assert!((1..=50).any(violates), "{sabotage} is not caught by {by}");
}

#[test]
fn an_acknowledgement_before_the_sync() {
    is_caught(Sabotage::AcknowledgesEarly, Invariant::DiskFirst);
}

#[test]
fn a_forgotten_signing_protection() {
    is_caught(Sabotage::ForgetsProtection, Invariant::OneAnswer);
}

#[test]
fn forgotten_intents() {
    is_caught(Sabotage::ForgetsIntents, Invariant::OneTransaction);
}

#[test]
fn forgotten_signatures() {
    is_caught(Sabotage::ForgetsSignatures, Invariant::AcknowledgedIsKept);
}

#[test]
fn a_gateway_that_lets_one_speak_for_another() {
    is_caught(Sabotage::LetsImpersonate, Invariant::HonestNotBlamed);
}
