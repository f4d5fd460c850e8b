//! The time of day. To wait, actors use tokio's timers, which a simulation pauses.

/// Milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// Whole seconds since 1970, as the chain counts.
    pub fn seconds(self) -> u64 {
        self.0 / 1000
    }
}

/// A clock that can be read.
pub trait Clock: Send + Sync {
    /// Now. May jump; use it for time stamps and expiry, never to order events.
    fn now(&self) -> UnixMillis;
}
