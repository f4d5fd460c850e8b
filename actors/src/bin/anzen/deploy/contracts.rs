//! `anzen deploy`, without a subcommand: the contracts themselves.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anzen_actors::{
    adapters::Endpoint,
    keys::{KeySource, load_ecdsa},
    node::client_of,
};
use anzen_deploy::{DeployConfig, chain::Account, deploy, open_journal, plan};
use serde::Serialize;

use super::dry_run::DryRun;
use crate::{
    outcome::Outcome,
    output::{Output, Report},
};

/// How long a node may take to answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// anvil, sepolia or hoodi; or a file that says what to deploy (`anzen deploy template` prints one).
    #[arg(long, value_name = "NAME|FILE")]
    network: String,
    /// A node of the chain (http:// or https://).
    #[arg(long, value_name = "URL", env = "ETH_RPC_URL", hide_env_values = true)]
    rpc_url: Endpoint,
    /// The keystore with the deployer's key. Its password is in --password-file, in ANZEN_ECDSA_PASSWORD, or asked for.
    #[arg(long, value_name = "FILE")]
    keystore: Option<PathBuf>,
    /// The file with the keystore's password.
    #[arg(long, value_name = "FILE", requires = "keystore")]
    password_file: Option<PathBuf>,
    /// Instead of a keystore: a file with the deployer's key in 64 hexadecimal digits.
    #[arg(long, value_name = "FILE", conflicts_with = "keystore")]
    key_file: Option<PathBuf>,
    /// Where addresses.json goes, and deployment.json, from which an interrupted run continues [default: .anzen/NETWORK].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Only say what would be deployed, and about what it would cost.
    #[arg(long)]
    dry_run: bool,
}

impl Arguments {
    fn key(&self) -> KeySource {
        KeySource {
            keystore: self.keystore.clone(),
            password_file: self.password_file.clone(),
            private_key_file: self.key_file.clone(),
        }
    }
}

/// What was deployed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Deployed {
    network: String,
    chain_id: u64,
    /// The file of addresses.
    addresses: PathBuf,
    /// How many steps were carried out now.
    steps: usize,
}

impl Report for Deployed {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let Self { network, chain_id, addresses, .. } = self;
        writeln!(f, "Deployed to {network} (chain {chain_id}). The addresses are in {}", addresses.display())
    }
}

pub(super) async fn run(arguments: Arguments, output: Output) -> Outcome {
    let config = DeployConfig::load(&arguments.network)?;
    let key = load_ecdsa(&arguments.key())?;
    let account = Account::new(client_of(&arguments.rpc_url, TIMEOUT)?, key).await?;
    let folder = arguments.dir.unwrap_or_else(|| Path::new(".anzen").join(&config.name));
    let journal = folder.join("deployment.json");
    let plan = plan(&account, &config, &journal).await?;
    if arguments.dry_run {
        output.print(&DryRun::new(config, &account, journal, plan).await?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let steps = plan.to_do.len();
    tracing::info!(network = config.name, deployer = %account.address(), done = plan.done.len(), to_do = steps, "deploying");
    let mut journal = open_journal(&account, &config, &journal).await?;
    let addresses = deploy(&account, &config, arguments.rpc_url.url().as_str(), &mut journal).await?;
    let path = folder.join("addresses.json");
    addresses.save(&path)?;
    output.print(&Deployed { network: config.name, chain_id: config.chain_id, addresses: path, steps })?;
    Ok(ExitCode::SUCCESS)
}
