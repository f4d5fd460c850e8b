//! What a process has on disk at an instant: its files are copied while it stands still, and the copy is read.

use std::path::Path;

use alloy::primitives::B256;
use anzen_actors::adapters::{StoreConfig, StoreInspector};
use anzen_messages::{OperatorId, SafetyFactor, TaskHash, TaskResponse};
use serde::Deserialize;

use crate::invariants::Fact;
use crate::sim::{ACKNOWLEDGED, EVIDENCE, PROTECTION, evidence, places};

/// The file with the records, as a process names it.
const STORE: &str = "anzen.db";

/// The kinds of records whose number is bounded.
const BOUNDED: [&str; 6] = [
    ACKNOWLEDGED[0],
    ACKNOWLEDGED[1],
    EVIDENCE,
    PROTECTION,
    "collector.penalties",
    "aggregator.certificates",
];

/// Copies the files of a process that stands still; false where it has none.
pub(super) fn copy(data: &Path, to: &Path) -> bool {
    let files = std::fs::read_dir(data).into_iter().flatten().flatten();
    let files = files.filter(|file| file.file_name().to_string_lossy().starts_with(STORE));
    let mut any = false;
    for file in files {
        std::fs::create_dir_all(to).unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        any = true;
    }
    any
}

/// What is wrong with the files of a process that has ended, or with a copy; nothing where all is well or there are none.
pub(super) fn problems(data: &Path) -> Vec<String> {
    let path = data.join(STORE);
    if !path.exists() {
        return Vec::new();
    }
    let checked =
        StoreInspector::open(&path, &StoreConfig::default()).and_then(|inspector| inspector.check());
    match checked {
        Ok(problems) => problems.iter().map(ToString::to_string).collect(),
        Err(error) => vec![error.to_string()],
    }
}

/// What the records in a copy say. `aggregator` is whose the process is, `operator` is who it is.
pub(super) fn facts(
    process: &str,
    copy: &Path,
    aggregator: Option<&str>,
    operator: Option<OperatorId>,
) -> Vec<Fact> {
    let inspector = StoreInspector::open(&copy.join(STORE), &StoreConfig::default()).unwrap();
    let records = |space: &str| inspector.records(space).unwrap();
    let mut facts = Vec::new();
    for space in BOUNDED {
        let records = records(space).len();
        facts.push(Fact::Stored { process: process.to_owned(), space, records });
    }
    if let Some(operator) = operator {
        let answers = records(PROTECTION).into_iter().filter_map(|(key, value)| answer(&key, &value));
        facts.extend(answers.map(|response| Fact::Signed { operator, response, on_disk: true }));
    }
    if let Some(aggregator) = aggregator {
        let kept = places(ACKNOWLEDGED.into_iter().flat_map(records));
        facts.push(Fact::Signatures { aggregator: aggregator.to_owned(), kept });
        let unreadable = || Fact::Unreadable { process: process.to_owned(), space: EVIDENCE };
        let read = |(_, value): (Vec<u8>, Vec<u8>)| evidence(&value).unwrap_or_else(unreadable);
        facts.extend(records(EVIDENCE).into_iter().map(read));
    }
    facts
}

/// A record of what was signed, as far as it is read here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    safety_factor: SafetyFactor,
}

/// The answer that a record of signing protection is about; nothing where it is another kind of record.
fn answer(key: &[u8], value: &[u8]) -> Option<TaskResponse> {
    let task_hash = TaskHash(B256::try_from(key).ok()?);
    let Record { safety_factor } = serde_json::from_slice(value).ok()?;
    Some(TaskResponse { task_hash, safety_factor })
}
