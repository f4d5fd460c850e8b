//! What is told at the end, in plain words.

use std::fmt;
use std::path::PathBuf;

use super::observer::Seen;
use super::terms::{QUIET_BLOCKS, response_window};
use super::world::World;
use crate::invariants::Violation;

/// What happened, where all is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    title: String,
    lines: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        self.lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// What does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An invariant.
    #[error("{0}")]
    Violation(#[from] Violation),
    /// A process that nobody killed has ended.
    #[error("a process ended by itself: {0}")]
    Died(String),
    /// The store of a process that was stopped.
    #[error("a store is damaged: {0}")]
    Damaged(String),
    /// A task waited longer than it may.
    #[error(
        "task {index}, created in block {created}, waited {delay} blocks for its answer during {flood}; {most} are allowed"
    )]
    Slow {
        /// Its index.
        index: u32,
        /// The block of its creation.
        created: u64,
        /// Blocks until its answer.
        delay: u64,
        /// What the flood was.
        flood: String,
        /// One more than without a flood.
        most: u64,
    },
    /// A process took too much memory.
    #[error("{process} grew from {before} to {peak} KiB during {flood}; {most} KiB more are allowed")]
    Grew {
        /// Which.
        process: String,
        /// Its memory before, in KiB.
        before: u64,
        /// The most that it had, in KiB.
        peak: u64,
        /// What the flood was.
        flood: String,
        /// By how much it may grow, in KiB.
        most: u64,
    },
    /// The reorgs, though there were many, did not have the effect that is to be survived.
    #[error(
        "no index was given to a second task by any reorg, so nothing was shown; try another seed, or more reorgs"
    )]
    NothingReused,
}

/// What does not hold, and what is left to look at.
#[derive(Debug, thiserror::Error)]
#[error("{fault}\n\nthe last lines of the network:\n{said}\n\neverything is kept in {}", folder.display())]
pub struct Failure {
    /// What does not hold.
    pub fault: Fault,
    said: String,
    /// Where all files of the network are kept.
    pub folder: PathBuf,
}

impl Failure {
    pub(super) fn of(fault: impl Into<Fault>, world: World) -> Self {
        Self { fault: fault.into(), said: world.said(), folder: world.keep() }
    }
}

impl Report {
    pub(super) fn new(title: String) -> Self {
        Self { title, lines: Vec::new() }
    }

    pub(super) fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Tells of the tasks and of what was checked, and stops the network.
    pub(super) async fn finish(mut self, mut world: World) -> Result<Self, Failure> {
        let tally = world.tally();
        let (created, answered) = (tally.tasks.len(), tally.answered());
        let open = |task: &&Seen| task.answered.is_none() && tally.head <= task.created + response_window();
        let open = tally.tasks.values().filter(open).count();
        self.say(format!(
            "tasks: {created} created, {answered} answered, {open} open at the end, {} over without an answer (none had \
             {QUIET_BLOCKS} quiet blocks in a row)",
            created - answered - open
        ));
        if let Some((slowest, delay)) = tally.slowest().and_then(|task| Some((task, task.delay()?))) {
            self.say(format!("the slowest answer: task {}, after {delay} blocks", slowest.index));
        }
        let told = world.witness.told();
        let told: Vec<String> = told.iter().map(|(kind, times)| format!("{times} {kind}")).collect();
        self.say(format!("no invariant was violated by {}", told.join(", ")));
        match world.end().await.into_iter().next() {
            None => Ok(self),
            Some(damaged) => Err(Failure::of(Fault::Damaged(damaged), world)),
        }
    }
}
