//! The steps of setting an operator up and of taking it down, and what comes of one.

use crate::chain::Request;
use alloy::primitives::TxHash;
use serde::Serialize;
use std::fmt;

/// One step. Each looks first whether it has been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Registering with EigenLayer, with an allocation delay.
    Register,
    /// Depositing into the strategy what is missing of the stake.
    Deposit,
    /// Waiting until the allocation delay holds.
    AwaitAllocationDelay,
    /// Allocating stake to Anzen, which can be slashed then.
    Allocate,
    /// Waiting until the allocation holds.
    AwaitAllocation,
    /// Joining the quorum.
    Join,
    /// Publishing the socket.
    UpdateSocket,
    /// Leaving the quorum.
    Leave,
    /// Taking the allocation back.
    Deallocate,
    /// Withdrawing own shares from the strategy: all, or a part.
    QueueWithdrawal,
    /// Waiting until EigenLayer gives withdrawn shares out.
    AwaitWithdrawal,
    /// Getting the tokens of withdrawn shares.
    CompleteWithdrawal,
}

impl Step {
    /// From nothing to an operator that signs.
    pub const SET_UP: [Self; 7] = [
        Self::Register,
        Self::Deposit,
        Self::AwaitAllocationDelay,
        Self::Allocate,
        Self::AwaitAllocation,
        Self::Join,
        Self::UpdateSocket,
    ];
    /// Out of the quorum. The allocation is over by itself after a delay.
    pub const LEAVE: [Self; 2] = [Self::Leave, Self::Deallocate];
    /// The stake back, after [`Step::LEAVE`].
    pub const WITHDRAW: [Self; 3] = [Self::QueueWithdrawal, Self::AwaitWithdrawal, Self::CompleteWithdrawal];

    /// Its name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Deposit => "deposit",
            Self::AwaitAllocationDelay => "await-allocation-delay",
            Self::Allocate => "allocate",
            Self::AwaitAllocation => "await-allocation",
            Self::Join => "join",
            Self::UpdateSocket => "update-socket",
            Self::Leave => "leave",
            Self::Deallocate => "deallocate",
            Self::QueueWithdrawal => "queue-withdrawal",
            Self::AwaitWithdrawal => "await-withdrawal",
            Self::CompleteWithdrawal => "complete-withdrawal",
        }
    }

    /// The steps without which it cannot be taken.
    pub fn requires(self) -> &'static [Self] {
        match self {
            Self::Register | Self::Deposit | Self::Leave => &[],
            Self::AwaitAllocationDelay => &[Self::Register],
            Self::Allocate => &[Self::Register, Self::AwaitAllocationDelay],
            Self::AwaitAllocation => &[Self::Allocate],
            Self::Join => &[Self::Deposit, Self::Allocate, Self::AwaitAllocation],
            Self::UpdateSocket => &[Self::Join],
            // An operator without stake that still is in the quorum counts for nothing, and makes it harder to reach.
            Self::Deallocate | Self::QueueWithdrawal => &[Self::Leave],
            Self::AwaitWithdrawal => &[Self::QueueWithdrawal],
            Self::CompleteWithdrawal => &[Self::QueueWithdrawal, Self::AwaitWithdrawal],
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a step comes to, as the chain is now.
#[derive(Debug, Clone)]
pub enum Plan {
    /// It has been done, as the sentence says.
    Nothing(String),
    /// Blocks have to come first.
    Wait(Wait),
    /// Transactions are to be sent, in order.
    Send {
        /// The transactions.
        requests: Vec<Request>,
        /// What has been done once they are in blocks, in a sentence.
        done: String,
    },
}

/// What is waited for, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wait {
    /// What is waited for, in a sentence.
    pub text: String,
    /// The chain's height now.
    pub height: u64,
    /// The block in which it is over.
    pub until: u64,
    /// False where that is the latest block in which it can be over, because the chain does not tell exactly.
    pub exact: bool,
}

impl Wait {
    /// How many blocks have to come.
    pub fn blocks(&self) -> u64 {
        self.until.saturating_sub(self.height)
    }

    /// The height at which to look again: at least one block on, and not much later where it may be over earlier.
    pub fn next_look(&self) -> u64 {
        let next = self.height + 1;
        if self.exact { self.until.max(next) } else { next }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = if self.exact { "from" } else { "at the latest from" };
        write!(f, "{}: {bound} block {}, in {} blocks", self.text, self.until, self.blocks())
    }
}

/// What taking a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done now.
    Done {
        /// What, in a sentence.
        text: String,
        /// The transactions that did it, in order.
        transactions: Vec<TxHash>,
    },
    /// It had been done, so nothing was sent.
    AlreadyDone(String),
    /// It cannot be done before some blocks have come; nothing was sent.
    Waiting(Wait),
}

impl Outcome {
    /// Whether something was sent.
    pub fn is_done_now(&self) -> bool {
        matches!(self, Self::Done { .. })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done { text, .. } | Self::AlreadyDone(text) => f.write_str(text),
            Self::Waiting(wait) => wait.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_comes_after_those_that_it_requires() {
        let down: Vec<Step> = [Step::LEAVE.as_slice(), &Step::WITHDRAW].concat();
        for steps in [Step::SET_UP.as_slice(), &down] {
            for (place, step) in steps.iter().enumerate() {
                assert!(step.requires().iter().all(|other| steps[..place].contains(other)), "{step}");
                assert_eq!(serde_json::to_value(step).unwrap(), step.name());
            }
        }
    }

    #[test]
    fn an_uncertain_wait_is_looked_at_again_with_each_block() {
        let wait = |exact| Wait { text: "x".into(), height: 10, until: 500, exact };
        assert_eq!((wait(true).next_look(), wait(false).next_look()), (500, 11));
        assert_eq!(Wait { until: 10, ..wait(true) }.next_look(), 11, "never the block that is there");
        assert!(wait(false).to_string().contains("at the latest from block 500, in 490 blocks"));
    }
}
