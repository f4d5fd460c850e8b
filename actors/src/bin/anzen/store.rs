//! `anzen store`: the store of a process that is stopped.

use std::{fmt, process::ExitCode};

use alloy::primitives::Bytes;
use anzen_actors::adapters::{Dropped, SpaceSize, StoreInspector};
use anzen_actors::node::store_path;
use serde::Serialize;

use crate::{
    outcome::{NOT_SO, Outcome},
    output::{Output, Report, table},
    settings::Settings,
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Check the store of a process that is stopped: its file, and every record. Changes nothing.
    ///
    /// Exits with 3 if anything is damaged, or gone; with 1 where it cannot be checked (there is no store, or its process runs).
    Check(Settings),
    /// Show whose records are in the store of a process that is stopped, and how large they are; with --space, the records.
    /// Changes nothing.
    Show(ShowArguments),
    /// Give up a record that is damaged, so that the process starts again.
    ///
    /// What the record said is forgotten: an operator signs only tasks that are created after its next start; a transaction
    /// may be sent a second time; an acknowledged signature is lost. So a record that is whole is left where it is.
    DropRecord(DropArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShowArguments {
    #[command(flatten)]
    settings: Settings,
    /// Whose records to show.
    #[arg(long, value_name = "SPACE")]
    space: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DropArguments {
    #[command(flatten)]
    settings: Settings,
    /// Whose record it is, as the error says.
    space: String,
    /// Its key, in hexadecimal digits, as the error says.
    key: Bytes,
    /// Give it up though it is what was written: because the process cannot make sense of it all the same, and says so.
    #[arg(long)]
    even_if_whole: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("{space} has no record {key}; anzen store show --space {space} lists those that there are")]
struct NoRecord {
    space: String,
    key: Bytes,
}

#[derive(Debug, thiserror::Error)]
#[error(
    "the record {key} of {space} is what was written, and was left where it is; if its process refuses to start because of it, \
     give it up with --even-if-whole"
)]
struct IsWhole {
    space: String,
    key: Bytes,
}

pub(crate) fn run(command: &Command, output: Output) -> Outcome {
    crate::logging::start("warn");
    match command {
        Command::Check(settings) => check(settings, output),
        Command::Show(arguments) => show(arguments, output),
        Command::DropRecord(arguments) => drop_record(arguments, output),
    }
}

fn inspector(settings: &Settings) -> Result<StoreInspector, Box<dyn std::error::Error>> {
    let config = settings.load()?;
    Ok(StoreInspector::open(&store_path(&config), &config.store)?)
}

#[derive(Debug, Serialize)]
struct Checked {
    ok: bool,
    problems: Vec<String>,
}

impl Report for Checked {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if self.ok {
            return writeln!(f, "The store is whole.");
        }
        self.problems.iter().try_for_each(|problem| writeln!(f, "wrong: {problem}"))
    }
}

fn check(settings: &Settings, output: Output) -> Outcome {
    let config = settings.load()?;
    let problems = match StoreInspector::open(&store_path(&config), &config.store).and_then(|it| it.check()) {
        Err(error) if error.is_damage() => vec![error],
        found => found?,
    };
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let checked = Checked { ok: problems.is_empty(), problems };
    output.print(&checked)?;
    Ok(if checked.ok { ExitCode::SUCCESS } else { ExitCode::from(NOT_SO) })
}

#[derive(Debug, Serialize)]
struct Shown {
    bytes: u64,
    spaces: Vec<Space>,
}

#[derive(Debug, Serialize)]
struct Space {
    space: String,
    records: u64,
    bytes: u64,
}

impl From<SpaceSize> for Space {
    fn from(size: SpaceSize) -> Self {
        Self { space: size.space, records: size.records, bytes: size.bytes }
    }
}

impl Report for Shown {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(f, "{} bytes in use\n", self.bytes)?;
        let row = |one: &Space| vec![one.space.clone(), one.records.to_string(), one.bytes.to_string()];
        writeln!(f, "{}", table(&["SPACE", "RECORDS", "BYTES"], self.spaces.iter().map(row)))
    }
}

#[derive(Debug, Serialize)]
struct Record {
    key: Bytes,
    value: Bytes,
}

#[derive(Debug, Serialize)]
struct Records {
    records: Vec<Record>,
}

impl Report for Records {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        // Most are JSON; those that are not are shown as well as they can be.
        let text = |value: &Bytes| String::from_utf8_lossy(value).escape_debug().to_string();
        let row = |one: &Record| vec![one.key.to_string(), text(&one.value)];
        writeln!(f, "{}", table(&["KEY", "VALUE"], self.records.iter().map(row)))
    }
}

fn show(arguments: &ShowArguments, output: Output) -> Outcome {
    let inspector = inspector(&arguments.settings)?;
    match &arguments.space {
        None => {
            let spaces = inspector.spaces()?.into_iter().map(Space::from).collect();
            output.print(&Shown { bytes: inspector.bytes()?, spaces })?;
        }
        Some(space) => {
            let records = inspector.records(space)?.into_iter();
            let records = records.map(|(key, value)| Record { key: key.into(), value: value.into() });
            output.print(&Records { records: records.collect() })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Serialize)]
struct GivenUp {
    space: String,
    key: Bytes,
}

impl Report for GivenUp {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(f, "The record {} of {} is gone.", self.key, self.space)
    }
}

fn drop_record(arguments: &DropArguments, output: Output) -> Outcome {
    let (space, key) = (arguments.space.clone(), arguments.key.clone());
    let path = store_path(&arguments.settings.load()?);
    match StoreInspector::drop_record(&path, &space, &key, arguments.even_if_whole)? {
        Dropped::Absent => return Err(NoRecord { space, key }.into()),
        Dropped::Whole => return Err(IsWhole { space, key }.into()),
        Dropped::Gone => output.print(&GivenUp { space, key })?,
    }
    Ok(ExitCode::SUCCESS)
}
