//! When a protocol's next task is due, and why: no I/O and no clock.

use anzen_messages::SafetyFactor;

use crate::ports::OracleValue;
use crate::retry::doubled;

/// How often a protocol is asked about. What is 0 is no reason for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The blocks between two tasks, whatever the value does.
    pub interval: u64,
    /// The age of the oracle's value at which it is renewed, in blocks since its reference block.
    pub heartbeat: u64,
    /// How far from the oracle's value the model's is when it is renewed, in hundredths of a per cent of 1.0.
    pub deviation_bps: u32,
    /// The blocks between two looks at how far that is.
    pub look_every: u64,
}

/// Why there is to be a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// There never was one, or nothing is known of any.
    First,
    /// The interval has passed.
    Interval,
    /// The oracle's value is too old, or there is none.
    Heartbeat,
    /// The oracle's value is no longer the model's.
    Deviation,
}

impl Reason {
    /// All labels of metrics.
    pub(super) const LABELS: [&str; 4] = ["first", "interval", "heartbeat", "deviation"];

    /// Its label.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Interval => "interval",
            Self::Heartbeat => "heartbeat",
            Self::Deviation => "deviation",
        }
    }
}

/// A task that is to be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The first block that can hold it.
    pub since: u64,
    /// Why.
    pub reason: Reason,
}

/// What is known of a protocol's tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The block in which the latest task was created; nothing where there was none.
    pub latest: Option<u64>,
    /// What the oracle has; nothing where it has nothing, or that is not known.
    pub value: Option<OracleValue>,
    /// How many tasks in a row nobody answered.
    pub unanswered: u32,
    /// For how many blocks a task can be answered.
    pub window: u64,
    /// Governance's least interval, in blocks.
    pub min_interval: u64,
    /// The block at which the value was seen to have deviated.
    pub deviated: Option<u64>,
}

impl Facts {
    /// Since when a task may follow on the latest one, which was created in block `created`. Where nobody answers, ever fewer
    /// are created, so that they cost little until somebody does.
    fn calm(&self, created: u64, longest: u64) -> u64 {
        let pause = match self.unanswered {
            0 => 0,
            row => doubled(self.window, row, longest.max(self.window)),
        };
        created.saturating_add(self.min_interval.max(pause))
    }
}

impl Policy {
    /// True where it has no reason for a task but the first.
    pub fn is_idle(&self) -> bool {
        self.interval == 0 && self.heartbeat == 0 && self.deviation_bps == 0
    }

    /// The next task: the earliest of those that there is a reason for.
    pub fn due(&self, facts: &Facts) -> Option<Due> {
        let Some(created) = facts.latest else { return Some(Due { since: 0, reason: Reason::First }) };
        let interval = || created.saturating_add(self.interval.max(facts.min_interval));
        let interval = (self.interval > 0).then(|| Due { since: interval(), reason: Reason::Interval });
        let calm = facts.calm(created, self.heartbeat);
        let renewed = |value: OracleValue| value.reference_block.saturating_add(self.heartbeat).max(calm);
        let heartbeat = || facts.value.map_or(calm, renewed);
        let heartbeat = (self.heartbeat > 0).then(|| Due { since: heartbeat(), reason: Reason::Heartbeat });
        let deviation = facts.deviated.filter(|_| self.deviation_bps > 0);
        let deviation = deviation.map(|at| Due { since: at.max(calm), reason: Reason::Deviation });
        [interval, heartbeat, deviation].into_iter().flatten().min_by_key(|due| due.since)
    }

