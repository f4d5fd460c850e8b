//! Setting an operator up: in EigenLayer, with stake at risk, and in Anzen's quorum; and taking it down again.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `step.rs` | the steps, and what comes of one |
//! | `setup.rs` | taking them |
//! | `registration.rs`, `stake.rs`, `allocation.rs`, `membership.rs`, `withdrawal.rs` | what each step is |
//! | `part.rs` | how much is withdrawn, and whether it has been |
//! | `preview.rs` | what the steps would send |
//! | `status.rs`, `chain.rs`, `past.rs` | how far an operator is |
//! | `mocked.rs` | for unit tests |
//!
//! What a step comes to is decided from the chain alone, each time anew, so that all of them can be run again after
//! anything. The steps of different operators do not disturb each other and may run at the same time.

mod allocation;
mod amount;
mod chain;
mod error;
mod hint;
mod key;
mod membership;
#[cfg(test)]
mod mocked;
mod part;
mod past;
mod preview;
mod registration;
mod setup;
mod stake;
mod status;
mod step;
mod withdrawal;

pub use amount::{Amount, Tokens, TokensError};
pub use chain::{Membership, Operator};
pub use error::{OperatorError, Shortage, Shortfall};
pub use key::BlsKey;
pub use preview::{Preview, State};
pub use setup::{Blocks, OperatorParams, OperatorSetup};
pub use status::{PendingAllocation, Status};
pub use step::{Outcome, Plan, Step, Wait};

/// All of an operator's stake in a strategy, in EigenLayer's magnitudes.
pub const WHOLE_MAGNITUDE: u64 = 1_000_000_000_000_000_000;
/// The quorum that answers; as an operator set it has the same number.
const QUORUM: u8 = 0;
