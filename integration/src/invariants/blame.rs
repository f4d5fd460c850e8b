//! I9 and I10: who is said to be at fault.

use std::collections::BTreeSet;

use anzen_messages::bls::{G1Bytes, Signature, hash_to_g1, verify};
use anzen_messages::{OperatorId, SafetyFactor, TaskHash, TaskResponse};

use super::fact::Fault;
use super::ledger::Terms;
use super::{Invariant, Violation, require};

/// What was said already.
#[derive(Debug, Default)]
pub(super) struct Blame {
    /// Evidence that was found to hold: the same is told again and again.
    checked: BTreeSet<(OperatorId, TaskHash, Answers)>,
}

/// Two answers, each with its signature.
type Answers = [(SafetyFactor, G1Bytes); 2];

impl Blame {
    pub(super) fn evidence(
        &mut self,
        terms: &Terms,
        operator: OperatorId,
        task: TaskHash,
        answers: Answers,
    ) -> Result<(), Violation> {
        if !self.checked.insert((operator, task, answers)) {
            return Ok(());
        }
        require(terms.liars.contains(&operator), Invariant::EvidenceHolds, || {
            format!("there is evidence against {operator}, which is honest, for task {task}")
        })?;
        require(answers[0].0 != answers[1].0, Invariant::EvidenceHolds, || {
            format!("the evidence against {operator} for task {task} holds one answer twice")
        })?;
        for (safety_factor, signature) in answers {
            let response = TaskResponse { task_hash: task, safety_factor };
            require(valid(terms, operator, &response, signature), Invariant::EvidenceHolds, || {
                format!("the signature of {safety_factor} in the evidence against {operator} is not valid")
            })?;
        }
        Ok(())
    }

    pub(super) fn blamed(
        &self,
        terms: &Terms,
        process: &str,
        operator: OperatorId,
        fault: Fault,
    ) -> Result<(), Violation> {
        let lied_to = terms.misled.contains(&operator) || terms.misled_aggregators.contains(process);
        let misled = fault == Fault::OtherAnswer && lied_to;
        require(misled || terms.liars.contains(&operator), Invariant::HonestNotBlamed, || {
            format!("{operator}, which is honest, is blamed: {fault:?}")
        })
    }
}

fn valid(terms: &Terms, operator: OperatorId, response: &TaskResponse, signature: G1Bytes) -> bool {
    let (Some(key), Ok(signature)) = (terms.operators.get(&operator), Signature::try_from(signature)) else {
        return false;
    };
    verify(&hash_to_g1(response.digest(&terms.domain)), &signature, &key.g2())
}
