//! Commands of the system, and waiting for what they bring about.

use std::time::Duration;

use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

use crate::Outcome;

/// Between two looks at something that is awaited.
const POLL: Duration = Duration::from_millis(500);

/// A command with its arguments.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(std::process::Stdio::null()).kill_on_drop(true);
    command
}

/// Runs a command and returns what it printed.
pub(crate) async fn output(mut command: Command) -> Outcome<String> {
    let output = command.output().await.map_err(|error| format!("{}: {error}", told(&command)))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{} ended with {}:\n{errors}", told(&command), output.status).into())
}

/// Runs a command, whose output everybody sees.
pub(crate) async fn show(mut command: Command) -> Outcome<()> {
    let status = command.status().await.map_err(|error| format!("{}: {error}", told(&command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", told(&command)).into()) }
}

/// True where a command can be run and succeeds.
pub(crate) async fn succeeds(command: Command) -> bool {
    output(command).await.is_ok()
}

fn told(command: &Command) -> String {
    let command = command.as_std();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Looks until there is something to be seen. A look that fails is no failure before the time is over: much of what is
/// looked at is being restarted.
pub(crate) async fn eventually<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Outcome<T>,
) -> Outcome<T> {
    let deadline = Instant::now() + within;
    loop {
        // A container that is being replaced may never answer.
        let seen = timeout(within, look()).await.unwrap_or_else(|_| Err("no answer".into()));
        match seen {
            Ok(seen) => return Ok(seen),
            Err(error) if Instant::now() > deadline => {
                return Err(format!("{what}: not within {} s; {error}", within.as_secs()).into());
            }
            Err(_) => sleep(POLL).await,
        }
    }
}
