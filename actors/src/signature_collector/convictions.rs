//! Of which operators there is evidence, and about which tasks. No I/O.

use std::collections::{BTreeMap, BTreeSet};

use anzen_messages::evidence::Evidence;
use anzen_messages::{OperatorId, TaskHash};

/// What is on disk, without the documents. So many of each operator at most: one is enough to prove that it lies.
#[derive(Debug)]
pub(super) struct Convictions {
    most: usize,
    /// By the block of the task's creation, so that the oldest comes first.
    by_operator: BTreeMap<OperatorId, BTreeSet<(u32, TaskHash)>>,
}

impl Convictions {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), by_operator: BTreeMap::new() }
    }

    /// Adds what is, or is about to be, on disk. Returns the tasks whose documents make room for it.
    pub(super) fn add(&mut self, evidence: &Evidence) -> Vec<TaskHash> {
        let kept = self.by_operator.entry(evidence.operator.id).or_default();
        kept.insert((evidence.task.created_block, evidence.task_hash()));
        let mut dropped = Vec::new();
        while kept.len() > self.most {
            dropped.extend(kept.pop_first().map(|(_, task)| task));
        }
        dropped
    }

    pub(super) fn has(&self, task: TaskHash, operator: OperatorId) -> bool {
        self.by_operator.get(&operator).is_some_and(|kept| kept.iter().any(|(_, of)| *of == task))
    }

    /// How many documents there are.
    pub(super) fn len(&self) -> usize {
        self.by_operator.values().map(BTreeSet::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anzen_messages::bls::hash_to_g1;
    use anzen_messages::evidence::SignedAnswer;

    use crate::testing::{domain, operator_id, secret, task, value};

    fn about(operator: usize, index: u32) -> Evidence {
        let signature = secret(operator).sign(&hash_to_g1(Default::default())).to_bytes();
        let answer = SignedAnswer { safety_factor: value(1), signature };
        let task = task(index, 101 + index);
        Evidence::new(&domain(), task, &secret(operator).public_key(), answer, answer)
    }

    #[test]
    fn the_oldest_of_an_operator_makes_room_and_no_others() {
        let mut convictions = Convictions::new(2);
        let dropped: Vec<_> = (0..3).map(|index| convictions.add(&about(0, index))).collect();
        assert_eq!(dropped, [vec![], vec![], vec![task(0, 101).hash()]]);
        assert_eq!(convictions.add(&about(1, 0)), []);
        assert_eq!(convictions.add(&about(1, 0)), [], "the same again");
        assert_eq!(convictions.len(), 3);
        assert!(convictions.has(task(2, 103).hash(), operator_id(0)));
        assert!(!convictions.has(task(0, 101).hash(), operator_id(0)));
    }
}
