//! `register_operator_on_startup`: the steps to an operator that signs, before the actors start.
//!
//! Nothing ends the process here: what passes by itself (an endpoint that does not answer) is tried again soon, what waits
//! for blocks waits for them, and what a person must mend (no tokens, no ether, a key that is taken) is logged with the next
//! step and tried again after a while, so that mending it suffices. A process that exits instead would be restarted over
//! and over by whoever supervises it, with the reason in a log that nobody has yet looked at. Health tells how it stands.
//!
//! An operator that has left the quorum, or was ejected, is not registered again: a restart is no decision to come back.

use std::sync::Arc;
use std::time::Duration;

use alloy::signers::local::PrivateKeySigner;
use anzen_deploy::operator::{Membership, OperatorError, OperatorSetup, Outcome, Step, Wait};
use async_trait::async_trait;
use tokio::sync::watch;

use super::connect;
use crate::health::{Health, HealthProbe};
use crate::node::{NodeConfig, NodeError};
use crate::ports::{BlsSigner, Rng, UnixMillis, jittered};
use crate::retry::Backoff;

/// Of an operator that has belonged to the quorum.
const LEFT: &str =
    "the operator has left the quorum, or was ejected; `anzen operator register` brings it back";

/// Between two looks at what a person must mend.
const MENDING: Duration = Duration::from_secs(60);
/// Between two looks at the chain's height: short waits are short, and a wait of weeks asks little.
const SHORTEST_POLL: Duration = Duration::from_millis(500);
const LONGEST_POLL: Duration = Duration::from_secs(12);
/// So many looks for each block that is waited for would do on a chain with a block a second.
const POLL_PER_BLOCK: Duration = Duration::from_millis(100);

/// How the registration stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::node) enum Registration {
    /// It goes on, and needs no help.
    Working(String),
    /// A person has to do something.
    Blocked(String),
}

impl Default for Registration {
    fn default() -> Self {
        Self::Working("the operator's registration has begun".into())
    }
}

#[async_trait]
impl HealthProbe for watch::Receiver<Registration> {
    async fn examine(&self, _: UnixMillis) -> Health {
        match &*self.borrow() {
            Registration::Working(text) => Health::Initializing(text.clone()),
            Registration::Blocked(text) => Health::Down(text.clone()),
        }
    }
}

/// Takes all steps that are missing, unless the operator belongs to the quorum, or has done so; returns when it does. It can
/// be dropped at any time, and begun again.
///
/// # Errors
/// Where the configuration cannot be.
pub(in crate::node) async fn register(
    config: &NodeConfig,
    account: PrivateKeySigner,
    bls: Option<Arc<dyn BlsSigner>>,
    rng: &dyn Rng,
    state: &watch::Sender<Registration>,
) -> Result<(), NodeError> {
    let mut failures = 0;
    let setup = loop {
        match connect(config, account.clone(), bls.clone()).await {
            Ok(setup) => break setup,
            Err(NodeError::Operator(error)) if error.is_passing() => {
                failures += 1;
                tracing::warn!(%error, "waiting for the chain");
                tokio::time::sleep(Backoff::default().pause(rng, failures)).await;
            }
            Err(error) => return Err(error),
        }
    };
    take_all(&setup, rng, state).await;
    Ok(())
}

