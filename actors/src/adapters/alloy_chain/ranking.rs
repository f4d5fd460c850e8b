//! Which of several endpoints is asked first: no I/O and no clock.

use std::time::Duration;

/// The pause after the first failure, before an endpoint is tried again; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// For how long one that is back is asked only where those without a failure are not.
const PROBATION: Duration = Duration::from_secs(60);
/// By how many blocks an endpoint may be behind the others.
const TOLERATED: u64 = 3;
/// No chain grows by more blocks in a second.
const MOST_PER_SECOND: u64 = 20;

/// How serious a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gravity {
    /// It may pass.
    Passing,
    /// It serves another chain: somebody has to do something about it.
    Lasting,
}

/// What is known of one endpoint. Times are since the start.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    /// Failures in a row.
    failures: u32,
    /// Before that, it is asked only where there is no other.
    retry_at: Duration,
    /// Before that, others that are well go first.
    trusted_from: Duration,
    /// How many blocks it was behind the others the last time that they were compared.
    lag: u64,
    /// The newest block that it was believed to have, and when that was.
    head: Option<(u64, Duration)>,
    /// It was ahead of all others, beyond belief.
    strays: bool,
}

/// The order in which endpoints are asked: as they are configured, but those that lag behind, are ahead beyond belief or fail
/// last.
#[derive(Debug, Clone)]
pub(super) struct Ranking {
    endpoints: Vec<Standing>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    Well,
    OnProbation,
    Lagging,
    Straying,
    Failing(Duration),
}

impl Standing {
    /// True where no chain grows so fast as this endpoint's head would have. One that was never asked may say anything.
    fn jumps_to(&self, head: u64, now: Duration) -> bool {
        self.head.is_some_and(|(before, at)| {
            let passed = now.saturating_sub(at).as_secs().saturating_add(1);
            head > before.saturating_add(passed.saturating_mul(MOST_PER_SECOND)).saturating_add(TOLERATED)
        })
    }

    fn is_usable(&self) -> bool {
        self.failures == 0 && self.lag <= TOLERATED && !self.strays
    }

    fn tier(&self, now: Duration) -> Tier {
        if self.failures > 0 {
            Tier::Failing(self.retry_at)
        } else if self.strays {
            Tier::Straying
        } else if self.lag > TOLERATED {
            Tier::Lagging
        } else if now < self.trusted_from {
            Tier::OnProbation
        } else {
            Tier::Well
        }
    }
}

impl Ranking {
    pub(super) fn new(endpoints: usize) -> Self {
        Self { endpoints: vec![Standing::default(); endpoints] }
    }

