//! An operator that signs two answers to one task leaves a proof, and the proof needs nobody's word.

use std::path::Path;

use alloy::primitives::I256;
use anzen_integration::e2e::chain::Chain;
use anzen_integration::e2e::command::{Ran, run};
use anzen_integration::e2e::network::LocalNetwork;
use anzen_integration::e2e::wire::{Client, Keys};

/// The command with these arguments, and nothing around it.
async fn evidence(arguments: &[&str]) -> Ran {
    run(&[&["--json", "evidence"], arguments].concat(), &[]).await
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn two_answers_are_exported_and_verified() {
    let temporary = tempfile::tempdir().unwrap();
    let mut network =
        LocalNetwork::start(&temporary.path().join("network"), &["--interval", "5", "--no-restart"]);
    network.line("Ready after").await;
    network.kill("operator-3");
    network.line("operator 3 is down").await;
    let chain = Chain::new(network.json("addresses.json"));
    let keys = Keys::of_operator(network.folder(), 3);
    let mut client = Client::connect(&network.json("network.json"), &chain, keys.clone()).await;

    let (task, _) = chain.next_task(chain.tasks().await.len()).await;
    for (value, outcomes) in
        [(I256::ONE, ["accepted", "early"]), (I256::MINUS_ONE, ["secondAnswer", "early"])]
    {
        let outcome = client.submit(task, value, &keys.sign_answer(&chain, task, value)).await;
        assert!(outcomes.contains(&outcome.as_str()), "{outcome}");
    }
    network.evidence_is_kept().await;
    network.stop().await;

    let store = network.folder().join("aggregator/data");
    let listed = evidence(&["list", "--data-dir", text(&store)]).await.json();
    let one = &listed["evidence"][0];
    assert_eq!(listed["evidence"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!((&one["operatorId"], &one["taskHash"]), (&keys.operator_id.into(), &task.to_string().into()));

    let proofs = temporary.path().join("proofs");
    let exported = evidence(&["export", "--data-dir", text(&store), "--out", text(&proofs)]).await.json();
    let file = exported["files"][0].as_str().unwrap();
    // Nothing of the network is left: the file alone proves it.
    std::fs::remove_dir_all(network.folder()).unwrap();
    let verified = evidence(&["verify", file]).await;
    assert_eq!(verified.code, Some(0), "{verified:?}");
    assert_eq!(verified.json()["proved"], true);

    let proof = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, proof.replace("\"-1\"", "\"-2\"")).unwrap();
    let forged = evidence(&["verify", file]).await;
    assert_eq!((forged.code, &forged.json()["proved"]), (Some(3), &false.into()), "{forged:?}");
}
