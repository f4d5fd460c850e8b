//! Operators that share a folder without knowing of each other, as containers of one image do: each takes the lowest place
//! that nobody has. The place has the operator's keys and its signing protection, so whoever takes it next is that operator.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use super::{
    LocalError,
    anvil::Chain,
    folder::Folder,
    nodes,
    operators::{self, LocalOperator},
};
use crate::{Addresses, operator::Blocks};

/// The most operators of one folder.
const MOST: u32 = 100;

/// An operator's place in a shared folder, taken for as long as this lives.
#[derive(Debug)]
pub struct Slot {
    folder: Folder,
    number: u32,
    /// The system takes the lock back when the process ends, however it ends.
    _lock: File,
}

impl Slot {
    /// Takes the lowest free place in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// Where the folder cannot be written to, or all places are taken.
    pub fn claim(folder: &Path) -> Result<Self, LocalError> {
        let folder = Folder::shared(folder)?;
        for number in 1..=MOST {
            if let Some(lock) = folder.try_turn(&format!("{}.lock", nodes::operator_name(number)))? {
                return Ok(Self { folder, number, _lock: lock });
            }
        }
        Err(LocalError::Full { folder: folder.path().to_owned(), most: MOST })
    }

    /// Makes its operator ready to run on a local chain: keys, funds, registration, stake. What is there already stays.
    ///
    /// # Errors
    /// Where the chain refuses, or is no local one.
    pub async fn set_up(&self, rpc_url: &str, addresses: &Addresses) -> Result<(), LocalError> {
        let operator = LocalOperator::load_or_make(&self.folder, self.number)?;
        let chain = Chain::running(rpc_url, rpc_url, Path::new("chain.rpc_url"))?;
        let all = std::slice::from_ref(&operator);
        operators::set_up(&self.folder, &chain, addresses, all, Blocks::Await).await
    }

    /// The operator's name.
    pub fn name(&self) -> String {
        nodes::operator_name(self.number)
    }

    /// The file with its BLS key.
    pub fn bls_key_file(&self) -> PathBuf {
        self.folder.join(self.name()).join("bls.key")
    }

    /// The folder for what its process keeps.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.join(nodes::operator(self.number).data_dir())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_takes_the_lowest_place_that_is_free() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("operators");
        let claim = || Slot::claim(&folder).unwrap();
        let (first, second, third) = (claim(), claim(), claim());
        assert_eq!([first.number, second.number, third.number], [1, 2, 3]);
        drop(second);
        assert_eq!(claim().number, 2);
    }

    #[test]
    fn a_place_keeps_its_operator() {
        let parent = tempfile::tempdir().unwrap();
        let operator_id = || {
            let slot = Slot::claim(parent.path()).unwrap();
            LocalOperator::load_or_make(&slot.folder, slot.number).unwrap().address()
        };
        assert_eq!(operator_id(), operator_id());
    }
}
