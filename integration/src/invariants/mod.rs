//! What must hold of Anzen whatever happens to it: the one place, in words and in code.
//!
//! A harness (the simulation, or chaos on real processes) tells a [`Ledger`] [`Fact`]s, each when it happens, and the ledger
//! answers with a [`Violation`] as soon as one of the [`Invariant`]s does not hold. Nothing here knows who tells: a fact may
//! come from a tap inside a simulated port, from a log line, a database or a chain. Facts that a harness cannot know it
//! leaves out; the invariants that need them are then not checked.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `fact.rs` | what a harness tells |
//! | `chain.rs` | the canonical chain, as the facts tell it |
//! | `ledger.rs` | takes facts in, keeps the first violation |
//! | `answers.rs` | I3, I7, I11: what the chain holds at last |
//! | `following.rs` | I6: what processes believe of the chain |
//! | `signing.rs` | I1, I5: what operators sign |
//! | `collecting.rs` | I2, I5: what aggregators acknowledge |
//! | `sending.rs` | I4, I5: what is broadcast |
//! | `blame.rs` | I9, I10: who is said to be at fault |
//! | `bounds.rs` | I8: how much is kept |

mod answers;
mod blame;
mod bounds;
mod chain;
mod collecting;
mod fact;
mod following;
mod ledger;
mod sending;
mod signing;
#[cfg(test)]
mod tests;

use std::fmt;

pub use fact::{Fact, Fault, MinedTx, Moment, View};
pub use ledger::{Ledger, Terms};

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// **I1.** An operator that runs Anzen's code signs at most one answer to a task (by the task's hash), whatever its
    /// endpoint tells it, however often it crashes, however the chain forks, and where its disk is put back to what it was
    /// before. Its key is applied to nothing that is no answer to a task that there ever was.
    OneAnswer,
    /// **I2.** A signature of one who follows the rules that was acknowledged is not lost while its task is on chain and can
    /// still be answered: it is among the collector's records on disk, and the same signature, sent again, is known to the
    /// collector and not taken as new.
    AcknowledgedIsKept,
    /// **I3.** At most one answer to a task takes effect on the canonical chain, it is to a task that is there, and it is the
    /// value that the model yields at the reference block (as long as liars hold less than the threshold).
    OneResponse,
    /// **I4.** Of the transactions that one key sends under one idempotency id, at most one succeeds on the canonical chain;
    /// and while no block of that chain has used the nonce of one of them, none with another nonce is handed to a node. (So
    /// one that reverted is sent again with another nonce only once no reorg undoes the revert.)
    OneTransaction,
    /// **I5.** Nothing leaves a process before what it rests on is on disk: no answer is signed without its record, no
    /// signature acknowledged, no transaction broadcast.
    DiskFirst,
    /// **I6.** When all is quiet, every process follows the canonical chain: its watcher's blocks and their events are those
    /// of the chain, to the newest; its collector knows the tasks that are open there; and no actor is at work on one that is
    /// not.
    OneChain,
    /// **I7.** A task is answered that could be: one that has been on chain for [`Terms::quiet_blocks`] quiet blocks within
    /// its window. A block is quiet where nothing disturbs the world and honest operators with the threshold of the stake,
    /// and an aggregator, have been at work since the block before.
    Answered,
    /// **I8.** What a process keeps is bounded by the tasks of late, the operators, and the configuration: nothing grows
    /// with time, and no operator makes it grow beyond its share. There are no records of a kind that is not known here.
    Bounded,
    /// **I9.** Evidence proves a fault to one who knows nothing else: two different answers to one task, each validly signed
    /// with the accused operator's key. So it names liars only. What cannot be read proves nothing.
    EvidenceHolds,
    /// **I10.** No operator that followed the rules is blamed: not for a bad signature, not for a second answer; and for
    /// another answer than the quorum's only where it was told other inputs, or who says so other operators.
    HonestNotBlamed,
    /// **I11.** Tasks go on being created: while all is quiet, there is none for [`Terms::task_blocks`] blocks at most.
    TasksCome,
}

impl Invariant {
    /// Every invariant.
    pub const ALL: [Self; 11] = [
        Self::OneAnswer,
        Self::AcknowledgedIsKept,
        Self::OneResponse,
        Self::OneTransaction,
        Self::DiskFirst,
        Self::OneChain,
        Self::Answered,
        Self::Bounded,
        Self::EvidenceHolds,
        Self::HonestNotBlamed,
        Self::TasksCome,
    ];

    /// Its short name and what it promises, in one line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OneAnswer => "I1: an operator signs at most one answer to a task",
            Self::AcknowledgedIsKept => "I2: an acknowledged signature is kept while its task is open",
            Self::OneResponse => "I3: at most one answer to a task takes effect, and it is the true one",
            Self::OneTransaction => "I4: one idempotency id has one effect",
            Self::DiskFirst => "I5: nothing leaves a process that is not on disk",
            Self::OneChain => "I6: everybody follows the canonical chain",
            Self::Answered => "I7: a task that could be answered is",
            Self::Bounded => "I8: what is kept is bounded",
            Self::EvidenceHolds => "I9: evidence holds alone and names liars only",
            Self::HonestNotBlamed => "I10: no honest operator is blamed",
            Self::TasksCome => "I11: while all is quiet, tasks come",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{invariant}: {what}")]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// What was seen.
    pub what: String,
}

impl Violation {
    fn new(invariant: Invariant, what: impl Into<String>) -> Self {
        Self { invariant, what: what.into() }
    }
}

/// The violation, unless `holds`.
fn require(holds: bool, invariant: Invariant, what: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation::new(invariant, what())) }
}
