//! The encoding of a model: that of contracts/sol/interfaces/ISafetyFactorModels.sol.

use alloy_primitives::Bytes;
use alloy_sol_types::SolValue;

use super::{Guard, ModelError, Side, Source, SourceKind, Term};

/// The longest encoding of a model within its bounds (23,392 bytes) fits the code of a contract; what is longer is none.
const MAX_LENGTH: usize = 24_575;

pub(super) mod sol {
    alloy_sol_types::sol! {
        enum Side { Cost, Profit }
        enum SourceKind { Constant, QuorumStake, FeedRound, StorageSlot, ViewCall }

        struct Source {
            SourceKind kind;
            bytes data;
        }
        struct Term {
            Side side;
            Source amount;
            Source price;
            uint32 shareBps;
            uint8 decimals;
        }
        struct Model {
            Term[] terms;
        }

        struct ConstantSource {
            uint256 value;
        }
        struct QuorumStakeSource {
            address stakeRegistry;
            uint8 quorumNumber;
        }
        struct FeedRoundSource {
            address feed;
            uint16 phaseId;
            uint32 maxAge;
        }
        struct Guard {
            address account;
            bytes32 slot;
            bytes32 expected;
        }
        struct StorageSlotSource {
            address account;
            bytes32 slot;
            uint8 offset;
            uint8 width;
            Guard[] guards;
        }
        struct ViewCallSource {
            address target;
            bytes callData;
        }
    }
}

pub(super) fn encode(terms: &[Term<Source>]) -> Vec<u8> {
    sol::Model { terms: terms.iter().map(encode_term).collect() }.abi_encode()
}

/// What the bytes may mean. That the whole is the one encoding of it is for the caller to compare.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Term<Source>>, ModelError> {
    if bytes.len() > MAX_LENGTH {
        return Err(ModelError::NotCanonical);
    }
    let model = sol::Model::abi_decode_validate(bytes).map_err(|_| ModelError::NotCanonical)?;
    model.terms.iter().enumerate().map(|(index, term)| decode_term(index, term)).collect()
}

fn encode_term(term: &Term<Source>) -> sol::Term {
    sol::Term {
        side: match term.side {
            Side::Cost => sol::Side::Cost,
            Side::Profit => sol::Side::Profit,
        },
        amount: encode_source(&term.amount),
        price: encode_source(&term.price),
        shareBps: term.share_bps,
        decimals: term.decimals,
    }
}

fn decode_term(index: usize, term: &sol::Term) -> Result<Term<Source>, ModelError> {
    Ok(Term {
        side: match term.side {
            sol::Side::Cost => Side::Cost,
            sol::Side::Profit => Side::Profit,
            sol::Side::__Invalid => return Err(ModelError::NotCanonical),
        },
        amount: decode_source(index, &term.amount)?,
        price: decode_source(index, &term.price)?,
        share_bps: term.shareBps,
        decimals: term.decimals,
    })
}

fn encode_source(source: &Source) -> sol::Source {
    let (kind, data) = match source.clone() {
        Source::Constant { value } => (sol::SourceKind::Constant, sol::ConstantSource { value }.abi_encode()),
        Source::QuorumStake { stake_registry, quorum_number } => {
            let data = sol::QuorumStakeSource { stakeRegistry: stake_registry, quorumNumber: quorum_number };
            (sol::SourceKind::QuorumStake, data.abi_encode())
        }
        Source::FeedRound { feed, phase_id, max_age } => {
            let data = sol::FeedRoundSource { feed, phaseId: phase_id, maxAge: max_age };
            (sol::SourceKind::FeedRound, data.abi_encode())
        }
        Source::StorageSlot { account, slot, offset, width, guards } => {
            let guards = guards.into_iter().map(sol::Guard::from).collect();
            let data = sol::StorageSlotSource { account, slot, offset, width, guards };
            (sol::SourceKind::StorageSlot, data.abi_encode())
        }
        Source::ViewCall { target, call_data } => {
            let data = sol::ViewCallSource { target, callData: call_data };
            (sol::SourceKind::ViewCall, data.abi_encode())
        }
    };
    sol::Source { kind, data: Bytes::from(data) }
}

fn decode_source(term: usize, source: &sol::Source) -> Result<Source, ModelError> {
    let kind = match source.kind {
        sol::SourceKind::Constant => SourceKind::Constant,
        sol::SourceKind::QuorumStake => SourceKind::QuorumStake,
        sol::SourceKind::FeedRound => SourceKind::FeedRound,
        sol::SourceKind::StorageSlot => SourceKind::StorageSlot,
        sol::SourceKind::ViewCall => SourceKind::ViewCall,
        sol::SourceKind::__Invalid => return Err(ModelError::NotCanonical),
    };
    let decoded = decode_data(kind, &source.data).ok();
    let canonical = decoded.filter(|decoded| encode_source(decoded).data == source.data);
    canonical.ok_or(ModelError::SourceNotCanonical { term, kind })
}

fn decode_data(kind: SourceKind, data: &[u8]) -> alloy_sol_types::Result<Source> {
    Ok(match kind {
        SourceKind::Constant => {
            Source::Constant { value: sol::ConstantSource::abi_decode_validate(data)?.value }
        }
        SourceKind::QuorumStake => {
            let source = sol::QuorumStakeSource::abi_decode_validate(data)?;
            Source::QuorumStake { stake_registry: source.stakeRegistry, quorum_number: source.quorumNumber }
        }
        SourceKind::FeedRound => {
            let source = sol::FeedRoundSource::abi_decode_validate(data)?;
            Source::FeedRound { feed: source.feed, phase_id: source.phaseId, max_age: source.maxAge }
        }
        SourceKind::StorageSlot => {
            let sol::StorageSlotSource { account, slot, offset, width, guards } =
                sol::StorageSlotSource::abi_decode_validate(data)?;
            let guards = guards.into_iter().map(Guard::from).collect();
            Source::StorageSlot { account, slot, offset, width, guards }
        }
        SourceKind::ViewCall => {
            let source = sol::ViewCallSource::abi_decode_validate(data)?;
            Source::ViewCall { target: source.target, call_data: source.callData }
        }
    })
}

impl From<Guard> for sol::Guard {
    fn from(Guard { account, slot, expected }: Guard) -> Self {
        Self { account, slot, expected }
    }
}

impl From<sol::Guard> for Guard {
    fn from(sol::Guard { account, slot, expected }: sol::Guard) -> Self {
        Self { account, slot, expected }
    }
}
