//! What a network prints: who has ended, who is back, and the newest lines.

use std::collections::VecDeque;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use super::witness::Witness;

/// How many lines of the network's output are kept.
const LINES: usize = 40;

/// The newest lines that the network printed.
#[derive(Debug, Default)]
pub(super) struct Said {
    lines: VecDeque<String>,
    /// How many there were in all.
    pub(super) total: usize,
}

impl Said {
    fn add(&mut self, line: String) {
        self.lines.push_back(line);
        self.lines.drain(..self.lines.len().saturating_sub(LINES));
        self.total += 1;
    }

    /// Those that came after the first `before`, as far as they are kept.
    pub(super) fn since(&self, before: usize) -> impl Iterator<Item = &str> {
        let gone = self.total - self.lines.len();
        self.lines.iter().skip(before.saturating_sub(gone)).map(String::as_str)
    }
}

/// Tells the witness who has ended and who is back, keeps the last lines, and says when there are no more.
pub(super) fn listen(
    mut lines: UnboundedReceiver<String>,
    witness: Witness,
    said: watch::Sender<Said>,
) -> watch::Receiver<bool> {
    let (ending, ended) = watch::channel(false);
    tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            // First, so that whoever hears of it finds the line.
            said.send_modify(|said| said.add(line.clone()));
            if let Some(title) = who_ended(&line) {
                witness.has_ended(&name(title), &line);
            }
            if let Some(title) = line.strip_suffix(" is back") {
                witness.is_back(&name(title));
            }
        }
        ending.send_replace(true);
    });
    ended
}

/// What the process is called that has ended, if the line is about one.
fn who_ended(line: &str) -> Option<&str> {
    line.strip_suffix(" and is started again")?.split_once(" has ended (").map(|(title, _)| title)
}

/// The name of the process that is called `title` in what is printed.
fn name(title: &str) -> String {
    title.replace("operator ", "operator-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_who_has_ended() {
        let line = "operator 2 has ended (killed by signal 9) and is started again";
        assert_eq!(who_ended(line).map(name).as_deref(), Some("operator-2"));
        assert_eq!(who_ended("operator 2 is back"), None);
    }
}
