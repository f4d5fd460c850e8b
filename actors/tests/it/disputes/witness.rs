//! Witnesses, against the contract that evaluates them.

use alloy::primitives::{Address, B256, Bytes, I256, U256};
use alloy::sol_types::{SolCall, SolValue};
use anzen_actors::adapters::{AlloyChain, ChainConfig};
use anzen_actors::ports::{ChainError, ChainReader, Disputes, Recomputed};
use anzen_contracts::ModelEvaluator;
use anzen_contracts::model_evaluator::IModelEvaluator::Witness;
use anzen_messages::chain::BlockRef;
use anzen_messages::model::{Guard, Model, NoAnswer, Side, Source, Term};
use anzen_messages::{SafetyFactor, Task};

use super::*;
use crate::models::{Lie, local_model, lying, new_feed, of_prices, transmit};

type Outcome = Result<SafetyFactor, NoAnswer>;

const MINUTE: Duration = Duration::from_secs(60);
/// What secures the protocol that the models are about.
const COST: u64 = 1_000_000_000_000;

/// Each source is a profit of its own.
fn model(sources: &[Source]) -> Model {
    let constant = |value: u64| Source::Constant { value: U256::from(value) };
    let term = |side, amount| Term { side, amount, price: constant(1), share_bps: 10_000, decimals: 0 };
    let profits = sources.iter().map(|source| term(Side::Profit, source.clone()));
    Model::new([term(Side::Cost, constant(COST))].into_iter().chain(profits).collect()).unwrap()
}

/// What follows from a profit.
fn profit(value: u128) -> Outcome {
    let fraction = (value * 1_000_000_000).div_ceil(COST.into());
    Ok(SafetyFactor(I256::try_from(1_000_000_000 - i128::try_from(fraction).unwrap()).unwrap()))
}

fn slot(account: Address, slot: B256, guards: Vec<Guard>) -> Source {
    Source::StorageSlot { account, slot, offset: 0, width: 32, guards }
}

fn stake(chain: &Chain, quorum_number: u8) -> Source {
    Source::QuorumStake { stake_registry: chain.addresses.stake_registry, quorum_number }
}

fn feed(feed: Address, max_age: u32) -> Source {
    Source::FeedRound { feed, phase_id: 0, max_age }
}

fn task(model_hash: B256, at: BlockRef) -> Task {
    Task {
        index: 0,
        oracle_index: 0,
        model_hash,
        proposed_safety_factor: SafetyFactor(I256::ZERO),
        reference_block: at.number.try_into().unwrap(),
        reference_block_hash: at.hash,
        created_block: u32::try_from(at.number).unwrap() + 1,
        quorum_numbers: Bytes::from_static(&[0]),
        quorum_threshold_percentage: 66,
    }
}

/// What the contract says at the newest block.
async fn evaluate(chain: &Chain, task: &Task, witness: &Bytes) -> (u8, I256) {
    let contract = ModelEvaluator::new(chain.addresses.model_evaluator, &chain.provider);
    let witness = Witness::abi_decode_validate(witness).unwrap();
    let said = contract.evaluate(task.model_hash, task.reference_block_hash, witness).call().await.unwrap();
    (said.outcome, said.safetyFactor)
}

fn as_the_contract_says(outcome: Outcome) -> (u8, I256) {
    outcome.map_or_else(|reason| (reason.outcome(), I256::ZERO), |value| (0, value.0))
}

async fn head(port: &AlloyChain) -> BlockRef {
    port.head().await.unwrap().at
}

/// The task of a model that governance adds now, about a block that may be before it.
async fn task_of(chain: &Chain, port: &AlloyChain, sources: &[Source], at: BlockRef) -> Task {
    let hash = add_model(chain, &model(sources)).await;
    // The block does not know it; whoever does not know it yet asks the newest.
    port.model(hash, head(port).await.hash).await.unwrap();
    task(hash, at)
}

