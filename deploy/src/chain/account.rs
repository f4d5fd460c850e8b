//! One key that sends transactions, in order, many at a time.

use super::{ChainError, receipts};
use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope},
    eips::eip2718::Encodable2718,
    network::TxSignerSync,
    primitives::{Address, Bytes, TxHash, TxKind, U256},
    providers::{DynProvider, Provider},
    rpc::types::{TransactionReceipt, TransactionRequest},
    signers::local::PrivateKeySigner,
    sol_types::SolCall,
};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Gas is estimated on the state before the transactions that are still pending: a quarter more allows for them.
const GAS_MARGIN_PERCENT: u64 = 125;

/// A key that sends transactions with sequential nonces. Clones share the nonce; a key must have one account only.
#[derive(Clone)]
pub struct Account {
    provider: DynProvider,
    signer: PrivateKeySigner,
    chain_id: u64,
    /// The next nonce; `None` until it has been asked for, and after a send that failed.
    nonce: Arc<Mutex<Option<u64>>>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("address", &self.address()).field("chain_id", &self.chain_id).finish()
    }
}

/// A transaction to be sent: a contract to be created, or a call.
#[derive(Debug, Clone)]
pub struct Request {
    /// What it does, for errors and logs.
    pub what: String,
    /// The contract to call; none to create one.
    pub to: Option<Address>,
    /// Creation code with constructor arguments, or call data.
    pub data: Bytes,
    /// Wei to send along.
    pub value: U256,
    /// The function that is called.
    pub signature: Option<&'static str>,
}

impl Request {
    /// A call of a contract.
    pub fn call<C: SolCall>(what: impl Into<String>, to: Address, call: &C) -> Self {
        let data = call.abi_encode().into();
        Self { what: what.into(), to: Some(to), data, value: U256::ZERO, signature: Some(C::SIGNATURE) }
    }

    /// The creation of a contract from code with constructor arguments.
    pub fn create(what: impl Into<String>, code: Bytes) -> Self {
        Self { what: what.into(), to: None, data: code, value: U256::ZERO, signature: None }
    }

    /// A transfer of wei.
    pub fn transfer(what: impl Into<String>, to: Address, value: U256) -> Self {
        Self { what: what.into(), to: Some(to), data: Bytes::new(), value, signature: None }
    }
}

/// What a transaction may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// The gas that it may take.
    pub gas: u64,
    /// The most per gas, in wei.
    pub max_fee_per_gas: u128,
    /// Of which the block's maker gets, in wei.
    pub max_priority_fee_per_gas: u128,
}

impl Price {
    /// The most that the gas costs, in wei.
    pub fn most_cost(&self) -> U256 {
        U256::from(self.gas) * U256::from(self.max_fee_per_gas)
    }
}

/// A transaction that is on its way.
#[derive(Debug, Clone)]
pub struct Sent {
    /// What it does.
    pub what: String,
    /// Its hash.
    pub hash: TxHash,
    /// Where the contract will be that it creates.
    pub creates: Option<Address>,
    pub(crate) request: TransactionRequest,
}

/// A signed transaction, not yet sent.
struct Signed {
    sent: Sent,
    raw: Vec<u8>,
}

impl Account {
    /// An account of `signer` on the provider's chain.
    pub async fn new(provider: DynProvider, signer: PrivateKeySigner) -> Result<Self, ChainError> {
        let chain_id = provider.get_chain_id().await.map_err(|e| ChainError::rpc("the chain's id", e))?;
        Ok(Self { provider, signer, chain_id, nonce: Arc::default() })
    }

    /// Whose transactions these are.
    pub fn address(&self) -> Address {
        self.signer.address()
    }

    /// Where they go.
    pub fn provider(&self) -> &DynProvider {
        &self.provider
    }

    /// The chain's id.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Sends a transaction without waiting for it. One that would revert is not sent.
    pub async fn send(&self, request: &Request) -> Result<Sent, ChainError> {
        self.send_recorded(request, |_| Ok::<_, ChainError>(())).await
    }

    /// Like [`Account::send`]; `record` is called after the transaction has been signed and before it is sent.
    pub(crate) async fn send_recorded<E: From<ChainError>>(
        &self,
        request: &Request,
        record: impl FnOnce(&Sent) -> Result<(), E>,
    ) -> Result<Sent, E> {
        let price = self.price(request).await?;
        self.can_pay(request, &price).await?;
        // Held until the transaction is sent, so that nonces reach the node in order and none is left out.
        let mut next = self.nonce.lock().await;
        let nonce = match next.take() {
            Some(nonce) => nonce,
            None => self.first_nonce().await?,
        };
        let signed = self.sign(request, nonce, &price)?;
        record(&signed.sent)?;
        let sending = self.provider.send_raw_transaction(&signed.raw).await;
        let _ = sending.map_err(|e| ChainError::rpc(request.what.clone(), e))?;
        *next = Some(nonce + 1);
        tracing::debug!(what = %request.what, tx = %signed.sent.hash, nonce, gas = price.gas, "sent");
        Ok(signed.sent)
    }

