//! I3, I7 and I11: what the chain holds at last.

use std::collections::BTreeMap;

use anzen_messages::{SafetyFactor, TaskHash, TaskResponse};

use super::chain::{Chain, OnChain};
use super::ledger::Terms;
use super::{Invariant, Violation, require};

/// The answers are what the model yields.
pub(super) fn true_ones(
    responses: &[TaskResponse],
    truth: &BTreeMap<TaskHash, SafetyFactor>,
) -> Result<(), Violation> {
    for response in responses {
        let Some(value) = truth.get(&response.task_hash) else { continue };
        require(response.safety_factor == *value, Invariant::OneResponse, || {
            format!("task {} is answered {}, and {value} is true", response.task_hash, response.safety_factor)
        })?;
    }
    Ok(())
}

/// No task has had its quiet blocks without an answer.
pub(super) fn none_missing(chain: &Chain, terms: &Terms) -> Result<(), Violation> {
    let (head, Some(quiet_since)) = (chain.head(), chain.quiet_since()) else { return Ok(()) };
    let overdue = |task: &&OnChain| {
        let since = task.created().max(quiet_since);
        let in_window = head <= task.created() + terms.response_window;
        task.answered.is_none() && in_window && head >= since + terms.quiet_blocks
    };
    match chain.tasks.values().find(overdue) {
        None => Ok(()),
        Some(task) => Err(Violation::new(
            Invariant::Answered,
            format!(
                "task {} ({}), created in block {}, has no answer at block {head}; all is quiet since block {quiet_since}",
                task.task.index,
                task.task.hash(),
                task.created(),
            ),
        )),
    }
}

/// There is an open task, or there was one lately, or all has been quiet for a short time only.
pub(super) fn some_come(chain: &Chain, terms: &Terms) -> Result<(), Violation> {
    let (head, Some(quiet_since)) = (chain.head(), chain.quiet_since()) else { return Ok(()) };
    let over = |task: &OnChain| task.answered.unwrap_or(task.created() + terms.response_window);
    let idle_since = chain.tasks.values().map(over).fold(quiet_since, u64::max);
    require(head < idle_since + terms.task_blocks, Invariant::TasksCome, || {
        format!("there is no open task since block {idle_since}, and the chain is at block {head}")
    })
}
