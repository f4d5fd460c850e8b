//! What happens while the network runs, told as it happens.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use alloy::primitives::B256;
use anzen_messages::wire::ActorName;
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    End, LocalError, Network, Options,
    folder::Folder,
    line,
    nodes::Aggregator,
    operators::{self, Numbers},
    prices::Prices,
    run::is_operator,
    say,
    supervise::{Ended, Event, Processes},
};
use crate::{
    Addresses,
    tasks::{Answered, BlockNews, News, Open, Watch},
};

/// How often the chain is asked for a new block.
const POLL: Duration = Duration::from_millis(100);
/// How long to wait for the collector to log what it knows about a missed task.
const COLLECTOR_LAG: Duration = Duration::from_secs(2);

/// Follows the network.
pub(super) struct Follower<'a> {
    options: &'a Options,
    folder: &'a Folder,
    network: Network,
    addresses: Addresses,
    numbers: Numbers,
    blocks: mpsc::Receiver<BlockNews>,
    watcher: JoinHandle<()>,
    /// Whose end `Processes` will tell of.
    ours: BTreeSet<u32>,
    up: BTreeSet<u32>,
    down: BTreeSet<u32>,
    answered: u64,
    last_created: Option<u64>,
    collector_logs: Vec<PathBuf>,
    generator_logs: Vec<PathBuf>,
}

impl<'a> Follower<'a> {
    pub(super) fn new(
        options: &'a Options,
        folder: &'a Folder,
        network: Network,
        watch: Watch,
        prices: Prices,
        aggregators: &[Aggregator],
    ) -> Self {
        let nodes = || aggregators.iter().flat_map(|aggregator| &aggregator.nodes);
        let logs_of = |actor| -> Vec<PathBuf> {
            nodes().filter(|node| node.runs(actor)).map(|node| folder.log_of(&node.name)).collect()
        };
        let (sender, blocks) = mpsc::channel(64);
        Self {
            options,
            folder,
            network,
            addresses: watch.addresses().clone(),
            numbers: operators::numbers(folder),
            blocks,
            watcher: tokio::spawn(watch_on(watch, prices, sender)),
            ours: (1..=options.operators).collect(),
            up: BTreeSet::new(),
            down: BTreeSet::new(),
            answered: 0,
            last_created: None,
            collector_logs: logs_of(ActorName::SignatureCollector),
            generator_logs: logs_of(ActorName::TaskGenerator),
        }
    }

    pub(super) async fn follow(mut self, processes: &mut Processes) -> Result<End, LocalError> {
        loop {
            tokio::select! {
                event = processes.next() => self.process(event)?,
                Some(block) = self.blocks.recv() => {
                    self.block(block.number)?;
                    for news in block.news {
                        if let Some(end) = self.tell(news).await? {
                            return Ok(end);
                        }
                    }
                }
            }
        }
    }

    fn process(&mut self, event: Event) -> Result<(), LocalError> {
        match event {
            Event::Ended(ended) if ended.returns => {
                say(format!("{} has ended ({}) and is started again", title(&ended.name), ended.how));
                Ok(())
            }
            Event::Ended(ended) => self.ended(ended),
            Event::Started { name, pid } => self.started(&name, pid),
            Event::Ready { name } => {
                say(format!("{} is back", title(&name)));
                Ok(())
            }
        }
    }

    /// An operator's process is what the network tolerates to lose; any other ends it.
    fn ended(&mut self, ended: Ended) -> Result<(), LocalError> {
        let Some(number) = is_operator(&ended.name) else { return Err(ended.into_error()) };
        self.ours.remove(&number);
        self.is_down(number, &ended.how);
        if ended.failures > 1 {
            say(ended.into_error());
        }
        Ok(())
    }

    /// Who looks for a process finds the new one.
    fn started(&mut self, name: &str, pid: u32) -> Result<(), LocalError> {
        self.network.processes.iter_mut().filter(|one| one.name == name).for_each(|one| one.pid = pid);
        self.network.save(self.folder)?;
        is_operator(name).map_or(Ok(()), |number| operators::write_pid(self.folder, number, pid))
    }

    fn is_down(&mut self, number: u32, how: &str) {
        self.up.remove(&number);
        self.down.insert(number);
        let remedy = operators::remedy(number, self.options);
        say(format!("operator {number} is down ({how}); the others go on. {remedy} brings it back"));
    }

    /// Operators come and go in other terminals too.
    fn look_after_operators(&mut self) {
        for number in operators::numbers(self.folder).into_values() {
            match operators::running(self.folder, number) {
                Some(_) if self.down.remove(&number) => {
                    self.up.insert(number);
                    say(format!("operator {number} is back"));
                }
                Some(_) => drop(self.up.insert(number)),
                // One that was started here is reported when its end is seen.
                None if self.up.contains(&number) && !self.ours.contains(&number) => {
                    self.is_down(number, "its terminal may know why");
                }
                None => {}
            }
        }
    }

