//! Bringing a protocol to a deployment, or changing one: the timelock adds it to the oracle, and sets the policy of its tasks.
//!
//! What a proposal does follows from its file and the deployment alone, so that anyone can check what the timelock is asked
//! for: proposing the same file twice yields the same operation.

mod error;

pub use error::ProposalError;

use crate::{
    addresses::{Addresses, Feeds, Protocol},
    anzen::{Operation, add_model, add_protocol, allow_stake_registry, policy, set_policy},
    chain::{self, Account, ChainError, Request},
    config::{ModelConfig, ProtocolConfig},
    error::DeployError,
    models,
};
use alloy::{
    primitives::{Address, B256, Bytes, U256},
    providers::DynProvider,
    sol_types::SolCall,
};
use anzen_contracts::{AnzenTaskManager, SafetyFactorOracle, TimelockController};
use anzen_messages::model::Model;
use std::path::Path;

/// What is proposed about a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// It is added.
    Add,
    /// It is there already: its tasks get the file's policy and model.
    Change {
        /// Tells a change from an earlier one to the same. The timelock executes each but once, so whoever goes back to what was
        /// set by a change before gives another number.
        number: u32,
    },
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum Progress {
    /// The timelock does not know it.
    Unknown,
    /// Scheduled; by the chain's clock it can be executed in so many seconds.
    Waiting {
        /// Seconds from the latest block on.
        seconds: u64,
    },
    /// It can be executed.
    Ready,
    /// It was executed.
    Done,
}

/// The model of a protocol that is proposed.
#[derive(Debug)]
enum Proposed {
    /// Is added with it.
    New(Model),
    /// Was added before.
    Kept(B256),
}

/// A protocol that is proposed.
#[derive(Debug)]
pub struct Proposal {
    protocol: ProtocolConfig,
    intent: Intent,
    model: Proposed,
    operation: Operation,
    timelock: Address,
    oracle: Address,
    task_manager: Address,
    models: Address,
    delay: U256,
    id: B256,
}

/// Reads a protocol's file: what stands under `[[protocols]]` in a network's file, with a model in a file or on chain.
///
/// # Errors
/// Where the file is not there, not a protocol's, or a value is out of its range.
pub fn load(path: &Path) -> Result<ProtocolConfig, ProposalError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ProposalError::Read { path: path.to_owned(), source })?;
    let mut protocol: ProtocolConfig = toml::from_str(&text)
        .map_err(|source| ProposalError::Malformed { path: path.to_owned(), source: Box::new(source) })?;
    protocol.check().map_err(ProposalError::Inconsistent)?;
    protocol.named_in(path);
    Ok(protocol)
}

impl Proposal {
    /// What the timelock is to do, after a look at the chain.
    ///
    /// # Errors
    /// Where the model cannot be read, or the chain cannot be asked. What the model reads is looked at before it is proposed.
    pub async fn new(
        provider: &DynProvider,
        addresses: &Addresses,
        protocol: ProtocolConfig,
        intent: Intent,
    ) -> Result<Self, ProposalError> {
        let model = match &protocol.model {
            ModelConfig::File(path) => Proposed::New(models::load(path)?),
            ModelConfig::Hash(hash) => Proposed::Kept(*hash),
            ModelConfig::LocalVault(_) => {
                let what = "only a new deployment has a local vault; give model.file or model.hash";
                return Err(ProposalError::Inconsistent(what.into()));
            }
        };
        let operation = operation(addresses, &protocol, &model, intent);
        let timelock = addresses.timelock;
        let delay = chain::read(provider, timelock, TimelockController::getMinDelayCall {}).await?;
        let id = chain::read(provider, timelock, operation.identify()).await?;
        let Addresses { safety_factor_oracle: oracle, task_manager, safety_factor_models: models, .. } =
            *addresses;
        Ok(Self { protocol, intent, model, operation, timelock, oracle, task_manager, models, delay, id })
    }

    /// The operation's id in the timelock.
    pub fn id(&self) -> B256 {
        self.id
    }

    /// The timelock.
    pub fn timelock(&self) -> Address {
        self.timelock
    }

    /// The model's name in tasks.
    pub fn model_hash(&self) -> B256 {
        self.model.hash()
    }

    /// What a proposer sends to the timelock, from any wallet.
    pub fn schedule_data(&self) -> Bytes {
        self.operation.schedule(self.delay).abi_encode().into()
    }

    /// What an executor sends to the timelock after the delay.
    pub fn execute_data(&self) -> Bytes {
        self.operation.execute().abi_encode().into()
    }

    /// How far it is.
    ///
    /// # Errors
    /// Where the chain cannot be asked.
    pub async fn progress(&self, provider: &DynProvider) -> Result<Progress, ChainError> {
        /// OpenZeppelin's mark of an operation that was executed.
        const DONE: u64 = 1;
        let at = chain::read(provider, self.timelock, TimelockController::getTimestampCall { id: self.id })
            .await?;
        if at.is_zero() {
            return Ok(Progress::Unknown);
        }
        if at == U256::from(DONE) {
            return Ok(Progress::Done);
        }
        let now = U256::from(chain::latest_timestamp(provider).await?);
        Ok(match at.saturating_sub(now) {
            left if left.is_zero() => Progress::Ready,
            left => Progress::Waiting { seconds: left.saturating_to() },
        })
    }

