//! The network's processes: started, watched, stopped.

use std::{
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process};
use tokio::{
    process::{Child, ChildStdin, Command},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    LocalError,
    run::{is_chain, is_operator},
};

/// For how long a process may put its affairs in order.
const GRACE: Duration = Duration::from_secs(5);

/// What to start.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    /// The folder that it runs in.
    pub(super) folder: PathBuf,
    pub(super) log: PathBuf,
}

/// A process that is running, or was.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) name: String,
    pub(super) pid: u32,
    stop: oneshot::Sender<()>,
    watcher: JoinHandle<()>,
}

impl Process {
    /// Has it stop; the result is ready when it is gone.
    fn stop(self) -> JoinHandle<()> {
        // It may have ended already.
        let _ = self.stop.send(());
        self.watcher
    }
}

/// A process has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) name: String,
    pub(super) log: PathBuf,
    pub(super) how: String,
}

impl Ended {
    /// The end of a process that the network cannot do without.
    pub(super) fn into_error(self) -> LocalError {
        let tail = super::folder::tail(&self.log, 20);
        LocalError::Ended { name: self.name, how: self.how, log: self.log, tail }
    }
}

/// All processes of this network that were started here. Each leads a process group of its own, so that Ctrl-C in the
/// terminal reaches this process only, which stops the others in order.
#[derive(Debug)]
pub(super) struct Processes {
    all: Vec<Process>,
    ended: (mpsc::UnboundedSender<Ended>, mpsc::UnboundedReceiver<Ended>),
}

impl Processes {
    pub(super) fn new() -> Self {
        Self { all: Vec::new(), ended: mpsc::unbounded_channel() }
    }

    pub(super) fn start(&mut self, program: Program) -> Result<u32, LocalError> {
        let mut child = command(&program)?
            .spawn()
            .map_err(|source| LocalError::Start { program: program.program.clone(), source })?;
        let pid = child.id().unwrap_or_default();
        let tether = child.stdin.take();
        let (stop, stopped) = oneshot::channel();
        let (name, log, ended) = (program.name.clone(), program.log.clone(), self.ended.0.clone());
        let watcher = tokio::spawn(async move {
            let status = watch(child, pid, tether, stopped).await;
            // Nobody listens any more while the network stops.
            let _ = ended.send(Ended { name, log, how: describe(status) });
        });
        self.all.push(Process { name: program.name, pid, stop, watcher });
        Ok(pid)
    }

    pub(super) fn all(&self) -> &[Process] {
        &self.all
    }

    /// The next process to end by itself.
    pub(super) async fn next_ended(&mut self) -> Ended {
        loop {
            if let Some(ended) = self.ended.1.recv().await {
                self.all.retain(|process| process.name != ended.name);
                return ended;
            }
        }
    }

    /// Stops all and returns when they are gone: the operators first, the chain last, so that nobody misses anybody.
    pub(super) async fn stop(mut self) {
        let chain = self.all.extract_if(.., |process| is_chain(&process.name)).collect();
        let operators = self.all.extract_if(.., |process| is_operator(&process.name).is_some()).collect();
        for group in [operators, self.all, chain] {
            let stopping: Vec<_> = Vec::into_iter(group).map(Process::stop).collect();
            for watcher in stopping {
                // A watcher does not panic, and is not aborted.
                let _ = watcher.await;
            }
        }
    }
}

fn command(program: &Program) -> Result<Command, LocalError> {
    let log = File::create(&program.log).map_err(LocalError::file(&program.log))?;
    let errors = log.try_clone().map_err(LocalError::file(&program.log))?;
    let mut command = Command::new(&program.program);
    for (name, _) in std::env::vars_os() {
        // They are meant for a node that a person starts, and would change these.
        if name.as_encoded_bytes().starts_with(b"ANZEN_") {
            command.env_remove(name);
        }
    }
    command
        .args(&program.arguments)
        .current_dir(&program.folder)
        .stdin(Stdio::piped())
        .stdout(log)
        .stderr(errors)
        .process_group(0);
    Ok(command)
}

async fn watch(
    mut child: Child,
    pid: u32,
    tether: Option<ChildStdin>,
    stopped: oneshot::Receiver<()>,
) -> std::io::Result<ExitStatus> {
    let status = tokio::select! {
        status = child.wait() => status,
        _ = stopped => {
            drop(tether);
            match tokio::time::timeout(GRACE, child.wait()).await {
                Ok(status) => status,
                Err(_) => {
                    kill_group(pid);
                    child.wait().await
                }
            }
        }
    };
    // What it has started must not outlive it.
    kill_group(pid);
    status
}

fn kill_group(leader: u32) {
    if let Some(leader) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // That there is none left is what is wanted.
        let _ = kill_process_group(leader, Signal::KILL);
    }
}

/// True where there is a process with this id.
pub(super) fn is_alive(pid: u32) -> bool {
    i32::try_from(pid).ok().and_then(Pid::from_raw).is_some_and(|pid| test_kill_process(pid).is_ok())
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("killed by signal {signal}"),
            (None, None) => "for an unknown reason".into(),
        },
        Err(error) => format!("its end could not be observed: {error}"),
    }
}

/// The program that runs `anzen`'s processes: this one.
pub(super) fn this_program() -> Result<PathBuf, LocalError> {
    std::env::current_exe().map_err(|source| LocalError::Start { program: "anzen".into(), source })
}

/// A process of Anzen's own, which ends with this one.
pub(super) fn node(name: &str, program: &Path, folder: &Path) -> Program {
    Program {
        name: name.to_owned(),
        program: program.to_owned(),
        arguments: ["node", "--exit-with-parent", "--config", &format!("{name}/node.toml")]
            .map(Into::into)
            .to_vec(),
        folder: folder.to_owned(),
        log: folder.join(format!("{name}.log")),
    }
}
