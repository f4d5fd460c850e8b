//! Sees what happens to real processes, and tells the ledger of invariants.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anzen_messages::chain::ChainBlock;
use tokio::sync::watch;

use super::report::Fault;
use crate::invariants::{Fact, Ledger, Moment, Terms};

/// Everybody's witness; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Witness(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ledger: Mutex<Ledger>,
    /// The first thing that does not hold.
    fault: watch::Sender<Option<Fault>>,
    /// The processes that are not at work.
    down: watch::Sender<BTreeSet<String>>,
    /// The network is at work: no block before is quiet.
    ready: AtomicBool,
    /// Something has disturbed the world since the last block.
    disturbed: AtomicBool,
    /// How many facts of each kind were judged.
    told: Mutex<BTreeMap<&'static str, usize>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Witness {
    pub(super) fn new(terms: Terms) -> Self {
        Self(Arc::new(Inner {
            ledger: Mutex::new(Ledger::new(terms)),
            fault: watch::Sender::new(None),
            down: watch::Sender::default(),
            ready: AtomicBool::new(false),
            disturbed: AtomicBool::new(true),
            told: Mutex::default(),
        }))
    }

    pub(super) fn now(&self) -> Moment {
        lock(&self.0.ledger).now()
    }

    /// Tells a fact. After the first violation nothing is judged any more.
    pub(super) fn tell(&self, fact: Fact) {
        if self.fault().is_some() {
            return;
        }
        *lock(&self.0.told).entry(kind(&fact)).or_default() += 1;
        if let Err(found) = lock(&self.0.ledger).tell(fact) {
            self.fails(found.into());
        }
    }

    /// What does not hold; whatever comes after the first is not kept.
    fn fails(&self, fault: Fault) {
        self.0.fault.send_if_modified(|first| {
            let is_first = first.is_none();
            if is_first {
                *first = Some(fault);
            }
            is_first
        });
    }

    /// The first thing that does not hold, if there is one.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.0.fault.borrow().clone()
    }

    /// The chain has a new block.
    pub(super) fn block(&self, block: ChainBlock) {
        let stormy = !self.0.ready.load(Ordering::Relaxed) || !self.0.down.borrow().is_empty();
        let quiet = !self.0.disturbed.swap(stormy, Ordering::Relaxed) && !stormy;
        self.tell(Fact::Block { block, transactions: Vec::new(), quiet });
    }

    /// Returns the first thing that does not hold, when there is one.
    pub(super) async fn broken(&self) -> Fault {
        let mut fault = self.0.fault.subscribe();
        let Ok(found) = fault.wait_for(Option::is_some).await else { std::future::pending().await };
        found.clone().unwrap_or_else(|| unreachable!("it has been waited for"))
    }

    /// How many facts of each kind were judged.
    pub(super) fn told(&self) -> BTreeMap<&'static str, usize> {
        lock(&self.0.told).clone()
    }

    /// The network is at work, and all blocks before were told: the next but one may be quiet.
    pub(super) fn is_ready(&self) {
        self.0.ready.store(true, Ordering::Relaxed);
    }

    /// The next block is not quiet.
    pub(super) fn disturb(&self) {
        self.0.disturbed.store(true, Ordering::Relaxed);
    }

    /// A process is not at work until [`Witness::is_back`].
    pub(super) fn is_down(&self, process: &str) {
        self.disturb();
        self.0.down.send_modify(|down| {
            down.insert(process.to_owned());
        });
    }

    pub(super) fn is_back(&self, process: &str) {
        self.0.down.send_modify(|down| {
            down.remove(process);
        });
    }

    /// A process has ended, as the network says in `line`: by itself, unless it was known to be down before.
    pub(super) fn has_ended(&self, process: &str, line: &str) {
        if !self.0.down.borrow().contains(process) {
            self.fails(Fault::Died(line.to_owned()));
        }
    }

    /// Returns when no process is down of which this `holds`.
    pub(super) async fn are_back(&self, holds: impl Fn(&str) -> bool) {
        let mut down = self.0.down.subscribe();
        // The sender is in this witness.
        let back = down.wait_for(|down| !down.iter().any(|process| holds(process)));
        let _ = super::soon("every process is back", back).await;
    }
}

fn kind(fact: &Fact) -> &'static str {
    match fact {
        Fact::Block { .. } => "blocks",
        Fact::Reorg { .. } => "reorgs",
        Fact::Truth { .. } => "answers computed by hand",
        Fact::Signed { .. } => "signed answers",
        Fact::SignedSomething { .. } => "signatures of anything else",
        Fact::Replied { .. } => "replies to submissions",
        Fact::Signatures { .. } => "collectors' disks",
        Fact::Broadcast { .. } => "broadcasts",
        Fact::Stored { .. } => "sizes of records",
        Fact::Evidence { .. } => "pieces of evidence",
        Fact::Unreadable { .. } => "records that cannot be read",
        Fact::Blamed { .. } => "accusations",
        Fact::Follows { .. } => "accounts of the chain",
        Fact::Believes { .. } => "beliefs about tasks",
    }
}
