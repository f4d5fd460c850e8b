//! Asks a network's chain watcher, through the link that the other actors use, for all that it tells of the chain.

use std::path::Path;
use std::sync::Arc;

use anzen_actors::adapters::{OsRng, SystemClock};
use anzen_actors::bus::Handle;
use anzen_actors::rpc_gateway::{LinkDependencies, LinkMetrics, LinkTransport};
use anzen_messages::chain::{ChainBlock, ChainEvent, NextBlocks};

use super::world::World;
use crate::invariants::Fact;

/// The socket, in a network whose chain watcher has a process of its own.
const SOCKET: &str = "links/chain-watcher.sock";

/// Tells whom the chain watcher follows, once it is at the newest block. Nothing where none can be asked.
pub(super) async fn tell(world: &World) {
    let socket = world.network().folder().join(SOCKET);
    if !socket.exists() {
        return;
    }
    let watcher = connect(&socket);
    loop {
        let blocks = all_blocks(&watcher).await;
        let mut chain = world.chain().await;
        chain.catch_up().await;
        if blocks.last().map(|block| block.header.at) == chain.newest() {
            world.witness.tell(Fact::Follows { process: "chain-watcher".into(), blocks });
            return;
        }
        drop(chain);
        world.blocks(1).await;
    }
}

fn connect(socket: &Path) -> Handle<NextBlocks> {
    let rng = Arc::new(OsRng::new().unwrap());
    let deps = LinkDependencies { clock: Arc::new(SystemClock), rng, metrics: LinkMetrics::default() };
    Handle::remote(Arc::new(LinkTransport::start(socket, deps).unwrap()))
}

async fn all_blocks(watcher: &Handle<NextBlocks>) -> Vec<ChainBlock> {
    let (mut blocks, mut after) = (Vec::<ChainBlock>::new(), None);
    loop {
        // It is being connected to, or started.
        let Ok(Ok(delta)) = watcher.ask(NextBlocks { after, wait_ms: 0 }).await else {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let Some(last) = delta.blocks.last() else { return blocks };
        after = Some(last.header.at);
        blocks.extend(delta.blocks.into_iter().map(of_tasks));
    }
}

/// The block with what concerns tasks: the rest the ledger is not told.
fn of_tasks(mut block: ChainBlock) -> ChainBlock {
    block
        .events
        .retain(|event| matches!(event, ChainEvent::TaskCreated { .. } | ChainEvent::TaskResponded { .. }));
    block
}
