//! The operators of a local network: their keys and files, and setting them up on chain.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use alloy::{
    primitives::{Address, B256, U256, hex, uint},
    signers::local::PrivateKeySigner,
};
use anzen_messages::bls::SecretKey;
use serde::{Deserialize, Serialize};

use super::{
    DEFAULT_FOLDER, LocalError, Options,
    anvil::{Chain, DevKey},
    folder::{Folder, write_private},
    nodes::operator_name,
    process::is_alive,
};
use crate::{
    Addresses,
    chain::Account,
    operator::{Blocks, OperatorParams, OperatorSetup},
};

/// What each operator stakes: a thousand tokens.
const STAKE: U256 = uint!(1_000_000_000_000_000_000_000_U256);

/// The operators' numbers in this network.
pub(super) type Numbers = BTreeMap<Address, u32>;

/// An operator with its keys.
pub(super) struct LocalOperator {
    number: u32,
    account: PrivateKeySigner,
    bls: SecretKey,
}

impl std::fmt::Debug for LocalOperator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalOperator")
            .field("number", &self.number)
            .field("address", &self.address())
            .finish()
    }
}

/// `operator.json`: who an operator is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    number: u32,
    address: Address,
    operator_id: B256,
}

impl LocalOperator {
    /// An operator whose keys are in its folder; made now if they are not.
    pub(super) fn load_or_make(folder: &Folder, number: u32) -> Result<Self, LocalError> {
        let private = folder.make_private(&operator_name(number))?;
        let bls = match read_key(private.join("bls.key"))? {
            Some(text) => SecretKey::from_hex(&text)?,
            None => SecretKey::generate()?,
        };
        let account = match read_key(private.join("ecdsa.key"))? {
            Some(text) => {
                text.parse().map_err(|error| LocalError::malformed(private.join("ecdsa.key"), &error))?
            }
            None => PrivateKeySigner::random(),
        };
        let operator = Self { number, account, bls };
        operator.save(folder)?;
        Ok(operator)
    }

    fn save(&self, folder: &Folder) -> Result<(), LocalError> {
        let private = folder.join(operator_name(self.number));
        write_private(&private.join("bls.key"), &self.bls.to_hex())?;
        write_private(&private.join("ecdsa.key"), &hex::encode(self.account.to_bytes()))?;
        let operator_id = self.bls.public_key().operator_id().0;
        let identity = Identity { number: self.number, address: self.address(), operator_id };
        let path = private.join("operator.json");
        let text =
            serde_json::to_string_pretty(&identity).map_err(|error| LocalError::malformed(&path, &error))?;
        crate::files::replace(&path, &(text + "\n")).map_err(LocalError::file(path))
    }

    async fn setup(&self, chain: &Chain, addresses: &Addresses) -> Result<OperatorSetup, LocalError> {
        let account = Account::new(chain.provider.clone(), self.account.clone()).await?;
        let params = OperatorParams::new(operator_name(self.number), STAKE);
        let key = Arc::new(self.bls.clone());
        Ok(OperatorSetup::new(account, Some(key), addresses.clone(), params))
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    pub(super) fn address(&self) -> Address {
        self.account.address()
    }
}

fn read_key(path: PathBuf) -> Result<Option<String>, LocalError> {
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LocalError::file(path)(error)),
    }
}

/// All operators that have a folder in this network.
pub(super) fn numbers(folder: &Folder) -> Numbers {
    let entries = std::fs::read_dir(folder.path()).into_iter().flatten().flatten();
    let identity = |entry: std::fs::DirEntry| {
        let text = std::fs::read_to_string(entry.path().join("operator.json")).ok()?;
        serde_json::from_str::<Identity>(&text).ok()
    };
    entries.filter_map(identity).map(|identity| (identity.address, identity.number)).collect()
}

/// Notes which process an operator runs in.
pub(super) fn write_pid(folder: &Folder, number: u32, pid: u32) -> Result<(), LocalError> {
    let path = pid_file(folder, number);
    std::fs::write(&path, pid.to_string()).map_err(LocalError::file(path))
}

/// The process in which an operator runs, if it does.
pub(super) fn running(folder: &Folder, number: u32) -> Option<u32> {
    let pid = std::fs::read_to_string(pid_file(folder, number)).ok()?.trim().parse().ok()?;
    is_alive(pid).then_some(pid)
}

fn pid_file(folder: &Folder, number: u32) -> PathBuf {
    folder.join(operator_name(number)).join("pid")
}

/// The command that brings an operator back.
pub(super) fn remedy(number: u32, options: &Options) -> String {
    if options.folder == std::path::Path::new(DEFAULT_FOLDER) {
        return format!("`just spawn-operator {number}`");
    }
    format!("`just spawn-operator {number} --dir {}`", options.folder.display())
}

/// Registers the operators, stakes for them and has them join the quorum, all at the same time. What is done already stays.
pub(super) async fn set_up(
    folder: &Folder,
    chain: &Chain,
    addresses: &Addresses,
    operators: &[LocalOperator],
    blocks: Blocks,
) -> Result<(), LocalError> {
    let mut setups = Vec::new();
    for operator in operators {
        setups.push(operator.setup(chain, addresses).await?);
    }
    fund(folder, chain, &setups).await?;
    let all = setups.iter().map(|setup| setup.run(blocks, None));
    for outcomes in futures::future::try_join_all(all).await? {
        for outcome in outcomes {
            tracing::info!("{outcome}");
        }
    }
    Ok(())
}

/// The deployer's key pays, which another terminal may be using for another operator.
async fn fund(folder: &Folder, chain: &Chain, setups: &[OperatorSetup]) -> Result<(), LocalError> {
    let _turn = folder.take_turn("funding.lock")?;
    let deployer = chain.account(DevKey::Deployer).await?;
    for setup in setups {
        let outcome = setup.fund(&deployer).await?;
        tracing::info!("{outcome}");
    }
    Ok(())
}
