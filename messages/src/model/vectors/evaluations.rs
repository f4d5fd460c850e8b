//! Terms that have been read, and what follows from them.

use alloy_primitives::{B256, I256, U256, hex};
use alloy_sol_types::SolValue;
use serde_json::{Value, json};

use crate::SafetyFactor;
use crate::model::{NoAnswer, Reading, Side, Term, evaluate, field_of, reading_of_feed};

mod sol {
    alloy_sol_types::sol! {
        struct Reading {
            uint8 outcome;
            uint256 value;
        }
        struct ReadTerm {
            uint8 side;
            Reading amount;
            Reading price;
            uint32 shareBps;
            uint8 decimals;
        }
    }
}

fn reading(reading: Reading) -> sol::Reading {
    match reading {
        Ok(value) => sol::Reading { outcome: 0, value },
        Err(reason) => sol::Reading { outcome: reason.outcome(), value: U256::ZERO },
    }
}

fn encode(terms: &[Term<Reading>]) -> String {
    let term = |term: &Term<Reading>| sol::ReadTerm {
        side: u8::from(term.side == Side::Profit),
        amount: reading(term.amount),
        price: reading(term.price),
        shareBps: term.share_bps,
        decimals: term.decimals,
    };
    hex::encode_prefixed(terms.iter().map(term).collect::<Vec<_>>().abi_encode())
}

/// The contract's outcome, and its safety factor, which is zero where there is none.
pub(super) fn result(terms: &[Term<Reading>]) -> (u8, SafetyFactor) {
    match evaluate(terms) {
        Ok(value) => (0, value),
        Err(reason) => (reason.outcome(), SafetyFactor(I256::ZERO)),
    }
}

fn of(side: Side, amount: U256, price: u64, share_bps: u32, decimals: u8) -> Term<Reading> {
    Term { side, amount: Ok(amount), price: Ok(U256::from(price)), share_bps, decimals }
}

fn cost(amount: impl TryInto<U256>) -> Term<Reading> {
    of(Side::Cost, amount.try_into().unwrap_or_default(), 1, 10_000, 0)
}

fn profit(amount: impl TryInto<U256>) -> Term<Reading> {
    of(Side::Profit, amount.try_into().unwrap_or_default(), 1, 10_000, 0)
}

fn ten_to(exponent: u64) -> U256 {
    U256::from(10).pow(U256::from(exponent))
}

pub(super) fn evaluations() -> Vec<Value> {
    let entry = |(name, terms): (&str, Vec<Term<Reading>>)| {
        let (outcome, safety_factor) = result(&terms);
        json!({ "name": name, "terms": encode(&terms), "outcome": outcome, "safetyFactor": safety_factor })
    };
    answers().into_iter().chain(missing()).chain(at_the_limits()).map(entry).collect()
}

