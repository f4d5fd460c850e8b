//! The commands of people in a dispute, on a network: an operator attests what it signed; one that signed two answers is proved to
//! have, ejected, and slashed in EigenLayer's real AllocationManager; another one's fault is vetoed.

use std::path::Path;

use alloy::primitives::{Address, B256, Bytes, I256, U256};
use anzen_integration::e2e::abi::Task;
use anzen_integration::e2e::chain::Chain;
use anzen_integration::e2e::command::{Ran, run};
use anzen_integration::e2e::network::LocalNetwork;
use anzen_integration::e2e::process::freeze;
use anzen_integration::e2e::wire::{Client, Keys};
use anzen_messages::evidence::{Evidence, SignedAnswer};
use anzen_messages::task::SigningDomain;
use anzen_messages::{OperatorId, SafetyFactor};
use serde_json::{Value, json};

/// anvil's account 5, which may do nothing but has ether.
const ANYBODY: (&str, &str) =
    ("ANZEN_ECDSA_PRIVATE_KEY", "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba");

#[tokio::test]
async fn dispute_an_operator_attests_what_it_signed_and_nothing_else() {
    let mut network = LocalNetwork::ready(&["--interval", "5", "--no-restart"]).await;
    network.answered().await;
    network.kill("operator-3");
    network.line("operator 3 is down").await;
    let config = network.folder().join("operator-3/node.toml");
    let operator = async |arguments: &[&str]| {
        let config = ["--json", "--config", config.to_str().unwrap()];
        run(&[&["operator"], arguments, &config].concat(), &[ANYBODY]).await
    };
    let signed = operator(&["protection", "export"]).await.json();
    let records = signed["records"].as_array().unwrap();
    let newest = records.iter().max_by_key(|record| record["createdBlock"].as_u64()).unwrap();
    let task = newest["taskHash"].as_str().unwrap();

    let planned = operator(&["attest", "--task", task, "--dry-run"]).await;
    assert_eq!((planned.code, &planned.json()["revert"]), (Some(0), &Value::Null), "{planned:?}");
    let attested = operator(&["attest", "--task", task]).await;
    assert_eq!(attested.code, Some(0), "{attested:?}");
    assert!(
        attested.json()["events"][0].as_str().unwrap().contains("has attested its answer"),
        "{attested:?}"
    );
    let shown = network.command(&["dispute", "show", task, "--json"], &[]).await.json();
    let own = &shown["attested"][0];
    assert_eq!((&own["operatorId"], &own["safetyFactor"]), (&signed["operatorId"], &newest["safetyFactor"]));
    told(&operator(&["attest", "--task", task]).await, "has attested its answer to task");

    // What came after its end it never signed.
    let chain = Chain::new(network.json("addresses.json"));
    let (later, _) = chain.next_task(chain.tasks().await.len()).await;
    told(&operator(&["attest", "--task", &later.to_string()]).await, "signed no answer to task");
    chain.mine(31).await;
    told(&operator(&["attest", "--task", &later.to_string()]).await, "could be attested until block");
    told(&operator(&["attest", "--task", "7777"]).await, "there is no task 7777");
    assert!(network.interrupt().await.status.success());
}

