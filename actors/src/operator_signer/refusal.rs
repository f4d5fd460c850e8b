//! Why nothing is signed.

use anzen_messages::SafetyFactor;

/// Why an answer must not be signed. It stays so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another answer is on record.
    #[error(
        "{recorded} is on record for this task and {computed} was computed now; check the RPC endpoint, and that no \
         one else uses this operator's data directory"
    )]
    AnotherAnswer {
        /// What was recorded.
        recorded: SafetyFactor,
        /// What was computed.
        computed: SafetyFactor,
    },
    /// The task is older than the records reach.
    #[error(
        "the task was created in block {created}, and records up to block {floor} have been removed; is the RPC endpoint on \
         the right chain?"
    )]
    TooOld {
        /// The block of its creation.
        created: u32,
        /// Nothing created up to this block is signed.
        floor: u32,
    },
    /// The records may lack what was signed for the task.
    #[error(
        "the task was created in block {created}, and the signing protection is new, restored or imported since block \
         {barrier}: what was signed before may not be in it"
    )]
    BeforeStart {
        /// The block of its creation.
        created: u32,
        /// Nothing created up to this block is signed.
        barrier: u32,
    },
    /// Two answers were signed already, by two processes whose records were merged.
    #[error(
        "two answers to this task are on record, of stores that were merged; nothing more is signed for it"
    )]
    Blocked,
}

/// The records on disk cannot be read, so that nothing can be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the signing protection record {key} cannot be read ({error}), so nothing is signed; restore the data folder, or give the \
     record up: anzen store drop-record --even-if-whole {} {key} (either way only tasks that are created after the next \
     start are signed)",
    super::records::SPACE.0
)]
pub struct Corrupt {
    pub(super) key: String,
    pub(super) error: String,
}
