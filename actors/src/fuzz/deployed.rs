//! What people's commands read of a deployment: what anyone put on chain, as a node tells it that may tell anything.

use std::sync::LazyLock;

use alloy::primitives::{B256, U256};
use alloy::providers::mock::{Asserter, MockResponse};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::signers::local::PrivateKeySigner;
use anzen_deploy::Addresses;
use anzen_deploy::chain::Account;
use anzen_deploy::operator::{Operator, OperatorParams, OperatorSetup, Step};
use anzen_deploy::tasks::{Tasks, Wanted, Watch, signed_bps};
use anzen_messages::{SafetyFactor, Task};
use serde_json::value::RawValue;

use super::{finish, lines};

/// A deployment, as a file of addresses tells of one.
static DEPLOYED: LazyLock<Option<Addresses>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../integration/fuzz/corpus/addresses/local")).ok()
});
/// How many blocks are watched, and tasks looked for.
const MOST: usize = 8;

/// A node that gives these answers, in order, whatever it is asked: a line each, an error where it begins with `!`.
fn node(answers: std::str::Lines<'_>) -> DynProvider {
    let asserter = Asserter::new();
    for line in answers {
        if let Some(error) = line.strip_prefix('!') {
            if let Ok(error) = serde_json::from_str(error) {
                asserter.push_failure(error);
            }
        } else if let Ok(answer) = RawValue::from_string(line.to_owned()) {
            asserter.push(MockResponse::Success(answer));
        }
    }
    ProviderBuilder::new().connect_mocked_client(asserter).erased()
}

/// Tasks: the latest, one by its hash, who signed an answer, and what each block brings. The first line tells which.
pub(super) fn tasks(data: &[u8]) {
    let mut lines = lines(data);
    let (which, Some(addresses)) = (lines.next().unwrap_or_default(), DEPLOYED.clone()) else { return };
    let provider = node(lines);
    finish(async {
        let tasks = Tasks::new(provider, addresses, 100);
        match which {
            "latest" => latest(&tasks).await,
            "find" => {
                if let Ok(Some(record)) = tasks.find(B256::repeat_byte(0x11), 1_000).await
                    && let Some(response) = &record.response
                {
                    let parts = tasks.signers(&record.task, response).await;
                    assert!(parts.map_or(true, |parts| signed_bps(&parts) <= 10_000));
                }
            }
            _ => watch(tasks).await,
        }
    });
}

async fn latest(tasks: &Tasks) {
    let Ok(head) = tasks.head().await else { return };
    let wanted = Wanted { last: MOST, ..Wanted::default() };
    let Ok(records) = tasks.latest(&wanted, head.block).await else { return };
    assert!(records.len() <= MOST);
    for record in &records {
        let _ = (record.status(head.block), told(&record.task));
    }
}

async fn watch(tasks: Tasks) {
    let Ok(mut watch) = Watch::from_here(tasks).await else { return };
    for _ in 0..MOST {
        match watch.next_block().await {
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return,
        }
    }
}

/// As people read it.
fn told(task: &Task) -> String {
    format!("{} {}", task.hash(), SafetyFactor(task.proposed_safety_factor.0))
}

/// An operator: how far it is, and what each step comes to. The first line tells which.
pub(super) fn operator(data: &[u8]) {
    let mut lines = lines(data);
    let (which, Some(addresses)) = (lines.next().unwrap_or_default(), DEPLOYED.clone()) else { return };
    let steps = Step::SET_UP.into_iter().chain(Step::LEAVE).chain(Step::WITHDRAW);
    let step = steps.into_iter().find(|step| which == step.name());
    let provider = node(lines);
    let told = finish(async {
        let Ok(signer) = PrivateKeySigner::from_bytes(&B256::repeat_byte(1)) else { return String::new() };
        let Some(step) = step else {
            let status = Operator::new(provider, signer.address(), addresses).status().await;
            return status.map_or_else(|error| error.to_string(), |status| status.to_string());
        };
        let Ok(account) = Account::new(provider, signer).await else { return String::new() };
        let params =
            OperatorParams { withdrawal: Some(U256::ONE), ..OperatorParams::new("x", U256::from(100)) };
        let plan = OperatorSetup::new(account, None, addresses, params).plan(step).await;
        format!("{plan:?}")
    });
    drop(told);
}
