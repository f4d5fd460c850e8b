//! What compose.yaml describes, up and running.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use crate::Outcome;
use crate::command::{eventually, output, show};
use crate::engine::Engine;

/// The name that its containers, networks and volumes begin with.
pub(crate) const PROJECT: &str = "anzen-docker-test";
/// The tag of the images.
pub(crate) const IMAGES: &str = "docker-test";

/// The services of compose.yaml, under a name of their own and on ports that the system chooses.
pub(crate) struct Compose<'a> {
    engine: &'a Engine,
    repository: PathBuf,
    /// The services that can be had.
    services: Vec<String>,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl<'a> Compose<'a> {
    /// Nothing is started yet.
    pub(crate) async fn new(engine: &'a Engine, repository: &Path) -> Outcome<Self> {
        let mut compose = Self { engine, repository: repository.to_owned(), services: Vec::new() };
        let services = output(compose.command(&["config", "--services"])).await?;
        compose.services = services.lines().map(str::to_owned).collect();
        Ok(compose)
    }

    /// The images that are pulled, with their services.
    pub(crate) async fn foreign_images(&self) -> Outcome<Vec<(String, String)>> {
        let config: Value =
            serde_json::from_str(&output(self.command(&["config", "--format", "json"])).await?)?;
        let services = config["services"].as_object().ok_or("compose.yaml has no services")?;
        let foreign = services.iter().filter(|(_, service)| service["build"].is_null());
        let image = |service: &Value| service["image"].as_str().unwrap_or_default().to_owned();
        Ok(foreign.map(|(name, service)| (name.clone(), image(service))).collect())
    }

    /// Does without a service.
    pub(crate) fn leave_out(&mut self, service: &str) {
        self.services.retain(|one| one != service);
    }

    /// True where the service can be had.
    pub(crate) fn has(&self, service: &str) -> bool {
        self.services.iter().any(|one| one == service)
    }

    /// Builds the images.
    pub(crate) async fn build(&self) -> Outcome<()> {
        show(self.command(&["--progress", "plain", "build", "--quiet"])).await
    }

    /// Starts what is not running, with so many operators, and returns when all is healthy.
    pub(crate) async fn up(&self, operators: u32) -> Outcome<()> {
        let scale = format!("operator={operators}");
        let mut up = self.command(&["up", "--detach", "--wait", "--no-build", "--scale", &scale]);
        up.args(&self.services);
        output(up).await.map(drop)
    }

    /// Stops all containers.
    pub(crate) async fn stop(&self) -> Outcome<()> {
        output(self.command(&["stop"])).await.map(drop)
    }

    /// Removes everything, volumes too, and checks that nothing is left.
    pub(crate) async fn down(&self) -> Outcome<()> {
        output(self.command(&["down", "--volumes", "--remove-orphans"])).await?;
        nothing_is_left(self.engine, PROJECT).await
    }

    /// The containers of a service.
    pub(crate) async fn containers(&self, service: &str) -> Outcome<Vec<Container>> {
        let ids = output(self.command(&["ps", "--all", "--quiet", service])).await?;
        let mut all = Vec::new();
        for id in ids.lines() {
            let name = self.inspect(id, "{{.Name}}").await?.trim_start_matches('/').to_owned();
            all.push(Container { id: id.to_owned(), name });
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// All containers that were started.
    pub(crate) async fn all(&self) -> Outcome<Vec<Container>> {
        let mut all = Vec::new();
        for service in &self.services {
            all.extend(self.containers(service).await?);
        }
        Ok(all)
    }

    /// What the engine knows about a container.
    pub(crate) async fn inspect(&self, container: &str, what: &str) -> Outcome<String> {
        output(self.engine.docker(&["inspect", "--format", what, container])).await
    }

    /// Runs a command in a container, as that container's user.
    pub(crate) async fn exec(&self, container: &str, arguments: &[&str]) -> Outcome<String> {
        output(self.engine.docker(&[["exec", container].as_slice(), arguments].concat())).await
    }

    /// What the deployment has written.
    pub(crate) async fn addresses(&self) -> Outcome<String> {
        let aggregator = self.containers("aggregator").await?;
        let aggregator = aggregator.first().ok_or("there is no aggregator")?;
        self.exec(&aggregator.id, &["cat", "/var/lib/deployment/addresses.json"]).await
    }

    /// Where a port of a service is on this machine. It has none while its container is restarted.
    pub(crate) async fn port(&self, service: &str, port: u16) -> Outcome<String> {
        eventually("a port is published", Duration::from_secs(60), async || {
            output(self.command(&["port", service, &port.to_string()])).await
        })
        .await
    }

    /// Kills what a container runs, as a fault would: the engine is not asked, and sees to it that it comes back.
    pub(crate) async fn kill(&self, container: &Container) -> Outcome<()> {
        let restarts = async || self.inspect(&container.id, "{{.RestartCount}}").await;
        let before = restarts().await?;
        // Everything but the first process, which ends with its child, and the shell.
        let _ = self.exec(&container.id, &["sh", "-c", "kill -KILL -1"]).await;
        eventually("a killed container is restarted", Duration::from_secs(60), async || {
            let healthy = self.inspect(&container.id, "{{.State.Health.Status}}").await? == "healthy";
            if restarts().await? != before && healthy { Ok(()) } else { Err("it is not".into()) }
        })
        .await
    }

    /// The last lines of every container's log, for whoever has to find out why.
    pub(crate) async fn tell_logs(&self) {
        let _ = show(self.command(&["ps", "--all"])).await;
        let _ = show(self.command(&["logs", "--tail", "60", "--no-color"])).await;
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.engine.docker(&["compose", "--project-name", PROJECT]);
        command.args(arguments).current_dir(&self.repository);
        command.env("ANZEN_VERSION", IMAGES);
        if std::env::var_os("ANZEN_BUILD_PROFILE").is_none() {
            // It is the images that are tested, and this builds in half the time.
            command.env("ANZEN_BUILD_PROFILE", "dev");
        }
        for service in ["CHAIN", "AGGREGATOR", "PROMETHEUS", "GRAFANA"] {
            command.env(format!("ANZEN_{service}_PORT"), "0");
        }
        command
    }
}

/// Fails where a project has containers, volumes or networks.
pub(crate) async fn nothing_is_left(engine: &Engine, project: &str) -> Outcome<()> {
    let label = format!("label=com.docker.compose.project={project}");
    for kind in [["container", "ls", "--all"].as_slice(), &["volume", "ls"], &["network", "ls"]] {
        let arguments = [kind, &["--quiet", "--filter", &label]].concat();
        let left = output(engine.docker(&arguments)).await?;
        if !left.is_empty() {
            return Err(format!("`docker compose down --volumes` has left {kind:?}: {left}").into());
        }
    }
    Ok(())
}
