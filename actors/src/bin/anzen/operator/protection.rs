//! `anzen operator protection`: what the operator has signed, as a file, for a move to another machine.

use std::error::Error;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::{fmt, process::ExitCode};

use anzen_actors::adapters::{StoreInspector, StoreMetrics};
use anzen_actors::keys::load_bls;
use anzen_actors::node::{NodeConfig, open_store, store_path};
use anzen_actors::operator_signer::interchange::{Interchange, MOST_BYTES, Whose};
use anzen_actors::operator_signer::protection::{Protection, SPACE};
use anzen_actors::ports::Store;
use anzen_deploy::Addresses;
use anzen_messages::TaskHash;
use serde::Serialize;

use crate::{
    outcome::Outcome,
    output::{Output, Report},
    settings::Settings,
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print what the operator has signed, as a file for `import`. The operator must be stopped.
    Export(ExportArguments),
    /// Add what a file says to the operator's own records. The operator must be stopped.
    ///
    /// From its next start on, the operator signs only tasks that are created after that start: the file may lack what was
    /// signed since it was written. For a task to which the two have different answers, nothing more is signed.
    Import(ImportArguments),
    /// Print what several files of one operator say together, as one file.
    Merge(MergeArguments),
    /// Show how much the operator's records tell, and from which block on it signs. The operator must be stopped.
    Show(Settings),
    /// Say that the data folder, its disk or the whole machine was put back from a copy. The operator must be stopped.
    ///
    /// From its next start on, the operator signs only tasks that are created after that start: the copy may lack what was
    /// signed since it was made. A copy of the folder is noticed without this; a snapshot of a disk is not.
    Restored(Settings),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    settings: Settings,
    /// Write to a new file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArguments {
    #[command(flatten)]
    settings: Settings,
    /// The file.
    file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct MergeArguments {
    /// The files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write to a new file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
#[error("{path}: {error}")]
struct OfFile {
    path: String,
    #[source]
    error: Box<dyn Error + Send + Sync>,
}

pub(crate) async fn run(command: &Command, output: Output) -> Outcome {
    match command {
        Command::Export(arguments) => export(arguments).await?,
        Command::Import(arguments) => import(arguments, output).await?,
        Command::Merge(arguments) => merge(arguments)?,
        Command::Show(settings) => show(settings, output).await?,
        Command::Restored(settings) => restored(settings, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The operator's own records.
async fn load(store: &dyn Store) -> Result<Protection, Box<dyn Error>> {
    Ok(Protection::load(store.load(SPACE).await?, store.restorations())?)
}

/// The same of a store that is only read.
pub(super) async fn own(config: &NodeConfig) -> Result<Protection, Box<dyn Error>> {
    load(&StoreInspector::open(&store_path(config), &config.store)?).await
}

fn whose(config: &NodeConfig) -> Result<Whose, Box<dyn Error>> {
    let addresses = Addresses::load(&config.addresses)?;
    let operator = load_bls(&config.keys.bls)?.public_key().operator_id();
    Ok(Whose { chain_id: addresses.chain_id, task_manager: addresses.task_manager, operator })
}

async fn export(arguments: &ExportArguments) -> Result<(), Box<dyn Error>> {
    let config = arguments.settings.load()?;
    let protection = own(&config).await?;
    write(&Interchange::of(whose(&config)?, &protection), arguments.out.as_deref())
}

fn merge(arguments: &MergeArguments) -> Result<(), Box<dyn Error>> {
    let mut all: Option<Interchange> = None;
    for path in &arguments.files {
        let next = read(path)?;
        all = Some(match all {
            None => next,
            Some(before) => before.merge(next).map_err(|error| of_file(path, error))?,
        });
    }
    // The command line wants at least one.
    all.map_or(Ok(()), |all| write(&all, arguments.out.as_deref()))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    records: usize,
    floor: Option<u32>,
    /// Nothing up to there is signed, or nothing up to the head at the next start.
    starts_anew: bool,
    blocked: Vec<TaskHash>,
}

impl Shown {
    fn of(interchange: &Interchange, starts_anew: bool) -> Self {
        let (floor, blocked) = (interchange.floor(), interchange.blocked());
        Self { records: interchange.len(), floor, starts_anew, blocked }
    }
}

impl From<&Protection> for Shown {
    fn from(protection: &Protection) -> Self {
        Self {
            records: protection.len(),
            floor: protection.floor(),
            starts_anew: protection.starts_anew(),
            blocked: protection.blocked(),
        }
    }
}

impl Report for Shown {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(f, "{} answers are on record.", self.records)?;
        if let Some(floor) = self.floor {
            writeln!(f, "Tasks that were created up to block {floor} are not signed.")?;
        }
        if self.starts_anew {
            writeln!(f, "Only tasks that are created after the operator's next start are signed.")?;
        }
        self.blocked.iter().try_for_each(|task| {
            writeln!(f, "Two answers were signed to {task}: nothing more is signed for it.")
        })
    }
}

async fn import(arguments: &ImportArguments, output: Output) -> Result<(), Box<dyn Error>> {
    let config = arguments.settings.load()?;
    let (whose, theirs) = (whose(&config)?, read(&arguments.file)?);
    let store = open_store(&config, StoreMetrics::default())?;
    let protection = load(&store).await?;
    let merged = Interchange::of(whose, &protection).merge(theirs);
    let merged = merged.map_err(|error| of_file(&arguments.file, error))?;
    store.commit(merged.writes(&protection)).await?;
    output.print(&Shown::of(&merged, true))?;
    Ok(())
}

async fn show(settings: &Settings, output: Output) -> Result<(), Box<dyn Error>> {
    let config = settings.load()?;
    output.print(&Shown::from(&own(&config).await?))?;
    Ok(())
}

async fn restored(settings: &Settings, output: Output) -> Result<(), Box<dyn Error>> {
    let config = settings.load()?;
    // There is nothing to say of a store that is not there.
    own(&config).await?;
    let store = open_store(&config, StoreMetrics::default())?;
    store.commit(load(&store).await?.start_anew()).await?;
    output.print(&Shown::from(&load(&store).await?))?;
    Ok(())
}

fn read(path: &Path) -> Result<Interchange, Box<dyn Error>> {
    let file = std::fs::File::open(path).map_err(|error| of_file(path, error))?;
    let mut text = Vec::new();
    // One more than is allowed, so that what is longer is refused.
    file.take(MOST_BYTES + 1).read_to_end(&mut text).map_err(|error| of_file(path, error))?;
    Ok(Interchange::parse(&text).map_err(|error| of_file(path, error))?)
}

fn of_file(path: &Path, error: impl Error + Send + Sync + 'static) -> OfFile {
    OfFile { path: path.display().to_string(), error: Box::new(error) }
}

fn write(interchange: &Interchange, out: Option<&Path>) -> Result<(), Box<dyn Error>> {
    use std::io::Write;
    let text = interchange.to_json() + "\n";
    match out {
        None => std::io::stdout().lock().write_all(text.as_bytes())?,
        Some(path) => {
            let write = || {
                let mut file = std::fs::File::create_new(path)?;
                file.write_all(text.as_bytes())?;
                file.sync_all()
            };
            write().map_err(|error| of_file(path, error))?;
        }
    }
    Ok(())
}
