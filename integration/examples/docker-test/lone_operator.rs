//! docker/operator: one operator alone, as somebody runs it who has downloaded that folder. The network of compose.yaml stands
//! in for a public one.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::Outcome;
use crate::command::output;
use crate::compose::{Compose, IMAGES, PROJECT, nothing_is_left};
use crate::engine::Engine;

/// The first account of every anvil, which has ether, and on the local network the right to mint what is staked.
const FUNDER: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// The name that its containers and volumes begin with.
const ALONE: &str = "anzen-docker-test-alone";

/// A folder with the operator's files.
pub(crate) struct LoneOperator<'a> {
    engine: &'a Engine,
    folder: TempDir,
    image: String,
}

impl<'a> LoneOperator<'a> {
    /// Nothing is there yet.
    pub(crate) fn new(engine: &'a Engine) -> Outcome<Self> {
        Ok(Self { engine, folder: tempfile::tempdir()?, image: format!("anzen:{IMAGES}") })
    }

    /// The folder as it is downloaded, with what is added to it; keys are new.
    pub(crate) async fn prepare(&self, repository: &Path) -> Outcome<()> {
        let from = repository.join("docker/operator");
        std::fs::copy(from.join("compose.yaml"), self.path("compose.yaml"))?;
        let settings = std::fs::read_to_string(from.join("operator.toml"))?
            .replace("anzen-sepolia\"", "local-aggregator\"")
            .replace("wss://anzen-sepolia.example.org:8090\"", "ws://aggregator:8090\"\nplaintext = true");
        std::fs::write(self.path("operator.toml"), settings)?;
        std::fs::write(self.path(".env"), self.variables())?;
        std::fs::write(self.path("network.yaml"), network())?;
        self.make_keys().await
    }

    /// Funds, registers and runs it; returns when it is healthy.
    pub(crate) async fn join(&self, network: &Compose<'_>) -> Outcome<()> {
        let addresses = network.addresses().await?;
        std::fs::write(self.path("addresses.json"), &addresses)?;
        let addresses: Value = serde_json::from_str(&addresses)?;
        let token = addresses["token"].as_str().ok_or("no token")?;
        let account = self.account().await?;
        let chain = network.containers("chain").await?;
        let chain = &chain.first().ok_or("there is no chain")?.id;
        let send = ["cast", "send", "--private-key", FUNDER];
        network.exec(chain, &[send.as_slice(), &["--value", "1ether", &account]].concat()).await?;
        let mint = [token, "mint(address,uint256)", &account, "100ether"];
        network.exec(chain, &[send.as_slice(), &mint].concat()).await?;
        let register =
            ["run", "--rm", "operator", "operator", "register", "--config", "/etc/anzen/operator.toml"];
        output(self.compose(&register)).await?;
        output(self.compose(&["up", "--detach", "--wait"])).await.map(drop)
    }

    /// Removes its containers, its volume and its keys, and checks that nothing is left.
    pub(crate) async fn tear_down(&self) -> Outcome<()> {
        let project = ["compose", "--project-name", ALONE, "down", "--volumes", "--remove-orphans"];
        // Compose finds by labels what belongs to a project, where no file tells.
        let empty = tempfile::tempdir()?;
        let mut down = self.engine.docker(&project);
        down.current_dir(empty.path());
        output(down).await?;
        if self.path("keys").exists() {
            // They are another user's, so that this process might not.
            output(self.as_root(&["find", "/keys", "-mindepth", "1", "-delete"])).await?;
            output(self.as_root(&["chmod", "777", "/keys"])).await?;
        }
        nothing_is_left(self.engine, ALONE).await
    }

    async fn make_keys(&self) -> Outcome<()> {
        std::fs::create_dir(self.path("keys"))?;
        std::fs::write(self.path("keys/password"), "only for this test\n")?;
        output(self.as_root(&["chmod", "600", "/keys/password"])).await?;
        output(self.as_root(&["chown", "-R", "10001:10001", "/keys"])).await?;
        for kind in ["ecdsa", "bls"] {
            let generate = [
                "keys",
                "generate",
                "--type",
                kind,
                "--name",
                "operator",
                "--password-file",
                "/keys/password",
            ];
            let mut command =
                self.engine.docker(&["run", "--rm", "--env", "ANZEN_KEYS_DIR=/keys", "--volume"]);
            command.arg(self.keys_volume()).arg(&self.image).args(generate);
            output(command).await?;
        }
        Ok(())
    }

    async fn account(&self) -> Outcome<String> {
        let keystore: Value =
            serde_json::from_str(&output(self.as_root(&["cat", "/keys/operator.ecdsa.key.json"])).await?)?;
        let address = keystore["address"].as_str().ok_or("the keystore has no address")?;
        Ok(format!("0x{}", address.trim_start_matches("0x")))
    }

    fn variables(&self) -> String {
        let image = &self.image;
        format!(
            "ANZEN_IMAGE={image}\nRPC_URL=http://chain:8545\nWS_URL=ws://chain:8545\n\
             METRICS_ADDRESS=127.0.0.1:0\nNODE_API_ADDRESS=127.0.0.1:0\n"
        )
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn keys_volume(&self) -> String {
        format!("{}:/keys", self.path("keys").display())
    }

    /// A command of the system on the keys, in a container.
    fn as_root(&self, arguments: &[&str]) -> Command {
        let (program, arguments) = arguments.split_first().unwrap_or((&"true", &[]));
        let mut command =
            self.engine.docker(&["run", "--rm", "--user", "0", "--entrypoint", program, "--volume"]);
        command.arg(self.keys_volume()).arg(&self.image).args(arguments);
        command
    }

    fn compose(&self, arguments: &[&str]) -> Command {
        let files = ["--file", "compose.yaml", "--file", "network.yaml"];
        let mut command = self.engine.docker(&["compose", "--project-name", ALONE]);
        command.args(files).args(arguments).current_dir(self.folder.path());
        command
    }
}

/// Where the chain and the aggregator can be reached, which elsewhere are on the internet.
fn network() -> String {
    format!("networks:\n  default: {{ name: {PROJECT}_default, external: true }}\n")
}
