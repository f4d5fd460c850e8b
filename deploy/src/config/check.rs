//! What can be checked of a configuration without the chain.

use super::{ConfigError, CoreConfig, DeployConfig, ModelConfig, ProtocolConfig, WindowsConfig as Windows};
use alloy::primitives::Address;
use std::collections::BTreeSet;

/// The whole, in hundredths of a per cent.
const ALL_BPS: u32 = 10_000;

impl DeployConfig {
    /// Checks what can be checked without the chain.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let (needed, look_ahead) = (self.windows.sum(), u64::from(self.quorum.look_ahead));
        self.require(needed <= look_ahead, || {
            format!("the windows need {needed} blocks and look_ahead is {look_ahead}; raise it or shorten a window")
        })?;
        if let CoreConfig::Deploy(core) = &self.eigenlayer {
            let delay = u64::from(core.deallocation_delay);
            self.require(look_ahead <= delay, || {
                format!("look_ahead is {look_ahead}, and deallocation_delay, its upper limit, is {delay}")
            })?;
            self.require(core.min_withdrawal_delay >= core.deallocation_delay, || {
                "min_withdrawal_delay is below deallocation_delay: stake could be withdrawn before it is slashed".into()
            })?;
        }
        self.require(self.quorum.max_operator_count > 0, || "max_operator_count is 0".into())?;
        self.require(self.quorum.minimum_stake.bit_len() <= 96, || {
            "minimum_stake does not fit 96 bits".into()
        })?;
        self.require(!self.timelock.proposers.is_empty() && !self.timelock.executors.is_empty(), || {
            "the timelock needs a proposer and an executor, or nobody could ever govern; fill in [timelock] and [roles] in \
             a copy, which `anzen deploy template` prints"
                .into()
        })?;
        self.require(!self.roles.generators.is_empty(), || {
            "there is no generator, so no task would be created".into()
        })?;
        self.validate_governance()?;
        self.validate_windows()?;
        self.validate_disputes()?;
        self.validate_slashing()?;
        self.validate_protocols()
    }

    fn validate_windows(&self) -> Result<(), ConfigError> {
        let Windows { response, challenge, veto, execution, .. } = self.windows;
        let windows =
            [("response", response), ("challenge", challenge), ("veto", veto), ("execution", execution)];
        for (window, blocks) in windows {
            self.require(blocks > 0, || format!("windows.{window} is 0, so there would be no time for it"))?;
        }
        Ok(())
    }

    /// As AnzenDisputes and whoever has to rule need it.
    fn validate_disputes(&self) -> Result<(), ConfigError> {
        let disputes = &self.disputes;
        self.require(!self.roles.committee.is_empty(), || {
            "there is no committee, so nobody could veto a slashing or rule on what cannot be proved; fill in [roles]".into()
        })?;
        // It doubles with each dispute that is pending.
        let dearest = disputes.bond.bit_len() + usize::from(disputes.most_pending.saturating_sub(1));
        self.require(!disputes.bond.is_zero() && dearest <= 96, || {
            "disputes.bond is 0, or does not fit 96 bits where most_pending disputes have doubled it".into()
        })?;
        self.require(disputes.treasury != Some(Address::ZERO), || {
            "disputes.treasury is the zero address; leave it out for the timelock".into()
        })?;
        let (of_one, of_all) = (u16::from(disputes.most_pending_per_protocol), disputes.most_pending);
        self.require((1..=of_all).contains(&of_one), || {
            "disputes.most_pending_per_protocol is not 1 to disputes.most_pending".into()
        })?;
        self.require(disputes.absence_period > 0, || "disputes.absence_period is 0".into())
    }

    fn validate_slashing(&self) -> Result<(), ConfigError> {
        let slashing = &self.slashing;
        let shares = [
            ("wrong_answer_bps", slashing.wrong_answer_bps, 1),
            ("equivocation_bps", slashing.equivocation_bps, 1),
            ("absence_bps", slashing.absence_bps, 0),
        ];
        for (field, share, least) in shares {
            self.require((least..=ALL_BPS).contains(&share), || {
                format!("slashing.{field} is {share}, and not {least} to {ALL_BPS}")
            })?;
        }
        self.require(self.seconds_per_block > 0, || "seconds_per_block is 0".into())?;
        let (cooldown, veto) = (slashing.ejection_cooldown_seconds, self.veto_seconds());
        self.require(cooldown >= veto, || {
            format!(
                "slashing.ejection_cooldown_seconds is {cooldown} and the veto window takes {veto} seconds; raise it, or \
                 whoever was ejected is back before it is slashed"
            )
        })
    }

    /// The zero address stands for anyone among executors, and for nobody elsewhere.
    fn validate_governance(&self) -> Result<(), ConfigError> {
        let accounts = [
            ("timelock.proposers", &self.timelock.proposers),
            ("roles.generators", &self.roles.generators),
            ("roles.pausers", &self.roles.pausers),
            ("roles.committee", &self.roles.committee),
            ("roles.fallback_posters", &self.roles.fallback_posters),
        ];
        for (field, accounts) in accounts {
            self.require(!accounts.contains(&Address::ZERO), || {
                format!("{field} has the zero address, which nobody can use; give the account's own")
            })?;
        }
        self.require(self.is_local() || self.timelock.min_delay_seconds > 0, || {
            "min_delay_seconds is 0: nobody could react to what the timelock does; give a day or more".into()
        })
    }

    fn validate_protocols(&self) -> Result<(), ConfigError> {
        let indices: BTreeSet<u32> = self.protocols.iter().map(|p| p.oracle_index).collect();
        self.require(indices.len() == self.protocols.len(), || {
            "two protocols have the same oracle_index".into()
        })?;
        for protocol in &self.protocols {
            protocol.check().map_err(|what| ConfigError::Inconsistent { name: self.name.clone(), what })?;
            self.require(!matches!(protocol.model, ModelConfig::Hash(_)), || {
                "no model has been added to a deployment that is yet to be made; give model.file instead of model.hash".into()
            })?;
        }
        Ok(())
    }

    fn require(&self, holds: bool, what: impl FnOnce() -> String) -> Result<(), ConfigError> {
        if holds { Ok(()) } else { Err(ConfigError::Inconsistent { name: self.name.clone(), what: what() }) }
    }
}

