//! What several endpoints say of one thing, until enough of them say the same. No I/O.

use crate::ports::ChainError;

/// The votes about one thing.
#[derive(Debug)]
pub(super) struct Ballot<T> {
    needed: usize,
    /// What was said, and which endpoints say so.
    said: Vec<(T, Vec<usize>)>,
    failure: Option<ChainError>,
}

impl<T: PartialEq> Ballot<T> {
    /// Nobody has voted; `needed` must say the same.
    pub(super) fn new(needed: usize) -> Self {
        Self { needed: needed.max(1), said: Vec::new(), failure: None }
    }

    /// An endpoint's vote, or why it has none.
    pub(super) fn cast(&mut self, endpoint: usize, vote: Result<T, ChainError>) {
        match vote {
            Err(error) => _ = self.failure.get_or_insert(error),
            Ok(vote) => match self.said.iter_mut().find(|(said, _)| *said == vote) {
                Some((_, by)) => by.push(endpoint),
                None => self.said.push((vote, vec![endpoint])),
            },
        }
    }

    /// True once enough say the same.
    pub(super) fn is_decided(&self) -> bool {
        self.winner().is_some()
    }

    /// The endpoints that say otherwise than those that are believed; all of them where none are and they contradict each
    /// other.
    pub(super) fn at_odds(&self) -> Vec<usize> {
        if self.said.len() < 2 {
            return Vec::new();
        }
        let winner = self.winner();
        let others = self.said.iter().enumerate().filter(|(place, _)| Some(*place) != winner);
        others.flat_map(|(_, (_, by))| by.iter().copied()).collect()
    }

    /// What is believed.
    pub(super) fn result(mut self) -> Result<T, ChainError> {
        if let Some(winner) = self.winner() {
            return Ok(self.said.swap_remove(winner).0);
        }
        let most = self.said.iter().map(|(_, by)| by.len()).max();
        match (most, self.failure) {
            (None, Some(failure)) => Err(failure),
            (most, failure) => Err(ChainError::TooFewAgree {
                most: most.unwrap_or_default(),
                needed: self.needed,
                failure: failure.map(|failure| format!("; one of them: {failure}")).unwrap_or_default(),
            }),
        }
    }

    fn winner(&self) -> Option<usize> {
        self.said.iter().position(|(_, by)| by.len() >= self.needed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ballot(needed: usize, votes: &[Option<u8>]) -> Ballot<u8> {
        let mut ballot = Ballot::new(needed);
        for (endpoint, vote) in votes.iter().enumerate() {
            ballot.cast(endpoint, vote.ok_or_else(|| ChainError::Endpoint("down".into())));
        }
        ballot
    }

    #[test]
    fn one_is_enough_where_no_more_are_demanded() {
        assert_eq!(ballot(1, &[Some(7)]).result(), Ok(7));
        assert_eq!(ballot(0, &[None, Some(7)]).result(), Ok(7));
        assert_eq!(ballot(1, &[None, None]).result(), Err(ChainError::Endpoint("down".into())));
    }

    #[test]
    fn the_first_that_enough_agree_on_is_believed() {
        let ballot = ballot(2, &[Some(1), Some(2), Some(2)]);
        assert!(ballot.is_decided());
        assert_eq!(ballot.at_odds(), [0]);
        assert_eq!(ballot.result(), Ok(2));
    }

    #[test]
    fn where_too_few_agree_nothing_is_believed() {
        let split = ballot(2, &[Some(1), Some(2), None]);
        assert!(!split.is_decided());
        assert_eq!(split.at_odds(), [0, 1]);
        let error = split.result().unwrap_err();
        assert!(matches!(error, ChainError::TooFewAgree { most: 1, needed: 2, .. }), "{error}");
        assert!(error.to_string().contains("down"), "{error}");
        let alone = ballot(2, &[Some(1)]);
        assert!(alone.at_odds().is_empty(), "it contradicts nobody");
        assert!(alone.result().is_err());
    }
}