type Named = (&'static str, Vec<Term<Reading>>);

fn answers() -> Vec<Named> {
    let stake = of(Side::Cost, ten_to(18) * U256::from(1_000), 2_000 * 10_u64.pow(8), 3_333, 26);
    let held = of(Side::Profit, ten_to(6) * U256::from(123_456), 10_u64.pow(8), 9_000, 14);
    vec![
        ("1000 tokens of stake at 2000, a third of them, against 90 % of 123456", vec![stake, held]),
        ("no profit terms", vec![cost(100)]),
        ("nothing to gain", vec![cost(100), profit(0)]),
        ("break-even", vec![cost(100), profit(100)]),
        ("an attack pays", vec![cost(100), profit(350)]),
        ("the quotient rounds down above zero", vec![cost(3), profit(1)]),
        ("and below zero", vec![cost(3), profit(4)]),
        ("the cost rounds down", vec![of(Side::Cost, U256::from(7), 1, 5_000, 0), profit(1)]),
        ("the profit rounds up", vec![cost(20), of(Side::Profit, U256::from(1), 1, 10_000, 1)]),
        ("each term rounds by itself", vec![cost(20), of(Side::Profit, U256::from(1), 1, 1, 1), profit(1)]),
        ("terms add up in any order", vec![profit(10), cost(30), profit(5), cost(70)]),
        ("twenty terms", [vec![cost(7); 10], vec![profit(3); 10]].concat()),
        ("the least share", vec![of(Side::Cost, U256::from(10_000), 1, 1, 0), profit(2)]),
    ]
}

fn missing() -> Vec<Named> {
    let amount = |reason| Term { amount: Err(reason), ..cost(1) };
    let price = |reason| Term { price: Err(reason), ..profit(1) };
    let no_price = NoAnswer::NoPrice(I256::MINUS_ONE);
    vec![
        ("no terms", vec![]),
        ("no cost terms", vec![profit(1)]),
        ("a cost of zero", vec![cost(0), profit(1)]),
        ("a cost that rounds to zero", vec![of(Side::Cost, U256::from(1), 1, 9_999, 0)]),
        ("an amount without a round", vec![amount(NoAnswer::NoRound)]),
        ("a price without a round", vec![cost(1), price(NoAnswer::NoRound)]),
        ("a stale feed", vec![cost(1), price(NoAnswer::StaleFeed)]),
        ("a feed that reports no price", vec![cost(1), price(no_price)]),
        ("an amount from such a feed", vec![amount(no_price)]),
        ("a guard that does not match", vec![amount(NoAnswer::GuardMismatch)]),
        ("a call that failed", vec![cost(1), price(NoAnswer::CallFailed)]),
        ("a price of zero", vec![of(Side::Cost, U256::from(1), 0, 1, 0)]),
        ("a price of zero for an amount of zero", vec![cost(1), of(Side::Profit, U256::ZERO, 0, 1, 0)]),
        ("an amount of zero has a value", vec![cost(1), cost(0)]),
        (
            "the amount is asked before the price",
            vec![Term { price: Err(NoAnswer::NoRound), ..amount(NoAnswer::CallFailed) }],
        ),
        (
            "the price is asked before the product",
            vec![Term { amount: Ok(U256::MAX), ..price(NoAnswer::StaleFeed) }],
        ),
        ("the first term decides", vec![price(NoAnswer::GuardMismatch), amount(NoAnswer::NoRound)]),
        (
            "the first term decides, whatever its side",
            vec![cost(1), of(Side::Profit, U256::MAX, 2, 1, 0), amount(NoAnswer::NoRound)],
        ),
    ]
}

fn at_the_limits() -> Vec<Named> {
    let billion = U256::from(SafetyFactor::ONE);
    let (most, least) = (U256::MAX / billion, (U256::from(1) << 127) + billion);
    let one = U256::from(1);
    vec![
        ("a product of 2^256 - 1", vec![of(Side::Cost, U256::MAX, 1, 1, 0)]),
        ("amount x price beyond 256 bits", vec![of(Side::Cost, U256::MAX, 2, 1, 0)]),
        ("amount x price x share beyond 256 bits", vec![of(Side::Cost, U256::MAX, 1, 2, 0)]),
        ("the greatest amount of the whole share", vec![cost(U256::MAX / U256::from(10_000))]),
        ("one more", vec![cost(U256::MAX / U256::from(10_000) + one)]),
        ("the greatest profit", vec![cost(most), profit(most)]),
        ("one more than the greatest profit", vec![cost(most), profit(most + one)]),
        ("no cost before a profit that is too great", vec![cost(0), profit(most + one)]),
        ("the least int128", vec![cost(billion), profit(least)]),
        ("one less than the least int128", vec![cost(billion), profit(least + one)]),
        ("a fraction beyond an int256", vec![cost(1), profit(most)]),
        ("60 decimals", vec![of(Side::Cost, ten_to(60), 3, 10_000, 60), profit(1)]),
        ("60 decimals, rounded up", vec![cost(3), of(Side::Profit, one, 1, 1, 60)]),
        ("73 decimals, more than a model has", vec![of(Side::Cost, ten_to(73), 1, 10_000, 73)]),
        ("74 decimals", vec![of(Side::Cost, ten_to(73), 1, 10_000, 74)]),
        ("255 decimals", vec![of(Side::Cost, one, 1, 1, 255)]),
    ]
}

pub(super) fn feeds() -> Vec<Value> {
    let cases = [
        (I256::ONE, 0, 1),
        (I256::MAX, 60, 60),
        (I256::ONE, 61, 60),
        (I256::ZERO, 0, 60),
        (I256::MINUS_ONE, 60, 60),
        (I256::MIN, 0, u32::MAX),
        (I256::MIN, 61, 60),
        (I256::ONE, u64::from(u32::MAX) + 1, u32::MAX),
        (I256::ONE, u64::MAX, 1),
    ];
    let entry = |(answer, age, max_age): (I256, u64, u32)| {
        let reading = reading(reading_of_feed(answer, age, max_age));
        json!({
            "answer": answer.to_string(), "age": age.to_string(), "maxAge": max_age,
            "outcome": reading.outcome, "value": reading.value.to_string(),
        })
    };
    cases.into_iter().map(entry).collect()
}

pub(super) fn fields() -> Vec<Value> {
    let word = B256::from(std::array::from_fn(|index| 0xe0 | u8::try_from(index).unwrap()));
    let cases = [(0, 32), (0, 1), (31, 1), (0, 16), (16, 16), (1, 31), (5, 20), (12, 20)];
    let entry = |(offset, width)| {
        let value = field_of(word, offset, width).to_string();
        json!({ "word": word, "offset": offset, "width": width, "value": value })
    };
    cases.into_iter().map(entry).collect()
}
