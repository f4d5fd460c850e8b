//! One process: started, watched, ended.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process};
use tokio::process::{Child, ChildStdin, Command};

use super::{LocalError, folder};

/// For how long a process may put its affairs in order.
const GRACE: Duration = Duration::from_secs(5);
/// How often a process that is starting is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What to start.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    /// The folder that it runs in.
    pub(super) folder: PathBuf,
    pub(super) log: PathBuf,
    pub(super) sign: Sign,
}

/// What shows that a process is ready.
#[derive(Debug, Clone)]
pub(super) enum Sign {
    /// It has written this file, which is removed before it starts.
    File(PathBuf),
    /// It has logged a line with this in it.
    Line(&'static str),
}

impl Program {
    /// A foreign program, which ends with this process.
    pub(super) fn tethered(
        name: &str,
        program: PathBuf,
        arguments: &[&str],
        folder: &Path,
        log: PathBuf,
        sign: Sign,
    ) -> Result<Self, LocalError> {
        let tether = ["local", "tether", "--"].map(OsString::from);
        let arguments = arguments.iter().map(Into::into);
        let arguments = tether.into_iter().chain([program.into()]).chain(arguments).collect();
        let (name, folder) = (name.to_owned(), folder.to_owned());
        Ok(Self { name, program: this_program()?, arguments, folder, log, sign })
    }

    /// Starts it. What it logs comes after what it logged before.
    pub(super) fn start(&self) -> Result<Running, LocalError> {
        if let Sign::File(path) = &self.sign {
            remove(path)?;
        }
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.map_err(LocalError::file(&self.log))?;
        let logged = log.metadata().map_err(LocalError::file(&self.log))?.len();
        let started = self.command(log)?.spawn();
        let mut child =
            started.map_err(|source| LocalError::Start { program: self.program.clone(), source })?;
        let tether = child.stdin.take();
        Ok(Running { pid: child.id().unwrap_or_default(), child, tether, logged })
    }

    fn command(&self, log: File) -> Result<Command, LocalError> {
        let errors = log.try_clone().map_err(LocalError::file(&self.log))?;
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            // They are meant for a node that a person starts, and would change these.
            if name.as_encoded_bytes().starts_with(b"ANZEN_") {
                command.env_remove(name);
            }
        }
        command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors)
            .process_group(0);
        Ok(command)
    }

    /// Returns when its sign is there; `logged` bytes of the log are from before.
    pub(super) async fn ready(&self, logged: u64) {
        let is_ready = || match &self.sign {
            Sign::File(path) => path.exists(),
            Sign::Line(text) => folder::line_with(&self.log, logged, text).is_some(),
        };
        while !is_ready() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn remove(path: &Path) -> Result<(), LocalError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(LocalError::file(path)(error)),
        _ => Ok(()),
    }
}

/// A process that runs. It leads a process group of its own, so that Ctrl-C in the terminal does not reach it.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) pid: u32,
    /// How many bytes its log had when it was started.
    pub(super) logged: u64,
    child: Child,
    /// Its standard input: it ends when this is closed.
    tether: Option<ChildStdin>,
}

/// How a process ended.
#[derive(Debug)]
pub(super) struct End(io::Result<ExitStatus>);

impl Running {
    /// Returns when it has ended by itself.
    pub(super) async fn end(&mut self) -> End {
        let status = self.child.wait().await;
        // What it has started must not outlive it.
        kill_group(self.pid);
        End(status)
    }

    /// Has it end; returns when it is gone.
    pub(super) async fn stop(mut self) {
        drop(self.tether.take());
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err() {
            kill_group(self.pid);
        }
        self.end().await;
    }
}

impl End {
    /// True where it was not told to end, and nobody killed it.
    pub(super) fn is_failure(&self) -> bool {
        use std::os::unix::process::ExitStatusExt;
        const BY_OTHERS: [Signal; 4] = [Signal::HUP, Signal::INT, Signal::KILL, Signal::TERM];
        let Ok(status) = &self.0 else { return true };
        // Of a tethered program the exit code says which signal ended it, as a shell's does.
        let signal = status.signal().or_else(|| status.code().map(|code| code - 128));
        !status.success() && !BY_OTHERS.iter().any(|other| signal == Some(other.as_raw()))
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::os::unix::process::ExitStatusExt;
        match &self.0 {
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => write!(f, "exit code {code}"),
                (None, Some(signal)) => write!(f, "killed by signal {signal}"),
                (None, None) => f.write_str("for an unknown reason"),
            },
            Err(error) => write!(f, "its end could not be observed: {error}"),
        }
    }
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

/// The program that runs `anzen`'s processes: this one.
pub(super) fn this_program() -> Result<PathBuf, LocalError> {
    std::env::current_exe().map_err(|source| LocalError::Start { program: "anzen".into(), source })
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn is_failure(wait_status: i32) -> bool {
        End(Ok(ExitStatus::from_raw(wait_status))).is_failure()
    }

    #[test]
    fn who_is_killed_has_not_failed() {
        let exited = |code: i32| is_failure(code << 8);
        assert!(exited(1) && exited(3), "it ended by itself");
        assert!(!exited(0), "nothing was wrong");
        assert!(!is_failure(9) && !is_failure(15), "others ended it");
        assert!(is_failure(11), "it crashed");
        assert!(!exited(128 + 9) && !exited(128 + 15), "others ended it, behind the tether");
        assert!(exited(128 + 11), "it crashed, behind the tether");
    }
}