impl ProtocolConfig {
    /// Checks what can be checked without the chain.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        let (least, greatest) = (self.least_threshold_percentage, self.greatest_threshold_percentage);
        let rules = [
            (!self.name.is_empty(), "it has no name"),
            (
                !self.quorum_numbers.is_empty() && self.quorum_numbers.is_sorted_by(|a, b| a < b),
                "quorum_numbers are not ascending, or none",
            ),
            ((51..=100).contains(&least), "least_threshold_percentage is not 51 to 100"),
            (
                (least..=100).contains(&greatest),
                "greatest_threshold_percentage is not least_threshold_percentage to 100",
            ),
            (self.min_task_interval > 0, "min_task_interval is 0"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, what)) => Err(format!("protocol {}: {what}", self.oracle_index)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::{B256, U256};

    #[test]
    fn anyone_may_execute_and_a_local_chain_needs_no_delay() {
        let mut config = DeployConfig::anvil().unwrap();
        config.timelock.executors = vec![Address::ZERO];
        config.timelock.min_delay_seconds = 0;
        config.validate().unwrap();
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        type Spoil = fn(&mut DeployConfig);
        let cases: [(Spoil, &str); 26] = [
            (|c| c.quorum.look_ahead = 629, "windows need 630"),
            (|c| c.quorum.look_ahead = 1001, "its upper limit"),
            (|c| c.protocols[1].oracle_index = 0, "same oracle_index"),
            (|c| c.protocols[0].least_threshold_percentage = 50, "51 to 100"),
            (|c| c.protocols[0].greatest_threshold_percentage = 65, "greatest_threshold_percentage"),
            (|c| c.protocols[0].greatest_threshold_percentage = 101, "greatest_threshold_percentage"),
            (|c| c.protocols[0].quorum_numbers.clear(), "quorum_numbers"),
            (|c| c.protocols[0].model = ModelConfig::Hash(B256::ZERO), "model.file instead"),
            (|c| c.timelock.proposers.clear(), "proposer"),
            (|c| c.timelock.proposers.push(Address::ZERO), "timelock.proposers has the zero address"),
            (|c| c.roles.generators.push(Address::ZERO), "roles.generators has the zero address"),
            (|c| c.roles.pausers.push(Address::ZERO), "roles.pausers has the zero address"),
            (|c| (c.chain_id, c.timelock.min_delay_seconds) = (1, 0), "min_delay_seconds is 0"),
            (|c| c.roles.committee.clear(), "there is no committee"),
            (|c| c.roles.committee.push(Address::ZERO), "roles.committee has the zero address"),
            (|c| c.roles.fallback_posters.push(Address::ZERO), "roles.fallback_posters has the zero address"),
            (|c| c.windows.veto = 0, "windows.veto is 0"),
            (|c| c.disputes.bond = U256::ONE << 89, "disputes.bond"),
            (|c| c.disputes.bond = U256::ZERO, "disputes.bond"),
            (|c| c.disputes.treasury = Some(Address::ZERO), "disputes.treasury"),
            (|c| c.disputes.most_pending_per_protocol = 0, "most_pending_per_protocol"),
            (|c| c.disputes.most_pending = 0, "most_pending_per_protocol"),
            (|c| c.slashing.wrong_answer_bps = 0, "wrong_answer_bps is 0"),
            (|c| c.slashing.absence_bps = 10_001, "absence_bps is 10001"),
            (|c| c.seconds_per_block = 12, "veto window takes 720 seconds"),
            (|c| c.disputes.absence_period = 0, "absence_period is 0"),
        ];
        for (spoil, expected) in cases {
            let mut config = DeployConfig::anvil().unwrap();
            spoil(&mut config);
            let error = config.validate().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
