//! What a deployment has done so far, on disk, so that one that was interrupted continues where it stopped.

use alloy::primitives::{Address, B256, TxHash};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// The form of the file; another one is refused.
const VERSION: u32 = 2;

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file could not be read or written.
    #[error("the deployment journal {path}: {source}; check that its folder exists and may be written")]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The file is not a journal.
    #[error("{path} is not a deployment journal of this version: {reason}; move it away to deploy anew")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The journal is of another chain or another deployer.
    #[error(
        "{path} is the journal of a deployment by {} on chain {} (genesis {}), not of {} on {} ({}); give another path, or \
         move it away if that chain is gone",
        recorded.deployer, recorded.chain_id, recorded.genesis, actual.deployer, actual.chain_id, actual.genesis
    )]
    OtherChain {
        /// The file.
        path: PathBuf,
        /// Whose journal it is.
        recorded: Box<Identity>,
        /// Who deploys now, and where.
        actual: Box<Identity>,
    },
    /// The contracts have changed since the deployment began.
    #[error(
        "{path}: {step} at {address} was created from other code or arguments than those of now; to deploy anew, move the \
         journal away, to continue the old deployment, check out its sources and configuration"
    )]
    OtherCode {
        /// The file.
        path: PathBuf,
        /// The contract.
        step: String,
        /// Where it is.
        address: Address,
    },
    /// The configuration has changed since a call was sent.
    #[error(
        "{path}: {step} was sent with other values in transaction {transaction} than those of now, and would not be \
         applied; to continue the old deployment, check out its sources and configuration, to deploy anew, move the \
         journal away; what is deployed is changed through the timelock"
    )]
    OtherCall {
        /// The file.
        path: PathBuf,
        /// The call.
        step: String,
        /// The transaction that was sent.
        transaction: TxHash,
    },
}

/// Which deployment a journal is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The chain's id.
    pub chain_id: u64,
    /// The hash of the chain's block 0: two local chains share their id.
    pub genesis: B256,
    /// Who deploys.
    pub deployer: Address,
}

/// A contract that was created, or is about to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Creation {
    pub(crate) address: Address,
    pub(crate) transaction: TxHash,
    /// keccak256 of creation code and constructor arguments.
    pub(crate) code_hash: B256,
}

/// A call that was made, or is about to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Call {
    pub(crate) transaction: TxHash,
    /// keccak256 of the contract's address and the call data.
    pub(crate) call_hash: B256,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Content {
    version: u32,
    identity: Identity,
    /// The block after which the deployment began.
    start_block: u64,
    creations: BTreeMap<String, Creation>,
    /// The transactions of the other steps. Whether they have taken effect is read from the chain.
    calls: BTreeMap<String, Call>,
}

/// The journal of one deployment. Every change is on disk when the method returns.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    content: Content,
}

impl Journal {
    /// Opens the journal at `path`, or starts one; one of another chain or deployer is refused. `block` is the latest
    /// block of now.
    pub fn open(path: &Path, identity: Identity, block: u64) -> Result<Self, JournalError> {
        let is_new = !path.exists();
        let journal = Self::peek(path, identity, block)?;
        if is_new {
            journal.save()?;
        }
        Ok(journal)
    }

    /// Like [`Journal::open`], but the journal of another chain is replaced. For local chains, which come and go.
    pub fn open_or_replace(path: &Path, identity: Identity, block: u64) -> Result<Self, JournalError> {
        match Self::open(path, identity.clone(), block) {
            Err(JournalError::OtherChain { .. }) => {
                let journal = Self::empty(path, identity, block);
                journal.save()?;
                Ok(journal)
            }
            other => other,
        }
    }

