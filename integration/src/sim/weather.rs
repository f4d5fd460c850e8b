//! How the world treats one process, whichever life it is in.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::chain::SimChain;
use super::fork::Fork;

/// What a process's endpoint sees of the chain.
#[derive(Debug, Clone, Default)]
pub(super) enum View {
    /// The chain as it is.
    #[default]
    Good,
    /// The chain without its newest blocks.
    Behind(usize),
    /// Some blocks and never another: after a reorg, a fork that is nobody else's. What is sent to it goes nowhere.
    Frozen(Fork),
    /// Everything, but it does not always say so: wrong inputs (which lie, of [`super::model::LIES`]), and in every second case
    /// what is in `lies.rs`.
    Lies(u64),
    /// Nothing, and it takes its time to.
    Stalled,
    /// Nothing.
    Dead,
}

#[derive(Debug, Default)]
struct State {
    view: View,
    failure_percent: u64,
}

/// What has been done to a process.
#[derive(Debug, Default)]
pub(super) struct Weather(Mutex<State>);

impl Weather {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn view(&self) -> View {
        self.lock().view.clone()
    }

    pub(super) fn set_view(&self, view: View) {
        self.lock().view = view;
    }

    pub(super) fn failure_percent(&self) -> u64 {
        self.lock().failure_percent
    }

    pub(super) fn set_failure_percent(&self, percent: u64) {
        self.lock().failure_percent = percent;
    }

    /// Which lie is told about a block's inputs; 0: none.
    pub(super) fn lie(&self) -> u64 {
        match self.lock().view {
            View::Lies(lie) => lie,
            _ => 0,
        }
    }

    /// The blocks that the endpoint sees, where it sees any.
    pub(super) fn see(&self, chain: &SimChain) -> Option<Fork> {
        match self.view() {
            View::Good | View::Lies(_) => Some(chain.fork()),
            View::Behind(blocks) => Some(chain.fork().behind(blocks)),
            View::Frozen(fork) => Some(fork),
            View::Stalled | View::Dead => None,
        }
    }
}
