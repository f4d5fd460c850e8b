//! An operator that comes from outside, with nothing but keys, tokens and a configuration file.

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;

use alloy::primitives::{Address, U256, address, hex};
use alloy::signers::local::PrivateKeySigner;
use anzen_messages::bls::SecretKey;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

use super::PATIENCE;
use super::chain::Chain;
use super::network::LocalNetwork;
use super::process::anzen;

/// anvil's first account, which owns the local token.
const TOKEN_OWNER: Address = address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");

/// The operator.
pub struct Newcomer {
    folder: TempDir,
    /// Its account.
    pub address: Address,
    /// The chain.
    pub chain: Chain,
}

/// How a command ended.
pub struct Said {
    /// Its exit code.
    pub code: i32,
    /// What it printed: one document of JSON a line.
    pub lines: Vec<Value>,
    /// Its standard error.
    pub errors: String,
}

/// So many tokens, in the smallest unit.
pub fn tokens(whole: u64) -> U256 {
    U256::from(whole) * U256::from(10).pow(U256::from(18))
}

impl Said {
    /// What it said of a step.
    pub fn of(&self, step: &str) -> &Value {
        let line = self.lines.iter().find(|line| line["step"] == step);
        line.unwrap_or_else(|| panic!("nothing of {step} in {:?}\n{}", self.lines, self.errors))
    }
}

/// Its process, and what that logs. It is killed when this is dropped.
pub struct Running {
    process: Child,
    log: Lines<BufReader<ChildStderr>>,
    seen: Vec<String>,
}

impl Running {
    /// Returns when a line of the log has `text` in it.
    pub async fn logs(&mut self, text: &str) {
        let found = timeout(PATIENCE, async {
            while let Ok(Some(line)) = self.log.next_line().await {
                self.seen.push(line);
                if self.seen.last().is_some_and(|line| line.contains(text)) {
                    return true;
                }
            }
            false
        });
        let found = found.await;
        assert_eq!(found, Ok(true), "nothing of {text:?} in\n{}", self.seen.join("\n"));
    }

    /// How many lines have had `text` in them so far.
    pub fn count(&self, text: &str) -> usize {
        self.seen.iter().filter(|line| line.contains(text)).count()
    }

    /// Kills it, as a crash would.
    pub async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }
}

impl Newcomer {
    /// An operator with ether and a thousand tokens; `settings` are added to its configuration.
    pub async fn of(network: &LocalNetwork, settings: &str) -> Self {
        let (account, bls) = (PrivateKeySigner::random(), SecretKey::generate().unwrap());
        let chain = Chain::new(network.json("addresses.json"));
        chain.give_ether(account.address()).await;
        chain.mint(TOKEN_OWNER, account.address(), tokens(1_000)).await;

        let folder = tempfile::tempdir().unwrap();
        write_private(&folder.path().join("ecdsa.key"), &hex::encode(account.to_bytes()));
        write_private(&folder.path().join("bls.key"), &bls.to_hex());
        let info = network.json("network.json");
        let text = format!(
            r#"
            name = "newcomer"
            addresses = "{addresses}"
            data_dir = "data"
            {settings}

            [chain]
            rpc_url = {rpc}

            [keys.ecdsa]
            private_key_file = "ecdsa.key"
            [keys.bls]
            private_key_file = "bls.key"

            [operator]
            stake = "1000"
            socket = "newcomer:9000"

            [[aggregators]]
            server_name = {name}
            url = {url}
            "#,
            addresses = network.folder().join("addresses.json").display(),
            rpc = info["rpcUrl"],
            name = info["aggregatorName"],
            url = info["aggregatorUrl"],
        );
        std::fs::write(folder.path().join("anzen.toml"), text).unwrap();
        Self { folder, address: account.address(), chain }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(anzen());
        command.args(["--json", "operator"]).args(arguments).args(["--config", "anzen.toml"]);
        command.current_dir(self.folder.path()).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// `anzen operator …` to its end.
    pub async fn operator(&self, arguments: &[&str]) -> Said {
        let output = self.command(arguments).output().await.unwrap();
        let documents = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
        Said {
            code: output.status.code().unwrap(),
            lines: documents.map(Result::unwrap).collect(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What `anzen operator status` says, whatever its code is.
    pub async fn status(&self) -> Value {
        self.operator(&["status"]).await.lines[0].clone()
    }

    /// `anzen operator`, its process.
    pub fn run(&self) -> Running {
        let mut process = self.command(&[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap()).lines();
        Running { process, log, seen: Vec::new() }
    }
}

fn write_private(path: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
}
