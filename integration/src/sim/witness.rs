//! Sees everything and tells the ledger of invariants.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anzen_messages::bls::{G1Bytes, HashedMessage, hash_to_g1};
use anzen_messages::chain::{ChainBlock, ChainEvent};
use anzen_messages::task::SigningDomain;
use anzen_messages::{SafetyFactor, Task, TaskResponse};
use tokio::sync::Notify;

use super::log::EventLog;
use super::model::{LIES, answer};
use super::panics;
use crate::invariants::{Fact, Ledger, MinedTx, Moment, Terms, Violation};

/// Everybody's witness; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Witness(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    domain: SigningDomain,
    ledger: Mutex<Ledger>,
    violation: Mutex<Option<Violation>>,
    broken: Notify,
    /// What is signed is a point: these are the answers that an operator may compute, by theirs.
    answers: Mutex<BTreeMap<G1Bytes, TaskResponse>>,
    /// Something has disturbed the world since the last block.
    disturbed: AtomicBool,
    log: EventLog,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Witness {
    pub(super) fn new(terms: Terms, log: EventLog) -> Self {
        Self(Arc::new(Inner {
            domain: terms.domain.clone(),
            ledger: Mutex::new(Ledger::new(terms)),
            violation: Mutex::default(),
            broken: Notify::new(),
            answers: Mutex::default(),
            disturbed: AtomicBool::new(true),
            log,
        }))
    }

    pub(super) fn now(&self) -> Moment {
        lock(&self.0.ledger).now()
    }

    /// How many tasks are answered, and how many there are.
    pub(super) fn tasks(&self) -> (usize, usize) {
        lock(&self.0.ledger).tasks()
    }

    /// Tells a fact. After the first violation, or a panic, nothing is judged any more.
    pub(super) fn tell(&self, fact: Fact) {
        let mut violation = lock(&self.0.violation);
        if violation.is_some() {
            return;
        }
        if panics::noted().is_some() {
            self.0.broken.notify_one();
            return;
        }
        if let Err(found) = lock(&self.0.ledger).tell(fact) {
            self.0.log.add(format_args!("VIOLATION {found}"));
            *violation = Some(found);
            self.0.broken.notify_one();
        }
    }

    pub(super) fn violation(&self) -> Option<Violation> {
        lock(&self.0.violation).clone()
    }

    /// Returns when an invariant does not hold, or an actor has panicked.
    pub(super) async fn broken(&self) {
        self.0.broken.notified().await;
    }

    /// The next block is not quiet.
    pub(super) fn disturb(&self) {
        self.0.disturbed.store(true, Ordering::Relaxed);
    }

    /// The chain has a new block.
    pub(super) fn block(&self, block: &ChainBlock, transactions: Vec<MinedTx>, stormy: bool) {
        for event in &block.events {
            if let ChainEvent::TaskCreated { task } = event {
                self.created(task);
            }
        }
        let quiet = !self.0.disturbed.swap(stormy, Ordering::Relaxed) && !stormy;
        self.tell(Fact::Block { block: block.clone(), transactions, quiet });
    }

    /// Notes what may be signed for a task, and tells what is true.
    fn created(&self, task: &Task) {
        let (task_hash, mut answers) = (task.hash(), lock(&self.0.answers));
        for lie in 0..=LIES {
            let safety_factor = answer(task.reference_block_hash, lie);
            let response = TaskResponse { task_hash, safety_factor };
            answers.insert(hash_to_g1(response.digest(&self.0.domain)).to_bytes(), response);
        }
        drop(answers);
        self.tell(Fact::Truth { task: task_hash, value: answer(task.reference_block_hash, 0) });
    }

    /// The answer whose point this is; nothing where it is none to a task that there ever was.
    pub(super) fn answer_of(&self, message: HashedMessage) -> Option<TaskResponse> {
        lock(&self.0.answers).get(&message.to_bytes()).copied()
    }

    /// The digest of an answer, in hexadecimal, as records have it.
    pub(super) fn digest(&self, response: &TaskResponse) -> String {
        response.digest(&self.0.domain).to_string()
    }

    /// What is true of a task.
    pub(super) fn truth(task: &Task) -> SafetyFactor {
        answer(task.reference_block_hash, 0)
    }
}
