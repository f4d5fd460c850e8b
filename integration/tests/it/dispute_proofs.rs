//! Whoever writes a witness, it proves the truth or nothing. Each here is real, of a real chain's tries, and then spoilt.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy::sol_types::{SolCall, SolValue};
use anzen_actors::adapters::{AlloyChain, BlockingPool, ChainAddresses, ChainConfig, OsRng, RpcMetrics};
use anzen_actors::ports::Disputes;
use anzen_contracts::ModelEvaluator;
use anzen_contracts::model_evaluator::IModelEvaluator::Witness;
use anzen_deploy::Addresses;
use anzen_integration::e2e::abi::Models;
use anzen_integration::e2e::chain::Chain;
use anzen_integration::e2e::network::LocalNetwork;
use anzen_messages::model::{Guard, Model, Side, Source, Term};
use anzen_messages::{SafetyFactor, Task};
use futures::future::join_all;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

/// Whose storage has a trie with an extension, and leaves so short that their branch holds them (Yellow Paper, D).
const CRAFTED: Address = Address::repeat_byte(0xc7);
/// An account that there is no more.
const NOBODY: Address = Address::repeat_byte(0x9b);
/// How often each witness is spoilt.
const TIMES: usize = 300;

/// What a model yields by the evaluator: its outcome's number and the value. Nothing where a witness proves nothing.
type Said = Option<(u8, alloy::primitives::I256)>;

/// A network, and the port that a challenger has.
struct World {
    _network: LocalNetwork,
    chain: Chain,
    port: AlloyChain,
}

impl World {
    async fn start() -> Self {
        let network = LocalNetwork::ready(&["--interval", "5"]).await;
        let chain = Chain::new(network.json("addresses.json"));
        let addresses = Addresses::load(&network.folder().join("addresses.json")).unwrap();
        let config = ChainConfig {
            rpc_url: chain.addresses["rpcUrl"].as_str().unwrap().parse().unwrap(),
            ..Default::default()
        };
        let cpu = Arc::new(BlockingPool::new(tokio::runtime::Handle::current()));
        let rng = Arc::new(OsRng::new().unwrap());
        let port =
            AlloyChain::new(&config, ChainAddresses::from(&addresses), cpu, rng, RpcMetrics::default())
                .unwrap();
        Self { _network: network, chain, port }
    }

    /// A question about the newest block, by this model.
    async fn task_about(&self, model_hash: B256) -> Task {
        let head =
            self.chain.provider().get_block_by_number(Default::default()).await.unwrap().unwrap().header;
        let number = u32::try_from(head.number).unwrap();
        Task {
            index: 0,
            oracle_index: 0,
            model_hash,
            proposed_safety_factor: SafetyFactor(Default::default()),
            reference_block: number,
            reference_block_hash: head.hash,
            created_block: number + 1,
            quorum_numbers: Bytes::from_static(&[0]),
            quorum_threshold_percentage: 66,
        }
    }

    /// Has the timelock, which the chain plays, add a model.
    async fn add(&self, model: &Model) -> B256 {
        let add = Models::addModelCall { model: SolValue::abi_decode(&model.encode()).unwrap() };
        let (timelock, models) = (self.chain.address("timelock"), self.chain.address("safetyFactorModels"));
        self.chain.send_as(timelock, models, &add, U256::ZERO).await.unwrap();
        model.hash()
    }

    async fn evaluate(&self, task: &Task, witness: Witness) -> Said {
        let call = ModelEvaluator::evaluateCall {
            modelHash: task.model_hash,
            blockHash: task.reference_block_hash,
            witness,
        };
        let to = self.chain.address("modelEvaluator");
        let request = TransactionRequest::default().to(to).input(call.abi_encode().into());
        let returned = self.chain.provider().call(request).await.ok()?;
        let said = ModelEvaluator::evaluateCall::abi_decode_returns(&returned).unwrap();
        Some((said.outcome, said.safetyFactor))
    }

    /// The truth about a task with its witness, which the contract agrees with.
    async fn truth(&self, task: &Task) -> (Said, Witness) {
        let recomputed = self.port.recompute(task).await.unwrap();
        let witness = Witness::abi_decode(&recomputed.witness.unwrap()).unwrap();
        let said = self.evaluate(task, witness.clone()).await;
        let outcome = recomputed.outcome.map(|value| value.0);
        assert_eq!(said.unwrap().1, outcome.unwrap_or_default());
        assert_eq!(said.unwrap().0 == 0, outcome.is_ok());
        (said, witness)
    }

    /// That this witness, spoilt in whatever way, proves the truth or nothing.
    async fn spoil(&self, task: &Task, seed: u64) {
        let (truth, witness) = self.truth(task).await;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spoilt: Vec<Witness> = (0..TIMES).map(|_| spoil(&witness, &mut rng)).collect();
        let mut refused = 0;
        for some in spoilt.chunks(50) {
            for said in join_all(some.iter().map(|one| self.evaluate(task, one.clone()))).await {
                assert!(said.is_none() || said == truth, "{said:?} was proved, and {truth:?} is so");
                refused += usize::from(said.is_none());
            }
        }
        assert!(refused > TIMES / 2, "most of them are no proofs: {refused}");
    }
}

