//! Models, their encodings and hashes; and encodings of what is no model.

use alloy_primitives::{Address, B256, Bytes, U256, hex};
use alloy_sol_types::SolValue;
use serde_json::{Value, json};

use crate::model::abi::{self, sol};
use crate::model::{Guard, Model, ModelError, Side, Source, Term};

/// With code, and the registry allowed: test/fixtures/ModelFixture.sol.
const STAKE_REGISTRY: Address = Address::with_last_byte(0x51);
const FEED: Address = Address::with_last_byte(0x52);
const MARKET: Address = Address::with_last_byte(0x53);

fn stake() -> Source {
    Source::QuorumStake { stake_registry: STAKE_REGISTRY, quorum_number: 0 }
}

fn price() -> Source {
    Source::FeedRound { feed: FEED, phase_id: 6, max_age: 3_900 }
}

fn slot(offset: u8, width: u8, guards: u8) -> Source {
    let guard =
        |n| Guard { account: MARKET, slot: B256::with_last_byte(n), expected: B256::repeat_byte(0xe0 + n) };
    let guards = (0..guards).map(guard).collect();
    Source::StorageSlot { account: MARKET, slot: B256::repeat_byte(0xaa), offset, width, guards }
}

fn call(length: usize) -> Source {
    Source::ViewCall { target: MARKET, call_data: Bytes::from(vec![0xcd; length]) }
}

fn term(side: Side, amount: Source, price: Source) -> Term<Source> {
    Term { side, amount, price, share_bps: 10_000, decimals: 26 }
}

fn one_term() -> Vec<Term<Source>> {
    vec![term(Side::Cost, stake(), price())]
}

/// What a stake costs against what a market holds.
fn typical() -> Vec<Term<Source>> {
    let cost = Term { share_bps: 3_333, ..term(Side::Cost, stake(), price()) };
    let aggregator = Source::FeedRound { feed: FEED, phase_id: 0, max_age: u32::MAX };
    let profit = Term { decimals: 14, ..term(Side::Profit, slot(0, 16, 1), aggregator) };
    vec![cost, profit]
}

fn one_of_each_kind() -> Vec<Term<Source>> {
    let constant = |value| Source::Constant { value };
    vec![
        term(Side::Profit, constant(U256::ZERO), constant(U256::MAX)),
        term(Side::Cost, stake(), price()),
        term(Side::Cost, slot(31, 1, 0), slot(0, 32, 4)),
        Term { share_bps: 1, decimals: 0, ..term(Side::Profit, call(0), call(4)) },
        Term { decimals: 60, ..term(Side::Profit, call(33), call(256)) },
    ]
}

pub(super) fn accepted() -> Vec<Value> {
    let entry = |name: &str, terms| {
        let model = Model::new(terms).unwrap();
        let encoded = model.encode();
        assert_eq!(Model::decode(&encoded).as_ref(), Ok(&model), "{name}");
        let text = serde_json::to_string(&model).unwrap();
        assert_eq!(serde_json::from_str::<Model>(&text).unwrap(), model, "{name}");
        json!({
            "name": name, "model": model, "encoded": hex::encode_prefixed(encoded), "hash": model.hash(),
            "provable": model.is_provable(),
        })
    };
    vec![
        entry("a stake against a market", typical()),
        entry("one of each kind", one_of_each_kind()),
        entry("one term", one_term()),
        entry("twenty terms", vec![term(Side::Cost, stake(), price()); 20]),
    ]
}

/// The name of the contract's error beside an encoding with one fault. This crate's error has the same name.
pub(super) fn refused() -> Vec<Value> {
    let entry = |name: &str, encoded: Vec<u8>, error: &str| {
        let own = format!("{:?}", Model::decode(&encoded).unwrap_err());
        assert!(own.starts_with(error), "{name}: {own} for {error}");
        json!({ "name": name, "encoded": hex::encode_prefixed(encoded), "error": error })
    };
    let bounds = bounds().into_iter().map(|(name, terms, error)| entry(name, abi::encode(&terms), error));
    let sources = not_canonical().into_iter().map(|(name, source)| {
        let mut model = sol::Model::abi_decode(&abi::encode(&one_term())).unwrap();
        model.terms[0].amount = source;
        entry(&name, model.abi_encode(), "SourceNotCanonical")
    });
    bounds.chain(sources).collect()
}

type Refused = (&'static str, Vec<Term<Source>>, &'static str);

