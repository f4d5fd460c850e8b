//! What the simulation is for: each deliberately broken variant is caught, by the invariant that is meant for it.

use anzen_integration::invariants::Invariant;
use anzen_integration::sim::{Options, Plan, Sabotage, run};

/// The first seed of fifty at which something breaks, and what.
fn caught(sabotage: Sabotage) -> (u64, Invariant) {
    let options = Options { sabotage: Some(sabotage), trace: false };
    let violation = |seed| {
        let outcome = run(seed, &Plan::of_seed(seed), options).unwrap();
        Some((seed, outcome.violation?.invariant))
    };
    (1..=50).find_map(violation).unwrap_or_else(|| panic!("{sabotage} is not caught"))
}

#[test]
fn an_acknowledgement_before_the_sync() {
    assert_eq!(caught(Sabotage::AcknowledgesEarly).1, Invariant::DiskFirst);
}

#[test]
fn a_forgotten_signing_protection() {
    assert_eq!(caught(Sabotage::ForgetsProtection).1, Invariant::OneAnswer);
}

#[test]
fn forgotten_intents() {
    assert_eq!(caught(Sabotage::ForgetsIntents).1, Invariant::OneTransaction);
}

#[test]
fn forgotten_signatures() {
    assert_eq!(caught(Sabotage::ForgetsSignatures).1, Invariant::AcknowledgedIsKept);
}

#[test]
fn a_gateway_that_lets_one_speak_for_another() {
    assert_eq!(caught(Sabotage::LetsImpersonate).1, Invariant::HonestNotBlamed);
}
