//! `anzen operator deregister`: out of the quorum.

use std::str::FromStr;

use anzen_deploy::operator::{Step, Tokens, TokensError};

use super::steps::{Waiting, take};
use crate::{outcome::Outcome, output::Output, sending::Sending};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    waiting: Waiting,
    /// Withdraw so many whole tokens of the operator's own stake from EigenLayer as well, or "all"; they come after another
    /// delay (14 days on mainnet).
    ///
    /// What goes no longer secures other AVSs either. An amount is withdrawn once for each time that the operator leaves: run
    /// again, the command goes on with what has been withdrawn since, whatever amount is given then. "all" takes what is left.
    #[arg(long, value_name = "TOKENS|all")]
    withdraw: Option<Withdraw>,
}

/// How much to withdraw.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Withdraw {
    All,
    Part(Tokens),
}

/// Why a text does not say how much to withdraw.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}, or all")]
struct WithdrawError(#[from] TokensError);

impl FromStr for Withdraw {
    type Err = WithdrawError;

    fn from_str(text: &str) -> Result<Self, WithdrawError> {
        Ok(if text == "all" { Self::All } else { Self::Part(text.parse()?) })
    }
}

pub(crate) async fn run(arguments: &Arguments, output: Output) -> Outcome {
    let config = arguments.sending.config()?;
    let mut setup = arguments.sending.connect(&config).await?;
    let mut steps = Step::LEAVE.to_vec();
    if let Some(withdraw) = &arguments.withdraw {
        steps.extend(Step::WITHDRAW);
        if let Withdraw::Part(tokens) = withdraw {
            setup.params.withdrawal = Some(tokens.units(setup.operator().decimals().await?)?);
        }
        if !arguments.sending.is_dry_run() {
            setup.check_withdrawal().await?;
        }
    }
    take(&setup, &steps, &arguments.sending, Some(&arguments.waiting), output).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_or_an_amount_is_withdrawn() {
        assert_eq!("all".parse(), Ok(Withdraw::All));
        assert_eq!("0.5".parse(), Ok(Withdraw::Part("0.5".parse().unwrap())));
        let error = "half".parse::<Withdraw>().unwrap_err().to_string();
        assert_eq!(error, "\"half\" is no number of tokens; write 32 or 0.5, or all");
    }
}
