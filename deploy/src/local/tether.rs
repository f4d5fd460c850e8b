//! Processes that end with the one that started them, even if that one is killed.
//!
//! Whoever starts a process holds the other end of its standard input. However the parent ends, the system closes that
//! pipe, and the process sees the end of its input. Anzen's own processes look out for it (`anzen node
//! --exit-with-parent`); a foreign program runs behind `anzen local tether`, which does it in its place. (Linux could signal
//! the death of a parent, but no other system does, and it takes unsafe code to ask for it.)

use std::{
    ffi::OsString,
    io::{self, Read},
    process::{Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::process::{Pid, Signal, getpgrp, getpid, kill_process, kill_process_group};

/// Returns when standard input has ended. Blocks.
pub fn wait_for_parents_end() {
    let mut input = io::stdin().lock();
    let mut buffer = [0; 64];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Runs a program until it ends, or this process's standard input does; then the program is killed, and so is what it has
/// started, with this process, if this process leads a group of its own. Of a program that ended by itself the status is
/// returned: what it has started is left to the parent, which is there still.
///
/// # Errors
/// Where the program cannot be started.
pub fn tether(program: &OsString, arguments: &[OsString]) -> io::Result<ExitStatus> {
    let mut child = Command::new(program).args(arguments).stdin(Stdio::null()).spawn()?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let parent_ended = Arc::new(AtomicBool::new(false));
    let noticed = Arc::clone(&parent_ended);
    std::thread::spawn(move || {
        wait_for_parents_end();
        noticed.store(true, Ordering::SeqCst);
        if let Some(pid) = pid {
            // It may have ended by itself meanwhile.
            let _ = kill_process(pid, Signal::KILL);
        }
    });
    let status = child.wait()?;
    if parent_ended.load(Ordering::SeqCst) && getpgrp() == getpid() {
        // This process is one of the group: nothing comes after this.
        kill_process_group(getpgrp(), Signal::KILL)?;
    }
    Ok(status)
}
