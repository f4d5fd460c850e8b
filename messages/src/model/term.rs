//! A term of a model.

use serde::{Deserialize, Serialize};

/// What a term adds to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// The cost of corruption.
    Cost,
    /// The profit from corruption.
    Profit,
}

/// `amount x price x share / 10^decimals`, rounded down on the cost side and up on the profit side. `S` is a
/// [`Source`](super::Source) in a model, and a [`Reading`](super::Reading) when it is evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Term<S> {
    /// What the term adds to.
    pub side: Side,
    /// How much of something there is.
    pub amount: S,
    /// What one of it is worth.
    pub price: S,
    /// The share that counts, in hundredths of a per cent. In a model 1 to 10,000.
    pub share_bps: u32,
    /// Decimals of amount and price beyond the unit that all terms have in common. In a model at most 60.
    pub decimals: u8,
}

impl<S> Term<S> {
    /// The same term with what `read` makes of its amount, then of its price.
    pub fn map<R>(&self, mut read: impl FnMut(&S) -> R) -> Term<R> {
        Term {
            side: self.side,
            amount: read(&self.amount),
            price: read(&self.price),
            share_bps: self.share_bps,
            decimals: self.decimals,
        }
    }
}
