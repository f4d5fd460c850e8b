//! A chain on this machine: anvil, from contracts/node_modules or from PATH.

use alloy::{
    providers::{DynProvider, Provider, ProviderBuilder},
    signers::local::PrivateKeySigner,
    transports::http::reqwest::Url,
};
use std::{
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};
use tempfile::TempDir;

/// The key of anvil's first account, which deploys on local chains. Everyone knows it.
pub const ANVIL_DEPLOYER: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/// What anvil prints before its address.
const LISTENING: &str = "Listening on ";

/// Why there is no local chain.
#[derive(Debug, thiserror::Error)]
pub enum AnvilError {
    /// The program could not be started.
    #[error("cannot start {program}: {source}; run `just setup`, or install Foundry")]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program ended before it listened.
    #[error("{program} ended before it listened; is its port taken? Its own messages are above")]
    Ended {
        /// The program.
        program: PathBuf,
    },
    /// There is no room for its states.
    #[error("cannot make a temporary folder for anvil: {0}")]
    Folder(#[from] io::Error),
    /// The key is none.
    #[error("anvil's own key could not be read: {0}")]
    Key(#[from] alloy::signers::local::LocalSignerError),
}

/// Where anvil is: in contracts/node_modules, or wherever PATH has it.
///
/// The binary itself and not npm's launcher: that one, when killed, leaves anvil running.
pub fn anvil_program() -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/node_modules/@foundry-rs");
    let packages = std::fs::read_dir(tools).into_iter().flatten().flatten();
    let mut programs = packages.map(|package| package.path().join("bin/anvil"));
    programs.find(|program| is_binary(program)).unwrap_or_else(|| "anvil".into())
}

/// The launcher is a script.
fn is_binary(program: &Path) -> bool {
    use io::Read;
    let mut start = [0; 2];
    let read = std::fs::File::open(program).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && &start != b"#!"
}

/// A running anvil. It ends when this is dropped.
#[derive(Debug)]
pub struct Anvil {
    process: Child,
    url: Url,
    /// The states of blocks that are not kept in memory: killed, anvil would leave them behind at home.
    _states: TempDir,
}

impl Anvil {
    /// Starts anvil with `arguments`; without a `--port` among them, the system chooses one. Returns once it listens.
    pub fn start(arguments: &[&str]) -> Result<Self, AnvilError> {
        let program = anvil_program();
        let states = TempDir::new()?;
        let mut command = Command::new(&program);
        command.arg("--cache-path").arg(states.path());
        if !arguments.contains(&"--port") {
            command.args(["--port", "0"]);
        }
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process =
            command.spawn().map_err(|source| AnvilError::Start { program: program.clone(), source })?;
        let address = process.stdout.take().and_then(listening);
        match address.and_then(|address| format!("http://{address}").parse().ok()) {
            Some(url) => Ok(Self { process, url, _states: states }),
            None => {
                let _ = process.kill();
                let _ = process.wait();
                Err(AnvilError::Ended { program })
            }
        }
    }

    /// Its URL over HTTP.
    pub fn http_url(&self) -> String {
        self.url.to_string().trim_end_matches('/').to_owned()
    }

    /// Its URL over WebSocket.
    pub fn ws_url(&self) -> String {
        self.http_url().replacen("http", "ws", 1)
    }

    /// A provider over HTTP.
    pub fn provider(&self) -> DynProvider {
        ProviderBuilder::new().connect_http(self.url.clone()).erased()
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The signer of [`ANVIL_DEPLOYER`].
pub fn anvil_deployer() -> Result<PrivateKeySigner, AnvilError> {
    Ok(ANVIL_DEPLOYER.parse()?)
}

/// The address that anvil prints. What it prints afterwards is read on, or it would stop at a full pipe.
fn listening(stdout: ChildStdout) -> Option<String> {
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let address = lines.find_map(|line| Some(line.strip_prefix(LISTENING)?.trim().to_owned()));
    std::thread::spawn(move || lines.for_each(drop));
    address
}
