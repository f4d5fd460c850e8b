//! I6: what processes believe of the chain.

use anzen_messages::chain::ChainBlock;

use super::chain::Chain;
use super::fact::View;
use super::ledger::Terms;
use super::{Invariant, Violation, require};

/// The blocks are the chain's, and none at the end is missing.
pub(super) fn blocks(chain: &Chain, process: &str, blocks: &[ChainBlock]) -> Result<(), Violation> {
    for block in blocks {
        let number = block.header.at.number;
        require(chain.block(number) == Some(block), Invariant::OneChain, || {
            format!("{process} has another block {number} than the chain")
        })?;
    }
    let newest = blocks.last().map_or(0, |block| block.header.at.number);
    require(newest == chain.head(), Invariant::OneChain, || {
        format!("{process} is at block {newest}, and the chain at {}", chain.head())
    })
}

/// An actor believes this of so many tasks. An operator need not answer each, and a certificate need not be there; what a reorg
/// removed is remembered for a while, since it may come back.
pub(super) fn tasks(
    chain: &Chain,
    terms: &Terms,
    process: &str,
    view: View,
    tasks: usize,
) -> Result<(), Violation> {
    let (head, window) = (chain.head(), terms.response_window);
    let in_window = || chain.tasks.values().filter(|task| head <= task.created() + window);
    let open = || in_window().filter(|task| task.answered.is_none()).count();
    let still_told = window + terms.finality_blocks;
    let allowed = match view {
        View::Open => 0..=in_window().count(),
        View::Known => open()..=chain.tasks_since(head.saturating_sub(still_told + 1)),
        View::Unanswered => 0..=chain.unanswered_since(head.saturating_sub(still_told + 1)),
    };
    require(allowed.contains(&tasks), Invariant::OneChain, || {
        format!("{process} believes of {tasks} tasks: {view:?}; on chain it is true of {allowed:?}")
    })
}
