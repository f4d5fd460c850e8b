//! Between the vocabulary's values and the contracts' structs.

use anzen_messages::bls::{G1Bytes, G2Bytes};
use anzen_messages::{SafetyFactor, TaskHash, evidence};

use crate::anzen_disputes::{self, IAnzenDisputes};
use crate::{G1Point, G2Point, Task, TaskResponse, eigenlayer};

/// Each contract's bindings have structs of their own.
macro_rules! into_structs_of {
    ($contract:ident) => {
        impl From<&anzen_messages::Task> for crate::$contract::IAnzenTaskManager::Task {
            fn from(task: &anzen_messages::Task) -> Self {
                Self {
                    index: task.index,
                    oracleIndex: task.oracle_index,
                    modelHash: task.model_hash,
                    proposedSafetyFactor: task.proposed_safety_factor.0,
                    referenceBlock: task.reference_block,
                    referenceBlockHash: task.reference_block_hash,
                    createdBlock: task.created_block,
                    quorumNumbers: task.quorum_numbers.clone(),
                    quorumThresholdPercentage: task.quorum_threshold_percentage,
                }
            }
        }

        impl From<&anzen_messages::TaskResponse> for crate::$contract::IAnzenTaskManager::TaskResponse {
            fn from(response: &anzen_messages::TaskResponse) -> Self {
                Self { taskHash: response.task_hash.0, safetyFactor: response.safety_factor.0 }
            }
        }
    };
}

into_structs_of!(anzen_task_manager);
into_structs_of!(anzen_disputes);

impl From<Task> for anzen_messages::Task {
    fn from(task: Task) -> Self {
        Self {
            index: task.index,
            oracle_index: task.oracleIndex,
            model_hash: task.modelHash,
            proposed_safety_factor: SafetyFactor(task.proposedSafetyFactor),
            reference_block: task.referenceBlock,
            reference_block_hash: task.referenceBlockHash,
            created_block: task.createdBlock,
            quorum_numbers: task.quorumNumbers,
            quorum_threshold_percentage: task.quorumThresholdPercentage,
        }
    }
}

impl From<TaskResponse> for anzen_messages::TaskResponse {
    fn from(response: TaskResponse) -> Self {
        Self { task_hash: TaskHash(response.taskHash), safety_factor: SafetyFactor(response.safetyFactor) }
    }
}

impl From<G1Bytes> for G1Point {
    fn from(bytes: G1Bytes) -> Self {
        let (x, y) = bytes.to_words();
        Self { X: x, Y: y }
    }
}

impl From<G1Bytes> for eigenlayer::G1Point {
    fn from(bytes: G1Bytes) -> Self {
        G1Point::from(bytes).into()
    }
}

impl From<G2Bytes> for eigenlayer::G2Point {
    fn from(bytes: G2Bytes) -> Self {
        G2Point::from(bytes).into()
    }
}

impl From<G2Bytes> for G2Point {
    fn from(bytes: G2Bytes) -> Self {
        let [x0, x1, y0, y1] = bytes.to_words();
        Self { X: [x0, x1], Y: [y0, y1] }
    }
}

impl From<G1Bytes> for anzen_disputes::BN254::G1Point {
    fn from(bytes: G1Bytes) -> Self {
        let (x, y) = bytes.to_words();
        Self { X: x, Y: y }
    }
}

impl From<G2Bytes> for anzen_disputes::BN254::G2Point {
    fn from(bytes: G2Bytes) -> Self {
        let [x0, x1, y0, y1] = bytes.to_words();
        Self { X: [x0, x1], Y: [y0, y1] }
    }
}

impl From<evidence::OperatorKeys> for IAnzenDisputes::OperatorKey {
    fn from(key: evidence::OperatorKeys) -> Self {
        Self { g1: key.g1.into(), g2: key.g2.into() }
    }
}

impl From<evidence::SignedAnswer> for IAnzenDisputes::SignedAnswer {
    fn from(answer: evidence::SignedAnswer) -> Self {
        Self { safetyFactor: answer.safety_factor.0, sigma: answer.signature.into() }
    }
}