/// The same with one thing changed: a byte, a node, an index, a field of the header.
fn spoil(witness: &Witness, rng: &mut ChaCha8Rng) -> Witness {
    let mut spoilt = witness.clone();
    let mut pick = |count: usize| usize::try_from(rng.next_u64()).unwrap_or_default() % count.max(1);
    match pick(8) {
        0 => spoilt.header = changed(&spoilt.header, &mut pick),
        1 => spoilt.stakeIndices.iter_mut().for_each(|index| *index = index.wrapping_add(1)),
        2 => spoilt.rounds.iter_mut().for_each(|round| *round = round.wrapping_sub(1)),
        3 => spoilt.rounds.iter_mut().for_each(|round| *round = round.wrapping_add(1)),
        4 => {
            spoilt.accounts.pop();
        }
        _ => {
            let mut proofs: Vec<&mut Vec<Bytes>> = Vec::new();
            for account in &mut spoilt.accounts {
                proofs.push(&mut account.proof);
                proofs.extend(account.slots.iter_mut().map(|slot| &mut slot.proof));
            }
            let place = pick(proofs.len());
            spoil_proof(proofs[place], &mut pick);
        }
    }
    spoilt
}

fn spoil_proof(proof: &mut Vec<Bytes>, pick: &mut impl FnMut(usize) -> usize) {
    if proof.is_empty() {
        return proof.push(Bytes::from(vec![0xc0; 40]));
    }
    let node = pick(proof.len());
    match pick(5) {
        0 => drop(proof.remove(node)),
        1 => proof.insert(node, proof[node].clone()),
        2 => proof.push(proof[node].clone()),
        3 => proof.swap(node, 0),
        _ => proof[node] = changed(&proof[node], pick),
    }
}

/// Some bytes with one changed, one more, or one less.
fn changed(bytes: &Bytes, pick: &mut impl FnMut(usize) -> usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    let place = pick(bytes.len());
    match pick(4) {
        0 => bytes.insert(place, u8::try_from(pick(256)).unwrap()),
        1 => drop(bytes.remove(place)),
        _ => bytes[place] ^= 1 << pick(8),
    }
    bytes.into()
}

fn amount(side: Side, amount: Source) -> Term<Source> {
    Term { side, amount, price: Source::Constant { value: U256::from(1) }, share_bps: 10_000, decimals: 0 }
}

fn slot(account: Address, slot: B256, guards: Vec<Guard>) -> Source {
    Source::StorageSlot { account, slot, offset: 0, width: 1, guards }
}

/// Two slots whose keys have the first eight digits in common.
fn neighbours() -> (B256, B256) {
    let mut seen: BTreeMap<[u8; 4], B256> = BTreeMap::new();
    for number in 0_u64.. {
        let slot = B256::from(U256::from(number));
        let start: [u8; 4] = keccak256(slot)[..4].try_into().unwrap();
        if let Some(other) = seen.insert(start, slot) {
            return (other, slot);
        }
    }
    unreachable!("a birthday comes after some tens of thousands")
}

#[tokio::test]
async fn a_spoilt_witness_of_an_ordinary_model_proves_nothing_else() {
    let world = World::start().await;
    let hash = world.chain.addresses["protocols"][0]["modelHash"].as_str().unwrap().parse().unwrap();
    let task = world.task_about(hash).await;
    world.spoil(&task, 1).await;
    // Of another block: each witness is good for its own only.
    let (_, witness) = world.truth(&task).await;
    world.chain.mine(1).await;
    let other = world.task_about(hash).await;
    assert_eq!(world.evaluate(&other, witness).await, None);
}

#[tokio::test]
async fn short_leaves_extensions_and_what_is_absent_are_proved_and_nothing_else() {
    let world = World::start().await;
    let (one, other) = neighbours();
    for account in [CRAFTED, NOBODY] {
        world.chain.tell("anvil_setCode", (account, "0x00")).await;
    }
    for (slot, value) in [(one, 7), (other, 9)] {
        world.chain.tell("anvil_setStorageAt", (CRAFTED, slot, B256::from(U256::from(value)))).await;
    }
    world.chain.mine(1).await;
    let absent = B256::repeat_byte(0x77);
    let guard = Guard { account: CRAFTED, slot: other, expected: B256::from(U256::from(9)) };
    let model = Model::new(vec![
        amount(Side::Cost, slot(CRAFTED, one, vec![guard])),
        amount(Side::Cost, slot(CRAFTED, absent, vec![])),
        amount(Side::Profit, slot(CRAFTED, other, vec![])),
        amount(Side::Profit, slot(NOBODY, one, vec![])),
    ])
    .unwrap();
    let hash = world.add(&model).await;
    world.chain.tell("anvil_setCode", (NOBODY, "0x")).await;
    world.chain.mine(1).await;
    let task = world.task_about(hash).await;
    let (truth, witness) = world.truth(&task).await;
    // 1 - 9 / 7, rounded down.
    assert_eq!(truth, Some((0, alloy::primitives::I256::try_from(-285_714_286).unwrap())));
    let nodes = &witness.accounts.iter().find(|account| account.account == CRAFTED).unwrap().slots;
    assert!(
        nodes.iter().all(|slot| slot.proof.iter().all(|node| node.len() >= 32)),
        "the leaves are in their branch"
    );
    world.spoil(&task, 2).await;

    // A proof of one account is none of another, and what is there cannot be said to be absent.
    let mut swapped = witness.clone();
    let proofs: Vec<_> = swapped.accounts.iter().map(|account| account.proof.clone()).rev().collect();
    swapped.accounts.iter_mut().zip(proofs).for_each(|(account, proof)| account.proof = proof);
    assert_eq!(world.evaluate(&task, swapped).await, None);
    let mut denied = witness;
    denied.accounts.iter_mut().flat_map(|account| &mut account.slots).for_each(|slot| slot.proof.clear());
    assert_eq!(world.evaluate(&task, denied).await, None);
}
