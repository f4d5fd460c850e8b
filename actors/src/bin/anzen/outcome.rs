//! What is told at the end, and the exit code.

use std::{error::Error, fmt::Write, process::ExitCode};

use serde::Serialize;

/// How a command ends, where it ends well or in a way that scripts may ask for. docs/cli.md lists the codes.
pub(crate) type Outcome = Result<ExitCode, Box<dyn Error>>;

/// What a command asked after is not so: not registered, not answered, not healthy. A failure has code 1, a wrong command
/// line 2 (clap's).
pub(crate) const NOT_SO: u8 = 3;
/// What a shell reports of a command that Ctrl-C ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// Prints the error with its causes; as JSON where that is asked for.
pub(crate) fn exit_code(outcome: Outcome, json: bool) -> ExitCode {
    match outcome {
        Ok(code) => code,
        Err(error) => {
            let told = Told::new(error.as_ref());
            let text = if json { serde_json::to_string(&told).unwrap_or_default() } else { told.text() };
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, Serialize)]
struct Told {
    error: String,
    causes: Vec<String>,
}

impl Told {
    fn new(error: &dyn Error) -> Self {
        let mut told = Self { error: error.to_string(), causes: Vec::new() };
        let mut cause = error.source();
        while let Some(error) = cause {
            let line = error.to_string();
            // Some errors repeat their cause.
            if !told.error.contains(&line) && !told.causes.iter().any(|known| known.contains(&line)) {
                told.causes.push(line);
            }
            cause = error.source();
        }
        told
    }

    fn text(&self) -> String {
        let mut text = format!("error: {}", self.error);
        for cause in &self.causes {
            // A String takes everything.
            let _ = write!(text, "\n  because: {cause}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the top")]
    struct Top(#[source] std::io::Error);

    #[test]
    fn an_error_is_told_with_its_causes() {
        let told = Told::new(&Top(std::io::Error::other("the bottom")));
        assert_eq!(told.text(), "error: the top\n  because: the bottom");
        let json = serde_json::to_value(&told).unwrap();
        assert_eq!(json, serde_json::json!({ "error": "the top", "causes": ["the bottom"] }));
    }
}
