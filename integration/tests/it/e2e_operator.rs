//! An operator that is set up by `anzen operator …`, or by itself when it starts.

use alloy::primitives::Address;

use anzen_integration::e2e::network::LocalNetwork;
use anzen_integration::e2e::newcomer::{Newcomer, tokens};

/// More blocks than each delay of the local network's EigenLayer has.
const ALL_DELAYS: u64 = 1_100;
/// Nothing was asked after that is not so.
const SO: i32 = 0;
const NOT_SO: i32 = 3;

#[tokio::test]
async fn from_nothing_to_registered_and_out_again_by_commands() {
    let network = LocalNetwork::ready(&["--operators", "1"]).await;
    let newcomer = Newcomer::of(&network, "").await;

    let tried = newcomer.operator(&["register", "--dry-run"]).await;
    assert_eq!(tried.code, SO, "{}", tried.errors);
    let register = &tried.of("register")["transactions"][0];
    assert!(register["call"].as_str().unwrap().starts_with("registerAsOperator("), "{register}");
    assert!(register["gas"].as_u64().unwrap() > 21_000 && register["revert"].is_null(), "{register}");
    assert_eq!(tried.of("deposit")["transactions"][1]["dependsOnPrevious"], true);
    assert_eq!(tried.of("allocate")["steps"][0], "register");
    assert_eq!(newcomer.chain.nonce(newcomer.address).await, 0, "nothing was sent");
    assert_eq!(newcomer.operator(&["status"]).await.code, NOT_SO);

    // Left at the first wait, and run again, it goes on.
    let left = newcomer.operator(&["register", "--no-wait"]).await;
    assert_eq!(left.code, NOT_SO, "{}", left.errors);
    let wait = left.of("await-allocation-delay");
    assert!(wait["state"] == "waits" && wait["until"].as_u64() > wait["height"].as_u64(), "{wait}");
    let done = newcomer.operator(&["register"]).await;
    assert_eq!(done.code, SO, "{}", done.errors);
    assert_eq!(
        (&done.of("deposit")["state"], &done.of("join")["state"]),
        (&"already-done".into(), &"done".into())
    );

    let status = newcomer.operator(&["status", "--operator", &newcomer.address.to_string()]).await;
    let shown = &status.lines[0];
    assert_eq!(
        (status.code, &shown["isMember"], &shown["socket"]),
        (SO, &true.into(), &"newcomer:9000".into())
    );
    let moved = newcomer.operator(&["update-socket", "elsewhere:1"]).await;
    assert_eq!((moved.code, &moved.of("update-socket")["state"]), (SO, &"done".into()));

    let out = newcomer.operator(&["deregister"]).await;
    assert_eq!((out.code, &out.of("deallocate")["state"]), (SO, &"done".into()), "{}", out.errors);
    let status = newcomer.operator(&["status"]).await;
    let shown = &status.lines[0];
    assert_eq!(
        (status.code, &shown["isSlashable"], &shown["socket"]),
        (NOT_SO, &true.into(), &"elsewhere:1".into())
    );
    assert_eq!(shown["pending"]["magnitude"], "0");
    // Back at once it cannot be: EigenLayer's delay is told.
    let again = newcomer.operator(&["register", "--no-wait"]).await;
    assert_eq!((again.code, &again.lines.last().unwrap()["state"]), (NOT_SO, &"waits".into()));
}

#[tokio::test]
async fn a_part_of_the_stake_is_withdrawn_once_by_commands() {
    let network = LocalNetwork::ready(&["--operators", "1"]).await;
    let newcomer = Newcomer::of(&network, "").await;
    let withdraw = async |amount: &str, flag: &[&str]| {
        newcomer.operator(&[&["deregister", "--withdraw", amount], flag].concat()).await
    };
    let registered = newcomer.operator(&["register"]).await;
    assert_eq!(registered.code, SO, "{}", registered.errors);

    let nonce = newcomer.chain.nonce(newcomer.address).await;
    let too_much = withdraw("1000.5", &[]).await;
    assert_eq!(too_much.code, 1);
    assert!(too_much.errors.contains("has 1000 ALS of its own in the strategy"), "{}", too_much.errors);
    let tried = withdraw("300", &["--dry-run"]).await;
    assert_eq!(tried.code, SO, "{}", tried.errors);
    assert_eq!(tried.of("queue-withdrawal")["text"], "withdraws 300 ALS of 1000 ALS");
    assert_eq!(newcomer.chain.nonce(newcomer.address).await, nonce, "nothing was sent");

    // Left at the wait for EigenLayer's delay, and run again, it goes on: with one withdrawal.
    for state in ["done", "already-done"] {
        let left = withdraw("300", &["--no-wait"]).await;
        assert_eq!(
            (left.code, &left.of("queue-withdrawal")["state"]),
            (NOT_SO, &state.into()),
            "{}",
            left.errors
        );
        assert_eq!(left.of("await-withdrawal")["state"], "waits");
        assert_eq!(newcomer.status().await["deposited"], tokens(700).to_string());
    }
    assert_eq!(newcomer.chain.tokens(newcomer.address).await, tokens(0));
    newcomer.chain.mine(ALL_DELAYS).await;
    for state in ["done", "already-done"] {
        let out = withdraw("300", &[]).await;
        assert_eq!(
            (out.code, &out.of("queue-withdrawal")["state"]),
            (SO, &"already-done".into()),
            "{}",
            out.errors
        );
        assert_eq!(out.of("complete-withdrawal")["state"], state);
        assert_eq!(newcomer.chain.tokens(newcomer.address).await, tokens(300));
        assert_eq!(newcomer.status().await["deposited"], tokens(700).to_string());
    }
    let rest = withdraw("all", &["--dry-run"]).await;
    let what = &rest.of("queue-withdrawal")["transactions"][0]["what"];
    assert!(what.as_str().unwrap().starts_with("withdrawing 700 ALS of 700 ALS"), "{what}");
}

