//! Whether answers are checked.

use super::cases::Tally;
use crate::health::Health;

/// What keeps the challenger from its work, as far as its own state tells.
pub(super) fn of(tally: &Tally) -> Health {
    match tally.checks_running_out {
        0 => Health::Up,
        answers => Health::Down(format!(
            "{answers} answers are not checked, and half of their challenge window is over: the endpoints have no states or \
             proofs of their blocks; add one to chain.rpc_urls that keeps them"
        )),
    }
}
