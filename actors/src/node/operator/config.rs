//! What an operator stakes and publishes.

use anzen_deploy::operator::{OperatorParams, Tokens, WHOLE_MAGNITUDE};
use serde::{Deserialize, Serialize};

use crate::node::NodeError;

/// What an operator stakes and publishes: for `anzen operator register` and its like, and for
/// `register_operator_on_startup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OperatorConfig {
    /// Where EigenLayer's applications find the operator's name and logo: the URL of a JSON document.
    pub metadata_uri: String,
    /// The address that is published in the socket registry. Nobody of Anzen connects to an operator, so it may be empty.
    pub socket: String,
    /// What it deposits itself, in whole tokens, such as "32" or "0.5"; what others delegate to it comes in addition.
    pub stake: Tokens,
    /// How much of its stake it allocates to Anzen, so that it counts and can be slashed, in per cent.
    pub share_percent: u8,
    /// From an allocation to the block in which it holds, in blocks. Set once, when it registers with EigenLayer.
    pub allocation_delay: u32,
}

impl Default for OperatorConfig {
    fn default() -> Self {
        Self {
            metadata_uri: String::new(),
            socket: String::new(),
            stake: Tokens::default(),
            share_percent: 100,
            allocation_delay: 0,
        }
    }
}

impl OperatorConfig {
    /// The same for a token with so many decimals.
    ///
    /// # Errors
    /// Where the stake is no amount of such a token, or the share is none.
    pub fn params(&self, decimals: u8) -> Result<OperatorParams, NodeError> {
        if !(1..=100).contains(&self.share_percent) {
            return Err(NodeError::Share(self.share_percent));
        }
        Ok(OperatorParams {
            metadata_uri: self.metadata_uri.clone(),
            socket: self.socket.clone(),
            stake: self.stake.units(decimals)?,
            magnitude: WHOLE_MAGNITUDE / 100 * u64::from(self.share_percent),
            may_lower: false,
            allocation_delay: self.allocation_delay,
            withdrawal: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_per_cent_become_units_and_magnitudes() {
        let config: OperatorConfig =
            parse("{\"stake\": \"0.5\", \"share_percent\": 40, \"socket\": \"here:1\"}").unwrap();
        let params = config.params(6).unwrap();
        assert_eq!(
            (params.stake.to_string().as_str(), params.magnitude),
            ("500000", WHOLE_MAGNITUDE / 5 * 2)
        );
        assert_eq!((params.socket.as_str(), params.allocation_delay, params.may_lower), ("here:1", 0, false));
    }

    #[test]
    fn impossible_settings_are_refused() {
        for share_percent in [0, 101] {
            let config = OperatorConfig { share_percent, ..OperatorConfig::default() };
            assert!(matches!(config.params(18), Err(NodeError::Share(_))));
        }
        let config: OperatorConfig = parse("{\"stake\": 0.1234}").unwrap();
        assert!(
            config.params(3).unwrap_err().to_string().starts_with("operator.stake: 0.1234 has more digits")
        );
        assert!(parse("{\"stake\": -1}").is_err() && parse("{\"steak\": 1}").is_err());
    }

    fn parse(json: &str) -> Result<OperatorConfig, serde_json::Error> {
        serde_json::from_str(json)
    }
}
