//! `anzen operator register`: everything, or what is missing of it.

use anzen_deploy::operator::{Step, Tokens};

use super::steps::{Waiting, take};
use crate::{outcome::Outcome, output::Output, sending::Sending};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    waiting: Waiting,
    /// What the operator deposits itself, in whole tokens (operator.stake).
    #[arg(long, value_name = "TOKENS")]
    stake: Option<Tokens>,
    /// How much of its stake it allocates to Anzen, in per cent (operator.share_percent).
    #[arg(long, value_name = "PERCENT")]
    share: Option<u8>,
    /// The address that is published for it (operator.socket).
    #[arg(long, value_name = "HOST:PORT")]
    socket: Option<String>,
}

pub(crate) async fn run(arguments: &Arguments, output: Output) -> Outcome {
    let mut config = arguments.sending.config()?;
    let operator = &mut config.operator;
    operator.stake = arguments.stake.clone().unwrap_or_else(|| operator.stake.clone());
    operator.share_percent = arguments.share.unwrap_or(operator.share_percent);
    operator.socket = arguments.socket.clone().unwrap_or_else(|| operator.socket.clone());
    let setup = arguments.sending.connect_with_bls(&config).await?;
    take(&setup, &Step::SET_UP, &arguments.sending, Some(&arguments.waiting), output).await
}
