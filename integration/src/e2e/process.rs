//! Processes, from outside.

use std::path::PathBuf;
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

/// True where the process runs; one that has ended and that nobody has asked about does not.
pub fn is_running(pid: i32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // "pid (name) state …", and the name may have anything in it.
    !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with(['Z', 'X'])
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
