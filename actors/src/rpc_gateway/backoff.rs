//! How long to wait before a connection is tried again.

use std::time::Duration;

/// The pause after a first failure.
const SHORTEST: Duration = Duration::from_millis(100);

/// Pauses that double until they are long enough. The caller adds the jitter.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    pub(super) fn new(longest: Duration) -> Self {
        Self { next: SHORTEST.min(longest), longest }
    }

    /// The pause after one more failure.
    pub(super) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        pause
    }

    /// A connection was there for a while. One that was lost at once does not start the pauses anew: the other end may
    /// take connections and drop them.
    pub(super) fn lasted(&mut self, time: Duration) {
        if time >= self.longest {
            self.next = SHORTEST.min(self.longest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut backoff = Backoff::new(Duration::from_secs(1));
        let pauses: Vec<_> = (0..6).map(|_| backoff.pause().as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1000, 1000]);
    }

    #[test]
    fn only_a_connection_that_lasted_starts_them_anew() {
        let mut backoff = Backoff::new(Duration::from_secs(1));
        backoff.pause();
        backoff.lasted(Duration::from_millis(10));
        assert_eq!(backoff.pause().as_millis(), 200);
        backoff.lasted(Duration::from_secs(1));
        assert_eq!(backoff.pause().as_millis(), 100);
    }
}
