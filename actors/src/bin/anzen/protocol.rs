//! `anzen protocol`: bringing a protocol to a deployment, or changing one, through the deployment's timelock.

use std::{fmt, path::PathBuf, process::ExitCode};

use alloy::primitives::{Address, B256, Bytes};
use anzen_deploy::proposal::{self, Intent, Progress, Proposal};
use serde::Serialize;

use crate::{
    chain::{Site, block_on},
    logging,
    outcome::{NOT_SO, Outcome},
    output::{Output, Report},
    settings::Settings,
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Have the timelock schedule that a protocol is added, or changed. With a proposer's key; or --dry-run for another wallet's.
    Propose(Arguments),
    /// Tell how far a proposal is. Exits with 3 where it is not executed.
    Status(Arguments),
    /// Have the timelock execute a proposal whose delay has passed, and write the protocol into the file of addresses.
    Execute(Arguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// What a network's file (deploy/networks/) has under "protocols", with model.file (docs/models.md) or model.hash.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// The protocol is there already: its tasks get the file's policy and model from then on.
    #[arg(long)]
    change: bool,
    /// Tells this change from an earlier one to the same, where a protocol goes back to what was set before.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "change")]
    number: u32,
    /// Send nothing: only say what a proposer or an executor would send, and to whom.
    #[arg(long)]
    dry_run: bool,
}

/// What is proposed, and how far it is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Proposed {
    oracle_index: u32,
    name: String,
    model_hash: B256,
    timelock: Address,
    operation: B256,
    #[serde(flatten)]
    progress: Progress,
    /// What a proposer sends to the timelock.
    schedule_data: Bytes,
    /// What an executor sends to it after the delay.
    execute_data: Bytes,
    /// Whether the protocol is there already.
    #[serde(skip)]
    is_change: bool,
    /// Whether people are shown the data.
    #[serde(skip)]
    with_data: bool,
}

pub(crate) fn run(command: &Command, output: Output) -> Outcome {
    logging::start("warn");
    block_on(carry_out(command, output))?
}

async fn carry_out(command: &Command, output: Output) -> Outcome {
    let (Command::Propose(arguments) | Command::Status(arguments) | Command::Execute(arguments)) = command;
    let mut site = Site::reach(&arguments.settings).await?;
    let protocol = proposal::load(&arguments.file)?;
    let (oracle_index, name) = (protocol.oracle_index, protocol.name.clone());
    let proposal = Proposal::new(&site.provider, &site.addresses, protocol, arguments.intent()).await?;
    let progress = match command {
        Command::Propose(_) if arguments.dry_run => {
            proposal.check(&site.provider).await?;
            proposal.progress(&site.provider).await?
        }
        Command::Propose(_) => proposal.propose(&site.account().await?).await?,
        Command::Execute(_) if !arguments.dry_run => {
            let added = proposal.execute(&site.account().await?).await?;
            site.addresses.add_protocol(added);
            site.addresses.save(&site.config.addresses)?;
            Progress::Done
        }
        Command::Execute(_) | Command::Status(_) => proposal.progress(&site.provider).await?,
    };
    output.print(&Proposed {
        oracle_index,
        name,
        is_change: arguments.change,
        model_hash: proposal.model_hash(),
        timelock: proposal.timelock(),
        operation: proposal.id(),
        progress,
        schedule_data: proposal.schedule_data(),
        execute_data: proposal.execute_data(),
        with_data: arguments.dry_run,
    })?;
    let is_question = matches!(command, Command::Status(_));
    Ok(if is_question && progress != Progress::Done { ExitCode::from(NOT_SO) } else { ExitCode::SUCCESS })
}

impl Arguments {
    fn intent(&self) -> Intent {
        if self.change { Intent::Change { number: self.number } } else { Intent::Add }
    }
}

impl Report for Proposed {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let Self { oracle_index, name, timelock, operation, .. } = self;
        let what = if self.is_change { "a change of" } else { "to be" };
        writeln!(f, "{name}, {what} oracle {oracle_index}: model {}", self.model_hash)?;
        writeln!(f, "operation {operation} of the timelock {timelock}")?;
        match self.progress {
            Progress::Unknown => writeln!(f, "not proposed yet")?,
            Progress::Waiting { seconds } => writeln!(f, "scheduled; can be executed in {seconds} s")?,
            Progress::Ready => writeln!(f, "scheduled; can be executed now")?,
            Progress::Done if self.is_change => {
                writeln!(f, "executed; give the new file of addresses to aggregators and operators")?;
            }
            Progress::Done => {
                writeln!(f, "executed; restart aggregators and operators with the new file of addresses")?;
            }
        }
        if self.with_data {
            writeln!(f, "\na proposer sends the timelock\n{}", self.schedule_data)?;
            writeln!(f, "\nan executor sends it after the delay\n{}", self.execute_data)?;
            writeln!(f, "\nNothing was sent.")?;
        }
        Ok(())
    }
}
