//! How many blocks one query of logs covers: what is configured, less where the provider wants less, and more again.

/// After how many ranges in a row that were answered in full a longer one is tried.
const TRIED_AFTER: u32 = 8;
/// After how many of them a length that was refused is tried again: the blocks there may have had more logs than others.
const TRUSTED_AFTER: u32 = 128;

/// The range of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogRange {
    most: u64,
    now: u64,
    /// The shortest range that was refused lately.
    refused: Option<u64>,
    in_full: u32,
}

impl LogRange {
    /// At most `most` blocks.
    pub(super) fn new(most: u64) -> Self {
        let most = most.max(1);
        Self { most, now: most, refused: None, in_full: 0 }
    }

    /// How many blocks to ask for.
    pub(super) fn get(&self) -> u64 {
        self.now
    }

    /// A range of so many blocks was answered.
    pub(super) fn answered(&mut self, blocks: u64) {
        if blocks < self.now || self.now == self.most {
            return;
        }
        self.in_full += 1;
        if self.refused.is_some() && self.in_full >= TRUSTED_AFTER {
            self.refused = None;
        }
        let longer = (self.now + (self.now / 2).max(1)).min(self.most);
        let longer = self.refused.map_or(longer, |refused| longer.min(refused.saturating_sub(1)));
        if longer > self.now && self.in_full >= TRIED_AFTER {
            self.now = longer;
            self.in_full = 0;
        }
    }

    /// A range of so many blocks was too long; the provider may have said what it wants. Returns how many to ask for now.
    pub(super) fn refused(&mut self, blocks: u64, message: &str) -> u64 {
        let fewer = suggested(message).filter(|wanted| (1..blocks).contains(wanted));
        let fewer = fewer.unwrap_or(blocks / 2).max(1);
        self.refused = Some(self.refused.map_or(blocks, |refused| refused.min(blocks)));
        self.now = self.now.min(fewer);
        self.in_full = 0;
        fewer
    }

    /// A range of so many blocks was not answered in time: the next one is shorter, and grows again without delay, since a
    /// node that is slow now need not be slow for good. Returns how many to ask for now.
    pub(super) fn timed_out(&mut self, blocks: u64) -> u64 {
        let fewer = (blocks / 2).max(1);
        self.now = self.now.min(fewer);
        self.in_full = 0;
        fewer
    }
}

/// The length of the range that some providers propose: "try with this block range [0x10, 0x1f]".
fn suggested(message: &str) -> Option<u64> {
    let (_, range) = message.split_once('[')?;
    let (range, _) = range.split_once(']')?;
    let (from, to) = range.split_once(',')?;
    let number = |text: &str| u64::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok();
    number(to)?.checked_sub(number(from)?)?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_range_that_is_too_long_is_halved_or_what_the_provider_proposes() {
        let mut range = LogRange::new(1_000);
        assert_eq!((range.refused(1_000, "exceed maximum block range"), range.get()), (500, 500));
        let message = "query returned more than 10000 results. Try with this block range [0x100, 0x13f].";
        assert_eq!((range.refused(500, message), range.get()), (64, 64));
        assert_eq!(range.refused(64, "try [0x0, 0xffff]"), 32, "no sense in that");
        for message in ["", "[", "[]", "[0x5, 0x1]", "[0x0, 0xffffffffffffffff]", "[zz, 0x1]", "[0x1 0x2]"] {
            assert_eq!(suggested(message), None, "{message}");
        }
    }

    #[test]
    fn it_grows_again_up_to_what_was_refused_and_later_beyond() {
        let mut range = LogRange::new(100);
        range.refused(100, "");
        (0..TRIED_AFTER).for_each(|_| range.answered(50));
        assert_eq!(range.get(), 75);
        (0..TRIED_AFTER).for_each(|_| range.answered(75));
        assert_eq!(range.get(), 99, "100 was refused");
        (0..TRUSTED_AFTER).for_each(|_| range.answered(99));
        assert_eq!(range.get(), 100);
    }

    #[test]
    fn a_timeout_shortens_it_and_is_no_limit() {
        let mut range = LogRange::new(100);
        assert_eq!((range.timed_out(100), range.timed_out(50), range.timed_out(1)), (50, 25, 1));
        (0..20 * TRIED_AFTER).for_each(|_| range.answered(range.get()));
        assert_eq!(range.get(), 100);
    }

    #[test]
    fn short_ranges_tell_nothing() {
        let mut range = LogRange::new(100);
        range.refused(100, "");
        (0..1_000).for_each(|_| range.answered(1));
        assert_eq!(range.get(), 50);
    }

    proptest! {
        /// Whatever the provider's limit, it is found, and little is asked in vain.
        #[test]
        fn a_limit_is_found(most in 1..5_000u64, limit in 1..5_000u64) {
            let mut range = LogRange::new(most);
            let mut in_vain = 0;
            for _ in 0..2_000 {
                let asked = range.get();
                prop_assert!((1..=most).contains(&asked));
                if asked > limit {
                    in_vain += 1;
                    range.refused(asked, "too large");
                } else {
                    range.answered(asked);
                }
            }
            prop_assert!(range.get() * 3 >= limit.min(most), "{range:?}");
            prop_assert!(in_vain <= 13 + 2_000 / TRIED_AFTER, "{in_vain}");
        }
    }
}
