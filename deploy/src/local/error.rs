//! Why a local network could not be started, or ended.

use std::{io, path::PathBuf};

use crate::{
    DeployError, addresses::AddressesError, chain::ChainError, config::ConfigError, operator::OperatorError,
};

/// Why a local network could not be started, or ended.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// Somebody else's local network is in the folder.
    #[error("a local network is running in {folder}{}; stop it, or give this one another folder with --dir",
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The process that runs it, where that is known.
        pid: Option<u32>,
    },
    /// The folder has other things in it, which starting a network would remove.
    #[error("{0} is not empty and is no local network's folder; give --dir a new one")]
    NotOurs(PathBuf),
    /// There is no local network to join.
    #[error(
        "no local network is running in {0}; start one with `just run-local`, or give its folder with --dir"
    )]
    NotRunning(PathBuf),
    /// The operator that was to be started is running.
    #[error("operator {number} is running already (process {pid})")]
    OperatorRuns {
        /// Its number.
        number: u32,
        /// Its process.
        pid: u32,
    },
    /// There is no place for another operator.
    #[error("all {most} places for operators in {folder} are taken; give --slots another folder")]
    Full {
        /// The folder.
        folder: PathBuf,
        /// How many places there are.
        most: u32,
    },
    /// The bus has no server.
    #[error(
        "nats-server is neither on PATH nor in .tools; `just run-local --bus nats` fetches it on Debian and its like, elsewhere \
         install it (https://nats.io/download)"
    )]
    NoNats,
    /// A bus for aggregators of one process each.
    #[error(
        "an aggregator of one process has nothing to send over a bus; leave out --topology compact, or --bus nats"
    )]
    NothingToCarry,
    /// A file or folder could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// What was tried on.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A file of the network's folder is not what it should be.
    #[error("{path} is not as this version writes it ({what}); start the network anew with `just run-local`")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A program could not be started.
    #[error("cannot start {program}: {source}")]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A process that the network cannot do without has ended.
    #[error("{name} has ended ({how}), so the network stops; the last lines of {log}:\n{tail}")]
    Ended {
        /// The process.
        name: String,
        /// Its exit code or signal.
        how: String,
        /// Its log.
        log: PathBuf,
        /// The log's end.
        tail: String,
    },
    /// A process fails soon after each start.
    #[error(
        "{name} has failed {failures} times in a row (last: {how}) and is given up; the last lines of {log}:\n{tail}"
    )]
    GivenUp {
        /// The process.
        name: String,
        /// How often.
        failures: usize,
        /// Its exit code or signal.
        how: String,
        /// Its log.
        log: PathBuf,
        /// The log's end.
        tail: String,
    },
    /// A process did not become ready.
    #[error("{name} is not ready after {seconds} seconds; the last lines of {log}:\n{tail}")]
    NotReady {
        /// The process.
        name: String,
        /// How long was waited.
        seconds: u64,
        /// Its log.
        log: PathBuf,
        /// The log's end.
        tail: String,
    },
    /// With `--tasks`: a task was not answered in time.
    #[error("{0}")]
    Missed(String),
    /// With `--tasks`: no task was created.
    #[error("no task has been created for {blocks} blocks; the reason should be in {logs}")]
    NoTask {
        /// How long was waited.
        blocks: u64,
        /// The logs of the task generators' processes.
        logs: String,
    },
    /// The deployment failed.
    #[error("deploying the contracts failed")]
    Deploy(#[from] DeployError),
    /// An operator could not be set up.
    #[error("setting an operator up failed")]
    Operator(#[from] OperatorError),
    /// The chain did not do or tell what was asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The network's configuration is unusable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file of addresses is unusable.
    #[error(transparent)]
    Addresses(#[from] AddressesError),
    /// No keys could be made.
    #[error(transparent)]
    Key(#[from] anzen_messages::bls::SecretKeyError),
}

impl LocalError {
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    pub(super) fn malformed(path: impl Into<PathBuf>, what: &impl ToString) -> Self {
        Self::Malformed { path: path.into(), what: what.to_string() }
    }
}
