//! What the simulation is for: each deliberately broken variant is caught, by the invariant that is meant for it.

use anzen_integration::invariants::Invariant;
use anzen_integration::sim::{Options, Plan, Sabotage, run};

/// Demands that one of fifty seeds violates this invariant.
fn is_caught(sabotage: Sabotage, by: Invariant) {
    is_caught_among(1..=50, sabotage, by);
}

/// Demands that one of these seeds violates this invariant; those after it are not run.
fn is_caught_among(mut seeds: impl Iterator<Item = u64>, sabotage: Sabotage, by: Invariant) {
    let options = Options { sabotage: Some(sabotage), trace: false };
    let violates = |seed| {
        let outcome = run(seed, &Plan::of_seed(seed), options).unwrap();
        outcome.violation.is_some_and(|violation| violation.invariant == by)
    };
    assert!(seeds.any(violates), "{sabotage} is not caught by {by}");
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
    // It takes a crash between a broadcast and its block, on a chain that has the transaction: one seed in a hundred.
    is_caught_among(500..900, Sabotage::ForgetsIntents, Invariant::OneTransaction);
}

#[test]
fn forgotten_signatures() {
    is_caught(Sabotage::ForgetsSignatures, Invariant::AcknowledgedIsKept);
}

#[test]
fn a_gateway_that_lets_one_speak_for_another() {
    is_caught(Sabotage::LetsImpersonate, Invariant::HonestNotBlamed);
}

#[test]
fn a_disk_that_was_put_back_and_taken_for_its_own() {
    is_caught(Sabotage::IgnoresRestoration, Invariant::OneAnswer);
}