#[tokio::test]
async fn dispute_two_answers_are_proved_vetoed_or_slashed_by_commands() {
    let mut network = LocalNetwork::ready(&["--interval", "5", "--no-restart"]).await;
    let chain = Chain::new(network.json("addresses.json"));
    let folder = tempfile::tempdir().unwrap();
    network.kill("operator-3");
    network.line("operator 3 is down").await;

    let (file, copy) = evidence_of_the_aggregator(&network, &chain, folder.path()).await;
    let guilty = proved_once(&network, &file, &copy).await;
    let spared = by_hand(&network, &chain, 2, &folder.path().join("by-hand.json")).await;
    let proof = folder.path().join("by-hand.json");
    let proved = network.command(&["evidence", "prove", text(&proof), "--json"], &[ANYBODY]).await;
    assert_eq!(proved.code, Some(0), "{proved:?}");

    let listed = network.command(&["dispute", "list", "--json"], &[]).await.json();
    let faults = listed["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 2, "{listed}");
    assert!(faults.iter().all(|fault| fault["kind"] == "equivocation" && fault["frozen"] == 1), "{listed}");
    assert!(faults.iter().all(|fault| fault["state"] == "canBeVetoed"), "{listed}");
    let fault_of = |task: &str| faults.iter().find(|fault| fault["taskHash"] == task).unwrap()["id"].clone();
    let (fault, vetoed) = (fault_of(&guilty.task), fault_of(&spared.task));
    let (fault, vetoed) = (fault.as_str().unwrap(), vetoed.as_str().unwrap());
    assert!(!chain.is_registered(guilty.operator).await && !chain.is_registered(spared.operator).await);

    the_committee_vetoes(&network, &chain, vetoed).await;
    let early = network.command(&["dispute", "execute", fault, "--json"], &[ANYBODY]).await;
    told(&early, "be executed from the block after it");
    chain.mine(60).await;
    is_slashed_once(&network, &chain, fault, guilty.operator).await;
    told(
        &network.command(&["dispute", "execute", vetoed, "--json"], &[ANYBODY]).await,
        "the committee has vetoed fault",
    );
    let late = network.command(&["dispute", "veto", fault, "--json"], &[]).await;
    assert_eq!(late.code, Some(3), "{late:?}");
    assert!(late.json()["revert"].as_str().unwrap().starts_with("VetoWindowOver("), "{late:?}");
    assert!(network.interrupt().await.status.success());
}

/// Who signed two answers, and to which task.
struct Twice {
    operator: Address,
    task: String,
}

/// Two answers that the running aggregator was sent: its evidence as a file, and a copy of its store.
async fn evidence_of_the_aggregator(
    network: &LocalNetwork,
    chain: &Chain,
    folder: &Path,
) -> (String, String) {
    let keys = Keys::of_operator(network.folder(), 3);
    let mut client = Client::connect(&network.json("network.json"), chain, keys.clone()).await;
    let (task, _) = chain.next_task(chain.tasks().await.len()).await;
    for value in [I256::ONE, I256::MINUS_ONE] {
        client.submit(task, value, &keys.sign_answer(chain, task, value)).await;
    }
    network.evidence_is_kept().await;
    // Nobody else can read the store of a process that runs.
    let copy = folder.join("copy");
    let still = freeze(network.pid("aggregator")).await;
    copy_folder(&network.folder().join("aggregator/data"), &copy);
    drop(still);
    let proofs = folder.join("proofs");
    let export = ["evidence", "export", "--json", "--data-dir", text(&copy), "--out", text(&proofs)];
    let exported = run(&export, &[]).await.json();
    (exported["files"][0].as_str().unwrap().to_owned(), text(&copy).to_owned())
}

async fn proved_once(network: &LocalNetwork, file: &str, store: &str) -> Twice {
    let prove = ["evidence", "prove", "--json"];
    let planned = network.command(&[&prove[..], &[file, "--dry-run"]].concat(), &[ANYBODY]).await;
    assert_eq!((planned.code, &planned.json()["revert"]), (Some(0), &Value::Null), "{planned:?}");
    // Without a file, all that the store has.
    let proved = network.command(&[&prove[..], &["--data-dir", store]].concat(), &[ANYBODY]).await;
    assert_eq!(proved.code, Some(0), "{proved:?}");
    let events = proved.json()["events"].to_string();
    assert!(
        events.contains("(two answers) is recorded") && events.contains("is frozen for fault"),
        "{events}"
    );
    told(&network.command(&[&prove[..], &[file]].concat(), &[ANYBODY]).await, "this is proved already");
    let again = network.command(&[&prove[..], &["--data-dir", store]].concat(), &[ANYBODY]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.json()["nothing"].is_string(), "{again:?}");

    let forged = std::fs::read_to_string(file).unwrap().replace("\"-1\"", "\"-2\"");
    std::fs::write(file, forged).unwrap();
    told(
        &network.command(&[&prove[..], &[file]].concat(), &[ANYBODY]).await,
        "this is no proof of two answers",
    );

    let listed = network.command(&["dispute", "list", "--json"], &[]).await.json();
    let task = listed["faults"][0]["taskHash"].as_str().unwrap().to_owned();
    Twice { operator: account_of(network, 3), task }
}

/// Two answers of an operator to the latest task, as a file.
async fn by_hand(network: &LocalNetwork, chain: &Chain, number: u32, file: &Path) -> Twice {
    let keys = Keys::of_operator(network.folder(), number);
    let (hash, task) = chain.tasks().await.pop().unwrap();
    let signed = |value: I256| SignedAnswer {
        safety_factor: SafetyFactor(value),
        signature: serde_json::from_value(keys.sign_answer(chain, hash, value).into()).unwrap(),
    };
    let domain = SigningDomain::new(chain.chain_id(), chain.address("taskManager"));
    let (first, second) = (signed(I256::ONE), signed(I256::MINUS_ONE));
    let evidence = Evidence::new(&domain, message(&task), &keys.secret.public_key(), first, second);
    assert_eq!(evidence.task_hash().0, hash);
    assert_eq!(evidence.operator.id, OperatorId(keys.operator_id.parse().unwrap()));
    std::fs::write(file, serde_json::to_string(&evidence).unwrap()).unwrap();
    Twice { operator: account_of(network, number), task: hash.to_string() }
}

fn message(task: &Task) -> anzen_messages::Task {
    anzen_messages::Task {
        index: task.index,
        oracle_index: task.oracleIndex,
        model_hash: task.modelHash,
        proposed_safety_factor: SafetyFactor(task.proposedSafetyFactor),
        reference_block: task.referenceBlock,
        reference_block_hash: task.referenceBlockHash,
        created_block: task.createdBlock,
        quorum_numbers: task.quorumNumbers.clone(),
        quorum_threshold_percentage: task.quorumThresholdPercentage,
    }
}

/// Nothing is sent but by the committee, which sends what it is told.
async fn the_committee_vetoes(network: &LocalNetwork, chain: &Chain, fault: &str) {
    let stranger = network.command(&["dispute", "veto", fault, "--send", "--json"], &[ANYBODY]).await;
    told(&stranger, "the key is not the committee's");
    let nobody = B256::ZERO.to_string();
    let one = ["dispute", "veto", fault, "--operator", &nobody, "--json"];
    told(&network.command(&one, &[]).await, "no operator has registered the id");
    let decided = network.command(&["dispute", "veto", fault, "--json"], &[]).await;
    let decision = decided.json();
    assert_eq!((decided.code, &decision["revert"]), (Some(0), &Value::Null), "{decision}");
    assert_eq!(decision["call"], json!(format!("vetoFault({fault})")));
    let part = |name: &str| decision[name].as_str().unwrap();
    assert_eq!(part("to").parse::<Address>().unwrap(), chain.address("serviceManager"));
    let committee: Address = decision["committee"][0].as_str().unwrap().parse().unwrap();
    let data: Bytes = part("data").parse().unwrap();
    chain.send_data_as(committee, chain.address("serviceManager"), data, U256::ZERO).await.unwrap();
    let shown = network.command(&["dispute", "show", fault, "--json"], &[]).await.json();
    let faults = shown["faults"].as_array().unwrap();
    assert_eq!(faults.iter().find(|one| one["id"] == fault).unwrap()["state"], "vetoed", "{shown}");
}

async fn is_slashed_once(network: &LocalNetwork, chain: &Chain, fault: &str, operator: Address) {
    let execute = ["dispute", "execute", fault, "--json"];
    let before = chain.stake_of(operator).await;
    assert!(before.0 > 0 && before.1 > U256::ZERO);
    let planned = network.command(&[&execute[..], &["--dry-run"]].concat(), &[ANYBODY]).await;
    assert_eq!((planned.code, &planned.json()["revert"]), (Some(0), &Value::Null), "{planned:?}");
    assert_eq!(chain.stake_of(operator).await, before, "a dry run");
    let executed = network.command(&execute, &[ANYBODY]).await;
    assert_eq!(executed.code, Some(0), "{executed:?}");
    assert!(executed.json()["events"][0].as_str().unwrap().contains("is slashed: 100 %"), "{executed:?}");
    assert_eq!(chain.stake_of(operator).await, (0, U256::ZERO), "the share of two answers is all");
    let again = network.command(&execute, &[ANYBODY]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.json()["nothing"].is_string(), "{again:?}");
    let shown = network.command(&["dispute", "show", fault], &[]).await.output;
    assert!(shown.contains("executed") && shown.contains("takes 100 % of quorum 0"), "{shown}");
    assert!(
        shown.lines().any(|line| line.contains(&operator.to_string()) && line.contains("slashed")),
        "{shown}"
    );
}

/// The account of an operator of the network.
fn account_of(network: &LocalNetwork, number: u32) -> Address {
    let identity = network.json(&format!("operator-{number}/operator.json"));
    identity["address"].as_str().unwrap().parse().unwrap()
}

fn told(ran: &Ran, text: &str) {
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.json_error().contains(text), "{ran:?}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
