//! What a connection is held to.

use std::time::Duration;

use super::bucket::Allowance;
use super::budget::Common;

/// What one reply may take, with its frame: an id, and a result or the words of a refusal, all of which are short.
pub(super) const REPLY_BYTES: usize = 2 * 1024;

/// What the other end may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Allowances {
    /// The most bytes of a message.
    pub(super) most_message_bytes: usize,
    /// The most calls in a batch; not above `most_in_flight`.
    pub(super) most_batch: usize,
    /// The most calls that are read and not answered.
    pub(super) most_in_flight: usize,
    /// The most bytes of calls that are read and not answered, and of their replies; nothing where there is trust.
    pub(super) most_waiting_bytes: Option<usize>,
    /// How many calls, frames or KiB are read in a second; nothing for all that come.
    pub(super) pace: Option<Allowance>,
}

/// What a connection is held to.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    /// Before the other end has said who it is.
    pub(super) stranger: Allowances,
    /// After that.
    pub(super) known: Allowances,
    /// What all connections share; nothing where there is trust.
    pub(super) common: Option<Common>,
    /// After this, a call is answered with `Unavailable`.
    pub(super) longest_call: Duration,
    /// How long TLS and the WebSocket's handshake may take, each.
    pub(super) handshake: Duration,
    /// How often the other end is pinged.
    pub(super) ping_interval: Duration,
    /// How long the other end may be silent, or take to send one message, or not read what is written to it.
    pub(super) longest_silence: Duration,
}

impl Allowances {
    /// What is allowed to a stranger: enough to say who it is, one call at a time, and never more than to who is known.
    pub(super) fn of_a_stranger(known: &Self) -> Self {
        Self {
            most_message_bytes: known.most_message_bytes.min(4 * 1024),
            most_batch: 1,
            most_in_flight: 1,
            most_waiting_bytes: known.most_waiting_bytes,
            pace: known.pace.map(|_| Allowance { burst: 32, refill: Duration::from_millis(100) }),
        }
    }
}
