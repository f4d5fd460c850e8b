//! Joining and leaving the quorum, and the socket that it publishes.

use super::{OperatorError, OperatorSetup, Outcome, QUORUM};
use crate::chain::ChainError;
use alloy::{
    primitives::{Address, B256, Bytes, U256},
    sol_types::SolValue,
};
use anzen_contracts::eigenlayer::{
    AllocationManager, BLSApkRegistry, DeregisterParams, PubkeyRegistrationParams, RegisterParams,
    SlashingRegistryCoordinator, SocketRegistry, StakeRegistry,
};
use anzen_messages::bls::{G1Bytes, HashedMessage};

/// The coordinator's number of a registration that displaces nobody.
const NORMAL_REGISTRATION: U256 = U256::ZERO;

impl OperatorSetup {
    /// Joins the quorum: proves that it has the secret of its BLS key, and publishes its socket.
    pub async fn join(&self) -> Result<Outcome, OperatorError> {
        let operator = self.address();
        self.check_key().await?;
        if self.is_member().await? {
            return Ok(Outcome::AlreadyDone(format!("{operator} belongs to quorum {QUORUM}")));
        }
        self.check_weight().await?;
        let params = RegisterParams {
            avs: self.addresses.service_manager,
            operatorSetIds: vec![QUORUM.into()],
            data: self.registration().await?,
        };
        let call = AllocationManager::registerForOperatorSetsCall { operator, params };
        self.send("joining the quorum", self.addresses.allocation_manager, &call).await?;
        Ok(Outcome::Done(format!("{operator} has joined quorum {QUORUM} as {}", self.operator_id())))
    }

    /// Leaves the quorum. The stake can be slashed for EigenLayer's deallocation delay yet, and re-joining is possible only
    /// after it.
    pub async fn leave(&self) -> Result<Outcome, OperatorError> {
        let operator = self.address();
        if !self.is_member().await? {
            return Ok(Outcome::AlreadyDone(format!("{operator} does not belong to quorum {QUORUM}")));
        }
        let avs = self.addresses.service_manager;
        let params = DeregisterParams { operator, avs, operatorSetIds: vec![QUORUM.into()] };
        let call = AllocationManager::deregisterFromOperatorSetsCall { params };
        self.send("leaving the quorum", self.addresses.allocation_manager, &call).await?;
        Ok(Outcome::Done(format!("{operator} has left quorum {QUORUM}")))
    }

    /// Publishes another socket.
    pub async fn update_socket(&self, socket: &str) -> Result<Outcome, OperatorError> {
        let operator = self.address();
        if !self.is_member().await? {
            return Err(OperatorError::NotMember(operator));
        }
        if self.socket().await? == socket {
            return Ok(Outcome::AlreadyDone(format!("{operator}'s socket is {socket}")));
        }
        let call = SlashingRegistryCoordinator::updateSocketCall { socket: socket.to_owned() };
        self.send("updating the socket", self.addresses.registry_coordinator, &call).await?;
        Ok(Outcome::Done(format!("{operator}'s socket has become {socket}")))
    }

    pub(super) fn operator_id(&self) -> B256 {
        self.key.public_key().operator_id().0
    }

    pub(super) async fn socket(&self) -> Result<String, ChainError> {
        let view = SocketRegistry::getOperatorSocketCall { operatorId: self.operator_id() };
        self.read(self.addresses.socket_registry, view).await
    }

    /// What the coordinator reads of a registration: three arguments, not one tuple.
    async fn registration(&self) -> Result<Bytes, OperatorError> {
        let view =
            SlashingRegistryCoordinator::pubkeyRegistrationMessageHashCall { operator: self.address() };
        let message = self.read(self.addresses.registry_coordinator, view).await?;
        let message = HashedMessage::from_contract(G1Bytes::from_words(message.X, message.Y))?;
        let key = self.key.public_key();
        let params = PubkeyRegistrationParams {
            pubkeyRegistrationSignature: self.key.sign(&message).to_bytes().into(),
            pubkeyG1: key.g1().into(),
            pubkeyG2: key.g2().to_bytes().into(),
        };
        Ok((NORMAL_REGISTRATION, self.params.socket.clone(), params).abi_encode_params().into())
    }

    /// A key belongs to one operator, and an operator has one key, for good.
    async fn check_key(&self) -> Result<(), OperatorError> {
        let (operator, id, registry) = (self.address(), self.operator_id(), self.addresses.bls_apk_registry);
        let registered = self.read(registry, BLSApkRegistry::getOperatorIdCall { operator }).await?;
        if registered != B256::ZERO && registered != id {
            return Err(OperatorError::OtherKey { operator, registered, given: id });
        }
        let owner =
            self.read(registry, BLSApkRegistry::getOperatorFromPubkeyHashCall { pubkeyHash: id }).await?;
        if owner != Address::ZERO && owner != operator {
            return Err(OperatorError::KeyTaken { operator, owner, id });
        }
        Ok(())
    }

    /// The registry would refuse too, without the figures. Its own weight of an operator is zero until it has joined.
    async fn check_weight(&self) -> Result<(), OperatorError> {
        let operator = self.address();
        let view = AllocationManager::getAllocatedStakeCall {
            operatorSet: self.operator_set(),
            operators: vec![operator],
            strategies: vec![self.addresses.strategy],
        };
        let stakes = self.read(self.addresses.allocation_manager, view).await?;
        let weight = stakes.into_iter().flatten().sum::<U256>();
        let minimum = self.minimum_stake().await?;
        if weight < minimum {
            return Err(OperatorError::StakeTooLow { operator, weight, minimum });
        }
        Ok(())
    }

    pub(super) async fn minimum_stake(&self) -> Result<U256, ChainError> {
        let view = StakeRegistry::minimumStakeForQuorumCall { quorumNumber: QUORUM };
        Ok(U256::from(self.read(self.addresses.stake_registry, view).await?))
    }
}
