//! `SafetyFactorModels` on a real chain against the same in Rust, on what chance comes upon. The chance is the same in every run.

use alloy::{
    primitives::{Address, Bytes, I256, U256},
    providers::{DynProvider, Provider},
    rpc::types::TransactionRequest,
    sol_types::{SolCall, SolConstructor, SolValue},
};
use anzen_contracts::{
    LocalPriceFeed, SafetyFactorModels, TransparentUpgradeableProxy,
    safety_factor_models::ISafetyFactorModels::{self, ReadTerm},
};
use anzen_deploy::chain::{Account, Request, read};
use anzen_messages::model::{Guard, Model, ModelError, NoAnswer, Reading, Side, Source, Term, evaluate};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use crate::chain::Chain;

#[path = "../../../messages/src/model/strategies.rs"]
mod strategies;
// They are written for it; said here for cargo-machete, which reads this package only.
use alloy_primitives as _;

/// The contract behind its proxy. Its own code stands for all that a model reads, but for feeds, which must answer.
struct Models {
    _chain: Chain,
    provider: DynProvider,
    owner: Account,
    address: Address,
    feed: Address,
}

impl Models {
    async fn deploy() -> Self {
        let chain = Chain::start();
        let owner = chain.deployer().await;
        let implementation = create(&owner, SafetyFactorModels::BYTECODE.clone()).await;
        let initialize = SafetyFactorModels::initializeCall { admin: owner.address() };
        let arguments = TransparentUpgradeableProxy::constructorCall {
            _logic: implementation,
            initialOwner: owner.address(),
            _data: initialize.abi_encode().into(),
        };
        let code =
            [&TransparentUpgradeableProxy::BYTECODE[..], &SolConstructor::abi_encode(&arguments)].concat();
        let address = create(&owner, code.into()).await;
        let allow = SafetyFactorModels::allowStakeRegistryCall { stakeRegistry: address };
        owner.execute(&Request::call("a registry", address, &allow)).await.unwrap();
        let feed =
            LocalPriceFeed::constructorCall { description_: "a price".into(), owner_: owner.address() };
        let code = [&LocalPriceFeed::BYTECODE[..], &SolConstructor::abi_encode(&feed)].concat();
        let feed = create(&owner, code.into()).await;
        let transmit = LocalPriceFeed::transmitCall { answer: I256::ONE };
        owner.execute(&Request::call("a price", feed, &transmit)).await.unwrap();
        Self { provider: chain.provider.clone(), _chain: chain, owner, address, feed }
    }

    /// A model that reads nothing but addresses with code, and a feed that has begun.
    fn known(&self, model: &Model) -> Model {
        let terms = model.terms().iter().map(|term| term.map(|source| self.known_source(source)));
        Model::new(terms.collect()).unwrap()
    }

    fn known_source(&self, source: &Source) -> Source {
        let mut known = source.clone();
        match &mut known {
            Source::Constant { .. } => {}
            Source::FeedRound { feed, phase_id, .. } => (*feed, *phase_id) = (self.feed, 0),
            Source::QuorumStake { stake_registry: account, .. }
            | Source::ViewCall { target: account, .. } => *account = self.address,
            Source::StorageSlot { account, guards, .. } => {
                *account = self.address;
                guards.iter_mut().for_each(|guard| guard.account = self.address);
            }
        }
        known
    }

    /// What a call returns; nothing if it reverts. `arguments` are encoded already.
    async fn call<C: SolCall>(&self, arguments: &[u8]) -> Option<Bytes> {
        let data = Bytes::from([&C::SELECTOR, arguments].concat());
        let request = TransactionRequest::default().to(self.address).input(data.into());
        match self.provider.call(request).await {
            Ok(returned) => Some(returned),
            Err(error) if error.is_error_resp() => None,
            Err(error) => panic!("{error}"),
        }
    }
}

async fn create(owner: &Account, code: Bytes) -> Address {
    owner.execute(&Request::create("a contract", code)).await.unwrap().contract_address.unwrap()
}

fn chances<S: Strategy>(strategy: S, count: usize) -> impl Iterator<Item = S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(move |_| strategy.new_tree(&mut runner).unwrap().current())
}

fn reading(reading: Reading) -> ISafetyFactorModels::Reading {
    let (outcome, value) = reading.map_or_else(|reason| (reason.outcome(), U256::ZERO), |value| (0, value));
    ISafetyFactorModels::Reading { outcome, value }
}

fn read_term(term: &Term<Reading>) -> ReadTerm {
    ReadTerm {
        side: u8::from(term.side == Side::Profit),
        amount: reading(term.amount),
        price: reading(term.price),
        shareBps: term.share_bps,
        decimals: term.decimals,
    }
}

#[tokio::test]
async fn evaluates_as_rust_does() {
    let models = Models::deploy().await;
    let mut answers = 0;
    for terms in chances(strategies::read_terms(), 2_000) {
        let call = SafetyFactorModels::evaluateCall { terms: terms.iter().map(read_term).collect() };
        let on_chain = read(&models.provider, models.address, call).await.unwrap();
        let (outcome, value) = match evaluate(&terms) {
            Ok(value) => (0, value.0),
            Err(reason) => (reason.outcome(), Default::default()),
        };
        assert_eq!((on_chain.outcome, on_chain.safetyFactor), (outcome, value), "{terms:?}");
        answers += u32::from(outcome == 0);
    }
    assert!(answers > 200, "only {answers} of 2000 had an answer");
}

#[tokio::test]
async fn keeps_what_rust_encodes_under_the_hash_that_rust_computes() {
    let models = Models::deploy().await;
    for model in chances(strategies::model(), 30).map(|model| models.known(&model)) {
        let add = SafetyFactorModels::addModelCall {
            model: ISafetyFactorModels::Model::abi_decode(&model.encode()).unwrap(),
        };
        models.owner.execute(&Request::call("a model", models.address, &add)).await.unwrap();
        let hash = model.hash().abi_encode();
        let kept = models.call::<SafetyFactorModels::getModelCall>(&hash).await;
        assert_eq!(kept, Some(model.encode().into()), "{model:?}");
        let provable = models.call::<SafetyFactorModels::isProvableCall>(&hash).await;
        assert_eq!(provable, Some(model.is_provable().abi_encode().into()), "{model:?}");
    }
}

/// A byte is changed. The arguments of a call are encoded anew by the contract, so it takes some that are not canonical as a
/// whole; and Rust does not know where there is code.
#[tokio::test]
async fn refuses_what_rust_refuses() {
    let models = Models::deploy().await;
    let changes = (strategies::model(), proptest::num::usize::ANY, 1..=u8::MAX);
    let mut accepted = 0;
    for (model, at, difference) in chances(changes, 500) {
        let mut encoded = models.known(&model).encode();
        let at = at % encoded.len();
        encoded[at] ^= difference;
        let on_chain = models.call::<SafetyFactorModels::checkModelCall>(&encoded).await;
        match Model::decode(&encoded) {
            Ok(model) if models.known(&model) == model => {
                assert_eq!(on_chain, Some(model.is_provable().abi_encode().into()), "byte {at} of {model:?}");
                accepted += 1;
            }
            Ok(model) => assert_eq!(on_chain, None, "byte {at} of {model:?}"),
            Err(ModelError::NotCanonical) => {}
            Err(reason) => assert_eq!(on_chain, None, "byte {at} of {model:?}: {reason}"),
        }
    }
    assert!(accepted > 50, "only {accepted} of 500 were models");
}
