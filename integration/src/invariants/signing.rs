//! I1 and I5: what operators sign.

use std::collections::BTreeMap;

use anzen_messages::{OperatorId, SafetyFactor, TaskHash, TaskResponse};

use super::{Invariant, Violation, require};

/// What each operator has signed. Those that break the rules are not told of.
#[derive(Debug, Default)]
pub(super) struct Signing {
    answers: BTreeMap<(OperatorId, TaskHash), SafetyFactor>,
}

impl Signing {
    pub(super) fn signed(
        &mut self,
        operator: OperatorId,
        response: TaskResponse,
        on_disk: bool,
    ) -> Result<(), Violation> {
        let (task, value) = (response.task_hash, response.safety_factor);
        let first = *self.answers.entry((operator, task)).or_insert(value);
        require(first == value, Invariant::OneAnswer, || {
            format!("operator {operator} signed {value} for task {task}, and {first} before")
        })?;
        require(on_disk, Invariant::DiskFirst, || {
            format!("operator {operator} signed {value} for task {task}, and the record is not on disk")
        })
    }
}
