//! Bringing a protocol to a deployment, through the timelock.

use crate::chain::Chain;
use alloy::{primitives::U256, providers::Provider};
use anzen_deploy::{
    proposal::{self, Progress, Proposal, ProposalError},
    verify,
};

/// anvil's account 9, which governs the local network, and account 5.
const GOVERNOR: &str = "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6";
const STRANGER: &str = "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba";

/// The second protocol of the local network again, under another index.
fn file(chain: &Chain, index: u32, vault: &str, feed: &str) -> std::path::PathBuf {
    let text = format!(
        "oracle_index = {index}\nname = \"New Lending\"\nvault.existing = \"{vault}\"\nprice.existing = \"{feed}\"\n\
         cost_share_bps = 5000\nprofit_share_bps = 2500\nleast_threshold_percentage = 67\nmin_task_interval = 20\n"
    );
    let path = chain.folder.path().join("protocol.toml");
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn the_timelock_adds_a_protocol_after_its_delay() {
    let chain = Chain::start();
    let mut at = chain.deploy().await.unwrap();
    let known = at.protocols[1].model.clone();
    let (vault, feed) = (known.vault.to_string(), known.vault_price_feed.to_string());
    let governor = chain.account(GOVERNOR).await;
    let stranger = chain.account(STRANGER).await;

    let taken = proposal::load(&file(&chain, 1, &vault, &feed)).unwrap();
    let taken = Proposal::new(&chain.provider, &at, taken).await.unwrap();
    assert!(matches!(taken.propose(&governor).await, Err(ProposalError::Exists(1))));

    let protocol = proposal::load(&file(&chain, 7, &vault, &feed)).unwrap();
    let proposed = Proposal::new(&chain.provider, &at, protocol.clone()).await.unwrap();
    assert!(matches!(proposed.execute(&governor).await, Err(ProposalError::NotProposed)));
    let refused = proposed.propose(&stranger).await.unwrap_err();
    assert!(refused.to_string().contains("AccessControlUnauthorizedAccount"), "{refused}");
    assert!(matches!(proposed.propose(&governor).await.unwrap(), Progress::Waiting { seconds: 1..=10 }));
    assert!(matches!(proposed.propose(&governor).await.unwrap(), Progress::Waiting { .. }), "twice is once");
    assert!(matches!(proposed.execute(&governor).await, Err(ProposalError::NotReady { .. })));

    let _: U256 = chain.provider.raw_request("evm_increaseTime".into(), [U256::from(10)]).await.unwrap();
    let _: String = chain.provider.raw_request("evm_mine".into(), ()).await.unwrap();
    let again = Proposal::new(&chain.provider, &at, protocol).await.unwrap();
    assert_eq!((again.id(), again.model_hash()), (proposed.id(), proposed.model_hash()));
    assert_eq!(again.progress(&chain.provider).await.unwrap(), Progress::Ready);
    let added = again.execute(&governor).await.unwrap();
    assert_eq!(again.execute(&governor).await.unwrap(), added, "twice is once");
    assert_eq!((added.name.as_str(), added.model.profit_share_bps), ("New Lending", 2500));

    at.add_protocol(added);
    let report = verify(&chain.provider, &at).await.unwrap();
    assert!(report.is_ok(), "{report}");
    assert!(report.to_string().contains("New Lending") || report.checks.len() > 148, "{report}");
}

#[tokio::test]
async fn a_file_that_is_wrong_says_where() {
    let chain = Chain::start();
    let address = "0x0000000000000000000000000000000000000066";
    let at = chain.deploy().await.unwrap();
    let protocol = proposal::load(&file(&chain, 7, address, address)).unwrap();
    let error = Proposal::new(&chain.provider, &at, protocol).await.unwrap_err().to_string();
    assert!(error.contains("no contract at 0x0000000000000000000000000000000000000066"), "{error}");

    let path = file(&chain, 7, address, address);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("least_threshold_percentage = 67", "least_threshold_percentage = 50"))
        .unwrap();
    let error = proposal::load(&path).unwrap_err().to_string();
    assert!(error.contains("51 to 100"), "{error}");
    std::fs::write(&path, text.replace("cost_share_bps", "cost_share")).unwrap();
    let error = proposal::load(&path).unwrap_err().to_string();
    assert!(error.contains("cost_share") && error.contains("protocol.toml"), "{error}");
}
