//! `anzen deploy verify`.

use std::{fmt, path::PathBuf, process::ExitCode};

use anzen_actors::{adapters::Endpoint, node::client_of};
use anzen_deploy::{
    Addresses,
    verify::{self, Finding, verify},
};
use serde::Serialize;

use super::contracts::TIMEOUT;
use crate::{
    outcome::Outcome,
    output::{Output, Report},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The addresses.json that the deployment wrote.
    #[arg(long, value_name = "FILE")]
    addresses: PathBuf,
    /// A node of the chain [default: the one that the deployer used, without the key in its path].
    #[arg(long, value_name = "URL", env = "ETH_RPC_URL", hide_env_values = true)]
    rpc_url: Option<Endpoint>,
}

#[derive(Debug, Serialize)]
struct Verified {
    ok: bool,
    failed: usize,
    checks: Vec<Check>,
    #[serde(skip)]
    text: String,
}

#[derive(Debug, Serialize)]
struct Check {
    name: String,
    ok: bool,
    /// What was seen, or what is wrong.
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    todo: Option<String>,
}

pub(super) async fn run(arguments: Arguments, output: Output) -> Outcome {
    let addresses = Addresses::load(&arguments.addresses)?;
    let endpoint = match arguments.rpc_url {
        Some(endpoint) => endpoint,
        None => addresses.rpc_url.parse()?,
    };
    let report = verify(&client_of(&endpoint, TIMEOUT)?, &addresses).await?;
    let verified = Verified::from(report);
    output.print(&verified)?;
    Ok(if verified.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl From<verify::Report> for Verified {
    fn from(report: verify::Report) -> Self {
        let (ok, failed, text) = (report.is_ok(), report.failed().count(), report.to_string());
        let checks = report.checks.into_iter().map(Check::from).collect();
        Self { ok, failed, checks, text }
    }
}

impl From<verify::Check> for Check {
    fn from(check: verify::Check) -> Self {
        let name = check.name;
        match check.finding {
            Finding::Ok(found) => Self { name, ok: true, found, todo: None },
            Finding::Failed { what, todo } => Self { name, ok: false, found: what, todo: Some(todo) },
        }
    }
}

impl Report for Verified {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(f, "{}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_says_what_was_found() {
        let check = |finding| verify::Check { name: "owner".into(), finding };
        let bad = Finding::Failed { what: "is 1, should be 2".into(), todo: "set it".into() };
        let checks = vec![check(Finding::Ok("0x01".into())), check(bad)];
        let verified = Verified::from(verify::Report { checks });
        let json = serde_json::to_value(&verified).unwrap();
        let expected = serde_json::json!({ "ok": false, "failed": 1, "checks": [
            { "name": "owner", "ok": true, "found": "0x01" },
            { "name": "owner", "ok": false, "found": "is 1, should be 2", "todo": "set it" },
        ] });
        assert_eq!(json, expected);
        assert!(verified.text.contains("FAILED  owner: is 1, should be 2; set it"), "{}", verified.text);
    }
}
