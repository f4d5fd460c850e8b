//! I8: how much is kept.

use super::chain::Chain;
use super::ledger::Terms;
use super::sending::Sending;
use super::{Invariant, Violation, require};

/// Records may be this many blocks late in going: the deepest reorg, and the time that a removal takes.
const SLACK: u64 = 16;

/// Transactions that are on disk and were never broadcast.
const UNSENT: usize = 4;

/// A process has so many records of a kind.
pub(super) fn check(
    chain: &Chain,
    terms: &Terms,
    sending: &Sending,
    process: &str,
    space: &str,
    records: usize,
) -> Result<(), Violation> {
    let Some(most) = most(chain, terms, sending, space) else {
        let what = format!("{process} has {records} records in {space}, of which nothing is known here");
        return Err(Violation::new(Invariant::Bounded, what));
    };
    require(records <= most, Invariant::Bounded, || {
        format!("{process} has {records} records in {space}, and at most {most} are needed")
    })
}

/// The most records that are needed.
fn most(chain: &Chain, terms: &Terms, sending: &Sending, space: &str) -> Option<usize> {
    let since = |blocks: u64| chain.highest.saturating_sub(blocks + SLACK);
    // A task is over at the end of its window, and out of reach of reorgs some blocks later.
    let recent = chain.tasks_since(since(terms.response_window + terms.finality_blocks));
    let operators = terms.operators.len();
    match space {
        "collector.signatures" => Some((recent + terms.early_per_operator) * operators),
        "collector.seconds" => Some((recent + terms.early_per_operator) * terms.liars.len()),
        "chain.cursor" => Some(1),
        "collector.equivocations" => Some(chain.ever.len() * terms.liars.len()),
        "collector.penalties" => Some(terms.liars.len()),
        "aggregator.certificates" => Some(recent),
        // And the floor, and the barrier.
        "operator-signer.protection" => Some(chain.tasks_since(since(terms.keep_records)) + 2),
        "tx_sender.intents" => {
            // Some are being written, and are not on their way yet.
            Some(sending.ids_since(since(terms.remember_blocks + terms.response_window)) + UNSENT)
        }
        _ => None,
    }
}
