//! What disputes cost, and whom.

use alloy::primitives::{Address, U256};
use serde::{Deserialize, Serialize};

/// What governance has decided about disputes: `DisputePolicy` of AnzenDisputes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisputesConfig {
    /// What is deposited with a dispute that the committee has to rule on, in wei.
    pub bond: U256,
    /// Who gets the bonds of those that it rejects; the timelock, if nobody is given.
    #[serde(default)]
    pub treasury: Option<Address>,
    /// On how many answers of a protocol the committee may have to rule at once; at least 1.
    pub most_pending_per_protocol: u8,
    /// And of all protocols; at least as many.
    pub most_pending: u16,
    /// From how many tasks an operator may keep away within `absence_period` without consequences.
    pub absences_allowed: u16,
    /// That period, in blocks; at least 1.
    pub absence_period: u32,
}

/// What a fault costs, as a share of what an operator has allocated, in hundredths of a per cent; and how long it is out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlashingConfig {
    /// Whoever signed a wrong answer; 1 to 10,000.
    pub wrong_answer_bps: u32,
    /// Whoever signed two answers of one task; 1 to 10,000.
    pub equivocation_bps: u32,
    /// Whoever kept away too often, if the committee finds so; 0 to 10,000.
    pub absence_bps: u32,
    /// For how long whoever was ejected cannot register again, in seconds: no less than the veto window.
    pub ejection_cooldown_seconds: u64,
}
