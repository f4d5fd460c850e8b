//! `anzen local stand-in`: a chain in place of a public network.

use std::{fmt, path::PathBuf, process::ExitCode};

use anzen_deploy::local::{StandIn, StandInOptions, run_stand_in};
use serde::Serialize;

use crate::{
    chain::block_on,
    logging,
    outcome::Outcome,
    output::{Output, Report},
    shutdown,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// sepolia or hoodi; or a file that says what to deploy.
    #[arg(long, value_name = "NAME|FILE")]
    network: String,
    /// Where the node listens; 0 lets the system choose.
    #[arg(long, value_name = "PORT", default_value_t = 8545)]
    port: u16,
    /// Seconds between two blocks.
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=60))]
    block_time: u64,
    /// Where the chain's log goes; what an earlier stand-in left there is removed.
    #[arg(long, value_name = "DIR", default_value = ".anzen/stand-in")]
    dir: PathBuf,
}

/// A stand-in that is ready.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ready {
    network: String,
    chain_id: u64,
    rpc_url: String,
    ws_url: String,
}

pub(super) fn run(arguments: Arguments, output: Output) -> Outcome {
    logging::start("warn");
    let Arguments { network, port, block_time, dir } = arguments;
    let options = StandInOptions { network, port, block_time, folder: dir };
    block_on(async {
        let shutdown = shutdown::signalled()?;
        let ready = |stand_in: &StandIn| output.print_next(&Ready::from(stand_in));
        run_stand_in(&options, ready, shutdown).await?;
        Ok(ExitCode::SUCCESS)
    })?
}

impl From<&StandIn> for Ready {
    fn from(stand_in: &StandIn) -> Self {
        let StandIn { network, chain_id, rpc_url, ws_url } = stand_in.clone();
        Self { network, chain_id, rpc_url, ws_url }
    }
}

impl Report for Ready {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let Self { network, chain_id, rpc_url, ws_url } = self;
        writeln!(f, "A stand-in for {network} (chain {chain_id}) is ready: {rpc_url}   {ws_url}")?;
        writeln!(f, "Ctrl-C stops it.")
    }
}
