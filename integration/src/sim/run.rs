//! One run: a seed and a plan in, what happened out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::U256;
use anzen_messages::operator::Operator;
use anzen_messages::{OperatorId, OperatorSet, SafetyFactor};

use super::byzantine::Villain;
use super::chain::SimChain;
use super::cluster::{Cluster, FINALITY, KEEP_RECORDS, REMEMBER, domain};
use super::contract::{Contract, Rules};
use super::director::Director;
use super::link::Destination;
use super::log::EventLog;
use super::model::model_hash;
use super::network::Net;
use super::node::{Machine, Who};
use super::panics;
use super::plan::Plan;
use super::sabotage::Sabotage;
use super::witness::Witness;
use super::world::{SimClock, SimRng, account, operator_key};
use crate::invariants::{Terms, Violation};

const RESPONSE_WINDOW: u64 = 22;
const TASK_INTERVAL: u64 = 4;
/// How many quiet blocks a task needs at most: what was lost is sent again, a stuck transaction replaced.
const QUIET_BLOCKS: u64 = 14;
/// How many quiet blocks there are at most without an open task.
const TASK_BLOCKS: u64 = 12;

/// How it is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// What is broken on purpose.
    pub sabotage: Option<Sabotage>,
    /// The log has the lines of the actors' own logs.
    pub trace: bool,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The invariant that does not hold, if one does not; the run ends there.
    pub violation: Option<Violation>,
    /// How many tasks were answered, and how many there were, on the chain as it is at the end.
    pub tasks: (usize, usize),
    /// The values that the chain has, in the order of their tasks' hashes.
    pub answers: Vec<SafetyFactor>,
    /// Everything that happened, with the simulated time.
    pub log: Vec<String>,
}

/// Why a run came to no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Failed {
    /// A process does not start; or the panic, with its place.
    pub what: String,
    /// Everything that happened, with the simulated time.
    pub log: Vec<String>,
}

/// Runs the plan to its end, or to the first violation.
///
/// # Errors
/// Where a process does not start, or an actor panics.
pub fn run(seed: u64, plan: &Plan, options: Options) -> Result<Outcome, Failed> {
    panics::watch();
    let system = actix::System::with_tokio_rt(|| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        #[allow(
            clippy::expect_used,
            reason = "a runtime with a paused clock uses nothing that could be missing"
        )]
        builder.enable_time().start_paused(true).build().expect("a runtime")
    });
    system.block_on(simulate(seed, plan, options))
}

async fn simulate(seed: u64, plan: &Plan, options: Options) -> Result<Outcome, Failed> {
    let log = EventLog::new();
    let _tracing = options.trace.then(|| log.follow_tracing());
    let witness = Witness::new(terms(plan), log.clone());
    let rng = |user: &str| Arc::new(SimRng::new(seed, user));
    let contract = Contract::new(rules(), domain(), operators(plan.operators));
    let clock = Arc::new(SimClock::new());
    let chain = SimChain::new(contract, rng("chain"), clock.clone(), log.clone(), witness.clone());
    let machines: BTreeMap<Who, Machine> =
        plan.machines().into_iter().map(|who| (who, Machine::new(who))).collect();
    let cluster = Cluster {
        seed,
        chain: chain.clone(),
        net: Net::new(),
        log: log.clone(),
        witness: witness.clone(),
        sabotage: options.sabotage,
        aggregators: destinations(&machines),
        task_interval: TASK_INTERVAL,
        old_keys: plan.old_keys.clone(),
        clock: clock.clone(),
    };
    for (number, mischief) in &plan.byzantine {
        let name = format!("villain {number}");
        let links = cluster.links(*number, &name);
        let villain =
            Villain { number: *number, mischief: *mischief, chain: chain.clone(), links, rng: rng(&name) };
        actix::spawn(villain.run());
    }
    let mut director = Director::new(cluster, machines);
    let ended = tokio::select! {
        biased;
        () = witness.broken() => Ok(()),
        ended = director.play(plan) => ended,
    };
    director.end().await;
    let violation = witness.violation();
    // What comes after a violation is of a broken world.
    if let Some(what) = failure(ended).filter(|_| violation.is_none()) {
        return Err(Failed { what, log: log.lines() });
    }
    let answers = chain.fork().contract().answers().values().copied().collect();
    Ok(Outcome { violation, tasks: witness.tasks(), answers, log: log.lines() })
}

/// What went wrong apart from the invariants: a panic, or how the play ended.
fn failure(ended: Result<(), String>) -> Option<String> {
    panics::noted().or(ended.err())
}

fn rules() -> Rules {
    Rules {
        model_hash: model_hash(),
        least_threshold: 60,
        greatest_threshold: 80,
        min_interval: TASK_INTERVAL,
        response_window: RESPONSE_WINDOW,
    }
}

fn id(operator: usize) -> OperatorId {
    operator_key(operator).public_key().operator_id()
}

fn terms(plan: &Plan) -> Terms {
    Terms {
        domain: domain(),
        operators: (0..plan.operators)
            .map(|number| (id(number), operator_key(number).public_key()))
            .collect(),
        liars: plan.byzantine.iter().map(|(number, _)| id(*number)).collect(),
        misled: plan.misled.iter().map(|number| id(*number)).collect(),
        misled_aggregators: plan
            .misled_aggregators
            .iter()
            .map(|one| Who::Aggregator(*one).to_string())
            .collect(),
        response_window: RESPONSE_WINDOW,
        finality_blocks: FINALITY,
        keep_records: KEEP_RECORDS,
        remember_blocks: REMEMBER,
        early_per_operator: 16,
        quiet_blocks: QUIET_BLOCKS,
        task_blocks: TASK_BLOCKS,
    }
}

fn destinations(machines: &BTreeMap<Who, Machine>) -> Vec<Destination> {
    let end = |(who, machine): (&Who, &Machine)| match who {
        Who::Aggregator(number) => {
            Some(Destination { number: *number, peer: machine.peer.clone(), disk: machine.disk.clone() })
        }
        Who::Operator(_) => None,
    };
    machines.iter().filter_map(end).collect()
}

fn operators(count: usize) -> OperatorSet {
    let operator = |i: usize| {
        let key = operator_key(i).public_key();
        let stakes = BTreeMap::from([(0, U256::from(100))]);
        (key.operator_id(), Operator { address: account(i), key, stakes })
    };
    OperatorSet::new(vec![0], (0..count).map(operator).collect())
}

/// How long a block takes.
pub(super) const BLOCK: Duration = Duration::from_secs(12);
