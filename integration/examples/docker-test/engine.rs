//! The Docker engine: one that runs already, or Debian's, started here and gone with this program.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::Outcome;
use crate::command::{command, eventually, output, show, succeeds};

/// How long the engine may take to start, and to stop.
const PATIENCE: Duration = Duration::from_secs(60);
/// Debian's release that has Compose 2; its programs run on the one before, too.
const RELEASE_WITH_COMPOSE: &str = "trixie";

/// A Docker engine with Compose.
pub(crate) struct Engine {
    variables: Vec<(&'static str, PathBuf)>,
    own: Option<OwnEngine>,
    /// Where Compose is, where the system has none.
    plugins: Option<TempDir>,
}

/// An engine that was started here. Dropping it stops it and removes all that it kept.
struct OwnEngine {
    process: Child,
    /// Everything that the engine keeps.
    folder: Option<TempDir>,
}

impl Engine {
    /// Finds an engine, or installs and starts one, which takes root's rights and Debian.
    pub(crate) async fn find_or_start() -> Outcome<Self> {
        let mut engine = Self { variables: Vec::new(), own: None, plugins: None };
        if !engine.answers().await {
            engine.start().await?;
        }
        if !succeeds(engine.docker(&["compose", "version"])).await {
            engine.add_compose().await?;
        }
        let told = engine.docker(&["version", "--format", "{{.Server.Version}}"]);
        println!("engine: Docker {}", output(told).await?);
        println!("        {}", output(engine.docker(&["compose", "version"])).await?);
        Ok(engine)
    }

    /// A docker command for this engine.
    pub(crate) fn docker(&self, arguments: &[&str]) -> Command {
        let mut command = command("docker", arguments);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Stops the engine and removes all that it kept, if it was started here.
    pub(crate) fn stop(self) -> Outcome<()> {
        let Some(mut own) = self.own else { return Ok(()) };
        own.end()?;
        Ok(own.folder.take().map_or(Ok(()), TempDir::close)?)
    }

    async fn answers(&self) -> bool {
        succeeds(self.docker(&["info", "--format", "{{.ServerVersion}}"])).await
    }

    async fn start(&mut self) -> Outcome<()> {
        install(&["docker.io", "iptables"]).await?;
        // Where there is an init system, installing it has started it.
        if self.answers().await {
            return Ok(());
        }
        let folder = tempfile::Builder::new().prefix("anzen-docker-").tempdir()?;
        let socket = format!("unix://{}", folder.path().join("docker.sock").display());
        self.variables.push(("DOCKER_HOST", socket.clone().into()));
        let process = start_engine(folder.path(), &socket)?;
        let log = folder.path().join("log");
        self.own = Some(OwnEngine { process, folder: Some(folder) });
        let answers = async || if self.answers().await { Ok(()) } else { Err(tail(&log).into()) };
        eventually("the engine answers", PATIENCE, answers).await
    }

    /// Puts Compose (and buildx, which it builds with) where the docker command finds them, in a folder of its own.
    async fn add_compose(&mut self) -> Outcome<()> {
        println!("installing Compose from Debian {RELEASE_WITH_COMPOSE}");
        let (folder, scratch) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let mut unpack = command(UNPACK, &[RELEASE_WITH_COMPOSE]);
        unpack.arg(scratch.path()).args(["docker-compose", "docker-buildx"]);
        show(unpack).await?;
        let mut copy = command("cp", &["--recursive"]);
        copy.arg(scratch.path().join(PLUGINS)).arg(folder.path());
        show(copy).await?;
        self.variables.push(("DOCKER_CONFIG", folder.path().to_owned()));
        self.plugins = Some(folder);
        Ok(())
    }
}

impl OwnEngine {
    /// Its folder goes next, and could not while it is in use. Nothing else is left to be done meanwhile.
    fn end(&mut self) -> std::io::Result<()> {
        terminate(&self.process);
        let deadline = Instant::now() + PATIENCE;
        while self.process.try_wait()?.is_none() {
            if Instant::now() > deadline {
                self.process.start_kill()?;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        // After a failure, which is what is told.
        let _ = self.end();
    }
}

/// Unpacks packages of Debian's.
const UNPACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/debian.sh");
/// Where Debian has what extends the docker command.
const PLUGINS: &str = "usr/libexec/docker/cli-plugins";

/// Installs packages of Debian's that are not there.
pub(crate) async fn install(packages: &[&str]) -> Outcome<()> {
    let status = [&["--status"], packages].concat();
    if succeeds(command("dpkg", &status)).await {
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() || !Path::new("/usr/bin/apt-get").exists() {
        let packages = packages.join(" ");
        return Err(format!("this takes {packages}: start Docker, or run it as root on Debian").into());
    }
    println!("installing {} from Debian", packages.join(" "));
    output(command("apt-get", &["update", "--quiet=2"])).await?;
    let arguments = [&["install", "--yes", "--quiet=2", "--no-install-recommends"], packages].concat();
    let mut install = command("apt-get", &arguments);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    output(install).await.map(drop)
}

fn start_engine(folder: &Path, socket: &str) -> Outcome<Child> {
    let log = std::fs::File::create(folder.join("log"))?;
    let at = |name: &str| folder.join(name).display().to_string();
    let (data, exec, pid) = (at("data"), at("exec"), at("pid"));
    let arguments = ["--data-root", &data, "--exec-root", &exec, "--pidfile", &pid, "--host", socket];
    // It ends with this program, however that ends; and Ctrl-C, which this program hears too, is not for it.
    let mut engine = command("setpriv", &["--pdeathsig", "TERM", "dockerd"]);
    engine.args(arguments).stdout(log.try_clone()?).stderr(log).stdin(Stdio::null());
    Ok(engine.process_group(0).kill_on_drop(false).spawn()?)
}

fn terminate(process: &Child) {
    let pid = process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself.
        let _ = kill_process(pid, Signal::TERM);
    }
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
