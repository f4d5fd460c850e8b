//! How much of the inbox each operator may take. No I/O.

use std::collections::BTreeMap;

use anzen_messages::OperatorId;

/// Submissions under way. An operator may have as many as are left for the others: alone half of the room, of two that send
/// without pause each a third, of n each an (n+1)th. So there is always room for one more, however many flood.
#[derive(Debug)]
pub(super) struct Shares {
    capacity: usize,
    under_way: usize,
    by_operator: BTreeMap<OperatorId, usize>,
}

impl Shares {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, under_way: 0, by_operator: BTreeMap::new() }
    }

    /// Takes a place; false where the operator has its share already. Give it back by [`Shares::leave`].
    pub(super) fn enter(&mut self, operator: OperatorId) -> bool {
        let own = self.by_operator.get(&operator).copied().unwrap_or_default();
        let room = own < self.capacity.saturating_sub(self.under_way);
        if room {
            self.by_operator.insert(operator, own + 1);
            self.under_way += 1;
        }
        room
    }

    /// Gives a place back.
    pub(super) fn leave(&mut self, operator: OperatorId) {
        let Some(own) = self.by_operator.get_mut(&operator) else { return };
        *own -= 1;
        self.under_way -= 1;
        if *own == 0 {
            self.by_operator.remove(&operator);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::operator_id;

    fn fill(shares: &mut Shares, operator: usize) -> usize {
        (0..).take_while(|_| shares.enter(operator_id(operator))).count()
    }

    #[test]
    fn one_operator_has_one_share_of_the_inbox() {
        let mut shares = Shares::new(64);
        assert_eq!(fill(&mut shares, 0), 32);
        assert_eq!(fill(&mut shares, 1), 16);
        assert_eq!(fill(&mut shares, 0), 0);
    }

    #[test]
    fn however_many_flood_there_is_room_for_one_more() {
        let mut shares = Shares::new(64);
        // They take turns, each as much as it gets.
        for _ in 0..64 {
            for operator in 0..8 {
                shares.enter(operator_id(operator));
            }
        }
        assert!(fill(&mut shares, 9) >= 3);
    }

    #[test]
    fn what_is_given_back_is_there_again_and_nothing_is_remembered() {
        let mut shares = Shares::new(4);
        assert_eq!(fill(&mut shares, 0), 2);
        shares.leave(operator_id(0));
        assert_eq!(fill(&mut shares, 0), 1);
        (0..5).for_each(|_| shares.leave(operator_id(0)));
        assert!(shares.by_operator.is_empty() && shares.under_way == 0);
    }
}
