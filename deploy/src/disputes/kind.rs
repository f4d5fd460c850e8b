//! Kinds of faults, and what a fault is called. No I/O.

use alloy::{
    primitives::{B256, keccak256},
    sol_types::SolValue,
};
use serde::Serialize;
use std::fmt;

/// What an operator did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FaultKind {
    /// It signed an answer that does not follow from the chain's state.
    WrongAnswer,
    /// It signed two answers to one task.
    Equivocation,
    /// It kept away, repeatedly, and the committee found that to be a fault.
    Absence,
}

impl FaultKind {
    const ALL: [Self; 3] = [Self::WrongAnswer, Self::Equivocation, Self::Absence];

    /// The kind with this number in `IAnzenServiceManager.FaultKind`.
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The name of a fault (`IAnzenDisputes.faultIdOf`): of all who signed the wrong answer to a task, with `operator` zero; or of
    /// one operator.
    pub fn id(self, task_hash: B256, operator: B256) -> B256 {
        keccak256((u16::from(self as u8), task_hash, operator).abi_encode())
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongAnswer => "wrong answer",
            Self::Equivocation => "two answers",
            Self::Absence => "absence",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_called_as_the_contract_calls_it() {
        // abi.encode of an enum and two words.
        let encoded = [B256::with_last_byte(1), B256::repeat_byte(2), B256::repeat_byte(3)].concat();
        let id = FaultKind::Equivocation.id(B256::repeat_byte(2), B256::repeat_byte(3));
        assert_eq!(id, keccak256(encoded));
        assert_eq!(
            [0, 1, 2, 3].map(FaultKind::numbered),
            [Some(FaultKind::WrongAnswer), Some(FaultKind::Equivocation), Some(FaultKind::Absence), None]
        );
    }
}
