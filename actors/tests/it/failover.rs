//! Several endpoints, some of which are less than a node.

use alloy::primitives::{B256, Bloom, Bytes, U64, U256};
use alloy::providers::Provider as _;
use anzen_actors::adapters::{ChainConfig, LocalTxSigner};
use anzen_actors::ports::{
    ChainError, ChainReader, OperatorRegistry, SendError, TaskContract, TxBroadcast, TxSigner, UnsignedTx,
};
use serde_json::{Value, json};

use crate::chain::{Chain, deployer_key};
use crate::provider::{Provider, asks_for_many_blocks, serve};

fn result(question: &Value, result: &Value) -> Option<Value> {
    Some(json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }))
}

/// Takes every question and never answers.
fn black_hole(provider: &Provider, _: &Value) -> Option<Value> {
    provider.note();
    Some(Value::Null)
}

/// Long enough for a node of this machine.
const SOON: u64 = 2_000;

#[actix::test]
async fn a_dead_endpoint_costs_one_timeout() {
    let chain = Chain::start().await;
    let (dead, asked) = serve(&chain, black_hole).await;
    let node = chain.anvil.http_url().parse().unwrap();
    let config =
        ChainConfig { rpc_urls: vec![node], timeout_ms: SOON, compare_interval_ms: 3_600_000, ..dead };
    let port = chain.connect(&config);
    // Several at once, as actors ask when a process starts.
    futures::future::join_all((0..10).map(|_| async { port.check().await.unwrap() })).await;
    assert!(
        (1..=2).contains(&asked.times_noted()),
        "it is asked first, by one for all: {}",
        asked.times_noted()
    );
    let before = asked.times_noted();
    for _ in 0..20 {
        port.head().await.unwrap();
    }
    assert_eq!(asked.times_noted(), before, "the other one is asked first now");
}

/// Never answers about many blocks at a time.
fn slow_about_logs(provider: &Provider, question: &Value) -> Option<Value> {
    asks_for_many_blocks(question).then(|| {
        provider.note();
        Value::Null
    })
}

#[actix::test]
async fn one_whose_logs_take_too_long_is_left_for_the_next() {
    let chain = Chain::start().await;
    let (slow, asked) = serve(&chain, slow_about_logs).await;
    let node = chain.anvil.http_url().parse().unwrap();
    let right = chain.connect(&chain.config());
    let to = right.head().await.unwrap().at.number;
    assert!(to >= 40, "the second attempt would be about too few of {to} blocks");
    let config = ChainConfig { rpc_urls: vec![node], timeout_ms: 500, ..slow };
    let port = chain.connect(&ChainConfig { compare_interval_ms: 3_600_000, ..config });
    assert_eq!(port.blocks(0, to).await.unwrap(), right.blocks(0, to).await.unwrap());
    assert_eq!(asked.times_noted(), 2, "two attempts, with fewer blocks each time");
}

#[actix::test]
async fn one_that_is_alone_and_slow_is_asked_for_less_until_it_answers() {
    let chain = Chain::start().await;
    let (slow, _) = serve(&chain, slow_about_logs).await;
    let right = chain.connect(&chain.config());
    let to = right.head().await.unwrap().at.number;
    let port = chain.connect(&ChainConfig { timeout_ms: 500, ..slow });
    let mut failures = 0;
    let blocks = loop {
        match port.blocks(0, to).await {
            Ok(blocks) => break blocks,
            Err(error) => assert!(matches!(error, ChainError::Endpoint(_)) && failures < 3, "{error}"),
        }
        failures += 1;
    };
    assert_eq!(blocks, right.blocks(0, to).await.unwrap());
    assert!(failures > 0);
}

#[actix::test]
async fn nobody_answers_where_all_are_dead() {
    let chain = Chain::start().await;
    let nowhere = |port: u16| format!("http://127.0.0.1:{port}").parse().unwrap();
    let config = ChainConfig { rpc_url: nowhere(1), rpc_urls: vec![nowhere(2)], ..chain.config() };
    assert!(matches!(chain.connect(&config).head().await, Err(ChainError::Endpoint(_))));
}

/// Has only a few blocks.
fn behind(_: &Provider, question: &Value) -> Option<Value> {
    match question["method"].as_str()? {
        "eth_blockNumber" => result(question, &json!("0x3")),
        "eth_getBlockByNumber" if question["params"][0] == "latest" => {
            let (hash, bloom) = (B256::repeat_byte(3), Bloom::default());
            let header = json!({
                "number": "0x3", "hash": hash, "parentHash": hash, "timestamp": "0x1", "logsBloom": bloom
            });
            result(question, &header)
        }
        "eth_getBlockByNumber" => result(question, &Value::Null),
        _ => None,
    }
}

