//! Signing again what is on record: for whoever shows the answer elsewhere, too.

use anzen_messages::task::SigningDomain;
use anzen_messages::{Task, TaskHash};

use super::protection::{Permit, Protection, Verdict};
use super::refusal::Refusal;

/// Why there is no answer to be signed again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOnRecord {
    /// The operator signed none.
    #[error(
        "the operator signed no answer to task {0}, as far as this data folder's records tell; only what it signed then can be \
         shown now"
    )]
    Nothing(TaskHash),
    /// It may not be signed any more.
    #[error("the answer to the task is not signed again: {0}")]
    Refused(#[from] Refusal),
}

impl Protection {
    /// Leave to sign the answer that is on record for a task. There is none for any other, and nothing is recorded.
    ///
    /// # Errors
    /// Where no answer is on record, or it may not be signed any more.
    pub fn sign_again(&mut self, task: &Task, domain: &SigningDomain) -> Result<Permit, NotOnRecord> {
        let hash = task.hash();
        if self.blocked().contains(&hash) {
            return Err(Refusal::Blocked.into());
        }
        let answer = self.answer(task, domain).ok_or(NotOnRecord::Nothing(hash))?;
        match self.may_sign(&answer)? {
            Verdict::Sign(permit) => Ok(permit),
            // What is not on disk yet was not signed.
            Verdict::RecordFirst(_) => Err(NotOnRecord::Nothing(hash)),
        }
    }
}
