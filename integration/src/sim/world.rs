//! Clock, chance, threads, keys.

use std::sync::{Mutex, PoisonError};

use alloy_primitives::{Address, B256, keccak256};
use anzen_actors::ports::{BlsSigner, Clock, CpuPool, Rng, SignerError, UnixMillis};
use anzen_messages::OperatorId;
use anzen_messages::bls::{HashedMessage, PublicKey, SecretKey, Signature};
use async_trait::async_trait;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};
use tokio::time::Instant;

use super::store::Disk;
use super::witness::Witness;
use crate::invariants::Fact;

/// Chance from a seed. Each user has a stream of its own, so that one who asks more often does not change the others.
#[derive(Debug)]
pub(crate) struct SimRng(Mutex<ChaCha12Rng>);

impl SimRng {
    pub(crate) fn new(seed: u64, user: &str) -> Self {
        let seed = keccak256([&seed.to_be_bytes(), user.as_bytes()].concat());
        Self(Mutex::new(ChaCha12Rng::from_seed(seed.0)))
    }

    /// True in `percent` of the cases.
    pub(crate) fn chance(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`, which are not none.
    pub(crate) fn one_of<'a, T>(&self, choices: &'a [T]) -> &'a T {
        let places = u64::try_from(choices.len()).unwrap_or(1);
        &choices[usize::try_from(self.below(places)).unwrap_or_default()]
    }

    /// A number of `from..=to`.
    pub(crate) fn between(&self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// A number below `limit`.
    pub(crate) fn below(&self, limit: u64) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next_u64() % limit.max(1)
    }
}

impl Rng for SimRng {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

/// The runtime's paused clock, as a time of day.
#[derive(Debug)]
pub(super) struct SimClock {
    start: Instant,
}

impl SimClock {
    const EPOCH_MS: u64 = 1_700_000_000_000;

    /// It is the beginning of the run.
    pub(super) fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SimClock {
    fn now(&self) -> UnixMillis {
        let passed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        UnixMillis(Self::EPOCH_MS.saturating_add(passed))
    }
}

/// Works in place: the order of results is the order of the questions.
#[derive(Debug)]
pub(super) struct InPlace;

impl CpuPool for InPlace {
    fn spawn(&self, job: Box<dyn FnOnce() + Send>) {
        job();
    }
}

/// An operator's key, and who sees what it signs.
#[derive(Debug)]
pub(super) struct SimBlsSigner {
    key: SecretKey,
    public: PublicKey,
    disk: Disk,
    witness: Witness,
}

impl SimBlsSigner {
    pub(super) fn new(key: SecretKey, disk: Disk, witness: Witness) -> Self {
        Self { public: key.public_key(), key, disk, witness }
    }
}

#[async_trait]
impl BlsSigner for SimBlsSigner {
    fn operator_id(&self) -> OperatorId {
        self.public.operator_id()
    }

    fn public_key(&self) -> PublicKey {
        self.public
    }

    async fn sign(&self, message: &HashedMessage) -> Result<Signature, SignerError> {
        let operator = self.operator_id();
        self.witness.tell(match self.witness.answer_of(*message) {
            Some(response) => {
                let on_disk = self.disk.has_answer(response.task_hash, &self.witness.digest(&response));
                Fact::Signed { operator, response, on_disk }
            }
            None => Fact::SignedSomething { operator, point: message.to_bytes() },
        });
        Ok(self.key.sign(message))
    }
}

/// The secret key of operator `i` (from 0).
pub(super) fn operator_key(i: usize) -> SecretKey {
    let mut bytes = keccak256(format!("operator {i}")).0;
    bytes[0] = 0;
    #[allow(clippy::expect_used, reason = "a number of 248 bits is below the order, and a hash is not zero")]
    SecretKey::from_bytes(&bytes).expect("a key")
}

/// The account with this number.
pub(super) fn account(i: usize) -> Address {
    Address::from_word(B256::left_padding_from(&(i as u64 + 1).to_be_bytes()))
}
