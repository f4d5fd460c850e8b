//! What is told at the end, and the exit code.

use std::{error::Error, fmt::Write, process::ExitCode};

/// 0 is success, 1 a failure, 2 a wrong command line (clap's), and as a shell has it, 130 an interruption.
pub(crate) type Outcome = Result<ExitCode, Box<dyn Error>>;

/// What a shell reports of a command that Ctrl-C ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// Prints the error with its causes.
pub(crate) fn exit_code(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let line = error.to_string();
        // Some errors repeat their cause.
        if !text.contains(&line) {
            // A String takes everything.
            let _ = write!(text, "\n  because: {line}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the top")]
    struct Top(#[source] std::io::Error);

    #[test]
    fn an_error_is_told_with_its_causes() {
        let error = Top(std::io::Error::other("the bottom"));
        assert_eq!(chain(&error), "error: the top\n  because: the bottom");
    }
}
