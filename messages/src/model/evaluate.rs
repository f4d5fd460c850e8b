//! The arithmetic, the same as contracts/sol/libraries/ModelMath.sol on every input.
//!
//! Every rounding is against the protocol that is measured: the cost rounds down, the profit up, the quotient down (towards
//! minus infinity).

use alloy_primitives::{I256, U256};

use super::{NoAnswer, Reading, Side, Term};
use crate::SafetyFactor;

/// The safety factor that follows from what was read.
///
/// # Errors
/// Where there is none. The first term that has no value decides; in a term, its amount before its price.
pub fn evaluate(terms: &[Term<Reading>]) -> Result<SafetyFactor, NoAnswer> {
    let (cost, profit) = cost_and_profit(terms)?;
    safety_factor(cost, profit)
}

/// The cost of corruption and the profit from it.
///
/// # Errors
/// Where a term has no value, or they do not fit 256 bits.
pub fn cost_and_profit(terms: &[Term<Reading>]) -> Result<(U256, U256), NoAnswer> {
    let (mut cost, mut profit) = (U256::ZERO, U256::ZERO);
    for term in terms {
        let sum = match term.side {
            Side::Cost => &mut cost,
            Side::Profit => &mut profit,
        };
        *sum = sum.checked_add(value_of(term)?).ok_or(NoAnswer::Overflow)?;
    }
    Ok((cost, profit))
}

/// `amount x price x share / 10^decimals`.
///
/// # Errors
/// Where amount or price has no value, the price is zero, or the product does not fit 256 bits.
pub fn value_of(term: &Term<Reading>) -> Reading {
    let (amount, price) = (term.amount?, term.price?);
    if price.is_zero() {
        return Err(NoAnswer::NoPrice(I256::ZERO));
    }
    let product = amount
        .checked_mul(price)
        .and_then(|value| value.checked_mul(U256::from(term.share_bps)))
        .ok_or(NoAnswer::Overflow)?;
    let scale = U256::from(10)
        .checked_pow(U256::from(term.decimals))
        .and_then(|scale| scale.checked_mul(U256::from(10_000)))
        .ok_or(NoAnswer::Overflow)?;
    Ok(match term.side {
        Side::Cost => product / scale,
        Side::Profit => product.div_ceil(scale),
    })
}

/// `1.0 - profit / cost`, rounded down: the fraction that is subtracted rounds up.
fn safety_factor(cost: U256, profit: U256) -> Result<SafetyFactor, NoAnswer> {
    if cost.is_zero() {
        return Err(NoAnswer::NoCost);
    }
    let one = I256::unchecked_from(SafetyFactor::ONE);
    let scaled = profit.checked_mul(one.unsigned_abs()).ok_or(NoAnswer::Overflow)?;
    let fraction = I256::try_from(scaled.div_ceil(cost)).map_err(|_| NoAnswer::Overflow)?;
    let value = one.checked_sub(fraction).ok_or(NoAnswer::Overflow)?;
    i128::try_from(value).map_err(|_| NoAnswer::Overflow)?;
    Ok(SafetyFactor(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::strategies::read_terms;
    use alloy_primitives::U512;
    use proptest::prelude::*;

    fn term(side: Side, amount: U256, price: u64) -> Term<Reading> {
        Term { side, amount: Ok(amount), price: Ok(U256::from(price)), share_bps: 10_000, decimals: 0 }
    }

    fn of(cost: u64, profit: u64) -> Result<SafetyFactor, NoAnswer> {
        let (cost, profit) = (U256::from(cost), U256::from(profit));
        evaluate(&[term(Side::Cost, cost, 1), term(Side::Profit, profit, 1)])
    }

    fn factor(value: i64) -> Result<SafetyFactor, NoAnswer> {
        Ok(SafetyFactor(I256::unchecked_from(value)))
    }

    #[test]
    fn the_terms_of_a_side_add_up() {
        let terms = [
            term(Side::Cost, U256::from(30), 2),
            term(Side::Profit, U256::from(10), 1),
            term(Side::Cost, U256::from(40), 1),
            term(Side::Profit, U256::from(5), 3),
        ];
        assert_eq!(evaluate(&terms), factor(750_000_000));
        assert_eq!(evaluate(&terms[2..3]), factor(SafetyFactor::ONE), "nothing to gain");
    }

    #[test]
    fn the_quotient_rounds_down_on_both_sides_of_zero() {
        assert_eq!(of(3, 1), factor(666_666_666));
        assert_eq!(of(3, 4), factor(-333_333_334));
        assert_eq!(of(1, 1), factor(0));
    }

    #[test]
    fn a_side_without_terms_is_zero() {
        assert_eq!(evaluate(&[]), Err(NoAnswer::NoCost));
        assert_eq!(evaluate(&[term(Side::Profit, U256::from(1), 1)]), Err(NoAnswer::NoCost));
    }

    #[test]
    fn a_sum_that_does_not_fit_is_no_answer() {
        let half = U256::MAX / U256::from(10_000);
        let terms = vec![term(Side::Cost, half, 1); 10_001];
        assert!(evaluate(&terms[..10_000]).is_ok());
        assert_eq!(evaluate(&terms), Err(NoAnswer::Overflow));
    }

    proptest! {
        #[test]
        fn never_panics_and_never_exceeds_one(terms in read_terms()) {
            if let Ok(value) = evaluate(&terms) {
                prop_assert!(value.0 <= I256::unchecked_from(SafetyFactor::ONE));
                prop_assert!(i128::try_from(value.0).is_ok());
            }
        }

        /// Against the definition, computed in twice the width and without a division of the quotient.
        #[test]
        fn is_the_greatest_value_not_above_the_quotient(terms in read_terms()) {
            let Ok(value) = evaluate(&terms) else { return Ok(()) };
            let (mut cost, mut profit) = (U512::ZERO, U512::ZERO);
            for term in &terms {
                let product = U512::from(term.amount.unwrap()) * U512::from(term.price.unwrap()) * U512::from(term.share_bps);
                let scale = U512::from(10).pow(U512::from(term.decimals)) * U512::from(10_000);
                match term.side {
                    Side::Cost => cost += product / scale,
                    Side::Profit => profit += (product + scale - U512::from(1)) / scale,
                }
            }
            // fraction = ONE - SF is the least with fraction x cost >= profit x ONE
            let one = I256::unchecked_from(SafetyFactor::ONE);
            let fraction = U512::from((one - value.0).unsigned_abs());
            let scaled = profit * U512::from(SafetyFactor::ONE);
            prop_assert!(fraction * cost >= scaled);
            prop_assert!(fraction.is_zero() || (fraction - U512::from(1)) * cost < scaled);
        }
    }
}
