//! What shows a contract what was read: `IModelEvaluator.Witness`.

use anzen_contracts::model_evaluator::IModelEvaluator::Witness;
use anzen_messages::model::{Model, Source};

use super::answers::Answers;

impl Answers {
    /// The witness of what a model reads, if nothing else was asked. Of a source that could not be read it has nothing, or 0: one
    /// such stands behind the first that has no value, or nothing follows at all.
    pub(in super::super) fn into_witness(self, model: &Model) -> Witness {
        let stake = |source: &Source| match source {
            Source::QuorumStake { stake_registry, quorum_number } => {
                let entry = self.stakes.get(&(*stake_registry, *quorum_number));
                Some(entry.and_then(|entry| entry.as_ref().ok()).map_or(0, |entry| entry.index()))
            }
            _ => None,
        };
        let round = |source: &Source| match source {
            Source::FeedRound { feed, phase_id, .. } => {
                let latest = self.feeds.get(&(*feed, *phase_id));
                Some(latest.and_then(|latest| latest.as_ref().ok()).map_or(0, |latest| latest.number()))
            }
            _ => None,
        };
        Witness {
            stakeIndices: model.sources().filter_map(stake).collect(),
            rounds: model.sources().filter_map(round).collect(),
            header: self.header,
            accounts: self.accounts.into_values().flatten().map(|account| account.proof).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alloy::primitives::{Address, B256, Bytes, I256, U256};
    use anzen_contracts::model_evaluator::StateProof::{AccountProof, SlotProof};
    use anzen_messages::SafetyFactor;
    use anzen_messages::model::{Guard, NoAnswer, Side, Term};

    use super::super::answers::Entry;
    use super::super::rounds::{Latest, Round};
    use super::super::state::ProvenAccount;
    use super::*;
    use crate::ports::ChainError;

    const REGISTRY: Address = Address::repeat_byte(1);
    const FEED: Address = Address::repeat_byte(2);
    const SILENT: Address = Address::repeat_byte(3);
    const VAULT: Address = Address::repeat_byte(4);
    const PROXY: Address = Address::repeat_byte(5);

    fn stake(quorum_number: u8) -> Source {
        Source::QuorumStake { stake_registry: REGISTRY, quorum_number }
    }

    fn feed(feed: Address, phase_id: u16) -> Source {
        Source::FeedRound { feed, phase_id, max_age: 60 }
    }

    fn slot(number: u8, guards: Vec<Guard>) -> Source {
        Source::StorageSlot {
            account: VAULT,
            slot: B256::with_last_byte(number),
            offset: 0,
            width: 32,
            guards,
        }
    }

    fn guard(expected: u8) -> Guard {
        let expected = B256::with_last_byte(expected);
        Guard { account: PROXY, slot: B256::with_last_byte(9), expected }
    }

    fn term(amount: Source, price: Source) -> Term<Source> {
        Term { side: Side::Cost, amount, price, share_bps: 10_000, decimals: 0 }
    }

    fn model(terms: Vec<Term<Source>>) -> Model {
        Model::new(terms).unwrap()
    }

    /// Slots that hold ten times their number.
    fn proven(account: Address, slots: &[u8]) -> ProvenAccount {
        let proof = |number: &u8| SlotProof {
            slot: B256::with_last_byte(*number),
            proof: vec![Bytes::from(vec![*number; 40])],
        };
        ProvenAccount {
            words: slots.iter().map(|number| B256::with_last_byte(10 * number)).collect(),
            proof: AccountProof { account, proof: Vec::new(), slots: slots.iter().map(proof).collect() },
        }
    }

    fn down() -> ChainError {
        ChainError::Endpoint("down".into())
    }

    /// Quorum 0 has the eighth entry of its history, quorum 1 none; FEED is in round 3 of phase 6, and has none of phase 7;
    /// SILENT does not answer.
    fn answers() -> Answers {
        let round = Round { number: 3, answer: I256::try_from(2).unwrap(), age: 1 };
        let entry = |entry| Ok(Entry(entry));
        Answers {
            header: Bytes::from_static(b"header"),
            stakes: BTreeMap::from([
                ((REGISTRY, 0), entry(Some((7, U256::from(100))))),
                ((REGISTRY, 1), entry(None)),
            ]),
            feeds: BTreeMap::from([
                ((FEED, 6), Ok(Latest(Some(round)))),
                ((FEED, 7), Ok(Latest(None))),
                ((SILENT, 0), Err(down())),
            ]),
            accounts: BTreeMap::from([(VAULT, Ok(proven(VAULT, &[1, 2]))), (PROXY, Ok(proven(PROXY, &[9])))]),
            calls: BTreeMap::new(),
        }
    }

    #[test]
    fn indices_and_rounds_stand_in_the_order_of_the_terms_amounts_before_prices() {
        let model = model(vec![
            term(feed(FEED, 7), stake(1)),
            term(stake(0), feed(FEED, 6)),
            term(stake(0), Source::Constant { value: U256::ONE }),
            term(feed(SILENT, 0), feed(FEED, 6)),
        ]);
        let witness = answers().into_witness(&model);
        assert_eq!(witness.stakeIndices, [0, 7, 7], "each as often as it is read");
        assert_eq!(witness.rounds, [0, 3, 0, 3]);
        assert_eq!(witness.header, Bytes::from_static(b"header"));
    }

    #[test]
    fn an_account_stands_there_once_with_slots_and_guards() {
        let one = Source::Constant { value: U256::ONE };
        let guarded = term(slot(1, vec![guard(90)]), one.clone());
        let model = model(vec![guarded.clone(), term(slot(2, vec![]), one), guarded]);
        assert_eq!(answers().outcome(&model), Ok(Ok(SafetyFactor(I256::unchecked_from(SafetyFactor::ONE)))));
        let witness = answers().into_witness(&model);
        let of = |account: &AccountProof| (account.account, account.slots.len());
        assert_eq!(witness.accounts.iter().map(of).collect::<Vec<_>>(), [(VAULT, 2), (PROXY, 1)]);
    }

    #[test]
    fn what_stands_behind_the_source_that_decides_need_not_be_readable() {
        let one = || Source::Constant { value: U256::ONE };
        let dead = || term(one(), feed(SILENT, 0));
        let outcome = |terms: Vec<Term<Source>>| answers().outcome(&model(terms));
        assert_eq!(outcome(vec![term(stake(1), one()), dead()]), Ok(Err(NoAnswer::NoRound)));
        let mismatch = slot(1, vec![guard(1)]);
        assert_eq!(outcome(vec![term(mismatch, feed(SILENT, 0))]), Ok(Err(NoAnswer::GuardMismatch)));
        let zero = Source::Constant { value: U256::ZERO };
        let no_price = Ok(Err(NoAnswer::NoPrice(I256::ZERO)));
        assert_eq!(outcome(vec![term(one(), zero), dead()]), no_price);
        let most = || Source::Constant { value: U256::MAX };
        assert_eq!(outcome(vec![term(most(), most()), dead()]), Ok(Err(NoAnswer::Overflow)));
        assert_eq!(outcome(vec![dead(), term(stake(1), one())]), Err(down()));
        let mut answers = answers();
        answers.accounts.insert(VAULT, Err(down()));
        let model = model(vec![term(slot(1, vec![guard(1)]), one())]);
        assert_eq!(answers.outcome(&model), Ok(Err(NoAnswer::GuardMismatch)));
        assert_eq!(answers.into_witness(&model).accounts.len(), 1);
    }
}
