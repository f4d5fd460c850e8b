//! `anzen evidence verify`.

use std::{
    fmt,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use alloy::primitives::Address;
use anzen_messages::{
    OperatorId, SafetyFactor, TaskHash,
    evidence::{Evidence, NotEvidence},
};
use serde::Serialize;

use super::EvidenceError;
use crate::{
    outcome::{NOT_SO, Outcome},
    output::{Output, Report},
};

/// A document has less than 3 KiB; what is far larger is none.
const MOST_BYTES: u64 = 64 * 1024;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file that `evidence export` wrote.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    /// The operator signed both answers.
    proved: bool,
    operator_id: OperatorId,
    task_hash: TaskHash,
    chain_id: u64,
    task_manager: Address,
    answers: [SafetyFactor; 2],
    /// Why it proves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Verdict {
    fn new(evidence: &Evidence, outcome: &Result<(), NotEvidence>) -> Self {
        Self {
            proved: outcome.is_ok(),
            operator_id: evidence.operator.id,
            task_hash: evidence.task_hash(),
            chain_id: evidence.chain_id,
            task_manager: evidence.task_manager,
            answers: [evidence.first.safety_factor, evidence.second.safety_factor],
            reason: outcome.as_ref().err().map(ToString::to_string),
        }
    }
}

impl Report for Verdict {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if let Some(reason) = &self.reason {
            return writeln!(f, "This proves nothing: {reason}.");
        }
        let [first, second] = self.answers;
        writeln!(f, "Proved: operator {} answered task {}", self.operator_id, self.task_hash)?;
        writeln!(
            f,
            "on chain {}, task manager {}, twice: {first} and {second}.",
            self.chain_id, self.task_manager
        )
    }
}

pub(super) fn run(arguments: &Arguments, output: Output) -> Outcome {
    let evidence = read(&arguments.file)?;
    let outcome = evidence.verify();
    output.print(&Verdict::new(&evidence, &outcome))?;
    Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(NOT_SO) })
}

pub(super) fn read(path: &Path) -> Result<Evidence, EvidenceError> {
    let unreadable = |error| EvidenceError::File { path: path.to_owned(), what: "read", error };
    let mut text = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MOST_BYTES).read_to_end(&mut text).map_err(unreadable)?;
    serde_json::from_slice(&text)
        .map_err(|error| EvidenceError::NotADocument { path: path.to_owned(), error })
}
