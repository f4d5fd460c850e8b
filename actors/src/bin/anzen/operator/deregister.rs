//! `anzen operator deregister`: out of the quorum.

use anzen_deploy::operator::Step;

use super::steps::{Sending, Waiting, take};
use crate::{outcome::Outcome, output::Output};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    waiting: Waiting,
    /// Withdraw the operator's own stake from EigenLayer as well; its tokens come after another delay (14 days on mainnet).
    #[arg(long)]
    withdraw: bool,
}

pub(crate) async fn run(arguments: &Arguments, output: Output) -> Outcome {
    let config = arguments.sending.config()?;
    let setup = arguments.sending.connect(&config).await?;
    let mut steps = Step::LEAVE.to_vec();
    if arguments.withdraw {
        steps.extend(Step::WITHDRAW);
    }
    take(&setup, &steps, &arguments.sending, Some(&arguments.waiting), output).await
}
