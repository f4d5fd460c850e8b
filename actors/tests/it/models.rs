//! What models read on a real chain, through endpoints some of which lie.

use std::sync::Arc;

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes, I256, U256};
use alloy::providers::Provider as _;
use alloy::sol_types::{SolCall, SolConstructor};
use alloy::transports::http::reqwest;
use anzen_actors::adapters::{AlloyChain, ChainConfig};
use anzen_actors::ports::{ChainError, ChainReader, ModelInputs};
use anzen_contracts::{LocalPriceFeed, LocalToken};
use anzen_deploy::chain::{Account, Request};
use anzen_deploy::models;
use anzen_messages::model::{Guard, Model, NoAnswer, Reading, Side, Source, Term};
use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};

use crate::chain::{Chain, deployer_key};

/// The first protocol's model.
pub(crate) async fn local_model(chain: &Chain) -> Model {
    let hash = chain.addresses.protocols[0].model_hash;
    models::get(&chain.provider, chain.addresses.safety_factor_models, hash).await.unwrap()
}

fn amount(source: Source) -> Term<Source> {
    let price = Source::Constant { value: U256::from(1) };
    Term { side: Side::Cost, amount: source, price, share_bps: 10_000, decimals: 0 }
}

pub(crate) fn model_of(sources: &[Source]) -> Model {
    Model::new(sources.iter().cloned().map(amount).collect()).unwrap()
}

async fn read(port: &AlloyChain, model: &Model, at: B256) -> Result<Vec<Reading>, ChainError> {
    let terms = port.read_models(&[model], at).await.pop().unwrap()?;
    Ok(terms.iter().map(|term| term.amount).collect())
}

pub(crate) async fn deployer(chain: &Chain) -> Account {
    Account::new(chain.provider.clone(), deployer_key()).await.unwrap()
}

pub(crate) async fn transmit(chain: &Chain, feed: Address, answer: I256) {
    let call = LocalPriceFeed::transmitCall { answer };
    deployer(chain).await.execute(&Request::call("a price", feed, &call)).await.unwrap();
}

/// A feed that nothing was transmitted to.
pub(crate) async fn new_feed(chain: &Chain) -> Address {
    let owner = deployer(chain).await;
    let arguments = LocalPriceFeed::constructorCall { description_: "new".into(), owner_: owner.address() };
    let code = [&LocalPriceFeed::BYTECODE[..], &SolConstructor::abi_encode(&arguments)].concat();
    let created = owner.execute(&Request::create("a feed", code.into())).await.unwrap();
    created.contract_address.unwrap()
}

fn number(value: u64) -> Reading {
    Ok(U256::from(value))
}

#[actix::test]
async fn every_kind_of_source_is_read_as_it_was_at_the_block() {
    let chain = Chain::start().await;
    let port = chain.connect(&chain.config());
    let local = local_model(&chain).await;
    let (feed, slot) = (local.terms()[0].price.clone(), local.terms()[1].amount.clone());
    let (Source::FeedRound { feed: address, .. }, Source::StorageSlot { account: token, .. }) =
        (&feed, &slot)
    else {
        panic!("{local:?}")
    };
    let supply = LocalToken::totalSupplyCall {}.abi_encode().into();
    let model = model_of(&[
        Source::Constant { value: U256::from(9) },
        local.terms()[0].amount.clone(),
        feed.clone(),
        slot.clone(),
        Source::ViewCall { target: *token, call_data: supply },
        Source::StorageSlot {
            account: Address::repeat_byte(9),
            slot: B256::ZERO,
            offset: 0,
            width: 1,
            guards: vec![],
        },
    ]);
    let before = port.head().await.unwrap().at.hash;
    transmit(&chain, *address, I256::try_from(7).unwrap()).await;
    let after = port.head().await.unwrap().at.hash;
    let assets = Ok(U256::from(10).pow(U256::from(21)));
    let expected = |price| vec![number(9), number(0), number(price), assets, assets, number(0)];
    assert_eq!(read(&port, &model, before).await.unwrap(), expected(200_000_000));
    assert_eq!(read(&port, &model, after).await.unwrap(), expected(7));
    let small = chain.connect(&ChainConfig { batch: 1, ..chain.config() });
    assert_eq!(read(&small, &model, after).await.unwrap(), expected(7), "in batches of one question");
}

#[actix::test]
async fn what_has_no_answer_is_told_apart_from_what_fails() {
    let chain = Chain::start().await;
    let port = chain.connect(&chain.config());
    let local = local_model(&chain).await;
    let Source::FeedRound { feed, .. } = local.terms()[0].price else { panic!("{local:?}") };
    let Source::QuorumStake { stake_registry, .. } = local.terms()[0].amount else { panic!("{local:?}") };
    let silent = new_feed(&chain).await;
    let guard = Guard { account: feed, slot: B256::ZERO, expected: B256::repeat_byte(1) };
    let model = model_of(&[
        Source::QuorumStake { stake_registry, quorum_number: 9 },
        Source::FeedRound { feed: silent, phase_id: 0, max_age: 60 },
        Source::FeedRound { feed, phase_id: 0, max_age: 1 },
        Source::StorageSlot { account: feed, slot: B256::ZERO, offset: 0, width: 1, guards: vec![guard] },
        Source::ViewCall { target: feed, call_data: Bytes::from_static(&[1, 2, 3, 4]) },
        Source::ViewCall { target: Address::repeat_byte(9), call_data: Bytes::new() },
    ]);
    let _: Value = chain.provider.raw_request("evm_increaseTime".into(), [100]).await.unwrap();
    let _: Value = chain.provider.raw_request("evm_mine".into(), ()).await.unwrap();
    let head = port.head().await.unwrap().at.hash;
    use NoAnswer::{CallFailed, GuardMismatch, NoRound, StaleFeed};
    let expected = [NoRound, NoRound, StaleFeed, GuardMismatch, CallFailed, CallFailed].map(Err);
    assert_eq!(read(&port, &model, head).await.unwrap(), expected);
    transmit(&chain, feed, I256::ZERO).await;
    let head = port.head().await.unwrap().at.hash;
    assert_eq!(read(&port, &model, head).await.unwrap()[2], Err(NoAnswer::NoPrice(I256::ZERO)));
    let unknown = port.terms(B256::repeat_byte(7), head).await;
    assert!(unknown.unwrap_err().to_string().contains("UnknownModel"));
}

