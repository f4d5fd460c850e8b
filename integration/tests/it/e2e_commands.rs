//! The commands that read the chain and create tasks, on a network that answers; and those that deploy, on a stand-in for a
//! public network.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use anzen_integration::e2e::chain::Chain;
use anzen_integration::e2e::command::{Ran, run};
use anzen_integration::e2e::network::LocalNetwork;
use anzen_integration::e2e::process::anzen;

/// anvil's account 1, which may create tasks.
const GENERATOR: (&str, &str) =
    ("ANZEN_ECDSA_PRIVATE_KEY", "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");
/// anvil's account 5, which may do nothing.
const NOBODY: (&str, &str) =
    ("ANZEN_ECDSA_PRIVATE_KEY", "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba");

#[tokio::test]
async fn commands_tell_what_the_chain_says() {
    // One task a protocol: nothing else uses the generator's key meanwhile.
    let mut network = LocalNetwork::ready(&["--interval", "1000", "--no-restart"]).await;
    network.kill("operator-3");
    network.answered().await;
    network.answered().await;
    let chain = Chain::new(network.json("addresses.json"));

    tasks_are_listed_and_shown(&network, &chain).await;
    the_oracle_is_read(&network, &chain).await;
    models_are_shown_checked_evaluated_and_traced(&network, &chain).await;
    a_task_is_created_watched_and_answered(&network).await;
    what_is_wrong_is_told(&network).await;
    assert!(network.interrupt().await.status.success());
}

async fn tasks_are_listed_and_shown(network: &LocalNetwork, chain: &Chain) {
    let listed = network.command(&["task", "list", "--json"], &[]).await.json();
    let tasks = listed["tasks"].as_array().unwrap();
    let answers = chain.answers().await;
    assert_eq!((tasks.len(), answers.len()), (2, 2), "{listed}");
    for answer in &answers {
        let task = &tasks[usize::try_from(answer.task.index).unwrap()];
        assert_eq!(task["index"], answer.task.index);
        assert_eq!(task["oracleIndex"], answer.task.oracleIndex);
        assert_eq!(task["referenceBlock"], answer.task.referenceBlock);
        assert_eq!(task["safetyFactor"], answer.value.to_string());
        assert_eq!((&task["status"], &task["respondedBlock"]), (&json!("answered"), &json!(answer.block)));
    }
    let of = |flags: &'static [&'static str]| async move {
        let ran = network.command(&[&["task", "list", "--json"], flags].concat(), &[]).await;
        ran.json()["tasks"].as_array().unwrap().iter().map(|task| task["index"].clone()).collect::<Vec<_>>()
    };
    // Which protocol's is the first is up to the generator.
    let exchange = tasks.iter().find(|task| task["oracleIndex"] == 1).unwrap();
    assert_eq!(of(&["--oracle", "1"]).await, [exchange["index"].clone()]);
    assert_eq!(of(&["--last", "1"]).await, [json!(1)]);
    assert!(of(&["--status", "unanswered"]).await.is_empty());
    assert!(of(&["--from-block", "4000000000"]).await.is_empty());

    let by_index = network.command(&["task", "show", "0", "--json"], &[]).await.json();
    let hash = by_index["hash"].as_str().unwrap();
    let by_hash = network.command(&["task", "show", hash, "--json"], &[]).await.json();
    assert_eq!(by_index, by_hash);
    let operators = by_index["operators"].as_array().unwrap();
    assert_eq!(operators.len(), 3, "{by_index}");
    let signed = operators.iter().filter(|one| one["signed"] == true).count();
    let percentage = by_index["signedPercentage"].as_str().unwrap();
    assert!((signed, percentage) == (2, "66.66") || (signed, percentage) == (3, "100.00"), "{by_index}");
    assert_eq!(by_index["hash"], tasks[0]["hash"]);
    assert!(by_index["responseGasUsed"].as_u64().unwrap() > 100_000, "{by_index}");

    let shown = network.command(&["task", "show", "0"], &[]).await.output;
    let protocol = tasks[0]["protocol"].as_str().unwrap();
    assert!(shown.contains(&format!("{protocol} (oracle ")) && shown.contains(hash), "{shown}");
    let listed = network.command(&["task", "list"], &[]).await.output;
    assert!(listed.contains("Local Exchange") && listed.contains("answered"), "{listed}");
}

