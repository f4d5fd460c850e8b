//! What happened, in order.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

/// Lines with the simulated time. Two runs of one seed have equal logs.
#[derive(Debug, Clone)]
pub struct EventLog {
    start: Instant,
    lines: Arc<Mutex<Vec<String>>>,
}

impl EventLog {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), lines: Arc::default() }
    }

    pub(super) fn add(&self, what: impl fmt::Display) {
        let line = format!("{:>9.3} {what}", self.start.elapsed().as_secs_f64());
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
