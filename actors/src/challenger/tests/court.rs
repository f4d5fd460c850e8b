//! The contracts, as far as one answer of three signers is concerned; no I/O.

use alloy::primitives::{Address, B256, Bytes, U256};
use anzen_messages::{OperatorId, SafetyFactor, Task, TaskResponse};

use super::super::effect::Step;
use crate::ports::{
    AnswerStanding, CommitteeCase, ContractCall, FaultStanding, PostedAnswer, Recomputed, SignerStanding,
};
use crate::testing::{operator_id, value};

/// Blocks in which an answer can be challenged, a fault vetoed, and executed.
pub(super) const CHALLENGE: u64 = 60;
pub(super) const VETO: u64 = 20;
pub(super) const EXECUTION: u64 = 60;

/// What must be answered.
pub(super) fn due() -> SafetyFactor {
    value(1)
}

pub(super) fn recomputed() -> Recomputed {
    Recomputed { outcome: Ok(due()), witness: Some(Bytes::from_static(b"proof")) }
}

pub(super) fn fault_id() -> B256 {
    B256::repeat_byte(0xfa)
}

pub(super) fn signer(i: u8) -> SignerStanding {
    SignerStanding {
        id: operator_id(i.into()),
        address: Address::repeat_byte(i + 1),
        frozen: false,
        vetoed: false,
        owes: true,
        registered: true,
    }
}

/// What is on chain about the answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Court {
    /// The answer, and its block.
    pub(super) answer: Option<(SafetyFactor, u64)>,
    pub(super) withdrawn: Option<u64>,
    pub(super) signers: Vec<SignerStanding>,
    /// Ejections of this one are refused.
    pub(super) stays: Option<OperatorId>,
}

impl Court {
    pub(super) fn new() -> Self {
        Self { signers: (0..3).map(signer).collect(), ..Self::default() }
    }

    pub(super) fn posted(&self, task: &Task) -> Option<PostedAnswer> {
        let (safety_factor, block) = self.answer?;
        Some(PostedAnswer {
            response: TaskResponse { task_hash: task.hash(), safety_factor },
            responded_block: u32::try_from(block).unwrap(),
            signatory_record: B256::ZERO,
            non_signers: Vec::new(),
            round: 1,
        })
    }

    pub(super) fn standing(&self) -> AnswerStanding {
        let block = self.answer.map_or(0, |(_, block)| block);
        let fault = self.withdrawn.map(|at| FaultStanding {
            id: fault_id(),
            veto_end: at + VETO - 1,
            execution_end: at + VETO + EXECUTION - 1,
            vetoed: false,
            plan: vec![(0, vec![Address::repeat_byte(9)])],
            signers: self.signers.clone(),
        });
        AnswerStanding {
            challenge_end: block + CHALLENGE,
            proof_end: block + CHALLENGE,
            withdrawn: self.withdrawn.is_some(),
            committee: CommitteeCase::NotAsked,
            bond: U256::ZERO,
            fault,
        }
    }

    /// A transaction in block `block`. False where it reverts, and changes nothing.
    pub(super) fn take(&mut self, step: &Step, block: u64) -> bool {
        let standing = self.standing();
        let executable = standing
            .fault
            .as_ref()
            .is_some_and(|fault| fault.veto_end < block && block <= fault.execution_end);
        let frozen_until = standing.fault.as_ref().is_some_and(|fault| block <= fault.execution_end);
        match step {
            Step::Challenge => {
                let wrong = self.answer.is_some_and(|(answer, _)| answer != due());
                let ok = wrong && self.withdrawn.is_none() && block <= standing.challenge_end;
                self.withdrawn = if ok { Some(block) } else { self.withdrawn };
                ok
            }
            Step::Freeze { signers, .. } if frozen_until => {
                let stays = self.stays;
                self.each(
                    |one| signers.contains(&one.id),
                    |one| {
                        one.frozen = true;
                        one.registered = stays == Some(one.id);
                    },
                );
                true
            }
            Step::Eject { operator, .. } if frozen_until => {
                let stays = self.stays;
                self.each(|one| one.id == *operator, |one| one.registered = stays == Some(one.id));
                true
            }
            Step::Execute { operators, .. } if executable => {
                self.each(
                    |one| operators.contains(&one.address) && one.frozen && !one.vetoed,
                    |one| one.owes = false,
                );
                true
            }
            _ => false,
        }
    }

    fn each(&mut self, which: impl Fn(&SignerStanding) -> bool, then: impl Fn(&mut SignerStanding)) {
        self.signers.iter_mut().filter(|one| which(one)).for_each(then);
    }

    /// True where nobody owes any more.
    pub(super) fn is_settled(&self) -> bool {
        self.withdrawn.is_some() && self.signers.iter().all(|one| one.vetoed || (one.frozen && !one.owes))
    }
}

/// The call of a step, as far as tests tell them apart.
pub(super) fn call() -> ContractCall {
    ContractCall { to: Address::repeat_byte(7), data: Bytes::new(), value: U256::ZERO }
}
