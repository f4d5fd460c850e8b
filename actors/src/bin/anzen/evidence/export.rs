//! `anzen evidence export`.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use alloy::primitives::B256;
use anzen_messages::evidence::Evidence;
use serde::Serialize;

use super::{EvidenceError, load};
use crate::{
    outcome::Outcome,
    output::{Output, Report},
    settings::Settings,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder for the files, one for each task and operator; it is made where there is none. Files are never
    /// overwritten.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Of this operator only (its id: 0x and 64 hexadecimal digits).
    #[arg(long, value_name = "ID")]
    operator: Option<B256>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Serialize)]
struct Exported {
    files: Vec<PathBuf>,
}

impl Report for Exported {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if self.files.is_empty() {
            return writeln!(f, "There is no such evidence.");
        }
        self.files.iter().try_for_each(|file| writeln!(f, "{}", file.display()))
    }
}

pub(super) fn run(arguments: &Arguments, output: Output) -> Outcome {
    let all = load(&arguments.settings)?.into_iter();
    let wanted = all.filter(|one| arguments.operator.is_none_or(|operator| one.operator.id.0 == operator));
    let files = write_all(&arguments.out, wanted)?;
    output.print(&Exported { files })?;
    Ok(ExitCode::SUCCESS)
}

fn write_all(
    folder: &Path,
    documents: impl Iterator<Item = Evidence>,
) -> Result<Vec<PathBuf>, EvidenceError> {
    let made = fs::create_dir_all(folder);
    made.map_err(|error| EvidenceError::File { path: folder.to_owned(), what: "made", error })?;
    let write = |evidence: Evidence| {
        let path = folder.join(format!("{}-{}.json", evidence.operator.id, evidence.task_hash()));
        match write(&path, &evidence) {
            Ok(()) => Ok(path),
            Err(error) => Err(EvidenceError::File { path, what: "written", error }),
        }
    };
    documents.map(write).collect()
}

/// A file that is there with the same content is what was asked for.
fn write(path: &Path, evidence: &Evidence) -> io::Result<()> {
    let text = serde_json::to_string_pretty(evidence)? + "\n";
    if fs::read(path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    let mut file = File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
