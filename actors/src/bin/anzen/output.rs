//! How commands tell what they found: a text for people, one JSON document for programs.

use std::{
    fmt,
    io::{self, Write},
    time::Duration,
};

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::HumanDuration;
use serde::Serialize;

/// What every command takes.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Output {
    /// Print JSON: one document on standard output, or one a line where a command goes on; errors too, on standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// A result. Its JSON form is what serde makes of it (camelCase; amounts of tokens as decimal strings).
pub(crate) trait Report: Serialize {
    /// The same for people, with a line end after each line.
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result;
}

impl Output {
    /// Prints a result.
    ///
    /// # Errors
    /// Where standard output is closed.
    pub(crate) fn print(self, report: &impl Report) -> io::Result<()> {
        let text = if self.json {
            serde_json::to_string_pretty(report)? + "\n"
        } else {
            let mut text = String::new();
            report.for_people(&mut text).map_err(io::Error::other)?;
            text
        };
        write(&text)
    }

    /// Prints one of many results, as it comes: in JSON on one line.
    ///
    /// # Errors
    /// Where standard output is closed.
    pub(crate) fn print_next(self, report: &impl Report) -> io::Result<()> {
        if self.json { write(&(serde_json::to_string(report)? + "\n")) } else { self.print(report) }
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A table without rules, in the style of the tools around it.
pub(crate) fn table(headers: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headers.iter().copied());
    table.add_rows(rows);
    table
}

/// How long so many blocks take, for people.
pub(crate) fn duration(block_time: Duration, blocks: u64) -> String {
    let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
    HumanDuration(block_time.saturating_mul(blocks)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_a_person_s_units() {
        assert_eq!(duration(Duration::from_secs(12), 126_000), "3 weeks");
        assert_eq!(duration(Duration::from_secs(12), 76), "15 minutes");
        assert_eq!(duration(Duration::ZERO, 5), "0 seconds");
    }
}
