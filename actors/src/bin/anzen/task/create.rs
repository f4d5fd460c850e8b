//! `anzen task create`.

use std::{error::Error, fmt, process::ExitCode, sync::Arc, time::Duration};

use alloy::{
    primitives::{Address, B256, U256, utils::format_ether},
    providers::Provider,
    sol_types::SolEvent,
};
use anzen_actors::{
    adapters::{AlloyChain, BlockingPool, OsRng, RpcMetrics},
    ports::{ChainReader, ModelInputs, TaskContract},
};
use anzen_contracts::AnzenTaskManager::NewTaskCreated;
use anzen_deploy::{
    addresses::Protocol,
    chain::{Account, ChainError, Request},
    oracle::OracleError,
    tasks::{News, Tasks, Watch},
};
use anzen_messages::{SafetyFactor, model};
use serde::Serialize;

use super::{
    report::{Status, TaskLine, or_dash},
    watch::Blocks,
};
use crate::{
    chain::{Site, block_on},
    logging,
    outcome::{NOT_SO, Outcome},
    output::{Output, Report},
    settings::Settings,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// The protocol; `anzen oracle list` tells which there are.
    #[arg(long, value_name = "INDEX")]
    oracle: u32,
    /// What to propose, such as 0.75; operators sign what they compute [default: what the model yields now].
    #[arg(long, value_name = "SAFETY_FACTOR", allow_hyphen_values = true)]
    proposed: Option<SafetyFactor>,
    /// How much of the stake must sign, in per cent [default: task_generator.threshold_percentage, within what governance
    /// allows].
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100))]
    threshold: Option<u32>,
    /// Only say what would be sent and what it would cost, or why it would be refused.
    #[arg(long)]
    dry_run: bool,
    /// Wait for the answer; exit with 3 if there is none in the task's window.
    #[arg(long, conflicts_with = "dry_run")]
    wait: bool,
}

/// What would be sent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Planned {
    oracle_index: u32,
    protocol: String,
    proposed_value: String,
    proposed_safety_factor: SafetyFactor,
    threshold_percentage: u32,
    from: Address,
    to: Address,
    gas: u64,
    /// In wei, at the most.
    cost: String,
    /// In wei.
    balance: String,
}

/// A task that was created.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    #[serde(flatten)]
    task: TaskLine,
    creation_transaction: B256,
    gas_used: u64,
}

pub(super) fn run(arguments: &Arguments, output: Output) -> Outcome {
    logging::start("warn");
    block_on(create(arguments, output))?
}

async fn create(arguments: &Arguments, output: Output) -> Outcome {
    let site = Site::reach(&arguments.settings).await?;
    let account = site.account().await?;
    let plan = Plan::make(arguments, &site).await?;
    if arguments.dry_run {
        output.print(&plan.cost(&site, &account).await?)?;
        return Ok(ExitCode::SUCCESS);
    }
    // From before the task is there, so that its answer is not missed.
    let tasks = Tasks::new(site.provider.clone(), site.addresses.clone(), site.config.chain.log_range);
    let watch = Watch::from_here(tasks).await?;
    let created = plan.send(&site, &account).await?;
    if !arguments.wait {
        output.print(&created)?;
        return Ok(ExitCode::SUCCESS);
    }
    let pause = Duration::from_millis(site.config.chain.poll_interval_ms);
    let ended = answer(created, Blocks::new(watch, pause)).await;
    output.print(&ended)?;
    Ok(if ended.task.status == Status::Answered { ExitCode::SUCCESS } else { ExitCode::from(NOT_SO) })
}

/// Waits until the task is answered or can no longer be.
async fn answer(created: Created, mut blocks: Blocks) -> Created {
    loop {
        for news in blocks.next().await.news {
            let task = match news {
                News::Answered(one) if one.open.hash == created.task.hash => {
                    TaskLine::of_answered(blocks.addresses(), &one)
                }
                News::Missed(one) if one.hash == created.task.hash => {
                    TaskLine::of_open(blocks.addresses(), &one, Status::Unanswered)
                }
                _ => continue,
            };
            return Created { task, ..created };
        }
    }
}

/// What is going to be sent.
struct Plan {
    protocol: Protocol,
    proposed: SafetyFactor,
    threshold: u32,
    request: Request,
}

impl Plan {
    async fn make(arguments: &Arguments, site: &Site) -> Result<Self, Box<dyn Error>> {
        let protocol = protocol(site, arguments.oracle)?;
        let cpu = Arc::new(BlockingPool::new(tokio::runtime::Handle::current()));
        let rng = Arc::new(OsRng::new()?);
        let addresses = (&site.addresses).into();
        let chain = AlloyChain::new(&site.config.chain, addresses, cpu, rng, RpcMetrics::default())?;
        let rules = chain.rules(protocol.oracle_index).await?;
        if rules.quorums.is_empty() {
            return Err(format!(
                "governance allows no tasks of {}; it does so by setTaskPolicy",
                protocol.name
            )
            .into());
        }
        let proposed = match arguments.proposed {
            Some(proposed) => proposed,
            None => {
                let head = chain.head().await?.at.hash;
                model::evaluate(&chain.terms(rules.model_hash, head).await?)?
            }
        };
        let usual = site.config.task_generator.threshold_percentage;
        let threshold = arguments.threshold.unwrap_or_else(|| rules.nearest_threshold(usual));
        let (to, data) = chain.create_call(protocol.oracle_index, proposed, &rules, threshold);
        let request = Request {
            what: "creating a task".into(),
            to: Some(to),
            data,
            value: U256::ZERO,
            signature: None,
        };
        Ok(Self { protocol, proposed, threshold, request })
    }