fn bounds() -> Vec<Refused> {
    let with = |change: fn(&mut Term<Source>)| {
        let mut terms = typical();
        change(&mut terms[1]);
        terms
    };
    vec![
        ("no terms", vec![], "TermCountOutOfRange"),
        ("21 terms", vec![term(Side::Cost, stake(), price()); 21], "TermCountOutOfRange"),
        ("profit only", vec![term(Side::Profit, stake(), price())], "NoCostTerm"),
        ("20 slots", vec![term(Side::Cost, slot(0, 32, 4), slot(0, 32, 4)); 2], "TooManySlots"),
        ("no share", with(|term| term.share_bps = 0), "ShareOutOfRange"),
        ("more than all", with(|term| term.share_bps = 10_001), "ShareOutOfRange"),
        ("61 decimals", with(|term| term.decimals = 61), "TooManyDecimals"),
        ("no feed", with(|term| term.price = zero_address()), "SourceNotAContract"),
        ("no greatest age", with(|term| term.price = ageless()), "NoMaxAge"),
        ("no width", with(|term| term.amount = slot(3, 0, 0)), "FieldOutOfRange"),
        ("33 bytes", with(|term| term.amount = slot(0, 33, 0)), "FieldOutOfRange"),
        ("beyond the slot", with(|term| term.amount = slot(31, 2, 0)), "FieldOutOfRange"),
        ("far beyond the slot", with(|term| term.amount = slot(255, 255, 0)), "FieldOutOfRange"),
        ("5 guards", with(|term| term.amount = slot(0, 32, 5)), "TooManyGuards"),
        ("257 bytes of call data", with(|term| term.price = call(257)), "CallDataTooLong"),
    ]
}

fn zero_address() -> Source {
    Source::FeedRound { feed: Address::ZERO, phase_id: 0, max_age: 1 }
}

fn ageless() -> Source {
    Source::FeedRound { feed: FEED, phase_id: 0, max_age: 0 }
}

/// Data that means something or nothing, but is not the encoding of it.
fn not_canonical() -> Vec<(String, sol::Source)> {
    let model = sol::Model::abi_decode(&abi::encode(&one_of_each_kind())).unwrap();
    let sources = [&model.terms[0].amount, &model.terms[1].amount, &model.terms[1].price]
        .into_iter()
        .chain([&model.terms[2].price, &model.terms[4].amount]);
    sources.flat_map(faults).collect()
}

fn faults(source: &sol::Source) -> Vec<(String, sol::Source)> {
    let data = source.data.to_vec();
    let last = data.len() - 1;
    let mut faults = vec![
        ("nothing", vec![]),
        ("a byte more", [&data[..], &[0]].concat()),
        ("a word more", [&data[..], &[0; 32]].concat()),
        ("a byte less", data[..last].to_vec()),
        ("a word less", data[..last - 31].to_vec()),
    ];
    if !matches!(source.kind, sol::SourceKind::Constant) {
        faults.push(("a value wider than its type", [&data[..32], &[0xff; 32], &data[64..]].concat()));
    }
    if matches!(source.kind, sol::SourceKind::ViewCall) {
        faults.push(("padding that is not zero", [&data[..last], &[1]].concat()));
    }
    let kind = source.kind as u8;
    let named = |(name, data)| {
        (format!("kind {kind}: {name}"), sol::Source { kind: source.kind, data: Bytes::from(data) })
    };
    faults.into_iter().map(named).collect()
}

#[test]
fn bytes_that_are_no_model_are_refused() {
    let refused = |bytes: &[u8]| Model::decode(bytes) == Err(ModelError::NotCanonical);
    let encoded = Model::new(typical()).unwrap().encode();
    assert!(refused(&[]) && refused(&[0xff; 64]) && refused(&vec![0; 100_000]));
    assert_eq!(Model::decode(&[0; 64]), Err(ModelError::TermCountOutOfRange(0)));
    assert!(refused(&encoded[..encoded.len() - 1]) && refused(&encoded[32..]));
    assert!(refused(&[&encoded[..], &[0; 32]].concat()), "a word more");
    // offset, terms' offset, count, offsets of both; side
    let (side, kind) = (5 * 32 + 31, 10 * 32 + 31);
    assert_eq!((encoded[side], encoded[kind]), (0, 1));
    for (at, value) in [(side, 2), (side - 31, 1), (kind, 5)] {
        let mut changed = encoded.clone();
        changed[at] = value;
        assert!(refused(&changed), "{at}");
    }
}
