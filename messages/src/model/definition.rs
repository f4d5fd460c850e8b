//! A whole model, within its bounds.

use alloy_primitives::{Address, B256, keccak256};
use serde::{Deserialize, Serialize};

use super::abi;
use super::{Side, Source, SourceKind, Term};

/// The terms of a safety factor: `(CoC - PfC) / CoC`, where CoC is the sum of the terms of the cost side and PfC that of the
/// profit side. It keeps the bounds that the contracts keep (`SafetyFactorModels.checkModel`), except that only the chain
/// tells which stake registries are allowed and whether there is code at an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Model {
    terms: Vec<Term<Source>>,
}

/// A model as it stands in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    terms: Vec<Term<Source>>,
}

/// A list of terms, or an encoding of one, is no model. Terms are counted from 0, as in the contracts' errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// There are none, or too many.
    #[error("the model has {0} terms; give it 1 to {max}", max = Model::MAX_TERMS)]
    TermCountOutOfRange(usize),
    /// There would never be an answer.
    #[error("no term is on the cost side, so there would never be an answer; add what corruption costs")]
    NoCostTerm,
    /// More than a dispute can prove in one transaction.
    #[error("the model reads {0} storage slots, guards included; make do with {max}", max = Model::MAX_SLOTS)]
    TooManySlots(usize),
    /// The share of a term is nothing, or more than all.
    #[error("the share of term {term} is {share_bps} bps; choose 1 to {max}", max = Model::MAX_SHARE_BPS)]
    ShareOutOfRange {
        /// The term.
        term: usize,
        /// Its share.
        share_bps: u32,
    },
    /// A term has more decimals than any value needs.
    #[error("term {term} has {decimals} decimals; choose at most {max}", max = Model::MAX_DECIMALS)]
    TooManyDecimals {
        /// The term.
        term: usize,
        /// Its decimals.
        decimals: u8,
    },
    /// A source's address is zero.
    #[error("a source of term {term} has no address; name a contract")]
    SourceNotAContract {
        /// The term.
        term: usize,
    },
    /// Every answer of the feed would be stale.
    #[error("the feed of term {term} has a maxAge of 0; give the seconds for which an answer is good")]
    NoMaxAge {
        /// The term.
        term: usize,
    },
    /// The bytes are not within the slot.
    #[error(
        "term {term} reads {width} bytes at offset {offset} of a slot; choose 1 to 32 within its 32 bytes"
    )]
    FieldOutOfRange {
        /// The term.
        term: usize,
        /// Where they begin, from the right.
        offset: u8,
        /// How many.
        width: u8,
    },
    /// A slot has too many guards.
    #[error("a slot of term {term} has {count} guards; make do with {max}", max = Model::MAX_GUARDS)]
    TooManyGuards {
        /// The term.
        term: usize,
        /// How many.
        count: usize,
    },
    /// A call has too much data.
    #[error("the call of term {term} has {length} bytes of data; make do with {max}", max = Model::MAX_CALL_DATA)]
    CallDataTooLong {
        /// The term.
        term: usize,
        /// How many bytes.
        length: usize,
    },
    /// The data of a source is not the one encoding of its values.
    #[error("the data of a {kind} of term {term} is not abi.encode of its struct; encode it anew")]
    SourceNotCanonical {
        /// The term.
        term: usize,
        /// Of what the data should be.
        kind: SourceKind,
    },
    /// The bytes are not the one encoding of a model.
    #[error("the bytes are not abi.encode of a model; take them from SafetyFactorModels.getModel")]
    NotCanonical,
}

impl Model {
    /// The most terms.
    pub const MAX_TERMS: usize = 20;
    /// The most storage slots, guards included, of all terms: their proofs must fit one transaction, also where
    /// somebody has deepened the tries (contracts/sol/SafetyFactorModels.sol).
    pub const MAX_SLOTS: usize = 8;
    /// The greatest share: all of it.
    pub const MAX_SHARE_BPS: u32 = 10_000;
    /// The most decimals of a term.
    pub const MAX_DECIMALS: u8 = 60;
    /// The most guards of a storage slot.
    pub const MAX_GUARDS: usize = 4;
    /// The most bytes of data of a call.
    pub const MAX_CALL_DATA: usize = 256;

    /// A model of these terms.
    ///
    /// # Errors
    /// Where they are not within the bounds.
    pub fn new(terms: Vec<Term<Source>>) -> Result<Self, ModelError> {
        if terms.is_empty() || terms.len() > Self::MAX_TERMS {
            return Err(ModelError::TermCountOutOfRange(terms.len()));
        }
        terms.iter().enumerate().try_for_each(|(index, term)| check_term(index, term))?;
        if terms.iter().all(|term| term.side != Side::Cost) {
            return Err(ModelError::NoCostTerm);
        }
        let model = Self { terms };
        match model.sources().map(Source::slots).sum() {
            0..=Self::MAX_SLOTS => Ok(model),
            slots => Err(ModelError::TooManySlots(slots)),
        }
    }

    /// Its terms.
    pub fn terms(&self) -> &[Term<Source>] {
        &self.terms
    }

