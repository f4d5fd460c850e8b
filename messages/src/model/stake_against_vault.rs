//! The built-in model of two terms, which is on no chain: actors use it until they read models from the chain.

use alloy_primitives::{Address, B256, I256, U256, keccak256};
use alloy_sol_types::{SolValue, sol};
use serde::{Deserialize, Serialize};

use super::{NoAnswer, Side, Term, evaluate, reading_of_feed};
use crate::SafetyFactor;

mod abi {
    super::sol! {
        struct StakeAgainstVault {
            string kind;
            uint8 quorum;
            address stakeRegistry;
            address stakePriceFeed;
            address vault;
            address vaultPriceFeed;
            uint32 costShareBps;
            uint32 profitShareBps;
            uint8 costDecimals;
            uint8 profitDecimals;
        }
    }
}

/// What it costs to corrupt a quorum against what a vault would yield:
///
/// ```text
/// CoC = quorum stake x price of the stake token x cost share  / 10^costDecimals   / 10_000   (rounded down)
/// PfC = vault assets x price of the asset       x profit share / 10^profitDecimals / 10_000   (rounded up)
/// SF  = (CoC - PfC) / CoC                                                                      (rounded down)
/// ```
///
/// All of it at one block. CoC and PfC come out in the same unit (the decimals see to that).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Model {
    /// The quorum whose stake secures the protocol.
    pub quorum: u8,
    /// Where that stake is recorded.
    pub stake_registry: Address,
    /// AggregatorV3 feed of the stake token.
    pub stake_price_feed: Address,
    /// ERC-4626 vault with what could be stolen (`totalAssets`).
    pub vault: Address,
    /// AggregatorV3 feed of the vault's asset.
    pub vault_price_feed: Address,
    /// The share of the stake that an attacker must corrupt, in hundredths of a per cent (1 to 10,000).
    pub cost_share_bps: u32,
    /// The share of the vault that an attacker could take, in hundredths of a per cent (0 to 10,000).
    pub profit_share_bps: u32,
    /// Decimals of stake and its price beyond the common unit.
    pub cost_decimals: u8,
    /// Decimals of the asset and its price beyond the common unit.
    pub profit_decimals: u8,
}

/// What the model reads at the reference block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inputs {
    /// The quorum's total stake.
    pub stake: U256,
    /// `answer` of the stake token's feed.
    pub stake_price: I256,
    /// `totalAssets` of the vault.
    pub assets: U256,
    /// `answer` of the asset's feed.
    pub asset_price: I256,
}

/// A way to compute a safety factor: a pure function of what was read at the reference block, so that all operators come to
/// the same answer.
pub trait SafetyModel {
    /// What it reads.
    type Inputs;

    /// The safety factor that follows from `inputs`.
    ///
    /// # Errors
    /// Where the inputs have no answer.
    fn evaluate(&self, inputs: &Self::Inputs) -> Result<SafetyFactor, NoAnswer>;
}

impl Model {
    /// The name of the model in a task: `keccak256` of its ABI encoding, its kind first.
    pub fn hash(&self) -> B256 {
        let model = abi::StakeAgainstVault {
            kind: "anzen.StakeAgainstVault.1".into(),
            quorum: self.quorum,
            stakeRegistry: self.stake_registry,
            stakePriceFeed: self.stake_price_feed,
            vault: self.vault,
            vaultPriceFeed: self.vault_price_feed,
            costShareBps: self.cost_share_bps,
            profitShareBps: self.profit_share_bps,
            costDecimals: self.cost_decimals,
            profitDecimals: self.profit_decimals,
        };
        keccak256(model.abi_encode())
    }
}

impl SafetyModel for Model {
    type Inputs = Inputs;

