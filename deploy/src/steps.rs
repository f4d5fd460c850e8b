//! Carrying out the steps of a deployment, each once, whatever interrupts it.
//!
//! Steps come in batches within which none depends on another's effect: all are sent, then all are awaited. A creation is
//! done when the receipt of its recorded transaction names its address; a call is done when a view of the chain shows its
//! effect. A recorded transaction that the node knows is waited for and never sent again, unless it has failed.

use crate::{
    chain::{self, Account, ChainError, Request, Sent},
    error::DeployError,
    journal::{Call, Creation, Journal},
    plan::{Plan, Planning},
};
use alloy::{
    primitives::{Address, B256, Bytes, TxHash, keccak256},
    providers::{DynProvider, Provider},
    rpc::types::TransactionRequest,
    sol_types::{SolCall, SolConstructor},
};

/// Carries out steps in the name of one account, and keeps the journal; or only notes what is to be done.
#[derive(Debug)]
pub(crate) struct Steps<'a> {
    pub(crate) account: &'a Account,
    pub(crate) journal: &'a mut Journal,
    planning: Option<Planning>,
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

    /// Which contract is called, and with what.
    fn hash(&self) -> B256 {
        let to = self.request.to.unwrap_or_default();
        keccak256([to.as_slice(), &self.request.data].concat())
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

    /// Which contract shows it.
    fn shown_by(&self) -> Address {
        match self {
            Self::Implementation(of, _) | Self::Returns(of, ..) | Self::ReturnsOther(of, ..) => *of,
        }
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

/// Asks contracts, and answers for those that are only planned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    provider: &'a DynProvider,
    planning: Option<&'a Planning>,
}

impl<'a> View<'a> {
    /// What a contract says; one that is yet to be created, or got ready by a step that is yet to come, will say `planned`.
    pub(crate) async fn read_or<C: SolCall>(
        self,
        of: Address,
        view: C,
        planned: C::Return,
    ) -> Result<C::Return, ChainError> {
        match self.planning {
            Some(planning) if planning.is_planned(of) => Ok(planned),
            Some(planning) if planning.is_anything_to_do() => {
                chain::read(self.provider, of, view).await.or_else(|error| not_ready(error, planned))
            }
            _ => chain::read(self.provider, of, view).await,
        }
    }
}

/// While steps are to come, a contract that refuses a view is one that a step gets ready.
fn not_ready<T>(error: ChainError, planned: T) -> Result<T, ChainError> {
    if matches!(error, ChainError::Reverted { .. } | ChainError::Answer { .. }) {
        Ok(planned)
    } else {
        Err(error)
    }
}

/// Creation code followed by constructor arguments.
pub(crate) fn with_arguments(code: &Bytes, arguments: &impl SolConstructor) -> Bytes {
    [code.as_ref(), &arguments.abi_encode()].concat().into()
}

impl<'a> Steps<'a> {
    /// Steps that are carried out.
    pub(crate) fn new(account: &'a Account, journal: &'a mut Journal) -> Self {
        Self { account, journal, planning: None }
    }

    /// Steps of which nothing is sent or written down.
    pub(crate) async fn planning(account: &'a Account, journal: &'a mut Journal) -> Result<Self, ChainError> {
        let planning = Planning::new(account.address(), account.first_nonce().await?);
        Ok(Self { account, journal, planning: Some(planning) })
    }
}

impl Steps<'_> {
    pub(crate) fn provider(&self) -> &DynProvider {
        self.account.provider()
    }

    /// What was planned, if that is what the steps were for.
    pub(crate) fn into_plan(self) -> Option<Plan> {
        self.planning.map(Planning::finish)
    }

    /// Whether the contract is yet to be created, and this is only a plan.
    fn is_planned(&self, contract: Address) -> bool {
        self.planning.as_ref().is_some_and(|planning| planning.is_planned(contract))
    }

    /// What contracts say, those too that are only planned.
    pub(crate) fn view(&self) -> View<'_> {
        View { provider: self.account.provider(), planning: self.planning.as_ref() }
    }

    /// Creates contracts, those that are not there yet, and returns where they are.
    pub(crate) async fn create<const N: usize>(
        &mut self,
        contracts: [(&str, Bytes); N],
    ) -> Result<[Address; N], DeployError> {
        let mut addresses = [Address::ZERO; N];
        if self.planning.is_some() {
            for (address, (name, code)) in addresses.iter_mut().zip(contracts) {
                *address = self.plan_creation(name, code).await?;
            }
            return Ok(addresses);
        }
        let mut sent = Vec::with_capacity(N);
        for (name, code) in contracts {
            sent.push(self.begin_creation(name, code).await?);
        }
        for (address, sent) in addresses.iter_mut().zip(&sent) {
            // Code at the address is not enough: with the same nonce another run may have created something else there.
            let created = self.account.wait(sent).await?.contract_address;
            *address = created
                .filter(|created| Some(*created) == sent.creates)
                .ok_or_else(|| DeployError::NoEffect { step: sent.what.clone() })?;
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
        for step in &steps {
            // An effect that is there does not say whether it is this call's: the quorum exists with any minimum stake.
            self.journal.call(&step.request.what, step.hash())?;
        }
        if self.planning.is_some() {
            for step in &steps {
                self.plan_call(step).await?;
            }
            return Ok(());
        }
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

    async fn plan_creation(&mut self, name: &str, code: Bytes) -> Result<Address, DeployError> {
        let recorded = self.journal.creation(name, keccak256(&code))?.cloned();
        let request = Request::create(name, code.clone());
        let mut address = None;
        if let Some(Creation { address: at, transaction, .. }) = recorded {
            address = self.earlier(&request, transaction, Some(at)).await?.map(|_| at);
        }
        Ok(match (address, &mut self.planning) {
            (Some(address), planning) => {
                planning.iter_mut().for_each(|planning| planning.done(name));
                address
            }
            (None, planning) => {
                planning.as_mut().map(|planning| planning.create(name, &code)).unwrap_or_default()
            }
        })
    }

    async fn plan_call(&mut self, step: &Step) -> Result<(), DeployError> {
        let mut is_there = !self.is_planned(step.done.shown_by());
        if is_there {
            let looked = step.done.is_there(self.provider()).await;
            let unfinished = self.planning.as_ref().is_some_and(Planning::is_anything_to_do);
            is_there = if unfinished { looked.or_else(|error| not_ready(error, false))? } else { looked? };
        }
        let name = &step.request.what;
        match &mut self.planning {
            Some(planning) if is_there => planning.done(name),
            Some(planning) => planning.call(name),
            None => {}
        }
        Ok(())
    }

    /// The transaction that creates the contract: one of an earlier run, or a new one.
    async fn begin_creation(&mut self, name: &str, code: Bytes) -> Result<Sent, DeployError> {
        let code_hash = keccak256(&code);
        let request = Request::create(name, code);
        if let Some(Creation { address, transaction, .. }) = self.journal.creation(name, code_hash)?.cloned()
            && let Some(sent) = self.earlier(&request, transaction, Some(address)).await?
        {
            return Ok(sent);
        }
        tracing::info!(step = name, "create");
        let journal = &mut *self.journal;
        let sent = self.account.send_recorded(&request, |sent| {
            let address = sent.creates.unwrap_or_default();
            let creation = Creation { address, transaction: sent.hash, code_hash };
            journal.record_creation(name, creation).map_err(DeployError::from)
        });
        sent.await
    }

    /// The transaction that makes the call: one of an earlier run, or a new one.
    async fn begin_call(&mut self, step: &Step) -> Result<Sent, DeployError> {
        let (name, call_hash) = (step.request.what.as_str(), step.hash());
        if let Some(transaction) = self.journal.call(name, call_hash)?
            && let Some(sent) = self.earlier(&step.request, transaction, None).await?
        {
            return Ok(sent);
        }
        tracing::info!(step = name, "call");
        let journal = &mut *self.journal;
        let sent = self.account.send_recorded(&step.request, |sent| {
            journal.record_call(name, Call { transaction: sent.hash, call_hash }).map_err(DeployError::from)
        });
        sent.await
    }

    /// A transaction of an earlier run that is on its way or has succeeded. One that the node does not know, or that has
    /// failed, is to be sent anew: the nonce is the same then, or the first has done nothing.
    async fn earlier(
        &self,
        request: &Request,
        hash: TxHash,
        creates: Option<Address>,
    ) -> Result<Option<Sent>, DeployError> {
        let failed = |e| ChainError::rpc(request.what.clone(), e);
        let known = match self.provider().get_transaction_receipt(hash).await.map_err(failed)? {
            Some(receipt) => receipt.status(),
            None => self.provider().get_transaction_by_hash(hash).await.map_err(failed)?.is_some(),
        };
        Ok(known.then(|| self.account.sent(request, hash, creates)))
    }

    async fn wait_all(&self, sent: &[Sent]) -> Result<(), DeployError> {
        for sent in sent {
            self.account.wait(sent).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        anvil::{Anvil, anvil_deployer},
        journal::{Identity, JournalError},
    };
    use alloy::primitives::U256;
    use anzen_contracts::LocalToken;
    use std::path::Path;

    async fn account(anvil: &Anvil) -> Account {
        Account::new(anvil.provider(), anvil_deployer().unwrap()).await.unwrap()
    }

    fn journal(folder: &Path) -> Journal {
        let identity = Identity { chain_id: 31337, genesis: B256::ZERO, deployer: Address::ZERO };
        Journal::open(&folder.join("journal.json"), identity, 0).unwrap()
    }

    fn token(account: &Account) -> Bytes {
        let (name_, symbol_) = ("Token".to_owned(), "T".to_owned());
        let arguments = LocalToken::constructorCall { name_, symbol_, owner_: account.address() };
        with_arguments(&LocalToken::BYTECODE, &arguments)
    }

    async fn supply(account: &Account, token: Address) -> U256 {
        chain::read(account.provider(), token, LocalToken::totalSupplyCall {}).await.unwrap()
    }

    /// A step whose effect no view shows, as when a node lags behind.
    fn mint(token: Address, amount: u64) -> Step {
        let call = LocalToken::mintCall { account: Address::repeat_byte(1), amount: U256::from(amount) };
        let never = Effect::returns(token, &LocalToken::totalSupplyCall {}, &U256::MAX);
        Step::new("mint", token, &call, never)
    }

    #[tokio::test]
    async fn a_call_that_is_mined_is_not_sent_again() {
        let (anvil, folder) = (Anvil::start(&[]).unwrap(), tempfile::tempdir().unwrap());
        let (account, mut journal) = (account(&anvil).await, journal(folder.path()));
        let mut steps = Steps::new(&account, &mut journal);
        let token = steps.create_one("token", token(&account)).await.unwrap();
        for _ in 0..2 {
            let error = steps.call([mint(token, 5)]).await.unwrap_err();
            assert!(matches!(error, DeployError::NoEffect { .. }), "{error}");
            assert_eq!(supply(&account, token).await, U256::from(5));
        }
        let error = steps.call([mint(token, 6)]).await.unwrap_err();
        assert!(matches!(error, DeployError::Journal(JournalError::OtherCall { .. })), "{error}");
    }

    #[tokio::test]
    async fn a_call_that_failed_or_was_lost_is_sent_again() {
        let (anvil, folder) = (Anvil::start(&[]).unwrap(), tempfile::tempdir().unwrap());
        let account = account(&anvil).await;
        let mut journal = journal(folder.path());
        let token = Steps::new(&account, &mut journal).create_one("token", token(&account)).await.unwrap();
        let failed = TransactionRequest::default().from(account.address()).to(token).gas_limit(22_000);
        let failed = account.provider().send_transaction(failed).await.unwrap().get_receipt().await.unwrap();
        assert!(!failed.status());
        let account = self::account(&anvil).await; // Its nonce was used by someone else.
        for (n, transaction) in [failed.transaction_hash, B256::repeat_byte(9)].into_iter().enumerate() {
            let call = Call { transaction, call_hash: mint(token, 5).hash() };
            journal.record_call("mint", call).unwrap();
            let mut steps = Steps::new(&account, &mut journal);
            steps.call([mint(token, 5)]).await.unwrap_err();
            assert_eq!(supply(&account, token).await, U256::from(5 * (n + 1)));
        }
    }

    #[tokio::test]
    async fn code_at_the_recorded_address_may_be_another_contract() {
        let (anvil, folder) = (Anvil::start(&[]).unwrap(), tempfile::tempdir().unwrap());
        let account = account(&anvil).await;
        let mut journal = journal(folder.path());
        let mut steps = Steps::new(&account, &mut journal);
        let other = steps.create_one("other", token(&account)).await.unwrap();
        assert_eq!(steps.create_one("other", token(&account)).await.unwrap(), other, "created twice");

        // Recorded and lost; then the nonce, and with it the address, went to something else.
        let lost = Creation {
            address: other,
            transaction: B256::repeat_byte(9),
            code_hash: keccak256(token(&account)),
        };
        journal.record_creation("token", lost).unwrap();
        let mut steps = Steps::new(&account, &mut journal);
        assert_ne!(steps.create_one("token", token(&account)).await.unwrap(), other);
    }
}
