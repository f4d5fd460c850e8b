//! What can be done about a task, and in which blocks. No I/O.

use super::Case;

/// The blocks in which something can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// What.
    pub what: &'static str,
    /// The first block.
    pub first: u64,
    /// The last block.
    pub last: u64,
}

impl Case {
    /// What can be done, or could be, or will be: as docs/disputes.md has it.
    pub fn timeline(&self) -> Vec<Window> {
        let created = u64::from(self.task.task.created_block);
        let [response, challenge, veto] =
            [self.windows.response, self.windows.challenge, self.windows.veto].map(u64::from);
        let window = |what, first, last| Window { what, first, last };
        let mut windows = vec![
            window("attest an own answer", created, created + response),
            window("prove that an operator gave two answers", created, created + response + challenge),
        ];
        if let Some(answer) = &self.task.response {
            let last = answer.block + challenge;
            // A source that answers again lets a dispute before the committee be decided by proof, while a veto has time.
            let late =
                self.committee.as_ref().map_or(last, |dispute| dispute.ruling_end.min(last + veto / 2));
            windows.push(window("challenge the answer", answer.block, last.max(late)));
            let withdrawn = self.answer.as_ref().is_some_and(|answer| answer.is_withdrawn());
            // Who was left out of a late answer had no time to attest.
            if !withdrawn && answer.block <= created + response / 2 {
                let first = (last + 1).max(created + response + 1);
                windows.push(window("count absences from it", first, last + veto / 2));
            }
        }
        if let Some(dispute) = &self.committee {
            let asked = dispute.ruling_end.saturating_sub(veto);
            windows.push(window("rule on the answer", asked, dispute.ruling_end));
        }
        for fault in &self.faults {
            if fault.veto_end >= fault.recorded_block {
                windows.push(window("veto the fault", fault.recorded_block, fault.veto_end));
            }
            windows.push(window("freeze who is at fault", fault.recorded_block, fault.execution_end));
            windows.push(window("execute the slashing", fault.veto_end + 1, fault.execution_end));
        }
        windows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        disputes::{Answer, FaultRecord, record::tests::fault},
        tasks::{Response, TaskRecord, tests::task},
    };
    use alloy::primitives::B256;
    use anzen_contracts::Windows;
    use anzen_messages::SafetyFactor;

    /// Created in block 10, answered in block `responded`.
    fn case(responded: u64, status: u8, faults: Vec<FaultRecord>) -> Case {
        let response = Response {
            value: SafetyFactor(Default::default()),
            block: responded,
            transaction: B256::ZERO,
            non_signers: Default::default(),
        };
        let mut question = task(0);
        question.created_block = 10;
        let task = TaskRecord {
            hash: B256::ZERO,
            task: question,
            transaction: B256::ZERO,
            last_block: 30,
            response: Some(response),
        };
        let windows = Windows { maxStakeAge: 0, response: 20, challenge: 100, veto: 40, execution: 50 };
        let answer = Some(Answer { round: Default::default(), status, parts: Vec::new() });
        Case { head: 0, task, windows, answer, committee: None, faults, attested: Vec::new() }
    }

    fn of(case: &Case, what: &str) -> Option<(u64, u64)> {
        let windows = case.timeline();
        let found = windows.iter().find(|window| window.what == what);
        found.map(|window| (window.first, window.last))
    }

    #[test]
    fn the_windows_are_those_of_the_document() {
        let case = case(15, 0, vec![fault(&[])]);
        assert_eq!(of(&case, "attest an own answer"), Some((10, 30)));
        assert_eq!(of(&case, "prove that an operator gave two answers"), Some((10, 130)));
        assert_eq!(of(&case, "challenge the answer"), Some((15, 115)));
        assert_eq!(of(&case, "count absences from it"), Some((116, 135)));
        assert_eq!(of(&case, "veto the fault"), Some((100, 109)));
        assert_eq!(of(&case, "execute the slashing"), Some((110, 129)));
    }

    #[test]
    fn neither_a_late_answer_nor_a_withdrawn_one_has_absentees() {
        assert_eq!(of(&case(21, 0, Vec::new()), "count absences from it"), None);
        assert_eq!(of(&case(15, 4, Vec::new()), "count absences from it"), None);
    }

    #[test]
    fn what_the_committee_has_ruled_cannot_be_vetoed() {
        let ruled = FaultRecord { veto_end: 99, execution_end: 149, ..fault(&[]) };
        let case = case(15, 4, vec![ruled]);
        assert_eq!(of(&case, "veto the fault"), None);
        assert_eq!(of(&case, "execute the slashing"), Some((100, 149)));
    }
}