async fn the_oracle_is_read(network: &LocalNetwork, chain: &Chain) {
    let got = network.command(&["oracle", "get", "0", "--json"], &[]).await;
    let value = got.json();
    let block = value["block"].as_u64().unwrap();
    assert_eq!(value["safetyFactor"], chain.oracle(0, block).await.to_string());
    assert_eq!(value["age"]["blocks"], block - value["referenceBlock"].as_u64().unwrap());
    assert_eq!((got.code, &value["fresh"]), (Some(0), &json!(true)));
    assert_eq!(value["status"], "provisional");
    let none = network.command(&["oracle", "get", "0", "--final", "--json"], &[]).await;
    assert_eq!((none.code, &none.json()["fresh"]), (Some(3), &json!(false)), "its challenge window is open");

    let old = network.command(&["oracle", "get", "0", "--max-age", "0", "--json"], &[]).await;
    assert_eq!((old.code, &old.json()["fresh"]), (Some(3), &json!(false)));

    let listed = network.command(&["oracle", "list", "--json"], &[]).await.json();
    let protocols = listed["protocols"].as_array().unwrap();
    let names: Vec<&Value> = protocols.iter().map(|protocol| &protocol["protocol"]).collect();
    assert_eq!(names, ["Local Lending", "Local Exchange"]);
    for feed in ["feed", "finalFeed"] {
        let expected = chain.addresses["protocols"][1][feed].as_str().unwrap();
        assert!(protocols[1][feed].as_str().unwrap().eq_ignore_ascii_case(expected), "{listed}");
    }
    assert_eq!(protocols[0]["policy"]["leastThresholdPercentage"], 66);

    let history = network.command(&["oracle", "history", "1", "--json"], &[]).await.json();
    assert_eq!(history["rounds"].as_array().unwrap().len(), 1);
    assert_eq!(history["rounds"][0]["value"], protocols[1]["latest"]["value"]);
    let text = network.command(&["oracle", "list"], &[]).await.output;
    assert!(text.contains("66 to 80 % of quorums [0], at most every 5 blocks"), "{text}");
}

async fn models_are_shown_checked_evaluated_and_traced(network: &LocalNetwork, chain: &Chain) {
    let model =
        async |arguments: &[&str]| network.command(&[&["model"], arguments, &["--json"]].concat(), &[]).await;
    let shown = model(&["show", "--oracle", "1"]).await.json();
    let hash = shown["modelHash"].as_str().unwrap();
    assert_eq!(shown["modelHash"], chain.addresses["protocols"][1]["modelHash"]);
    assert_eq!(shown["provable"], true);
    assert_eq!(model(&["show", hash]).await.json(), shown);

    // As operators computed it.
    let answers = chain.answers().await;
    let answer = answers.iter().find(|answer| answer.task.oracleIndex == 1).unwrap();
    let at = answer.task.referenceBlock.to_string();
    let evaluated = model(&["evaluate", hash, "--at", &at]).await;
    assert_eq!(evaluated.json()["safetyFactor"], answer.value.to_string());
    assert_eq!((evaluated.code, &evaluated.json()["outcome"]), (Some(0), &json!("Answer")));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.json");
    let write = |model: &Value| std::fs::write(&file, model.to_string()).unwrap();
    let path = file.to_str().unwrap();
    write(&shown["model"]);
    let checked = model(&["check", path]).await;
    assert_eq!((checked.code, &checked.json()["added"]), (Some(0), &json!(true)), "{}", checked.output);
    assert_eq!(checked.json()["sources"][2]["kind"], "storageSlot");
    let mut changed = shown["model"].clone();
    changed["terms"][0]["amount"]["quorumNumber"] = json!(9);
    write(&changed);
    let checked = model(&["check", path]).await;
    assert_eq!((checked.code, &checked.json()["added"]), (Some(3), &json!(false)));
    assert!(checked.json()["sources"][0]["problem"].as_str().unwrap().contains("has no quorum 9"));
    let evaluated = model(&["evaluate", path]).await;
    assert_eq!((evaluated.code, &evaluated.json()["outcome"]), (Some(3), &json!("NoRound")));

    // totalSupply() of the token of the vault.
    let token = shown["model"]["terms"][1]["amount"]["account"].as_str().unwrap();
    let traced = model(&["trace", token, "0x18160ddd"]).await;
    assert_eq!(traced.code, Some(0), "{}", traced.output);
    let source = &traced.json()["sources"][0];
    assert_eq!((&source["kind"], &source["account"]), (&json!("storageSlot"), &json!(token)));
    assert_eq!((&source["offset"], &source["width"]), (&json!(0), &json!(32)));
    let traced = model(&["trace", token, "0x313ce567"]).await;
    assert_eq!((traced.code, &traced.json()["value"]), (Some(3), &json!("18")), "a constant is in no slot");
    let shown = network.command(&["model", "show", "--oracle", "0"], &[]).await.output;
    assert!(shown.contains("stake of quorum 0") && shown.contains("32 bytes at 0 of slot"), "{shown}");
}