async fn take_all(setup: &OperatorSetup, rng: &dyn Rng, state: &watch::Sender<Registration>) {
    for step in Step::SET_UP {
        let mut failures = 0;
        loop {
            if !may_register(setup, rng, state).await {
                return;
            }
            let pause = match setup.take(step).await {
                Ok(Outcome::Waiting(wait)) => {
                    tell_wait(step, &wait, state);
                    failures = 0;
                    reach(setup, &wait).await
                }
                Ok(outcome) => {
                    tracing::info!(%step, sent = outcome.is_done_now(), "{outcome}");
                    break;
                }
                Err(error) => {
                    failures += 1;
                    tell_failure(step, &error, state);
                    Some(pause_after(&error, rng, failures))
                }
            };
            if let Some(pause) = pause {
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// Returns at once, unless the operator has left: then when it is back. A person may register it, or have it leave, at any
/// time. A member signs at once, whatever its stake is to become: what its configuration says of that is for commands to do.
async fn may_register(setup: &OperatorSetup, rng: &dyn Rng, state: &watch::Sender<Registration>) -> bool {
    let ask = async || setup.operator().membership().await;
    loop {
        match Backoff::default().until_answered(rng, "the operator's membership", ask).await {
            Membership::Never => return true,
            Membership::Member => return false,
            Membership::Left => tell_left(state),
        }
        tokio::time::sleep(jittered(rng, MENDING)).await;
    }
}

fn tell_left(state: &watch::Sender<Registration>) {
    let new = Registration::Blocked(LEFT.into());
    if state.send_if_modified(|old| std::mem::replace(old, new.clone()) != new) {
        tracing::error!("{LEFT}, and the process goes on by itself then");
    }
}

fn tell_wait(step: Step, wait: &Wait, state: &watch::Sender<Registration>) {
    let new = Registration::Working(wait.to_string());
    if state.send_if_modified(|old| std::mem::replace(old, new.clone()) != new) {
        tracing::info!(%step, "waiting for blocks: {wait}");
    }
}

fn tell_failure(step: Step, error: &OperatorError, state: &watch::Sender<Registration>) {
    let text = format!("{step}: {error}");
    if error.is_passing() {
        tracing::warn!(%step, %error, "the registration is tried again soon");
        state.send_replace(Registration::Working(text));
    } else {
        tracing::error!(%step, %error, "the operator cannot be registered; mend it, and it goes on by itself");
        state.send_replace(Registration::Blocked(text));
    }
}

fn pause_after(error: &OperatorError, rng: &dyn Rng, failures: u32) -> Duration {
    if error.is_passing() { Backoff::default().pause(rng, failures) } else { jittered(rng, MENDING) }
}

/// Waits until the height at which to look again; where the endpoint fails, for as long as to look again anyway.
async fn reach(setup: &OperatorSetup, wait: &Wait) -> Option<Duration> {
    let target = wait.next_look();
    loop {
        let Ok(height) = setup.operator().height().await else { return Some(LONGEST_POLL) };
        if height >= target {
            return None;
        }
        tokio::time::sleep(poll(target - height)).await;
    }
}

fn poll(blocks: u64) -> Duration {
    let long = u32::try_from(blocks).map_or(LONGEST_POLL, |blocks| POLL_PER_BLOCK.saturating_mul(blocks));
    long.clamp(SHORTEST_POLL, LONGEST_POLL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_wait_asks_seldom_and_a_short_one_often() {
        assert_eq!(poll(1), SHORTEST_POLL);
        assert_eq!(poll(60), Duration::from_secs(6));
        assert_eq!(poll(126_000), LONGEST_POLL);
        assert_eq!(poll(u64::MAX), LONGEST_POLL);
    }

    #[test]
    fn what_a_person_must_mend_is_told_apart() {
        let (state, seen) = watch::channel(Registration::default());
        tell_failure(Step::Join, &OperatorError::NoBlsKey, &state);
        let told = seen.borrow().clone();
        assert!(matches!(&told, Registration::Blocked(text) if text.starts_with("join: ")), "{told:?}");
        let wait = Wait { text: "it holds".into(), height: 1, until: 9, exact: true };
        tell_wait(Step::Allocate, &wait, &state);
        assert_eq!(*seen.borrow(), Registration::Working("it holds: from block 9, in 8 blocks".into()));
    }

    #[test]
    fn who_has_left_is_told_once_to_come_back() {
        let (state, mut seen) = watch::channel(Registration::default());
        tell_left(&state);
        assert!(seen.has_changed().unwrap());
        let told = seen.borrow_and_update().clone();
        assert!(
            matches!(&told, Registration::Blocked(text) if text.contains("anzen operator register")),
            "{told:?}"
        );
        tell_left(&state);
        assert!(!seen.has_changed().unwrap(), "nothing new");
    }
}
