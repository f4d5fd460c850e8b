//! R5: one operator floods the aggregator, then strangers do; the others' tasks are answered as before.

mod operator;
mod strangers;

use std::time::Duration;

use tokio::sync::watch;

use super::Options;
use super::observer::Seen;
use super::report::{Failure, Fault, Report};
use super::world::World;
use crate::e2e::process::resident_kib;
use crate::e2e::wire::Keys;
use operator::Villain;

/// The operator that floods. The others have the threshold without it.
const VILLAIN: u32 = 4;
/// How many operators there are.
const OPERATORS: &str = "4";
/// By how many blocks a flood may delay an answer.
const MOST_DELAY: u64 = 1;
/// By how much a flood may make the aggregator grow, in KiB.
const MOST_GROWTH_KIB: u64 = 128 * 1024;
/// How often its memory is measured.
const LOOK: Duration = Duration::from_millis(100);

/// Tasks, while nothing or some flood was there.
#[derive(Debug)]
struct Measured {
    tasks: Vec<Seen>,
    before_kib: u64,
    peak_kib: u64,
}

impl Measured {
    fn slowest(&self) -> Option<(Seen, u64)> {
        self.tasks.iter().filter_map(|task| Some((*task, task.delay()?))).max_by_key(|(_, delay)| *delay)
    }

    fn worst(&self) -> u64 {
        self.slowest().map_or(0, |(_, delay)| delay)
    }

    fn describe(&self) -> String {
        let delays: Vec<u64> = self.tasks.iter().filter_map(Seen::delay).collect();
        let mean = delays.iter().sum::<u64>() as f64 / delays.len().max(1) as f64;
        format!(
            "{} tasks answered after {mean:.2} blocks in the mean, {} at most; the aggregator had {} MiB before, {} MiB at most",
            delays.len(),
            self.worst(),
            self.before_kib / 1024,
            self.peak_kib / 1024
        )
    }
}

/// Floods the aggregator of a network with the least processes; `arguments` are more for `anzen local run`.
pub(super) async fn run(options: &Options, arguments: &[&str]) -> Result<Report, Failure> {
    let all = [&["--operators", OPERATORS, "--topology", "compact"], arguments].concat();
    let world = World::start(&all, &[VILLAIN]).await;
    let mut report = Report::new(format!("flood ({})", all.join(" ")));
    match Box::pin(world.watched(play(&world, options.flood_tasks, &mut report))).await {
        Ok(Ok(())) => report.finish(world).await,
        Ok(Err(fault)) | Err(fault) => Err(Failure::of(fault, world)),
    }
}

async fn play(world: &World, tasks: usize, report: &mut Report) -> Result<(), Fault> {
    // The first one comes while all begin.
    world.until(|tally| tally.answered() > 0).await;
    let calm = measure(world, tasks).await;
    report.say(format!("no flood: {}", calm.describe()));
    let keys = |number| Keys::of_operator(world.network().folder(), number);
    let villain = Villain::new(world.network(), keys(VILLAIN), world.newest());
    let mut flood = Flood::start(move |sent| villain.flood(sent));
    judge(world, tasks, "an operator's flood", &calm, &mut flood, report).await?;
    let ((_, edge), known) = (world.aggregators().remove(0), keys(1).operator_id);
    let mut flood = Flood::start(move |sent| strangers::flood(edge, known, sent));
    judge(world, tasks, "strangers' flood", &calm, &mut flood, report).await?;
    world.settled().await;
    world.look_everywhere().await;
    Ok(())
}

/// Measures while a flood is there, and compares with the calm.
async fn judge(
    world: &World,
    tasks: usize,
    what: &str,
    calm: &Measured,
    flood: &mut Flood,
    report: &mut Report,
) -> Result<(), Fault> {
    flood.is_there().await;
    let measured = measure(world, tasks).await;
    let sent = flood.stop();
    report.say(format!("{what}, {sent} messages: {}", measured.describe()));
    let most = calm.worst() + MOST_DELAY;
    if let Some((task, delay)) = measured.slowest().filter(|(_, delay)| *delay > most) {
        let (index, created, flood) = (task.index, task.created, what.to_owned());
        return Err(Fault::Slow { index, created, delay, flood, most });
    }
    let (before, peak) = (measured.before_kib, measured.peak_kib);
    if peak > before + MOST_GROWTH_KIB {
        let (process, flood) = ("aggregator".to_owned(), what.to_owned());
        return Err(Fault::Grew { process, before, peak, flood, most: MOST_GROWTH_KIB });
    }
    Ok(())
}

/// So many tasks that are created from now on, when they are answered, and the aggregator's memory meanwhile.
async fn measure(world: &World, number: usize) -> Measured {
    let pid = world.network().pid("aggregator");
    let before_kib = resident_kib(pid);
    let mut peak_kib = before_kib;
    let from = world.tally().head;
    let tasks = async {
        let later = |task: &Seen| task.created > from;
        world.tasks(number, later).await;
        world.settled().await;
        world.tally().tasks.into_values().filter(later).collect()
    };
    tokio::pin!(tasks);
    let tasks = loop {
        tokio::select! {
            tasks = &mut tasks => break tasks,
            () = tokio::time::sleep(LOOK) => peak_kib = peak_kib.max(resident_kib(pid)),
        }
    };
    Measured { tasks, before_kib, peak_kib }
}

/// A flood, on a thread of its own: it is of others, and not the observer's burden.
struct Flood {
    sent: watch::Receiver<u64>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Flood {
    /// Starts a flood, which counts its messages.
    fn start<F: Future<Output = ()>>(flood: impl FnOnce(Sent) -> F + Send + 'static) -> Self {
        let (sender, sent) = watch::channel(0);
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                tokio::select! {
                    _ = stopped => {}
                    () = flood(Sent(sender)) => {}
                }
            });
        });
        Self { sent, stop: Some(stop), thread: Some(thread) }
    }

    /// Returns when it has begun.
    async fn is_there(&mut self) {
        assert!(self.sent.wait_for(|sent| *sent > 100).await.is_ok(), "the flood has ended by itself");
    }

    /// Ends it; how many messages there were.
    fn stop(&mut self) -> u64 {
        drop(self.stop.take());
        let ended = self.thread.take().map(std::thread::JoinHandle::join);
        assert!(!matches!(ended, Some(Err(_))), "the flood has failed");
        *self.sent.borrow()
    }
}

/// Counts a flood's messages.
#[derive(Clone)]
struct Sent(watch::Sender<u64>);

impl Sent {
    fn more(&self, messages: u64) {
        self.0.send_modify(|sent| *sent += messages);
    }
}
