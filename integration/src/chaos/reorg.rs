//! R3: the chain forks, up to ten blocks deep, and all follow.

use alloy::primitives::Bytes;
use alloy::providers::Provider;
use serde_json::{Value, json};

use super::Options;
use super::follows;
use super::kill::reach;
use super::observer::Observer;
use super::plan::{Fate, Reorg, reorgs};
use super::report::{Failure, Fault, Report};
use super::terms::QUIET_BLOCKS;
use super::world::World;

/// Of so many reorgs some give an index to another task. Of a few, none may: where a block comes in between, too little is undone.
const ENOUGH: usize = 10;

/// Forks the chain of a network as often as `options` say; `arguments` are those of `anzen local run`.
pub(super) async fn run(options: &Options, arguments: &[&str]) -> Result<Report, Failure> {
    let world = World::start(arguments, &[]).await;
    let plan = reorgs(options.seed, options.reorgs);
    if let Err(fault) = Box::pin(world.watched(play(&world, &plan))).await {
        return Err(Failure::of(fault, world));
    }
    let tally = world.tally();
    let reused = tally.of_index.values().filter(|tasks| tasks.len() > 1).count();
    if reused == 0 && plan.len() >= ENOUGH {
        return Err(Failure::of(Fault::NothingReused, world));
    }
    let mut report = Report::new(format!("reorg ({})", arguments.join(" ")));
    let depths: Vec<String> = plan.iter().map(|reorg| reorg.depth.to_string()).collect();
    report.say(format!("reorgs: {}, of so many blocks: {}", tally.reorgs.len(), depths.join(", ")));
    report.say(format!("{reused} indices were given to another task after a reorg"));
    report.finish(world).await
}

async fn play(world: &World, plan: &[Reorg]) {
    for reorg in plan {
        // So that tasks are under way, and no block of an earlier fork is undone twice.
        world.blocks(reorg.depth + 1).await;
        reach(world, reorg.after).await;
        fork(&mut *world.chain().await, *reorg).await;
        world.blocks(QUIET_BLOCKS).await;
        signed_by_all(world).await;
        follows::tell(world).await;
    }
    world.settled().await;
    world.look_everywhere().await;
}

/// Has the chain fork, and tells what it is then.
async fn fork(observer: &mut Observer, reorg: Reorg) {
    let transactions = match reorg.fate {
        Fate::Lost => Vec::new(),
        Fate::Included => transactions(observer, reorg.depth).await,
    };
    let provider = observer.chain().provider();
    let _: Value = provider.raw_request("anvil_reorg".into(), (reorg.depth, transactions)).await.unwrap();
    observer.catch_up().await;
}

/// The signed transactions of the newest blocks, each for the first of the new ones: their nonces are in order there.
async fn transactions(observer: &Observer, blocks: u64) -> Vec<Value> {
    let provider = observer.chain().provider();
    let head = provider.get_block_number().await.unwrap();
    let mut all = Vec::new();
    for number in head + 1 - blocks..=head {
        let block = provider.get_block_by_number(number.into()).await.unwrap().unwrap();
        for hash in block.transactions.hashes() {
            let raw: Bytes =
                provider.raw_request("eth_getRawTransactionByHash".into(), [hash]).await.unwrap();
            all.push(json!([raw, 0]));
        }
    }
    all
}

/// Returns when a task that is created from now on has the signatures of all operators: each of them follows the chain.
async fn signed_by_all(world: &World) {
    world.says("(100.00 % of stake)").await;
}
