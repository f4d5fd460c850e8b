//! `just docker-test`: compose.yaml on a real Docker engine. Images are built from the Dockerfile as it is; tasks must be
//! answered, five operators be five, everything be watched, what is killed come back, what is stopped stop in time and go on
//! where it was, and nothing be left behind.

mod bases;
mod command;
mod compose;
mod engine;
mod lone_operator;
mod monitoring;
mod tasks;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use bases::Bases;
use compose::{Compose, Container};
use engine::Engine;
use lone_operator::LoneOperator;
use monitoring::{Monitoring, grafana_shows, questions};
use tasks::Chain;
use tokio::signal::unix::{SignalKind, signal};

/// What everything here comes to.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Takes the images that an earlier run has built, on an engine that goes on running.
const NO_BUILD: &str = "--no-build";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match test().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("docker-test: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whatever comes of it, and whoever interrupts it, everything is taken down again.
async fn test() -> Outcome<()> {
    let mut stop = signal(SignalKind::terminate())?;
    let interrupted = async {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = stop.recv() => {}
        }
        Err("interrupted".into())
    };
    tokio::pin!(interrupted);
    let engine = tokio::select! {
        engine = Engine::find_or_start() => engine?,
        interrupted = &mut interrupted => return interrupted,
    };
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let mut compose = Compose::new(&engine, &repository).await?;
    let mut bases = Bases::new(&engine);
    let alone = LoneOperator::new(&engine)?;
    let outcome = tokio::select! {
        outcome = run(&mut compose, &mut bases, &alone, &repository) => outcome,
        interrupted = interrupted => interrupted,
    };
    let left = [tear_down(&alone, &compose).await, bases.remove().await, {
        drop((alone, compose));
        engine.stop()
    }];
    for error in left.iter().filter_map(|outcome| outcome.as_ref().err()) {
        eprintln!("docker-test: something is left: {error}");
    }
    left.into_iter().fold(outcome, Result::and)?;
    println!("all is well, and nothing is left");
    Ok(())
}

async fn run(
    compose: &mut Compose<'_>,
    bases: &mut Bases<'_>,
    alone: &LoneOperator<'_>,
    repository: &Path,
) -> Outcome<()> {
    // What an earlier run may have left.
    tear_down(alone, compose).await?;
    prepare(compose, bases, repository).await?;
    let outcome = scenario(compose, alone, repository).await;
    if outcome.is_err() {
        compose.tell_logs().await;
    }
    outcome
}

async fn tear_down(alone: &LoneOperator<'_>, compose: &Compose<'_>) -> Outcome<()> {
    // It hangs on the other's network.
    let alone = alone.tear_down().await;
    let compose = compose.down().await;
    alone.and(compose)
}

/// Images: those that are pulled, and those that are built.
async fn prepare(compose: &mut Compose<'_>, bases: &mut Bases<'_>, repository: &Path) -> Outcome<()> {
    let started = Instant::now();
    for image in bases::of_dockerfile(&repository.join("docker/Dockerfile"))? {
        if !bases.ensure(&image).await? {
            return Err(format!("cannot build without {image}").into());
        }
    }
    for (service, image) in compose.foreign_images().await? {
        if !bases.ensure(&image).await? {
            println!("\nWITHOUT {service}: {image} can neither be pulled nor stood in for.\n");
            compose.leave_out(&service);
        }
    }
    told("base images", started);
    if std::env::args().any(|argument| argument == NO_BUILD) {
        return Ok(());
    }
    let started = Instant::now();
    compose.build().await?;
    told("images built", started);
    Ok(())
}

fn told(what: &str, started: Instant) {
    println!("{what} after {:.1} s", started.elapsed().as_secs_f64());
}

async fn scenario(compose: &Compose<'_>, alone: &LoneOperator<'_>, repository: &Path) -> Outcome<()> {
    let chain = starts(compose).await?;
    five_operators(compose, &chain).await?;
    is_watched(compose, repository).await?;
    one_alone(alone, compose, &chain, repository).await?;
    comes_back(compose, &chain).await?;
    stops_and_goes_on(compose).await
}

