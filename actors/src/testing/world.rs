//! Small stand-ins for the world.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex};

use alloy::primitives::{Address, B256, Bytes, U256};
use anzen_messages::chain::{ChainDelta, NextBlocks};
use anzen_messages::model::{Reading, Side, Term};
use anzen_messages::wire::{ActorName, Envelope, Wire};
use anzen_messages::{Certificate, OperatorId, SafetyFactor, Task, TaskResponse};
use async_trait::async_trait;
use serde_json::value::RawValue;
use tokio::sync::{Notify, mpsc};

use crate::bus::Handle;
use crate::ports::{
    CallError, ChainError, ModelInputs, OperatorStanding, OperatorStandings, ResponseCall, Rng, Space, Store,
    StoreError, TaskContract, TaskRules, Transport, TransportError, Windows, Write,
};
use crate::testing::a_model;

/// Chance that is none.
pub(crate) struct NoChance;

impl Rng for NoChance {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

type Records = BTreeMap<(Space, Vec<u8>), Vec<u8>>;

/// A store in memory.
#[derive(Default)]
pub(crate) struct MemoryStore(Mutex<Records>);

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self, space: Space) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let records = self.0.lock().unwrap();
        let own = records.iter().filter(|((owner, _), _)| *owner == space);
        Ok(own.map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let mut records = self.0.lock().unwrap();
        for write in writes {
            match write {
                Write::Put { space, key, value } => _ = records.insert((space, key), value),
                Write::Delete { space, key } => _ = records.remove(&(space, key)),
            }
        }
        Ok(())
    }
}

/// A handle whose messages come out of the receiver, and which are answered by `reply`.
pub(crate) fn handle<M: Wire + Clone>(
    reply: impl Fn(&M) -> Result<M::Reply, TransportError> + Send + Sync + 'static,
) -> (Handle<M>, mpsc::UnboundedReceiver<M>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Handle::remote(Arc::new(Scripted { reply: Box::new(reply), sender })), receiver)
}

type Reply<M> = dyn Fn(&M) -> Result<<M as Wire>::Reply, TransportError> + Send + Sync;

struct Scripted<M: Wire> {
    reply: Box<Reply<M>>,
    sender: mpsc::UnboundedSender<M>,
}

#[async_trait]
impl<M: Wire + Clone> Transport for Scripted<M> {
    async fn call(
        &self,
        _to: ActorName,
        _name: &'static str,
        message: Envelope,
        _timeout_ms: u64,
    ) -> Result<Box<RawValue>, TransportError> {
        let message: M = message.open().unwrap();
        let reply = (self.reply)(&message);
        // A test that does not look at the messages has dropped the receiver.
        let _ = self.sender.send(message);
        reply.map(|reply| serde_json::value::to_raw_value(&reply).unwrap())
    }
}

/// A chain watcher that tells what the test pushes.
#[derive(Default)]
pub(crate) struct FakeWatcher {
    deltas: Mutex<VecDeque<ChainDelta>>,
    pushed: Notify,
    told: AtomicU64,
    taken: Notify,
}

impl FakeWatcher {
    pub(crate) fn push(&self, delta: ChainDelta) {
        self.deltas.lock().unwrap().push_back(delta);
        self.pushed.notify_one();
    }

    /// How many answers have been given.
    pub(crate) fn told(&self) -> u64 {
        self.told.load(Relaxed)
    }

    /// Returns when an answer has been given.
    pub(crate) async fn taken(&self) {
        self.taken.notified().await;
    }
}

/// A handle to a watcher.
pub(crate) fn watcher(of: &Arc<FakeWatcher>) -> Handle<NextBlocks> {
    Handle::remote(Arc::clone(of) as Arc<dyn Transport>)
}

#[async_trait]
impl Transport for FakeWatcher {
    async fn call(
        &self,
        _to: ActorName,
        _name: &'static str,
        _message: Envelope,
        _timeout_ms: u64,
    ) -> Result<Box<RawValue>, TransportError> {
        loop {
            let next = self.deltas.lock().unwrap().pop_front();
            if let Some(delta) = next {
                self.told.fetch_add(1, Relaxed);
                self.taken.notify_one();
                return Ok(serde_json::value::to_raw_value(&Ok::<_, ()>(delta)).unwrap());
            }
            self.pushed.notified().await;
        }
    }
}

/// A term that is worth `value`.
pub(crate) fn term(side: Side, value: u64) -> Term<Reading> {
    let (amount, price) = (Ok(U256::from(value)), Ok(U256::from(1)));
    Term { side, amount, price, share_bps: 10_000, decimals: 0 }
}

/// A task manager and the inputs of its models. The first questions may fail.
pub(crate) struct FakeChain {
    /// What governance allows.
    pub(crate) rules: Mutex<TaskRules>,
    /// What models have read, at any block.
    pub(crate) terms: Mutex<Vec<Term<Reading>>>,
    /// How many questions fail before the first that is answered.
    pub(crate) failures: AtomicU32,
}

impl FakeChain {
    /// Protocol 1 with [`a_model`]; its safety factor is one half.
    pub(crate) fn new() -> Self {
        let rules = TaskRules {
            quorums: vec![0],
            least_threshold: 60,
            greatest_threshold: 80,
            min_interval: 5,
            model_hash: a_model(1),
            latest_created: None,
            open: false,
            value: None,
        };
        let terms = Mutex::new(vec![term(Side::Cost, 100), term(Side::Profit, 50)]);
        Self { rules: Mutex::new(rules), terms, failures: AtomicU32::new(0) }
    }

    fn answer<T>(&self, answer: T) -> Result<T, ChainError> {
        let failing = self.failures.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        failing.map_or(Ok(answer), |_| Err(ChainError::Endpoint("down".into())))
    }
}

#[async_trait]
impl ModelInputs for FakeChain {
    async fn terms_of(&self, models: &[B256], _at: B256) -> Vec<Result<Vec<Term<Reading>>, ChainError>> {
        models.iter().map(|_| self.answer(self.terms.lock().unwrap().clone())).collect()
    }
}

#[async_trait]
impl OperatorStandings for FakeChain {
    async fn standing(&self, _id: OperatorId, tokens: &[Address]) -> Result<OperatorStanding, ChainError> {
        let fees = tokens.iter().map(|token| (*token, U256::from(7))).collect();
        Ok(OperatorStanding { stakes: BTreeMap::from([(0, U256::from(200))]), fees, slashed: true })
    }
}

#[async_trait]
impl TaskContract for FakeChain {
    async fn windows(&self) -> Result<Windows, ChainError> {
        self.answer(Windows { response: 10 })
    }

    async fn rules(&self, _oracle_index: u32) -> Result<TaskRules, ChainError> {
        self.answer(self.rules.lock().unwrap().clone())
    }

    fn create_call(
        &self,
        oracle_index: u32,
        proposed: SafetyFactor,
        rules: &TaskRules,
        threshold: u32,
    ) -> (Address, Bytes) {
        let call = format!("create {oracle_index} {proposed} {:?} {threshold}", rules.quorums);
        (Address::repeat_byte(7), call.into_bytes().into())
    }

    async fn response_call(
        &self,
        _task: &Task,
        _response: &TaskResponse,
        _certificate: &Certificate,
    ) -> Result<ResponseCall, ChainError> {
        Err(ChainError::Nonsense("nobody here posts responses".into()))
    }

    async fn preflight(&self, _from: Address, _to: Address, _data: &Bytes) -> Result<(), CallError> {
        Ok(())
    }

    async fn is_answered(&self, _task: &Task) -> Result<bool, ChainError> {
        self.answer(false)
    }
}
