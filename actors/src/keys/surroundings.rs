//! Variables and the person at the terminal.

use std::io::{self, IsTerminal};

use zeroize::Zeroizing;

/// Where secrets come from that are in no file. Tests have a scripted one.
pub trait Surroundings {
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<Zeroizing<String>>;

    /// Whether somebody can be asked.
    fn has_terminal(&self) -> bool;

    /// Asks for a line that is not shown.
    ///
    /// # Errors
    /// Where the terminal is gone.
    fn ask_hidden(&self, question: &str) -> io::Result<Zeroizing<String>>;

    /// Asks for a line.
    ///
    /// # Errors
    /// Where the terminal is gone.
    fn ask(&self, question: &str) -> io::Result<String>;

    /// Tells the person something.
    fn tell(&self, text: &str);
}

/// The environment and the terminal of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThisProcess;

impl Surroundings for ThisProcess {
    fn variable(&self, name: &str) -> Option<Zeroizing<String>> {
        // An empty one is what a compose file makes of a variable that is not set.
        std::env::var(name).ok().filter(|value| !value.is_empty()).map(Zeroizing::new)
    }

    fn has_terminal(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    fn ask_hidden(&self, question: &str) -> io::Result<Zeroizing<String>> {
        rpassword::prompt_password(question).map(Zeroizing::new)
    }

    fn ask(&self, question: &str) -> io::Result<String> {
        eprint!("{question}");
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        Ok(line)
    }

    fn tell(&self, text: &str) {
        eprintln!("{text}");
    }
}
