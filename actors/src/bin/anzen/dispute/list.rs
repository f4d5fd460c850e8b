//! `anzen dispute list`.

use std::{fmt, process::ExitCode};

use alloy::primitives::B256;
use anzen_deploy::{
    chain::block_time,
    disputes::{AbsenteeRecord, Records},
};
use serde::Serialize;

use super::report::{Clock, CommitteeLine, FaultLine, state_text};
use crate::{
    chain::Site,
    outcome::Outcome,
    output::{Output, Report, table},
    settings::Settings,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What was recorded in the last so many blocks only [default: since the deployment].
    #[arg(long, value_name = "N")]
    blocks: Option<u64>,
    #[command(flatten)]
    settings: Settings,
}

/// What was recorded, oldest first.
#[derive(Debug, Serialize)]
struct List {
    head: u64,
    faults: Vec<FaultLine>,
    committee: Vec<CommitteeLine>,
    absentees: Vec<AbsenteeLine>,
    #[serde(skip)]
    clock: Clock,
}

/// An operator that was ejected for absence.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AbsenteeLine {
    operator_id: B256,
    task_hash: B256,
    /// The last block in which the committee can make a fault of it.
    ruling_end: u64,
    /// The fault, where it has.
    fault_id: Option<B256>,
}

impl AbsenteeLine {
    fn new(absentee: &AbsenteeRecord, records: &Records) -> Self {
        Self {
            operator_id: absentee.operator_id,
            task_hash: absentee.task_hash,
            ruling_end: absentee.ruling_end,
            fault_id: Some(absentee.fault_id()).filter(|id| records.faults.contains_key(id)),
        }
    }

    fn state_text(&self, clock: Clock) -> String {
        match self.fault_id {
            Some(_) => "ruled to be a fault".into(),
            None if clock.head < self.ruling_end => {
                format!("the committee can make a fault of it {}", clock.until(self.ruling_end))
            }
            None => "no fault".into(),
        }
    }
}

pub(super) async fn run(arguments: &Arguments, output: Output) -> Outcome {
    let site = Site::reach(&arguments.settings).await?;
    let disputes = site.disputes();
    let head = disputes.head().await?;
    let first = arguments.blocks.map_or(0, |blocks| head.saturating_sub(blocks.saturating_sub(1)));
    let records = disputes.since(first, head).await?;
    let mut faults: Vec<_> = records.faults.values().map(|fault| FaultLine::new(fault, head)).collect();
    faults.sort_by_key(|fault| fault.recorded_block);
    let mut committee: Vec<_> = records.committee.values().map(|one| CommitteeLine::new(one, head)).collect();
    committee.sort_by_key(|one| one.ruling_end);
    let absentees = records.absentees.iter().map(|one| AbsenteeLine::new(one, &records)).collect();
    let clock = Clock { head, block_time: block_time(&site.provider).await? };
    output.print(&List { head, faults, committee, absentees, clock })?;
    Ok(ExitCode::SUCCESS)
}

impl Report for List {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if self.faults.is_empty() && self.committee.is_empty() && self.absentees.is_empty() {
            return writeln!(
                f,
                "There is no fault, nobody asked the committee, and nobody was ejected for absence."
            );
        }
        if !self.faults.is_empty() {
            let rows = self.faults.iter().map(|fault| {
                vec![
                    fault.kind.to_string(),
                    state_text(fault.state, self.clock),
                    fault.frozen.to_string(),
                    fault.slashed.to_string(),
                    fault.task_hash.map_or_else(|| "-".into(), |task| task.to_string()),
                    fault.id.to_string(),
                ]
            });
            writeln!(f, "{}", table(&["FAULT", "STATE", "FROZEN", "SLASHED", "TASK", "ID"], rows))?;
        }
        if !self.committee.is_empty() {
            let row = |one: &CommitteeLine| {
                vec![one.oracle_index.to_string(), one.state_text(self.clock), one.task_hash.to_string()]
            };
            let rows = self.committee.iter().map(row);
            writeln!(f, "\n{}", table(&["ORACLE", "BEFORE THE COMMITTEE", "TASK"], rows))?;
        }
        if !self.absentees.is_empty() {
            let row = |one: &AbsenteeLine| {
                vec![one.operator_id.to_string(), one.state_text(self.clock), one.task_hash.to_string()]
            };
            let rows = self.absentees.iter().map(row);
            writeln!(f, "\n{}", table(&["EJECTED FOR ABSENCE", "STATE", "LAST TASK"], rows))?;
        }
        Ok(())
    }
}
