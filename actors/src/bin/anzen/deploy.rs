//! `anzen deploy`: contracts.

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
};

use alloy::{
    providers::{DynProvider, Provider, ProviderBuilder},
    signers::local::PrivateKeySigner,
};
use anzen_deploy::{Addresses, DeployConfig, chain::Account, deploy, open_journal, verify};
use tokio::runtime::Builder;

use crate::{
    logging,
    outcome::Outcome,
    output::{Output, Report},
};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    deployment: Option<Deployment>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check what stands on a chain: code, wiring, roles, windows, policies, feeds. Exits with 1 if anything is wrong.
    Verify(Verification),
}

#[derive(Debug, clap::Args)]
struct Deployment {
    /// anvil, sepolia or hoodi; or a file that says what to deploy (deploy/networks/ has examples).
    #[arg(long, value_name = "NAME|FILE")]
    network: String,
    /// A node of the chain (http:// or https://).
    #[arg(long, value_name = "URL", env = "ETH_RPC_URL")]
    rpc_url: String,
    /// The file with the deployer's key: 64 hexadecimal digits.
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// Where addresses.json goes, and deployment.json, from which an interrupted run continues [default: .anzen/NETWORK].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Verification {
    /// The addresses.json that the deployment wrote.
    #[arg(long, value_name = "FILE")]
    addresses: PathBuf,
    /// A node of the chain [default: the one that the deployer used, without the key in its path].
    #[arg(long, value_name = "URL", env = "ETH_RPC_URL")]
    rpc_url: Option<String>,
}

pub(crate) fn run(arguments: Arguments, output: Output) -> Outcome {
    logging::start("info");
    let work = async {
        match (arguments.command, arguments.deployment) {
            (Some(Command::Verify(verification)), _) => verify_at(verification).await,
            (None, Some(deployment)) => deploy_to(deployment, output).await,
            (None, None) => {
                Err("say what to deploy with --network, --rpc-url and --key-file; see --help".into())
            }
        }
    };
    Builder::new_current_thread().enable_all().build()?.block_on(work)?;
    Ok(ExitCode::SUCCESS)
}

async fn verify_at(verification: Verification) -> Result<(), Box<dyn Error>> {
    let addresses = Addresses::load(&verification.addresses)?;
    let url = verification.rpc_url.unwrap_or_else(|| addresses.rpc_url.clone());
    println!("{}", verify(&provider(&url)?, &addresses).await?.into_result()?);
    Ok(())
}

/// What was deployed.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Deployed {
    network: String,
    chain_id: u64,
    addresses: PathBuf,
}

impl Report for Deployed {
    fn for_people(&self, f: &mut dyn std::fmt::Write) -> std::fmt::Result {
        let Self { network, chain_id, addresses } = self;
        writeln!(f, "Deployed to {network} (chain {chain_id}). The addresses are in {}", addresses.display())
    }
}

async fn deploy_to(arguments: Deployment, output: Output) -> Result<(), Box<dyn Error>> {
    let config = DeployConfig::load(&arguments.network)?;
    let folder = arguments.dir.unwrap_or_else(|| Path::new(".anzen").join(&config.name));
    let account = Account::new(provider(&arguments.rpc_url)?, read_key(&arguments.key_file)?).await?;
    let mut journal = open_journal(&account, &config, &folder.join("deployment.json")).await?;
    let addresses = deploy(&account, &config, &arguments.rpc_url, &mut journal).await?;
    let path = folder.join("addresses.json");
    addresses.save(&path)?;
    let deployed = Deployed { network: config.name, chain_id: config.chain_id, addresses: path };
    output.print(&deployed)?;
    Ok(())
}

fn provider(url: &str) -> Result<DynProvider, Box<dyn Error>> {
    let url = url.parse().map_err(|error| format!("--rpc-url is no URL: {error}"))?;
    Ok(ProviderBuilder::new().connect_http(url).erased())
}

/// The error does not repeat what is in the file.
fn read_key(path: &Path) -> Result<PrivateKeySigner, Box<dyn Error>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("the deployer's key {}: {error}", path.display()))?;
    let key = text.trim().parse();
    key.map_err(|_| format!("{} is not 64 hexadecimal digits, an ECDSA key", path.display()).into())
}