#[tokio::test]
async fn what_cannot_be_is_said_with_its_next_step() {
    let network = LocalNetwork::ready(&["--operators", "1"]).await;
    let newcomer = Newcomer::of(&network, "").await;
    for (arguments, text) in [
        (&["deposit", "--amount", "5000"][..], "has 1000 ALS"),
        (&["deposit", "--amount", "1.0000000000000000001"], "more digits after the point"),
        (&["allocate", "--share", "101"], "operator.share_percent is 101; it goes from 1 to 100"),
        (&["update-socket", "x:1"], "join it first with `anzen operator register`"),
        (&["status", "--rpc-url", "http://127.0.0.1:1"], "is it running, and is its URL the configured one?"),
    ] {
        let said = newcomer.operator(arguments).await;
        assert_eq!(said.code, 1, "{arguments:?}");
        let error: serde_json::Value = serde_json::from_str(said.errors.trim()).unwrap();
        let error = error["error"].as_str().unwrap();
        assert!(error.contains(text), "{arguments:?}: {error}");
    }
    let nobody = newcomer.operator(&["status", "--operator", &Address::ZERO.to_string()]).await;
    assert_eq!((nobody.code, &nobody.lines[0]["operatorId"]), (NOT_SO, &serde_json::Value::Null));
}

#[tokio::test]
async fn an_operator_registers_itself_when_it_starts_and_signs() {
    let mut network = LocalNetwork::ready(&["--operators", "1", "--interval", "5"]).await;
    let newcomer = Newcomer::of(&network, "register_operator_on_startup = true").await;
    let process = newcomer.run();
    // Two of equal stake, and a threshold of 66 %: no task is answered without the new one's signature.
    network
        .line_where("an answer of two", |line| line.contains("(100.00 % of stake)") && line.contains(", "))
        .await;
    process.kill().await;

    // Started again it finds everything done.
    let nonce = newcomer.chain.nonce(newcomer.address).await;
    let process = newcomer.run();
    network.answered().await;
    process.kill().await;
    assert_eq!(newcomer.chain.nonce(newcomer.address).await, nonce);
}

#[tokio::test]
async fn who_has_left_is_brought_back_by_a_person_and_not_by_a_restart() {
    let network = LocalNetwork::ready(&["--operators", "1"]).await;
    let newcomer = Newcomer::of(&network, "register_operator_on_startup = true").await;
    for arguments in [["register"], ["deregister"]] {
        let done = newcomer.operator(&arguments).await;
        assert_eq!(done.code, SO, "{}", done.errors);
    }
    // From now on EigenLayer lets it join again.
    newcomer.chain.mine(ALL_DELAYS).await;
    let nonce = newcomer.chain.nonce(newcomer.address).await;
    let mut process = newcomer.run();
    process.logs("the operator has left the quorum, or was ejected").await;
    assert_eq!(newcomer.chain.nonce(newcomer.address).await, nonce, "nothing was sent");

    let back = newcomer.operator(&["register"]).await;
    assert_eq!((back.code, &back.of("join")["state"]), (SO, &"done".into()), "{}", back.errors);
    let nonce = newcomer.chain.nonce(newcomer.address).await;
    process.logs("\"running\"").await;
    assert_eq!(newcomer.chain.nonce(newcomer.address).await, nonce, "a member needs nothing more");
    assert_eq!(process.count("has left the quorum"), 1, "it is said once");
}
