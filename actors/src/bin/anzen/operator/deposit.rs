//! `anzen operator deposit`.

use anzen_deploy::operator::{Step, Tokens};

use super::steps::take;
use crate::{outcome::Outcome, output::Output, sending::Sending};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sending: Sending,
    /// Deposit so many whole tokens more [default: what is missing of operator.stake].
    #[arg(long, value_name = "TOKENS")]
    amount: Option<Tokens>,
}

pub(crate) async fn run(arguments: &Arguments, output: Output) -> Outcome {
    let config = arguments.sending.config()?;
    let mut setup = arguments.sending.connect(&config).await?;
    if let Some(amount) = &arguments.amount {
        let amount = amount.units(setup.operator().decimals().await?)?;
        setup.params.stake = setup.operator().deposited_value().await?.saturating_add(amount);
    }
    take(&setup, &[Step::Deposit], &arguments.sending, None, output).await
}