#[actix::test]
async fn a_lagging_one_is_left() {
    let chain = Chain::start().await;
    let (lagging, _) = serve(&chain, behind).await;
    let node = chain.anvil.http_url().parse().unwrap();
    let config = ChainConfig { rpc_urls: vec![node], compare_interval_ms: 20, ..lagging };
    let port = chain.connect(&config);
    let to = chain.provider.get_block_number().await.unwrap();
    assert_eq!(port.blocks(to, to).await.unwrap().len(), 1, "the other one has it");
    // It is believed until the two are compared.
    while port.head().await.unwrap().at.number != to {
        tokio::task::yield_now().await;
    }
}

fn liar(_: &Provider, question: &Value) -> Option<Value> {
    match question["method"].as_str()? {
        "eth_chainId" => result(question, &json!(U64::from(1))),
        "web3_clientVersion" => None,
        method => panic!("{method}: one of another chain is asked nothing else"),
    }
}

#[actix::test]
async fn one_of_another_chain_is_asked_nothing_else() {
    let chain = Chain::start().await;
    let (wrong, _) = serve(&chain, liar).await;
    let node = chain.anvil.http_url().parse().unwrap();
    let config = ChainConfig { rpc_urls: vec![node], compare_interval_ms: 20, ..wrong.clone() };
    let port = chain.connect(&config);
    port.check().await.unwrap();
    assert_eq!(port.windows().await.unwrap().response, 30);
    let alone = chain.connect(&wrong).windows().await;
    assert!(matches!(alone, Err(ChainError::Nonsense(text)) if text.contains("the chain's id is 1 ")));
}

/// Knows whether it was sent something.
fn notes_transactions(provider: &Provider, question: &Value) -> Option<Value> {
    if question["method"] == "eth_sendRawTransaction" {
        provider.note();
    }
    None
}

#[actix::test]
async fn a_transaction_goes_to_all() {
    let chain = Chain::start().await;
    let (first, one) = serve(&chain, notes_transactions).await;
    let (second, two) = serve(&chain, notes_transactions).await;
    let nowhere = "http://127.0.0.1:1".parse().unwrap();
    let config = ChainConfig { rpc_urls: vec![nowhere, second.rpc_url], ..first };
    let port = chain.connect(&config);
    let signer = LocalTxSigner::new(deployer_key());
    let (to, data) = port.refresh_quorum_call(0, &[]);
    let nonce = port.nonce(signer.address()).await.unwrap();
    let fees = port.fees().await.unwrap();
    let tx = UnsignedTx {
        chain_id: port.chain_id(),
        nonce,
        to,
        data,
        value: U256::ZERO,
        gas_limit: 300_000,
        fees,
    };
    port.send(signer.sign(&tx).await.unwrap().raw).await.unwrap();
    one.noted().await;
    two.noted().await;
}

/// Says that nobody can pay.
fn refuses_transactions(_: &Provider, question: &Value) -> Option<Value> {
    let error = json!({ "code": -32000, "message": "insufficient funds for gas * price + value" });
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "error": error });
    (question["method"] == "eth_sendRawTransaction").then_some(answer)
}

/// While one hangs, it may have the transaction. Once it is known to be dead, it does not hide what another says.
#[actix::test]
async fn an_endpoint_that_hangs_does_not_hide_what_another_says_of_a_transaction() {
    let chain = Chain::start().await;
    let (config, _) = serve(&chain, refuses_transactions).await;
    let (dead, _) = serve(&chain, black_hole).await;
    let hour = 3_600_000;
    let config =
        ChainConfig { rpc_urls: vec![dead.rpc_url], timeout_ms: hour, compare_interval_ms: hour, ..config };
    let raw = Bytes::from_static(&[1]);
    let hanging = chain.connect(&config).send(raw.clone()).await;
    assert!(matches!(hanging, Err(SendError::Chain(_))), "{hanging:?}");
    let port = chain.connect(&ChainConfig { timeout_ms: 500, ..config });
    // It is left out for longer and longer.
    for _ in 0..10 {
        if port.send(raw.clone()).await == Err(SendError::InsufficientFunds) {
            return;
        }
    }
    panic!("what the other one says is never told");
}

/// Answers with more than anybody asked for.
fn endless(_: &Provider, question: &Value) -> Option<Value> {
    (question["method"] == "eth_getBlockByNumber").then(|| json!("x".repeat(2_000_000)))
}

#[actix::test]
async fn an_answer_that_is_too_long_is_not_read() {
    let chain = Chain::start().await;
    let (config, _) = serve(&chain, endless).await;
    let config = ChainConfig { longest_answer: 1_000_000, ..config };
    let error = chain.connect(&config).head().await.unwrap_err();
    assert!(error.to_string().contains("longer than 1000000 bytes"), "{error}");
    let node = chain.anvil.http_url().parse().unwrap();
    let config = ChainConfig { rpc_urls: vec![node], ..config };
    chain.connect(&config).head().await.unwrap();
}
