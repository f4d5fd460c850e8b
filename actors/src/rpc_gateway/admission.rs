//! What strangers may have checked, and when. Signatures are checked one at a time, beside the quorums' own; an operator
//! that comes from where it came before does not wait behind the others.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::bucket::{Allowance, Bucket};
use super::error::RpcError;

/// Signatures of sessions that wait to be checked, in each lane.
const MOST_WAITING: usize = 64;
/// Of operators that come from where they came before: as many as there may be connections without a session.
const MOST_FAMILIAR_WAITING: usize = 256;
/// Questions to the chain about operators that are not known yet: at a time, and waiting.
const MOST_LOOKUPS: usize = 16;
/// How many such questions there are, whoever asks.
const LOOKUPS: Allowance = Allowance { burst: 256, refill: Duration::from_millis(200) };

/// A queue in front of something that costs.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    what: &'static str,
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

/// One's turn, until this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _place: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

impl Lane {
    /// At most `waiting` wait while `at_once` have their turn.
    fn new(what: &'static str, at_once: usize, waiting: usize) -> Self {
        Self {
            what,
            places: Arc::new(Semaphore::new(at_once + waiting)),
            turns: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// Waits for one's turn.
    ///
    /// # Errors
    /// `Full` where too many wait.
    pub(super) async fn turn(self) -> Result<Turn, RpcError> {
        let full = |_| RpcError::Full(self.what.into());
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(full)?;
        let stopped = |_| RpcError::Unavailable("the gateway is stopping".into());
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(stopped)?;
        Ok(Turn { _place: place, _turn: turn })
    }
}

/// The lanes, and the pace of look-ups.
#[derive(Debug)]
pub(super) struct Admission {
    familiar: Lane,
    others: Lane,
    lookups: Lane,
    pace: Bucket,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            familiar: Lane::new("the check of sessions", 1, MOST_FAMILIAR_WAITING),
            others: Lane::new("the check of sessions", 1, MOST_WAITING),
            lookups: Lane::new("the look-up of operators", MOST_LOOKUPS, MOST_WAITING),
            pace: Bucket::full(),
        }
    }
}

impl Admission {
    /// Where a signature waits to be checked.
    pub(super) fn checks(&self, is_familiar: bool) -> Lane {
        if is_familiar { self.familiar.clone() } else { self.others.clone() }
    }

    /// Where a question to the chain waits.
    ///
    /// # Errors
    /// `Full` where there were too many of late.
    pub(super) fn lookups(&mut self, now: Duration) -> Result<Lane, RpcError> {
        let full = |_| RpcError::Full(self.lookups.what.into());
        self.pace.take(LOOKUPS, 1, now).map_err(full)?;
        Ok(self.lookups.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_has_its_turn_and_some_wait() {
        let admission = Admission::default();
        let first = admission.checks(false).turn().await.unwrap();
        let mut waiting: Vec<_> =
            (0..MOST_WAITING).map(|_| Box::pin(admission.checks(false).turn())).collect();
        for one in &mut waiting {
            assert!(futures::poll!(one).is_pending());
        }
        assert!(matches!(admission.checks(false).turn().await, Err(RpcError::Full(_))));
        assert!(admission.checks(true).turn().await.is_ok(), "who is familiar has a lane of its own");
        drop(first);
        assert!(waiting.remove(0).await.is_ok());
    }

    #[test]
    fn invented_operators_are_looked_up_at_a_pace() {
        let mut admission = Admission::default();
        let granted = (0..1000).filter(|_| admission.lookups(Duration::from_secs(1)).is_ok()).count();
        assert_eq!(granted, 256);
        assert!(admission.lookups(Duration::from_secs(2)).is_ok());
    }
}
