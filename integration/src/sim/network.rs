//! Messages between processes: lost, late, duplicated, out of order; and not at all where the network is cut.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anzen_actors::bus::Dispatcher;
use tokio::sync::mpsc;

/// How bad the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    /// How many of a hundred messages, and how many of a hundred replies, are lost.
    pub loss_percent: u64,
    /// How many of a hundred messages arrive twice, the second time up to a minute later.
    pub duplicate_percent: u64,
    /// The longest that a message is under way, in milliseconds; so later ones overtake it.
    pub longest_delay_ms: u64,
}

impl Faults {
    /// A good network.
    pub const NONE: Self = Self { loss_percent: 0, duplicate_percent: 0, longest_delay_ms: 50 };
}

/// The process at the other end: what it takes, while it runs.
#[derive(Clone, Default)]
pub(super) struct Peer(Arc<Mutex<Option<Dispatcher>>>);

impl Peer {
    pub(super) fn up(&self, dispatcher: Dispatcher) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(dispatcher);
    }

    pub(super) fn down(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn dispatcher(&self) -> Option<Dispatcher> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The network; cheap to clone.
#[derive(Clone)]
pub(super) struct Net {
    state: Arc<Mutex<State>>,
    couriers: mpsc::UnboundedSender<Work>,
}

struct State {
    faults: Faults,
    /// The operators and aggregators, by number, between which nothing passes.
    cuts: BTreeSet<(usize, usize)>,
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Net")
    }
}

impl Net {
    /// The network, with couriers that are nobody's: what is under way arrives although its sender has crashed meanwhile.
    pub(super) fn new() -> Self {
        let (couriers, mut work) = mpsc::unbounded_channel::<Work>();
        actix::spawn(async move {
            while let Some(job) = work.recv().await {
                actix::spawn(job);
            }
        });
        let state = State { faults: Faults::NONE, cuts: BTreeSet::new() };
        Self { state: Arc::new(Mutex::new(state)), couriers }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn faults(&self) -> Faults {
        self.lock().faults
    }

    pub(super) fn weather(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// Cuts the way between an operator and an aggregator, or mends it.
    pub(super) fn cut(&self, operator: usize, aggregator: usize, cut: bool) {
        let mut state = self.lock();
        if cut {
            state.cuts.insert((operator, aggregator));
        } else {
            state.cuts.remove(&(operator, aggregator));
        }
    }

    pub(super) fn mend(&self) {
        self.lock().cuts.clear();
    }

    pub(super) fn is_cut(&self, operator: usize, aggregator: usize) -> bool {
        self.lock().cuts.contains(&(operator, aggregator))
    }

    /// Has a courier do it, after a while.
    pub(super) fn send(&self, after: Duration, job: impl Future<Output = ()> + Send + 'static) {
        let work = async move {
            tokio::time::sleep(after).await;
            job.await;
        };
        // The couriers live as long as the run.
        let _ = self.couriers.send(Box::pin(work));
    }
}
