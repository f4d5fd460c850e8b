//! What was decided, as the file of addresses has it.

use crate::config::{DeployConfig, DisputesConfig, SlashingConfig};
use alloy::primitives::{Address, U256};
use anzen_contracts::anzen_disputes::IAnzenDisputes::DisputePolicy;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Who may do what, and what else the timelock decides. When it decides otherwise later, this is to follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Governance {
    /// The timelock's delay.
    pub min_delay_seconds: u64,
    /// Who may schedule, and cancel.
    pub proposers: BTreeSet<Address>,
    /// Who may execute what was scheduled; the zero address lets anyone.
    pub executors: BTreeSet<Address>,
    /// Who may create tasks.
    pub generators: BTreeSet<Address>,
    /// Who may pause.
    pub pausers: BTreeSet<Address>,
    /// Who vetoes slashings, and rules where nothing can be proved.
    pub committee: BTreeSet<Address>,
    /// Who may write a safety factor while the committee has to rule.
    pub fallback_posters: BTreeSet<Address>,
    /// The least stake of an operator in quorum 0.
    pub minimum_stake: U256,
    /// What disputes before the committee cost, and how often an operator may be absent.
    pub disputes: DisputeRules,
    /// What faults cost.
    pub fault_shares: FaultShares,
    /// How many seconds pass from block to block.
    pub seconds_per_block: u64,
}

impl Governance {
    /// As the configuration of a deployment under this timelock says.
    pub(crate) fn new(config: &DeployConfig, timelock: Address) -> Self {
        let set = |accounts: &[Address]| accounts.iter().copied().collect();
        Self {
            min_delay_seconds: config.timelock.min_delay_seconds,
            proposers: set(&config.timelock.proposers),
            executors: set(&config.timelock.executors),
            generators: set(&config.roles.generators),
            pausers: set(&config.roles.pausers),
            committee: set(&config.roles.committee),
            fallback_posters: set(&config.roles.fallback_posters),
            minimum_stake: config.quorum.minimum_stake,
            disputes: DisputeRules::new(&config.disputes, timelock),
            fault_shares: FaultShares::from(&config.slashing),
            seconds_per_block: config.seconds_per_block,
        }
    }
}

/// The policy of AnzenDisputes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DisputeRules {
    /// What is deposited with a dispute that the committee has to rule on, in wei.
    pub bond: U256,
    /// Who gets the bonds of those that it rejects.
    pub treasury: Address,
    /// On how many answers of a protocol the committee may have to rule at once.
    pub most_pending_per_protocol: u8,
    /// And of all protocols.
    pub most_pending: u16,
    /// From how many tasks an operator may keep away within a period.
    pub absences_allowed: u16,
    /// That period, in blocks.
    pub absence_period: u32,
}

impl DisputeRules {
    pub(crate) fn new(config: &DisputesConfig, timelock: Address) -> Self {
        Self {
            bond: config.bond,
            treasury: config.treasury.unwrap_or(timelock),
            most_pending_per_protocol: config.most_pending_per_protocol,
            most_pending: config.most_pending,
            absences_allowed: config.absences_allowed,
            absence_period: config.absence_period,
        }
    }
}

impl From<&DisputeRules> for DisputePolicy {
    fn from(rules: &DisputeRules) -> Self {
        Self {
            // More than its 96 bits no contract says, nor a configuration that was checked.
            bond: rules.bond.saturating_to(),
            treasury: rules.treasury,
            mostPendingPerProtocol: rules.most_pending_per_protocol,
            mostPending: rules.most_pending,
            absencesAllowed: rules.absences_allowed,
            absencePeriod: rules.absence_period,
        }
    }
}

/// What a fault of each kind costs, in hundredths of a per cent of what an operator has allocated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultShares {
    /// Signed a wrong answer.
    pub wrong_answer_bps: u32,
    /// Signed two answers of one task.
    pub equivocation_bps: u32,
    /// Kept away too often, as the committee found.
    pub absence_bps: u32,
}

impl FaultShares {
    /// Each kind of fault by its number in `IAnzenServiceManager.FaultKind`, with its name, and its share in units of 1e-18.
    pub(crate) fn by_kind(&self) -> [(u8, &'static str, u64); 3] {
        [
            (0, "a wrong answer", wad(self.wrong_answer_bps)),
            (1, "equivocation", wad(self.equivocation_bps)),
            (2, "absence", wad(self.absence_bps)),
        ]
    }
}

impl From<&SlashingConfig> for FaultShares {
    fn from(config: &SlashingConfig) -> Self {
        let SlashingConfig { wrong_answer_bps, equivocation_bps, absence_bps, .. } = *config;
        Self { wrong_answer_bps, equivocation_bps, absence_bps }
    }
}

/// A share in hundredths of a per cent, as the contracts count it.
fn wad(bps: u32) -> u64 {
    /// A hundredth of a per cent, in units of 1e-18.
    const PER_BPS: u64 = 100_000_000_000_000;
    u64::from(bps) * PER_BPS
}
