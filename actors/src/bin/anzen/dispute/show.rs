//! `anzen dispute show`.

use std::{fmt, process::ExitCode};

use alloy::primitives::{Address, B256};
use anzen_deploy::{
    chain::block_time,
    disputes::{Case, FaultRecord, Window},
};
use anzen_messages::{OperatorId, SafetyFactor};
use serde::Serialize;

use super::{
    name::hash_of,
    report::{Clock, CommitteeLine, FaultLine, debt_text, share, state_text},
};
use crate::{
    chain::Site,
    outcome::Outcome,
    output::{Output, Report, table},
    settings::Settings,
    task::TaskName,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The fault, by its id; or the task, by its index or its hash.
    #[arg(value_name = "FAULT|TASK")]
    wanted: TaskName,
    #[command(flatten)]
    settings: Settings,
}

/// All about one task, as far as disputes go.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    head: u64,
    task_index: u32,
    task_hash: B256,
    oracle_index: u32,
    protocol: String,
    /// With 9 decimals.
    value: Option<String>,
    /// The same in the contract's unit: 1.0 is 1000000000.
    safety_factor: Option<SafetyFactor>,
    responded_block: Option<u64>,
    /// The oracle's round.
    round: Option<String>,
    /// How the round stands: provisional, disputed, final, withdrawn.
    status: Option<&'static str>,
    windows: Vec<WindowLine>,
    committee: Option<CommitteeLine>,
    faults: Vec<Fault>,
    attested: Vec<Attested>,
    #[serde(skip)]
    clock: Clock,
}

#[derive(Debug, Serialize)]
struct WindowLine {
    what: &'static str,
    first: u64,
    last: u64,
    /// `later`, `open` or `over`, for a transaction in the next block.
    now: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Fault {
    #[serde(flatten)]
    line: FaultLine,
    #[serde(skip)]
    share: String,
    plan: Vec<Part>,
    operators: Vec<AtFault>,
}

/// Where a fault's stake is taken from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    quorum_number: u8,
    strategies: Vec<Address>,
}

#[derive(Debug, Serialize)]
struct AtFault {
    operator: Address,
    state: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Attested {
    operator_id: OperatorId,
    value: String,
    safety_factor: SafetyFactor,
}

pub(super) async fn run(arguments: &Arguments, output: Output) -> Outcome {
    let site = Site::reach(&arguments.settings).await?;
    let disputes = site.disputes();
    let case = disputes.case(hash_of(arguments.wanted, &disputes).await?).await?;
    let clock = Clock { head: case.head, block_time: block_time(&site.provider).await? };
    let protocol = site.addresses.name_of(case.task.task.oracle_index);
    output.print(&Shown::new(&case, protocol, clock))?;
    Ok(ExitCode::SUCCESS)
}

impl Shown {
    fn new(case: &Case, protocol: String, clock: Clock) -> Self {
        let (task, response) = (&case.task.task, case.task.response.as_ref());
        let attested = |(operator_id, answer): &(OperatorId, SafetyFactor)| Attested {
            operator_id: *operator_id,
            value: answer.to_string(),
            safety_factor: *answer,
        };
        Self {
            head: case.head,
            task_index: task.index,
            task_hash: case.task.hash,
            oracle_index: task.oracle_index,
            protocol,
            value: response.map(|response| response.value.to_string()),
            safety_factor: response.map(|response| response.value),
            responded_block: response.map(|response| response.block),
            round: case.answer.as_ref().map(|answer| answer.round.to_string()),
            status: case.answer.as_ref().map(|answer| answer.status_text()),
            windows: case.timeline().into_iter().map(|window| WindowLine::new(&window, case.head)).collect(),
            committee: case.committee.as_ref().map(|dispute| CommitteeLine::new(dispute, case.head)),
            faults: case.faults.iter().map(|fault| Fault::new(fault, case)).collect(),
            attested: case.attested.iter().map(attested).collect(),
            clock,
        }
    }
}

impl WindowLine {
    fn new(window: &Window, head: u64) -> Self {
        let now = match head + 1 {
            next if next < window.first => "later",
            next if next > window.last => "over",
            _ => "open",
        };
        Self { what: window.what, first: window.first, last: window.last, now }
    }

    /// About how long it is to the next change.
    fn when(&self, clock: Clock) -> String {
        let about = |block| clock.about(block).unwrap_or_default();
        match self.now {
            "later" => format!("in about {}", about(self.first.saturating_sub(1))),
            "open" => format!("open, for about {}", about(self.last)),
            over => over.into(),
        }
    }
}

impl Fault {
    fn new(fault: &FaultRecord, case: &Case) -> Self {
        let known = fault.operators.iter();
        let mut operators: Vec<_> = known
            .map(|(operator, debt)| AtFault { operator: *operator, state: debt_text(Some(debt)) })
            .collect();
        // Those who signed and were not frozen yet are at fault, too.
        if case.of_signers().is_some_and(|of_signers| of_signers.id == fault.id) {
            let left = case.to_freeze(fault).into_iter();
            operators.extend(left.map(|(_, operator)| AtFault { operator, state: debt_text(None) }));
        }
        let part = |part: &_| {
            let anzen_contracts::anzen_service_manager::IAnzenServiceManager::QuorumStrategies {
                quorumNumber,
                strategies,
            } = part;
            Part { quorum_number: *quorumNumber, strategies: strategies.clone() }
        };
        Self {
            line: FaultLine::new(fault, case.head),
            share: share(fault),
            plan: fault.plan.iter().map(part).collect(),
            operators,
        }
    }

    fn for_people(&self, f: &mut dyn fmt::Write, clock: Clock) -> fmt::Result {
        writeln!(f, "\nfault {} ({})", self.line.id, self.line.kind)?;
        writeln!(
            f,
            "recorded in block {}; {}",
            self.line.recorded_block,
            state_text(self.line.state, clock)
        )?;
        for part in &self.plan {
            let strategies: Vec<String> = part.strategies.iter().map(ToString::to_string).collect();
            writeln!(f, "takes {} of quorum {}: {}", self.share, part.quorum_number, strategies.join(", "))?;
        }
        let rows = self.operators.iter().map(|one| vec![one.operator.to_string(), one.state.into()]);
        writeln!(f, "{}", table(&["OPERATOR", "STATE"], rows))
    }
}

impl Report for Shown {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(f, "task {} of {}, {}", self.task_index, self.protocol, self.task_hash)?;
        match (&self.value, self.responded_block, self.status) {
            (Some(value), Some(block), Some(status)) => {
                writeln!(f, "answered in block {block}: {value}, {status}")?;
            }
            _ => writeln!(f, "not answered")?,
        }
        if let Some(committee) = &self.committee {
            writeln!(f, "before the committee: {}", committee.state_text(self.clock))?;
        }
        for one in &self.attested {
            writeln!(f, "attested by operator {}: {}", one.operator_id, one.value)?;
        }
        let row = |window: &WindowLine| {
            let blocks = format!("{} to {}", window.first, window.last);
            vec![window.what.into(), blocks, window.when(self.clock)]
        };
        writeln!(f, "\n{}", table(&["WHAT", "BLOCKS", "NOW"], self.windows.iter().map(row)))?;
        self.faults.iter().try_for_each(|fault| fault.for_people(f, self.clock))
    }
}
