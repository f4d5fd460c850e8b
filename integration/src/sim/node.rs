//! One machine: its disk, its endpoint, and the process that runs on it, one life after the other.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use anzen_actors::node::NodeMetrics;

use super::network::Peer;
use super::process::Process;
use super::store::Disk;
use super::weather::Weather;

/// Which machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The aggregator with this number.
    Aggregator(usize),
    /// The operator with this number.
    Operator(usize),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aggregator(number) => write!(f, "aggregator {number}"),
            Self::Operator(number) => write!(f, "operator {number}"),
        }
    }
}

/// What outlives the processes of a machine; cheap to clone.
#[derive(Clone)]
pub(super) struct Machine {
    pub(super) who: Who,
    pub(super) disk: Disk,
    pub(super) weather: Arc<Weather>,
    /// Where the others reach it.
    pub(super) peer: Peer,
    metrics: Arc<Mutex<NodeMetrics>>,
}

impl Machine {
    pub(super) fn new(who: Who) -> Self {
        Self {
            who,
            disk: Disk::default(),
            weather: Arc::default(),
            peer: Peer::default(),
            metrics: Arc::default(),
        }
    }

    /// The metrics of the process that runs, or ran last.
    pub(super) fn metrics(&self) -> NodeMetrics {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn new_metrics(&self) -> NodeMetrics {
        let fresh = NodeMetrics::default();
        *self.metrics.lock().unwrap_or_else(PoisonError::into_inner) = fresh.clone();
        fresh
    }
}

/// A machine and its process.
pub(super) struct Node {
    pub(super) machine: Machine,
    pub(super) process: Option<Process>,
    /// How many processes there were.
    pub(super) lives: u64,
}
