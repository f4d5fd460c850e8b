//! A local network, as a person would run it.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use super::process::{anzen, signal};
use super::{PATIENCE, within};

/// A running `anzen local run`. Everything ends with it: its processes see its end.
pub struct LocalNetwork {
    process: Child,
    lines: UnboundedReceiver<String>,
    seen: Vec<String>,
    folder: PathBuf,
    _temporary: Option<TempDir>,
}

/// How a command ended.
pub struct Ended {
    /// How it exited.
    pub status: ExitStatus,
    /// Its standard error.
    pub errors: String,
}

impl LocalNetwork {
    /// A network in a folder of its own that is ready.
    pub async fn ready(arguments: &[&str]) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut network = Self::start(&temporary.path().join("network"), arguments);
        network._temporary = Some(temporary);
        network.line("Ready after").await;
        network
    }

    /// A network in `folder` that has just been started.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_with(folder, arguments, &[])
    }

    /// The same, with environment variables, which its processes have too.
    pub fn start_with(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut process = Command::new(anzen())
            .args(["local", "run", "--dir"])
            .arg(folder)
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = lines_of(process.stdout.take().unwrap());
        Self { process, lines, seen: Vec::new(), folder: folder.to_owned(), _temporary: None }
    }

    /// The next line of the output that has `text` in it.
    pub async fn line(&mut self, text: &str) -> String {
        self.line_where(text, |line| line.contains(text)).await
    }

    /// The next line that is about an answered task.
    pub async fn answered(&mut self) -> String {
        self.line_where("an answered task", |line| line.starts_with("task ") && line.contains("signed by"))
            .await
    }

    /// The next line that `holds`.
    pub async fn line_where(&mut self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        loop {
            match timeout(PATIENCE, self.lines.recv()).await {
                Ok(Some(line)) => {
                    self.seen.push(line.clone());
                    if holds(&line) {
                        return line;
                    }
                }
                end => self.give_up(what, &format!("{end:?}")).await,
            }
        }
    }

    async fn give_up(&mut self, what: &str, why: &str) -> ! {
        let _ = self.process.start_kill();
        let mut errors = String::new();
        if let Some(mut stderr) = self.process.stderr.take() {
            let _ = stderr.read_to_string(&mut errors).await;
        }
        panic!("no line with {what} ({why}); so far:\n{}\n{errors}{}", self.seen.join("\n"), self.logs());
    }

    /// The ends of all logs, for a failure.
    fn logs(&self) -> String {
        let mut text = String::new();
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "log") && !path.ends_with("chain.log") {
                let log = std::fs::read_to_string(&path).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                let end = lines[lines.len().saturating_sub(15)..].join("\n");
                text += &format!("\n--- {}\n{end}", path.display());
            }
        }
        text
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A JSON file in its folder.
    pub fn json(&self, file: &str) -> Value {
        let text = std::fs::read_to_string(self.folder.join(file)).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// What it prints from now on: nothing that waits for a line here gets one any more.
    pub fn take_lines(&mut self) -> UnboundedReceiver<String> {
        std::mem::replace(&mut self.lines, unbounded_channel().1)
    }

    /// The names of all processes that the network has started, the chain first.
    pub fn names(&self) -> Vec<String> {
        let processes = self.json("network.json")["processes"].clone();
        let name = |process: &Value| process["name"].as_str().unwrap().to_owned();
        processes.as_array().unwrap().iter().map(name).collect()
    }

    /// The process id that a process has now.
    pub fn pid(&self, name: &str) -> i32 {
        pid_in(&self.process_info(name)["pid"])
    }

    /// The process ids of all that the network has started.
    pub fn pids(&self) -> Vec<i32> {
        let processes = self.json("network.json")["processes"].clone();
        processes.as_array().unwrap().iter().map(|process| pid_in(&process["pid"])).collect()
    }

    /// Kills one process, as a crash would.
    pub fn kill(&self, name: &str) {
        signal(self.pid(name), Signal::KILL);
    }

    fn process_info(&self, name: &str) -> Value {
        let processes = self.json("network.json")["processes"].clone();
        let found = processes.as_array().unwrap().iter().find(|process| process["name"] == name);
        found.unwrap_or_else(|| panic!("no process {name}")).clone()
    }

    /// Where a process serves the AVS node API, and its metrics.
    pub fn api_url(&self, name: &str) -> String {
        self.process_info(name)["apiUrl"].as_str().unwrap().to_owned()
    }

    /// The metrics of a process, as text.
    pub async fn metrics(&self, name: &str) -> String {
        let info = self.process_info(name);
        let url = info["metricsUrl"].as_str().unwrap();
        super::chain::http_get(url).await
    }

    /// Returns when the aggregator has a proof against one operator on disk.
    pub async fn evidence_is_kept(&self) {
        within("the evidence", async {
            while !self.metrics("aggregator").await.contains("\nanzen_collector_evidence 1\n") {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
    }

    /// Sends this command a signal.
    pub fn signal(&self, which: Signal) {
        signal(i32::try_from(self.process.id().unwrap()).unwrap(), which);
    }

    /// Waits for this command to end.
    pub async fn ended(mut self) -> Ended {
        let ending = async {
            while self.lines.recv().await.is_some() {}
            let mut errors = String::new();
            let _ = self.process.stderr.take().unwrap().read_to_string(&mut errors).await;
            Ended { status: self.process.wait().await.unwrap(), errors }
        };
        within("the end of the network", ending).await
    }

    /// Ctrl-C, for who goes on with what it leaves. Returns when it has ended.
    pub async fn stop(&mut self) {
        self.signal(Signal::INT);
        within("the end of the network", self.process.wait()).await.unwrap();
    }

    /// Ctrl-C.
    pub async fn interrupt(self) -> Ended {
        self.signal(Signal::INT);
        self.ended().await
    }

    /// `anzen local spawn-operator` in another terminal.
    pub fn spawn_operator(&self, number: u32) -> Child {
        Command::new(anzen())
            .args(["local", "spawn-operator", &number.to_string(), "--dir"])
            .arg(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }
}

/// Read whether somebody waits for them or not, so that whoever prints them never waits.
fn lines_of(output: ChildStdout) -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            // Who does not want them any more is not told.
            let _ = sender.send(line);
        }
    });
    receiver
}

fn pid_in(value: &Value) -> i32 {
    i32::try_from(value.as_i64().unwrap()).unwrap()
}
