//! Allowances that fill up again with time.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// How much is allowed at once, and how fast it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowance {
    /// The most at once.
    pub(super) burst: u32,
    /// After how long one more is allowed.
    pub(super) refill: Duration,
}

/// One allowance in use. Time is the time that the process has been up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bucket {
    /// When it will be full again.
    full_at: Duration,
}

impl Bucket {
    /// A full one.
    pub(super) fn full() -> Self {
        Self { full_at: Duration::ZERO }
    }

    /// Takes `count`, which may be more than a burst.
    ///
    /// # Errors
    /// How long to wait until there is as much; nothing was taken.
    pub(super) fn take(&mut self, allowance: Allowance, count: u32, now: Duration) -> Result<(), Duration> {
        let full_at = self.full_at.max(now) + allowance.refill * count;
        let latest = now + allowance.refill * allowance.burst.max(count);
        match full_at.checked_sub(latest) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                self.full_at = full_at;
                Ok(())
            }
        }
    }

    fn give_back(&mut self, allowance: Allowance) {
        self.full_at = self.full_at.saturating_sub(allowance.refill);
    }
}

/// What each may try, addresses or operators: a bucket for each that has none to spare, and for at most `most` of them.
#[derive(Debug)]
pub(super) struct Attempts<K> {
    allowance: Allowance,
    most: usize,
    buckets: BTreeMap<K, Bucket>,
}

impl<K: Ord + Copy> Attempts<K> {
    pub(super) fn new(allowance: Allowance, most: usize) -> Self {
        Self { allowance, most: most.max(1), buckets: BTreeMap::new() }
    }

    /// Takes one attempt of `who`.
    ///
    /// # Errors
    /// How long to wait until it has another.
    pub(super) fn take(&mut self, who: K, now: Duration) -> Result<(), Duration> {
        if !self.buckets.contains_key(&who) {
            self.make_room(now);
        }
        let bucket = self.buckets.entry(who).or_insert_with(Bucket::full);
        bucket.take(self.allowance, 1, now)
    }

    /// The attempt of `who` was a good one and does not count.
    pub(super) fn give_back(&mut self, who: K) {
        if let Some(bucket) = self.buckets.get_mut(&who) {
            bucket.give_back(self.allowance);
        }
    }

    /// Forgets those that are full; if that is none, the one that is full soonest.
    fn make_room(&mut self, now: Duration) {
        if self.buckets.len() < self.most {
            return;
        }
        self.buckets.retain(|_, bucket| bucket.full_at > now);
        if self.buckets.len() < self.most {
            return;
        }
        let soonest = self.buckets.iter().min_by_key(|(_, bucket)| bucket.full_at).map(|(who, _)| *who);
        if let Some(who) = soonest {
            self.buckets.remove(&who);
        }
    }
}

/// The address as one customer has it: all of IPv4, and of IPv6 the first 64 bits.
pub(super) fn whose(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCE: Allowance = Allowance { burst: 3, refill: Duration::from_secs(2) };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn address(text: &str) -> IpAddr {
        whose(text.parse().unwrap())
    }

    #[test]
    fn a_burst_and_then_one_by_one() {
        let mut bucket = Bucket::full();
        for _ in 0..3 {
            assert_eq!(bucket.take(ALLOWANCE, 1, at(10)), Ok(()));
        }
        assert_eq!(bucket.take(ALLOWANCE, 1, at(11)), Err(at(1)));
        assert_eq!(bucket.take(ALLOWANCE, 1, at(12)), Ok(()));
        assert_eq!(bucket.take(ALLOWANCE, 1, at(12)), Err(at(2)));
    }

    #[test]
    fn more_than_a_burst_waits_for_a_full_bucket() {
        let mut bucket = Bucket::full();
        assert_eq!(bucket.take(ALLOWANCE, 5, at(10)), Ok(()));
        assert_eq!(bucket.take(ALLOWANCE, 5, at(10)), Err(at(10)));
        assert_eq!(bucket.take(ALLOWANCE, 5, at(20)), Ok(()));
    }

    #[test]
    fn addresses_do_not_share_an_allowance_but_a_customers_do() {
        let mut attempts = Attempts::new(ALLOWANCE, 100);
        for last in 1..=3 {
            assert_eq!(attempts.take(address(&format!("2001:db8::{last}")), at(1)), Ok(()));
        }
        assert!(attempts.take(address("2001:db8::ffff"), at(1)).is_err());
        assert!(attempts.take(address("2001:db8:0:1::1"), at(1)).is_ok());
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
    }

    #[test]
    fn an_attempt_that_was_given_back_does_not_count() {
        let mut attempts = Attempts::new(ALLOWANCE, 100);
        for _ in 0..20 {
            assert_eq!(attempts.take(address("10.0.0.1"), at(1)), Ok(()));
            attempts.give_back(address("10.0.0.1"));
        }
    }

    #[test]
    fn strangers_without_number_do_not_fill_the_memory() {
        let mut attempts = Attempts::new(ALLOWANCE, 4);
        for last in 0..=255u8 {
            assert_eq!(attempts.take(IpAddr::from([10, 0, 0, last]), at(1)), Ok(()));
            assert!(attempts.buckets.len() <= 4);
        }
    }
}
