//! A chain with Anzen on it, and what its ports answer.

use std::sync::Arc;

use alloy::primitives::{Address, B256, U256};
use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy::signers::local::PrivateKeySigner;
use anzen_actors::adapters::{
    AlloyChain, BlockingPool, ChainAddresses, ChainConfig, LocalTxSigner, OsRng, RpcMetrics,
};
use anzen_actors::ports::{
    CallError, ChainError, ChainReader, ContractCall, ModelInputs, OperatorRegistry, SendError, TaskContract,
    TxBroadcast, TxSigner, UnsignedTx,
};
use anzen_contracts::AnzenTaskManager;
use anzen_deploy::anvil::{ANVIL_DEPLOYER, Anvil};
use anzen_deploy::{Addresses, DeployConfig, chain::Account, deploy, open_journal};
use anzen_messages::chain::BlockRef;
use anzen_messages::{OperatorId, SafetyFactor};

/// For any call, and less than a block has.
const ENOUGH_GAS: u64 = 15_000_000;

/// An anvil of the test's own, with Anzen on it.
pub(crate) struct Chain {
    pub(crate) anvil: Anvil,
    pub(crate) provider: DynProvider,
    pub(crate) addresses: Addresses,
}

impl Chain {
    pub(crate) async fn start() -> Self {
        let anvil = Anvil::start(&[]).unwrap();
        let provider = anvil.provider();
        let folder = tempfile::tempdir().unwrap();
        let config = DeployConfig::anvil().unwrap();
        let deployer = Account::new(provider.clone(), ANVIL_DEPLOYER.parse().unwrap()).await.unwrap();
        let mut journal =
            open_journal(&deployer, &config, &folder.path().join("journal.json")).await.unwrap();
        let addresses = deploy(&deployer, &config, &anvil.http_url(), &mut journal).await.unwrap();
        Self { anvil, provider, addresses }
    }

    pub(crate) fn config(&self) -> ChainConfig {
        let rpc_url = self.anvil.http_url().parse().unwrap();
        ChainConfig { rpc_url, poll_interval_ms: 20, ..ChainConfig::default() }
    }

    pub(crate) fn connect(&self, config: &ChainConfig) -> Arc<AlloyChain> {
        let cpu = Arc::new(BlockingPool::new(tokio::runtime::Handle::current()));
        let rng = Arc::new(OsRng::new().unwrap());
        let addresses = ChainAddresses::from(&self.addresses);
        Arc::new(AlloyChain::new(config, addresses, cpu, rng, RpcMetrics::default()).unwrap())
    }

    /// Asks anvil for something of its own.
    pub(crate) async fn tell<P: serde::Serialize>(&self, method: &'static str, params: P) {
        let params = serde_json::value::to_raw_value(&params).unwrap();
        self.provider.raw_request_dyn(method.into(), &params).await.unwrap();
    }

    /// Sends a call in the name of any account, a contract's too. It gets gas enough for calls within it whose failure is caught:
    /// an estimate may be of too little for these.
    pub(crate) async fn send_as(&self, from: Address, call: ContractCall) -> TransactionReceipt {
        if self.provider.get_balance(from).await.unwrap().is_zero() {
            // Of the newest block's state no proof holds after this.
            self.tell("anvil_setBalance", (from, "0xde0b6b3a7640000")).await;
        }
        self.tell("anvil_impersonateAccount", [from]).await;
        let ContractCall { to, data, value } = call;
        let transaction = TransactionRequest::default()
            .from(from)
            .to(to)
            .input(data.into())
            .value(value)
            .gas_limit(ENOUGH_GAS);
        let sent = self.provider.send_transaction(transaction).await.unwrap();
        let receipt = sent.get_receipt().await.unwrap();
        assert!(receipt.status());
        receipt
    }
}

/// The key of anvil's account `index`.
pub(crate) fn deployer_key() -> PrivateKeySigner {
    ANVIL_DEPLOYER.parse().unwrap()
}

#[actix::test]
async fn the_views_answer_what_was_deployed() {
    let chain = Chain::start().await;
    let port = chain.connect(&chain.config());
    port.check().await.unwrap();
    assert_eq!(port.windows().await.unwrap().response, 30);

    let rules = port.rules(0).await.unwrap();
    assert_eq!((rules.quorums.as_slice(), rules.min_interval), (&[0][..], 5));
    assert_eq!((rules.least_threshold, rules.greatest_threshold), (66, 80));
    assert_eq!((rules.latest_created, rules.open), (None, false));
    assert_eq!(rules.model_hash, chain.addresses.protocols[0].model_hash);
    assert!(port.rules(77).await.unwrap().quorums.is_empty(), "no policy, no tasks");

    let head = port.head().await.unwrap();
    assert_eq!(port.header(head.at.number).await.unwrap(), Some(head.clone()));
    assert_eq!(port.header(head.at.number + 1).await.unwrap(), None);
    let foreign = port.terms(rules.model_hash, B256::repeat_byte(7)).await;
    assert!(matches!(foreign, Err(ChainError::NoSuchBlock(_))), "{foreign:?}");
    let terms = port.terms(rules.model_hash, head.at.hash).await.unwrap();
    let price = Ok(U256::from(200_000_000));
    assert_eq!((terms[0].amount, terms[0].price), (Ok(U256::ZERO), price));
    assert_eq!(terms[1].amount, Ok(U256::from(10).pow(U256::from(21))));
    let foreign = port.terms(rules.model_hash, B256::repeat_byte(7)).await;
    assert!(matches!(foreign, Err(ChainError::NoSuchBlock(_))), "of a model that is known: {foreign:?}");

    let set = port.operators_at(head.at, &[0]).await.unwrap();
    assert!(set.operators.is_empty() && set.total_stakes[&0].is_zero());
    assert_eq!(port.operator(OperatorId(B256::repeat_byte(7))).await, Ok(None));
    let stakes = port.stakes(0).await.unwrap();
    assert_eq!((stakes.max_age, stakes.operators.len()), (300, 0));
    let foreign = BlockRef { number: head.at.number, hash: B256::repeat_byte(7) };
    assert!(matches!(port.operators_at(foreign, &[0]).await, Err(ChainError::NoSuchBlock(_))));
}

