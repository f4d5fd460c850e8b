//! What sessions are, and what they are held to.

use std::time::Duration;

use anzen_messages::OperatorId;

use super::bucket::Allowance;

/// The time, both ways.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// Seconds since 1970: what expiries are compared with.
    pub(super) seconds: u64,
    /// Since the process started: what allowances fill up with. It never jumps.
    pub(super) uptime: Duration,
}

/// What sessions are held to.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// This aggregator's name.
    pub(super) server: String,
    /// The longest session, in seconds.
    pub(super) longest_seconds: u64,
    /// The most connections with a session.
    pub(super) most_sessions: usize,
    /// The most connections without one.
    pub(super) most_strangers: usize,
    /// The most connections without a session, of one address.
    pub(super) most_strangers_per_address: usize,
    /// Connections and nonces that lead to no session, per address.
    pub(super) knocks: Allowance,
    /// Attempts to open a session, per address.
    pub(super) attempts: Allowance,
    /// The most addresses whose attempts are remembered.
    pub(super) most_addresses: usize,
}

/// A session: messages of this operator may come from the connection until it expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grant {
    /// Who opened it.
    pub(super) operator: OperatorId,
    /// Seconds since 1970 after which it is over.
    pub(super) expiry: u64,
}

impl Grant {
    /// True while it can be used.
    pub(super) fn is_alive(&self, seconds: u64) -> bool {
        seconds <= self.expiry
    }
}

/// Why a connection is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowded {
    /// There are as many strangers as may be, and the signatures of all are being checked.
    All,
    /// There are as many strangers of this address as may be.
    Address,
    /// This address has knocked too often.
    Knocks,
}

impl Crowded {
    /// All that [`Crowded::reason`] says.
    pub(super) const REASONS: [&str; 3] = ["strangers", "strangers_of_address", "knocks_of_address"];

    /// As it is counted.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::All => "strangers",
            Self::Address => "strangers_of_address",
            Self::Knocks => "knocks_of_address",
        }
    }
}
