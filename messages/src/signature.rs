//! The messages of SignatureCollector.

use alloy_primitives::U256;
use serde::{Deserialize, Serialize};

use crate::bls::G1Bytes;
use crate::session::FromOperator;
use crate::wire::{ActorName, Wire};
use crate::{OperatorId, TaskHash, TaskResponse};

/// An operator's signed answer. Sent by OperatorSigner through the gateway until it is acknowledged or its task is over.
///
/// The reply means: [`Accepted`](SubmitReply::Accepted), the signature is authenticated, decoded, on the curve, and on
/// disk; whether it is valid shows when its answer's sum is checked. A refusal says whether to try again.
/// Full: refused with `Full`; send again after a pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubmitSignature {
    /// Who signed; the gateway refuses one that is not the session's operator.
    pub operator_id: OperatorId,
    /// What was signed.
    pub response: TaskResponse,
    /// The signature of the response's digest, uncompressed.
    pub signature: G1Bytes,
}

impl actix::Message for SubmitSignature {
    type Result = SubmitReply;
}

impl Wire for SubmitSignature {
    type Reply = SubmitReply;
    const NAME: &'static str = "collector_submitSignature";
    const VERSION: u16 = 1;
    const TO: ActorName = ActorName::SignatureCollector;
    const MOST_BYTES: usize = 1024;
    const TIMEOUT_MS: u64 = 10_000;

    fn task(&self) -> Option<TaskHash> {
        Some(self.response.task_hash)
    }
}

impl FromOperator for SubmitSignature {
    fn operator_id(&self) -> OperatorId {
        self.operator_id
    }
}

/// What became of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "outcome", deny_unknown_fields)]
pub enum SubmitReply {
    /// Counted, and on disk. One that comes after the certificate counts should that be worth nothing.
    Accepted,
    /// The same signature was accepted before. Done.
    Duplicate,
    /// The task is not known: the signature is kept until it is, for a response window at most. Done.
    Early,
    /// The task can be answered no more. Do not try again.
    TooLate,
    /// As far as is known the operator was in none of the task's quorums at its reference block. The
    /// signature is kept all the same, and counts should that turn out to be wrong. Do not try again.
    NotInSet,
    /// The operator answered this task otherwise before, or signed it otherwise. Both are verified alone: where both are
    /// valid, the first stands and both are kept as evidence; where only this one is, this one counts. Do not try again.
    SecondAnswer,
    /// Signatures of this operator failed verification too often; no more of it is looked at for this task. Do not try
    /// again.
    Invalid,
    /// The bytes are no point of the curve. Do not try again.
    Malformed,
    /// This aggregator does not serve the task's protocol. Do not try again here.
    NotServed,
    /// Too many signatures of this operator wait for unknown tasks. Try again after a pause.
    TooManyEarly,
    /// The collector could not write to its disk, is starting, or has enough under way of this operator. Try again after
    /// a pause.
    Unavailable,
    /// An outcome that this operator is too old to know; never sent. Try again after a pause: whether it is for good is not
    /// known.
    #[serde(other, skip_serializing)]
    Unknown,
}

impl SubmitReply {
    /// Every reply that is sent.
    pub const ALL: [Self; 11] = [
        Self::Accepted,
        Self::Duplicate,
        Self::Early,
        Self::TooLate,
        Self::NotInSet,
        Self::SecondAnswer,
        Self::Invalid,
        Self::Malformed,
        Self::NotServed,
        Self::TooManyEarly,
        Self::Unavailable,
    ];

    /// Its name in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Early => "early",
            Self::TooLate => "too_late",
            Self::NotInSet => "not_in_set",
            Self::SecondAnswer => "second_answer",
            Self::Invalid => "invalid",
            Self::Malformed => "malformed",
            Self::NotServed => "not_served",
            Self::TooManyEarly => "too_many_early",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
        }
    }

    /// True where the signature counts, or will as soon as its task is known.
    pub fn is_acknowledgement(self) -> bool {
        matches!(self, Self::Accepted | Self::Duplicate | Self::Early)
    }

    /// True where sending the same again can change the outcome.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::TooManyEarly | Self::Unavailable | Self::Unknown)
    }
}

/// How much of one quorum signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignedStake {
    /// The quorum.
    pub quorum: u8,
    /// The signers' stake.
    pub signed: U256,
    /// The whole quorum's.
    pub total: U256,
}

impl SignedStake {
    /// True where the signers hold at least `percentage` of the stake, as the contract computes it.
    pub fn reaches(&self, percentage: u32) -> bool {
        // Stakes are uint96 and percentages at most 100: no overflow.
        !self.total.is_zero() && self.signed * U256::from(100) >= self.total * U256::from(percentage)
    }

    /// The signers' share in hundredths of a per cent, for people.
    pub fn basis_points(&self) -> u32 {
        let share = (self.signed * U256::from(10_000)).checked_div(self.total).unwrap_or_default();
        u32::try_from(share).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stake(signed: u64, total: u64) -> SignedStake {
        SignedStake { quorum: 0, signed: U256::from(signed), total: U256::from(total) }
    }

    #[test]
    fn an_outcome_of_a_newer_aggregator_is_one_to_try_again() {
        let reply: SubmitReply = serde_json::from_str(r#"{"outcome":"postponed","until":7}"#).unwrap();
        assert!(reply == SubmitReply::Unknown && reply.is_temporary() && !reply.is_acknowledgement());
        assert!(serde_json::from_str::<SubmitReply>(r#"{"result":"postponed"}"#).is_err());
        assert!(serde_json::to_string(&SubmitReply::Unknown).is_err(), "nobody sends it");
    }

    #[test]
    fn a_threshold_is_reached_at_exactly_its_share() {
        assert!(stake(66, 100).reaches(66));
        assert!(!stake(65, 100).reaches(66));
        assert!(!stake(2, 3).reaches(67));
        assert!(stake(2, 3).reaches(66));
    }

    #[test]
    fn an_empty_quorum_never_reaches_anything() {
        assert!(!stake(0, 0).reaches(51));
        assert_eq!(stake(0, 0).basis_points(), 0);
    }
}