/// `docker compose up`: tasks are answered.
async fn starts(compose: &Compose<'_>) -> Outcome<Chain> {
    let started = Instant::now();
    compose.up(3).await?;
    told("compose up: all healthy", started);
    let chain = Chain::of(compose).await?;
    chain.signed_by(3, 0).await?;
    told("compose up: a task answered, signed by all three operators,", started);
    Ok(chain)
}

/// `docker compose up --scale operator=5`: two more, and all five are somebody.
async fn five_operators(compose: &Compose<'_>, chain: &Chain) -> Outcome<()> {
    let started = Instant::now();
    compose.up(5).await?;
    chain.signed_by(5, 0).await?;
    told("--scale operator=5: a task signed by five", started);
    Ok(())
}

async fn is_watched(compose: &Compose<'_>, repository: &Path) -> Outcome<()> {
    let started = Instant::now();
    let prometheus = Monitoring::new(&compose.port("prometheus", 9090).await?);
    let targets = prometheus.all_up(&[("aggregator", 1), ("challenger", 1), ("operator", 5)]).await?;
    let (questions, dashboards) = questions(&repository.join("docker/grafana/dashboards"))?;
    prometheus.all_answered(&questions).await?;
    if compose.has("grafana") {
        let grafana = grafana_shows(&compose.port("grafana", 3000).await?, dashboards).await?;
        grafana.all_answered(&questions).await?;
    } else {
        println!("Grafana was not asked; Prometheus was asked what the panels ask");
    }
    prometheus.none_fires().await?;
    println!("{targets} targets up; {} queries of {dashboards} dashboards have data", questions.len());
    told("no alert fires,", started);
    Ok(())
}

/// docker/operator: one more, that nobody of this network knows of before it registers.
async fn one_alone(
    operator: &LoneOperator<'_>,
    compose: &Compose<'_>,
    chain: &Chain,
    repository: &Path,
) -> Outcome<()> {
    let started = Instant::now();
    operator.prepare(repository).await?;
    operator.join(compose).await?;
    chain.signed_by(6, 0).await?;
    operator.tear_down().await?;
    told("docker/operator: a task signed by the one from there too,", started);
    Ok(())
}

/// What is killed is restarted, and works.
async fn comes_back(compose: &Compose<'_>, chain: &Chain) -> Outcome<()> {
    for service in ["operator", "aggregator", "chain"] {
        let started = Instant::now();
        let containers = compose.containers(service).await?;
        let container = containers.first().ok_or("no container")?;
        compose.kill(container).await?;
        let chain = if service == "chain" { &Chain::of(compose).await? } else { chain };
        chain.signed_by(5, chain.created().await?).await?;
        told(&format!("{} killed, and a later task signed by all five", container.name), started);
    }
    Ok(())
}

/// A signal stops each in good order, before its grace is over and it is killed; started again, all goes on where it was.
async fn stops_and_goes_on(compose: &Compose<'_>) -> Outcome<()> {
    let before = Chain::of(compose).await?.answered().await?;
    let containers = compose.all().await?;
    let started = Instant::now();
    compose.stop().await?;
    let took = started.elapsed();
    for container in &containers {
        has_stopped_well(compose, container).await?;
    }
    println!(
        "{} containers stopped within {:.1} s, all with exit code 0",
        containers.len(),
        took.as_secs_f64()
    );
    let started = Instant::now();
    compose.up(5).await?;
    let chain = Chain::of(compose).await?;
    let known = chain.created().await?;
    if chain.answered().await? < before {
        return Err("the chain has forgotten answers".into());
    }
    chain.signed_by(5, known).await?;
    told("up again: a task signed by the same five", started);
    Ok(())
}

async fn has_stopped_well(compose: &Compose<'_>, container: &Container) -> Outcome<()> {
    let code = compose.inspect(&container.id, "{{.State.ExitCode}}").await?;
    if code == "0" { Ok(()) } else { Err(format!("{} ended with {code}", container.name).into()) }
}