async fn a_task_is_created_watched_and_answered(network: &LocalNetwork) {
    let create = |flags: &'static [&'static str], key| async move {
        network.command(&[&["task", "create", "--json", "--oracle", "1"], flags].concat(), &[key]).await
    };
    let planned = loop {
        let ran = create(&["--dry-run"], GENERATOR).await;
        if ran.code == Some(0) {
            break ran.json();
        }
        let error = ran.json_error();
        assert!(error.contains("TaskIntervalNotOver") && error.contains("wait for that block"), "{error}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(
        (&planned["thresholdPercentage"], &planned["protocol"]),
        (&json!(67), &json!("Local Exchange"))
    );
    assert!(planned["gas"].as_u64().unwrap() > 50_000, "{planned}");
    let refused = create(&["--dry-run"], NOBODY).await;
    let error = refused.json_error();
    assert!(
        error.contains("AccessControlUnauthorizedAccount") && error.contains("GENERATOR_ROLE"),
        "{error}"
    );
    let refused = create(&["--threshold", "81"], GENERATOR).await.json_error();
    assert!(refused.contains("ThresholdOutOfRange(threshold: 81, least: 66, greatest: 80)"), "{refused}");

    let watch = ["task", "watch", "--json", "--oracle", "1", "--count", "1"];
    let create = create(&["--wait", "--threshold", "66", "--proposed", "-0.5"], GENERATOR);
    let (watched, created) = tokio::join!(network.command(&watch, &[]), create);
    let created = created.json();
    assert_eq!((&created["index"], &created["status"]), (&json!(2), &json!("answered")), "{created}");
    let proposed = network.command(&["task", "show", "2", "--json"], &[]).await.json();
    assert_eq!(proposed["proposedSafetyFactor"], "-500000000");

    assert_eq!(watched.code, Some(0), "{watched:?}");
    let told = watched.json_lines();
    let answered = told.last().unwrap();
    assert_eq!((&answered["event"], &answered["index"]), (&json!("answered"), &json!(2)), "{told:?}");
    assert_eq!(answered["safetyFactor"], created["safetyFactor"]);
}

async fn what_is_wrong_is_told(network: &LocalNetwork) {
    let told = |ran: &Ran, text: &str| {
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.json_error().contains(text), "{ran:?}");
    };
    told(
        &network.command(&["task", "show", "77", "--json"], &[]).await,
        "there is no task 77; `anzen task list`",
    );
    told(&network.command(&["oracle", "get", "7", "--json"], &[]).await, "has no protocol 7; it has 0, 1");
    let unknown = network.command(&["task", "show", "0x12"], &[]).await;
    assert_eq!(unknown.code, Some(2), "{unknown:?}");

    // Nothing listens at port 1.
    let addresses = network.folder().join("addresses.json");
    let addresses = addresses.to_str().unwrap();
    let nobody = "http://127.0.0.1:1/v2/SECRET";
    let ran = run(&["oracle", "list", "--json", "--addresses", addresses, "--rpc-url", nobody], &[]).await;
    told(&ran, "http://127.0.0.1:1");
    assert!(!ran.errors.contains("SECRET"), "{ran:?}");
    let ran = run(&["oracle", "list", "--json", "--addresses", "nowhere.json"], &[]).await;
    told(&ran, "there is no file of addresses at nowhere.json; deploy first");

    let text = std::fs::read_to_string(addresses).unwrap();
    let other = network.folder().join("other-chain.json");
    std::fs::write(&other, text.replace("\"chainId\": 31337", "\"chainId\": 560048")).unwrap();
    let url = network.json("network.json")["rpcUrl"].as_str().unwrap().to_owned();
    let ran =
        run(&["task", "list", "--json", "--addresses", other.to_str().unwrap(), "--rpc-url", &url], &[])
            .await;
    told(&ran, "serves chain 31337, the addresses are of chain 560048");
}

