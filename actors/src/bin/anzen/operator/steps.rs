//! Taking steps one by one, or showing what they would send.

use std::{error::Error, fmt, process::ExitCode, sync::Arc};

use alloy::primitives::TxHash;
use anzen_actors::{
    adapters::LocalBlsSigner,
    keys::{load_bls, load_ecdsa},
    node::{NodeConfig, NodeError, operator::connect},
};
use anzen_deploy::operator::{OperatorSetup, Outcome as Taken, Preview, State, Step, Wait};
use serde::Serialize;

use super::progress::{Progress, estimate};
use crate::{
    outcome::{NOT_SO, Outcome},
    output::{Output, Report},
    sending::Sending,
};

/// What every command takes that may have to wait for blocks.
#[derive(Debug, clap::Args)]
pub(super) struct Waiting {
    /// Do not wait for blocks: say when to run this again, and exit with 3.
    #[arg(long)]
    no_wait: bool,
}

impl Sending {
    pub(super) fn config(&self) -> Result<NodeConfig, NodeError> {
        self.settings.load()
    }

    /// The operator of the configured ECDSA key.
    pub(super) async fn connect(&self, config: &NodeConfig) -> Result<OperatorSetup, Box<dyn Error>> {
        Ok(connect(config, load_ecdsa(&config.keys.ecdsa)?, None).await?)
    }

    /// The same with its BLS key, which joining the quorum needs.
    pub(super) async fn connect_with_bls(
        &self,
        config: &NodeConfig,
    ) -> Result<OperatorSetup, Box<dyn Error>> {
        let bls = Arc::new(LocalBlsSigner::new(load_bls(&config.keys.bls)?));
        Ok(connect(config, load_ecdsa(&config.keys.ecdsa)?, Some(bls)).await?)
    }
}

/// What came of a step: one line of JSON each.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    step: Step,
    #[serde(flatten)]
    end: End<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
enum End<'a> {
    Done {
        text: &'a str,
        transactions: &'a [TxHash],
    },
    AlreadyDone {
        text: &'a str,
    },
    Waits {
        #[serde(flatten)]
        wait: &'a Wait,
        estimate: Option<String>,
    },
}

impl Report for Told<'_> {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        match &self.end {
            End::Done { text, .. } => writeln!(f, "{text}"),
            End::AlreadyDone { text } => writeln!(f, "{text} (already)"),
            End::Waits { wait, estimate } => {
                let about = estimate.as_ref().map(|text| format!(" (about {text})"));
                writeln!(f, "{wait}{}; run the same command again then", about.unwrap_or_default())
            }
        }
    }
}

/// Takes the steps that have not been taken, in order. Without `waiting` none of them waits for blocks.
pub(super) async fn take(
    setup: &OperatorSetup,
    steps: &[Step],
    sending: &Sending,
    waiting: Option<&Waiting>,
    output: Output,
) -> Outcome {
    if sending.is_dry_run() {
        return show(setup, steps, output).await;
    }
    let may_wait = waiting.is_some_and(|waiting| !waiting.no_wait);
    for &step in steps {
        loop {
            match setup.take(step).await? {
                Taken::Done { text, transactions } => {
                    let end = End::Done { text: &text, transactions: &transactions };
                    output.print_next(&Told { step, end })?;
                    break;
                }
                Taken::AlreadyDone(text) => {
                    output.print_next(&Told { step, end: End::AlreadyDone { text: &text } })?;
                    break;
                }
                Taken::Waiting(wait) if may_wait => {
                    Progress::start(setup.operator(), wait).await.finish().await;
                }
                Taken::Waiting(wait) => {
                    let estimate = estimate(setup.operator(), wait.blocks()).await;
                    output.print_next(&Told { step, end: End::Waits { wait: &wait, estimate } })?;
                    return Ok(ExitCode::from(NOT_SO));
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Report for Preview {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(f, "{self}")
    }
}

async fn show(setup: &OperatorSetup, steps: &[Step], output: Output) -> Outcome {
    let previews = setup.preview(steps).await?;
    for preview in &previews {
        output.print_next(preview)?;
    }
    let fails = |preview: &Preview| match &preview.state {
        State::Fails { .. } => true,
        State::Sends { transactions } => transactions.iter().any(|one| one.revert.is_some()),
        _ => false,
    };
    Ok(if previews.iter().any(fails) { ExitCode::from(NOT_SO) } else { ExitCode::SUCCESS })
}