    /// Amount and price of every term.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.terms.iter().flat_map(|term| [&term.amount, &term.price])
    }

    /// Whether all that it reads can be proved on chain: it makes no view calls.
    pub fn is_provable(&self) -> bool {
        self.sources().all(|source| source.kind() != SourceKind::ViewCall)
    }

    /// `abi.encode(model)`.
    pub fn encode(&self) -> Vec<u8> {
        abi::encode(&self.terms)
    }

    /// The model's name on chain and in tasks: `keccak256(abi.encode(model))`.
    pub fn hash(&self) -> B256 {
        keccak256(self.encode())
    }

    /// Reads `abi.encode(model)`.
    ///
    /// # Errors
    /// Where the bytes are not the one encoding of a model, or the model is not within the bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, ModelError> {
        let model = Self::new(abi::decode(bytes)?)?;
        if model.encode() == bytes { Ok(model) } else { Err(ModelError::NotCanonical) }
    }
}

impl TryFrom<Unchecked> for Model {
    type Error = ModelError;

    fn try_from(Unchecked { terms }: Unchecked) -> Result<Self, ModelError> {
        Self::new(terms)
    }
}

fn check_term(index: usize, term: &Term<Source>) -> Result<(), ModelError> {
    if term.share_bps == 0 || term.share_bps > Model::MAX_SHARE_BPS {
        return Err(ModelError::ShareOutOfRange { term: index, share_bps: term.share_bps });
    }
    if term.decimals > Model::MAX_DECIMALS {
        return Err(ModelError::TooManyDecimals { term: index, decimals: term.decimals });
    }
    check_source(index, &term.amount)?;
    check_source(index, &term.price)
}

fn check_source(term: usize, source: &Source) -> Result<(), ModelError> {
    match source {
        Source::Constant { .. } => Ok(()),
        Source::QuorumStake { stake_registry, .. } => check_address(term, stake_registry),
        Source::FeedRound { max_age: 0, .. } => Err(ModelError::NoMaxAge { term }),
        Source::FeedRound { feed, .. } => check_address(term, feed),
        Source::StorageSlot { offset, width, .. } if !is_within_slot(*offset, *width) => {
            Err(ModelError::FieldOutOfRange { term, offset: *offset, width: *width })
        }
        Source::StorageSlot { guards, .. } if guards.len() > Model::MAX_GUARDS => {
            Err(ModelError::TooManyGuards { term, count: guards.len() })
        }
        Source::StorageSlot { account, guards, .. } => {
            let mut accounts = guards.iter().map(|guard| &guard.account).chain([account]);
            accounts.try_for_each(|account| check_address(term, account))
        }
        Source::ViewCall { call_data, .. } if call_data.len() > Model::MAX_CALL_DATA => {
            Err(ModelError::CallDataTooLong { term, length: call_data.len() })
        }
        Source::ViewCall { target, .. } => check_address(term, target),
    }
}

fn is_within_slot(offset: u8, width: u8) -> bool {
    width > 0 && u16::from(offset) + u16::from(width) <= 32
}

fn check_address(term: usize, address: &Address) -> Result<(), ModelError> {
    if address.is_zero() { Err(ModelError::SourceNotAContract { term }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Guard;
    use crate::model::strategies::model;
    use proptest::prelude::*;

    proptest! {
        // Models are long.
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn survives_its_encoding(model in model()) {
            let encoded = model.encode();
            prop_assert_eq!(Model::decode(&encoded), Ok(model.clone()));
            prop_assert_eq!(model.hash(), keccak256(encoded));
        }

        #[test]
        fn survives_its_json(model in model()) {
            let text = serde_json::to_string(&model).unwrap();
            prop_assert_eq!(serde_json::from_str::<Model>(&text).unwrap(), model);
        }

        /// Two encodings of one model would be two names of it.
        #[test]
        fn another_byte_is_another_model_or_none(
            model in model(), at in any::<prop::sample::Index>(), difference in 1..=u8::MAX,
        ) {
            let mut changed = model.encode();
            let at = at.index(changed.len());
            changed[at] ^= difference;
            if let Ok(other) = Model::decode(&changed) {
                prop_assert_ne!(other, model);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
            prop_assert!(Model::decode(&bytes).is_err());
        }
    }

    /// abi.rs tells the length. A call with all its data is the longest source but for a slot with guards, of which a model has
    /// few.
    #[test]
    fn the_longest_model_can_be_decoded() {
        let account = Address::repeat_byte(1);
        let guard = Guard { account, slot: B256::ZERO, expected: B256::ZERO };
        let slot = |guards| {
            let guards = vec![guard.clone(); guards];
            Source::StorageSlot { account, slot: B256::ZERO, offset: 0, width: 32, guards }
        };
        let call = Source::ViewCall { target: account, call_data: vec![1; Model::MAX_CALL_DATA].into() };
        let term = |amount: &Source| Term {
            side: Side::Cost,
            amount: amount.clone(),
            price: call.clone(),
            share_bps: 1,
            decimals: 0,
        };
        let slots = vec![term(&slot(Model::MAX_GUARDS)), term(&slot(2))];
        let model = Model::new([slots, vec![term(&call); 18]].concat()).unwrap();
        assert_eq!(model.encode().len(), 23_392);
        assert_eq!(Model::decode(&model.encode()), Ok(model));
    }
}
