//! `anzen model check`.

use std::{error::Error, fmt, path::PathBuf, process::ExitCode};

use alloy::primitives::B256;
use anzen_deploy::models::{self, Finding};
use anzen_messages::model::SourceKind;
use serde::Serialize;

use crate::{
    chain::{Site, block_on},
    logging,
    outcome::{NOT_SO, Outcome},
    output::{Output, Report},
    settings::Settings,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The model's file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    model_hash: B256,
    provable: bool,
    /// Whether governance has added it already.
    added: bool,
    sources: Vec<Source>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    term: usize,
    part: models::Part,
    kind: String,
    /// What it holds now.
    value: Option<String>,
    /// What is wrong, and what to do.
    problem: Option<String>,
}

pub(super) fn run(arguments: &Arguments, output: Output) -> Outcome {
    logging::start("warn");
    let checked = block_on(check(arguments))??;
    output.print(&checked)?;
    Ok(if checked.is_right() { ExitCode::SUCCESS } else { ExitCode::from(NOT_SO) })
}

async fn check(arguments: &Arguments) -> Result<Checked, Box<dyn Error>> {
    // The bounds first: they need no chain.
    let model = models::load(&arguments.file)?;
    let site = Site::reach(&arguments.settings).await?;
    let contract = site.addresses.safety_factor_models;
    let model_hash = model.hash();
    let added = models::exists(&site.provider, contract, model_hash).await?;
    let findings = models::check_sources(&site.provider, contract, &model, &[]).await?;
    let sources = findings.into_iter().map(Source::from).collect();
    Ok(Checked { model_hash, provable: model.is_provable(), added, sources })
}

impl From<Finding> for Source {
    fn from(Finding { term, part, kind, found }: Finding) -> Self {
        let (value, problem) = match found {
            Ok(value) => (Some(value), None),
            Err(problem) => (None, Some(problem)),
        };
        Self { term, part, kind: kind_of(kind), value, problem }
    }
}

/// As in a model's file.
fn kind_of(kind: SourceKind) -> String {
    let name = kind.to_string();
    let (first, rest) = name.split_at(1);
    first.to_lowercase() + rest
}

impl Checked {
    fn is_right(&self) -> bool {
        self.sources.iter().all(|source| source.problem.is_none())
    }
}

impl Report for Checked {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let provable =
            if self.provable { "provable" } else { "not provable: the committee rules on disputes" };
        writeln!(f, "model {}, {provable}", self.model_hash)?;
        writeln!(
            f,
            "{}",
            if self.added { "governance has added it" } else { "governance has not added it" }
        )?;
        for Source { term, part, kind, value, problem } in &self.sources {
            let source = format!("term {term} {part} ({kind})");
            match problem {
                None => writeln!(f, "  ok      {source:<34} {}", value.as_deref().unwrap_or_default())?,
                Some(problem) => writeln!(f, "  WRONG   {source:<34} {problem}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_called_as_in_a_file() {
        assert_eq!(kind_of(SourceKind::StorageSlot), "storageSlot");
    }
}