    /// Like [`Journal::open`], but writes nothing: for whoever only looks.
    pub fn peek(path: &Path, identity: Identity, block: u64) -> Result<Self, JournalError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text, identity),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Self::empty(path, identity, block)),
            Err(source) => Err(JournalError::File { path: path.to_owned(), source }),
        }
    }

    /// The first block in which something of this deployment can have happened.
    pub fn first_block(&self) -> u64 {
        self.content.start_block + 1
    }

    pub(crate) fn empty(path: &Path, identity: Identity, start_block: u64) -> Self {
        let content = Content {
            version: VERSION,
            identity,
            start_block,
            creations: BTreeMap::new(),
            calls: BTreeMap::new(),
        };
        Self { path: path.to_owned(), content }
    }

    fn parse(path: &Path, text: &str, identity: Identity) -> Result<Self, JournalError> {
        let malformed = |reason: String| JournalError::Malformed { path: path.to_owned(), reason };
        let content: Content = serde_json::from_str(text).map_err(|e| malformed(e.to_string()))?;
        if content.version != VERSION {
            return Err(malformed(format!("its version is {}, not {VERSION}", content.version)));
        }
        if content.identity != identity {
            return Err(JournalError::OtherChain {
                path: path.to_owned(),
                recorded: Box::new(content.identity),
                actual: Box::new(identity),
            });
        }
        Ok(Self { path: path.to_owned(), content })
    }

    /// The recorded creation of `step`, provided that it was from the code with this hash.
    pub(crate) fn creation(&self, step: &str, code_hash: B256) -> Result<Option<&Creation>, JournalError> {
        match self.content.creations.get(step) {
            Some(creation) if creation.code_hash != code_hash => Err(JournalError::OtherCode {
                path: self.path.clone(),
                step: step.to_owned(),
                address: creation.address,
            }),
            creation => Ok(creation),
        }
    }

    pub(crate) fn record_creation(&mut self, step: &str, creation: Creation) -> Result<(), JournalError> {
        self.content.creations.insert(step.to_owned(), creation);
        self.save()
    }

    /// The recorded transaction of `step`, provided that it was the call with this hash.
    pub(crate) fn call(&self, step: &str, call_hash: B256) -> Result<Option<TxHash>, JournalError> {
        match self.content.calls.get(step) {
            Some(call) if call.call_hash != call_hash => Err(JournalError::OtherCall {
                path: self.path.clone(),
                step: step.to_owned(),
                transaction: call.transaction,
            }),
            call => Ok(call.map(|call| call.transaction)),
        }
    }

    pub(crate) fn record_call(&mut self, step: &str, call: Call) -> Result<(), JournalError> {
        self.content.calls.insert(step.to_owned(), call);
        self.save()
    }

    fn save(&self) -> Result<(), JournalError> {
        let text = serde_json::to_string_pretty(&self.content)
            .map_err(|e| JournalError::Malformed { path: self.path.clone(), reason: e.to_string() })?;
        crate::files::replace(&self.path, &text)
            .map_err(|source| JournalError::File { path: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity { chain_id: 31337, genesis: B256::repeat_byte(1), deployer: Address::repeat_byte(2) }
    }

    fn creation() -> Creation {
        Creation {
            address: Address::repeat_byte(3),
            transaction: B256::repeat_byte(4),
            code_hash: B256::repeat_byte(5),
        }
    }

    fn call() -> Call {
        Call { transaction: B256::repeat_byte(6), call_hash: B256::repeat_byte(7) }
    }

    #[test]
    fn what_was_recorded_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/journal.json");
        let mut journal = Journal::open(&path, identity(), 7).unwrap();
        journal.record_creation("core/a", creation()).unwrap();
        journal.record_call("core/b", call()).unwrap();

        let journal = Journal::open(&path, identity(), 99).unwrap();
        assert_eq!(journal.creation("core/a", creation().code_hash).unwrap(), Some(&creation()));
        assert_eq!(journal.call("core/b", call().call_hash).unwrap(), Some(call().transaction));
        assert_eq!(journal.creation("core/c", creation().code_hash).unwrap(), None);
        assert_eq!(journal.first_block(), 8);
    }

    #[test]
    fn a_journal_of_another_chain_is_refused_or_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.json");
        Journal::open(&path, identity(), 0).unwrap().record_creation("core/a", creation()).unwrap();
        let other = Identity { genesis: B256::repeat_byte(9), ..identity() };

        let error = Journal::open(&path, other.clone(), 0).unwrap_err();
        assert!(matches!(error, JournalError::OtherChain { .. }), "{error}");
        assert!(error.to_string().contains("give another path"));

        let journal = Journal::open_or_replace(&path, other.clone(), 0).unwrap();
        assert_eq!(journal.creation("core/a", creation().code_hash).unwrap(), None);
        assert!(Journal::open(&path, other, 0).is_ok());
    }

    #[test]
    fn other_code_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&folder.path().join("journal.json"), identity(), 0).unwrap();
        journal.record_creation("core/a", creation()).unwrap();
        let error = journal.creation("core/a", B256::ZERO).unwrap_err().to_string();
        assert!(error.contains("core/a") && error.contains("other code"), "{error}");
    }

    #[test]
    fn another_call_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&folder.path().join("journal.json"), identity(), 0).unwrap();
        journal.record_call("core/b", call()).unwrap();
        let error = journal.call("core/b", B256::ZERO).unwrap_err().to_string();
        assert!(error.contains("core/b") && error.contains("other values"), "{error}");
    }

    #[test]
    fn a_damaged_journal_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.json");
        for text in ["", "{", "{}", r#"{"version":1}"#] {
            fs::write(&path, text).unwrap();
            let error = Journal::open_or_replace(&path, identity(), 0).unwrap_err();
            assert!(matches!(error, JournalError::Malformed { .. }), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
