//! Operators, their tasks and their signatures: few, so that what they do meets.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use anzen_messages::bls::{Signature, hash_to_g1};
use anzen_messages::signature::SubmitSignature;
use anzen_messages::{OperatorId, OperatorSet, Task, TaskResponse};

use crate::testing::{domain, operator_id, operator_set, secret, task, value};

/// Operators, the last of whom is in no set.
pub(super) const OPERATORS: usize = 5;
/// Tasks, each created a block after the one before; the last never is.
pub(super) const TASKS: u32 = 4;
/// Answers.
pub(super) const VALUES: i64 = 3;
/// The block of the first task.
pub(super) const FIRST: u32 = 101;

/// Who signs which answer of which task with whose key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Act {
    pub(super) task: u32,
    pub(super) operator: usize,
    pub(super) value: i64,
    /// The key is another operator's.
    pub(super) forged: bool,
}

pub(super) fn a_task(number: u32) -> Task {
    task(number, FIRST + number)
}

thread_local! {
    /// Signing takes long, and is the same each time.
    static SIGNED: RefCell<BTreeMap<Act, (SubmitSignature, Signature)>> = const { RefCell::new(BTreeMap::new()) };
    static KNOWN: (Vec<OperatorId>, [Arc<OperatorSet>; 2]) = (
        (0..OPERATORS).map(operator_id).collect(),
        [&[3, 2, 2, 1][..], &[1, 1][..]].map(|stakes| Arc::new(operator_set(stakes))),
    );
}

impl Act {
    pub(super) fn submission(self) -> (SubmitSignature, Signature) {
        SIGNED.with_borrow_mut(|signed| signed.entry(self).or_insert_with(|| self.sign()).clone())
    }

    fn sign(self) -> (SubmitSignature, Signature) {
        let response = TaskResponse { task_hash: a_task(self.task).hash(), safety_factor: value(self.value) };
        let key = if self.forged { 50 + self.operator } else { self.operator };
        let signature = secret(key).sign(&hash_to_g1(response.digest(&domain())));
        let operator_id = operator_id(self.operator);
        (SubmitSignature { operator_id, response, signature: signature.to_bytes() }, signature)
    }
}

/// Two sets of operators that an endpoint may tell of.
pub(super) fn set(which: usize) -> Arc<OperatorSet> {
    KNOWN.with(|(_, sets)| Arc::clone(&sets[which % sets.len()]))
}

/// Which operator that is.
pub(super) fn number_of(id: OperatorId) -> usize {
    KNOWN.with(|(ids, _)| ids.iter().position(|other| *other == id)).unwrap_or(OPERATORS)
}
