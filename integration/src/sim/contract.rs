//! The task manager's rules in Rust: what createNewTask and respondToTask do to the state.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use alloy::sol_types::SolCall;
use alloy_primitives::{B256, Bytes, keccak256};
use anzen_actors::ports::OracleValue;
use anzen_contracts::AnzenTaskManager::{createNewTaskCall, respondToTaskCall};
use anzen_contracts::NonSignerStakesAndSignature;
use anzen_messages::bls::{G1Bytes, G2Bytes, PublicKeyG2, Signature, hash_to_g1, verify};
use anzen_messages::chain::{BlockRef, ChainEvent};
use anzen_messages::signature::SignedStake;
use anzen_messages::task::SigningDomain;
use anzen_messages::{OperatorId, OperatorSet, SafetyFactor, Task, TaskHash, TaskResponse};

/// What governance allows, for every protocol alike.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) model_hash: B256,
    pub(super) least_threshold: u32,
    pub(super) greatest_threshold: u32,
    pub(super) min_interval: u64,
    pub(super) response_window: u64,
}

/// The state that transactions change; cloned per block, so that a reorg can go back.
#[derive(Debug, Clone)]
pub(super) struct Contract {
    pub(super) rules: Rules,
    pub(super) domain: SigningDomain,
    pub(super) set: Arc<OperatorSet>,
    tasks: Vec<TaskHash>,
    latest: BTreeMap<u32, Task>,
    answers: BTreeMap<TaskHash, SafetyFactor>,
    verified: Verified,
}

/// Pairings that were computed before: the same certificate is tried in a preflight, an estimate and each fork's block.
#[derive(Debug, Clone, Default)]
struct Verified(Arc<Mutex<BTreeMap<Pairing, bool>>>);

/// The digest, the signature, and the key's hash.
type Pairing = (B256, G1Bytes, B256);

impl Verified {
    fn verify(&self, digest: B256, signature: &Signature, key: &PublicKeyG2) -> bool {
        let question = (digest, signature.to_bytes(), keccak256(key.to_bytes().0));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(question).or_insert_with(|| verify(&hash_to_g1(digest), signature, key))
    }
}

impl Contract {
    pub(super) fn new(rules: Rules, domain: SigningDomain, set: OperatorSet) -> Self {
        Self {
            rules,
            domain,
            set: Arc::new(set),
            tasks: Vec::new(),
            latest: BTreeMap::new(),
            answers: BTreeMap::new(),
            verified: Verified::default(),
        }
    }

    pub(super) fn latest(&self, oracle_index: u32) -> Option<&Task> {
        self.latest.get(&oracle_index)
    }

    /// What the oracle has, where that is the answer to the latest task.
    pub(super) fn value(&self, oracle_index: u32) -> Option<OracleValue> {
        let task = self.latest(oracle_index)?;
        let safety_factor = *self.answers.get(&task.hash())?;
        Some(OracleValue { safety_factor, reference_block: task.reference_block.into() })
    }

    pub(super) fn is_open(&self, oracle_index: u32, block: u64) -> bool {
        self.latest(oracle_index).is_some_and(|task| {
            !self.is_answered(task.hash())
                && block <= u64::from(task.created_block) + self.rules.response_window
        })
    }

    pub(super) fn is_answered(&self, task: TaskHash) -> bool {
        self.answers.contains_key(&task)
    }

    pub(super) fn answers(&self) -> &BTreeMap<TaskHash, SafetyFactor> {
        &self.answers
    }

    /// Executes a call in the block `number` on top of `parent`. An error is the revert's reason; nothing has changed then.
    pub(super) fn execute(
        &mut self,
        data: &Bytes,
        number: u64,
        parent: BlockRef,
        transaction: B256,
    ) -> Result<Vec<ChainEvent>, String> {
        if let Ok(call) = createNewTaskCall::abi_decode(data) {
            return self.create(&call, number, parent);
        }
        if let Ok(call) = respondToTaskCall::abi_decode(data) {
            return self.respond(&call, number, transaction);
        }
        // A refresh of stakes, which do not change here.
        Ok(vec![ChainEvent::QuorumRefreshed { quorum: 0 }])
    }