#[actix::test]
async fn another_chain_or_another_contract_is_noticed() {
    let mut chain = Chain::start().await;
    let right = chain.addresses.clone();
    chain.addresses.chain_id += 1;
    let error = chain.connect(&chain.config()).check().await.unwrap_err();
    assert!(error.to_string().contains("the chain's id is 31337 and should be 31338"), "{error}");
    chain.addresses = Addresses { stake_registry: right.token, ..right.clone() };
    let error = chain.connect(&chain.config()).check().await.unwrap_err();
    assert!(error.to_string().contains("the stake registry is"), "{error}");
    chain.addresses = Addresses { task_manager: Address::repeat_byte(9), ..right };
    let error = chain.connect(&chain.config()).check().await.unwrap_err();
    assert!(error.to_string().contains("no contract answers registryCoordinator()"), "{error}");
}

#[actix::test]
async fn a_call_that_reverts_says_why() {
    let chain = Chain::start().await;
    let port = chain.connect(&chain.config());
    let rules = port.rules(0).await.unwrap();
    let (to, data) = port.create_call(0, SafetyFactor(Default::default()), &rules, 67);
    let stranger = Address::repeat_byte(9);
    let call = ContractCall { to, data: data.clone(), value: U256::ZERO };
    for result in [port.preflight(stranger, to, &data).await, port.estimate(stranger, &call).await.map(drop)]
    {
        let Err(CallError::Reverts { reason, already_answered: false }) = result else {
            panic!("{result:?}")
        };
        assert!(reason.starts_with("AccessControlUnauthorizedAccount(account: 0x0909"), "{reason}");
    }
}

#[actix::test]
async fn a_transaction_is_sent_and_its_refusal_understood() {
    let chain = Chain::start().await;
    let port = chain.connect(&chain.config());
    // Else a block comes a moment after the transaction was taken.
    chain.tell("evm_setAutomine", [false]).await;
    let signer = LocalTxSigner::new(deployer_key());
    let (from, nonce) = (signer.address(), port.nonce(signer.address()).await.unwrap());
    let (to, data) = port.refresh_quorum_call(0, &[]);
    let call = ContractCall { to, data: data.clone(), value: U256::ZERO };
    let mut tx = UnsignedTx {
        chain_id: port.chain_id(),
        nonce,
        to,
        data,
        value: call.value,
        gas_limit: port.estimate(from, &call).await.unwrap() * 5 / 4,
        fees: port.fees().await.unwrap(),
    };
    let signed = signer.sign(&tx).await.unwrap();
    port.send(signed.raw.clone()).await.unwrap();
    chain.tell("evm_mine", ()).await;
    let receipts = port.receipts(&[B256::repeat_byte(7), signed.hash]).await.unwrap();
    assert!(receipts[&signed.hash].succeeded && receipts.len() == 1);
    // The task manager has noted the refresh.
    let noted = AnzenTaskManager::new(chain.addresses.task_manager, &chain.provider);
    let noted = noted.notedRefresh(0).call().await.unwrap();
    assert_eq!((to, u64::from(noted)), (chain.addresses.task_manager, receipts[&signed.hash].at.number));
    assert_eq!(port.stakes(0).await.unwrap().refreshed_at, u64::from(noted));
    assert_eq!(port.nonce(from).await, Ok(nonce + 1));
    tx.gas_limit += 1;
    let other = signer.sign(&tx).await.unwrap();
    assert_eq!(port.send(other.raw).await, Err(SendError::NonceUsed));
    let poor = LocalTxSigner::new(PrivateKeySigner::random());
    let unpaid = poor.sign(&UnsignedTx { nonce: 0, ..tx }).await.unwrap();
    assert_eq!(port.send(unpaid.raw).await, Err(SendError::InsufficientFunds));
}

#[actix::test]
async fn a_waiting_transaction_is_known_and_replaced_only_for_more() {
    let chain = Chain::start().await;
    chain.tell("evm_setAutomine", [false]).await;
    let port = chain.connect(&chain.config());
    let signer = LocalTxSigner::new(deployer_key());
    let (to, data) = port.refresh_quorum_call(0, &[]);
    let nonce = port.nonce(signer.address()).await.unwrap();
    let fees = port.fees().await.unwrap();
    let (chain_id, value) = (port.chain_id(), U256::ZERO);
    let mut tx = UnsignedTx { chain_id, nonce, to, data, value, gas_limit: 300_000, fees };
    let first = signer.sign(&tx).await.unwrap();
    port.send(first.raw.clone()).await.unwrap();
    port.send(first.raw).await.unwrap();
    tx.gas_limit += 1;
    let same = signer.sign(&tx).await.unwrap();
    assert_eq!(port.send(same.raw).await, Err(SendError::Underpriced));
    tx.fees.max_fee += tx.fees.max_fee / 8 + 1;
    tx.fees.priority_fee += tx.fees.priority_fee / 8 + 1;
    let more = signer.sign(&tx).await.unwrap();
    port.send(more.raw).await.unwrap();
    assert!(port.receipts(&[more.hash]).await.unwrap().is_empty());
    chain.tell("evm_mine", ()).await;
    assert!(port.receipts(&[more.hash]).await.unwrap()[&more.hash].succeeded);
}
