//! The signers of the keys that are in this process. A remote signer would be made here, instead of a local one.

use std::sync::Arc;

use alloy::signers::local::PrivateKeySigner;
use anzen_messages::wire::ActorName;
use tokio::sync::oneshot;

use super::config::NodeConfig;
use super::error::NodeError;
use crate::adapters::{LocalBlsSigner, LocalTxSigner};
use crate::keys::{KeyKind, KeysConfig, Loader, Surroundings, ThisProcess};
use crate::ports::{BlsSigner, TxSigner};

/// What the process signs with: nothing where no role needs it, or no source is given (the role then says so).
#[derive(Default)]
pub(super) struct Signers {
    pub(super) bls: Option<Arc<dyn BlsSigner>>,
    pub(super) tx: Option<Arc<dyn TxSigner>>,
    /// The operator's account, for `register_operator_on_startup` alone.
    pub(super) account: Option<PrivateKeySigner>,
}

impl Signers {
    /// Opens the keys that the roles need. It happens on a thread of its own: it takes seconds, and where a person is asked
    /// for a password and does not answer, the process must end all the same.
    pub(super) async fn load(config: &NodeConfig) -> Result<Self, NodeError> {
        let needs = Needs {
            bls: config.runs(ActorName::OperatorSigner),
            tx: config.runs(ActorName::TxSender),
            account: config.register_operator_on_startup,
        };
        let keys = config.keys.clone();
        let (sender, receiver) = oneshot::channel();
        std::thread::spawn(move || {
            // Nobody waits any more where the process ends.
            let _ = sender.send(Self::open(&keys, needs, &ThisProcess));
        });
        receiver.await.map_err(|_| NodeError::Adapter("the keys' thread has ended".into()))?
    }

    fn open(keys: &KeysConfig, needs: Needs, surroundings: &dyn Surroundings) -> Result<Self, NodeError> {
        let loader = Loader::new(surroundings);
        let mut signers = Self::default();
        if needs.bls && loader.is_given(KeyKind::Bls, &keys.bls) {
            signers.bls = Some(Arc::new(LocalBlsSigner::new(loader.bls(&keys.bls)?)));
        }
        if needs.account || needs.tx && loader.is_given(KeyKind::Ecdsa, &keys.ecdsa) {
            let key = loader.ecdsa(&keys.ecdsa)?;
            signers.account = needs.account.then(|| key.clone());
            signers.tx = needs.tx.then(|| Arc::new(LocalTxSigner::new(key)) as Arc<dyn TxSigner>);
        }
        Ok(signers)
    }
}

/// Which keys the roles of a process need.
#[derive(Debug, Clone, Copy)]
struct Needs {
    bls: bool,
    tx: bool,
    account: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{KeySource, testing::Scripted};

    #[test]
    fn a_key_is_opened_only_where_a_role_needs_it() {
        let missing = KeySource { private_key_file: Some("/nowhere/key".into()), ..KeySource::default() };
        let keys = KeysConfig { bls: missing.clone(), ecdsa: missing };
        let open = |bls, tx| Signers::open(&keys, Needs { bls, tx, account: false }, &Scripted::default());
        assert!(open(false, false).is_ok());
        assert!(open(true, false).is_err() && open(false, true).is_err());
    }

    #[test]
    fn a_key_that_nothing_leads_to_is_for_its_role_to_report() {
        let open = Signers::open(
            &KeysConfig::default(),
            Needs { bls: true, tx: true, account: false },
            &Scripted::default(),
        );
        let signers = open.ok().unwrap();
        assert!(signers.bls.is_none() && signers.tx.is_none());
    }
}
