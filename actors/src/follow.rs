//! Following the chain: asks ChainWatcher for the next blocks and hands them to an actor, one answer at a time.
//!
//! The position is kept here, on the receiver's side. So the receiver sets the pace, and a watcher that was restarted, or
//! a link that was down, costs nothing but time.

use std::sync::Arc;
use std::time::Duration;

use actix::{Message, Recipient};
use anzen_messages::chain::{BlockRef, ChainBlock, ChainDelta, DeltaBase, NextBlocks};

use crate::bus::Handle;
use crate::ports::{Rng, jittered};

/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How the chain went on. Sent to an actor by [`follow`] only; the next one comes when this one has been handled.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct ApplyBlocks(pub ChainDelta);

/// Feeds `receiver` with the chain until it stops. Spawn it beside the actor.
pub async fn follow(watcher: Handle<NextBlocks>, receiver: Recipient<ApplyBlocks>, rng: Arc<dyn Rng>) {
    let mut position: Option<BlockRef> = None;
    while receiver.connected() {
        let question = NextBlocks { after: position, wait_ms: NextBlocks::LONGEST_WAIT_MS };
        let failure = match watcher.ask(question).await {
            Ok(Ok(delta)) => {
                let next = end_of(&delta, position);
                if receiver.send(ApplyBlocks(delta)).await.is_err() {
                    return;
                }
                position = next;
                continue;
            }
            Ok(Err(not_following)) => not_following.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::debug!(%failure, "no news of the chain; asking again");
        tokio::time::sleep(jittered(rng.as_ref(), LONGEST_PAUSE)).await;
    }
}

/// The last block that has been applied once `delta` is.
fn end_of(delta: &ChainDelta, before: Option<BlockRef>) -> Option<BlockRef> {
    let base = match delta.base {
        DeltaBase::Continues => before,
        DeltaBase::RetractTo { block } => Some(block),
        DeltaBase::Restart { .. } => None,
    };
    delta.blocks.last().map(|block| block.header.at).or(base)
}

/// A state that follows the chain. Every method returns what is to be done about it.
pub trait ChainState {
    /// What is to be done.
    type Effect;

    /// Forget all that came from the chain; it is told again from a while back. Tasks of the first block can be answered for
    /// `response_window` blocks.
    fn restart(&mut self, response_window: u64) -> Vec<Self::Effect>;

    /// Undo everything above `block`.
    fn retract(&mut self, block: BlockRef) -> Vec<Self::Effect>;

    /// Take in a block. `head` is the newest block known: below it, the state is catching up.
    fn apply(&mut self, block: &ChainBlock, head: BlockRef) -> Vec<Self::Effect>;

    /// Takes in an answer of the watcher.
    fn advance(&mut self, delta: &ChainDelta) -> Vec<Self::Effect> {
        let mut effects = match delta.base {
            DeltaBase::Continues => Vec::new(),
            DeltaBase::RetractTo { block } => self.retract(block),
            DeltaBase::Restart { response_window } => self.restart(response_window),
        };
        for block in &delta.blocks {
            effects.extend(self.apply(block, delta.head));
        }
        effects
    }
}