    /// Waits until a transaction is in a block and has not failed there.
    pub async fn wait(&self, sent: &Sent) -> Result<TransactionReceipt, ChainError> {
        receipts::wait(&self.provider, sent).await
    }

    /// Sends a transaction and waits for it.
    pub async fn execute(&self, request: &Request) -> Result<TransactionReceipt, ChainError> {
        let sent = self.send(request).await?;
        self.wait(&sent).await
    }

    /// Sends transactions that do not depend on each other, then waits for all of them.
    pub async fn execute_all(&self, requests: &[Request]) -> Result<Vec<TransactionReceipt>, ChainError> {
        let mut sent = Vec::with_capacity(requests.len());
        for request in requests {
            sent.push(self.send(request).await?);
        }
        let mut receipts = Vec::with_capacity(sent.len());
        for sent in &sent {
            receipts.push(self.wait(sent).await?);
        }
        Ok(receipts)
    }

    /// A transaction of `request` that was sent earlier.
    pub(crate) fn sent(&self, request: &Request, hash: TxHash, creates: Option<Address>) -> Sent {
        Sent { what: request.what.clone(), hash, creates, request: self.unsigned(request) }
    }

    pub(crate) async fn first_nonce(&self) -> Result<u64, ChainError> {
        // With the pool: what an earlier run left there is waited for, and what was dropped has its nonce taken again.
        let count = self.provider.get_transaction_count(self.address()).pending().await;
        count.map_err(|e| ChainError::rpc(format!("the nonce of {}", self.address()), e))
    }

    /// What a transaction may cost if it is sent now.
    ///
    /// # Errors
    /// Where it would revert, too.
    pub async fn price(&self, request: &Request) -> Result<Price, ChainError> {
        let gas = self.provider.estimate_gas(self.unsigned(request)).await;
        let gas = gas.map_err(|e| ChainError::rpc(request.what.clone(), e))?;
        let fees = self.provider.estimate_eip1559_fees().await;
        let fees = fees.map_err(|e| ChainError::rpc("the chain's fees", e))?;
        Ok(Price {
            gas: gas * GAS_MARGIN_PERCENT / 100,
            max_fee_per_gas: fees.max_fee_per_gas,
            max_priority_fee_per_gas: fees.max_priority_fee_per_gas,
        })
    }

    /// Nodes refuse a transaction that costs too much with words of their own, and some of them not at once.
    async fn can_pay(&self, request: &Request, price: &Price) -> Result<(), ChainError> {
        let account = self.address();
        let balance = self.provider.get_balance(account).await;
        let balance = balance.map_err(|e| ChainError::rpc(format!("the balance of {account}"), e))?;
        let cost = price.most_cost() + request.value;
        if balance < cost {
            return Err(ChainError::NotEnoughEther { what: request.what.clone(), account, balance, cost });
        }
        Ok(())
    }

    /// Waits until every transaction of the account is in a block: those of an earlier run too.
    pub async fn settled(&self) -> Result<(), ChainError> {
        receipts::settled(&self.provider, self.address()).await
    }

    fn unsigned(&self, request: &Request) -> TransactionRequest {
        let to = request.to.map_or(TxKind::Create, TxKind::Call);
        let mut unsigned = TransactionRequest::default()
            .from(self.address())
            .value(request.value)
            .input(request.data.clone().into());
        unsigned.to = Some(to);
        unsigned
    }

    fn sign(&self, request: &Request, nonce: u64, price: &Price) -> Result<Signed, ChainError> {
        let mut transaction = TxEip1559 {
            chain_id: self.chain_id,
            nonce,
            gas_limit: price.gas,
            max_fee_per_gas: price.max_fee_per_gas,
            max_priority_fee_per_gas: price.max_priority_fee_per_gas,
            to: request.to.map_or(TxKind::Create, TxKind::Call),
            value: request.value,
            input: request.data.clone(),
            ..Default::default()
        };
        let signature = self
            .signer
            .sign_transaction_sync(&mut transaction)
            .map_err(|source| ChainError::Sign { what: request.what.clone(), source })?;
        let envelope = TxEnvelope::from(transaction.into_signed(signature));
        let creates = request.to.is_none().then(|| self.address().create(nonce));
        let sent = self.sent(request, *envelope.tx_hash(), creates);
        Ok(Signed { sent, raw: envelope.encoded_2718() })
    }
}
