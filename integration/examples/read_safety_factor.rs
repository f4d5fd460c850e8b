//! Reads a protocol's safety factor from its feed: `read_safety_factor RPC_URL FEED`. docs/integrators.md explains it.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy::primitives::{Address, I256, utils::format_units};
use alloy::providers::ProviderBuilder;

alloy::sol! {
    #[sol(rpc)]
    interface AggregatorV3Interface {
        function decimals() external view returns (uint8);
        function latestRoundData() external view
            returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
    }
}

/// An older value says nothing about today. Choose a few task intervals.
const MAX_AGE: Duration = Duration::from_secs(3600);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: read_safety_factor RPC_URL FEED";
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or(usage)?.parse()?;
    let address: Address = arguments.next().ok_or(usage)?.parse()?;

    let feed = AggregatorV3Interface::new(address, ProviderBuilder::new().connect_http(url));
    let decimals = feed.decimals().call().await?;
    let round = feed.latestRoundData().call().await?;
    let written = UNIX_EPOCH + Duration::from_secs(round.updatedAt.try_into()?);
    let age = SystemTime::now().duration_since(written).unwrap_or_default();
    if age > MAX_AGE {
        return Err(format!("the value is {} s old", age.as_secs()).into());
    }
    let safe = round.answer > I256::ZERO;
    println!(
        "safety factor {} ({} s old), safe: {safe}",
        format_units(round.answer, decimals)?,
        age.as_secs()
    );
    Ok(())
}
