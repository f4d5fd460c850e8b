//! When a process that has ended is started again. No I/O.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// Who ran for so long did not fail because of how it was started.
const STEADY: Duration = Duration::from_secs(10);
/// Who fails sooner so often in a row is given up.
const MOST_FAILURES: usize = 5;
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// How often a process has failed soon after its start, and how long to pause now. Who is killed or told to end by others
/// has not failed.
#[derive(Debug)]
pub(super) struct Restarts {
    pauses: ExponentialBackoff,
    failures: usize,
}

impl Restarts {
    pub(super) fn new() -> Self {
        Self { pauses: pauses(), failures: 0 }
    }

    /// The process ended after it `lasted`: the pause before it is started again, or nothing where it is given up.
    pub(super) fn after(&mut self, failed: bool, lasted: Duration) -> Option<Duration> {
        if !failed || lasted >= STEADY {
            *self = Self::new();
        }
        if !failed {
            return Some(SHORTEST_PAUSE);
        }
        self.failures += 1;
        self.pauses.next()
    }

    /// How often it has failed in a row.
    pub(super) fn failures(&self) -> usize {
        self.failures
    }
}

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(SHORTEST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_max_times(MOST_FAILURES - 1)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::from_millis(50);

    fn pause(restarts: &mut Restarts, failed: bool, lasted: Duration) -> Option<u64> {
        restarts.after(failed, lasted).map(|pause| u64::try_from(pause.as_millis()).unwrap())
    }

    #[test]
    fn pauses_grow_until_who_fails_at_once_is_given_up() {
        let mut restarts = Restarts::new();
        restarts.after(false, AT_ONCE);
        let pauses: Vec<_> = (0..5).map(|_| pause(&mut restarts, true, AT_ONCE)).collect();
        assert_eq!(pauses, [Some(250), Some(500), Some(1_000), Some(2_000), None]);
        assert_eq!(restarts.failures(), 5);
    }

    #[test]
    fn a_failure_after_a_while_is_the_first() {
        let mut restarts = Restarts::new();
        assert_eq!((0..3).filter_map(|_| restarts.after(true, AT_ONCE)).count(), 3);
        assert_eq!(pause(&mut restarts, true, STEADY), Some(250));
        assert_eq!(restarts.failures(), 1);
    }

    #[test]
    fn who_is_killed_again_and_again_is_never_given_up() {
        let mut restarts = Restarts::new();
        assert!((0..20).all(|_| pause(&mut restarts, false, AT_ONCE) == Some(250)));
        assert_eq!(restarts.failures(), 0);
    }
}
