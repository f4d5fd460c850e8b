//! Bringing a protocol to a deployment, through the timelock.

use std::path::PathBuf;

use crate::chain::Chain;
use alloy::{
    primitives::{Address, B256, U256},
    providers::Provider,
};
use anzen_deploy::{
    Addresses, models,
    proposal::{self, Intent, Progress, Proposal, ProposalError},
    verify,
};
use anzen_messages::model::{Guard, Model, Source, Term};

/// anvil's account 9, which governs the local network, and account 5.
const GOVERNOR: &str = "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6";
const STRANGER: &str = "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba";

/// A protocol of which `model` says how its safety factor is computed.
fn file(chain: &Chain, index: u32, model: &str) -> PathBuf {
    let text = format!(
        "oracle_index = {index}\nname = \"New Lending\"\nmodel.{model}\nleast_threshold_percentage = 67\n\
         min_task_interval = 20\n"
    );
    let path = chain.folder.path().join("protocol.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// The file of the local network's second model, with another share.
async fn model_file(chain: &Chain, at: &Addresses) -> Model {
    let known =
        models::get(&chain.provider, at.safety_factor_models, at.protocols[1].model_hash).await.unwrap();
    let terms = known.terms().iter().map(|term| Term { share_bps: 2_500, ..term.clone() });
    let model = Model::new(terms.collect()).unwrap();
    write(chain, &model);
    model
}

fn write(chain: &Chain, model: &Model) {
    let text = serde_json::to_string_pretty(model).unwrap();
    std::fs::write(chain.folder.path().join("lending.json"), text).unwrap();
}

const FILE: &str = "file = \"lending.json\"";

#[tokio::test]
async fn the_timelock_adds_a_protocol_after_its_delay() {
    let chain = Chain::start();
    let mut at = chain.deploy().await.unwrap();
    let model = model_file(&chain, &at).await;
    let governor = chain.account(GOVERNOR).await;
    let stranger = chain.account(STRANGER).await;

    let taken = proposal::load(&file(&chain, 1, FILE)).unwrap();
    let taken = Proposal::new(&chain.provider, &at, taken, Intent::Add).await.unwrap();
    assert!(matches!(taken.propose(&governor).await, Err(ProposalError::Exists(1))));

    let protocol = proposal::load(&file(&chain, 7, FILE)).unwrap();
    let proposed = Proposal::new(&chain.provider, &at, protocol.clone(), Intent::Add).await.unwrap();
    assert!(matches!(proposed.execute(&governor).await, Err(ProposalError::NotProposed)));
    let refused = proposed.propose(&stranger).await.unwrap_err();
    assert!(refused.to_string().contains("AccessControlUnauthorizedAccount"), "{refused}");
    assert!(matches!(proposed.propose(&governor).await.unwrap(), Progress::Waiting { seconds: 1..=10 }));
    assert!(matches!(proposed.propose(&governor).await.unwrap(), Progress::Waiting { .. }), "twice is once");
    assert!(matches!(proposed.execute(&governor).await, Err(ProposalError::NotReady { .. })));

    pass_the_delay(&chain).await;
    let again = Proposal::new(&chain.provider, &at, protocol, Intent::Add).await.unwrap();
    assert_eq!((again.id(), again.model_hash()), (proposed.id(), proposed.model_hash()));
    assert_eq!(again.progress(&chain.provider).await.unwrap(), Progress::Ready);
    let added = again.execute(&governor).await.unwrap();
    assert_eq!(again.execute(&governor).await.unwrap(), added, "twice is once");
    assert_eq!((added.name.as_str(), added.model_hash), ("New Lending", model.hash()));
    let kept = models::get(&chain.provider, at.safety_factor_models, added.model_hash).await.unwrap();
    assert_eq!(kept, model);

    at.add_protocol(added);
    let report = verify(&chain.provider, &at).await.unwrap();
    assert!(report.is_ok(), "{report}");
    assert!(report.to_string().contains("New Lending") || report.checks.len() > 148, "{report}");
}

async fn pass_the_delay(chain: &Chain) {
    let _: U256 = chain.provider.raw_request("evm_increaseTime".into(), [U256::from(10)]).await.unwrap();
    let _: String = chain.provider.raw_request("evm_mine".into(), ()).await.unwrap();
}

#[tokio::test]
async fn the_timelock_changes_a_protocol_and_changes_it_back() {
    let chain = Chain::start();
    let mut at = chain.deploy().await.unwrap();
    let governor = chain.account(GOVERNOR).await;
    let old = at.protocols[1].clone();
    let model = model_file(&chain, &at).await;
    let change = async |index, model: &str, number| {
        let path = file(&chain, index, model);
        let text = std::fs::read_to_string(&path).unwrap().replace("New Lending", "Local Exchange");
        std::fs::write(&path, text).unwrap();
        let protocol = proposal::load(&path).unwrap();
        Proposal::new(&chain.provider, &at, protocol, Intent::Change { number }).await.unwrap()
    };
    let carry_out = async |proposal: &Proposal| {
        assert!(matches!(proposal.propose(&governor).await.unwrap(), Progress::Waiting { .. }));
        pass_the_delay(&chain).await;
        proposal.execute(&governor).await.unwrap()
    };

    let nobody = change(7, FILE, 0).await.propose(&governor).await;
    assert!(matches!(nobody, Err(ProposalError::Unknown(7))), "{nobody:?}");
    let other = change(0, FILE, 0).await.propose(&governor).await;
    assert!(matches!(other, Err(ProposalError::OtherName { index: 0, .. })), "{other:?}");

    let first = change(1, FILE, 0).await;
    let changed = carry_out(&first).await;
    assert_eq!((changed.model_hash, changed.feed), (model.hash(), old.feed));
    assert_eq!(first.execute(&governor).await.unwrap(), changed, "twice is once");
    let back = carry_out(&change(1, &format!("hash = \"{}\"", old.model_hash), 0).await).await;
    assert_eq!(back, old);

    // The timelock would take the first for done, and the file of addresses would be wrong.
    for refused in [first.propose(&governor).await.err(), first.execute(&governor).await.err()] {
        assert!(matches!(refused, Some(ProposalError::Superseded)), "{refused:?}");
    }
    let again = carry_out(&change(1, &format!("hash = \"{}\"", model.hash()), 1).await).await;
    assert_eq!(again, changed);
    at.add_protocol(again);
    let report = verify(&chain.provider, &at).await.unwrap();
    assert!(report.is_ok(), "{report}");
}

#[tokio::test]
async fn a_model_is_added_once_and_named_by_its_hash_afterwards() {
    let chain = Chain::start();
    let at = chain.deploy().await.unwrap();
    let governor = chain.account(GOVERNOR).await;
    let kept =
        models::get(&chain.provider, at.safety_factor_models, at.protocols[0].model_hash).await.unwrap();
    write(&chain, &kept);
    let again = proposal::load(&file(&chain, 7, FILE)).unwrap();
    let again = Proposal::new(&chain.provider, &at, again, Intent::Add).await.unwrap();
    let error = again.propose(&governor).await.unwrap_err().to_string();
    assert!(error.contains("model.hash"), "{error}");

    let named = |hash| proposal::load(&file(&chain, 7, &format!("hash = \"{hash}\""))).unwrap();
    let unknown = Proposal::new(&chain.provider, &at, named(B256::ZERO), Intent::Add).await.unwrap();
    let error = unknown.propose(&governor).await.unwrap_err().to_string();
    assert!(error.contains("has no model 0x00"), "{error}");
    let named = Proposal::new(&chain.provider, &at, named(kept.hash()), Intent::Add).await.unwrap();
    assert!(matches!(named.propose(&governor).await.unwrap(), Progress::Waiting { .. }));
    assert_eq!(named.model_hash(), kept.hash());
}

#[tokio::test]
async fn a_model_whose_sources_are_not_there_is_not_proposed() {
    let chain = Chain::start();
    let at = chain.deploy().await.unwrap();
    let governor = chain.account(GOVERNOR).await;
    let model = model_file(&chain, &at).await;
    let propose = async |term: Term<Source>| {
        write(&chain, &Model::new(vec![term]).unwrap());
        let protocol = proposal::load(&file(&chain, 7, FILE)).unwrap();
        let proposal = Proposal::new(&chain.provider, &at, protocol, Intent::Add).await.unwrap();
        proposal.propose(&governor).await.unwrap_err().to_string()
    };
    let cost = model.terms()[0].clone();
    let nowhere = Source::QuorumStake { stake_registry: Address::repeat_byte(0x66), quorum_number: 0 };
    let error = propose(Term { amount: nowhere, ..cost.clone() }).await;
    assert!(error.starts_with("amount of term 0 (QuorumStake): there is no contract at 0x66"), "{error}");
    let foreign = Source::QuorumStake { stake_registry: at.token, quorum_number: 0 };
    let error = propose(Term { amount: foreign, ..cost.clone() }).await;
    assert!(error.contains("is not on the list"), "{error}");
    let no_quorum = Source::QuorumStake { stake_registry: at.stake_registry, quorum_number: 9 };
    let error = propose(Term { amount: no_quorum, ..cost.clone() }).await;
    assert!(error.contains("has no quorum 9"), "{error}");
    let Source::FeedRound { feed, .. } = cost.price else { panic!("{cost:?}") };
    let proxy = Source::FeedRound { feed, phase_id: 3, max_age: 60 };
    let error = propose(Term { price: proxy, ..cost.clone() }).await;
    assert!(error.contains("is no proxy; give it phaseId 0"), "{error}");
    let guard = Guard { account: feed, slot: B256::ZERO, expected: B256::repeat_byte(1) };
    let guarded =
        Source::StorageSlot { account: feed, slot: B256::ZERO, offset: 0, width: 1, guards: vec![guard] };
    let error = propose(Term { amount: guarded, ..cost }).await;
    assert!(error.contains("and the guard expects 0x0101"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_wrong_says_where() {
    let chain = Chain::start();
    let at = chain.deploy().await.unwrap();
    let protocol = proposal::load(&file(&chain, 7, FILE)).unwrap();
    let error = Proposal::new(&chain.provider, &at, protocol, Intent::Add).await.unwrap_err().to_string();
    assert!(error.contains("cannot read the model's file") && error.contains("lending.json"), "{error}");
    std::fs::write(chain.folder.path().join("lending.json"), "{\"terms\": []}").unwrap();
    let protocol = proposal::load(&file(&chain, 7, FILE)).unwrap();
    let error = Proposal::new(&chain.provider, &at, protocol, Intent::Add).await.unwrap_err().to_string();
    assert!(error.contains("the model has 0 terms; give it 1 to 20"), "{error}");

    let path = file(&chain, 7, FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("least_threshold_percentage = 67", "least_threshold_percentage = 50"))
        .unwrap();
    let error = proposal::load(&path).unwrap_err().to_string();
    assert!(error.contains("51 to 100"), "{error}");
    std::fs::write(&path, text.replace("min_task_interval", "task_interval")).unwrap();
    let error = proposal::load(&path).unwrap_err().to_string();
    assert!(error.contains("task_interval") && error.contains("protocol.toml"), "{error}");
}
