//! What is on disk: read back as it was written, and never passed over.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::signers::local::PrivateKeySigner;
use anzen_messages::chain::NextBlocks;
use async_trait::async_trait;

use super::{SENDER, World, request};
use crate::adapters::LocalTxSigner;
use crate::bus::BusMetrics;
use crate::ports::{
    CallError, ChainError, ContractCall, Fees, Receipt, SendError, Store, StoreError, TransportError,
    TxBroadcast, TxSigner, Write,
};
use crate::testing::world::{MemoryStore, NoChance, handle};
use crate::tx_sender::records::{self, INTENTS};
use crate::tx_sender::{Config, Dependencies, Metrics, start};

/// A node that is never there.
struct Nowhere;

fn away() -> ChainError {
    ChainError::Endpoint("away".into())
}

#[async_trait]
impl TxBroadcast for Nowhere {
    fn chain_id(&self) -> u64 {
        1
    }

    async fn nonce(&self, _account: Address) -> Result<u64, ChainError> {
        Err(away())
    }

    async fn balance(&self, _account: Address) -> Result<U256, ChainError> {
        Err(away())
    }

    async fn fees(&self) -> Result<Fees, ChainError> {
        Err(away())
    }

    async fn estimate(&self, _from: Address, _call: &ContractCall) -> Result<u64, CallError> {
        Err(away().into())
    }

    async fn send(&self, _raw: Bytes) -> Result<(), SendError> {
        Err(away().into())
    }

    async fn receipts(&self, _hashes: &[B256]) -> Result<BTreeMap<B256, Receipt>, ChainError> {
        Err(away())
    }
}

/// The error of a start on a store that has `records`; nothing where it starts.
async fn start_on(signer: LocalTxSigner, records: Vec<(Vec<u8>, Vec<u8>)>) -> Option<StoreError> {
    let store = Arc::new(MemoryStore::default());
    let put = |(key, value)| Write::Put { space: INTENTS, key, value };
    store.commit(records.into_iter().map(put).collect()).await.unwrap();
    let (watcher, _) = handle::<NextBlocks>(|_| {
        Err(TransportError::Unreachable { peer: "away".into(), error: "away".into() })
    });
    let (rng, metrics) = (Arc::new(NoChance), Metrics::default());
    let (broadcast, signer) = (Arc::new(Nowhere), Arc::new(signer));
    let deps = Dependencies { watcher, broadcast, signer, store, rng, metrics };
    start(Config::default(), deps, &BusMetrics::default()).await.err()
}

/// A record on disk of a transaction that is under way.
fn on_disk() -> (Vec<u8>, Vec<u8>) {
    let mut world = World::new();
    world.ask(request(0));
    world.disk.0.pop_first().unwrap()
}

#[actix::test]
async fn a_record_that_cannot_be_read_stops_the_start() {
    let signer = || LocalTxSigner::new(PrivateKeySigner::from_bytes(&B256::with_last_byte(1)).unwrap());
    let (_, value) = on_disk();
    let key = [signer().address().as_slice(), request(0).id.as_str().as_bytes()].concat();
    assert_eq!(start_on(signer(), vec![(key.clone(), value.clone())]).await, None);

    let cut = value[..value.len() / 2].to_vec();
    let text = start_on(signer(), vec![(key.clone(), cut.clone())]).await.unwrap().to_string();
    let record = format!("tx_sender.intents {}", alloy::hex::encode_prefixed(&key));
    assert!(text.contains(&format!("drop-record {record}")), "{text}");
    assert!(text.contains("may still be mined"), "{text}");

    // Another key's transactions are no affair of this one.
    let anothers = [SENDER.as_slice(), b"respond:1"].concat();
    assert_eq!(start_on(signer(), vec![(anothers, cut)]).await, None);
}

#[test]
fn a_record_whose_parts_do_not_fit_is_damaged() {
    let (key, value) = on_disk();
    let of = records::read(&key, &value).unwrap();
    assert_eq!(of.request, request(0));
    assert!(matches!(records::read(&key[..30], &value), Err(StoreError::Damaged { .. })));
    let text = String::from_utf8(value).unwrap();
    let raw = text.find("\"raw\":\"0x").unwrap() + 9;
    let mut flipped = text.clone().into_bytes();
    flipped[raw] ^= 1;
    assert!(matches!(records::read(&key, &flipped), Err(StoreError::Damaged { .. })));
    let mined = text.replace("\"done\":false", "\"done\":true");
    assert!(matches!(records::read(&key, mined.as_bytes()), Err(StoreError::Damaged { .. })));
}
