//! The machine's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::ports::{Clock, UnixMillis};

/// The time of day as the operating system has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_later_than_this_was_written() {
        assert!(SystemClock.now().seconds() > 1_700_000_000);
    }
}
