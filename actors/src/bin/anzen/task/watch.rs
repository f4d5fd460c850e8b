//! `anzen task watch`.

use std::{fmt, process::ExitCode, time::Duration};

use anzen_deploy::{
    Addresses,
    chain::ChainError,
    tasks::{BlockNews, News, Tasks, Watch},
};
use serde::Serialize;

use super::report::{Status, TaskLine, or_dash};
use crate::{
    chain::{Site, block_on},
    logging,
    outcome::{INTERRUPTED, Outcome},
    output::{Output, Report},
    settings::Settings,
    shutdown,
};

/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// Of this protocol only.
    #[arg(long, value_name = "INDEX")]
    oracle: Option<u32>,
    /// End after K answers [default: go on until Ctrl-C].
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

/// Something that happened to a task.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Happened {
    event: Event,
    #[serde(flatten)]
    task: TaskLine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Event {
    Created,
    Answered,
    Missed,
}

pub(super) fn run(arguments: &Arguments, output: Output) -> Outcome {
    logging::start("warn");
    block_on(async {
        let interrupted = shutdown::signalled()?;
        tokio::select! {
            outcome = watch(arguments, output) => outcome,
            // Where no end was asked for, this is how it ends.
            () = interrupted => Ok(match arguments.count {
                Some(_) => ExitCode::from(INTERRUPTED),
                None => ExitCode::SUCCESS,
            }),
        }
    })?
}

async fn watch(arguments: &Arguments, output: Output) -> Outcome {
    let site = Site::reach(&arguments.settings).await?;
    let pause = Duration::from_millis(site.config.chain.poll_interval_ms);
    let tasks = Tasks::new(site.provider, site.addresses, site.config.chain.log_range);
    let mut blocks = Blocks::new(Watch::from_here(tasks).await?, pause);
    let mut left = arguments.count;
    loop {
        let block = blocks.next().await;
        for happened in block.news.into_iter().filter_map(|news| happened(blocks.addresses(), news)) {
            if arguments.oracle.is_some_and(|index| index != happened.task.oracle_index) {
                continue;
            }
            output.print_next(&happened)?;
            if happened.event == Event::Answered {
                left = left.map(|left| left - 1);
            }
            if left == Some(0) {
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
}

fn happened(addresses: &Addresses, news: News) -> Option<Happened> {
    let (event, task) = match news {
        News::Created(open) => (Event::Created, TaskLine::of_open(addresses, &open, Status::Open)),
        News::Answered(answered) => (Event::Answered, TaskLine::of_answered(addresses, &answered)),
        News::Missed(open) => (Event::Missed, TaskLine::of_open(addresses, &open, Status::Unanswered)),
        News::Joined(_) => return None,
    };
    Some(Happened { event, task })
}

impl Report for Happened {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let TaskLine { index, protocol, created_block, last_block, .. } = &self.task;
        write!(f, "task {index:<4} {protocol:<20} ")?;
        match self.event {
            Event::Created => {
                writeln!(f, "created in block {created_block}; can be answered until {last_block}")
            }
            Event::Answered => {
                let block = or_dash(self.task.responded_block);
                let (value, signed) = (or_dash(self.task.value.as_ref()), self.task.signed_text());
                writeln!(f, "answered in block {block}: {value}, signed by {signed} of the stake")
            }
            Event::Missed => writeln!(f, "NOT ANSWERED by block {last_block}"),
        }
    }
}

/// Blocks as they come. While the node fails this waits and tries again, and misses nothing.
pub(super) struct Blocks {
    watch: Watch,
    pause: Duration,
}

impl Blocks {
    pub(super) fn new(watch: Watch, pause: Duration) -> Self {
        Self { watch, pause: pause.max(Duration::from_millis(1)) }
    }

    pub(super) fn addresses(&self) -> &Addresses {
        self.watch.addresses()
    }

    /// The next block.
    pub(super) async fn next(&mut self) -> BlockNews {
        let mut failures = 0;
        loop {
            match self.watch.next_block().await {
                Ok(Some(block)) => return block,
                Ok(None) => failures = 0,
                Err(error) => {
                    complain(&error, failures);
                    failures += 1;
                }
            }
            tokio::time::sleep(pause_after(self.pause, failures)).await;
        }
    }
}

/// Once for a number of failures: whoever watches need not be told every second.
fn complain(error: &ChainError, failures: u32) {
    if failures.is_power_of_two() || failures == 0 {
        tracing::warn!(%error, "the chain cannot be read; trying again");
    }
}

fn pause_after(pause: Duration, failures: u32) -> Duration {
    pause.saturating_mul(1 << failures.min(16)).min(LONGEST_PAUSE.max(pause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound() {
        let pause = |failures| pause_after(Duration::from_millis(500), failures);
        assert_eq!(pause(0), Duration::from_millis(500));
        assert_eq!(pause(3), Duration::from_secs(4));
        assert_eq!(pause(40), LONGEST_PAUSE);
        assert_eq!(pause_after(Duration::from_secs(60), 5), Duration::from_secs(60));
    }
}
