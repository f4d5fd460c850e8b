//! A local network that is watched: its chain, what passes between operators and aggregators, and what is on disk.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alloy::primitives::{B256, I256};
use anzen_messages::OperatorId;
use anzen_messages::bls::PublicKey;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;

use super::observer::{Observer, Seen, Tally};
use super::report::Fault;
use super::said::{Said, listen};
use super::tap::{Passed, Tap};
use super::witness::Witness;
use super::{disk, follows, soon, terms};
use crate::e2e::chain::Chain;
use crate::e2e::network::LocalNetwork;
use crate::e2e::process::{Frozen, freeze, signal};
use crate::e2e::wire::Keys;
use crate::invariants::Fact;
use crate::sim::faults_in;

/// How often the chain is looked at: far more often than there are blocks.
const LOOK: Duration = Duration::from_millis(50);

/// Where nothing listens.
const NOBODY: &str = "ws://127.0.0.1:1";

/// The network, and all that watches it.
pub(super) struct World {
    network: LocalNetwork,
    folder: Option<TempDir>,
    pub(super) witness: Witness,
    observer: tokio::sync::Mutex<Observer>,
    tally: watch::Receiver<Tally>,
    newest: watch::Receiver<Option<(B256, I256)>>,
    taps: Vec<Tap>,
    /// The operators that follow the rules for sure, by the names of their processes.
    operators: BTreeMap<String, OperatorId>,
    copies: AtomicUsize,
    said: watch::Sender<Said>,
    ended: watch::Receiver<bool>,
}

impl World {
    /// Starts `anzen local run` with these arguments. The processes of the operators in `cut_off` reach no aggregator; somebody
    /// may use their keys, and break the rules.
    pub(super) async fn start(arguments: &[&str], cut_off: &[u32]) -> Self {
        let folder = tempfile::Builder::new().prefix("anzen-chaos-").tempdir().unwrap();
        let mut network = LocalNetwork::start(&folder.path().join("network"), arguments);
        network.line("Ready after").await;
        let keys = operator_keys(&network);
        let chain = Chain::new(network.json("addresses.json"));
        let witness = Witness::new(terms::of(&chain, &keys, cut_off));
        let is_cut_off = |name: &str| cut_off.iter().any(|number| name == format!("operator-{number}"));
        let honest = keys.iter().filter(|(name, _)| !is_cut_off(name));
        let operators = honest.map(|(name, key)| (name.clone(), key.operator_id())).collect();
        let said = watch::Sender::default();
        let ended = listen(network.take_lines(), witness.clone(), said.clone());
        let mut observer = Observer::new(chain, witness.clone());
        observer.catch_up().await;
        let (tally, newest) = (observer.tally(), observer.newest_task());
        let observer = tokio::sync::Mutex::new(observer);
        let copies = AtomicUsize::new(0);
        let (folder, taps) = (Some(folder), Vec::new());
        let mut world =
            Self { network, folder, witness, observer, tally, newest, taps, operators, copies, said, ended };
        world.put_taps(&keys.into_keys().collect::<Vec<_>>(), &is_cut_off).await;
        world.observer.lock().await.catch_up().await;
        world.witness.is_ready();
        world
    }

    /// Puts a tap before each aggregator, and sends operators there, or to nobody.
    async fn put_taps(&mut self, operators: &[String], is_cut_off: &impl Fn(&str) -> bool) {
        let mut ways = Vec::new();
        for (name, edge) in self.aggregators() {
            let tap = Tap::at(edge, &name, &self.witness).await;
            ways.push((format!("ws://{edge}"), tap.url()));
            self.taps.push(tap);
        }
        for operator in operators {
            let path = self.network.folder().join(operator).join("node.toml");
            let mut config = std::fs::read_to_string(&path).unwrap();
            for (edge, tap) in &ways {
                config = config.replace(edge, if is_cut_off(operator) { NOBODY } else { tap });
            }
            std::fs::write(&path, config).unwrap();
            self.witness.is_down(operator);
            self.network.kill(operator);
        }
        self.witness.are_back(|_| true).await;
    }

