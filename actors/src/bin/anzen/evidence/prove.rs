//! `anzen evidence prove`.

use std::{error::Error, path::PathBuf, process::ExitCode};

use alloy::primitives::B256;
use anzen_deploy::{chain::Request, disputes::DisputeError};
use anzen_messages::evidence::Evidence;

use super::{load, verify::read};
use crate::{
    chain::{Site, block_on},
    outcome::Outcome,
    output::Output,
    sending::{Sending, send},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file that `evidence export` wrote [default: all evidence in the store of the configured aggregator, which must be
    /// stopped].
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Of this operator only (its id: 0x and 64 hexadecimal digits).
    #[arg(long, value_name = "ID", conflicts_with = "file")]
    operator: Option<B256>,
    #[command(flatten)]
    sending: Sending,
}

pub(super) fn run(arguments: &Arguments, output: Output) -> Outcome {
    let documents = match &arguments.file {
        Some(file) => vec![read(file)?],
        None => load(&arguments.sending.settings)?,
    };
    let wanted = |one: &Evidence| arguments.operator.is_none_or(|operator| one.operator.id.0 == operator);
    let documents: Vec<Evidence> = documents.into_iter().filter(wanted).collect();
    block_on(prove(arguments, &documents, output))?
}

async fn prove(arguments: &Arguments, documents: &[Evidence], output: Output) -> Outcome {
    let site = Site::reach(&arguments.sending.settings).await?;
    let disputes = site.disputes();
    let mut requests: Vec<Request> = Vec::new();
    for evidence in documents {
        match disputes.proving_equivocation(evidence).await {
            Ok(request) => requests.push(request),
            // One file is what a person wants proved; of a store it is whatever can be.
            Err(error) if arguments.file.is_none() && is_past(&error) => eprintln!("{error}"),
            Err(error) => return Err::<ExitCode, Box<dyn Error>>(error.into()),
        }
    }
    send(&site, &requests, "there is no evidence that can be proved now", arguments.sending.dry_run, output)
        .await
}

/// Whether nothing more can be done with the evidence.
fn is_past(error: &DisputeError) -> bool {
    matches!(
        error,
        DisputeError::AlreadyProved(_)
            | DisputeError::ProofWindowOver { .. }
            | DisputeError::TaskNotOnChain(_)
    )
}
