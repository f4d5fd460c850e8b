//! `anzen operator allocate`.

use anzen_deploy::operator::Step;

use super::steps::{Waiting, take};
use crate::{outcome::Outcome, output::Output, sending::Sending};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    waiting: Waiting,
    /// Allocate this much of the operator's stake, in per cent; what is lowered can be slashed for the deallocation delay yet
    /// [default: operator.share_percent, or more where more is allocated].
    #[arg(long, value_name = "PERCENT")]
    share: Option<u8>,
}

pub(crate) async fn run(arguments: &Arguments, output: Output) -> Outcome {
    let mut config = arguments.sending.config()?;
    config.operator.share_percent = arguments.share.unwrap_or(config.operator.share_percent);
    let mut setup = arguments.sending.connect(&config).await?;
    setup.params.may_lower = arguments.share.is_some();
    let steps = [Step::AwaitAllocationDelay, Step::Allocate, Step::AwaitAllocation];
    take(&setup, &steps, &arguments.sending, Some(&arguments.waiting), output).await
}
