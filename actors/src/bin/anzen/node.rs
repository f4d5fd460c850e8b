//! `anzen node`: a process of the actors that its configuration names; `anzen aggregator`, `anzen operator` and `anzen
//! challenger`: of theirs.

use std::{future::Future, process::ExitCode, time::Duration};

use anzen_actors::node::{self, NodeConfig, NodeError};
use anzen_deploy::local::wait_for_parents_end;
use anzen_messages::wire::ActorName;
use tokio_util::sync::CancellationToken;

use crate::{logging, outcome::Outcome, settings::Settings, shutdown};

/// How long a process without a parent may take to end.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// End when standard input does, that is, when the process that started this one ends.
    #[arg(long)]
    exit_with_parent: bool,
}

/// Runs a process, of the actors of a `command` where it is one that has its own.
pub(crate) fn run(arguments: &Arguments, command: Option<(&'static str, &[ActorName])>) -> Outcome {
    run_with(arguments, |config| command.map_or(Ok(()), |(command, roles)| config.run_as(command, roles)))
}

/// Runs a process, after `prepare` had its way with the configuration.
pub(crate) fn run_with(
    arguments: &Arguments,
    prepare: impl FnOnce(&mut NodeConfig) -> Result<(), NodeError>,
) -> Outcome {
    let mut config = arguments.settings.load()?;
    prepare(&mut config)?;
    let _traces = logging::start_node(&config)?;
    let with_parent = arguments.exit_with_parent;
    run_until(config, async move {
        if with_parent {
            shutdown::when(wait_for_parents_end).await;
            // Nobody is left who would kill this process if it hangs.
            std::thread::spawn(|| {
                std::thread::sleep(GRACE);
                std::process::exit(1);
            });
        } else {
            std::future::pending::<()>().await;
        }
    })
}

/// Runs a node until a signal comes or `end`.
pub(crate) fn run_until(config: NodeConfig, end: impl Future<Output = ()> + 'static) -> Outcome {
    actix::System::new().block_on(async move {
        let signalled = shutdown::signalled()?;
        let stop = CancellationToken::new();
        let stopper = stop.clone();
        actix::spawn(async move {
            tokio::select! {
                () = signalled => {}
                () = end => {}
            }
            stopper.cancel();
        });
        Box::pin(node::run(config, stop)).await?;
        Ok(ExitCode::SUCCESS)
    })
}
