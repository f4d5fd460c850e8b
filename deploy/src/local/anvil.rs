//! The chain of a local network: anvil.

use std::{path::Path, time::Duration};

use alloy::{
    providers::{DynProvider, Provider, ProviderBuilder},
    signers::local::PrivateKeySigner,
};

use serde_json::{Value, json};

use super::{
    LocalError, folder,
    process::{Program, Sign},
    supervise::Processes,
};
use crate::{
    anvil::anvil_program,
    chain::{Account, ChainError},
};

/// The name of its process.
pub(super) const NAME: &str = "chain";
/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);
const LISTENING: &str = "Listening on ";
/// Where the states of blocks go that are not kept in memory, in the network's folder: anvil's own choice is a folder at
/// home, which it leaves behind when it is killed.
pub(super) const STATES: &str = "chain-states";
/// The most of them: a state takes 0.6 MB.
const MOST_STATES: &str = "1000";
/// The number of the chain's first block: more than EigenLayer's withdrawal delay (networks/anvil.toml), because its core cannot
/// slash on a chain that is younger (DelegationManager subtracts the delay from the block's number).
const FIRST_BLOCK: u64 = 2000;
/// So many of anvil's accounts are aggregators'.
pub const MOST_AGGREGATORS: u32 = 4;

/// anvil's well-known keys, which hold ether on every anvil. They are public: never use them elsewhere.
#[derive(Debug, Clone, Copy)]
pub(super) enum DevKey {
    /// Account 0: deploys, and mints what operators stake.
    Deployer,
    /// Accounts 1, 4, 5 and 6: the transactions of the first aggregator, the second and so on.
    Aggregator(&'static str),
    /// Account 3: moves the prices.
    Prices,
    /// Account 8: owns what stands in for a public network, so that the nonces of the others are untouched.
    Owner,
    /// Account 8 as well, which no local network has another use for: the challenger's transactions.
    Challenger,
}

impl DevKey {
    /// Those of the aggregators, in their order.
    pub(super) const AGGREGATORS: [Self; MOST_AGGREGATORS as usize] = [
        Self::Aggregator("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
        Self::Aggregator("0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"),
        Self::Aggregator("0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"),
        Self::Aggregator("0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"),
    ];

    pub(super) fn hex(self) -> &'static str {
        match self {
            Self::Deployer => "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
            Self::Aggregator(key) => key,
            Self::Owner | Self::Challenger => {
                "0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97"
            }
            Self::Prices => "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
        }
    }

    pub(super) fn signer(self) -> PrivateKeySigner {
        #[allow(clippy::expect_used, reason = "the keys above are keys")]
        self.hex().parse().expect("a key")
    }
}

/// A running anvil.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub(super) provider: DynProvider,
    pub(super) rpc_url: String,
    pub(super) ws_url: String,
}

impl Chain {
    /// Starts anvil with these arguments. It mines a block for each transaction at once, until
    /// [`Chain::mine_every`].
    pub(super) async fn start(
        processes: &mut Processes,
        folder: &Path,
        arguments_of_anvil: &[&str],
    ) -> Result<Self, LocalError> {
        let (log, first) = (folder.join("chain.log"), FIRST_BLOCK.to_string());
        let arguments = [
            ["--host", "127.0.0.1", "--number", &first].as_slice(),
            &["--cache-path", STATES, "--max-persisted-states", MOST_STATES],
            arguments_of_anvil,
        ]
        .concat();
        let (program, sign) = (anvil_program(), Sign::Line(LISTENING));
        processes.start(Program::tethered(NAME, program, &arguments, folder, log.clone(), sign)?)?;
        processes.ready(&[NAME], PATIENCE).await?;
        let line = folder::line_with(&log, 0, LISTENING).unwrap_or_default();
        let address = line.trim_start_matches(LISTENING).trim();
        Self::running(&format!("http://{address}"), &format!("ws://{address}"), &log)
    }

    /// The chain that listens at these URLs; `source` is the file that says so.
    pub(super) fn running(rpc_url: &str, ws_url: &str, source: &Path) -> Result<Self, LocalError> {
        let url = rpc_url.parse().map_err(|error| LocalError::malformed(source, &error))?;
        let provider = ProviderBuilder::new().connect_http(url).erased();
        Ok(Self { provider, rpc_url: rpc_url.to_owned(), ws_url: ws_url.to_owned() })
    }

    pub(super) async fn account(&self, key: DevKey) -> Result<Account, ChainError> {
        Account::new(self.provider.clone(), key.signer()).await
    }

    /// Lets a chain that began with block 0 grow as old as one that [`Chain::start`] starts: many blocks, in no time.
    pub(super) async fn grow_old(&self) -> Result<(), ChainError> {
        let head = self.provider.get_block_number().await;
        let head = head.map_err(|error| ChainError::rpc("the latest block's number", error))?;
        self.ask("anvil_mine", json!([FIRST_BLOCK.saturating_sub(head), 0])).await
    }

    /// From now on a block for each transaction, at once.
    pub(super) async fn mine_at_once(&self) -> Result<(), ChainError> {
        self.ask("evm_setAutomine", json!([true])).await
    }

    /// From now on a block every so many seconds, whatever is in it.
    pub(super) async fn mine_every(&self, seconds: u64) -> Result<(), ChainError> {
        self.ask("evm_setAutomine", json!([false])).await?;
        self.ask("evm_setIntervalMining", json!([seconds])).await
    }

    /// No line for every question in anvil's log from now on.
    pub(super) async fn log_less(&self) -> Result<(), ChainError> {
        self.ask("anvil_setLoggingEnabled", json!([false])).await
    }

    async fn ask(&self, method: &'static str, parameters: Value) -> Result<(), ChainError> {
        let asked: Result<Value, _> = self.provider.raw_request(method.into(), parameters).await;
        asked.map(drop).map_err(|error| ChainError::rpc(method, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::{Address, address};

    #[test]
    fn who_sends_has_an_account_that_holds_ether_on_every_anvil() {
        let senders = DevKey::AGGREGATORS.into_iter().chain([DevKey::Challenger]);
        let accounts: Vec<Address> = senders.map(|key| key.signer().address()).collect();
        // As anvil prints them.
        let expected = [
            address!("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
            address!("0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"),
            address!("0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc"),
            address!("0x976EA74026E726554dB657fA54763abd0C3a0aa9"),
            address!("0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"),
        ];
        assert_eq!(accounts, expected);
    }
}
