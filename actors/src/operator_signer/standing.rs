//! When to look at how this operator stands on chain: no I/O and no clock.

use anzen_messages::chain::{ChainDelta, ChainEvent, DeltaBase};

use crate::ports::OperatorStanding;

/// After how many blocks it is looked at again, though nothing was heard.
const EVERY: u64 = 100;
/// The least number of blocks between two looks: anyone can make events.
const LEAST: u64 = 4;

/// Whether this operator is in a quorum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Membership {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// In none, and in none before, since the process started.
    None,
    /// In one at least.
    Member,
    /// In none any more.
    Left,
}

/// What is known of how this operator stands.
#[derive(Debug, Default)]
pub(super) struct Standing {
    membership: Membership,
    looked_at: Option<u64>,
    changed: bool,
    looking: bool,
}

impl Standing {
    /// Takes in how the chain went on; true where it is time to look, and then [`Standing::looked`] is due.
    pub(super) fn is_due(&mut self, delta: &ChainDelta) -> bool {
        let matters = |event: &ChainEvent| {
            matches!(event, ChainEvent::OperatorsChanged | ChainEvent::QuorumRefreshed { .. })
        };
        self.changed |= delta.base != DeltaBase::Continues;
        self.changed |= delta.blocks.iter().flat_map(|block| &block.events).any(matters);
        let pause = if self.changed { LEAST } else { EVERY };
        let due = self.looked_at.is_none_or(|at| delta.head.number >= at.saturating_add(pause));
        if self.looking || !due {
            return false;
        }
        self.looked_at = Some(delta.head.number);
        self.looking = true;
        self.changed = false;
        true
    }

    /// What was found; nothing where the chain could not be read, which is tried again soon.
    pub(super) fn looked(&mut self, found: Option<OperatorStanding>) {
        self.looking = false;
        self.changed |= found.is_none();
        if let Some(standing) = found {
            self.membership = match (standing.is_in_quorum(), self.membership) {
                (true, _) => Membership::Member,
                (false, Membership::Member | Membership::Left) => Membership::Left,
                (false, _) => Membership::None,
            };
        }
    }

    /// Whether the operator is in a quorum, as was found last.
    pub(super) fn membership(&self) -> Membership {
        self.membership
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alloy::primitives::U256;

    use super::*;
    use crate::testing::{block, delta};

    fn quiet(number: u64) -> ChainDelta {
        delta(DeltaBase::Continues, vec![block(number, Vec::new())])
    }

    fn change(number: u64) -> ChainDelta {
        delta(DeltaBase::Continues, vec![block(number, vec![ChainEvent::OperatorsChanged])])
    }

    fn standing(stakes: &[(u8, u64)]) -> OperatorStanding {
        let stakes: BTreeMap<u8, U256> = stakes.iter().map(|(n, stake)| (*n, U256::from(*stake))).collect();
        OperatorStanding { stakes, ..OperatorStanding::default() }
    }

    #[test]
    fn it_is_looked_at_first_then_after_changes_and_now_and_then() {
        let mut state = Standing::default();
        assert!(state.is_due(&quiet(10)));
        assert!(!state.is_due(&change(20)), "one look at a time");
        state.looked(Some(standing(&[])));
        assert!(state.is_due(&quiet(21)), "the change is not forgotten");
        state.looked(Some(standing(&[])));
        assert!(!state.is_due(&change(22)), "not in every block");
        assert!(state.is_due(&quiet(25)));
        state.looked(Some(standing(&[])));
        assert!(!state.is_due(&quiet(124)));
        assert!(state.is_due(&quiet(125)));
    }

    #[test]
    fn a_look_that_failed_is_made_again_and_changes_nothing() {
        let mut state = Standing::default();
        assert!(state.is_due(&quiet(10)));
        state.looked(Some(standing(&[(0, 5)])));
        assert!(state.is_due(&quiet(110)));
        state.looked(None);
        assert_eq!(state.membership(), Membership::Member);
        assert!(state.is_due(&quiet(114)));
    }

    #[test]
    fn who_was_in_a_quorum_and_is_not_has_left() {
        let mut state = Standing::default();
        let mut look = |stakes: &[(u8, u64)]| {
            state.looked(Some(standing(stakes)));
            state.membership()
        };
        assert_eq!(look(&[]), Membership::None);
        assert_eq!(look(&[(0, 5)]), Membership::Member);
        assert_eq!(look(&[]), Membership::Left);
        assert_eq!(look(&[]), Membership::Left);
    }
}
