//! R2: processes are killed at instants that the seed says.

use std::collections::BTreeMap;
use std::time::Duration;

use super::plan::{Instant, Kill, kills, kind};
use super::report::{Failure, Report};
use super::tap::Passed;
use super::world::World;
use super::{Options, observer::Tally};

/// What was done.
#[derive(Debug, Default)]
struct Done {
    killed: BTreeMap<String, usize>,
}

/// Kills each kind of process of a network as often as `options` say, until there are as many tasks; `arguments` are those of
/// `anzen local run`.
pub(super) async fn run(options: &Options, arguments: &[&str]) -> Result<Report, Failure> {
    let world = World::start(arguments, options.cut_off).await;
    let plan = kills(options.seed, &world.processes(), options.kills);
    let outcome = Box::pin(world.watched(play(&world, &plan, options.tasks))).await;
    let done = match outcome {
        Ok(done) => done,
        Err(fault) => return Err(Failure::of(fault, world)),
    };
    let mut report = Report::new(format!("kill ({})", arguments.join(" ")));
    let each =
        done.killed.iter().map(|(kind, times)| format!("{kind} {times}")).collect::<Vec<_>>().join(", ");
    report.say(format!("killed (SIGKILL): {each}"));
    report.finish(world).await
}

async fn play(world: &World, plan: &[Kill], tasks: usize) -> Done {
    let mut done = Done::default();
    for kill in plan {
        world.blocks(kill.pause).await;
        reach(world, kill.instant).await;
        world.kill(&kill.process).await;
        *done.killed.entry(kind(&kill.process).to_owned()).or_default() += 1;
    }
    world.tasks(tasks, |_| true).await;
    world.witness.are_back(|_| true).await;
    world.settled().await;
    world.look_everywhere().await;
    done
}

/// Returns at that instant.
pub(super) async fn reach(world: &World, instant: Instant) {
    let known = world.tally();
    let more = |count: fn(&Tally) -> usize| {
        let before = count(&known);
        move |tally: &Tally| count(tally) > before
    };
    match instant {
        Instant::Later(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
        Instant::Submission => world.passes(Passed::Submission).await,
        Instant::Acknowledgement => world.passes(Passed::Acknowledgement).await,
        Instant::Creation => world.until(more(|tally| tally.tasks.len())).await,
        Instant::Answer => world.until(more(Tally::answered)).await,
    }
}
