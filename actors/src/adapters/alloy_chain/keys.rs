//! Operators' BLS keys. A registered key never changes, so each is read and checked once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use alloy::primitives::Address;
use anzen_contracts::eigenlayer::{BLSApkRegistry, G1Point, G2Point};
use anzen_messages::OperatorId;
use anzen_messages::bls::{G1Bytes, G2Bytes, PublicKey};
use futures::future::try_join_all;

use super::AlloyChain;
use super::rpc::At;
use crate::ports::{ChainError, CpuPool, run_on};

pub(super) struct Keys {
    known: Mutex<BTreeMap<OperatorId, PublicKey>>,
    cpu: Arc<dyn CpuPool>,
}

impl Keys {
    pub(super) fn new(cpu: Arc<dyn CpuPool>) -> Self {
        Self { known: Mutex::default(), cpu }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<OperatorId, PublicKey>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, id: OperatorId) -> Option<PublicKey> {
        self.known().get(&id).copied()
    }

    /// Checks that the halves belong together and are of this operator; remembers the key.
    async fn check(&self, id: OperatorId, g1: G1Bytes, g2: G2Bytes) -> Result<PublicKey, ChainError> {
        let key = run_on(self.cpu.as_ref(), move || PublicKey::new(g1, g2)).await;
        let key =
            key.ok_or_else(|| ChainError::Endpoint("the check of a key was cut short; ask again".into()))?;
        let key = key.map_err(|error| ChainError::Nonsense(format!("the key of operator {id}: {error}")))?;
        if key.operator_id() != id {
            return Err(ChainError::Nonsense(format!(
                "the key of operator {id} is of {}",
                key.operator_id()
            )));
        }
        self.known().insert(id, key);
        Ok(key)
    }
}

impl AlloyChain {
    /// The keys of operators, in their order.
    pub(super) async fn keys_of(
        &self,
        operators: &[(OperatorId, Address)],
    ) -> Result<Vec<PublicKey>, ChainError> {
        let unknown: Vec<_> =
            operators.iter().copied().filter(|(id, _)| self.keys.get(*id).is_none()).collect();
        self.fetch_keys(&unknown).await?;
        let missing = |id: OperatorId| ChainError::Nonsense(format!("operator {id} has no key"));
        operators.iter().map(|(id, _)| self.keys.get(*id).ok_or_else(|| missing(*id))).collect()
    }

    async fn fetch_keys(&self, operators: &[(OperatorId, Address)]) -> Result<(), ChainError> {
        let registry = self.addresses.bls_apk_registry;
        let accounts = || operators.iter().map(|(_, operator)| *operator);
        let g1 = accounts().map(|operator| (registry, BLSApkRegistry::getRegisteredPubkeyCall { operator }));
        let g2 = accounts().map(|operator| (registry, BLSApkRegistry::getOperatorPubkeyG2Call { operator }));
        let (g1, g2) = futures::try_join!(self.rpc.views(g1, At::Latest), self.rpc.views(g2, At::Latest))?;
        let halves = operators.iter().zip(g1).zip(g2);
        let checks = halves.map(|(((id, _), g1), g2)| self.keys.check(*id, g1_bytes(&g1._0), g2_bytes(&g2)));
        try_join_all(checks).await.map(drop)
    }
}

pub(super) fn g1_bytes(point: &G1Point) -> G1Bytes {
    G1Bytes::from_words(point.X, point.Y)
}

fn g2_bytes(point: &G2Point) -> G2Bytes {
    G2Bytes::from_words([point.X[0], point.X[1], point.Y[0], point.Y[1]])
}
