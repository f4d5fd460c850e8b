//! Simulates many seeds: `just sim --seeds 1000 --first-seed 1`.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anzen_integration::sim::{Failed, Options, Outcome, Plan, Sabotage, run};
use clap::Parser;

/// Runs the simulation for many seeds, and stops at the first one that violates an invariant, or in which an actor panics.
#[derive(Debug, Clone, Copy, Parser)]
#[command(name = "just sim")]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// Break something on purpose: acknowledges-early, forgets-protection, forgets-intents, forgets-signatures, lets-impersonate,
    /// ignores-restoration.
    #[arg(long)]
    sabotage: Option<Sabotage>,
    /// Print everything that happened, with the actors' own logs.
    #[arg(long)]
    trace: bool,
    /// Go on after a violation, and print every seed that has one.
    #[arg(long)]
    keep_going: bool,
    /// How many seeds run at the same time; as many as there are cores if nothing is said.
    #[arg(long)]
    jobs: Option<usize>,
}

/// How many lines of the trace a failing seed prints, unless all are asked for.
const LAST_LINES: usize = 200;

/// What became of the seeds so far.
#[derive(Debug, Default)]
struct Tally {
    next: AtomicU64,
    failures: AtomicU64,
    answered: AtomicU64,
    tasks: AtomicU64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let tally = Tally::default();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.unwrap_or(cores) {
            scope.spawn(|| work(&arguments, &tally));
        }
    });
    let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
    let (failures, seeds) = (load(&tally.failures), load(&tally.next).min(arguments.seeds));
    println!(
        "{seeds} seeds from {}: {failures} with a violation or a failure; {} of {} tasks answered; {:.1} s",
        arguments.first_seed,
        load(&tally.answered),
        load(&tally.tasks),
        start.elapsed().as_secs_f64(),
    );
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn work(arguments: &Arguments, tally: &Tally) {
    loop {
        let failed = tally.failures.load(Ordering::Relaxed) > 0;
        let place = tally.next.fetch_add(1, Ordering::Relaxed);
        if place >= arguments.seeds || (failed && !arguments.keep_going) {
            return;
        }
        let (seed, options) =
            (arguments.first_seed + place, Options { sabotage: arguments.sabotage, trace: arguments.trace });
        let plan = Plan::of_seed(seed);
        let outcome = run(seed, &plan, options);
        let failed = match &outcome {
            Ok(outcome) => {
                tally.answered.fetch_add(outcome.tasks.0 as u64, Ordering::Relaxed);
                tally.tasks.fetch_add(outcome.tasks.1 as u64, Ordering::Relaxed);
                outcome.violation.is_some()
            }
            Err(_) => true,
        };
        if failed {
            tally.failures.fetch_add(1, Ordering::Relaxed);
        }
        if failed || arguments.trace {
            println!("{}", report(arguments, seed, &plan, &outcome));
        }
    }
}

/// The seed, the plan, what does not hold, how it came about, and how to see it again.
fn report(arguments: &Arguments, seed: u64, plan: &Plan, outcome: &Result<Outcome, Failed>) -> String {
    let sabotage = arguments.sabotage.map(|sabotage| format!(" --sabotage {sabotage}")).unwrap_or_default();
    let again = format!("just sim --seeds 1 --first-seed {seed}{sabotage} --trace");
    let (lines, verdict) = match outcome {
        Ok(outcome) => {
            let verdict = match &outcome.violation {
                Some(violation) => format!("violates {violation}"),
                None => format!("holds; {} of {} tasks answered", outcome.tasks.0, outcome.tasks.1),
            };
            (outcome.log.as_slice(), verdict)
        }
        Err(failed) => (failed.log.as_slice(), format!("fails: {failed}")),
    };
    let shown = if arguments.trace { lines } else { &lines[lines.len().saturating_sub(LAST_LINES)..] };
    let short = if arguments.keep_going { &shown[shown.len().saturating_sub(1)..] } else { shown };
    format!("seed {seed}\n{plan}{}\nseed {seed} {verdict}\nto see it again: {again}", short.join("\n"))
}
