//! Processes, from outside.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// The program under test, built if it is not.
pub fn anzen() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build).clone()
}

fn build() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        // Without a package, so that features are those of the whole workspace, as in the test: nothing is compiled twice.
        .args(["build", "--quiet", "--locked", "--bin", "anzen"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the program does not compile");
    // This test is target/debug/deps/it-…, the program is target/debug/anzen.
    let test = std::env::current_exe().expect("a test knows its path");
    test.parent().and_then(|deps| deps.parent()).expect("cargo's layout").join("anzen")
}

/// Sends a signal.
pub fn signal(pid: i32, signal: Signal) {
    let pid = Pid::from_raw(pid).expect("a process id");
    kill_process(pid, signal).expect("the process is there");
}

/// A process that stands still; it goes on when this is dropped.
#[derive(Debug)]
pub struct Frozen(i32);

impl Drop for Frozen {
    fn drop(&mut self) {
        // It may have been killed meanwhile.
        let _ = Pid::from_raw(self.0).map(|process| kill_process(process, Signal::CONT));
    }
}

/// Stops a process where it is, and returns when it stands still.
pub async fn freeze(pid: i32) -> Frozen {
    signal(pid, Signal::STOP);
    let frozen = Frozen(pid);
    while !stands_still(pid) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    frozen
}

/// True where none of its threads goes on.
fn stands_still(pid: i32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut states = threads.filter_map(|thread| state(&thread.path()));
    states.all(|state| matches!(state, 'T' | 't' | 'Z' | 'X'))
}

/// What a process occupies of the memory, in KiB; 0 where it is gone.
pub fn resident_kib(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// True where the process runs; one that has ended and that nobody has asked about does not.
pub fn is_running(pid: i32) -> bool {
    state(&PathBuf::from(format!("/proc/{pid}"))).is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// The letter of the state of a process or a thread, by its folder in /proc.
fn state(folder: &Path) -> Option<char> {
    let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
    // "pid (name) state …", and the name may have anything in it.
    stat.rsplit(')').next()?.trim_start().chars().next()
}

/// Returns when none of the processes runs.
pub async fn gone(pids: &[i32]) {
    let all_gone = async {
        while pids.iter().any(|pid| is_running(*pid)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let left = tokio::time::timeout(Duration::from_secs(20), all_gone).await;
    assert!(
        left.is_ok(),
        "left behind: {:?}",
        pids.iter().filter(|pid| is_running(**pid)).collect::<Vec<_>>()
    );
}