    async fn tell(&mut self, news: News) -> Result<Option<End>, LocalError> {
        match news {
            News::Created(open) => self.last_created = Some(open.created.block),
            News::Answered(answered) => return Ok(self.answered(&answered)),
            News::Missed(missed) => self.missed(&missed).await?,
            News::Joined(operator) => {
                self.numbers = operators::numbers(self.folder);
                let number = self.numbers.get(&operator);
                let who = number.map_or_else(|| operator.to_string(), u32::to_string);
                say(format!("operator {who} has joined the quorum"));
            }
        }
        Ok(None)
    }

    fn answered(&mut self, answered: &Answered) -> Option<End> {
        let protocol = self.addresses.name_of(answered.open.task.oracle_index);
        say(line::answered(answered, &protocol, &self.numbers));
        self.answered += 1;
        (self.options.tasks == Some(self.answered)).then_some(End::TasksAnswered)
    }

    async fn missed(&mut self, missed: &Open) -> Result<(), LocalError> {
        let signed = signed_percent(&self.collector_logs, missed.task.index).await;
        let down: Vec<u32> = self.down.iter().copied().collect();
        let remedy = down.first().map(|number| operators::remedy(*number, self.options)).unwrap_or_default();
        let protocol = self.addresses.name_of(missed.task.oracle_index);
        let line = line::missed(missed, &protocol, signed, &down, &remedy);
        if self.options.tasks.is_some() {
            return Err(LocalError::Missed(line));
        }
        say(line);
        Ok(())
    }

    fn block(&mut self, number: u64) -> Result<(), LocalError> {
        self.look_after_operators();
        let since = *self.last_created.get_or_insert(number);
        // A task that is missed holds the next one up for the whole of its window.
        let blocks = 2 * self.options.interval + 60;
        if number > since + blocks {
            let logs: Vec<_> = self.generator_logs.iter().map(|log| log.display().to_string()).collect();
            let quiet = LocalError::NoTask { blocks, logs: logs.join(" or ") };
            if self.options.tasks.is_some() {
                return Err(quiet);
            }
            say(quiet);
            self.last_created = Some(number);
        }
        Ok(())
    }
}

impl Drop for Follower<'_> {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

/// What a process is called in what is printed.
fn title(name: &str) -> String {
    is_operator(name).map_or_else(|| name.to_owned(), |number| format!("operator {number}"))
}

async fn watch_on(mut watch: Watch, mut prices: Prices, blocks: mpsc::Sender<BlockNews>) {
    loop {
        match watch.next_block().await {
            Ok(Some(block)) => {
                let (number, hash) = (block.number, block.hash);
                if blocks.send(block).await.is_err() {
                    return;
                }
                move_prices(&mut prices, number, hash).await;
            }
            Ok(None) => tokio::time::sleep(POLL).await,
            Err(error) => {
                tracing::warn!(%error, "the chain cannot be read; trying again");
                tokio::time::sleep(POLL * 10).await;
            }
        }
    }
}

async fn move_prices(prices: &mut Prices, block: u64, hash: B256) {
    if let Err(error) = prices.moved(block, hash).await {
        tracing::warn!(%error, "a price could not be moved; the next block is the next chance");
    }
}

/// How much of the stake signed a task that was missed, as the collectors know: it is nowhere on chain.
async fn signed_percent(logs: &[PathBuf], index: u32) -> Option<u64> {
    let deadline = tokio::time::Instant::now() + COLLECTOR_LAG;
    loop {
        let found = logs.iter().filter_map(|log| signed_in(log, index)).max();
        if found.is_some() || tokio::time::Instant::now() > deadline {
            return found;
        }
        tokio::time::sleep(POLL).await;
    }
}

/// What one collector knows.
fn signed_in(log: &std::path::Path, index: u32) -> Option<u64> {
    let text = std::fs::read_to_string(log).ok()?;
    text.lines().rev().find_map(|line| unanswered(line, index))
}

/// The least percentage of a quorum in the collector's line about a task, if this is that line.
fn unanswered(line: &str, index: u32) -> Option<u64> {
    if !line.contains("signed_percent") || !line.contains("without an answer") {
        return None;
    }
    let fields = serde_json::from_str::<serde_json::Value>(line).ok()?;
    let fields = fields.get("fields")?;
    if fields.get("index")?.as_u64()? != u64::from(index) {
        return None;
    }
    let percents = fields.get("signed_percent")?.as_str()?;
    percents.trim_matches(['[', ']']).split(',').filter_map(|percent| percent.trim().parse().ok()).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_the_collector_says_about_a_task() {
        let line = r#"{"level":"WARN","fields":{"message":"the window passed without an answer","index":4,"task":"0xab","signed_percent":"[33, 50]"}}"#;
        assert_eq!(unanswered(line, 4), Some(33));
        assert_eq!(unanswered(line, 5), None);
        assert_eq!(unanswered("no JSON", 4), None);
    }
}
