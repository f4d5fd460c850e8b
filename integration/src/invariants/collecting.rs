//! I2 and I5: what aggregators acknowledge.

use std::collections::{BTreeMap, BTreeSet};

use anzen_messages::bls::G1Bytes;
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::{OperatorId, SafetyFactor, TaskHash};

use super::chain::Chain;
use super::fact::Moment;
use super::ledger::Terms;
use super::{Invariant, Violation, require};

/// What was acknowledged, and since when.
#[derive(Debug, Clone, Copy)]
struct Acknowledged {
    value: SafetyFactor,
    signature: G1Bytes,
    since: Moment,
    /// The newest block then. What comes before its task waits for a window only.
    head: u64,
}

/// The acknowledgements of each aggregator.
#[derive(Debug, Default)]
pub(super) struct Collecting {
    acknowledged: BTreeMap<String, BTreeMap<(TaskHash, OperatorId), Acknowledged>>,
}

impl Collecting {
    #[allow(clippy::too_many_arguments, reason = "the parts of one fact, and what it is judged by")]
    pub(super) fn replied(
        &mut self,
        chain: &Chain,
        terms: &Terms,
        now: Moment,
        asked: Moment,
        aggregator: &str,
        message: &SubmitSignature,
        reply: SubmitReply,
        on_disk: bool,
    ) -> Result<(), Violation> {
        if !reply.is_acknowledgement() {
            return Ok(());
        }
        let (task, operator) = (message.response.task_hash, message.operator_id);
        require(on_disk, Invariant::DiskFirst, || {
            format!("{aggregator} acknowledged a signature of {operator} for {task} that is not on disk")
        })?;
        // What a liar sent is given up where it proves to be garbage.
        if terms.liars.contains(&operator) {
            return Ok(());
        }
        let of_aggregator = self.acknowledged.entry(aggregator.to_owned()).or_default();
        let fresh = Acknowledged {
            value: message.response.safety_factor,
            signature: message.signature,
            since: now,
            head: chain.head(),
        };
        let known = of_aggregator.get(&(task, operator)).filter(|known| {
            known.since <= asked && (known.value, known.signature) == (fresh.value, fresh.signature)
        });
        if let Some(known) = known {
            let forgotten = reply != SubmitReply::Duplicate && must_keep(chain, terms, task, known);
            require(!forgotten, Invariant::AcknowledgedIsKept, || {
                format!(
                    "{aggregator} took a signature of {operator} for {task} as new that it had acknowledged"
                )
            })?;
        }
        // The first stands, unless it has been forgotten rightly.
        if reply != SubmitReply::Duplicate {
            of_aggregator.insert((task, operator), fresh);
        }
        Ok(())
    }

    /// Every acknowledged signature of an open task is among those on disk.
    pub(super) fn on_disk(
        &self,
        chain: &Chain,
        terms: &Terms,
        aggregator: &str,
        kept: &BTreeSet<(TaskHash, OperatorId)>,
    ) -> Result<(), Violation> {
        let acknowledged = self.acknowledged.get(aggregator).into_iter().flatten();
        let lost = acknowledged
            .map(|(place, known)| (*place, known))
            .find(|(place, known)| !kept.contains(place) && must_keep(chain, terms, place.0, known));
        match lost {
            None => Ok(()),
            Some(((task, operator), _)) => Err(Violation::new(
                Invariant::AcknowledgedIsKept,
                format!(
                    "{aggregator} has lost the signature of {operator} for {task}, which it acknowledged"
                ),
            )),
        }
    }
}

/// True while a signature that was acknowledged may not be forgotten: its task can still be answered; and if it came before
/// its task, that came within a window.
fn must_keep(chain: &Chain, terms: &Terms, task: TaskHash, known: &Acknowledged) -> bool {
    let Some(open) = chain.open(task, terms.response_window) else { return false };
    // A collector that was told of blocks up to the deadline may take the task for over; so it is kept while a reorg of
    // fewer than `finality_blocks` can bring it back.
    let over = chain.highest > open.created() + terms.response_window + terms.finality_blocks;
    !over && open.created() <= known.head + terms.response_window
}
