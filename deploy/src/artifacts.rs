//! EigenLayer's contracts, as build.rs extracted them: ABI and bytecode in the form of Foundry artifacts.

use alloy::primitives::{Address, Bytes, hex};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};

/// Every contract: its name and its artifact as JSON text.
static EIGENLAYER: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/eigenlayer.rs"));

/// Why an artifact cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// No contract of that name was extracted.
    #[error("EigenLayer's {0} was not extracted; add it to the table in deploy/src/extract.rs")]
    Unknown(String),
    /// The artifact's text is not what build.rs writes.
    #[error("the artifact of {name} is malformed: {source}; rebuild anzen-deploy")]
    Malformed {
        /// The contract.
        name: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The bytecode refers to a library that was not given.
    #[error("{name} has to be linked with {library}, whose address was not given")]
    Unlinked {
        /// The contract.
        name: String,
        /// The library.
        library: String,
    },
    /// The linked bytecode is not hexadecimal, or a link reference lies outside it.
    #[error("the bytecode of {name} cannot be linked: {what}; rebuild anzen-deploy")]
    Link {
        /// The contract.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// A file could not be written.
    #[error("cannot write {path}: {source}; check the folder's permissions")]
    Write {
        /// The file or folder.
        path: String,
        /// What the file system said.
        source: std::io::Error,
    },
}

#[derive(Deserialize)]
struct Artifact {
    bytecode: Bytecode,
}

#[derive(Deserialize)]
struct Bytecode {
    object: String,
    #[serde(rename = "linkReferences")]
    links: BTreeMap<String, BTreeMap<String, Vec<Reference>>>,
}

/// Where a library's address stands in the bytecode, in bytes.
#[derive(Deserialize)]
struct Reference {
    start: usize,
    length: usize,
}

/// The creation code of EigenLayer's contract `name`, which needs no library.
pub fn eigenlayer_code(name: &str) -> Result<Bytes, ArtifactError> {
    eigenlayer_code_linked(name, &[])
}

/// The creation code of EigenLayer's contract `name`, linked with the libraries given by name.
pub fn eigenlayer_code_linked(name: &str, libraries: &[(&str, Address)]) -> Result<Bytes, ArtifactError> {
    let (_, text) =
        EIGENLAYER.iter().find(|(n, _)| *n == name).ok_or_else(|| ArtifactError::Unknown(name.to_owned()))?;
    let artifact: Artifact = serde_json::from_str(text)
        .map_err(|source| ArtifactError::Malformed { name: name.to_owned(), source })?;
    link(name, &artifact.bytecode, libraries)
}

fn link(name: &str, code: &Bytecode, libraries: &[(&str, Address)]) -> Result<Bytes, ArtifactError> {
    let error = |what: String| ArtifactError::Link { name: name.to_owned(), what };
    let mut object = code.object.trim_start_matches("0x").to_owned();
    for (library, references) in code.links.values().flatten() {
        let (_, address) = libraries
            .iter()
            .find(|(n, _)| n == library)
            .ok_or_else(|| ArtifactError::Unlinked { name: name.to_owned(), library: library.clone() })?;
        for Reference { start, length } in references {
            let range = start * 2..(start + length) * 2;
            if *length != Address::len_bytes() || object.get(range.clone()).is_none() {
                return Err(error(format!("the reference to {library} at byte {start} does not fit")));
            }
            object.replace_range(range, &hex::encode(address));
        }
    }
    hex::decode(&object).map(Bytes::from).map_err(|e| error(e.to_string()))
}

/// Writes every artifact as `<Contract>.json` into `folder`, for the Solidity tests, and returns their names.
pub fn export_eigenlayer(folder: &Path) -> Result<Vec<&'static str>, ArtifactError> {
    let failed = |path: &Path, source| ArtifactError::Write { path: path.display().to_string(), source };
    std::fs::create_dir_all(folder).map_err(|e| failed(folder, e))?;
    for (name, text) in EIGENLAYER {
        let path = folder.join(format!("{name}.json"));
        // Unchanged files keep their time, so that forge does not see new inputs at each export.
        if std::fs::read_to_string(&path).is_ok_and(|old| old == *text) {
            continue;
        }
        std::fs::write(&path, text).map_err(|e| failed(&path, e))?;
    }
    Ok(EIGENLAYER.iter().map(|(name, _)| *name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::address;

    const LIBRARIES: [(&str, Address); 2] = [
        ("QuorumBitmapHistoryLib", address!("0x1111111111111111111111111111111111111111")),
        ("SignatureCheckerLib", address!("0x2222222222222222222222222222222222222222")),
    ];

    #[test]
    fn every_contract_has_code() {
        for (name, _) in EIGENLAYER {
            let code = eigenlayer_code_linked(name, &LIBRARIES).unwrap();
            assert!(code.starts_with(&[0x60]) || code.starts_with(&[0x61]), "{name}");
        }
    }

    #[test]
    fn links_every_reference() {
        let name = "SlashingRegistryCoordinator";
        let code = eigenlayer_code_linked(name, &LIBRARIES).unwrap();
        let count = |address: Address| code.windows(20).filter(|w| *w == address.as_slice()).count();
        assert_eq!((count(LIBRARIES[0].1), count(LIBRARIES[1].1)), (4, 1));

        let error = eigenlayer_code_linked(name, &LIBRARIES[..1]).unwrap_err().to_string();
        assert!(error.contains("linked with SignatureCheckerLib"), "{error}");
    }

    #[test]
    fn an_unknown_contract_is_named() {
        assert!(
            eigenlayer_code("Nothing").unwrap_err().to_string().starts_with("EigenLayer's Nothing was not")
        );
    }
}
