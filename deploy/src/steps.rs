//! Carrying out the steps of a deployment, each once, whatever interrupts it.
//!
//! Steps come in batches within which none depends on another's effect: all are sent, then all are awaited. A creation is
//! done when there is code at its recorded address; a call is done when a view of the chain shows its effect.

use crate::{
    chain::{self, Account, ChainError, Request, Sent},
    error::DeployError,
    journal::{Creation, Journal},
};
use alloy::{
    primitives::{Address, Bytes, TxHash, keccak256},
    providers::{DynProvider, Provider},
    rpc::types::TransactionRequest,
    sol_types::{SolCall, SolConstructor},
};

/// Carries out steps in the name of one account, and keeps the journal.
#[derive(Debug)]
pub(crate) struct Steps<'a> {
    pub(crate) account: &'a Account,
    pub(crate) journal: &'a mut Journal,
}

/// A call, and how to see that it has been made.
pub(crate) struct Step {
    request: Request,
    done: Effect,
}

/// What the chain shows once a call has been made.
pub(crate) enum Effect {
    /// A proxy has this implementation.
    Implementation(Address, Address),
    /// A view returns exactly this.
    Returns(Address, Bytes, Bytes),
    /// A view returns something else than this.
    ReturnsOther(Address, Bytes, Bytes),
}

impl Step {
    /// `name` is the step's in the journal, unique in a deployment.
    pub(crate) fn new<C: SolCall>(name: impl Into<String>, to: Address, call: &C, done: Effect) -> Self {
        Self { request: Request::call(name, to, call), done }
    }
}

impl Effect {
    /// The view returns `value`.
    pub(crate) fn returns<C: SolCall>(of: Address, view: &C, value: &C::Return) -> Self {
        Self::Returns(of, view.abi_encode().into(), C::abi_encode_returns(value).into())
    }

    /// The view returns anything but `value`.
    pub(crate) fn returns_other<C: SolCall>(of: Address, view: &C, value: &C::Return) -> Self {
        Self::ReturnsOther(of, view.abi_encode().into(), C::abi_encode_returns(value).into())
    }

    async fn is_there(&self, provider: &DynProvider) -> Result<bool, ChainError> {
        match self {
            Self::Implementation(proxy, implementation) => {
                Ok(chain::proxy_implementation(provider, *proxy).await? == *implementation)
            }
            Self::Returns(of, view, value) => Ok(raw_view(provider, *of, view).await? == *value),
            Self::ReturnsOther(of, view, value) => Ok(raw_view(provider, *of, view).await? != *value),
        }
    }
}

async fn raw_view(provider: &DynProvider, of: Address, view: &Bytes) -> Result<Bytes, ChainError> {
    let request = TransactionRequest::default().to(of).input(view.clone().into());
    provider.call(request).await.map_err(|e| ChainError::rpc(format!("a view of {of}"), e))
}

/// Creation code followed by constructor arguments.
pub(crate) fn with_arguments(code: &Bytes, arguments: &impl SolConstructor) -> Bytes {
    [code.as_ref(), &arguments.abi_encode()].concat().into()
}

impl Steps<'_> {
    pub(crate) fn provider(&self) -> &DynProvider {
        self.account.provider()
    }

    /// Creates contracts, those that are not there yet, and returns where they are.
    pub(crate) async fn create<const N: usize>(
        &mut self,
        contracts: [(&str, Bytes); N],
    ) -> Result<[Address; N], DeployError> {
        let mut addresses = [Address::ZERO; N];
        let mut sent = Vec::new();
        for (address, (name, code)) in addresses.iter_mut().zip(contracts) {
            let (at, pending) = self.begin_creation(name, code).await?;
            *address = at;
            sent.extend(pending);
        }
        self.wait_all(&sent).await?;
        for (address, sent) in sent.iter().filter_map(|s| Some((s.creates?, s))) {
            if chain::code_at(self.provider(), address).await?.is_empty() {
                return Err(DeployError::NoEffect { step: sent.what.clone() });
            }
        }
        Ok(addresses)
    }

    /// Creates one contract.
    pub(crate) async fn create_one(&mut self, name: &str, code: Bytes) -> Result<Address, DeployError> {
        let [address] = self.create([(name, code)]).await?;
        Ok(address)
    }

    /// Makes calls, those whose effect is not there yet.
    pub(crate) async fn call<const N: usize>(&mut self, steps: [Step; N]) -> Result<(), DeployError> {
        let mut sent = Vec::new();
        for step in &steps {
            if !step.done.is_there(self.provider()).await? {
                sent.push(self.begin_call(step).await?);
            }
        }
        if sent.is_empty() {
            return Ok(());
        }
        self.wait_all(&sent).await?;
        for step in &steps {
            if !step.done.is_there(self.provider()).await? {
                return Err(DeployError::NoEffect { step: step.request.what.clone() });
            }
        }
        Ok(())
    }

    /// Where the contract is or will be, and the transaction to wait for, if any.
    async fn begin_creation(
        &mut self,
        name: &str,
        code: Bytes,
    ) -> Result<(Address, Option<Sent>), DeployError> {
        let code_hash = keccak256(&code);
        let request = Request::create(name, code);
        if let Some(Creation { address, transaction, .. }) = self.journal.creation(name, code_hash)?.cloned()
        {
            if !chain::code_at(self.provider(), address).await?.is_empty() {
                return Ok((address, None));
            }
            if let Some(sent) = self.pending(&request, transaction, Some(address)).await? {
                return Ok((address, Some(sent)));
            }
        }
        tracing::info!(step = name, "create");
        let journal = &mut *self.journal;
        let sent = self.account.send_recorded(&request, |sent| {
            let address = sent.creates.unwrap_or_default();
            let creation = Creation { address, transaction: sent.hash, code_hash };
            journal.record_creation(name, creation).map_err(DeployError::from)
        });
        let sent = sent.await?;
        Ok((sent.creates.unwrap_or_default(), Some(sent)))
    }

    async fn begin_call(&mut self, step: &Step) -> Result<Sent, DeployError> {
        let name = step.request.what.as_str();
        if let Some(hash) = self.journal.call(name)
            && let Some(sent) = self.pending(&step.request, hash, None).await?
        {
            return Ok(sent);
        }
        tracing::info!(step = name, "call");
        let journal = &mut *self.journal;
        let sent = self.account.send_recorded(&step.request, |sent| {
            journal.record_call(name, sent.hash).map_err(DeployError::from)
        });
        sent.await
    }

    /// A transaction of an earlier run that is still on its way.
    async fn pending(
        &self,
        request: &Request,
        hash: TxHash,
        creates: Option<Address>,
    ) -> Result<Option<Sent>, DeployError> {
        let found = self.provider().get_transaction_by_hash(hash).await;
        let found = found.map_err(|e| ChainError::rpc(request.what.clone(), e))?;
        let pending = found.is_some_and(|transaction| transaction.block_number.is_none());
        Ok(pending.then(|| self.account.sent(request, hash, creates)))
    }

    async fn wait_all(&self, sent: &[Sent]) -> Result<(), DeployError> {
        for sent in sent {
            self.account.wait(sent).await?;
        }
        Ok(())
    }
}
