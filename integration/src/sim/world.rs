//! Clock, chance, threads, keys.

use std::sync::{Mutex, PoisonError};

use alloy_primitives::{Address, B256, keccak256};
use anzen_actors::ports::{
    BlsSigner, Clock, CpuPool, Rng, SignedTx, SignerError, TxSigner, UnixMillis, UnsignedTx,
};
use anzen_messages::OperatorId;
use anzen_messages::bls::{HashedMessage, PublicKey, SecretKey, Signature};
use async_trait::async_trait;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};
use tokio::time::Instant;

use super::chain::SimTx;

/// Chance from a seed. Each user has a stream of its own, so that one who asks more often does not change the others.
#[derive(Debug)]
pub(super) struct SimRng(Mutex<ChaCha12Rng>);

impl SimRng {
    pub(super) fn new(seed: u64, user: &str) -> Self {
        let seed = keccak256([&seed.to_be_bytes(), user.as_bytes()].concat());
        Self(Mutex::new(ChaCha12Rng::from_seed(seed.0)))
    }

    /// True in `percent` of the cases.
    pub(super) fn chance(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A number below `limit`.
    pub(super) fn below(&self, limit: u64) -> u64 {
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

/// A sender of transactions. The simulated chain believes what a transaction says of its sender.
#[derive(Debug)]
pub(super) struct SimTxSigner(pub(super) Address);

#[async_trait]
impl TxSigner for SimTxSigner {
    fn address(&self) -> Address {
        self.0
    }

    async fn sign(&self, tx: &UnsignedTx) -> Result<SignedTx, SignerError> {
        let raw = SimTx::from_unsigned(self.0, tx).encode();
        Ok(SignedTx { hash: keccak256(&raw), raw })
    }
}

/// An operator's key.
#[derive(Debug)]
pub(super) struct SimBlsSigner(pub(super) SecretKey);

#[async_trait]
impl BlsSigner for SimBlsSigner {
    fn operator_id(&self) -> OperatorId {
        self.0.public_key().operator_id()
    }

    fn public_key(&self) -> PublicKey {
        self.0.public_key()
    }

    async fn sign(&self, message: &HashedMessage) -> Result<Signature, SignerError> {
        Ok(self.0.sign(message))
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