/// How an answer to a question of this method is falsified.
pub(crate) type Lie = fn(&str, &mut Value);

/// An endpoint that passes everything on to the chain's node, and lies about some of it.
pub(crate) async fn lying(chain: &Chain, lie: Lie) -> anzen_actors::adapters::Endpoint {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let (node, http) = (Arc::new(chain.anvil.http_url()), reqwest::Client::new());
    let relay = move |body: String| {
        let (node, http) = (Arc::clone(&node), http.clone());
        async move {
            let questions: Value = serde_json::from_str(&body).unwrap();
            let request = http.post(node.as_str()).header("content-type", "application/json").body(body);
            let mut answers: Value = request.send().await.unwrap().json().await.unwrap();
            if let (Value::Array(questions), Value::Array(answers)) = (&questions, &mut answers) {
                for answer in answers {
                    let question = questions.iter().find(|question| question["id"] == answer["id"]).unwrap();
                    lie(question["method"].as_str().unwrap(), &mut answer["result"]);
                }
            }
            answers.to_string()
        }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(relay))).await });
    url
}

fn of_a_slot(method: &str, result: &mut Value) {
    if method == "eth_getProof" {
        result["storageProof"][0]["value"] = json!("0x1");
    }
}

fn of_the_header(method: &str, result: &mut Value) {
    if method == "eth_getBlockByHash" {
        result["timestamp"] = json!("0x1");
    }
}

/// Of a feed's round the last byte of the answer.
pub(crate) fn of_prices(method: &str, result: &mut Value) {
    const ROUND: usize = 2 + 5 * 64;
    const END_OF_ANSWER: usize = 2 + 2 * 64;
    if let (true, Some(text)) = (method == "eth_call", result.as_str().filter(|text| text.len() == ROUND)) {
        *result = json!(format!("{}ab{}", &text[..END_OF_ANSWER - 2], &text[END_OF_ANSWER..]));
    }
}

fn nothing(_: &str, _: &mut Value) {}

#[actix::test]
async fn an_endpoint_that_lies_about_a_slot_or_the_header_is_named_and_another_is_asked() {
    let chain = Chain::start().await;
    let (model, node) = (local_model(&chain).await, chain.config().rpc_url);
    let right = chain.connect(&chain.config());
    let head = right.head().await.unwrap().at.hash;
    let truth = read(&right, &model, head).await;
    for lie in [of_a_slot as Lie, of_the_header] {
        let liar = lying(&chain, lie).await;
        let alone = ChainConfig { rpc_url: liar.clone(), ..chain.config() };
        let error = read(&chain.connect(&alone), &model, head).await.unwrap_err();
        let ChainError::Unproven { endpoint, .. } = &error else { panic!("{error}") };
        assert_eq!(*endpoint, liar.to_string());
        let with_another = ChainConfig { rpc_urls: vec![node.clone()], ..alone };
        assert_eq!(read(&chain.connect(&with_another), &model, head).await, truth);
    }
}

#[actix::test]
async fn where_endpoints_must_agree_one_that_lies_about_a_price_is_outvoted_or_nothing_is_signed() {
    let chain = Chain::start().await;
    let (model, node) = (local_model(&chain).await, chain.config().rpc_url);
    let right = chain.connect(&chain.config());
    let head = right.head().await.unwrap().at.hash;
    let model = model_of(&[model.terms()[0].price.clone()]);
    let truth = read(&right, &model, head).await;
    let (liar, second) = (lying(&chain, of_prices).await, lying(&chain, nothing).await);
    let believing = ChainConfig { rpc_url: liar.clone(), rpc_urls: vec![node.clone()], ..chain.config() };
    assert_ne!(read(&chain.connect(&believing), &model, head).await, truth, "it is believed alone");
    let careful = ChainConfig { agree: 2, ..believing.clone() };
    let error = read(&chain.connect(&careful), &model, head).await.unwrap_err();
    assert!(matches!(error, ChainError::TooFewAgree { most: 1, needed: 2, .. }), "{error}");
    let outvoted = ChainConfig { rpc_urls: vec![node, second], ..careful };
    assert_eq!(read(&chain.connect(&outvoted), &model, head).await, truth);
}

#[actix::test]
async fn many_models_share_their_questions() {
    let chain = Chain::start().await;
    let port = chain.connect(&chain.config());
    let head = port.head().await.unwrap().at.hash;
    let [first, second] = [0, 1].map(|place| chain.addresses.protocols[place].model_hash);
    let together = port.terms_of(&[first, second, B256::ZERO, first], head).await;
    assert_eq!(together[0], port.terms(first, head).await);
    assert_eq!(together[1], port.terms(second, head).await);
    assert!(together[2].is_err() && together[3] == together[0], "one that is not there is alone in it");
    let by_number = chain.provider.get_block(BlockId::latest()).await.unwrap().unwrap();
    assert_eq!(by_number.header.hash, head);
}
