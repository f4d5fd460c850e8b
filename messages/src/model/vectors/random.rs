//! Terms that both sides make by the same rule from a number, so that only what follows from them need be kept: see
//! contracts/test/fixtures/RandomTerms.sol.

use alloy_primitives::{B256, I256, U256, keccak256};
use alloy_sol_types::SolValue;
use serde_json::{Value, json};

use super::evaluations::result;
use crate::SafetyFactor;
use crate::model::{NoAnswer, Reading, Side, Term};

/// How many are kept.
const COUNT: u64 = 512;

fn dice(seed: B256, number: u64) -> B256 {
    keccak256((seed, U256::from(number)).abi_encode())
}

/// The bits of `dice` from `bit` on, modulo `sides`.
fn roll(dice: B256, bit: usize, sides: u64) -> u64 {
    let rolled = (U256::from_be_bytes(dice.0) >> bit) % U256::from(sides);
    u64::try_from(rolled).unwrap()
}

fn terms(seed: B256) -> Vec<Term<Reading>> {
    let count = roll(dice(seed, 0), 0, 8);
    (1..=count).map(|number| term(dice(seed, number))).collect()
}

fn term(seed: B256) -> Term<Reading> {
    // Mostly what a model has, now and then what it cannot have.
    let decimals = if roll(seed, 8, 16) == 0 { 256 } else { 12 };
    Term {
        side: if roll(seed, 0, 2) == 0 { Side::Cost } else { Side::Profit },
        amount: reading(dice(seed, 0)),
        price: reading(dice(seed, 1)),
        share_bps: u32::try_from(roll(seed, 32, 10_000)).unwrap() + 1,
        decimals: u8::try_from(roll(seed, 16, decimals)).unwrap(),
    }
}

/// A number of any magnitude up to 128 bits, now and then 256; now and then none.
fn reading(seed: B256) -> Reading {
    let dice = dice(seed, 0);
    match roll(dice, 0, 128) {
        0 => return Err(NoAnswer::NoRound),
        1 => return Err(NoAnswer::StaleFeed),
        2 => return Err(NoAnswer::NoPrice(I256::ZERO)),
        3 => return Err(NoAnswer::GuardMismatch),
        4 => return Err(NoAnswer::CallFailed),
        _ => {}
    }
    let shift = if roll(dice, 8, 16) == 0 { roll(dice, 16, 256) } else { 128 + roll(dice, 16, 128) };
    Ok(U256::from_be_bytes(seed.0) >> shift)
}

fn outcomes() -> impl Iterator<Item = (u8, SafetyFactor)> {
    (0..COUNT).map(|number| result(&terms(U256::from(number).to_be_bytes().into())))
}

pub(super) fn evaluations() -> Vec<Value> {
    outcomes().map(|(outcome, value)| json!({ "outcome": outcome, "safetyFactor": value })).collect()
}

#[test]
fn chance_comes_upon_every_outcome() {
    let mut counts = [0_usize; 8];
    outcomes().for_each(|(outcome, _)| counts[usize::from(outcome)] += 1);
    assert!(counts.iter().all(|count| *count > 10) && counts[0] > 150, "{counts:?}");
}
