//! TxSender on a real node: a price that rises over what was offered, a restart, another transaction on the key.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use actix::System;
use alloy::consensus::{Transaction, TxEnvelope};
use alloy::eips::eip2718::Decodable2718;
use alloy::primitives::{Address, B256, Bytes, U64, U256};
use alloy::providers::Provider;
use anzen_actors::adapters::{AlloyChain, LocalTxSigner, OsRng, SqliteStore, StoreMetrics, SystemClock};
use anzen_actors::bus::{BusMetrics, Handle};
use anzen_actors::chain_watcher::{self, WatcherMetrics};
use anzen_actors::ports::{
    CallError, ChainError, ContractCall, Fees, OperatorRegistry, Receipt, SendError, TxBroadcast, TxSigner,
};
use anzen_actors::tx_sender::{self, Metrics};
use anzen_messages::transaction::{Mined, SendTransaction, TxId, TxRefusal};
use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::chain::{Chain, deployer_key};

/// The chain, and word of every transaction that is sent to it.
struct Tapped {
    chain: Arc<AlloyChain>,
    sent: mpsc::UnboundedSender<TxEnvelope>,
}

#[async_trait]
impl TxBroadcast for Tapped {
    fn chain_id(&self) -> u64 {
        self.chain.chain_id()
    }

    async fn nonce(&self, account: Address) -> Result<u64, ChainError> {
        self.chain.nonce(account).await
    }

    async fn balance(&self, account: Address) -> Result<U256, ChainError> {
        self.chain.balance(account).await
    }

    async fn fees(&self) -> Result<Fees, ChainError> {
        self.chain.fees().await
    }

    async fn estimate(&self, from: Address, call: &ContractCall) -> Result<u64, CallError> {
        self.chain.estimate(from, call).await
    }

    async fn send(&self, raw: Bytes) -> Result<(), SendError> {
        let tx = TxEnvelope::decode_2718(&mut raw.as_ref()).unwrap();
        let result = self.chain.send(raw).await;
        // The test may have seen enough.
        let _ = self.sent.send(tx);
        result
    }

    async fn receipts(&self, hashes: &[B256]) -> Result<BTreeMap<B256, Receipt>, ChainError> {
        self.chain.receipts(hashes).await
    }
}

struct Sender {
    handle: Handle<SendTransaction>,
    sent: mpsc::UnboundedReceiver<TxEnvelope>,
}

type Outcome = Result<Mined, TxRefusal>;

impl Sender {
    /// Asks, and goes on meanwhile.
    fn ask(&self, request: SendTransaction) -> JoinHandle<Outcome> {
        let handle = self.handle.clone();
        actix::spawn(async move { handle.ask(request).await.unwrap() })
    }
}

async fn start(chain: &Chain, store: &Path) -> Sender {
    let (rng, bus) = (Arc::new(OsRng::new().unwrap()), BusMetrics::default());
    let port = chain.connect(&chain.config());
    let store = Arc::new(SqliteStore::open(store, StoreMetrics::default()).unwrap());
    let watcher = chain_watcher::Dependencies {
        reader: port.clone(),
        rng: rng.clone(),
        store: store.clone(),
        clock: Arc::new(SystemClock),
        response_window: 30,
        first_block: 0,
        metrics: WatcherMetrics::default(),
    };
    let watcher = chain_watcher::start(&chain_watcher::Config::default(), watcher, &bus).handle();
    let (tap, sent) = mpsc::unbounded_channel();
    let deps = tx_sender::Dependencies {
        watcher,
        broadcast: Arc::new(Tapped { chain: port, sent: tap }),
        signer: Arc::new(LocalTxSigner::new(deployer_key())),
        store,
        rng,
        metrics: Metrics::default(),
    };
    let config = tx_sender::Config { replace_after_blocks: 2, ..tx_sender::Config::default() };
    Sender { handle: tx_sender::start(config, deps, &bus).await.unwrap().handle(), sent }
}

/// A call that succeeds, as often as it is made.
fn request(chain: &Chain, n: u64) -> SendTransaction {
    let (to, data) = chain.connect(&chain.config()).refresh_quorum_call(0, &[]);
    SendTransaction { id: TxId::refresh("whole", 0, n), to, data, value: U256::ZERO, not_after: None }
}

async fn mine(chain: &Chain) {
    chain.tell("evm_mine", ()).await;
}

