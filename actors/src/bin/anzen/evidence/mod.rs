//! `anzen evidence`: what a collector keeps of operators that signed two answers of one task.

mod export;
mod list;
mod prove;
mod verify;

use std::path::PathBuf;

use anzen_actors::{
    adapters::StoreInspector, node::store_path, ports::StoreError, signature_collector::evidence_in,
};
use anzen_messages::evidence::Evidence;

use crate::{chain::block_on, logging, outcome::Outcome, output::Output, settings::Settings};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the evidence in the store of an aggregator that is stopped.
    List(Settings),
    /// Write it to files, each a proof that needs nothing else.
    Export(export::Arguments),
    /// Verify such a file: without a chain, a store or a configuration.
    Verify(verify::Arguments),
    /// Prove on chain that an operator signed two answers, which freezes it. With any account that has ether.
    Prove(prove::Arguments),
}

/// Why the evidence cannot be had.
#[derive(Debug, thiserror::Error)]
enum EvidenceError {
    /// It cannot be read.
    #[error("the evidence cannot be read from {}; while the aggregator runs nobody else can", .path.display())]
    Store {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// A file.
    #[error("{} cannot be {what}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What was to be done to it.
        what: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
    /// Not a document.
    #[error("{} is no evidence: {error}", .path.display())]
    NotADocument {
        /// The file.
        path: PathBuf,
        /// Where and why.
        error: serde_json::Error,
    },
}

pub(crate) fn run(command: &Command, output: Output) -> Outcome {
    logging::start("warn");
    match command {
        Command::List(settings) => list::run(settings, output),
        Command::Export(arguments) => export::run(arguments, output),
        Command::Verify(arguments) => verify::run(arguments, output),
        Command::Prove(arguments) => prove::run(arguments, output),
    }
}

/// What the store of the configured process has, by operator. Nothing is changed there.
fn load(settings: &Settings) -> Result<Vec<Evidence>, Box<dyn std::error::Error>> {
    let config = settings.load()?;
    let path = store_path(&config);
    let unreadable = |source| EvidenceError::Store { path: path.clone(), source };
    block_on(async {
        let store = StoreInspector::open(&path, &config.store).map_err(unreadable)?;
        Ok(evidence_in(&store).await.map_err(unreadable)?)
    })?
}
