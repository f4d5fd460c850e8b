//! Who sent bad signatures lately, and for how long they are penalised. No I/O, no clock: time is told in blocks.

use std::collections::BTreeMap;

use anzen_messages::OperatorId;

/// A penalty doubles with every further one, up to this often.
const MOST_DOUBLINGS: u8 = 4;
/// After so many times the first penalty without a fault, all is forgotten.
const FORGOTTEN_AFTER: u64 = 64;

/// One operator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Penalty {
    /// How often it has doubled.
    pub(super) doublings: u8,
    /// The first block in which it is over.
    pub(super) until: u64,
}

/// What became of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Struck {
    pub(super) penalty: Penalty,
    /// It was not penalised before.
    pub(super) is_new: bool,
}

/// All operators' that were at fault. While one is penalised its signatures are verified alone, after everybody else's: so
/// they spoil no sum and hold up nobody, and those that are good still count.
#[derive(Debug)]
pub(super) struct Standing {
    /// How long the first penalty is, in blocks; 0 for none at all.
    blocks: u64,
    penalties: BTreeMap<OperatorId, Penalty>,
}

impl Standing {
    pub(super) fn new(blocks: u64) -> Self {
        Self { blocks, penalties: BTreeMap::new() }
    }

    /// Takes in what was on disk.
    pub(super) fn recover(&mut self, operator: OperatorId, penalty: Penalty) {
        let doublings = penalty.doublings.min(MOST_DOUBLINGS);
        self.penalties.insert(operator, Penalty { doublings, ..penalty });
    }

    /// An operator was at fault in block `now`. During a penalty it grows longer; after one the next is twice as long.
    pub(super) fn strike(&mut self, operator: OperatorId, now: u64) -> Option<Struck> {
        if self.blocks == 0 {
            return None;
        }
        let before = self.penalties.get(&operator);
        let doublings = match before {
            None => 0,
            Some(penalty) if now < penalty.until => penalty.doublings,
            Some(penalty) => (penalty.doublings + 1).min(MOST_DOUBLINGS),
        };
        let until = now.saturating_add(self.blocks << doublings);
        let is_new = before.is_none_or(|penalty| now >= penalty.until);
        let penalty = Penalty { doublings, until: until.max(before.map_or(0, |penalty| penalty.until)) };
        self.penalties.insert(operator, penalty);
        Some(Struck { penalty, is_new })
    }

    pub(super) fn is_penalised(&self, operator: OperatorId, now: u64) -> bool {
        self.penalties.get(&operator).is_some_and(|penalty| now < penalty.until)
    }

    /// Who is penalised.
    pub(super) fn penalised(&self, now: u64) -> impl Iterator<Item = OperatorId> + '_ {
        self.penalties.iter().filter(move |(_, penalty)| now < penalty.until).map(|(operator, _)| *operator)
    }

    /// Forgets those who have been without fault for long; returns them.
    pub(super) fn forget(&mut self, now: u64) -> Vec<OperatorId> {
        let quiet = self.blocks.saturating_mul(FORGOTTEN_AFTER);
        let old = |penalty: &Penalty| now >= penalty.until.saturating_add(quiet);
        let forgotten: Vec<OperatorId> = self
            .penalties
            .iter()
            .filter(|(_, penalty)| old(penalty))
            .map(|(operator, _)| *operator)
            .collect();
        self.penalties.retain(|_, penalty| !old(penalty));
        forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::operator_id;

    #[test]
    fn a_penalty_ends_and_the_next_one_is_longer() {
        let (mut standing, operator) = (Standing::new(50), operator_id(0));
        let struck = standing.strike(operator, 100).unwrap();
        assert_eq!(struck, Struck { penalty: Penalty { doublings: 0, until: 150 }, is_new: true });
        assert!(standing.is_penalised(operator, 149) && !standing.is_penalised(operator, 150));
        assert!(!standing.is_penalised(operator_id(1), 149));
        let again = standing.strike(operator, 200).unwrap();
        assert_eq!(again, Struck { penalty: Penalty { doublings: 1, until: 300 }, is_new: true });
        let during = standing.strike(operator, 210).unwrap();
        assert_eq!(during, Struck { penalty: Penalty { doublings: 1, until: 310 }, is_new: false });
    }

    #[test]
    fn penalties_are_bounded_and_forgotten_after_a_quiet_time() {
        let (mut standing, operator) = (Standing::new(50), operator_id(0));
        let mut now = 1;
        for _ in 0..20 {
            now = standing.strike(operator, now).unwrap().penalty.until;
        }
        assert_eq!(standing.strike(operator, now).unwrap().penalty.until, now + 800);
        assert_eq!(standing.forget(now + 800), []);
        assert_eq!(standing.forget(now + 800 + 3_200), [operator]);
        assert_eq!(standing.strike(operator, now + 5_000).unwrap().penalty.doublings, 0);
    }

    #[test]
    fn nobody_is_penalised_where_it_is_turned_off() {
        let mut standing = Standing::new(0);
        assert_eq!(standing.strike(operator_id(0), 100), None);
        assert!(!standing.is_penalised(operator_id(0), 100));
    }
}
