//! A long time with everything that may go wrong: stakes are never too old for long, and no gas is burnt in a storm.

use alloy::primitives::B256;
use anzen_messages::chain::{ChainEvent, DeltaBase};
use anzen_messages::transaction::{Mined, TxRefusal};
use proptest::prelude::*;

use super::super::Config;
use super::super::effect::{Attempt, Effect, Refresh};
use super::super::schedule::Schedule;
use super::stake;
use crate::errand::Sent;
use crate::follow::ChainState;
use crate::ports::{ChainError, RecordedStake, StakeStatus};
use crate::testing::{block_of, delta};

const MAX_AGE: u64 = 100;
/// No more failures than this come one after the other: after it nothing that the schedule does could keep stakes fresh.
const MOST_FAILURES: u32 = 4;

struct World {
    schedule: Schedule,
    operators: Vec<RecordedStake>,
    refreshed_at: u64,
    /// What the next block holds.
    pool: Vec<(Attempt, Refresh)>,
    /// How many transactions were sent.
    sent: u64,
    /// How many attempts have failed since the last transaction.
    failures: u32,
}

impl World {
    fn block(&mut self, number: u64, drift: u64, trouble: u8) {
        let mut events = Vec::new();
        let mined: Vec<(Attempt, Refresh)> = self.pool.drain(..).collect();
        for (_, refresh) in &mined {
            events.push(ChainEvent::OperatorsChanged);
            if refresh.whole {
                self.refreshed_at = number;
                events.push(ChainEvent::QuorumRefreshed { quorum: 0 });
            }
            for operator in &mut self.operators {
                let is_in = refresh.operators.contains(&operator.operator);
                operator.recorded = if is_in { operator.current } else { operator.recorded };
            }
        }
        let index = usize::try_from(number).unwrap() % self.operators.len();
        self.operators[index].current = alloy::primitives::U256::from(drift);
        let effects = self.schedule.advance(&delta(DeltaBase::Continues, vec![block_of(1, number, events)]));
        self.carry_out(effects, trouble);
        for (attempt, refresh) in mined {
            let mined = Mined { hash: B256::ZERO, block: number, gas_used: 1, succeeded: true };
            let effects = self.schedule.sent(attempt, refresh.whole, Sent::Done(mined));
            self.carry_out(effects, trouble);
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>, trouble: u8) {
        for effect in effects {
            let next = match effect {
                Effect::Read(attempt) => {
                    let status = StakeStatus {
                        refreshed_at: self.refreshed_at,
                        max_age: MAX_AGE,
                        operators: self.operators.clone(),
                    };
                    let down = self.fails(trouble, &[1]);
                    let answer = if down { Err(ChainError::Endpoint("down".into())) } else { Ok(status) };
                    self.schedule.read(attempt, answer)
                }
                Effect::Send(attempt, refresh) => self.send(attempt, refresh, trouble),
                Effect::Report(_) => Vec::new(),
            };
            self.carry_out(next, trouble);
        }
    }

    fn send(&mut self, attempt: Attempt, refresh: Refresh, trouble: u8) -> Vec<Effect> {
        let whole = refresh.whole;
        if self.fails(trouble, &[2, 3]) {
            let unknown = trouble == 2;
            let why = if unknown {
                Sent::Unknown("the link broke".into())
            } else {
                Sent::Refused(TxRefusal::Expired)
            };
            return self.schedule.sent(attempt, whole, why);
        }
        self.failures = 0;
        self.sent += 1;
        self.pool.push((attempt, refresh));
        assert_eq!(self.pool.len(), 1, "one transaction of a quorum at a time");
        Vec::new()
    }

    /// Whether `trouble` is one of those, and one more failure is to be borne.
    fn fails(&mut self, trouble: u8, those: &[u8]) -> bool {
        let fails = those.contains(&trouble) && self.failures < MOST_FAILURES;
        self.failures += u32::from(fails);
        fails
    }
}

proptest! {
    #[test]
    fn stakes_stay_fresh(blocks in proptest::collection::vec((900..1100u64, 0..20u8), 300..400)) {
        let config = Config { batch_size: 3, drift_threshold_bps: 800, ..Config::default() };
        let operators = (1..=10).map(|seed| stake(seed, 1000, 1000)).collect();
        let schedule = Schedule::new(config);
        let mut world = World { schedule, operators, refreshed_at: 0, pool: Vec::new(), sent: 0, failures: 0 };
        for (number, (drift, trouble)) in (500..).zip(&blocks) {
            world.block(number, *drift, *trouble);
            let age = number - world.refreshed_at;
            prop_assert!(number < 520 || age <= MAX_AGE, "the stakes are {age} blocks old");
        }
        prop_assert!(world.sent <= 200, "{} transactions in 400 blocks", world.sent);
    }
}
