//! The chain, read without Anzen's code: its own declarations, its own arithmetic.

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, I256, U256};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::{Filter, TransactionRequest};
use alloy::sol_types::{SolCall, SolEvent, SolValue};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::abi::{
    Feed, Models, NewTaskCreated, Oracle, Source, Stakes, StorageSlot, Task, TaskResponded, Token, ViewCall,
};
use super::within;

/// A network's chain.
#[derive(Clone)]
pub struct Chain {
    provider: DynProvider,
    /// `addresses.json`.
    pub addresses: Value,
}

/// A task that was answered.
pub struct Answered {
    /// The task.
    pub task: Task,
    /// The answer.
    pub value: I256,
    /// The block with it.
    pub block: u64,
}

impl Chain {
    /// The chain that `addresses.json` tells of.
    pub fn new(addresses: Value) -> Self {
        let url = addresses["rpcUrl"].as_str().unwrap().parse().unwrap();
        Self { provider: ProviderBuilder::new().connect_http(url).erased(), addresses }
    }

    /// The address of a contract, by its name in `addresses.json`.
    pub fn address(&self, name: &str) -> Address {
        self.addresses[name].as_str().unwrap().parse().unwrap()
    }

    /// The chain's id.
    pub fn chain_id(&self) -> u64 {
        self.addresses["chainId"].as_u64().unwrap()
    }

    /// The node.
    pub fn provider(&self) -> &DynProvider {
        &self.provider
    }

    /// How many transactions an account has sent.
    pub async fn nonce(&self, account: Address) -> u64 {
        self.provider.get_transaction_count(account).await.unwrap()
    }

    /// Gives an account ether.
    pub async fn give_ether(&self, account: Address) {
        let parameters = serde_json::json!([account, "0x8ac7230489e80000"]);
        let _: Value = self.provider.raw_request("anvil_setBalance".into(), parameters).await.unwrap();
    }

    /// What an account has of the token, outside the strategy.
    pub async fn tokens(&self, account: Address) -> U256 {
        Token::new(self.address("token"), &self.provider).balanceOf(account).call().await.unwrap()
    }

    /// Tells the node something of its own kind.
    pub async fn tell(&self, method: &'static str, params: impl serde::Serialize) {
        let params = serde_json::value::to_raw_value(&params).unwrap();
        self.provider.raw_request_dyn(method.into(), &params).await.unwrap();
    }

    /// Mines so many blocks at once.
    pub async fn mine(&self, blocks: u64) {
        let _: Value = self.provider.raw_request("anvil_mine".into(), [blocks]).await.unwrap();
    }

    /// Gives an account tokens to stake; the chain has the owner's key.
    pub async fn mint(&self, owner: Address, account: Address, amount: U256) {
        let call = Token::mintCall { account, amount }.abi_encode();
        let request = TransactionRequest::default().from(owner).to(self.address("token")).input(call.into());
        let sent = self.provider.send_transaction(request).await.unwrap();
        assert!(sent.get_receipt().await.unwrap().status());
    }

    /// Every task so far, by its hash, in the order of creation.
    pub async fn tasks(&self) -> Vec<(B256, Task)> {
        let filter = self.filter(NewTaskCreated::SIGNATURE_HASH);
        let logs = self.provider.get_logs(&filter).await.unwrap();
        logs.iter()
            .map(|log| NewTaskCreated::decode_log(&log.inner).unwrap().data)
            .map(|event| (event.taskHash, event.task))
            .collect()
    }

