//! Models and readings for property tests.

use alloy_primitives::{Address, B256, Bytes, I256, U256};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Guard, Model, NoAnswer, Reading, Side, Source, Term};

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Cost), Just(Side::Profit)]
}

fn address() -> impl Strategy<Value = Address> {
    any::<[u8; 20]>().prop_map(Address::from).prop_filter("no address", |address| !address.is_zero())
}

fn word() -> impl Strategy<Value = B256> {
    any::<[u8; 32]>().prop_map(B256::from)
}

/// Numbers of every magnitude.
fn number() -> impl Strategy<Value = U256> {
    (any::<[u8; 32]>(), 0_usize..256).prop_map(|(bytes, shift)| U256::from_be_bytes(bytes) >> shift)
}

fn guard() -> impl Strategy<Value = Guard> {
    (address(), word(), word()).prop_map(|(account, slot, expected)| Guard { account, slot, expected })
}

fn storage_slot() -> impl Strategy<Value = Source> {
    let field = (0_u8..32).prop_flat_map(|offset| (Just(offset), 1..=32 - offset));
    (address(), word(), field, vec(guard(), 0..=Model::MAX_GUARDS)).prop_map(
        |(account, slot, (offset, width), guards)| Source::StorageSlot {
            account,
            slot,
            offset,
            width,
            guards,
        },
    )
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        number().prop_map(|value| Source::Constant { value }),
        (address(), any::<u8>()).prop_map(|(stake_registry, quorum_number)| Source::QuorumStake {
            stake_registry,
            quorum_number
        }),
        (address(), any::<u16>(), 1..=u32::MAX).prop_map(|(feed, phase_id, max_age)| Source::FeedRound {
            feed,
            phase_id,
            max_age
        }),
        storage_slot(),
        (address(), vec(any::<u8>(), 0..=Model::MAX_CALL_DATA))
            .prop_map(|(target, data)| Source::ViewCall { target, call_data: Bytes::from(data) }),
    ]
}

fn term() -> impl Strategy<Value = Term<Source>> {
    (side(), source(), source(), 1..=Model::MAX_SHARE_BPS, 0..=Model::MAX_DECIMALS).prop_map(
        |(side, amount, price, share_bps, decimals)| Term { side, amount, price, share_bps, decimals },
    )
}

/// Any model within the bounds.
pub(super) fn model() -> impl Strategy<Value = Model> {
    vec(term(), 1..=Model::MAX_TERMS).prop_filter_map("not within the bounds", |terms| Model::new(terms).ok())
}

fn reading() -> impl Strategy<Value = Reading> {
    let missing = prop_oneof![
        Just(NoAnswer::NoRound),
        Just(NoAnswer::StaleFeed),
        Just(NoAnswer::NoPrice(I256::MINUS_ONE)),
        Just(NoAnswer::GuardMismatch),
        Just(NoAnswer::CallFailed),
    ];
    let small = (any::<u128>(), 0_u32..128).prop_map(|(value, shift)| U256::from(value >> shift));
    prop_oneof![20 => small.prop_map(Ok), 4 => number().prop_map(Ok), 1 => missing.prop_map(Err)]
}

/// What any model may have read; beyond the bounds of a model too.
pub(super) fn read_terms() -> impl Strategy<Value = Vec<Term<Reading>>> {
    let decimals = prop_oneof![9 => 0_u8..=24, 1 => any::<u8>()];
    let term = (side(), reading(), reading(), 0_u32..=10_000, decimals).prop_map(
        |(side, amount, price, share_bps, decimals)| Term { side, amount, price, share_bps, decimals },
    );
    vec(term, 0..=5)
}
