//! **TxSender** has calls take effect: one per key, so that nobody else hands out the key's nonces.
//!
//! A request carries an idempotency id. While a transaction of an id may still be mined, no other is sent for it; one that is
//! mined is remembered, so that asking again returns the same: a success for long, one that reverted until no reorg undoes it
//! any more, and then the id may be sent anew. Every transaction is on disk before it is broadcast.
//!
//! A call is tried first (its revert is the reply), then signed with the lowest free nonce. Transactions are under way side by
//! side. One that is next in line and not mined for some blocks is replaced at a higher price, if it is the price that holds it
//! up: not where no node has it, and not where the account cannot pay for it. One that has become useless (`not_after`) is
//! replaced by an empty transaction, because its nonce holds up those behind it. A transaction that another has sent with the
//! key goes first.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `queue.rs` | requests, from the first word to a transaction under way |
//! | `offers.rs` | what nodes say to a transaction, and whether it is replaced |
//! | `settle.rs` | what becomes of it as blocks come, to the last confirmation |
//! | `gaps.rs` | nonces that nobody has, and that are filled |
//! | `effect.rs` | what these four want done |
//! | `intent.rs` | one request, and its transactions |
//! | `nonces.rs` | which nonces are used, as far as nodes tell |
//! | `fees.rs` | what a transaction, and its replacement, offers |
//! | `spans.rs` | what traces and log lines say of a request |
//! | `records.rs` | what is on disk |
//! | `health.rs` | whether transactions can be sent |
//! | `actor.rs` | the actor: its start, its messages, its replies |
//! | `steps.rs`, `questions.rs` | tries, signs, saves, broadcasts, asks for receipts |

mod actor;
mod effect;
mod fees;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod gaps;
mod health;
mod intent;
mod metrics;
mod nonces;
mod offers;
mod questions;
mod queue;
mod records;
mod settle;
mod spans;
mod steps;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use actor::{Dependencies, TxSender, start};
pub use metrics::Metrics;

/// How transactions are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Requests that are queued or under way at a time; more are refused.
    pub capacity: usize,
    /// In how many blocks a transaction must be, its own included, before the reply.
    pub confirmations: u64,
    /// After how many blocks a transaction that is next in line is replaced at a higher price.
    pub replace_after_blocks: u64,
    /// The most that is offered, in wei per gas, whatever the chain asks.
    pub most_fee_per_gas: u64,
    /// For how many blocks a success is remembered by its id.
    pub remember_blocks: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            capacity: 256,
            confirmations: 1,
            replace_after_blocks: 3,
            most_fee_per_gas: 500_000_000_000,
            remember_blocks: 256,
        }
    }
}
