//! Whether the chain is being followed, and goes on.

use std::time::Duration;

use crate::health::Health;

/// How many blocks may still have to be read.
const MOST_LAG: u64 = 16;

/// What the watcher knows of the chain.
#[derive(Debug, Clone)]
pub(super) struct Vitals {
    /// The last block that was read.
    pub(super) tip: Option<u64>,
    /// The endpoint's newest block.
    pub(super) head: Option<u64>,
    /// How old that block is by its time stamp.
    pub(super) age: Duration,
    /// For how long it has been the newest.
    pub(super) quiet: Duration,
    /// Why the endpoint was not followed the last time.
    pub(super) trouble: Option<String>,
}

/// How the watcher is. `stalled_after` is zero for a chain that may pause.
pub(super) fn judge(vitals: &Vitals, stalled_after: Duration) -> Health {
    let Vitals { tip, head, age, quiet, trouble } = vitals;
    let too_long = |time: &Duration| !stalled_after.is_zero() && *time > stalled_after;
    if let Some(trouble) = trouble {
        return Health::Down(format!("not following the chain: {trouble}"));
    }
    let (Some(tip), Some(head)) = (tip, head) else {
        return Health::Initializing("no block has been read yet".into());
    };
    if too_long(quiet) {
        let quiet = quiet.as_secs();
        return Health::Down(format!(
            "no new block for {quiet} s; does the endpoint still follow its network?"
        ));
    }
    if too_long(age) {
        let age = age.as_secs();
        return Health::Initializing(format!(
            "the endpoint's newest block is {age} s old; is it still syncing?"
        ));
    }
    match head.saturating_sub(*tip) {
        lag if lag > MOST_LAG => Health::Initializing(format!("{lag} blocks are still to be read")),
        _ => Health::Up,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(120);

    fn well() -> Vitals {
        let second = Duration::from_secs(1);
        Vitals { tip: Some(99), head: Some(100), age: second, quiet: second, trouble: None }
    }

    #[test]
    fn a_chain_that_goes_on_is_followed() {
        assert_eq!(judge(&well(), LIMIT), Health::Up);
    }

    #[test]
    fn an_endpoint_that_fails_or_stalls_is_down() {
        let trouble = Some("connection refused".to_owned());
        assert!(matches!(judge(&Vitals { trouble, ..well() }, LIMIT), Health::Down(_)));
        let quiet = LIMIT + Duration::from_secs(1);
        assert!(matches!(judge(&Vitals { quiet, ..well() }, LIMIT), Health::Down(_)));
    }

    #[test]
    fn a_chain_that_makes_blocks_on_demand_does_not_stall() {
        let hour = Duration::from_secs(3600);
        assert_eq!(judge(&Vitals { quiet: hour, age: hour, ..well() }, Duration::ZERO), Health::Up);
    }

    #[test]
    fn who_has_to_catch_up_is_initializing() {
        for behind in [
            Vitals { tip: None, head: None, ..well() },
            Vitals { tip: Some(99 - MOST_LAG), ..well() },
            Vitals { age: 2 * LIMIT, ..well() },
        ] {
            assert!(matches!(judge(&behind, LIMIT), Health::Initializing(_)), "{behind:?}");
        }
    }
}
