//! Two operators of three that do as the test says: together they have two thirds of the stake, which is what a task wants.

use alloy::primitives::{Address, B256, I256, address};
use tokio::process::Child;

use super::abi::Task;
use super::chain::Chain;
use super::disputes::Posted;
use super::network::LocalNetwork;
use super::wire::{Client, Keys};

/// anvil's eighth account, which is the local network's committee.
pub const COMMITTEE: Address = address!("0x14dC79964da2C08b23698B3D3cc7Ca32193d9955");

/// A local network whose second and third operator are the test's. The first is honest, and whatever process dies is started
/// again.
pub struct Colluders {
    /// The network.
    pub network: LocalNetwork,
    /// Its chain.
    pub chain: Chain,
}

impl Colluders {
    /// Starts a network with these arguments, in which all three have signed a task; then the two are the test's.
    pub async fn of_new_network(arguments: &[&str]) -> Self {
        let mut network =
            LocalNetwork::ready(&[&["--operators", "1", "--interval", "5"], arguments].concat()).await;
        let mut children: Vec<Child> = Vec::new();
        for number in [2, 3] {
            children.push(network.spawn_operator(number));
            network.line(&format!("operator {number} has joined")).await;
        }
        network.line("signed by 1, 2, 3 ").await;
        for mut child in children {
            child.kill().await.unwrap();
        }
        let chain = Chain::new(network.json("addresses.json"));
        Self { network, chain }
    }

    /// The account of operator `number`.
    pub fn account(&self, number: u32) -> Address {
        account(&self.network, number)
    }

    /// Both sign what `answer` makes of the right value of the next task of a protocol; returns when that is on chain.
    pub async fn answer(&self, oracle_index: u32, answer: impl Fn(I256) -> I256) -> Posted {
        let (hash, task) = self.next_task_of(oracle_index).await;
        let right = self.chain.answer_to(&task).await;
        let info = self.network.json("network.json");
        for number in [2, 3] {
            let keys = Keys::of_operator(self.network.folder(), number);
            Client::connect(&info, &self.chain, keys).await.answer(hash, answer(right)).await;
        }
        self.chain.posted(hash, task).await
    }

    /// Both sign a value that is one too great.
    pub async fn lie(&self, oracle_index: u32) -> Posted {
        self.answer(oracle_index, |right| right + I256::ONE).await
    }

    async fn next_task_of(&self, oracle_index: u32) -> (B256, Task) {
        let mut known = self.chain.tasks().await.len();
        loop {
            let (hash, task) = self.chain.next_task(known).await;
            if task.oracleIndex == oracle_index {
                return (hash, task);
            }
            known += 1;
        }
    }
}

/// The account of operator `number` of a local network.
pub fn account(network: &LocalNetwork, number: u32) -> Address {
    let identity = network.json(&format!("operator-{number}/operator.json"));
    identity["address"].as_str().unwrap().parse().unwrap()
}
