//! `anzen keys list`.

use std::{error::Error, fmt, process::ExitCode};

use anzen_actors::keys::{Entry, Folder, KeyError, Owner};
use serde::Serialize;

use super::report::Described;
use crate::{
    outcome::Outcome,
    output::{Output, Report, table},
};

/// A keystore of the folder.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    name: String,
    #[serde(flatten)]
    key: Described,
    /// Why it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl Listed {
    fn new(entry: Entry) -> Self {
        let (owner, problem) = match entry.owner {
            Ok(owner) => (owner, None),
            Err(error) => (Owner::Unsaid, Some(reason(&error))),
        };
        Self { name: entry.name, key: Described::new(entry.kind, entry.path, &owner), problem }
    }

    fn row(&self) -> Vec<String> {
        let identity = match &self.problem {
            Some(problem) => format!("unreadable: {problem}"),
            None => self.key.identity(),
        };
        vec![self.name.clone(), self.key.kind.to_string(), identity]
    }
}

/// The cause says it; the file is told beside it.
fn reason(error: &KeyError) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// The folder's keystores.
#[derive(Debug, Serialize)]
struct List {
    folder: std::path::PathBuf,
    keys: Vec<Listed>,
}

impl Report for List {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if self.keys.is_empty() {
            return writeln!(f, "There are no keys in {}.", self.folder.display());
        }
        let rows = self.keys.iter().map(Listed::row);
        writeln!(f, "{}", table(&["NAME", "TYPE", "ADDRESS OR OPERATOR ID"], rows))
    }
}

pub(super) fn run(folder: &Folder, output: Output) -> Outcome {
    let keys = folder.list()?.into_iter().map(Listed::new).collect();
    output.print(&List { folder: folder.path().to_owned(), keys })?;
    Ok(ExitCode::SUCCESS)
}
