//! What is told while blocks are awaited, on standard error: a bar on a terminal, a line now and then elsewhere.

use std::{io::IsTerminal, time::Duration};

use anzen_deploy::operator::{Operator, Wait};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{Instant, sleep};

use crate::output::duration;

/// Between two looks at the chain's height: a wait of weeks asks little.
const SHORTEST_POLL: Duration = Duration::from_millis(250);
const LONGEST_POLL: Duration = Duration::from_secs(12);
/// Between two lines where nobody watches.
const LINE_EVERY: Duration = Duration::from_secs(60);

/// How long so many blocks take, for people; nothing where the chain does not tell.
pub(super) async fn estimate(operator: &Operator, blocks: u64) -> Option<String> {
    let block_time = operator.block_time().await.ok().flatten()?;
    Some(duration(block_time, blocks))
}

/// A wait that is going on.
pub(super) struct Progress<'a> {
    operator: &'a Operator,
    wait: Wait,
    block_time: Duration,
    bar: Option<ProgressBar>,
}

impl<'a> Progress<'a> {
    /// Tells that it begins.
    pub(super) async fn start(operator: &'a Operator, wait: Wait) -> Self {
        let block_time = operator.block_time().await.ok().flatten().unwrap_or(SHORTEST_POLL);
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(wait.blocks());
            // The template is a constant, and right.
            let style = ProgressStyle::with_template("{msg}\n  {bar:40} block {pos} of {len}{prefix}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(wait.text.clone());
            bar
        });
        let progress = Self { operator, wait, block_time, bar };
        match progress.bar {
            Some(_) => progress.tell(progress.wait.height),
            None => eprintln!("{} (about {})", progress.wait, duration(block_time, progress.wait.blocks())),
        }
        progress
    }

    /// Waits until it is time to look again. An endpoint that fails meanwhile is asked again.
    pub(super) async fn finish(self) {
        let target = self.wait.next_look();
        let mut told = Instant::now();
        loop {
            // Whoever asks next will be told what is wrong with it.
            let height = self.operator.height().await.unwrap_or(self.wait.height);
            if height >= target {
                break;
            }
            if self.bar.is_some() || told.elapsed() > LINE_EVERY {
                self.tell(height);
                told = Instant::now();
            }
            let left = u32::try_from(target - height).unwrap_or(u32::MAX);
            sleep((self.block_time / 4).saturating_mul(left).clamp(SHORTEST_POLL, LONGEST_POLL)).await;
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn tell(&self, height: u64) {
        let left = self.wait.until.saturating_sub(height);
        let about = duration(self.block_time, left);
        match &self.bar {
            Some(bar) => {
                bar.set_prefix(format!(", about {about} left"));
                bar.set_position(height.saturating_sub(self.wait.height));
            }
            None => eprintln!("{left} blocks more, about {about}"),
        }
    }
}
