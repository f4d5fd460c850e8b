//! When to try again: pauses that double, with chance in them so that peers do not return together.

use std::fmt::Display;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ports::{Rng, jittered};

/// Pauses between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// The first pause, in milliseconds.
    pub first_ms: u64,
    /// The longest pause, in milliseconds.
    pub longest_ms: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first_ms: 250, longest_ms: 5_000 }
    }
}

impl Backoff {
    /// The pause after so many failures in a row.
    pub fn pause(&self, rng: &dyn Rng, failures: u32) -> Duration {
        let doubled = doubled(self.first_ms, failures, self.longest_ms);
        jittered(rng, Duration::from_millis(doubled))
    }

    /// Asks until there is an answer. Each failure is logged, as `what` being waited for.
    pub async fn until_answered<T, E: Display>(
        &self,
        rng: &dyn Rng,
        what: &'static str,
        mut ask: impl AsyncFnMut() -> Result<T, E>,
    ) -> T {
        let mut pauses = Pauses::new(*self);
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(error) => tracing::warn!(%error, "waiting for {what}"),
            }
            tokio::time::sleep(pauses.next(rng)).await;
        }
    }
}

/// The pauses of one thing that is tried until it succeeds.
#[derive(Debug, Clone)]
pub(crate) struct Pauses {
    backoff: Backoff,
    failures: u32,
}

impl Pauses {
    pub(crate) fn new(backoff: Backoff) -> Self {
        Self { backoff, failures: 0 }
    }

    /// The pause after one more failure.
    pub(crate) fn next(&mut self, rng: &dyn Rng) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.backoff.pause(rng, self.failures)
    }

    /// It went well for `time`. What was lost at once does not start the pauses anew: the other end may take connections and
    /// drop them.
    pub(crate) fn lasted(&mut self, time: Duration) {
        if time >= Duration::from_millis(self.backoff.longest_ms) {
            self.failures = 0;
        }
    }
}

/// `first` after the first failure, twice that after the second, and so on; at most `longest`.
pub(crate) fn doubled(first: u64, failures: u32, longest: u64) -> u64 {
    let factor = 1u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
    first.saturating_mul(factor).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses: Vec<u64> = [0, 1, 2, 3, 4, 70].map(|failures| doubled(100, failures, 500)).to_vec();
        assert_eq!(pauses, [100, 100, 200, 400, 500, 500]);
    }

    /// The longest of what jitter allows.
    struct Longest;

    impl Rng for Longest {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(u8::MAX);
        }
    }

    #[test]
    fn only_what_lasted_starts_the_pauses_anew() {
        let mut pauses = Pauses::new(Backoff { first_ms: 100, longest_ms: 1_000 });
        let next = |pauses: &mut Pauses| pauses.next(&Longest).as_millis();
        assert_eq!([(); 6].map(|()| next(&mut pauses)), [100, 200, 400, 800, 1_000, 1_000]);
        pauses.lasted(Duration::from_millis(999));
        assert_eq!(next(&mut pauses), 1_000);
        pauses.lasted(Duration::from_secs(1));
        assert_eq!(next(&mut pauses), 100);
    }
}