    fn evaluate(&self, inputs: &Inputs) -> Result<SafetyFactor, NoAnswer> {
        // A feed's answer without its age: this model does not ask how old it is.
        let price = |answer| reading_of_feed(answer, 0, 0);
        evaluate(&[
            Term {
                side: Side::Cost,
                amount: Ok(inputs.stake),
                price: price(inputs.stake_price),
                share_bps: self.cost_share_bps,
                decimals: self.cost_decimals,
            },
            Term {
                side: Side::Profit,
                amount: Ok(inputs.assets),
                price: price(inputs.asset_price),
                share_bps: self.profit_share_bps,
                decimals: self.profit_decimals,
            },
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn model() -> Model {
        Model {
            quorum: 0,
            stake_registry: Address::repeat_byte(1),
            stake_price_feed: Address::repeat_byte(2),
            vault: Address::repeat_byte(3),
            vault_price_feed: Address::repeat_byte(4),
            cost_share_bps: 5_000,
            profit_share_bps: 10_000,
            cost_decimals: 0,
            profit_decimals: 0,
        }
    }

    fn inputs(stake: u64, stake_price: i64, assets: u64, asset_price: i64) -> Inputs {
        Inputs {
            stake: U256::from(stake),
            stake_price: I256::try_from(stake_price).unwrap(),
            assets: U256::from(assets),
            asset_price: I256::try_from(asset_price).unwrap(),
        }
    }

    fn evaluate(inputs: Inputs) -> Result<i64, NoAnswer> {
        model().evaluate(&inputs).map(|value| i64::try_from(value.0).unwrap())
    }

    #[test]
    fn an_empty_vault_is_perfectly_safe() {
        assert_eq!(evaluate(inputs(100, 1, 0, 1)), Ok(1_000_000_000));
    }

    #[test]
    fn break_even_is_zero_and_beyond_it_negative() {
        assert_eq!(evaluate(inputs(100, 1, 50, 1)), Ok(0));
        assert_eq!(evaluate(inputs(100, 1, 150, 1)), Ok(-2_000_000_000));
    }

    #[test]
    fn every_rounding_is_against_the_protocol() {
        // CoC = 7 / 2 = 3 (down); PfC = 1; 1 - 1/3 = 0.666666666 (down)
        assert_eq!(evaluate(inputs(7, 1, 1, 1)), Ok(666_666_666));
        // 1 - 4/3 = -0.333333334 (down, away from zero)
        assert_eq!(evaluate(inputs(7, 1, 4, 1)), Ok(-333_333_334));
        // PfC = 1 x 1 x 10_000 / 10^1 / 10_000 = 0.1 becomes 1 (up)
        let coarse = Model { profit_decimals: 1, ..model() };
        assert_eq!(coarse.evaluate(&inputs(20, 1, 1, 1)).unwrap().0, I256::try_from(900_000_000).unwrap());
    }

    #[test]
    fn what_has_no_answer_says_why() {
        assert_eq!(evaluate(inputs(0, 1, 1, 1)), Err(NoAnswer::NoCost));
        assert_eq!(evaluate(inputs(1, 1, 1, 1)), Err(NoAnswer::NoCost), "half a unit rounds down to none");
        assert_eq!(evaluate(inputs(1, 0, 1, 1)), Err(NoAnswer::NoPrice(I256::ZERO)));
        assert_eq!(evaluate(inputs(100, 1, 1, -1)), Err(NoAnswer::NoPrice(I256::MINUS_ONE)));
        let huge = Inputs { stake: U256::MAX, ..inputs(1, 2, 1, 1) };
        assert_eq!(evaluate(huge), Err(NoAnswer::Overflow));
        let rich = Inputs { assets: U256::from(u128::MAX), ..inputs(2, 1, 1, 1) };
        assert_eq!(evaluate(rich), Err(NoAnswer::Overflow), "the oracle keeps an int128");
    }

    proptest! {
        #[test]
        fn never_panics_and_never_exceeds_one(
            stake: [u8; 32], price: [u8; 32], assets: [u8; 32], other: [u8; 32], decimals: u8,
        ) {
            let inputs = Inputs {
                stake: U256::from_be_bytes(stake), stake_price: I256::from_be_bytes(price),
                assets: U256::from_be_bytes(assets), asset_price: I256::from_be_bytes(other),
            };
            let model = Model { cost_decimals: decimals, profit_decimals: decimals / 2, ..model() };
            if let Ok(value) = model.evaluate(&inputs) {
                prop_assert!(value.0 <= I256::try_from(SafetyFactor::ONE).unwrap());
            }
        }

        #[test]
        fn agrees_with_the_exact_quotient(stake in 2u64..1 << 40, assets in 0u64..1 << 40) {
            let value = i128::from(evaluate(inputs(stake, 1, assets, 1)).unwrap_or_default());
            let cost = i128::from(stake / 2);
            let exact = ((cost - i128::from(assets)) * 1_000_000_000).div_euclid(cost);
            prop_assert_eq!(value, exact);
        }
    }
}
