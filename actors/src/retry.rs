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
        let mut failures = 0;
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(error) => tracing::warn!(%error, "waiting for {what}"),
            }
            failures += 1;
            tokio::time::sleep(self.pause(rng, failures)).await;
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
}
