//! `anzen operator update-socket`.

use anzen_deploy::operator::Step;

use super::steps::take;
use crate::{outcome::Outcome, output::Output, sending::Sending};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sending: Sending,
    /// The address to publish [default: operator.socket].
    #[arg(value_name = "HOST:PORT")]
    socket: Option<String>,
}

pub(crate) async fn run(arguments: &Arguments, output: Output) -> Outcome {
    let mut config = arguments.sending.config()?;
    if let Some(socket) = &arguments.socket {
        config.operator.socket.clone_from(socket);
    }
    if config.operator.socket.is_empty() {
        return Err(
            "no socket is given; name it after the command, or in the configuration (operator.socket)".into(),
        );
    }
    let setup = arguments.sending.connect(&config).await?;
    take(&setup, &[Step::UpdateSocket], &arguments.sending, None, output).await
}
