//! Sending transactions that stand by themselves, or showing what would be sent.

use std::{error::Error, fmt, process::ExitCode};

use alloy::primitives::TxHash;
use anzen_deploy::{
    chain::{ChainError, Request},
    disputes::{is_refused, remedy, told},
    preview::TransactionPreview,
};
use serde::Serialize;

use crate::{
    chain::Site,
    outcome::{NOT_SO, Outcome},
    output::{Output, Report},
    settings::Settings,
};

/// What every command takes that sends transactions.
#[derive(Debug, clap::Args)]
pub(crate) struct Sending {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Show what would be sent and what it would cost, and send nothing. Exits with 3 where something would fail.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl Sending {
    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}

/// A transaction that is in a block.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent<'a> {
    what: &'a str,
    transaction: TxHash,
    block: Option<u64>,
    gas_used: u64,
    /// What it did, in sentences.
    events: Vec<String>,
}

impl Report for Sent<'_> {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let block = self.block.map_or_else(String::new, |block| format!(" in block {block}"));
        writeln!(f, "{}: transaction {}{block}, {} gas", self.what, self.transaction, self.gas_used)?;
        self.events.iter().try_for_each(|event| writeln!(f, "  {event}"))
    }
}

impl Report for TransactionPreview {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(f, "{self}")
    }
}

/// Where there is nothing to be sent.
#[derive(Debug, Serialize)]
struct Nothing<'a> {
    nothing: &'a str,
}

impl Report for Nothing<'_> {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(f, "Nothing to do: {}.", self.nothing)
    }
}

/// Sends transactions with the configured ECDSA key, or shows what they would do, a line of JSON each. `nothing` says why there are
/// none, where there are none. Ends with 3 where a dry run finds that one would fail, or one did not do all that it should.
pub(crate) async fn send(
    site: &Site,
    requests: &[Request],
    nothing: &str,
    dry_run: bool,
    output: Output,
) -> Outcome {
    if requests.is_empty() {
        output.print_next(&Nothing { nothing })?;
        return Ok(ExitCode::SUCCESS);
    }
    let account = site.account().await?;
    let mut failed = false;
    for request in requests {
        if dry_run {
            let preview = account.preview(request, false, remedy).await?;
            failed |= preview.revert.is_some();
            output.print_next(&preview)?;
            continue;
        }
        let receipt = account.execute(request).await.map_err(refused)?;
        failed |= receipt.logs().iter().any(is_refused);
        output.print_next(&Sent {
            what: &request.what,
            transaction: receipt.transaction_hash,
            block: receipt.block_number,
            gas_used: receipt.gas_used,
            events: receipt.logs().iter().filter_map(told).collect(),
        })?;
    }
    Ok(if failed { ExitCode::from(NOT_SO) } else { ExitCode::SUCCESS })
}

/// Adds to a refusal what to do about it.
fn refused(error: ChainError) -> Box<dyn Error> {
    match error.revert_reason().and_then(remedy) {
        Some(remedy) => format!("{error}: {remedy}").into(),
        None => error.into(),
    }
}