    /// What it would cost; an error where it would be refused.
    async fn cost(&self, site: &Site, account: &Account) -> Result<Planned, Box<dyn Error>> {
        let (price, from) = (account.price(&self.request).await.map_err(refused)?, account.address());
        let balance = site.provider.get_balance(from).await;
        let balance = balance.map_err(|error| ChainError::rpc("the account's balance", error))?;
        Ok(Planned {
            oracle_index: self.protocol.oracle_index,
            protocol: self.protocol.name.clone(),
            proposed_value: self.proposed.to_string(),
            proposed_safety_factor: self.proposed,
            threshold_percentage: self.threshold,
            from,
            to: self.request.to.unwrap_or_default(),
            gas: price.gas,
            cost: price.most_cost().to_string(),
            balance: balance.to_string(),
        })
    }

    async fn send(&self, site: &Site, account: &Account) -> Result<Created, Box<dyn Error>> {
        let receipt = account.execute(&self.request).await.map_err(refused)?;
        let transaction = receipt.transaction_hash;
        let mut logs = receipt.logs().iter();
        let hash = logs.find_map(|log| Some(NewTaskCreated::decode_log(&log.inner).ok()?.taskHash));
        let hash = hash.ok_or_else(|| {
            format!("transaction {transaction} created no task; is the addresses file right?")
        })?;
        let tasks = Tasks::new(site.provider.clone(), site.addresses.clone(), site.config.chain.log_range);
        let head = tasks.head().await?.block;
        let record = tasks.find(hash, head).await?;
        let record = record.ok_or_else(|| {
            format!("the chain has left the block of transaction {transaction}; run this again")
        })?;
        Ok(Created {
            task: TaskLine::of_record(&site.addresses, &record, None, head),
            creation_transaction: transaction,
            gas_used: receipt.gas_used,
        })
    }
}

fn protocol(site: &Site, index: u32) -> Result<Protocol, OracleError> {
    let protocols = &site.addresses.protocols;
    let found = protocols.iter().find(|protocol| protocol.oracle_index == index).cloned();
    let known = || protocols.iter().map(|protocol| protocol.oracle_index).collect();
    found.ok_or_else(|| OracleError::UnknownProtocol { index, known: known() })
}

/// Adds to a refusal what to do about it.
fn refused(error: ChainError) -> Box<dyn Error> {
    let remedy = match &error {
        ChainError::Reverted { reason, .. } | ChainError::Failed { reason, .. } => remedy(reason),
        _ => None,
    };
    match remedy {
        Some(remedy) => format!("{error}: {remedy}").into(),
        None => error.into(),
    }
}

/// What to do about the task manager's refusals, by the error's name.
const REMEDIES: &[(&str, &str)] = &[
    ("AccessControlUnauthorizedAccount", "the key is no generator's; governance grants GENERATOR_ROLE"),
    ("EnforcedPause", "a pauser has stopped the creation of tasks; governance ends the pause"),
    ("QuorumKeyIsIdentity", "no operator has joined the quorum yet"),
    ("QuorumWithoutStake", "no operator with stake has joined the quorum yet"),
    ("StakesRefreshedAfterReference", "try again in the next block"),
    (
        "StakesStale",
        "the stakes have to be refreshed first, which an aggregator's stake updater does; is one running?",
    ),
    ("TaskIntervalNotOver", "wait for that block"),
    ("TaskStillOpen", "wait until it is answered or its window has passed"),
    ("ThresholdOutOfRange", "give --threshold within these bounds"),
];

fn remedy(reason: &str) -> Option<&'static str> {
    let name = reason.split('(').next()?;
    REMEDIES.iter().find(|(error, _)| *error == name).map(|(_, remedy)| *remedy)
}

impl Report for Planned {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let mut row = |what: &str, value: String| writeln!(f, "{what:<12} {value}");
        row("protocol", format!("{} (oracle {})", self.protocol, self.oracle_index))?;
        row("proposed", self.proposed_value.clone())?;
        row("threshold", format!("{} %", self.threshold_percentage))?;
        row("from", format!("{}, which has {} ether", self.from, ether(&self.balance)))?;
        row("to", format!("{} (the task manager)", self.to))?;
        row("cost", format!("{} gas, at most {} ether", self.gas, ether(&self.cost)))?;
        writeln!(f, "Nothing was sent.")
    }
}

fn ether(wei: &str) -> String {
    wei.parse::<U256>().map_or_else(|_| wei.to_owned(), format_ether)
}

impl Report for Created {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let TaskLine { index, hash, protocol, created_block, last_block, .. } = &self.task;
        writeln!(f, "task {index} of {protocol}, {hash}")?;
        writeln!(f, "created in block {created_block} by transaction {}", self.creation_transaction)?;
        match self.task.status {
            Status::Open => writeln!(f, "can be answered until block {last_block}"),
            Status::Unanswered => writeln!(f, "NOT ANSWERED by block {last_block}"),
            Status::Answered => writeln!(
                f,
                "answered in block {}: {}, signed by {} of the stake",
                or_dash(self.task.responded_block),
                or_dash(self.task.value.as_ref()),
                self.task.signed_text()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::sol_types::SolError;
    use anzen_contracts::AnzenTaskManager;
    use anzen_contracts::revert::decode_revert;

    #[test]
    fn a_refusal_says_what_to_do() {
        let error = AnzenTaskManager::TaskStillOpen { taskIndex: 7 };
        let reason = decode_revert(&error.abi_encode()).unwrap();
        let text = refused(ChainError::Reverted { what: "creating a task".into(), reason }).to_string();
        assert_eq!(
            text,
            "creating a task reverts: TaskStillOpen(taskIndex: 7): wait until it is answered or its window has passed"
        );
        assert_eq!(remedy("Pausable: index is paused"), None);
    }
}