/// anvil's account 0, which has ether everywhere.
const DEPLOYER: (&str, &str) =
    ("ANZEN_ECDSA_PRIVATE_KEY", "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");

#[tokio::test]
async fn sepolia_is_deployed_to_and_verified_by_commands() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (_stand_in, url) = stand_in(folder.path(), "sepolia").await;

    let template = run(&["deploy", "template", "sepolia"], &[]).await.output;
    let config = file("sepolia.toml");
    std::fs::write(&config, &template).unwrap();
    let dir = file("deployment");
    let deploy = ["deploy", "--json", "--network", &config, "--rpc-url", &url, "--dir", &dir];
    let dry_run = [&deploy[..], &["--dry-run"]].concat();
    let refused = run(&dry_run, &[DEPLOYER]).await;
    assert!(last_line(&refused.errors).contains("fill in [timelock] and [roles]"), "{refused:?}");

    let somebody = "[\"0xa0Ee7A142d267C1f36714E4a8F75612F20a79720\"]";
    let filled_in = ["proposers", "executors", "generators", "pausers", "committee"]
        .iter()
        .fold(template, |text, role| text.replace(&format!("{role} = []"), &format!("{role} = {somebody}")));
    std::fs::write(&config, filled_in).unwrap();
    let planned = run(&dry_run, &[DEPLOYER]).await.json();
    let steps = planned["toDo"].as_array().unwrap().len();
    assert!(steps > 30 && planned["done"].as_array().unwrap().is_empty(), "{planned}");
    assert!(!Path::new(&dir).exists(), "a dry run wrote something");

    let deployed = run(&deploy, &[DEPLOYER]).await.json();
    assert_eq!((&deployed["steps"], &deployed["chainId"]), (&json!(steps), &json!(11_155_111)));
    let addresses = deployed["addresses"].as_str().unwrap();
    let verify = ["deploy", "verify", "--json", "--rpc-url", &url, "--addresses", addresses];
    let verified = run(&verify, &[]).await;
    assert_eq!((verified.code, &verified.json()["ok"]), (Some(0), &json!(true)), "{verified:?}");
    let protocol = ["oracle", "get", "0", "--json", "--rpc-url", &url, "--addresses", addresses];
    let got = run(&protocol, &[]).await;
    assert_eq!((got.code, &got.json()["protocol"]), (Some(3), &json!("Demonstration Lending")), "{got:?}");

    // The addresses of another deployment.
    let text = std::fs::read_to_string(addresses)
        .unwrap()
        .replace("\"pausers\": [", "\"pausers\": [\n\"0x00000000000000000000000000000000000000aa\",");
    std::fs::write(addresses, text).unwrap();
    let verified = run(&verify, &[]).await;
    assert_eq!((verified.code, &verified.json()["ok"]), (Some(1), &json!(false)), "{verified:?}");
}

/// A running stand-in, which ends when it is dropped, and its URL.
async fn stand_in(folder: &Path, network: &str) -> (Child, String) {
    let mut process = Command::new(anzen())
        .args(["local", "stand-in", "--json", "--port", "0", "--network", network, "--dir"])
        .arg(folder.join("stand-in"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let ready: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    (process, ready["rpcUrl"].as_str().unwrap().to_owned())
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}
