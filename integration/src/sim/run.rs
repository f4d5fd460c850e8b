//! One run: a plan and a seed in, what happened out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::U256;
use anzen_messages::operator::Operator;
use anzen_messages::{OperatorSet, SafetyFactor};

use super::chain::SimChain;
use super::cluster::{Cluster, domain, model};
use super::contract::{Contract, Rules};
use super::log::EventLog;
use super::network::{Faults, Peer};
use super::store::Disk;
use super::world::{SimRng, account, operator_key};

const BLOCK: Duration = Duration::from_secs(12);
const RESPONSE_WINDOW: u64 = 20;
const TASK_INTERVAL: u64 = 5;

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How many operators there are, of equal stake.
    pub operators: usize,
    /// How many of them (the last ones) never start.
    pub offline: usize,
    /// How many tasks are awaited.
    pub tasks: usize,
    /// The network between operators and aggregator.
    pub faults: Faults,
    /// How many of a hundred questions to the RPC endpoints fail.
    pub rpc_failure_percent: u64,
    /// One block in this many comes with a reorg of up to three blocks; 0: none.
    pub reorg_every: u64,
}

impl Default for Plan {
    fn default() -> Self {
        let faults = Faults { loss_percent: 0, duplicate_percent: 0, longest_delay_ms: 50 };
        Self { operators: 4, offline: 0, tasks: 5, faults, rpc_failure_percent: 0, reorg_every: 0 }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The values that the chain has, in the order of their tasks' hashes.
    pub answers: Vec<SafetyFactor>,
    /// Everything that happened, with the simulated time.
    pub log: Vec<String>,
}

/// Runs until the plan's tasks are answered, or `longest` of simulated time has passed.
///
/// # Errors
/// Where a process does not start, which is a fault of the plan.
pub fn run(seed: u64, plan: Plan, longest: Duration) -> Result<Outcome, String> {
    let system = actix::System::with_tokio_rt(|| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        #[allow(
            clippy::expect_used,
            reason = "a runtime with a paused clock uses nothing that could be missing"
        )]
        builder.enable_time().start_paused(true).build().expect("a runtime")
    });
    system.block_on(simulate(seed, plan, longest))
}

async fn simulate(seed: u64, plan: Plan, longest: Duration) -> Result<Outcome, String> {
    let log = EventLog::new();
    let rules = Rules {
        model_hash: model().hash(),
        least_threshold: 60,
        greatest_threshold: 80,
        min_interval: TASK_INTERVAL,
        response_window: RESPONSE_WINDOW,
    };
    let contract = Contract::new(rules, domain(), operators(plan.operators));
    let chain = SimChain::new(contract, Arc::new(SimRng::new(seed, "chain")), log.clone());
    let cluster = Cluster {
        seed,
        chain: chain.clone(),
        faults: plan.faults,
        rpc_failure_percent: plan.rpc_failure_percent,
        log: log.clone(),
        response_window: RESPONSE_WINDOW,
        task_interval: TASK_INTERVAL,
    };
    let peer = Peer::default();
    let failed = |error| format!("a process does not start: {error}");
    for i in 0..plan.operators - plan.offline {
        cluster.operator(i, &peer, Disk::default()).await.map_err(failed)?;
    }
    cluster.aggregator(&peer, Disk::default()).await.map_err(failed)?;
    actix::spawn(chain.clone().run(BLOCK, plan.reorg_every));
    // That time runs out is an outcome like any other.
    let _ = tokio::time::timeout(longest, answered(&chain, plan.tasks)).await;
    Ok(Outcome { answers: chain.contract().answers().values().copied().collect(), log: log.lines() })
}

async fn answered(chain: &SimChain, tasks: usize) {
    let mut changes = chain.subscribe();
    while chain.contract().answers().len() < tasks {
        if changes.changed().await.is_err() {
            return;
        }
    }
}

fn operators(count: usize) -> OperatorSet {
    let operator = |i: usize| {
        let key = operator_key(i).public_key();
        let stakes = BTreeMap::from([(0, U256::from(100))]);
        (key.operator_id(), Operator { address: account(i), key, stakes })
    };
    OperatorSet::new(vec![0], (0..count).map(operator).collect())
}
