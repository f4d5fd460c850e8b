//! Prices that move, so that the safety factors do.

use alloy::{
    primitives::{Address, B256, I256},
    providers::DynProvider,
};
use anzen_contracts::{AggregatorV3Interface, LocalPriceFeed};
use anzen_messages::model::Source;

use super::{
    LocalError,
    anvil::{Chain, DevKey},
};
use crate::{
    addresses::Addresses,
    chain::{Account, ChainError, Request, read},
    models,
};

/// A price moves in every so many blocks.
const EVERY_BLOCKS: u64 = 3;
/// The largest step, in hundredths of a per cent.
const LARGEST_STEP_BPS: i64 = 150;
/// How far from its first value a price may go, in hundredths of a per cent.
const BOUND_BPS: i64 = 4_000;

/// Moves the prices of the local feeds.
#[derive(Debug)]
pub(super) struct Prices {
    account: Account,
    feeds: Vec<Feed>,
}

#[derive(Debug)]
struct Feed {
    address: Address,
    first: i64,
    now: i64,
}

impl Prices {
    /// Hands the feeds over from the deployer to a key that does nothing else, so that no nonce is used twice.
    pub(super) async fn take_over(
        chain: &Chain,
        deployer: &Account,
        addresses: &Addresses,
    ) -> Result<Self, LocalError> {
        let account = chain.account(DevKey::Prices).await?;
        let mut feeds = Vec::new();
        let mut hand_overs = Vec::new();
        for address in feeds_of(&chain.provider, addresses).await? {
            let round = read(&chain.provider, address, AggregatorV3Interface::latestRoundDataCall {}).await?;
            let first = i64::try_from(round.answer).unwrap_or(i64::MAX);
            feeds.push(Feed { address, first, now: first });
            let call = LocalPriceFeed::transferOwnershipCall { newOwner: account.address() };
            hand_overs.push(Request::call("handing a price feed over", address, &call));
        }
        deployer.execute_all(&hand_overs).await?;
        Ok(Self { account, feeds })
    }

    /// Moves one price if it is time, by what the block's hash says: every network has a history of its own.
    pub(super) async fn moved(&mut self, block: u64, hash: B256) -> Result<(), ChainError> {
        if !block.is_multiple_of(EVERY_BLOCKS) || self.feeds.is_empty() {
            return Ok(());
        }
        let turn = usize::try_from(block / EVERY_BLOCKS).unwrap_or_default() % self.feeds.len();
        let feed = &mut self.feeds[turn];
        let next = step(feed.first, feed.now, hash);
        let answer = I256::try_from(next).unwrap_or_default();
        let request = Request::call("moving a price", feed.address, &LocalPriceFeed::transmitCall { answer });
        self.account.send(&request).await?;
        feed.now = next;
        Ok(())
    }
}

/// The feeds of all models, each once.
async fn feeds_of(provider: &DynProvider, addresses: &Addresses) -> Result<Vec<Address>, ChainError> {
    let mut feeds = Vec::new();
    for protocol in &addresses.protocols {
        let model = models::get(provider, addresses.safety_factor_models, protocol.model_hash).await?;
        for source in model.sources() {
            match source {
                Source::FeedRound { feed, .. } if !feeds.contains(feed) => feeds.push(*feed),
                _ => {}
            }
        }
    }
    Ok(feeds)
}

/// The next price of a bounded random walk.
fn step(first: i64, now: i64, chance: B256) -> i64 {
    let span = 2 * LARGEST_STEP_BPS + 1;
    let bps = i64::from(u16::from_be_bytes([chance[0], chance[1]])) % span - LARGEST_STEP_BPS;
    let share = |price: i64, bps: i64| price / 10_000 * bps;
    let (least, most) = (first - share(first, BOUND_BPS), first + share(first, BOUND_BPS));
    (now + share(now, bps)).clamp(least, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_moves_and_stays_within_its_bounds() {
        let first = 200_000_000;
        for byte in [0x00, 0xff] {
            let mut price = first;
            for _ in 0..1_000 {
                price = step(first, price, B256::repeat_byte(byte));
                assert!((120_000_000..=280_000_000).contains(&price), "{price}");
            }
            assert_ne!(price, first);
        }
    }

    #[test]
    fn a_step_is_small() {
        let moved = step(1_000_000, 1_000_000, B256::ZERO);
        assert_eq!(moved, 985_000);
    }
}