    /// Schedules the operation, unless it is. Only a proposer may.
    ///
    /// # Errors
    /// Where [`Self::check`] finds something, the same was executed before and does not hold any more, or the timelock refuses.
    pub async fn propose(&self, proposer: &Account) -> Result<Progress, ProposalError> {
        let provider = proposer.provider();
        let progress = self.progress(provider).await?;
        if progress == Progress::Done {
            self.check_in_force(provider).await?;
        }
        if progress != Progress::Unknown {
            return Ok(progress);
        }
        self.check(provider).await?;
        let schedule = self.operation.schedule(self.delay);
        proposer.execute(&Request::call("proposing it", self.timelock, &schedule)).await?;
        Ok(self.progress(provider).await?)
    }

    /// Executes the operation, unless it was. Only an executor may.
    ///
    /// # Errors
    /// Where it was not proposed or its delay has not passed, where it was executed and does not hold any more, or where the
    /// timelock refuses.
    pub async fn execute(&self, executor: &Account) -> Result<Protocol, ProposalError> {
        let provider = executor.provider();
        match self.progress(provider).await? {
            Progress::Unknown => return Err(ProposalError::NotProposed),
            Progress::Waiting { seconds } => return Err(ProposalError::NotReady { seconds }),
            Progress::Ready => {
                let execute = self.operation.execute();
                executor.execute(&Request::call("executing the proposal", self.timelock, &execute)).await?;
            }
            Progress::Done => self.check_in_force(provider).await?,
        }
        let feeds = Feeds::read(provider, self.oracle, self.protocol.oracle_index).await?;
        Ok(Protocol::new(&self.protocol, self.model_hash(), feeds))
    }

    /// Looks for what would be refused after the delay only, or would leave the protocol without answers.
    ///
    /// # Errors
    /// Where the oracle has a protocol of that index, or none that could be changed; where the model is there already, or not at
    /// all, or what it reads is not there.
    pub async fn check(&self, provider: &DynProvider) -> Result<(), ProposalError> {
        self.check_protocol(provider).await?;
        let hash = self.model.hash();
        let kept = models::exists(provider, self.models, hash).await?;
        let findings = match &self.model {
            Proposed::New(_) if kept => return Err(DeployError::ModelExists(hash).into()),
            Proposed::Kept(_) if !kept => return Err(DeployError::UnknownModel(hash).into()),
            Proposed::New(model) => {
                let allowed = &self.protocol.allow_stake_registries;
                models::check_sources(provider, self.models, model, allowed).await?
            }
            Proposed::Kept(hash) => {
                let model = models::get(provider, self.models, *hash).await?;
                models::check_kept(provider, self.models, &model).await?
            }
        };
        for finding in findings {
            if let Err(what) = &finding.found {
                let error = DeployError::Source { source_of: finding.to_string(), what: what.clone() };
                return Err(error.into());
            }
        }
        Ok(())
    }

    async fn check_protocol(&self, provider: &DynProvider) -> Result<(), ProposalError> {
        let index = self.protocol.oracle_index;
        let view = SafetyFactorOracle::protocolExistsCall { oracleIndex: index };
        match (self.intent, chain::read(provider, self.oracle, view).await?) {
            (Intent::Add, true) => return Err(ProposalError::Exists(index)),
            (Intent::Add, false) => return Ok(()),
            (Intent::Change { .. }, false) => return Err(ProposalError::Unknown(index)),
            (Intent::Change { .. }, true) => {}
        }
        let view = SafetyFactorOracle::protocolNameCall { oracleIndex: index };
        let name = chain::read(provider, self.oracle, view).await?;
        if name == self.protocol.name { Ok(()) } else { Err(ProposalError::OtherName { index, name }) }
    }

    /// What was executed once holds until something else is.
    async fn check_in_force(&self, provider: &DynProvider) -> Result<(), ProposalError> {
        let view = AnzenTaskManager::taskPolicyCall { oracleIndex: self.protocol.oracle_index };
        let in_force = chain::read(provider, self.task_manager, view).await?;
        let proposed = policy(&self.protocol, self.model.hash());
        if in_force == proposed { Ok(()) } else { Err(ProposalError::Superseded) }
    }
}

/// What the timelock is asked for.
fn operation(
    addresses: &Addresses,
    protocol: &ProtocolConfig,
    model: &Proposed,
    intent: Intent,
) -> Operation {
    let mut operation = Operation::new(&match intent {
        Intent::Add => "anzen/protocol".to_owned(),
        Intent::Change { number } => format!("anzen/protocol/change/{number}"),
    });
    for registry in &protocol.allow_stake_registries {
        allow_stake_registry(&mut operation, addresses.safety_factor_models, *registry);
    }
    if let Proposed::New(model) = model {
        add_model(&mut operation, addresses.safety_factor_models, model);
    }
    if intent == Intent::Add {
        add_protocol(&mut operation, protocol, addresses.safety_factor_oracle);
    }
    set_policy(&mut operation, protocol, model.hash(), addresses.task_manager);
    operation
}

impl Proposed {
    fn hash(&self) -> B256 {
        match self {
            Self::New(model) => model.hash(),
            Self::Kept(hash) => *hash,
        }
    }
}