    /// Whether the model's value is far enough from the oracle's, or the oracle has none.
    pub fn deviates(&self, value: SafetyFactor, oracle: Option<SafetyFactor>) -> bool {
        const ONE_BPS: u64 = SafetyFactor::ONE.unsigned_abs() / 10_000;
        let Some(oracle) = oracle else { return true };
        let threshold = u64::from(self.deviation_bps).saturating_mul(ONE_BPS);
        // What does not fit 256 bits is far away.
        let distance = value.0.checked_sub(oracle.0).map(|distance| distance.unsigned_abs());
        distance.is_none_or(|distance| distance >= alloy::primitives::U256::from(threshold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::I256;
    use proptest::prelude::*;

    const QUIET: Policy = Policy { interval: 0, heartbeat: 300, deviation_bps: 50, look_every: 5 };

    fn factor(value: i64) -> SafetyFactor {
        SafetyFactor(I256::unchecked_from(value))
    }

    fn facts() -> Facts {
        let value = Some(OracleValue { safety_factor: factor(500_000_000), reference_block: 99 });
        Facts { latest: Some(100), value, unanswered: 0, window: 30, min_interval: 10, deviated: None }
    }

    fn due(policy: Policy, facts: Facts) -> Option<(u64, Reason)> {
        policy.due(&facts).map(|due| (due.since, due.reason))
    }

    #[test]
    fn each_reason_has_its_time_and_the_earliest_counts() {
        assert_eq!(due(QUIET, Facts { latest: None, ..facts() }), Some((0, Reason::First)));
        assert_eq!(due(QUIET, facts()), Some((399, Reason::Heartbeat)));
        assert_eq!(due(QUIET, Facts { deviated: Some(150), ..facts() }), Some((150, Reason::Deviation)));
        let often = Policy { interval: 20, ..QUIET };
        assert_eq!(due(often, Facts { deviated: Some(150), ..facts() }), Some((120, Reason::Interval)));
        let never = Policy { heartbeat: 0, deviation_bps: 0, ..QUIET };
        assert!(never.is_idle() && due(never, Facts { deviated: Some(150), ..facts() }).is_none());
    }

    #[test]
    fn governances_least_interval_holds_for_every_reason() {
        assert_eq!(due(QUIET, Facts { deviated: Some(101), ..facts() }), Some((110, Reason::Deviation)));
        assert_eq!(due(QUIET, Facts { value: None, ..facts() }), Some((110, Reason::Heartbeat)));
        assert_eq!(due(Policy { interval: 3, ..QUIET }, facts()), Some((110, Reason::Interval)));
    }

    #[test]
    fn where_nobody_answers_tasks_become_rare() {
        let after = |unanswered| due(QUIET, Facts { value: None, unanswered, ..facts() }).unwrap().0;
        assert_eq!([0, 1, 2, 3, 4, 5, 60].map(after), [110, 130, 160, 220, 340, 400, 400]);
    }

    #[test]
    fn a_value_deviates_from_its_threshold_on() {
        let from = |value, oracle| QUIET.deviates(factor(value), Some(factor(oracle)));
        assert!(!from(504_999_999, 500_000_000) && from(505_000_000, 500_000_000));
        assert!(!from(-2_500_000, 2_499_999) && from(-2_500_000, 2_500_000));
        assert!(QUIET.deviates(factor(1), None), "there is no value yet");
        assert!(QUIET.deviates(SafetyFactor(I256::MIN), Some(factor(1))), "farther than 256 bits");
    }

    fn any_policy() -> impl Strategy<Value = Policy> {
        (0..500_u64, 0..500_u64, 0..200_u32).prop_map(|(interval, heartbeat, deviation_bps)| Policy {
            interval,
            heartbeat,
            deviation_bps,
            look_every: 1,
        })
    }

    proptest! {
        #[test]
        fn nothing_overflows_and_nothing_is_due_too_early(
            interval: u64, heartbeat: u64, created: u64, reference: u64, window: u64, min_interval: u64, unanswered: u32,
            deviated: Option<u64>, deviation_bps: u32,
        ) {
            let policy = Policy { interval, heartbeat, deviation_bps, look_every: 1 };
            let value = Some(OracleValue { safety_factor: factor(0), reference_block: reference });
            let facts = Facts { latest: Some(created), value, unanswered, window, min_interval, deviated };
            if let Some(due) = policy.due(&facts) {
                prop_assert!(due.since >= created.saturating_add(min_interval));
            }
        }

        /// The value stays what it is: each task costs gas that only a heartbeat, or an interval, is worth.
        #[test]
        fn what_is_unchanged_costs_no_more_than_a_heartbeat(policy in any_policy(), blocks in 1..3_000_u64) {
            let policy = Policy { interval: 0, ..policy };
            let (mut facts, mut tasks) = (Facts { min_interval: 1, ..facts() }, 0_u64);
            for head in 100..100 + blocks {
                facts.deviated = policy.deviates(factor(500_000_000), facts.value.map(|value| value.safety_factor)).then_some(head);
                facts.deviated = facts.deviated.filter(|_| policy.deviation_bps > 0);
                if policy.due(&facts).is_some_and(|due| due.since <= head) {
                    tasks += 1;
                    facts.latest = Some(head);
                    facts.value = facts.value.map(|value| OracleValue { reference_block: head - 1, ..value });
                }
            }
            // A value is one block old when its task is created.
            let beat = policy.heartbeat.saturating_sub(1).max(1);
            let most = if policy.heartbeat == 0 { 0 } else { blocks.div_ceil(beat) + 1 };
            prop_assert!(tasks <= most, "{tasks} tasks in {blocks} blocks with {policy:?}");
        }

        /// Nobody answers: as many tasks as doublings, and then one a heartbeat.
        #[test]
        fn tasks_that_nobody_answers_stay_few(heartbeat in 30..400_u64, blocks in 1..5_000_u64) {
            let policy = Policy { heartbeat, ..QUIET };
            let (mut facts, mut tasks) = (Facts { value: None, deviated: Some(100), ..facts() }, 0_u64);
            for head in 101..101 + blocks {
                if policy.due(&facts).is_some_and(|due| due.since <= head) {
                    (tasks, facts.unanswered, facts.latest) = (tasks + 1, facts.unanswered + 1, Some(head));
                }
            }
            prop_assert!(tasks <= 6 + blocks / heartbeat, "{tasks} tasks in {blocks} blocks");
        }
    }
}
