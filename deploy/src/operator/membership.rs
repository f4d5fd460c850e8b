//! Joining and leaving the quorum, and the socket that it publishes.

use super::{BlsKey, OperatorError, OperatorSetup, Plan, QUORUM, Wait, past::When};
use alloy::{
    primitives::{Address, B256, Bytes, U256},
    sol_types::SolValue,
};
use anzen_contracts::eigenlayer::{
    AllocationManager, BLSApkRegistry, DeregisterParams, PubkeyRegistrationParams, RegisterParams,
    SlashingRegistryCoordinator,
};
use anzen_messages::bls::{G1Bytes, HashedMessage};

/// The coordinator's number of a registration that displaces nobody.
const NORMAL_REGISTRATION: U256 = U256::ZERO;

impl OperatorSetup {
    /// Joins the quorum: proves that it has the secret of its BLS key, and publishes its socket. Who left can join again
    /// after EigenLayer's deallocation delay.
    pub(super) async fn join(&self) -> Result<Plan, OperatorError> {
        let (operator, at) = (self.address(), &self.operator.addresses);
        if let Some(key) = &self.key {
            self.check_key(key.public_key().operator_id().0).await?;
        }
        if self.operator.is_member().await? {
            return Ok(Plan::Nothing(format!("{operator} belongs to quorum {QUORUM}")));
        }
        let key = self.key.as_deref().ok_or(OperatorError::NoBlsKey)?;
        if self.operator.is_slashable().await? {
            return self.await_return().await;
        }
        self.check_weight().await?;
        let params = RegisterParams {
            avs: at.service_manager,
            operatorSetIds: vec![QUORUM.into()],
            data: self.registration(key).await?,
        };
        let call = AllocationManager::registerForOperatorSetsCall { operator, params };
        let requests = vec![self.request("joining the quorum", at.allocation_manager, &call)];
        let id = key.public_key().operator_id();
        Ok(Plan::Send { requests, done: format!("{operator} has joined quorum {QUORUM} as {id}") })
    }

    /// Leaves the quorum. The stake can be slashed for EigenLayer's deallocation delay yet, and re-joining is possible only
    /// after it.
    pub(super) async fn leave(&self) -> Result<Plan, OperatorError> {
        let operator = self.address();
        if !self.operator.is_member().await? {
            return Ok(Plan::Nothing(format!("{operator} does not belong to quorum {QUORUM}")));
        }
        let avs = self.operator.addresses.service_manager;
        let params = DeregisterParams { operator, avs, operatorSetIds: vec![QUORUM.into()] };
        let call = AllocationManager::deregisterFromOperatorSetsCall { params };
        let to = self.operator.addresses.allocation_manager;
        let delay = self.operator.deallocation_delay().await?;
        let done = format!(
            "{operator} has left quorum {QUORUM}: for {delay} blocks more it can be slashed for what it has signed, and \
             cannot join again"
        );
        Ok(Plan::Send { requests: vec![self.request("leaving the quorum", to, &call)], done })
    }

    /// Publishes another socket. A member keeps the one that it joined with until then.
    pub(super) async fn update_socket(&self) -> Result<Plan, OperatorError> {
        let (operator, socket) = (self.address(), &self.params.socket);
        let Some(id) = self.operator.id().await? else {
            return Err(OperatorError::NotMember(operator));
        };
        if !self.operator.is_member().await? {
            return Err(OperatorError::NotMember(operator));
        }
        let published = self.operator.socket(id).await?;
        if socket.is_empty() || published == *socket {
            return Ok(Plan::Nothing(format!("{operator}'s socket is {published:?}")));
        }
        let call = SlashingRegistryCoordinator::updateSocketCall { socket: socket.clone() };
        let to = self.operator.addresses.registry_coordinator;
        let requests = vec![self.request("updating the socket", to, &call)];
        Ok(Plan::Send { requests, done: format!("{operator}'s socket has become {socket:?}") })
    }

    /// Until an operator that left may join again.
    async fn await_return(&self) -> Result<Plan, OperatorError> {
        let (operator, height) = (self.address(), self.operator.height().await?);
        let delay = u64::from(self.operator.deallocation_delay().await?);
        let (until, exact) = match self.operator.left(delay).await? {
            When::Known(block) => (block + delay + 1, true),
            When::Never | When::Unknown => (height + delay + 1, false),
        };
        let text = format!("{operator} has left the quorum and may join it again");
        Ok(Plan::Wait(Wait { text, height, until, exact }))
    }

    /// What the coordinator reads of a registration: three arguments, not one tuple.
    async fn registration(&self, key: &dyn BlsKey) -> Result<Bytes, OperatorError> {
        let view =
            SlashingRegistryCoordinator::pubkeyRegistrationMessageHashCall { operator: self.address() };
        let message = self.operator.read(self.operator.addresses.registry_coordinator, view).await?;
        let message = HashedMessage::from_contract(G1Bytes::from_words(message.X, message.Y))?;
        let public = key.public_key();
        let signature = key.sign(&message).await.map_err(OperatorError::Sign)?;
        let params = PubkeyRegistrationParams {
            pubkeyRegistrationSignature: signature.to_bytes().into(),
            pubkeyG1: public.g1().into(),
            pubkeyG2: public.g2().to_bytes().into(),
        };
        Ok((NORMAL_REGISTRATION, self.params.socket.clone(), params).abi_encode_params().into())
    }

    /// A key belongs to one operator, and an operator has one key, for good.
    async fn check_key(&self, id: B256) -> Result<(), OperatorError> {
        let operator = self.address();
        match self.operator.id().await? {
            Some(registered) if registered != id => {
                return Err(OperatorError::OtherKey { operator, registered, given: id });
            }
            _ => {}
        }
        let view = BLSApkRegistry::getOperatorFromPubkeyHashCall { pubkeyHash: id };
        let owner = self.operator.read(self.operator.addresses.bls_apk_registry, view).await?;
        if owner != Address::ZERO && owner != operator {
            return Err(OperatorError::KeyTaken { operator, owner, id });
        }
        Ok(())
    }

    /// The registry would refuse too, without the figures. Its own weight of an operator is zero until it has joined.
    async fn check_weight(&self) -> Result<(), OperatorError> {
        let operator = self.address();
        let view = AllocationManager::getAllocatedStakeCall {
            operatorSet: self.operator.operator_set(),
            operators: vec![operator],
            strategies: vec![self.operator.addresses.strategy],
        };
        let stakes = self.operator.read(self.operator.addresses.allocation_manager, view).await?;
        let weight = stakes.into_iter().flatten().sum::<U256>();
        let minimum = self.operator.minimum_stake().await?;
        if weight < minimum {
            return Err(OperatorError::StakeTooLow { operator, weight, minimum });
        }
        Ok(())
    }
}
