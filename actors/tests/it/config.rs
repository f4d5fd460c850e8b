//! `anzen config` and the commands that run a process, as programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn anzen(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anzen"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"ANZEN_")) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

fn run(command: &mut Command) -> (Output, String, String) {
    let output = command.output().unwrap();
    let (out, err) = (output.stdout.clone(), output.stderr.clone());
    (output, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/samples").join(name)
}

#[test]
fn show_tells_every_setting_and_who_says_so() {
    let path = sample("anvil/operator.toml");
    let config = path.to_str().unwrap();
    let (output, out, _) = run(anzen(&["config", "show", "--json", "--config", config, "--name", "mine"])
        .env("ANZEN_CHAIN__RPC_URL", "https://node.example/v2/SECRET"));
    assert!(output.status.success() && !out.contains("SECRET"), "{out}");
    let shown: Value = serde_json::from_str(&out).unwrap();
    let of = |key: &str| {
        let all = shown["settings"].as_array().unwrap();
        all.iter().find(|setting| setting["key"] == key).unwrap_or(&Value::Null).clone()
    };
    assert_eq!(of("name")["value"], "mine");
    assert_eq!(of("name")["from"], serde_json::json!({ "kind": "flag", "name": "--name" }));
    assert_eq!(of("chain.rpc_url")["from"]["name"], "ANZEN_CHAIN__RPC_URL");
    assert_eq!(of("chain.ws_url")["from"]["kind"], "file");
    assert!(of("chain.ws_url")["from"]["line"].as_u64().unwrap() > 1);
    assert_eq!(of("chain.batch")["from"]["kind"], "default");
    assert!(of("rpc_gateway.tls.certificate")["value"].is_null());

    let (_, out, _) = run(&mut anzen(&["config", "show", "--changed", "--config", config]));
    assert!(out.contains("operator.toml:") && !out.contains("chain.batch"), "{out}");
}

#[test]
fn check_tells_all_that_is_wrong_and_exits_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("operator.toml");
    std::fs::write(&path, "[chain]\nrpc_ulr = \"x\"\ntimeout_ms = true\n").unwrap();
    let config = path.to_str().unwrap();
    let (output, out, _) = run(&mut anzen(&["config", "check", "--config", config]));
    assert_eq!(output.status.code(), Some(1));
    assert!(out.contains("operator.toml:2; did you mean chain.rpc_url?"), "{out}");
    assert!(out.contains("chain.timeout_ms in "), "{out}");

    let config = sample("anvil/operator.yaml");
    let arguments = ["--json", "config", "check", "--for", "operator", "--config", config.to_str().unwrap()];
    let (output, out, _) = run(&mut anzen(&arguments));
    assert_eq!(output.status.code(), Some(1));
    let checked: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&checked["ok"], checked["problems"].as_array().unwrap().len()),
        (&Value::Bool(false), 2),
        "{out}"
    );
}

#[test]
fn what_cannot_be_known_offline_is_asked_of_the_chain() {
    let arguments = ["config", "check", "--for", "operator", "--online", "--set", "aggregators=[]"];
    let (output, out, _) = run(&mut anzen(&arguments));
    assert_eq!(output.status.code(), Some(1));
    // Without addresses there is nothing to ask for.
    assert!(out.contains("there is no file of addresses") && !out.contains("does not answer"), "{out}");
}

#[test]
fn a_process_does_not_start_with_a_mistake_or_with_the_roles_of_another() {
    let (output, _, err) = run(&mut anzen(&["aggregator", "--set", "chain.bach=3"]));
    assert_eq!(output.status.code(), Some(1));
    assert!(err.contains("unknown setting chain.bach in --set; did you mean chain.batch?"), "{err}");
    let (output, _, err) = run(anzen(&["operator"]).env("ANZEN_ROLES", "tx-sender"));
    assert_eq!(output.status.code(), Some(1));
    assert!(err.contains("`anzen operator` runs chain-watcher, operator-signer"), "{err}");
    let (output, _, err) = run(&mut anzen(&["node"]));
    assert_eq!(output.status.code(), Some(1));
    assert!(err.contains("names no roles"), "{err}");
}
