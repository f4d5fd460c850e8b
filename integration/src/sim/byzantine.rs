//! Operators that do not follow the rules. They are no processes: they read the chain, and submit what they like.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{B256, I256, U256, keccak256, uint};
use anzen_actors::ports::{Rng, Transport};
use anzen_messages::bls::{G1Bytes, HashedMessage, SecretKey, Signature, hash_to_g1, sum_signatures};
use anzen_messages::signature::SubmitSignature;
use anzen_messages::wire::{Envelope, Wire};
use anzen_messages::{OperatorId, SafetyFactor, Task, TaskHash, TaskResponse};

use super::chain::SimChain;
use super::cluster::domain;
use super::link::SimLink;
use super::witness::Witness;
use super::world::{SimRng, operator_key};

/// What an operator does instead of its duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mischief {
    /// Nothing.
    Silent,
    /// It signs something else; or what it sends is no point at all.
    Garbage,
    /// It signs two answers, each validly, and sends each aggregator both, in whatever order.
    Equivocates,
    /// It sends garbage for one answer, then another that it signs validly.
    GarbageThenAnother,
    /// It signs an answer that is not true.
    Lies,
    /// It sends many signatures for tasks that are not there.
    Floods,
    /// Its signature is wrong by as much as that of the operator after it, so that their sum is right.
    Cancels,
    /// The other one of the two.
    CancelsBack,
    /// It sends its signature of an older task for a newer one, and the newer one's more than once.
    Replays,
    /// It speaks for operator 0.
    Impersonates,
}

impl Mischief {
    /// What one operator can do alone.
    pub const ALONE: [Self; 8] = [
        Self::Silent,
        Self::Garbage,
        Self::GarbageThenAnother,
        Self::Equivocates,
        Self::Lies,
        Self::Floods,
        Self::Replays,
        Self::Impersonates,
    ];
}

/// A Byzantine operator.
pub(super) struct Villain {
    pub(super) number: usize,
    pub(super) mischief: Mischief,
    pub(super) chain: SimChain,
    pub(super) links: Vec<SimLink>,
    pub(super) rng: Arc<SimRng>,
}

/// How many signatures a flood has for each block.
const FLOOD: u64 = 24;
/// The slowest submission, in milliseconds after the task.
const SLOWEST_MS: u64 = 20_000;

impl Villain {
    /// Does it, for ever.
    pub(super) async fn run(self) {
        if self.mischief == Mischief::Silent {
            return;
        }
        let (key, mut changes) = (operator_key(self.number), self.chain.subscribe());
        let mut seen = BTreeSet::new();
        let mut before = None;
        while changes.changed().await.is_ok() {
            if self.mischief == Mischief::Floods {
                self.flood(&key);
            }
            let Some(task) = self.chain.fork().contract().latest(0).cloned() else { continue };
            if seen.insert(task.hash()) {
                for (after, message) in self.answers(&key, &task, before.as_ref()) {
                    self.submit(after, &message);
                }
                before = Some(task);
            }
        }
    }

    /// What it sends for a task, and how long after it.
    fn answers(&self, key: &SecretKey, task: &Task, before: Option<&Task>) -> Vec<(u64, SubmitSignature)> {
        let (truth, lie) = (Witness::truth(task), SafetyFactor(I256::MINUS_ONE));
        let me = key.public_key().operator_id();
        let late = || self.rng.below(SLOWEST_MS);
        let valid = |value| signed(key, me, response(task, value));
        let garbage = |value| SubmitSignature { signature: self.garbage(key), ..valid(value) };
        match self.mischief {
            Mischief::Silent => Vec::new(),
            Mischief::Floods => vec![(late(), valid(truth))],
            Mischief::Garbage => vec![(late(), garbage(truth))],
            Mischief::Equivocates => vec![(late(), valid(truth)), (late(), valid(lie))],
            Mischief::GarbageThenAnother => vec![(0, garbage(lie)), (late(), valid(truth))],
            Mischief::Lies => vec![(late(), valid(lie))],
            Mischief::Cancels => vec![(late(), self.off(&valid(truth), self.number, false))],
            Mischief::CancelsBack => vec![(late(), self.off(&valid(truth), self.number - 1, true))],
            Mischief::Replays => {
                let old = before.map(|old| signed(key, me, response(old, Witness::truth(old))));
                let again = old.map(|old| SubmitSignature { signature: old.signature, ..valid(truth) });
                let mut messages: Vec<_> = again.into_iter().map(|message| (late(), message)).collect();
                messages.extend([(late(), valid(truth)), (late(), valid(truth))]);
                messages
            }
            Mischief::Impersonates => {
                let victim = operator_key(0).public_key().operator_id();
                vec![(0, SubmitSignature { operator_id: victim, ..garbage(truth) })]
            }
        }
    }

