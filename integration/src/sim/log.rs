//! What happened, in order.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;
use tracing::Level;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

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

    /// Takes in what the actors of this thread log, until the guard is dropped.
    pub(super) fn follow_tracing(&self) -> DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::DEBUG)
            .with_ansi(false)
            .without_time()
            .with_writer(self.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }
}

/// One line of a log, as it is written.
#[derive(Debug)]
pub struct Line {
    log: EventLog,
    bytes: Vec<u8>,
}

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.log.add(String::from_utf8_lossy(&self.bytes).trim_end());
    }
}

impl<'a> MakeWriter<'a> for EventLog {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { log: self.clone(), bytes: Vec::new() }
    }
}
