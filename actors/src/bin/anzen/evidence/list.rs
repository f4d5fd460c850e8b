//! `anzen evidence list`.

use std::{fmt, process::ExitCode};

use anzen_messages::{OperatorId, SafetyFactor, TaskHash, evidence::Evidence};
use serde::Serialize;

use super::load;
use crate::{
    outcome::Outcome,
    output::{Output, Report, table},
    settings::Settings,
};

/// A document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    operator_id: OperatorId,
    task_hash: TaskHash,
    task_index: u32,
    created_block: u32,
    answers: [SafetyFactor; 2],
}

impl From<&Evidence> for Listed {
    fn from(evidence: &Evidence) -> Self {
        Self {
            operator_id: evidence.operator.id,
            task_hash: evidence.task_hash(),
            task_index: evidence.task.index,
            created_block: evidence.task.created_block,
            answers: [evidence.first.safety_factor, evidence.second.safety_factor],
        }
    }
}

#[derive(Debug, Serialize)]
struct List {
    evidence: Vec<Listed>,
}

impl Report for List {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if self.evidence.is_empty() {
            return writeln!(f, "No operator has been found to sign two answers of one task.");
        }
        let row = |one: &Listed| {
            let [first, second] = one.answers.map(|answer| answer.to_string());
            vec![
                one.operator_id.to_string(),
                one.task_index.to_string(),
                one.task_hash.to_string(),
                first,
                second,
            ]
        };
        let rows = self.evidence.iter().map(row);
        writeln!(f, "{}", table(&["OPERATOR", "TASK", "TASK HASH", "FIRST", "SECOND"], rows))
    }
}

pub(super) fn run(settings: &Settings, output: Output) -> Outcome {
    let evidence = load(settings)?.iter().map(Listed::from).collect();
    output.print(&List { evidence })?;
    Ok(ExitCode::SUCCESS)
}