    /// The next task after those that are known.
    pub async fn next_task(&self, known: usize) -> (B256, Task) {
        within(&format!("task {known}"), async {
            loop {
                if let Some(task) = self.tasks().await.into_iter().nth(known) {
                    return task;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        })
        .await
    }

    /// Every answer so far.
    pub async fn answers(&self) -> Vec<Answered> {
        let tasks = self.tasks().await;
        let logs = self.provider.get_logs(&self.filter(TaskResponded::SIGNATURE_HASH)).await.unwrap();
        let mut answers = Vec::new();
        for log in logs {
            let event = TaskResponded::decode_log(&log.inner).unwrap().data;
            let (_, task) = tasks.iter().find(|(hash, _)| *hash == event.taskHash).unwrap();
            answers.push(Answered {
                task: task.clone(),
                value: event.response.safetyFactor,
                block: log.block_number.unwrap(),
            });
        }
        answers
    }

    fn filter(&self, event: B256) -> Filter {
        Filter::new().address(self.address("taskManager")).event_signature(event).from_block(0)
    }

    /// What the oracle says of a protocol as of a block.
    pub async fn oracle(&self, index: u32, block: u64) -> I256 {
        let oracle = Oracle::new(self.address("safetyFactorOracle"), &self.provider);
        oracle.getSafetyFactor(index).block(BlockId::number(block)).call().await.unwrap()._0
    }

    /// The safety factor of a protocol as of a block, by hand: (CoC - PfC) / CoC with nine decimals, rounded down;
    /// the cost rounded down, the profit up.
    pub async fn by_hand(&self, index: u32, block: u64) -> I256 {
        self.by_hand_at(index, BlockId::number(block)).await
    }

    /// The same, of the block that is named.
    pub async fn by_hand_at(&self, index: u32, at: BlockId) -> I256 {
        let protocols = self.addresses["protocols"].as_array().unwrap();
        let protocol = protocols.iter().find(|protocol| protocol["oracleIndex"] == index).unwrap();
        let hash = protocol["modelHash"].as_str().unwrap().parse().unwrap();
        self.by_model(hash, at).await
    }

    /// The right answer to a task.
    pub async fn answer_to(&self, task: &Task) -> I256 {
        self.by_model(task.modelHash, BlockId::hash(task.referenceBlockHash)).await
    }

    /// What a model yields, by hand, of the block that is named.
    async fn by_model(&self, hash: B256, at: BlockId) -> I256 {
        let models = Models::new(self.address("safetyFactorModels"), &self.provider);
        let (mut cost, mut profit) = (U256::ZERO, U256::ZERO);
        for term in models.getModel(hash).call().await.unwrap().terms {
            let (amount, price) = (self.held(&term.amount, at).await, self.held(&term.price, at).await);
            let value = amount * price * U256::from(term.shareBps);
            let unit = U256::from(10).pow(U256::from(term.decimals)) * U256::from(10_000);
            match term.side {
                0 => cost += value / unit,
                _ => profit += value.div_ceil(unit),
            }
        }
        let gain = (I256::from_raw(cost) - I256::from_raw(profit)) * I256::try_from(1_000_000_000).unwrap();
        gain.div_euclid(I256::from_raw(cost))
    }

    /// What a source held, of the kinds that the local network's models have.
    async fn held(&self, source: &Source, at: BlockId) -> U256 {
        match source.kind {
            0 => U256::abi_decode(&source.data).unwrap(),
            1 => {
                let (registry, quorum) = <(Address, U256)>::abi_decode_params(&source.data).unwrap();
                let stakes = Stakes::new(registry, &self.provider);
                U256::from(stakes.getCurrentTotalStake(quorum.to()).block(at).call().await.unwrap())
            }
            2 => {
                let (feed, ..) = <(Address, U256, U256)>::abi_decode_params(&source.data).unwrap();
                let round = Feed::new(feed, &self.provider).latestRoundData().block(at).call().await.unwrap();
                round._1.into_raw()
            }
            3 => {
                let slot = StorageSlot::abi_decode(&source.data).unwrap();
                assert_eq!((slot.offset, slot.width, slot.guards.len()), (0, 32, 0), "a whole slot");
                self.provider.get_storage_at(slot.account, slot.slot.into()).block_id(at).await.unwrap()
            }
            4 => {
                let call = ViewCall::abi_decode(&source.data).unwrap();
                let request = TransactionRequest::default().to(call.target).input(call.callData.into());
                U256::abi_decode(&self.provider.call(request).block(at).await.unwrap()).unwrap()
            }
            other => panic!("a source of kind {other}"),
        }
    }
}

/// The body of what a plain HTTP server answers.
pub async fn http_get(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut connection = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}