    /// Watches while `play` runs.
    pub(super) async fn watched<T>(&self, play: impl Future<Output = T>) -> Result<T, Fault> {
        let mut ended = self.ended.clone();
        tokio::select! {
            biased;
            fault = self.witness.broken() => Err(fault),
            never = self.observe() => never,
            _ = ended.wait_for(|ended| *ended) => panic!("the network has ended:\n{}", self.said()),
            // What it told last may not hold.
            outcome = play => self.witness.fault().map_or(Ok(outcome), Err),
        }
    }

    async fn observe<T>(&self) -> T {
        loop {
            self.observer.lock().await.catch_up().await;
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Kills a process, as a crash would, and looks at what it leaves on disk. It is started again by the network.
    pub(super) async fn kill(&self, process: &str) {
        self.witness.are_back(|down| down == process).await;
        self.witness.is_down(process);
        let _frozen = self.inspect(process).await;
        signal(self.network.pid(process), Signal::KILL);
    }

    /// Tells what a process has on disk. It stands still as long as the result lives.
    pub(super) async fn inspect(&self, process: &str) -> Frozen {
        let frozen = freeze(self.network.pid(process)).await;
        let number = self.copies.fetch_add(1, Ordering::Relaxed);
        let copy = self.folder().join("copies").join(format!("{number:03}-{process}"));
        if disk::copy(&self.data_of(process), &copy) {
            // What it has acknowledged was told before; of blocks it may know more than the ledger.
            self.observer.lock().await.catch_up().await;
            let aggregator = self.aggregator_of(process);
            let operator = self.operators.get(process).copied();
            for fact in disk::facts(process, &copy, aggregator.as_deref(), operator) {
                self.witness.tell(fact);
            }
            std::fs::remove_dir_all(copy).unwrap();
        }
        frozen
    }

    /// Tells whom the collectors blame.
    pub(super) async fn hear_accusations(&self) {
        for process in self.processes().iter().filter(|process| self.aggregator_of(process).is_some()) {
            let metrics = self.network.metrics(process).await;
            for (operator, fault) in faults_in(&metrics) {
                self.witness.tell(Fact::Blamed { process: process.clone(), operator, fault });
            }
        }
    }

    /// The chain, while nobody else looks at it.
    pub(super) async fn chain(&self) -> tokio::sync::MutexGuard<'_, Observer> {
        self.observer.lock().await
    }

    /// What there is on chain.
    pub(super) fn tally(&self) -> Tally {
        self.tally.borrow().clone()
    }

    /// Returns when the chain is as it is asked for.
    pub(super) async fn until(&self, holds: impl Fn(&Tally) -> bool) {
        let mut tally = self.tally.clone();
        // The sender is in this world.
        let _ = soon("the chain goes on as it should", tally.wait_for(|tally| holds(tally))).await;
    }

    /// Returns when there are so many tasks of which this `holds`. Each of them comes soon after the one before.
    pub(super) async fn tasks(&self, number: usize, holds: impl Fn(&Seen) -> bool) {
        let count = |tally: &Tally| tally.tasks.values().filter(|task| holds(task)).count();
        for enough in 1..=number {
            self.until(|tally| count(tally) >= enough).await;
        }
    }

    /// Returns when there are so many more blocks.
    pub(super) async fn blocks(&self, number: u64) {
        let head = self.tally().head + number;
        self.until(|tally| tally.head >= head).await;
    }

    /// Returns when each task that there is now is answered, is over, or was undone.
    pub(super) async fn settled(&self) {
        let tasks = self.tally().tasks;
        let is_settled = |tally: &Tally, task| match tally.tasks.get(task) {
            Some(seen) => seen.answered.is_some() || tally.head > seen.created + terms::response_window(),
            None => true,
        };
        self.until(|tally| tasks.keys().all(|task| is_settled(tally, task))).await;
    }

    /// Returns when the next `what` has passed between an operator and an aggregator.
    pub(super) async fn passes(&self, what: Passed) {
        let waiting = self.taps.iter().map(|tap| Box::pin(tap.next(what)));
        soon("operators submit", futures::future::select_all(waiting)).await;
    }

    /// The processes, less the chain.
    pub(super) fn processes(&self) -> Vec<String> {
        self.network.names().into_iter().filter(|name| name != "chain").collect()
    }

    /// Returns when the network prints a line with `text` in it, from now on.
    pub(super) async fn says(&self, text: &str) {
        let mut said = self.said.subscribe();
        let before = said.borrow().total;
        let is_there = |said: &Said| said.since(before).any(|line| line.contains(text));
        // The sender is in this world.
        let _ = soon(text, said.wait_for(is_there)).await;
    }

    /// The newest task that was observed, and its true answer, as they come.
    pub(super) fn newest(&self) -> watch::Receiver<Option<(B256, I256)>> {
        self.newest.clone()
    }

    /// The aggregators, and where operators connect, without a tap.
    pub(super) fn aggregators(&self) -> Vec<(String, SocketAddr)> {
        let network = self.network.json("network.json");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let address = |url: &Value| text(url).strip_prefix("ws://").unwrap().parse().unwrap();
        match network["aggregators"].as_array() {
            Some(all) => all.iter().map(|one| (text(&one["name"]), address(&one["url"]))).collect(),
            None => vec![(text(&network["aggregatorName"]), address(&network["aggregatorUrl"]))],
        }
    }

    pub(super) fn network(&self) -> &LocalNetwork {
        &self.network
    }

    /// Looks at all disks, hears whom collectors blame, and asks whom processes follow.
    pub(super) async fn look_everywhere(&self) {
        for process in self.processes() {
            drop(self.inspect(&process).await);
        }
        self.hear_accusations().await;
        follows::tell(self).await;
    }

    /// Stops the network. What is wrong with the files that it leaves, by process.
    pub(super) async fn end(&mut self) -> Vec<String> {
        let processes = self.processes();
        self.network.stop().await;
        let of = |process: &String| {
            let problems = disk::problems(&self.data_of(process));
            problems.into_iter().map(|problem| format!("{process}: {problem}")).collect::<Vec<_>>()
        };
        processes.iter().flat_map(of).collect()
    }

    /// Keeps all files for whoever wants to know, and says where.
    pub(super) fn keep(mut self) -> PathBuf {
        self.folder.take().map(TempDir::keep).unwrap_or_default()
    }

    /// The last lines that the network printed.
    pub(super) fn said(&self) -> String {
        self.said.borrow().since(0).collect::<Vec<_>>().join("\n")
    }

    fn folder(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }

    fn data_of(&self, process: &str) -> PathBuf {
        self.network.folder().join(process).join("data")
    }

    /// The name of the aggregator whose collector the process runs; nothing where it runs none.
    fn aggregator_of(&self, process: &str) -> Option<String> {
        let config = std::fs::read_to_string(self.network.folder().join(process).join("node.toml")).ok()?;
        let roles = config.lines().find(|line| line.starts_with("roles"))?;
        if !roles.contains("\"signature-collector\"") {
            return None;
        }
        // One of several has its processes in a folder of its own.
        let folder = process.split('/').next().unwrap_or_default();
        let mut names: Vec<String> = self.aggregators().into_iter().map(|(name, _)| name).collect();
        let place = names.iter().position(|name| *name == format!("local-{folder}")).unwrap_or(0);
        Some(names.swap_remove(place))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(folder) = self.folder.take_if(|_| std::thread::panicking()) {
            eprintln!("everything is kept in {}", folder.keep().display());
        }
    }
}

fn operator_keys(network: &LocalNetwork) -> BTreeMap<String, PublicKey> {
    let number = |name: String| Some((name.strip_prefix("operator-")?.parse().ok()?, name));
    let operators = network.names().into_iter().filter_map(number);
    operators
        .map(|(number, name)| (name, Keys::of_operator(network.folder(), number).secret.public_key()))
        .collect()
}
