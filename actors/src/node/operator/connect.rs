//! The operator that a configuration names, on its chain.

use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::Address;
use alloy::providers::DynProvider;
use alloy::signers::local::PrivateKeySigner;
use anzen_deploy::Addresses;
use anzen_deploy::chain::Account;
use anzen_deploy::operator::{BlsKey, Operator, OperatorError, OperatorSetup};
use anzen_messages::bls::{HashedMessage, PublicKey, Signature};
use async_trait::async_trait;

use crate::node::{NodeConfig, NodeError, client_of};
use crate::ports::BlsSigner;

/// The operator with that account, ready to take steps. Only joining the quorum needs the BLS key.
///
/// # Errors
/// Where the endpoint does not answer or serves another chain, or the settings of `[operator]` cannot be.
pub async fn connect(
    config: &NodeConfig,
    key: PrivateKeySigner,
    bls: Option<Arc<dyn BlsSigner>>,
) -> Result<OperatorSetup, NodeError> {
    let operator = look_at(config, key.address()).await?;
    let params = config.operator.params(operator.decimals().await.map_err(OperatorError::from)?)?;
    let account = Account::new(provider(config)?, key).await.map_err(OperatorError::from)?;
    let bls = bls.map(|signer| Arc::new(Possession(signer)) as Arc<dyn BlsKey>);
    Ok(OperatorSetup::new(account, bls, Addresses::load(&config.addresses)?, params))
}

/// The operator at an address, to look at.
///
/// # Errors
/// Where the endpoint does not answer or serves another chain.
pub async fn look_at(config: &NodeConfig, address: Address) -> Result<Operator, NodeError> {
    let addresses = Addresses::load(&config.addresses)?;
    let expected = addresses.chain_id;
    let operator = Operator::new(provider(config)?, address, addresses);
    let got = operator.chain_id().await.map_err(OperatorError::from)?;
    if got != expected {
        return Err(NodeError::WrongChain { got, expected });
    }
    Ok(operator)
}

fn provider(config: &NodeConfig) -> Result<DynProvider, NodeError> {
    client_of(&config.chain.rpc_url, Duration::from_millis(config.chain.timeout_ms))
}

/// The process's signer proves that the operator has the key.
struct Possession(Arc<dyn BlsSigner>);

#[async_trait]
impl BlsKey for Possession {
    fn public_key(&self) -> PublicKey {
        self.0.public_key()
    }

    async fn sign(&self, message: &HashedMessage) -> Result<Signature, String> {
        self.0.sign(message).await.map_err(|error| error.to_string())
    }
}