#[actix::test]
async fn the_contract_comes_to_the_same_outcome_of_every_source_now_and_later() {
    let chain = Chain::start().await;
    let port = chain.connect(&chain.config());
    let local = local_model(&chain).await;
    let (Source::FeedRound { feed: price, .. }, Source::StorageSlot { account: token, slot: assets, .. }) =
        (local.terms()[0].price.clone(), local.terms()[1].amount.clone())
    else {
        panic!("{local:?}")
    };
    let (silent, negative) = (new_feed(&chain).await, new_feed(&chain).await);
    let minus_five = I256::try_from(-5).unwrap();
    transmit(&chain, negative, minus_five).await;
    pass(&chain, MINUTE).await;
    let reference = head(&port).await;

    // Feeds and histories go on, and what was not there appears.
    pass(&chain, MINUTE).await;
    for feed in [price, silent, negative] {
        transmit(&chain, feed, I256::ONE).await;
    }
    let newcomer = new_feed(&chain).await;
    join(&chain, &[&operator(&chain, 100).await.0]).await;

    let expected = |expected: u8| Guard {
        account: newcomer,
        slot: B256::ZERO,
        expected: B256::with_last_byte(expected),
    };
    let view = || Source::ViewCall { target: token, call_data: Bytes::from_static(&[1, 2, 3, 4]) };
    let far = B256::repeat_byte(7);
    let cases = [
        (vec![feed(price, 1_000_000), feed(price, 1_000_000)], profit(400_000_000)),
        (vec![feed(price, 1)], Err(NoAnswer::StaleFeed)),
        (vec![feed(silent, 1)], Err(NoAnswer::NoRound)),
        (vec![feed(negative, 1_000_000)], Err(NoAnswer::NoPrice(minus_five))),
        (vec![stake(&chain, 0), stake(&chain, 0)], profit(0)),
        (vec![stake(&chain, 9)], Err(NoAnswer::NoRound)),
        (vec![slot(token, assets, vec![expected(0)]), slot(token, far, vec![])], profit(10_u128.pow(21))),
        (vec![slot(token, assets, vec![expected(1)])], Err(NoAnswer::GuardMismatch)),
        (vec![slot(newcomer, far, vec![]), slot(newcomer, B256::ZERO, vec![])], profit(0)),
        // It keeps nothing.
        (vec![slot(chain.addresses.model_evaluator, far, vec![])], profit(0)),
        // All kinds at once, and one behind them that nobody can prove.
        (
            vec![
                slot(token, assets, vec![]),
                stake(&chain, 0),
                feed(price, 1_000_000),
                stake(&chain, 9),
                view(),
            ],
            Err(NoAnswer::NoRound),
        ),
    ];
    let mut taken = Vec::new();
    for (sources, outcome) in cases {
        let task = task_of(&chain, &port, &sources, reference).await;
        let recomputed = port.recompute(&task).await.unwrap();
        assert_eq!(recomputed.outcome, outcome, "{sources:?}");
        let witness = recomputed.witness.unwrap();
        assert_eq!(evaluate(&chain, &task, &witness).await, as_the_contract_says(outcome), "{sources:?}");
        taken.push((task, witness, outcome));
    }
    let entry_now = task_of(&chain, &port, &[stake(&chain, 0)], head(&port).await).await;
    let recomputed = port.recompute(&entry_now).await.unwrap();
    assert_eq!(recomputed.outcome, profit(100 * 10_u128.pow(18)), "the history has gone on");
    taken.push((entry_now, recomputed.witness.unwrap(), recomputed.outcome));

    pass(&chain, MINUTE).await;
    for feed in [price, silent, negative] {
        transmit(&chain, feed, I256::ONE).await;
    }
    join(&chain, &[&operator(&chain, 50).await.0]).await;
    for (task, witness, outcome) in taken {
        assert_eq!(evaluate(&chain, &task, &witness).await, as_the_contract_says(outcome), "{task:?}");
    }
}

#[actix::test]
async fn of_a_source_that_cannot_be_read_on_chain_there_is_an_outcome_and_no_witness() {
    let chain = Chain::start().await;
    let port = chain.connect(&chain.config());
    let dying = new_feed(&chain).await;
    transmit(&chain, dying, I256::ONE).await;
    pass(&chain, MINUTE).await;
    let supply = anzen_contracts::LocalToken::totalSupplyCall {}.abi_encode().into();
    let view = Source::ViewCall { target: chain.addresses.token, call_data: supply };
    let task = task_of(&chain, &port, &[view], head(&port).await).await;
    let recomputed = port.recompute(&task).await.unwrap();
    assert!(recomputed.outcome.is_ok() && recomputed.witness.is_none(), "{recomputed:?}");

    let task = task_of(&chain, &port, &[feed(dying, 1_000)], head(&port).await).await;
    let readable = port.recompute(&task).await.unwrap();
    assert!(readable.witness.is_some(), "{readable:?}");
    chain.tell("anvil_setCode", (dying, "0x")).await;
    let Recomputed { outcome, witness } = port.recompute(&task).await.unwrap();
    assert_eq!((outcome, witness), (readable.outcome, None), "the committee has to rule");
}

#[actix::test]
async fn an_endpoint_that_lies_about_a_price_is_told_by_the_evaluator_and_another_is_asked() {
    let chain = Chain::start().await;
    let right = chain.connect(&chain.config());
    let price = local_model(&chain).await.terms()[0].price.clone();
    pass(&chain, MINUTE).await;
    let hash = add_model(&chain, &model(&[price])).await;
    let task = task(hash, head(&right).await);
    let truth = right.recompute(&task).await.unwrap();
    let liar = lying(&chain, of_prices as Lie).await;
    let alone = ChainConfig { rpc_url: liar.clone(), ..chain.config() };
    let error = chain.connect(&alone).recompute(&task).await.unwrap_err();
    assert!(matches!(&error, ChainError::Nonsense(what) if what.contains(&liar.to_string())), "{error}");
    let with_another = ChainConfig { rpc_urls: vec![chain.config().rpc_url], ..alone };
    assert_eq!(chain.connect(&with_another).recompute(&task).await.unwrap(), truth);
}
