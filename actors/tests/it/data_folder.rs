//! The data folder of a real process, which is that process's alone.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// A folder with what an operator needs to begin, and a chain that does not answer.
pub(crate) fn operators_folder() -> tempfile::TempDir {
    const ADDRESSES: [&str; 21] = [
        "taskManager",
        "serviceManager",
        "safetyFactorOracle",
        "safetyFactorModels",
        "registryCoordinator",
        "stakeRegistry",
        "blsApkRegistry",
        "indexRegistry",
        "socketRegistry",
        "operatorStateRetriever",
        "modelEvaluator",
        "disputes",
        "pauserRegistry",
        "allocationManager",
        "delegationManager",
        "strategyManager",
        "permissionController",
        "avsDirectory",
        "strategyFactory",
        "rewardsCoordinator",
        "strategy",
    ];
    const ZERO: &str = "0x0000000000000000000000000000000000000000";
    let all = |names: &[&str]| -> serde_json::Map<String, serde_json::Value> {
        names.iter().map(|name| ((*name).to_owned(), ZERO.into())).collect()
    };
    let mut addresses = all(&ADDRESSES);
    addresses.extend(all(&["token", "timelock"]));
    let registries =
        ["registryCoordinator", "stakeRegistry", "blsApkRegistry", "indexRegistry", "socketRegistry"];
    let admins = [
        "registries",
        "serviceManager",
        "taskManager",
        "safetyFactorOracle",
        "safetyFactorModels",
        "disputes",
    ];
    let more = serde_json::json!({
        "chainId": 31337, "rpcUrl": "http://127.0.0.1:1", "deploymentBlock": 1, "protocols": [],
        "proxyAdmins": all(&admins), "implementations": all(&registries),
        "governance": {
            "minDelaySeconds": 1, "proposers": [], "executors": [], "generators": [], "pausers": [],
            "committee": [], "fallbackPosters": [], "minimumStake": "0x1", "secondsPerBlock": 1,
            "disputes": {
                "bond": "0x1", "treasury": ZERO, "mostPendingPerProtocol": 1, "mostPending": 1, "absencesAllowed": 0,
                "absencePeriod": 1,
            },
            "faultShares": { "wrongAnswerBps": 1, "equivocationBps": 1, "absenceBps": 1 },
        },
    });
    addresses.extend(more.as_object().unwrap().clone());
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        use std::os::unix::fs::OpenOptionsExt;
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(folder.path().join(name));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    };
    write("addresses.json", &serde_json::to_string(&addresses).unwrap());
    write("bls.key", &format!("{:064x}", 7));
    let config = r#"
        data_dir = "data"
        [chain]
        rpc_url = "http://127.0.0.1:1"
        [keys.bls]
        private_key_file = "bls.key"
        [[aggregators]]
        server_name = "nobody"
        url = "ws://127.0.0.1:1"
    "#;
    write("anzen.toml", config);
    folder
}

fn operator(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anzen"));
    command.args(["operator", "--config", "anzen.toml"]).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

#[test]
fn a_second_process_on_a_data_folder_is_refused_and_touches_nothing() {
    let folder = operators_folder();
    let mut first = operator(folder.path()).spawn().unwrap();
    let mut log = BufReader::new(first.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(log.any(|line| line.contains("waiting for the chain")), "the first does not run");
    let endpoints = folder.path().join("data/endpoints.json");
    std::fs::write(&endpoints, "the first one's").unwrap();

    let second = operator(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("another process uses the store") && said.contains("data/anzen.db"), "{said}");
    assert_eq!(std::fs::read_to_string(&endpoints).unwrap(), "the first one's");
    let check = Command::new(env!("CARGO_BIN_EXE_anzen"))
        .args(["store", "check", "--config", "anzen.toml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&check.stderr).contains("another process uses the store"));

    first.kill().unwrap();
    first.wait().unwrap();
    let mut third = operator(folder.path()).spawn().unwrap();
    let mut log = BufReader::new(third.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(log.any(|line| line.contains("waiting for the chain")), "what was killed is in nobody's way");
    third.kill().unwrap();
    third.wait().unwrap();
}