/// Mines until the next transaction is sent.
async fn mine_until_sent(chain: &Chain, sender: &mut Sender) -> TxEnvelope {
    loop {
        mine(chain).await;
        // A second is enough for the sender to see the block; if it sends nothing, the next one may move it.
        let next = tokio::time::timeout(std::time::Duration::from_secs(1), sender.sent.recv());
        if let Ok(Some(tx)) = next.await {
            return tx;
        }
    }
}

async fn nonce(chain: &Chain) -> u64 {
    let address = LocalTxSigner::new(deployer_key()).address();
    let nonce: U64 =
        chain.provider.client().request("eth_getTransactionCount", (address, "latest")).await.unwrap();
    nonce.to()
}

#[actix::test]
async fn a_transaction_that_offers_too_little_is_replaced_until_it_is_mined() {
    let chain = Chain::start().await;
    let folder = tempfile::tempdir().unwrap();
    chain.tell("evm_setAutomine", [false]).await;
    let mut sender = start(&chain, &folder.path().join("anzen.db")).await;
    let before = nonce(&chain).await;
    let outcome = sender.ask(request(&chain, 1));
    let first = sender.sent.recv().await.unwrap();

    chain.tell("anvil_setNextBlockBaseFeePerGas", [U256::from(first.max_fee_per_gas() * 100)]).await;
    let second = mine_until_sent(&chain, &mut sender).await;
    assert_eq!((first.nonce(), second.nonce()), (before, before));
    assert!(second.max_fee_per_gas() >= first.max_fee_per_gas() * 9 / 8);
    mine(&chain).await;
    let mined = outcome.await.unwrap().unwrap();
    assert_eq!((mined.succeeded, mined.hash), (true, *second.tx_hash()));
    assert_eq!(nonce(&chain).await, before + 1);
    // Asked again: the same, and nothing is sent.
    assert_eq!(sender.ask(request(&chain, 1)).await.unwrap(), Ok(mined));
    assert!(sender.sent.try_recv().is_err());
}

#[actix::test]
async fn several_are_under_way_at_once() {
    let chain = Chain::start().await;
    let folder = tempfile::tempdir().unwrap();
    chain.tell("evm_setAutomine", [false]).await;
    let mut sender = start(&chain, &folder.path().join("anzen.db")).await;
    let before = nonce(&chain).await;
    let asked = (0..5).map(|n| sender.ask(request(&chain, n)));
    let asked: Vec<_> = asked.collect();
    let mut nonces = Vec::new();
    for _ in 0..5 {
        nonces.push(sender.sent.recv().await.unwrap().nonce());
    }
    nonces.sort_unstable();
    assert_eq!(nonces, (before..before + 5).collect::<Vec<_>>());
    mine(&chain).await;
    for outcome in asked {
        assert!(outcome.await.unwrap().unwrap().succeeded);
    }
}

#[actix::test]
async fn a_call_that_would_revert_is_not_sent() {
    let chain = Chain::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut sender = start(&chain, &folder.path().join("anzen.db")).await;
    let unknown_quorum = SendTransaction {
        data: chain.connect(&chain.config()).refresh_quorum_call(77, &[]).1,
        ..request(&chain, 1)
    };
    let outcome = sender.ask(unknown_quorum).await.unwrap();
    assert!(matches!(outcome, Err(TxRefusal::Reverts { .. })), "{outcome:?}");
    assert!(sender.sent.try_recv().is_err());
}

#[test]
fn after_a_restart_the_same_bytes_are_sent_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("anzen.db");
    let (chain, first) = System::new().block_on(async {
        let chain = Chain::start().await;
        chain.tell("evm_setAutomine", [false]).await;
        let mut sender = start(&chain, &store).await;
        drop(sender.ask(request(&chain, 1)));
        let first = sender.sent.recv().await.unwrap();
        // The node loses it, too.
        chain.tell("anvil_dropTransaction", [first.tx_hash()]).await;
        (chain, first)
    });
    System::new().block_on(async {
        let mut sender = start(&chain, &store).await;
        assert_eq!(sender.sent.recv().await.unwrap(), first);
        let outcome = sender.ask(request(&chain, 1));
        mine(&chain).await;
        assert_eq!(outcome.await.unwrap().unwrap().hash, *first.tx_hash());
        assert!(sender.sent.try_recv().is_err());
    });
}
