//! Has the storms of a plan happen, and the calms between them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::chain::SimChain;
use super::cluster::Cluster;
use super::inspect::{inspect, patrol, what_do_they_believe};
use super::network::Faults;
use super::node::{Machine, Node, Who};
use super::plan::{Plan, Storm};
use super::run::BLOCK;
use super::schedule::{Event, Trouble};
use super::store::DiskFault;
use super::weather::View;

pub(super) struct Director {
    cluster: Cluster,
    nodes: BTreeMap<Who, Node>,
    /// The chain makes no blocks.
    stalled: Arc<AtomicBool>,
}

impl Director {
    pub(super) fn new(cluster: Cluster, machines: BTreeMap<Who, Machine>) -> Self {
        let node = |machine| Node { machine, process: None, lives: 0 };
        let nodes = machines.into_iter().map(|(who, machine)| (who, node(machine))).collect();
        Self { cluster, nodes, stalled: Arc::default() }
    }

    /// Everything from the start of the processes to the last look at them.
    pub(super) async fn play(&mut self, plan: &Plan) -> Result<(), String> {
        for node in self.nodes.values_mut() {
            self.cluster.start(node).await?;
        }
        actix::spawn(mine(self.cluster.chain.clone(), Arc::clone(&self.stalled)));
        let machines = self.nodes.values().map(|node| node.machine.clone()).collect();
        actix::spawn(patrol(machines, self.cluster.witness.clone(), BLOCK / 2));
        for storm in &plan.storms {
            self.storm(storm).await?;
            self.calm(storm).await?;
            self.blocks(plan.calm_blocks).await;
            // Half a block later, everyone has heard of the last one.
            tokio::time::sleep(BLOCK / 2).await;
            what_do_they_believe(&self.nodes, &self.cluster.witness).await;
        }
        Ok(())
    }

    /// Kills whatever runs.
    pub(super) async fn end(&mut self) {
        for node in self.nodes.values_mut() {
            self.cluster.kill(node).await;
        }
    }

    async fn storm(&mut self, storm: &Storm) -> Result<(), String> {
        self.cluster.log.add("a storm begins");
        let start = Instant::now();
        self.cluster.chain.weather(true, storm.tx_drop_percent);
        self.cluster.net.weather(storm.faults);
        for node in self.nodes.values_mut() {
            node.machine.weather.set_failure_percent(storm.rpc_failure_percent);
            if node.process.is_none() {
                self.cluster.start(node).await?;
            }
        }
        let end = start + BLOCK * u32::try_from(storm.blocks).unwrap_or(u32::MAX);
        for (at, event) in &storm.events {
            let at = start + Duration::from_millis(*at);
            if at >= end {
                break;
            }
            tokio::time::sleep_until(at).await;
            self.happen(event).await?;
        }
        tokio::time::sleep_until(end).await;
        Ok(())
    }

    /// Mends everything, but for the one who stays down.
    async fn calm(&mut self, storm: &Storm) -> Result<(), String> {
        self.cluster.log.add("all is mended");
        self.stalled.store(false, Ordering::Relaxed);
        self.cluster.net.weather(Faults::NONE);
        self.cluster.net.mend();
        for node in self.nodes.values_mut() {
            node.machine.weather.set_view(View::Good);
            node.machine.weather.set_failure_percent(0);
            node.machine.disk.breaks(DiskFault::None);
            if storm.stays_down == Some(node.machine.who) {
                self.cluster.kill(node).await;
            } else if node.process.is_none() {
                self.cluster.start(node).await?;
            }
        }
        self.cluster.chain.weather(false, 0);
        Ok(())
    }

    async fn blocks(&self, count: u64) {
        let mut changes = self.cluster.chain.subscribe();
        for _ in 0..count {
            // The chain lives as long as the run.
            let _ = changes.changed().await;
        }
    }

    async fn happen(&mut self, event: &Event) -> Result<(), String> {
        if !matches!(event, Event::Kill(_) | Event::Start(_)) {
            self.cluster.log.add(format_args!("{event:?}"));
        }
        match event {
            Event::Kill(who) => self.kill(*who).await,
            Event::Copy(who) => {
                if let Some(node) = self.nodes.get(who) {
                    node.machine.disk.copy();
                }
            }
            Event::Restore(who) => {
                self.kill(*who).await;
                if self.nodes.get(who).is_some_and(|node| node.machine.disk.restore()) {
                    self.cluster.log.add(format_args!("the disk of {who} is put back"));
                }
            }
            Event::Start(who) => {
                if let Some(node) = self.nodes.get_mut(who).filter(|node| node.process.is_none()) {
                    self.cluster.start(node).await?;
                }
            }
            Event::Cut(ways) => self.cut(ways, true),
            Event::Mend(ways) => self.cut(ways, false),
            Event::Endpoint(who, trouble) => self.see(*who, self.view(*trouble)),
            Event::EndpointWell(who) => self.see(*who, View::Good),
            Event::Disk(who, fault) => {
                if let Some(node) = self.nodes.get(who) {
                    node.machine.disk.breaks(*fault);
                }
            }
            Event::Reorg { depth, dropped_percent, longer } => {
                self.cluster.chain.reorg(*depth, *dropped_percent, *longer);
            }
            Event::Stall => self.stalled.store(true, Ordering::Relaxed),
            Event::GoOn => self.stalled.store(false, Ordering::Relaxed),
        }
        Ok(())
    }

    async fn kill(&mut self, who: Who) {
        if let Some(node) = self.nodes.get_mut(&who) {
            inspect(&node.machine, &self.cluster.witness);
            self.cluster.kill(node).await;
            inspect(&node.machine, &self.cluster.witness);
        }
    }

    fn cut(&self, ways: &[(usize, usize)], cut: bool) {
        for (operator, aggregator) in ways {
            self.cluster.net.cut(*operator, *aggregator, cut);
        }
    }

    fn see(&self, who: Who, view: View) {
        if let Some(node) = self.nodes.get(&who) {
            node.machine.weather.set_view(view);
        }
    }

    fn view(&self, trouble: Trouble) -> View {
        match trouble {
            Trouble::Behind(blocks) => View::Behind(blocks),
            Trouble::Frozen => View::Frozen(self.cluster.chain.fork()),
            Trouble::Lies(lie) => View::Lies(lie),
            Trouble::Stalled => View::Stalled,
            Trouble::Dead => View::Dead,
        }
    }
}

async fn mine(chain: SimChain, stalled: Arc<AtomicBool>) {
    loop {
        tokio::time::sleep(BLOCK).await;
        if !stalled.load(Ordering::Relaxed) {
            chain.mine();
        }
    }
}
