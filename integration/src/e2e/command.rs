//! The program's commands, run as a script would run them.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use super::network::LocalNetwork;
use super::process::anzen;

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; nothing where a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub output: String,
    /// Its standard error.
    pub errors: String,
}

impl Ran {
    /// The one JSON document on its standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON documents on its standard output, one a line.
    pub fn json_lines(&self) -> Vec<Value> {
        self.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The one JSON document on its standard error.
    pub fn json_error(&self) -> String {
        let error: Value =
            serde_json::from_str(&self.errors).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        error["error"].as_str().unwrap().to_owned()
    }
}

/// Runs `anzen` with these arguments and variables, and nothing else around it.
pub async fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let ended = Command::new(anzen())
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: ended.status.code(), output: text(ended.stdout), errors: text(ended.stderr) }
}

impl LocalNetwork {
    /// Runs a command about this network.
    pub async fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let addresses = self.folder().join("addresses.json");
        let network = self.json("network.json");
        let flags =
            ["--addresses", addresses.to_str().unwrap(), "--rpc-url", network["rpcUrl"].as_str().unwrap()];
        run(&[arguments, &flags].concat(), variables).await
    }
}