    /// All endpoints, the one to ask first first.
    pub(super) fn order(&self, now: Duration) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.endpoints.len()).collect();
        order.sort_by_key(|index| self.endpoints.get(*index).map(|standing| standing.tier(now)));
        order
    }

    /// True where an endpoint answers, and is neither behind the others nor beyond belief.
    pub(super) fn is_usable(&self, endpoint: usize) -> bool {
        self.endpoints.get(endpoint).is_some_and(Standing::is_usable)
    }

    /// By how many blocks it is behind.
    pub(super) fn lag(&self, endpoint: usize) -> u64 {
        self.endpoints.get(endpoint).map_or(0, |standing| standing.lag)
    }

    /// True where it is time to see whether an endpoint answers.
    pub(super) fn is_due(&self, endpoint: usize, now: Duration) -> bool {
        self.endpoints
            .get(endpoint)
            .is_some_and(|standing| standing.failures == 0 || standing.retry_at <= now)
    }

    /// An endpoint has answered. True where it had failed before.
    pub(super) fn answered(&mut self, endpoint: usize, now: Duration) -> bool {
        let Some(standing) = self.endpoints.get_mut(endpoint) else { return false };
        let is_back = std::mem::take(&mut standing.failures) > 0;
        if is_back {
            standing.trusted_from = now + PROBATION;
        }
        is_back
    }

    /// An endpoint has failed. True where it had not before. Of several questions that fail together one counts.
    pub(super) fn failed(&mut self, endpoint: usize, now: Duration, gravity: Gravity) -> bool {
        let Some(standing) = self.endpoints.get_mut(endpoint) else { return false };
        if standing.failures > 0 && now < standing.retry_at {
            return false;
        }
        standing.failures = standing.failures.saturating_add(1);
        let doubled = FIRST_PAUSE.saturating_mul(1 << (standing.failures - 1).min(16));
        let pause = if gravity == Gravity::Lasting { LONGEST_PAUSE } else { doubled.min(LONGEST_PAUSE) };
        standing.retry_at = now + pause;
        standing.failures == 1
    }

    /// The newest blocks of several endpoints, asked at one time. Nobody lags behind an endpoint that alone has come so far, where
    /// that is farther than a chain grows: it is asked last, until another is there too or enough time has passed. Each is
    /// measured by what it said before, and not by the others, which may all be stuck.
    pub(super) fn compared(&mut self, heads: &[(usize, u64)], now: Duration) {
        let mut highest: Vec<(usize, u64)> = heads.to_vec();
        highest.sort_by_key(|(_, head)| *head);
        while let Some((endpoint, head)) = highest.pop() {
            let next = highest.last().map_or(head, |(_, next)| *next);
            let alone = head.saturating_sub(next) > TOLERATED;
            let Some(standing) = self.endpoints.get_mut(endpoint) else { continue };
            standing.strays = alone && standing.jumps_to(head, now);
            if !standing.strays {
                highest.push((endpoint, head));
                break;
            }
            standing.lag = 0;
        }
        let Some((_, newest)) = highest.last().copied() else { return };
        for (endpoint, head) in highest {
            if let Some(standing) = self.endpoints.get_mut(endpoint) {
                standing.lag = newest.saturating_sub(head);
                (standing.strays, standing.head) = (false, Some((head, now)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn they_are_asked_as_they_are_configured() {
        assert_eq!(Ranking::new(3).order(at(0)), [0, 1, 2]);
    }

    #[test]
    fn one_that_fails_is_asked_last_until_it_is_back_for_a_while() {
        let mut ranking = Ranking::new(3);
        assert!(ranking.failed(0, at(10), Gravity::Passing));
        assert_eq!(ranking.order(at(10)), [1, 2, 0]);
        assert!(!ranking.is_due(0, at(10)) && ranking.is_due(0, at(11)));
        assert!(ranking.answered(0, at(11)));
        assert_eq!(ranking.order(at(70)), [1, 2, 0], "it may fail again");
        assert_eq!(ranking.order(at(71)), [0, 1, 2]);
    }

    #[test]
    fn one_that_goes_on_failing_is_tried_more_and_more_seldom() {
        let mut ranking = Ranking::new(1);
        let (mut now, mut pauses) = (at(0), Vec::new());
        for _ in 0..9 {
            ranking.failed(0, now, Gravity::Passing);
            assert!(!ranking.failed(0, now, Gravity::Passing), "it was asked several things at once");
            let begin = now;
            while !ranking.is_due(0, now) {
                now += at(1);
            }
            pauses.push((now - begin).as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn of_those_that_fail_the_one_whose_turn_comes_first_is_asked_first() {
        let mut ranking = Ranking::new(3);
        ranking.failed(0, at(0), Gravity::Lasting);
        ranking.failed(1, at(5), Gravity::Passing);
        ranking.failed(2, at(1), Gravity::Passing);
        assert_eq!(ranking.order(at(6)), [2, 1, 0]);
    }

    #[test]
    fn one_that_lags_behind_is_left_and_taken_again() {
        let mut ranking = Ranking::new(2);
        ranking.compared(&[(0, 100), (1, 103)], at(0));
        assert_eq!(ranking.order(at(0)), [0, 1]);
        ranking.compared(&[(0, 100), (1, 104)], at(0));
        assert_eq!((ranking.order(at(0)), ranking.is_usable(0), ranking.lag(0)), (vec![1, 0], false, 4));
        ranking.failed(1, at(0), Gravity::Passing);
        assert_eq!(ranking.order(at(0)), [0, 1], "better late than never");
        ranking.compared(&[(0, 105)], at(0));
        assert!(ranking.is_usable(0));
    }

    #[test]
    fn nobody_lags_behind_a_head_that_one_alone_sees_beyond_belief() {
        let mut ranking = Ranking::new(2);
        ranking.compared(&[(0, 1_000_000), (1, 100)], at(0));
        assert_eq!(ranking.order(at(0)), [0, 1], "at first nobody knows which is right");
        let mut ranking = Ranking::new(2);
        ranking.compared(&[(0, 100), (1, 100)], at(0));
        ranking.compared(&[(0, 1_000_000), (1, 101)], at(10));
        assert_eq!(
            (ranking.order(at(10)), ranking.is_usable(0), ranking.is_usable(1)),
            (vec![1, 0], false, true)
        );
        ranking.compared(&[(0, 1_000_001), (1, 102)], at(20));
        assert_eq!(ranking.order(at(20)), [1, 0], "nor is that believed later");
        ranking.compared(&[(0, 103), (1, 103)], at(30));
        assert_eq!(ranking.order(at(30)), [0, 1]);
        ranking.compared(&[(0, 103), (1, 800)], at(330));
        assert_eq!(
            ranking.order(at(330)),
            [1, 0],
            "so far a chain may come in five minutes, and the first lags"
        );
        let mut ranking = Ranking::new(3);
        ranking.compared(&[(0, 100), (1, 100), (2, 101)], at(0));
        ranking.compared(&[(0, 2_000_000), (1, 1_000_000), (2, 101)], at(10));
        assert_eq!(
            (ranking.order(at(10)), ranking.is_usable(2)),
            (vec![2, 0, 1], true),
            "nor behind several"
        );
    }

    #[test]
    fn those_that_are_stuck_do_not_outvote_the_one_that_is_not() {
        let mut ranking = Ranking::new(3);
        for minute in 0..20 {
            ranking.compared(&[(0, 5_000 + 300 * minute), (1, 1_000), (2, 1_000)], at(60 * minute));
            assert_eq!((ranking.order(at(60 * minute)), ranking.is_usable(1)), (vec![0, 1, 2], false));
        }
    }

    #[test]
    fn one_that_was_away_is_believed_how_far_the_chain_has_come() {
        let mut ranking = Ranking::new(2);
        ranking.compared(&[(0, 100), (1, 100)], at(0));
        (1..240).for_each(|quarter| ranking.compared(&[(0, 100)], at(15 * quarter)));
        ranking.compared(&[(0, 100), (1, 1_900)], at(3_600));
        assert_eq!((ranking.order(at(3_600)), ranking.is_usable(0)), (vec![1, 0], false));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Answered(usize),
        Failed(usize, bool),
        Compared(Vec<u64>),
        Passes(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..4usize).prop_map(Step::Answered),
            (0..4usize, any::<bool>()).prop_map(|(one, lasting)| Step::Failed(one, lasting)),
            prop::collection::vec(any::<u64>(), 4).prop_map(Step::Compared),
            (0..100u64).prop_map(Step::Passes),
        ]
    }

    proptest! {
        #[test]
        fn nobody_is_forgotten_and_the_well_go_first(steps in prop::collection::vec(step(), 0..60)) {
            let (mut ranking, mut now) = (Ranking::new(4), at(0));
            for step in steps {
                match step {
                    Step::Answered(one) => { ranking.answered(one, now); }
                    Step::Failed(one, lasting) => {
                        let gravity = if lasting { Gravity::Lasting } else { Gravity::Passing };
                        ranking.failed(one, now, gravity);
                    }
                    Step::Compared(heads) => {
                        ranking.compared(&heads.into_iter().enumerate().collect::<Vec<_>>(), now);
                    }
                    Step::Passes(seconds) => now += at(seconds),
                }
                let order = ranking.order(now);
                let mut all = order.clone();
                all.sort_unstable();
                prop_assert_eq!(all, [0, 1, 2, 3]);
                let usable: Vec<bool> = order.iter().map(|one| ranking.is_usable(*one)).collect();
                prop_assert!(usable.is_sorted_by(|a, b| a >= b), "{:?}", usable);
                // Whoever fails is tried again within a minute.
                prop_assert!((0..4).all(|one| ranking.is_due(one, now + LONGEST_PAUSE)));
            }
        }
    }
}