    /// A signature of something else, or bytes that are no point.
    fn garbage(&self, key: &SecretKey) -> G1Bytes {
        if self.rng.below(4) == 0 {
            G1Bytes(B512_OF_ONES)
        } else {
            key.sign(&elsewhere(self.number)).to_bytes()
        }
    }

    /// The message with a signature that is off by what operator `first` of the pair makes up.
    fn off(&self, message: &SubmitSignature, first: usize, back: bool) -> SubmitSignature {
        let error = operator_key(first).sign(&elsewhere(first));
        let error = if back { negated(error) } else { Some(error) };
        let own = Signature::try_from(message.signature).ok();
        let sum = sum_signatures(own.into_iter().chain(error).map(|part| (part, 1)));
        SubmitSignature { signature: sum.map_or(message.signature, Signature::to_bytes), ..message.clone() }
    }

    fn flood(&self, key: &SecretKey) {
        let signature = key.sign(&elsewhere(self.number)).to_bytes();
        let operator_id = key.public_key().operator_id();
        for _ in 0..FLOOD {
            let mut task = [0; 32];
            self.rng.fill(&mut task);
            let response = TaskResponse {
                task_hash: TaskHash(B256::from(task)),
                safety_factor: SafetyFactor(I256::ONE),
            };
            self.submit(self.rng.below(10_000), &SubmitSignature { operator_id, response, signature });
        }
    }

    /// Sends it to every aggregator, once.
    fn submit(&self, after: u64, message: &SubmitSignature) {
        for link in &self.links {
            let (link, message) = (link.clone(), message.clone());
            actix::spawn(async move {
                tokio::time::sleep(Duration::from_millis(after)).await;
                if let Ok(sealed) = Envelope::seal(&message) {
                    let (to, limit) = (SubmitSignature::TO, SubmitSignature::TIMEOUT_MS);
                    // It does not care what comes of it.
                    let _ = link.call(to, SubmitSignature::NAME, sealed, limit).await;
                }
            });
        }
    }
}

const B512_OF_ONES: alloy_primitives::B512 = alloy_primitives::B512::repeat_byte(1);

fn response(task: &Task, safety_factor: SafetyFactor) -> TaskResponse {
    TaskResponse { task_hash: task.hash(), safety_factor }
}

fn signed(key: &SecretKey, operator_id: OperatorId, response: TaskResponse) -> SubmitSignature {
    let signature = key.sign(&hash_to_g1(response.digest(&domain()))).to_bytes();
    SubmitSignature { operator_id, response, signature }
}

/// What is no answer to any task.
fn elsewhere(number: usize) -> HashedMessage {
    hash_to_g1(keccak256(format!("no answer, of {number}")))
}

/// The curve's field.
const FIELD: U256 = uint!(21888242871839275222246405745257275088696311157297823662689037894645226208583_U256);

fn negated(signature: Signature) -> Option<Signature> {
    let (x, y) = signature.to_bytes().to_words();
    Signature::try_from(G1Bytes::from_words(x, FIELD - y)).ok()
}