    fn create(
        &mut self,
        call: &createNewTaskCall,
        number: u64,
        parent: BlockRef,
    ) -> Result<Vec<ChainEvent>, String> {
        let narrow = |number: u64| u32::try_from(number).map_err(|_| "block number".to_owned());
        if self.is_open(call.oracleIndex, number) {
            return Err("TaskStillOpen".into());
        }
        let earliest =
            self.latest(call.oracleIndex).map(|task| u64::from(task.created_block) + self.rules.min_interval);
        if earliest.is_some_and(|earliest| number < earliest) {
            return Err("TaskIntervalNotOver".into());
        }
        let allowed = self.rules.least_threshold..=self.rules.greatest_threshold;
        if !allowed.contains(&call.quorumThresholdPercentage) {
            return Err("ThresholdOutOfRange".into());
        }
        let task = Task {
            index: narrow(self.tasks.len() as u64)?,
            oracle_index: call.oracleIndex,
            model_hash: self.rules.model_hash,
            proposed_safety_factor: SafetyFactor(call.proposedSafetyFactor),
            reference_block: narrow(parent.number)?,
            reference_block_hash: parent.hash,
            created_block: narrow(number)?,
            quorum_numbers: call.quorumNumbers.clone(),
            quorum_threshold_percentage: call.quorumThresholdPercentage,
        };
        self.tasks.push(task.hash());
        self.latest.insert(task.oracle_index, task.clone());
        Ok(vec![ChainEvent::TaskCreated { task }])
    }

    fn respond(
        &mut self,
        call: &respondToTaskCall,
        number: u64,
        transaction: B256,
    ) -> Result<Vec<ChainEvent>, String> {
        let task_hash = TaskHash(call.response.taskHash);
        let response = TaskResponse { task_hash, safety_factor: SafetyFactor(call.response.safetyFactor) };
        if self.tasks.get(call.task.index as usize) != Some(&task_hash) {
            return Err("UnknownTask".into());
        }
        if self.is_answered(task_hash) {
            return Err("TaskAlreadyAnswered".into());
        }
        if number > u64::from(call.task.createdBlock) + self.rules.response_window {
            return Err("ResponseWindowOver".into());
        }
        self.check(&response, &call.certificate, call.task.quorumThresholdPercentage)?;
        self.answers.insert(task_hash, response.safety_factor);
        Ok(vec![ChainEvent::TaskResponded { task_index: call.task.index, response, transaction }])
    }

    /// The certificate against the operator set, which is the same at every block here.
    fn check(
        &self,
        response: &TaskResponse,
        certificate: &NonSignerStakesAndSignature,
        threshold: u32,
    ) -> Result<(), String> {
        let absent: Vec<OperatorId> = certificate
            .nonSignerPubkeys
            .iter()
            .map(|key| OperatorId(keccak256(G1Bytes::from_words(key.X, key.Y).0)))
            .collect();
        if !absent.is_sorted_by(|a, b| a < b) {
            return Err("NonSignersNotSorted".into());
        }
        let others: Option<Vec<_>> = absent.iter().map(|id| self.set.operators.get(id)).collect();
        let others = others.ok_or("UnknownNonSigner")?;
        let apk =
            self.set.weighted_apk.without(others.iter().map(|operator| (&operator.key, operator.weight())));
        let (g2, sigma) = (&certificate.apkG2, &certificate.sigma);
        let claimed = PublicKeyG2::try_from(G2Bytes::from_words([g2.X[0], g2.X[1], g2.Y[0], g2.Y[1]]));
        if claimed.ok() != apk.g2() {
            return Err("InvalidApk".into());
        }
        let signature =
            Signature::try_from(G1Bytes::from_words(sigma.X, sigma.Y)).map_err(|error| error.to_string())?;
        let key = apk.g2().ok_or("identity key")?;
        if !self.verified.verify(response.digest(&self.domain), &signature, &key) {
            return Err("InvalidSignature".into());
        }
        let reached = self.set.total_stakes.iter().all(|(quorum, total)| {
            let absent = others.iter().filter_map(|operator| operator.stakes.get(quorum)).sum();
            let signed = total.saturating_sub(absent);
            SignedStake { quorum: *quorum, signed, total: *total }.reaches(threshold)
        });
        if reached { Ok(()) } else { Err("ThresholdNotReached".into()) }
    }
}
