//! Whether a subscription tells of the blocks that polling sees: no I/O and no clock.

/// By how many blocks polling may be ahead before a subscription counts as silent.
const TOLERATED: u64 = 2;

/// What one subscription after the other has told of.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    state: State,
    /// The newest block that any has told of.
    newest: u64,
    /// The newest block that has already been a reason to look at once. The other endpoint may be behind: then it is polled,
    /// and not asked without a pause until it catches up.
    looked_for: u64,
    /// The latest one has told of a block.
    told: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There is none at the moment.
    #[default]
    Down,
    /// There is one, which has not told of a block yet; polling saw this one first since.
    Made(Option<u64>),
    /// It tells of blocks; this was the last.
    Tells(u64),
}

impl Hearing {
    /// A subscription was made.
    pub(super) fn subscribed(&mut self) {
        (self.state, self.told) = (State::Made(None), false);
    }

    /// It has ended, or could not be made. True where it had told of a block.
    pub(super) fn ended(&mut self) -> bool {
        self.state = State::Down;
        std::mem::take(&mut self.told)
    }

    /// It tells of a block. True for its first.
    pub(super) fn told(&mut self, number: u64) -> bool {
        (self.newest, self.told) = (number, true);
        !matches!(std::mem::replace(&mut self.state, State::Tells(number)), State::Tells(_))
    }

    /// Polling saw a block. True where the subscription should have told of blocks, and did not: it is over then.
    pub(super) fn polled(&mut self, number: u64) -> bool {
        let heard = match &mut self.state {
            State::Down => return false,
            State::Made(first) => *first.get_or_insert(number),
            State::Tells(last) => *last,
        };
        let is_silent = number >= heard.saturating_add(TOLERATED);
        if is_silent {
            self.state = State::Down;
        }
        is_silent
    }

    /// True where it tells of blocks and there is none after `known`, so that there is time. Nothing where it has told of one:
    /// that is a reason to look at once, and each block is one once.
    pub(super) fn is_up_to_date(&mut self, known: u64) -> Option<bool> {
        let knows_more = self.newest > known;
        if knows_more && std::mem::replace(&mut self.looked_for, self.newest) != self.newest {
            return None;
        }
        Some(!knows_more && matches!(self.state, State::Tells(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscribed() -> Hearing {
        let mut hearing = Hearing::default();
        hearing.subscribed();
        hearing
    }

    #[test]
    fn one_that_falls_silent_is_noticed_once() {
        let mut hearing = subscribed();
        assert!(hearing.told(100) && !hearing.told(101));
        assert!(!hearing.polled(102));
        assert_eq!(hearing.is_up_to_date(101), Some(true));
        assert!(hearing.polled(103));
        assert_eq!(hearing.is_up_to_date(101), Some(false));
        assert!(!hearing.polled(104), "it is over already");
        assert!(hearing.ended() && !hearing.ended(), "it had told of blocks before");
    }

    #[test]
    fn one_that_is_silent_from_the_start_is_noticed() {
        let mut hearing = subscribed();
        assert!(!hearing.polled(100) && !hearing.polled(101) && hearing.polled(102));
        assert!(!hearing.ended(), "it has told of nothing");
    }

    #[test]
    fn while_there_are_no_blocks_silence_is_right() {
        let mut hearing = subscribed();
        hearing.told(100);
        assert!((0..1_000).all(|_| !hearing.polled(100)));
    }

    /// The next subscription may be at a node that is behind, or on another fork.
    #[test]
    fn the_next_one_is_not_measured_by_the_one_before() {
        let mut hearing = subscribed();
        hearing.told(500);
        assert!(hearing.ended());
        hearing.subscribed();
        hearing.told(100);
        assert!(!hearing.polled(101) && hearing.polled(102));
    }

    #[test]
    fn each_block_is_a_reason_to_look_once() {
        let mut hearing = subscribed();
        hearing.told(100);
        assert_eq!(hearing.is_up_to_date(99), None);
        assert_eq!(hearing.is_up_to_date(99), Some(false), "the other endpoint is behind");
        assert_eq!(hearing.is_up_to_date(100), Some(true));
    }
}
