//! The latest tasks of one protocol, as the chain has told them.

use std::collections::BTreeMap;

use anzen_messages::{SafetyFactor, Task, TaskHash};

use crate::ports::{OracleValue, TaskRules};

/// A task that can, or could, be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    /// Nothing where the task is known only from the contract's word that there is one.
    identity: Option<(u32, TaskHash)>,
    /// The last block in which it can be answered.
    deadline: u64,
    answered_at: Option<u64>,
    answer: Option<SafetyFactor>,
}

/// A task whose window passed without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered {
    /// Its number.
    pub index: u32,
    /// Its identity.
    pub task: TaskHash,
    /// The block in which it was created.
    pub created: u64,
}

/// The tasks, by the block of their creation.
#[derive(Debug, Default)]
pub(super) struct History {
    tasks: BTreeMap<u64, Seen>,
    /// True where the contract has been asked, so that no task means that there is none.
    complete: bool,
    /// What the contract says that the oracle has.
    told: Option<OracleValue>,
    /// How many tasks in a row were reported as unanswered.
    unanswered: u32,
    /// The index up to which unanswered tasks have been reported: a chain that is told again does not count twice.
    reported: Option<u32>,
}

impl History {
    /// The block of the latest task's creation; nothing where none was ever created.
    ///
    /// # Errors
    /// Where that is not known yet.
    pub(super) fn latest(&self) -> Result<Option<u64>, NotKnown> {
        match self.tasks.last_key_value() {
            Some((created, _)) => Ok(Some(*created)),
            None if self.complete => Ok(None),
            None => Err(NotKnown),
        }
    }

    /// True where the latest task can still be answered in block `head`.
    pub(super) fn is_open(&self, head: u64) -> bool {
        let latest = self.tasks.last_key_value();
        latest.is_some_and(|(_, seen)| seen.answered_at.is_none() && head <= seen.deadline)
    }

    pub(super) fn created(&mut self, task: &Task, window: u64) {
        let created = u64::from(task.created_block);
        let identity = Some((task.index, task.hash()));
        let deadline = created.saturating_add(window);
        self.tasks.insert(created, Seen { identity, deadline, answered_at: None, answer: None });
    }

    pub(super) fn answered(&mut self, task: TaskHash, at: u64, answer: SafetyFactor) {
        let is_it = |seen: &&mut Seen| seen.identity.is_some_and(|(_, hash)| hash == task);
        if let Some(seen) = self.tasks.values_mut().find(is_it) {
            (seen.answered_at, seen.answer) = (Some(at), Some(answer));
            self.unanswered = 0;
        }
    }

    /// What the oracle has, as far as it is known.
    pub(super) fn value(&self) -> Option<OracleValue> {
        let newest = self.tasks.iter().rev().find_map(|(created, seen)| {
            Some(OracleValue { safety_factor: seen.answer?, reference_block: created.saturating_sub(1) })
        });
        [newest, self.told].into_iter().flatten().max_by_key(|value| value.reference_block)
    }

    /// How many tasks in a row nobody answered.
    pub(super) fn unanswered(&self) -> u32 {
        self.unanswered
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// The contract's word, which may be of a newer block than the events.
    pub(super) fn learn(&mut self, rules: &TaskRules, window: u64) {
        self.complete = true;
        self.told = rules.value;
        if let Some(created) = rules.latest_created {
            let answered_at = (!rules.open).then_some(created);
            let deadline = created.saturating_add(window);
            self.tasks.entry(created).or_insert(Seen { identity: None, deadline, answered_at, answer: None });
        }
    }

    pub(super) fn retract(&mut self, block: u64) {
        self.tasks.retain(|created, _| *created <= block);
        for seen in self.tasks.values_mut() {
            seen.answered_at = seen.answered_at.filter(|at| *at <= block);
            seen.answer = seen.answer.filter(|_| seen.answered_at.is_some());
        }
        // It may have been written above that block. The contract is asked again before a task is created.
        self.told = None;
        self.complete &= !self.tasks.is_empty();
    }

    pub(super) fn restart(&mut self) {
        self.tasks.clear();
        self.told = None;
        self.complete = false;
    }

    /// The tasks whose windows have passed unanswered and that were not reported yet. Forgets those that are final.
    pub(super) fn settle(&mut self, head: u64, finality_blocks: u64) -> Vec<Unanswered> {
        let reported = self.reported;
        let unanswered = |(created, seen): (&u64, &Seen)| {
            let (index, task) = seen.identity?;
            let missed =
                seen.answered_at.is_none() && head > seen.deadline && reported.is_none_or(|to| to < index);
            missed.then_some(Unanswered { index, task, created: *created })
        };
        let found: Vec<Unanswered> = self.tasks.iter().filter_map(unanswered).collect();
        self.reported = self.reported.max(found.iter().map(|missed| missed.index).max());
        self.unanswered = self.unanswered.saturating_add(u32::try_from(found.len()).unwrap_or(u32::MAX));
        let latest = self.tasks.last_key_value().map(|(created, _)| *created);
        let value = self.value().map(|value| value.reference_block.saturating_add(1));
        self.tasks.retain(|created, seen| {
            [latest, value].contains(&Some(*created)) || seen.deadline.saturating_add(finality_blocks) >= head
        });
        found
    }
}

/// Nothing is known of a protocol's tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotKnown;
